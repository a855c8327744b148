/*
 * The slow half of scratch buffers: leaving the stack.
 *
 * Spills are counted over the whole process, because a stack size that is often
 * outgrown is one to raise in the source.
 */
#include <zerog/scratch.h>

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "mem/watch/probes.h"

static uint64_t scratch_spill_count;

int zg_scratch_reserve(struct zg_scratch *scratch, size_t capacity)
{
	size_t capacity_new = capacity;
	void *memory;
	int result;

	zg_assert(scratch->data != NULL);
	zg_assert(scratch->size <= scratch->capacity);
	if (capacity <= scratch->capacity)
		return 0;
	if (scratch->arena == NULL)
		return -ENOMEM;

	/* Twice as large where that can be had, so that growing by bytes costs few moves. */
	if (capacity / 2 < scratch->capacity)
		capacity_new = scratch->capacity * 2;
	result = zg_arena_alloc(scratch->arena, capacity_new, &memory);
	if (result < 0 && capacity_new > capacity) {
		capacity_new = capacity;
		result = zg_arena_alloc(scratch->arena, capacity_new, &memory);
	}
	if (result < 0)
		return result;

	ZGI_PROBE2(scratch_spill, scratch->capacity, capacity_new);
	memcpy(memory, scratch->data, scratch->size);
	scratch->data = memory;
	scratch->capacity = capacity_new;
	__atomic_fetch_add(&scratch_spill_count, 1, __ATOMIC_RELAXED);
	return 0;
}

uint64_t zg_scratch_spill_count(void)
{
	return __atomic_load_n(&scratch_spill_count, __ATOMIC_RELAXED);
}
