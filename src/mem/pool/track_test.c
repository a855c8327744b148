/*
 * What a tracked pool knows of its blocks, and what is told of a misuse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdalign.h>

#include <zerog/typed_pool.h>

#include "mem/pool/pool_handle.h"
#include "mem/pool/track.h"

#define BLOCK_SIZE 100
#define BLOCK_COUNT 5

/* A place of its own: no other function's code lies within so many bytes of it, and a call in tail
 * position leaves its own address. */
#define PLACE_SIZE 1024
#ifdef __clang__
#define PLACE __attribute__((noinline, aligned(PLACE_SIZE), disable_tail_calls))
#else
#define PLACE                                                  \
	__attribute__((noinline, noclone, aligned(PLACE_SIZE), \
		       optimize("no-optimize-sibling-calls")))
#endif

ZG_TYPED_POOL(note, uint64_t);

static alignas(
	ZG_POOL_ALIGNMENT) unsigned char memory[ZG_POOL_MEMORY_SIZE_MAX(BLOCK_SIZE, BLOCK_COUNT)];
static struct zg_pool pool;
static struct zg_pool_misuse told;
static uint32_t told_count;

static struct zg_pool_options options_of(bool is_tracked)
{
	return (struct zg_pool_options){
		.name = "notes",
		.memory = memory,
		.memory_size = sizeof(memory),
		.block_size = BLOCK_SIZE,
		.block_count = BLOCK_COUNT,
		.tag = 7,
		.is_tracked = is_tracked,
	};
}

static int start(void **state)
{
	struct zg_pool_options options = options_of(true);

	(void)state;
	told_count = 0;
	zgi_handles_forget();
	return zg_pool_init(&pool, &options);
}

static int end(void **state)
{
	(void)state;
	zg_pool_on_misuse(NULL);
	zg_pool_fini(&pool);
	return 0;
}

static PLACE int take_here(zg_handle *ret_handle)
{
	return zg_pool_take(&pool, ret_handle, NULL);
}

static PLACE int give_here(zg_handle handle)
{
	return zg_pool_give(&pool, handle);
}

static PLACE int give_there(zg_handle handle)
{
	int result = zg_pool_give(&pool, handle);

	/* Else the compiler makes one of the two. */
	return result == 0 ? 1 : result;
}

static PLACE int renew_here(zg_handle handle, zg_handle *ret_handle)
{
	return zg_pool_renew(&pool, handle, ret_handle);
}

/* Is a site a return address within a place? */
static bool is_within(const void *site, const void *place)
{
	return (uintptr_t)site - (uintptr_t)place - 1 < PLACE_SIZE;
}

#define WITHIN(site, function) is_within(site, (const void *)(uintptr_t)(function))

static void double_give_names_all_three_places(void **state)
{
	struct zg_pool_misuse misuse;
	zg_handle handle;

	(void)state;
	assert_int_equal(take_here(&handle), 0);
	assert_int_equal(give_here(handle), 0);
	assert_int_equal(give_there(handle), -ESTALE);
	assert_int_equal(zg_pool_last_misuse(&pool, &misuse), 1);
	assert_int_equal(misuse.act, ZG_POOL_GIVE);
	assert_int_equal(misuse.error, -ESTALE);
	assert_int_equal(misuse.handle.bits, handle.bits);
	assert_true(WITHIN(misuse.take_site, take_here));
	assert_true(WITHIN(misuse.give_site, give_here));
	assert_true(WITHIN(misuse.site, give_there));
}

static void renewal_is_who_ended_the_old_handle_and_who_holds_the_new(void **state)
{
	struct zg_pool_misuse misuse;
	zg_handle handle;
	zg_handle renewed;

	(void)state;
	assert_int_equal(take_here(&handle), 0);
	assert_int_equal(renew_here(handle, &renewed), 0);
	assert_int_equal(give_here(handle), -ESTALE);
	assert_int_equal(zg_pool_last_misuse(&pool, &misuse), 1);
	assert_true(WITHIN(misuse.take_site, renew_here));
	assert_true(WITHIN(misuse.give_site, renew_here));
	assert_int_equal(renew_here(handle, &renewed), -ESTALE);
	assert_int_equal(zg_pool_last_misuse(&pool, &misuse), 1);
	assert_int_equal(misuse.act, ZG_POOL_RENEW);
	assert_true(WITHIN(misuse.site, renew_here));
}

static void handle_of_no_block_has_no_other_places(void **state)
{
	struct zg_pool_misuse misuse;
	zg_handle handle;

	(void)state;
	assert_int_equal(take_here(&handle), 0);
	handle.bits += (uint64_t)BLOCK_COUNT << 36;
	assert_null(zg_pool_get(&pool, handle));
	assert_int_equal(zg_pool_last_misuse(&pool, &misuse), 1);
	assert_int_equal(misuse.act, ZG_POOL_GET);
	assert_int_equal(misuse.error, -EINVAL);
	assert_null(misuse.take_site);
	assert_null(misuse.give_site);
}

static void there_is_no_last_misuse_at_first(void **state)
{
	struct zg_pool_misuse misuse = {.error = 42};

	(void)state;
	assert_int_equal(zg_pool_last_misuse(&pool, &misuse), 0);
	assert_int_equal(misuse.error, 42);
}

