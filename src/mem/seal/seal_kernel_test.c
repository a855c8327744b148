/*
 * A process under the kernel seal: what it cannot do any more fails as an error of the
 * function that was called, and what it goes on doing it does. Each in a child.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <malloc.h>
#include <netdb.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zerog/seal.h>

#include "base/assert.h"
#include "mem/seal/seal_fixture.h"
#include "mem/seal/seal_state.h"

#define NOBODY 65534
#define BLOCKS_MAX 65536

static void *volatile kept;

static int is_to_be_had(void **state)
{
	*state = zgi_fixture_has_kernel_seal() ? "yes" : NULL;
	return 0;
}

/* Run in a child, or skip where there is no kernel seal. */
static void check_in_child(void **state, void (*function)(void *user))
{
	if (*state == NULL)
		skip();
	assert_int_equal(zgi_fixture_run(function, NULL), 0);
}

static void seal_now(void)
{
	CHILD_CHECK(zg_seal(ZG_SEAL_KERNEL) == 0);
}

static bool can_map(void)
{
	return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

/* Takes blocks of every size until there is not one of 16 bytes; how many. */
static size_t exhaust(void **blocks)
{
	size_t count = 0;

	for (size_t size = (size_t)1 << 24; size >= 16; size /= 2) {
		while (count < BLOCKS_MAX && (blocks[count] = kept = malloc(size)) != NULL)
			count++;
	}
	CHILD_CHECK(count < BLOCKS_MAX);
	return count;
}

static void *blocks[BLOCKS_MAX];

static void malloc_until_the_end(void *user)
{
	struct zg_seal_counts counts;
	size_t count;
	void *memory = NULL;

	(void)user;
	seal_now();
	errno = 0;
	count = exhaust(blocks);
	CHILD_CHECK(count > 0);
	CHILD_CHECK(errno == ENOMEM);
	kept = calloc(1, 4096);
	CHILD_CHECK(kept == NULL);
	kept = realloc(blocks[0], (size_t)1 << 25);
	CHILD_CHECK(kept == NULL);
	CHILD_CHECK(posix_memalign(&memory, 64, 4096) == ENOMEM);
	zg_seal_counts(&counts);
	CHILD_CHECK(counts.malloc_count > count);
	CHILD_CHECK(counts.malloc_fail_count >= 4);
	/* And back: the heap is as good as before. */
	for (size_t i = 0; i < count; ++i)
		free(blocks[i]);
	(void)malloc_trim(0);
	CHILD_CHECK(exhaust(blocks) > 0);
}

static void malloc_goes_on_to_the_end_of_the_heap_and_then_returns_null(void **state)
{
	check_in_child(state, malloc_until_the_end);
}

static void *do_nothing(void *user)
{
	return user;
}

static void create_threads(void *user)
{
	pthread_t thread;

	(void)user;
	/* A stack that has been used stays at hand, so that only the task is missing. */
	CHILD_CHECK(pthread_create(&thread, NULL, do_nothing, NULL) == 0);
	CHILD_CHECK(pthread_join(thread, NULL) == 0);
	seal_now();
	CHILD_CHECK(pthread_create(&thread, NULL, do_nothing, NULL) == EAGAIN);
	(void)exhaust(blocks);
	CHILD_CHECK(pthread_create(&thread, NULL, do_nothing, NULL) == EAGAIN);
}

static void create_the_first_thread(void *user)
{
	pthread_t thread;

	(void)user;
	seal_now();
	CHILD_CHECK(pthread_create(&thread, NULL, do_nothing, NULL) == EAGAIN);
}

static void thread_creation_fails_with_eagain(void **state)
{
	check_in_child(state, create_threads);
	check_in_child(state, create_the_first_thread);
}

static int resolve(const char *node, const char *service, int flags)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
	struct addrinfo *list = NULL;
	int result = getaddrinfo(node, service, &hints, &list);

	if (result == 0)
		freeaddrinfo(list);
	return result;
}

static void resolve_names(void *user)
{
	(void)user;
	seal_now();
	CHILD_CHECK(resolve("localhost", "80", 0) == EAI_MEMORY);
	CHILD_CHECK(resolve("no-such-host.invalid", "80", 0) == EAI_MEMORY);
	CHILD_CHECK(resolve("127.0.0.1", "http", 0) == EAI_MEMORY);
	CHILD_CHECK(getaddrinfo("localhost", NULL, NULL, &(struct addrinfo *){NULL}) == EAI_MEMORY);
	CHILD_CHECK(resolve("127.0.0.1", "80", 0) == 0);
	CHILD_CHECK(resolve("::1", "80", 0) == 0);
	CHILD_CHECK(resolve(NULL, "80", AI_PASSIVE) == 0);
	CHILD_CHECK(resolve("localhost", "80", AI_NUMERICHOST) == EAI_NONAME);
	(void)exhaust(blocks);
	CHILD_CHECK(resolve("localhost", "80", 0) == EAI_MEMORY);
	CHILD_CHECK(resolve("127.0.0.1", "80", 0) == EAI_MEMORY);
}

