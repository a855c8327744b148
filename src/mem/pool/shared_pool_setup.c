/*
 * The beginning and the end of a shared pool, and what it tells about itself.
 *
 *	memory    slots | caches | magazines | blocks, each from a line's start on
 */
#include <zerog/shared_pool.h>

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "base/counter.h"
#include "mem/pool/shared_pool_inside.h"
#include "mem/watch/poison.h"
#include "mem/watch/registry.h"

_Static_assert(ZGI_SHARED_POOL_GENERATION_BITS <= ZGI_SLOT_INDEX_SHIFT,
	       "a generation must fit its field");
_Static_assert(ZG_POOL_ALIGNMENT % ZG_LINE_SIZE == 0, "the parts of the memory begin lines");
ZG_ON_ONE_LINE(struct zg_shared_pool, magic, magazines);
ZG_LINES_APART(struct zg_shared_pool, magazines, full);
ZG_LINES_APART(struct zg_shared_pool, full, empty);
ZG_LINES_APART(struct zg_shared_pool, empty, misuse_count);

/* Where the parts are, in bytes from the memory's beginning. */
struct setup_parts {
	size_t caches;
	size_t magazines;
	size_t blocks;
	size_t size;
	uint32_t batch_count;
	uint32_t magazine_count;
	uint32_t magazine_size;
};

static size_t setup_round(size_t size)
{
	return (size + ZG_POOL_ALIGNMENT - 1) & ~(size_t)(ZG_POOL_ALIGNMENT - 1);
}

static uint32_t setup_batch(const struct zg_shared_pool_options *options)
{
	uint32_t batch = options->block_count / (4 * options->threads_max);

	if (options->batch_count != 0)
		return options->batch_count;
	if (batch > ZG_SHARED_POOL_BATCH_DEFAULT)
		return ZG_SHARED_POOL_BATCH_DEFAULT;
	return batch == 0 ? 1 : batch;
}

static bool setup_lay_out(const struct zg_shared_pool_options *options,
			  struct setup_parts *ret_parts)
{
	struct setup_parts parts;
	size_t blocks_size;

	if (options->block_size == 0 || options->block_size > SIZE_MAX - ZG_POOL_ALIGNMENT)
		return false;
	if (options->block_count == 0 || options->block_count > ZG_POOL_BLOCKS_MAX)
		return false;
	if (options->threads_max == 0 || options->threads_max > ZG_SHARED_POOL_THREADS_MAX)
		return false;
	if (options->batch_count > ZG_SHARED_POOL_BATCH_MAX)
		return false;

	parts.batch_count = setup_batch(options);
	/* As many as hold a hint of every block, two in each cache, and two more for each cache's
	 * hints that a thief has made out of date. */
	parts.magazine_count = (options->block_count + parts.batch_count - 1) / parts.batch_count +
			       4 * options->threads_max;
	parts.magazine_size = (uint32_t)setup_round(sizeof(struct zgi_magazine) +
						    parts.batch_count * sizeof(uint64_t));
	/* None of this can overflow: the counts are small. */
	parts.caches = setup_round(options->block_count * sizeof(uint64_t));
	parts.magazines = parts.caches + options->threads_max * sizeof(struct zg_shared_pool_cache);
	parts.blocks = parts.magazines + (size_t)parts.magazine_count * parts.magazine_size;
	if (__builtin_mul_overflow(setup_round(options->block_size), (size_t)options->block_count,
				   &blocks_size) ||
	    __builtin_add_overflow(parts.blocks, blocks_size, &parts.size))
		return false;
	*ret_parts = parts;
	return true;
}

size_t zg_shared_pool_memory_size(const struct zg_shared_pool_options *options)
{
	struct setup_parts parts;

	return setup_lay_out(options, &parts) ? parts.size : 0;
}

static void setup_measure(const struct zg_watched *watched, struct zg_usage *ret_usage)
{
	const struct zg_shared_pool *pool =
		ZGI_WATCHED_OWNER(watched, struct zg_shared_pool, watched);
	uint32_t retired;
	uint64_t taken = zgi_shared_pool_taken(pool, &retired);

	if (taken > pool->block_count)
		taken = pool->block_count;
	ret_usage->name = pool->name != NULL ? pool->name : "";
	ret_usage->live_count = taken;
	ret_usage->count_max = pool->block_count - retired;
	ret_usage->live_size = taken * pool->block_size;
	ret_usage->held_size =
		ret_usage->live_size + (uint64_t)(pool->blocks - (unsigned char *)pool->slots);
	ret_usage->reserved_size = (uint64_t)(pool->blocks - (unsigned char *)pool->slots) +
				   pool->block_count * pool->block_size;
}

