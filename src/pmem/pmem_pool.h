/*
 * Persistent pool: what its opening and its use have in common.
 */
#ifndef ZEROG_PMEM_PMEM_POOL_H
#define ZEROG_PMEM_PMEM_POOL_H

#include <zerog/pmem_pool.h>

#include "mem/pool/pool_handle.h"
#include "mem/watch/registry.h"

#define ZGI_PMEM_POOL_MAGIC UINT32_C(0x706d706c)

/* Tests make it small, to see generations run out. */
#ifndef ZGI_PMEM_POOL_GENERATION_MAX
#define ZGI_PMEM_POOL_GENERATION_MAX ZGI_HANDLE_GENERATION_MASK
#endif

extern const struct zgi_watch_class zgi_pmem_pool_watch_class;

static inline zg_handle zgi_pmem_pool_handle(const struct zg_pmem_pool *pool, uint32_t number,
					     uint64_t generation)
{
	return (zg_handle){(uint64_t)(pool->handle_first + number) << ZGI_HANDLE_INDEX_SHIFT |
			   generation};
}

/* An object's word: the bits of its handle while it is published, else 0. */
static inline uint64_t zgi_pmem_pool_word(const struct zg_pmem_pool *pool, uint32_t number)
{
	const uint64_t *words =
		(const uint64_t *)(const void *)(pool->map->bytes + pool->words_offset);

	return __atomic_load_n(&words[number], __ATOMIC_ACQUIRE);
}

/**
 * zgi_pmem_pool_raise_limit() - some more generations may be handed out
 * @pool:        open, or being opened
 * @generation:  the first of ZG_PMEM_POOL_GENERATIONS, or of as many as there are left
 *
 * Return: 0, it is persistent; or as zg_pmem_fence().
 */
ZG_MUST_USE int zgi_pmem_pool_raise_limit(struct zg_pmem_pool *pool, uint64_t generation);

#endif
