/*
 * The subjects that libzerog brings.
 */
#ifndef ZEROG_BENCH_ALLOC_ZEROG_H
#define ZEROG_BENCH_ALLOC_ZEROG_H

#include "harness.h"

extern const struct alloc_subject alloc_pool_subject;
extern const struct alloc_subject alloc_arena_subject;

#endif
