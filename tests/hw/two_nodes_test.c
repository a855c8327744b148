/*
 * Regions on a machine of two nodes, whose memory is small enough to be filled: that pages
 * are where they were asked for, what happens when a node has too little, and what stays when
 * the machine runs out of memory. Run by `./dev hw`, as root, with swap to be had.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zerog/region.h>

#include "base/clock.h"
#include "base/file.h"
#include "mem/region/numa.h"

#define MIB ((size_t)1 << 20)
#define WORK_SECONDS 4 /* the kernel looks after one, then two, for pages to bring nearer */

static char text_buffer[512];
static struct zg_text text;

static int setup(void **state)
{
	(void)state;
	zg_text_init(&text, text_buffer, sizeof(text_buffer));
	return 0;
}

static struct zg_region_report measure(const struct zg_region *region)
{
	struct zg_region_report report;

	assert_int_equal(zg_region_report(region, &report), 0);
	return report;
}

/* A number of one node's meminfo, in bytes. */
static uint64_t node_memory(uint32_t node, const char *label)
{
	char path[64];
	char content[4096];
	char line[64];
	uint64_t size_kib;
	char *found;

	(void)snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/meminfo", node);
	assert_int_equal(zgi_file_read(path, content, sizeof(content), NULL), 0);
	(void)snprintf(line, sizeof(line), "Node %u %s", node, label);
	found = strstr(content, line);
	assert_non_null(found);
	assert_int_equal(zgi_file_field(found, line, &size_kib), 0);
	return size_kib * 1024;
}

/* Explicit huge pages that are free on one node. */
static uint64_t node_huge_free(uint32_t node)
{
	return node_memory(node, "HugePages_Free:") / 1024;
}

static void run_on(size_t cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	assert_int_equal(sched_setaffinity(0, sizeof(cpus), &cpus), 0);
}

static void run_anywhere(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	CPU_SET(1, &cpus);
	assert_int_equal(sched_setaffinity(0, sizeof(cpus), &cpus), 0);
}

static void the_machine_has_two_nodes(void **state)
{
	struct zgi_numa numa;

	(void)state;
	zgi_numa_read(&numa);
	assert_int_equal(numa.node_count, 2);
	for (uint32_t index = 0; index < 2; index++) {
		assert_int_equal(numa.nodes[index].node, index);
		assert_int_equal(numa.nodes[index].cpu_count, 1);
		assert_true(CPU_ISSET(index, &numa.nodes[index].cpus));
	}
}

static void every_kind_of_page_comes_from_the_node_from_either_processor(void **state)
{
	static const enum zg_region_pages kinds[] = {
		ZG_REGION_PAGES_SMALL, ZG_REGION_PAGES_TRANSPARENT, ZG_REGION_PAGES_EXPLICIT_ONLY};

	(void)state;
	for (uint32_t row = 0; row < 12; row++) {
		uint32_t node = row % 2;
		struct zg_region region;
		struct zg_region_report report;

		run_on(row / 2 % 2);
		assert_int_equal(zg_region_init(&region,
						&(struct zg_region_options){
							.size = 16 * MIB,
							.pages = kinds[row / 4],
							.bind = ZG_REGION_MUST,
							.node = node,
						}),
				 0);
		report = measure(&region);
		assert_int_equal(report.page_count, 16 * MIB / region.page_size);
		assert_int_equal(report.node_page_count, report.page_count);
		assert_int_equal(report.huge_size, row / 4 == 0 ? 0 : 16 * MIB);
		zg_region_fini(&region);
	}
	run_anywhere();
}

static void explicit_pages_are_taken_from_the_pool_of_the_node(void **state)
{
	uint64_t before[2] = {node_huge_free(0), node_huge_free(1)};
	struct zg_region region;

	(void)state;
	assert_int_equal(before[1], 16);
	assert_int_equal(zg_region_init(&region,
					&(struct zg_region_options){
						.size = 24 * MIB,
						.pages = ZG_REGION_PAGES_EXPLICIT_ONLY,
						.bind = ZG_REGION_MUST,
						.node = 1,
					}),
			 0);
	assert_int_equal(node_huge_free(1), before[1] - 12);
	assert_int_equal(node_huge_free(0), before[0]);
	zg_region_fini(&region);
	assert_int_equal(node_huge_free(1), before[1]);
}

