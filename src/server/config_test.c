/*
 * From options to capacities: that the region holds exactly what is carved from it,
 * and that what is refused names a remedy that works.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "server/config.h"
#include "server/shard.h"
#include "web/exchange.h"

#define PAGE_SIZE 4096

static struct zg_options options;
static struct zgi_server_config config;
static char error[512];

static int setup(void **state)
{
	(void)state;
	zg_options_init(&options);
	options.io = ZG_IO_EPOLL;
	options.connections = 100;
	options.exchanges = 10;
	options.shards = 2;
	return 0;
}

static int configure(void)
{
	struct zg_text text;

	zg_text_init(&text, error, sizeof(error));
	return zgi_server_configure(&options, &config, &text);
}

static void assert_error_names(const char *part)
{
	if (strstr(error, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, error);
}

/* Carve as boot does, from a region of exactly the size that was worked out. */
static void assert_region_fits(void)
{
	static struct zgi_workers workers; /* none of them is started */
	struct zgi_router *router;
	struct zg_region region;
	uint64_t size;
	void *shards;

	assert_int_equal(configure(), 0);
	size = zgi_server_carved_size(&config, config.shard_count);
	assert_int_equal(zgi_router_create(&router), 0);
	assert_int_equal(zg_region_init(&region, &(struct zg_region_options){.size = size}), 0);
	assert_int_equal(
		zg_region_carve(&region, config.shard_count * config.shard_size, 64, &shards), 0);
	for (uint32_t index = 0; index < config.shard_count; index++) {
		struct zgi_shard *shard =
			(struct zgi_shard *)(void *)((char *)shards + index * config.shard_size);
		struct zgi_shard_options shard_options = {
			.config = &config,
			.router = router,
			.offload = &workers,
			.flushers = &workers,
			.index = index,
			.listen_fd = -1,
		};

		assert_int_equal(zgi_shard_init(shard, &shard_options, &region), 0);
		assert_int_equal(shard->exchanges.block_count, config.exchanges_each);
		zgi_shard_fini(shard);
	}
	assert_true(region.used <= size);
	assert_true(size - region.used <= config.shard_count * UINT64_C(512));
	zg_region_fini(&region);
	zgi_router_destroy(router);
}

static void the_region_holds_the_subscribers_where_there_is_a_topic(void **state)
{
	(void)state;
	options.topics = 1;
	for (uint64_t size = 128; size < 1000; size += 77) {
		options.event_size_max = size;
		options.subscribers = size / 10;
		assert_region_fits();
	}
}

static bool plan_has(struct zg_plan *plan, const char *name)
{
	zg_plan_init(plan);
	assert_int_equal(configure(), 0);
	assert_int_equal(zgi_server_plan_lines(&config, plan), 0);
	return zg_plan_find(plan, name) != NULL;
}

static void files_and_events_cost_nothing_where_there_are_none(void **state)
{
	static struct zg_plan plan;

	(void)state;
	assert_false(plan_has(&plan, "static files"));
	assert_false(plan_has(&plan, "subscribers"));
	assert_false(plan_has(&plan, "events kept"));
	options.static_folders = 1;
	options.topics = 2;
	assert_true(plan_has(&plan, "static files"));
	assert_true(plan_has(&plan, "subscribers"));
	assert_true(plan_has(&plan, "events kept"));
	assert_true(zg_plan_find(&plan, "events kept")->size_total >=
		    2 * options.topic_events * options.event_size_max);
}

static void the_region_holds_what_is_carved_from_it(void **state)
{
	static const struct {
		uint64_t connections;
		uint64_t exchanges;
		uint64_t shards;
		uint64_t read_buffer_size;
		uint64_t body_size_max;
		uint64_t arena_chunks;
		bool track;
	} rows[] = {
		{1, 1, 1, 1024, 0, 1, false},
		{100, 10, 2, 8192, 65536, 32, true},
		{1000, 7, 3, 1025, 1, 5, false},
		{333, 513, 5, 65024, 99999, 7, true},
	};

	(void)state;
	for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
		options.connections = rows[index].connections;
		options.exchanges = rows[index].exchanges;
		options.shards = rows[index].shards;
		options.read_buffer_size = rows[index].read_buffer_size;
		options.write_buffer_size = rows[index].read_buffer_size + 1;
		options.body_size_max = rows[index].body_size_max;
		options.arena_chunks = rows[index].arena_chunks;
		options.track = rows[index].track;
		assert_region_fits();
	}
}

static void ask_for_all_that_may_be_started(void)
{
	options.posts = 100;
	options.flushes = 3;
	options.offload_threads = 2;
	options.offload_jobs = 7;
	options.offload_stack_size = 100000;
	options.watches = 5;
	options.timers = 11;
}

static void the_region_holds_what_an_application_may_start(void **state)
{
	(void)state;
	ask_for_all_that_may_be_started();
	for (options.shards = 1; options.shards <= 3; options.shards++) {
		assert_region_fits();
		assert_int_equal(config.jobs_each,
				 (7 + config.shard_count - 1) / config.shard_count);
	}
}

