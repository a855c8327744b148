/*
 * Mistakes that an arena hides from the tools by its very nature, and that a
 * library built with -Darena=malloc shows. Each is made in a child of the test: in
 * other builds it goes unnoticed, which is the trouble.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zerog/seal.h>

#include "mem/arena/arena_fixture.h"
#include "mem/watch/poison.h"

/* What the last child wrote to stderr. */
static char output[16384];

/* Runs a function in a child; how it ended. */
static int run_in_child(void (*function)(void))
{
	int pipe_ends[2];
	size_t size = 0;
	ssize_t count = 1;
	int status = -1;
	pid_t child;

	assert_int_equal(pipe(pipe_ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct rlimit no_core = {0, 0};

		(void)setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGABRT, SIG_DFL);
		dup2(pipe_ends[1], STDERR_FILENO);
		function();
		_exit(0);
	}
	close(pipe_ends[1]);
	while (count > 0 && size < sizeof(output) - 1) {
		count = read(pipe_ends[0], output + size, sizeof(output) - 1 - size);
		size += count > 0 ? (size_t)count : 0;
	}
	output[size] = '\0';
	close(pipe_ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

/* A mistake is caught with this word in the report, or nobody minds. */
static void assert_shown(void (*mistake)(void), const char *word)
{
	int status = run_in_child(mistake);

	if (!zg_arena_is_malloc()) {
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
		return;
	}
#ifdef ZGI_HAS_ASAN
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_non_null(strstr(output, word));
#else
	(void)word;
#endif
}

/* The compiler cannot tell what is written where. */
static void scribble(unsigned char *memory, ptrdiff_t offset)
{
	unsigned char *volatile where = memory + offset;

	*where = 1;
}

static void overrun_into_the_next_chunk(void)
{
	size_t payload = zg_arena_chunk_payload(FIXTURE_CHUNK_SIZE);
	unsigned char *memory = arena_fixture_alloc(payload);

	(void)arena_fixture_alloc(payload);
	scribble(memory, (ptrdiff_t)payload);
}

static void overrun_by_one_byte_into_the_next_chunk_is_shown(void **state)
{
	(void)state;
	assert_shown(overrun_into_the_next_chunk, "heap-buffer-overflow");
}

static void underrun_into_the_head_of_the_chunk(void)
{
	scribble(arena_fixture_alloc(FIXTURE_FIRST_SIZE + 1), -1);
}

static void underrun_by_one_byte_is_shown(void **state)
{
	(void)state;
	assert_shown(underrun_into_the_head_of_the_chunk, "heap-buffer-overflow");
}

static void use_after_restore(void)
{
	struct zg_arena_savepoint savepoint = zg_arena_save(&arena);
	unsigned char *memory = arena_fixture_alloc(16);

	zg_arena_restore(&arena, savepoint);
	/* Somebody else has those bytes now. */
	(void)arena_fixture_alloc(16);
	scribble(memory, 0);
}

static void use_after_restore_is_shown_though_the_bytes_are_in_use_again(void **state)
{
	(void)state;
	assert_shown(use_after_restore, "heap-use-after-free");
}

static void use_after_reset(void)
{
	unsigned char *memory = arena_fixture_alloc(900);

	zg_arena_reset(&arena);
	(void)arena_fixture_alloc(900);
	scribble(memory, 899);
}

static void use_after_reset_is_shown_though_the_chunk_is_in_use_again(void **state)
{
	(void)state;
	assert_shown(use_after_reset, "heap-use-after-free");
}

static void use_of_the_place_before_a_resize(void)
{
	struct zg_arena_span span = {arena_fixture_alloc(16), 16};
	unsigned char *before = span.memory;

	assert_int_equal(zg_arena_resize(&arena, &span, 48), 0);
	scribble(before, 0);
}

static void pointer_kept_over_a_resize_is_shown(void **state)
{
	(void)state;
	assert_shown(use_of_the_place_before_a_resize, "heap-use-after-free");
}

static void use_of_bytes_that_were_added_after_a_savepoint(void)
{
	struct zg_arena_span span = {arena_fixture_alloc(0), 0};
	struct zg_arena_savepoint savepoint = zg_arena_save(&arena);

	assert_int_equal(zg_arena_resize(&arena, &span, 20), 0);
	zg_arena_restore(&arena, savepoint);
	(void)arena_fixture_alloc(20);
	scribble(span.memory, 0);
}

static void bytes_added_after_a_savepoint_go_with_it(void **state)
{
	(void)state;
	assert_shown(use_of_bytes_that_were_added_after_a_savepoint, "heap-use-after-free");
}

static void restore_to_a_savepoint_that_was_passed(void)
{
	struct zg_arena_savepoint first = zg_arena_save(&arena);
	struct zg_arena_savepoint second;

	(void)arena_fixture_alloc(16);
	second = zg_arena_save(&arena);
	zg_arena_restore(&arena, first);
	(void)arena_fixture_alloc(64);
	zg_arena_restore(&arena, second);
}

static void savepoint_used_after_a_restore_to_before_it_is_shown(void **state)
{
	(void)state;
	assert_shown(restore_to_a_savepoint_that_was_passed, "block != NULL");
}

static void restore_to_a_savepoint_ahead(void)
{
	struct zg_arena_savepoint first = zg_arena_save(&arena);
	struct zg_arena_savepoint second;

	(void)arena_fixture_alloc(16);
	second = zg_arena_save(&arena);
	zg_arena_restore(&arena, first);
	zg_arena_restore(&arena, second);
}

static void savepoint_ahead_of_the_arena_ends_the_process_in_any_build(void **state)
{
	int status = run_in_child(restore_to_a_savepoint_ahead);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void use_the_arena(void)
{
	struct zg_arena_span span = {arena_fixture_alloc(20), 20};

	assert_int_equal(zg_arena_resize(&arena, &span, 900), 0);
	zg_arena_reset(&arena);
}

static void seal_does_not_count_the_mallocs_of_this_build(void **state)
{
	struct zg_seal_counts counts;

	(void)state;
	zg_seal(ZG_SEAL_COUNT);
	use_the_arena();
	zg_unseal();
	zg_seal_counts(&counts);
	assert_int_equal(counts.malloc_count, 0);
	assert_int_equal(counts.free_count, 0);
}

static void use_the_arena_under_the_trap(void)
{
	zg_seal(ZG_SEAL_TRAP);
	use_the_arena();
	_exit(7);
}

static void trap_lets_the_mallocs_of_this_build_pass(void **state)
{
	int status = run_in_child(use_the_arena_under_the_trap);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void mallocs_of_others_are_counted_all_the_same(void **state)
{
	struct zg_seal_counts counts;
	char *copy;

	(void)state;
	zg_seal(ZG_SEAL_COUNT);
	use_the_arena();
	copy = strdup("counted");
	zg_unseal();
	zg_seal_counts(&counts);
	assert_non_null(copy);
	assert_int_equal(counts.malloc_count, 1);
	free(copy);
}

#define malloc_test(name) \
	cmocka_unit_test_setup_teardown(name, arena_fixture_setup, arena_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		malloc_test(overrun_by_one_byte_into_the_next_chunk_is_shown),
		malloc_test(underrun_by_one_byte_is_shown),
		malloc_test(use_after_restore_is_shown_though_the_bytes_are_in_use_again),
		malloc_test(use_after_reset_is_shown_though_the_chunk_is_in_use_again),
		malloc_test(pointer_kept_over_a_resize_is_shown),
		malloc_test(bytes_added_after_a_savepoint_go_with_it),
		malloc_test(savepoint_used_after_a_restore_to_before_it_is_shown),
		malloc_test(savepoint_ahead_of_the_arena_ends_the_process_in_any_build),
		malloc_test(seal_does_not_count_the_mallocs_of_this_build),
		malloc_test(trap_lets_the_mallocs_of_this_build_pass),
		malloc_test(mallocs_of_others_are_counted_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
