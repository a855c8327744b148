/*
 * Arenas: allocation is a comparison and an addition, and nothing is freed on
 * its own.
 *
 * A chunk is a block of the shared pool with a header at its start; chunks are
 * linked from the newest to the oldest. When a chunk is full, what is left of it
 * is lost until the arena goes back: looking for a gap would cost every
 * allocation, and the waste is bounded by the chunk's size.
 *
 * A cleanup is itself an allocation of the arena, so that it disappears with
 * what it cleans up.
 *
 * In builds that a tool watches, what has not been handed out is poisoned, and a
 * red zone follows each allocation where there is room for one.
 */
#include <zerog/arena.h>

#include <errno.h>
#include <stdbool.h>

#include "base/assert.h"
#include "mem/pool/track.h"
#include "mem/watch/poison.h"
#include "mem/watch/probes.h"

#define ARENA_MAGIC UINT32_C(0x6e657261)
#define ARENA_CHUNK_MAGIC UINT32_C(0x6b6e6863)

struct zg_arena_chunk {
	uint32_t magic;
	zg_handle handle; /* of the pool's block that this chunk is */
	struct zg_arena_chunk *next; /* the chunk before this one; NULL: the first memory */
};

struct zg_arena_cleanup {
	struct zg_arena_cleanup *next; /* registered before this one */
	void (*function)(void *user);
	void *user; /* borrowed */
};

/* In builds that a tool watches: bytes behind an allocation that belong to none. */
#define ARENA_RED_ZONE_SIZE 16

/* The header is padded so that the payload behind it is aligned. */
#define ARENA_HEADER_SIZE                                           \
	((sizeof(struct zg_arena_chunk) + ZG_ARENA_ALIGNMENT - 1) & \
	 ~(size_t)(ZG_ARENA_ALIGNMENT - 1))

_Static_assert(ARENA_HEADER_SIZE < ZG_POOL_ALIGNMENT, "the smallest block must hold a chunk");
_Static_assert(ZG_POOL_ALIGNMENT % ZG_ARENA_ALIGNMENT == 0, "a block must be aligned for a chunk");
_Static_assert(ARENA_RED_ZONE_SIZE % ZG_ARENA_ALIGNMENT == 0, "a red zone must keep the alignment");

static size_t arena_round_down(size_t size)
{
	return size & ~(size_t)(ZG_ARENA_ALIGNMENT - 1);
}

static unsigned char *arena_chunk_start(struct zg_arena_chunk *chunk)
{
	return (unsigned char *)chunk + ARENA_HEADER_SIZE;
}

/* What a block of the chunk pool holds besides its header: no byte that nobody asked for. */
static size_t arena_chunk_size(const struct zg_arena *arena)
{
	return zg_arena_chunk_payload(arena->chunks->block_size_asked);
}

/* Makes the space behind `cursor` in a chunk, NULL being the first memory, the arena's room. */
static void arena_enter(struct zg_arena *arena, struct zg_arena_chunk *chunk, unsigned char *cursor)
{
	unsigned char *start = arena->memory;
	size_t size = arena_round_down(arena->memory_size);

	if (chunk != NULL) {
		zg_assert(chunk->magic == ARENA_CHUNK_MAGIC);
		start = arena_chunk_start(chunk);
		size = arena_chunk_size(arena);
	}
	if (size == 0) {
		zg_assert(cursor == start);
		arena->cursor = start;
		arena->limit = start;
		return;
	}
	zg_assert(cursor >= start && cursor <= start + size);

	arena->cursor = cursor;
	arena->limit = start + size;
	zgi_poison(cursor, (size_t)(arena->limit - cursor));
}

int zg_arena_init(struct zg_arena *arena, const struct zg_arena_options *options)
{
	bool can_grow = options->chunks != NULL && options->chunk_count_max > 0;

	zg_assert(arena != NULL);
	if ((uintptr_t)options->memory % ZG_ARENA_ALIGNMENT != 0)
		return -EINVAL;
	if (options->memory == NULL && options->memory_size > 0)
		return -EINVAL;
	if (options->memory_size == 0 && !can_grow)
		return -EINVAL;

	*arena = (struct zg_arena){
		.magic = ARENA_MAGIC,
		.chunk_count_max = can_grow ? options->chunk_count_max : 0,
		.memory = options->memory,
		.memory_size = options->memory_size,
		.chunks = options->chunks,
	};
	arena_enter(arena, NULL, arena->memory);
	return 0;
}

void zg_arena_fini(struct zg_arena *arena)
{
	if (arena->magic == 0)
		return;
	zg_arena_reset(arena);
	if (arena->memory_size > 0)
		zgi_unpoison(arena->memory, arena->memory_size);
	*arena = (struct zg_arena){0};
}

