/*
 * Pools of equal blocks, with a generation on every block.
 *
 * Each block has one word, its slot, kept apart from the block itself: so a
 * write past the end of a block cannot forge it, and looking a handle up does
 * not touch the block's memory.
 *
 *	taken    tag | index | generation: the very bits of the block's handle
 *	free     0   | next  | generation of its next handle
 *	retired  0   | 0     | 0
 *
 * A handle is good when its upper 28 bits name a block of this pool and its
 * slot holds exactly its bits. A slot that is not taken never does, because no
 * pool has the tag 0. Generations begin at 1 and never come again: a block
 * whose generations have run out is retired, which at 36 bits takes a service
 * that turns a block over a million times a second 19 hours on that one block.
 */
#include <zerog/pool.h>

#include <errno.h>
#include <stdbool.h>

#include "base/assert.h"
#include "base/counter.h"
#include "mem/watch/fault.h"
#include "mem/watch/poison.h"
#include "mem/watch/probes.h"
#include "mem/watch/registry.h"

/* Tests make it small, to see a block retire. */
#ifndef ZGI_POOL_GENERATION_BITS
#define ZGI_POOL_GENERATION_BITS 36
#endif

#define POOL_MAGIC UINT32_C(0x6c6f6f70)
#define POOL_INDEX_SHIFT 36
#define POOL_TAG_SHIFT 56
#define POOL_GENERATION_MASK ((UINT64_C(1) << POOL_INDEX_SHIFT) - 1)
#define POOL_GENERATION_MAX ((UINT64_C(1) << ZGI_POOL_GENERATION_BITS) - 1)
#define POOL_INDEX_MASK (ZG_POOL_BLOCKS_MAX - 1)
#define POOL_SLOT_RETIRED UINT64_C(0)

_Static_assert(ZGI_POOL_GENERATION_BITS <= POOL_INDEX_SHIFT, "a generation must fit its field");
_Static_assert(sizeof(zg_handle) == 8, "a handle travels in one register");
_Static_assert(sizeof(struct zg_pool) <= 2 * ZG_POOL_ALIGNMENT, "a pool is two cache lines");

static size_t pool_round(size_t size)
{
	return (size + ZG_POOL_ALIGNMENT - 1) & ~(size_t)(ZG_POOL_ALIGNMENT - 1);
}

static bool pool_slot_is_taken(uint64_t slot)
{
	return slot >> POOL_TAG_SHIFT != 0;
}

static zg_handle pool_handle(const struct zg_pool *pool, uint32_t number, uint64_t generation)
{
	return (zg_handle){(uint64_t)(pool->handle_first + number) << POOL_INDEX_SHIFT |
			   generation};
}

/* The number of the block that a handle names: block_count or more when it is not of this pool. */
static uint32_t pool_number(const struct zg_pool *pool, zg_handle handle)
{
	/* Unsigned: what lies below the first block's handle wraps to a huge number. */
	return (uint32_t)(handle.bits >> POOL_INDEX_SHIFT) - pool->handle_first;
}

static unsigned char *pool_block(const struct zg_pool *pool, uint32_t number)
{
	return pool->blocks + number * pool->block_size;
}

static size_t pool_block_size_asked(const struct zg_pool *pool)
{
	return pool->block_size - pool->block_tail;
}

static void pool_measure(const struct zg_watched *watched, struct zg_usage *ret_usage)
{
	const struct zg_pool *pool = ZGI_WATCHED_OWNER(watched, struct zg_pool, watched);
	uint64_t taken_count = pool->block_count - zgi_gauge_read(&pool->free_count) -
			       zgi_gauge_read(&pool->retired_count);

	ret_usage->name = pool->name != NULL ? pool->name : "";
	ret_usage->live_count = taken_count;
	ret_usage->count_max = pool->block_count;
	ret_usage->live_size = taken_count * pool_block_size_asked(pool);
	ret_usage->held_size = taken_count * pool->block_size;
	ret_usage->reserved_size = zg_pool_memory_size(pool->block_size, pool->block_count);
}

static void pool_arm(struct zg_watched *watched, bool is_armed)
{
	struct zg_pool *pool = ZGI_WATCHED_OWNER_MUTABLE(watched, struct zg_pool, watched);

	zgi_gauge_set(&pool->take_floor, is_armed ? UINT32_MAX : 0);
}

