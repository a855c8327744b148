/*
 * Every sequence of operations to depth 8 agrees with the model, on a pool whose generations
 * have 4 bits, so that blocks wear out within the reach of a test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdalign.h>

#include "mem/pool/pool_model.h"

#define GENERATION_MAX 15 /* with 4 bits: 1 to 15 */
#define SLOT_COUNT POOL_MODEL_SLOT_COUNT

static alignas(ZG_POOL_ALIGNMENT) unsigned char memory[ZG_POOL_MEMORY_SIZE_MAX(64, SLOT_COUNT)];

static const struct pool_model_subject subject = {
	.take = zg_pool_take,
	.give = zg_pool_give,
	.get = zg_pool_get,
	.generation_max = GENERATION_MAX,
};

/* The numbers show that no operation and no argument has gone missing. */
static void every_sequence_on_fresh_blocks_agrees_with_the_model(void **state)
{
	(void)state;
	assert_int_equal(pool_model_explore(&subject, 0, 8), UINT64_C(24905229285814));
}

static void every_sequence_on_nearly_worn_blocks_agrees_with_the_model(void **state)
{
	(void)state;
	assert_int_equal(pool_model_explore(&subject, GENERATION_MAX - 1, 8),
			 UINT64_C(99626353984924));
	assert_int_equal(pool_model_explore(&subject, GENERATION_MAX - 2, 8),
			 UINT64_C(99742852533862));
	assert_int_equal(pool_model_explore(&subject, GENERATION_MAX - 3, 8),
			 UINT64_C(99745631735845));
}

static void gathered_sequences_are_those_that_there_are_one_by_one(void **state)
{
	(void)state;
	assert_int_equal(pool_model_explore(&subject, 0, 3),
			 pool_model_explore_one_by_one(&subject, 0, 3));
	assert_int_equal(pool_model_explore(&subject, GENERATION_MAX - 1, 3),
			 pool_model_explore_one_by_one(&subject, GENERATION_MAX - 1, 3));
}

static void worn_blocks_are_retired_and_their_handles_stay_stale(void **state)
{
	const struct zg_pool_options options = {
		.name = "worn",
		.memory = memory,
		.memory_size = sizeof(memory),
		.block_size = 64,
		.block_count = SLOT_COUNT,
		.tag = 1,
	};
	zg_handle handles[GENERATION_MAX * SLOT_COUNT];
	struct zg_pool pool;
	zg_handle handle;

	(void)state;
	assert_int_equal(zg_pool_init(&pool, &options), 0);
	for (size_t i = 0; i < GENERATION_MAX * SLOT_COUNT; ++i) {
		assert_int_equal(zg_pool_take(&pool, &handles[i], NULL), 0);
		assert_int_equal(zg_pool_give(&pool, handles[i]), 0);
	}
	assert_int_equal(pool.retired_count, SLOT_COUNT);
	assert_int_equal(pool.free_count, 0);
	assert_int_equal(zg_pool_take(&pool, &handle, NULL), -ENOMEM);
	for (size_t i = 0; i < GENERATION_MAX * SLOT_COUNT; ++i) {
		assert_int_equal(zg_pool_give(&pool, handles[i]), -ESTALE);
		assert_null(zg_pool_get(&pool, handles[i]));
	}
	zg_pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sequence_on_fresh_blocks_agrees_with_the_model),
		cmocka_unit_test(every_sequence_on_nearly_worn_blocks_agrees_with_the_model),
		cmocka_unit_test(gathered_sequences_are_those_that_there_are_one_by_one),
		cmocka_unit_test(worn_blocks_are_retired_and_their_handles_stay_stale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
