/*
 * Handles: what their bits mean, and which of them are in use in this process.
 *
 * Every live pool claims the tag and the indices of its handles, so that no two pools
 * have one in common; and what a pool has handed out is remembered when it ends, so that
 * the next that claims the tag goes on behind it.
 */
#ifndef ZEROG_MEM_POOL_POOL_HANDLE_H
#define ZEROG_MEM_POOL_POOL_HANDLE_H

#include <errno.h>
#include <stdint.h>

#include <zerog/pool.h>

#define ZGI_HANDLE_INDEX_SHIFT 36
#define ZGI_HANDLE_TAG_SHIFT 56
#define ZGI_HANDLE_GENERATION_MASK ((UINT64_C(1) << ZGI_HANDLE_INDEX_SHIFT) - 1)

/* What pool and shared pool have in common in their options. */
struct zgi_handle_wish {
	uint32_t index_first;
	uint32_t block_count; /* index_first + block_count is at most ZG_POOL_BLOCKS_MAX */
	uint64_t generation_max;
	uint8_t tag; /* 0: any that is free */
};

/**
 * zgi_handles_claim() - have a tag and indices that no other live pool has
 * @handles:         the pool's; must not be in a list yet, which is asserted; overwritten
 * @wish:            read during the call
 * @ret_generation:  the generation that blocks begin with: no handle of this tag has had it;
 *                   untouched on failure
 *
 * Any thread; walks over all live pools.
 *
 * Return: 0; -EEXIST when a live pool has some of these handles; -ENOSPC when the tag's
 * generations have run out, or no tag is free.
 */
ZG_MUST_USE int zgi_handles_claim(struct zg_pool_handles *handles,
				  const struct zgi_handle_wish *wish, uint64_t *ret_generation);

/**
 * zgi_handles_release() - others may have the tag and indices
 * @handles:          claimed
 * @generation_next:  the least that none of the pool's blocks has had
 */
void zgi_handles_release(struct zg_pool_handles *handles, uint64_t generation_next);

/* Forget what generations were handed out. For tests that begin over and over again, with handles
 * of their own making. */
void zgi_handles_forget(void);

/* The number of the block that a handle names: its pool's block_count or more when it is not of
 * that pool. Unsigned: what lies below the first block's handle wraps to a huge number. */
static inline uint32_t zgi_handle_number(zg_handle handle, uint32_t handle_first)
{
	return (uint32_t)(handle.bits >> ZGI_HANDLE_INDEX_SHIFT) - handle_first;
}

/**
 * zgi_handle_error() - what is wrong with a handle that names no taken block
 * @handle:           of a block of the pool
 * @generation_next:  of the next handle of that block; 0: it is retired, and had them all
 * @generation_max:   the pool's
 *
 * Return: -ESTALE or -EINVAL, as zg_pool_give().
 */
static inline int zgi_handle_error(zg_handle handle, uint64_t generation_next,
				   uint64_t generation_max)
{
	uint64_t generation = handle.bits & ZGI_HANDLE_GENERATION_MASK;

	if (generation == 0 || generation > generation_max)
		return -EINVAL;
	return generation_next != 0 && generation >= generation_next ? -EINVAL : -ESTALE;
}

#endif
