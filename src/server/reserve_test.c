/*
 * A server's memory: how many regions, how large, what a plan has to allow for them, and
 * what is said of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "mem/region/parts.h"
#include "server/reserve.h"

static struct zg_options options;
static struct zgi_server_config config;
static struct zgi_reserve reserve;
static char buffer[8192];
static struct zg_text text;

static int setup(void **state)
{
	(void)state;
	memset(&reserve, 0, sizeof(reserve));
	zg_text_init(&text, buffer, sizeof(buffer));
	zg_options_init(&options);
	options.io = ZG_IO_EPOLL;
	options.connections = 100;
	options.exchanges = 10;
	options.shards = 3;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	zgi_reserve_fini(&reserve);
	return 0;
}

static int make(void)
{
	int result = zgi_server_configure(&options, &config, &text);

	assert_int_equal(result, 0);
	return zgi_reserve_init(&reserve, &config, &text);
}

static void assert_text_has(const char *part)
{
	if (strstr(buffer, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, buffer);
}

static void there_is_one_region_for_shards_and_one_for_stacks(void **state)
{
	(void)state;
	options.numa = false;
	assert_int_equal(make(), 0);
	assert_int_equal(reserve.node_count, 1);
	assert_string_equal(reserve.nodes[0].shards.name, "shards");
	assert_int_equal(reserve.nodes[0].shards.region.size,
			 zgi_server_carved_size(&config, 3) + zgi_reserve_padding(&config));
	assert_int_equal(reserve.nodes[0].stacks.region.size,
			 3 * (size_t)ZGI_SHARD_STACK_WHOLE_SIZE);
	/* The stacks' guard pages would break huge ones up. */
	assert_int_equal(reserve.nodes[0].stacks.region.asked.pages, ZG_REGION_PAGES_SMALL);
	assert_int_equal(reserve.nodes[0].shards.report.resident_size,
			 reserve.nodes[0].shards.region.size);
	zgi_reserve_summarise(&reserve, &config, &text);
	assert_text_has("on huge pages");
	assert_text_has("not bound to NUMA nodes: not asked for");
}

static void the_stacks_of_other_threads_lie_beside_those_of_shards(void **state)
{
	(void)state;
	options.numa = false;
	options.offload_threads = 3;
	options.flushes = 1;
	assert_int_equal(make(), 0);
	assert_int_equal(reserve.nodes[0].stacks.region.size,
			 3 * (size_t)ZGI_SHARD_STACK_WHOLE_SIZE +
				 zgi_server_worker_stacks_size(&config));
}

/* A machine of two nodes, as far as the placement goes; the kernel may know one only. */
static void each_node_has_regions_of_its_own(void **state)
{
	uint64_t size = 0;

	(void)state;
	options.huge_pages = ZG_REGION_PAGES_SMALL;
	assert_int_equal(zgi_server_configure(&options, &config, &text), 0);
	config.placement = (struct zgi_placement){
		.is_bound = true,
		.node_count = 2,
		.nodes = {{.node = 0, .shard_first = 0, .shard_count = 2},
			  {.node = 63, .shard_first = 2, .shard_count = 1}},
	};
	assert_int_equal(zgi_reserve_init(&reserve, &config, &text), 0);
	assert_int_equal(reserve.node_count, 2);
	for (uint32_t index = 0; index < 2; index++)
		size += reserve.nodes[index].shards.region.size;
	assert_int_equal(size, zgi_server_carved_size(&config, 2) +
				       zgi_server_carved_size(&config, 1) +
				       zgi_reserve_padding(&config));
	assert_int_equal(reserve.nodes[1].stacks.region.size, ZGI_SHARD_STACK_WHOLE_SIZE);
	assert_string_equal(reserve.nodes[1].shards.name, "shards of node 63");
	/* Node 63 is not there: the memory is had all the same, and it is said. */
	zgi_reserve_summarise(&reserve, &config, &text);
	assert_text_has("no huge pages; 2 NUMA nodes");
	zgi_reserve_print(&reserve, &text);
	assert_text_has("shards of node 63: ");
	zgi_reserve_print_json(&reserve, &text);
	assert_text_has("{\"name\": \"stacks of node 63\", \"size\": 69632, ");
	assert_text_has("\"node\": 63}]");
	assert_false(text.is_truncated);
}

static void with_explicit_pages_a_plan_allows_for_whole_ones(void **state)
{
	(void)state;
	options.huge_pages = ZG_REGION_PAGES_EXPLICIT;
	assert_int_equal(make(), 0);
	size_t page_size = zgi_region_huge_page_size(&reserve.nodes[0].shards.region.asked);

	assert_int_equal(
		(zgi_server_carved_size(&config, 3) + zgi_reserve_padding(&config)) % page_size, 0);
	assert_int_equal(reserve.nodes[0].shards.region.size % page_size, 0);
	/* Whether the machine has such pages or not. */
	assert_int_equal(reserve.nodes[0].shards.report.resident_size,
			 reserve.nodes[0].shards.region.size);
}

static void pages_that_must_be_explicit_and_are_too_few_are_refused_with_a_remedy(void **state)
{
	const struct zg_region_options explicit_pages = {.size = 1};
	size_t page_size = zgi_region_huge_page_size(&explicit_pages);

	(void)state;
	options.huge_pages = ZG_REGION_PAGES_EXPLICIT_ONLY;
	options.body_size_max = (zgi_region_huge_free(page_size) + 1) * page_size;
	options.arena_chunks = 1;
	assert_int_equal(make(), -ENOMEM);
	assert_text_has("raise vm.nr_hugepages, or use --huge-pages explicit");
}

static void the_program_is_locked_with_its_memory(void **state)
{
	(void)state;
	options.lock_memory = ZG_REGION_TRY;
	assert_int_equal(make(), 0);
	assert_true(reserve.image_size > 1 << 20);
	assert_true(reserve.image_locked_size <= reserve.image_size);
	zgi_reserve_summarise(&reserve, &config, &text);
	assert_text_has("MiB locked");
	zgi_reserve_print(&reserve, &text);
	assert_text_has("program: asked: locked; obtained: ");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(there_is_one_region_for_shards_and_one_for_stacks),
		test(the_stacks_of_other_threads_lie_beside_those_of_shards),
		test(each_node_has_regions_of_its_own),
		test(with_explicit_pages_a_plan_allows_for_whole_ones),
		test(pages_that_must_be_explicit_and_are_too_few_are_refused_with_a_remedy),
		test(the_program_is_locked_with_its_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
