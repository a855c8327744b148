/*
 * Where the guest heap lies: what a hook must know to tell its blocks from others'.
 */
#ifndef ZEROG_MEM_GUEST_GUEST_RANGE_H
#define ZEROG_MEM_GUEST_GUEST_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Written once, at boot, before there is a second thread that allocates. */
extern uintptr_t zgi_guest_start;
extern size_t zgi_guest_size; /* bytes; 0: there is no guest heap */

static inline bool zgi_guest_is_reserved(void)
{
	return zgi_guest_size > 0;
}

static inline bool zgi_guest_owns(const void *memory)
{
	/* Unsigned: an address below wraps to a huge offset. */
	return (uintptr_t)memory - zgi_guest_start < zgi_guest_size;
}

/**
 * zgi_guest_map() - map and fault in a range below ZGI_MIMALLOC_ADDRESS_BITS
 * @size:        bytes, whole pages
 * @ret_memory:  aligned to ZGI_MIMALLOC_GRAIN, zeroed; untouched on failure
 *
 * Return: 0; -ENOMEM.
 */
int zgi_guest_map(size_t size, void **ret_memory);

#endif
