/*
 * Shard: one thread with its own listener, I/O object, connection table, pools and
 * counters. Shards share nothing; they are told things through their inboxes.
 */
#ifndef ZEROG_SERVER_SHARD_H
#define ZEROG_SERVER_SHARD_H

#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include <zerog/layout.h>
#include <zerog/pause.h>
#include <zerog/pool.h>
#include <zerog/region.h>

#include "io/io.h"
#include "server/async.h"
#include "server/config.h"
#include "server/connection.h"
#include "server/inbox.h"
#include "web/exchange.h"

#define ZGI_TICK_NS UINT64_C(100000000) /* deadlines are counted in tenths of a second */
#define ZGI_DISCARD_SIZE 4096
#define ZGI_VICTIMS_MAX 32

struct zgi_server;

/* What a shard counts; written by its thread, read by any. */
struct zgi_shard_counters {
	uint64_t accepted;
	uint64_t accept_errors;
	uint64_t closed;
	uint64_t parked; /* times a connection was parked */
	uint64_t unparked; /* times a parked connection got an exchange */
	uint64_t waited; /* times a connection had to wait for an exchange */
	uint64_t refused; /* 503 because none became free in time, or at the limit */
	uint64_t evicted; /* idle connections closed to make room */
	uint64_t timeouts_idle;
	uint64_t timeouts_request; /* head or body too slow */
	uint64_t timeouts_write;
	uint64_t timeouts_handler;
	uint64_t resumed;
	uint64_t resumed_stale; /* resumes whose handle was stale: harmless */
	uint64_t resumes_refused; /* resumes for which the inbox had no room; by any thread */
	uint64_t subscribed; /* subscribers that have come */
	uint64_t subscribers_refused; /* 503 because all were taken */
	uint64_t subscribers_dropped; /* that did not take what they were sent */
	uint64_t events_sent; /* each to one subscriber */
	uint64_t events_skipped; /* that had left the ring before a slow one got to them */
	uint64_t heartbeats;
	uint64_t turns; /* of the loop */
	uint64_t events;
};

/* What the arenas of a shard's exchanges come to, published once all of them were looked at. */
struct zgi_shard_arenas {
	uint64_t live_count; /* exchanges that are taken */
	uint64_t live_size; /* bytes that their arenas have handed out */
	uint64_t held_size; /* bytes of their first memories and their chunks */
};

/* Time-outs in ticks. */
struct zgi_shard_times {
	uint32_t header;
	uint32_t body;
	uint32_t idle;
	uint32_t write;
	uint32_t handler;
	uint32_t exchange_wait;
	uint32_t hot;
	uint32_t linger;
	uint32_t heartbeat;
};

/* An idle connection that may be closed to make room, as it was when it was chosen. */
struct zgi_victim {
	uint32_t index;
	uint32_t generation;
	uint32_t idle_since; /* tick */
};

enum zgi_shard_command {
	ZGI_SHARD_SERVE,
	ZGI_SHARD_DRAIN,
	ZGI_SHARD_STOP,
};

struct zgi_shard {
	uint32_t magic;
	uint32_t index;

	/* What every event touches. */
	struct zgi_io *io;
	struct zgi_connection *connections; /* in the region: slot_count of them */
	uint32_t slot_count;
	uint32_t connection_limit;
	uint32_t live_count; /* slots that are not free */
	uint32_t leaving_count; /* of those, the evicted that are still closing */
	uint32_t tick; /* now */
	uint32_t hot_reserve; /* exchanges that quiet connections may not hold */
	uint32_t waiting_head; /* the queue for exchanges: linked by slot */
	uint32_t waiting_tail;
	uint32_t waiting_count;
	bool is_accepting;
	bool is_accept_ending; /* stopped, but its last event has not come */
	bool is_draining;
	bool has_connection_hooks; /* somebody wants to know of connections */
	uint32_t hot_count; /* connections that are HOT */
	uint32_t hot_hand; /* the exchange to be looked at next when one has to make room */
	struct zgi_shard_times times;
	struct zgi_shard_counters counters;
	alignas(ZG_LINE_SIZE) struct zg_pool exchanges;
	alignas(ZG_LINE_SIZE) struct zg_pool chunks;
	struct zgi_web web;

