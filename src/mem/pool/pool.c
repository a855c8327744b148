/*
 * Pools of equal blocks, with a generation on every block.
 *
 * Each block has one word, its slot, kept apart from the block itself: so a
 * write past the end of a block cannot forge it, and looking a handle up does
 * not touch the block's memory.
 *
 *	taken    the bits of the block's handle: tag | index | generation
 *	free     the complement of the bits of its next handle
 *	retired  the complement of a handle with generation 0, which none has
 *
 * A handle is good when its upper 28 bits name a block of this pool and its
 * slot holds exactly its bits. A slot that is not taken never does, because its
 * tag is another. Generations begin at 1 and never come again: a block whose
 * generations have run out is retired. At 36 bits that takes a service that turns
 * one block over a hundred million times a second eleven minutes, a million times a
 * second 19 hours, and ten thousand times a second 80 days; then the pool has one
 * block less, and says so in retired_count.
 *
 * The numbers of the free blocks are a stack. A take and a give each read and write its height,
 * and nothing else that the one before wrote: that chain is what a pair costs, some 2 ns.
 *
 * Most pools are plain: nobody but the pool itself has to see a take or a give. Then the
 * functions in typed_pool.h do it without a call. A pool is watched when it is tracked, while
 * faults are armed for it, or when a tool wants to know which bytes nobody owns. One comparison
 * tells that and that nothing is free: a watched pool has a take_floor that no free_count is
 * above, and a give_limit that no number is below. So has a pool that was never made.
 */
#include <zerog/pool.h>

#include <errno.h>
#include <stdbool.h>

#include "base/assert.h"
#include "base/counter.h"
#include "mem/pool/pool_handle.h"
#include "mem/pool/track.h"
#include "mem/watch/fault.h"
#include "mem/watch/poison.h"
#include "mem/watch/probes.h"

/* Tests make it small, to see a block retire. */
#ifndef ZGI_POOL_GENERATION_BITS
#define ZGI_POOL_GENERATION_BITS 36
#endif

#define POOL_GENERATION_MAX ((UINT64_C(1) << ZGI_POOL_GENERATION_BITS) - 1)

_Static_assert(ZGI_POOL_GENERATION_BITS <= ZGI_HANDLE_INDEX_SHIFT,
	       "a generation must fit its field");
_Static_assert(sizeof(zg_handle) == 8, "a handle travels in one register");
ZG_ON_ONE_LINE(struct zg_pool, free_count, block_count);
_Static_assert(sizeof(uint64_t) + sizeof(struct zgi_pool_track) + sizeof(uint32_t) ==
		       ZG_POOL_BOOKKEEPING_SIZE_MAX,
	       "a block's slot, track and place in the stack");

static void pool_check(const struct zg_pool *pool)
{
	zg_assert(pool->magic == ZGI_POOL_MAGIC);
}

static zg_handle pool_handle(const struct zg_pool *pool, uint32_t number, uint64_t generation)
{
	return (zg_handle){(uint64_t)(pool->handle_first + number) << ZGI_HANDLE_INDEX_SHIFT |
			   generation};
}

/* The number of the block that a handle names: block_count or more when it is not of this pool. */
static uint32_t pool_number(const struct zg_pool *pool, zg_handle handle)
{
	return zgi_handle_number(handle, pool->handle_first);
}

static bool pool_names_a_taken_block(const struct zg_pool *pool, uint32_t number, zg_handle handle)
{
	return ZG_LIKELY(number < pool->block_count && pool->slots[number] == handle.bits);
}

/* The leak report looks at slots from other threads; with what a take wrote before. */
static void pool_slot_set(struct zg_pool *pool, uint32_t number, uint64_t slot)
{
	__atomic_store_n(&pool->slots[number], slot, __ATOMIC_RELEASE);
}

static unsigned char *pool_block(const struct zg_pool *pool, uint32_t number)
{
	return pool->blocks + number * pool->block_size;
}

bool zg_pool_tracks_all(void)
{
#ifdef ZGI_TRACKED
	return true;
#else
	return false;
#endif
}

static bool pool_is_to_be_tracked(const struct zg_pool_options *options)
{
	return options->is_tracked || zg_pool_tracks_all();
}

