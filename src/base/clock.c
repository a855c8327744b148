/*
 * The clock that timeouts and meters are measured with. It goes through the
 * vDSO, so reading it is no system call.
 */
#include "base/clock.h"

#include <time.h>

#include "base/assert.h"

#define CLOCK_NS_PER_S UINT64_C(1000000000)

static uint64_t clock_read(clockid_t clock)
{
	struct timespec now;
	int result = clock_gettime(clock, &now);

	zg_assert(result == 0);
	return (uint64_t)now.tv_sec * CLOCK_NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t zgi_clock_ns(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

uint64_t zgi_clock_coarse_ns(void)
{
	return clock_read(CLOCK_MONOTONIC_COARSE);
}
