/*
 * Every sequence of operations on a small arena, beside a naive model of it.
 *
 * A sequence is run from its start, on either implementation of arenas:
 * nothing is known of their insides but what the header says. A step that was seen
 * to change nothing is not gone on from, because what follows it is what follows
 * without it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdalign.h>

#include <zerog/arena.h>

#include "mem/watch/poison.h"

#define DEPTH_MAX 8
#define FIRST_SIZE 64
#define CHUNK_SIZE 128
#define PAYLOAD 96 /* of a chunk: its header takes 32 bytes */
#define HEADER_SIZE 32
#define CHUNK_COUNT 2
#define CLEANUP_SIZE 24
#define GROWTH 24

/* The steps; STEP_RESTORE + n goes back to the n-th savepoint that is still good. */
enum {
	STEP_ALLOC_NONE,
	STEP_ALLOC_SMALL,
	STEP_ALLOC_LARGE,
	STEP_ALLOC_TOO_LARGE,
	STEP_SAVE,
	STEP_ON_RESET,
	STEP_RESET,
	STEP_GROW,
	STEP_ALLOC_ALIGNED,
	STEP_RESTORE,
};

static const size_t sizes[] = {0, 20, 70, PAYLOAD + 1};

struct model_allocation {
	unsigned char *memory; /* NULL: moved away */
	size_t size;
	size_t offset; /* in its chunk */
	size_t end; /* where the next would begin */
	uint32_t chunk;
	unsigned char mark; /* what it is filled with */
};

struct model_savepoint {
	struct zg_arena_savepoint savepoint;
	size_t used;
	uint32_t chunk;
	uint32_t allocation_count;
	uint32_t cleanup_count;
};

/* What is live, oldest first. Chunk 0 is the first memory. */
static struct {
	size_t first_size;
	uint32_t chunk_max;
	uint32_t chunk;
	size_t used[CHUNK_COUNT + 2]; /* bytes of each chunk */
	size_t barrier; /* bytes of the newest chunk that a savepoint may have seen */
	size_t live_max;
	struct model_allocation allocations[2 * DEPTH_MAX];
	uint32_t allocation_count;
	struct model_savepoint savepoints[DEPTH_MAX];
	uint32_t savepoint_count;
	unsigned char cleanups[DEPTH_MAX]; /* the marks of those that are registered */
	uint32_t cleanup_count;
	uint32_t refuse_count;
	unsigned char mark;
	bool has_changed; /* by the latest step */
} model;

static alignas(64) unsigned char first_memory[FIRST_SIZE];
static alignas(64) unsigned char pool_memory[ZG_POOL_MEMORY_SIZE_MAX(CHUNK_SIZE, CHUNK_COUNT)];
static struct zg_pool chunks;
static struct zg_arena arena;
static unsigned char marks[2 * DEPTH_MAX]; /* what cleanups point to */
static unsigned char cleanups_run[2 * DEPTH_MAX];
static uint32_t cleanup_run_count;
static size_t red_zone;
static int steps[DEPTH_MAX];
static uint64_t sequence_count;

static void cleanup_note(void *user)
{
	cleanups_run[cleanup_run_count++] = *(unsigned char *)user;
}

static size_t round_up(size_t size)
{
	return (size + ZG_ARENA_ALIGNMENT - 1) / ZG_ARENA_ALIGNMENT * ZG_ARENA_ALIGNMENT;
}

static size_t model_room(void)
{
	return model.chunk == 0 ? model.first_size : PAYLOAD;
}

static size_t model_live(void)
{
	size_t sum = 0;

	for (uint32_t i = 0; i <= model.chunk; ++i)
		sum += model.used[i];
	return sum;
}

/* The first offset of the newest chunk that is free and aligned, relative to its memory's start. */
static size_t model_offset(size_t alignment)
{
	size_t base = model.chunk == 0 ? 0 : HEADER_SIZE;
	size_t address = base + model.used[model.chunk];

	return (address + alignment - 1) / alignment * alignment - base;
}

