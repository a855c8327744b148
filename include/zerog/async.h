/*
 * Async: what a service does besides answering one request after the other.
 *
 * A shard is one thread that serves. Its handlers never block; what takes time is
 * started here, and a function of the application is called on the shard's own
 * thread when it is over:
 *
 *	zg_shard_post()    have a function called on another shard's thread
 *	zg_flush()         have a file's data written to the disk
 *	zg_offload()       have something that blocks done by a thread apart
 *	zg_watch_start()   be told when a library's descriptor is readable or writable
 *	zg_timer_start()   be called later
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

#include <stdbool.h>
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

/* Flushes. */

/* A flush is over. @result: 0, all that had been written when it began is on the disk; or a
 * negative errno, and nothing is known of what is: after -EIO a second try says nothing either. */
typedef void zg_flush_handler(struct zg_shard *shard, int result, void *user);

/**
 * zg_flush() - write a file's data to the disk, without waiting for it
 * @shard:  the caller's own
 * @fd:     borrowed: open until @done is called
 * @done:   not NULL; called in a later turn, never from within this
 * @user:   passed to it; borrowed until then. May be NULL
 *
 * What was written to the file, or to a shared mapping of it, before the call is durable when
 * @done is called with 0; what is written meanwhile may be or not. Several are not ordered among
 * each other. With io_uring it is an operation of the ring; with epoll one thread of the service's
 * does it, apart from those of zg_offload(). A drain waits for it, and so does the end of a shard:
 * its @done is called before the functions of zg_app_on_shard_stop() are.
 *
 * Return: 0; -EAGAIN when --flushes are under way already (counted); -EBADF when @fd is negative;
 * -ESHUTDOWN when the shard has made its last turn; -EOPNOTSUPP when --flushes is 0. Source:
 * fdatasync(2).
 */
ZG_MUST_USE int zg_flush(struct zg_shard *shard, int fd, zg_flush_handler *done, void *user);

/* Jobs for threads apart. */

struct zg_job; /* one that is being run */

/* What blocks: called on a thread of the pool. It must not touch what belongs to a shard, the
 * exchange included. */
typedef void zg_job_work(const struct zg_job *job, void *user);

/* A job is over, on its shard's thread. @status: 0 when its work was called, else -ECANCELED. */
typedef void zg_job_done(struct zg_shard *shard, int status, void *user);

/* A job of an exchange is over, on its shard's thread. @x: goes on, as from a zg_resume_handler;
 * or NULL when its client has gone or its time was over: then there is only @user to put away,
 * whatever is returned. */
typedef int zg_job_then(struct zg_exchange *x, void *user);

/**
 * zg_offload() - have work done by a thread apart
 * @shard:  the caller's own
 * @work:   not NULL. It may block, and has --offload-stack-size of stack. Like all code after boot
 *          it has no malloc but the guest heap's
 * @done:   not NULL; called exactly once, in a later turn, unless the service is stopped before
 * @user:   passed to both; borrowed until @done has been called
 *
 * Jobs are begun in the order in which they were given. A drain waits for them; a stop waits for
 * those that run, --drain-timeout-ms at the most, and calls nothing for the others.
 *
 * Return: 0; -EAGAIN when the shard's share of --offload-jobs is out (counted); -EOPNOTSUPP when
 * --offload-threads is 0.
 */
ZG_MUST_USE int zg_offload(struct zg_shard *shard, zg_job_work *work, zg_job_done *done,
			   void *user);

/**
 * zg_offload_exchange() - have work done by a thread apart, and go on with the exchange then
 * @x:     the handler's, which returns ZG_PENDING after this
 * @work:  not NULL; as for zg_offload(). It is not called when the exchange has ended before its
 *         turn comes; while it runs, zg_job_is_cancelled() tells
 * @then:  not NULL; called exactly once, in a later turn, unless the service is stopped before
 * @user:  passed to both; borrowed until @then has been called. Not in the exchange's arena, which
 *         may end while the work still runs
 *
 * Return: as zg_offload().
 */
ZG_MUST_USE int zg_offload_exchange(struct zg_exchange *x, zg_job_work *work, zg_job_then *then,
				    void *user);

/**
 * zg_job_is_cancelled() - does nobody wait for this job any more?
 * @job:  what @work was called with, on its thread
 *
 * Return: true from about a tenth of a second after its exchange has ended; or when the service
 * stops.
 */
bool zg_job_is_cancelled(const struct zg_job *job);

