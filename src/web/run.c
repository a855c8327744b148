/*
 * The steps of an exchange, from the first byte of a request to the last byte of
 * its reply: head, body, handler, reply, and the next request.
 *
 * Replies gather in the write buffer while more requests are buffered, so that
 * sixteen pipelined requests are answered with one send. Only a reply whose body
 * is sent from where it lies makes the next request wait.
 */

#include "web/exchange.h"

#include <errno.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/counter.h"
#include "mem/pool/track.h"
#include "web/access.h"
#include "web/middleware.h"

#define EXCHANGE_GO_ON ZGI_EXCHANGE_GO_ON

static const char exchange_continue[] = "HTTP/1.1 100 Continue\r\n\r\n";

static uint32_t exchange_body_offset(const struct zg_exchange *x)
{
	return x->read_start + x->request.head_size;
}

/* Make the rest of the read buffer usable: the present request moves to its start. */
static void exchange_compact(struct zg_exchange *x)
{
	if (x->read_start == 0)
		return;
	memmove(x->read_buffer, x->read_buffer + x->read_start, x->read_size - x->read_start);
	x->read_size -= x->read_start;
	x->read_start = 0;
}

/* For the access log, while there is one. */
static void exchange_note(struct zg_exchange *x)
{
	uint64_t size = x->reply_size < ZGI_EXCHANGE_SIZE_TO_THE_END ? x->reply_size
								     : ZGI_ACCESS_SIZE_UNKNOWN;
	uint64_t head_ns = x->head_ns;

	x->head_ns = 0;
	zgi_access_note(x, size, head_ns > 0 ? zgi_clock_ns() - head_ns + 1 : 0);
}

/* A reply counts when it is final: a handler that replies and then fails has made none. */
static void exchange_count_reply(struct zg_exchange *x)
{
	zgi_counter_add(&x->web->counters.requests, 1);
	zgi_counter_add(&x->web->counters.responses[x->reply_status / 100], 1);
	if (ZG_UNLIKELY(x->web->access_ring != NULL))
		exchange_note(x);
}

/* Our own reply, in place of whatever the request had got so far. */
static void exchange_reply_own(struct zg_exchange *x, int status, struct zg_slice text)
{
	zgi_exchange_unreply(x);
	zgi_exchange_reply_own(x, status, text);
	exchange_count_reply(x);
}

/* What the parser had got to of a head is not to be relied on: the request is an empty one, and one
 * that no route takes. */
static void exchange_forget_head(struct zg_exchange *x)
{
	x->request = (struct zgi_http_request){.method = ZG_METHOD_GET, .minor_version = 1};
	zgi_router_match_none(x->web->router, &x->match);
	if (ZG_UNLIKELY(x->web->has_request_hooks))
		zgi_hooks_request_started(x);
}

/* The request cannot be understood, or not be served: answer and end the connection. */
int zgi_exchange_refuse(struct zg_exchange *x, enum zgi_http_fault fault)
{
	const char *text = zgi_http_fault_text(fault);

	zgi_counter_add(&x->web->counters.faults[fault], 1);
	if (x->phase == ZGI_PHASE_HEAD)
		exchange_forget_head(x);
	x->is_closing = true;
	x->has_unread_input = true;
	x->why_closing = ZG_DISCONNECT_FAULTY;
	x->phase = ZGI_PHASE_CLOSING;
	exchange_reply_own(x, zgi_http_fault_status(fault), (struct zg_slice){text, strlen(text)});
	if (x->web->hooks != NULL)
		zgi_hooks_exchange_failed(x, ZG_FAILURE_REQUEST, 0, text);
	return EXCHANGE_GO_ON;
}

