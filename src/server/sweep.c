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
#define SWEEP_ENDED_A_TURN 16 /* connections at most: whoever sends a request waits for them */
#define SWEEP_ENDED_AT_ONCE 16 /* connections a tick; more than that are spread over it */
#define SWEEP_STEP_NS (ZGI_TICK_NS / 50) /* between two looks at those that are spread */
#define SWEEP_ARENAS_A_TICK 1024 /* at most */
#define SWEEP_ARENAS_A_TURN 64

/* Whether the hand is where it should be by now: it has the tick's whole length for its slots. */
static bool sweep_is_ahead(const struct zgi_shard *shard)
{
	uint64_t seen = shard->sweep_goal - shard->sweep_left;

	return seen * ZGI_TICK_NS >= shard->sweep_goal * shard->tick_age_ns;
}

/*
 * Few end as soon as the tick brings it, many a few a turn, spread over the tick. All at once,
 * those that went quiet in the same tenth of a second were 800 us in which nobody else was served,
 * and in all shards at the same moment.
 */
static bool sweep_may_end(const struct zgi_shard *shard)
{
	return shard->sweep_ended < SWEEP_ENDED_AT_ONCE || !sweep_is_ahead(shard);
}

static void sweep_slots(struct zgi_shard *shard, uint32_t budget)
{
	uint32_t cursor = shard->sweep_cursor;

	for (; shard->sweep_left > 0; shard->sweep_left--) {
		if (ZG_UNLIKELY(shard->connections[cursor].deadline <= shard->tick)) {
			if (budget == 0 || !sweep_may_end(shard))
				break;
			budget--;
			shard->sweep_ended++;
			zgi_connection_timed_out(shard, cursor);
		}
		cursor = cursor + 1 == shard->slot_count ? 0 : cursor + 1;
	}
	shard->sweep_cursor = cursor;
}

static bool sweep_has_late_waiting(const struct zgi_shard *shard)
{
	return shard->waiting_count > 0 &&
	       shard->connections[shard->waiting_head].deadline <= shard->tick;
}

static uint32_t sweep_waiting(struct zgi_shard *shard, uint32_t budget)
{
	for (; budget > 0 && sweep_has_late_waiting(shard); budget--)
		zgi_connection_refuse_waiting(shard);
	return budget;
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

/* Arenas are added up here, a few a turn: by the thread that uses them, so that nobody else has
 * to touch them, and their users pay nothing. */
static void sweep_arenas(struct zgi_shard *shard)
{
	uint32_t end = shard->exchanges.block_count;
	uint32_t count = SWEEP_ARENAS_A_TURN;

	for (; count > 0 && shard->arenas_left > 0 && shard->arena_hand < end; count--) {
		shard->arenas_left--;
		sweep_arena(shard, shard->arena_hand++);
	}
	if (shard->arena_hand < end)
		return;
	__atomic_store_n(&shard->arenas.live_count, shard->arenas_sum.live_count, __ATOMIC_RELAXED);
	__atomic_store_n(&shard->arenas.live_size, shard->arenas_sum.live_size, __ATOMIC_RELAXED);
	__atomic_store_n(&shard->arenas.held_size, shard->arenas_sum.held_size, __ATOMIC_RELAXED);
	shard->arenas_sum = (struct zgi_shard_arenas){0};
	shard->arena_hand = 0;
	shard->arenas_left = 0;
}

/* So many slots more are due to be looked at; the rest of an earlier tick's is still among them. */
static void sweep_tick(struct zgi_shard *shard)
{
	uint32_t ticks = shard->tick - shard->sweep_tick;
	uint32_t slice = shard->slot_count / SWEEP_ROUND_TICKS + 1;
	uint64_t count;

	shard->sweep_tick = shard->tick;
	if (slice < SWEEP_SLICE_MIN)
		slice = SWEEP_SLICE_MIN;
	count = (uint64_t)slice * ticks + shard->sweep_left;
	shard->sweep_left = count < shard->slot_count ? (uint32_t)count : shard->slot_count;
	shard->sweep_goal = shard->sweep_left;
	shard->sweep_ended = 0;
	shard->arenas_left = SWEEP_ARENAS_A_TICK;
}

void zgi_shard_sweep(struct zgi_shard *shard)
{
	uint32_t budget = SWEEP_ENDED_A_TURN;

	if (shard->tick != shard->sweep_tick)
		sweep_tick(shard);
	budget = sweep_waiting(shard, budget);
	sweep_slots(shard, budget);
	sweep_arenas(shard);
}

uint64_t zgi_shard_sweep_wait_ns(const struct zgi_shard *shard)
{
	if (sweep_has_late_waiting(shard))
		return 0;
	if (shard->sweep_left == 0)
		return UINT64_MAX;
	return sweep_may_end(shard) ? 0 : SWEEP_STEP_NS;
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
		if (shard->connections[index].state == ZGI_CONNECTION_PARKED ||
		    shard->connections[index].state == ZGI_CONNECTION_SUBSCRIBED)
			zgi_connection_end(shard, index, ZG_DISCONNECT_DRAINED);
		else if (shard->connections[index].state == ZGI_CONNECTION_HOT)
			zgi_connection_cool(shard, index);
	}
}
