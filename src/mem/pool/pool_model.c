/*
 * Sequences are as many as stars, but the pools they lead to are few, and what a pool does
 * next depends on nothing but the pool. So those of one length are gathered by the pool and
 * model they end in, byte for byte, each with the number of sequences that lead there, and
 * every operation is tried once on each. What an operation must leave alone shows as a pool
 * that is not the one it was.
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

#include "mem/pool/pool_handle.h"
#include "mem/pool/pool_model.h"

#define SLOT_COUNT POOL_MODEL_SLOT_COUNT
#define TAG 3
#define INDEX_FIRST 5
#define STATES_MAX 4096
#define ARGUMENTS_MAX 64

/* A slot has had the handles of generation 1 to `made`; only the last of them can be out. */
struct model {
	uint64_t made[SLOT_COUNT];
	uint32_t is_out[SLOT_COUNT];
	uint32_t free[SLOT_COUNT]; /* a stack of slots */
	uint32_t free_count;
	uint32_t free_count_low;
	uint32_t retired_count;
	uint32_t unused;
};

/* What the future depends on, and how many sequences have come here. */
struct state {
	struct zg_pool pool; /* its counters are 0 */
	uint64_t slots[SLOT_COUNT];
	uint32_t free_stack[SLOT_COUNT + 1];
	struct model model;
	uint64_t sequence_count;
};

struct level {
	struct state states[STATES_MAX];
	uint32_t table[2 * STATES_MAX]; /* index of a state and 1; 0: empty */
	uint32_t count;
};

static alignas(ZG_POOL_ALIGNMENT) unsigned char memory[ZG_POOL_MEMORY_SIZE_MAX(64, SLOT_COUNT)];
static struct zg_pool pool;
static const struct pool_model_subject *subject; /* borrowed */
static struct model model;
static struct level levels[2];
static uint64_t start_made; /* generations each slot had at the beginning */

static zg_handle handle_of(uint32_t slot, uint64_t generation)
{
	return (zg_handle){(uint64_t)TAG << 56 | (uint64_t)(INDEX_FIRST + slot) << 36 | generation};
}

/* 0: it names a taken block, that of *ret_slot; else the error. */
static int model_judge(zg_handle handle, uint32_t *ret_slot)
{
	for (uint32_t slot = 0; slot < SLOT_COUNT; ++slot) {
		uint64_t generation = handle.bits - handle_of(slot, 0).bits;

		if (generation < 1 || generation > model.made[slot])
			continue;
		*ret_slot = slot;
		return generation == model.made[slot] && model.is_out[slot] ? 0 : -ESTALE;
	}
	return -EINVAL;
}

static void step_take(void)
{
	zg_handle handle = {42};
	void *block = NULL;
	int result = subject->take(&pool, &handle, &block);
	uint32_t slot;

	if (model.free_count == 0) {
		assert_int_equal(result, -ENOMEM);
		assert_int_equal(handle.bits, 42);
		assert_null(block);
		assert_int_equal(pool.refuse_count, 1);
		return;
	}
	slot = model.free[--model.free_count];
	model.free[model.free_count] = 0;
	if (model.free_count < model.free_count_low)
		model.free_count_low = model.free_count;
	++model.made[slot];
	model.is_out[slot] = true;
	assert_int_equal(result, 0);
	assert_int_equal(handle.bits, handle_of(slot, model.made[slot]).bits);
	assert_ptr_equal(block, pool.blocks + slot * (size_t)64);
}

static void step_walk(void)
{
	uint32_t cursor = 0;
	zg_handle handle;
	void *block;

	for (uint32_t slot = 0; slot < SLOT_COUNT; ++slot) {
		if (!model.is_out[slot])
			continue;
		assert_int_equal(zg_pool_next(&pool, &cursor, &handle, &block), 1);
		assert_int_equal(handle.bits, handle_of(slot, model.made[slot]).bits);
		assert_ptr_equal(block, pool.blocks + slot * (size_t)64);
	}
	assert_int_equal(zg_pool_next(&pool, &cursor, &handle, &block), 0);
}

static void step_give(zg_handle handle)
{
	uint32_t slot = 0;
	int expected = model_judge(handle, &slot);

	assert_int_equal(subject->give(&pool, handle), expected);
	assert_int_equal(pool.misuse_count, expected != 0);
	if (expected != 0)
		return;
	model.is_out[slot] = false;
	if (model.made[slot] == subject->generation_max)
		++model.retired_count;
	else
		model.free[model.free_count++] = slot;
}

