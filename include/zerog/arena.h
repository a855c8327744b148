/*
 * Arena: memory given out upward and taken back all at once.
 *
 * An arena starts in memory of its own and, when that is full, goes on in chunks
 * taken from a pool, up to a limit. What was allocated is released together: all
 * of it, or all since a savepoint; cleanups registered on the way run then, the
 * latest first.
 *
 * A library built with -Darena=malloc has the same API and the same limits, but
 * each allocation is a malloc of its own, so that AddressSanitizer sees every
 * overrun and every use after a reset or a restore, to the byte.
 *
 * Ownership  The first memory is the caller's; chunks go back to their pool at
 *            reset, restore and fini.
 * Threads    Not locked: one arena belongs to one shard. Any thread may ask for
 *            its usage.
 * Limits     chunk_count_max chunks; one allocation is at most the first memory
 *            or zg_arena_chunk_payload(); alignments to ZG_ARENA_ALIGNMENT_MAX.
 */
#ifndef ZEROG_ARENA_H
#define ZEROG_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/layout.h>
#include <zerog/pool.h>
#include <zerog/slice.h>
#include <zerog/watch.h>

ZG_BEGIN_DECLS

#define ZG_ARENA_ALIGNMENT 16
#define ZG_ARENA_ALIGNMENT_MAX 4096

struct zg_arena_chunk;
struct zg_arena_cleanup;
struct zgi_arena_block;

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
	uint64_t left_size; /* bytes handed out before the current chunk was begun */
	uint64_t live_size_max; /* bytes, noted whenever some are taken back */
	unsigned char *barrier; /* what lies below it in the current chunk, a savepoint keeps */
	struct zgi_arena_block *block_newest; /* of -Darena=malloc; else NULL */
};

/* A point to return to; valid until the arena is reset or restored to before it. */
struct zg_arena_savepoint {
	unsigned char *cursor;
	struct zg_arena_chunk *chunk;
	struct zg_arena_cleanup *cleanup;
	struct zgi_arena_block *block; /* of -Darena=malloc; else NULL */
};

/* One allocation and its size, for zg_arena_resize(). */
struct zg_arena_span {
	void *memory; /* NULL: none yet */
	size_t size; /* bytes */
};

/* By which an arena is among what zg_watch_usage() visits: 48 bytes that an arena, of which there
 * may be a million, does not have to carry. Its fields are the registry's. */
struct zg_arena_watch {
	struct zg_watched watched;
	const struct zg_arena *arena; /* borrowed */
	const char *name; /* static text */
	uint64_t reserved_size; /* bytes */
};

