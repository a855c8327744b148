/*
 * Exchange: one request and its response in flight.
 *
 * A connection borrows an exchange when its first byte arrives and gives it back
 * when the last byte of its response has been sent. A handler reads the request
 * from it, replies once, and returns 0; or it returns ZG_PENDING and somebody
 * resumes it later.
 *
 * Ownership  The exchange is the server's. Slices of the request, and memory of
 *            the exchange's arena, live until the response has been sent.
 * Threads    A handler runs on the exchange's shard; only zg_resume() may be
 *            called from elsewhere.
 */
#ifndef ZEROG_EXCHANGE_H
#define ZEROG_EXCHANGE_H

#include <stdint.h>

#include <zerog/arena.h>
#include <zerog/attributes.h>
#include <zerog/http.h>
#include <zerog/pool.h>
#include <zerog/slice.h>

ZG_BEGIN_DECLS

struct zg_exchange;

/* What a handler returns when its reply comes later. */
#define ZG_PENDING 1

/* What a check returns that has replied in the handler's place (zg_require_api_key()): the handler
 * returns it too. */
#define ZG_REPLIED 2

/* Path parameters a route may have. */
#define ZG_PARAMETERS_MAX 8

/*
 * A handler replies and returns 0 or ZG_REPLIED, or returns ZG_PENDING, or a negative errno:
 * -ENOMEM is answered with 503, any other with 500. What it had replied before a failure is thrown
 * away.
 */
typedef int zg_handler(struct zg_exchange *x);

/* Goes on with an exchange that was pending; returns as a handler does. */
typedef int zg_resume_handler(struct zg_exchange *x, void *user);

/* The request. Each takes an exchange that a handler was called with, on the thread of its shard.
 * Slices are borrowed until the response has been sent. */

/**
 * zg_request_method() - the method
 * @x:  the handler's
 *
 * Return: the method; a HEAD request to a GET route says ZG_METHOD_HEAD.
 */
enum zg_method zg_request_method(const struct zg_exchange *x);

/**
 * zg_request_path() - the path as sent
 * @x:  the handler's
 *
 * Return: percent-encoded bytes without the query; borrowed until the response has been sent.
 */
struct zg_slice zg_request_path(const struct zg_exchange *x);

/**
 * zg_request_query() - what follows the question mark, as sent
 * @x:  the handler's
 *
 * Return: percent-encoded bytes without the question mark; empty when there is none. Borrowed until
 * the response has been sent.
 */
struct zg_slice zg_request_query(const struct zg_exchange *x);

/**
 * zg_request_body() - the whole body
 * @x:  the handler's
 *
 * Return: contiguous bytes, chunks taken apart, at most --body-size-max; empty when there is none.
 * Borrowed until the response has been sent.
 */
struct zg_slice zg_request_body(const struct zg_exchange *x);

/**
 * zg_request_field_count() - how many header fields the request has
 * @x:  the handler's
 *
 * Return: fields, those of one name counted each; zg_request_field_at() takes numbers below it.
 */
uint32_t zg_request_field_count(const struct zg_exchange *x);

/**
 * zg_request_field_at() - the n-th header field, in the order they were sent
 * @x:          the handler's
 * @index:      below zg_request_field_count()
 * @ret_name:   as sent, any case
 * @ret_value:  without the white space around it
 */
void zg_request_field_at(const struct zg_exchange *x, uint32_t index, struct zg_slice *ret_name,
			 struct zg_slice *ret_value);

/**
 * zg_request_field() - the first header field of a name
 * @x:          the handler's
 * @name:       without regard to case
 * @ret_value:  untouched when there is none
 *
 * Return: 0; -ENOENT.
 */
ZG_MUST_USE int zg_request_field(const struct zg_exchange *x, struct zg_slice name,
				 struct zg_slice *ret_value);

/**
 * zg_request_parameter() - a path parameter, percent-decoded
 * @x:          the handler's
 * @name:       as in the route's pattern: "id" for "/users/{id}"
 * @ret_value:  in the read buffer, or in the arena where something had to be decoded
 *
 * Return: 0; -ENOENT when the route has no such parameter; -ENOMEM.
 */
ZG_MUST_USE int zg_request_parameter(struct zg_exchange *x, struct zg_slice name,
				     struct zg_slice *ret_value);

/**
 * zg_request_query_value() - the first value of a name in the query, decoded
 * @x:          the handler's
 * @name:       decoded
 * @ret_value:  percent-decoded, "+" as a space; empty for a name without "="
 *
 * Return: 0; -ENOENT; -ENOMEM. Source: WHATWG URL, application/x-www-form-urlencoded.
 */
ZG_MUST_USE int zg_request_query_value(struct zg_exchange *x, struct zg_slice name,
				       struct zg_slice *ret_value);

/* The response: on the thread of the exchange's shard. */