static void step_renew(zg_handle handle)
{
	zg_handle renewed = {42};
	uint32_t slot = 0;
	int expected = model_judge(handle, &slot);

	assert_int_equal(zg_pool_renew(&pool, handle, &renewed), expected);
	assert_int_equal(pool.misuse_count, expected != 0);
	if (expected != 0) {
		assert_int_equal(renewed.bits, 42);
		return;
	}
	/* The last generation keeps its name. */
	if (model.made[slot] < subject->generation_max)
		++model.made[slot];
	assert_int_equal(renewed.bits, handle_of(slot, model.made[slot]).bits);
}

static void step_get(zg_handle handle)
{
	uint32_t slot = 0;
	int expected = model_judge(handle, &slot);
	void *block = subject->get(&pool, handle);

	assert_ptr_equal(block, expected == 0 ? pool.blocks + slot * (size_t)64 : NULL);
	assert_int_equal(pool.misuse_count, expected != 0);
}

static void compare(void)
{
	struct zg_pool_misuse misuse;

	assert_int_equal(pool.free_count, model.free_count);
	assert_int_equal(pool.free_count_low, model.free_count_low);
	assert_int_equal(pool.retired_count, model.retired_count);
	for (uint32_t slot = 0; slot < SLOT_COUNT; ++slot)
		assert_int_equal(zg_pool_is_taken(&pool, slot), model.is_out[slot]);
	assert_int_equal(zg_pool_last_misuse(&pool, &misuse), pool.misuse_count);
}

/* The handles an operation is tried with. Returns how many. */
static size_t arguments(zg_handle *handles)
{
	size_t count = 0;

	for (uint32_t slot = 0; slot < SLOT_COUNT; ++slot) {
		uint64_t first = start_made > 0 ? start_made : 1;

		/* All that were made, from the last one before the start; the one to come. */
		for (uint64_t made = first; made <= model.made[slot] + 1; ++made)
			handles[count++] = handle_of(slot, made);
		/* What lies in its word while it is free, and the same with the right upper bits.
		 */
		handles[count++].bits = pool.slots[slot] ^ (model.is_out[slot] ? UINT64_MAX : 0);
		handles[count++].bits = handle_of(slot, 0).bits |
					(~handle_of(slot, model.made[slot]).bits << 28 >> 28);
	}
	handles[count++] = ZG_HANDLE_NONE;
	handles[count++].bits = UINT64_MAX;
	handles[count++] = handle_of(0, 0);
	handles[count++].bits = handle_of(0, 1).bits - (UINT64_C(1) << 36);
	handles[count++] = handle_of(SLOT_COUNT, 1);
	handles[count++].bits = handle_of(0, model.made[0]).bits ^ UINT64_C(1) << 56;
	assert_in_range(count, 1, ARGUMENTS_MAX);
	return count;
}

static void state_load(const struct state *state)
{
	memcpy(&pool, &state->pool, sizeof(pool));
	memcpy(pool.slots, state->slots, sizeof(state->slots));
	memcpy(pool.free_stack, state->free_stack, SLOT_COUNT * sizeof(uint32_t));
	memcpy(&model, &state->model, sizeof(model));
}

/* The pool and the model as they are, but for what only counts. */
static void state_save(struct state *state)
{
	memset(state, 0, sizeof(*state));
	memcpy(&state->pool, &pool, sizeof(pool));
	state->pool.refuse_count = 0;
	state->pool.misuse_count = 0;
	memset(&state->pool.misuse_last, 0, sizeof(state->pool.misuse_last));
	memcpy(state->slots, pool.slots, sizeof(state->slots));
	/* What lies above the stack's end is never read before it is written. */
	for (uint32_t i = 0; i < pool.free_count; ++i)
		state->free_stack[i] = pool.free_stack[i];
	memcpy(&state->model, &model, sizeof(model));
}

static uint64_t state_hash(const struct state *state)
{
	const unsigned char *bytes = (const unsigned char *)state;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < offsetof(struct state, sequence_count); ++i)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* Adds so many sequences to the state that they have led to. */
