/*
 * Constant time: comparison of secrets, whose time tells nothing of their bytes.
 */
#ifndef ZEROG_BASE_CONSTANT_TIME_H
#define ZEROG_BASE_CONSTANT_TIME_H

#include <stdbool.h>
#include <stddef.h>

/**
 * zgi_equal_constant_time() - are two runs of bytes of one size equal?
 * @a:     size bytes; may be NULL when that is 0
 * @b:     as @a
 * @size:  bytes
 *
 * All bytes are looked at, whatever they are. Any thread.
 */
bool zgi_equal_constant_time(const void *a, const void *b, size_t size);

#endif
