/*
 * A second of a server that was never started: what has happened in it is told, what was before is
 * not, and the object stays whole where there is no room for all pools.
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
#include "server/admin/live.h"

#define SECOND_NS UINT64_C(1000000000)
#define BEGIN_NS (5 * SECOND_NS)
#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define SHARD_COUNT 2
#define POOL_COUNT 12

struct holder {
	struct zg_watched watched;
	char name[16];
};

static struct holder holders[POOL_COUNT];
static struct zgi_server server;
static struct zgi_shard shards[SHARD_COUNT];
static struct zgi_live_second second;
static char page[2048];
static struct zg_text text;

static void holder_measure(const struct zg_watched *watched, struct zg_usage *ret_usage)
{
	const struct holder *holder = ZGI_WATCHED_OWNER(watched, struct holder, watched);

	ret_usage->name = holder->name;
	ret_usage->live_count = 3;
	ret_usage->count_max = 10;
	ret_usage->live_size = 100;
	ret_usage->held_size = 125;
}

static const struct zgi_watch_class pool_class = {.kind = "pool", .measure = holder_measure};

static int setup(void **state)
{
	(void)state;
	memset(&server, 0, sizeof(server));
	memset(&second, 0xff, sizeof(second));
	server.config.shard_count = SHARD_COUNT;
	for (uint32_t index = 0; index < SHARD_COUNT; index++) {
		memset(&shards[index], 0, sizeof(shards[index]));
		server.shards[index] = &shards[index];
		zg_pause_init(&shards[index].pause, "shard");
		zg_pause_start(&shards[index].pause);
	}
	zg_text_init(&text, page, sizeof(page));
	zgi_live_open();
	return 0;
}

/* A test that failed must leave nobody behind. */
static int teardown(void **state)
{
	(void)state;
	for (size_t index = 0; index < POOL_COUNT; index++)
		zgi_watch_remove(&holders[index].watched);
	return 0;
}

static void turn(uint32_t shard, uint64_t duration_ns)
{
	zg_pause_turn(&shards[shard].pause, 0, duration_ns);
}

static void hold(uint32_t count)
{
	for (uint32_t index = 0; index < count; index++) {
		assert_true(snprintf(holders[index].name, sizeof(holders[index].name), "held %u",
				     index) > 0);
		zgi_watch_add(&holders[index].watched, &pool_class);
	}
}

static void assert_page_has(const char *part)
{
	if (strstr(page, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, page);
}

/* At most an eighth above, and a thirty-second below. */
static void assert_about(uint64_t measured_ns, uint64_t truth_ns)
{
	assert_in_range(measured_ns, truth_ns - truth_ns / 32, truth_ns + truth_ns / 8);
}

static void the_first_look_has_nothing_to_compare_with(void **state)
{
	(void)state;
	assert_false(zgi_live_measure(&server, BEGIN_NS, &second));
	assert_int_equal(second.requests_per_s, UINT64_MAX);
	assert_true(zgi_live_measure(&server, BEGIN_NS + SECOND_NS, &second));
}

static void requests_of_all_shards_are_told_by_the_second(void **state)
{
	(void)state;
	shards[0].web.counters.requests = 1000;
	assert_false(zgi_live_measure(&server, BEGIN_NS, &second));
	shards[0].web.counters.requests += 300;
	shards[1].web.counters.requests += 700;
	assert_true(zgi_live_measure(&server, BEGIN_NS + 2 * SECOND_NS, &second));
	assert_int_equal(second.requests_per_s, 500);
}

static void turns_are_those_since_the_last_look(void **state)
{
	(void)state;
	turn(0, 900 * MS);
	assert_false(zgi_live_measure(&server, BEGIN_NS, &second));
	for (uint32_t count = 0; count < 98; count++)
		turn(count % SHARD_COUNT, 20 * US);
	turn(0, 300 * US);
	turn(1, 5 * MS);
	assert_true(zgi_live_measure(&server, BEGIN_NS + SECOND_NS, &second));
	assert_about(second.p50_ns, 20 * US);
	assert_about(second.p99_ns, 300 * US);
	assert_about(second.max_ns, 5 * MS);
}

static void a_second_without_a_turn_has_no_times(void **state)
{
	(void)state;
	turn(0, MS);
	assert_false(zgi_live_measure(&server, BEGIN_NS, &second));
	assert_true(zgi_live_measure(&server, BEGIN_NS + SECOND_NS, &second));
	assert_int_equal(second.p50_ns, 0);
	assert_int_equal(second.max_ns, 0);
}

static void a_turn_past_all_bounds_is_told_as_the_last(void **state)
{
	(void)state;
	assert_false(zgi_live_measure(&server, BEGIN_NS, &second));
	turn(0, 60 * SECOND_NS);
	assert_true(zgi_live_measure(&server, BEGIN_NS + SECOND_NS, &second));
	assert_in_range(second.max_ns, SECOND_NS, 4 * SECOND_NS);
}

static void what_nobody_watched_is_forgotten(void **state)
{
	(void)state;
	assert_false(zgi_live_measure(&server, BEGIN_NS, &second));
	zgi_live_forget();
	shards[0].web.counters.requests = 1000000;
	assert_false(zgi_live_measure(&server, BEGIN_NS + 100 * SECOND_NS, &second));
	assert_true(zgi_live_measure(&server, BEGIN_NS + 101 * SECOND_NS, &second));
	assert_int_equal(second.requests_per_s, 0);
}

static void a_second_is_one_object_on_one_line(void **state)
{
	const struct zgi_live_second known = {
		.requests_per_s = 17,
		.p50_ns = 20480,
		.p99_ns = 999,
		.max_ns = 1234567,
	};

	(void)state;
	hold(1);
	turn(1, 70 * US);
	zgi_live_print(&text, &server, &known);
	assert_false(text.is_truncated);
	assert_page_has("{\"resident_bytes\":");
	assert_page_has("\"requests_per_s\":17,\"p50_us\":20.4,\"p99_us\":0.9,\"max_us\":1234.5,"
			"\"pause_max_us\":70.0,");
	assert_page_has("\"fragmentation\":1.25,\"connections\":0,");
	assert_page_has("\"pools\":[{\"name\":\"held 0\",\"taken\":3,\"count\":10}],"
			"\"pools_left_out\":0}");
	assert_null(strchr(page, '\n'));
}

static void pools_without_room_are_counted_and_left_out(void **state)
{
	(void)state;
	hold(POOL_COUNT);
	zg_text_init(&text, page, 600);
	zgi_live_print(&text, &server, &(struct zgi_live_second){.p50_ns = 0});
	assert_false(text.is_truncated);
	assert_null(strstr(page, "\"pools_left_out\":0"));
	assert_page_has("{\"name\":\"held 0\",");
	assert_int_equal(page[text.size - 1], '}');
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(the_first_look_has_nothing_to_compare_with),
		test(requests_of_all_shards_are_told_by_the_second),
		test(turns_are_those_since_the_last_look),
		test(a_second_without_a_turn_has_no_times),
		test(a_turn_past_all_bounds_is_told_as_the_last),
		test(what_nobody_watched_is_forgotten),
		test(a_second_is_one_object_on_one_line),
		test(pools_without_room_are_counted_and_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
