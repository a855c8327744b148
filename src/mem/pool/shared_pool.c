/*
 * A pool for many threads: taking and giving.
 *
 * Each block has one word, its slot, as in pool.c, and that word alone decides who
 * has the block:
 *
 *	taken     tag | index | generation: the very bits of the block's handle
 *	free      0   | 0     | generation of its next handle
 *	giving    0   | 1     | generation of its next handle
 *	stealing  0   | 2     | generation of its next handle
 *	retired   0   | 0     | 0
 *
 * To give a block is to change its slot from taken to giving by compare-and-exchange:
 * so of two who try, exactly one succeeds. Between giving and free the giver still has
 * the block, and tells the tools that nobody may touch it.
 *
 * To take a block that one's own magazine has a hint of needs no such instruction,
 * which would wait until all that the thread has written before is out of its store
 * buffer: 50 ns for each block that another thread had last, and no work done
 * meanwhile. Nobody else has the hint, so only a thief can be in the way, and thieves
 * are rare: the thief pays for both (see shared_pool_steal.c).
 *
 * Everything else (see shared_pool_inside.h) only tells where to look first. The fast
 * paths touch the thread's own cache and magazine, and one word of the slots. Batches
 * keep their order, so slots that travel together from thread to thread lie on the
 * same lines.
 *
 * Memory order  A giver's store of `free` releases, a taker's look at it acquires: what
 *               was done to the block before the one is seen after the other. Who
 *               gives has the handle from who took, and the order with it.
 */
#include <zerog/shared_pool.h>

#include <errno.h>

#include "base/assert.h"
#include "base/counter.h"
#include "mem/pool/shared_pool_inside.h"
#include "mem/pool/track.h"
#include "mem/watch/fault.h"
#include "mem/watch/poison.h"
#include "mem/watch/probes.h"

__thread char zgi_shared_pool_mark __attribute__((tls_model("initial-exec")));

static unsigned char *shared_pool_block(const struct zg_shared_pool *pool, uint32_t number)
{
	return pool->blocks + number * pool->block_size;
}

/* The number of the block that a handle names: block_count or more when it is not of this pool. */
static uint32_t shared_pool_number(const struct zg_shared_pool *pool, zg_handle handle)
{
	return zgi_handle_number(handle, pool->handle_first);
}

/* One writer. Release: who reads the sum sees what was done before it was counted; see
 * zgi_shared_pool_taken(). */
static void shared_pool_count(uint64_t *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELEASE);
}

/* A magazine's fields are its owner's, but for thieves, who only look. */
static void magazine_push(struct zgi_magazine *magazine, uint64_t hint)
{
	uint32_t count = magazine->count;

	ZGI_SHARED_POOL_STEP();
	__atomic_store_n(&magazine->hints[count], hint, __ATOMIC_RELAXED);
	__atomic_store_n(&magazine->count, count + 1, __ATOMIC_RELAXED);
}

static uint64_t magazine_pop(struct zgi_magazine *magazine)
{
	uint32_t count = magazine->count - 1;

	ZGI_SHARED_POOL_STEP();
	__atomic_store_n(&magazine->count, count, __ATOMIC_RELAXED);
	return magazine->hints[count];
}

static void cache_load(struct zg_shared_pool_cache *cache, struct zgi_magazine *loaded,
		       struct zgi_magazine *previous)
{
	ZGI_SHARED_POOL_STEP();
	__atomic_store_n(&cache->loaded, loaded, __ATOMIC_RELAXED);
	__atomic_store_n(&cache->previous, previous, __ATOMIC_RELAXED);
}

/* Have hints in the loaded magazine, which is empty. Return: false when there are none. */
static bool __attribute__((noinline)) cache_refill(struct zg_shared_pool_cache *cache)
{
	struct zg_shared_pool *pool = cache->pool;
	struct zgi_magazine *magazine;

	if (cache->previous->count > 0) {
		cache_load(cache, cache->previous, cache->loaded);
		return true;
	}
	magazine = zgi_depot_pop(pool, &pool->full);
	if (magazine == NULL) {
		zgi_gauge_set(&cache->depot_low, 0);
		return false;
	}
	if (magazine->depth - 1 < cache->depot_low)
		zgi_gauge_set(&cache->depot_low, magazine->depth - 1);
	zgi_depot_push(pool, &pool->empty, cache->loaded);
	cache_load(cache, magazine, cache->previous);
	return true;
}

/* Have room in the loaded magazine, which is filled. Return: false when there is none. */
static bool __attribute__((noinline)) cache_unload(struct zg_shared_pool_cache *cache)
{
	struct zg_shared_pool *pool = cache->pool;
	struct zgi_magazine *magazine;

	if (cache->previous->count == 0) {
		cache_load(cache, cache->previous, cache->loaded);
		return true;
	}
	magazine = zgi_depot_pop(pool, &pool->empty);
	if (magazine == NULL)
		return false;
	zgi_depot_push(pool, &pool->full, cache->previous);
	cache_load(cache, magazine, cache->loaded);
	return true;
}

