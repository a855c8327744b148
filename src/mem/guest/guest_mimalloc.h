/*
 * What the guest heap asks of the mimalloc inside it, and mimalloc of the guest heap.
 */
#ifndef ZEROG_MEM_GUEST_GUEST_MIMALLOC_H
#define ZEROG_MEM_GUEST_GUEST_MIMALLOC_H

#include <stdbool.h>
#include <stddef.h>

#define ZGI_MIMALLOC_SLICE_SIZE ((size_t)16 << 10)
#define ZGI_MIMALLOC_GRAIN ((size_t)4 << 20) /* an arena is so large, or a multiple of it */
#define ZGI_MIMALLOC_ARENA_SIZE_MAX \
	((size_t)256 << 20) /* what one arena's own bitmaps can tell of */

/* Addresses above 512 GiB are not in its map, which is 32 KiB for those below and 8 MiB for all.
 * Below it is also what TSan leaves of low addresses to the program. */
#define ZGI_MIMALLOC_ADDRESS_BITS 39

/* Slices whose pages are found through one part of the map, and that part's size. */
#define ZGI_MIMALLOC_MAP_SPAN ((size_t)128 << 20)
#define ZGI_MIMALLOC_MAP_SIZE ((size_t)64 << 10)

/* Start it, once a process. It has no memory yet but what zgi_guest_prim_lend() has lent. */
void zgi_mimalloc_start(void);

/* Give it memory to serve from, for good: zeroed, a multiple of the grain. */
bool zgi_mimalloc_add(void *memory, size_t size);

/* Bytes of the slices that are in use, its own bookkeeping included. Any thread. */
size_t zgi_mimalloc_held(void);

/* Lend it memory for what it would ask of the operating system: zeroed, whole pages. */
void zgi_guest_prim_lend(void *memory, size_t size);

#endif
