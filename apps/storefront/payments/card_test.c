/*
 * Cards: what can be told of a number, and that nothing of it is left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "payments/card.h"

#define MARCH_2027_MS INT64_C(1803859200000) /* the first, at midnight UTC */

static struct shop_card card_of(const char *number, uint8_t month, uint16_t year)
{
	struct shop_card card = {.month = month, .year = year};

	(void)shop_card_number_set(&card, (struct zg_slice){number, strlen(number)});
	return card;
}

static enum shop_reason checked(const char *number, uint8_t month, uint16_t year)
{
	struct shop_card card = card_of(number, month, year);

	return shop_card_check(&card, MARCH_2027_MS);
}

static void the_networks_test_numbers_are_good_and_known(void **state)
{
	static const struct {
		const char *number;
		const char *brand;
	} cases[] = {
		{"4242 4242 4242 4242", "visa"},    {"4111-1111-1111-1111", "visa"},
		{"4222222222222", "visa"},	    {"5555555555554444", "mastercard"},
		{"2223003122003222", "mastercard"}, {"378282246310005", "american_express"},
		{"6011111111111117", "discover"},   {"3530111333300000", "jcb"},
		{"30569309025904", "diners_club"},  {"6200000000000005", "unionpay"},
		{"6759649826438453", "maestro"},
	};

	(void)state;
	for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); ++index) {
		struct shop_card card = card_of(cases[index].number, 12, 2030);

		assert_int_equal(shop_card_check(&card, MARCH_2027_MS), SHOP_REASON_NONE);
		assert_string_equal(shop_card_brand_name(shop_card_trace_of(&card).brand),
				    cases[index].brand);
	}
}

static void one_wrong_digit_and_two_swapped_ones_are_seen(void **state)
{
	char number[] = "4242424242424242";

	(void)state;
	for (size_t index = 0; index < 16; ++index) {
		char right = number[index];

		for (int digit = '0'; digit <= '9'; ++digit) {
			number[index] = (char)digit;
			assert_int_equal(checked(number, 12, 2030),
					 digit == right ? SHOP_REASON_NONE
							: SHOP_REASON_CARD_NUMBER);
		}
		number[index] = right;
	}
	assert_int_equal(checked("2442424242424242", 12, 2030), SHOP_REASON_CARD_NUMBER);
}

static void a_number_has_the_length_of_its_brand(void **state)
{
	(void)state;
	assert_int_equal(checked("37828224631000", 12, 2030), SHOP_REASON_CARD_NUMBER);
	assert_int_equal(checked("55555555555544", 12, 2030), SHOP_REASON_CARD_NUMBER);
	assert_int_equal(checked("42424242424", 12, 2030), SHOP_REASON_CARD_NUMBER);
	assert_int_equal(checked("42424242424242424242", 12, 2030), SHOP_REASON_CARD_NUMBER);
	assert_int_equal(checked("4242x24242424242", 12, 2030), SHOP_REASON_CARD_NUMBER);
	assert_int_equal(checked("", 12, 2030), SHOP_REASON_CARD_NUMBER);
}

static void a_card_is_good_to_the_end_of_its_month_anywhere(void **state)
{
	struct shop_card card = card_of("4242424242424242", 2, 2027);
	int64_t half_a_day_ms = INT64_C(12) * 60 * 60 * 1000;

	(void)state;
	assert_int_equal(shop_card_check(&card, MARCH_2027_MS + half_a_day_ms - 1),
			 SHOP_REASON_NONE);
	assert_int_equal(shop_card_check(&card, MARCH_2027_MS + half_a_day_ms),
			 SHOP_REASON_CARD_EXPIRY);
	assert_int_equal(checked("4242424242424242", 12, 2026), SHOP_REASON_CARD_EXPIRY);
	assert_int_equal(checked("4242424242424242", 0, 2030), SHOP_REASON_CARD_EXPIRY);
	assert_int_equal(checked("4242424242424242", 13, 2030), SHOP_REASON_CARD_EXPIRY);
	assert_int_equal(checked("4242424242424242", 12, 30), SHOP_REASON_CARD_EXPIRY);
}

static void a_check_code_has_three_digits_or_four(void **state)
{
	struct shop_card visa = card_of("4242424242424242", 12, 2030);
	struct shop_card amex = card_of("378282246310005", 12, 2030);

	(void)state;
	memcpy(visa.check_code, "123", 4);
	memcpy(amex.check_code, "1234", 5);
	assert_int_equal(shop_card_check(&visa, MARCH_2027_MS), SHOP_REASON_NONE);
	assert_int_equal(shop_card_check(&amex, MARCH_2027_MS), SHOP_REASON_NONE);
	memcpy(visa.check_code, "1234", 5);
	memcpy(amex.check_code, "12a4", 5);
	assert_int_equal(shop_card_check(&visa, MARCH_2027_MS), SHOP_REASON_CARD_CHECK_CODE);
	assert_int_equal(shop_card_check(&amex, MARCH_2027_MS), SHOP_REASON_CARD_CHECK_CODE);
}

static void what_is_kept_of_a_card_is_its_last_four_digits(void **state)
{
	struct shop_card card = card_of("5555 5555 5555 4444", 7, 2031);
	struct shop_card_trace trace = shop_card_trace_of(&card);
	static const struct shop_card nothing;

	(void)state;
	assert_memory_equal(trace.last_four, "4444", 4);
	assert_int_equal(trace.month, 7);
	assert_int_equal(trace.year, 2031);
	shop_card_wipe(&card);
	assert_memory_equal(&card, &nothing, sizeof(card));
}

static void a_number_that_is_refused_leaves_nothing_behind(void **state)
{
	struct shop_card card = card_of("4242424242424242", 7, 2031);
	static const char nothing[sizeof(card.number)];

	(void)state;
	assert_false(shop_card_number_set(&card, ZG_SLICE("4111111111111111x")));
	assert_memory_equal(card.number, nothing, sizeof(nothing));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_networks_test_numbers_are_good_and_known),
		cmocka_unit_test(one_wrong_digit_and_two_swapped_ones_are_seen),
		cmocka_unit_test(a_number_has_the_length_of_its_brand),
		cmocka_unit_test(a_card_is_good_to_the_end_of_its_month_anywhere),
		cmocka_unit_test(a_check_code_has_three_digits_or_four),
		cmocka_unit_test(what_is_kept_of_a_card_is_its_last_four_digits),
		cmocka_unit_test(a_number_that_is_refused_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
