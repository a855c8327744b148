/*
 * Typed pools: the same promises as a pool's, whether it is plain, when takes and gives are
 * inline, or tracked, when they are calls. What the compiler refuses is in
 * tests/headers/refused.
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

#include <zerog/typed_pool.h>

#include "mem/pool/pool_handle.h"

#define ORDER_COUNT 3

struct order {
	uint64_t number;
	char note[60];
};

ZG_TYPED_POOL(order, struct order);

static alignas(ZG_POOL_ALIGNMENT) unsigned char memory[ZG_POOL_MEMORY_SIZE_MAX(sizeof(struct order),
									       ORDER_COUNT)];
static struct order_pool orders;

/* Each test runs twice: with a plain pool and with a tracked one. */
static int start(bool is_tracked)
{
	const struct zg_pool_options options = {
		.name = "orders",
		.memory = memory,
		.memory_size = sizeof(memory),
		.block_count = ORDER_COUNT,
		.tag = 9,
		.is_tracked = is_tracked,
	};

	zgi_handles_forget();
	return order_pool_init(&orders, &options);
}

static int start_plain(void **state)
{
	(void)state;
	return start(false);
}

static int start_tracked(void **state)
{
	(void)state;
	return start(true);
}

static int end(void **state)
{
	(void)state;
	order_pool_fini(&orders);
	return 0;
}

/* The first block has the number 0, which is not below the limit of a watched pool either. */
static void a_tracked_pool_sees_the_give_of_every_block(void **state)
{
	(void)state;
	for (uint32_t number = 0; number < ORDER_COUNT; ++number) {
		struct zg_pool_misuse misuse;
		order_handle handle;
		uint32_t taken = 0;

		/* Those before it stay taken, so that each block has its turn. */
		for (; taken <= number; ++taken)
			assert_int_equal(order_pool_take(&orders, &handle, NULL), 0);
		assert_int_equal(order_pool_give(&orders, handle), 0);
		assert_int_equal(order_pool_give(&orders, handle), -ESTALE);
		assert_int_equal(zg_pool_last_misuse(&orders.untyped, &misuse), 1);
		assert_non_null(misuse.give_site);
		order_pool_fini(&orders);
		assert_int_equal(start(true), 0);
	}
}

static void block_size_is_that_of_the_type(void **state)
{
	struct zg_pool_options options = {.block_count = ORDER_COUNT};
	struct zg_pool_options untyped = {.block_count = ORDER_COUNT,
					  .block_size = sizeof(struct order)};

	(void)state;
	assert_int_equal(orders.untyped.block_size_asked, sizeof(struct order));
	assert_int_equal(order_pool_memory_size(&options), zg_pool_memory_size(&untyped));
}

static void object_is_found_by_its_handle_until_it_is_given(void **state)
{
	order_handle handle = {{0}};
	struct order elsewhere;
	struct order *order = &elsewhere;

	(void)state;
	assert_int_equal(order_pool_take(&orders, &handle, &order), 0);
	order->number = 7;
	assert_ptr_equal(order_pool_get(&orders, handle), order);
	assert_int_equal(order_pool_give(&orders, handle), 0);
	assert_null(order_pool_get(&orders, handle));
	assert_int_equal(order_pool_give(&orders, handle), -ESTALE);
	assert_int_equal(orders.untyped.misuse_count, 2);
}

static void object_need_not_be_asked_for(void **state)
{
	order_handle handle = {{0}};

	(void)state;
	assert_int_equal(order_pool_take(&orders, &handle, NULL), 0);
	assert_non_null(order_pool_get(&orders, handle));
}

static void full_pool_refuses_and_leaves_the_results_alone(void **state)
{
	order_handle handles[ORDER_COUNT] = {{{0}}};
	order_handle handle = {{42}};
	struct order *order = (struct order *)(void *)memory;

	(void)state;
	for (size_t i = 0; i < ORDER_COUNT; ++i)
		assert_int_equal(order_pool_take(&orders, &handles[i], NULL), 0);
	assert_int_equal(order_pool_take(&orders, &handle, &order), -ENOMEM);
	assert_int_equal(handle.untyped.bits, 42);
	assert_ptr_equal(order, memory);
	assert_int_equal(orders.untyped.refuse_count, 1);
	assert_int_equal(orders.untyped.free_count_low, 0);
}

