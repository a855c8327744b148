/*
 * Reply: is what came back a whole 200?
 *
 * Not a parser of HTTP: it looks for the status, the end of the head and a
 * Content-Length or the last chunk, and takes anything else for a failure. A client
 * that measures a server must not pass over an answer that it did not understand.
 * Since one reply is awaited at a time, a chunked body is whole when what has been
 * received ends in the mark of the last chunk (RFC 9112, section 7.1, no trailers).
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/hold.h"

void hold_reply_init(struct hold_reply *reply)
{
	reply->size_expected = 0;
	reply->size_received = 0;
	reply->status = 0;
	reply->is_chunked = false;
	memset(reply->tail, 0, sizeof(reply->tail));
}

/* The value of a field of the head, which ends before @end; NULL when there is none. @name is
 * lower case, with CRLF before and a colon behind it. */
static const char *reply_field(const char *head, const char *end, const char *name)
{
	size_t name_size = strlen(name);

	for (const char *at = head; at + name_size < end; at++) {
		const char *value = at + name_size;

		if (at[0] != '\r' || strncasecmp(at, name, name_size) != 0)
			continue;
		while (value < end && *value == ' ')
			value++;
		return value;
	}
	return NULL;
}

static int reply_content_length(const char *value, const char *end, uint64_t *ret_length)
{
	uint64_t length = 0;

	if (value == end || *value < '0' || *value > '9')
		return -EBADMSG;
	for (; value < end && *value >= '0' && *value <= '9'; value++) {
		if (length > UINT32_MAX)
			return -EBADMSG;
		length = length * 10 + (uint64_t)(*value - '0');
	}
	*ret_length = length;
	return 0;
}

/* How the body ends: by its size, or by its last chunk. */
static int reply_read_framing(struct hold_reply *reply, const char *end)
{
	static const char chunked[] = "chunked";
	const char *length = reply_field(reply->buffer, end, "\r\ncontent-length:");
	const char *coding = reply_field(reply->buffer, end, "\r\ntransfer-encoding:");
	uint64_t content_length = 0;
	int error;

	if ((length != NULL) == (coding != NULL))
		return -EBADMSG;
	if (coding != NULL) {
		if ((size_t)(end - coding) < sizeof(chunked) - 1 ||
		    strncasecmp(coding, chunked, sizeof(chunked) - 1) != 0)
			return -EBADMSG;
		reply->is_chunked = true;
		reply->size_expected = UINT64_MAX;
		return 0;
	}
	error = reply_content_length(length, end, &content_length);
	if (error < 0)
		return error;
	reply->size_expected = (uint64_t)(end - reply->buffer) + 4 + content_length;
	return 0;
}

/* Three digits as a number; 0 when they are none. */
static uint32_t reply_status(const char *digits)
{
	uint32_t status = 0;

	for (int index = 0; index < 3; index++) {
		if (digits[index] < '0' || digits[index] > '9')
			return 0;
		status = status * 10 + (uint32_t)(digits[index] - '0');
	}
	return status;
}

static int reply_read_head(struct hold_reply *reply)
{
	static const char version[] = "HTTP/1.1 ";
	const size_t version_size = sizeof(version) - 1;
	const char *end = memmem(reply->buffer, reply->size_received, "\r\n\r\n", 4);

	/* The version, three digits and what follows them. */
	if (reply->size_received > version_size + 3) {
		if (memcmp(reply->buffer, version, version_size) != 0)
			return -EBADMSG;
		reply->status = reply_status(reply->buffer + version_size);
		if (reply->status != 200)
			return -EPROTO;
	}
	if (end == NULL)
		return reply->size_received == sizeof(reply->buffer) ? -EBADMSG : 0;
	return reply_read_framing(reply, end);
}

static void reply_keep_tail(struct hold_reply *reply, const char *bytes, size_t size)
{
	size_t kept = size >= sizeof(reply->tail) ? 0 : sizeof(reply->tail) - size;

	memmove(reply->tail, reply->tail + sizeof(reply->tail) - kept, kept);
	memcpy(reply->tail + kept, bytes + size - (sizeof(reply->tail) - kept),
	       sizeof(reply->tail) - kept);
}

static bool reply_is_whole(const struct hold_reply *reply)
{
	static const char last_chunk[] = "\r\n0\r\n\r\n";

	static_assert(sizeof(last_chunk) - 1 == HOLD_REPLY_TAIL_SIZE, "the tail holds the mark");
	if (reply->is_chunked)
		return memcmp(reply->tail, last_chunk, sizeof(reply->tail)) == 0;
	return reply->size_expected != 0 && reply->size_received == reply->size_expected;
}

int hold_reply_receive(struct hold_reply *reply, int fd)
{
	for (;;) {
		/* Until the head is whole its bytes are kept; a body's are only counted. */
		size_t offset = reply->size_expected == 0 ? (size_t)reply->size_received : 0;
		ssize_t size;

		zg_assert(offset < sizeof(reply->buffer));
		size = read(fd, reply->buffer + offset, sizeof(reply->buffer) - offset);
		if (size < 0 && errno == EAGAIN)
			return 0;
		if (size < 0)
			return -errno;
		if (size == 0)
			return -ECONNRESET;
		reply->size_received += (uint64_t)size;
		reply_keep_tail(reply, reply->buffer + offset, (size_t)size);
		if (reply->size_expected == 0) {
			int error = reply_read_head(reply);

			if (error < 0)
				return error;
		}
		if (reply->size_expected != 0 && reply->size_received > reply->size_expected)
			return -EBADMSG;
		if (reply_is_whole(reply))
			return 1;
	}
}
