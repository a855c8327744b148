/*
 * Assertions, on in release builds too: our own mistakes end the process, with
 * the place and the condition. Bytes from a peer never reach one.
 */
#ifndef ZEROG_BASE_ASSERT_H
#define ZEROG_BASE_ASSERT_H

#include <zerog/attributes.h>

_Noreturn void zgi_assert_failed(const char *condition, const char *file, int line);

#define zg_assert(condition)                                               \
	do {                                                               \
		if (ZG_UNLIKELY(!(condition)))                             \
			zgi_assert_failed(#condition, __FILE__, __LINE__); \
	} while (0)

#endif
