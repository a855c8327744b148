/*
 * The chunks of an arena, and what it counts.
 *
 * A chunk is a block of the shared pool with a header at its start; chunks are
 * linked from the newest to the oldest. When a chunk is full, what is left of it
 * is lost until the arena goes back: looking for a gap would cost every
 * allocation, and the waste is bounded by the chunk's size.
 *
 * A cleanup is itself an allocation of the arena, so that it disappears with
 * what it cleans up.
 *
 * Nothing is counted when memory is handed out, for the cursor tells it. What was
 * handed out in earlier chunks is added up when a chunk is left, and the most that
 * ever was is noted when some is taken back, because only then it gets less.
 */
#include "mem/arena/arena_place.h"

#include <errno.h>

#include "mem/pool/track.h"
#include "mem/watch/poison.h"
#include "mem/watch/probes.h"

struct zg_arena_cleanup {
	struct zg_arena_cleanup *next; /* registered before this one */
	void (*function)(void *user);
	void *user; /* borrowed */
};

_Static_assert(ZGI_ARENA_HEADER_SIZE < ZG_POOL_ALIGNMENT, "the smallest block must hold a chunk");
_Static_assert(ZG_POOL_ALIGNMENT % ZG_ARENA_ALIGNMENT == 0, "a block must be aligned for a chunk");

