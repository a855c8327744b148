/*
 * Catalog: products come in by SKU, and their pieces are somewhere, always.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/shop_fixture.h"

static struct fixture fixture;

static int start(void **state)
{
	struct shop_options options;

	(void)state;
	fixture_options(&options);
	options.products_max = 3;
	fixture_start(&fixture, &options);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end(&fixture);
	return 0;
}

static struct shop_product *product_of(uint64_t id)
{
	return shop_catalog_product(&fixture.shop.catalog, id);
}

static void a_sku_stands_for_one_product(void **state)
{
	uint64_t mug = fixture_product(&fixture, "MUG", 1000, 10);
	uint64_t cup = fixture_product(&fixture, "CUP", 500, 5);

	(void)state;
	assert_int_equal(mug, 1);
	assert_int_equal(cup, 2);
	/* The second time it is changed: same id, other price. */
	assert_int_equal(fixture_product(&fixture, "MUG", 1200, 7), mug);
	assert_int_equal(product_of(mug)->price, 1200);
	assert_int_equal(product_of(mug)->available, 7);
	assert_int_equal(product_of(mug)->supplied, 7);
	assert_ptr_equal(shop_catalog_product_by_sku(&fixture.shop.catalog, "CUP"),
			 product_of(cup));
	assert_null(product_of(0));
	assert_null(product_of(3));
}

static void a_full_catalog_answers_with_its_limit(void **state)
{
	(void)state;
	fixture_product(&fixture, "A", 1, 1);
	fixture_product(&fixture, "B", 1, 1);
	fixture_product(&fixture, "C", 1, 1);
	fixture_product(&fixture, "D", 1, 1);
	assert_int_equal(fixture.command.outcome.result, SHOP_LIMIT);
	assert_int_equal(fixture.command.outcome.reason, SHOP_REASON_PRODUCTS_FULL);
	assert_int_equal(fixture.command.outcome.limit, 3);
	assert_false(fixture.command.outcome.is_changed);
	assert_int_equal(fixture.shop.catalog.products.refuse_count, 1);
	/* One that is there can still be changed. */
	assert_int_equal(fixture_product(&fixture, "B", 2, 1), 2);
}

static void what_a_product_may_not_be_is_told_by_its_field(void **state)
{
	static const struct {
		struct shop_product_put put;
		enum shop_reason reason;
	} cases[] = {
		{{.sku = "", .name = "n", .category = "c"}, SHOP_REASON_SKU},
		{{.sku = "a b", .name = "n", .category = "c"}, SHOP_REASON_SKU},
		{{.sku = "a", .name = "", .category = "c"}, SHOP_REASON_NAME},
		{{.sku = "a", .name = "n\n", .category = "c"}, SHOP_REASON_NAME},
		{{.sku = "a", .name = "n", .category = ""}, SHOP_REASON_CATEGORY},
		{{.sku = "a", .name = "n", .category = "c", .emoji = "\xff"}, SHOP_REASON_NAME},
		{{.sku = "a", .name = "n", .category = "c", .price = -1}, SHOP_REASON_PRICE},
		{{.sku = "a", .name = "n", .category = "c", .price = SHOP_PRICE_MAX + 1},
		 SHOP_REASON_PRICE},
		{{.sku = "a", .name = "n", .category = "c", .stock = SHOP_STOCK_MAX + 1},
		 SHOP_REASON_STOCK},
	};

	(void)state;
	for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); ++index) {
		fixture.command.request.product_put = cases[index].put;
		assert_int_equal(fixture_apply(&fixture, SHOP_PRODUCT_PUT), SHOP_INVALID);
		assert_int_equal(fixture.command.outcome.reason, cases[index].reason);
	}
	assert_int_equal(fixture.shop.catalog.products.count, 0);
}

static void stock_comes_and_goes_within_its_range(void **state)
{
	uint64_t mug = fixture_product(&fixture, "MUG", 1000, 10);
	struct shop_product_stock *stock = &fixture.command.request.product_stock;

	(void)state;
	*stock = (struct shop_product_stock){mug, 5};
	assert_int_equal(fixture_apply(&fixture, SHOP_PRODUCT_STOCK), SHOP_OK);
	assert_int_equal(product_of(mug)->available, 15);
	*stock = (struct shop_product_stock){mug, -16};
	assert_int_equal(fixture_apply(&fixture, SHOP_PRODUCT_STOCK), SHOP_INVALID);
	*stock = (struct shop_product_stock){mug, INT64_MAX};
	assert_int_equal(fixture_apply(&fixture, SHOP_PRODUCT_STOCK), SHOP_INVALID);
	*stock = (struct shop_product_stock){mug, -15};
	assert_int_equal(fixture_apply(&fixture, SHOP_PRODUCT_STOCK), SHOP_OK);
	assert_int_equal(product_of(mug)->available, 0);
	*stock = (struct shop_product_stock){99, 1};
	assert_int_equal(fixture_apply(&fixture, SHOP_PRODUCT_STOCK), SHOP_NOT_FOUND);
	fixture_audit(&fixture);
}

static void pieces_move_between_three_places(void **state)
{
	struct shop_product *mug = product_of(fixture_product(&fixture, "MUG", 1000, 10));
	struct shop_catalog *catalog = &fixture.shop.catalog;

	(void)state;
	shop_catalog_reserve(catalog, mug, 4);
	shop_catalog_release(catalog, mug, 1);
	shop_catalog_sell(catalog, mug, 3);
	shop_catalog_return(catalog, mug, 2);
	assert_int_equal(mug->available, 9);
	assert_int_equal(mug->reserved, 0);
	assert_int_equal(mug->sold, 1);
	assert_int_equal(mug->supplied, 10);
	/* Counting what is on the shelf anew leaves the others alone. */
	fixture_product(&fixture, "MUG", 1000, 100);
	assert_int_equal(mug->sold, 1);
	assert_int_equal(mug->supplied, 101);
}

static void categories_are_counted(void **state)
{
	uint32_t kitchen;
	uint32_t office;

	(void)state;
	fixture_named(&fixture, "MUG", "Blue mug", "Kitchen");
	fixture_named(&fixture, "PEN", "Red pen", "Office");
	kitchen = shop_catalog_category(&fixture.shop.catalog, ZG_SLICE("Kitchen"));
	office = shop_catalog_category(&fixture.shop.catalog, ZG_SLICE("Office"));
	assert_int_equal(kitchen, 1);
	assert_int_equal(office, 2);
	assert_int_equal(shop_catalog_category(&fixture.shop.catalog, ZG_SLICE("Garden")), 0);
	fixture_named(&fixture, "PEN", "Red pen", "Kitchen");
	assert_int_equal(fixture.shop.catalog.categories[kitchen - 1].product_count, 2);
	assert_int_equal(fixture.shop.catalog.categories[office - 1].product_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_sku_stands_for_one_product, start, end),
		cmocka_unit_test_setup_teardown(a_full_catalog_answers_with_its_limit, start, end),
		cmocka_unit_test_setup_teardown(what_a_product_may_not_be_is_told_by_its_field,
						start, end),
		cmocka_unit_test_setup_teardown(stock_comes_and_goes_within_its_range, start, end),
		cmocka_unit_test_setup_teardown(pieces_move_between_three_places, start, end),
		cmocka_unit_test_setup_teardown(categories_are_counted, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
