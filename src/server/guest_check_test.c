/*
 * The guest heap against its guests: what is refused, and what is only said.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/guest_check.h"

#define MIB (UINT64_C(1) << 20)

static struct zg_options options;
static char buffer[512];

static int check(uint64_t live_size_max, uint64_t heap_size)
{
	struct zg_text text;

	zg_options_init(&options);
	options.guest_live_size_max = live_size_max;
	zg_text_init(&text, buffer, sizeof(buffer));
	return zgi_guest_check(&options, heap_size, &text);
}

static void nothing_is_said_of_guests_that_nobody_spoke_of(void **state)
{
	(void)state;
	assert_int_equal(check(0, 0), 0);
	assert_int_equal(check(0, MIB), 0);
	assert_string_equal(buffer, "");
}

static void guests_without_a_heap_are_refused(void **state)
{
	(void)state;
	assert_int_equal(check(MIB, 0), -EINVAL);
	assert_non_null(strstr(buffer, "set --guest-heap-size"));
}

static void a_heap_that_does_not_hold_its_guests_is_refused(void **state)
{
	(void)state;
	assert_int_equal(check(MIB, MIB - 1), -ENOMEM);
	assert_string_equal(buffer, "--guest-heap-size 1048575 is less than --guest-live-size-max "
				    "1048576: raise the one or lower the other");
}

static void a_heap_that_could_be_broken_up_is_told_and_taken(void **state)
{
	(void)state;
	assert_int_equal(check(MIB, 2 * MIB), 0);
	assert_non_null(strstr(buffer, "The guest heap's 2097152 bytes can be broken up"));
	assert_non_null(strstr(buffer, "at least 7274512 are needed"));
}

static void a_heap_past_the_bound_is_enough(void **state)
{
	(void)state;
	assert_int_equal(check(MIB, 16 * MIB), 0);
	assert_non_null(strstr(buffer, "are enough in the worst case"));
}

static void guests_smaller_than_a_block_are_checked_too(void **state)
{
	(void)state;
	assert_int_equal(check(5, MIB), 0);
	assert_non_null(strstr(buffer, "in blocks of 16 to 16"));
	assert_int_equal(check(1000, MIB), 0);
	assert_non_null(strstr(buffer, "in blocks of 16 to 1000"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_said_of_guests_that_nobody_spoke_of),
		cmocka_unit_test(guests_without_a_heap_are_refused),
		cmocka_unit_test(a_heap_that_does_not_hold_its_guests_is_refused),
		cmocka_unit_test(a_heap_that_could_be_broken_up_is_told_and_taken),
		cmocka_unit_test(a_heap_past_the_bound_is_enough),
		cmocka_unit_test(guests_smaller_than_a_block_are_checked_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
