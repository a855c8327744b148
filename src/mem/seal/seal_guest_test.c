/*
 * The seal and the guest heap together: who is served from where, who is counted as
 * what, and that each block goes back to where it came from. In children, because a
 * process has one guest heap. The library that allocates is the C library itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zerog/guest_heap.h>
#include <zerog/seal.h>

#include "mem/seal/seal_fixture.h"
#include "mem/seal/seal_state.h"

#define MIB ((size_t)1 << 20)

static void *volatile kept;

static void *__attribute__((noinline)) malloc_of_ours(size_t size)
{
	kept = malloc(size);
	return kept;
}

static char *__attribute__((noinline)) malloc_of_a_library(const char *text)
{
	kept = strdup(text);
	return kept;
}

static struct zg_seal_counts counts_now(void)
{
	struct zg_seal_counts counts;

	zg_seal_counts(&counts);
	return counts;
}

static void reserve_and_seal(enum zg_seal_mode mode)
{
	CHILD_CHECK(zg_guest_heap_reserve(4 * MIB) == 0);
	CHILD_CHECK(zg_seal(mode) == 0);
}

/* A sanitizer's allocator stays in front of everything. */
static void check_in_child(void (*function)(void *user))
{
	if (ZGI_SEAL_HAS_SANITIZER)
		skip();
	assert_int_equal(zgi_fixture_run(function, NULL), 0);
}

static void serve_from_the_guest_heap(void *user)
{
	void *memory = malloc_of_ours(10);
	void *aligned = NULL;

	(void)user;
	CHILD_CHECK(!zg_guest_owns(memory));
	CHILD_CHECK(zg_guest_heap_reserve(4 * MIB) == 0);
	free(memory);
	memory = malloc_of_ours(10);
	CHILD_CHECK(!zg_guest_owns(memory));
	free(memory);
	CHILD_CHECK(zg_seal(ZG_SEAL_COUNT) == 0);
	CHILD_CHECK(zg_guest_owns(malloc_of_ours(10)));
	CHILD_CHECK(zg_guest_owns(malloc_of_a_library("text")));
	CHILD_CHECK(zg_guest_owns(kept = calloc(3, 5)));
	CHILD_CHECK(zg_guest_owns(kept = realloc(NULL, 5)));
	CHILD_CHECK(zg_guest_owns(kept = reallocarray(NULL, 5, 5)));
	CHILD_CHECK(zg_guest_owns(kept = aligned_alloc(64, 64)));
	CHILD_CHECK(zg_guest_owns(kept = memalign(64, 64)));
	CHILD_CHECK(zg_guest_owns(kept = valloc(64)));
	CHILD_CHECK(zg_guest_owns(kept = pvalloc(64)));
	CHILD_CHECK(posix_memalign(&aligned, 64, 64) == 0 && zg_guest_owns(aligned));
	CHILD_CHECK(malloc_usable_size(aligned) == zg_guest_usable_size(aligned));
	/* Coarser than the guest heap's: glibc's has room for it yet. */
	aligned = kept = memalign(2 * ZG_GUEST_ALIGNMENT_MAX, 64);
	CHILD_CHECK(aligned != NULL && !zg_guest_owns(aligned));
	free(aligned);
}

static void after_the_seal_the_guest_heap_serves(void **state)
{
	(void)state;
	check_in_child(serve_from_the_guest_heap);
}

static void take_back(void *user)
{
	void *before = malloc_of_ours(1000);
	struct zg_guest_counts counts;
	void *during;

	(void)user;
	CHILD_CHECK(malloc_usable_size(before) >= 1000);
	reserve_and_seal(ZG_SEAL_COUNT);
	CHILD_CHECK(malloc_usable_size(before) >= 1000);
	free(before);
	during = malloc_of_ours(1000);
	before = malloc_of_ours(1000);
	free(during);
	zg_unseal();
	free(before);
	free(kept = malloc_of_ours(10));
	zg_guest_heap_counts(&counts);
	CHILD_CHECK(counts.live_count == 0);
	CHILD_CHECK(counts.malloc_count == 3);
	/* And once more: what was freed in between is not asked where it is from. */
	CHILD_CHECK(zg_seal(ZG_SEAL_COUNT) == 0);
	free(malloc_of_ours(10));
	CHILD_CHECK(counts_now().malloc_count == 1);
}

static void blocks_go_back_to_where_they_came_from(void **state)
{
	(void)state;
	check_in_child(take_back);
}

static void reallocate_across(void *user)
{
	char *memory = malloc_of_ours(100);
	char *shrunk;
	void *moved;

	(void)user;
	memset(memory, 'x', 100);
	shrunk = malloc_of_ours(100);
	reserve_and_seal(ZG_SEAL_COUNT);
	memory = realloc(memory, 5000);
	CHILD_CHECK(zg_guest_owns(memory));
	CHILD_CHECK(memory[0] == 'x' && memory[99] == 'x');
	/* What becomes smaller stays. */
	shrunk = realloc(shrunk, 50);
	CHILD_CHECK(!zg_guest_owns(shrunk));
	/* What cannot move is left as it was. */
	kept = shrunk;
	moved = realloc(kept, 64 * MIB);
	CHILD_CHECK(moved == NULL && errno == ENOMEM);
	free(kept);
	memory = realloc(memory, 10000);
	CHILD_CHECK(zg_guest_owns(memory) && memory[99] == 'x');
	kept = realloc(memory, 0);
	CHILD_CHECK(kept == NULL);
}

