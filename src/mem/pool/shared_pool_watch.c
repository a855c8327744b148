/*
 * What a shared pool tells of itself: counts, usage, and who has its blocks.
 */
#include <zerog/shared_pool.h>

#include "base/assert.h"
#include "base/counter.h"
#include "mem/pool/shared_pool_inside.h"
#include "mem/pool/track.h"
#include "mem/watch/leaks.h"

/* In the midst of others' calls the sum can be more than there can be. */
static uint32_t watch_taken_count(const struct zg_shared_pool *pool, uint32_t *ret_retired)
{
	uint64_t taken = zgi_shared_pool_taken(pool, ret_retired);
	uint32_t count_max = pool->block_count - *ret_retired;

	return taken < count_max ? (uint32_t)taken : count_max;
}

static void watch_measure(const struct zg_watched *watched, struct zg_usage *ret_usage)
{
	const struct zg_shared_pool *pool =
		ZGI_WATCHED_OWNER(watched, struct zg_shared_pool, watched);
	size_t bookkeeping_each =
		(size_t)(pool->blocks - (unsigned char *)pool->slots) / pool->block_count;
	uint32_t retired_count;
	uint64_t taken_count = watch_taken_count(pool, &retired_count);

	ret_usage->name = pool->name;
	ret_usage->live_count = taken_count;
	ret_usage->count_max = pool->block_count;
	ret_usage->live_size = taken_count * pool->block_size_asked;
	ret_usage->held_size = taken_count * (pool->block_size + bookkeeping_each);
	ret_usage->reserved_size = pool->memory_size;
}

static void watch_tell_leaks(const struct zg_watched *watched, struct zgi_leaks *leaks)
{
	const struct zg_shared_pool *pool =
		ZGI_WATCHED_OWNER(watched, struct zg_shared_pool, watched);
	struct zgi_leak leak = {.name = pool->name};
	uint32_t retired_count;

	if (pool->tracks == NULL) {
		leak.count = watch_taken_count(pool, &retired_count);
		if (leak.count > 0)
			zgi_leaks_add(leaks, &leak);
		return;
	}
	zgi_tracks_tell(
		&(struct zgi_tracks){
			.name = pool->name,
			.slots = pool->slots,
			.tracks = pool->tracks,
			.block_count = pool->block_count,
			.handle_first = pool->handle_first,
		},
		leaks);
}

static void watch_arm(struct zg_watched *watched, bool is_armed)
{
	struct zg_shared_pool *pool =
		ZGI_WATCHED_OWNER_MUTABLE(watched, struct zg_shared_pool, watched);

	__atomic_store_n(&pool->is_fault_armed, is_armed, __ATOMIC_RELAXED);
}

const struct zgi_watch_class zgi_shared_pool_watch_class = {
	.kind = "shared pool",
	.measure = watch_measure,
	.tell_leaks = watch_tell_leaks,
	.arm = watch_arm,
};

void zg_shared_pool_counts(const struct zg_shared_pool *pool,
			   struct zg_shared_pool_counts *ret_counts)
{
	struct zg_shared_pool_counts counts = {0};
	uint64_t low = pool->block_count;

	zg_assert(pool->magic == ZGI_SHARED_POOL_MAGIC);
	counts.taken_count = watch_taken_count(pool, &counts.retired_count);
	counts.free_count = pool->block_count - counts.retired_count - counts.taken_count;
	counts.misuse_count = zgi_counter_read(&pool->misuse_count);
	for (uint32_t i = 0; i < pool->threads_max; ++i) {
		const struct zg_shared_pool_cache *cache = &pool->caches[i];
		uint64_t depot = (uint64_t)zgi_gauge_read(&cache->depot_low) * pool->batch_count;

		counts.take_count += zgi_counter_read(&cache->take_count);
		counts.give_count += zgi_counter_read(&cache->give_count);
		counts.refuse_count += zgi_counter_read(&cache->refuse_count);
		counts.misuse_count += zgi_counter_read(&cache->misuse_count);
		counts.steal_count += zgi_counter_read(&cache->steal_count);
		counts.attached_count += __atomic_load_n(&cache->thread, __ATOMIC_RELAXED) != 0;
		low = depot < low ? depot : low;
	}
	counts.free_count_low = (uint32_t)low;
	*ret_counts = counts;
}