/* Puts a new chunk in front, or tells why `size` bytes cannot be had. In a tracked pool the chunk
 * is that of the allocation's caller. */
static int arena_grow(struct zg_arena *arena, size_t size, const void *site)
{
	size_t chunk_size = 0;
	struct zg_arena_chunk *chunk;
	zg_handle handle;
	void *block;
	int result;

	if (arena->chunk_count_max > 0)
		chunk_size = arena_chunk_size(arena);
	if (size > chunk_size)
		return size > arena_round_down(arena->memory_size) ? -EMSGSIZE : -ENOMEM;
	if (arena->chunk_count >= arena->chunk_count_max)
		return -ENOMEM;

	result = zgi_pool_take_for(arena->chunks, site, &handle, &block);
	if (result < 0)
		return result;

	chunk = block;
	*chunk = (struct zg_arena_chunk){
		.magic = ARENA_CHUNK_MAGIC,
		.handle = handle,
		.next = arena->chunk_newest,
	};
	arena->chunk_newest = chunk;
	++arena->chunk_count;
	arena_enter(arena, chunk, arena_chunk_start(chunk));
	ZGI_PROBE3(arena_chunk, arena->chunks->name, arena->chunk_count, size);
	return 0;
}

/* Moves the cursor over an allocation that fits. */
static void *arena_advance(struct zg_arena *arena, size_t size)
{
	unsigned char *memory = arena->cursor;

	/* The limit is aligned, so rounding up never passes it. */
	arena->cursor += arena_round_down(size + ZG_ARENA_ALIGNMENT - 1);
	zgi_unpoison(memory, size);
#ifdef ZGI_HAS_POISON
	if ((size_t)(arena->limit - arena->cursor) >= ARENA_RED_ZONE_SIZE)
		arena->cursor += ARENA_RED_ZONE_SIZE;
#endif
	return memory;
}

int zg_arena_alloc(struct zg_arena *arena, size_t size, void **ret_memory)
{
	zg_assert(arena->magic == ARENA_MAGIC);

	/* An arena without first memory has no address to give before its first chunk. */
	if (ZG_UNLIKELY(size > (size_t)(arena->limit - arena->cursor) || arena->cursor == NULL)) {
		int result = arena_grow(arena, size, __builtin_return_address(0));

		if (result < 0) {
			++arena->refuse_count;
			return result;
		}
	}
	*ret_memory = arena_advance(arena, size);
	return 0;
}

int zg_arena_on_reset(struct zg_arena *arena, void (*cleanup)(void *user), void *user)
{
	struct zg_arena_cleanup *entry;
	void *memory;
	int result;

	zg_assert(cleanup != NULL);
	result = zg_arena_alloc(arena, sizeof(*entry), &memory);
	if (result < 0)
		return -ENOMEM;

	entry = memory;
	*entry = (struct zg_arena_cleanup){arena->cleanup_newest, cleanup, user};
	arena->cleanup_newest = entry;
	return 0;
}

struct zg_arena_savepoint zg_arena_save(const struct zg_arena *arena)
{
	zg_assert(arena->magic == ARENA_MAGIC);
	return (struct zg_arena_savepoint){
		.cursor = arena->cursor,
		.chunk = arena->chunk_newest,
		.cleanup = arena->cleanup_newest,
	};
}

static void arena_release_chunk(struct zg_arena *arena)
{
	struct zg_arena_chunk *chunk = arena->chunk_newest;
	int result;

	/* A savepoint that was passed already is not found on the way back. */
	zg_assert(chunk != NULL);
	zg_assert(chunk->magic == ARENA_CHUNK_MAGIC);

	arena->chunk_newest = chunk->next;
	--arena->chunk_count;
	result = zg_pool_give(arena->chunks, chunk->handle);
	zg_assert(result == 0);
}

void zg_arena_restore(struct zg_arena *arena, struct zg_arena_savepoint savepoint)
{
	zg_assert(arena->magic == ARENA_MAGIC);

	/* Cleanups first: they may still use any of the memory that goes. */
	while (arena->cleanup_newest != savepoint.cleanup) {
		struct zg_arena_cleanup *entry = arena->cleanup_newest;

		zg_assert(entry != NULL);
		arena->cleanup_newest = entry->next;
		entry->function(entry->user);
	}
	while (arena->chunk_newest != savepoint.chunk)
		arena_release_chunk(arena);
	arena_enter(arena, savepoint.chunk, savepoint.cursor);
}

void zg_arena_reset(struct zg_arena *arena)
{
	struct zg_arena_savepoint start = {.cursor = arena->memory};

	zg_arena_restore(arena, start);
}

size_t zg_arena_chunk_payload(size_t block_size)
{
	return block_size < ARENA_HEADER_SIZE ? 0
					      : arena_round_down(block_size - ARENA_HEADER_SIZE);
}
