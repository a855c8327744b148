/*
 * Shards dealt out to nodes: machines of any shape, described by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "server/placement.h"

#define COUNTS_MAX (ZGI_NUMA_NODES_MAX + 1) /* and a 0 that ends them */

static struct zgi_numa numa;
static struct zgi_placement placement;

/* A machine whose nodes have so many processors each, ending with 0. Nodes are numbered 0, 2, 4. */
static void machine(const uint32_t *cpu_counts)
{
	size_t cpu = 0;

	memset(&numa, 0, sizeof(numa));
	for (; cpu_counts[numa.node_count] > 0; numa.node_count++) {
		struct zgi_numa_node *node = &numa.nodes[numa.node_count];

		node->node = 2 * numa.node_count;
		node->cpu_count = cpu_counts[numa.node_count];
		for (uint32_t count = 0; count < node->cpu_count; count++)
			CPU_SET(cpu++, &node->cpus);
	}
}

static void assert_counts(const uint32_t *counts)
{
	uint32_t shard_first = 0;

	for (uint32_t index = 0; index < placement.node_count; index++) {
		assert_int_equal(placement.nodes[index].shard_count, counts[index]);
		assert_int_equal(placement.nodes[index].shard_first, shard_first);
		shard_first += counts[index];
	}
	assert_int_equal(counts[placement.node_count], 0);
}

static void a_shard_a_processor_fills_each_node(void **state)
{
	(void)state;
	machine((const uint32_t[COUNTS_MAX]){4, 4});
	zgi_placement_make(&numa, 8, &placement);
	assert_true(placement.is_bound);
	assert_null(placement.reason);
	assert_counts((const uint32_t[COUNTS_MAX]){4, 4});
	assert_int_equal(placement.nodes[1].node, 2);
	assert_true(CPU_EQUAL(&placement.nodes[1].cpus, &numa.nodes[1].cpus));
}

static void few_shards_are_spread_and_not_crowded_on_the_first_node(void **state)
{
	(void)state;
	machine((const uint32_t[COUNTS_MAX]){32, 32});
	zgi_placement_make(&numa, 2, &placement);
	assert_counts((const uint32_t[COUNTS_MAX]){1, 1});
	zgi_placement_make(&numa, 3, &placement);
	assert_counts((const uint32_t[COUNTS_MAX]){2, 1});
}

static void a_node_without_a_shard_gets_no_memory(void **state)
{
	(void)state;
	machine((const uint32_t[COUNTS_MAX]){2, 8, 4});
	zgi_placement_make(&numa, 1, &placement);
	assert_int_equal(placement.node_count, 1);
	assert_int_equal(placement.nodes[0].node, 2);
	assert_true(placement.is_bound);
}

static void nodes_of_unequal_size_get_their_proportion(void **state)
{
	(void)state;
	machine((const uint32_t[COUNTS_MAX]){2, 6});
	zgi_placement_make(&numa, 8, &placement);
	assert_counts((const uint32_t[COUNTS_MAX]){2, 6});
	zgi_placement_make(&numa, 53, &placement);
	assert_counts((const uint32_t[COUNTS_MAX]){13, 40});
}

static void one_node_is_no_choice_and_none_is_none(void **state)
{
	(void)state;
	machine((const uint32_t[COUNTS_MAX]){4});
	zgi_placement_make(&numa, 4, &placement);
	assert_false(placement.is_bound);
	assert_string_equal(placement.reason, "there is one node");
	assert_counts((const uint32_t[COUNTS_MAX]){4});

	machine((const uint32_t[COUNTS_MAX]){0});
	numa.reason = "why";
	zgi_placement_make(&numa, 3, &placement);
	assert_false(placement.is_bound);
	assert_string_equal(placement.reason, "why");

	zgi_placement_make(NULL, 3, &placement);
	assert_string_equal(placement.reason, "not asked for");
	assert_counts((const uint32_t[COUNTS_MAX]){3});
}

static void every_shard_finds_its_node(void **state)
{
	(void)state;
	machine((const uint32_t[COUNTS_MAX]){1, 3, 2});
	zgi_placement_make(&numa, 12, &placement);
	for (uint32_t shard = 0; shard < 12; shard++) {
		uint32_t index = zgi_placement_node_index(&placement, shard);

		assert_in_range(shard, placement.nodes[index].shard_first,
				placement.nodes[index].shard_first +
					placement.nodes[index].shard_count - 1);
	}
}

static void *pinned_thread(void *user)
{
	cpu_set_t *ret_cpus = user;

	assert_int_equal(zgi_placement_pin(&placement, 0), 0);
	assert_int_equal(sched_getaffinity(0, sizeof(*ret_cpus), ret_cpus), 0);
	return NULL;
}

static void a_thread_keeps_to_the_processors_of_its_node(void **state)
{
	cpu_set_t allowed;
	cpu_set_t cpus;
	pthread_t thread;
	size_t cpu = 0;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
	while (!CPU_ISSET(cpu, &allowed))
		cpu++;
	memset(&placement, 0, sizeof(placement));
	placement.is_bound = true;
	placement.node_count = 1;
	placement.nodes[0].shard_count = 1;
	CPU_SET(cpu, &placement.nodes[0].cpus);
	assert_int_equal(pthread_create(&thread, NULL, pinned_thread, &cpus), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(CPU_EQUAL(&cpus, &placement.nodes[0].cpus));

	placement.is_bound = false;
	assert_int_equal(pthread_create(&thread, NULL, pinned_thread, &cpus), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(CPU_EQUAL(&cpus, &allowed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shard_a_processor_fills_each_node),
		cmocka_unit_test(few_shards_are_spread_and_not_crowded_on_the_first_node),
		cmocka_unit_test(a_node_without_a_shard_gets_no_memory),
		cmocka_unit_test(nodes_of_unequal_size_get_their_proportion),
		cmocka_unit_test(one_node_is_no_choice_and_none_is_none),
		cmocka_unit_test(every_shard_finds_its_node),
		cmocka_unit_test(a_thread_keeps_to_the_processors_of_its_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