static bool model_fits(size_t size, size_t alignment)
{
	if (model.chunk == 0 && model.first_size == 0)
		return false;
	return model_offset(alignment) + size <= model_room();
}

/* Puts `size` bytes at an offset of the newest chunk. */
static void model_take(size_t offset, size_t size)
{
	size_t end = offset + round_up(size);

	model.used[model.chunk] = end + red_zone <= model_room() ? end + red_zone : end;
	if (model_live() > model.live_max)
		model.live_max = model_live();
}

/* What an allocation must return; its place is taken when that is 0. */
static int model_alloc(size_t size, size_t alignment, size_t *ret_offset)
{
	size_t most = size + alignment - ZG_ARENA_ALIGNMENT;
	int result = 0;

	if (!model_fits(size, alignment)) {
		if (most > PAYLOAD)
			result = most > model.first_size ? -EMSGSIZE : -ENOMEM;
		else if (model.chunk == model.chunk_max || model.chunk == CHUNK_COUNT)
			result = -ENOMEM;
		if (result < 0) {
			++model.refuse_count;
			return result;
		}
		model.used[++model.chunk] = 0;
		model.barrier = 0;
	}
	*ret_offset = model_offset(alignment);
	model_take(*ret_offset, size);
	return 0;
}

static void model_push(unsigned char *memory, size_t size, size_t offset)
{
	model.allocations[model.allocation_count++] = (struct model_allocation){
		.memory = memory,
		.size = size,
		.offset = offset,
		.end = model.used[model.chunk],
		.chunk = model.chunk,
		.mark = ++model.mark,
	};
	memset(memory, model.mark, size);
}

static void step_alloc(size_t size, uint32_t alignment)
{
	void *memory = &arena;
	size_t offset = 0;
	int expected = model_alloc(size, alignment, &offset);
	int result = alignment == ZG_ARENA_ALIGNMENT
			     ? zg_arena_alloc(&arena, size, &memory)
			     : zg_arena_alloc_aligned(&arena, size, alignment, &memory);

	assert_int_equal(result, expected);
	model.has_changed = result == 0;
	if (result < 0) {
		assert_ptr_equal(memory, &arena);
		return;
	}
	assert_int_equal((uintptr_t)memory % alignment, 0);
	model_push(memory, size, offset);
}

static void step_on_reset(void)
{
	size_t offset = 0;
	int expected = model_alloc(CLEANUP_SIZE, ZG_ARENA_ALIGNMENT, &offset);
	unsigned char *mark = &marks[model.mark + 1];

	assert_int_equal(zg_arena_on_reset(&arena, cleanup_note, mark), expected);
	model.has_changed = expected == 0;
	if (expected == 0)
		model.cleanups[model.cleanup_count++] = ++model.mark;
}

static void step_save(void)
{
	model.savepoints[model.savepoint_count++] = (struct model_savepoint){
		.savepoint = zg_arena_save(&arena),
		.used = model.used[model.chunk],
		.chunk = model.chunk,
		.allocation_count = model.allocation_count,
		.cleanup_count = model.cleanup_count,
	};
	model.barrier = model.used[model.chunk];
	model.has_changed = true;
}

/* The cleanups since a savepoint must just have run, the latest first. */
static void model_return_to(const struct model_savepoint *to)
{
	assert_int_equal(cleanup_run_count, model.cleanup_count - to->cleanup_count);
	for (uint32_t i = 0; i < cleanup_run_count; ++i)
		assert_int_equal(cleanups_run[i], model.cleanups[model.cleanup_count - 1 - i]);
	model.has_changed = model.allocation_count != to->allocation_count ||
			    model.cleanup_count != to->cleanup_count;
	model.chunk = to->chunk;
	model.used[to->chunk] = to->used;
	model.barrier = to->used;
	model.allocation_count = to->allocation_count;
	model.cleanup_count = to->cleanup_count;
}

static void step_restore(uint32_t number)
{
	const struct model_savepoint *to = &model.savepoints[number];

	zg_arena_restore(&arena, to->savepoint);
	model_return_to(to);
	if (model.savepoint_count != number + 1)
		model.has_changed = true;
	model.savepoint_count = number + 1;
}

