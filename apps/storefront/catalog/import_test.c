/*
 * Import: good rows become products, bad ones errors with their row, line and column.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "catalog/import.h"

#define TAKEN_MAX 8

static struct shop_product_put taken[TAKEN_MAX];
static uint32_t taken_count;
static struct shop_product_put stage[3];
static struct shop_import import;
static char page[8192];
static uint64_t rows_max;
static shop_import_sink *sink;

static int take(void *user, const struct shop_product_put *put, enum shop_reason *ret_reason)
{
	(void)user;
	if (taken_count == TAKEN_MAX) {
		*ret_reason = SHOP_REASON_PRODUCTS_FULL;
		return 0;
	}
	taken[taken_count++] = *put;
	return 0;
}

static int import_text(const char *text, enum shop_import_policy policy)
{
	const struct shop_import_options options = {
		.policy = policy,
		.currency = shop_currency_find(ZG_SLICE("EUR")),
		.sink = sink,
		.stage = stage,
		.stage_count = 3,
		.rows_max = rows_max,
	};
	struct zg_text printed;
	size_t size = strlen(text);
	int result;

	taken_count = 0;
	shop_import_init(&import, &options);
	/* In pieces of seven bytes: where they are cut does not matter. */
	for (size_t offset = 0; offset < size; offset += 7) {
		struct zg_slice piece = {text + offset, size - offset < 7 ? size - offset : 7};

		assert_int_equal(shop_import_feed(&import, piece), 0);
	}
	result = shop_import_finish(&import);
	zg_text_init(&printed, page, sizeof(page));
	shop_import_print(&import, &printed);
	return result;
}

static int start(void **state)
{
	(void)state;
	rows_max = 0;
	sink = take;
	return 0;
}

static void told(const char *text, const char *error)
{
	assert_int_equal(import_text(text, SHOP_IMPORT_EACH), -EBADMSG);
	if (strstr(page, error) == NULL)
		fail_msg("\"%s\" is not in: %s", error, page);
}

static void columns_stand_in_any_order(void **state)
{
	(void)state;
	assert_int_equal(import_text("Price,NAME,sku,stock,category,emoji,colour\r\n"
				     "12.50,\"Mug, blue\",M-1,7,Kitchen,☕,#0080ff\r\n",
				     SHOP_IMPORT_EACH),
			 0);
	assert_int_equal(taken_count, 1);
	assert_string_equal(taken[0].sku, "M-1");
	assert_string_equal(taken[0].name, "Mug, blue");
	assert_string_equal(taken[0].category, "Kitchen");
	assert_string_equal(taken[0].emoji, "☕");
	assert_int_equal(taken[0].price, 1250);
	assert_int_equal(taken[0].stock, 7);
	assert_int_equal(taken[0].colour, 0x0080ff);
	assert_int_equal(taken[0].is_listed, 1);
	assert_string_equal(page, "1 products taken, 0 errors\n");
}

static void errors_name_row_line_and_column(void **state)
{
	(void)state;
	told("sku,name,category,price\nA,\"two\nlines\",C,1\n", "row 2 (line 2), name: ");
	told("sku,name,category,price\nA,a,C,1\n\nB,b,C,1.234\n",
	     "row 3 (line 4), price: more digits");
	told("sku,name,category,price\nA,a,C,x\n", "price: not an amount");
	told("sku,name,category,price\nA,a,C,-1\n", "price: a price is not below 0");
	told("sku,name,category,price\nA,a,C,99999999999999999999\n", "price: too large");
	told("sku,name,category,price,currency\nA,a,C,1,USD\n", "price: the currency is not");
	told("sku,name,category,price,stock\nA,a,C,1,1x\n", "stock: not a number");
	told("sku,name,category,price,stock\nA,a,C,1,1000000001\n", "stock: not a number");
	told("sku,name,category,price,colour\nA,a,C,1,fff\n", "colour: not a colour");
	told("sku,name,category,price,listed\nA,a,C,1,yes\n", "listed: write 1 or 0");
	told("sku,name,category,price\n,a,C,1\n", "sku: write");
	told("sku,name,category,price\nA,a,C\n", "row 2 (line 2): not as many fields");
	told("sku,name,category,price\nA,a\"b,C,1\n", "row 2 (line 2): a quote stands inside");
}

static void a_header_that_is_no_good_stands_for_all_rows(void **state)
{
	(void)state;
	told("", "the file is empty");
	told("sku,name,category\nA,a,C\n", "price: the column is missing");
	told("sku,name,category,price,size\nA,a,C,1,2\n", "a column that is none of");
	told("sku,sku,name,category,price\nA,A,a,C,1\n", "sku: the column is there twice");
	assert_int_equal(taken_count, 0);
}

