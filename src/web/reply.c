/*
 * Replies: a head and a body into the write buffer.
 *
 * The head is rendered in place behind what is waiting there already. A body that
 * fits behind it is copied, because one send is cheaper than two; a larger one is
 * sent from where it lies.
 */

#include "web/exchange.h"

#include <errno.h>

#include "base/assert.h"
#include "web/middleware.h"

#define REPLY_FIELDS_SIZE_MAX 16384

static bool reply_status_has_body(int status)
{
	return status != 204 && status != 304;
}

static int reply_head_write(struct zg_exchange *x, int status, struct zg_slice content_type,
			    uint64_t content_length)
{
	/* To HTTP/1.0 a body without a length ends with the connection. */
	bool is_open_ended =
		content_length == ZGI_EXCHANGE_SIZE_TO_THE_END ||
		(content_length == ZGI_EXCHANGE_SIZE_UNKNOWN && x->request.minor_version == 0);
	bool is_keep_alive = x->request.is_keep_alive && !x->is_closing && !x->web->is_draining &&
			     !is_open_ended;
	struct zgi_http_response_head head = {
		.status = status,
		.is_keep_alive = is_keep_alive,
		.minor_version = x->request.minor_version,
		.has_content_length = reply_status_has_body(status) &&
				      content_length < ZGI_EXCHANGE_SIZE_TO_THE_END,
		.is_chunked =
			content_length == ZGI_EXCHANGE_SIZE_UNKNOWN && x->request.minor_version > 0,
		.content_length = content_length,
		.date = x->web->date,
		.content_type = content_type,
		.fields = {(const char *)x->reply_fields, x->reply_fields_size},
	};
	size_t size;

	/* The head must fit its half of the buffer, whether or not other replies wait there. */
	int result = zgi_http_write_head(&head, (char *)x->write_buffer + x->write_size,
					 zgi_exchange_head_room(x), &size);

	if (result < 0)
		return result;
	x->write_size += (uint32_t)size;
	x->is_closing = !is_keep_alive;
	return 0;
}

static bool reply_has_body(const struct zg_exchange *x, int status)
{
	return x->request.method != ZG_METHOD_HEAD && reply_status_has_body(status);
}

/* Those who come after the handler have their say first. */
int zgi_exchange_reply_head(struct zg_exchange *x, int status, struct zg_slice content_type,
			    uint64_t size)
{
	if (x->has_replied)
		return -EALREADY;
	if (status < 200 || status > 599)
		return -EINVAL;
	if (ZG_UNLIKELY(x->match.endpoint->after_count > 0)) {
		int after = zgi_middleware_after(x, status);

		if (after < 0)
			return after;
	}
	x->reply_offset = x->write_size;

	int result = reply_head_write(x, status, content_type, size);

	if (result < 0) {
		zgi_middleware_undo(x);
		return result;
	}
	x->has_replied = true;
	x->reply_status = (uint16_t)status;
	if (ZG_UNLIKELY(x->web->access_ring != NULL))
		x->reply_size = reply_has_body(x, status) ? size : 0;
	return 0;
}

/* Reply with a head; *body is what remains to be placed behind it. */
static int reply_start(struct zg_exchange *x, int status, struct zg_slice content_type,
		       struct zg_slice *body)
{
	int result = zgi_exchange_reply_head(x, status, content_type, body->size);

	if (result < 0)
		return result;
	if (!reply_has_body(x, status))
		body->size = 0;
	if (body->size > 0 && body->size <= x->web->write_buffer_size - x->write_size) {
		memmove(x->write_buffer + x->write_size, body->data, body->size);
		x->write_size += (uint32_t)body->size;
		body->size = 0;
	}
	return 0;
}

static int reply_borrow(struct zg_exchange *x, int status, struct zg_slice content_type,
			struct zg_slice body)
{
	int result = reply_start(x, status, content_type, &body);

	if (result == 0)
		x->reply_body = body;
	return result;
}

static int reply_copy(struct zg_exchange *x, int status, struct zg_slice content_type,
		      struct zg_slice body)
{
	void *memory;
	int result = reply_start(x, status, content_type, &body);

	if (result < 0 || body.size == 0)
		return result;
	result = zg_arena_alloc(zg_exchange_arena(x), body.size, &memory);
	if (result < 0) {
		zgi_exchange_unreply(x);
		return result;
	}
	memcpy(memory, body.data, body.size);
	x->reply_body = (struct zg_slice){memory, body.size};
	return 0;
}

/* A content type of the application's may not smuggle a line into the head; ours need no look. */
static bool reply_type_is_safe(struct zg_slice content_type)
{
	return content_type.size == 0 ||
	       zgi_http_field_is_safe(ZG_SLICE("content-type"), content_type);
}

int zg_reply(struct zg_exchange *x, int status, struct zg_slice content_type, struct zg_slice body)
{
	return reply_type_is_safe(content_type) ? reply_borrow(x, status, content_type, body)
						: -EINVAL;
}

int zg_reply_copy(struct zg_exchange *x, int status, struct zg_slice content_type,
		  struct zg_slice body)
{
	return reply_type_is_safe(content_type) ? reply_copy(x, status, content_type, body)
						: -EINVAL;
}

