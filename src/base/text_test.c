/*
 * Texts and slices: what fits, what is cut, and how JSON is escaped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <zerog/slice.h>
#include <zerog/text.h>

static void new_text_is_empty(void **state)
{
	char buffer[4] = "xyz";
	struct zg_text text;

	(void)state;
	zg_text_init(&text, buffer, sizeof(buffer));
	assert_string_equal(buffer, "");
	assert_int_equal(text.size, 0);
	assert_false(text.is_truncated);
}

static void prints_follow_each_other(void **state)
{
	char buffer[16];
	struct zg_text text;

	(void)state;
	zg_text_init(&text, buffer, sizeof(buffer));
	zg_text_print(&text, "%d-", 12);
	zg_text_print(&text, "%s", "ab");
	assert_string_equal(buffer, "12-ab");
	assert_int_equal(text.size, 5);
}

static void print_that_just_fits_is_not_cut(void **state)
{
	char buffer[6];
	struct zg_text text;

	(void)state;
	zg_text_init(&text, buffer, sizeof(buffer));
	zg_text_print(&text, "%s", "12345");
	assert_string_equal(buffer, "12345");
	assert_false(text.is_truncated);
}

static void print_that_does_not_fit_is_cut_and_remembered(void **state)
{
	char buffer[6];
	struct zg_text text;

	(void)state;
	zg_text_init(&text, buffer, sizeof(buffer));
	zg_text_print(&text, "%s", "123456");
	assert_string_equal(buffer, "12345");
	assert_int_equal(text.size, 5);
	assert_true(text.is_truncated);
}

static void append_that_does_not_fit_is_cut_and_remembered(void **state)
{
	char buffer[6];
	struct zg_text text;

	(void)state;
	zg_text_init(&text, buffer, sizeof(buffer));
	zg_text_append(&text, ZG_SLICE("123"));
	zg_text_append(&text, ZG_SLICE("456"));
	assert_string_equal(buffer, "12345");
	assert_true(text.is_truncated);
}

static void nothing_follows_a_cut(void **state)
{
	char buffer[8];
	struct zg_text text;

	(void)state;
	zg_text_init(&text, buffer, sizeof(buffer));
	zg_text_print(&text, "%s", "12345");
	text.is_truncated = true;
	zg_text_print(&text, "6");
	zg_text_append(&text, ZG_SLICE("7"));
	assert_string_equal(buffer, "12345");
}

static void json_string_is_escaped(void **state)
{
	char buffer[64];
	struct zg_text text;

	(void)state;
	zg_text_init(&text, buffer, sizeof(buffer));
	zg_text_append_json(&text, ZG_SLICE("a\"b\\c\n\r\t\x01\x1f\xc3\xa9"));
	assert_string_equal(buffer, "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\xc3\xa9\"");
}

static void empty_json_string_is_two_quotes(void **state)
{
	char buffer[8];
	struct zg_text text;

	(void)state;
	zg_text_init(&text, buffer, sizeof(buffer));
	zg_text_append_json(&text, (struct zg_slice){NULL, 0});
	assert_string_equal(buffer, "\"\"");
}

static void slices_differ_by_size_and_bytes(void **state)
{
	(void)state;
	assert_true(zg_slice_equals(ZG_SLICE("abc"), ZG_SLICE("abc")));
	assert_true(zg_slice_equals(ZG_SLICE(""), (struct zg_slice){NULL, 0}));
	assert_false(zg_slice_equals(ZG_SLICE("abc"), ZG_SLICE("abC")));
	assert_false(zg_slice_equals(ZG_SLICE("abc"), ZG_SLICE("ab")));
}

static void only_ascii_letters_have_no_case(void **state)
{
	(void)state;
	assert_true(zg_slice_equals_nocase(ZG_SLICE("Content-LENGTH"), ZG_SLICE("content-length")));
	assert_true(zg_slice_equals_nocase(ZG_SLICE("AZ"), ZG_SLICE("az")));
	assert_false(zg_slice_equals_nocase(ZG_SLICE("abc"), ZG_SLICE("abcd")));
	/* These differ by the same bit as letters do. */
	assert_false(zg_slice_equals_nocase(ZG_SLICE("@"), ZG_SLICE("`")));
	assert_false(zg_slice_equals_nocase(ZG_SLICE("["), ZG_SLICE("{")));
	assert_false(zg_slice_equals_nocase(ZG_SLICE("\xc3"), ZG_SLICE("\xe3")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_text_is_empty),
		cmocka_unit_test(prints_follow_each_other),
		cmocka_unit_test(print_that_just_fits_is_not_cut),
		cmocka_unit_test(print_that_does_not_fit_is_cut_and_remembered),
		cmocka_unit_test(append_that_does_not_fit_is_cut_and_remembered),
		cmocka_unit_test(nothing_follows_a_cut),
		cmocka_unit_test(json_string_is_escaped),
		cmocka_unit_test(empty_json_string_is_two_quotes),
		cmocka_unit_test(slices_differ_by_size_and_bytes),
		cmocka_unit_test(only_ascii_letters_have_no_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
