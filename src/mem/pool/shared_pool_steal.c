/*
 * The last resort of a take: a free block that is neither in the thread's own cache
 * nor in the depot.
 *
 * First the counters are asked. Where they prove that every block is taken, a refusal
 * costs one look at each cache, and no search. Else some block is free, or in a hand
 * on its way: the other caches' magazines are searched, and then the slots, which
 * alone know everything.
 */
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mem/pool/shared_pool_inside.h"

/*
 * Takes are read first, then the retired, then the gives, each with acquire. A take
 * that was read is seen with all that came before it, so each of its block's earlier
 * gives is seen, too. Takes and gives of a block alternate: so what each block adds
 * to the difference is at most 1, and it is 1 only when its last take was seen and no
 * give after that. When the difference reaches the number of blocks, every block was
 * taken, as far as can be known in this thread. A give that retires its block is
 * counted before the block is counted as retired, and read after it.
 */
uint64_t zgi_shared_pool_taken(const struct zg_shared_pool *pool, uint32_t *ret_retired)
{
	uint64_t taken = 0;

	for (uint32_t i = 0; i < pool->threads_max; ++i) {
		ZGI_SHARED_POOL_STEP();
		taken += __atomic_load_n(&pool->caches[i].take_count, __ATOMIC_ACQUIRE);
	}
	*ret_retired = __atomic_load_n(&pool->retired_count, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < pool->threads_max; ++i) {
		ZGI_SHARED_POOL_STEP();
		taken -= __atomic_load_n(&pool->caches[i].give_count, __ATOMIC_ACQUIRE);
	}
	/* Gives that came between the two readings can make it less than nothing. */
	return (int64_t)taken < 0 ? 0 : taken;
}

