/*
 * Every sequence of operations to depth 8 agrees with the model, by the inline functions of
 * typed pools, with whole generations: the first few and the last few of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <zerog/typed_pool.h>

#include "mem/pool/pool_model.h"

#define GENERATION_MAX ((UINT64_C(1) << 36) - 1)

static int take(struct zg_pool *pool, zg_handle *ret_handle, void **ret_block)
{
	return zg_pool_take_inline(pool, ret_handle, ret_block);
}

static int give(struct zg_pool *pool, zg_handle handle)
{
	return zg_pool_give_inline(pool, handle);
}

static void *get(struct zg_pool *pool, zg_handle handle)
{
	return zg_pool_get_inline(pool, handle);
}

static const struct pool_model_subject subject = {
	.take = take,
	.give = give,
	.get = get,
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sequence_on_fresh_blocks_agrees_with_the_model),
		cmocka_unit_test(every_sequence_on_nearly_worn_blocks_agrees_with_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
