/*
 * What an option adds to a line, worked out by planning twice.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/explain.h"

static struct zg_options options;
static struct zgi_server_config config;
static struct zg_plan plan;
static char buffer[16384];

static int setup(void **state)
{
	(void)state;
	zg_options_init(&options);
	options.io = ZG_IO_EPOLL;
	options.connections = 100;
	options.exchanges = 64;
	options.arena_chunks = 8;
	options.shards = 2;
	return 0;
}

static int explain(const char *name)
{
	struct zg_text text;

	zg_text_init(&text, buffer, sizeof(buffer));
	assert_int_equal(zgi_server_configure(&options, &config, &text), 0);
	zg_plan_init(&plan);
	assert_int_equal(zgi_server_plan_lines(&config, &plan), 0);
	return zgi_server_explain(&config, &plan, name, &text);
}

/* The figure behind "--flag: one more adds". */
static double slope_of(const char *flag)
{
	char start[64];
	struct zg_text text;
	const char *found;

	zg_text_init(&text, start, sizeof(start));
	zg_text_print(&text, "moved by   %s: one more adds ", flag);
	found = strstr(buffer, start);
	if (found == NULL)
		fail_msg("\"%s\" is not in \"%s\"", start, buffer);
	return strtod(found + text.size, NULL);
}

static void an_option_adds_what_one_object_takes(void **state)
{
	(void)state;
	assert_int_equal(explain("exchanges"), 0);
	assert_true(slope_of("--exchanges") == (double)config.exchange_size);
}

static void every_option_that_moves_a_line_is_told(void **state)
{
	(void)state;
	assert_int_equal(explain("exchanges"), 0);
	/* One more byte of a buffer is a byte in each of the exchanges. */
	assert_true(slope_of("--read-buffer-size") == 64);
	assert_true(slope_of("--write-buffer-size") == 64);
	assert_null(strstr(buffer, "--arena-chunks"));
	assert_int_equal(explain("arena chunks"), 0);
	assert_true(slope_of("--body-size-max") == 8);
	assert_null(strstr(buffer, "--exchanges:"));
}

static void an_option_at_its_maximum_is_moved_the_other_way(void **state)
{
	(void)state;
	options.read_buffer_size = 65024;
	assert_int_equal(explain("exchanges"), 0);
	assert_true(slope_of("--read-buffer-size") == 64);
}

static void an_option_that_cannot_be_moved_is_passed_over(void **state)
{
	(void)state;
	/* Guests without a heap are refused, and there is no less than none. */
	assert_int_equal(explain("exchanges"), 0);
	assert_null(strstr(buffer, "--guest-live-size-max"));
	assert_null(strstr(buffer, "nan"));
}

static void shards_that_were_not_asked_for_are_moved_too(void **state)
{
	(void)state;
	options.shards = 0;
	assert_int_equal(explain("stacks"), 0);
	assert_true(slope_of("--shards") == ZGI_SHARD_STACK_SIZE + 4096);
}

static void a_line_that_follows_moves_with_what_it_follows(void **state)
{
	(void)state;
	assert_int_equal(explain("inbox cells"), 0);
	assert_true(slope_of("--exchanges") == 2 * 32);
	assert_non_null(strstr(buffer, "follows    \"exchanges\" (64): at least 2 for each"));
}

static void what_no_option_moves_says_so(void **state)
{
	(void)state;
	assert_int_equal(explain("page padding"), 0);
	assert_null(strstr(buffer, "moved by"));
	assert_non_null(strstr(buffer, "option     none"));
}

static void an_unknown_line_is_refused(void **state)
{
	(void)state;
	assert_int_equal(explain("chunks"), -ENOENT);
	assert_non_null(strstr(buffer, "\"arena chunks\""));
}

static void every_line_that_can_be_used_up_says_what_happens(void **state)
{
	(void)state;
	assert_int_equal(explain("exchanges"), 0);
	for (uint32_t index = 0; index < plan.line_count; index++)
		if (plan.lines[index].counter != NULL)
			assert_non_null(plan.lines[index].exhausted);
	assert_non_null(zg_plan_find(&plan, "connection slots")->counter);
	assert_non_null(zg_plan_find(&plan, "exchanges")->counter);
	assert_non_null(zg_plan_find(&plan, "arena chunks")->counter);
}

#define test(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(an_option_adds_what_one_object_takes),
		test(every_option_that_moves_a_line_is_told),
		test(an_option_at_its_maximum_is_moved_the_other_way),
		test(an_option_that_cannot_be_moved_is_passed_over),
		test(shards_that_were_not_asked_for_are_moved_too),
		test(a_line_that_follows_moves_with_what_it_follows),
		test(what_no_option_moves_says_so),
		test(an_unknown_line_is_refused),
		test(every_line_that_can_be_used_up_says_what_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
