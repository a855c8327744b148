/*
 * The catalog that ships: all of its 10,000 rows are taken, and can be found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "catalog/import.h"
#include "ledger/shop_fixture.h"
#include "shipped.h"

static struct fixture fixture;
static struct shop_import import;
static char piece[65536];
static char page[4096];

static int take(void *user, const struct shop_product_put *put, enum shop_reason *ret_reason)
{
	(void)user;
	fixture.command.request.product_put = *put;
	(void)fixture_apply(&fixture, SHOP_PRODUCT_PUT);
	*ret_reason = (enum shop_reason)fixture.command.outcome.reason;
	return 0;
}

static void import_all(void)
{
	const struct shop_import_options options = {
		.policy = SHOP_IMPORT_EACH,
		.currency = shop_currency_find(ZG_SLICE("EUR")),
		.sink = take,
	};
	int fd = open(SHOP_SHIPPED_PRODUCTS, O_RDONLY | O_CLOEXEC);
	struct zg_text text;
	ssize_t size;

	assert_true(fd >= 0);
	shop_import_init(&import, &options);
	while ((size = read(fd, piece, sizeof(piece))) > 0) {
		const struct zg_slice bytes = {piece, (size_t)size};

		assert_int_equal(shop_import_feed(&import, bytes), 0);
	}
	assert_int_equal(size, 0);
	assert_int_equal(close(fd), 0);
	zg_text_init(&text, page, sizeof(page));
	if (shop_import_finish(&import) < 0) {
		shop_import_print(&import, &text);
		fail_msg("%s", page);
	}
}

static void every_row_is_taken_and_found_under_its_name(void **state)
{
	struct shop_options options;

	(void)state;
	shop_options_init(&options);
	fixture_start(&fixture, &options);
	import_all();
	assert_int_equal(fixture.shop.catalog.products.count, 10000);
	assert_int_equal(fixture.shop.catalog.category_count, 15);
	for (uint64_t id = 1; id <= 10000; id += 37) {
		const struct shop_product *product =
			shop_catalog_product(&fixture.shop.catalog, id);
		const struct shop_search search = {
			.text = {product->name, strlen(product->name)},
			.category = product->category,
			.limit = SHOP_SEARCH_LIMIT_MAX,
		};
		struct shop_search_page found;
		bool is_found = false;

		assert_int_equal(shop_catalog_search(&fixture.shop.catalog, &search, &found), 0);
		for (uint32_t index = 0; index < found.count; ++index)
			is_found |= found.ids[index] == id;
		assert_true(is_found);
	}
	fixture_audit(&fixture);
	fixture_end(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_taken_and_found_under_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
