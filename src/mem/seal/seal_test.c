/*
 * The seal counts every call of malloc's family and knows where it came from;
 * its trap ends the process, in a child of the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zerog/seal.h>

#include "mem/watch/poison.h"

/* Where a sanitizer's allocator is in front, its hooks do not tell the caller. */
#if defined(ZGI_HAS_ASAN) || defined(__SANITIZE_THREAD__)
#define HAS_SITES 0
#else
#define HAS_SITES 1
#endif

/* ThreadSanitizer's hooks see no allocation that names an alignment. */
#ifdef __SANITIZE_THREAD__
#define RELATIVES_COUNTED 4
#else
#define RELATIVES_COUNTED 9
#endif

/* What the compiler cannot see through, it can neither fold nor drop. */
static void *volatile kept;

static void *__attribute__((noinline)) malloc_somewhere(size_t size)
{
	void *memory = malloc(size);

	kept = memory;
	return memory;
}

static uint64_t malloc_count(void)
{
	struct zg_seal_counts counts;

	zg_seal_counts(&counts);
	return counts.malloc_count;
}

static uint64_t free_count(void)
{
	struct zg_seal_counts counts;

	zg_seal_counts(&counts);
	return counts.free_count;
}

static void sealed_process_that_allocates_nothing_counts_nothing(void **state)
{
	(void)state;
	assert_int_equal(zg_seal(ZG_SEAL_COUNT), 0);
	zg_unseal();
	assert_int_equal(malloc_count(), 0);
	assert_int_equal(free_count(), 0);
	assert_int_equal(zg_seal_sites(NULL, 0), 0);
}

static void calls_before_the_seal_and_after_the_unseal_pass_through(void **state)
{
	(void)state;
	free(malloc_somewhere(10));
	assert_int_equal(zg_seal(ZG_SEAL_COUNT), 0);
	zg_unseal();
	free(malloc_somewhere(10));
	assert_int_equal(malloc_count(), 0);
	assert_int_equal(free_count(), 0);
}

static void each_relative_of_malloc_is_counted(void **state)
{
	void *memory[9] = {NULL};

	(void)state;
	assert_int_equal(zg_seal(ZG_SEAL_COUNT), 0);
	memory[0] = kept = malloc(10);
	memory[1] = kept = calloc(2, 10);
	memory[2] = kept = realloc(NULL, 10);
	memory[3] = kept = reallocarray(NULL, 2, 10);
	memory[4] = kept = memalign(64, 10);
	memory[5] = kept = aligned_alloc(64, 64);
	if (posix_memalign(&memory[6], 64, 10) != 0)
		memory[6] = NULL;
	memory[7] = kept = valloc(10);
	memory[8] = kept = pvalloc(10);
	zg_unseal();
	for (size_t i = 0; i < 9; ++i)
		assert_non_null(memory[i]);
	assert_int_equal(malloc_count(), RELATIVES_COUNTED);
	for (size_t i = 0; i < 9; ++i)
		free(memory[i]);
}

static void frees_are_counted_but_for_those_of_null(void **state)
{
	void *memory = malloc_somewhere(10);

	(void)state;
	assert_int_equal(zg_seal(ZG_SEAL_COUNT), 0);
	free(memory);
	kept = NULL;
	free(kept);
	zg_unseal();
	assert_int_equal(free_count(), 1);
	assert_int_equal(malloc_count(), 0);
}

static void counting_begins_again_with_the_next_seal(void **state)
{
	void *memory;

	(void)state;
	assert_int_equal(zg_seal(ZG_SEAL_COUNT), 0);
	memory = malloc_somewhere(10);
	zg_unseal();
	assert_int_equal(malloc_count(), 1);
	assert_int_equal(zg_seal(ZG_SEAL_COUNT), 0);
	zg_unseal();
	assert_int_equal(malloc_count(), 0);
	assert_int_equal(zg_seal_sites(NULL, 0), 0);
	free(memory);
}

