/*
 * CSV: the same rows, wherever the bytes are cut; and what is wrong is told with its row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include <zerog/text.h>

#include "catalog/csv.h"

static struct shop_csv csv;
static char list[65536];
static struct zg_text printed;

/* Rows as "[a|b]", faults as "!row/line:number". */
static int print_row(void *user, const struct shop_csv_row *row)
{
	(void)user;
	if (row->fault != SHOP_CSV_NONE) {
		zg_text_print(&printed, "!%d/%d:%d", (int)row->number, (int)row->line,
			      (int)row->fault);
		return 0;
	}
	zg_text_print(&printed, "[");
	for (uint32_t index = 0; index < row->field_count; ++index) {
		zg_text_print(&printed, "%s", index > 0 ? "|" : "");
		zg_text_append(&printed, row->fields[index]);
	}
	zg_text_print(&printed, "]");
	return 0;
}

static const char *read_in_pieces(const char *bytes, size_t size, size_t piece_size)
{
	zg_text_init(&printed, list, sizeof(list));
	shop_csv_init(&csv, print_row, NULL);
	for (size_t offset = 0; offset < size; offset += piece_size) {
		size_t left = size - offset;
		struct zg_slice piece = {bytes + offset, left < piece_size ? left : piece_size};

		assert_int_equal(shop_csv_feed(&csv, piece), 0);
	}
	assert_int_equal(shop_csv_finish(&csv), 0);
	return list;
}

static void reads(const char *bytes, const char *expected)
{
	size_t size = strlen(bytes);

	for (size_t piece_size = 1; piece_size <= size; ++piece_size)
		assert_string_equal(read_in_pieces(bytes, size, piece_size), expected);
	assert_string_equal(read_in_pieces(bytes, size, size + 1), expected);
}

static void lines_end_with_crlf_or_lf_and_the_last_need_not(void **state)
{
	(void)state;
	reads("a,b\r\nc,d\r\n", "[a|b][c|d]");
	reads("a,b\nc,d", "[a|b][c|d]");
	reads("a\r\n\r\n\nb\n", "[a][b]");
	reads("", "");
	reads("\r\n", "");
}

static void quotes_hold_commas_line_ends_and_doubled_quotes(void **state)
{
	(void)state;
	reads("\"a,b\",\"c\r\nd\",\"say \"\"hi\"\"\"\r\n", "[a,b|c\r\nd|say \"hi\"]");
	reads("\"\"\n", "[]");
	reads("\"\"\"\"\n", "[\"]");
	reads("\"a\"", "[a]");
}

static void empty_fields_are_fields(void **state)
{
	(void)state;
	reads(",\n", "[|]");
	reads("a,,b\n,a", "[a||b][|a]");
	reads(" a , b \n", "[ a | b ]");
}

static void a_byte_order_mark_is_skipped_at_the_start_only(void **state)
{
	(void)state;
	reads("\xef\xbb\xbf"
	      "a,b\n",
	      "[a|b]");
	reads("\xef\xbb\xbf\"a\"\n", "[a]");
	reads("\xef\xbb"
	      "a\n",
	      "[\xef\xbb"
	      "a]");
	reads("\xef", "[\xef]");
	reads("a\n\xef\xbb\xbf"
	      "b\n",
	      "[a][\xef\xbb\xbf"
	      "b]");
}

static void a_malformed_row_is_told_and_the_next_one_is_read(void **state)
{
	(void)state;
	reads("a\nb\"c,d\ne\n", "[a]!2/2:1[e]");
	reads("\"a\"b,c\nd\n", "!1/1:2[d]");
	reads("a\rb\nc\n", "!1/1:3[c]");
	reads("\"a\"\rb\nc", "!1/1:3[c]");
	reads("a\n\"b\nc", "[a]!2/2:7");
	reads("a\r", "!1/1:3");
	/* Lines count those inside of quotes, too. */
	reads("\"a\nb\"\nc\"\n", "[a\nb]!2/3:1");
}

static void a_zero_byte_is_refused(void **state)
{
	(void)state;
	assert_string_equal(read_in_pieces("a\0b,c\nd\n", 8, 1), "!1/1:4[d]");
	assert_string_equal(read_in_pieces("\"a\0\nb\"\"\n\",c\nd\n", 14, 2), "!1/1:4[d]");
}

static void the_limits_of_a_row_are_told_and_met_to_the_byte(void **state)
{
	static char bytes[SHOP_CSV_ROW_SIZE_MAX + 16];
	size_t size = SHOP_CSV_ROW_SIZE_MAX;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes + size, "\na\n", 3);
	(void)read_in_pieces(bytes, size + 3, 100);
	assert_int_equal(list[0], '[');
	assert_string_equal(list + 1 + size, "][a]");
	bytes[size] = 'x';
	memcpy(bytes + size + 1, "\na\n", 3);
	assert_string_equal(read_in_pieces(bytes, size + 4, 100), "!1/1:5[a]");
	/* What is skipped may have quotes around line ends. */
	bytes[size - 9] = ',';
	bytes[size - 8] = '"';
	memcpy(bytes + size + 4, "\"\nb\n", 4);
	assert_string_equal(read_in_pieces(bytes, size + 8, 100), "!1/1:5[b]");
	reads("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16\n",
	      "[1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16]");
	reads("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\na\n", "!1/1:6[a]");
	reads("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,\"\n\"\na\n", "!1/1:6[a]");
}

static int stop_at_second(void *user, const struct shop_csv_row *row)
{
	++*(int *)user;
	return row->number == 2 ? -ECANCELED : 0;
}

static void a_handler_can_end_the_reading(void **state)
{
	int count = 0;

	(void)state;
	shop_csv_init(&csv, stop_at_second, &count);
	assert_int_equal(shop_csv_feed(&csv, ZG_SLICE("a\nb\nc\n")), -ECANCELED);
	assert_int_equal(count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_end_with_crlf_or_lf_and_the_last_need_not),
		cmocka_unit_test(quotes_hold_commas_line_ends_and_doubled_quotes),
		cmocka_unit_test(empty_fields_are_fields),
		cmocka_unit_test(a_byte_order_mark_is_skipped_at_the_start_only),
		cmocka_unit_test(a_malformed_row_is_told_and_the_next_one_is_read),
		cmocka_unit_test(a_zero_byte_is_refused),
		cmocka_unit_test(the_limits_of_a_row_are_told_and_met_to_the_byte),
		cmocka_unit_test(a_handler_can_end_the_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
