/*
 * Holders, parts and dependencies: that the plan adds them up, holds a line to them, and
 * tells them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <zerog/plan.h>

static struct zg_plan plan;
static struct zg_text text;
static char buffer[16384];

static const struct zg_plan_line exchanges = {
	.name = "exchanges",
	.option = "--exchanges",
	.count = 512,
	.size_each = 19008,
	.exhausted = "the connection waits",
	.counter = "zerog_connections_waited_total",
};

/* Count and size are the plan's to work out. */
static const struct zg_plan_line cells = {
	.name = "inbox cells",
	.option = "--exchanges",
	.times = 2,
	.times_name = "shards",
	.holders = {{"resumed once", 256}, {"resumed in vain", 256}, {"up to a power of two", 0}},
	.parts = {{"sequence", 8}, {"message", 24}},
	.depends_on = {{"exchanges", 2}},
};

static int setup(void **state)
{
	(void)state;
	zg_plan_init(&plan);
	zg_text_init(&text, buffer, sizeof(buffer));
	return 0;
}

static int add(const struct zg_plan_line *line)
{
	return zg_plan_add(&plan, line, "why");
}

static void holders_and_parts_are_added_up(void **state)
{
	(void)state;
	assert_int_equal(add(&cells), 0);
	assert_int_equal(plan.lines[0].count, 1024);
	assert_int_equal(plan.lines[0].size_each, 32);
	assert_int_equal(plan.size_total, 32768);
}

static void holders_that_do_not_add_up_to_the_count_are_refused(void **state)
{
	struct zg_plan_line line = cells;

	(void)state;
	line.count = 1023;
	assert_int_equal(add(&line), -EINVAL);
	line.count = 1024;
	assert_int_equal(add(&line), 0);
}

static void parts_that_do_not_add_up_to_the_size_are_refused(void **state)
{
	struct zg_plan_line line = cells;

	(void)state;
	line.size_each = 40;
	assert_int_equal(add(&line), -EINVAL);
	assert_int_equal(plan.line_count, 0);
	assert_int_equal(plan.size_total, 0);
}

static void terms_past_64_bits_are_refused(void **state)
{
	struct zg_plan_line line = {
		.name = "line", .size_each = 1, .holders = {{"all", UINT64_MAX}, {"one more", 1}}};

	(void)state;
	assert_int_equal(add(&line), -EOVERFLOW);
	/* Twice this is 0 where nobody looks. */
	line.holders[0].value = UINT64_C(1) << 63;
	line.holders[1].value = 0;
	line.times = 2;
	assert_int_equal(add(&line), -EOVERFLOW);
}

static void a_count_follows_the_lines_it_depends_on(void **state)
{
	struct zg_plan_line shards = {.name = "shards", .count = 3, .size_each = 64};
	struct zg_plan_line line = {
		.name = "nodes", .size_each = 64, .depends_on = {{"exchanges", 2}, {"shards", 10}}};

	(void)state;
	assert_int_equal(add(&line), -ENOENT);
	assert_int_equal(add(&exchanges), 0);
	assert_int_equal(add(&shards), 0);
	assert_int_equal(add(&line), 0);
	assert_int_equal(zg_plan_find(&plan, "nodes")->count, 2 * 512 + 10 * 3);
	assert_int_equal(zg_plan_verify(&plan, &text), 0);
}

static void a_line_with_less_than_it_depends_on_is_told_with_its_option(void **state)
{
	struct zg_plan_line few = cells;

	(void)state;
	few.holders[0].value = 255;
	assert_int_equal(add(&few), 0);
	assert_int_equal(add(&exchanges), 0);
	assert_int_equal(zg_plan_verify(&plan, &text), -EINVAL);
	assert_string_equal(buffer,
			    "the plan's line \"inbox cells\" has 1022, but \"exchanges\" asks "
			    "for 1024 of them: change --exchanges");
}

static void a_line_that_follows_two_needs_enough_for_both(void **state)
{
	struct zg_plan_line shards = {.name = "shards", .count = 1, .size_each = 64};
	struct zg_plan_line line = {.name = "nodes",
				    .count = 512,
				    .size_each = 64,
				    .depends_on = {{"exchanges", 1}, {"shards", 1}}};

	(void)state;
	assert_int_equal(add(&exchanges), 0);
	assert_int_equal(add(&shards), 0);
	assert_int_equal(add(&line), 0);
	assert_int_equal(zg_plan_verify(&plan, &text), -EINVAL);
	assert_non_null(strstr(buffer, "\"shards\" asks for 513"));
}

