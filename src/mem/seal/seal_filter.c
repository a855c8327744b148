/*
 * From the table of rules to a filter, in two steps.
 *
 * libseccomp makes the program at boot; it knows every architecture's numbers, and
 * that a call may come by another architecture's entry. Making it allocates, so it
 * is written out there and then, and what the seal does is one system call.
 */
#include "mem/seal/seal_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"
#include "mem/seal/seal_rules.h"

#define FILTER_INSTRUCTIONS_MAX 1024

static struct sock_filter filter_program[FILTER_INSTRUCTIONS_MAX];
static unsigned short filter_length; /* instructions; 0 until it is made */

/* Is the call there on this architecture? It is not when libseccomp gives it a number below 0. */
static bool filter_number(const struct zgi_seal_rule *rule, int *ret_number)
{
	int number = seccomp_syscall_resolve_name(rule->name);

	if (number == __NR_SCMP_ERROR && rule->number > 0)
		number = rule->number;
	zg_assert(number != __NR_SCMP_ERROR);
	if (number < 0)
		return false;
	*ret_number = number;
	return true;
}

/* A rule about calls of which one argument compares as told. */
static int filter_add_compared(scmp_filter_ctx context, uint32_t action, int number,
			       struct scmp_arg_cmp compared)
{
	return seccomp_rule_add_array(context, action, number, 1, &compared);
}

static int filter_add_ring(scmp_filter_ctx context, int number, uint32_t action)
{
	struct scmp_arg_cmp compared = {.arg = 1, .op = SCMP_CMP_EQ};
	int result = 0;

	for (uint32_t operation = 0; operation < ZGI_SEAL_RING_OPERATION_MAX && result == 0;
	     operation++) {
		compared.datum_a = operation;
		if (!zgi_seal_ring_allows(operation))
			result = filter_add_compared(context, action, number, compared);
	}
	if (result < 0)
		return result;
	/* The flag for rings without a descriptor is a high bit, and so refused here as well. */
	compared.op = SCMP_CMP_GE;
	compared.datum_a = ZGI_SEAL_RING_OPERATION_MAX;
	return filter_add_compared(context, action, number, compared);
}

static int filter_add(scmp_filter_ctx context, const struct zgi_seal_rule *rule)
{
	const uint32_t action = SCMP_ACT_ERRNO(rule->error);
	struct scmp_arg_cmp compared = {.arg = rule->argument};
	int number;

	if (!filter_number(rule, &number))
		return 0;
	switch ((enum zgi_seal_match)rule->match) {
	case ZGI_SEAL_ANY:
		return seccomp_rule_add_array(context, action, number, 0, NULL);
	case ZGI_SEAL_NOT_ZERO:
		compared.op = SCMP_CMP_NE;
		break;
	case ZGI_SEAL_HAS_BITS:
		compared.op = SCMP_CMP_MASKED_EQ;
		compared.datum_a = rule->value;
		compared.datum_b = rule->value;
		break;
	case ZGI_SEAL_EQUALS:
		/* The kernel takes 32 bits of it, so more must not tell two calls apart. */
		compared.op = SCMP_CMP_MASKED_EQ;
		compared.datum_a = UINT32_MAX;
		compared.datum_b = rule->value;
		break;
	case ZGI_SEAL_RING:
		return filter_add_ring(context, number, action);
	}
	return filter_add_compared(context, action, number, compared);
}

static int filter_fill(scmp_filter_ctx context)
{
	const struct zgi_seal_rule *rules;
	size_t count;
	int result;

	/* Calls by another architecture's entry, and x32's, would have other numbers. */
	result = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	if (result < 0)
		return result;
	rules = zgi_seal_rules(&count);
	for (size_t i = 0; i < count && result == 0; i++)
		result = filter_add(context, &rules[i]);
	for (int number = ZGI_SEAL_UNKNOWN_FIRST; number <= ZGI_SEAL_UNKNOWN_LAST && result == 0;
	     number++)
		result = seccomp_rule_add_array(context, SCMP_ACT_ERRNO(ENOSYS), number, 0, NULL);
	return result;
}

/* libseccomp writes its program to a descriptor only. */
static int filter_export(scmp_filter_ctx context)
{
	ssize_t size;
	int fd = memfd_create("zerog-seal", MFD_CLOEXEC);
	int result;

	if (fd < 0)
		return -errno;
	result = seccomp_export_bpf(context, fd);
	if (result == 0) {
		size = pread(fd, filter_program, sizeof(filter_program), 0);
		if (size < 0)
			result = -errno;
		else
			filter_length = (unsigned short)((size_t)size / sizeof(filter_program[0]));
		/* A full table may have been cut. */
		zg_assert(filter_length < FILTER_INSTRUCTIONS_MAX);
	}
	close(fd);
	return result;
}

static bool filter_is_possible(void)
{
	uint32_t action = SECCOMP_RET_ERRNO;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

int zgi_seal_filter_prepare(void)
{
	scmp_filter_ctx context;
	int result;

	if (filter_length > 0)
		return 0;
	if (!filter_is_possible())
		return -EOPNOTSUPP;
	context = seccomp_init(SCMP_ACT_ALLOW);
	if (context == NULL)
		return -ENOMEM;
	result = filter_fill(context);
	if (result == 0)
		result = filter_export(context);
	seccomp_release(context);
	return result;
}

int zgi_seal_filter_install(void)
{
	const struct sock_fprog program = {.len = filter_length, .filter = filter_program};
	/* The filter is no wall around hostile code: without the flag, kernels before 5.16 would
	 * make every speculative load wait. */
	const unsigned flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	long result;

	zg_assert(filter_length > 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (result < 0)
		return -errno;
	/* The thread that could not follow. */
	return result > 0 ? -EBUSY : 0;
}
