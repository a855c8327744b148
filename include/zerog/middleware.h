/*
 * Middleware: what runs before and after the handlers of many routes.
 *
 *	zg_app_after(&app, add_security_fields, NULL);	every reply
 *	zg_group_before(admin, check_key, &keys);	all routes of a group
 *	zg_endpoint_before(pay, check_session, NULL);	one route
 *
 * Before a handler run the app's, then those of the groups it is in, the outermost
 * first, then the route's own; each in the order in which they were registered.
 * After it they run the other way round, so that what was registered first sees
 * everything that the others do. Whether middleware is registered before or after
 * the routes of its group makes no difference.
 *
 * Before main's zg_app_main() serves, the chains are worked out into one flat list
 * a route. A route without middleware pays nothing.
 *
 * Ownership  `user` is borrowed for the app's life.
 * Threads    Registered before zg_app_main(), from one thread. Called on the thread
 *            of the exchange's shard, many shards at once.
 * Limits     ZG_MIDDLEWARE_MAX registrations, ZG_CHAIN_MAX before and as many after
 *            one handler, ZG_VALUES_MAX values a request. What is too much is told
 *            at boot.
 */
#ifndef ZEROG_MIDDLEWARE_H
#define ZEROG_MIDDLEWARE_H

#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/exchange.h>

ZG_BEGIN_DECLS

#define ZG_MIDDLEWARE_MAX 256
#define ZG_CHAIN_MAX 16
#define ZG_VALUES_MAX 8

struct zg_app;
struct zg_group;
struct zg_endpoint;

/*
 * Runs before the handler, when the request's body is there; before a streamed route's handler,
 * when the head is. Returns 0 to go on with the next; the request ends here when it has replied. A
 * negative errno is answered as a handler's is. With ZG_PENDING it goes on once it is resumed: what
 * zg_resume() calls then returns as this does.
 */
typedef int zg_before_handler(struct zg_exchange *x, void *user);

/*
 * Runs when a reply is made, before its head is written: it may add header fields with
 * zg_reply_field(), and must not reply itself. Also for replies of pending handlers, and for those
 * that the server makes (404, 405, 408, 413, 500, 503). A negative errno makes the zg_reply() that
 * it runs in return it; a reply of the server's is then sent without the fields.
 *
 * When a handler fails after it has replied, this runs again for the reply that takes the place of
 * the first. Who wants to see each request once uses a hook (zerog/hooks.h).
 */
typedef int zg_after_handler(struct zg_exchange *x, int status, void *user);

/**
 * zg_app_before() - run something before every handler, and before the answer to a request that
 * no route takes
 * @app:     initialised
 * @before:  not NULL
 * @user:    passed to it; borrowed for the app's life; may be NULL
 *
 * It does not run for a request that cannot be understood, or whose body is too large.
 */
void zg_app_before(struct zg_app *app, zg_before_handler *before, void *user);

/**
 * zg_app_after() - run something for every reply, those to requests that no route takes among them
 * @app:    initialised
 * @after:  not NULL
 * @user:   passed to it; borrowed for the app's life; may be NULL
 *
 * The path of a request that could not be understood is empty, and it has no header fields. Not for
 * a connection that is refused without an exchange.
 */
void zg_app_after(struct zg_app *app, zg_after_handler *after, void *user);

/**
 * zg_group_before() - run something before the handlers of a group, and of the groups within it
 * @group:   of zg_group() or zg_group_within()
 * @before:  not NULL
 * @user:    passed to it; borrowed for the app's life; may be NULL
 */
void zg_group_before(struct zg_group *group, zg_before_handler *before, void *user);

/**
 * zg_group_after() - run something for the replies of a group's routes, and of the groups within it
 * @group:  of zg_group() or zg_group_within()
 * @after:  not NULL
 * @user:   passed to it; borrowed for the app's life; may be NULL
 */
void zg_group_after(struct zg_group *group, zg_after_handler *after, void *user);

/**
 * zg_endpoint_before() - run something before one route's handler
 * @endpoint:  of zg_route(), zg_get() and the like
 * @before:    not NULL
 * @user:      passed to it; borrowed for the app's life; may be NULL
 */
void zg_endpoint_before(struct zg_endpoint *endpoint, zg_before_handler *before, void *user);

/**
 * zg_endpoint_after() - run something for one route's replies
 * @endpoint:  of zg_route(), zg_get() and the like
 * @after:     not NULL
 * @user:      passed to it; borrowed for the app's life; may be NULL
 */
void zg_endpoint_after(struct zg_endpoint *endpoint, zg_after_handler *after, void *user);

/* Values: what middleware has found out, for the handler. */

/**
 * zg_app_value() - a place for a value in every request
 * @app:  initialised
 *
 * Return: its number, for zg_exchange_set(). When there are more than ZG_VALUES_MAX, boot refuses
 * to go on, and the number is not to be used.
 */
uint32_t zg_app_value(struct zg_app *app);

/**
 * zg_exchange_set() - give a request a value
 * @x:      the handler's, or middleware's
 * @value:  from zg_app_value()
 * @data:   borrowed until the response has been sent: in the exchange's arena, or of longer life;
 *          may be NULL
 */
void zg_exchange_set(struct zg_exchange *x, uint32_t value, void *data);

/**
 * zg_exchange_get() - the value that a request was given
 * @x:      the handler's, middleware's, or a hook's
 * @value:  from zg_app_value()
 *
 * Return: as it was set; NULL when this request has none.
 */
void *zg_exchange_get(const struct zg_exchange *x, uint32_t value);

ZG_END_DECLS

#endif