static void *thread_malloc_thrice(void *user)
{
	void *memory[3];

	(void)user;
	for (size_t i = 0; i < 3; ++i)
		memory[i] = malloc_somewhere(100);
	for (size_t i = 0; i < 3; ++i)
		free(memory[i]);
	return NULL;
}

/* The site within malloc_somewhere(), found by its address; its count, or 0. */
static uint64_t site_count(const struct zg_seal_site *sites, size_t count)
{
	for (size_t i = 0; i < count; ++i) {
		uintptr_t offset = (uintptr_t)sites[i].address - (uintptr_t)malloc_somewhere;

		if (offset < 64)
			return sites[i].count;
	}
	return 0;
}

static void malloc_of_another_thread_is_counted_with_its_site(void **state)
{
	struct zg_seal_site sites[ZG_SEAL_SITES_MAX];
	pthread_t thread;
	size_t count;

	(void)state;
	assert_int_equal(zg_seal(ZG_SEAL_COUNT), 0);
	/* Creating a thread allocates as well. */
	if (pthread_create(&thread, NULL, thread_malloc_thrice, NULL) == 0)
		pthread_join(thread, NULL);
	zg_unseal();
	assert_true(malloc_count() >= 3);
	assert_true(free_count() >= 3);
	count = zg_seal_sites(sites, ZG_SEAL_SITES_MAX);
	assert_true(count >= 1);
	if (HAS_SITES)
		assert_int_equal(site_count(sites, count), 3);
}

static void malloc_inside_a_library_is_counted(void **state)
{
	char *copy;

	(void)state;
	assert_int_equal(zg_seal(ZG_SEAL_COUNT), 0);
	kept = copy = strdup("counted");
	zg_unseal();
	assert_int_equal(malloc_count(), 1);
	free(copy);
}

