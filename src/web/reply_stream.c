/*
 * Streamed replies: a body is made a piece at a time, and sent in chunks.
 *
 * What a handler writes in one call is one chunk. Its size stands before it in six
 * digits, whatever it is, so that the bytes can be written behind it before their
 * number is known; room for the end of the chunk and of the body is always kept.
 */

#include "web/exchange.h"

#include <assert.h>
#include <errno.h>

#include "base/assert.h"
#include "base/counter.h"

#define STREAM_DIGITS 6
#define STREAM_HEAD_SIZE (STREAM_DIGITS + 2) /* "001f40\r\n" */
#define STREAM_TAIL_SIZE 7 /* "\r\n" of the chunk, and "0\r\n\r\n" of the body */

static_assert(1048576 < 1 << (4 * STREAM_DIGITS), "the largest write buffer fits the digits");

int zg_reply_stream(struct zg_exchange *x, int status, struct zg_slice content_type,
		    zg_stream_handler *handler, void *user)
{
	zg_assert(handler != NULL);
	if (status == 204 || status == 304)
		return -EINVAL;
	if (content_type.size > 0 &&
	    !zgi_http_field_is_safe(ZG_SLICE("content-type"), content_type))
		return -EINVAL;

	int result = zgi_exchange_reply_head(x, status, content_type, ZGI_EXCHANGE_SIZE_UNKNOWN);

	if (result < 0 || x->request.method == ZG_METHOD_HEAD)
		return result;
	x->write = (struct zgi_exchange_write){
		.handler = handler,
		.user = user,
		.is_chunked = x->request.minor_version > 0,
	};
	x->is_streaming = true;
	return 0;
}

/* So many bytes of the body, or around it, have been written. */
static void stream_grow(struct zg_exchange *x, uint32_t size)
{
	x->write_size += size;
	x->record.bytes_out += size;
}

size_t zg_stream_room(const struct zg_exchange *x)
{
	size_t used = x->write_size;

	zg_assert(x->phase == ZGI_PHASE_WRITING);
	if (x->write.is_chunked)
		used += x->write.has_chunk ? STREAM_TAIL_SIZE : STREAM_HEAD_SIZE + STREAM_TAIL_SIZE;
	return used < x->web->write_buffer_size ? x->web->write_buffer_size - used : 0;
}

size_t zg_stream_write(struct zg_exchange *x, struct zg_slice bytes)
{
	size_t room = zg_stream_room(x);
	size_t size = bytes.size < room ? bytes.size : room;

	if (size == 0)
		return 0;
	if (!x->write.has_chunk) {
		x->write.has_chunk = true;
		x->write.chunk_offset = x->write_size;
		stream_grow(x, x->write.is_chunked ? STREAM_HEAD_SIZE : 0);
	}
	memcpy(x->write_buffer + x->write_size, bytes.data, size);
	stream_grow(x, (uint32_t)size);
	return size;
}

static void stream_append(struct zg_exchange *x, struct zg_slice bytes)
{
	zg_assert(bytes.size <= x->web->write_buffer_size - x->write_size);
	memcpy(x->write_buffer + x->write_size, bytes.data, bytes.size);
	stream_grow(x, (uint32_t)bytes.size);
}

/* The chunk that was written, if one was, gets its size. Return: whether one was. */
static bool stream_chunk_end(struct zg_exchange *x)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char *head = x->write_buffer + x->write.chunk_offset;
	uint32_t size;

	if (!x->write.has_chunk)
		return false;
	x->write.has_chunk = false;
	if (!x->write.is_chunked)
		return true;
	size = x->write_size - x->write.chunk_offset - STREAM_HEAD_SIZE;
	for (uint32_t index = 0; index < STREAM_DIGITS; index++)
		head[index] = (unsigned char)digits[size >> (4 * (STREAM_DIGITS - 1 - index)) & 15];
	memcpy(head + STREAM_DIGITS, "\r\n", 2);
	stream_append(x, ZG_SLICE("\r\n"));
	return true;
}

void zgi_exchange_break_off(struct zg_exchange *x)
{
	zgi_counter_add(&x->web->counters.streams_aborted, 1);
	x->record.is_broken_off = true;
	x->is_streaming = false;
	x->is_closing = true;
	x->phase = ZGI_PHASE_CLOSING;
}

void zgi_exchange_write_handled(struct zg_exchange *x, int result)
{
	bool was_resumed = x->write.is_waiting;
	bool has_written = stream_chunk_end(x);

	x->write.is_waiting = result == ZG_PENDING;
	if (result == ZG_PENDING)
		return;
	if (result == 0 && (has_written || was_resumed || zgi_exchange_has_output(x)))
		return;
	if (result != ZG_STREAM_END) {
		/* Who has nothing to write waits, or ends; to be called at once again is neither.
		 */
		zgi_counter_add(&x->web->counters.handler_errors, 1);
		zgi_exchange_break_off(x);
		if (x->web->hooks != NULL)
			zgi_hooks_exchange_failed(x, ZG_FAILURE_HANDLER, result < 0 ? result : 0,
						  result < 0
							  ? "a stream's handler has failed"
							  : "a stream's handler has not written");
		return;
	}
	if (x->write.is_chunked)
		stream_append(x, ZG_SLICE("0\r\n\r\n"));
	x->is_streaming = false;
	x->phase = ZGI_PHASE_REPLIED;
}

int zgi_exchange_write_step(struct zg_exchange *x)
{
	/* The first piece goes out with the head, if there is room for a fair one. */
	bool is_first = !x->write.has_begun && zg_stream_room(x) >= x->web->write_buffer_size / 2;

	if (zgi_exchange_has_output(x) && !is_first)
		return ZGI_WANT_SEND;
	/* What was before in the buffer, the beginning of this reply with it, has been sent. */
	if (!zgi_exchange_has_output(x))
		x->reply_offset = 0;
	if (x->write.is_waiting)
		return ZGI_WANT_PENDING;
	x->write.has_begun = true;
	zgi_exchange_write_handled(x, x->write.handler(x, x->write.user));
	return ZGI_EXCHANGE_GO_ON;
}
