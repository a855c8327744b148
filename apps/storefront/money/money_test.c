/*
 * Money: amounts are read and printed to the last minor unit, and what does not fit is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "money/money.h"

static struct zg_slice slice(const char *text)
{
	return (struct zg_slice){text, strlen(text)};
}

static const struct shop_currency *currency(const char *code)
{
	const struct shop_currency *found = shop_currency_find(slice(code));

	assert_non_null(found);
	return found;
}

static struct shop_money euros(int64_t minor)
{
	return (struct shop_money){minor, 978};
}

static int64_t parsed(const char *text, const char *code)
{
	struct shop_money money;

	assert_int_equal(shop_money_parse(slice(text), currency(code), &money), 0);
	assert_int_equal(money.currency, currency(code)->number);
	return money.minor;
}

static int refused(const char *text, const char *code)
{
	struct shop_money money = {42, 42};
	int result = shop_money_parse(slice(text), currency(code), &money);

	assert_true(result < 0);
	assert_int_equal(money.minor, 42);
	return result;
}

static void an_amount_has_as_many_digits_behind_the_point_as_its_currency(void **state)
{
	(void)state;
	assert_int_equal(parsed("12.34", "EUR"), 1234);
	assert_int_equal(parsed("12.3", "EUR"), 1230);
	assert_int_equal(parsed("12", "EUR"), 1200);
	assert_int_equal(parsed("-0.05", "EUR"), -5);
	assert_int_equal(parsed("12", "JPY"), 12);
	assert_int_equal(parsed("1.234", "KWD"), 1234);
	assert_int_equal(refused("12.345", "EUR"), -ERANGE);
	assert_int_equal(refused("12.3", "JPY"), -ERANGE);
}

static void what_is_no_amount_is_refused(void **state)
{
	static const char *const texts[] = {"",	  "-",	 ".",  ".5",	"5.",  "1,5", "1e3", " 1",
					    "1 ", "--1", "+1", "1.2.3", "0x1", "NaN", "١",   "1-"};

	(void)state;
	for (size_t index = 0; index < sizeof(texts) / sizeof(texts[0]); ++index)
		assert_int_equal(refused(texts[index], "EUR"), -EINVAL);
}

static void an_amount_past_63_bits_is_refused(void **state)
{
	(void)state;
	assert_true(parsed("92233720368547758.07", "EUR") == INT64_MAX);
	assert_true(parsed("-92233720368547758.08", "EUR") == INT64_MIN);
	assert_int_equal(refused("92233720368547758.08", "EUR"), -EOVERFLOW);
	assert_int_equal(refused("-92233720368547758.09", "EUR"), -EOVERFLOW);
	assert_int_equal(refused("99999999999999999999", "JPY"), -EOVERFLOW);
}

static void sums_are_checked(void **state)
{
	struct shop_money sum = {42, 978};
	struct shop_money yen = {1, 392};

	(void)state;
	assert_int_equal(shop_money_add(euros(INT64_MAX), euros(1), &sum), -EOVERFLOW);
	assert_int_equal(shop_money_subtract(euros(INT64_MIN), euros(1), &sum), -EOVERFLOW);
	assert_int_equal(shop_money_multiply(euros(INT64_MAX / 2 + 1), 2, &sum), -EOVERFLOW);
	assert_int_equal(shop_money_add(euros(1), yen, &sum), -EDOM);
	assert_int_equal(shop_money_subtract(euros(1), yen, &sum), -EDOM);
	assert_int_equal(sum.minor, 42);
	assert_int_equal(shop_money_add(euros(40), euros(-17), &sum), 0);
	assert_int_equal(sum.minor, 23);
	assert_int_equal(shop_money_subtract(euros(40), euros(17), &sum), 0);
	assert_int_equal(sum.minor, 23);
	assert_int_equal(shop_money_multiply(euros(-3), 7, &sum), 0);
	assert_int_equal(sum.minor, -21);
}

static void a_percentage_is_rounded_to_the_nearest_unit_and_halves_away_from_zero(void **state)
{
	(void)state;
	assert_int_equal(shop_money_percent(euros(999), 1000).minor, 100);
	assert_int_equal(shop_money_percent(euros(994), 1000).minor, 99);
	assert_int_equal(shop_money_percent(euros(5), 1000).minor, 1);
	assert_int_equal(shop_money_percent(euros(4), 1000).minor, 0);
	assert_int_equal(shop_money_percent(euros(-5), 1000).minor, -1);
	assert_int_equal(shop_money_percent(euros(1234), 0).minor, 0);
	assert_true(shop_money_percent(euros(INT64_MAX), SHOP_BASIS_POINTS).minor == INT64_MAX);
	assert_true(shop_money_percent(euros(INT64_MIN), SHOP_BASIS_POINTS).minor == INT64_MIN);
}

static void what_is_printed_is_what_was_read(void **state)
{
	static const struct {
		const char *code;
		int64_t minor;
		const char *text;
	} cases[] = {
		{"EUR", 1234, "12.34 EUR"}, {"EUR", 5, "0.05 EUR"},
		{"EUR", -5, "-0.05 EUR"},   {"JPY", 1200, "1200 JPY"},
		{"KWD", 1001, "1.001 KWD"}, {"USD", INT64_MIN, "-92233720368547758.08 USD"},
	};

	(void)state;
	for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); ++index) {
		struct shop_money money = {cases[index].minor, currency(cases[index].code)->number};
		char buffer[64];
		struct zg_text text;

		zg_text_init(&text, buffer, sizeof(buffer));
		shop_money_print(money, &text);
		assert_string_equal(buffer, cases[index].text);
		buffer[text.size - 4] = '\0';
		assert_true(parsed(buffer, cases[index].code) == cases[index].minor);
	}
}

static void a_currency_is_found_by_letters_and_by_number(void **state)
{
	(void)state;
	assert_int_equal(currency("eur")->number, 978);
	assert_string_equal(shop_currency_of(840)->code, "USD");
	assert_null(shop_currency_find(slice("XXX")));
	assert_null(shop_currency_find(slice("EURO")));
	assert_null(shop_currency_of(0));
	/* No number and no code stands twice. */
	for (unsigned number = 0; number < 1000; ++number) {
		const struct shop_currency *found = shop_currency_of((uint16_t)number);

		if (found != NULL)
			assert_ptr_equal(shop_currency_find(slice(found->code)), found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_amount_has_as_many_digits_behind_the_point_as_its_currency),
		cmocka_unit_test(what_is_no_amount_is_refused),
		cmocka_unit_test(an_amount_past_63_bits_is_refused),
		cmocka_unit_test(sums_are_checked),
		cmocka_unit_test(
			a_percentage_is_rounded_to_the_nearest_unit_and_halves_away_from_zero),
		cmocka_unit_test(what_is_printed_is_what_was_read),
		cmocka_unit_test(a_currency_is_found_by_letters_and_by_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
