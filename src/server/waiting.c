/*
 * The queue for exchanges. Who waits in it stays unread: the kernel's socket buffer
 * holds what the peer sends. The longest waiting is served first; after
 * exchange_wait_ms_max it is refused.
 *
 * The queue is linked through the slots, so it is as long as the table if need be
 * and costs nothing.
 */

#include "base/counter.h"
#include "server/steps.h"

/* A hand goes round the exchanges to find one that is only kept at the ready: near enough to the
 * longest quiet one, and a hot connection's way in and out costs no more than a counter. */
static void waiting_make_room(struct zgi_shard *shard)
{
	uint32_t count = shard->exchanges.block_count;

	for (uint32_t step = 0; step < count && shard->hot_count > 0; step++) {
		uint32_t number = shard->hot_hand;
		const struct zg_exchange *x = zgi_shard_exchange_at(shard, number);

		shard->hot_hand = number + 1 == count ? 0 : number + 1;
		if (zg_pool_is_taken(&shard->exchanges, number) &&
		    shard->connections[x->connection].state == ZGI_CONNECTION_HOT) {
			zgi_connection_cool(shard, x->connection);
			return;
		}
	}
}

static void waiting_push(struct zgi_shard *shard, uint32_t index)
{
	zgi_connection_enter(shard, index, ZGI_CONNECTION_WAITING, shard->times.exchange_wait);
	shard->connections[index].link = ZGI_CONNECTION_NONE;
	if (shard->waiting_count == 0)
		shard->waiting_head = index;
	else
		shard->connections[shard->waiting_tail].link = index;
	shard->waiting_tail = index;
	zgi_gauge_set(&shard->waiting_count, shard->waiting_count + 1);
	zgi_counter_add(&shard->counters.waited, 1);

	/* A connection that only keeps an exchange at the ready makes room. */
	waiting_make_room(shard);
}

static uint32_t waiting_pop(struct zgi_shard *shard)
{
	uint32_t index = shard->waiting_head;

	zg_assert(shard->waiting_count > 0);
	shard->waiting_head = shard->connections[index].link;
	shard->connections[index].link = ZGI_CONNECTION_NONE;
	zgi_gauge_set(&shard->waiting_count, shard->waiting_count - 1);
	return index;
}

/* Back to the front, its time still running. */
static void waiting_unpop(struct zgi_shard *shard, uint32_t index)
{
	zg_assert(shard->connections[index].state == ZGI_CONNECTION_WAITING);
	if (shard->waiting_count == 0)
		shard->waiting_tail = index;
	else
		shard->connections[index].link = shard->waiting_head;
	shard->waiting_head = index;
	zgi_gauge_set(&shard->waiting_count, shard->waiting_count + 1);
}

/* A request has begun as far as its time is concerned: its first bytes are in the kernel. */
static void waiting_serve(struct zgi_shard *shard, uint32_t index)
{
	zgi_counter_add(&shard->counters.unparked, 1);
	zgi_connection_enter(shard, index, ZGI_CONNECTION_RECEIVING, shard->times.header);
	zgi_connection_recv(shard, index);
}

/* How long the connection has been idle, in ticks. */
static uint32_t waiting_quiet(const struct zgi_shard *shard, uint32_t index)
{
	return shard->tick - (shard->connections[index].deadline - shard->times.idle);
}

void zgi_connection_unpark(struct zgi_shard *shard, uint32_t index)
{
	bool is_rare = waiting_quiet(shard, index) >= shard->times.hot;

	/* Those who wait are served first. */
	if (shard->waiting_count > 0 || !zgi_connection_take(shard, index)) {
		waiting_push(shard, index);
		return;
	}
	zgi_shard_exchange(shard, index)->is_rare = is_rare;
	waiting_serve(shard, index);
}

void zgi_connection_serve_waiting(struct zgi_shard *shard)
{
	while (shard->waiting_count > 0 && shard->exchanges.free_count > 0) {
		uint32_t index = waiting_pop(shard);

		/* One is free, but the pool may have been told to refuse (see zerog/fault.h): who
		 * waits tries again in the next turn, as after any other refusal. */
		if (!zgi_connection_take(shard, index)) {
			waiting_unpop(shard, index);
			return;
		}
		waiting_serve(shard, index);
	}
}

void zgi_connection_refuse_waiting(struct zgi_shard *shard)
{
	zgi_connection_refuse(shard, waiting_pop(shard));
}