/*
 * Take the block of a hint from the own magazine, as long as no thief is at it. The thread says
 * which block it is about to take, looks whether that is free, and takes it. A thief marks the
 * slot, lets every thread pass a barrier, and then looks who is about to take the block: so either
 * the thief sees that, and lets go, or this thread sees the thief's mark.
 *
 * Release on `claiming`: who sees that this thread has gone on to another block sees this one's
 * slot as taken.
 */
static bool cache_claim(struct zg_shared_pool_cache *cache, uint64_t hint)
{
	const struct zg_shared_pool *pool = cache->pool;
	uint64_t *slot = &pool->slots[shared_pool_number(pool, (zg_handle){hint})];
	uint64_t free = hint & ZGI_HANDLE_GENERATION_MASK;

	ZGI_SHARED_POOL_STEP();
	if (ZG_UNLIKELY(!pool->has_barrier))
		return __atomic_compare_exchange_n(slot, &free, hint, false, __ATOMIC_ACQUIRE,
						   __ATOMIC_RELAXED);
	__atomic_store_n(&cache->claiming, hint, __ATOMIC_RELEASE);
	/* Keeps the compiler from turning the two round; the thief sees to the processor. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	ZGI_SHARED_POOL_STEP();
	if (ZG_UNLIKELY(__atomic_load_n(slot, __ATOMIC_ACQUIRE) != free)) {
		/* It is the thief's, who must not be kept from it by our name on it. In one order
		 * with what we may look at next, so that one of us finds the block. */
		__atomic_exchange_n(&cache->claiming, 0, __ATOMIC_SEQ_CST);
		return false;
	}
	ZGI_SHARED_POOL_STEP();
	__atomic_store_n(slot, hint, __ATOMIC_RELAXED);
	return true;
}

/* A refusal, real or made. */
static int __attribute__((cold, noinline))
shared_pool_exhaust(struct zg_shared_pool_cache *cache, bool is_fault)
{
	zgi_counter_add(&cache->refuse_count, 1);
	ZGI_PROBE3(shared_exhaust, cache->pool->name, cache->pool->block_count, is_fault);
	return -ENOMEM;
}

/* A block when the own cache has none. */
static int __attribute__((noinline))
shared_pool_take_slowly(struct zg_shared_pool_cache *cache, zg_handle *ret_handle)
{
	if (!zgi_shared_pool_steal(cache, ret_handle))
		return shared_pool_exhaust(cache, false);
	zgi_counter_add(&cache->steal_count, 1);
	return 0;
}

/* In tail position, so that a take in a pool that is not tracked saves no registers for it. */
static int __attribute__((cold, noinline))
shared_pool_track(const struct zg_shared_pool *pool, uint32_t number, const void *site)
{
	zgi_track_take(&pool->tracks[number], site);
	return 0;
}

int zg_shared_pool_take(struct zg_shared_pool_cache *cache, zg_handle *ret_handle, void **ret_block)
{
	struct zg_shared_pool *pool = cache->pool;
	zg_handle handle;
	uint32_t number;

	zg_assert(zgi_shared_pool_is_own(cache));
	if (ZG_UNLIKELY(__atomic_load_n(&pool->is_fault_armed, __ATOMIC_RELAXED)) &&
	    zgi_fault_is_due(pool->name))
		return shared_pool_exhaust(cache, true);
	do {
		if (ZG_UNLIKELY(cache->loaded->count == 0) && !cache_refill(cache)) {
			int result = shared_pool_take_slowly(cache, &handle);

			if (result < 0)
				return result;
			break;
		}
		handle.bits = magazine_pop(cache->loaded);
		/* It fails when a thief was here. */
	} while (ZG_UNLIKELY(!cache_claim(cache, handle.bits)));

	shared_pool_count(&cache->take_count);
	number = shared_pool_number(pool, handle);
	zgi_poison_pool_take(pool, shared_pool_block(pool, number), pool->block_size_asked);
	ZGI_PROBE3(shared_take, pool->name, handle.bits, number);
	*ret_handle = handle;
	if (ret_block != NULL)
		*ret_block = shared_pool_block(pool, number);
	if (ZG_UNLIKELY(pool->tracks != NULL))
		return shared_pool_track(pool, number, __builtin_return_address(0));
	return 0;
}

