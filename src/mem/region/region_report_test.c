/*
 * What a region says it has: held against what the machine gives, with and without the
 * right to it. Where the machine has no pool of huge pages, those cases are skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <zerog/plan.h>
#include <zerog/region.h>

#include "base/file.h"
#include "mem/region/numa.h"
#include "mem/region/parts.h"

#define MIB ((size_t)1 << 20)

static struct zg_region region;
static struct zg_region_report report;
static char text_buffer[1024];
static struct zg_text text;

static int setup(void **state)
{
	(void)state;
	memset(&region, 0, sizeof(region));
	zg_text_init(&text, text_buffer, sizeof(text_buffer));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	zg_region_fini(&region);
	return 0;
}

static int init(struct zg_region_options options)
{
	options.error = &text;
	return zg_region_init(&region, &options);
}

static void measure(void)
{
	assert_int_equal(zg_region_report(&region, &report), 0);
	zg_text_init(&text, text_buffer, sizeof(text_buffer));
	zg_region_report_print(&region, &report, &text);
	assert_false(text.is_truncated);
}

static void assert_text_has(const char *part)
{
	if (strstr(text_buffer, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, text_buffer);
}

/* The right to lock without a limit, off and on again. */
static void allow_lock(bool is_allowed)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	assert_int_equal(syscall(SYS_capget, &header, data), 0);
	if (is_allowed)
		data[0].effective |= data[0].permitted & (1U << CAP_IPC_LOCK);
	else
		data[0].effective &= ~(1U << CAP_IPC_LOCK);
	assert_int_equal(syscall(SYS_capset, &header, data), 0);
}

static struct rlimit limit_before;

/* A limit below which the machine's own stays. */
static int setup_limited(void **state)
{
	struct rlimit limit;

	setup(state);
	allow_lock(false);
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit_before), 0);
	limit = limit_before;
	limit.rlim_cur = 5 * MIB / 2;
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	return 0;
}

static int teardown_limited(void **state)
{
	teardown(state);
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &limit_before), 0);
	allow_lock(true);
	return 0;
}

static void all_of_it_is_resident(void **state)
{
	(void)state;
	assert_int_equal(init((struct zg_region_options){.size = 3 * MIB, .name = "mine"}), 0);
	measure();
	assert_int_equal(report.size, 3 * MIB);
	assert_int_equal(report.resident_size, 3 * MIB);
	assert_int_equal(report.locked_size, 0);
	assert_text_has("mine: 3.0 MiB mapped, 3.0 MiB resident");
}

static void figures_are_of_this_region_and_not_of_a_neighbour(void **state)
{
	struct zg_region neighbours[2];

	(void)state;
	/* Of the same kind and made one after the other: the kernel would merge them. */
	assert_int_equal(zg_region_init(&neighbours[0], &(struct zg_region_options){.size = MIB}),
			 0);
	assert_int_equal(init((struct zg_region_options){.size = MIB, .is_lazy = true}), 0);
	assert_int_equal(zg_region_init(&neighbours[1], &(struct zg_region_options){.size = MIB}),
			 0);
	region.memory[0] = 1;
	measure();
	assert_int_equal(report.resident_size, region.page_size);
	zg_region_fini(&neighbours[0]);
	zg_region_fini(&neighbours[1]);
}

static bool transparent_pages_are_on(void)
{
	char state[256];

	return zgi_file_read("/sys/kernel/mm/transparent_hugepage/enabled", state, sizeof(state),
			     NULL) == 0 &&
	       strstr(state, "[never]") == NULL;
}

static void transparent_pages_are_counted(void **state)
{
	(void)state;
	if (!transparent_pages_are_on())
		skip();
	assert_int_equal(init((struct zg_region_options){.size = 17 * MIB,
							 .pages = ZG_REGION_PAGES_TRANSPARENT}),
			 0);
	measure();
	assert_text_has("asked: transparent huge; obtained: transparent huge");
	/* A machine whose memory is in pieces may have less, and says so. */
	assert_int_equal(report.huge_size % (2 * MIB), 0);
	assert_in_range(report.huge_size, 2 * MIB, 16 * MIB);
	if (report.huge_size == 16 * MIB)
		assert_text_has("16.0 of 17.0 MiB huge; the rest is less than a huge page");
	else
		assert_text_has("no more memory in one piece");
}

static void small_pages_are_small(void **state)
{
	(void)state;
	assert_int_equal(
		init((struct zg_region_options){.size = 4 * MIB, .pages = ZG_REGION_PAGES_SMALL}),
		0);
	measure();
	assert_int_equal(report.huge_size, 0);
	assert_int_equal(report.resident_size, 4 * MIB);
	assert_string_equal(report.pages_reason, "");
	assert_text_has("  pages: asked: small; obtained: small\n");
}

