/*
 * Populating the image: after it, the program's pages are there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <zerog/plan.h>

#include "base/file.h"
#include "mem/plan/memory.h"

#define SIZE ((size_t)1 << 20)

/* Data that nobody has written to yet: without file bytes, and with. */
static unsigned char untouched_zeros[SIZE];
static unsigned char untouched_data[SIZE] = {1};

static long minor_faults(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_minflt;
}

static void data_is_written_to_without_a_fault_afterwards(void **state)
{
	long faults;

	(void)state;
	assert_int_equal(zg_memory_populate_image(), 0);
	faults = minor_faults();
	for (size_t i = 0; i < SIZE; i += 4096) {
		((volatile unsigned char *)untouched_zeros)[i] = 1;
		((volatile unsigned char *)untouched_data)[i] = 1;
	}
	/* There are 512 pages. A few faults come from elsewhere: with ASan, from its shadow. */
	assert_true(minor_faults() - faults < 128);
}

static uint64_t locked_size(void)
{
	char text[4096];
	uint64_t size_kib;

	assert_int_equal(zgi_file_read("/proc/self/status", text, sizeof(text), NULL), 0);
	assert_int_equal(zgi_file_field(text, "VmLck:", &size_kib), 0);
	return size_kib * 1024;
}

static void what_is_said_to_be_locked_is_locked(void **state)
{
	uint64_t before = locked_size();
	uint64_t size;
	uint64_t locked;

	(void)state;
	assert_int_equal(zg_memory_lock_image(&size, &locked), 0);
	/* The data above is part of it. */
	assert_true(size > 2 * SIZE);
	assert_true(locked <= size);
	assert_true(locked > 0);
	/* Segments may share the page at which they meet, and the kernel's own (vdso) count not. */
	assert_true(locked_size() - before <= locked);
	assert_true(locked_size() - before >= locked - 64 * UINT64_C(4096));
	assert_int_equal(munlockall(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_is_written_to_without_a_fault_afterwards),
		cmocka_unit_test(what_is_said_to_be_locked_is_locked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
