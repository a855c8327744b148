/*
 * Each number is asked of the kernel, by getrandom(2), and none is made here. A
 * generator of our own (ChaCha20 or AES in counter mode) would be quicker by half a
 * microsecond, which is nothing beside the request that starts a session; and it
 * would keep its key in our memory, from where every later number could be foretold,
 * and need care after a fork and when a virtual machine is resumed twice.
 */
#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

#include "base/assert.h"

void zgi_random_fill(void *bytes, size_t size)
{
	ssize_t result;

	zg_assert(size <= ZGI_RANDOM_SIZE_MAX);
	do {
		result = getrandom(bytes, size, 0);
	} while (result < 0 && errno == EINTR);
	/* It is forbidden by nobody in his senses, and nothing could take its place. */
	zg_assert(result >= 0 && (size_t)result == size);
}
