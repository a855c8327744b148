/*
 * Shared pool: equal blocks for many threads, from memory the caller lends.
 *
 * As a pool (see pool.h), but any thread takes, and any thread gives what any other
 * has taken. Each thread attaches and has a cache of free blocks of its own; caches
 * are filled from and emptied into a common depot a batch at a time, without locks.
 *
 * A block is named by a handle, which goes stale when the block is given back: a
 * double give, a stale, a foreign or an invented handle is caught every time, also
 * when two threads give the same handle at once: exactly one of them succeeds.
 *
 * Nothing is lost in a cache. A take that finds its own cache and the depot empty
 * steals from the others' caches before it refuses, so one thread can have every
 * block; and the cache of a thread that ends goes back to the pool by itself.
 *
 * Ownership  The caller lends `memory` at init and has it back after fini. The struct is
 *            registered meanwhile (watch.h), and so must stay where it is.
 * Threads    Any, each through its own cache; no call waits for another thread.
 * Limits     ZG_POOL_BLOCKS_MAX blocks; threads_max threads attached at a time.
 */
#ifndef ZEROG_SHARED_POOL_H
#define ZEROG_SHARED_POOL_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/layout.h>
#include <zerog/pool.h>
#include <zerog/watch.h>

ZG_BEGIN_DECLS

#define ZG_SHARED_POOL_THREADS_MAX 4096
#define ZG_SHARED_POOL_BATCH_MAX 128
#define ZG_SHARED_POOL_BATCH_DEFAULT 32

struct zg_shared_pool_cache; /* one thread's part of a pool; inside the lent memory */

struct zg_shared_pool_options {
	const char *name; /* static text, for reports */
	void *memory; /* borrowed until fini; aligned to ZG_POOL_ALIGNMENT */
	size_t memory_size; /* bytes, at least zg_shared_pool_memory_size() */
	size_t block_size; /* bytes of one block, at least 1; rounded up to the alignment */
	uint32_t block_count; /* 1 to ZG_POOL_BLOCKS_MAX */
	uint32_t threads_max; /* attached at a time; 1 to ZG_SHARED_POOL_THREADS_MAX */
	uint32_t batch_count; /* blocks that move at a time; a cache keeps at most two batches.
			       * 1 to ZG_SHARED_POOL_BATCH_MAX; 0: ZG_SHARED_POOL_BATCH_DEFAULT,
			       * or so few that all caches together keep half of the blocks */
	uint32_t index_first; /* as in zg_pool_options */
	uint8_t tag; /* as in zg_pool_options: 0 is one that is free */
	bool is_tracked; /* keep where blocks are taken; see zg_pool_tracks_all() */
};

/* Its fields are the pool's own. */
struct zg_shared_pool {
	uint32_t magic;
	uint32_t block_count;
	uint32_t handle_first; /* tag and index of the first block's handles: their upper 28 bits */
	uint32_t batch_count; /* blocks */
	uint16_t threads_max;
	bool has_barrier; /* thieves have a barrier for all: an owner's take needs none */
	uint8_t is_fault_armed; /* takes ask whether they must fail (see fault.h) */
	uint32_t magazine_size; /* bytes */
	size_t block_size; /* bytes, rounded up to the alignment */
	uint64_t *slots; /* borrowed: one word a block, see shared_pool.c */
	unsigned char *blocks; /* borrowed */
	unsigned char *magazines; /* borrowed */
	struct zgi_pool_track *tracks; /* borrowed: one a block; NULL when it is not tracked */
	zg_hot(full);
	alignas(ZG_LINE_SIZE) uint64_t full; /* the depot's stack of filled magazines */
	zg_hot(empty);
	alignas(ZG_LINE_SIZE) uint64_t empty; /* the depot's stack of empty ones */
	zg_cold(reports);
	alignas(ZG_LINE_SIZE) uint64_t misuse_count; /* of zg_shared_pool_get() */
	struct zg_shared_pool_cache *caches; /* borrowed: threads_max of them */
	uint32_t magazine_count;
	uint32_t retired_count; /* blocks whose generation has run out, never taken again */
	size_t block_size_asked; /* bytes, as the options had it */
	size_t memory_size; /* bytes that the pool uses */
	const char *name; /* static */
	struct zg_watched watched;
	struct zg_pool_handles handles;
};

/* What a pool has counted so far; each of some recent moment. */
struct zg_shared_pool_counts {
	uint64_t take_count; /* takes that succeeded */
	uint64_t give_count; /* gives that succeeded */
	uint64_t refuse_count; /* takes that found no free block */
	uint64_t misuse_count; /* stale, double, foreign or invented handles refused */
	uint64_t steal_count; /* takes that were served from outside of cache and depot */
	uint32_t taken_count; /* blocks */
	uint32_t free_count; /* blocks, wherever they are */
	uint32_t free_count_low; /* the low-water mark: the least that ever was in the depot, that
				  * is, free and in no cache. As many at least were always free */
	uint32_t retired_count; /* blocks whose generation has run out, never taken again */
	uint32_t attached_count; /* threads */
};

