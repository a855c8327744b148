/*
 * mimalloc, compiled as one file, and what only its inside can tell.
 *
 * That is how its own authors build it for embedding. Nothing is replaced, but the
 * part that talks to the operating system is ours (guest_prim.c). Slices are 16 KiB
 * rather than 64: a thread takes one for each size class that it uses, and a guest
 * heap is meant to be small.
 */
#include <zerog_mimalloc.h>

#ifdef ZGI_HAS_SANITIZER
#include <stddef.h>
#include <string.h>

/* A sanitizer stands in front of the C library's own, and minds what is poisoned for others. */
static void mimalloc_copy(void *destination, const void *source, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((volatile unsigned char *)destination)[i] = ((const unsigned char *)source)[i];
}

static void mimalloc_fill(void *destination, int value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((volatile unsigned char *)destination)[i] = (unsigned char)value;
}

#define memcpy mimalloc_copy
#define memset mimalloc_fill
#endif

#include <mimalloc.h>
#include <mimalloc/internal.h>

/* The order of mimalloc's own static.c. */
#include <alloc.c>

#include <alloc-aligned.c>
#include <arena.c>

#include <arena-meta.c>
#include <bitmap.c>
#include <heap.c>
#include <init.c>
#include <libc.c>
#include <options.c>
#include <os.c>
#include <page.c>

#include <page-map.c>
#include <random.c>
#include <stats.c>
#include <theap.c>
#include <threadlocal.c>

#include "mem/guest/guest_mimalloc.h"

_Static_assert(MI_ARENA_SLICE_SIZE == ZGI_MIMALLOC_SLICE_SIZE, "as the build has it");
_Static_assert(MI_ARENA_MIN_SIZE == ZGI_MIMALLOC_GRAIN, "as the build has it");

void zgi_mimalloc_start(void)
{
	/* Neither the environment nor another caller has a say in these. */
	mi_option_set(mi_option_disallow_os_alloc, 1);
	mi_option_set(mi_option_arena_reserve, 0);
	mi_option_set(mi_option_purge_delay, -1);
	mi_option_set(mi_option_max_vabits, ZGI_MIMALLOC_ADDRESS_BITS);
	_mi_auto_process_init();
}

bool zgi_mimalloc_add(void *memory, size_t size)
{
	const bool is_committed = true;
	const bool is_pinned = true; /* never given back to the kernel for a while */
	const bool is_zero = true;

	return mi_manage_os_memory(memory, size, is_committed, is_pinned, is_zero, -1);
}

size_t zgi_mimalloc_held(void)
{
	mi_subproc_t *subproc = _mi_subproc();
	const size_t count = mi_arenas_get_count(subproc);
	size_t slices = 0;

	for (size_t i = 0; i < count; i++) {
		mi_arena_t *arena = mi_arena_from_index(subproc, i);
		mi_bbitmap_t *free_slices;

		if (arena == NULL)
			continue;
		free_slices = arena->slices_free;
		slices += arena->slice_count;
		for (size_t chunk = 0; chunk < mi_bbitmap_chunk_count(free_slices); chunk++)
			for (size_t field = 0; field < MI_BCHUNK_FIELDS; field++)
				slices -= mi_popcount(mi_atomic_load_relaxed(
					&free_slices->chunks[chunk].bfields[field]));
	}
	return slices * MI_ARENA_SLICE_SIZE;
}
