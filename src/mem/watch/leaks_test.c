/*
 * The leak report: silent when all is well, and otherwise by pool and place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdalign.h>

#include <zerog/leaks.h>
#include <zerog/pool.h>
#include <zerog/shared_pool.h>

#include "base/clock.h"
#include "mem/pool/pool_handle.h"
#include "mem/pool/track.h"
#include "mem/watch/leaks.h"

#define BLOCK_COUNT 8

static alignas(ZG_POOL_ALIGNMENT) unsigned char memory[2][ZG_POOL_MEMORY_SIZE_MAX(64, BLOCK_COUNT)];
static struct zg_pool pools[2];
static char buffer[8192];

static void start(int number, const char *name, bool is_tracked)
{
	struct zg_pool_options options = {
		.name = name,
		.memory = memory[number],
		.memory_size = sizeof(memory[number]),
		.block_size = 64,
		.block_count = BLOCK_COUNT,
		.tag = (uint8_t)(number + 7),
		.is_tracked = is_tracked,
	};

	zgi_handles_forget();
	assert_int_equal(zg_pool_init(&pools[number], &options), 0);
}

static int end(void **state)
{
	(void)state;
	zg_pool_fini(&pools[0]);
	zg_pool_fini(&pools[1]);
	return 0;
}

static __attribute__((noinline)) zg_handle take(int number)
{
	zg_handle handle;

	assert_int_equal(zg_pool_take(&pools[number], &handle, NULL), 0);
	return handle;
}

static uint64_t report(void)
{
	struct zg_text text;

	zg_text_init(&text, buffer, sizeof(buffer));
	return zg_leak_report(&text);
}

static void assert_line(const char *part)
{
	if (strstr(buffer, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, buffer);
}

static void all_is_well_and_nothing_is_said(void **state)
{
	(void)state;
	assert_int_equal(report(), 0);
	start(0, "orders", true);
	assert_int_equal(zg_pool_give(&pools[0], take(0)), 0);
	assert_int_equal(report(), 0);
	assert_string_equal(buffer, "");
}

static void objects_are_grouped_by_place(void **state)
{
	zg_handle handle;

	(void)state;
	start(0, "orders", true);
	for (int i = 0; i < 3; ++i)
		(void)take(0);
	assert_int_equal(zg_pool_take(&pools[0], &handle, NULL), 0);
	assert_int_equal(report(), 4);
	assert_line("4 objects are not given back:\n");
	assert_line("  orders: 3 from leaks_test+0x");
	assert_line("  orders: 1 from leaks_test+0x");
}

static void pools_of_one_name_are_told_as_one(void **state)
{
	static const char same_name[] = "orders";

	(void)state;
	start(0, "orders", true);
	start(1, same_name, true);
	for (int number = 0; number < 2; ++number)
		(void)take(number);
	assert_int_equal(report(), 2);
	assert_line("  orders: 2 from leaks_test+0x");
}

static void pools_of_two_names_are_told_apart(void **state)
{
	(void)state;
	start(0, "orders", true);
	start(1, "carts", true);
	for (int number = 0; number < 2; ++number)
		(void)take(number);
	assert_int_equal(report(), 2);
	assert_line("  orders: 1 from leaks_test+0x");
	assert_line("  carts: 1 from leaks_test+0x");
}

static void untracked_pool_has_a_count_and_a_remedy(void **state)
{
	(void)state;
	if (zg_pool_tracks_all())
		skip();
	start(0, "orders", false);
	(void)take(0);
	assert_int_equal(report(), 1);
	assert_string_equal(buffer, "1 object is not given back:\n  orders: 1 from unknown site: "
				    "set is_tracked in a pool of your own, "
				    "start a service with --track on for its own\n");
}

static void ages_are_those_of_the_youngest_and_the_oldest(void **state)
{
	static const uint64_t minutes[] = {2, 1, 3};

	(void)state;
	start(0, "orders", true);
	for (uint32_t i = 0; i < 3; ++i) {
		(void)take(0);
		pools[0].tracks[i].taken_ns =
			zgi_clock_coarse_ns() - minutes[i] * UINT64_C(60000000000);
	}
	assert_int_equal(report(), 3);
	assert_line(", 60.0 s to 180.0 s old\n");
}

static void object_alone_has_one_age(void **state)
{
	(void)state;
	start(0, "orders", true);
	(void)take(0);
	pools[0].tracks[0].taken_ns -= UINT64_C(90000000000);
	assert_int_equal(report(), 1);
	assert_line(", 90.0 s old\n");
}

static void retired_blocks_are_no_leaks(void **state)
{
	zg_handle handle;

	(void)state;
	start(0, "orders", true);
	pools[0].slots[0] = ~((uint64_t)pools[0].handle_first << 36 | ((UINT64_C(1) << 36) - 1));
	handle = take(0);
	assert_int_equal(zg_pool_give(&pools[0], handle), 0);
	assert_int_equal(pools[0].retired_count, 1);
	assert_int_equal(report(), 0);
}

static __attribute__((noinline)) zg_handle take_shared(struct zg_shared_pool_cache *cache)
{
	zg_handle handle;

	assert_int_equal(zg_shared_pool_take(cache, &handle, NULL), 0);
	return handle;
}

/* Two blocks of a shared pool are out, one has come back. */
static uint64_t report_of_a_shared_pool(bool is_tracked)
{
	static alignas(ZG_POOL_ALIGNMENT) unsigned char shared_memory[16384];
	const struct zg_shared_pool_options options = {
		.name = "parcels",
		.memory = shared_memory,
		.memory_size = sizeof(shared_memory),
		.block_size = 64,
		.block_count = BLOCK_COUNT,
		.threads_max = 1,
		.tag = 3,
		.is_tracked = is_tracked,
	};
	struct zg_shared_pool_cache *cache;
	struct zg_shared_pool shared;
	zg_handle handle;
	uint64_t count;

	assert_int_equal(zg_shared_pool_init(&shared, &options), 0);
	assert_int_equal(zg_shared_pool_attach(&shared, &cache), 0);
	assert_int_equal(report(), 0);
	handle = take_shared(cache);
	for (int i = 0; i < 2; ++i)
		(void)take_shared(cache);
	assert_int_equal(zg_shared_pool_give(cache, handle), 0);
	count = report();
	zg_shared_pool_fini(&shared);
	return count;
}

