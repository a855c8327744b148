/*
 * The pages of a server that was never started: what is registered is told by kind and
 * name, names are escaped, and a page ends where its room does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mem/watch/registry.h"
#include "server/admin/admin.h"

#define SHARD_COUNT 64
#define PAGE_SIZE 32768

struct holder {
	struct zg_watched watched;
	const char *name;
	uint64_t live_size;
};

static struct holder holders[3];
static struct zgi_server server;
static struct zgi_shard shards[SHARD_COUNT];
static char page[PAGE_SIZE];
static struct zg_text text;

static void holder_measure(const struct zg_watched *watched, struct zg_usage *ret_usage)
{
	const struct holder *holder = ZGI_WATCHED_OWNER(watched, struct holder, watched);

	ret_usage->name = holder->name;
	ret_usage->live_count = 1;
	ret_usage->count_max = 10;
	ret_usage->live_size = holder->live_size;
	ret_usage->held_size = holder->live_size + 28;
	ret_usage->reserved_size = 4096;
}

static const struct zgi_watch_class holder_class = {.kind = "holder", .measure = holder_measure};

static int setup(void **state)
{
	(void)state;
	memset(&server, 0, sizeof(server));
	server.config.shard_count = 1;
	zg_plan_init(&server.plan);
	for (uint32_t index = 0; index < SHARD_COUNT; index++) {
		server.shards[index] = &shards[index];
		zg_pause_init(&shards[index].pause, "shard");
	}
	zg_text_init(&text, page, sizeof(page));
	return 0;
}

/* A test that failed must leave nobody behind. */
static int teardown(void **state)
{
	(void)state;
	for (size_t index = 0; index < 3; index++)
		zgi_watch_remove(&holders[index].watched);
	return 0;
}

static void hold(size_t index, const char *name, uint64_t live_size)
{
	holders[index] = (struct holder){.name = name, .live_size = live_size};
	zgi_watch_add(&holders[index].watched, &holder_class);
}

