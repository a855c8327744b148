/*
 * The beginning and the end of a shared pool.
 *
 *	memory    slots | tracks | caches | magazines | blocks, all but tracks from a line's
 *	          start on; tracks where the pool is tracked
 */
#include <zerog/shared_pool.h>

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "mem/pool/shared_pool_inside.h"
#include "mem/pool/track.h"
#include "mem/watch/poison.h"

_Static_assert(ZGI_SHARED_POOL_GENERATION_BITS <= ZGI_HANDLE_INDEX_SHIFT,
	       "a generation must fit its field");
_Static_assert(ZG_POOL_ALIGNMENT % ZG_LINE_SIZE == 0, "the parts of the memory begin lines");
ZG_ON_ONE_LINE(struct zg_shared_pool, magic, tracks);
ZG_LINES_APART(struct zg_shared_pool, tracks, full);
ZG_LINES_APART(struct zg_shared_pool, full, empty);
ZG_LINES_APART(struct zg_shared_pool, empty, misuse_count);

/* Where the parts are, in bytes from the memory's beginning. */
struct setup_parts {
	size_t tracks;
	size_t caches;
	size_t magazines;
	size_t blocks;
	size_t size;
	uint32_t batch_count;
	uint32_t magazine_count;
	uint32_t magazine_size;
};

static uint32_t setup_batch(const struct zg_shared_pool_options *options)
{
	uint32_t batch = options->block_count / (4 * options->threads_max);

	if (options->batch_count != 0)
		return options->batch_count;
	if (batch > ZG_SHARED_POOL_BATCH_DEFAULT)
		return ZG_SHARED_POOL_BATCH_DEFAULT;
	return batch == 0 ? 1 : batch;
}

static bool setup_is_to_be_tracked(const struct zg_shared_pool_options *options)
{
	return options->is_tracked || zg_pool_tracks_all();
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
	parts.magazine_size = (uint32_t)ZG_POOL_ROUND(sizeof(struct zgi_magazine) +
						      parts.batch_count * sizeof(uint64_t));
	/* None of this can overflow: the counts are small. */
	parts.tracks = options->block_count * sizeof(uint64_t);
	parts.caches = ZG_POOL_ROUND(parts.tracks +
				     (setup_is_to_be_tracked(options)
					      ? options->block_count * sizeof(struct zgi_pool_track)
					      : 0));
	parts.magazines = parts.caches + options->threads_max * sizeof(struct zg_shared_pool_cache);
	parts.blocks = parts.magazines + (size_t)parts.magazine_count * parts.magazine_size;
	if (__builtin_mul_overflow(ZG_POOL_ROUND(options->block_size), (size_t)options->block_count,
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

/* Two empty magazines for each cache, a hint of every block in the depot's filled ones, the rest
 * of them empty. Of the filled ones the topmost may not be full: so what is below it is. */
static void setup_deal(struct zg_shared_pool *pool, uint64_t generation)
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
			pool->slots[block] = generation;
			magazine->hints[magazine->count++] = (uint64_t)(pool->handle_first + block)
								     << ZGI_HANDLE_INDEX_SHIFT |
							     generation;
		}
		zgi_depot_push(pool, &pool->full, magazine);
	}
	while (next <= pool->magazine_count)
		zgi_depot_push(pool, &pool->empty, zgi_shared_pool_magazine(pool, next++));
}

static int setup_claim(struct zg_shared_pool *pool, const struct zg_shared_pool_options *options,
		       uint64_t *ret_generation)
{
	const struct zgi_handle_wish wish = {
		.index_first = options->index_first,
		.block_count = options->block_count,
		.generation_max = ZGI_SLOT_GENERATION_MAX,
		.tag = options->tag,
	};
	int result = zgi_handles_claim(&pool->handles, &wish, ret_generation);

	if (result == 0)
		pool->handle_first = pool->handles.first;
	return result;
}

/* The least generation that no block of the pool has had. */
static uint64_t setup_generation_unused(const struct zg_shared_pool *pool)
{
	uint64_t unused = 1;

	for (uint32_t number = 0; number < pool->block_count; ++number) {
		uint64_t next = zgi_slot_generation_next(pool->slots[number]);

		if (next == 0)
			return ZGI_SLOT_GENERATION_MAX + 1;
		if (next > unused)
			unused = next;
	}
	return unused;
}

int zg_shared_pool_init(struct zg_shared_pool *pool, const struct zg_shared_pool_options *options)
{
	unsigned char *memory = options->memory;
	struct setup_parts parts;
	uint64_t generation;
	int result;

	zg_assert(pool != NULL);
	if (memory == NULL || (uintptr_t)memory % ZG_POOL_ALIGNMENT != 0)
		return -EINVAL;
	if (!setup_lay_out(options, &parts) || options->memory_size < parts.size)
		return -EINVAL;
	if (options->index_first > ZG_POOL_BLOCKS_MAX - options->block_count)
		return -EINVAL;
	result = zgi_shared_pool_key();
	if (result < 0)
		return result;

	*pool = (struct zg_shared_pool){
		.magic = ZGI_SHARED_POOL_MAGIC,
		.block_count = options->block_count,
		.batch_count = parts.batch_count,
		.threads_max = (uint16_t)options->threads_max,
		.has_barrier = zgi_shared_pool_has_barrier(),
		.magazine_size = parts.magazine_size,
		.magazine_count = parts.magazine_count,
		.block_size = ZG_POOL_ROUND(options->block_size),
		.slots = (uint64_t *)(void *)memory,
		.caches = (struct zg_shared_pool_cache *)(void *)(memory + parts.caches),
		.magazines = memory + parts.magazines,
		.blocks = memory + parts.blocks,
		.block_size_asked = options->block_size,
		.memory_size = parts.size,
		.name = options->name != NULL ? options->name : "unnamed",
	};
	if (setup_is_to_be_tracked(options))
		pool->tracks = (struct zgi_pool_track *)(void *)(memory + parts.tracks);
	result = setup_claim(pool, options, &generation);
	if (result < 0) {
		*pool = (struct zg_shared_pool){0};
		return result;
	}
	memset(memory, 0, parts.blocks);
	setup_deal(pool, generation);
	zgi_poison_pool_open(pool, pool->blocks, pool->block_count * pool->block_size);
	zgi_watch_add(&pool->watched, &zgi_shared_pool_watch_class);
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
	zgi_handles_release(&pool->handles, setup_generation_unused(pool));
	zgi_poison_pool_close(pool, pool->blocks, pool->block_count * pool->block_size);
	*pool = (struct zg_shared_pool){0};
}