static void tracked_shared_pool_tells_the_place(void **state)
{
	(void)state;
	assert_int_equal(report_of_a_shared_pool(true), 2);
	assert_line("  parcels: 2 from leaks_test+0x");
}

static void untracked_shared_pool_has_a_count(void **state)
{
	(void)state;
	if (zg_pool_tracks_all())
		skip();
	assert_int_equal(report_of_a_shared_pool(false), 2);
	assert_line("  parcels: 2 from unknown site");
}

/* Something that is no pool: more places than there are groups. */
static void crowd_measure(const struct zg_watched *watched, struct zg_usage *ret_usage)
{
	(void)watched;
	ret_usage->name = "crowd";
}

static void crowd_tell(const struct zg_watched *watched, struct zgi_leaks *leaks)
{
	(void)watched;
	for (size_t i = 0; i < ZG_LEAK_GROUPS_MAX + 5; ++i)
		zgi_leaks_add(leaks,
			      &(struct zgi_leak){.name = "crowd", .site = &buffer[i], .count = 2});
}

static void more_places_than_groups_are_counted_together(void **state)
{
	static const struct zgi_watch_class crowd_class = {
		.kind = "crowd", .measure = crowd_measure, .tell_leaks = crowd_tell};
	struct zg_watched crowd;

	(void)state;
	zgi_watch_add(&crowd, &crowd_class);
	assert_int_equal(report(), 2 * (ZG_LEAK_GROUPS_MAX + 5));
	zgi_watch_remove(&crowd);
	assert_line("\n  and 10 more from other places\n");
}

/* A shard at work: takes and gives as fast as it can. */
static void *churn(void *user)
{
	const bool *is_over = user;

	while (!__atomic_load_n(is_over, __ATOMIC_RELAXED)) {
		zg_handle handles[BLOCK_COUNT];

		for (int i = 0; i < BLOCK_COUNT - 1; ++i)
			if (zg_pool_take(&pools[0], &handles[i], NULL) < 0)
				return "take";
		for (int i = 0; i < BLOCK_COUNT - 1; ++i)
			if (zg_pool_give(&pools[0], handles[i]) < 0)
				return "give";
	}
	return NULL;
}

static void report_is_made_while_a_shard_goes_on(void **state)
{
	bool is_over = false;
	pthread_t thread;
	void *failed = NULL;

	(void)state;
	start(0, "orders", true);
	(void)take(0);
	assert_int_equal(pthread_create(&thread, NULL, churn, &is_over), 0);
	for (int i = 0; i < 2000; ++i) {
		uint64_t count = report();

		assert_in_range(count, 1, BLOCK_COUNT);
	}
	__atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	assert_int_equal(report(), 1);
}

static const char *site_text(const void *site)
{
	struct zg_text text;

	zg_text_init(&text, buffer, sizeof(buffer));
	zg_site_print(&text, site);
	return buffer;
}

static void site_is_an_object_and_an_offset(void **state)
{
	char *end_of_number;
	uintptr_t address = (uintptr_t)site_is_an_object_and_an_offset;
	unsigned long offset;

	(void)state;
	assert_memory_equal(site_text((const void *)(address + 1)), "leaks_test+0x", 13);
	offset = strtoul(buffer + 13, &end_of_number, 16);
	assert_int_equal(*end_of_number, '\0');
	/* Objects are loaded at whole pages. */
	assert_int_equal(offset % 4096, address % 4096);
	assert_true(offset < 64UL << 20);
}

static void site_in_a_library_names_the_library(void **state)
{
	uintptr_t address = (uintptr_t)_cmocka_run_group_tests;

	(void)state;
	assert_memory_equal(site_text((const void *)(address + 1)), "libcmocka.so", 12);
}

static void site_that_is_nowhere_is_printed_as_it_is(void **state)
{
	(void)state;
	assert_string_equal(site_text((const void *)(uintptr_t)64), "0x40");
	assert_string_equal(site_text(NULL), "(nil)");
}

#define TEST(function) cmocka_unit_test_teardown(function, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_is_well_and_nothing_is_said),
		TEST(objects_are_grouped_by_place),
		TEST(pools_of_one_name_are_told_as_one),
		TEST(pools_of_two_names_are_told_apart),
		TEST(untracked_pool_has_a_count_and_a_remedy),
		TEST(ages_are_those_of_the_youngest_and_the_oldest),
		TEST(object_alone_has_one_age),
		TEST(retired_blocks_are_no_leaks),
		TEST(tracked_shared_pool_tells_the_place),
		TEST(untracked_shared_pool_has_a_count),
		TEST(more_places_than_groups_are_counted_together),
		TEST(report_is_made_while_a_shard_goes_on),
		TEST(site_is_an_object_and_an_offset),
		TEST(site_in_a_library_names_the_library),
		TEST(site_that_is_nowhere_is_printed_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
