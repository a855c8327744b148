/*
 * The steps that are not on every request's way, and so need not be inline.
 */

#include "server/steps.h"

#include "base/counter.h"
#include "server/subscriber.h"
#include "server/tell.h"

void zgi_connection_close(struct zgi_shard *shard, uint32_t index, enum zg_disconnect why)
{
	struct zgi_connection *connection = &shard->connections[index];

	zg_assert(connection->state != ZGI_CONNECTION_FREE);
	zgi_io_close(shard->io, index);
	zgi_connection_enter(shard, index, ZGI_CONNECTION_FREE, UINT32_MAX);
	zgi_gauge_set(&shard->live_count, shard->live_count - 1);
	zgi_counter_add(&shard->counters.closed, 1);
	if (ZG_UNLIKELY(shard->has_connection_hooks))
		zgi_tell_disconnected(shard, index, why);
}

void zgi_connection_park(struct zgi_shard *shard, uint32_t index, uint32_t idle_since)
{
	if (shard->is_draining) {
		zgi_connection_close(shard, index, ZG_DISCONNECT_DRAINED);
		return;
	}
	zgi_connection_enter(shard, index, ZGI_CONNECTION_PARKED, 0);
	shard->connections[index].deadline = idle_since + shard->times.idle;
	zgi_counter_add(&shard->counters.parked, 1);
	zgi_io_poll(shard->io, index, zgi_connection_tag(shard, index));
}

bool zgi_connection_take(struct zgi_shard *shard, uint32_t index)
{
	zg_handle handle;
	void *block;

	if (zg_pool_take(&shard->exchanges, &handle, &block) < 0)
		return false;

	struct zg_exchange *x = block;

	zgi_exchange_init(x, &shard->web, &shard->chunks, handle);
	x->connection = index;
	x->connection_number = zgi_connection_number(shard, index);
	shard->connections[index].link =
		zg_handle_index(handle) - shard->index * shard->exchanges.block_count;
	shard->connections[index].phase_timed = 0;
	return true;
}

void zgi_connection_give(struct zgi_shard *shard, uint32_t index)
{
	if (shard->connections[index].link & ZGI_CONNECTION_SUBSCRIBER) {
		zgi_subscriber_give(shard,
				    shard->connections[index].link & ~ZGI_CONNECTION_SUBSCRIBER);
		shard->connections[index].link = ZGI_CONNECTION_NONE;
		return;
	}

	struct zg_exchange *x = zgi_shard_exchange(shard, index);
	zg_handle handle = x->handle;

	if (ZG_UNLIKELY(x->hand_over != 0))
		zgi_subscriber_give(shard, x->hand_over - 1);

	zgi_exchange_fini(x);

	int result = zg_pool_give(&shard->exchanges, handle);

	zg_assert(result == 0);
	shard->connections[index].link = ZGI_CONNECTION_NONE;
}

void zgi_connection_abandon(struct zgi_shard *shard, uint32_t index, enum zg_disconnect why)
{
	zgi_connection_give(shard, index);
	zgi_connection_close(shard, index, why);
}