	zg_cold(turn);
	struct zg_pool subscribers; /* when the app has a topic */
	uint32_t has_news; /* something was published; set by any thread */
	uint64_t started_ns;
	time_t date_seconds;
	uint32_t sweep_cursor;
	uint32_t sweep_tick;
	uint32_t sweep_goal; /* slots to be looked at in this tick */
	uint32_t sweep_left; /* of those, not yet */
	uint32_t sweep_ended; /* connections ended in this tick */
	uint64_t tick_age_ns; /* since the tick began */
	uint32_t victim_count;
	uint32_t victim_next;
	struct zgi_victim victims[ZGI_VICTIMS_MAX];
	struct zgi_inbox inbox;
	uint32_t arena_hand; /* the exchange whose arena is to be looked at next */
	uint32_t arenas_left; /* that may be looked at in this tick */
	struct zgi_shard_arenas arenas_sum; /* of this round, so far */
	struct zgi_shard_arenas arenas; /* of the round before */
	uint32_t pause_tick; /* when the kernel was asked last */
	struct zg_pause pause; /* how long turns take, waiting apart */
	struct zg_shard async; /* what the application sees of it */
	struct zgi_io_event events[ZGI_IO_EVENTS_MAX];
	unsigned char discard[ZGI_DISCARD_SIZE]; /* where what nobody will read is received */

	zg_cold(boot);
	struct zgi_server *server; /* borrowed */
	uint32_t command; /* enum zgi_shard_command, set by the server's thread */
	uint64_t ended; /* 1 when the thread has left its loop */
	uint32_t is_drained; /* 1 while it drains and has nothing left to do */
	int result; /* of the thread's start, then of its loop */
	unsigned char *stack; /* in the region */
	pthread_t thread;
};

ZG_ON_LINES(struct zgi_shard, magic, times, 2);
ZG_LINE_STARTS(struct zgi_shard, exchanges);
ZG_LINE_STARTS(struct zgi_shard, chunks);
ZG_WHOLE_LINES(struct zgi_shard);

/**
 * zgi_shard_init() - carve a shard's parts from the region
 * @shard:      in the region; overwritten
 * @config:     borrowed during the call
 * @router:     borrowed
 * @hooks:      borrowed
 * @index:      its number
 * @listen_fd:  borrowed
 * @region:     carved from, as planned
 *
 * Return: 0; -errno.
 */
struct zgi_shard_options {
	const struct zgi_server_config *config;
	const struct zgi_router *router;
	const struct zgi_hooks *hooks; /* borrowed; NULL for none */
	const struct zg_shard_hooks *shard_hooks; /* likewise */
	struct zgi_workers *offload; /* borrowed: for jobs; or NULL when there are none */
	struct zgi_workers *flushers; /* borrowed: for epoll's flushes; or NULL */
	struct zgi_server *server;
	uint32_t index;
	int listen_fd;
};
ZG_MUST_USE int zgi_shard_init(struct zgi_shard *shard, const struct zgi_shard_options *options,
			       struct zg_region *region);

/* Close what the shard holds; its thread has ended. */
void zgi_shard_fini(struct zgi_shard *shard);

/* Set up the I/O object; on the shard's thread. Return: 0; -errno. */
ZG_MUST_USE int zgi_shard_start(struct zgi_shard *shard);

/* Serve until told to stop. Return: 0; -errno of the I/O core. */
ZG_MUST_USE int zgi_shard_run(struct zgi_shard *shard);

/* One turn of the loop, at a time since zgi_clock_ns()'s beginning: handle so many of the shard's
 * events, then what the clock brings. zgi_shard_run() calls it; so do tests with clocks of their
 * own. */
void zgi_shard_turn(struct zgi_shard *shard, uint32_t event_count, uint64_t now_ns);

/* After the last turn: see what is under way to its end, and have the application put away what is
 * its own. */
void zgi_shard_end(struct zgi_shard *shard);

/* Tell a shard to drain or to stop; any thread. One that has drained turns on, because others may
 * still have something for it, until it is told to stop. */
void zgi_shard_command(struct zgi_shard *shard, enum zgi_shard_command command);

/* sweep.c: look at the deadlines of a part of the table, and at the heads of the queues; a few
 * endings a turn. */
void zgi_shard_sweep(struct zgi_shard *shard);

/* sweep.c: when to go on with what the tick brought. Return: ns; UINT64_MAX when all is done. */
uint64_t zgi_shard_sweep_wait_ns(const struct zgi_shard *shard);

/* sweep.c: close the connection that has been idle the longest. Return: false when none is idle. */
bool zgi_shard_evict(struct zgi_shard *shard);

/* sweep.c: end every connection that is idle. */
void zgi_shard_end_idle(struct zgi_shard *shard);

/* The whole shard, from what an application has of it. */
static inline struct zgi_shard *zgi_shard_of(const struct zg_shard *shard)
{
	return (struct zgi_shard *)((uintptr_t)shard - offsetof(struct zgi_shard, async));
}

/* An exchange by its number. */
static inline struct zg_exchange *zgi_shard_exchange_at(struct zgi_shard *shard, uint32_t number)
{
	return (struct zg_exchange *)(void *)(shard->exchanges.blocks +
					      number * shard->exchanges.block_size);
}

/* The exchange of a connection that has one. */
static inline struct zg_exchange *zgi_shard_exchange(struct zgi_shard *shard, uint32_t index)
{
	return zgi_shard_exchange_at(shard, shard->connections[index].link);
}

#endif
