/*
 * Timers of a shard: a binary heap of numbers, by the time at which they are over. To
 * start and to stop one takes as many steps as the logarithm of how many run; to see
 * that none is over, a comparison. So their times need not be rounded to ticks.
 *
 * Rejected: a wheel, which starts in one step but rounds, and has slots to walk over
 * whether there are timers in them or not. Services have few timers: what has a great
 * many, the time-outs of connections, is no timer here (sweep.c).
 */
#include <errno.h>

#include "base/assert.h"
#include "base/counter.h"
#include "server/shard.h"

#define TIMERS_A_TURN 64U /* at most: connections wait meanwhile */

static bool timer_is_before(const struct zgi_timers *timers, uint32_t number, uint32_t other)
{
	const struct zgi_timer *timer = &timers->table[number];
	const struct zgi_timer *than = &timers->table[other];

	if (timer->due_ns != than->due_ns)
		return timer->due_ns < than->due_ns;
	return timer->sequence < than->sequence;
}

static void heap_put(struct zgi_timers *timers, uint32_t place, uint32_t number)
{
	timers->heap[place] = number;
	timers->table[number].heap_place = place;
}

/* A number goes up from this place to where it belongs. */
static void heap_rise(struct zgi_timers *timers, uint32_t place, uint32_t number)
{
	while (place > 0) {
		uint32_t parent = (place - 1) / 2;

		if (!timer_is_before(timers, number, timers->heap[parent]))
			break;
		heap_put(timers, place, timers->heap[parent]);
		place = parent;
	}
	heap_put(timers, place, number);
}

/* A number goes down from this place to where it belongs. */
static void heap_sink(struct zgi_timers *timers, uint32_t place, uint32_t number)
{
	for (;;) {
		uint32_t child = 2 * place + 1;

		if (child >= timers->live_count)
			break;
		if (child + 1 < timers->live_count &&
		    timer_is_before(timers, timers->heap[child + 1], timers->heap[child]))
			child++;
		if (!timer_is_before(timers, timers->heap[child], number))
			break;
		heap_put(timers, place, timers->heap[child]);
		place = child;
	}
	heap_put(timers, place, number);
}

/* The last takes the place of the one that leaves, and moves to where it belongs. */
static void heap_remove(struct zgi_timers *timers, uint32_t place)
{
	uint32_t last;

	zg_assert(place < timers->live_count);
	zgi_gauge_set(&timers->live_count, timers->live_count - 1);
	last = timers->heap[timers->live_count];
	if (place == timers->live_count)
		return;
	if (place > 0 && timer_is_before(timers, last, timers->heap[(place - 1) / 2]))
		heap_rise(timers, place, last);
	else
		heap_sink(timers, place, last);
}

static void timer_free(struct zgi_timers *timers, uint32_t number)
{
	struct zgi_timer *timer = &timers->table[number];

	heap_remove(timers, timer->heap_place);
	/* Never 0: so no name of a timer is ZG_TIMER_NONE. */
	timer->generation = timer->generation == UINT32_MAX ? 1 : timer->generation + 1;
	timer->handler = NULL;
	timer->heap_place = timers->free_first;
	timers->free_first = number;
}

int zg_timer_start(struct zg_shard *shard, const struct zg_timer_options *options,
		   zg_timer *ret_timer)
{
	struct zgi_timers *timers = &shard->timers;
	uint32_t number = timers->free_first;
	struct zgi_timer *timer;

	zg_assert(shard->magic == ZGI_ASYNC_MAGIC);
	zg_assert(options->handler != NULL);
	if (timers->count == 0)
		return -EOPNOTSUPP;
	if (options->after_ms > ZG_TIMER_MS_MAX)
		return -EINVAL;
	if (timers->live_count == timers->count) {
		zgi_counter_add(&shard->counters.timers_refused, 1);
		return -EAGAIN;
	}
	timer = &timers->table[number];
	timers->free_first = timer->heap_place;
	/* At the least a nanosecond: a timer that starts itself again has its next turn. */
	timer->due_ns =
		shard->now_ns + (options->after_ms > 0 ? options->after_ms * UINT64_C(1000000) : 1);
	timer->sequence = timers->sequence++;
	timer->handler = options->handler;
	timer->user = options->user;
	zgi_gauge_set(&timers->live_count, timers->live_count + 1);
	heap_rise(timers, timers->live_count - 1, number);
	if (ret_timer != NULL)
		*ret_timer = (zg_timer){(uint64_t)timer->generation << 32 | number};
	return 0;
}

int zg_timer_stop(struct zg_shard *shard, zg_timer name)
{
	struct zgi_timers *timers = &shard->timers;
	uint32_t number = (uint32_t)name.bits;

	zg_assert(shard->magic == ZGI_ASYNC_MAGIC);
	if (number >= timers->count || timers->table[number].handler == NULL ||
	    timers->table[number].generation != name.bits >> 32)
		return -ESTALE;
	timer_free(timers, number);
	return 0;
}

void zgi_timers_run(struct zg_shard *shard)
{
	struct zgi_timers *timers = &shard->timers;

	for (uint32_t left = TIMERS_A_TURN; left > 0 && timers->live_count > 0; left--) {
		uint32_t number = timers->heap[0];
		struct zgi_timer timer = timers->table[number];

		if (timer.due_ns > shard->now_ns)
			return;
		/* Its place is free before it is called, so that it may start again. */
		timer_free(timers, number);
		zgi_counter_add(&shard->counters.timers_run_out, 1);
		timer.handler(shard, timer.user);
	}
}

uint64_t zgi_timers_wait_ns(const struct zg_shard *shard, uint64_t now_ns)
{
	const struct zgi_timers *timers = &shard->timers;
	uint64_t due_ns;

	if (timers->live_count == 0)
		return UINT64_MAX;
	due_ns = timers->table[timers->heap[0]].due_ns;
	return due_ns > now_ns ? due_ns - now_ns : 0;
}