/* Watched descriptors. */

#define ZG_WATCH_READABLE 1U
#define ZG_WATCH_WRITABLE 2U
#define ZG_WATCH_ERROR 4U /* told only: an error, or an end in both directions */

/* Names a watch; stale when it was stopped. */
typedef struct {
	uint64_t bits;
} zg_watch;

#define ZG_WATCH_NONE ((zg_watch){0})

/* A descriptor is ready. @events: of those wanted, the ones that hold. With ZG_WATCH_ERROR all
 * that were wanted are among them, because whatever is tried will tell the error. */
typedef void zg_watch_handler(struct zg_shard *shard, unsigned events, void *user);

struct zg_watch_options {
	int fd; /* borrowed: non-blocking, a socket or pipe or the like; not watched already */
	unsigned events; /* ZG_WATCH_READABLE and ZG_WATCH_WRITABLE, or none for now */
	zg_watch_handler *handler;
	void *user; /* borrowed; passed to it */
};

/**
 * zg_watch_start() - be told when a descriptor is readable or writable
 * @shard:      the caller's own
 * @options:    read during the call; the handler is not NULL
 * @ret_watch:  untouched on failure
 *
 * The handler is called turn after turn while what is wanted holds (level-triggered, as poll(2)),
 * until the watch is changed or stopped: both may be done in the handler. Stop it before the
 * descriptor is closed.
 *
 * Return: 0; -EAGAIN when --watches are out (counted); -EEXIST when the descriptor is watched by
 * this shard already; -EBADF; -EPERM for a regular file or a directory, which are always ready;
 * -EINVAL for other events; -EOPNOTSUPP when --watches is 0; -ENOMEM or -ENOSPC of epoll_ctl(2).
 */
ZG_MUST_USE int zg_watch_start(struct zg_shard *shard, const struct zg_watch_options *options,
			       zg_watch *ret_watch);

/**
 * zg_watch_change() - want other events of a descriptor
 * @shard:   the caller's own
 * @watch:   of this shard
 * @events:  as in struct zg_watch_options
 *
 * Return: 0; -ESTALE when the watch was stopped; -EINVAL for other events; -errno of epoll_ctl(2).
 */
ZG_MUST_USE int zg_watch_change(struct zg_shard *shard, zg_watch watch, unsigned events);

/**
 * zg_watch_stop() - watch no longer: the handler is not called any more, the descriptor may be
 * closed
 * @shard:  the caller's own
 * @watch:  of this shard
 *
 * Return: 0; -ESTALE when it was stopped already.
 */
int zg_watch_stop(struct zg_shard *shard, zg_watch watch);

/* Timers. */

/* Names a timer; stale when it has run out or was stopped. */
typedef struct {
	uint64_t bits;
} zg_timer;

#define ZG_TIMER_NONE ((zg_timer){0})
#define ZG_TIMER_MS_MAX UINT64_C(31622400000) /* a year */

/* A timer has run out; its name is stale. To be called again, start one again. */
typedef void zg_timer_handler(struct zg_shard *shard, void *user);

struct zg_timer_options {
	uint64_t after_ms; /* 0, the next turn, to ZG_TIMER_MS_MAX */
	zg_timer_handler *handler;
	void *user; /* borrowed; passed to it */
};

/**
 * zg_timer_start() - have a function called when some time has passed
 * @shard:      the caller's own
 * @options:    read during the call; the handler is not NULL
 * @ret_timer:  may be NULL, for a timer that nobody will stop; untouched on failure
 *
 * The time counts from the beginning of the turn that the caller is in, by CLOCK_MONOTONIC in
 * nanoseconds: there is no tick to round it to. It is over in the first turn that begins no
 * earlier; the shard wakes for it. Timers that are over together are called in the order of their
 * times, those of one time in the order of their starts, and at most 64 a turn: the others in the
 * turns that follow at once.
 *
 * Return: 0; -EAGAIN when --timers run already (counted); -EINVAL for a longer time; -EOPNOTSUPP
 * when --timers is 0.
 */
ZG_MUST_USE int zg_timer_start(struct zg_shard *shard, const struct zg_timer_options *options,
			       zg_timer *ret_timer);

/**
 * zg_timer_stop() - do not have it called
 * @shard:  the caller's own
 * @timer:  of this shard
 *
 * Return: 0; -ESTALE when it has run out or was stopped already.
 */
int zg_timer_stop(struct zg_shard *shard, zg_timer timer);

ZG_END_DECLS

#endif
