/*
 * What memory there is, read from files that the test writes, and from the machine's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zerog/plan.h>
#include <zerog/seal.h>

#include "mem/plan/memory.h"

#define MIB (UINT64_C(1) << 20)

static char folder[64];
static char proc[96];
static char cgroup[96];
static struct zgi_memory_roots roots = {proc, cgroup};

static void make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
}

static void put(const char *name, const char *text)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	make_parents(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "memory_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(proc, sizeof(proc), "%s/proc", folder);
	(void)snprintf(cgroup, sizeof(cgroup), "%s/cgroup", folder);
	put("proc/meminfo", "MemTotal:  9999999 kB\nMemFree: 1 kB\nMemAvailable:  4096000 kB\n");
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command); /* NOLINT: the folder's name is our own */
}

static uint64_t left(void)
{
	return zgi_memory_cgroup_left(&roots);
}

static void without_groups_memory_available_counts(void **state)
{
	const char *source = NULL;
	uint64_t size = 0;

	(void)state;
	assert_int_equal(zgi_memory_available_in(&roots, &size, &source), 0);
	assert_int_equal(size, UINT64_C(4096000) * 1024);
	assert_string_equal(source, "MemAvailable");
}

static void unreadable_meminfo_is_an_error(void **state)
{
	struct zgi_memory_roots nowhere = {"nowhere", cgroup};
	uint64_t size = 5;

	(void)state;
	assert_int_equal(zgi_memory_available_in(&nowhere, &size, NULL), -ENOENT);
	assert_int_equal(size, 5);
}

static void own_group_limit_counts(void **state)
{
	const char *source = NULL;
	uint64_t size = 0;

	(void)state;
	put("proc/self/cgroup", "0::/service\n");
	put("cgroup/service/memory.max", "104857600\n");
	put("cgroup/service/memory.current", "10485760\n");
	assert_int_equal(zgi_memory_available_in(&roots, &size, &source), 0);
	assert_int_equal(size, 90 * MIB);
	assert_string_equal(source, "the control group's limit");
}

static void page_cache_of_the_group_is_available(void **state)
{
	(void)state;
	put("proc/self/cgroup", "0::/service\n");
	put("cgroup/service/memory.max", "104857600\n");
	put("cgroup/service/memory.current", "52428800\n");
	put("cgroup/service/memory.stat", "anon 1\ninactive_file 41943040\nactive_file 7\n");
	assert_int_equal(left(), 90 * MIB);
}

static void limit_of_a_parent_binds(void **state)
{
	(void)state;
	put("proc/self/cgroup", "0::/slice/service\n");
	put("cgroup/slice/service/memory.max", "max\n");
	put("cgroup/slice/service/memory.current", "1048576\n");
	put("cgroup/slice/memory.max", "20971520\n");
	put("cgroup/slice/memory.current", "10485760\n");
	assert_int_equal(left(), 10 * MIB);
}

static void path_of_the_host_leads_to_the_root_of_the_container(void **state)
{
	(void)state;
	put("proc/self/cgroup", "0::/docker/0123/../elsewhere\n");
	put("cgroup/memory.max", "20971520\n");
	put("cgroup/memory.current", "5242880\n");
	assert_int_equal(left(), 15 * MIB);
}

static void group_over_its_limit_leaves_nothing(void **state)
{
	(void)state;
	put("proc/self/cgroup", "0::/\n");
	put("cgroup/memory.max", "1048576\n");
	put("cgroup/memory.current", "2097152\n");
	assert_int_equal(left(), 0);
}

static void first_version_limit_counts(void **state)
{
	(void)state;
	put("proc/self/cgroup", "5:cpuset,cpu:/other\n4:hugetlb,memory:/service\n0::/\n");
	put("cgroup/memory/service/memory.limit_in_bytes", "104857600\n");
	put("cgroup/memory/service/memory.usage_in_bytes", "52428800\n");
	put("cgroup/memory/service/memory.stat", "inactive_file 5\ntotal_inactive_file 41943040\n");
	put("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	put("cgroup/memory/memory.usage_in_bytes", "99999999\n");
	assert_int_equal(left(), 90 * MIB);
}

static void group_without_limit_leaves_all(void **state)
{
	(void)state;
	put("proc/self/cgroup", "0::/service\n");
	put("cgroup/service/memory.max", "max\n");
	put("cgroup/service/memory.current", "1048576\n");
	assert_true(left() == UINT64_MAX);
}

static void first_version_without_limit_leaves_all(void **state)
{
	(void)state;
	put("proc/self/cgroup", "4:memory:/\n");
	put("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	put("cgroup/memory/memory.usage_in_bytes", "99999999\n");
	assert_true(left() == UINT64_MAX);
}

static void damaged_group_file_means_no_limit(void **state)
{
	(void)state;
	put("proc/self/cgroup", "nonsense\n0:\n::\n0::relative\n\n");
	assert_true(left() == UINT64_MAX);
}

static void this_machine_has_memory(void **state)
{
	const char *source = NULL;
	uint64_t size = 0;

	(void)state;
	assert_int_equal(zg_memory_available(&size, &source), 0);
	assert_true(size > MIB);
	assert_non_null(source);
}

static void resident_memory_grows_by_what_is_touched(void **state)
{
	static unsigned char pages[8 << 20];
	uint64_t before = 0;
	uint64_t after = 0;

	(void)state;
	assert_int_equal(zg_memory_resident(&before), 0);
	for (size_t i = 0; i < sizeof(pages); i += 4096)
		((volatile unsigned char *)pages)[i] = 1;
	assert_int_equal(zg_memory_resident(&after), 0);
	assert_true(after - before >= sizeof(pages) - MIB);
	assert_true(after - before <= sizeof(pages) + 4 * MIB);
}

static void asking_for_resident_memory_allocates_nothing(void **state)
{
	struct zg_seal_counts counts;
	uint64_t size;
	int result;

	(void)state;
	assert_int_equal(zg_seal(ZG_SEAL_COUNT), 0);
	result = zg_memory_resident(&size);
	zg_unseal();
	zg_seal_counts(&counts);
	assert_int_equal(result, 0);
	assert_int_equal(counts.malloc_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_groups_memory_available_counts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(unreadable_meminfo_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(own_group_limit_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(page_cache_of_the_group_is_available, setup,
						teardown),
		cmocka_unit_test_setup_teardown(limit_of_a_parent_binds, setup, teardown),
		cmocka_unit_test_setup_teardown(path_of_the_host_leads_to_the_root_of_the_container,
						setup, teardown),
		cmocka_unit_test_setup_teardown(group_over_its_limit_leaves_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(first_version_limit_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(group_without_limit_leaves_all, setup, teardown),
		cmocka_unit_test_setup_teardown(first_version_without_limit_leaves_all, setup,
						teardown),
		cmocka_unit_test_setup_teardown(damaged_group_file_means_no_limit, setup, teardown),
		cmocka_unit_test(this_machine_has_memory),
		cmocka_unit_test(resident_memory_grows_by_what_is_touched),
		cmocka_unit_test(asking_for_resident_memory_allocates_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
