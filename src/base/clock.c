/*
 * The clock that timeouts and meters are measured with. It goes through the
 * vDSO, so reading it is no system call.
 */
#include "base/clock.h"

#include <time.h>

#include "base/assert.h"

#define CLOCK_NS_PER_S UINT64_C(1000000000)

uint64_t zgi_clock_ns(void)
{
	struct timespec now;
	int result = clock_gettime(CLOCK_MONOTONIC, &now);

	zg_assert(result == 0);
	return (uint64_t)now.tv_sec * CLOCK_NS_PER_S + (uint64_t)now.tv_nsec;
}
