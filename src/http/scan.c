/*
 * Chooses the scans once, at boot. The chosen functions stand in a plain struct, so
 * that a call is one load and one predicted branch; resolving them in the linker
 * (ifunc) would save the load, but could not be switched by a test.
 */
#include "http/scan.h"

#include <stdbool.h>

#include "base/assert.h"
#include "http/scan_variants.h"

static bool scan_is_initialised;

size_t zgi_http_scan_variants(const struct zgi_http_scan **ret_variants, size_t count_max)
{
	const struct zgi_http_scan *variants[4];
	size_t count = 0;

	variants[count++] = &zgi_http_scan_scalar;
#if defined(__x86_64__)
	variants[count++] = &zgi_http_scan_sse2;
	if (__builtin_cpu_supports("avx2"))
		variants[count++] = &zgi_http_scan_avx2;
#elif defined(__aarch64__)
	variants[count++] = &zgi_http_scan_neon;
#endif
	zg_assert(count < count_max);
	for (size_t index = 0; index < count; index++)
		ret_variants[index] = variants[index];
	ret_variants[count] = NULL;
	return count;
}

void zgi_http_scan_init(void)
{
	const struct zgi_http_scan *variants[5];
	size_t count;

	if (scan_is_initialised)
		return;
	count = zgi_http_scan_variants(variants, sizeof(variants) / sizeof(variants[0]));
	zg_assert(count >= 1);
	/* They are listed from the slowest to the fastest. */
	zgi_http_scan = *variants[count - 1];
	scan_is_initialised = true;
}
