/*
 * Scan variants: what scan.c chooses from. A variant is declared only where it is
 * compiled.
 */
#ifndef ZEROG_HTTP_SCAN_VARIANTS_H
#define ZEROG_HTTP_SCAN_VARIANTS_H

#include "http/scan.h"

#if defined(__x86_64__)
extern const struct zgi_http_scan zgi_http_scan_sse2;
extern const struct zgi_http_scan zgi_http_scan_avx2;
#elif defined(__aarch64__)
extern const struct zgi_http_scan zgi_http_scan_neon;
#endif

#endif