/* Bytes of slots, tracks and free stack, in this order, which keeps each aligned. */
static size_t pool_bookkeeping_size(const struct zg_pool_options *options)
{
	size_t each = sizeof(uint64_t) + sizeof(uint32_t);

	if (pool_is_to_be_tracked(options))
		each += sizeof(struct zgi_pool_track);
	return ZG_POOL_ROUND(options->block_count * each);
}

size_t zg_pool_memory_size(const struct zg_pool_options *options)
{
	size_t size;

	if (options->block_size == 0 || options->block_size > SIZE_MAX - ZG_POOL_ALIGNMENT)
		return 0;
	if (options->block_count == 0 || options->block_count > ZG_POOL_BLOCKS_MAX)
		return 0;
	if (__builtin_mul_overflow(ZG_POOL_ROUND(options->block_size), (size_t)options->block_count,
				   &size))
		return 0;
	if (__builtin_add_overflow(size, pool_bookkeeping_size(options), &size))
		return 0;
	return size;
}

static bool pool_options_are_valid(const struct zg_pool_options *options)
{
	size_t size = zg_pool_memory_size(options);

	if (options->memory == NULL || (uintptr_t)options->memory % ZG_POOL_ALIGNMENT != 0)
		return false;
	if (size == 0 || options->memory_size < size)
		return false;
	/* No wrap: the size is only known when the count is in range. */
	return options->index_first <= ZG_POOL_BLOCKS_MAX - options->block_count;
}

/* Cuts the bookkeeping and the blocks from the memory; the first block is taken first. */
static void pool_carve(struct zg_pool *pool, const struct zg_pool_options *options,
		       uint64_t generation)
{
	unsigned char *cursor = options->memory;
	uint32_t count = options->block_count;

	pool->slots = (uint64_t *)(void *)cursor;
	cursor += count * sizeof(uint64_t);
	if (pool_is_to_be_tracked(options)) {
		pool->tracks = (struct zgi_pool_track *)(void *)cursor;
		cursor += count * sizeof(struct zgi_pool_track);
		memset(pool->tracks, 0, count * sizeof(struct zgi_pool_track));
	}
	pool->free_stack = (uint32_t *)(void *)cursor;
	pool->blocks = (unsigned char *)options->memory + pool_bookkeeping_size(options);
	for (uint32_t i = 0; i < count; ++i) {
		pool->slots[i] = ~pool_handle(pool, i, generation).bits;
		pool->free_stack[i] = count - 1 - i;
	}
}

int zg_pool_init(struct zg_pool *pool, const struct zg_pool_options *options)
{
	const struct zgi_handle_wish wish = {
		.index_first = options->index_first,
		.block_count = options->block_count,
		.generation_max = POOL_GENERATION_MAX,
		.tag = options->tag,
	};
	uint64_t generation;
	int result;

	zg_assert(pool != NULL);
	if (!pool_options_are_valid(options))
		return -EINVAL;

	*pool = (struct zg_pool){
		.magic = ZGI_POOL_MAGIC,
		.free_count = options->block_count,
		.free_count_low = options->block_count,
		.block_count = options->block_count,
		.block_size = ZG_POOL_ROUND(options->block_size),
		.block_size_asked = options->block_size,
		.memory_size = zg_pool_memory_size(options),
		.name = options->name != NULL ? options->name : "unnamed",
	};
	result = zgi_handles_claim(&pool->handles, &wish, &generation);
	if (result < 0) {
		*pool = (struct zg_pool){0};
		return result;
	}
	pool->handle_first = pool->handles.first;
	pool_carve(pool, options, generation);
	zgi_pool_arm(&pool->watched, false);
	zgi_poison_pool_open(pool, pool->blocks, pool->block_count * pool->block_size);
	zgi_watch_add(&pool->watched, &zgi_pool_watch_class);
	return 0;
}

void zgi_pool_arm(struct zg_watched *watched, bool is_armed)
{
	struct zg_pool *pool = ZGI_WATCHED_OWNER_MUTABLE(watched, struct zg_pool, watched);
	bool is_plain = pool->tracks == NULL && !is_armed;

#ifdef ZGI_HAS_POISON
	is_plain = false;
#endif
	zgi_gauge_set(&pool->is_armed, is_armed);
	zgi_gauge_set(&pool->take_floor, is_plain ? 0 : UINT32_MAX);
	zgi_gauge_set(&pool->give_limit, is_plain ? pool->block_count : 0);
}