/* How well an arena's memory is used. */
struct zg_arena_usage {
	uint64_t live_size; /* bytes handed out, each allocation rounded up to its alignment */
	uint64_t live_size_max; /* the most that was ever handed out at once */
	uint64_t lost_size; /* bytes at the ends of chunks that were too short for what came next */
	uint64_t held_size; /* bytes of the first memory and the chunks, headers included */
	uint64_t refuse_count; /* allocations refused */
	uint32_t chunk_count; /* chunks held */
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
 * zg_arena_alloc_aligned() - the next bytes at a wider alignment, contents undefined
 * @arena:       initialised
 * @size:        bytes, may be 0
 * @alignment:   bytes, a power of two up to ZG_ARENA_ALIGNMENT_MAX; less than ZG_ARENA_ALIGNMENT
 *               is rounded up to it
 * @ret_memory:  as zg_arena_alloc()
 *
 * Return: 0; -EINVAL for another alignment; -EMSGSIZE when @size + @alignment - ZG_ARENA_ALIGNMENT
 * bytes are more than any chunk can hold; -ENOMEM as zg_arena_alloc().
 */
ZG_MUST_USE int zg_arena_alloc_aligned(struct zg_arena *arena, size_t size, uint32_t alignment,
				       void **ret_memory);

/**
 * zg_arena_alloc_zeroed() - room for a number of objects, every byte 0
 * @arena:       initialised
 * @count:       objects, may be 0
 * @size_each:   bytes, may be 0
 * @ret_memory:  as zg_arena_alloc()
 *
 * Return: 0; -EMSGSIZE or -ENOMEM as zg_arena_alloc(), the former also when the product overflows.
 */
ZG_MUST_USE int zg_arena_alloc_zeroed(struct zg_arena *arena, size_t count, size_t size_each,
				      void **ret_memory);

/**
 * zg_arena_resize() - make an allocation larger or smaller
 * @arena:  initialised
 * @span:   an allocation of this arena with its size, or zeroed for none; changed on success
 * @size:   bytes wanted, may be 0
 *
 * The latest allocation changes its size where it lies, as far as its chunk has room, unless a
 * savepoint was made since. Any other shrinks in place, which frees nothing, and grows by moving
 * to a new place, aligned to ZG_ARENA_ALIGNMENT; the old place may not be used any more. What a
 * savepoint has seen moves behind it: a restore takes it back. Bytes that are new are undefined.
 *
 * Return: 0; -EMSGSIZE or -ENOMEM as zg_arena_alloc(), the allocation as it was.
 */
ZG_MUST_USE int zg_arena_resize(struct zg_arena *arena, struct zg_arena_span *span, size_t size);

/**
 * zg_arena_copy() - a copy of a slice, with a NUL behind it
 * @arena:      initialised
 * @bytes:      any slice
 * @ret_slice:  the copy, its size that of @bytes, its data never NULL; untouched on failure
 *
 * Return: 0; -EMSGSIZE or -ENOMEM as zg_arena_alloc().
 */
ZG_MUST_USE int zg_arena_copy(struct zg_arena *arena, struct zg_slice bytes,
			      struct zg_slice *ret_slice);

/**
 * zg_arena_copy_text() - a copy of a NUL-terminated text
 * @arena:     initialised
 * @text:      not NULL
 * @ret_text:  untouched on failure
 *
 * Return: 0; -EMSGSIZE or -ENOMEM as zg_arena_alloc().
 */
ZG_MUST_USE int zg_arena_copy_text(struct zg_arena *arena, const char *text, char **ret_text);

/**
 * zg_arena_print() - what printf would write, in the arena, with a NUL behind it
 * @arena:     initialised
 * @ret_text:  its size without the NUL; untouched on failure
 * @format:    printf-style; no allocation as long as no %ls, %a or huge precision is used
 *
 * Return: 0; -EINVAL when a conversion fails; -EMSGSIZE or -ENOMEM as zg_arena_alloc().
 */
ZG_MUST_USE int zg_arena_print(struct zg_arena *arena, struct zg_slice *ret_text,
			       const char *format, ...) ZG_PRINTF(3, 4);

/** zg_arena_vprint() - as zg_arena_print(), the arguments in a list, which is used up */
ZG_MUST_USE int zg_arena_vprint(struct zg_arena *arena, struct zg_slice *ret_text,
				const char *format, va_list arguments) ZG_PRINTF(3, 0);

/**
 * zg_arena_on_reset() - run a function when the arena takes this moment back
 * @arena:    initialised
 * @cleanup:  called once, at reset, at fini, or at a restore to before now
 * @user:     passed to it; borrowed until it was called
 *
 * Cleanups run on the arena's own thread, the latest first, before any memory is taken back: what
 * one was registered with in the same arena is still there. A cleanup may allocate from the arena,
 * which goes with all the rest, and register others, which run next, in the same reset or
 * restore; so one that always registers itself anew never ends. It may return to a savepoint that
 * it made itself; and reset the arena, which runs the rest of the cleanups within, but not while a
 * restore runs it: that would find its savepoint passed, and abort. It may not end the arena.
 *
 * Return: 0; -ENOMEM when there is no room for the 24 bytes that it takes, with @cleanup not
 * registered.
 */
ZG_MUST_USE int zg_arena_on_reset(struct zg_arena *arena, void (*cleanup)(void *user), void *user);

/**
 * zg_arena_save() - a point to return to
 * @arena:  initialised
 *
 * Return: the savepoint, a value that owns nothing and need not be used; good until a reset, or a
 * restore to one that was made before it. Allocates nothing and never fails.
 */
struct zg_arena_savepoint zg_arena_save(struct zg_arena *arena);

/**
 * zg_arena_restore() - take back all that was allocated since a savepoint
 * @arena:      initialised
 * @savepoint:  from zg_arena_save() of this arena, not yet passed by a reset or restore; it may
 *              be returned to again
 */
void zg_arena_restore(struct zg_arena *arena, struct zg_arena_savepoint savepoint);

/**
 * zg_arena_reset() - take everything back
 * @arena:  initialised
 */
void zg_arena_reset(struct zg_arena *arena);

/**
 * zg_arena_chunk_payload() - the largest allocation that a chunk of a given size can hold
 * @block_size:  bytes of one block of the chunk pool, as its options ask for it
 *
 * Return: bytes, a multiple of ZG_ARENA_ALIGNMENT; 0 when a block has no room beside the chunk's
 * header. Any thread.
 */
size_t zg_arena_chunk_payload(size_t block_size);

/**
 * zg_arena_usage() - what an arena has handed out, holds and refused
 * @arena:      initialised, or zeroed
 * @ret_usage:  overwritten
 *
 * Any thread, between init and fini: from another than the arena's own each figure is that of some
 * recent moment.
 */
void zg_arena_usage(const struct zg_arena *arena, struct zg_arena_usage *ret_usage);

/**
 * zg_arena_watch_init() - have zg_watch_usage() tell of an arena, as of kind "arena"
 * @watch:  the caller's; overwritten, and stays where it is until zg_arena_watch_fini()
 * @arena:  initialised; borrowed, and stays where it is as long as it is watched
 * @name:   static text; arenas of one name are one row of a service's page
 *
 * Live and held are those of zg_arena_usage(); reserved is the first memory and all chunks that
 * the arena may hold. An arena that nobody watches is not visited; those of exchanges are not, and
 * have a row of their own.
 *
 * Return: 0; -EINVAL when the arena is NULL or zeroed, or the name is NULL. Any thread; makes no
 * allocation.
 */
ZG_MUST_USE int zg_arena_watch_init(struct zg_arena_watch *watch, const struct zg_arena *arena,
				    const char *name);

/**
 * zg_arena_watch_fini() - forget an arena, before it ends
 * @watch:  initialised, or zeroed; zeroed when this returns
 *
 * Any thread: whoever is looking at the arena has finished when this returns.
 */
void zg_arena_watch_fini(struct zg_arena_watch *watch);

/**
 * zg_arena_is_malloc() - is each allocation a malloc of its own?
 *
 * Return: true in a library built with -Darena=malloc, which is for finding mistakes, not for
 * service.
 */
bool zg_arena_is_malloc(void);

ZG_END_DECLS

#endif