static void what_an_application_may_start_is_planned_and_nothing_else(void **state)
{
	static const char *const names[] = {"flushes",	     "offload jobs",   "watches",
					    "timers",	     "offload stacks", "flush stack",
					    "epoll: flushes"};
	static struct zg_plan plan;

	(void)state;
	assert_int_equal(configure(), 0);
	zg_plan_init(&plan);
	assert_int_equal(zgi_server_plan_lines(&config, &plan), 0);
	for (size_t index = 0; index < sizeof(names) / sizeof(names[0]); index++)
		assert_null(zg_plan_find(&plan, names[index]));
	assert_int_equal(zgi_server_worker_stacks_size(&config), 0);

	ask_for_all_that_may_be_started();
	assert_int_equal(configure(), 0);
	zg_plan_init(&plan);
	assert_int_equal(zgi_server_plan_lines(&config, &plan), 0);
	for (size_t index = 0; index < sizeof(names) / sizeof(names[0]); index++)
		assert_non_null(zg_plan_find(&plan, names[index]));
	assert_int_equal(zg_plan_find(&plan, "offload stacks")->size_total +
				 zg_plan_find(&plan, "flush stack")->size_total,
			 zgi_server_worker_stacks_size(&config));
	assert_true(config.offload_stack_size >= 100000 + PAGE_SIZE);
}

static void the_region_is_the_plan_without_the_program_and_the_kernel(void **state)
{
	static struct zg_plan plan;
	uint64_t planned = 0;

	(void)state;
	ask_for_all_that_may_be_started();
	assert_int_equal(configure(), 0);
	zg_plan_init(&plan);
	assert_int_equal(zgi_server_plan(&config, &plan), 0);
	for (uint32_t index = 1; index < plan.line_count; index++)
		planned += plan.lines[index].size_total;
	assert_string_equal(plan.lines[0].name, "program as loaded");
	assert_true(planned >= zgi_server_carved_size(&config, config.shard_count) +
				       config.shard_count * ZGI_SHARD_STACK_WHOLE_SIZE +
				       zgi_server_worker_stacks_size(&config));
	assert_true(plan.lines[0].size_total > 0);
	/* What can be lowered says how. */
	for (uint32_t index = 0; index < plan.line_count; index++)
		if (plan.lines[index].option != NULL)
			assert_memory_equal(plan.lines[index].option, "--", 2);
}

static uint64_t planned_bookkeeping(void)
{
	static struct zg_plan plan;

	assert_int_equal(configure(), 0);
	zg_plan_init(&plan);
	assert_int_equal(zgi_server_plan(&config, &plan), 0);
	for (uint32_t index = 0; index < plan.line_count; index++)
		if (strcmp(plan.lines[index].name, "pool bookkeeping") == 0)
			return plan.lines[index].size_total;
	fail_msg("the plan has no line for it");
	return 0;
}

static void tracks_are_planned(void **state)
{
	uint64_t untracked;

	(void)state;
	if (zg_pool_tracks_all())
		skip();
	options.exchanges = 512;
	options.arena_chunks = 64;
	untracked = planned_bookkeeping();
	options.track = true;
	assert_int_equal(planned_bookkeeping(), untracked + (512 + 64) * 24);
}

static void shares_add_up_to_no_less_than_was_asked_for(void **state)
{
	(void)state;
	options.connections = 1001;
	options.exchanges = 11;
	options.arena_chunks = 4;
	options.shards = 3;
	assert_int_equal(configure(), 0);
	assert_int_equal(config.shard_count, 3);
	assert_int_equal(config.exchanges_each, 4);
	assert_int_equal(config.chunks_each, 2);
	/* The kernel deals unevenly: more than a third each. */
	assert_true(config.connections_each > 1001 / 3 + 1);
	assert_int_equal(config.slots_each, config.connections_each + ZGI_ACCEPT_HEADROOM);
}

static void one_shard_gets_exactly_what_was_asked_for(void **state)
{
	(void)state;
	options.shards = 1;
	assert_int_equal(configure(), 0);
	assert_int_equal(config.connections_each, 100);
}

static void a_chunk_holds_the_largest_body(void **state)
{
	(void)state;
	options.body_size_max = 1000003;
	assert_int_equal(configure(), 0);
	assert_true(zg_arena_chunk_payload(config.chunk_size) >= 1000003);
	options.body_size_max = 0;
	assert_int_equal(configure(), 0);
	assert_true(zg_arena_chunk_payload(config.chunk_size) >= 32768);
}

static void a_bad_address_is_named(void **state)
{
	(void)state;
	memcpy(options.listen, "nowhere", sizeof("nowhere"));
	assert_int_equal(configure(), -EINVAL);
	assert_error_names("nowhere");
}

static void more_connections_than_descriptors_are_refused_with_a_number_that_works(void **state)
{
	struct rlimit before;
	const char *number;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	/* The hard limit comes down too: boot raises the soft one to it. */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){4000, 4000}), 0);
	options.connections = 5000;
	assert_int_equal(configure(), -EMFILE);
	assert_error_names("--connections 5000");
	assert_error_names("RLIMIT_NOFILE");
	number = strstr(error, "at most ");
	assert_non_null(number);
	options.connections = strtoull(number + 8, NULL, 10);
	assert_true(options.connections > 2000);
	assert_int_equal(configure(), 0);
	options.connections += 1;
	assert_int_equal(configure(), -EMFILE);
}

#define test(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(the_region_holds_what_is_carved_from_it),
		test(the_region_holds_the_subscribers_where_there_is_a_topic),
		test(files_and_events_cost_nothing_where_there_are_none),
		test(the_region_holds_what_an_application_may_start),
		test(what_an_application_may_start_is_planned_and_nothing_else),
		test(the_region_is_the_plan_without_the_program_and_the_kernel),
		test(tracks_are_planned),
		test(shares_add_up_to_no_less_than_was_asked_for),
		test(one_shard_gets_exactly_what_was_asked_for),
		test(a_chunk_holds_the_largest_body),
		test(a_bad_address_is_named),
		/* The last: a hard limit that came down stays down. */
		test(more_connections_than_descriptors_are_refused_with_a_number_that_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
