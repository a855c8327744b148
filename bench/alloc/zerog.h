/*
 * The subjects that libzerog brings, and what they share.
 */
#ifndef ZEROG_BENCH_ALLOC_ZEROG_H
#define ZEROG_BENCH_ALLOC_ZEROG_H

#include <zerog/pool.h>
#include <zerog/region.h>

#include "harness.h"

extern const struct alloc_subject alloc_pool_subject;
extern const struct alloc_subject alloc_typed_pool_64_subject;
extern const struct alloc_subject alloc_typed_pool_1024_subject;
extern const struct alloc_subject alloc_typed_pool_0_subject; /* the mixture */
extern const struct alloc_subject alloc_shared_pool_subject;
extern const struct alloc_subject alloc_guest_heap_subject;
extern const struct alloc_subject alloc_arena_subject;

/* A region as a service has it: faulted in, on huge pages where there are any. 0, or a negative
 * errno, as from the functions below. */
int alloc_reserve(struct zg_region *region, size_t size);

/* One pool in a region of its own. */
int alloc_make_pool(struct zg_region *region, struct zg_pool *pool, size_t block_size,
		    uint32_t block_count);

/* A pool a size class, each as large as the trace's plan says, in one region. */
int alloc_make_pools(struct zg_region *region, struct zg_pool *pools,
		     const struct alloc_trace *trace);

/* Which of those pools a handle is of: the tag says it. */
static inline size_t alloc_pool_of(zg_handle handle)
{
	return (size_t)(handle.bits >> 56) - 1;
}

#endif
