/*
 * The shop as a whole: its limits, its plan, its time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "ledger/shop_fixture.h"

static char page[8192];
static struct zg_text text;

static void the_plan_has_a_line_for_each_thing_and_covers_all_memory(void **state)
{
	static struct zg_plan plan;
	struct shop_options options;
	const struct zg_plan_line *line;

	(void)state;
	shop_options_init(&options);
	zg_plan_init(&plan);
	assert_int_equal(shop_plan(&plan, &options), 0);
	assert_int_equal(plan.line_count, SHOP_TABLE_COUNT);
	assert_true(plan.size_total >= shop_memory_size(&options));
	assert_true(plan.size_total - shop_memory_size(&options) < plan.size_total / 100);
	line = zg_plan_find(&plan, "transactions");
	assert_non_null(line);
	assert_int_equal(line->count, 10000);
	assert_string_equal(line->option, "--transactions-max");
}

static void a_limit_out_of_its_range_is_named_with_it(void **state)
{
	struct shop_options options;

	(void)state;
	shop_options_init(&options);
	zg_text_init(&text, page, sizeof(page));
	assert_int_equal(shop_options_check(&options, &text), 0);
	options.carts_max = 0;
	assert_int_equal(shop_options_check(&options, &text), -EINVAL);
	assert_non_null(strstr(page, "--carts-max is 0: it may be 1 to 1048576 carts"));
	options.carts_max = 1048577;
	assert_int_equal(shop_options_check(&options, &text), -EINVAL);
	shop_options_init(&options);
	options.currency = 1;
	assert_int_equal(shop_options_check(&options, &text), -EINVAL);
}

static void time_never_goes_back(void **state)
{
	struct fixture fixture;
	struct shop_options options;

	(void)state;
	fixture_options(&options);
	fixture_start(&fixture, &options);
	assert_true(shop_next_due_ms(&fixture.shop) == INT64_MAX);
	fixture_cart(&fixture);
	fixture.now_ms -= 5000;
	fixture_cart(&fixture);
	assert_int_equal(fixture.command.now_ms, FIXTURE_NOW_MS);
	assert_int_equal(fixture.shop.now_ms, FIXTURE_NOW_MS);
	fixture_end(&fixture);
}

static void what_is_due_next_is_known(void **state)
{
	struct fixture fixture;
	struct shop_options options;
	uint64_t order;

	(void)state;
	fixture_options(&options);
	fixture_start(&fixture, &options);
	order = fixture_order(&fixture);
	assert_int_equal(shop_next_due_ms(&fixture.shop),
			 FIXTURE_NOW_MS + (int64_t)options.order_ttl_s * 1000);
	assert_int_equal(fixture_order_step(&fixture, SHOP_ORDER_CANCEL, order), SHOP_OK);
	assert_int_equal(shop_next_due_ms(&fixture.shop),
			 FIXTURE_NOW_MS + (int64_t)options.cart_ttl_s * 1000);
	fixture_end(&fixture);
}

static void an_audit_sees_what_does_not_add_up(void **state)
{
	struct fixture fixture;
	struct shop_options options;
	struct shop_product *mug;

	(void)state;
	fixture_options(&options);
	fixture_start(&fixture, &options);
	fixture_order(&fixture);
	mug = shop_catalog_product(&fixture.shop.catalog, 1);
	zg_text_init(&text, page, sizeof(page));
	assert_int_equal(shop_audit(&fixture.shop, &text), 0);
	++mug->available;
	assert_int_equal(shop_audit(&fixture.shop, &text), -EBADMSG);
	--mug->available;
	++mug->reserved;
	++mug->supplied;
	assert_int_equal(shop_audit(&fixture.shop, &text), -EBADMSG);
	--mug->reserved;
	--mug->supplied;
	++fixture.shop.totals.captured;
	assert_int_equal(shop_audit(&fixture.shop, &text), -EBADMSG);
	fixture_end(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_plan_has_a_line_for_each_thing_and_covers_all_memory),
		cmocka_unit_test(a_limit_out_of_its_range_is_named_with_it),
		cmocka_unit_test(time_never_goes_back),
		cmocka_unit_test(what_is_due_next_is_known),
		cmocka_unit_test(an_audit_sees_what_does_not_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
