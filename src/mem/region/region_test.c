/*
 * A region: all of its pages are there from the start, and it is carved to the last byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zerog/region.h>

#include "base/file.h"
#include "mem/watch/registry.h"

#define PAGES 64
#define MIB ((size_t)1 << 20)

static int region_init(struct zg_region *region, size_t size)
{
	return zg_region_init(region, &(struct zg_region_options){.size = size});
}

static void every_page_is_resident_after_init(void **state)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char resident[PAGES];
	struct zg_region region;

	(void)state;
	assert_int_equal(region_init(&region, PAGES * page_size), 0);
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
	assert_int_equal(region_init(&region, 1), 0);
	assert_int_equal(region.size, page_size);
	zg_region_fini(&region);
	assert_int_equal(region_init(&region, page_size + 1), 0);
	assert_int_equal(region.size, 2 * page_size);
	zg_region_fini(&region);
}

static void impossible_size_is_refused(void **state)
{
	struct zg_region region;

	(void)state;
	assert_int_equal(region_init(&region, SIZE_MAX / 2), -ENOMEM);
}

/* Is init refused with -EINVAL, and does it name the option? */
static void assert_invalid(struct zg_region_options options, const char *option)
{
	char buffer[256];
	struct zg_text error;
	struct zg_region region;

	zg_text_init(&error, buffer, sizeof(buffer));
	options.error = &error;
	assert_int_equal(zg_region_init(&region, &options), -EINVAL);
	assert_ptr_equal(strstr(buffer, option), buffer);
	options.error = NULL;
	assert_int_equal(zg_region_init(&region, &options), -EINVAL);
}

static void options_that_are_none_are_refused_by_name(void **state)
{
	(void)state;
	assert_invalid((struct zg_region_options){.size = 0}, "region: size is 0:");
	assert_invalid((struct zg_region_options){.size = SIZE_MAX, .name = "shards"},
		       "shards: size is 18446744073709551615 bytes, too many");
	assert_invalid((struct zg_region_options){.size = 1,
						  .huge_page_size = 12345,
						  .pages = ZG_REGION_PAGES_EXPLICIT},
		       "region: huge_page_size is 12345 bytes");
	assert_invalid((struct zg_region_options){.size = 1, .huge_page_size = 2},
		       "region: huge_page_size is 2 bytes");
}

static void explicit_pages_of_an_absurd_size_are_not_there(void **state)
{
	struct zg_region region;

	(void)state;
	assert_int_equal(zg_region_init(&region,
					&(struct zg_region_options){
						.size = 1,
						.huge_page_size = (size_t)1 << 40,
						.pages = ZG_REGION_PAGES_EXPLICIT_ONLY,
					}),
			 -EINVAL);
}

static void carved_bytes_are_zeroed_aligned_and_apart(void **state)
{
	struct zg_region region;
	void *first;
	void *second;

	(void)state;
	assert_int_equal(region_init(&region, 8192), 0);
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
	assert_int_equal(region_init(&region, 4096), 0);
	assert_int_equal(zg_region_carve(&region, region.size - 1, 1, &memory), 0);
	/* Rounding the start up reaches the end exactly. */
	assert_int_equal(zg_region_carve(&region, 1, 64, &memory), -ENOMEM);
	assert_int_equal(zg_region_carve(&region, 0, 64, &memory), 0);
	assert_int_equal(zg_region_carve(&region, 1, 1, &memory), -ENOMEM);
	assert_int_equal(zg_region_carve(&region, SIZE_MAX, 1, &memory), -ENOMEM);
	zg_region_fini(&region);
}

/* Does a child that writes to this address die of it? */
static bool write_is_fatal(unsigned char *address)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		*(volatile unsigned char *)address = 1;
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

static void a_byte_before_and_a_byte_behind_fault(void **state)
{
	struct zg_region region;

	(void)state;
	assert_int_equal(region_init(&region, 3 * MIB), 0);
	assert_false(write_is_fatal(region.memory));
	assert_false(write_is_fatal(region.memory + region.size - 1));
	assert_true(write_is_fatal(region.memory - 1));
	assert_true(write_is_fatal(region.memory + region.size));
	zg_region_fini(&region);
}

/* Address space of this process, in pages. */
static unsigned long mapped_pages(void)
{
	char text[256];

	assert_int_equal(zgi_file_read("/proc/self/statm", text, sizeof(text), NULL), 0);
	return strtoul(text, NULL, 10);
}

