/*
 * The seam: what passes it, in which order, and what a fence waits for, of an ordinary file and of
 * what libpmem is told to hold for persistent memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zerog/pmem.h>

#include "pmem/persist.h"

#define SIZE 8192

static char folder[64];
static char path[96];
static char log_buffer[512];
static struct zg_text log_text;
static int fence_result;

static int setup(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/zerog-persist-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	zg_text_init(&log_text, log_buffer, sizeof(log_buffer));
	fence_result = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static void log_store(struct zgi_pmem_witness *witness, struct zg_pmem *map, uint64_t offset,
		      size_t size)
{
	(void)witness;
	zg_text_print(&log_text, "store %u+%zu=%02x ", (unsigned int)offset, size,
		      map->bytes[offset]);
}

static void log_flush(struct zgi_pmem_witness *witness, struct zg_pmem *map, uint64_t offset,
		      size_t size)
{
	(void)witness;
	(void)map;
	zg_text_print(&log_text, "flush %u+%zu ", (unsigned int)offset, size);
}

static uint64_t log_fence_begin(struct zgi_pmem_witness *witness, struct zg_pmem *map)
{
	(void)witness;
	(void)map;
	zg_text_print(&log_text, "begin ");
	return 5;
}

static int log_fence_end(struct zgi_pmem_witness *witness, struct zg_pmem *map, uint64_t mark,
			 int result)
{
	(void)witness;
	(void)map;
	zg_text_print(&log_text, "end %u:%d ", (unsigned int)mark, result);
	return fence_result;
}

static struct zgi_pmem_witness witness = {
	.store = log_store,
	.flush = log_flush,
	.fence_begin = log_fence_begin,
	.fence_end = log_fence_end,
};

static void start(struct zg_pmem *map)
{
	const struct zg_pmem_options options = {.path = path, .size = SIZE, .create = true};

	assert_int_equal(zg_pmem_open(map, &options, NULL), 0);
}

static void everything_passes_the_seam_in_order(void **state)
{
	struct zg_pmem map;

	(void)state;
	start(&map);
	map.witness = &witness;
	zg_pmem_store(&map, 3, "\x11\x12", 2);
	zg_pmem_store64(&map, 16, 0x21);
	zg_pmem_bytes(&map)[100] = 0x31;
	zg_pmem_touched(&map, 100, 1);
	zg_pmem_flush(&map, 0, 101);
	assert_int_equal(zg_pmem_fence(&map), 0);
	assert_string_equal(log_buffer,
			    "store 3+2=11 store 16+8=21 store 100+1=31 flush 0+101 begin end 5:0 ");
	zg_pmem_close(&map);
}

static void nothing_of_no_size_passes_it(void **state)
{
	struct zg_pmem map;

	(void)state;
	start(&map);
	map.witness = &witness;
	zg_pmem_store(&map, SIZE, NULL, 0);
	zg_pmem_touched(&map, 1, 0);
	zg_pmem_flush(&map, 1, 0);
	assert_string_equal(log_buffer, "");
	zg_pmem_close(&map);
}

static void fence_of_a_file_waits_for_all_that_was_flushed(void **state)
{
	struct zg_pmem map;
	struct zg_pmem_pending pending;

	(void)state;
	start(&map);
	zg_pmem_flush(&map, 4096, 100);
	zg_pmem_flush(&map, 64, 8);
	zg_pmem_flush(&map, 200, 8);
	zg_pmem_fence_begin(&map, &pending);
	assert_int_equal(pending.first, 64);
	assert_int_equal(pending.end, 4196);
	assert_int_equal(pending.fd, zg_pmem_fd(&map));
	assert_int_equal(fdatasync(pending.fd), 0);
	assert_int_equal(zg_pmem_fence_end(&map, &pending, 0), 0);
	assert_int_equal(map.flush_count, 3);
	assert_int_equal(map.fence_count, 1);
	zg_pmem_close(&map);
}

static void fence_of_nothing_has_nothing_to_wait_for(void **state)
{
	struct zg_pmem map;
	struct zg_pmem_pending pending;

	(void)state;
	start(&map);
	zg_pmem_store64(&map, 0, 1);
	zg_pmem_fence_begin(&map, &pending);
	assert_int_equal(pending.fd, -1);
	assert_int_equal(zg_pmem_fence_end(&map, &pending, 0), 0);
	zg_pmem_close(&map);
}

static void fences_may_be_begun_before_others_end(void **state)
{
	struct zg_pmem map;
	struct zg_pmem_pending first;
	struct zg_pmem_pending second;

	(void)state;
	start(&map);
	zg_pmem_flush(&map, 0, 8);
	zg_pmem_fence_begin(&map, &first);
	zg_pmem_flush(&map, 8, 8);
	zg_pmem_fence_begin(&map, &second);
	assert_int_equal(second.first, 8);
	assert_int_equal(zg_pmem_fence_end(&map, &first, 0), 0);
	assert_int_equal(zg_pmem_fence_end(&map, &second, 0), 0);
	zg_pmem_close(&map);
}

static void fence_that_failed_is_never_made_good_by_another(void **state)
{
	struct zg_pmem map;
	struct zg_pmem_pending pending;

	(void)state;
	start(&map);
	zg_pmem_flush(&map, 0, 8);
	zg_pmem_fence_begin(&map, &pending);
	assert_int_equal(zg_pmem_fence_end(&map, &pending, -EIO), -EIO);
	zg_pmem_flush(&map, 0, 8);
	assert_int_equal(zg_pmem_fence(&map), -EIO);
	assert_int_equal(zg_pmem_fence(&map), -EIO);
	assert_int_equal(map.error, -EIO);
	zg_pmem_close(&map);
}

static void witness_may_have_a_fence_fail(void **state)
{
	struct zg_pmem map;

	(void)state;
	start(&map);
	map.witness = &witness;
	fence_result = -ENOSPC;
	assert_int_equal(zg_pmem_fence(&map), -ENOSPC);
	zg_pmem_close(&map);
}

static void map_over_memory_has_nothing_to_wait_for(void **state)
{
	static _Alignas(64) unsigned char bytes[128];
	struct zg_pmem map;
	struct zg_pmem_pending pending;

	(void)state;
	zgi_pmem_over(&map, bytes, sizeof(bytes));
	zg_pmem_store64(&map, 120, 7);
	zg_pmem_flush(&map, 120, 8);
	zg_pmem_fence_begin(&map, &pending);
	assert_int_equal(pending.fd, -1);
	assert_int_equal(zg_pmem_fence_end(&map, &pending, 0), 0);
	assert_int_equal(bytes[120], 7);
	zg_pmem_close(&map);
}

/* What runs where libpmem takes every file for persistent memory. Return: 0 when all is well. */
static int run_forced(const char *file)
{
	const struct zg_pmem_options options = {.path = file, .size = SIZE, .create = true};
	struct zg_pmem_pending pending;
	struct zg_pmem map;

	if (zg_pmem_open(&map, &options, NULL) < 0)
		return 1;
	if (!zg_pmem_is_persistent_memory(&map) || zg_pmem_fd(&map) != -1)
		return 2;
	zg_pmem_store(&map, 1000, "persistent", 10);
	zg_pmem_flush(&map, 1000, 10);
	zg_pmem_fence_begin(&map, &pending);
	if (pending.fd != -1 || pending.first != pending.end)
		return 3;
	if (zg_pmem_fence_end(&map, &pending, 0) != 0 || zg_pmem_fence(&map) != 0)
		return 4;
	zg_pmem_close(&map);
	if (zg_pmem_open(&map, &options, NULL) < 0)
		return 5;
	if (memcmp(zg_pmem_bytes(&map) + 1000, "persistent", 10) != 0)
		return 6;
	zg_pmem_close(&map);
	return 0;
}

/* libpmem looks at its environment when it is loaded. */
static void persistent_memory_has_nothing_to_wait_for(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		(void)setenv("PMEM_IS_PMEM_FORCE", "1", 1);
		(void)execl("/proc/self/exe", "persist_test", "forced", path, (char *)NULL);
		_exit(126);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(everything_passes_the_seam_in_order),
		TEST(nothing_of_no_size_passes_it),
		TEST(fence_of_a_file_waits_for_all_that_was_flushed),
		TEST(fence_of_nothing_has_nothing_to_wait_for),
		TEST(fences_may_be_begun_before_others_end),
		TEST(fence_that_failed_is_never_made_good_by_another),
		TEST(witness_may_have_a_fence_fail),
		TEST(map_over_memory_has_nothing_to_wait_for),
		TEST(persistent_memory_has_nothing_to_wait_for),
	};

	if (argc == 3 && strcmp(argv[1], "forced") == 0)
		return run_forced(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