static void names_are_refused_and_numbers_are_not(void **state)
{
	check_in_child(state, resolve_names);
}

static void names_resolve_before_the_seal(void **state)
{
	(void)state;
	assert_int_equal(resolve("127.0.0.1", "80", 0), 0);
	/* What a number is not, NSS is asked; there is always a file of hosts or an error of its.
	 */
	assert_int_not_equal(resolve("no-such-host.invalid", "80", AI_NUMERICHOST), EAI_MEMORY);
}

static void load_a_library(void *user)
{
	void *library = dlopen("libanl.so.1", RTLD_NOW);

	(void)user;
	/* It is there, as another of the C library's own is. */
	CHILD_CHECK(library != NULL);
	seal_now();
	CHILD_CHECK(dlopen("libutil.so.1", RTLD_NOW) == NULL);
	CHILD_CHECK(dlerror() != NULL);
}

static void a_library_is_not_loaded(void **state)
{
	check_in_child(state, load_a_library);
}

static void start_a_program(void *user)
{
	(void)user;
	seal_now();
	CHILD_CHECK(popen("true", "r") == NULL); /* NOLINT(cert-env33-c) */
	CHILD_CHECK(fork() == -1 && errno == EAGAIN);
}

static void a_program_is_not_started(void **state)
{
	check_in_child(state, start_a_program);
}

static pthread_barrier_t barrier;

static void *map_after_the_seal(void *user)
{
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	*(bool *)user = can_map();
	return NULL;
}

static void seal_with_a_thread(void *user)
{
	bool could_map = true;
	pthread_t thread;

	(void)user;
	pthread_barrier_init(&barrier, NULL, 2);
	CHILD_CHECK(pthread_create(&thread, NULL, map_after_the_seal, &could_map) == 0);
	pthread_barrier_wait(&barrier);
	seal_now();
	pthread_barrier_wait(&barrier);
	CHILD_CHECK(pthread_join(thread, NULL) == 0);
	CHILD_CHECK(!could_map);
}

static void threads_that_are_there_are_sealed_too(void **state)
{
	check_in_child(state, seal_with_a_thread);
}

static unsigned char never_written[1 << 20];

