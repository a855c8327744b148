/*
 * Stream: bodies of any length, in either direction, a piece at a time.
 *
 * A request's body of up to --body-size-max arrives whole. A route that takes larger
 * ones is registered with zg_route_streamed(): its handler is called as soon as the
 * head is there, and asks for the body with zg_body_read(). A reply whose length is
 * not known beforehand is begun with zg_reply_stream().
 *
 *	static int import_row_by_row(struct zg_exchange *x, const struct zg_piece *piece, void
 **user);
 *
 *	static int import(struct zg_exchange *x)
 *	{
 *		return zg_body_read(x, import_row_by_row, NULL);
 *	}
 *
 *	zg_route_streamed(&app, ZG_METHOD_POST, "/import", import, 64 << 20);
 *
 * Ownership  Pieces lie in the exchange's buffers, and are borrowed. When the client
 *            goes away in the middle, no further call comes: what has to be undone then
 *            is undone by a cleanup of the exchange's arena (zg_arena_on_reset()).
 * Threads    All of it on the exchange's shard.
 * Limits     A route's own, and --stream-size-max. A piece is at most as large as the
 *            read buffer less the request's head.
 */
#ifndef ZEROG_STREAM_H
#define ZEROG_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/exchange.h>
#include <zerog/http.h>
#include <zerog/slice.h>

ZG_BEGIN_DECLS

struct zg_app;
struct zg_endpoint;
struct zg_group;

/* A part of a request's body. */
struct zg_piece {
	struct zg_slice bytes; /* in the read buffer; empty only when the body is, or has ended */
	uint64_t offset; /* of its first byte from the beginning of the body, chunks taken apart */
	bool is_last; /* nothing comes after it */
};

/*
 * Takes a piece of the body.
 *
 * It returns 0 to be given the next; or ZG_PENDING to be given none until zg_resume(), which leaves
 * the rest of the body with the client, and the piece where it is; or a negative errno, which is
 * answered as a handler's. When it replies, the rest of the body is not read and the connection
 * ends after the reply. The last piece is replied to, or ZG_PENDING is returned as by any handler.
 *
 * What zg_resume() calls for it returns the same, and belongs to the same piece.
 */
typedef int zg_body_handler(struct zg_exchange *x, const struct zg_piece *piece, void *user);

/*
 * Makes more of a reply's body with zg_stream_write().
 *
 * It returns 0 after it has written something, to be called again when that has been sent; or
 * ZG_PENDING to wait for zg_resume(), whose function may write and returns the same (0: call me);
 * or ZG_STREAM_END after the last of it; or a negative errno, after which the connection ends
 * without the end of the body, which tells the client that it is not whole.
 */
typedef int zg_stream_handler(struct zg_exchange *x, void *user);

#define ZG_STREAM_END 2

/**
 * zg_route_streamed() - call a handler before its request's body is there
 * @app:            initialised
 * @method:         one that has a body
 * @pattern:        as for zg_route()
 * @handler:        not NULL. It calls zg_body_read(), or replies without reading the body: then the
 *                  connection ends after the reply
 * @body_size_max:  bytes; more is answered with 413, before the handler is called where the length
 *                  is told. --stream-size-max may allow less
 *
 * What runs before the handler (zerog/middleware.h) runs before the body is there too.
 *
 * Return: the route, as zg_route().
 */
struct zg_endpoint *zg_route_streamed(struct zg_app *app, enum zg_method method,
				      const char *pattern, zg_handler *handler,
				      uint64_t body_size_max);

/**
 * zg_group_route_streamed() - zg_route_streamed() in a group
 * @group:          of zg_group() or zg_group_within()
 * @method:         as there
 * @pattern:        goes on from the group's prefix; "" for the prefix itself; borrowed
 * @handler:        as there
 * @body_size_max:  as there
 *
 * Return: as zg_route().
 */
struct zg_endpoint *zg_group_route_streamed(struct zg_group *group, enum zg_method method,
					    const char *pattern, zg_handler *handler,
					    uint64_t body_size_max);

/**
 * zg_body_read() - ask for the request's body, piece by piece
 * @x:        a streamed route's handler's, not yet replied
 * @handler:  called with each piece, after the handler that calls this has returned
 * @user:     passed to it; borrowed until the reply
 *
 * A client that waits for it (Expect: 100-continue) is told to go on. While pieces come, a client
 * may be silent for --body-timeout-ms, and has to send 4 KB in that time.
 *
 * Return: ZG_PENDING, to be returned by the handler; -EINVAL when the route is not streamed, or the
 * body has been asked for already; -EALREADY after the reply.
 */
ZG_MUST_USE int zg_body_read(struct zg_exchange *x, zg_body_handler *handler, void *user);

/**
 * zg_body_keep() - see the end of this piece again, at the beginning of the next
 * @x:     the body handler's
 * @size:  bytes at the end of the present piece, at most all of it; not of the last one
 *
 * What is kept and what comes next are one run of bytes, so that a row of a table is never apart. A
 * piece that is kept whole while the buffer is full is answered with 413: raise --read-buffer-size.
 */
void zg_body_keep(struct zg_exchange *x, size_t size);

/**
 * zg_reply_stream() - begin a reply whose length is not known
 * @x:             the handler's, not yet replied
 * @status:        200 to 599, but not 204 and 304
 * @content_type:  empty for none
 * @handler:       makes the body: called after the handler that calls this has returned 0, when
 *                 there is room; not called for HEAD
 * @user:          passed to it; borrowed until the reply has been sent
 *
 * Sent chunked (RFC 9112, section 7.1); to HTTP/1.0 the connection's end ends it.
 *
 * Return: as zg_reply().
 */
ZG_MUST_USE int zg_reply_stream(struct zg_exchange *x, int status, struct zg_slice content_type,
				zg_stream_handler *handler, void *user);

/**
 * zg_stream_write() - add to the reply's body
 * @x:      the stream handler's, or a resumed one's
 * @bytes:  copied
 *
 * Return: how many of the bytes there was room for, 0 when the write buffer is full: return 0 then,
 * to be called again. Never negative.
 */
ZG_MUST_USE size_t zg_stream_write(struct zg_exchange *x, struct zg_slice bytes);

/**
 * zg_stream_room() - how many bytes zg_stream_write() takes now
 * @x:  as there
 *
 * Return: bytes; nearly --write-buffer-size when all that was written before has been sent.
 */
size_t zg_stream_room(const struct zg_exchange *x);

ZG_END_DECLS

#endif
