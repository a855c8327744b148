/*
 * Async: the part of a shard that an application sees, as a struct zg_shard.
 *
 * It is a member of the shard, so that one leads to the other without a pointer.
 */
#ifndef ZEROG_SERVER_ASYNC_H
#define ZEROG_SERVER_ASYNC_H

#include <stdbool.h>
#include <stdint.h>

#include <zerog/async.h>

/* Written by the shard's thread, read by any. */
struct zgi_async_counters {
	uint64_t posts; /* functions called that were posted */
	uint64_t posts_refused; /* posts for which there was no room; by any thread */
};

struct zg_shard {
	uint32_t magic;
	bool has_started; /* its start hooks have been called, and none of them failed */
	void *data; /* the application's; borrowed */
	const struct zg_shard_hooks *hooks; /* borrowed; or NULL */
	struct zgi_async_counters counters;
};

/* Make it part of a shard. @hooks: borrowed, or NULL. */
void zgi_async_init(struct zg_shard *shard, const struct zg_shard_hooks *hooks);

/* hooks.c: call the application's functions, on the shard's thread. Return: 0; what one that failed
 * returned. */
ZG_MUST_USE int zgi_async_start(struct zg_shard *shard);

/* hooks.c: the shard has made its last turn. */
void zgi_async_stop(struct zg_shard *shard);

/* hooks.c: a turn has ended; only where there are hooks for it. */
void zgi_async_turn_end(struct zg_shard *shard);

static inline bool zgi_async_has_turn_end(const struct zg_shard *shard)
{
	return shard->hooks != NULL && shard->hooks->turn_end_count > 0;
}

#endif
