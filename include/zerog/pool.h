/*
 * Pool: equal blocks carved from memory the caller lends.
 *
 * A pool serves blocks in constant time, never fragments, and has a limit fixed
 * at start. A block is named by a handle, which goes stale when the block is
 * given back: a double give, a stale, a foreign or an invented handle is caught
 * every time, in release builds too.
 *
 * Blocks are taken last-in first-out, so that a lightly loaded service works in
 * the same few cache-warm blocks.
 *
 * Ownership  The caller lends `memory` at init and has it back after fini.
 * Threads    Not locked: one pool belongs to one shard.
 * Limits     ZG_POOL_BLOCKS_MAX blocks.
 */
#ifndef ZEROG_POOL_H
#define ZEROG_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/watch.h>

ZG_BEGIN_DECLS

/* tag (8 bits) | index (20 bits) | generation (36 bits); never 0 for a live block. */
typedef struct {
	uint64_t bits;
} zg_handle;

#define ZG_HANDLE_NONE ((zg_handle){0})
#define ZG_POOL_BLOCKS_MAX (UINT32_C(1) << 20)
#define ZG_POOL_ALIGNMENT 64

struct zg_pool_options {
	const char *name; /* static text, for reports */
	void *memory; /* borrowed until fini; aligned to ZG_POOL_ALIGNMENT */
	size_t memory_size; /* bytes, at least zg_pool_memory_size() */
	size_t block_size; /* bytes of one block, at least 1; rounded up to the alignment */
	uint32_t block_count; /* 1 to ZG_POOL_BLOCKS_MAX */
	uint32_t index_first; /* the index of the first block's handle: shards number on;
			       * index_first + block_count is at most ZG_POOL_BLOCKS_MAX */
	uint8_t tag; /* 1 to 255; pools with different tags refuse each other's handles */
};

struct zg_pool {
	uint32_t magic;
	uint32_t free_head; /* index of the block to be taken next */
	uint32_t free_count; /* blocks */
	uint32_t free_count_low; /* the least that was ever free: the low-water mark */
	uint32_t block_count;
	uint32_t handle_first; /* tag and index of the first block's handles: their upper 28 bits */
	uint32_t retired_count; /* blocks whose generation has run out, never taken again */
	uint32_t take_floor; /* a take that finds no more free than this goes the slow way: 0, or
			      * all while a fault is armed (see fault.h) */
	uint32_t block_tail; /* bytes at a block's end that nobody asked for */
	size_t block_size; /* bytes, rounded up to the alignment */
	unsigned char *blocks; /* borrowed */
	uint64_t *slots; /* borrowed: one word a block, see pool.c */
	uint64_t take_count; /* takes that succeeded */
	uint64_t refuse_count; /* takes that found the pool empty */
	uint64_t misuse_count; /* stale, double, foreign or invented handles refused */
	const char *name; /* static */
	struct zg_watched watched;
};

/**
 * zg_pool_memory_size() - bytes a pool needs, its bookkeeping included
 * @block_size:   bytes of one block
 * @block_count:  1 to ZG_POOL_BLOCKS_MAX
 *
 * Return: bytes, a multiple of ZG_POOL_ALIGNMENT; 0 when a value is out of range or they do not
 * fit a size_t.
 */
size_t zg_pool_memory_size(size_t block_size, uint32_t block_count);

/**
 * zg_pool_init() - make a pool, every block free
 * @pool:     the caller's; overwritten
 * @options:  read during the call
 *
 * Return: 0; -EINVAL when a count, size, tag or alignment is out of range.
 */
ZG_MUST_USE int zg_pool_init(struct zg_pool *pool, const struct zg_pool_options *options);

/**
 * zg_pool_fini() - end the pool; the memory is the caller's again
 * @pool:  initialised, or zeroed
 */
void zg_pool_fini(struct zg_pool *pool);

/**
 * zg_pool_take() - move one block to the caller, contents undefined
 * @pool:        initialised; the caller's own shard's
 * @ret_handle:  names the block until zg_pool_give(); untouched on failure
 * @ret_block:   the block itself, may be NULL; untouched on failure
 *
 * Return: 0; -ENOMEM when every block is taken (see the plan line's option).
 */
ZG_MUST_USE int zg_pool_take(struct zg_pool *pool, zg_handle *ret_handle, void **ret_block);

/**
 * zg_pool_give() - move a block back to the pool
 * @pool:    initialised
 * @handle:  from zg_pool_take() of this pool
 *
 * Return: 0; -ESTALE when it was given before; -EINVAL when it never came from this pool. Nothing
 * changes on failure but misuse_count.
 */
ZG_MUST_USE int zg_pool_give(struct zg_pool *pool, zg_handle handle);

/**
 * zg_pool_renew() - another handle for a taken block; the old one goes stale
 * @pool:        initialised
 * @handle:      names a taken block, whose contents stay as they are
 * @ret_handle:  the new name; untouched on failure; may point to where @handle was copied from
 *
 * Return: 0; -ESTALE or -EINVAL as zg_pool_give(), the block as it was.
 */
ZG_MUST_USE int zg_pool_renew(struct zg_pool *pool, zg_handle handle, zg_handle *ret_handle);

/**
 * zg_pool_get() - the block a handle names
 * @pool:    initialised
 * @handle:  any value
 *
 * Return: the block, borrowed; NULL when the handle is stale, foreign or invented.
 */
void *zg_pool_get(struct zg_pool *pool, zg_handle handle);

/**
 * zg_pool_next() - walk over the taken blocks, in order of index
 * @pool:        initialised; blocks may be given during the walk
 * @cursor:      0 at first, then as it was left
 * @ret_handle:  the next taken block's; untouched at the end
 * @ret_block:   the block, borrowed, may be NULL; untouched at the end
 *
 * Return: 1 when there was one, 0 at the end.
 */
ZG_MUST_USE int zg_pool_next(struct zg_pool *pool, uint32_t *cursor, zg_handle *ret_handle,
			     void **ret_block);

/**
 * zg_pool_is_taken() - is the n-th block taken?
 * @pool:    initialised
 * @number:  below its block_count
 */
static inline bool zg_pool_is_taken(const struct zg_pool *pool, uint32_t number)
{
	return pool->slots[number] >> 56 != 0;
}

/**
 * zg_handle_index() - the index part of a handle
 * @handle:  any value
 *
 * Return: index_first of its pool plus the block's number.
 */
static inline uint32_t zg_handle_index(zg_handle handle)
{
	return (uint32_t)(handle.bits >> 36) & (ZG_POOL_BLOCKS_MAX - 1);
}

ZG_END_DECLS

#endif
