/*
 * Text: what a name, a code or an address may consist of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "state/outcome.h"
#include "state/text.h"

static struct zg_slice slice(const char *text)
{
	return (struct zg_slice){text, strlen(text)};
}

static void a_name_is_well_formed_utf_8_without_controls(void **state)
{
	static const char *const good[] = {"Mug", "Crème brûlée", "抹茶", "🍵 tea",
					   "\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {
		"",
		" mug",
		"mug ",
		"a\tb",
		"a\x7f",
		"\xc3",
		"\xc0\xaf",
		"\xe0\x80\xaf",
		"\xed\xa0\x80",
		"\xf4\x90\x80\x80",
		"\x80",
		"\xc2\x85",
		"\xf0\x80\x80\xaf",
		"\xe2\x82",
		"\xff",
	};

	(void)state;
	for (size_t index = 0; index < sizeof(good) / sizeof(good[0]); ++index)
		assert_true(shop_text_is_name(slice(good[index])));
	for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); ++index)
		assert_false(shop_text_is_name(slice(bad[index])));
}

static void an_address_has_something_around_its_at_and_its_dot(void **state)
{
	static const char *const bad[] = {"",	  "@",	  "a@",	     "@b.c",   "a@b",
					  "a@.c", "a@b.", "a b@c.d", "a@b@c.d"};

	(void)state;
	assert_true(shop_text_is_email(slice("jo.doe+shop@mail.example.org")));
	for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); ++index)
		assert_false(shop_text_is_email(slice(bad[index])));
}

static void a_token_is_letters_digits_and_three_marks(void **state)
{
	(void)state;
	assert_true(shop_text_is_token(slice("MUG-01_b.2")));
	assert_false(shop_text_is_token(slice("")));
	assert_false(shop_text_is_token(slice("a b")));
	assert_false(shop_text_is_token(slice("é")));
	assert_true(shop_text_is_visible(slice("a/b~!")));
	assert_false(shop_text_is_visible(slice("a b")));
}

static void a_field_takes_what_fits_and_nothing_else(void **state)
{
	char field[4] = "xyz";

	(void)state;
	assert_true(shop_text_put(field, sizeof(field), slice("abc")));
	assert_string_equal(field, "abc");
	assert_int_equal(shop_text_of(field, 3).size, 3);
	assert_false(shop_text_put(field, sizeof(field), slice("abcd")));
	assert_int_equal(shop_text_of(field, sizeof(field)).size, 0);
	assert_false(shop_text_put(field, sizeof(field), (struct zg_slice){"a\0b", 3}));
}

static void every_reason_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int one = 0; one < SHOP_REASON_COUNT; ++one) {
		assert_non_null(shop_reason_name((uint16_t)one));
		assert_non_null(shop_reason_text((uint16_t)one));
		for (int other = 0; other < one; ++other)
			assert_string_not_equal(shop_reason_name((uint16_t)one),
						shop_reason_name((uint16_t)other));
	}
	assert_string_equal(shop_reason_name(UINT16_MAX), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_well_formed_utf_8_without_controls),
		cmocka_unit_test(an_address_has_something_around_its_at_and_its_dot),
		cmocka_unit_test(a_token_is_letters_digits_and_three_marks),
		cmocka_unit_test(a_field_takes_what_fits_and_nothing_else),
		cmocka_unit_test(every_reason_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
