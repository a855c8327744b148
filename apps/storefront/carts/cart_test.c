/*
 * Carts: 20 slots, what they cost, and when they end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/shop_fixture.h"

static struct fixture fixture;
static const struct shop_outcome *outcome = &fixture.command.outcome;

static int start(void **state)
{
	struct shop_options options;

	(void)state;
	fixture_options(&options);
	fixture_start(&fixture, &options);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_audit(&fixture);
	fixture_end(&fixture);
	return 0;
}

static struct shop_cart *cart_of(uint64_t id)
{
	return (struct shop_cart *)shop_table_find(&fixture.shop.carts, id);
}

static int64_t total_of(uint64_t cart_id)
{
	return shop_cart_quote(&fixture.shop, cart_of(cart_id), fixture.now_ms).total;
}

static void a_cart_holds_20_products_and_then_answers_with_the_limit(void **state)
{
	uint64_t cart = fixture_cart(&fixture);

	(void)state;
	for (unsigned number = 1; number <= SHOP_CART_SLOTS + 1; ++number) {
		char sku[8];

		(void)snprintf(sku, sizeof(sku), "S%u", number);
		assert_int_equal(
			fixture_set(&fixture, cart, fixture_product(&fixture, sku, 100, 10), 1),
			number <= SHOP_CART_SLOTS ? SHOP_OK : SHOP_LIMIT);
	}
	assert_int_equal(outcome->reason, SHOP_REASON_CART_FULL);
	assert_int_equal(outcome->limit, 20);
	assert_false(outcome->is_changed);
	/* What is there already may still become more, and what goes makes room. */
	assert_int_equal(fixture_set(&fixture, cart, 20, 2), SHOP_OK);
	assert_int_equal(fixture_set(&fixture, cart, 1, 0), SHOP_OK);
	assert_int_equal(fixture_set(&fixture, cart, 21, 1), SHOP_OK);
	assert_int_equal(cart_of(cart)->line_count, 20);
	assert_int_equal(cart_of(cart)->lines[0].product_id, 2);
	assert_int_equal(cart_of(cart)->lines[19].product_id, 21);
}

static void quantities_are_set_or_added_up_to_the_limit_and_the_stock(void **state)
{
	uint64_t mug = fixture_product(&fixture, "MUG", 1000, 200);
	uint64_t rare = fixture_product(&fixture, "RARE", 1000, 3);
	uint64_t cart = fixture_cart(&fixture);

	(void)state;
	assert_int_equal(fixture_set(&fixture, cart, mug, 90), SHOP_OK);
	fixture.command.request.cart_set.is_added = 1;
	fixture.command.request.cart_set.quantity = 9;
	assert_int_equal(fixture_apply(&fixture, SHOP_CART_SET), SHOP_OK);
	assert_int_equal(cart_of(cart)->lines[0].quantity, 99);
	fixture.command.request.cart_set.quantity = UINT32_MAX;
	assert_int_equal(fixture_apply(&fixture, SHOP_CART_SET), SHOP_LIMIT);
	assert_int_equal(outcome->reason, SHOP_REASON_QUANTITY);
	assert_int_equal(outcome->limit, 99);
	assert_int_equal(fixture_set(&fixture, cart, rare, 4), SHOP_LIMIT);
	assert_int_equal(outcome->reason, SHOP_REASON_OUT_OF_STOCK);
	assert_int_equal(outcome->limit, 3);
	assert_int_equal(outcome->id, rare);
	assert_int_equal(fixture_set(&fixture, cart, 99, 1), SHOP_NOT_FOUND);
	/* Taking out what is not there is no mistake. */
	assert_int_equal(fixture_set(&fixture, cart, rare, 0), SHOP_OK);
	assert_int_equal(total_of(cart), 99000);
}