static const struct zgi_watch_class pool_class = {
	.kind = "pool", .measure = pool_measure, .arm = pool_arm};

size_t zg_pool_memory_size(size_t block_size, uint32_t block_count)
{
	size_t slots_size = pool_round(block_count * sizeof(uint64_t));
	size_t size;

	if (block_size == 0 || block_size > SIZE_MAX - ZG_POOL_ALIGNMENT)
		return 0;
	if (block_count == 0 || block_count > ZG_POOL_BLOCKS_MAX)
		return 0;
	if (__builtin_mul_overflow(pool_round(block_size), (size_t)block_count, &size))
		return 0;
	if (__builtin_add_overflow(size, slots_size, &size))
		return 0;
	return size;
}

static bool pool_options_are_valid(const struct zg_pool_options *options)
{
	size_t size = zg_pool_memory_size(options->block_size, options->block_count);

	if (options->memory == NULL || (uintptr_t)options->memory % ZG_POOL_ALIGNMENT != 0)
		return false;
	if (size == 0 || options->memory_size < size)
		return false;
	/* No wrap: the size is only known when the count is in range. */
	if (options->index_first > ZG_POOL_BLOCKS_MAX - options->block_count)
		return false;
	return options->tag != 0;
}

int zg_pool_init(struct zg_pool *pool, const struct zg_pool_options *options)
{
	unsigned char *memory = options->memory;

	zg_assert(pool != NULL);
	if (!pool_options_are_valid(options))
		return -EINVAL;

	*pool = (struct zg_pool){
		.magic = POOL_MAGIC,
		.free_count = options->block_count,
		.free_count_low = options->block_count,
		.block_count = options->block_count,
		.handle_first = (uint32_t)options->tag << 20 | options->index_first,
		.block_tail = (uint32_t)(pool_round(options->block_size) - options->block_size),
		.block_size = pool_round(options->block_size),
		.slots = (uint64_t *)(void *)memory,
		.blocks = memory + pool_round(options->block_count * sizeof(uint64_t)),
		.name = options->name,
	};
	/* The last block's link leads nowhere: it is never followed while free_count is right. */
	for (uint32_t i = 0; i < pool->block_count; ++i)
		pool->slots[i] = (uint64_t)((i + 1) & POOL_INDEX_MASK) << POOL_INDEX_SHIFT | 1;
	zgi_poison_pool_open(pool, pool->blocks, pool->block_count * pool->block_size);
	zgi_watch_add(&pool->watched, &pool_class);
	return 0;
}

void zg_pool_fini(struct zg_pool *pool)
{
	if (pool->magic == 0)
		return;
	zg_assert(pool->magic == POOL_MAGIC);
	zgi_watch_remove(&pool->watched);
	zgi_poison_pool_close(pool, pool->blocks, pool->block_count * pool->block_size);
	*pool = (struct zg_pool){0};
}

/* Takes the block at the head of the list, which is not empty. */
static inline int pool_take_head(struct zg_pool *pool, zg_handle *ret_handle, void **ret_block)
{
	uint32_t number = pool->free_head;
	uint64_t slot = pool->slots[number];
	zg_handle handle = pool_handle(pool, number, slot & POOL_GENERATION_MASK);

	pool->slots[number] = handle.bits;
	pool->free_head = (uint32_t)(slot >> POOL_INDEX_SHIFT);
	zgi_gauge_set(&pool->free_count, pool->free_count - 1);
	if (pool->free_count < pool->free_count_low)
		zgi_gauge_set(&pool->free_count_low, pool->free_count);
	zgi_counter_add(&pool->take_count, 1);

	zgi_poison_pool_take(pool, pool_block(pool, number), pool_block_size_asked(pool));
	ZGI_PROBE3(pool_take, pool->name, handle.bits, number);
	*ret_handle = handle;
	if (ret_block != NULL)
		*ret_block = pool_block(pool, number);
	return 0;
}

/* Nothing is free, or a fault is armed. The take ends here: a way back into the quick one would
 * have that save registers for it. */
static int __attribute__((cold, noinline))
pool_take_slowly(struct zg_pool *pool, zg_handle *ret_handle, void **ret_block)
{
	bool is_fault = zgi_gauge_read(&pool->take_floor) > 0 && zgi_fault_is_due(pool->name);

	if (pool->free_count > 0 && !is_fault)
		return pool_take_head(pool, ret_handle, ret_block);
	zgi_counter_add(&pool->refuse_count, 1);
	ZGI_PROBE3(pool_exhaust, pool->name, pool->block_count, is_fault);
	return -ENOMEM;
}

