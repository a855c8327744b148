/*
 * The plan's sums, its refusal, and how it reads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include <zerog/plan.h>

static struct zg_plan plan;
static char buffer[32768];

static void add(const char *name, const char *option, uint64_t count, uint64_t size_each)
{
	struct zg_plan_line line = {
		.name = name, .option = option, .count = count, .size_each = size_each};

	assert_int_equal(zg_plan_add(&plan, &line, "%d of \"%s\"", 7, name), 0);
}

static int setup(void **state)
{
	(void)state;
	zg_plan_init(&plan);
	return 0;
}

static void total_is_the_sum_of_rounded_lines(void **state)
{
	(void)state;
	add("slots", "--connections", 1000, 32);
	add("page", NULL, 1, 100);
	assert_int_equal(plan.lines[0].size_total, 32000);
	assert_int_equal(plan.lines[1].size_total, 128);
	assert_int_equal(plan.size_total, 32128);
	assert_string_equal(plan.lines[1].reason, "7 of \"page\"");
}

static void sizes_past_64_bits_are_refused(void **state)
{
	struct zg_plan_line huge = {.name = "huge", .count = UINT64_MAX, .size_each = 2};
	struct zg_plan_line edge = {.name = "edge", .count = UINT64_MAX, .size_each = 1};
	struct zg_plan_line half = {.name = "half", .count = UINT64_MAX / 2, .size_each = 1};

	(void)state;
	assert_int_equal(zg_plan_add(&plan, &huge, "none"), -EOVERFLOW);
	assert_int_equal(zg_plan_add(&plan, &edge, "none"), -EOVERFLOW);
	assert_int_equal(zg_plan_add(&plan, &half, "none"), 0);
	assert_int_equal(zg_plan_add(&plan, &half, "none"), -EOVERFLOW);
	assert_int_equal(plan.line_count, 1);
}

static void one_line_too_many_is_refused(void **state)
{
	struct zg_plan_line line = {.name = "line", .count = 1, .size_each = 64};

	(void)state;
	for (int i = 0; i < ZG_PLAN_LINES_MAX; ++i)
		assert_int_equal(zg_plan_add(&plan, &line, "line %d", i), 0);
	assert_int_equal(zg_plan_add(&plan, &line, "one more"), -ENOSPC);
	assert_int_equal(plan.size_total, 64 * ZG_PLAN_LINES_MAX);
}

static void long_reason_is_cut(void **state)
{
	struct zg_plan_line line = {.name = "line", .count = 1, .size_each = 64};

	(void)state;
	assert_int_equal(zg_plan_add(&plan, &line, "%0200d", 1), 0);
	assert_int_equal(strlen(plan.lines[0].reason), ZG_PLAN_REASON_SIZE - 1);
}

static void plan_that_fits_passes(void **state)
{
	const struct zg_plan_line *line = plan.lines;

	(void)state;
	add("slots", "--connections", 1000, 64);
	assert_int_equal(zg_plan_check(&plan, 64000, &line), 0);
	assert_ptr_equal(line, plan.lines);
}

static void plan_too_large_names_the_largest_line_with_an_option(void **state)
{
	const struct zg_plan_line *line = NULL;

	(void)state;
	add("image", NULL, 1, 1 << 20);
	add("slots", "--connections", 1000, 64);
	add("exchanges", "--exchanges", 10, 8192);
	assert_int_equal(zg_plan_check(&plan, plan.size_total - 1, &line), -ENOMEM);
	assert_string_equal(line->option, "--exchanges");
}

static void plan_without_options_names_no_line(void **state)
{
	const struct zg_plan_line *line = plan.lines;

	(void)state;
	add("image", NULL, 1, 1 << 20);
	assert_int_equal(zg_plan_check(&plan, 1, &line), -ENOMEM);
	assert_null(line);
}

static void table_is_aligned_and_ends_with_the_total(void **state)
{
	struct zg_text text;

	(void)state;
	add("slots", "--connections", 1000000, 32);
	add("image", NULL, 1, 1536);
	zg_text_init(&text, buffer, sizeof(buffer));
	zg_plan_print(&plan, &text);
	assert_false(text.is_truncated);
	assert_string_equal(
		buffer,
		"what        count    bytes each         total  option         why that many\n"
		"slots     1000000            32      30.5 MiB  --connections  7 of \"slots\"\n"
		"image           1          1536       1.5 KiB  -              7 of \"image\"\n"
		"total                                30.5 MiB\n");
}

static void json_escapes_and_sums(void **state)
{
	struct zg_text text;

	(void)state;
	add("slots", "--connections", 2, 64);
	add("image", NULL, 1, 64);
	zg_text_init(&text, buffer, sizeof(buffer));
	zg_plan_print_json(&plan, &text);
	assert_non_null(strstr(buffer, "{\"lines\": [{\"name\": \"slots\", \"count\": 2, "
				       "\"size_each\": 64, \"size_total\": 128, "
				       "\"option\": \"--connections\", "
				       "\"reason\": \"7 of \\\"slots\\\"\", "));
	assert_non_null(strstr(buffer, "}, {\"name\": \"image\", \"count\": 1, "));
	assert_non_null(strstr(buffer, "\"option\": null, "));
	assert_string_equal(buffer + text.size - 21, "], \"size_total\": 192}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(total_is_the_sum_of_rounded_lines, setup),
		cmocka_unit_test_setup(sizes_past_64_bits_are_refused, setup),
		cmocka_unit_test_setup(one_line_too_many_is_refused, setup),
		cmocka_unit_test_setup(long_reason_is_cut, setup),
		cmocka_unit_test_setup(plan_that_fits_passes, setup),
		cmocka_unit_test_setup(plan_too_large_names_the_largest_line_with_an_option, setup),
		cmocka_unit_test_setup(plan_without_options_names_no_line, setup),
		cmocka_unit_test_setup(table_is_aligned_and_ends_with_the_total, setup),
		cmocka_unit_test_setup(json_escapes_and_sums, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
