/*
 * Differences are gathered, and looked at once at the end. The compiler must not see
 * through it: what it could know of the sum so far, it could leave the loop by.
 */
#include "base/constant_time.h"

#include <stdint.h>

bool zgi_equal_constant_time(const void *a, const void *b, size_t size)
{
	const unsigned char *first = a;
	const unsigned char *second = b;
	uint32_t difference = 0;

	for (size_t index = 0; index < size; index++) {
		difference |= (uint32_t)(first[index] ^ second[index]);
		__asm__("" : "+r"(difference));
	}
	return difference == 0;
}