static void what_is_no_longer_sold_can_be_taken_out_but_not_put_in(void **state)
{
	uint64_t mug = fixture_named(&fixture, "MUG", "Mug", "Kitchen");
	uint64_t cart = fixture_cart(&fixture);
	struct shop_product_put *put = &fixture.command.request.product_put;

	(void)state;
	assert_int_equal(fixture_set(&fixture, cart, mug, 2), SHOP_OK);
	fixture_named(&fixture, "MUG", "Mug", "Kitchen");
	put->is_listed = 0;
	assert_int_equal(fixture_apply(&fixture, SHOP_PRODUCT_PUT), SHOP_OK);
	assert_int_equal(fixture_set(&fixture, cart, mug, 1), SHOP_OK);
	assert_int_equal(fixture_checkout(&fixture, cart, SHOP_TOTAL_UNCONFIRMED), SHOP_LIMIT);
	assert_int_equal(outcome->reason, SHOP_REASON_OUT_OF_STOCK);
	assert_int_equal(fixture_set(&fixture, cart, mug, 0), SHOP_OK);
	assert_int_equal(fixture_set(&fixture, cart, mug, 1), SHOP_NOT_FOUND);
}

static void a_share_is_taken_off_the_sum_and_rounded_once(void **state)
{
	uint64_t cart = fixture_cart(&fixture);

	(void)state;
	assert_int_equal(fixture_code_put(&fixture, "ten", 1000, 0), SHOP_OK);
	fixture_set(&fixture, cart, fixture_product(&fixture, "A", 333, 10), 1);
	fixture_set(&fixture, cart, fixture_product(&fixture, "B", 333, 10), 1);
	fixture_set(&fixture, cart, fixture_product(&fixture, "C", 339, 10), 1);
	/* 10 % of 1005 is 100.5, which is 101; line by line it would have been 33 + 33 + 34. */
	assert_int_equal(fixture_code(&fixture, cart, "TEN"), SHOP_OK);
	assert_int_equal(outcome->amount, 904);
	assert_int_equal(fixture_code(&fixture, cart, ""), SHOP_OK);
	assert_int_equal(outcome->amount, 1005);
}

static void an_amount_is_taken_off_but_never_more_than_there_is(void **state)
{
	uint64_t cart = fixture_cart(&fixture);

	(void)state;
	assert_int_equal(fixture_code_put(&fixture, "FIVER", 0, 500), SHOP_OK);
	fixture_set(&fixture, cart, fixture_product(&fixture, "A", 300, 10), 1);
	assert_int_equal(fixture_code(&fixture, cart, "fiver"), SHOP_OK);
	assert_int_equal(outcome->amount, 0);
	fixture_set(&fixture, cart, 1, 2);
	assert_int_equal(total_of(cart), 100);
}

static void a_code_says_why_it_does_not_apply(void **state)
{
	struct shop_code_put put = {.basis_points = 1000,
				    .uses_max = 1,
				    .minimum = 500,
				    .until_ms = FIXTURE_NOW_MS + 1000,
				    .code = "TEN"};
	uint64_t cart = fixture_cart(&fixture);
	uint64_t mug = fixture_product(&fixture, "A", 300, 10);

	(void)state;
	fixture.command.request.code_put = put;
	assert_int_equal(fixture_apply(&fixture, SHOP_CODE_PUT), SHOP_OK);
	fixture_set(&fixture, cart, mug, 1);
	assert_int_equal(fixture_code(&fixture, cart, "nothing"), SHOP_INVALID);
	assert_int_equal(outcome->reason, SHOP_REASON_CODE);
	assert_int_equal(fixture_code(&fixture, cart, "TEN"), SHOP_INVALID);
	assert_int_equal(outcome->reason, SHOP_REASON_CODE_MINIMUM);
	assert_int_equal(outcome->amount, 500);
	fixture_set(&fixture, cart, mug, 2);
	assert_int_equal(fixture_code(&fixture, cart, "TEN"), SHOP_OK);
	assert_int_equal(fixture_checkout(&fixture, cart, SHOP_TOTAL_UNCONFIRMED), SHOP_OK);
	cart = fixture_cart(&fixture);
	fixture_set(&fixture, cart, mug, 2);
	assert_int_equal(fixture_code(&fixture, cart, "TEN"), SHOP_INVALID);
	assert_int_equal(outcome->reason, SHOP_REASON_CODE_USED_UP);
	fixture.now_ms += 1000;
	assert_int_equal(fixture_code(&fixture, cart, "TEN"), SHOP_INVALID);
	assert_int_equal(outcome->reason, SHOP_REASON_CODE_EXPIRED);
}

