/*
 * What the pages look at, summed over the shards, which write their counters without
 * being stopped.
 */

#include "server/admin/admin.h"

#include <stddef.h>

#include <zerog/plan.h>

#include "base/counter.h"

static struct zgi_admin_pool snapshot_pool(const struct zgi_server *server, size_t offset)
{
	struct zgi_admin_pool sum = {0};

	for (uint32_t index = 0; index < server->config.shard_count; index++) {
		const char *shard = (const char *)zgi_admin_shard(server, index);
		const struct zg_pool *pool = (const struct zg_pool *)(const void *)(shard + offset);

		sum.total += pool->block_count;
		sum.free += zgi_gauge_read(&pool->free_count);
		sum.free_low += zgi_gauge_read(&pool->free_count_low);
		sum.refused += zgi_counter_read(&pool->refuse_count);
		sum.misused += zgi_counter_read(&pool->misuse_count);
		sum.retired += zgi_gauge_read(&pool->retired_count);
	}
	return sum;
}

static uint64_t snapshot_waiting(const struct zgi_server *server)
{
	uint64_t sum = 0;

	for (uint32_t index = 0; index < server->config.shard_count; index++)
		sum += zgi_gauge_read(&zgi_admin_shard(server, index)->waiting_count);
	return sum;
}

static uint64_t snapshot_open(const struct zgi_server *server)
{
	uint64_t sum = 0;

	for (uint32_t index = 0; index < server->config.shard_count; index++)
		sum += zgi_gauge_read(&zgi_admin_shard(server, index)->live_count);
	return sum;
}

void zgi_admin_snapshot_read(const struct zgi_server *server,
			     struct zgi_admin_snapshot *ret_snapshot)
{
	*ret_snapshot = (struct zgi_admin_snapshot){
		.exchanges = snapshot_pool(server, offsetof(struct zgi_shard, exchanges)),
		.chunks = snapshot_pool(server, offsetof(struct zgi_shard, chunks)),
		.open = snapshot_open(server),
		.waiting = snapshot_waiting(server),
	};
	zgi_admin_usages_read(server, &ret_snapshot->usages);
	zg_scratch_sites(zgi_admin_spills_add, &ret_snapshot->spills);
	zgi_admin_pause_read(server, &ret_snapshot->pause);
	zgi_server_faults(server, &ret_snapshot->faults);
	zg_seal_counts(&ret_snapshot->seal);
	ret_snapshot->site_count = zg_seal_sites(ret_snapshot->sites, ZG_SEAL_SITES_MAX);
	(void)!zg_memory_resident(&ret_snapshot->resident);
}
