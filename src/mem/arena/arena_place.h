/*
 * Places: where in its memory an arena puts what it hands out.
 *
 * What an arena may hold is decided here, for both ways of handing out: arena.c
 * gives the place itself, arena_malloc.c a malloc that stands for it. So a program
 * meets the same limits at the same allocations in either build.
 */
#ifndef ZEROG_MEM_ARENA_ARENA_PLACE_H
#define ZEROG_MEM_ARENA_ARENA_PLACE_H

#include <zerog/arena.h>

#include "base/assert.h"
#include "base/counter.h"

#define ZGI_ARENA_MAGIC UINT32_C(0x6e657261)
#define ZGI_ARENA_CHUNK_MAGIC UINT32_C(0x6b6e6863)

struct zg_arena_chunk {
	uint32_t magic;
	zg_handle handle; /* of the pool's block that this chunk is */
	struct zg_arena_chunk *next; /* the chunk before this one; NULL: the first memory */
	uint64_t left_size; /* the arena's, before this chunk was begun */
};

/* The header is padded so that the payload behind it is aligned. */
#define ZGI_ARENA_HEADER_SIZE                                       \
	((sizeof(struct zg_arena_chunk) + ZG_ARENA_ALIGNMENT - 1) & \
	 ~(size_t)(ZG_ARENA_ALIGNMENT - 1))

static inline size_t zgi_arena_round_down(size_t size)
{
	return size & ~(size_t)(ZG_ARENA_ALIGNMENT - 1);
}

/* The cursor is read by those who ask for the usage, from any thread. */
static inline void zgi_arena_move(struct zg_arena *arena, unsigned char *cursor)
{
	__atomic_store_n(&arena->cursor, cursor, __ATOMIC_RELAXED);
}

/* The bytes handed out of the current chunk begin here; NULL where there is no memory yet. */
static inline unsigned char *zgi_arena_start(const struct zg_arena *arena)
{
	return arena->chunk_newest == NULL
		       ? arena->memory
		       : (unsigned char *)arena->chunk_newest + ZGI_ARENA_HEADER_SIZE;
}

/* Bytes that `cursor` lacks to an alignment, which is a power of two. */
static inline size_t zgi_arena_padding(const unsigned char *cursor, uint32_t alignment)
{
	return (size_t) - (uintptr_t)cursor & (alignment - 1);
}

/* Bytes of room in a chunk of this arena, which has a pool of them. */
static inline size_t zgi_arena_chunk_size(const struct zg_arena *arena)
{
	return zg_arena_chunk_payload(arena->chunks->block_size_asked);
}

static inline bool zgi_arena_alignment_is_valid(uint32_t alignment)
{
	return alignment != 0 && (alignment & (alignment - 1)) == 0 &&
	       alignment <= ZG_ARENA_ALIGNMENT_MAX;
}

/* Does an allocation fit behind the cursor? An arena without first memory has no address to give
 * before its first chunk. */
static inline bool zgi_arena_fits(const struct zg_arena *arena, size_t padding, size_t size)
{
	size_t room = (size_t)(arena->limit - arena->cursor);

	return padding <= room && size <= room - padding && arena->cursor != NULL;
}

/**
 * zgi_arena_grow() - go on in a new chunk
 * @arena:      initialised
 * @size:       bytes that the new chunk must have room for
 * @alignment:  valid; of their first
 * @site:       the return address of who asks; a tracked pool keeps it
 *
 * Return: 0; -EMSGSIZE or -ENOMEM as zg_arena_alloc(), which is counted.
 */
ZG_MUST_USE int zgi_arena_grow(struct zg_arena *arena, size_t size, uint32_t alignment,
			       const void *site);

/* zg_arena_alloc() on behalf of a caller, known by its return address. */
ZG_MUST_USE int zgi_arena_alloc_for(struct zg_arena *arena, size_t size, const void *site,
				    void **ret_memory);

/* zg_arena_resize() in the same way. */
ZG_MUST_USE int zgi_arena_resize_for(struct zg_arena *arena, struct zg_arena_span *span,
				     size_t size, const void *site);

/* Counts bytes that are about to be taken back towards the most that was ever handed out. */
void zgi_arena_note_live(struct zg_arena *arena);

/* Runs the cleanups that were registered since a savepoint. */
void zgi_arena_run_cleanups(struct zg_arena *arena, const struct zg_arena_savepoint *savepoint);

/* Gives the chunks begun since a savepoint back, and goes on where it was made. */
void zgi_arena_return_to(struct zg_arena *arena, const struct zg_arena_savepoint *savepoint);

#endif
