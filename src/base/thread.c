/*
 * A thread's stack is memory as all other is: planned, in a region, and guarded by a
 * page that faults where it would run into its neighbour.
 */
#include "base/thread.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/assert.h"

int zgi_thread_start(const struct zgi_thread_options *options, pthread_t *ret_thread)
{
	pthread_attr_t attributes;
	int result;

	zg_assert(options->stack_size > ZGI_THREAD_GUARD_SIZE);
	if (mprotect(options->stack, ZGI_THREAD_GUARD_SIZE, PROT_NONE) < 0)
		return -errno;
	result = pthread_attr_init(&attributes);
	if (result != 0)
		return -result;
	result = pthread_attr_setstack(&attributes, (char *)options->stack + ZGI_THREAD_GUARD_SIZE,
				       options->stack_size - ZGI_THREAD_GUARD_SIZE);
	if (result == 0)
		result = pthread_create(ret_thread, &attributes, options->run, options->user);
	pthread_attr_destroy(&attributes);
	return -result;
}
