/*
 * Typed pools: what a program uses whose objects are structs of its own, and whose
 * takes and gives are inline. Objects of one size are of one type; the mixture has
 * no types, and goes to a pool a size class with the same functions.
 */
#include <zerog/typed_pool.h>

#include "zerog.h"

struct small {
	unsigned char bytes[64];
};

struct medium {
	unsigned char bytes[1024];
};

ZG_TYPED_POOL(small, struct small);
ZG_TYPED_POOL(medium, struct medium);

static struct zg_region typed_region;
static struct small_pool small_objects;
static struct medium_pool medium_objects;
static struct zg_pool mixed_pools[ALLOC_CLASS_COUNT];

static int small_begin(const struct alloc_trace *trace)
{
	return alloc_make_pool(&typed_region, &small_objects.untyped, sizeof(struct small),
			       trace->live_count);
}

static bool small_take(struct alloc_slot *slot, size_t size)
{
	small_handle handle;
	struct small *object;

	(void)size;
	if (small_pool_take(&small_objects, &handle, &object) < 0)
		return false;
	*slot = (struct alloc_slot){object, handle.untyped.bits};
	return true;
}

static void small_give(struct alloc_slot *slot)
{
	if (small_pool_give(&small_objects, (small_handle){{slot->handle}}) < 0)
		__builtin_trap();
}

ALLOC_LOOPS(small)

const struct alloc_subject alloc_typed_pool_64_subject = {
	.name = "typed-pool-64",
	.begin = small_begin,
	ALLOC_LOOPS_OF(small),
};

static int medium_begin(const struct alloc_trace *trace)
{
	return alloc_make_pool(&typed_region, &medium_objects.untyped, sizeof(struct medium),
			       trace->live_count);
}

static bool medium_take(struct alloc_slot *slot, size_t size)
{
	medium_handle handle;
	struct medium *object;

	(void)size;
	if (medium_pool_take(&medium_objects, &handle, &object) < 0)
		return false;
	*slot = (struct alloc_slot){object, handle.untyped.bits};
	return true;
}

static void medium_give(struct alloc_slot *slot)
{
	if (medium_pool_give(&medium_objects, (medium_handle){{slot->handle}}) < 0)
		__builtin_trap();
}

ALLOC_LOOPS(medium)

const struct alloc_subject alloc_typed_pool_1024_subject = {
	.name = "typed-pool-1024",
	.begin = medium_begin,
	ALLOC_LOOPS_OF(medium),
};

static int mixed_begin(const struct alloc_trace *trace)
{
	return alloc_make_pools(&typed_region, mixed_pools, trace);
}

static bool mixed_take(struct alloc_slot *slot, size_t size)
{
	zg_handle handle;
	void *block;

	if (zg_pool_take_inline(&mixed_pools[alloc_class_of(size)], &handle, &block) < 0)
		return false;
	*slot = (struct alloc_slot){block, handle.bits};
	return true;
}

static void mixed_give(struct alloc_slot *slot)
{
	zg_handle handle = {slot->handle};

	if (zg_pool_give_inline(&mixed_pools[alloc_pool_of(handle)], handle) < 0)
		__builtin_trap();
}

ALLOC_LOOPS(mixed)

const struct alloc_subject alloc_typed_pool_0_subject = {
	.name = "typed-pool-0",
	.begin = mixed_begin,
	ALLOC_LOOPS_OF(mixed),
};
