/*
 * Async: what a service does besides answering one request after the other.
 *
 * A shard is one thread that serves. Its handlers never block; what takes time is
 * started here, and a function of the application is called on the shard's own
 * thread when it is over:
 *
 *	zg_shard_post()    have a function called on another shard's thread
 *
 * Hooks tell an application when a shard begins, when it has handled all that a turn
 * of its loop brought, and when it ends: where state that one shard owns is made,
 * made durable, and put away.
 *
 * Everything has a number that a service gives itself before zg_app_main(), as a
 * default that flags still change; what was given none takes no memory:
 *
 *	app.options.posts = 1024;
 *
 * Ownership  A shard is the server's. What is passed as `user` stays the caller's, and
 *            must live until the function it is passed to has been called.
 * Threads    A struct zg_shard is used on its own thread only, which is where every
 *            function below is called with it. zg_shard_post() may be called by any.
 * Limits     ZG_SHARD_HOOKS_MAX functions of a kind; the options named below.
 */
#ifndef ZEROG_ASYNC_H
#define ZEROG_ASYNC_H

#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/exchange.h>

ZG_BEGIN_DECLS

struct zg_app;
struct zg_shard;

/* Shards. */

/**
 * zg_exchange_shard() - the shard that an exchange is served by
 * @x:  the handler's
 *
 * Return: borrowed for the life of the service; the one whose thread the handler runs on.
 */
struct zg_shard *zg_exchange_shard(const struct zg_exchange *x);

/**
 * zg_shard_index() - which of the shards this is
 * @shard:  the caller's own
 *
 * Return: from 0 on, below zg_shard_count().
 */
uint32_t zg_shard_index(const struct zg_shard *shard);

/**
 * zg_shard_count() - how many shards serve
 * @shard:  the caller's own
 *
 * Return: at least 1; the same for the life of the service.
 */
uint32_t zg_shard_count(const struct zg_shard *shard);

/**
 * zg_shard_data() - what the application has of this shard
 * @shard:  the caller's own
 *
 * Return: what zg_shard_set_data() was given last, borrowed; NULL before.
 */
void *zg_shard_data(const struct zg_shard *shard);

/**
 * zg_shard_set_data() - keep a pointer with a shard, for zg_shard_data()
 * @shard:  the caller's own
 * @data:   borrowed for as long as it is kept there; may be NULL
 */
void zg_shard_set_data(struct zg_shard *shard, void *data);

/* Hooks. */

#define ZG_SHARD_HOOKS_MAX 8

/* Called before the service is sealed: it may allocate. Return: 0; a negative errno, and the
 * service does not start. */
typedef int zg_shard_start_handler(struct zg_shard *shard, void *user);

/* Called at the end of a turn, and at the end of a shard. */
typedef void zg_shard_handler(struct zg_shard *shard, void *user);

/* The functions of an app, in the order they were given. */
struct zg_shard_hooks {
	uint32_t start_count;
	uint32_t stop_count;
	uint32_t turn_end_count;
	struct {
		zg_shard_start_handler *handler;
		void *user; /* borrowed */
	} start[ZG_SHARD_HOOKS_MAX];
	struct {
		zg_shard_handler *handler;
		void *user; /* borrowed */
	} stop[ZG_SHARD_HOOKS_MAX], turn_end[ZG_SHARD_HOOKS_MAX];
};

/**
 * zg_app_on_shard_start() - have a function called on each shard's thread when it begins
 * @app:      initialised, before zg_app_main()
 * @handler:  not NULL. Called once a shard, by all of them at the same time, before the seal and
 *            before the first connection; on the shard's stack, of which 48 KB are free
 * @user:     passed to it, borrowed for the life of the app; may be NULL
 *
 * Return: 0; -ENOSPC past ZG_SHARD_HOOKS_MAX.
 */
ZG_MUST_USE int zg_app_on_shard_start(struct zg_app *app, zg_shard_start_handler *handler,
				      void *user);

/**
 * zg_app_on_shard_stop() - have a function called on each shard's thread when it ends
 * @app:      initialised, before zg_app_main()
 * @handler:  not NULL. Called once for each shard whose start did not fail, after its last turn,
 *            when nothing that it flushes is under way. It may block. Other shards may have ended
 *            or not: after a drain, no exchange is left in any of them
 * @user:     passed to it, borrowed for the life of the app; may be NULL
 *
 * The functions are called in the reverse of their order.
 *
 * Return: 0; -ENOSPC past ZG_SHARD_HOOKS_MAX.
 */
ZG_MUST_USE int zg_app_on_shard_stop(struct zg_app *app, zg_shard_handler *handler, void *user);

/**
 * zg_app_on_turn_end() - have a function called at the end of each turn of each shard's loop
 * @app:      initialised, before zg_app_main()
 * @handler:  not NULL. Called when all that the turn brought has been handled: requests, posts,
 *            what was resumed. What it starts, the kernel is told in the very next system call
 * @user:     passed to it, borrowed for the life of the app; may be NULL
 *
 * A shard turns once for all that happened while it was busy, and about once a tenth of a second
 * while requests are in flight. One that nothing happens to may not turn for ten seconds.
 *
 * Return: 0; -ENOSPC past ZG_SHARD_HOOKS_MAX.
 */
ZG_MUST_USE int zg_app_on_turn_end(struct zg_app *app, zg_shard_handler *handler, void *user);

/* Posts. */

/* What is posted: called on the thread of the shard it was posted to. */
typedef void zg_post_handler(struct zg_shard *shard, void *user);

/**
 * zg_shard_post() - have a function called on a shard's thread, soon
 * @shard_index:  below zg_shard_count(); the caller's own shard is allowed, and its turn ends first
 *                or not
 * @handler:      not NULL
 * @user:         passed to it; borrowed until then. May be NULL
 *
 * Those of one sender are called in their order. A post that was taken is called unless the
 * service ends first; a drain waits for it. At most --posts may wait for a shard: what resumes
 * exchanges has room of its own.
 *
 * Return: 0 when it was handed over; -EAGAIN when as many wait already (counted); -ESTALE when no
 * server runs; -EINVAL when there is no such shard; -EOPNOTSUPP when --posts is 0. Any thread.
 */
ZG_MUST_USE int zg_shard_post(uint32_t shard_index, zg_post_handler *handler, void *user);

ZG_END_DECLS

#endif
