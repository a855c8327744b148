/*
 * Async: the part of a shard that an application sees, as a struct zg_shard.
 *
 * It is a member of the shard, so that one leads to the other without a pointer. Each
 * thing that may be started has a table of its own, carved when the shard is made,
 * and a file of its own: flush.c, offload.c, watch.c, timer.c.
 */
#ifndef ZEROG_SERVER_ASYNC_H
#define ZEROG_SERVER_ASYNC_H

#include <stdbool.h>
#include <stdint.h>

#include <zerog/async.h>
#include <zerog/region.h>

#include "io/workers.h"
#include "server/config.h"

#define ZGI_ASYNC_MAGIC 0x7a676173U

/* Written by the shard's thread, read by any. */
struct zgi_async_counters {
	uint64_t posts; /* functions called that were posted */
	uint64_t posts_refused; /* posts for which there was no room; by any thread */
	uint64_t flushes; /* that were begun */
	uint64_t flushes_refused;
	uint64_t flushes_failed;
	uint64_t jobs; /* that were taken */
	uint64_t jobs_refused;
	uint64_t jobs_cancelled; /* whose work was never called, or whose exchange had gone */
	uint64_t watches_refused;
	uint64_t watch_events;
	uint64_t timers_refused;
	uint64_t timers_run_out;
};

/* A flush under way; its place in the table is its tag. */
struct zgi_flush {
	zg_flush_handler *done; /* NULL: the place is free */
	void *user; /* borrowed */
};

struct zgi_flushes {
	struct zgi_flush *table; /* carved: count of them */
	uint32_t count;
	uint32_t live_count; /* under way; read by any thread */
	bool is_ending; /* no more may begin */
};

/* A job, from the call that gives it to the call that says it is over. */
struct zg_job {
	struct zgi_work work; /* first: the workers see only this; of a free place, the next one */
	struct zg_shard *shard; /* borrowed */
	zg_job_work *run; /* NULL: the place is free */
	zg_job_done *done; /* or NULL: it is an exchange's */
	zg_job_then *then;
	void *user; /* borrowed */
	zg_handle exchange; /* ZG_HANDLE_NONE for none */
	uint32_t is_cancelled; /* set by the shard, read by the worker */
	int32_t status; /* by the worker, before it is handed back */
};

struct zgi_jobs {
	struct zg_job *table; /* carved: count of them */
	struct zgi_workers *workers; /* borrowed; NULL when there are none */
	uint32_t count;
	uint32_t live_count; /* out; read by any thread */
	struct zgi_work *free_first;
	uint32_t sweep_hand; /* whose exchange is to be looked at next */
	uint32_t sweep_tick; /* when that was done last */
	alignas(ZG_LINE_SIZE) struct zgi_work *finished; /* newest first: by the workers */
};

struct zgi_watch {
	int fd; /* borrowed; -1: the place is free */
	uint32_t events; /* wanted: poll(2)'s bits */
	uint32_t generation; /* counts who has had this place */
	uint32_t arm_count; /* counts the watches of the I/O object; part of their tags */
	bool is_armed; /* the I/O object is to tell */
	zg_watch_handler *handler;
	void *user; /* borrowed */
};

struct zgi_watches {
	struct zgi_watch *table; /* carved: count of them */
	uint32_t count;
	uint32_t live_count; /* read by any thread */
};

struct zgi_timer {
	uint64_t due_ns; /* as zgi_clock_ns() */
	uint64_t sequence; /* which of them was started first */
	zg_timer_handler *handler;
	void *user; /* borrowed */
	uint32_t generation; /* counts who has had this place */
	uint32_t heap_place; /* where its number is in the heap; while it is free: the next free */
};

struct zgi_timers {
	struct zgi_timer *table; /* carved: count of them */
	uint32_t *heap; /* carved: numbers of those that run, the next due first */
	uint32_t count;
	uint32_t live_count; /* that run; read by any thread */
	uint32_t free_first;
	uint64_t sequence;
};

struct zg_shard {
	uint32_t magic;
	bool has_started; /* its start hooks have been called, and none of them failed */
	void *data; /* the application's; borrowed */
	const struct zg_shard_hooks *hooks; /* borrowed; or NULL */
	uint64_t now_ns; /* when the present turn began */
	struct zgi_flushes flushes;
	struct zgi_watches watches;
	struct zgi_timers timers;
	struct zgi_async_counters counters;
	struct zgi_jobs jobs;
};

/* Bytes of each table, as it is carved: whole lines. */
struct zgi_async_sizes {
	uint64_t flushes;
	uint64_t jobs;
	uint64_t watches;
	uint64_t timers;
	uint64_t timer_heap;
};

void zgi_async_sizes(const struct zgi_server_config *config, struct zgi_async_sizes *ret_sizes);

/* Bytes that one shard carves for all of them. */
uint64_t zgi_async_carved_size(const struct zgi_server_config *config);

struct zgi_async_options {
	const struct zgi_server_config *config;
	const struct zg_shard_hooks *hooks; /* borrowed; or NULL */
	struct zgi_workers *offload; /* borrowed; or NULL */
};

/* Make it part of a shard, and carve its tables. Return: 0; -errno of zg_region_carve(). */
ZG_MUST_USE int zgi_async_init(struct zg_shard *shard, const struct zgi_async_options *options,
			       struct zg_region *region);

/* shard_hooks.c: call the application's functions, on the shard's thread. Return: 0; what one that
 * failed returned. */
ZG_MUST_USE int zgi_async_start(struct zg_shard *shard);

/* shard_hooks.c: the shard has made its last turn. */
void zgi_async_stop(struct zg_shard *shard);

/* shard_hooks.c: a turn has ended; only where there are hooks for it. */
void zgi_async_turn_end(struct zg_shard *shard);

static inline bool zgi_async_has_turn_end(const struct zg_shard *shard)
{
	return shard->hooks != NULL && shard->hooks->turn_end_count > 0;
}

/* Is something under way that a drain waits for? */
static inline bool zgi_async_is_busy(const struct zg_shard *shard)
{
	return shard->flushes.live_count > 0 || shard->jobs.live_count > 0;
}

/* flush.c: FLUSHED has come. */
void zgi_flush_done(struct zg_shard *shard, uint64_t tag, int32_t result);

/* offload.c: the shard was woken: take back what the workers have done. */
void zgi_jobs_finish(struct zg_shard *shard);

/* offload.c: once a tick, cancel jobs whose exchange has ended. */
void zgi_jobs_sweep(struct zg_shard *shard, uint32_t tick);

/* offload.c: the shard has made its last turn: nobody waits for any of them. */
void zgi_jobs_abandon(struct zg_shard *shard);

/* watch.c: WATCHED has come. */
void zgi_watch_told(struct zg_shard *shard, uint64_t tag, int32_t result);

/* timer.c: call those that are over. */
void zgi_timers_run(struct zg_shard *shard);

/* timer.c: when the next is over. Return: ns from now on; UINT64_MAX when none runs. */
uint64_t zgi_timers_wait_ns(const struct zg_shard *shard, uint64_t now_ns);

#endif
