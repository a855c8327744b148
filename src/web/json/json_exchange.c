/*
 * JSON between a handler and its exchange: the body into a struct, a document into the
 * reply.
 *
 * A reply's document is written where it will be sent from, behind room for its head, so
 * that the reply has no more to do than to move it up to the head. One that outgrows the
 * write buffer goes on in the arena.
 */
#include <errno.h>

#include "base/assert.h"
#include "web/exchange.h"
#include "web/json/json_read.h"

/* Bytes of a head without the handler's own fields: status line, date, type, length, connection and
 * the empty line come to less than 200. */
#define JSON_HEAD_SIZE 256

static struct zg_slice json_media_type(const struct zg_exchange *x)
{
	struct zg_slice type = {NULL, 0};
	const char *end;

	if (zg_request_field(x, ZG_SLICE("content-type"), &type) < 0 || type.size == 0)
		return (struct zg_slice){NULL, 0};
	end = memchr(type.data, ';', type.size);
	if (end != NULL)
		type.size = (size_t)(end - type.data);
	while (type.size > 0 &&
	       (type.data[type.size - 1] == ' ' || type.data[type.size - 1] == '\t'))
		type.size--;
	return type;
}

/* application/json, or a type that is JSON by its suffix (RFC 6839, section 3.1). */
static bool json_type_is_json(struct zg_slice type)
{
	static const struct zg_slice suffix = {"+json", 5};
	struct zg_slice end;

	if (zg_slice_equals_nocase(type, ZG_SLICE("application/json")))
		return true;
	if (type.size <= suffix.size)
		return false;
	end = (struct zg_slice){type.data + type.size - suffix.size, suffix.size};
	return zg_slice_equals_nocase(end, suffix);
}

static int json_type_refused(struct zg_json_error *error)
{
	struct zg_text message;

	error->fault = ZG_JSON_FAULT_MEDIA_TYPE;
	error->offset = 0;
	error->path[0] = '\0';
	zg_text_init(&message, error->message, sizeof(error->message));
	zg_text_print(&message, "the body must be JSON, and the request must say so: send it with "
				"Content-Type: application/json");
	return -EINVAL;
}

int zg_request_json(struct zg_exchange *x, const struct zg_json_table *table, void *object,
		    struct zg_json_error *ret_error)
{
	if (!json_type_is_json(json_media_type(x)))
		return json_type_refused(ret_error);
	return zg_json_bind((char *)x->body, x->body_size, table, object, ret_error);
}

/* Bytes that the head may take, with the fields that have been added so far. */
static size_t json_head_room(const struct zg_exchange *x)
{
	return JSON_HEAD_SIZE + (size_t)x->reply_fields_size;
}

void zg_reply_json_open(struct zg_exchange *x, struct zg_json_writer *writer)
{
	size_t offset = x->write_size + json_head_room(x);
	size_t capacity = x->web->write_buffer_size;
	char *buffer = (char *)x->write_buffer + offset;

	if (offset < capacity)
		zg_json_writer_init(writer, buffer, capacity - offset, zg_exchange_arena(x));
	else
		zg_json_writer_init(writer, NULL, 0, zg_exchange_arena(x));
}

static bool json_is_in_write_buffer(const struct zg_exchange *x, struct zg_slice json)
{
	return (uintptr_t)json.data - (uintptr_t)x->write_buffer < x->web->write_buffer_size;
}

/* The document may not lie where its own head will be written: fields were added since it was
 * begun. */
static int json_make_way(struct zg_exchange *x, struct zg_slice *json)
{
	const char *head_end = (const char *)x->write_buffer + x->write_size + json_head_room(x);

	if (!json_is_in_write_buffer(x, *json) || json->data >= head_end)
		return 0;
	return zg_arena_copy(zg_exchange_arena(x), *json, json);
}

static int json_close(struct zg_exchange *x, int status, struct zg_slice content_type,
		      struct zg_json_writer *writer)
{
	struct zg_slice json;
	int result = zg_json_writer_finish(writer, &json);

	if (result == 0)
		result = json_make_way(x, &json);
	return result < 0 ? result : zg_reply(x, status, content_type, json);
}

int zg_reply_json_close(struct zg_exchange *x, int status, struct zg_json_writer *writer)
{
	return json_close(x, status, ZG_SLICE("application/json"), writer);
}

int zg_reply_json_object(struct zg_exchange *x, int status, const struct zg_json_table *table,
			 const void *object)
{
	struct zg_json_writer writer;

	zg_reply_json_open(x, &writer);
	zg_json_object(&writer, table, object);
	return zg_reply_json_close(x, status, &writer);
}

/* The members that every problem has (RFC 9457, section 3.1). */
static void json_problem_begin(struct zg_json_writer *writer, int status, struct zg_slice detail)
{
	zg_json_object_begin(writer);
	zg_json_key(writer, ZG_SLICE("type"));
	zg_json_string(writer, ZG_SLICE("about:blank"));
	zg_json_key(writer, ZG_SLICE("title"));
	zg_json_string(writer, zg_status_reason(status));
	zg_json_key(writer, ZG_SLICE("status"));
	zg_json_i64(writer, status);
	if (detail.size > 0) {
		zg_json_key(writer, ZG_SLICE("detail"));
		zg_json_string(writer, detail);
	}
}

static int json_problem_close(struct zg_exchange *x, int status, struct zg_json_writer *writer)
{
	zg_json_object_end(writer);
	return json_close(x, status, ZG_SLICE("application/problem+json"), writer);
}

int zg_reply_problem(struct zg_exchange *x, int status, struct zg_slice detail)
{
	struct zg_json_writer writer;

	if (status < 400 || status > 599)
		return -EINVAL;
	zg_reply_json_open(x, &writer);
	json_problem_begin(&writer, status, detail);
	return json_problem_close(x, status, &writer);
}

int zg_reply_json_error(struct zg_exchange *x, const struct zg_json_error *error)
{
	int status = zg_json_fault_status(error->fault);
	struct zg_json_writer writer;

	zg_assert(error->fault != ZG_JSON_FAULT_NONE);
	zg_reply_json_open(x, &writer);
	json_problem_begin(&writer, status,
			   (struct zg_slice){error->message, strlen(error->message)});
	zg_json_key(&writer, ZG_SLICE("code"));
	zg_json_text(&writer, zg_json_fault_code(error->fault));
	if (error->path[0] != '\0') {
		zg_json_key(&writer, ZG_SLICE("path"));
		zg_json_text(&writer, error->path);
	}
	zg_json_key(&writer, ZG_SLICE("offset"));
	zg_json_u64(&writer, error->offset);
	return json_problem_close(x, status, &writer);
}
