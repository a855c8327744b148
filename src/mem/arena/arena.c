/*
 * Arenas: allocation is a comparison and an addition, and nothing is freed on
 * its own.
 *
 * In builds that a tool watches, what has not been handed out is poisoned, and a red zone
 * follows each allocation where there is room for one. What that cannot see,
 * arena_malloc.c shows.
 */
#include "mem/arena/arena_place.h"

#include <errno.h>
#include <string.h>

#include "mem/watch/poison.h"

/* In builds that a tool watches: bytes behind an allocation that belong to none. */
#ifdef ZGI_HAS_POISON
#define ARENA_RED_ZONE_SIZE 16
#else
#define ARENA_RED_ZONE_SIZE 0
#endif

_Static_assert(ARENA_RED_ZONE_SIZE % ZG_ARENA_ALIGNMENT == 0, "a red zone must keep the alignment");

/* Where the next allocation may begin after one that lies in the current chunk. */
static unsigned char *arena_next(const struct zg_arena *arena, unsigned char *memory, size_t size)
{
	/* The limit is aligned, so rounding up never passes it. */
	unsigned char *end = memory + zgi_arena_round_down(size + ZG_ARENA_ALIGNMENT - 1);

	return end + ARENA_RED_ZONE_SIZE <= arena->limit ? end + ARENA_RED_ZONE_SIZE : end;
}

/* Moves the cursor over an allocation that fits. */
static void *arena_advance(struct zg_arena *arena, size_t padding, size_t size)
{
	unsigned char *memory = arena->cursor + padding;

	zgi_arena_move(arena, arena_next(arena, memory, size));
	zgi_unpoison(memory, size);
	return memory;
}

/* Apart, so that the way of most allocations saves no register. */
static int __attribute__((cold, noinline))
arena_alloc_in_new_chunk(struct zg_arena *arena, size_t size, const void *site, void **ret_memory)
{
	int result = zgi_arena_grow(arena, size, ZG_ARENA_ALIGNMENT, site);

	if (result < 0)
		return result;
	*ret_memory = arena_advance(arena, 0, size);
	return 0;
}

int zg_arena_alloc(struct zg_arena *arena, size_t size, void **ret_memory)
{
	zg_assert(arena->magic == ZGI_ARENA_MAGIC);

	if (ZG_UNLIKELY(!zgi_arena_fits(arena, 0, size)))
		return arena_alloc_in_new_chunk(arena, size, __builtin_return_address(0),
						ret_memory);
	*ret_memory = arena_advance(arena, 0, size);
	return 0;
}

int zgi_arena_alloc_for(struct zg_arena *arena, size_t size, const void *site, void **ret_memory)
{
	zg_assert(arena->magic == ZGI_ARENA_MAGIC);

	if (!zgi_arena_fits(arena, 0, size))
		return arena_alloc_in_new_chunk(arena, size, site, ret_memory);
	*ret_memory = arena_advance(arena, 0, size);
	return 0;
}

int zg_arena_alloc_aligned(struct zg_arena *arena, size_t size, uint32_t alignment,
			   void **ret_memory)
{
	size_t padding;

	zg_assert(arena->magic == ZGI_ARENA_MAGIC);
	if (!zgi_arena_alignment_is_valid(alignment))
		return -EINVAL;

	padding = zgi_arena_padding(arena->cursor, alignment);
	if (!zgi_arena_fits(arena, padding, size)) {
		int result = zgi_arena_grow(arena, size, alignment, __builtin_return_address(0));

		if (result < 0)
			return result;
		padding = zgi_arena_padding(arena->cursor, alignment);
	}
	*ret_memory = arena_advance(arena, padding, size);
	return 0;
}

/* Does nothing lie behind an allocation, and was no savepoint made since? One of no bytes tells
 * neither by its address. */
static bool arena_is_latest(const struct zg_arena *arena, const struct zg_arena_span *span)
{
	unsigned char *memory = span->memory;

	if (span->size == 0 || memory < arena->barrier || memory >= arena->limit)
		return false;
	zg_assert(span->size <= (size_t)(arena->limit - memory));
	return arena->cursor == arena_next(arena, memory, span->size);
}

/* Moves the end of the latest allocation; what it keeps stays as it is, to the tools as well. */
static void arena_resize_latest(struct zg_arena *arena, struct zg_arena_span *span, size_t size)
{
	unsigned char *memory = span->memory;

	zgi_arena_note_live(arena);
	if (size > span->size)
		zgi_unpoison(memory + span->size, size - span->size);
	else
		zgi_poison(memory + size, span->size - size);
	zgi_arena_move(arena, arena_next(arena, memory, size));
	span->size = size;
}

int zgi_arena_resize_for(struct zg_arena *arena, struct zg_arena_span *span, size_t size,
			 const void *site)
{
	unsigned char *memory = span->memory;
	void *moved;
	int result;

	zg_assert(arena->magic == ZGI_ARENA_MAGIC);
	zg_assert(memory != NULL || span->size == 0);
	if (arena_is_latest(arena, span) && size <= (size_t)(arena->limit - memory)) {
		arena_resize_latest(arena, span, size);
		return 0;
	}
	if (memory != NULL && size <= span->size) {
		zgi_poison(memory + size, span->size - size);
		span->size = size;
		return 0;
	}

	result = zgi_arena_alloc_for(arena, size, site, &moved);
	if (result < 0)
		return result;
	if (span->size > 0) {
		memcpy(moved, memory, span->size);
		zgi_poison(memory, span->size);
	}
	*span = (struct zg_arena_span){moved, size};
	return 0;
}

int zg_arena_resize(struct zg_arena *arena, struct zg_arena_span *span, size_t size)
{
	return zgi_arena_resize_for(arena, span, size, __builtin_return_address(0));
}

struct zg_arena_savepoint zg_arena_save(struct zg_arena *arena)
{
	zg_assert(arena->magic == ZGI_ARENA_MAGIC);
	arena->barrier = arena->cursor;
	return (struct zg_arena_savepoint){
		.cursor = arena->cursor,
		.chunk = arena->chunk_newest,
		.cleanup = arena->cleanup_newest,
	};
}

void zg_arena_restore(struct zg_arena *arena, struct zg_arena_savepoint savepoint)
{
	zg_assert(arena->magic == ZGI_ARENA_MAGIC);

	/* Cleanups first: they may still use any of the memory that goes. */
	zgi_arena_run_cleanups(arena, &savepoint);
	zgi_arena_note_live(arena);
	zgi_arena_return_to(arena, &savepoint);
}

bool zg_arena_is_malloc(void)
{
	return false;
}
