/*
 * Shared pools, as the pools are: one a size class, in one region. A thread has a
 * cache in each; the thread that measures attaches first, any other when it first
 * takes or gives.
 */
#include <errno.h>

#include <zerog/shared_pool.h>

#include "remote.h"
#include "zerog.h"

#define SHARED_THREADS_MAX 2
/* Beyond what is live: what rests in the caches and the queue between two threads. */
#define SHARED_SPARE_COUNT (ALLOC_QUEUE_SIZE + 8 * ZG_SHARED_POOL_BATCH_DEFAULT)

static struct zg_region shared_region;
static struct zg_shared_pool shared_pools[ALLOC_CLASS_COUNT];
static _Thread_local struct zg_shared_pool_cache *shared_caches[ALLOC_CLASS_COUNT];

static struct zg_shared_pool_options shared_options(const struct alloc_trace *trace,
						    uint32_t class_index)
{
	return (struct zg_shared_pool_options){
		.name = "bench",
		.block_size = alloc_class_size(class_index),
		.block_count = trace->class_count_max[class_index] + SHARED_SPARE_COUNT,
		.threads_max = SHARED_THREADS_MAX,
		.tag = (uint8_t)(class_index + 1),
	};
}

static int shared_begin(const struct alloc_trace *trace)
{
	size_t size = 0;
	int result;

	for (uint32_t index = 0; index < ALLOC_CLASS_COUNT; index++) {
		struct zg_shared_pool_options options = shared_options(trace, index);

		size += zg_shared_pool_memory_size(&options);
	}
	result = alloc_reserve(&shared_region, size);
	for (uint32_t index = 0; index < ALLOC_CLASS_COUNT && result == 0; index++) {
		struct zg_shared_pool_options options = shared_options(trace, index);

		options.memory_size = zg_shared_pool_memory_size(&options);
		result = zg_region_carve(&shared_region, options.memory_size, ZG_POOL_ALIGNMENT,
					 &options.memory);
		if (result == 0)
			result = zg_shared_pool_init(&shared_pools[index], &options);
	}
	return result;
}

/* The calling thread's cache of a pool. */
static struct zg_shared_pool_cache *shared_cache(uint32_t class_index)
{
	struct zg_shared_pool_cache **cache = &shared_caches[class_index];

	if (__builtin_expect(*cache == NULL, 0) &&
	    zg_shared_pool_attach(&shared_pools[class_index], cache) < 0)
		alloc_die("attaching to a shared pool", EUSERS);
	return *cache;
}

static bool shared_take(struct alloc_slot *slot, size_t size)
{
	zg_handle handle;

	if (zg_shared_pool_take(shared_cache(alloc_class_of(size)), &handle, &slot->memory) < 0)
		return false;
	slot->handle = handle.bits;
	return true;
}

static void shared_give(struct alloc_slot *slot)
{
	zg_handle handle = {slot->handle};
	uint32_t class_index = (uint32_t)alloc_pool_of(handle);

	if (zg_shared_pool_give(shared_cache(class_index), handle) < 0)
		__builtin_trap();
}

ALLOC_LOOPS(shared)
ALLOC_REMOTE(shared)

const struct alloc_subject alloc_shared_pool_subject = {
	.name = "shared-pool",
	.begin = shared_begin,
	ALLOC_LOOPS_OF(shared),
	ALLOC_REMOTE_OF(shared),
};
