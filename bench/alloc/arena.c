/*
 * An arena as a request uses it: a first memory of 2 KB, chunks of 64 KB from a
 * pool behind it, and a reset when a batch is over. The reset is the last give of
 * its batch; the others are nothing.
 */
#include <zerog/arena.h>

#include "zerog.h"

#define ARENA_FIRST_SIZE 2048
#define ARENA_CHUNK_SIZE 65536
#define ARENA_CHUNK_COUNT 16 /* 64 objects of 8 KB are half of that */

static struct zg_region arena_region;
static struct zg_pool arena_chunks;
static struct zg_arena arena;
static uint32_t arena_given; /* objects of the current batch */

static int arena_begin(const struct alloc_trace *trace)
{
	struct zg_pool_options pool = {
		.name = "chunks",
		.block_size = ARENA_CHUNK_SIZE,
		.block_count = ARENA_CHUNK_COUNT,
		.tag = 1,
	};
	struct zg_arena_options options = {
		.memory_size = ARENA_FIRST_SIZE,
		.chunks = &arena_chunks,
		.chunk_count_max = ARENA_CHUNK_COUNT,
	};
	int result;

	(void)trace;
	pool.memory_size = zg_pool_memory_size(&pool);
	result = alloc_reserve(&arena_region, pool.memory_size + ARENA_FIRST_SIZE);
	if (result == 0)
		result = zg_region_carve(&arena_region, pool.memory_size, ZG_POOL_ALIGNMENT,
					 &pool.memory);
	if (result == 0)
		result = zg_region_carve(&arena_region, ARENA_FIRST_SIZE, ZG_ARENA_ALIGNMENT,
					 &options.memory);
	if (result == 0)
		result = zg_pool_init(&arena_chunks, &pool);
	return result < 0 ? result : zg_arena_init(&arena, &options);
}

static bool arena_take(struct alloc_slot *slot, size_t size)
{
	return zg_arena_alloc(&arena, size, &slot->memory) == 0;
}

static void arena_give(struct alloc_slot *slot)
{
	(void)slot;
	if (++arena_given == ALLOC_BATCH_SIZE) {
		arena_given = 0;
		zg_arena_reset(&arena);
	}
}

ALLOC_LOOPS(arena)

const struct alloc_subject alloc_arena_subject = {
	.name = "arena",
	.is_batched = true,
	.begin = arena_begin,
	ALLOC_LOOPS_OF(arena),
};
