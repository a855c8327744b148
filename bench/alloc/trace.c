/*
 * Sizes of the mixed trace: each doubling of 16 B to 8 KB is as likely as any
 * other, and evenly filled; so most objects are small and most bytes are in large
 * ones, as in programs.
 */
#include "trace.h"

#define TRACE_SEED UINT64_C(0x9e3779b97f4a7c15)
#define TRACE_DOUBLING_COUNT 9 /* from 16 to 8,192 */

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled".
 */
static uint32_t trace_random(uint64_t *state, uint32_t limit)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)(((*state * UINT64_C(2685821657736338717)) >> 32) * limit >> 32);
}

static uint16_t trace_size(uint64_t *state, uint16_t size_fixed)
{
	uint32_t size;

	if (size_fixed > 0)
		return size_fixed;
	size = UINT32_C(16) << trace_random(state, TRACE_DOUBLING_COUNT);
	return (uint16_t)(size + 1 + trace_random(state, size));
}

static uint16_t trace_sizes[ALLOC_LIVE_COUNT]; /* of the objects that are live */

static void trace_count(struct alloc_trace *trace, uint32_t *counts, size_t size)
{
	uint32_t class_index = alloc_class_of(size);

	if (++counts[class_index] > trace->class_count_max[class_index])
		trace->class_count_max[class_index] = counts[class_index];
}

/* Twice: the next replay starts from what the first one left, and so does every other. */
static void trace_count_classes(struct alloc_trace *trace)
{
	uint32_t counts[ALLOC_CLASS_COUNT] = {0};

	for (uint32_t index = 0; index < trace->live_count; index++)
		trace_count(trace, counts, trace_sizes[index]);
	for (size_t index = 0; index < 2 * trace->op_count; index++) {
		struct alloc_op op = trace->ops[index % trace->op_count];

		--counts[alloc_class_of(trace_sizes[op.slot])];
		trace_sizes[op.slot] = op.size;
		trace_count(trace, counts, op.size);
	}
}

void alloc_trace_make(struct alloc_trace *trace, uint16_t size)
{
	uint64_t state = TRACE_SEED;

	for (uint32_t index = 0; index < ALLOC_LIVE_COUNT; index++) {
		trace->first_sizes[index] = trace_size(&state, size);
		trace_sizes[index] = trace->first_sizes[index];
	}
	trace->live_count = ALLOC_LIVE_COUNT;
	for (size_t index = 0; index < trace->op_count; index++)
		trace->ops[index] = (struct alloc_op){
			.slot = (uint16_t)trace_random(&state, ALLOC_LIVE_COUNT),
			.size = trace_size(&state, size),
		};
	trace_count_classes(trace);
}
