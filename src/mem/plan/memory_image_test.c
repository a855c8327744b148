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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_is_written_to_without_a_fault_afterwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
