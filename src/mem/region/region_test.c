/*
 * A region: all of its pages are there from the start, and it is carved to the last byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zerog/region.h>

#define PAGES 64

static void every_page_is_resident_after_init(void **state)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char resident[PAGES];
	struct zg_region region;

	(void)state;
	assert_int_equal(zg_region_init(&region, PAGES * page_size), 0);
	assert_int_equal(mincore(region.memory, region.size, resident), 0);
	for (size_t i = 0; i < PAGES; ++i)
		assert_int_equal(resident[i] & 1, 1);
	zg_region_fini(&region);
}

static void size_is_rounded_up_to_pages(void **state)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	struct zg_region region;

	(void)state;
	assert_int_equal(zg_region_init(&region, 1), 0);
	assert_int_equal(region.size, page_size);
	zg_region_fini(&region);
	assert_int_equal(zg_region_init(&region, page_size + 1), 0);
	assert_int_equal(region.size, 2 * page_size);
	zg_region_fini(&region);
}

static void impossible_size_is_refused(void **state)
{
	struct zg_region region;

	(void)state;
	assert_int_equal(zg_region_init(&region, SIZE_MAX), -ENOMEM);
	assert_int_equal(zg_region_init(&region, SIZE_MAX / 2), -ENOMEM);
}

static void carved_bytes_are_zeroed_aligned_and_apart(void **state)
{
	struct zg_region region;
	void *first;
	void *second;

	(void)state;
	assert_int_equal(zg_region_init(&region, 8192), 0);
	assert_int_equal(zg_region_carve(&region, 3, 1, &first), 0);
	assert_int_equal(zg_region_carve(&region, 100, 64, &second), 0);
	assert_int_equal((uintptr_t)second % 64, 0);
	assert_true((unsigned char *)second >= (unsigned char *)first + 3);
	for (size_t i = 0; i < 100; ++i)
		assert_int_equal(((unsigned char *)second)[i], 0);
	zg_region_fini(&region);
}

static void region_is_carved_to_the_last_byte_and_no_further(void **state)
{
	struct zg_region region;
	void *memory = NULL;

	(void)state;
	assert_int_equal(zg_region_init(&region, 4096), 0);
	assert_int_equal(zg_region_carve(&region, region.size - 1, 1, &memory), 0);
	/* Rounding the start up reaches the end exactly. */
	assert_int_equal(zg_region_carve(&region, 1, 64, &memory), -ENOMEM);
	assert_int_equal(zg_region_carve(&region, 0, 64, &memory), 0);
	assert_int_equal(zg_region_carve(&region, 1, 1, &memory), -ENOMEM);
	assert_int_equal(zg_region_carve(&region, SIZE_MAX, 1, &memory), -ENOMEM);
	zg_region_fini(&region);
}

static void fini_of_a_zeroed_region_does_nothing(void **state)
{
	struct zg_region region = {0};

	(void)state;
	zg_region_fini(&region);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_page_is_resident_after_init),
		cmocka_unit_test(size_is_rounded_up_to_pages),
		cmocka_unit_test(impossible_size_is_refused),
		cmocka_unit_test(carved_bytes_are_zeroed_aligned_and_apart),
		cmocka_unit_test(region_is_carved_to_the_last_byte_and_no_further),
		cmocka_unit_test(fini_of_a_zeroed_region_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
