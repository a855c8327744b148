/*
 * Time-outs without a timer a connection: a hand goes round the flat table, a
 * slice a tick, and compares one 32-bit deadline a slot. Connections that have a
 * queue (those that wait for an exchange, those that keep one at the ready) are
 * looked at from the head of it, so their short times are kept exactly.
 */

#include <zerog/pool.h>

#include "base/assert.h"
#include "base/counter.h"
#include "server/shard.h"

#define SWEEP_SLICE_MIN 4096 /* slots a tick: 64 KB of table, about 4 us */
#define SWEEP_ROUND_TICKS 10 /* the whole table is seen once in so many ticks */

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

static void sweep_hot(struct zgi_shard *shard)
{
	while (!zgi_list_is_empty(&shard->hot)) {
		struct zg_exchange *x =
			ZGI_CONTAINER_OF(zgi_list_first(&shard->hot), struct zg_exchange, hot_link);

		if (shard->connections[x->connection].deadline > shard->tick)
			return;
		zgi_connection_cool(shard, x->connection);
	}
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
	sweep_hot(shard);
	sweep_slice(shard, (uint32_t)count);
}

/* Insert into the victims, which are sorted by deadline, the latest falling out. */
static void victims_insert(struct zgi_shard *shard, struct zgi_victim victim)
{
	uint32_t place = shard->victim_count;

	if (place == ZGI_VICTIMS_MAX) {
		if (shard->victims[place - 1].deadline <= victim.deadline)
			return;
		place--;
	} else {
		shard->victim_count++;
	}
	while (place > 0 && shard->victims[place - 1].deadline > victim.deadline) {
		shard->victims[place] = shard->victims[place - 1];
		place--;
	}
	shard->victims[place] = victim;
}

/* One pass over the table finds enough of the oldest for many evictions to come. */
static void victims_choose(struct zgi_shard *shard)
{
	shard->victim_count = 0;
	shard->victim_next = 0;
	for (uint32_t index = 0; index < shard->slot_count; index++) {
		const struct zgi_connection *connection = &shard->connections[index];

		if (connection->state == ZGI_CONNECTION_PARKED && connection->deadline < UINT32_MAX)
			victims_insert(shard, (struct zgi_victim){
						      .index = index,
						      .generation = connection->generation,
						      .deadline = connection->deadline,
					      });
	}
}

/* The first victim that is still as idle as when it was chosen. */
static bool victims_first(struct zgi_shard *shard, uint32_t *ret_index)
{
	for (; shard->victim_next < shard->victim_count; shard->victim_next++) {
		const struct zgi_victim *victim = &shard->victims[shard->victim_next];
		const struct zgi_connection *connection = &shard->connections[victim->index];

		if (connection->state == ZGI_CONNECTION_PARKED &&
		    connection->generation == victim->generation &&
		    connection->deadline == victim->deadline) {
			*ret_index = victim->index;
			return true;
		}
	}
	return false;
}

/* Among those that keep an exchange at the ready, the first is the one that is quiet the longest:
 * does it make room rather than the parked one, if there is any? In a burst of connections most
 * are of this kind, and the only parked ones are those that have just come. */
static bool sweep_prefers_hot(const struct zgi_shard *shard, const uint32_t *parked,
			      uint32_t *ret_index)
{
	if (zgi_list_is_empty(&shard->hot))
		return false;

	uint32_t index = ZGI_CONTAINER_OF(zgi_list_first(&shard->hot), struct zg_exchange, hot_link)
				 ->connection;
	uint32_t quiet_since = shard->connections[index].deadline - shard->times.hot;

	if (parked != NULL &&
	    quiet_since > shard->connections[*parked].deadline - shard->times.idle)
		return false;
	*ret_index = index;
	return true;
}

bool zgi_shard_evict(struct zgi_shard *shard)
{
	uint32_t index;
	bool has_parked = victims_first(shard, &index);

	if (!has_parked) {
		victims_choose(shard);
		has_parked = victims_first(shard, &index);
	}
	if (!sweep_prefers_hot(shard, has_parked ? &index : NULL, &index) && !has_parked)
		return false;
	zgi_connection_evict(shard, index);
	return true;
}

void zgi_shard_end_idle(struct zgi_shard *shard)
{
	for (uint32_t index = 0; index < shard->slot_count; index++)
		if (shard->connections[index].state == ZGI_CONNECTION_PARKED)
			zgi_connection_end(shard, index);
	while (!zgi_list_is_empty(&shard->hot))
		zgi_connection_cool(shard, ZGI_CONTAINER_OF(zgi_list_first(&shard->hot),
							    struct zg_exchange, hot_link)
						   ->connection);
}
