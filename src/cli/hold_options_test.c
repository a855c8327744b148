/*
 * Tests of hold's command line: what is taken, and what is refused with a sentence.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/hold.h"

#define WORDS_MAX 16

struct parsed {
	struct hold_options options;
	char error[256];
	int result;
};

/* Parse words that end with NULL; the verb is put in front. */
static struct parsed parse(char *const *words)
{
	char verb[] = "hold";
	char *argv[WORDS_MAX] = {verb};
	struct parsed parsed = {.error = ""};
	struct zg_text text;
	int argc = 1;

	for (; *words != NULL; words++)
		argv[argc++] = *words;
	zg_text_init(&text, parsed.error, sizeof(parsed.error));
	parsed.result = hold_options_parse(argc, argv, &parsed.options, &text);
	return parsed;
}

#define PARSE(...) parse((char *[]){__VA_ARGS__, NULL})
#define TARGET                          \
	(char[]){"--connect"}, (char[]) \
	{                               \
		"127.0.0.1:60000"       \
	}
#define COUNT                \
	(char[])             \
	{                    \
		"--count=10" \
	}

static void test_values_follow_a_space_or_an_equals_sign(void **state)
{
	struct parsed parsed = PARSE(TARGET, COUNT, (char[]){"--again"}, (char[]){"3"});

	(void)state;
	assert_int_equal(parsed.result, 0);
	assert_int_equal(parsed.options.connection_count, 10);
	assert_int_equal(parsed.options.again_count, 3);
	assert_string_equal(parsed.options.path, "/");
	assert_false(parsed.options.has_hold_seconds);
}

static void test_a_rate_may_say_a_second(void **state)
{
	struct parsed parsed = PARSE(TARGET, COUNT, (char[]){"--rate=500/s"});

	(void)state;
	assert_int_equal(parsed.result, 0);
	assert_int_equal(parsed.options.rate, 500);
}

static void test_a_target_and_a_count_are_needed(void **state)
{
	struct parsed parsed = PARSE(COUNT);

	(void)state;
	assert_int_equal(parsed.result, -EINVAL);
	assert_non_null(strstr(parsed.error, "--connect"));
}

static void test_an_unknown_flag_is_named(void **state)
{
	struct parsed parsed = PARSE(TARGET, COUNT, (char[]){"--bogus"});

	(void)state;
	assert_int_equal(parsed.result, -EINVAL);
	assert_non_null(strstr(parsed.error, "--bogus"));
}

static void test_a_beginning_of_a_flag_is_not_the_flag(void **state)
{
	struct parsed parsed = PARSE(TARGET, (char[]){"--cou=10"});

	(void)state;
	assert_int_equal(parsed.result, -EINVAL);
}

static void test_a_missing_value_is_asked_for(void **state)
{
	struct parsed parsed = PARSE(TARGET, (char[]){"--count"});

	(void)state;
	assert_int_equal(parsed.result, -EINVAL);
	assert_non_null(strstr(parsed.error, "needs a value"));
}

static void test_numbers_are_whole_and_within_limits(void **state)
{
	(void)state;
	assert_int_equal(PARSE(TARGET, (char[]){"--count=-1"}).result, -EINVAL);
	assert_int_equal(PARSE(TARGET, (char[]){"--count=1x"}).result, -EINVAL);
	assert_int_equal(PARSE(TARGET, (char[]){"--count="}).result, -EINVAL);
	assert_int_equal(PARSE(TARGET, (char[]){"--count=0"}).result, -EINVAL);
	assert_int_equal(PARSE(TARGET, (char[]){"--count=16000001"}).result, -EINVAL);
}

static void test_a_path_cannot_end_the_request_line(void **state)
{
	(void)state;
	assert_int_equal(PARSE(TARGET, COUNT, (char[]){"--path=/a b"}).result, -EINVAL);
	assert_int_equal(PARSE(TARGET, COUNT, (char[]){"--path=/a\r\nX: y"}).result, -EINVAL);
	assert_int_equal(PARSE(TARGET, COUNT, (char[]){"--path=a"}).result, -EINVAL);
	assert_int_equal(PARSE(TARGET, COUNT, (char[]){"--path=/a%20b"}).result, 0);
}

static void test_more_cannot_be_asked_than_are_opened(void **state)
{
	(void)state;
	assert_int_equal(PARSE(TARGET, COUNT, (char[]){"--again=11"}).result, -EINVAL);
}

static void test_help_needs_nothing_else(void **state)
{
	struct parsed parsed = PARSE((char[]){"--help"});

	(void)state;
	assert_int_equal(parsed.result, 0);
	assert_true(parsed.options.print_help);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_follow_a_space_or_an_equals_sign),
		cmocka_unit_test(test_a_rate_may_say_a_second),
		cmocka_unit_test(test_a_target_and_a_count_are_needed),
		cmocka_unit_test(test_an_unknown_flag_is_named),
		cmocka_unit_test(test_a_beginning_of_a_flag_is_not_the_flag),
		cmocka_unit_test(test_a_missing_value_is_asked_for),
		cmocka_unit_test(test_numbers_are_whole_and_within_limits),
		cmocka_unit_test(test_a_path_cannot_end_the_request_line),
		cmocka_unit_test(test_more_cannot_be_asked_than_are_opened),
		cmocka_unit_test(test_help_needs_nothing_else),
	};

	return cmocka_run_group_tests_name("hold_options", tests, NULL, NULL);
}
