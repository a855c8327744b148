/*
 * Pools: one a size class, each as large as the trace's plan says, in one region
 * that is touched before anything is measured. The tag of a handle says which
 * pool it is of.
 */
#include <zerog/pool.h>

#include "zerog.h"

#define POOL_TAG_SHIFT 56

static struct zg_region pool_region;
static struct zg_pool pools[ALLOC_CLASS_COUNT];

static struct zg_pool_options pool_options(const struct alloc_trace *trace, uint32_t class_index)
{
	return (struct zg_pool_options){
		.name = "bench",
		.block_size = alloc_class_size(class_index),
		.block_count = trace->class_count_max[class_index],
		.tag = (uint8_t)(class_index + 1),
	};
}

static int pool_begin(const struct alloc_trace *trace)
{
	size_t size = 0;
	int result;

	/* Of a class that the trace does not have, a pool needs no memory, and there is none. */
	for (uint32_t index = 0; index < ALLOC_CLASS_COUNT; index++) {
		struct zg_pool_options options = pool_options(trace, index);

		size += zg_pool_memory_size(&options);
	}
	result = alloc_reserve(&pool_region, size);
	for (uint32_t index = 0; index < ALLOC_CLASS_COUNT && result == 0; index++) {
		struct zg_pool_options options = pool_options(trace, index);

		if (options.block_count == 0)
			continue;
		options.memory_size = zg_pool_memory_size(&options);
		result = zg_region_carve(&pool_region, options.memory_size, ZG_POOL_ALIGNMENT,
					 &options.memory);
		if (result == 0)
			result = zg_pool_init(&pools[index], &options);
	}
	return result;
}

static bool pool_take(struct alloc_slot *slot, size_t size)
{
	zg_handle handle;

	if (zg_pool_take(&pools[alloc_class_of(size)], &handle, &slot->memory) < 0)
		return false;
	slot->handle = handle.bits;
	return true;
}

static void pool_give(struct alloc_slot *slot)
{
	zg_handle handle = {slot->handle};

	if (zg_pool_give(&pools[(handle.bits >> POOL_TAG_SHIFT) - 1], handle) < 0)
		__builtin_trap();
}

ALLOC_LOOPS(pool)

const struct alloc_subject alloc_pool_subject = {
	.name = "pool",
	.begin = pool_begin,
	ALLOC_LOOPS_OF(pool),
};
