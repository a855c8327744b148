#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "web/value.h"

static struct zg_slice slice(const char *text)
{
	return (struct zg_slice){text, strlen(text)};
}

static void assert_u64(const char *text, uint64_t expected)
{
	uint64_t value = 1;

	assert_int_equal(zgi_value_u64(slice(text), &value), 0);
	assert_true(value == expected);
}

static void assert_no_u64(const char *text, int error)
{
	uint64_t value = 99;

	assert_int_equal(zgi_value_u64(slice(text), &value), error);
	assert_int_equal(value, 99);
}

static void assert_i64(const char *text, int64_t expected)
{
	int64_t value = 1;

	assert_int_equal(zgi_value_i64(slice(text), &value), 0);
	assert_true(value == expected);
}

static void assert_no_i64(const char *text, int error)
{
	int64_t value = 99;

	assert_int_equal(zgi_value_i64(slice(text), &value), error);
	assert_int_equal(value, 99);
}

static void a_number_is_digits_and_nothing_else(void **state)
{
	(void)state;
	assert_u64("0", 0);
	assert_u64("17", 17);
	assert_u64("0017", 17);
	for (const char *const *text = (const char *const[]){"", " 1", "1 ", "+1", "-1", "1.0",
							     "0x1", "1e3", "1_0", NULL};
	     *text != NULL; text++)
		assert_no_u64(*text, -EINVAL);
}

static void a_number_has_its_largest(void **state)
{
	(void)state;
	assert_u64("18446744073709551615", UINT64_MAX);
	assert_no_u64("18446744073709551616", -ERANGE);
	assert_no_u64("99999999999999999999", -ERANGE);
	/* Twenty digits at most, leading zeros among them. */
	assert_u64("00000000000000000001", 1);
	assert_no_u64("000000000000000000001", -EINVAL);
}

static void a_number_may_be_negative(void **state)
{
	(void)state;
	assert_i64("-1", -1);
	assert_i64("-0", 0);
	assert_i64("9223372036854775807", INT64_MAX);
	assert_i64("-9223372036854775808", INT64_MIN);
	assert_no_i64("9223372036854775808", -ERANGE);
	assert_no_i64("-9223372036854775809", -ERANGE);
	assert_no_i64("-", -EINVAL);
	assert_no_i64("--1", -EINVAL);
	assert_no_i64("", -EINVAL);
}

static int date(const char *text, struct zg_date *ret_date)
{
	return zgi_value_date(slice(text), ret_date);
}

static void a_day_is_one_of_the_calendar(void **state)
{
	struct zg_date day;

	(void)state;
	assert_int_equal(date("2026-11-25", &day), 0);
	assert_int_equal(day.year, 2026);
	assert_int_equal(day.month, 11);
	assert_int_equal(day.day, 25);
	assert_int_equal(date("2000-02-29", &day), 0);
	assert_int_equal(date("1900-02-29", &day), -EINVAL);
	assert_int_equal(date("2023-02-29", &day), -EINVAL);
	assert_int_equal(date("2024-04-31", &day), -EINVAL);
	assert_int_equal(date("2024-12-31", &day), 0);
	assert_int_equal(date("2024-13-01", &day), -EINVAL);
	assert_int_equal(date("2024-00-01", &day), -EINVAL);
	assert_int_equal(date("2024-01-00", &day), -EINVAL);
}

static void a_day_is_written_one_way(void **state)
{
	struct zg_date day;

	(void)state;
	for (const char *const *text =
		     (const char *const[]){"", "2024-1-01", "2024-01-1", "20240101", "2024/01/01",
					   "24-01-01", "2024-01-01 ", "2024-01-01T00:00",
					   "-024-01-01", "2024-0a-01", NULL};
	     *text != NULL; text++)
		assert_int_equal(date(*text, &day), -EINVAL);
}

static void a_uuid_is_thirty_two_digits_and_four_dashes(void **state)
{
	static const uint8_t bytes[16] = {0xf8, 0x1d, 0x4f, 0xae, 0x7d, 0xec, 0x11, 0xd0,
					  0xa7, 0x65, 0x00, 0xa0, 0xc9, 0x1e, 0x6b, 0xf6};
	struct zg_uuid uuid;

	(void)state;
	assert_int_equal(zgi_value_uuid(slice("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"), &uuid), 0);
	assert_memory_equal(uuid.bytes, bytes, 16);
	assert_int_equal(zgi_value_uuid(slice("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"), &uuid), 0);
	assert_memory_equal(uuid.bytes, bytes, 16);
	for (const char *const *text =
		     (const char *const[]){"", "f81d4fae7dec11d0a76500a0c91e6bf6",
					   "f81d4fae-7dec-11d0-a765-00a0c91e6bf",
					   "f81d4fae-7dec-11d0-a765-00a0c91e6bf60",
					   "f81d4fae-7dec-11d0-a76500a0-c91e6bf6",
					   "g81d4fae-7dec-11d0-a765-00a0c91e6bf6",
					   "{f81d4fae-7dec-11d0-a765-00a0c91e6b}", NULL};
	     *text != NULL; text++)
		assert_int_equal(zgi_value_uuid(slice(*text), &uuid), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_digits_and_nothing_else),
		cmocka_unit_test(a_number_has_its_largest),
		cmocka_unit_test(a_number_may_be_negative),
		cmocka_unit_test(a_day_is_one_of_the_calendar),
		cmocka_unit_test(a_day_is_written_one_way),
		cmocka_unit_test(a_uuid_is_thirty_two_digits_and_four_dashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