static uint64_t pool_free(void)
{
	return zgi_region_huge_free(2 * MIB);
}

static void explicit_pages_come_from_the_pool_and_return_to_it(void **state)
{
	uint64_t before = pool_free();
	uint64_t resident_before;
	uint64_t resident;

	(void)state;
	assert_int_equal(zg_memory_resident(&resident_before), 0);
	if (before < 2) {
		print_message("# no explicit huge pages: set vm.nr_hugepages to try them\n");
		skip();
	}
	assert_int_equal(init((struct zg_region_options){.size = 3 * MIB,
							 .pages = ZG_REGION_PAGES_EXPLICIT_ONLY,
							 .huge_page_size = 2 * MIB}),
			 0);
	measure();
	assert_int_equal(report.size, 4 * MIB);
	assert_int_equal(report.huge_size, 4 * MIB);
	assert_int_equal(report.resident_size, 4 * MIB);
	assert_string_equal(report.pages_reason, "");
	assert_text_has("obtained: explicit huge, 4.0 of 4.0 MiB huge");
	assert_int_equal(pool_free(), before - 2);
	/* What the process is said to occupy has them too. */
	assert_int_equal(zg_memory_resident(&resident), 0);
	assert_true(resident >= resident_before + 4 * MIB);
	zg_region_fini(&region);
	assert_int_equal(pool_free(), before);
}

static void an_explicit_page_can_be_a_whole_gib(void **state)
{
	(void)state;
	if (zgi_region_huge_free(1024 * MIB) < 1) {
		print_message("# no explicit pages of 1 GiB: `./dev hw` has one\n");
		skip();
	}
	assert_int_equal(init((struct zg_region_options){.size = MIB,
							 .pages = ZG_REGION_PAGES_EXPLICIT_ONLY,
							 .huge_page_size = 1024 * MIB}),
			 0);
	measure();
	assert_int_equal(report.size, 1024 * MIB);
	assert_int_equal(report.huge_size, 1024 * MIB);
	assert_int_equal(region.page_size, 1024 * MIB);
	assert_int_equal((uintptr_t)region.memory % (1024 * MIB), 0);
	assert_int_equal(zgi_region_huge_free(1024 * MIB), 0);
}

static void explicit_pages_give_way_to_others_of_the_same_total(void **state)
{
	const struct zg_region_options options = {.size = (pool_free() + 1) * 2 * MIB - 1,
						  .pages = ZG_REGION_PAGES_EXPLICIT,
						  .huge_page_size = 2 * MIB};
	char expected[128];

	(void)state;
	assert_int_equal(init(options), 0);
	measure();
	assert_int_equal(region.pages, ZG_REGION_PAGES_TRANSPARENT);
	assert_int_equal(report.size, zg_region_size(&options));
	assert_int_equal(report.size % (2 * MIB), 0);
	assert_int_equal(report.resident_size, report.size);
	(void)snprintf(expected, sizeof(expected),
		       "%zu explicit pages of 2 MiB are needed, %zu are free: raise "
		       "vm.nr_hugepages",
		       report.size / (2 * MIB), (size_t)pool_free());
	assert_text_has(expected);
}

static void explicit_pages_only_are_those_or_none(void **state)
{
	(void)state;
	assert_int_equal(init((struct zg_region_options){.size = (pool_free() + 1) * 2 * MIB,
							 .pages = ZG_REGION_PAGES_EXPLICIT_ONLY,
							 .huge_page_size = 2 * MIB}),
			 -ENOMEM);
	assert_text_has("raise vm.nr_hugepages");
}

static void a_size_of_huge_page_that_there_is_not_is_named(void **state)
{
	(void)state;
	assert_int_equal(init((struct zg_region_options){.size = MIB,
							 .pages = ZG_REGION_PAGES_EXPLICIT_ONLY,
							 .huge_page_size = 4 * MIB}),
			 -EINVAL);
	assert_text_has("the machine has no explicit pages of 4 MiB");
}

static void what_is_asked_to_be_locked_is_locked(void **state)
{
	struct rlimit limit;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	if (limit.rlim_cur < MIB)
		skip();
	assert_int_equal(init((struct zg_region_options){.size = MIB, .lock = ZG_REGION_MUST}), 0);
	measure();
	assert_int_equal(report.locked_size, MIB);
	assert_text_has("asked: locked; obtained: 1.0 of 1.0 MiB\n");
}

