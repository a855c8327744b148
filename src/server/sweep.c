/*
 * Time-outs without a timer a connection: a hand goes round the flat table, a
 * slice a tick, and compares one 32-bit deadline a slot. Connections that wait for
 * an exchange have a queue, and are looked at from its head, so that their short
 * time is kept exactly.
 */

#include <zerog/pool.h>

#include "base/assert.h"
#include "base/counter.h"
#include "server/shard.h"

#define SWEEP_SLICE_MIN 4096 /* slots a tick: 64 KB of table, about 4 us */
#define SWEEP_ROUND_TICKS 10 /* the whole table is seen once in so many ticks */
#define SWEEP_ARENAS_A_TICK 1024 /* at most; those in use are in the cache anyhow */

static void sweep_slice(struct zgi_shard *shard, uint32_t count)
{
	uint32_t cursor = shard->sweep_cursor;

	for (; count > 0; count--) {
		if (ZG_UNLIKELY(shard->connections[cursor].deadline <= shard->tick))
			zgi_connection_timed_out(shard, cursor);
		cursor = cursor + 1 == shard->slot_count ? 0 : cursor + 1;
	}
	shard->sweep_cursor = cursor;
}

static void sweep_waiting(struct zgi_shard *shard)
{
	while (shard->waiting_count > 0 &&
	       shard->connections[shard->waiting_head].deadline <= shard->tick)
		zgi_connection_refuse_waiting(shard);
}

static void sweep_arena(struct zgi_shard *shard, uint32_t number)
{
	struct zgi_shard_arenas *sum = &shard->arenas_sum;
	struct zg_arena_usage usage;

	if (!zg_pool_is_taken(&shard->exchanges, number))
		return;
	zg_arena_usage(&zgi_shard_exchange_at(shard, number)->arena, &usage);
	sum->live_count++;
	sum->live_size += usage.live_size;
	sum->held_size += usage.held_size;
}

/* Arenas are added up here, a slice a tick: by the thread that uses them, so that nobody else has
 * to touch them, and their users pay nothing. */
static void sweep_arenas(struct zgi_shard *shard)
{
	uint32_t end = shard->arena_hand + SWEEP_ARENAS_A_TICK;

	if (end > shard->exchanges.block_count)
		end = shard->exchanges.block_count;
	while (shard->arena_hand < end)
		sweep_arena(shard, shard->arena_hand++);
	if (end < shard->exchanges.block_count)
		return;
	__atomic_store_n(&shard->arenas.live_count, shard->arenas_sum.live_count, __ATOMIC_RELAXED);
	__atomic_store_n(&shard->arenas.live_size, shard->arenas_sum.live_size, __ATOMIC_RELAXED);
	__atomic_store_n(&shard->arenas.held_size, shard->arenas_sum.held_size, __ATOMIC_RELAXED);
	shard->arenas_sum = (struct zgi_shard_arenas){0};
	shard->arena_hand = 0;
}

void zgi_shard_sweep(struct zgi_shard *shard)
{
	uint32_t ticks = shard->tick - shard->sweep_tick;
	uint32_t slice = shard->slot_count / SWEEP_ROUND_TICKS + 1;
	uint64_t count;

	if (ticks == 0)
		return;
	shard->sweep_tick = shard->tick;
	if (slice < SWEEP_SLICE_MIN)
		slice = SWEEP_SLICE_MIN;
	count = (uint64_t)slice * ticks;
	if (count > shard->slot_count)
		count = shard->slot_count;
	sweep_waiting(shard);
	sweep_slice(shard, (uint32_t)count);
	sweep_arenas(shard);
}

/* Insert into the victims, which are sorted by how long they have been idle, the latest falling
 * out. */
static void victims_insert(struct zgi_shard *shard, struct zgi_victim victim)
{
	uint32_t place = shard->victim_count;

	if (place == ZGI_VICTIMS_MAX) {
		if (shard->victims[place - 1].idle_since <= victim.idle_since)
			return;
		place--;
	} else {
		shard->victim_count++;
	}
	while (place > 0 && shard->victims[place - 1].idle_since > victim.idle_since) {
		shard->victims[place] = shard->victims[place - 1];
		place--;
	}
	shard->victims[place] = victim;
}

/* The tick since when a connection has been idle; UINT32_MAX when it is not. */
static uint32_t victims_idle_since(const struct zgi_shard *shard,
				   const struct zgi_connection *connection)
{
	if (connection->deadline == UINT32_MAX)
		return UINT32_MAX;
	if (connection->state == ZGI_CONNECTION_PARKED)
		return connection->deadline - shard->times.idle;
	if (connection->state == ZGI_CONNECTION_HOT)
		return connection->deadline - shard->times.hot;
	return UINT32_MAX;
}

/* One pass over the table finds enough of the oldest for many evictions to come. */
static void victims_choose(struct zgi_shard *shard)
{
	shard->victim_count = 0;
	shard->victim_next = 0;
	for (uint32_t index = 0; index < shard->slot_count; index++) {
		const struct zgi_connection *connection = &shard->connections[index];
		uint32_t idle_since = victims_idle_since(shard, connection);

		if (idle_since != UINT32_MAX)
			victims_insert(shard, (struct zgi_victim){
						      .index = index,
						      .generation = connection->generation,
						      .idle_since = idle_since,
					      });
	}
}

/* The next victim that is still as idle as when it was chosen. A quiet connection that was parked
 * meanwhile counts as idle from then on, and is passed over until the next choice. */
static bool victims_next(struct zgi_shard *shard, uint32_t *ret_index)
{
	while (shard->victim_next < shard->victim_count) {
		const struct zgi_victim *victim = &shard->victims[shard->victim_next++];
		const struct zgi_connection *connection = &shard->connections[victim->index];

		if (connection->generation == victim->generation &&
		    victims_idle_since(shard, connection) == victim->idle_since) {
			*ret_index = victim->index;
			return true;
		}
	}
	return false;
}

bool zgi_shard_evict(struct zgi_shard *shard)
{
	uint32_t index;

	if (!victims_next(shard, &index)) {
		victims_choose(shard);
		if (!victims_next(shard, &index))
			return false;
	}
	zgi_connection_evict(shard, index);
	return true;
}

void zgi_shard_end_idle(struct zgi_shard *shard)
{
	for (uint32_t index = 0; index < shard->slot_count; index++) {
		if (shard->connections[index].state == ZGI_CONNECTION_PARKED)
			zgi_connection_end(shard, index);
		else if (shard->connections[index].state == ZGI_CONNECTION_HOT)
			zgi_connection_cool(shard, index);
	}
}