/**
 * zg_reply_field() - add a header field to the reply that follows
 * @x:      the handler's, not yet replied
 * @name:   a token; Content-Length, Transfer-Encoding, Connection and Date are the server's own
 * @value:  without control bytes
 *
 * Return: 0; -EINVAL for a name or value that may not stand in a response; -ENOMEM when the fields
 * outgrow the arena; -EALREADY after the reply.
 */
ZG_MUST_USE int zg_reply_field(struct zg_exchange *x, struct zg_slice name, struct zg_slice value);

/**
 * zg_reply() - reply with a body that stays where it is until it has been sent
 * @x:             the handler's, not yet replied
 * @status:        200 to 599
 * @content_type:  empty for none
 * @body:          static, in the exchange's arena, or part of the request; a small one is copied
 *                 beside the head. Not sent for HEAD, 204 and 304
 *
 * Return: 0; -EINVAL for a status out of range or a content type with control bytes; -ENOSPC when
 * the head outgrows the write buffer; -EALREADY when there was a reply already.
 */
ZG_MUST_USE int zg_reply(struct zg_exchange *x, int status, struct zg_slice content_type,
			 struct zg_slice body);

/**
 * zg_reply_copy() - reply with a body that may go away when this returns
 *
 * @x:             the handler's, not yet replied
 * @status:        200 to 599
 * @content_type:  empty for none
 * @body:          any bytes, copied; what does not fit the write buffer goes to the arena
 *
 * Return: 0; -ENOMEM when the arena has no room for the body; errors as zg_reply().
 */
ZG_MUST_USE int zg_reply_copy(struct zg_exchange *x, int status, struct zg_slice content_type,
			      struct zg_slice body);

/**
 * zg_reply_text() - reply with a text, as text/plain; charset=utf-8
 * @x:       the handler's, not yet replied
 * @status:  200 to 599
 * @text:    UTF-8, NUL-terminated, not NULL; copied
 *
 * Return: as zg_reply_copy().
 */
ZG_MUST_USE int zg_reply_text(struct zg_exchange *x, int status, const char *text);

/**
 * zg_reply_json() - reply with JSON, as application/json
 * @x:       the handler's, not yet replied
 * @status:  200 to 599
 * @json:    bytes that are JSON already, not looked at; borrowed as the body of zg_reply()
 *
 * Return: as zg_reply().
 */
ZG_MUST_USE int zg_reply_json(struct zg_exchange *x, int status, struct zg_slice json);

/* A part of a file, to be a reply's body. */
struct zg_file_part {
	int fd; /* borrowed until the response has been sent: a regular file, open for reading */
	uint64_t offset; /* bytes from the file's start */
	uint64_t size; /* bytes */
};

/**
 * zg_reply_file() - reply with a part of a file, sent from the page cache
 * @x:             the handler's, not yet replied
 * @status:        200 to 599
 * @content_type:  empty for none
 * @part:          read during the call. A file that turns out to be shorter ends the connection, so
 *                 that the client notices
 *
 * On epoll it is sent with sendfile(2), on io_uring read into an arena chunk, or where none is free
 * into the write buffer, and sent from there. Nothing of it is read before it is sent.
 *
 * Return: as zg_reply().
 */
ZG_MUST_USE int zg_reply_file(struct zg_exchange *x, int status, struct zg_slice content_type,
			      const struct zg_file_part *part);

/**
 * zg_reply_empty() - reply with a status and no body
 * @x:       the handler's, not yet replied
 * @status:  200 to 599
 *
 * Return: as zg_reply().
 */
ZG_MUST_USE int zg_reply_empty(struct zg_exchange *x, int status);

/**
 * zg_exchange_arena() - memory that lives until the response has been sent
 * @x:  the handler's
 *
 * Return: the exchange's arena, borrowed; what is allocated in it and its cleanups are taken back
 * for you. Never NULL; it grows by up to 4 chunks of those that --arena-chunks sets aside.
 */
struct zg_arena *zg_exchange_arena(struct zg_exchange *x);

/* Waiting. */

/**
 * zg_exchange_handle() - name this exchange, to resume it when it is pending
 * @x:  the handler's
 *
 * Return: the handle, a value that any thread may keep. It goes stale when the response has been
 * sent, the client has gone, or the handler's time is over; zg_resume() says what then.
 */
zg_handle zg_exchange_handle(struct zg_exchange *x);

/**
 * zg_resume() - go on with a pending exchange, on its own shard
 * @handle:  from zg_exchange_handle()
 * @then:    called on the shard's thread with the exchange, unless the handle is stale by then
 * @user:    passed to it; borrowed until then. When the handle is stale @then is never called
 *
 * Return: 0 when it was handed over; -ESTALE when no server runs any more or the handle never came
 * from it; -EAGAIN when the shard's inbox is full. Any thread.
 */
ZG_MUST_USE int zg_resume(zg_handle handle, zg_resume_handler *then, void *user);

ZG_END_DECLS

#endif
