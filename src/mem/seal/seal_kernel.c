/*
 * Three locks on one door.
 *
 * Every writable page is faulted in, so that what is mapped cannot grow. A filter
 * refuses the calls that map more. And the limits on addresses, on data and on the
 * stack are set to what is used, which holds against calls that the filter does
 * not know, and against the first thread's stack, which grows without a call.
 *
 * The limits alone would do for most, but who may raise them could undo them, and
 * they say nothing of the kernel's own memory; the filter alone knows no stack.
 */
#include "mem/seal/seal_kernel.h"

#include <errno.h>
#include <stdint.h>
#include <sys/resource.h>

#include "base/assert.h"
#include "base/file.h"
#include "mem/seal/seal_filter.h"
#include "mem/seal/seal_names.h"
#include "mem/seal/seal_populate.h"
#include "mem/seal/seal_state.h"

#define KERNEL_STATUS_SIZE_MAX 4096
#define KERNEL_KIB 1024

static bool kernel_is_closed;

struct kernel_limit {
	int resource;
	const char *field; /* of /proc/self/status, in KiB: what is used */
	struct rlimit before;
};

static struct kernel_limit kernel_limits[] = {
	{.resource = RLIMIT_AS, .field = "VmSize:"},
	{.resource = RLIMIT_DATA, .field = "VmData:"},
	{.resource = RLIMIT_STACK, .field = "VmStk:"},
};

#define KERNEL_LIMIT_COUNT (sizeof(kernel_limits) / sizeof(kernel_limits[0]))

static void kernel_limits_restore(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int result = setrlimit((__rlimit_resource_t)kernel_limits[i].resource,
				       &kernel_limits[i].before);

		/* It was there before, so it is no higher than allowed. */
		zg_assert(result == 0);
	}
}

static int kernel_limit_set(struct kernel_limit *limit, const char *status)
{
	struct rlimit now;
	uint64_t used;
	int result = zgi_file_field(status, limit->field, &used);

	if (result < 0)
		return result;
	if (getrlimit((__rlimit_resource_t)limit->resource, &limit->before) < 0)
		return -errno;
	/* The hard limit stays, so that a seal that fails leaves nothing behind; the filter keeps
	 * anybody from going back to it. */
	now = limit->before;
	if (used * KERNEL_KIB < now.rlim_cur)
		now.rlim_cur = used * KERNEL_KIB;
	return setrlimit((__rlimit_resource_t)limit->resource, &now) < 0 ? -errno : 0;
}

static int kernel_limits_set(void)
{
	char status[KERNEL_STATUS_SIZE_MAX];
	int result = zgi_file_read("/proc/self/status", status, sizeof(status), NULL);

	for (size_t i = 0; i < KERNEL_LIMIT_COUNT && result == 0; i++) {
		result = kernel_limit_set(&kernel_limits[i], status);
		if (result < 0)
			kernel_limits_restore(i);
	}
	return result;
}

int zgi_seal_kernel_prepare(void)
{
	int result;

	/* A sanitizer's allocator maps memory whenever it likes, and does not survive a refusal. */
	if (ZGI_SEAL_HAS_SANITIZER)
		return -EOPNOTSUPP;
	if (kernel_is_closed)
		return 0;
	result = zgi_seal_filter_prepare();
	if (result < 0)
		return result;
	zgi_seal_names_prepare();
	zgi_seal_stack_reserve();
	return zgi_seal_populate();
}

int zgi_seal_kernel_close(void)
{
	int result;

	if (kernel_is_closed)
		return 0;
	/* Again: what was mapped since the plan was made. */
	result = zgi_seal_populate();
	if (result < 0)
		return result;
	result = kernel_limits_set();
	if (result < 0)
		return result;
	result = zgi_seal_filter_install();
	if (result < 0) {
		kernel_limits_restore(KERNEL_LIMIT_COUNT);
		return result;
	}
	__atomic_store_n(&kernel_is_closed, true, __ATOMIC_RELEASE);
	return 0;
}

bool zgi_seal_kernel_is_closed(void)
{
	return __atomic_load_n(&kernel_is_closed, __ATOMIC_ACQUIRE);
}
