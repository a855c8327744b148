/*
 * Replay: whatever was done, its records make the same state again; and whatever was done, stock
 * and money add up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "ledger/workload.h"

#define STEPS 20000

static struct fixture fixture;
static struct fixture again;

static void start(struct fixture *of, uint64_t seed)
{
	struct shop_options options;

	fixture_options(&options);
	options.cart_ttl_s = 1800;
	options.order_ttl_s = 900;
	options.key_ttl_s = 900;
	/* Tables are laid out by this, and it must not matter. */
	options.seed = seed;
	fixture_start(of, &options);
}

static void replay_all(struct fixture *to, const struct fixture *from)
{
	size_t offset = 0;

	while (offset < from->journal_size) {
		uint64_t size;

		memcpy(&size, from->journal + offset, sizeof(size));
		offset += sizeof(size);
		assert_int_equal(shop_replay(&to->shop, from->journal + offset, size), 0);
		offset += (size + 7) & ~(size_t)7;
	}
}

static void records_make_the_same_state_again(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3; ++seed) {
		struct workload workload = {.random = seed * 7919};

		start(&fixture, seed);
		for (uint32_t step = 0; step < STEPS; ++step) {
			workload_step(&workload, &fixture);
			if (step % 500 == 0)
				fixture_audit(&fixture);
		}
		fixture_audit(&fixture);
		start(&again, seed + 100);
		replay_all(&again, &fixture);
		assert_true(shop_digest(&again.shop) == shop_digest(&fixture.shop));
		assert_int_equal(again.shop.command_count, workload.applied_count);
		/* Or the sequence was too tame to prove anything. */
		assert_true(fixture.shop.totals.captured_count > 100);
		assert_true(fixture.shop.totals.refunded_count > 20);
		assert_true(fixture.shop.totals.voided_count > 10);
		assert_true(fixture.shop.totals.declined_count > 100);
		assert_true(fixture.shop.totals.retired_count > 100);
		fixture_end(&again);
		fixture_end(&fixture);
	}
}

static void a_command_that_is_not_recorded_changes_nothing(void **state)
{
	struct workload workload = {.random = 4711};
	uint64_t digest;

	(void)state;
	start(&fixture, 1);
	digest = shop_digest(&fixture.shop);
	for (uint32_t step = 0; step < 5000; ++step) {
		uint64_t count = fixture.shop.command_count;
		uint64_t digest_now;

		workload_step(&workload, &fixture);
		digest_now = shop_digest(&fixture.shop);
		assert_true((digest_now == digest) == (fixture.shop.command_count == count));
		digest = digest_now;
	}
	fixture_end(&fixture);
}

static void another_past_is_noticed(void **state)
{
	struct shop_command command;
	unsigned char record[SHOP_RECORD_SIZE_MAX];

	(void)state;
	start(&fixture, 1);
	start(&again, 2);
	fixture_cart(&fixture);
	fixture_cart(&fixture);
	command = fixture.command;
	shop_record_encode(&command, record);
	/* The second cart without the first. */
	assert_int_equal(shop_replay(&again.shop, record, shop_record_size(SHOP_CART_OPEN)),
			 -ESTALE);
	fixture_end(&again);
	fixture_end(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_make_the_same_state_again),
		cmocka_unit_test(a_command_that_is_not_recorded_changes_nothing),
		cmocka_unit_test(another_past_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