static void good_rows_are_taken_beside_bad_ones(void **state)
{
	(void)state;
	told("sku,name,category,price\nA,a,C,1\nB,b,C,x\nC,c,C,3\n", "2 products taken, 1 errors");
	assert_int_equal(taken_count, 2);
	assert_string_equal(taken[1].sku, "C");
}

static void all_rows_are_taken_or_none(void **state)
{
	(void)state;
	assert_int_equal(
		import_text("sku,name,category,price\nA,a,C,1\nB,b,C,x\n", SHOP_IMPORT_ALL),
		-EBADMSG);
	assert_int_equal(taken_count, 0);
	assert_int_equal(
		import_text("sku,name,category,price\nA,a,C,1\nB,b,C,2\nD,d,C,3", SHOP_IMPORT_ALL),
		0);
	assert_int_equal(taken_count, 3);
	assert_int_equal(
		import_text("sku,name,category,price\nA,a,C,1\nB,b,C,2\nD,d,C,3\nE,e,C,4\n",
			    SHOP_IMPORT_ALL),
		-EBADMSG);
	assert_int_equal(taken_count, 0);
	assert_non_null(strstr(page, "more rows than can be taken"));
}

static void without_a_sink_the_rows_stay_on_the_stage(void **state)
{
	(void)state;
	sink = NULL;
	assert_int_equal(
		import_text("sku,name,category,price\nA,a,C,1\nB,b,C,2\n", SHOP_IMPORT_ALL), 0);
	assert_int_equal(import.good_count, 2);
	assert_string_equal(stage[1].sku, "B");
	assert_int_equal(
		import_text("sku,name,category,price\nA,a,C,1\nB,b,C,x\n", SHOP_IMPORT_ALL),
		-EBADMSG);
	assert_int_equal(import.good_count, 0);
}

static void the_shops_own_no_is_the_rows_error(void **state)
{
	(void)state;
	told("sku,name,category,price\nA,a,C,1\nA,a,C,1\nA,a,C,1\nA,a,C,1\nA,a,C,1\nA,a,C,1\n"
	     "A,a,C,1\nA,a,C,1\nI,i,C,1\n",
	     "row 10 (line 10): No more products fit");
	assert_int_equal(import.good_count, TAKEN_MAX);
}

static void a_row_may_be_refused_after_it_was_taken(void **state)
{
	(void)state;
	assert_int_equal(import_text("sku,name,category,price\n\nA,a,C,1\n", SHOP_IMPORT_EACH), 0);
	assert_int_equal(import.good_count, 1);
	assert_int_equal(import.sink_row, 2);
	assert_int_equal(import.sink_line, 3);
	shop_import_refuse(&import, &(struct shop_import_error){2, 3, NULL, "too late"});
	assert_int_equal(import.good_count, 1);
	assert_int_equal(import.refused_count, 1);
	assert_int_equal(import.error_count, 1);
	assert_string_equal(import.errors[0].text, "too late");
}

static void more_errors_than_are_kept_are_counted(void **state)
{
	static char text[4096];
	struct zg_text printed;

	(void)state;
	zg_text_init(&printed, text, sizeof(text));
	zg_text_print(&printed, "sku,name,category,price\n");
	for (unsigned row = 0; row < 30; ++row)
		zg_text_print(&printed, "A,a,C,x\n");
	told(text, "and 10 more\n");
	assert_int_equal(import.error_count, 30);
}

static void a_file_with_too_many_rows_ends_there(void **state)
{
	(void)state;
	rows_max = 2;
	told("sku,name,category,price\nA,a,C,1\nB,b,C,2\nD,d,C,3\nE,e,C,4\n",
	     "row 4 (line 4): the file has too many rows");
	assert_int_equal(taken_count, 2);
	assert_int_equal(import.error_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(columns_stand_in_any_order, start),
		cmocka_unit_test_setup(errors_name_row_line_and_column, start),
		cmocka_unit_test_setup(a_header_that_is_no_good_stands_for_all_rows, start),
		cmocka_unit_test_setup(good_rows_are_taken_beside_bad_ones, start),
		cmocka_unit_test_setup(all_rows_are_taken_or_none, start),
		cmocka_unit_test_setup(without_a_sink_the_rows_stay_on_the_stage, start),
		cmocka_unit_test_setup(the_shops_own_no_is_the_rows_error, start),
		cmocka_unit_test_setup(a_row_may_be_refused_after_it_was_taken, start),
		cmocka_unit_test_setup(more_errors_than_are_kept_are_counted, start),
		cmocka_unit_test_setup(a_file_with_too_many_rows_ends_there, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