static const struct zgi_watch_class setup_class = {.kind = "shared pool", .measure = setup_measure};

/* Two empty magazines for each cache, a hint of every block in the depot's filled ones, the rest
 * of them empty. Of the filled ones the topmost may not be full: so what is below it is. */
static void setup_deal(struct zg_shared_pool *pool)
{
	uint32_t next = 1;
	uint32_t block = pool->block_count;

	for (uint32_t i = 0; i < pool->magazine_count; ++i)
		zgi_shared_pool_magazine(pool, i + 1)->number = i + 1;
	for (uint32_t i = 0; i < pool->threads_max; ++i) {
		pool->caches[i].pool = pool;
		pool->caches[i].depot_low = UINT32_MAX;
		pool->caches[i].loaded = zgi_shared_pool_magazine(pool, next++);
		pool->caches[i].previous = zgi_shared_pool_magazine(pool, next++);
	}
	while (block > 0) {
		struct zgi_magazine *magazine = zgi_shared_pool_magazine(pool, next++);

		/* From the last block down, so that the first is popped first. */
		while (block > 0 && magazine->count < pool->batch_count) {
			--block;
			pool->slots[block] = 1;
			magazine->hints[magazine->count++] =
				(uint64_t)(pool->handle_first + block) << ZGI_SLOT_INDEX_SHIFT | 1;
		}
		zgi_depot_push(pool, &pool->full, magazine);
	}
	while (next <= pool->magazine_count)
		zgi_depot_push(pool, &pool->empty, zgi_shared_pool_magazine(pool, next++));
}

int zg_shared_pool_init(struct zg_shared_pool *pool, const struct zg_shared_pool_options *options)
{
	unsigned char *memory = options->memory;
	struct setup_parts parts;
	int result;

	zg_assert(pool != NULL);
	if (memory == NULL || (uintptr_t)memory % ZG_POOL_ALIGNMENT != 0 || options->tag == 0)
		return -EINVAL;
	if (!setup_lay_out(options, &parts) || options->memory_size < parts.size)
		return -EINVAL;
	if (options->index_first > ZG_POOL_BLOCKS_MAX - options->block_count)
		return -EINVAL;
	result = zgi_shared_pool_key();
	if (result < 0)
		return result;

	memset(memory, 0, parts.blocks);
	*pool = (struct zg_shared_pool){
		.magic = ZGI_SHARED_POOL_MAGIC,
		.block_count = options->block_count,
		.handle_first = (uint32_t)options->tag << 20 | options->index_first,
		.batch_count = parts.batch_count,
		.threads_max = (uint16_t)options->threads_max,
		.has_barrier = zgi_shared_pool_has_barrier(),
		.magazine_size = parts.magazine_size,
		.magazine_count = parts.magazine_count,
		.block_size = setup_round(options->block_size),
		.slots = (uint64_t *)(void *)memory,
		.caches = (struct zg_shared_pool_cache *)(void *)(memory + parts.caches),
		.magazines = memory + parts.magazines,
		.blocks = memory + parts.blocks,
		.name = options->name,
	};
	setup_deal(pool);
	zgi_poison(pool->blocks, pool->block_count * pool->block_size);
	zgi_watch_add(&pool->watched, &setup_class);
	return 0;
}

void zg_shared_pool_fini(struct zg_shared_pool *pool)
{
	uintptr_t self = ZGI_SHARED_POOL_SELF();

	if (pool->magic == 0)
		return;
	zg_assert(pool->magic == ZGI_SHARED_POOL_MAGIC);
	for (uint32_t i = 0; i < pool->threads_max; ++i) {
		uintptr_t thread = __atomic_load_n(&pool->caches[i].thread, __ATOMIC_ACQUIRE);

		if (thread == self)
			zg_shared_pool_detach(&pool->caches[i]);
		else
			zg_assert(thread == 0);
	}
	zgi_watch_remove(&pool->watched);
	zgi_unpoison(pool->blocks, pool->block_count * pool->block_size);
	*pool = (struct zg_shared_pool){0};
}

void zg_shared_pool_counts(const struct zg_shared_pool *pool,
			   struct zg_shared_pool_counts *ret_counts)
{
	struct zg_shared_pool_counts counts = {0};
	uint64_t low = pool->block_count;
	uint64_t taken;

	zg_assert(pool->magic == ZGI_SHARED_POOL_MAGIC);
	taken = zgi_shared_pool_taken(pool, &counts.retired_count);
	if (taken > pool->block_count - counts.retired_count)
		taken = pool->block_count - counts.retired_count;
	counts.taken_count = (uint32_t)taken;
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
