/*
 * Arena: memory given out upward and taken back all at once.
 *
 * An arena starts in memory of its own and, when that is full, goes on in chunks
 * taken from a pool, up to a limit. What was allocated is released together: all
 * of it, or all since a savepoint; cleanups registered on the way run then, the
 * latest first.
 *
 * Ownership  The first memory is the caller's; chunks go back to their pool at
 *            reset, restore and fini.
 * Threads    Not locked: one arena belongs to one shard.
 */
#ifndef ZEROG_ARENA_H
#define ZEROG_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/layout.h>
#include <zerog/pool.h>

ZG_BEGIN_DECLS

#define ZG_ARENA_ALIGNMENT 16

struct zg_arena_chunk;
struct zg_arena_cleanup;

struct zg_arena_options {
	void *memory; /* borrowed until fini; aligned to ZG_ARENA_ALIGNMENT */
	size_t memory_size; /* bytes; may be 0 when there is a chunk pool */
	struct zg_pool *chunks; /* borrowed; NULL: the arena never grows */
	uint32_t chunk_count_max; /* chunks this arena may hold at once */
};

struct zg_arena {
	uint32_t magic;
	uint32_t chunk_count; /* held now */
	uint32_t chunk_count_max;
	unsigned char *memory; /* borrowed */
	size_t memory_size;
	unsigned char *cursor; /* next free byte of the current chunk */
	unsigned char *limit; /* end of the current chunk */
	struct zg_arena_chunk *chunk_newest; /* NULL while in the first memory */
	struct zg_arena_cleanup *cleanup_newest;
	zg_cold(growth);
	struct zg_pool *chunks; /* borrowed */
	uint64_t refuse_count; /* allocations refused */
};

/* A point to return to; valid until the arena is reset or restored to before it. */
struct zg_arena_savepoint {
	unsigned char *cursor;
	struct zg_arena_chunk *chunk;
	struct zg_arena_cleanup *cleanup;
};

/**
 * zg_arena_init() - an empty arena
 * @arena:    the caller's; overwritten
 * @options:  read during the call
 *
 * Return: 0; -EINVAL when the memory is misaligned or there is none at all.
 */
ZG_MUST_USE int zg_arena_init(struct zg_arena *arena, const struct zg_arena_options *options);

/**
 * zg_arena_fini() - run the cleanups, give the chunks back, end the arena
 * @arena:  initialised, or zeroed
 */
void zg_arena_fini(struct zg_arena *arena);

/**
 * zg_arena_alloc() - the next bytes, contents undefined
 * @arena:       initialised
 * @size:        bytes, may be 0
 * @ret_memory:  aligned to ZG_ARENA_ALIGNMENT, valid until reset or restore; untouched on failure
 *
 * Return: 0; -EMSGSIZE when @size is larger than any chunk can hold; -ENOMEM when the chunk pool
 * is empty or the arena holds chunk_count_max chunks.
 */
ZG_MUST_USE int zg_arena_alloc(struct zg_arena *arena, size_t size, void **ret_memory);

/**
 * zg_arena_on_reset() - run a function when the arena takes this moment back
 * @arena:    initialised
 * @cleanup:  called once, at reset, at fini, or at a restore to before now
 * @user:     passed to it; borrowed
 *
 * Return: 0; -ENOMEM as for zg_arena_alloc(), with @cleanup not registered.
 */
ZG_MUST_USE int zg_arena_on_reset(struct zg_arena *arena, void (*cleanup)(void *user), void *user);

/**
 * zg_arena_save() - a point to return to
 * @arena:  initialised
 */
struct zg_arena_savepoint zg_arena_save(const struct zg_arena *arena);

/**
 * zg_arena_restore() - take back all that was allocated since a savepoint
 * @arena:      initialised
 * @savepoint:  from zg_arena_save() of this arena, not yet passed by a reset or restore
 */
void zg_arena_restore(struct zg_arena *arena, struct zg_arena_savepoint savepoint);

/**
 * zg_arena_reset() - take everything back
 * @arena:  initialised
 */
void zg_arena_reset(struct zg_arena *arena);

/**
 * zg_arena_chunk_payload() - the largest allocation that a chunk of a given size can hold
 * @block_size:  bytes of one block of the chunk pool
 */
size_t zg_arena_chunk_payload(size_t block_size);

ZG_END_DECLS

#endif
