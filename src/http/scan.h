/*
 * Scan: find the first byte of a kind, 16 or 32 at a time.
 *
 * Each has a scalar twin that the tests hold it against; which one runs is chosen
 * once, at the first zgi_http_scan_init(), by what the processor can do.
 */
#ifndef ZEROG_HTTP_SCAN_H
#define ZEROG_HTTP_SCAN_H

#include <stddef.h>

struct zgi_http_scan {
	const char *name; /* "scalar", "sse2", "avx2", "neon" */
	/* The first byte that may not stand in a field value: a control byte other than HTAB,
	 * DEL included. Returns its offset, or size. */
	size_t (*value_end)(const char *data, size_t size);
	/* The first byte that may not stand in a request target: a control byte, a space, DEL, or
	 * a byte of 0x80 and more. */
	size_t (*target_end)(const char *data, size_t size);
	/* The first byte that is not a token's (RFC 9110, section 5.6.2). */
	size_t (*token_end)(const char *data, size_t size);
};

extern const struct zgi_http_scan zgi_http_scan_scalar;

/* The best that this processor has; scalar until zgi_http_scan_init() was called. */
extern struct zgi_http_scan zgi_http_scan;

/* Boot only; calling it again changes nothing. */
void zgi_http_scan_init(void);

/* Every variant this build and this processor have, the scalar one first; for tests and benches.
 * Returns how many; NULL-terminated. */
size_t zgi_http_scan_variants(const struct zgi_http_scan **ret_variants, size_t count_max);

#endif
