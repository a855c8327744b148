/*
 * Trace: what is asked of every subject, the same for all, from a fixed seed.
 *
 * So many objects are live. Each operation replaces one of them, picked at
 * random, by another, whose size is fixed or drawn from a fixed distribution.
 */
#ifndef ZEROG_BENCH_ALLOC_TRACE_H
#define ZEROG_BENCH_ALLOC_TRACE_H

#include <stddef.h>
#include <stdint.h>

#define ALLOC_LIVE_COUNT 8192
#define ALLOC_SIZE_MAX 8192
#define ALLOC_CLASS_COUNT 8 /* 64 bytes to 8 KB, each twice the one before */

struct alloc_op {
	uint16_t slot; /* below live_count */
	uint16_t size; /* bytes of the new object, 1 to ALLOC_SIZE_MAX */
};

struct alloc_trace {
	size_t op_count;
	uint32_t live_count;
	struct alloc_op *ops; /* borrowed */
	uint16_t *first_sizes; /* borrowed; of the objects that are there at first */
	/* The most objects of a class that are ever live: what a plan has to reserve. */
	uint32_t class_count_max[ALLOC_CLASS_COUNT];
};

/* `size` is that of all objects, or 0 for mixed ones. The arrays are the caller's. */
void alloc_trace_make(struct alloc_trace *trace, uint16_t size);

/* The class of a size: the number of the smallest one that holds it. */
static inline uint32_t alloc_class_of(size_t size)
{
	return size <= 64 ? 0 : (uint32_t)(58 - __builtin_clzll(size - 1));
}

static inline size_t alloc_class_size(uint32_t class_index)
{
	return (size_t)64 << class_index;
}

#endif