static void realloc_moves_across_the_border(void **state)
{
	(void)state;
	check_in_child(reallocate_across);
}

static void count_apart(void *user)
{
	struct zg_seal_site sites[ZG_SEAL_SITES_MAX];

	(void)user;
	reserve_and_seal(ZG_SEAL_COUNT);
	free(malloc_of_ours(10));
	free(malloc_of_a_library("one"));
	free(malloc_of_a_library("two"));
	zg_unseal();
	CHILD_CHECK(counts_now().malloc_count == 1);
	CHILD_CHECK(counts_now().guest_malloc_count == 2);
	CHILD_CHECK(zg_seal_sites(sites, ZG_SEAL_SITES_MAX) == 1);
}

static void libraries_are_counted_apart_from_the_program(void **state)
{
	(void)state;
	check_in_child(count_apart);
}

static void trap_a_library(void *user)
{
	(void)user;
	reserve_and_seal(ZG_SEAL_TRAP);
	free(malloc_of_a_library("text"));
}

static void trap_the_program(void *user)
{
	(void)user;
	reserve_and_seal(ZG_SEAL_TRAP);
	close(STDERR_FILENO);
	free(malloc_of_ours(10));
}

static void the_trap_is_for_the_program_alone(void **state)
{
	int status;

	(void)state;
	check_in_child(trap_a_library);
	status = zgi_fixture_run(trap_the_program, NULL);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void use_it_up(void *user)
{
	static void *blocks[100000];
	char long_text[480] = "";
	struct zg_guest_counts counts;
	size_t count = 0;
	void *memory = NULL;

	(void)user;
	reserve_and_seal(ZG_SEAL_COUNT);
	errno = 0;
	while ((blocks[count] = malloc_of_ours(500)) != NULL)
		CHILD_CHECK(++count < 100000);
	CHILD_CHECK(errno == ENOMEM);
	memset(long_text, 'x', sizeof(long_text) - 1);
	CHILD_CHECK(malloc_of_a_library(long_text) == NULL);
	CHILD_CHECK(posix_memalign(&memory, 64, 500) == ENOMEM);
	CHILD_CHECK(counts_now().malloc_fail_count == 3);
	zg_guest_heap_counts(&counts);
	CHILD_CHECK(counts.fail_count == 3);
	for (size_t i = 0; i < count; ++i)
		free(blocks[i]);
	zg_guest_heap_counts(&counts);
	CHILD_CHECK(counts.live_count == 0);
	CHILD_CHECK(malloc_of_a_library("it is there again") != NULL);
}

static void when_it_is_full_malloc_returns_null_and_counts(void **state)
{
	(void)state;
	check_in_child(use_it_up);
}

static void go_on_under_the_kernel_seal(void *user)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST};
	struct addrinfo *list;
	struct zg_guest_counts counts;
	uint64_t before;

	(void)user;
	reserve_and_seal(ZG_SEAL_KERNEL);
	before = zgi_fixture_status("VmSize:");
	/* Each time more than any heap of glibc's had left. */
	for (size_t round = 0; round < 10; ++round) {
		void *memory = malloc_of_ours(3 * MIB);

		CHILD_CHECK(memory != NULL);
		memset(memory, 1, 3 * MIB);
		free(memory);
	}
	CHILD_CHECK(getaddrinfo("127.0.0.1", "80", &hints, &list) == 0);
	freeaddrinfo(list);
	CHILD_CHECK(getaddrinfo("localhost", "80", NULL, &list) == EAI_MEMORY);
	CHILD_CHECK(zgi_fixture_status("VmSize:") == before);
	zg_unseal();
	/* The shutdown of a service may allocate, and is served too. */
	CHILD_CHECK(zg_guest_owns(malloc_of_ours(MIB)));
	free(kept);
	zg_guest_heap_counts(&counts);
	CHILD_CHECK(counts.live_count == 0);
}

static void libraries_go_on_under_the_kernel_seal(void **state)
{
	(void)state;
	if (!zgi_fixture_has_kernel_seal())
		skip();
	check_in_child(go_on_under_the_kernel_seal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_the_seal_the_guest_heap_serves),
		cmocka_unit_test(blocks_go_back_to_where_they_came_from),
		cmocka_unit_test(realloc_moves_across_the_border),
		cmocka_unit_test(libraries_are_counted_apart_from_the_program),
		cmocka_unit_test(the_trap_is_for_the_program_alone),
		cmocka_unit_test(when_it_is_full_malloc_returns_null_and_counts),
		cmocka_unit_test(libraries_go_on_under_the_kernel_seal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
