/*
 * Zeroed objects, copies and texts in an arena, and what an arena counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include <zerog/scratch.h>

#include "mem/arena/arena_fixture.h"
#include "mem/pool/track.h"

static void zeroed_objects_are_zero_where_others_were(void **state)
{
	void *memory;

	(void)state;
	memset(arena_fixture_alloc(500), 'x', 500);
	zg_arena_reset(&arena);
	assert_int_equal(zg_arena_alloc_zeroed(&arena, 50, 10, &memory), 0);
	for (size_t i = 0; i < 500; ++i)
		assert_int_equal(((char *)memory)[i], 0);
}

static void no_objects_are_an_address(void **state)
{
	void *memory = NULL;

	(void)state;
	assert_int_equal(zg_arena_alloc_zeroed(&arena, 0, 10, &memory), 0);
	assert_non_null(memory);
}

static void count_that_overflows_is_too_large(void **state)
{
	void *memory = &arena;

	(void)state;
	assert_int_equal(zg_arena_alloc_zeroed(&arena, SIZE_MAX / 2 + 2, 2, &memory), -EMSGSIZE);
	assert_int_equal(zg_arena_alloc_zeroed(&arena, 1000, 1000, &memory), -EMSGSIZE);
	assert_ptr_equal(memory, &arena);
	assert_int_equal(arena.refuse_count, 2);
}

static void copy_of_a_slice_ends_in_nul(void **state)
{
	char bytes[] = {'a', 0, 'b', 'c'};
	struct zg_slice copy;

	(void)state;
	assert_int_equal(zg_arena_copy(&arena, (struct zg_slice){bytes, 3}, &copy), 0);
	bytes[0] = 'z';
	assert_int_equal(copy.size, 3);
	assert_memory_equal(copy.data, "a\0b\0", 4);
	assert_int_equal(zg_arena_copy(&arena, (struct zg_slice){NULL, 0}, &copy), 0);
	assert_int_equal(copy.size, 0);
	assert_string_equal(copy.data, "");
}

static void copy_of_a_text_is_the_callers_to_change(void **state)
{
	char *copy;

	(void)state;
	assert_int_equal(zg_arena_copy_text(&arena, "a text", &copy), 0);
	copy[0] = 'A';
	assert_string_equal(copy, "A text");
}

static void print_formats_texts_of_any_length(void **state)
{
	static const size_t sizes[] = {0, 1, 255, 256, 257, 800};
	struct zg_slice text;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); ++i) {
		assert_int_equal(zg_arena_print(&arena, &text, "%*s", (int)sizes[i], ""), 0);
		assert_int_equal(text.size, sizes[i]);
		assert_int_equal(strlen(text.data), sizes[i]);
	}
	assert_int_equal(zg_arena_print(&arena, &text, "%s %d", "order", 7), 0);
	assert_string_equal(text.data, "order 7");
}

static void refused_text_is_untouched(void **state)
{
	struct zg_slice text = ZG_SLICE("untouched");
	char long_text[2000];
	char *copy = long_text;

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	assert_int_equal(zg_arena_print(&arena, &text, "%s", long_text), -EMSGSIZE);
	assert_int_equal(
		zg_arena_copy(&arena, (struct zg_slice){long_text, sizeof(long_text)}, &text),
		-EMSGSIZE);
	assert_int_equal(zg_arena_copy_text(&arena, long_text, &copy), -EMSGSIZE);
	assert_string_equal(text.data, "untouched");
	assert_ptr_equal(copy, long_text);
}

/* A wide character that no byte of the "C" locale stands for. */
static void text_that_cannot_be_formatted_is_refused(void **state)
{
	struct zg_slice text = ZG_SLICE("untouched");

	(void)state;
	assert_int_equal(zg_arena_print(&arena, &text, "%lc", (unsigned int)0x20ac), -EINVAL);
	assert_string_equal(text.data, "untouched");
}

static struct zg_arena_usage usage(void)
{
	struct zg_arena_usage now;

	zg_arena_usage(&arena, &now);
	return now;
}

static void live_is_what_was_handed_out_rounded_up(void **state)
{
	size_t red_zone = arena_fixture_red_zone();

	(void)state;
	assert_int_equal(usage().live_size, 0);
	(void)arena_fixture_alloc(1);
	(void)arena_fixture_alloc(100);
	assert_int_equal(usage().live_size, 16 + 112 + 2 * red_zone);
	(void)arena_fixture_alloc(900);
	assert_int_equal(usage().live_size, 16 + 112 + 912 + 3 * red_zone);
	zg_arena_reset(&arena);
	assert_int_equal(usage().live_size, 0);
}

static void most_ever_live_outlives_restore_and_reset(void **state)
{
	struct zg_arena_savepoint savepoint;
	uint64_t most;

	(void)state;
	(void)arena_fixture_alloc(100);
	savepoint = zg_arena_save(&arena);
	(void)arena_fixture_alloc(900);
	most = usage().live_size;
	assert_int_equal(usage().live_size_max, most);
	zg_arena_restore(&arena, savepoint);
	assert_int_equal(usage().live_size_max, most);
	assert_true(usage().live_size < most);
	zg_arena_reset(&arena);
	(void)arena_fixture_alloc(50);
	assert_int_equal(usage().live_size_max, most);
}