static void assert_page_has(const char *part)
{
	if (strstr(page, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, page);
}

/* The row of a name; all zeros when there is none. */
static struct zgi_admin_usage row_of(const struct zgi_admin_usages *usages, const char *name)
{
	for (uint32_t index = 0; index < usages->count; index++)
		if (strcmp(usages->rows[index].sum.name, name) == 0)
			return usages->rows[index];
	return (struct zgi_admin_usage){0};
}

static void holders_of_one_name_are_one_row(void **state)
{
	static struct zgi_admin_usages usages;
	struct zgi_admin_usage row;

	(void)state;
	hold(0, "a", 100);
	hold(1, "b", 7);
	hold(2, "a", 300);
	zgi_admin_usages_read(&server, &usages);
	row = row_of(&usages, "a");
	assert_int_equal(row.holder_count, 2);
	assert_int_equal(row.sum.live_count, 2);
	assert_int_equal(row.sum.count_max, 20);
	assert_int_equal(row.sum.live_size, 400);
	assert_int_equal(row.sum.held_size, 456);
	assert_int_equal(row.sum.reserved_size, 8192);
	assert_int_equal(zgi_admin_usage_percent(&row.sum), 114);
	assert_int_equal(row_of(&usages, "b").sum.live_size, 7);
}

static void names_past_the_last_row_are_one_row_together(void **state)
{
	static struct zgi_admin_usages usages;
	static char names[ZGI_ADMIN_USAGES_MAX + 5][16];
	uint64_t live_size = 0;

	(void)state;
	usages.count = 0;
	for (uint32_t index = 0; index < ZGI_ADMIN_USAGES_MAX + 5; index++) {
		struct zg_usage usage = {.kind = "pool", .name = names[index], .live_size = 1};

		assert_true(snprintf(names[index], sizeof(names[index]), "%u", index) > 0);
		zgi_admin_usages_add(&usage, &usages);
	}
	assert_int_equal(usages.count, ZGI_ADMIN_USAGES_MAX);
	for (uint32_t index = 0; index < usages.count; index++)
		live_size += usages.rows[index].sum.live_size;
	assert_int_equal(live_size, ZGI_ADMIN_USAGES_MAX + 5);
	assert_string_equal(usages.rows[ZGI_ADMIN_USAGES_MAX - 1].sum.kind, "other");
	assert_string_equal(usages.rows[0].sum.name, "0");
}

static void labels_are_escaped(void **state)
{
	(void)state;
	hold(0, "a \"b\" \\ c\nd", 5);
	zgi_admin_metrics_print(&text, &server);
	assert_false(text.is_truncated);
	assert_page_has(
		"zerog_memory_live_bytes{kind=\"holder\",name=\"a \\\"b\\\" \\\\ c\\nd\"} 5\n");
}

static void spills_are_told_by_the_place_that_declares_the_scratch(void **state)
{
	static unsigned char memory[4096] __attribute__((aligned(ZG_ARENA_ALIGNMENT)));
	const struct zg_arena_options options = {.memory = memory, .memory_size = sizeof(memory)};
	struct zg_arena arena;
	char place[128];
	struct zg_text line;

	(void)state;
	assert_int_equal(zg_arena_init(&arena, &options), 0);
	ZG_SCRATCH(small, 64, &arena);
	assert_int_equal(zg_scratch_reserve(&small, 1000), 0);
	zgi_admin_metrics_print(&text, &server);
	zg_text_init(&line, place, sizeof(place));
	zg_text_print(&line, "zerog_scratch_site_spills_total{site=\"%s:%u\"} 1\n",
		      small.site->file, small.site->line);
	assert_page_has(place);
	zg_text_init(&text, page, sizeof(page));
	zgi_admin_memory_print_json(&text, &server);
	assert_page_has("\"stack_size\": 64, \"wanted_size_max\": 1000, \"spills\": 1");
	zg_text_init(&text, page, sizeof(page));
	zgi_admin_memory_print(&text, &server);
	assert_page_has("scratch declared at");
	zg_arena_fini(&arena);
}

static void places_past_the_last_row_are_counted(void **state)
{
	const struct zg_scratch_site site = {.file = "a.c", .line = 1};
	static struct zgi_admin_spills spills;

	(void)state;
	for (uint32_t count = 0; count < ZGI_ADMIN_SPILLS_MAX + 3; count++)
		zgi_admin_spills_add(&site, &spills);
	assert_int_equal(spills.count, ZGI_ADMIN_SPILLS_MAX);
	assert_int_equal(spills.left_out, 3);
}

static void the_longest_turn_is_that_of_all_shards(void **state)
{
	static struct zgi_admin_pause pause_read;

	(void)state;
	server.config.shard_count = 3;
	for (uint32_t index = 0; index < 3; index++)
		zg_pause_start(&shards[index].pause);
	zg_pause_turn(&shards[0].pause, 100, 30100);
	zg_pause_turn(&shards[1].pause, 200, 70200);
	zg_pause_turn(&shards[2].pause, 300, 5300);
	zgi_admin_pause_read(&server, &pause_read);
	assert_int_equal(pause_read.sum.turn_count, 3);
	assert_int_equal(pause_read.sum.turn_ns_sum, 105000);
	assert_int_equal(pause_read.sum.longest_ns, 70000);
	assert_int_equal(pause_read.sum.longest_begin_ns, 200);
	assert_int_equal(pause_read.longest_shard, 1);
	/* Up to 10, 20, 50 and 100 us. */
	assert_int_equal(pause_read.counts[0], 1);
	assert_int_equal(pause_read.counts[1], 0);
	assert_int_equal(pause_read.counts[2], 1);
	assert_int_equal(pause_read.counts[3], 1);
	zgi_admin_metrics_print(&text, &server);
	assert_page_has("zerog_loop_turn_seconds_bucket{le=\"0.000010000\"} 1\n");
	assert_page_has("zerog_loop_turn_seconds_bucket{le=\"0.000050000\"} 2\n");
	assert_page_has("zerog_loop_turn_seconds_bucket{le=\"+Inf\"} 3\n");
	assert_page_has("zerog_loop_turn_seconds_sum 0.000105000\n");
	assert_page_has("zerog_loop_turn_longest_seconds 0.000070000\n");
}

static void a_page_without_room_leaves_shards_out_and_stays_whole(void **state)
{
	(void)state;
	server.config.shard_count = SHARD_COUNT;
	zg_text_init(&text, page, 8000);
	zgi_admin_memory_print_json(&text, &server);
	assert_false(text.is_truncated);
	assert_string_equal(page + text.size - 5, "}]}}\n");
	zg_text_init(&text, page, 6000);
	zgi_admin_memory_print(&text, &server);
	assert_false(text.is_truncated);
	assert_page_has(" shards for which this page has no room\n");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(holders_of_one_name_are_one_row),
		test(names_past_the_last_row_are_one_row_together),
		test(labels_are_escaped),
		test(spills_are_told_by_the_place_that_declares_the_scratch),
		test(places_past_the_last_row_are_counted),
		test(the_longest_turn_is_that_of_all_shards),
		test(a_page_without_room_leaves_shards_out_and_stays_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