static void touch_everything(void *user)
{
	unsigned char *mapped = mmap(NULL, sizeof(never_written), PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *shared = mmap(NULL, sizeof(never_written), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t before;

	(void)user;
	CHILD_CHECK(mapped != MAP_FAILED && shared != MAP_FAILED);
	seal_now();
	before = zgi_fixture_status("VmRSS:");
	for (size_t i = 0; i < sizeof(never_written); i += 4096) {
		((volatile unsigned char *)never_written)[i] = 1;
		((volatile unsigned char *)mapped)[i] = 1;
		((volatile unsigned char *)shared)[i] = 1;
	}
	CHILD_CHECK(zgi_fixture_status("VmRSS:") <= before + 64);
}

static void every_page_that_can_be_written_is_there_already(void **state)
{
	check_in_child(state, touch_everything);
}

/* Each call takes 4 KiB of stack. */
static unsigned __attribute__((noinline)) descend(unsigned depth)
{
	volatile unsigned char frame[4096];

	frame[0] = (unsigned char)depth;
	if (depth > 0)
		frame[1] = (unsigned char)descend(depth - 1);
	return frame[0];
}

static void descend_as_deep_as_reserved(void *user)
{
	uint64_t before;

	(void)user;
	seal_now();
	before = zgi_fixture_status("VmStk:");
	(void)descend(48);
	CHILD_CHECK(zgi_fixture_status("VmStk:") == before);
}

static void descend_for_ever(void *user)
{
	(void)user;
	seal_now();
	(void)descend(1000);
}

static void the_first_stack_has_what_it_needs_and_grows_no_more(void **state)
{
	int status;

	check_in_child(state, descend_as_deep_as_reserved);
	status = zgi_fixture_run(descend_for_ever, NULL);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void fail_an_assertion(void *user)
{
	void *stack[16];

	(void)user;
	seal_now();
	(void)exhaust(blocks);
	CHILD_CHECK(backtrace(stack, 16) > 2);
	/* Not on the test's output. */
	close(STDERR_FILENO);
	backtrace_symbols_fd(stack, 2, STDERR_FILENO);
	zg_assert(!"what cannot be");
}

static void a_crash_is_told_as_ever(void **state)
{
	int status;

	if (*state == NULL)
		skip();
	status = zgi_fixture_run(fail_an_assertion, NULL);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void seal_twice(void *user)
{
	(void)user;
	seal_now();
	zg_unseal();
	CHILD_CHECK(!can_map());
	free(malloc(100));
	seal_now();
	zg_unseal();
	CHILD_CHECK(zg_seal(ZG_SEAL_COUNT) == 0);
	CHILD_CHECK(!can_map());
}

static void unsealing_opens_the_counters_and_not_the_kernel(void **state)
{
	check_in_child(state, seal_twice);
}

static void seal_as_nobody(void *user)
{
	(void)user;
	if (geteuid() == 0)
		CHILD_CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
	seal_now();
	CHILD_CHECK(!can_map());
}

static void no_privilege_is_needed(void **state)
{
	check_in_child(state, seal_as_nobody);
}

static rlim_t limit_of(int resource)
{
	struct rlimit limit = {0, 0};

	CHILD_CHECK(getrlimit((__rlimit_resource_t)resource, &limit) == 0);
	return limit.rlim_cur;
}

/* As a container does that lets nobody have a filter. */
static void forbid_filters(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	CHILD_CHECK(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(seccomp), 0) == 0);
	CHILD_CHECK(seccomp_load(filter) == 0);
	seccomp_release(filter);
}

static void seal_without_seccomp(void *user)
{
	(void)user;
	forbid_filters();
	CHILD_CHECK(zg_seal_prepare(ZG_SEAL_KERNEL) == -EOPNOTSUPP);
	CHILD_CHECK(zg_seal(ZG_SEAL_KERNEL) == -EOPNOTSUPP);
	CHILD_CHECK(can_map());
	CHILD_CHECK(zg_seal(ZG_SEAL_COUNT) == 0);
}

static void seal_that_is_forbidden_late(void *user)
{
	rlim_t before = limit_of(RLIMIT_DATA);

	(void)user;
	CHILD_CHECK(zg_seal_prepare(ZG_SEAL_KERNEL) == 0);
	forbid_filters();
	CHILD_CHECK(zg_seal(ZG_SEAL_KERNEL) == -EPERM);
	CHILD_CHECK(limit_of(RLIMIT_DATA) == before);
	CHILD_CHECK(can_map());
}

static void *have_a_filter_of_its_own(void *user)
{
	(void)user;
	forbid_filters();
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}

static void seal_with_a_thread_that_cannot_follow(void *user)
{
	pthread_t thread;

	(void)user;
	pthread_barrier_init(&barrier, NULL, 2);
	CHILD_CHECK(pthread_create(&thread, NULL, have_a_filter_of_its_own, NULL) == 0);
	pthread_barrier_wait(&barrier);
	CHILD_CHECK(zg_seal(ZG_SEAL_KERNEL) == -EBUSY);
	CHILD_CHECK(can_map());
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
}

static void a_seal_that_is_not_to_be_had_leaves_nothing_behind(void **state)
{
	check_in_child(state, seal_without_seccomp);
	check_in_child(state, seal_that_is_forbidden_late);
	check_in_child(state, seal_with_a_thread_that_cannot_follow);
}

static void a_sanitizer_has_no_kernel_seal(void **state)
{
	(void)state;
	if (ZGI_SEAL_HAS_SANITIZER)
		assert_int_equal(zg_seal(ZG_SEAL_KERNEL), -EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malloc_goes_on_to_the_end_of_the_heap_and_then_returns_null),
		cmocka_unit_test(thread_creation_fails_with_eagain),
		cmocka_unit_test(names_are_refused_and_numbers_are_not),
		cmocka_unit_test(names_resolve_before_the_seal),
		cmocka_unit_test(a_library_is_not_loaded),
		cmocka_unit_test(a_program_is_not_started),
		cmocka_unit_test(threads_that_are_there_are_sealed_too),
		cmocka_unit_test(every_page_that_can_be_written_is_there_already),
		cmocka_unit_test(the_first_stack_has_what_it_needs_and_grows_no_more),
		cmocka_unit_test(a_crash_is_told_as_ever),
		cmocka_unit_test(unsealing_opens_the_counters_and_not_the_kernel),
		cmocka_unit_test(no_privilege_is_needed),
		cmocka_unit_test(a_seal_that_is_not_to_be_had_leaves_nothing_behind),
		cmocka_unit_test(a_sanitizer_has_no_kernel_seal),
	};

	return cmocka_run_group_tests(tests, is_to_be_had, NULL);
}