static void untracked_pool_knows_the_misuser_only(void **state)
{
	struct zg_pool_options options = options_of(false);
	struct zg_pool_misuse misuse;
	zg_handle handle;

	(void)state;
	if (zg_pool_tracks_all())
		skip();
	zg_pool_fini(&pool);
	assert_int_equal(zg_pool_init(&pool, &options), 0);
	assert_int_equal(take_here(&handle), 0);
	assert_int_equal(give_here(handle), 0);
	assert_int_equal(give_there(handle), -ESTALE);
	assert_int_equal(zg_pool_last_misuse(&pool, &misuse), 1);
	assert_true(WITHIN(misuse.site, give_there));
	assert_null(misuse.take_site);
	assert_null(misuse.give_site);
}

static void note_misuse(const struct zg_pool_misuse *misuse)
{
	assert_string_equal(misuse->pool_name, "notes");
	told = *misuse;
	++told_count;
}

static void hook_is_told_of_each_misuse(void **state)
{
	zg_handle handle;

	(void)state;
	zg_pool_on_misuse(note_misuse);
	assert_int_equal(take_here(&handle), 0);
	assert_int_equal(give_here(handle), 0);
	assert_int_equal(told_count, 0);
	assert_int_equal(give_there(handle), -ESTALE);
	assert_int_equal(told_count, 1);
	assert_true(WITHIN(told.give_site, give_here));
	zg_pool_on_misuse(NULL);
	assert_int_equal(give_there(handle), -ESTALE);
	assert_int_equal(told_count, 1);
}

static void misuse_is_printed_with_its_places(void **state)
{
	struct zg_pool_misuse misuse;
	zg_handle handle;
	struct zg_text text;
	char buffer[512];

	(void)state;
	assert_int_equal(take_here(&handle), 0);
	assert_int_equal(give_here(handle), 0);
	assert_int_equal(give_there(handle), -ESTALE);
	assert_int_equal(zg_pool_last_misuse(&pool, &misuse), 1);
	zg_text_init(&text, buffer, sizeof(buffer));
	zg_pool_misuse_print(&misuse, &text);
	assert_non_null(strstr(buffer, "pool notes: give of a stale handle 0700000000000001, at "));
	assert_non_null(strstr(buffer, "; its block was last taken at track_test+0x"));
	assert_non_null(strstr(buffer, ", last given at track_test+0x"));
	assert_int_equal(buffer[text.size - 1], '\n');
}

static PLACE int take_note(struct note_pool *notes, note_handle *ret_handle)
{
	uint64_t *note;
	int result = note_pool_take(notes, ret_handle, &note);

	if (result == 0)
		*note = 1;
	return result;
}

static void inline_take_keeps_the_place_of_its_caller(void **state)
{
	struct zg_pool_options options = options_of(true);
	static struct note_pool notes;
	note_handle handle;

	(void)state;
	zg_pool_fini(&pool);
	assert_int_equal(note_pool_init(&notes, &options), 0);
	assert_int_equal(take_note(&notes, &handle), 0);
	assert_true(WITHIN(notes.untyped.tracks[0].take_site, take_note));
	note_pool_fini(&notes);
}

static void holder_stands_in_for_the_taker(void **state)
{
	zg_handle handle;

	(void)state;
	assert_int_equal(take_here(&handle), 0);
	zgi_pool_held_by(&pool, handle, memory);
	assert_ptr_equal(pool.tracks[0].take_site, memory);
}

static void see(const struct zg_usage *usage, void *user)
{
	if (strcmp(usage->name, "notes") == 0)
		*(struct zg_usage *)user = *usage;
}

static void usage_tells_what_was_asked_what_it_occupies_and_what_there_is(void **state)
{
	struct zg_usage usage = {0};
	zg_handle handles[2];

	(void)state;
	assert_int_equal(take_here(&handles[0]), 0);
	assert_int_equal(take_here(&handles[1]), 0);
	zg_watch_usage(see, &usage);
	assert_string_equal(usage.kind, "pool");
	assert_int_equal(usage.live_count, 2);
	assert_int_equal(usage.count_max, BLOCK_COUNT);
	assert_int_equal(usage.live_size, 2 * BLOCK_SIZE);
	/* 36 bytes of bookkeeping each, and what rounds them up to whole lines. */
	assert_int_equal(usage.held_size, 2 * (128 + 192 / BLOCK_COUNT));
	assert_int_equal(usage.reserved_size, sizeof(memory));
	assert_int_equal(give_here(handles[0]), 0);
	zg_watch_usage(see, &usage);
	assert_int_equal(usage.live_size, BLOCK_SIZE);
}

static void ended_pool_is_not_measured(void **state)
{
	struct zg_usage usage = {.live_count = 42};

	(void)state;
	zg_pool_fini(&pool);
	zg_watch_usage(see, &usage);
	assert_int_equal(usage.live_count, 42);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(double_give_names_all_three_places),
		TEST(renewal_is_who_ended_the_old_handle_and_who_holds_the_new),
		TEST(handle_of_no_block_has_no_other_places),
		TEST(there_is_no_last_misuse_at_first),
		TEST(untracked_pool_knows_the_misuser_only),
		TEST(hook_is_told_of_each_misuse),
		TEST(misuse_is_printed_with_its_places),
		TEST(inline_take_keeps_the_place_of_its_caller),
		TEST(holder_stands_in_for_the_taker),
		TEST(usage_tells_what_was_asked_what_it_occupies_and_what_there_is),
		TEST(ended_pool_is_not_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
