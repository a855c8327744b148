/*
 * Random: bytes that nobody can foretell.
 */
#ifndef ZEROG_BASE_RANDOM_H
#define ZEROG_BASE_RANDOM_H

#include <stddef.h>

#define ZGI_RANDOM_SIZE_MAX 256 /* so many at once are never cut short: getrandom(2) */

/**
 * zgi_random_fill() - bytes of the kernel's generator
 * @bytes:  written to
 * @size:   bytes, at most ZGI_RANDOM_SIZE_MAX
 *
 * Waits only where the machine has just been switched on and has gathered no randomness yet. Any
 * thread; makes no allocation. Source: getrandom(2).
 */
void zgi_random_fill(void *bytes, size_t size);

#endif