static void held_are_the_first_memory_and_whole_chunks(void **state)
{
	struct zg_arena_savepoint savepoint = zg_arena_save(&arena);

	(void)state;
	assert_int_equal(usage().held_size, FIXTURE_FIRST_SIZE);
	(void)arena_fixture_alloc(900);
	(void)arena_fixture_alloc(900);
	assert_int_equal(usage().held_size, FIXTURE_FIRST_SIZE + 2 * FIXTURE_CHUNK_SIZE);
	assert_int_equal(usage().chunk_count, 2);
	zg_arena_restore(&arena, savepoint);
	assert_int_equal(usage().held_size, FIXTURE_FIRST_SIZE);
	assert_int_equal(usage().chunk_count, 0);
}

static void lost_are_the_ends_of_full_chunks(void **state)
{
	size_t red_zone = arena_fixture_red_zone();
	size_t payload = zg_arena_chunk_payload(FIXTURE_CHUNK_SIZE);

	(void)state;
	(void)arena_fixture_alloc(400);
	assert_int_equal(usage().lost_size, 0);
	(void)arena_fixture_alloc(800);
	assert_int_equal(usage().lost_size, FIXTURE_FIRST_SIZE - 400 - red_zone);
	(void)arena_fixture_alloc(800);
	assert_int_equal(usage().lost_size,
			 FIXTURE_FIRST_SIZE - 400 + payload - 800 - 2 * red_zone);
}

static void refusals_are_counted(void **state)
{
	void *memory;

	(void)state;
	assert_int_equal(zg_arena_alloc(&arena, 5000, &memory), -EMSGSIZE);
	assert_int_equal(usage().refuse_count, 1);
}

static void arena_that_is_none_holds_nothing(void **state)
{
	struct zg_arena none = {0};
	struct zg_arena_usage now;

	(void)state;
	zg_arena_usage(&none, &now);
	assert_int_equal(now.live_size + now.held_size + now.lost_size, 0);
}

static void do_nothing(void *user)
{
	(void)user;
}

/* Functions that ask for memory, and then return. */
#define ASK(name, ...)                                  \
	static int __attribute__((noinline)) name(void) \
	{                                               \
		struct zg_arena_span span = {NULL, 0};  \
		struct zg_slice slice;                  \
		char *text;                             \
		int result = __VA_ARGS__;               \
                                                        \
		(void)span;                             \
		(void)slice;                            \
		(void)text;                             \
		/* What comes last is no tail call. */  \
		__asm__ volatile("");                   \
		return result;                          \
	}

ASK(ask_alloc, zg_arena_alloc(&arena, 10, &span.memory))
ASK(ask_aligned, zg_arena_alloc_aligned(&arena, 10, 64, &span.memory))
ASK(ask_zeroed, zg_arena_alloc_zeroed(&arena, 2, 5, &span.memory))
ASK(ask_resize, zg_arena_resize(&arena, &span, 10))
ASK(ask_copy, zg_arena_copy(&arena, ZG_SLICE("slice"), &slice))
ASK(ask_copy_text, zg_arena_copy_text(&arena, "text", &text))
ASK(ask_print, zg_arena_print(&arena, &slice, "%d", 7))
ASK(ask_on_reset, zg_arena_on_reset(&arena, do_nothing, NULL))

static int __attribute__((noinline)) ask_scratch(void)
{
	ZG_SCRATCH(room, 16, &arena);
	int result = zg_scratch_reserve(&room, 17);

	__asm__ volatile("");
	return result;
}

static void chunk_is_that_of_whoever_asked_for_memory(void **state)
{
	int (*const asks[])(void) = {ask_alloc,	    ask_aligned, ask_zeroed,   ask_resize, ask_copy,
				     ask_copy_text, ask_print,	 ask_on_reset, ask_scratch};

	(void)state;
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); ++i) {
		zg_arena_reset(&arena);
		(void)arena_fixture_alloc(FIXTURE_FIRST_SIZE);
		assert_int_equal(asks[i](), 0);
		assert_int_equal(arena.chunk_count, 1);
		/* It is always the pool's first block that is taken. */
		assert_in_range((uintptr_t)chunks.tracks[0].take_site, (uintptr_t)asks[i],
				(uintptr_t)asks[i] + 1000);
	}
}

#define text_test(name) \
	cmocka_unit_test_setup_teardown(name, arena_fixture_setup, arena_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		text_test(zeroed_objects_are_zero_where_others_were),
		text_test(no_objects_are_an_address),
		text_test(count_that_overflows_is_too_large),
		text_test(copy_of_a_slice_ends_in_nul),
		text_test(copy_of_a_text_is_the_callers_to_change),
		text_test(print_formats_texts_of_any_length),
		text_test(refused_text_is_untouched),
		text_test(text_that_cannot_be_formatted_is_refused),
		text_test(live_is_what_was_handed_out_rounded_up),
		text_test(most_ever_live_outlives_restore_and_reset),
		text_test(held_are_the_first_memory_and_whole_chunks),
		text_test(lost_are_the_ends_of_full_chunks),
		text_test(refusals_are_counted),
		text_test(arena_that_is_none_holds_nothing),
		text_test(chunk_is_that_of_whoever_asked_for_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