static void level_add(struct level *level, const struct state *state, uint64_t sequence_count)
{
	uint64_t at = state_hash(state) % (2 * STATES_MAX);

	while (level->table[at] != 0) {
		struct state *known = &level->states[level->table[at] - 1];

		if (memcmp(known, state, offsetof(struct state, sequence_count)) == 0) {
			known->sequence_count += sequence_count;
			return;
		}
		at = (at + 1) % (2 * STATES_MAX);
	}
	assert_true(level->count < STATES_MAX);
	level->states[level->count] = *state;
	level->states[level->count].sequence_count = sequence_count;
	level->table[at] = ++level->count;
}

/* Tries one operation on a state; `handle` is NULL for a take and a walk. */
static void try(const struct state *from, void (*without)(void), void (*with)(zg_handle handle),
		zg_handle handle)
{
	struct level *next = &levels[from < levels[1].states];
	struct state reached;

	state_load(from);
	if (without != NULL)
		without();
	else
		with(handle);
	compare();
	state_save(&reached);
	/* Refused, or a question: nothing has changed. */
	if (without == step_walk || with == step_get || pool.misuse_count > 0 ||
	    pool.refuse_count > 0)
		assert_memory_equal(&reached, from, offsetof(struct state, sequence_count));
	level_add(next, &reached, from->sequence_count);
}

static void try_all(const struct state *from)
{
	zg_handle handles[ARGUMENTS_MAX];
	size_t count;

	state_load(from);
	count = arguments(handles);
	try(from, step_take, NULL, ZG_HANDLE_NONE);
	try(from, step_walk, NULL, ZG_HANDLE_NONE);
	for (size_t i = 0; i < count; ++i) {
		try(from, NULL, step_give, handles[i]);
		try(from, NULL, step_renew, handles[i]);
		try(from, NULL, step_get, handles[i]);
	}
}

/* A pool and a model of blocks that had so many generations. */
static void start(const struct pool_model_subject *of, uint64_t made, struct state *ret_state)
{
	const struct zg_pool_options options = {
		.name = "model",
		.memory = memory,
		.memory_size = sizeof(memory),
		.block_size = 64,
		.block_count = SLOT_COUNT,
		.index_first = INDEX_FIRST,
		.tag = TAG,
	};

	subject = of;
	zgi_handles_forget();
	assert_int_equal(zg_pool_init(&pool, &options), 0);
	memset(&model, 0, sizeof(model));
	start_made = made;
	model.free_count = SLOT_COUNT;
	model.free_count_low = SLOT_COUNT;
	for (uint32_t slot = 0; slot < SLOT_COUNT; ++slot) {
		model.free[slot] = SLOT_COUNT - 1 - slot;
		model.made[slot] = made;
		pool.slots[slot] = ~handle_of(slot, made + 1).bits;
	}
	state_save(ret_state);
}

uint64_t pool_model_explore(const struct pool_model_subject *of, uint64_t made, unsigned depth)
{
	struct state state;
	uint64_t sequence_count = 0;

	start(of, made, &state);
	memset(levels, 0, sizeof(levels));
	level_add(&levels[0], &state, 1);
	for (unsigned at = 0; at < depth; ++at) {
		struct level *level = &levels[at % 2];

		memset(&levels[1 - at % 2], 0, sizeof(*level));
		for (uint32_t i = 0; i < level->count; ++i)
			try_all(&level->states[i]);
	}
	for (uint32_t i = 0; i < levels[depth % 2].count; ++i)
		sequence_count += levels[depth % 2].states[i].sequence_count;
	zg_pool_fini(&pool);
	return sequence_count;
}

static uint64_t explore_from(const struct state *from, unsigned depth)
{
	void (*const steps[])(zg_handle handle) = {step_give, step_renew, step_get};
	uint64_t sequence_count = 0;
	zg_handle handles[ARGUMENTS_MAX];
	size_t count;

	if (depth == 0)
		return 1;
	state_load(from);
	count = arguments(handles);
	for (size_t at = 0; at < 2 + 3 * count; ++at) {
		struct state reached;

		state_load(from);
		if (at < 2)
			(at == 0 ? step_take : step_walk)();
		else
			steps[(at - 2) % 3](handles[(at - 2) / 3]);
		compare();
		state_save(&reached);
		sequence_count += explore_from(&reached, depth - 1);
	}
	return sequence_count;
}

uint64_t pool_model_explore_one_by_one(const struct pool_model_subject *of, uint64_t made,
				       unsigned depth)
{
	struct state state;
	uint64_t sequence_count;

	start(of, made, &state);
	sequence_count = explore_from(&state, depth);
	zg_pool_fini(&pool);
	return sequence_count;
}