static int exchange_body_outside_start(struct zg_exchange *x, uint64_t capacity)
{
	void *memory;

	if (zg_arena_alloc(zg_exchange_arena(x), capacity, &memory) < 0) {
		zgi_counter_add(&x->web->counters.body_refused, 1);
		return zgi_exchange_refuse(x, ZGI_HTTP_FAULT_NO_MEMORY);
	}
	x->body_is_outside = true;
	x->body_capacity = capacity;
	memcpy(memory, x->body, x->body_size);
	x->body = memory;
	return EXCHANGE_GO_ON;
}

/* The head is whole: where will its body lie? */
static int exchange_body_start(struct zg_exchange *x)
{
	const struct zgi_http_request *request = &x->request;
	struct zg_slice path = {(const char *)x->read_buffer + x->read_start + request->path_offset,
				request->path_size};

	x->phase = ZGI_PHASE_BODY;
	if (ZG_UNLIKELY(x->web->access_ring != NULL))
		x->head_ns = zgi_clock_ns();
	zgi_router_match(x->web->router, request->method, path, &x->match);
	if (ZG_UNLIKELY(x->web->has_request_hooks))
		zgi_hooks_request_started(x);
	if (ZG_UNLIKELY(x->match.is_streamed)) {
		exchange_compact(x);
		return zgi_exchange_read_start(x);
	}
	if (request->content_length > x->web->body_size_max)
		return zgi_exchange_refuse(x, ZGI_HTTP_FAULT_BODY_TOO_LARGE);
	if (request->expects_continue && x->match.handler == NULL) {
		/* The client has asked first: it is told no before it sends the body. */
		x->is_closing = true;
		x->has_unread_input = true;
		x->phase = ZGI_PHASE_HANDLE;
		return EXCHANGE_GO_ON;
	}

	uint64_t whole = (uint64_t)request->head_size + request->content_length;

	if (whole > x->web->read_buffer_size - x->read_start)
		exchange_compact(x);
	if (!request->is_chunked && request->content_length == 0)
		return EXCHANGE_GO_ON;
	x->body = x->read_buffer + exchange_body_offset(x);
	x->staging_offset = exchange_body_offset(x);
	if (request->is_chunked) {
		zgi_http_chunked_init(&x->chunked);
	} else if (whole > x->web->read_buffer_size) {
		/* What has come already is all body: the rest is received into its place. */
		x->body_size = x->read_size - exchange_body_offset(x);
		x->read_size = exchange_body_offset(x);
		return exchange_body_outside_start(x, request->content_length);
	}
	return EXCHANGE_GO_ON;
}

static int exchange_head_step(struct zg_exchange *x)
{
	if (x->write_size > zgi_exchange_head_room(x))
		return ZGI_WANT_SEND;
	if (x->read_start == x->read_size) {
		x->read_start = 0;
		x->read_size = 0;
		return zgi_exchange_has_output(x) ? ZGI_WANT_SEND : ZGI_WANT_IDLE;
	}
	switch (zgi_http_parse(&x->parser, (const char *)x->read_buffer + x->read_start,
			       x->read_size - x->read_start)) {
	case ZGI_HTTP_DONE:
		return exchange_body_start(x);
	case ZGI_HTTP_FAULT:
		return zgi_exchange_refuse(x, x->parser.fault);
	case ZGI_HTTP_MORE:
		break;
	}
	if (zgi_exchange_has_output(x))
		return ZGI_WANT_SEND;
	exchange_compact(x);
	return ZGI_WANT_RECV;
}

/* Bytes are missing: send what is ready first, and say 100 to a client that waits for it. */
int zgi_exchange_body_wait(struct zg_exchange *x, bool has_body_bytes)
{
	if (zgi_exchange_has_output(x))
		return ZGI_WANT_SEND;
	if (x->request.expects_continue && !x->is_continue_sent && !has_body_bytes) {
		x->is_continue_sent = true;
		memcpy(x->write_buffer, exchange_continue, sizeof(exchange_continue) - 1);
		x->write_size = sizeof(exchange_continue) - 1;
		return ZGI_WANT_SEND;
	}
	return ZGI_WANT_RECV;
}

