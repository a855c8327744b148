/*
 * Allocations that change their size, and allocations at wide alignments.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "mem/arena/arena_fixture.h"
#include "mem/watch/poison.h"

static struct zg_arena_span span_of(size_t size)
{
	struct zg_arena_span span = {arena_fixture_alloc(size), size};

	memset(span.memory, 'a', size);
	return span;
}

static void assert_filled(const void *memory, size_t size)
{
	for (size_t i = 0; i < size; ++i)
		assert_int_equal(((const char *)memory)[i], 'a');
}

static uint64_t live_size(void)
{
	struct zg_arena_usage usage;

	zg_arena_usage(&arena, &usage);
	return usage.live_size;
}

/* Did it stay where it was? With mallocs a grown allocation always has another address. */
static void assert_stayed(const void *memory, const void *before)
{
	if (!zg_arena_is_malloc())
		assert_ptr_equal(memory, before);
}

static void latest_allocation_grows_where_it_is(void **state)
{
	struct zg_arena_span span = span_of(20);
	void *before = span.memory;

	(void)state;
	assert_int_equal(zg_arena_resize(&arena, &span, 300), 0);
	assert_stayed(span.memory, before);
	assert_int_equal(span.size, 300);
	assert_filled(span.memory, 20);
	assert_int_equal(live_size(), 304 + arena_fixture_red_zone());
	memset(span.memory, 'b', 300);
	assert_int_equal(zg_arena_resize(&arena, &span, FIXTURE_FIRST_SIZE), 0);
	assert_stayed(span.memory, before);
	assert_int_equal(arena.chunk_count, 0);
}

static void latest_allocation_gives_back_what_it_shrinks_by(void **state)
{
	struct zg_arena_span span = span_of(400);
	void *before = span.memory;

	(void)state;
	assert_int_equal(zg_arena_resize(&arena, &span, 10), 0);
	assert_ptr_equal(span.memory, before);
	assert_int_equal(span.size, 10);
	assert_filled(span.memory, 10);
	assert_int_equal(live_size(), 16 + arena_fixture_red_zone());
	(void)arena_fixture_alloc(400);
	assert_int_equal(arena.chunk_count, 0);
}

static void latest_allocation_moves_on_where_its_chunk_ends(void **state)
{
	struct zg_arena_span span = span_of(400);

	(void)state;
	assert_int_equal(zg_arena_resize(&arena, &span, 800), 0);
	assert_int_equal(arena.chunk_count, 1);
	assert_filled(span.memory, 400);
	memset(span.memory, 'b', 800);
}

static void allocation_with_another_behind_it_moves(void **state)
{
	struct zg_arena_span span = span_of(20);
	char *next = arena_fixture_alloc(20);
	void *before = span.memory;

	(void)state;
	memset(next, 'n', 20);
	assert_int_equal(zg_arena_resize(&arena, &span, 40), 0);
	assert_ptr_not_equal(span.memory, before);
	assert_filled(span.memory, 20);
	memset(span.memory, 'b', 40);
	assert_int_equal(next[0], 'n');
	assert_int_equal(next[19], 'n');
}

static void allocation_with_another_behind_it_shrinks_in_place_and_frees_nothing(void **state)
{
	struct zg_arena_span span = span_of(100);
	void *before = span.memory;
	uint64_t live;

	(void)state;
	(void)arena_fixture_alloc(20);
	live = live_size();
	assert_int_equal(zg_arena_resize(&arena, &span, 10), 0);
	assert_ptr_equal(span.memory, before);
	assert_int_equal(span.size, 10);
	assert_int_equal(live_size(), live);
}

static void nothing_before_a_savepoint_grows_over_it(void **state)
{
	struct zg_arena_span span = span_of(16);
	struct zg_arena_savepoint savepoint = zg_arena_save(&arena);
	uint64_t live = live_size();

	(void)state;
	assert_int_equal(zg_arena_resize(&arena, &span, 48), 0);
	assert_true(live_size() >= live + 48);
	zg_arena_restore(&arena, savepoint);
	assert_int_equal(live_size(), live);
}