int zg_reply_text(struct zg_exchange *x, int status, const char *text)
{
	return reply_copy(x, status, ZG_SLICE("text/plain; charset=utf-8"),
			  (struct zg_slice){text, strlen(text)});
}

int zg_reply_json(struct zg_exchange *x, int status, struct zg_slice json)
{
	return reply_borrow(x, status, ZG_SLICE("application/json"), json);
}

int zg_reply_file(struct zg_exchange *x, int status, struct zg_slice content_type,
		  const struct zg_file_part *part)
{
	zg_assert(part->fd >= 0);
	zg_assert(part->size < ZGI_EXCHANGE_SIZE_TO_THE_END);
	if (!reply_type_is_safe(content_type))
		return -EINVAL;

	int result = zgi_exchange_reply_head(x, status, content_type, part->size);

	if (result < 0 || part->size == 0 || !reply_has_body(x, status))
		return result;
	x->reply_body = (struct zg_slice){NULL, part->size};
	x->file = (struct zgi_io_file){.fd = part->fd, .offset = part->offset};
	x->file_loaded = (struct zg_slice){NULL, 0};
	x->file_buffer = NULL;
	return 0;
}

int zg_reply_empty(struct zg_exchange *x, int status)
{
	return reply_borrow(x, status, (struct zg_slice){NULL, 0}, (struct zg_slice){NULL, 0});
}

static bool reply_field_is_ours(struct zg_slice name)
{
	return zg_slice_equals_nocase(name, ZG_SLICE("content-length")) ||
	       zg_slice_equals_nocase(name, ZG_SLICE("transfer-encoding")) ||
	       zg_slice_equals_nocase(name, ZG_SLICE("connection")) ||
	       zg_slice_equals_nocase(name, ZG_SLICE("date"));
}

/* Field lines lie in one piece in the arena; the piece doubles when it is outgrown. */
static int reply_fields_reserve(struct zg_exchange *x, size_t size)
{
	size_t wanted = x->reply_fields_size + size;
	size_t capacity = x->reply_fields_capacity > 0 ? x->reply_fields_capacity : 256;
	void *memory;

	if (wanted <= x->reply_fields_capacity)
		return 0;
	while (capacity < wanted)
		capacity *= 2;
	if (capacity > REPLY_FIELDS_SIZE_MAX)
		return -ENOMEM;

	int result = zg_arena_alloc(zg_exchange_arena(x), capacity, &memory);

	if (result < 0)
		return -ENOMEM;
	if (x->reply_fields_size > 0)
		memcpy(memory, x->reply_fields, x->reply_fields_size);
	x->reply_fields = memory;
	x->reply_fields_capacity = (uint32_t)capacity;
	return 0;
}

int zg_reply_field(struct zg_exchange *x, struct zg_slice name, struct zg_slice value)
{
	if (x->has_replied)
		return -EALREADY;
	if (!zgi_http_field_is_safe(name, value) || reply_field_is_ours(name))
		return -EINVAL;
	if (name.size + value.size > REPLY_FIELDS_SIZE_MAX)
		return -ENOMEM;

	int result = reply_fields_reserve(x, name.size + value.size + 4);

	if (result < 0)
		return result;

	unsigned char *end = x->reply_fields + x->reply_fields_size;

	memcpy(end, name.data, name.size);
	memcpy(end + name.size, ": ", 2);
	if (value.size > 0)
		memcpy(end + name.size + 2, value.data, value.size);
	memcpy(end + name.size + 2 + value.size, "\r\n", 2);
	x->reply_fields_size += (uint32_t)(name.size + value.size + 4);
	return 0;
}

void zgi_exchange_unreply(struct zg_exchange *x)
{
	if (x->has_replied) {
		x->write_size = x->reply_offset;
		x->reply_body = (struct zg_slice){NULL, 0};
		x->has_replied = false;
		x->is_streaming = false;
		x->is_handed_over = false;
	}
	x->reply_fields_size = 0;
}

/* With a 503 goes a hint that lies in no memory of the exchange's: that there is none left may be
 * what is answered. It is never written to, for its capacity is said to be 0. */
static void reply_own_fields(struct zg_exchange *x, int status)
{
	static unsigned char hint[] = "Retry-After: 1\r\n";

	x->reply_fields_size = 0;
	if (status != 503)
		return;
	x->reply_fields = hint;
	x->reply_fields_size = sizeof(hint) - 1;
	x->reply_fields_capacity = 0;
}

void zgi_exchange_reply_own(struct zg_exchange *x, int status, struct zg_slice text)
{
	static const struct zg_slice type = {"text/plain; charset=utf-8", 25};
	static const struct zg_endpoint plain;
	int result;

	zg_assert(x->reply_fields_size == 0);
	reply_own_fields(x, status);
	result = reply_borrow(x, status, type, text);
	if (result == 0)
		return;
	/* Those who come after the handler have failed, or added too much: without them. */
	x->match.endpoint = &plain;
	reply_own_fields(x, status);
	result = reply_borrow(x, status, type, text);
	zg_assert(result == 0);
}