static void a_line_that_follows_nobody_there_is_told(void **state)
{
	(void)state;
	assert_int_equal(add(&cells), 0);
	assert_int_equal(zg_plan_verify(&plan, &text), -ENOENT);
	assert_string_equal(buffer,
			    "the plan's line \"inbox cells\" follows \"exchanges\", which is "
			    "not in it");
}

static void a_line_is_explained_with_all_that_is_known(void **state)
{
	(void)state;
	assert_int_equal(add(&exchanges), 0);
	assert_int_equal(add(&cells), 0);
	assert_int_equal(zg_plan_explain(&plan, "inbox cells", &text), 0);
	assert_string_equal(
		buffer, "inbox cells\n"
			"  count      1024 = 2 shards x (256 resumed once + 256 resumed in vain + "
			"0 up to a power of two)\n"
			"  why        why\n"
			"  each       32 bytes = 8 sequence + 24 message\n"
			"  all        32768 bytes (32.0 KiB), rounded up to 64\n"
			"  follows    \"exchanges\" (512): at least 2 for each\n"
			"  option     --exchanges\n");
}

static void a_followed_line_names_its_followers_and_its_end(void **state)
{
	(void)state;
	assert_int_equal(add(&exchanges), 0);
	assert_int_equal(add(&cells), 0);
	assert_int_equal(zg_plan_explain(&plan, "exchanges", &text), 0);
	assert_string_equal(buffer, "exchanges\n"
				    "  count      512\n"
				    "  why        why\n"
				    "  each       19008 bytes\n"
				    "  all        9732096 bytes (9.3 MiB), rounded up to 64\n"
				    "  followed   by \"inbox cells\" (1024): at least 2 for each\n"
				    "  option     --exchanges\n"
				    "  used up    the connection waits\n"
				    "  counted    zerog_connections_waited_total\n");
}

static void an_unknown_line_is_answered_with_those_there_are(void **state)
{
	(void)state;
	assert_int_equal(add(&exchanges), 0);
	assert_int_equal(add(&cells), 0);
	assert_int_equal(zg_plan_explain(&plan, "cells", &text), -ENOENT);
	assert_string_equal(
		buffer,
		"the plan has no line \"cells\"; its lines are \"exchanges\", \"inbox cells\"");
}

static void the_table_shows_whom_a_line_follows(void **state)
{
	(void)state;
	assert_int_equal(add(&exchanges), 0);
	assert_int_equal(add(&cells), 0);
	zg_plan_print(&plan, &text);
	assert_non_null(strstr(buffer, "--exchanges  why; follows exchanges x 2\n"));
}

static void json_holds_all_that_explain_tells(void **state)
{
	(void)state;
	assert_int_equal(add(&cells), 0);
	zg_plan_print_json(&plan, &text);
	assert_string_equal(
		buffer,
		"{\"lines\": [{\"name\": \"inbox cells\", \"count\": 1024, \"size_each\": 32, "
		"\"size_total\": 32768, \"option\": \"--exchanges\", \"reason\": \"why\", "
		"\"times\": 2, \"times_name\": \"shards\", "
		"\"holders\": [{\"name\": \"resumed once\", \"value\": 256}, "
		"{\"name\": \"resumed in vain\", \"value\": 256}, "
		"{\"name\": \"up to a power of two\", \"value\": 0}], "
		"\"parts\": [{\"name\": \"sequence\", \"value\": 8}, "
		"{\"name\": \"message\", \"value\": 24}], "
		"\"depends_on\": [{\"line\": \"exchanges\", \"factor\": 2}], "
		"\"exhausted\": null, \"counter\": null}], \"size_total\": 32768}");
}

#define test(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(holders_and_parts_are_added_up),
		test(holders_that_do_not_add_up_to_the_count_are_refused),
		test(parts_that_do_not_add_up_to_the_size_are_refused),
		test(terms_past_64_bits_are_refused),
		test(a_count_follows_the_lines_it_depends_on),
		test(a_line_with_less_than_it_depends_on_is_told_with_its_option),
		test(a_line_that_follows_two_needs_enough_for_both),
		test(a_line_that_follows_nobody_there_is_told),
		test(a_line_is_explained_with_all_that_is_known),
		test(a_followed_line_names_its_followers_and_its_end),
		test(an_unknown_line_is_answered_with_those_there_are),
		test(the_table_shows_whom_a_line_follows),
		test(json_holds_all_that_explain_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