static void given_last_is_taken_first(void **state)
{
	order_handle handles[ORDER_COUNT] = {{{0}}};
	struct order *objects[ORDER_COUNT] = {NULL};
	struct order *object = NULL;

	(void)state;
	for (size_t i = 0; i < ORDER_COUNT; ++i)
		assert_int_equal(order_pool_take(&orders, &handles[i], &objects[i]), 0);
	for (size_t i = 0; i < ORDER_COUNT; ++i)
		assert_int_equal(order_pool_give(&orders, handles[i]), 0);
	for (size_t i = ORDER_COUNT; i-- > 0;) {
		assert_int_equal(order_pool_take(&orders, &handles[i], &object), 0);
		assert_ptr_equal(object, objects[i]);
	}
}

static void invented_handles_are_refused(void **state)
{
	order_handle good = {{0}};
	order_handle bad;

	(void)state;
	assert_int_equal(order_pool_take(&orders, &good, NULL), 0);
	memset(&bad, 0, sizeof(bad));
	assert_int_equal(order_pool_give(&orders, bad), -EINVAL);
	bad.untyped.bits = UINT64_MAX;
	assert_int_equal(order_pool_give(&orders, bad), -EINVAL);
	bad.untyped.bits = good.untyped.bits + 1;
	assert_int_equal(order_pool_give(&orders, bad), -EINVAL);
	bad.untyped.bits = good.untyped.bits ^ UINT64_C(1) << 63;
	assert_null(order_pool_get(&orders, bad));
	assert_int_equal(order_pool_give(&orders, good), 0);
}

static void renewed_handle_takes_the_place_of_the_old(void **state)
{
	order_handle handle = {{0}};
	order_handle renewed = {{0}};
	struct order *order = NULL;

	(void)state;
	assert_int_equal(order_pool_take(&orders, &handle, &order), 0);
	assert_int_equal(order_pool_renew(&orders, handle, &renewed), 0);
	assert_null(order_pool_get(&orders, handle));
	assert_ptr_equal(order_pool_get(&orders, renewed), order);
}

static void walk_finds_what_is_taken(void **state)
{
	order_handle handles[2] = {{{0}}};
	order_handle handle = {{0}};
	struct order *order = NULL;
	uint32_t cursor = 0;

	(void)state;
	assert_int_equal(order_pool_take(&orders, &handles[0], NULL), 0);
	assert_int_equal(order_pool_take(&orders, &handles[1], NULL), 0);
	assert_int_equal(order_pool_give(&orders, handles[0]), 0);
	assert_int_equal(order_pool_next(&orders, &cursor, &handle, &order), 1);
	assert_int_equal(handle.untyped.bits, handles[1].untyped.bits);
	assert_ptr_equal(order, order_pool_get(&orders, handles[1]));
	assert_int_equal(order_pool_next(&orders, &cursor, &handle, NULL), 0);
}

/* Brought there by hand: 36 bits are not worn out within a test. */
static void last_generation_retires_the_object(void **state)
{
	const uint64_t last = (UINT64_C(1) << 36) - 1;
	uint64_t upper = (uint64_t)orders.untyped.handle_first << 36;
	order_handle handle = {{0}};

	(void)state;
	orders.untyped.slots[0] = ~(upper | last);
	assert_int_equal(order_pool_take(&orders, &handle, NULL), 0);
	assert_int_equal(handle.untyped.bits, upper | last);
	assert_int_equal(order_pool_give(&orders, handle), 0);
	assert_int_equal(orders.untyped.retired_count, 1);
	assert_int_equal(orders.untyped.free_count, ORDER_COUNT - 1);
	assert_int_equal(order_pool_give(&orders, handle), -ESTALE);
	handle.untyped.bits = upper;
	assert_int_equal(order_pool_give(&orders, handle), -EINVAL);
}

#define TEST_TWICE(function)                                             \
	cmocka_unit_test_setup_teardown(function, start_plain, end),     \
	{                                                                \
#function "/tracked", function, start_tracked, end, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_TWICE(block_size_is_that_of_the_type),
		TEST_TWICE(object_is_found_by_its_handle_until_it_is_given),
		TEST_TWICE(object_need_not_be_asked_for),
		TEST_TWICE(full_pool_refuses_and_leaves_the_results_alone),
		TEST_TWICE(given_last_is_taken_first),
		TEST_TWICE(invented_handles_are_refused),
		TEST_TWICE(renewed_handle_takes_the_place_of_the_old),
		TEST_TWICE(walk_finds_what_is_taken),
		TEST_TWICE(last_generation_retires_the_object),
		cmocka_unit_test_setup_teardown(a_tracked_pool_sees_the_give_of_every_block,
						start_tracked, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