static void terms_that_make_no_sense_are_refused(void **state)
{
	(void)state;
	assert_int_equal(fixture_code_put(&fixture, "A", 0, 0), SHOP_INVALID);
	assert_int_equal(fixture_code_put(&fixture, "A", 10001, 0), SHOP_INVALID);
	assert_int_equal(fixture_code_put(&fixture, "A", 1000, 100), SHOP_INVALID);
	assert_int_equal(fixture_code_put(&fixture, "A", 0, -5), SHOP_INVALID);
	assert_int_equal(fixture_code_put(&fixture, "a b", 1000, 0), SHOP_INVALID);
	for (unsigned number = 0; number < 5; ++number) {
		char code[2] = {(char)('A' + number), '\0'};

		assert_int_equal(fixture_code_put(&fixture, code, 1000, 0),
				 number < 4 ? SHOP_OK : SHOP_LIMIT);
	}
	assert_int_equal(outcome->limit, 4);
}

static void a_cart_ends_when_nobody_has_touched_it_for_its_time(void **state)
{
	int64_t ttl_ms = (int64_t)fixture.options.cart_ttl_s * 1000;
	uint64_t mug = fixture_product(&fixture, "MUG", 1000, 10);
	uint64_t first = fixture_cart(&fixture);
	uint64_t second = fixture_cart(&fixture);

	(void)state;
	fixture.now_ms += 1000;
	assert_int_equal(fixture_set(&fixture, first, mug, 1), SHOP_OK);
	assert_int_equal(shop_next_due_ms(&fixture.shop), FIXTURE_NOW_MS + ttl_ms);
	fixture.now_ms = FIXTURE_NOW_MS + ttl_ms - 1;
	assert_int_equal(fixture_tick(&fixture), SHOP_OK);
	assert_false(outcome->is_changed);
	fixture.now_ms += 1;
	/* Over is over, whether the tick has come by or not. */
	assert_int_equal(fixture_set(&fixture, second, mug, 1), SHOP_GONE);
	assert_int_equal(fixture_tick(&fixture), SHOP_OK);
	assert_int_equal(outcome->amount, 1);
	assert_int_equal(fixture_set(&fixture, second, mug, 1), SHOP_GONE);
	assert_int_equal(fixture_set(&fixture, first, mug, 2), SHOP_OK);
	assert_int_equal(fixture_set(&fixture, 99, mug, 1), SHOP_NOT_FOUND);
}

static void when_every_cart_is_in_use_whoever_comes_is_asked_to_come_again(void **state)
{
	uint64_t mug = fixture_product(&fixture, "MUG", 1000, 10);
	uint64_t first = fixture_cart(&fixture);

	(void)state;
	for (unsigned count = 1; count < fixture.options.carts_max; ++count)
		assert_int_not_equal(fixture_cart(&fixture), 0);
	assert_int_equal(fixture_cart(&fixture), 0);
	assert_int_equal(outcome->result, SHOP_FULL);
	assert_int_equal(outcome->reason, SHOP_REASON_CARTS_FULL);
	assert_int_equal(outcome->retry_after_s, 1);
	/* One that is an order makes room. */
	fixture_set(&fixture, first, mug, 1);
	assert_int_equal(fixture_checkout(&fixture, first, SHOP_TOTAL_UNCONFIRMED), SHOP_OK);
	assert_int_not_equal(fixture_cart(&fixture), 0);
	assert_null(cart_of(first));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_cart_holds_20_products_and_then_answers_with_the_limit, start, end),
		cmocka_unit_test_setup_teardown(
			quantities_are_set_or_added_up_to_the_limit_and_the_stock, start, end),
		cmocka_unit_test_setup_teardown(
			what_is_no_longer_sold_can_be_taken_out_but_not_put_in, start, end),
		cmocka_unit_test_setup_teardown(a_share_is_taken_off_the_sum_and_rounded_once,
						start, end),
		cmocka_unit_test_setup_teardown(an_amount_is_taken_off_but_never_more_than_there_is,
						start, end),
		cmocka_unit_test_setup_teardown(a_code_says_why_it_does_not_apply, start, end),
		cmocka_unit_test_setup_teardown(terms_that_make_no_sense_are_refused, start, end),
		cmocka_unit_test_setup_teardown(a_cart_ends_when_nobody_has_touched_it_for_its_time,
						start, end),
		cmocka_unit_test_setup_teardown(
			when_every_cart_is_in_use_whoever_comes_is_asked_to_come_again, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