static void what_the_limit_allows_of_it_is_locked_from_its_beginning(void **state)
{
	(void)state;
	assert_int_equal(init((struct zg_region_options){.size = 8 * MIB, .lock = ZG_REGION_TRY}),
			 0);
	measure();
	/* 2.5 MiB are allowed: whole huge pages of them. */
	assert_int_equal(region.locked_size, 2 * MIB);
	assert_int_equal(report.locked_size, 2 * MIB);
	assert_text_has(
		"obtained: 2.0 of 8.0 MiB; RLIMIT_MEMLOCK is 2.5 MiB: raise it (ulimit -l)");
}

static void what_is_locked_already_counts_against_the_limit(void **state)
{
	struct zg_region first;

	(void)state;
	assert_int_equal(
		zg_region_init(&first, &(struct zg_region_options){.size = 2 * MIB,
								   .lock = ZG_REGION_MUST}),
		0);
	assert_int_equal(init((struct zg_region_options){.size = 8 * MIB, .lock = ZG_REGION_TRY}),
			 0);
	measure();
	assert_int_equal(report.locked_size, MIB / 2);
	zg_region_fini(&first);
}

static void what_must_be_locked_and_may_not_is_refused(void **state)
{
	(void)state;
	assert_int_equal(init((struct zg_region_options){.size = 8 * MIB, .lock = ZG_REGION_MUST}),
			 -ENOMEM);
	assert_text_has("RLIMIT_MEMLOCK is 2.5 MiB: raise it (ulimit -l) or give CAP_IPC_LOCK");
}

static void with_no_limit_at_all_left_nothing_is_locked(void **state)
{
	struct rlimit limit = limit_before;

	(void)state;
	limit.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	assert_int_equal(init((struct zg_region_options){.size = MIB, .lock = ZG_REGION_MUST}),
			 -EPERM);
	assert_int_equal(init((struct zg_region_options){.size = MIB, .lock = ZG_REGION_TRY}), 0);
	measure();
	assert_int_equal(report.locked_size, 0);
	assert_int_equal(report.resident_size, MIB);
}

static struct zgi_numa numa;

static void pages_are_on_the_node_that_was_asked_for(void **state)
{
	(void)state;
	zgi_numa_read(&numa);
	if (numa.node_count == 0)
		skip();
	for (uint32_t index = 0; index < numa.node_count; index++) {
		char expected[128];

		setup(NULL);
		assert_int_equal(init((struct zg_region_options){
					 .size = 4 * MIB,
					 .bind = ZG_REGION_MUST,
					 .node = numa.nodes[index].node,
				 }),
				 0);
		measure();
		assert_int_equal(report.page_count, 4 * MIB / region.page_size);
		assert_int_equal(report.node_page_count, report.page_count);
		(void)snprintf(expected, sizeof(expected),
			       "asked: %u; obtained: %zu of %zu pages by move_pages\n",
			       numa.nodes[index].node, (size_t)report.page_count,
			       (size_t)report.page_count);
		assert_text_has(expected);
		teardown(NULL);
	}
}

static void a_node_that_there_is_not_is_named_and_others_take_its_place(void **state)
{
	(void)state;
	zgi_numa_read(&numa);
	if (numa.node_count == 0)
		skip();
	assert_int_equal(
		init((struct zg_region_options){.size = MIB, .bind = ZG_REGION_MUST, .node = 63}),
		-EINVAL);
	assert_text_has("there is no node 63 that we may use");
	assert_int_equal(
		init((struct zg_region_options){.size = MIB, .bind = ZG_REGION_TRY, .node = 63}),
		0);
	measure();
	assert_int_equal(report.resident_size, MIB);
	assert_int_equal(report.node_page_count, 0);
	assert_text_has("obtained: 0 of 256 pages by move_pages; there is no node 63");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define test_limited(name) cmocka_unit_test_setup_teardown(name, setup_limited, teardown_limited)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(all_of_it_is_resident),
		test(figures_are_of_this_region_and_not_of_a_neighbour),
		test(transparent_pages_are_counted),
		test(small_pages_are_small),
		test(explicit_pages_come_from_the_pool_and_return_to_it),
		test(an_explicit_page_can_be_a_whole_gib),
		test(explicit_pages_give_way_to_others_of_the_same_total),
		test(explicit_pages_only_are_those_or_none),
		test(a_size_of_huge_page_that_there_is_not_is_named),
		test(what_is_asked_to_be_locked_is_locked),
		test_limited(what_the_limit_allows_of_it_is_locked_from_its_beginning),
		test_limited(what_is_locked_already_counts_against_the_limit),
		test_limited(what_must_be_locked_and_may_not_is_refused),
		test_limited(with_no_limit_at_all_left_nothing_is_locked),
		test(pages_are_on_the_node_that_was_asked_for),
		test(a_node_that_there_is_not_is_named_and_others_take_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
