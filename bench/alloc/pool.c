/*
 * Pools by their functions, one a size class.
 */
#include "zerog.h"

static struct zg_region pool_region;
static struct zg_pool pools[ALLOC_CLASS_COUNT];

static int pool_begin(const struct alloc_trace *trace)
{
	return alloc_make_pools(&pool_region, pools, trace);
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

	if (zg_pool_give(&pools[alloc_pool_of(handle)], handle) < 0)
		__builtin_trap();
}

ALLOC_LOOPS(pool)

const struct alloc_subject alloc_pool_subject = {
	.name = "pool",
	.begin = pool_begin,
	ALLOC_LOOPS_OF(pool),
};
