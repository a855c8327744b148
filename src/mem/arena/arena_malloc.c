/*
 * Arenas in which every allocation is a malloc of its own: for finding mistakes.
 *
 * The ordinary arena packs allocations side by side, and hands the same bytes out
 * again after a reset; AddressSanitizer sees only what its poison covers. Here it
 * sees each allocation's own two ends, and each use after its time.
 *
 * Every allocation still takes its place in the first memory or in a chunk, which
 * nobody touches and which stays poisoned; the malloc stands for it. So limits,
 * errors, chunks held and the usage are those of the ordinary arena in a release
 * build, and a program goes the same way; only the addresses differ. Memory that
 * the system refuses is -ENOMEM as well.
 *
 * Blocks are linked from the newest to the oldest, in nodes apart from them: an
 * overrun cannot hurt the list, and the tools report sizes as they were asked for.
 *
 * These mallocs are this build's own, and the seal lets them through.
 */
#include "mem/arena/arena_place.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "mem/seal/seal_state.h"
#include "mem/watch/poison.h"

struct zgi_arena_block {
	struct zgi_arena_block *next; /* allocated before this one */
	unsigned char *memory; /* the malloc; NULL once it was moved */
	unsigned char *place; /* where the ordinary arena would have put it */
	uint32_t alignment;
};

static void *arena_heap_take(size_t size, size_t alignment)
{
	void *memory;
	int error;

	zgi_seal_exempt(true);
	error = posix_memalign(&memory, alignment, size);
	zgi_seal_exempt(false);
	if (error != 0)
		return NULL;
	/* A sanitizer gives one byte for none. */
	if (size == 0)
		zgi_poison(memory, 1);
	return memory;
}

static void arena_heap_give(void *memory)
{
	zgi_seal_exempt(true);
	free(memory);
	zgi_seal_exempt(false);
}

static int arena_refuse(struct zg_arena *arena)
{
	zgi_counter_add(&arena->refuse_count, 1);
	return -ENOMEM;
}

/* Puts a block in front that stands for the place at the cursor. */
static int arena_stand_in(struct zg_arena *arena, size_t size, uint32_t alignment,
			  void **ret_memory)
{
	size_t padding = zgi_arena_padding(arena->cursor, alignment);
	unsigned char *place = arena->cursor + padding;
	struct zgi_arena_block *block = arena_heap_take(sizeof(*block), alignof(max_align_t));
	void *memory;

	if (block == NULL)
		return arena_refuse(arena);
	memory = arena_heap_take(size, alignment);
	if (memory == NULL) {
		arena_heap_give(block);
		return arena_refuse(arena);
	}
	*block = (struct zgi_arena_block){
		.next = arena->block_newest,
		.memory = memory,
		.place = place,
		.alignment = alignment,
	};
	arena->block_newest = block;
	zgi_arena_move(arena, place + zgi_arena_round_down(size + ZG_ARENA_ALIGNMENT - 1));
	*ret_memory = memory;
	return 0;
}

static int arena_alloc(struct zg_arena *arena, size_t size, uint32_t alignment, const void *site,
		       void **ret_memory)
{
	size_t padding;

	zg_assert(arena->magic == ZGI_ARENA_MAGIC);
	if (!zgi_arena_alignment_is_valid(alignment))
		return -EINVAL;
	if (alignment < ZG_ARENA_ALIGNMENT)
		alignment = ZG_ARENA_ALIGNMENT;

	padding = zgi_arena_padding(arena->cursor, alignment);
	if (!zgi_arena_fits(arena, padding, size)) {
		int result = zgi_arena_grow(arena, size, alignment, site);

		if (result < 0)
			return result;
	}
	return arena_stand_in(arena, size, alignment, ret_memory);
}

int zg_arena_alloc(struct zg_arena *arena, size_t size, void **ret_memory)
{
	return arena_alloc(arena, size, ZG_ARENA_ALIGNMENT, __builtin_return_address(0),
			   ret_memory);
}