/* The generation of a block's next handle; 0: it is retired, and had them all. */
static uint64_t pool_generation_next(const struct zg_pool *pool, uint32_t number)
{
	if (zg_pool_is_taken(pool, number))
		return (pool->slots[number] & ZGI_HANDLE_GENERATION_MASK) + 1;
	return ~pool->slots[number] & ZGI_HANDLE_GENERATION_MASK;
}

/* The least generation that no block of the pool has had. */
static uint64_t pool_generation_unused(const struct zg_pool *pool)
{
	uint64_t unused = 1;

	for (uint32_t number = 0; number < pool->block_count; ++number) {
		uint64_t next = pool_generation_next(pool, number);

		if (next == 0)
			return POOL_GENERATION_MAX + 1;
		if (next > unused)
			unused = next;
	}
	return unused;
}

void zg_pool_fini(struct zg_pool *pool)
{
	if (pool->magic == 0)
		return;
	pool_check(pool);
	zgi_watch_remove(&pool->watched);
	zgi_handles_release(&pool->handles, pool_generation_unused(pool));
	zgi_poison_pool_close(pool, pool->blocks, pool->block_count * pool->block_size);
	*pool = (struct zg_pool){0};
}

/* Takes the block on top. Inlined twice, so that a plain pool pays nothing for what a watched one
 * does, not even the saving of registers around its calls. */
static inline __attribute__((always_inline)) void pool_take_top(struct zg_pool *pool,
								const void *site,
								zg_handle *ret_handle,
								void **ret_block)
{
	uint32_t free_count = pool->free_count - 1;
	uint32_t number = pool->free_stack[free_count];
	zg_handle handle = {~pool->slots[number]};

	if (site != NULL)
		zgi_track_take(&pool->tracks[number], site);
	pool_slot_set(pool, number, handle.bits);
	zgi_gauge_set(&pool->free_count, free_count);
	if (ZG_UNLIKELY(free_count < pool->free_count_low))
		zgi_gauge_set(&pool->free_count_low, free_count);

	zgi_poison_pool_take(pool, pool_block(pool, number), pool->block_size_asked);
	ZGI_PROBE3(pool_take, pool->name, handle.bits, number);
	*ret_handle = handle;
	if (ret_block != NULL)
		*ret_block = pool_block(pool, number);
}

int __attribute__((noinline))
zgi_pool_take_for(struct zg_pool *pool, const void *site, zg_handle *ret_handle, void **ret_block)
{
	bool is_fault;

	pool_check(pool);
	is_fault = zgi_gauge_read(&pool->is_armed) != 0 && zgi_fault_is_due(pool->name);
	if (pool->free_count == 0 || is_fault) {
		zgi_counter_add(&pool->refuse_count, 1);
		ZGI_PROBE3(pool_exhaust, pool->name, pool->block_count, is_fault);
		return -ENOMEM;
	}
	pool_take_top(pool, pool->tracks != NULL ? site : NULL, ret_handle, ret_block);
	return 0;
}

int zg_pool_take(struct zg_pool *pool, zg_handle *ret_handle, void **ret_block)
{
	if (ZG_UNLIKELY(pool->free_count <= zgi_gauge_read(&pool->take_floor)))
		return zgi_pool_take_for(pool, __builtin_return_address(0), ret_handle, ret_block);
	pool_take_top(pool, NULL, ret_handle, ret_block);
	return 0;
}

/* What is wrong with a handle that names no taken block. */
static int pool_error(const struct zg_pool *pool, uint32_t number, zg_handle handle)
{
	if (number >= pool->block_count)
		return -EINVAL;
	return zgi_handle_error(handle, pool_generation_next(pool, number), POOL_GENERATION_MAX);
}

