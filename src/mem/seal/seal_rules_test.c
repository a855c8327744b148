/*
 * Every rule of the kernel seal is tried: the call gives memory without the seal, and
 * under it the error of the table, and nothing that is measured grows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zerog/seal.h>

#include "mem/seal/seal_fixture.h"
#include "mem/seal/seal_rules.h"
#include "mem/seal/seal_ways.h"

#define WAYS_MAX 128
#define NEVER_CAME_BACK 1 /* as an execve that succeeds: it gained what it wanted */

/* Shared with the children. */
static long *outcomes;

static const struct zgi_seal_rule *rule_of(const char *name)
{
	size_t count;
	const struct zgi_seal_rule *rules = zgi_seal_rules(&count);

	for (size_t i = 0; i < count; ++i)
		if (strcmp(rules[i].name, name) == 0)
			return &rules[i];
	return NULL;
}

static int share_outcomes(void **state)
{
	(void)state;
	outcomes = mmap(NULL, WAYS_MAX * sizeof(*outcomes), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return outcomes == MAP_FAILED ? -1 : 0;
}

static void take_one_way(void *user)
{
	const struct zgi_seal_way *way = user;
	long *outcome = &outcomes[0];

	*outcome = NEVER_CAME_BACK;
	zgi_seal_ways_prepare();
	*outcome = way->take();
}

static void without_the_seal_each_certain_way_leads_to_more(void **state)
{
	size_t count;
	const struct zgi_seal_way *ways = zgi_seal_ways(&count);

	(void)state;
	for (size_t i = 0; i < count; ++i) {
		struct zgi_seal_way way = ways[i];

		if (!way.is_certain)
			continue;
		assert_int_equal(zgi_fixture_run(take_one_way, &way), 0);
		if (outcomes[0] <= 0)
			fail_msg("%s, %s: %ld without a seal", way.call, way.what, outcomes[0]);
	}
}

static void take_every_way(void *user)
{
	size_t count;
	const struct zgi_seal_way *ways = zgi_seal_ways(&count);
	uint64_t before[3];

	(void)user;
	CHILD_CHECK(count <= WAYS_MAX);
	zgi_seal_ways_prepare();
	CHILD_CHECK(zg_seal(ZG_SEAL_KERNEL) == 0);
	before[0] = zgi_fixture_status("VmSize:");
	before[1] = zgi_fixture_status("VmData:");
	before[2] = zgi_fixture_status("VmRSS:");
	for (size_t i = 0; i < count; ++i)
		outcomes[i] = ways[i].take();
	CHILD_CHECK(zgi_fixture_status("VmSize:") <= before[0]);
	CHILD_CHECK(zgi_fixture_status("VmData:") <= before[1]);
	/* The test's own code, read from its file the first time it runs. */
	CHILD_CHECK(zgi_fixture_status("VmRSS:") <= before[2] + 256);
}

static void each_way_ends_with_the_error_of_its_rule(void **state)
{
	size_t count;
	const struct zgi_seal_way *ways = zgi_seal_ways(&count);

	(void)state;
	if (!zgi_fixture_has_kernel_seal())
		skip();
	memset(outcomes, 0x55, WAYS_MAX * sizeof(*outcomes));
	assert_int_equal(zgi_fixture_run(take_every_way, NULL), 0);
	for (size_t i = 0; i < count; ++i) {
		const struct zgi_seal_rule *rule = rule_of(ways[i].call);

		if (rule == NULL)
			fail_msg("%s has no rule", ways[i].call);
		else if (outcomes[i] != -(long)rule->error)
			fail_msg("%s, %s: %ld, not %d", ways[i].call, ways[i].what, outcomes[i],
				 -rule->error);
	}
}

static void each_rule_is_tried(void **state)
{
	size_t rule_count;
	size_t way_count;
	const struct zgi_seal_rule *rules = zgi_seal_rules(&rule_count);
	const struct zgi_seal_way *ways = zgi_seal_ways(&way_count);

	(void)state;
	for (size_t i = 0; i < rule_count; ++i) {
		size_t at = 0;

		/* Below 0: this architecture has no such call. */
		if (seccomp_syscall_resolve_name(rules[i].name) < 0 && rules[i].number == 0)
			continue;
		while (at < way_count && strcmp(ways[at].call, rules[i].name) != 0)
			at++;
		if (at == way_count)
			fail_msg("nobody tries %s", rules[i].name);
	}
}

static void call_what_is_unknown(void *user)
{
	(void)user;
	CHILD_CHECK(zg_seal(ZG_SEAL_KERNEL) == 0);
	for (long number = ZGI_SEAL_UNKNOWN_FIRST; number <= ZGI_SEAL_UNKNOWN_LAST; ++number)
		CHILD_CHECK(syscall(number, 0, 0, 0) == -1 && errno == ENOSYS);
}

static void a_call_of_the_future_is_not_there(void **state)
{
	(void)state;
	if (!zgi_fixture_has_kernel_seal())
		skip();
	assert_int_equal(zgi_fixture_run(call_what_is_unknown, NULL), 0);
}

#ifdef __x86_64__
static void call_as_x32(void *user)
{
	long result;

	(void)user;
	CHILD_CHECK(zg_seal(ZG_SEAL_KERNEL) == 0);
	result = syscall(0x40000000 | SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHILD_CHECK(result == -1 && errno == ENOSYS);
}

static void call_as_i386(void *user)
{
	long result;

	(void)user;
	CHILD_CHECK(zg_seal(ZG_SEAL_KERNEL) == 0);
	/* mmap2 of 4096 bytes, anywhere. A kernel without that entry ends the process instead. */
	__asm__ volatile("push %%rbp; mov $-1, %%edi; xor %%ebp, %%ebp; int $0x80; pop %%rbp"
			 : "=a"(result)
			 : "a"(192L), "b"(0L), "c"(4096L), "d"((long)(PROT_READ | PROT_WRITE)),
			   "S"((long)(MAP_PRIVATE | MAP_ANONYMOUS))
			 : "memory", "rdi", "r8", "r9", "r10", "r11");
	CHILD_CHECK((int)result == -ENOSYS);
}

static void another_architectures_entry_is_closed(void **state)
{
	int status;

	(void)state;
	if (!zgi_fixture_has_kernel_seal())
		skip();
	assert_int_equal(zgi_fixture_run(call_as_x32, NULL), 0);
	status = zgi_fixture_run(call_as_i386, NULL);
	assert_true(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV));
}
#endif

static void do_what_is_allowed(void *user)
{
	struct rlimit limit;
	void *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)user;
	CHILD_CHECK(memory != MAP_FAILED);
	CHILD_CHECK(zg_seal(ZG_SEAL_KERNEL) == 0);
	CHILD_CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
	CHILD_CHECK(syscall(SYS_brk, NULL) > 0);
	CHILD_CHECK(madvise(memory, 8192, MADV_DONTNEED) == 0);
	CHILD_CHECK(mprotect(memory, 4096, PROT_READ) == 0);
	CHILD_CHECK(munmap(memory, 8192) == 0);
	CHILD_CHECK(dup(STDERR_FILENO) >= 0);
}

static void giving_back_and_asking_are_let_through(void **state)
{
	(void)state;
	if (!zgi_fixture_has_kernel_seal())
		skip();
	assert_int_equal(zgi_fixture_run(do_what_is_allowed, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_the_seal_each_certain_way_leads_to_more),
		cmocka_unit_test(each_way_ends_with_the_error_of_its_rule),
		cmocka_unit_test(each_rule_is_tried),
		cmocka_unit_test(a_call_of_the_future_is_not_there),
#ifdef __x86_64__
		cmocka_unit_test(another_architectures_entry_is_closed),
#endif
		cmocka_unit_test(giving_back_and_asking_are_let_through),
	};

	return cmocka_run_group_tests(tests, share_outcomes, NULL);
}