static void explicit_pages_of_the_other_node_fill_in_and_are_counted(void **state)
{
	struct zg_region_options options = {
		.size = 40 * MIB,
		.pages = ZG_REGION_PAGES_EXPLICIT_ONLY,
		.bind = ZG_REGION_TRY,
		.node = 1,
		.error = &text,
	};
	struct zg_region region;
	struct zg_region_report report;

	(void)state;
	assert_int_equal(zg_region_init(&region, &options), 0);
	report = measure(&region);
	assert_int_equal(report.page_count, 20);
	assert_int_equal(report.node_page_count, 16);
	assert_string_equal(report.bind_reason, "node 1 has too little free memory");
	zg_region_fini(&region);

	options.bind = ZG_REGION_MUST;
	assert_int_equal(zg_region_init(&region, &options), -ENOMEM);
	assert_non_null(strstr(text_buffer, "node 1 has too little free memory"));
	assert_int_equal(node_huge_free(1), 16);
}

static void a_node_that_is_too_small_is_helped_out_by_the_other(void **state)
{
	struct zg_region_options options = {
		.size = node_memory(1, "MemFree:") + 64 * MIB,
		.pages = ZG_REGION_PAGES_SMALL,
		.bind = ZG_REGION_TRY,
		.node = 1,
		.error = &text,
	};
	struct zg_region region;
	struct zg_region_report report;

	(void)state;
	assert_int_equal(zg_region_init(&region, &options), 0);
	report = measure(&region);
	assert_int_equal(report.resident_size, region.size);
	assert_true(report.node_page_count < report.page_count);
	/* Most of it, all the same. */
	assert_true(report.node_page_count > report.page_count / 2);
	assert_string_equal(report.bind_reason, "node 1 has too little free memory");
	zg_region_fini(&region);
}

static void what_must_be_on_a_node_that_is_too_small_is_refused_and_given_back(void **state)
{
	struct zg_region_options options = {
		.size = node_memory(1, "MemFree:") + 64 * MIB,
		.pages = ZG_REGION_PAGES_SMALL,
		.bind = ZG_REGION_MUST,
		.node = 1,
		.error = &text,
	};
	struct zg_region region;

	(void)state;
	assert_int_equal(zg_region_init(&region, &options), -ENOMEM);
	assert_non_null(strstr(text_buffer, "node 1 has too little free memory"));
	/* It can be had in a size that fits. */
	options.size = 64 * MIB;
	assert_int_equal(zg_region_init(&region, &options), 0);
	zg_region_fini(&region);
}

static uint64_t minor_faults(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return (uint64_t)usage.ru_minflt;
}

static uint64_t count_on(unsigned char *memory, size_t size, uint32_t node)
{
	const struct zgi_numa_pages pages = {memory, size, 4096, node};
	uint64_t count;

	assert_int_equal(zgi_numa_count(&pages, &count), 0);
	return count;
}

/* Write to every page, over and over; returns how many faults that made. */
static uint64_t work_on(unsigned char *memory, size_t size)
{
	uint64_t faults = minor_faults();
	uint64_t until = zgi_clock_ns() + WORK_SECONDS * UINT64_C(1000000000);

	while (zgi_clock_ns() < until)
		for (size_t offset = 0; offset < size; offset += 4096)
			((volatile unsigned char *)memory)[offset]++;
	return minor_faults() - faults;
}

/* The kernel brings pages to the node of the thread that works on them, unless it was told
 * where they belong: the same work on memory of no region shows that it would have. */
static void pages_stay_while_the_other_node_works_on_them(void **state)
{
	const size_t size = 8 * MIB;
	struct zg_region region;
	unsigned char *other;

	(void)state;
	assert_int_equal(zg_region_init(&region,
					&(struct zg_region_options){
						.size = size,
						.pages = ZG_REGION_PAGES_SMALL,
						.bind = ZG_REGION_MUST,
						.node = 1,
					}),
			 0);
	run_on(1);
	other = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(other != MAP_FAILED);
	assert_int_equal(madvise(other, size, MADV_NOHUGEPAGE), 0);
	memset(other, 1, size);
	assert_int_equal(count_on(other, size, 1), size / 4096);
	run_on(0);
	assert_true(work_on(region.memory, size) < 8);
	assert_true(work_on(other, size) > size / 4096 / 2);
	assert_int_equal(count_on(region.memory, size, 1), size / 4096);
	assert_true(count_on(other, size, 1) < size / 4096);
	run_anywhere();
	munmap(other, size);
	zg_region_fini(&region);
}

