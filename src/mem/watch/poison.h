/*
 * Poison: tells AddressSanitizer which bytes of our own allocators nobody owns.
 *
 * Without it a pool hides its users' mistakes from the tools: to them all of its
 * memory is one live mapping. In builds without ASan these functions are empty.
 */
#ifndef ZEROG_MEM_WATCH_POISON_H
#define ZEROG_MEM_WATCH_POISON_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define ZGI_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ZGI_HAS_ASAN 1
#endif
#endif

#ifdef ZGI_HAS_ASAN
#include <sanitizer/asan_interface.h>

static inline void zgi_poison(const void *memory, size_t size)
{
	__asan_poison_memory_region(memory, size);
}

static inline void zgi_unpoison(const void *memory, size_t size)
{
	__asan_unpoison_memory_region(memory, size);
}
#else
static inline void zgi_poison(const void *memory, size_t size)
{
	(void)memory;
	(void)size;
}

static inline void zgi_unpoison(const void *memory, size_t size)
{
	(void)memory;
	(void)size;
}
#endif

#endif