bool zgi_shared_pool_has_barrier(void)
{
	/* Linux 4.14; sandboxes may forbid it. */
	return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

/* Has a thread said that it is about to take the block? */
static bool steal_is_contended(const struct zg_shared_pool *pool, uint64_t hint)
{
	for (uint32_t i = 0; i < pool->threads_max; ++i) {
		ZGI_SHARED_POOL_STEP();
		if (__atomic_load_n(&pool->caches[i].claiming, __ATOMIC_SEQ_CST) == hint)
			return true;
	}
	return false;
}

enum steal_outcome { STEAL_WON, STEAL_LOST, STEAL_GAVE_WAY };

/*
 * Try for the block of a hint that may lie in another thread's magazine. That thread takes without
 * an exchange, so winning the slot is not enough: it may have seen the slot free before, and be
 * about to write. After the barrier it has either written already, which the last exchange
 * notices; or has said that it will, and is given way; or it will look at the slot again and find
 * the mark.
 */
static enum steal_outcome steal_try(const struct zg_shared_pool *pool, uint64_t *slot,
				    uint64_t hint)
{
	uint64_t free = hint & ZGI_HANDLE_GENERATION_MASK;
	uint64_t mark = ZGI_SLOT_STEALING | free;
	uint64_t expected = free;
	bool has_passed;
	bool is_mine;

	ZGI_SHARED_POOL_STEP();
	if (!__atomic_compare_exchange_n(slot, &expected, pool->has_barrier ? mark : hint, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return STEAL_LOST;
	if (!pool->has_barrier)
		return STEAL_WON;

	ZGI_SHARED_POOL_STEP();
	has_passed = syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
	is_mine = has_passed && !steal_is_contended(pool, hint);
	ZGI_SHARED_POOL_STEP();
	expected = mark;
	/* A slot that is put back goes with the giver's release, which the mark acquired. */
	if (!__atomic_compare_exchange_n(slot, &expected, is_mine ? hint : free, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return STEAL_LOST;
	if (is_mine)
		return STEAL_WON;
	/* Without a barrier, which a filter may forbid later than we asked, nothing can be stolen.
	 */
	return has_passed ? STEAL_GAVE_WAY : STEAL_LOST;
}

/*
 * When the owner is given way and has turned away at the same time, the block is free and its hint
 * is gone. Then its name is off the block, and the thief tries again; or it is not off yet, and
 * the owner, who will look for another block, finds this one as it was put back. So one of them
 * has it. Each time round the owner has gone on: nobody waits.
 */
static bool steal_win(const struct zg_shared_pool *pool, uint64_t hint)
{
	uint64_t *slot =
		&pool->slots[(uint32_t)(hint >> ZGI_HANDLE_INDEX_SHIFT) - pool->handle_first];
	enum steal_outcome outcome;

	do
		outcome = steal_try(pool, slot, hint);
	while (outcome == STEAL_GAVE_WAY && !steal_is_contended(pool, hint));
	return outcome == STEAL_WON;
}

/* Look before: a thief must not pull the line of a slot that is taken. */
static bool steal_slot(const struct zg_shared_pool *pool, uint64_t hint)
{
	uint32_t number = (uint32_t)(hint >> ZGI_HANDLE_INDEX_SHIFT) - pool->handle_first;

	if (hint == 0)
		return false;
	ZGI_SHARED_POOL_STEP();
	if (__atomic_load_n(&pool->slots[number], __ATOMIC_RELAXED) !=
	    (hint & ZGI_HANDLE_GENERATION_MASK))
		return false;
	return steal_win(pool, hint);
}

/* Whatever is read here, from a magazine that may meanwhile be another's, is a hint of this pool,
 * or 0: nothing else is ever written there. */
static bool steal_from_magazine(const struct zg_shared_pool *pool,
				const struct zgi_magazine *magazine, uint64_t *ret_hint)
{
	uint32_t count = __atomic_load_n(&magazine->count, __ATOMIC_RELAXED);

	for (uint32_t i = 0; i < count; ++i) {
		uint64_t hint = __atomic_load_n(&magazine->hints[i], __ATOMIC_RELAXED);

		if (steal_slot(pool, hint)) {
			*ret_hint = hint;
			return true;
		}
	}
	return false;
}

static bool steal_from_caches(struct zg_shared_pool_cache *cache, uint64_t *ret_hint)
{
	const struct zg_shared_pool *pool = cache->pool;

	for (uint32_t i = 0; i < pool->threads_max; ++i) {
		const struct zg_shared_pool_cache *victim = &pool->caches[cache->victim];

		ZGI_SHARED_POOL_STEP();
		if (steal_from_magazine(pool, __atomic_load_n(&victim->loaded, __ATOMIC_RELAXED),
					ret_hint) ||
		    steal_from_magazine(pool, __atomic_load_n(&victim->previous, __ATOMIC_RELAXED),
					ret_hint))
			return true;
		if (++cache->victim == pool->threads_max)
			cache->victim = 0;
	}
	return false;
}

static bool steal_from_slots(struct zg_shared_pool_cache *cache, uint64_t *ret_hint)
{
	const struct zg_shared_pool *pool = cache->pool;

	for (uint32_t i = 0; i < pool->block_count; ++i) {
		uint64_t number = cache->cursor;
		uint64_t slot;

		ZGI_SHARED_POOL_STEP();
		/* In one order with the names that are taken off blocks: see steal_win(). */
		slot = __atomic_load_n(&pool->slots[number], __ATOMIC_SEQ_CST);
		if (++cache->cursor == pool->block_count)
			cache->cursor = 0;
		if (slot != ZGI_SLOT_RETIRED && slot <= ZGI_HANDLE_GENERATION_MASK) {
			*ret_hint = (pool->handle_first + number) << ZGI_HANDLE_INDEX_SHIFT | slot;
			if (steal_win(pool, *ret_hint))
				return true;
		}
	}
	return false;
}

bool zgi_shared_pool_steal(struct zg_shared_pool_cache *cache, zg_handle *ret_handle)
{
	const struct zg_shared_pool *pool = cache->pool;
	uint32_t retired;
	uint64_t taken = zgi_shared_pool_taken(pool, &retired);
	uint64_t hint;

	if (taken + retired >= pool->block_count)
		return false;
	if (!steal_from_caches(cache, &hint) && !steal_from_slots(cache, &hint))
		return false;
	ret_handle->bits = hint;
	return true;
}