static int exchange_chunked_step(struct zg_exchange *x)
{
	bool has_body_bytes = x->read_size > exchange_body_offset(x) || x->body_is_outside;
	uint64_t capacity = x->body_is_outside ? x->body_capacity : x->web->body_size_max;
	struct zgi_http_chunked_step step = {
		.input = (const char *)x->read_buffer + x->staging_offset,
		.input_size = x->read_size - x->staging_offset,
		.output = (char *)x->body + x->body_size,
		.output_size = capacity - x->body_size,
	};
	enum zgi_http_progress progress = zgi_http_chunked_decode(&x->chunked, &step);

	x->body_size += step.output_used;
	if (progress == ZGI_HTTP_FAULT)
		return zgi_exchange_refuse(x, x->chunked.fault);
	if (progress == ZGI_HTTP_DONE) {
		x->request_end = x->staging_offset + (uint32_t)step.input_used;
		x->phase = ZGI_PHASE_HANDLE;
		return EXCHANGE_GO_ON;
	}

	/* All input is used up: undecoded bytes may come right behind the decoded ones. */
	x->read_size = exchange_body_offset(x);
	if (!x->body_is_outside) {
		x->read_size += (uint32_t)x->body_size;
		exchange_compact(x);
		x->body = x->read_buffer + exchange_body_offset(x);
	}
	if (!x->body_is_outside &&
	    x->web->read_buffer_size - x->read_size < ZGI_EXCHANGE_STAGING_SIZE / 2) {
		x->read_size = exchange_body_offset(x);
		x->staging_offset = x->read_size;
		if (exchange_body_outside_start(x, x->web->body_size_max) != EXCHANGE_GO_ON ||
		    x->phase != ZGI_PHASE_BODY)
			return EXCHANGE_GO_ON;
	}
	x->staging_offset = x->read_size;
	return zgi_exchange_body_wait(x, has_body_bytes);
}

static int exchange_body_step(struct zg_exchange *x)
{
	if (x->request.is_chunked)
		return exchange_chunked_step(x);

	if (x->request.content_length == 0) {
		x->request_end = exchange_body_offset(x);
		x->phase = ZGI_PHASE_HANDLE;
		return EXCHANGE_GO_ON;
	}
	if (!x->body_is_outside) {
		uint64_t size = x->read_size - exchange_body_offset(x);

		x->body_size = size < x->request.content_length ? size : x->request.content_length;
	}
	if (x->body_size < x->request.content_length)
		return zgi_exchange_body_wait(x, x->body_size > 0);
	x->request_end = exchange_body_offset(x);
	if (!x->body_is_outside)
		x->request_end += (uint32_t)x->body_size;
	x->phase = ZGI_PHASE_HANDLE;
	return EXCHANGE_GO_ON;
}

int zgi_exchange_reply_unrouted(struct zg_exchange *x)
{
	static const struct zg_slice name = {"Allow", 5};
	char allow[96];
	size_t size = 0;
	uint16_t methods = x->match.methods_allowed;

	if (x->request.method == ZG_METHOD_OPTIONS && x->request.path_size == 1 &&
	    x->read_buffer[x->read_start + x->request.path_offset] == '*')
		return zg_reply_empty(x, 204);
	if (x->request.method == ZG_METHOD_CONNECT)
		return zg_reply_text(x, 501, "CONNECT is not served here\n");
	if (methods == 0)
		return zg_reply_text(x, 404, "Not Found\n");

	if (methods & (1U << ZG_METHOD_GET))
		methods |= 1U << ZG_METHOD_HEAD;
	for (uint32_t method = 0; method < ZG_METHOD_COUNT; method++) {
		struct zg_slice word = zg_method_name((enum zg_method)method);

		if (!(methods & (1U << method)))
			continue;
		if (size > 0) {
			allow[size++] = ',';
			allow[size++] = ' ';
		}
		zg_assert(size + word.size + 2 < sizeof(allow));
		memcpy(allow + size, word.data, word.size);
		size += word.size;
	}

	int result = zg_reply_field(x, name, (struct zg_slice){allow, size});

	if (result < 0)
		return result;
	return zg_reply_text(x, 405, "Method Not Allowed\n");
}