static void nothing_before_a_savepoint_shrinks_under_it(void **state)
{
	struct zg_arena_span span = span_of(64);
	struct zg_arena_savepoint savepoint = zg_arena_save(&arena);
	uint64_t live = live_size();

	(void)state;
	assert_int_equal(zg_arena_resize(&arena, &span, 16), 0);
	assert_int_equal(live_size(), live);
	(void)arena_fixture_alloc(16);
	zg_arena_restore(&arena, savepoint);
	assert_int_equal(live_size(), live);
	assert_filled(span.memory, 16);
}

static void savepoint_counts_again_after_a_restore_to_it(void **state)
{
	struct zg_arena_span span = span_of(16);
	struct zg_arena_savepoint savepoint = zg_arena_save(&arena);
	uint64_t live = live_size();
	void *before = span.memory;

	(void)state;
	(void)arena_fixture_alloc(100);
	zg_arena_restore(&arena, savepoint);
	assert_int_equal(zg_arena_resize(&arena, &span, 32), 0);
	assert_ptr_not_equal(span.memory, before);
	zg_arena_restore(&arena, savepoint);
	assert_int_equal(live_size(), live);
}

static void no_allocation_resized_is_a_new_one(void **state)
{
	struct zg_arena_span span = {NULL, 0};

	(void)state;
	assert_int_equal(zg_arena_resize(&arena, &span, 0), 0);
	assert_non_null(span.memory);
	assert_int_equal(zg_arena_resize(&arena, &span, 30), 0);
	memset(span.memory, 'a', 30);
	assert_int_equal(zg_arena_resize(&arena, &span, 0), 0);
	assert_int_equal(span.size, 0);
}

static void refused_resize_changes_nothing(void **state)
{
	struct zg_arena_span span = span_of(100);
	void *before = span.memory;

	(void)state;
	assert_int_equal(zg_arena_resize(&arena, &span, 5000), -EMSGSIZE);
	assert_ptr_equal(span.memory, before);
	assert_int_equal(span.size, 100);
	assert_filled(span.memory, 100);
	for (int i = 0; i < FIXTURE_CHUNK_COUNT - 1; ++i)
		(void)arena_fixture_alloc(zg_arena_chunk_payload(FIXTURE_CHUNK_SIZE));
	assert_int_equal(zg_arena_resize(&arena, &span, 101), -ENOMEM);
	assert_filled(span.memory, 100);
	assert_int_equal(arena.refuse_count, 2);
}

static void wide_alignments_are_kept(void **state)
{
	void *memory;

	(void)state;
	for (uint32_t alignment = 1; alignment <= 256; alignment *= 2) {
		(void)arena_fixture_alloc(1);
		assert_int_equal(zg_arena_alloc_aligned(&arena, 20, alignment, &memory), 0);
		assert_int_equal((uintptr_t)memory % alignment, 0);
		assert_int_equal((uintptr_t)memory % ZG_ARENA_ALIGNMENT, 0);
		memset(memory, 'a', 20);
	}
}

static void wide_alignment_is_kept_in_a_new_chunk(void **state)
{
	void *memory;

	(void)state;
	(void)arena_fixture_alloc(FIXTURE_FIRST_SIZE);
	assert_int_equal(zg_arena_alloc_aligned(&arena, 100, 512, &memory), 0);
	assert_int_equal((uintptr_t)memory % 512, 0);
	assert_int_equal(arena.chunk_count, 1);
}