int zg_pool_take(struct zg_pool *pool, zg_handle *ret_handle, void **ret_block)
{
	zg_assert(pool->magic == POOL_MAGIC);
	if (ZG_UNLIKELY(pool->free_count <= zgi_gauge_read(&pool->take_floor)))
		return pool_take_slowly(pool, ret_handle, ret_block);
	return pool_take_head(pool, ret_handle, ret_block);
}

/* What is wrong with a handle that names no taken block. */
static int __attribute__((cold, noinline)) pool_refuse(struct zg_pool *pool, zg_handle handle)
{
	uint64_t generation = handle.bits & POOL_GENERATION_MASK;
	uint32_t number = pool_number(pool, handle);
	uint64_t slot;

	zgi_counter_add(&pool->misuse_count, 1);
	ZGI_PROBE3(pool_misuse, pool->name, handle.bits, number);
	if (number >= pool->block_count || generation == 0 || generation > POOL_GENERATION_MAX)
		return -EINVAL;

	/* A slot holds the generation of its current or else its next handle. */
	slot = pool->slots[number];
	if (slot != POOL_SLOT_RETIRED && generation >= (slot & POOL_GENERATION_MASK))
		return -EINVAL;
	return -ESTALE;
}

int zg_pool_give(struct zg_pool *pool, zg_handle handle)
{
	uint32_t number = pool_number(pool, handle);
	uint64_t generation = handle.bits & POOL_GENERATION_MASK;

	zg_assert(pool->magic == POOL_MAGIC);
	if (ZG_UNLIKELY(number >= pool->block_count || pool->slots[number] != handle.bits))
		return pool_refuse(pool, handle);

	ZGI_PROBE3(pool_give, pool->name, handle.bits, number);
	zgi_poison_pool_give(pool, pool_block(pool, number), pool_block_size_asked(pool));
	if (ZG_UNLIKELY(generation == POOL_GENERATION_MAX)) {
		pool->slots[number] = POOL_SLOT_RETIRED;
		zgi_gauge_set(&pool->retired_count, pool->retired_count + 1);
		return 0;
	}
	pool->slots[number] = (uint64_t)pool->free_head << POOL_INDEX_SHIFT | (generation + 1);
	pool->free_head = number;
	zgi_gauge_set(&pool->free_count, pool->free_count + 1);
	return 0;
}

int zg_pool_renew(struct zg_pool *pool, zg_handle handle, zg_handle *ret_handle)
{
	uint32_t number = pool_number(pool, handle);
	uint64_t generation = handle.bits & POOL_GENERATION_MASK;

	zg_assert(pool->magic == POOL_MAGIC);
	if (ZG_UNLIKELY(number >= pool->block_count || pool->slots[number] != handle.bits))
		return pool_refuse(pool, handle);
	/* The last generation cannot be followed by another: the block keeps its name, and is
	 * retired when it is given back. */
	if (ZG_LIKELY(generation < POOL_GENERATION_MAX))
		++pool->slots[number];
	*ret_handle = (zg_handle){pool->slots[number]};
	return 0;
}

void *zg_pool_get(struct zg_pool *pool, zg_handle handle)
{
	uint32_t number = pool_number(pool, handle);

	zg_assert(pool->magic == POOL_MAGIC);
	if (ZG_UNLIKELY(number >= pool->block_count || pool->slots[number] != handle.bits)) {
		zgi_counter_add(&pool->misuse_count, 1);
		ZGI_PROBE3(pool_misuse, pool->name, handle.bits, number);
		return NULL;
	}
	return pool_block(pool, number);
}

int zg_pool_next(struct zg_pool *pool, uint32_t *cursor, zg_handle *ret_handle, void **ret_block)
{
	zg_assert(pool->magic == POOL_MAGIC);
	for (uint32_t number = *cursor; number < pool->block_count; ++number) {
		if (!pool_slot_is_taken(pool->slots[number]))
			continue;
		*cursor = number + 1;
		*ret_handle = (zg_handle){pool->slots[number]};
		if (ret_block != NULL)
			*ret_block = pool_block(pool, number);
		return 1;
	}
	*cursor = pool->block_count;
	return 0;
}