/* A leak report names the handler, as if it had called from its first byte. */
static const void *exchange_holder(const struct zg_exchange *x)
{
	zg_handler *handler = x->match.endpoint->handler;

	return (const void *)((uintptr_t)(handler != NULL ? handler : zgi_middleware_enter) + 1);
}

/* What a handler, or a resumed one, has returned. */
void zgi_exchange_handled(struct zg_exchange *x, int result)
{
	if (result == ZG_PENDING && !x->has_replied) {
		if (ZG_UNLIKELY(x->match.is_streamed && x->read.handler != NULL &&
				!x->read.is_last)) {
			x->phase = ZGI_PHASE_READING;
			return;
		}
		x->phase = ZGI_PHASE_PENDING;
		zgi_pool_held_by(x->web->exchanges, x->handle, exchange_holder(x));
		return;
	}
	x->phase = ZGI_PHASE_REPLIED;
	if ((result == 0 || result == ZG_REPLIED) && x->has_replied) {
		if (ZG_UNLIKELY(x->is_streaming)) {
			x->phase = ZGI_PHASE_WRITING;
			if (x->is_recorded)
				zgi_hooks_request_replied(x);
		}
		exchange_count_reply(x);
		return;
	}
	zgi_counter_add(&x->web->counters.handler_errors, 1);
	exchange_reply_own(x, result == -ENOMEM ? 503 : 500,
			   result == -ENOMEM ? ZG_SLICE("Out of memory for this request\n")
					     : ZG_SLICE("Internal Server Error\n"));
	if (x->web->hooks != NULL)
		zgi_hooks_exchange_failed(x, ZG_FAILURE_HANDLER, result < 0 ? result : 0,
					  result < 0 ? "a handler has failed"
						     : "a handler has not replied");
}

static int exchange_handle_step(struct zg_exchange *x)
{
	if (x->write_size > zgi_exchange_head_room(x))
		return ZGI_WANT_SEND;
	zgi_exchange_handled(x, x->match.handler != NULL ? x->match.handler(x)
							 : zgi_middleware_enter(x));
	return EXCHANGE_GO_ON;
}

/* A handle that was given out must not name the next request. */
static void exchange_rename(struct zg_exchange *x)
{
	int result = zg_pool_renew(x->web->exchanges, x->handle, &x->handle);

	zg_assert(result == 0);
	x->was_named = false;
}

/* The reply is on its way and nothing of the request is needed any more: on to the next. */
static int exchange_next_step(struct zg_exchange *x)
{
	if (ZG_UNLIKELY(x->is_recorded))
		zgi_hooks_request_on_its_way(x, x->reply_body.size == 0);
	if (x->reply_body.size > 0)
		return ZGI_WANT_SEND;
	if (x->is_closing) {
		x->has_unread_input |= x->read_size > x->request_end;
		x->phase = ZGI_PHASE_CLOSING;
		return EXCHANGE_GO_ON;
	}
	if (ZG_UNLIKELY(x->was_named))
		exchange_rename(x);
	/* Most requests leave the arena alone, and then it need not even be looked at. */
	if (x->is_arena_used || x->request.field_count > ZGI_HTTP_FIELDS_INLINE) {
		zg_arena_reset(&x->arena);
		x->is_arena_used = false;
		x->form = NULL;
	}
	x->read_start = x->request_end;
	x->phase = ZGI_PHASE_HEAD;
	x->has_replied = false;
	x->values_set = 0;
	x->body_is_outside = false;
	x->is_continue_sent = false;
	if (x->body != NULL) {
		x->body = NULL;
		x->body_size = 0;
		x->body_capacity = 0;
	}
	x->is_streaming = false;
	x->session_state = ZGI_SESSION_UNKNOWN;
	x->reply_fields_size = 0;
	x->reply_fields_capacity = 0;
	zgi_http_parser_init(&x->parser, &x->request, &x->web->http_limits, &x->arena);
	return EXCHANGE_GO_ON;
}