#define SITE(number)                                                  \
	case number:                                                  \
		kept = malloc(8);                                     \
		/* The compiler merges calls with the same ending. */ \
		__asm__ volatile("# site " #number);                  \
		break;

static void *malloc_at_site(int number)
{
	switch (number) {
		SITE(0)
		SITE(1)
		SITE(2)
		SITE(3)
		SITE(4)
		SITE(5)
		SITE(6)
		SITE(7)
		SITE(8)
		SITE(9)
		SITE(10)
		SITE(11)
		SITE(12)
		SITE(13)
		SITE(14)
		SITE(15)
		SITE(16)
		SITE(17)
	default:
		break;
	}
	return kept;
}

static void first_sites_are_kept_and_all_calls_are_counted(void **state)
{
	struct zg_seal_site sites[ZG_SEAL_SITES_MAX];
	void *memory[18];
	size_t count;

	(void)state;
	assert_int_equal(zg_seal(ZG_SEAL_COUNT), 0);
	for (int i = 0; i < 18; ++i)
		memory[i] = malloc_at_site(i);
	zg_unseal();
	for (size_t i = 0; i < 18; ++i)
		free(memory[i]);
	assert_int_equal(malloc_count(), 18);
	count = zg_seal_sites(sites, ZG_SEAL_SITES_MAX);
	assert_in_range(count, HAS_SITES ? ZG_SEAL_SITES_MAX : 1, ZG_SEAL_SITES_MAX);
	assert_true(zg_seal_sites(sites, 1) == 1);
}

static void results_keep_their_alignment_and_their_errors(void **state)
{
	void *volatile none = NULL;
	char buffer[8];
	void *memory = NULL;
	volatile size_t huge = SIZE_MAX / 2;
	volatile size_t crooked = 24;

	(void)state;
	assert_int_equal(posix_memalign(&memory, 256, 10), 0);
	assert_int_equal((uintptr_t)memory % 256, 0);
	free(memory);
	memory = aligned_alloc(128, 128);
	assert_non_null(memory);
	assert_int_equal((uintptr_t)memory % 128, 0);
	free(memory);
	memory = pvalloc(1);
	assert_int_equal((uintptr_t)memory % (uintptr_t)sysconf(_SC_PAGESIZE), 0);
	free(memory);
	/* A sanitizer ends the process instead. */
	if (HAS_SITES) {
		memory = buffer;
		assert_int_equal(posix_memalign(&memory, crooked, 10), EINVAL);
		assert_int_equal(posix_memalign(&memory, 4, 10), EINVAL);
		assert_ptr_equal(memory, buffer);
		errno = 0;
		none = aligned_alloc(crooked, 48);
		assert_null(none);
		assert_int_equal(errno, EINVAL);
		errno = 0;
		none = reallocarray(NULL, huge, 4);
		assert_null(none);
		assert_int_equal(errno, ENOMEM);
		errno = 0;
		none = malloc(huge + 100);
		assert_null(none);
		assert_int_equal(errno, ENOMEM);
	}
}

/* Runs a function in a child; what it wrote to stderr, and how it ended. */
static int run_in_child(void (*function)(void), char *output, size_t capacity)
{
	int pipe_ends[2];
	size_t size = 0;
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
	for (;;) {
		ssize_t count = read(pipe_ends[0], output + size, capacity - 1 - size);

		if (count <= 0)
			break;
		size += (size_t)count;
	}
	output[size] = '\0';
	close(pipe_ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void trap_then_malloc(void)
{
	if (zg_seal(ZG_SEAL_TRAP) < 0)
		_exit(1);
	(void)malloc_somewhere(10);
}

static void trap_then_malloc_in_a_thread(void)
{
	pthread_t thread;

	if (zg_seal(ZG_SEAL_TRAP) < 0)
		_exit(1);
	if (pthread_create(&thread, NULL, thread_malloc_thrice, NULL) == 0)
		pthread_join(thread, NULL);
}

static void trap_then_free(void)
{
	void *memory = malloc_somewhere(10);

	if (zg_seal(ZG_SEAL_TRAP) < 0)
		_exit(1);
	free(memory);
	_exit(7);
}

static void trap_then_unseal_and_malloc(void)
{
	if (zg_seal(ZG_SEAL_TRAP) < 0)
		_exit(1);
	zg_unseal();
	free(malloc_somewhere(10));
	_exit(7);
}

static void trap_ends_the_process_with_a_stack(void **state)
{
	char output[4096];
	int status = run_in_child(trap_then_malloc, output, sizeof(output));

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_non_null(strstr(output, "malloc after the seal"));
	/* At least the frames of the trap, the malloc and its caller. */
	assert_non_null(strstr(output, "["));
	assert_true(strlen(output) > 100);
}

static void trap_catches_other_threads(void **state)
{
	char output[4096];
	int status = run_in_child(trap_then_malloc_in_a_thread, output, sizeof(output));

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_non_null(strstr(output, "malloc after the seal"));
}

static void trap_lets_free_pass(void **state)
{
	char output[4096];
	int status = run_in_child(trap_then_free, output, sizeof(output));

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_string_equal(output, "");
}

static void unseal_disarms_the_trap(void **state)
{
	char output[4096];
	int status = run_in_child(trap_then_unseal_and_malloc, output, sizeof(output));

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_process_that_allocates_nothing_counts_nothing),
		cmocka_unit_test(calls_before_the_seal_and_after_the_unseal_pass_through),
		cmocka_unit_test(each_relative_of_malloc_is_counted),
		cmocka_unit_test(frees_are_counted_but_for_those_of_null),
		cmocka_unit_test(counting_begins_again_with_the_next_seal),
		cmocka_unit_test(malloc_of_another_thread_is_counted_with_its_site),
		cmocka_unit_test(malloc_inside_a_library_is_counted),
		cmocka_unit_test(first_sites_are_kept_and_all_calls_are_counted),
		cmocka_unit_test(results_keep_their_alignment_and_their_errors),
		cmocka_unit_test(trap_ends_the_process_with_a_stack),
		cmocka_unit_test(trap_catches_other_threads),
		cmocka_unit_test(trap_lets_free_pass),
		cmocka_unit_test(unseal_disarms_the_trap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