/**
 * zg_shared_pool_memory_size() - bytes a pool needs, its bookkeeping and caches included
 * @options:  name, memory, memory_size, index_first and tag are not read
 *
 * Return: bytes, a multiple of ZG_POOL_ALIGNMENT; 0 when a value is out of range or they do not
 * fit a size_t.
 */
size_t zg_shared_pool_memory_size(const struct zg_shared_pool_options *options);

/**
 * zg_shared_pool_init() - make a pool, every block free, no thread attached
 * @pool:     the caller's, not a live one, which is asserted; overwritten
 * @options:  read during the call
 *
 * Return: 0; -EINVAL, -EEXIST and -ENOSPC as zg_pool_init(); -EAGAIN when the process has used up
 * the thread keys that need no memory (see pthread_key_create(3)): make the first shared pool
 * earlier.
 */
ZG_MUST_USE int zg_shared_pool_init(struct zg_shared_pool *pool,
				    const struct zg_shared_pool_options *options);

/**
 * zg_shared_pool_fini() - end the pool; the memory is the caller's again
 * @pool:  initialised, or zeroed; no thread but the caller is attached, so join the others first
 */
void zg_shared_pool_fini(struct zg_shared_pool *pool);

/**
 * zg_shared_pool_attach() - a cache for the calling thread
 * @pool:       initialised
 * @ret_cache:  the thread's own until it detaches or ends; untouched on failure. A thread that is
 *              attached has the same one again
 *
 * What the last thread that used this cache left in it is still there: no block is lost.
 *
 * Return: 0; -EUSERS when threads_max threads are attached.
 */
ZG_MUST_USE int zg_shared_pool_attach(struct zg_shared_pool *pool,
				      struct zg_shared_pool_cache **ret_cache);

/**
 * zg_shared_pool_detach() - give the calling thread's cache back to the pool
 * @cache:  the calling thread's; stale from now on. Blocks that were taken through it stay taken
 *
 * A thread that ends does so by itself, for every pool.
 */
void zg_shared_pool_detach(struct zg_shared_pool_cache *cache);

/**
 * zg_shared_pool_take() - move one block to the caller, contents undefined
 * @cache:       the calling thread's, which is asserted
 * @ret_handle:  names the block until zg_shared_pool_give(); untouched on failure
 * @ret_block:   the block itself, may be NULL; untouched on failure
 *
 * Return: 0; -ENOMEM when no block is free: the call saw each of them taken, or on its way from
 * one hand to another. No free block that rests anywhere is overlooked, and no refusal is made
 * because of where one is.
 */
ZG_MUST_USE int zg_shared_pool_take(struct zg_shared_pool_cache *cache, zg_handle *ret_handle,
				    void **ret_block);

/**
 * zg_shared_pool_give() - move a block back to the pool
 * @cache:   the calling thread's, which is asserted
 * @handle:  from zg_shared_pool_take() of this pool, by any thread
 *
 * What was written to the block before is seen by whoever takes it next.
 *
 * Return: 0; -ESTALE when it was given before; -EINVAL when it never came from this pool. Nothing
 * changes on failure but the count of misuses; zg_pool_on_misuse() has who is told of them.
 */
ZG_MUST_USE int zg_shared_pool_give(struct zg_shared_pool_cache *cache, zg_handle handle);

/**
 * zg_shared_pool_get() - the block a handle names
 * @pool:    initialised
 * @handle:  any value
 *
 * Any thread, attached or not. The answer holds for as long as nobody gives the block.
 *
 * Return: the block, borrowed; NULL when the handle is stale, foreign or invented.
 */
void *zg_shared_pool_get(struct zg_shared_pool *pool, zg_handle handle);

/**
 * zg_shared_pool_next() - walk over the taken blocks, in order of index
 * @pool:        initialised; what is taken or given during the walk may be seen or not
 * @cursor:      0 at first, then as it was left
 * @ret_handle:  the next taken block's; untouched at the end
 * @ret_block:   the block, borrowed, may be NULL; untouched at the end
 *
 * Any thread, attached or not.
 *
 * Return: 1 when there was one, 0 at the end.
 */
ZG_MUST_USE int zg_shared_pool_next(struct zg_shared_pool *pool, uint32_t *cursor,
				    zg_handle *ret_handle, void **ret_block);

/**
 * zg_shared_pool_counts() - what the pool has counted, over all its threads
 * @pool:        initialised
 * @ret_counts:  overwritten
 *
 * Any thread, attached or not; exact when no other is in a call.
 */
void zg_shared_pool_counts(const struct zg_shared_pool *pool,
			   struct zg_shared_pool_counts *ret_counts);

ZG_END_DECLS

#endif
