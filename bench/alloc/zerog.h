/*
 * The subjects that libzerog brings.
 */
#ifndef ZEROG_BENCH_ALLOC_ZEROG_H
#define ZEROG_BENCH_ALLOC_ZEROG_H

#include <zerog/region.h>

#include "harness.h"

/* A region as a service has it: faulted in, on huge pages where there are any. */
int alloc_reserve(struct zg_region *region, size_t size);

extern const struct alloc_subject alloc_pool_subject;
extern const struct alloc_subject alloc_shared_pool_subject;
extern const struct alloc_subject alloc_arena_subject;

#endif