static void fini_takes_the_whole_mapping_back(void **state)
{
	static const size_t sizes[] = {1, 4096, 2 * MIB, 2 * MIB + 1, 5 * MIB};
	unsigned long before;

	(void)state;
	before = mapped_pages();
	for (size_t index = 0; index < sizeof(sizes) / sizeof(sizes[0]); index++) {
		struct zg_region region;

		assert_int_equal(region_init(&region, sizes[index]), 0);
		assert_true(mapped_pages() >= before + sizes[index] / 4096 + 2);
		zg_region_fini(&region);
		assert_int_equal(mapped_pages(), before);
	}
}

static void a_large_region_begins_where_a_huge_page_can(void **state)
{
	struct zg_region region;

	(void)state;
	assert_int_equal(region_init(&region, 2 * MIB), 0);
	assert_int_equal((uintptr_t)region.memory % (2 * MIB), 0);
	zg_region_fini(&region);
}

static void a_lazy_region_has_no_page_until_it_is_touched(void **state)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char resident[PAGES];
	struct zg_region region;

	(void)state;
	assert_int_equal(zg_region_init(&region,
					&(struct zg_region_options){
						.size = PAGES * page_size,
						.pages = ZG_REGION_PAGES_SMALL,
						.is_lazy = true,
					}),
			 0);
	region.memory[3 * page_size] = 1;
	assert_int_equal(mincore(region.memory, region.size, resident), 0);
	for (size_t i = 0; i < PAGES; ++i)
		assert_int_equal(resident[i] & 1, i == 3);
	zg_region_fini(&region);
}

struct seen {
	size_t count;
	struct zg_usage usage;
};

static void see(const struct zg_usage *usage, void *user)
{
	struct seen *seen = user;

	if (strcmp(usage->kind, "region") != 0)
		return;
	seen->count++;
	seen->usage = *usage;
}

static void is_registered_with_what_is_carved_and_what_is_mapped(void **state)
{
	struct zg_region region;
	struct seen seen = {0};
	void *memory;

	(void)state;
	assert_int_equal(
		zg_region_init(&region, &(struct zg_region_options){.size = 8192, .name = "mine"}),
		0);
	assert_int_equal(zg_region_carve(&region, 100, 1, &memory), 0);
	zg_watch_usage(see, &seen);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.usage.name, "mine");
	assert_int_equal(seen.usage.live_size, 100);
	assert_int_equal(seen.usage.reserved_size, 8192);
	zg_region_fini(&region);
	seen.count = 0;
	zg_watch_usage(see, &seen);
	assert_int_equal(seen.count, 0);
}

static void can_be_moved_into_its_own_memory_and_out_again(void **state)
{
	struct zg_region region;
	struct seen seen = {0};
	void *memory;

	(void)state;
	assert_int_equal(region_init(&region, 8192), 0);
	assert_int_equal(zg_region_carve(&region, sizeof(region), 64, &memory), 0);
	zg_region_move(memory, &region);
	assert_int_equal(region.magic, 0);
	zg_watch_usage(see, &seen);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.usage.name, "region");
	zg_region_move(&region, memory);
	assert_int_equal(region.used, sizeof(region));
	zg_region_fini(&region);
}

static void a_size_that_cannot_be_had_says_so(void **state)
{
	char buffer[256];
	struct zg_region region;
	struct zg_text error;

	(void)state;
	zg_text_init(&error, buffer, sizeof(buffer));
	assert_int_equal(zg_region_init(&region,
					&(struct zg_region_options){
						.size = SIZE_MAX / 2,
						.name = "far too large",
						.error = &error,
					}),
			 -ENOMEM);
	assert_non_null(strstr(buffer, "far too large"));
	assert_non_null(strstr(buffer, "not enough memory"));
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
		cmocka_unit_test(options_that_are_none_are_refused_by_name),
		cmocka_unit_test(explicit_pages_of_an_absurd_size_are_not_there),
		cmocka_unit_test(carved_bytes_are_zeroed_aligned_and_apart),
		cmocka_unit_test(region_is_carved_to_the_last_byte_and_no_further),
		cmocka_unit_test(a_byte_before_and_a_byte_behind_fault),
		cmocka_unit_test(fini_takes_the_whole_mapping_back),
		cmocka_unit_test(a_large_region_begins_where_a_huge_page_can),
		cmocka_unit_test(a_lazy_region_has_no_page_until_it_is_touched),
		cmocka_unit_test(is_registered_with_what_is_carved_and_what_is_mapped),
		cmocka_unit_test(can_be_moved_into_its_own_memory_and_out_again),
		cmocka_unit_test(a_size_that_cannot_be_had_says_so),
		cmocka_unit_test(fini_of_a_zeroed_region_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