static void step_reset(void)
{
	struct model_savepoint start = {.used = 0};

	zg_arena_reset(&arena);
	model_return_to(&start);
	if (model.savepoint_count > 0)
		model.has_changed = true;
	model.savepoint_count = 0;
}

/* Grows the newest allocation that there is. */
static void step_grow(void)
{
	uint32_t number = model.allocation_count;
	struct model_allocation *allocation;
	struct zg_arena_span span;
	size_t offset = 0;
	int expected = 0;
	bool stays;

	model.has_changed = false;
	while (number > 0 && model.allocations[number - 1].memory == NULL)
		--number;
	if (number == 0)
		return;
	allocation = &model.allocations[number - 1];
	span = (struct zg_arena_span){allocation->memory, allocation->size};
	stays = allocation->size > 0 && allocation->chunk == model.chunk &&
		allocation->end == model.used[model.chunk] && allocation->offset >= model.barrier &&
		allocation->offset + allocation->size + GROWTH <= model_room();
	if (!stays)
		expected = model_alloc(allocation->size + GROWTH, ZG_ARENA_ALIGNMENT, &offset);

	assert_int_equal(zg_arena_resize(&arena, &span, span.size + GROWTH), expected);
	if (expected < 0) {
		assert_ptr_equal(span.memory, allocation->memory);
		return;
	}
	model.has_changed = true;
	for (size_t i = 0; i < allocation->size; ++i)
		assert_int_equal(((unsigned char *)span.memory)[i], allocation->mark);
	if (!stays) {
		allocation->memory = NULL;
		model_push(span.memory, span.size, offset);
		return;
	}
	model_take(allocation->offset, span.size);
	allocation->memory = span.memory;
	allocation->size = span.size;
	allocation->end = model.used[model.chunk];
	memset(span.memory, allocation->mark, span.size);
}

static void run_step(int step)
{
	cleanup_run_count = 0;
	if (step <= STEP_ALLOC_TOO_LARGE)
		step_alloc(sizes[step], ZG_ARENA_ALIGNMENT);
	else if (step == STEP_ALLOC_ALIGNED)
		step_alloc(sizes[STEP_ALLOC_SMALL], 64);
	else if (step == STEP_SAVE)
		step_save();
	else if (step == STEP_ON_RESET)
		step_on_reset();
	else if (step == STEP_RESET)
		step_reset();
	else if (step == STEP_GROW)
		step_grow();
	else
		step_restore((uint32_t)(step - STEP_RESTORE));
}

static void compare_allocations(void)
{
	for (uint32_t i = 0; i < model.allocation_count; ++i) {
		const struct model_allocation *one = &model.allocations[i];

		if (one->memory == NULL)
			continue;
		for (size_t at = 0; at < one->size; ++at)
			assert_int_equal(one->memory[at], one->mark);
		for (uint32_t other = 0; other < i; ++other) {
			const struct model_allocation *two = &model.allocations[other];

			assert_true(two->memory == NULL || one->memory >= two->memory + two->size ||
				    two->memory >= one->memory + one->size);
		}
	}
}

static void compare(void)
{
	struct zg_arena_usage usage;

	compare_allocations();
	zg_arena_usage(&arena, &usage);
	assert_int_equal(usage.live_size, model_live());
	assert_int_equal(usage.live_size_max, model.live_max);
	assert_int_equal(usage.chunk_count, model.chunk);
	assert_int_equal(usage.refuse_count, model.refuse_count);
	assert_int_equal(chunks.free_count, CHUNK_COUNT - model.chunk);
}