int zgi_arena_alloc_for(struct zg_arena *arena, size_t size, const void *site, void **ret_memory)
{
	return arena_alloc(arena, size, ZG_ARENA_ALIGNMENT, site, ret_memory);
}

int zg_arena_alloc_aligned(struct zg_arena *arena, size_t size, uint32_t alignment,
			   void **ret_memory)
{
	return arena_alloc(arena, size, alignment, __builtin_return_address(0), ret_memory);
}

static struct zgi_arena_block *arena_find(const struct zg_arena *arena, const void *memory)
{
	struct zgi_arena_block *block = arena->block_newest;

	while (block != NULL && block->memory != memory)
		block = block->next;
	/* What is resized must be an allocation of this arena that is still there. */
	zg_assert(block != NULL);
	return block;
}

/* As the ordinary arena has it: nothing lies behind it, and no savepoint was made since. */
static bool arena_is_latest(const struct zg_arena *arena, const struct zgi_arena_block *block,
			    size_t size)
{
	if (size == 0 || block->place < arena->barrier || block->place >= arena->limit)
		return false;
	return arena->cursor == block->place + zgi_arena_round_down(size + ZG_ARENA_ALIGNMENT - 1);
}

/* Changes the place of the latest block where it lies, and its malloc for another if it grows. */
static int arena_resize_latest(struct zg_arena *arena, struct zgi_arena_block *block,
			       struct zg_arena_span *span, size_t size)
{
	unsigned char *moved = block->memory;

	if (size > span->size) {
		moved = arena_heap_take(size, block->alignment);
		if (moved == NULL)
			return arena_refuse(arena);
		memcpy(moved, block->memory, span->size);
		arena_heap_give(block->memory);
		block->memory = moved;
	} else {
		zgi_poison(moved + size, span->size - size);
	}
	zgi_arena_note_live(arena);
	zgi_arena_move(arena, block->place + zgi_arena_round_down(size + ZG_ARENA_ALIGNMENT - 1));
	*span = (struct zg_arena_span){moved, size};
	return 0;
}

int zgi_arena_resize_for(struct zg_arena *arena, struct zg_arena_span *span, size_t size,
			 const void *site)
{
	struct zgi_arena_block *block = NULL;
	void *moved;
	int result;

	zg_assert(arena->magic == ZGI_ARENA_MAGIC);
	zg_assert(span->memory != NULL || span->size == 0);
	if (span->memory != NULL)
		block = arena_find(arena, span->memory);
	if (block != NULL && arena_is_latest(arena, block, span->size) &&
	    size <= (size_t)(arena->limit - block->place))
		return arena_resize_latest(arena, block, span, size);
	if (block != NULL && size <= span->size) {
		zgi_poison(block->memory + size, span->size - size);
		span->size = size;
		return 0;
	}

	result = zgi_arena_alloc_for(arena, size, site, &moved);
	if (result < 0)
		return result;
	if (block != NULL) {
		memcpy(moved, block->memory, span->size);
		arena_heap_give(block->memory);
		block->memory = NULL;
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
		.block = arena->block_newest,
	};
}

void zg_arena_restore(struct zg_arena *arena, struct zg_arena_savepoint savepoint)
{
	zg_assert(arena->magic == ZGI_ARENA_MAGIC);

	/* Cleanups first: they may still use any of the memory that goes. */
	zgi_arena_run_cleanups(arena, &savepoint);
	zgi_arena_note_live(arena);
	while (arena->block_newest != savepoint.block) {
		struct zgi_arena_block *block = arena->block_newest;

		/* A savepoint that was passed already names a block that has gone. */
		zg_assert(block != NULL);
		arena->block_newest = block->next;
		if (block->memory != NULL)
			arena_heap_give(block->memory);
		arena_heap_give(block);
	}
	zgi_arena_return_to(arena, &savepoint);
}

bool zg_arena_is_malloc(void)
{
	return true;
}