static int exchange_close_step(struct zg_exchange *x)
{
	if (ZG_UNLIKELY(x->is_recorded))
		zgi_hooks_request_on_its_way(x, !zgi_exchange_has_output(x));
	if (zgi_exchange_has_output(x))
		return ZGI_WANT_SEND;
	if (ZG_UNLIKELY(x->is_handed_over))
		return ZGI_WANT_HAND_OVER;
	return x->has_unread_input ? ZGI_WANT_LINGER : ZGI_WANT_CLOSE;
}

static int exchange_step(struct zg_exchange *x)
{
	switch ((enum zgi_exchange_phase)x->phase) {
	case ZGI_PHASE_HEAD:
		return exchange_head_step(x);
	case ZGI_PHASE_BODY:
		return exchange_body_step(x);
	case ZGI_PHASE_HANDLE:
		return exchange_handle_step(x);
	case ZGI_PHASE_PENDING:
		return zgi_exchange_has_output(x) ? ZGI_WANT_SEND : ZGI_WANT_PENDING;
	case ZGI_PHASE_READING:
		return zgi_exchange_read_step(x);
	case ZGI_PHASE_WRITING:
		return zgi_exchange_write_step(x);
	case ZGI_PHASE_REPLIED:
		return exchange_next_step(x);
	case ZGI_PHASE_CLOSING:
		return exchange_close_step(x);
	}
	zg_assert(!"an exchange is in one of its phases");
	return ZGI_WANT_CLOSE;
}

enum zgi_exchange_want zgi_exchange_run(struct zg_exchange *x)
{
	int want;

	do {
		want = exchange_step(x);
	} while (want == EXCHANGE_GO_ON);
	return (enum zgi_exchange_want)want;
}

int zgi_exchange_resume(struct zg_exchange *x, zg_resume_handler *then, void *user)
{
	switch ((enum zgi_exchange_phase)x->phase) {
	case ZGI_PHASE_PENDING:
		zgi_exchange_handled(x, zgi_middleware_resumed(x, then(x, user)));
		return 0;
	case ZGI_PHASE_READING:
		if (!x->read.is_waiting)
			return -ESTALE;
		zgi_exchange_read_handled(x, then(x, user));
		return 0;
	case ZGI_PHASE_WRITING:
		if (!x->write.is_waiting)
			return -ESTALE;
		zgi_exchange_write_handled(x, then(x, user));
		return 0;
	case ZGI_PHASE_HEAD:
	case ZGI_PHASE_BODY:
	case ZGI_PHASE_HANDLE:
	case ZGI_PHASE_REPLIED:
	case ZGI_PHASE_CLOSING:
		break;
	}
	return -ESTALE;
}

void zgi_exchange_fail(struct zg_exchange *x, int status, const char *text)
{
	if (x->phase == ZGI_PHASE_WRITING) {
		/* Half a reply is out: that its end is missing is all that can be said. */
		zgi_exchange_break_off(x);
		x->why_closing = ZG_DISCONNECT_LATE;
		if (x->web->hooks != NULL)
			zgi_hooks_exchange_failed(x, ZG_FAILURE_TIMEOUT, 0, text);
		return;
	}
	if (x->phase == ZGI_PHASE_HEAD)
		exchange_forget_head(x);
	x->is_closing = true;
	x->has_unread_input = true;
	x->why_closing = ZG_DISCONNECT_LATE;
	x->phase = ZGI_PHASE_CLOSING;
	exchange_reply_own(x, status, (struct zg_slice){text, strlen(text)});
	if (x->web->hooks != NULL)
		zgi_hooks_exchange_failed(x, ZG_FAILURE_TIMEOUT, 0, text);
}