static void alignment_is_part_of_what_a_chunk_must_hold(void **state)
{
	size_t payload = zg_arena_chunk_payload(FIXTURE_CHUNK_SIZE);
	void *memory = &arena;

	(void)state;
	(void)arena_fixture_alloc(FIXTURE_FIRST_SIZE);
	assert_int_equal(zg_arena_alloc_aligned(&arena, payload - 48, 64, &memory), 0);
	memset(memory, 'a', payload - 48);
	assert_int_equal(zg_arena_alloc_aligned(&arena, payload - 47, 64, &memory), -EMSGSIZE);
	assert_int_equal(zg_arena_alloc_aligned(&arena, 1, 4096, &memory), -EMSGSIZE);
	assert_int_equal(zg_arena_alloc_aligned(&arena, SIZE_MAX, 64, &memory), -EMSGSIZE);
	assert_int_equal(arena.refuse_count, 3);
}

static void alignment_that_is_none_is_refused(void **state)
{
	void *memory = &arena;

	(void)state;
	assert_int_equal(zg_arena_alloc_aligned(&arena, 1, 0, &memory), -EINVAL);
	assert_int_equal(zg_arena_alloc_aligned(&arena, 1, 48, &memory), -EINVAL);
	assert_int_equal(zg_arena_alloc_aligned(&arena, 1, 8192, &memory), -EINVAL);
	assert_ptr_equal(memory, &arena);
}

static void aligned_allocation_grows_where_it_is(void **state)
{
	struct zg_arena_span span = {NULL, 20};
	void *before;

	(void)state;
	(void)arena_fixture_alloc(1);
	assert_int_equal(zg_arena_alloc_aligned(&arena, 20, 256, &span.memory), 0);
	before = span.memory;
	assert_int_equal(zg_arena_resize(&arena, &span, 200), 0);
	assert_stayed(span.memory, before);
	assert_int_equal((uintptr_t)span.memory % 256, 0);
}

#ifdef ZGI_HAS_ASAN
static void assert_poisoned(const void *memory, size_t size)
{
	for (size_t i = 0; i < size; ++i)
		assert_true(__asan_address_is_poisoned((const char *)memory + i));
}

static void what_a_resize_gives_up_is_poisoned(void **state)
{
	struct zg_arena_span first = span_of(100);
	struct zg_arena_span latest = span_of(100);
	char *before = first.memory;

	(void)state;
	assert_int_equal(zg_arena_resize(&arena, &latest, 20), 0);
	assert_poisoned((char *)latest.memory + 20, 80);
	assert_int_equal(zg_arena_resize(&arena, &first, 20), 0);
	assert_poisoned(before + 20, 80);
	assert_int_equal(zg_arena_resize(&arena, &first, 50), 0);
	assert_poisoned(before, 100);
	memset(first.memory, 'b', 50);
}

static void allocation_of_no_bytes_has_none(void **state)
{
	(void)state;
	assert_poisoned(arena_fixture_alloc(0), 1);
}
#endif

#define resize_test(name) \
	cmocka_unit_test_setup_teardown(name, arena_fixture_setup, arena_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		resize_test(latest_allocation_grows_where_it_is),
		resize_test(latest_allocation_gives_back_what_it_shrinks_by),
		resize_test(latest_allocation_moves_on_where_its_chunk_ends),
		resize_test(allocation_with_another_behind_it_moves),
		resize_test(allocation_with_another_behind_it_shrinks_in_place_and_frees_nothing),
		resize_test(nothing_before_a_savepoint_grows_over_it),
		resize_test(nothing_before_a_savepoint_shrinks_under_it),
		resize_test(savepoint_counts_again_after_a_restore_to_it),
		resize_test(no_allocation_resized_is_a_new_one),
		resize_test(refused_resize_changes_nothing),
		resize_test(wide_alignments_are_kept),
		resize_test(wide_alignment_is_kept_in_a_new_chunk),
		resize_test(alignment_is_part_of_what_a_chunk_must_hold),
		resize_test(alignment_that_is_none_is_refused),
		resize_test(aligned_allocation_grows_where_it_is),
#ifdef ZGI_HAS_ASAN
		resize_test(what_a_resize_gives_up_is_poisoned),
		resize_test(allocation_of_no_bytes_has_none),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
