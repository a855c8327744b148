/*
 * Reply: is what came back a whole 200?
 *
 * Not a parser of HTTP: it looks for the status, the end of the head and a
 * Content-Length, and takes anything else for a failure. A client that measures a
 * server must not pass over an answer that it did not understand.
 */
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
}

/* Content-Length of the head, which ends in CRLF CRLF before @end. */
static int reply_content_length(const char *head, const char *end, uint64_t *ret_length)
{
	static const char name[] = "\r\ncontent-length:";
	const size_t name_size = sizeof(name) - 1;

	for (const char *at = head; at + name_size < end; at++) {
		uint64_t length = 0;
		const char *digit = at + name_size;

		if (at[0] != '\r' || strncasecmp(at, name, name_size) != 0)
			continue;
		while (digit < end && *digit == ' ')
			digit++;
		if (digit == end || *digit < '0' || *digit > '9')
			return -EBADMSG;
		for (; digit < end && *digit >= '0' && *digit <= '9'; digit++) {
			if (length > UINT32_MAX)
				return -EBADMSG;
			length = length * 10 + (uint64_t)(*digit - '0');
		}
		*ret_length = length;
		return 0;
	}
	return -EBADMSG;
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
	uint64_t content_length = 0;
	int error;

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
	error = reply_content_length(reply->buffer, end, &content_length);
	if (error < 0)
		return error;
	reply->size_expected = (uint64_t)(end - reply->buffer) + 4 + content_length;
	return 0;
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
		if (reply->size_expected == 0) {
			int error = reply_read_head(reply);

			if (error < 0)
				return error;
		}
		if (reply->size_expected != 0 && reply->size_received > reply->size_expected)
			return -EBADMSG;
		if (reply->size_expected != 0 && reply->size_received == reply->size_expected)
			return 1;
	}
}