/* A look that the kernel takes at who uses a page is a fault; a region is spared it. */
static void a_region_of_no_node_is_not_faulted_on_either(void **state)
{
	struct zg_region region;

	(void)state;
	run_on(1);
	assert_int_equal(zg_region_init(&region,
					&(struct zg_region_options){
						.size = 8 * MIB,
						.pages = ZG_REGION_PAGES_SMALL,
					}),
			 0);
	assert_int_equal(count_on(region.memory, region.size, 1), region.size / 4096);
	run_on(0);
	assert_true(work_on(region.memory, region.size) < 8);
	assert_int_equal(count_on(region.memory, region.size, 1), region.size / 4096);
	run_anywhere();
	zg_region_fini(&region);
}

static void file_write(const char *path, const char *content)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close(fd);
}

/* More than there is: what can be paged out has to go. */
static void fill_memory(size_t size)
{
	unsigned char *memory;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		/* Should it be too much, then this one is to go. */
		file_write("/proc/self/oom_score_adj", "1000");
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			      0);
		if (memory == MAP_FAILED)
			_exit(1);
		memset(memory, 'x', size);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void what_is_locked_stays_when_memory_runs_out_and_what_is_not_goes(void **state)
{
	struct zg_region_options options = {
		.size = 32 * MIB,
		.pages = ZG_REGION_PAGES_SMALL,
		.bind = ZG_REGION_MUST,
		.node = 1,
		.lock = ZG_REGION_MUST,
	};
	struct zg_region locked;
	struct zg_region loose;
	struct zg_region_report report;

	(void)state;
	file_write("/sys/block/zram0/disksize", "512M");
	assert_int_equal(system("mkswap /dev/zram0 >/dev/null && swapon /dev/zram0"), 0);
	assert_int_equal(zg_region_init(&locked, &options), 0);
	options.lock = ZG_REGION_NO;
	assert_int_equal(zg_region_init(&loose, &options), 0);
	/* Both are as good as forgotten; of the locked one the kernel does not want to hear it. */
	assert_int_equal(madvise(loose.memory, loose.size, MADV_COLD), 0);
	assert_int_equal(madvise(locked.memory, locked.size, MADV_COLD), -1);
	fill_memory(node_memory(0, "MemFree:") + node_memory(1, "MemFree:") + 256 * MIB);
	report = measure(&locked);
	assert_int_equal(report.resident_size, locked.size);
	assert_int_equal(report.locked_size, locked.size);
	assert_int_equal(report.node_page_count, locked.size / locked.page_size);
	assert_true(measure(&loose).resident_size < loose.size);
	zg_region_fini(&loose);
	zg_region_fini(&locked);
	assert_int_equal(system("swapoff /dev/zram0"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_machine_has_two_nodes, setup),
		cmocka_unit_test_setup(every_kind_of_page_comes_from_the_node_from_either_processor,
				       setup),
		cmocka_unit_test_setup(explicit_pages_are_taken_from_the_pool_of_the_node, setup),
		cmocka_unit_test_setup(explicit_pages_of_the_other_node_fill_in_and_are_counted,
				       setup),
		cmocka_unit_test_setup(a_node_that_is_too_small_is_helped_out_by_the_other, setup),
		cmocka_unit_test_setup(
			what_must_be_on_a_node_that_is_too_small_is_refused_and_given_back, setup),
		cmocka_unit_test_setup(pages_stay_while_the_other_node_works_on_them, setup),
		cmocka_unit_test_setup(a_region_of_no_node_is_not_faulted_on_either, setup),
		cmocka_unit_test_setup(
			what_is_locked_stays_when_memory_runs_out_and_what_is_not_goes, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
