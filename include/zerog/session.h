/*
 * Session: what the service remembers of one browser, in a fixed pool.
 *
 *	struct visit {
 *		uint32_t account;
 *	};
 *
 *	zg_sessions(&app, &(struct zg_session_options){.value_size = sizeof(struct visit)});
 *
 * The browser keeps a cookie with an id of 128 random bits; the value lies here, in one of
 * --sessions places that all shards share. A session is found on whichever shard a request
 * of it comes in, in constant time: places are in up to ZG_SESSION_STRIPES_MAX groups with a
 * lock and a hash table each, and the cookie says which group.
 *
 * Two requests of a browser can be in two handlers at once. So a value is read as a copy, and
 * changed by a function that has it for itself meanwhile.
 *
 * A session ends with zg_session_end(), when it was not used for --session-idle-ms, and
 * --session-life-ms after it was started or rotated. When all places are taken, the one that
 * was idle the longest is taken from its session, unless that was used within --session-keep-ms:
 * then the new one is refused, so that nobody who starts sessions without end can drive out
 * those who are at work.
 *
 * Ownership  Values are the pool's. A new one is zeroed, and so is one that has ended.
 * Threads    As for the exchange.
 * Limits     --sessions; ZG_SESSION_VALUE_SIZE_MAX bytes of value.
 */
#ifndef ZEROG_SESSION_H
#define ZEROG_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include <zerog/app.h>
#include <zerog/attributes.h>
#include <zerog/exchange.h>
#include <zerog/options.h>
#include <zerog/slice.h>

ZG_BEGIN_DECLS

#define ZG_SESSION_VALUE_SIZE_MAX 65536
#define ZG_SESSION_STRIPES_MAX 64
#define ZG_CSRF_TOKEN_SIZE 32 /* characters of a token: 128 random bits in hexadecimal */

/* Where zg_require_csrf_token() looks for a token. */
#define ZG_CSRF_HEADER_FIELD "X-CSRF-Token"
#define ZG_CSRF_FORM_FIELD "csrf_token"

/**
 * zg_sessions() - have sessions in this service
 * @app:      initialised
 * @options:  copied; its name is borrowed. A value_size of 1 to ZG_SESSION_VALUE_SIZE_MAX and a
 *            name that is a token are asserted
 *
 * Before zg_app_main(). Without it nothing is reserved for sessions.
 */
void zg_sessions(struct zg_app *app, const struct zg_session_options *options);

/* Changes a value of value_size bytes, aligned to 16. It runs while the session is locked: it is
 * to be short, and may not call any function of this header. What it returns is handed on. */
typedef int zg_session_change(void *value, void *user);

/**
 * zg_session_start() - the session of this request, a new one where there is none
 * @x:  the handler's, not yet replied
 *
 * A new one's cookie goes with the reply. An id that the browser made up is never taken over.
 *
 * Return: 0 when there was one; 1 when it is new; -ENOMEM when all places are taken by sessions
 * that were used within --session-keep-ms, or the arena is full: return it, and the request is
 * answered with 503; -EALREADY after the reply.
 */
ZG_MUST_USE int zg_session_start(struct zg_exchange *x);

/**
 * zg_session_read() - a copy of the value
 * @x:          the handler's
 * @ret_value:  value_size bytes; untouched on failure
 *
 * Return: 0; -ENOENT when the request has no session, or it has ended.
 */
ZG_MUST_USE int zg_session_read(struct zg_exchange *x, void *ret_value);

/**
 * zg_session_update() - change the value, with nobody else at it
 * @x:       the handler's
 * @change:  called once, before this returns
 * @user:    passed to it
 *
 * Return: what @change returned; -ENOENT when the request has no session, or it has ended.
 */
ZG_MUST_USE int zg_session_update(struct zg_exchange *x, zg_session_change *change, void *user);

/**
 * zg_session_rotate() - another id and another token for the session, its value as it is
 * @x:  the handler's, not yet replied
 *
 * To be called whenever the browser is given more rights, at the latest at login: whoever knew the
 * id until then knows it no more (session fixation). The old id is gone at once.
 *
 * Return: 0; -ENOENT as zg_session_read(); -ENOMEM when the arena is full: the session has ended
 * then; -EALREADY after the reply, the session as it was.
 */
ZG_MUST_USE int zg_session_rotate(struct zg_exchange *x);

/**
 * zg_session_end() - forget the session, and have the browser forget its cookie
 * @x:  the handler's, not yet replied
 *
 * Return: 0, also when there was none; -ENOMEM when the cookie finds no room in the arena, and
 * -EALREADY after the reply: the session has ended all the same.
 */
ZG_MUST_USE int zg_session_end(struct zg_exchange *x);

/**
 * zg_session_csrf_token() - what a form of this session has to send along
 * @x:          the handler's
 * @ret_token:  ZG_CSRF_TOKEN_SIZE characters and a NUL; untouched on failure. They may stand in
 *              HTML as they are
 *
 * Return: 0; -ENOENT as zg_session_read().
 */
ZG_MUST_USE int zg_session_csrf_token(struct zg_exchange *x,
				      char ret_token[ZG_CSRF_TOKEN_SIZE + 1]);

/**
 * zg_session_csrf_matches() - is this the token of the request's session?
 * @x:      the handler's
 * @token:  any bytes
 *
 * Return: true when there is a session and it is; compared in constant time.
 */
bool zg_session_csrf_matches(struct zg_exchange *x, struct zg_slice token);

/**
 * zg_require_csrf_token() - refuse what another site made a browser send
 * @x:  the handler's, not yet replied
 *
 * GET, HEAD, OPTIONS and TRACE change nothing and pass. Any other method passes with the session's
 * token in the header field ZG_CSRF_HEADER_FIELD, or in the field ZG_CSRF_FORM_FIELD of a form;
 * else it is answered with 403, and counted.
 *
 * Return: 0: go on; ZG_REPLIED: it has been answered, return that; a negative errno of zg_reply().
 */
ZG_MUST_USE int zg_require_csrf_token(struct zg_exchange *x);

/** zg_before_csrf_token() - zg_require_csrf_token() for zg_group_before() and its like; @user: NULL
 */
ZG_MUST_USE int zg_before_csrf_token(struct zg_exchange *x, void *user);

ZG_END_DECLS

#endif
