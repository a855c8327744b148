/*
 * Arenas in the fragmentation meter: those that asked for it, as long as they did.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "mem/arena/arena_fixture.h"

#define ROUNDS 2000

/* Static, so that a test that fails leaves nothing of its stack in the registry. */
static struct zg_arena_watch watch;

/* The row of kind "arena". */
struct seen {
	uint32_t count;
	struct zg_usage usage;
};

static void see(const struct zg_usage *usage, void *user)
{
	struct seen *seen = user;

	if (strcmp(usage->kind, "arena") != 0)
		return;
	seen->count++;
	seen->usage = *usage;
}

static struct seen look(void)
{
	struct seen seen = {0};

	zg_watch_usage(see, &seen);
	return seen;
}

static void an_arena_is_not_seen_until_it_is_watched(void **state)
{
	(void)state;
	assert_int_equal(look().count, 0);
	assert_int_equal(zg_arena_watch_init(&watch, &arena, "parser"), 0);
	assert_int_equal(look().count, 1);
	assert_string_equal(look().usage.name, "parser");
	zg_arena_watch_fini(&watch);
	assert_int_equal(look().count, 0);
}

static void its_sizes_are_those_of_the_arena(void **state)
{
	struct zg_arena_usage usage;
	struct seen seen;

	(void)state;
	assert_int_equal(zg_arena_watch_init(&watch, &arena, "parser"), 0);
	assert_int_equal(look().usage.live_size, 0);
	assert_int_equal(look().usage.held_size, FIXTURE_FIRST_SIZE);

	/* The second begins a chunk. */
	arena_fixture_alloc(FIXTURE_FIRST_SIZE / 2);
	arena_fixture_alloc(FIXTURE_FIRST_SIZE);
	zg_arena_usage(&arena, &usage);
	seen = look();
	assert_int_equal(seen.usage.live_size, usage.live_size);
	assert_true(seen.usage.live_size >= FIXTURE_FIRST_SIZE * 3 / 2);
	assert_int_equal(seen.usage.held_size, FIXTURE_FIRST_SIZE + chunks.block_size);
	assert_int_equal(seen.usage.reserved_size,
			 FIXTURE_FIRST_SIZE + (FIXTURE_CHUNK_COUNT - 1) * chunks.block_size);
	zg_arena_watch_fini(&watch);
}

static void what_cannot_be_watched_is_refused(void **state)
{
	struct zg_arena zeroed = {0};

	(void)state;
	assert_int_equal(zg_arena_watch_init(&watch, &arena, NULL), -EINVAL);
	assert_int_equal(zg_arena_watch_init(&watch, NULL, "parser"), -EINVAL);
	assert_int_equal(zg_arena_watch_init(&watch, &zeroed, "parser"), -EINVAL);
	assert_int_equal(look().count, 0);
}

static void fini_of_a_zeroed_watch_does_nothing(void **state)
{
	(void)state;
	zg_arena_watch_fini(&watch);
	zg_arena_watch_fini(&watch);
	assert_int_equal(look().count, 0);
}

static void *look_often(void *user)
{
	bool *has_overflowed = user;

	for (int i = 0; i < ROUNDS; ++i) {
		struct seen seen = look();

		if (seen.count != 1 || seen.usage.held_size > seen.usage.reserved_size)
			*has_overflowed = true;
	}
	return NULL;
}

static void another_thread_may_look_while_the_arena_works(void **state)
{
	bool has_overflowed = false;
	pthread_t thread;

	(void)state;
	assert_int_equal(zg_arena_watch_init(&watch, &arena, "parser"), 0);
	assert_int_equal(pthread_create(&thread, NULL, look_often, &has_overflowed), 0);
	for (int i = 0; i < ROUNDS; ++i) {
		arena_fixture_alloc(FIXTURE_FIRST_SIZE / 2);
		arena_fixture_alloc(FIXTURE_FIRST_SIZE);
		zg_arena_reset(&arena);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_false(has_overflowed);
	zg_arena_watch_fini(&watch);
}

static int teardown(void **state)
{
	zg_arena_watch_fini(&watch);
	return arena_fixture_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, arena_fixture_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_arena_is_not_seen_until_it_is_watched),
		TEST(its_sizes_are_those_of_the_arena),
		TEST(what_cannot_be_watched_is_refused),
		TEST(fini_of_a_zeroed_watch_does_nothing),
		TEST(another_thread_may_look_while_the_arena_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
