/*
 * Slice: a run of bytes that somebody else owns.
 *
 * Requests are parsed in place, so what an application sees of one is slices
 * into the exchange's read buffer: not NUL-terminated, valid until the exchange
 * is given back (which is when its handler has replied).
 */
#ifndef ZEROG_SLICE_H
#define ZEROG_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <zerog/attributes.h>

ZG_BEGIN_DECLS

struct zg_slice {
	const char *data; /* borrowed; may be NULL when size is 0 */
	size_t size; /* bytes */
};

/* A slice of a string literal, its size known at compile time. */
#define ZG_SLICE(literal)                       \
	(struct zg_slice)                       \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	}

/**
 * zg_slice_equals() - compare two slices byte by byte
 * @a:  any slice
 * @b:  any slice
 *
 * Return: true when sizes and bytes are equal. Any thread.
 */
static inline bool zg_slice_equals(struct zg_slice a, struct zg_slice b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/**
 * zg_slice_equals_nocase() - compare two slices, ASCII letters without case
 * @a:  any slice
 * @b:  any slice
 *
 * Return: true when equal but for the case of A to Z. Any thread.
 */
bool zg_slice_equals_nocase(struct zg_slice a, struct zg_slice b);

ZG_END_DECLS

#endif
