/*
 * NUMA on the machine the test runs on, whatever it has: `./dev hw` brings one of two nodes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zerog/region.h>

#include "base/file.h"
#include "mem/region/numa.h"

#define PAGES 600 /* more than one call of move_pages looks up */

static struct zgi_numa numa;

static int setup(void **state)
{
	(void)state;
	zgi_numa_read(&numa);
	return 0;
}

static void every_processor_that_we_may_use_is_of_one_node(void **state)
{
	cpu_set_t allowed;
	uint32_t count = 0;

	(void)state;
	if (numa.node_count == 0)
		skip();
	assert_int_equal(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
	for (uint32_t index = 0; index < numa.node_count; index++) {
		assert_int_equal(numa.nodes[index].cpu_count, CPU_COUNT(&numa.nodes[index].cpus));
		assert_true(numa.nodes[index].cpu_count > 0);
		count += numa.nodes[index].cpu_count;
		if (index > 0)
			assert_true(numa.nodes[index].node > numa.nodes[index - 1].node);
	}
	assert_int_equal(count, CPU_COUNT(&allowed));
}

static void where_there_are_no_nodes_a_reason_is_given(void **state)
{
	(void)state;
	assert_int_equal(numa.node_count == 0, numa.reason != NULL);
}

static void processors_that_we_may_not_use_are_left_out(void **state)
{
	cpu_set_t before;
	cpu_set_t one;
	size_t cpu = 0;

	(void)state;
	if (numa.node_count == 0)
		skip();
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	while (!CPU_ISSET(cpu, &before))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	zgi_numa_read(&numa);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(numa.node_count, 1);
	assert_int_equal(numa.nodes[0].cpu_count, 1);
	assert_true(CPU_EQUAL(&numa.nodes[0].cpus, &one));
}

static void pages_are_counted_and_only_those_that_are_there(void **state)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *memory;
	uint64_t total = 0;

	(void)state;
	if (numa.node_count == 0)
		skip();
	memory = mmap(NULL, PAGES * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	assert_true(memory != MAP_FAILED);
	assert_int_equal(madvise(memory, PAGES * page_size, MADV_NOHUGEPAGE), 0);
	for (size_t page = 0; page < PAGES; page += 2)
		memory[page * page_size] = 1;
	for (uint32_t index = 0; index < numa.node_count; index++) {
		const struct zgi_numa_pages pages = {memory, PAGES * page_size, page_size,
						     numa.nodes[index].node};
		uint64_t count;

		assert_int_equal(zgi_numa_count(&pages, &count), 0);
		total += count;
	}
	assert_int_equal(total, PAGES / 2);
	munmap(memory, PAGES * page_size);
}

static void a_node_that_there_is_not_cannot_be_bound_to(void **state)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *memory;

	(void)state;
	if (numa.node_count == 0)
		skip();
	memory = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	assert_int_equal(zgi_numa_bind(memory, page_size, 63), -EINVAL);
	assert_int_equal(zgi_numa_bind(memory, page_size, ZG_REGION_NODES_MAX), -EINVAL);
	assert_int_equal(zgi_numa_bind(memory, page_size, numa.nodes[0].node), 0);
	munmap(memory, page_size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_processor_that_we_may_use_is_of_one_node, setup),
		cmocka_unit_test_setup(where_there_are_no_nodes_a_reason_is_given, setup),
		cmocka_unit_test_setup(processors_that_we_may_not_use_are_left_out, setup),
		cmocka_unit_test_setup(pages_are_counted_and_only_those_that_are_there, setup),
		cmocka_unit_test_setup(a_node_that_there_is_not_cannot_be_bound_to, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
