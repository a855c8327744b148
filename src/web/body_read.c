/*
 * Streamed bodies: a request's body is handed to its handler as it comes.
 *
 *	| head | kept | new | not taken apart yet or the next request | free |
 *	       '--- piece --'
 *
 * A piece is taken apart in its place, right behind what was kept of the last one.
 * Nothing is received while the handler waits, so that what it has not taken stays
 * with the client: the kernel's window is the only buffer there is.
 */

#include "web/exchange.h"

#include <errno.h>

#include "base/assert.h"
#include "base/counter.h"

/* After so many bytes a slow sender has earned its time anew. */
#define READ_PROGRESS_SIZE 4096

/* Where pieces begin in the read buffer: the head stays, for its fields. */
static uint32_t read_window(const struct zg_exchange *x)
{
	return x->read_start + x->request.head_size;
}

int zgi_exchange_read_start(struct zg_exchange *x)
{
	const struct zgi_http_request *request = &x->request;
	uint64_t size_max = x->match.endpoint->stream_size_max;

	if (size_max > x->web->stream_size_max)
		size_max = x->web->stream_size_max;
	x->read = (struct zgi_exchange_read){.size_max = size_max};
	if (request->content_length > size_max)
		return zgi_exchange_refuse(x, ZGI_HTTP_FAULT_BODY_TOO_LARGE);
	x->staging_offset = read_window(x);
	x->phase = ZGI_PHASE_HANDLE;
	if (request->is_chunked) {
		zgi_http_chunked_init(&x->chunked);
	} else if (request->content_length == 0) {
		x->request_end = x->staging_offset;
		return ZGI_EXCHANGE_GO_ON;
	}
	/* Whoever replies before the body is whole replies to the last request. */
	x->is_closing = true;
	x->has_unread_input = true;
	return ZGI_EXCHANGE_GO_ON;
}

int zg_body_read(struct zg_exchange *x, zg_body_handler *handler, void *user)
{
	zg_assert(handler != NULL);
	if (x->has_replied)
		return -EALREADY;
	if (!x->match.is_streamed || x->read.handler != NULL)
		return -EINVAL;
	x->read.handler = handler;
	x->read.user = user;
	return ZG_PENDING;
}

void zg_body_keep(struct zg_exchange *x, size_t size)
{
	zg_assert(x->match.is_streamed && x->read.handler != NULL);
	zg_assert(!x->read.is_last);
	zg_assert(size <= x->read.held_size);
	x->read.keep_size = (uint32_t)size;
}

/* What has come of a body whose length was told. */
static void read_take_plain(struct zg_exchange *x)
{
	struct zgi_exchange_read *read = &x->read;
	uint64_t left = x->request.content_length - read->size;
	uint32_t size = x->read_size - x->staging_offset;

	if (size > left)
		size = (uint32_t)left;
	x->staging_offset += size;
	read->held_size += size;
	read->size += size;
	read->is_last = size == left;
}

/* What has come of a chunked one. Return: whether it is well-formed, and not too long. */
static bool read_take_chunked(struct zg_exchange *x)
{
	struct zgi_exchange_read *read = &x->read;
	struct zgi_http_chunked_step step = {
		.input = (const char *)x->read_buffer + x->staging_offset,
		.input_size = x->read_size - x->staging_offset,
		/* Never before the input: what is taken apart is shorter than what it was. */
		.output = (char *)x->read_buffer + read_window(x) + read->held_size,
		.output_size = read->size_max - read->size,
	};
	enum zgi_http_progress progress = zgi_http_chunked_decode(&x->chunked, &step);

	x->staging_offset += (uint32_t)step.input_used;
	read->held_size += (uint32_t)step.output_used;
	read->size += step.output_used;
	read->is_last = progress == ZGI_HTTP_DONE;
	if (progress == ZGI_HTTP_MORE) {
		x->read_size = read_window(x) + read->held_size;
		x->staging_offset = x->read_size;
	}
	return progress != ZGI_HTTP_FAULT;
}

/* The next bytes come behind what is kept of the piece. Return: whether there is room for any. */
static bool read_make_room(struct zg_exchange *x)
{
	struct zgi_exchange_read *read = &x->read;
	unsigned char *window = x->read_buffer + read_window(x);

	memmove(window, window + read->held_size - read->keep_size, read->keep_size);
	read->held_size = read->keep_size;
	read->keep_size = 0;
	x->read_size = read_window(x) + read->held_size;
	x->staging_offset = x->read_size;
	return x->read_size < x->web->read_buffer_size;
}

void zgi_exchange_read_handled(struct zg_exchange *x, int result)
{
	struct zgi_exchange_read *read = &x->read;

	read->is_waiting = false;
	if (result < 0 || x->has_replied || read->is_last) {
		zgi_exchange_handled(x, result);
		return;
	}
	if (result == ZG_PENDING) {
		read->is_waiting = true;
		return;
	}
	if (!read_make_room(x))
		(void)zgi_exchange_refuse(x, ZGI_HTTP_FAULT_BODY_TOO_LARGE);
}

static void read_hand_on(struct zg_exchange *x, uint32_t new_size)
{
	struct zgi_exchange_read *read = &x->read;
	struct zg_piece piece = {
		.bytes = {(const char *)x->read_buffer + read_window(x), read->held_size},
		.offset = read->size - read->held_size,
		.is_last = read->is_last,
	};

	zgi_counter_add(&x->web->counters.read_size, new_size);
	if (read->is_last) {
		/* The body is whole: the connection may go on after all. */
		x->request_end = x->staging_offset;
		x->is_closing = false;
		x->has_unread_input = false;
		if (ZG_UNLIKELY(x->is_recorded))
			zgi_hooks_request_received(x);
	}
	read->keep_size = 0;
	zgi_exchange_read_handled(x, read->handler(x, &piece, read->user));
}

int zgi_exchange_read_step(struct zg_exchange *x)
{
	struct zgi_exchange_read *read = &x->read;
	uint32_t held_size = read->held_size;

	if (read->is_waiting)
		return zgi_exchange_has_output(x) ? ZGI_WANT_SEND : ZGI_WANT_PENDING;
	/* The handler may reply to any piece, and its reply needs its room. */
	if (x->write_size > zgi_exchange_head_room(x))
		return ZGI_WANT_SEND;
	if (!x->request.is_chunked)
		read_take_plain(x);
	else if (!read_take_chunked(x))
		return zgi_exchange_refuse(x, x->chunked.fault);
	if (read->held_size == held_size && !read->is_last)
		return zgi_exchange_body_wait(x, read->size > 0);
	read_hand_on(x, read->held_size - held_size);
	return ZGI_EXCHANGE_GO_ON;
}

bool zgi_exchange_has_progressed(struct zg_exchange *x)
{
	if (x->read.size - x->read.size_timed < READ_PROGRESS_SIZE)
		return false;
	x->read.size_timed = x->read.size;
	return true;
}