/* Makes the space behind `cursor` in the newest chunk the arena's room. */
static void arena_enter(struct zg_arena *arena, unsigned char *cursor)
{
	unsigned char *start = zgi_arena_start(arena);
	size_t size = zgi_arena_round_down(arena->memory_size);

	if (arena->chunk_newest != NULL) {
		zg_assert(arena->chunk_newest->magic == ZGI_ARENA_CHUNK_MAGIC);
		size = zgi_arena_chunk_size(arena);
	}
	arena->limit = start;
	if (size > 0)
		arena->limit += size;
	zg_assert(cursor >= start && cursor <= arena->limit);

	zgi_arena_move(arena, cursor);
	/* Whoever saved here keeps what lies below. */
	arena->barrier = cursor;
	if (cursor != NULL)
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
	/* Less than one unit is none at all. */
	if (zgi_arena_round_down(options->memory_size) == 0 && !can_grow)
		return -EINVAL;

	*arena = (struct zg_arena){
		.magic = ZGI_ARENA_MAGIC,
		.chunk_count_max = can_grow ? options->chunk_count_max : 0,
		.memory = options->memory,
		.memory_size = options->memory_size,
		.chunks = options->chunks,
	};
	arena_enter(arena, arena->memory);
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

/* Why no chunk can be begun for `size` bytes, or 0. */
static int arena_growth_is_refused(const struct zg_arena *arena, size_t size)
{
	size_t chunk_size = 0;

	if (arena->chunk_count_max > 0)
		chunk_size = zgi_arena_chunk_size(arena);
	if (size > chunk_size)
		return size > zgi_arena_round_down(arena->memory_size) ? -EMSGSIZE : -ENOMEM;
	return arena->chunk_count >= arena->chunk_count_max ? -ENOMEM : 0;
}

static void arena_begin_chunk(struct zg_arena *arena, zg_handle handle, void *block)
{
	struct zg_arena_chunk *chunk = block;

	*chunk = (struct zg_arena_chunk){
		.magic = ZGI_ARENA_CHUNK_MAGIC,
		.handle = handle,
		.next = arena->chunk_newest,
		.left_size = arena->left_size,
	};
	if (arena->cursor != NULL)
		zgi_counter_add(&arena->left_size,
				(uint64_t)(arena->cursor - zgi_arena_start(arena)));
	__atomic_store_n(&arena->chunk_newest, chunk, __ATOMIC_RELAXED);
	zgi_gauge_set(&arena->chunk_count, arena->chunk_count + 1);
	arena_enter(arena, zgi_arena_start(arena));
}

int zgi_arena_grow(struct zg_arena *arena, size_t size, uint32_t alignment, const void *site)
{
	size_t slack = alignment > ZG_ARENA_ALIGNMENT ? alignment - ZG_ARENA_ALIGNMENT : 0;
	zg_handle handle;
	void *block;
	int result = -EMSGSIZE;

	/* A chunk's payload is aligned for anything but a wide alignment, so that what was promised
	 * fits wherever the block lies. */
	if (size <= SIZE_MAX - slack)
		result = arena_growth_is_refused(arena, size + slack);
	if (result == 0)
		result = zgi_pool_take_for(arena->chunks, site, &handle, &block);
	if (result < 0) {
		zgi_counter_add(&arena->refuse_count, 1);
		return result;
	}
	arena_begin_chunk(arena, handle, block);
	ZGI_PROBE3(arena_chunk, arena->chunks->name, arena->chunk_count, size);
	return 0;
}

int zg_arena_on_reset(struct zg_arena *arena, void (*cleanup)(void *user), void *user)
{
	struct zg_arena_cleanup *entry;
	void *memory;
	int result;

	zg_assert(cleanup != NULL);
	result = zgi_arena_alloc_for(arena, sizeof(*entry), __builtin_return_address(0), &memory);
	if (result < 0)
		return -ENOMEM;

	entry = memory;
	*entry = (struct zg_arena_cleanup){arena->cleanup_newest, cleanup, user};
	arena->cleanup_newest = entry;
	return 0;
}

void zgi_arena_run_cleanups(struct zg_arena *arena, const struct zg_arena_savepoint *savepoint)
{
	while (arena->cleanup_newest != savepoint->cleanup) {
		struct zg_arena_cleanup *entry = arena->cleanup_newest;

		/* A savepoint that was passed already is not found on the way back. */
		zg_assert(entry != NULL);
		arena->cleanup_newest = entry->next;
		entry->function(entry->user);
	}
}

static void arena_release_chunk(struct zg_arena *arena)
{
	struct zg_arena_chunk *chunk = arena->chunk_newest;
	uint64_t left_size;
	int result;

	/* As above. */
	zg_assert(chunk != NULL);
	zg_assert(chunk->magic == ZGI_ARENA_CHUNK_MAGIC);

	left_size = chunk->left_size;
	__atomic_store_n(&arena->chunk_newest, chunk->next, __ATOMIC_RELAXED);
	__atomic_store_n(&arena->left_size, left_size, __ATOMIC_RELAXED);
	zgi_gauge_set(&arena->chunk_count, arena->chunk_count - 1);
	/* Not to be taken for a chunk again, whoever still has its address. */
	chunk->magic = 0;
	result = zg_pool_give(arena->chunks, chunk->handle);
	zg_assert(result == 0);
}

void zgi_arena_return_to(struct zg_arena *arena, const struct zg_arena_savepoint *savepoint)
{
	/* Going back never goes forward: such a savepoint was passed before. */
	if (arena->chunk_newest == savepoint->chunk)
		zg_assert(savepoint->cursor <= arena->cursor);
	while (arena->chunk_newest != savepoint->chunk)
		arena_release_chunk(arena);
	arena_enter(arena, savepoint->cursor);
}

void zg_arena_reset(struct zg_arena *arena)
{
	struct zg_arena_savepoint start = {.cursor = arena->memory};

	zg_arena_restore(arena, start);
}

size_t zg_arena_chunk_payload(size_t block_size)
{
	return block_size < ZGI_ARENA_HEADER_SIZE
		       ? 0
		       : zgi_arena_round_down(block_size - ZGI_ARENA_HEADER_SIZE);
}

/* Bytes handed out. From another thread the parts may be of different moments, and then what lies
 * outside of any chunk counts as nothing. */
static uint64_t arena_live_size(const struct zg_arena *arena)
{
	uintptr_t cursor = (uintptr_t)__atomic_load_n(&arena->cursor, __ATOMIC_RELAXED);
	uintptr_t chunk = (uintptr_t)__atomic_load_n(&arena->chunk_newest, __ATOMIC_RELAXED);
	uintptr_t start = (uintptr_t)arena->memory;
	size_t size_max = arena->memory_size;

	if (chunk != 0) {
		start = chunk + ZGI_ARENA_HEADER_SIZE;
		size_max = zgi_arena_chunk_size(arena);
	}
	/* Unsigned: a cursor below the start wraps to a huge size. */
	return zgi_counter_read(&arena->left_size) +
	       (cursor - start <= size_max ? cursor - start : 0);
}

void zgi_arena_note_live(struct zg_arena *arena)
{
	uint64_t live_size = arena_live_size(arena);

	if (live_size > arena->live_size_max)
		__atomic_store_n(&arena->live_size_max, live_size, __ATOMIC_RELAXED);
}

void zg_arena_usage(const struct zg_arena *arena, struct zg_arena_usage *ret_usage)
{
	uint64_t live_size = arena_live_size(arena);
	uint64_t live_size_max = zgi_counter_read(&arena->live_size_max);
	uint64_t left_size = zgi_counter_read(&arena->left_size);
	uint64_t left_size_max = 0;
	uint32_t chunk_count = zgi_gauge_read(&arena->chunk_count);
	size_t block_size = 0;
	size_t chunk_size = 0;

	if (arena->chunks != NULL) {
		block_size = arena->chunks->block_size;
		chunk_size = zgi_arena_chunk_size(arena);
	}
	/* What the chunks that were left have room for. */
	if (chunk_count > 0)
		left_size_max = zgi_arena_round_down(arena->memory_size) +
				(uint64_t)(chunk_count - 1) * chunk_size;
	*ret_usage = (struct zg_arena_usage){
		.live_size = live_size,
		.live_size_max = live_size > live_size_max ? live_size : live_size_max,
		.lost_size = left_size < left_size_max ? left_size_max - left_size : 0,
		.held_size = arena->memory_size + (uint64_t)chunk_count * block_size,
		.refuse_count = zgi_counter_read(&arena->refuse_count),
		.chunk_count = chunk_count,
	};
}
