/*
 * Orders: stock is reserved once and comes back once; prices that changed are asked about.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

static const struct shop_product *mug(void)
{
	return shop_catalog_product_by_sku(&fixture.shop.catalog, "MUG");
}

static void stock_is(uint64_t available, uint64_t reserved, uint64_t sold)
{
	assert_int_equal(mug()->available, available);
	assert_int_equal(mug()->reserved, reserved);
	assert_int_equal(mug()->sold, sold);
}

static void checkout_reserves_stock_and_fixes_prices(void **state)
{
	uint64_t order = fixture_order(&fixture);

	(void)state;
	stock_is(9, 1, 0);
	fixture_product(&fixture, "MUG", 9999, 9);
	assert_int_equal(fixture_order_of(&fixture, order)->total, 1000);
	assert_int_equal(fixture_order_of(&fixture, order)->lines[0].price, 1000);
	assert_int_equal(fixture_order_of(&fixture, order)->token, 77);
	assert_string_equal(fixture_order_of(&fixture, order)->email, "jo@example.org");
}

static void a_second_checkout_answers_with_the_same_order(void **state)
{
	uint64_t order = fixture_order(&fixture);
	uint64_t cart = fixture_order_of(&fixture, order)->cart_id;

	(void)state;
	assert_int_equal(fixture_checkout(&fixture, cart, SHOP_TOTAL_UNCONFIRMED), SHOP_OK);
	assert_int_equal(outcome->id, order);
	assert_true(outcome->is_repeated);
	assert_false(outcome->is_changed);
	stock_is(9, 1, 0);
	assert_int_equal(fixture_set(&fixture, cart, 1, 5), SHOP_CONFLICT);
	assert_int_equal(outcome->reason, SHOP_REASON_CART_CHECKED_OUT);
}

static void a_price_that_changed_is_to_be_confirmed(void **state)
{
	uint64_t product = fixture_product(&fixture, "MUG", 1000, 10);
	uint64_t cart = fixture_cart(&fixture);

	(void)state;
	fixture_set(&fixture, cart, product, 2);
	fixture_product(&fixture, "MUG", 1100, 10);
	assert_int_equal(fixture_checkout(&fixture, cart, SHOP_TOTAL_UNCONFIRMED), SHOP_CONFLICT);
	assert_int_equal(outcome->reason, SHOP_REASON_PRICES_CHANGED);
	assert_int_equal(outcome->amount, 2200);
	assert_int_equal(fixture_checkout(&fixture, cart, 2000), SHOP_CONFLICT);
	assert_int_equal(fixture_checkout(&fixture, cart, 2200), SHOP_OK);
	assert_int_equal(outcome->amount, 2200);
}

static void a_code_that_ran_out_since_is_a_changed_price_too(void **state)
{
	uint64_t product = fixture_product(&fixture, "MUG", 1000, 10);
	uint64_t cart = fixture_cart(&fixture);

	(void)state;
	fixture_set(&fixture, cart, product, 1);
	fixture_code_put(&fixture, "TEN", 1000, 0);
	assert_int_equal(fixture_code(&fixture, cart, "TEN"), SHOP_OK);
	fixture.command.request.code_put =
		(struct shop_code_put){.code = "TEN", .basis_points = 1000, .until_ms = 1};
	assert_int_equal(fixture_apply(&fixture, SHOP_CODE_PUT), SHOP_OK);
	assert_int_equal(fixture_checkout(&fixture, cart, SHOP_TOTAL_UNCONFIRMED), SHOP_CONFLICT);
	assert_int_equal(outcome->amount, 1000);
	assert_int_equal(fixture_checkout(&fixture, cart, 1000), SHOP_OK);
	assert_string_equal(fixture_order_of(&fixture, outcome->id)->code, "");
}

static void what_is_sold_out_since_is_told_with_its_product(void **state)
{
	uint64_t product = fixture_product(&fixture, "MUG", 1000, 10);
	uint64_t cart = fixture_cart(&fixture);

	(void)state;
	fixture_set(&fixture, cart, product, 8);
	fixture_product(&fixture, "MUG", 1000, 7);
	assert_int_equal(fixture_checkout(&fixture, cart, SHOP_TOTAL_UNCONFIRMED), SHOP_LIMIT);
	assert_int_equal(outcome->reason, SHOP_REASON_OUT_OF_STOCK);
	assert_int_equal(outcome->id, product);
	assert_int_equal(outcome->limit, 7);
	stock_is(7, 0, 0);
}

static void an_empty_cart_and_a_bad_address_are_refused(void **state)
{
	uint64_t cart = fixture_cart(&fixture);
	struct shop_checkout *checkout = &fixture.command.request.checkout;

	(void)state;
	assert_int_equal(fixture_checkout(&fixture, cart, SHOP_TOTAL_UNCONFIRMED), SHOP_INVALID);
	assert_int_equal(outcome->reason, SHOP_REASON_CART_EMPTY);
	fixture_set(&fixture, cart, fixture_product(&fixture, "MUG", 1000, 10), 1);
	*checkout = (struct shop_checkout){cart, SHOP_TOTAL_UNCONFIRMED, "jo"};
	assert_int_equal(fixture_apply(&fixture, SHOP_CHECKOUT), SHOP_INVALID);
	assert_int_equal(outcome->reason, SHOP_REASON_EMAIL);
}

static void an_order_that_is_not_paid_in_time_gives_its_stock_back_once(void **state)
{
	uint64_t order = fixture_order(&fixture);

	(void)state;
	fixture.now_ms += (int64_t)fixture.options.order_ttl_s * 1000;
	assert_int_equal(fixture_tick(&fixture), SHOP_OK);
	assert_int_equal(outcome->amount, 1);
	assert_int_equal(fixture_order_of(&fixture, order)->state, SHOP_ORDER_EXPIRED);
	stock_is(10, 0, 0);
	assert_int_equal(fixture_tick(&fixture), SHOP_OK);
	assert_int_equal(outcome->amount, 0);
	assert_int_equal(fixture_order_step(&fixture, SHOP_ORDER_CANCEL, order), SHOP_CONFLICT);
	stock_is(10, 0, 0);
	assert_int_equal(fixture_authorize(&fixture, order, 1000, "key"), SHOP_GONE);
}

static void a_cancelled_order_gives_its_stock_and_its_code_back_once(void **state)
{
	uint64_t product = fixture_product(&fixture, "MUG", 1000, 10);
	uint64_t cart = fixture_cart(&fixture);
	uint64_t order;

	(void)state;
	fixture_set(&fixture, cart, product, 3);
	fixture_code_put(&fixture, "TEN", 1000, 0);
	fixture_code(&fixture, cart, "TEN");
	assert_int_equal(fixture_checkout(&fixture, cart, SHOP_TOTAL_UNCONFIRMED), SHOP_OK);
	order = outcome->id;
	assert_int_equal(outcome->amount, 2700);
	assert_int_equal(shop_code_find(&fixture.shop, "TEN")->uses, 1);
	stock_is(7, 3, 0);
	assert_int_equal(fixture_order_step(&fixture, SHOP_ORDER_CANCEL, order), SHOP_OK);
	assert_true(outcome->is_changed);
	stock_is(10, 0, 0);
	assert_int_equal(shop_code_find(&fixture.shop, "TEN")->uses, 0);
	assert_int_equal(fixture_order_step(&fixture, SHOP_ORDER_CANCEL, order), SHOP_OK);
	assert_false(outcome->is_changed);
	assert_true(outcome->is_repeated);
	stock_is(10, 0, 0);
}

static void what_costs_nothing_is_paid_at_once(void **state)
{
	uint64_t cart = fixture_cart(&fixture);

	(void)state;
	fixture_set(&fixture, cart, fixture_product(&fixture, "MUG", 1000, 10), 1);
	fixture_code_put(&fixture, "FREE", 10000, 0);
	fixture_code(&fixture, cart, "FREE");
	assert_int_equal(fixture_checkout(&fixture, cart, SHOP_TOTAL_UNCONFIRMED), SHOP_OK);
	assert_int_equal(outcome->state, SHOP_ORDER_PAID);
	stock_is(9, 0, 1);
	assert_int_equal(fixture_order_step(&fixture, SHOP_ORDER_SHIP, outcome->id), SHOP_OK);
	assert_int_equal(outcome->state, SHOP_ORDER_SHIPPED);
}

static void only_a_paid_order_is_shipped(void **state)
{
	uint64_t order = fixture_order(&fixture);

	(void)state;
	assert_int_equal(fixture_order_step(&fixture, SHOP_ORDER_SHIP, order), SHOP_CONFLICT);
	assert_int_equal(fixture_order_step(&fixture, SHOP_ORDER_SHIP, 99), SHOP_NOT_FOUND);
}

static void the_oldest_closed_order_makes_room_and_is_gone(void **state)
{
	uint64_t first = fixture_order(&fixture);

	(void)state;
	for (unsigned count = 1; count < fixture.options.orders_max; ++count)
		fixture_order(&fixture);
	/* All of them wait for their payment: there is no room. */
	fixture_set(&fixture, fixture_cart(&fixture), 1, 1);
	assert_int_equal(fixture_checkout(&fixture, outcome->id, SHOP_TOTAL_UNCONFIRMED),
			 SHOP_FULL);
	assert_int_equal(outcome->reason, SHOP_REASON_ORDERS_FULL);
	assert_int_equal(fixture_order_step(&fixture, SHOP_ORDER_CANCEL, first), SHOP_OK);
	assert_int_equal(fixture_checkout(&fixture, 9, SHOP_TOTAL_UNCONFIRMED), SHOP_OK);
	assert_null(fixture_order_of(&fixture, first));
	assert_int_equal(fixture_order_step(&fixture, SHOP_ORDER_CANCEL, first), SHOP_GONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(checkout_reserves_stock_and_fixes_prices, start,
						end),
		cmocka_unit_test_setup_teardown(a_second_checkout_answers_with_the_same_order,
						start, end),
		cmocka_unit_test_setup_teardown(a_price_that_changed_is_to_be_confirmed, start,
						end),
		cmocka_unit_test_setup_teardown(a_code_that_ran_out_since_is_a_changed_price_too,
						start, end),
		cmocka_unit_test_setup_teardown(what_is_sold_out_since_is_told_with_its_product,
						start, end),
		cmocka_unit_test_setup_teardown(an_empty_cart_and_a_bad_address_are_refused, start,
						end),
		cmocka_unit_test_setup_teardown(
			an_order_that_is_not_paid_in_time_gives_its_stock_back_once, start, end),
		cmocka_unit_test_setup_teardown(
			a_cancelled_order_gives_its_stock_and_its_code_back_once, start, end),
		cmocka_unit_test_setup_teardown(what_costs_nothing_is_paid_at_once, start, end),
		cmocka_unit_test_setup_teardown(only_a_paid_order_is_shipped, start, end),
		cmocka_unit_test_setup_teardown(the_oldest_closed_order_makes_room_and_is_gone,
						start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
