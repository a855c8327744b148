/*
 * Comparison of slices without case, for header names and tokens: ASCII only, so
 * that no locale ever changes what a request means.
 */
#include <zerog/slice.h>

#include "base/assert.h"

static unsigned char slice_lower(unsigned char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte | 0x20) : byte;
}

bool zg_slice_equals_nocase(struct zg_slice a, struct zg_slice b)
{
	zg_assert(a.data != NULL || a.size == 0);
	zg_assert(b.data != NULL || b.size == 0);

	if (a.size != b.size)
		return false;
	for (size_t i = 0; i < a.size; ++i) {
		if (slice_lower((unsigned char)a.data[i]) != slice_lower((unsigned char)b.data[i]))
			return false;
	}
	return true;
}