static int __attribute__((cold, noinline))
pool_refuse(struct zg_pool *pool, zg_handle handle, enum zg_pool_act act, const void *site)
{
	uint32_t number = pool_number(pool, handle);
	struct zg_pool_misuse misuse = {
		.pool_name = pool->name,
		.is_tracked = pool->tracks != NULL,
		.handle = handle,
		.act = act,
		.error = pool_error(pool, number, handle),
		.site = site,
	};

	zgi_counter_add(&pool->misuse_count, 1);
	ZGI_PROBE3(pool_misuse, pool->name, handle.bits, number);
	zgi_pool_track_misuse(pool, number, &misuse);
	return misuse.error;
}

/* A block whose handle had the last generation is never taken again. */
static int __attribute__((cold, noinline)) pool_retire(struct zg_pool *pool, uint32_t number)
{
	pool_slot_set(pool, number, ~pool_handle(pool, number, 0).bits);
	zgi_gauge_set(&pool->retired_count, pool->retired_count + 1);
	return 0;
}

/* Puts a taken block on top. */
static inline __attribute__((always_inline)) int pool_give_top(struct zg_pool *pool,
							       uint32_t number, zg_handle handle)
{
	uint32_t free_count = pool->free_count;
	uint64_t bits_next = handle.bits + 1;

	ZGI_PROBE3(pool_give, pool->name, handle.bits, number);
	zgi_poison_pool_give(pool, pool_block(pool, number), pool->block_size_asked);
	/* After the last generation comes one that wraps to 0. */
	if (ZG_UNLIKELY((bits_next & POOL_GENERATION_MAX) == 0))
		return pool_retire(pool, number);
	pool_slot_set(pool, number, ~bits_next);
	pool->free_stack[free_count] = number;
	zgi_gauge_set(&pool->free_count, free_count + 1);
	return 0;
}

/* On behalf of who is at `site`. */
static int __attribute__((noinline))
pool_give_watched(struct zg_pool *pool, const void *site, zg_handle handle)
{
	uint32_t number = pool_number(pool, handle);

	pool_check(pool);
	if (!pool_names_a_taken_block(pool, number, handle))
		return pool_refuse(pool, handle, ZG_POOL_GIVE, site);
	if (pool->tracks != NULL)
		zgi_track_give(&pool->tracks[number], site);
	return pool_give_top(pool, number, handle);
}

int zg_pool_give(struct zg_pool *pool, zg_handle handle)
{
	uint32_t number = pool_number(pool, handle);

	if (ZG_UNLIKELY(number >= zgi_gauge_read(&pool->give_limit) ||
			pool->slots[number] != handle.bits))
		return pool_give_watched(pool, __builtin_return_address(0), handle);
	return pool_give_top(pool, number, handle);
}

int zg_pool_renew(struct zg_pool *pool, zg_handle handle, zg_handle *ret_handle)
{
	uint32_t number = pool_number(pool, handle);

	pool_check(pool);
	if (!pool_names_a_taken_block(pool, number, handle))
		return pool_refuse(pool, handle, ZG_POOL_RENEW, __builtin_return_address(0));
	if (ZG_UNLIKELY(pool->tracks != NULL)) {
		zgi_track_give(&pool->tracks[number], __builtin_return_address(0));
		zgi_track_take(&pool->tracks[number], __builtin_return_address(0));
	}
	/* The last generation cannot be followed by another: the block keeps its name, and is
	 * retired when it is given back. */
	if (ZG_LIKELY((handle.bits & ZGI_HANDLE_GENERATION_MASK) < POOL_GENERATION_MAX))
		++handle.bits;
	pool_slot_set(pool, number, handle.bits);
	*ret_handle = handle;
	return 0;
}

void *zg_pool_get(struct zg_pool *pool, zg_handle handle)
{
	uint32_t number = pool_number(pool, handle);

	pool_check(pool);
	if (!pool_names_a_taken_block(pool, number, handle)) {
		(void)pool_refuse(pool, handle, ZG_POOL_GET, __builtin_return_address(0));
		return NULL;
	}
	return pool_block(pool, number);
}

int zg_pool_next(struct zg_pool *pool, uint32_t *cursor, zg_handle *ret_handle, void **ret_block)
{
	pool_check(pool);
	for (uint32_t number = *cursor; number < pool->block_count; ++number) {
		if (!zg_pool_is_taken(pool, number))
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
