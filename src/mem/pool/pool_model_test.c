/*
 * Every sequence of takes and gives on a small pool, beside a naive model of it.
 *
 * The pool is built with generations of 4 bits here, so that blocks wear out
 * within the reach of a test.
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

#include <zerog/pool.h>

#define SLOT_COUNT 3
#define DEPTH 8
#define HANDLES_MAX (DEPTH + SLOT_COUNT * 15)
#define GENERATIONS 15 /* with 4 bits: 1 to 15 */

/* The model: every handle that was ever made, and whether its block is still out. */
struct model {
	zg_handle handles[HANDLES_MAX];
	bool is_out[HANDLES_MAX];
	uint32_t handle_count;
	uint32_t out_count;
	uint32_t worn_count;
};

static alignas(ZG_POOL_ALIGNMENT) unsigned char memory[ZG_POOL_MEMORY_SIZE_MAX(64, SLOT_COUNT)];
static uint64_t sequence_count;

static void start(struct zg_pool *pool)
{
	struct zg_pool_options options = {
		.name = "model",
		.memory = memory,
		.memory_size = sizeof(memory),
		.block_size = 64,
		.block_count = SLOT_COUNT,
		.tag = 3,
	};

	assert_int_equal(zg_pool_init(pool, &options), 0);
}

static void step_take(struct zg_pool *pool, struct model *model)
{
	zg_handle handle;
	int result = zg_pool_take(pool, &handle, NULL);

	if (model->out_count + model->worn_count == SLOT_COUNT) {
		assert_int_equal(result, -ENOMEM);
		return;
	}
	assert_int_equal(result, 0);
	for (uint32_t i = 0; i < model->handle_count; ++i) {
		/* A handle never comes twice, nor a block that is out. */
		assert_int_not_equal(handle.bits, model->handles[i].bits);
		if (model->is_out[i])
			assert_int_not_equal(zg_handle_index(handle),
					     zg_handle_index(model->handles[i]));
	}
	model->handles[model->handle_count] = handle;
	model->is_out[model->handle_count++] = true;
	++model->out_count;
}

static void step_give(struct zg_pool *pool, struct model *model, uint32_t number)
{
	uint32_t uses = 0;
	int result = zg_pool_give(pool, model->handles[number]);

	if (!model->is_out[number]) {
		assert_int_equal(result, -ESTALE);
		return;
	}
	assert_int_equal(result, 0);
	model->is_out[number] = false;
	--model->out_count;
	for (uint32_t i = 0; i < model->handle_count; ++i)
		uses += zg_handle_index(model->handles[i]) ==
			zg_handle_index(model->handles[number]);
	if (uses == GENERATIONS)
		++model->worn_count;
}

static void compare(struct zg_pool *pool, const struct model *model)
{
	uint32_t cursor = 0;
	uint32_t walked = 0;
	zg_handle handle;

	assert_int_equal(pool->free_count, SLOT_COUNT - model->out_count - model->worn_count);
	assert_int_equal(pool->retired_count, model->worn_count);
	for (uint32_t i = 0; i < model->handle_count; ++i)
		assert_int_equal(zg_pool_get(pool, model->handles[i]) != NULL, model->is_out[i]);
	while (zg_pool_next(pool, &cursor, &handle, NULL) == 1)
		++walked;
	assert_int_equal(walked, model->out_count);
}

/* Tries every next step: a take, or a give of any handle that ever was. */
static void explore(const struct zg_pool *pool, const struct model *model, int depth)
{
	uint64_t slots[SLOT_COUNT];

	if (depth == 0) {
		++sequence_count;
		return;
	}
	memcpy(slots, pool->slots, sizeof(slots));
	for (uint32_t step = 0; step <= model->handle_count; ++step) {
		struct zg_pool pool_next = *pool;
		struct model model_next = *model;

		if (step == model->handle_count)
			step_take(&pool_next, &model_next);
		else
			step_give(&pool_next, &model_next, step);
		compare(&pool_next, &model_next);
		explore(&pool_next, &model_next, depth - 1);
		memcpy(pool->slots, slots, sizeof(slots));
	}
}

static void every_sequence_agrees_with_the_model(void **state)
{
	struct zg_pool pool;
	struct model model = {0};

	(void)state;
	start(&pool);
	sequence_count = 0;
	explore(&pool, &model, DEPTH);
	assert_int_equal(sequence_count, 3548);
	zg_pool_fini(&pool);
}

static void every_sequence_on_nearly_worn_blocks_agrees(void **state)
{
	struct zg_pool pool;
	struct model model = {0};

	(void)state;
	start(&pool);
	/* Wear all blocks down to their last generation, through the model as well. */
	for (int round = 0; round < GENERATIONS - 1; ++round) {
		for (uint32_t i = 0; i < SLOT_COUNT; ++i)
			step_take(&pool, &model);
		for (uint32_t i = 0; i < SLOT_COUNT; ++i)
			step_give(&pool, &model, model.handle_count - SLOT_COUNT + i);
	}
	compare(&pool, &model);
	explore(&pool, &model, 3);
	zg_pool_fini(&pool);
}

static void worn_block_is_retired_and_its_handles_stay_stale(void **state)
{
	struct zg_pool pool;
	zg_handle handles[GENERATIONS * SLOT_COUNT];
	zg_handle handle;

	(void)state;
	start(&pool);
	for (size_t i = 0; i < GENERATIONS * SLOT_COUNT; ++i) {
		assert_int_equal(zg_pool_take(&pool, &handles[i], NULL), 0);
		assert_int_equal(zg_pool_give(&pool, handles[i]), 0);
	}
	assert_int_equal(pool.retired_count, SLOT_COUNT);
	assert_int_equal(pool.free_count, 0);
	assert_int_equal(zg_pool_take(&pool, &handle, NULL), -ENOMEM);
	for (size_t i = 0; i < GENERATIONS * SLOT_COUNT; ++i) {
		assert_int_equal(zg_pool_give(&pool, handles[i]), -ESTALE);
		assert_null(zg_pool_get(&pool, handles[i]));
	}
	zg_pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sequence_agrees_with_the_model),
		cmocka_unit_test(every_sequence_on_nearly_worn_blocks_agrees),
		cmocka_unit_test(worn_block_is_retired_and_its_handles_stay_stale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
