/*
 * Payment records: checked where they lie, and sealed where they lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "payments/payment_record.h"

#define NOW_MS INT64_C(1800000000000)
#define NUMBER "4242424242424242"

static struct shop_payment_record record;
static struct shop_card card;

static int start(void **state)
{
	struct shop_card filled = {.month = 12, .year = 2030, .check_code = "123"};

	(void)state;
	assert_true(shop_card_number_set(&filled, ZG_SLICE(NUMBER)));
	shop_payment_record_init(&record);
	record.order_id = 7;
	record.amount = 1234;
	record.currency = 978;
	memcpy(record.key, "key-1", 5);
	record.reference = 99;
	shop_payment_record_card(&record, &filled);
	shop_payment_record_sum(&record);
	return 0;
}

static bool has_number(const void *bytes, size_t size)
{
	return memmem(bytes, size, "42424242", 8) != NULL;
}

static void the_layout_is_the_documented_one(void **state)
{
	const unsigned char *bytes = (const unsigned char *)&record;
	static const unsigned char amount[8] = {0xd2, 0x04};

	(void)state;
	assert_memory_equal(bytes, "ZGPY\1\0", 6);
	assert_int_equal(bytes[8], 7);
	assert_memory_equal(bytes + 16, amount, 8);
	assert_int_equal(bytes[24] | bytes[25] << 8, 978);
	assert_int_equal(bytes[26] | bytes[27] << 8, 2030);
	assert_int_equal(bytes[28], 12);
	assert_memory_equal(bytes + 32, NUMBER, 17);
	assert_memory_equal(bytes + 52, "123", 4);
	assert_memory_equal(bytes + 56, "key-1", 6);
	assert_int_equal(bytes[104], 99);
}

static void sealing_takes_the_card_out_and_leaves_four_digits(void **state)
{
	struct shop_card_trace trace;

	(void)state;
	assert_false(shop_payment_record_is_sealed(&record));
	assert_int_equal(shop_payment_record_seal(&record, NOW_MS, &card), SHOP_REASON_NONE);
	assert_string_equal(card.number, NUMBER);
	assert_string_equal(card.check_code, "123");
	assert_true(shop_payment_record_is_sealed(&record));
	assert_false(has_number(&record, sizeof(record)));
	assert_null(memmem(&record, sizeof(record), "123", 3));
	trace = shop_payment_record_trace(&record);
	assert_memory_equal(trace.last_four, "4242", 4);
	assert_int_equal(trace.brand, SHOP_BRAND_VISA);
	assert_int_equal(record.amount, 1234);
}

static void any_flipped_bit_is_seen_and_no_number_is_left(void **state)
{
	(void)state;
	for (size_t bit = 0; bit < sizeof(record) * 8; ++bit) {
		static const struct shop_card nothing;

		start(NULL);
		((unsigned char *)&record)[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_int_equal(shop_payment_record_seal(&record, NOW_MS, &card),
				 SHOP_REASON_RECORD);
		assert_false(has_number(&record, sizeof(record)));
		assert_memory_equal(&card, &nothing, sizeof(card));
	}
}

static void any_flipped_bit_of_a_sealed_record_is_seen(void **state)
{
	(void)state;
	assert_int_equal(shop_payment_record_seal(&record, NOW_MS, &card), SHOP_REASON_NONE);
	for (size_t bit = 0; bit < sizeof(record) * 8; ++bit) {
		struct shop_payment_record damaged = record;

		((unsigned char *)&damaged)[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_false(shop_payment_record_is_sealed(&damaged));
	}
}

static void what_says_that_it_is_sealed_is_refused(void **state)
{
	(void)state;
	record.flags |= SHOP_PAYMENT_SEALED;
	shop_payment_record_sum(&record);
	assert_int_equal(shop_payment_record_seal(&record, NOW_MS, &card), SHOP_REASON_RECORD);
	/* A whole number in it, and it is none that may be kept. */
	start(NULL);
	record.flags |= SHOP_PAYMENT_SEALED;
	record.check_code[0] = record.check_code[1] = record.check_code[2] = '\0';
	shop_payment_record_sum(&record);
	assert_false(shop_payment_record_is_sealed(&record));
}

static enum shop_reason sealed_after_sum(void)
{
	shop_payment_record_sum(&record);
	return shop_payment_record_seal(&record, NOW_MS, &card);
}

static void fields_that_are_wrong_are_told_apart(void **state)
{
	(void)state;
	record.version = 2;
	assert_int_equal(sealed_after_sum(), SHOP_REASON_RECORD);
	start(NULL);
	record.reserved_last[11] = 1;
	assert_int_equal(sealed_after_sum(), SHOP_REASON_RECORD);
	start(NULL);
	record.card_number[15] = '3';
	assert_int_equal(sealed_after_sum(), SHOP_REASON_CARD_NUMBER);
	start(NULL);
	record.card_year = 2020;
	assert_int_equal(sealed_after_sum(), SHOP_REASON_CARD_EXPIRY);
	start(NULL);
	record.check_code[3] = '4';
	assert_int_equal(sealed_after_sum(), SHOP_REASON_CARD_CHECK_CODE);
	start(NULL);
	record.amount = 0;
	assert_int_equal(sealed_after_sum(), SHOP_REASON_AMOUNT);
	start(NULL);
	memset(record.key, 0, sizeof(record.key));
	assert_int_equal(sealed_after_sum(), SHOP_REASON_KEY);
	start(NULL);
	record.key[2] = ' ';
	assert_int_equal(sealed_after_sum(), SHOP_REASON_KEY);
	start(NULL);
	record.key[40] = 'x';
	assert_int_equal(sealed_after_sum(), SHOP_REASON_RECORD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_layout_is_the_documented_one, start),
		cmocka_unit_test_setup(sealing_takes_the_card_out_and_leaves_four_digits, start),
		cmocka_unit_test_setup(any_flipped_bit_is_seen_and_no_number_is_left, start),
		cmocka_unit_test_setup(any_flipped_bit_of_a_sealed_record_is_seen, start),
		cmocka_unit_test_setup(what_says_that_it_is_sealed_is_refused, start),
		cmocka_unit_test_setup(fields_that_are_wrong_are_told_apart, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