/* What is wrong with a handle that names no taken block; whoever wants to know is told. */
static int __attribute__((cold, noinline))
shared_pool_misuse(const struct zg_shared_pool *pool, zg_handle handle, enum zg_pool_act act,
		   const void *site)
{
	uint32_t number = shared_pool_number(pool, handle);
	bool is_block = number < pool->block_count;
	struct zg_pool_misuse misuse = {
		.pool_name = pool->name,
		.handle = handle,
		.act = act,
		.error = -EINVAL,
		.site = site,
		.is_tracked = pool->tracks != NULL,
	};

	ZGI_PROBE3(shared_misuse, pool->name, handle.bits, number);
	if (is_block) {
		uint64_t slot = __atomic_load_n(&pool->slots[number], __ATOMIC_RELAXED);

		misuse.error = zgi_handle_error(handle, zgi_slot_generation_next(slot),
						ZGI_SLOT_GENERATION_MAX);
	}
	zgi_track_tell_misuse(&misuse,
			      is_block && misuse.is_tracked ? &pool->tracks[number] : NULL);
	return misuse.error;
}

static int __attribute__((cold, noinline))
shared_pool_refuse(struct zg_shared_pool_cache *cache, zg_handle handle, const void *site)
{
	zgi_counter_add(&cache->misuse_count, 1);
	return shared_pool_misuse(cache->pool, handle, ZG_POOL_GIVE, site);
}

/* Tell where a block is that has just become free. */
static void cache_remember(struct zg_shared_pool_cache *cache, uint64_t hint)
{
	if (ZG_UNLIKELY(cache->loaded->count == cache->pool->batch_count) && !cache_unload(cache)) {
		/* Every magazine is filled, some with hints that are out of date. The block is
		 * found all the same when there is no other: see shared_pool_steal.c. */
		zgi_counter_add(&cache->drop_count, 1);
		return;
	}
	magazine_push(cache->loaded, hint);
}

int zg_shared_pool_give(struct zg_shared_pool_cache *cache, zg_handle handle)
{
	struct zg_shared_pool *pool = cache->pool;
	uint32_t number = shared_pool_number(pool, handle);
	uint64_t generation = handle.bits & ZGI_HANDLE_GENERATION_MASK;
	bool is_last = generation == ZGI_SLOT_GENERATION_MAX;
	uint64_t given = is_last ? ZGI_SLOT_RETIRED : ZGI_SLOT_GIVING | (generation + 1);
	uint64_t expected = handle.bits;

	zg_assert(zgi_shared_pool_is_own(cache));
	if (ZG_UNLIKELY(number >= pool->block_count))
		return shared_pool_refuse(cache, handle, __builtin_return_address(0));
	ZGI_SHARED_POOL_STEP();
	/* Acquire: what follows is done by the one who succeeded. */
	if (ZG_UNLIKELY(!__atomic_compare_exchange_n(&pool->slots[number], &expected, given, false,
						     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
		return shared_pool_refuse(cache, handle, __builtin_return_address(0));

	ZGI_PROBE3(shared_give, pool->name, handle.bits, number);
	zgi_poison_pool_give(pool, shared_pool_block(pool, number), pool->block_size_asked);
	shared_pool_count(&cache->give_count);
	if (ZG_UNLIKELY(is_last)) {
		__atomic_add_fetch(&pool->retired_count, 1, __ATOMIC_RELEASE);
		return 0;
	}
	ZGI_SHARED_POOL_STEP();
	__atomic_store_n(&pool->slots[number], generation + 1, __ATOMIC_RELEASE);
	cache_remember(cache, handle.bits + 1);
	return 0;
}

void *zg_shared_pool_get(struct zg_shared_pool *pool, zg_handle handle)
{
	uint32_t number = shared_pool_number(pool, handle);

	zg_assert(pool->magic == ZGI_SHARED_POOL_MAGIC);
	if (ZG_UNLIKELY(number >= pool->block_count ||
			__atomic_load_n(&pool->slots[number], __ATOMIC_RELAXED) != handle.bits)) {
		__atomic_add_fetch(&pool->misuse_count, 1, __ATOMIC_RELAXED);
		(void)shared_pool_misuse(pool, handle, ZG_POOL_GET, __builtin_return_address(0));
		return NULL;
	}
	return shared_pool_block(pool, number);
}

int zg_shared_pool_next(struct zg_shared_pool *pool, uint32_t *cursor, zg_handle *ret_handle,
			void **ret_block)
{
	zg_assert(pool->magic == ZGI_SHARED_POOL_MAGIC);
	for (uint32_t number = *cursor; number < pool->block_count; ++number) {
		uint64_t slot = __atomic_load_n(&pool->slots[number], __ATOMIC_RELAXED);

		if (slot >> ZGI_HANDLE_TAG_SHIFT == 0)
			continue;
		*cursor = number + 1;
		*ret_handle = (zg_handle){slot};
		if (ret_block != NULL)
			*ret_block = shared_pool_block(pool, number);
		return 1;
	}
	*cursor = pool->block_count;
	return 0;
}