static void start(size_t first_size, uint32_t chunk_max)
{
	struct zg_pool_options pool_options = {
		.name = "model",
		.memory = pool_memory,
		.memory_size = sizeof(pool_memory),
		.block_size = CHUNK_SIZE,
		.block_count = CHUNK_COUNT,
		.tag = 3,
	};
	struct zg_arena_options options = {
		.memory = first_size > 0 ? first_memory : NULL,
		.memory_size = first_size,
		.chunks = &chunks,
		.chunk_count_max = chunk_max,
	};

	assert_int_equal(zg_pool_init(&chunks, &pool_options), 0);
	assert_int_equal(zg_arena_init(&arena, &options), 0);
	memset(&model, 0, sizeof(model));
	model.first_size = first_size;
	model.chunk_max = chunk_max;
}

/* The end runs what cleanups there are, and has every chunk given back. */
static void end(void)
{
	cleanup_run_count = 0;
	zg_arena_fini(&arena);
	model_return_to(&(struct model_savepoint){.used = 0});
	assert_int_equal(chunks.free_count, CHUNK_COUNT);
	zg_pool_fini(&chunks);
}

/* Takes one step more and compares. Refused, it must have left all as it was. */
static void run_last_step(int step)
{
	struct zg_arena before = arena;

	run_step(step);
	if (!model.has_changed) {
		before.refuse_count = arena.refuse_count;
		before.live_size_max = arena.live_size_max;
		assert_memory_equal(&before, &arena, sizeof(arena));
	}
	compare();
	++sequence_count;
}

/* Tries every next step, and goes on from those that change something. */
static void explore(int depth, int depth_max, uint32_t savepoint_count)
{
	size_t first_size = model.first_size;
	uint32_t chunk_max = model.chunk_max;
	bool is_wide = depth_max < DEPTH_MAX;
	bool is_there = false; /* after the steps so far, and nothing else that counts */

	for (int step = 0; step < STEP_RESTORE + (int)savepoint_count; ++step) {
		if (!is_wide && (step == STEP_GROW || step == STEP_ALLOC_ALIGNED))
			continue;
		if (!is_there) {
			start(first_size, chunk_max);
			for (int i = 0; i < depth; ++i)
				run_step(steps[i]);
		}
		run_last_step(step);
		is_there = !model.has_changed;
		if (is_there)
			continue;

		uint32_t savepoints_now = model.savepoint_count;

		end();
		steps[depth] = step;
		if (depth + 1 < depth_max)
			explore(depth + 1, depth_max, savepoints_now);
	}
	if (is_there)
		end();
}

/* Red zones, in builds that a tool watches, leave less room, and more steps are refused. */
static void explore_all(int depth_max, uint64_t sequences, uint64_t sequences_red_zones)
{
	sequence_count = 0;
	explore(0, depth_max, 0);
	assert_int_equal(sequence_count, red_zone == 0 ? sequences : sequences_red_zones);
}

static void every_sequence_agrees_until_the_pool_is_empty(void **state)
{
	(void)state;
	model.first_size = FIRST_SIZE;
	model.chunk_max = CHUNK_COUNT + 1;
	explore_all(DEPTH_MAX, 2111092, 1933804);
}

static void every_sequence_agrees_up_to_the_chunk_limit(void **state)
{
	(void)state;
	model.first_size = 0;
	model.chunk_max = 1;
	explore_all(DEPTH_MAX, 921865, 682460);
}

static void every_shorter_sequence_agrees_with_growing_and_alignment(void **state)
{
	(void)state;
	model.first_size = FIRST_SIZE;
	model.chunk_max = CHUNK_COUNT;
	/* Mallocs that a tool watches take their time. */
	if (zg_arena_is_malloc())
		explore_all(DEPTH_MAX - 2, 212158, 0);
	else
		explore_all(DEPTH_MAX - 1, 1563875, 1320476);
}

static int setup(void **state)
{
	(void)state;
#ifdef ZGI_HAS_POISON
	red_zone = zg_arena_is_malloc() ? 0 : 16;
#endif
	for (size_t i = 0; i < sizeof(marks); ++i)
		marks[i] = (unsigned char)i;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sequence_agrees_until_the_pool_is_empty),
		cmocka_unit_test(every_sequence_agrees_up_to_the_chunk_limit),
		cmocka_unit_test(every_shorter_sequence_agrees_with_growing_and_alignment),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
