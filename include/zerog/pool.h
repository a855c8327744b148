/*
 * Pool: equal blocks carved from memory the caller lends.
 *
 * A pool serves blocks in constant time, never fragments, and has a limit fixed
 * at start. A block is named by a handle, which goes stale when the block is
 * given back: a double give, a stale, a foreign or an invented handle is caught
 * every time, in release builds too.
 *
 * Blocks are taken last-in first-out, so that a lightly loaded service works in
 * the same few cache-warm blocks.
 *
 * A tracked pool also keeps where and when each block was taken, and where it was
 * given last: the leak report (leaks.h) and the report of a misuse name those places.
 * Which type of object a pool holds is checked by the compiler in typed_pool.h.
 *
 * Ownership  The caller lends `memory` at init and has it back after fini. The struct is
 *            registered meanwhile (watch.h), and so must stay where it is.
 * Threads    Not locked: one pool belongs to one shard.
 * Limits     ZG_POOL_BLOCKS_MAX blocks.
 */
#ifndef ZEROG_POOL_H
#define ZEROG_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/layout.h>
#include <zerog/text.h>
#include <zerog/watch.h>

ZG_BEGIN_DECLS

struct zgi_pool_track;

/* tag (8 bits) | index (20 bits) | generation (36 bits); never 0 for a live block. */
typedef struct {
	uint64_t bits;
} zg_handle;

#define ZG_HANDLE_NONE ((zg_handle){0})
#define ZG_POOL_BLOCKS_MAX (UINT32_C(1) << 20)
#define ZG_POOL_ALIGNMENT 64

/* Bytes that are enough for a pool, tracked or not, where memory is set aside at compile time. */
#define ZG_POOL_MEMORY_SIZE_MAX(block_size, block_count)     \
	(ZG_POOL_ROUND(block_size) * (size_t)(block_count) + \
	 ZG_POOL_ROUND((size_t)(block_count)*ZG_POOL_BOOKKEEPING_SIZE_MAX))
#define ZG_POOL_BOOKKEEPING_SIZE_MAX 36 /* bytes a block */
#define ZG_POOL_ROUND(size) \
	(((size_t)(size) + ZG_POOL_ALIGNMENT - 1) & ~(size_t)(ZG_POOL_ALIGNMENT - 1))

struct zg_pool_options {
	const char *name; /* static text, for reports */
	void *memory; /* borrowed until fini; aligned to ZG_POOL_ALIGNMENT */
	size_t memory_size; /* bytes, at least zg_pool_memory_size() */
	size_t block_size; /* bytes of one block, at least 1; rounded up to the alignment */
	uint32_t block_count; /* 1 to ZG_POOL_BLOCKS_MAX */
	uint32_t index_first; /* the index of the first block's handle: shards number on;
			       * index_first + block_count is at most ZG_POOL_BLOCKS_MAX */
	uint8_t tag; /* 0: one that is free; or 1 to 255. No two live pools of this process, shared
		      * ones included, may have the same tag and an index in common */
	bool is_tracked; /* keep where blocks are taken and given; see zg_pool_tracks_all() */
};

/* What was done with a handle that names no taken block. */
enum zg_pool_act {
	ZG_POOL_GET,
	ZG_POOL_GIVE,
	ZG_POOL_RENEW,
	ZG_POOL_PUBLISH, /* of persistent pools alone: pmem_pool.h */
};

/* A misuse. Sites are return addresses, for zg_site_print(); NULL when they are not known. */
struct zg_pool_misuse {
	const char *pool_name; /* static */
	zg_handle handle; /* as it was passed */
	enum zg_pool_act act;
	int error; /* -ESTALE: given before; -EINVAL: never came from this pool */
	const void *site; /* who misused it */
	const void *take_site; /* who took that block last: its holder, if it is taken */
	const void *give_site; /* who gave or renewed it last: whoever ended a handle that was given
				* once; not known of shared pools */
	bool is_tracked; /* the pool */
};

/* The handles that a pool has for itself while it lives; the fields are the toolkit's. */
struct zg_pool_handles {
	struct zg_pool_handles *next;
	uint32_t first; /* tag and index */
	uint32_t count;
};

struct zg_pool {
	/* One cache line: what a take and a give touch. */
	uint32_t free_count; /* blocks */
	uint32_t free_count_low; /* the least that was ever free: the low-water mark */
	uint32_t take_floor; /* a take that finds no more free than this goes the long way: 0, or
			      * all while somebody else has to see it (see pool.c) */
	uint32_t give_limit; /* a block of this number or above goes the long way: block_count,
			      * or 0 */
	uint32_t handle_first; /* tag and index of the first block's handles: their upper 28 bits */
	uint32_t magic;
	size_t block_size; /* bytes, rounded up to the alignment */
	unsigned char *blocks; /* borrowed */
	uint64_t *slots; /* borrowed: one word a block, see pool.c */
	uint32_t *free_stack; /* borrowed: numbers of the free blocks, the next to be taken last */
	uint32_t block_count;

	zg_cold(seldom);
	struct zgi_pool_track *tracks; /* borrowed: one a block; NULL when it is not tracked */
	uint64_t refuse_count; /* takes that found the pool empty */
	uint64_t misuse_count; /* stale, double, foreign or invented handles refused */
	uint32_t retired_count; /* blocks whose generation has run out, never taken again */
	uint32_t is_armed; /* takes may be made to fail: see fault.h */
	size_t block_size_asked; /* bytes, as the options had it */
	size_t memory_size; /* bytes that the pool uses */
	const char *name; /* static */
	struct zg_watched watched;
	struct zg_pool_handles handles;
	struct zg_pool_misuse misuse_last; /* its error is 0 when there was none */
};

/**
 * zg_pool_memory_size() - bytes a pool needs, its bookkeeping included
 * @options:  block_size, block_count and is_tracked are read
 *
 * Return: bytes, a multiple of ZG_POOL_ALIGNMENT; 0 when a value is out of range or they do not
 * fit a size_t.
 */
size_t zg_pool_memory_size(const struct zg_pool_options *options);

/**
 * zg_pool_tracks_all() - is every pool tracked, whatever its options say?
 *
 * Return: true in builds for finding mistakes (--buildtype=debug or -Dtracked=on).
 */
bool zg_pool_tracks_all(void);

/**
 * zg_pool_init() - make a pool, every block free
 * @pool:     the caller's, not a live one, which is asserted; overwritten, and registered where it
 *            is
 * @options:  read during the call
 *
 * Blocks begin with a generation that no handle of the tag has had yet: what was handed out by a
 * pool that has ended is stale in every later one.
 *
 * Return: 0; -EINVAL when a count, size or alignment is out of range; -EEXIST when a live pool has
 * handles of this tag and one of these indices: choose another tag or index_first, or tag 0;
 * -ENOSPC when the tag's generations have run out or, with tag 0, no tag is free: 255 pools have
 * these indices, so let index_first differ.
 */
ZG_MUST_USE int zg_pool_init(struct zg_pool *pool, const struct zg_pool_options *options);

/**
 * zg_pool_fini() - end the pool; the memory is the caller's again, blocks still taken included
 * @pool:  initialised, or zeroed
 */
void zg_pool_fini(struct zg_pool *pool);

/**
 * zg_pool_take() - move one block to the caller, contents undefined
 * @pool:        initialised; the caller's own shard's
 * @ret_handle:  names the block until zg_pool_give(); untouched on failure
 * @ret_block:   the block itself, may be NULL; untouched on failure
 *
 * Return: 0; -ENOMEM when every block is taken (see the plan line's option).
 */
ZG_MUST_USE int zg_pool_take(struct zg_pool *pool, zg_handle *ret_handle, void **ret_block);

/**
 * zg_pool_give() - move a block back to the pool
 * @pool:    initialised
 * @handle:  from zg_pool_take() of this pool
 *
 * Return: 0; -ESTALE when it was given before; -EINVAL when it never came from this pool. Nothing
 * changes on failure but misuse_count and what zg_pool_last_misuse() tells.
 */
ZG_MUST_USE int zg_pool_give(struct zg_pool *pool, zg_handle handle);

/**
 * zg_pool_renew() - another handle for a taken block; the old one goes stale
 * @pool:        initialised
 * @handle:      names a taken block, whose contents stay as they are
 * @ret_handle:  the new name; untouched on failure; may point to where @handle was copied from
 *
 * Return: 0; -ESTALE or -EINVAL as zg_pool_give(), the block as it was.
 */
ZG_MUST_USE int zg_pool_renew(struct zg_pool *pool, zg_handle handle, zg_handle *ret_handle);

/**
 * zg_pool_get() - the block a handle names
 * @pool:    initialised
 * @handle:  any value
 *
 * Return: the block, borrowed; NULL when the handle is stale, foreign or invented.
 */
void *zg_pool_get(struct zg_pool *pool, zg_handle handle);

/**
 * zg_pool_next() - walk over the taken blocks, in order of index
 * @pool:        initialised; blocks may be given during the walk
 * @cursor:      0 at first, then as it was left
 * @ret_handle:  the next taken block's; untouched at the end
 * @ret_block:   the block, borrowed, may be NULL; untouched at the end
 *
 * Return: 1 when there was one, 0 at the end.
 */
ZG_MUST_USE int zg_pool_next(struct zg_pool *pool, uint32_t *cursor, zg_handle *ret_handle,
			     void **ret_block);

/**
 * zg_pool_is_taken() - is the n-th block taken?
 * @pool:    initialised
 * @number:  below its block_count
 *
 * Return: true from the take of the block to its give. Any thread; from another than the pool's
 * own the answer is that of some recent moment.
 */
static inline bool zg_pool_is_taken(const struct zg_pool *pool, uint32_t number)
{
	uint64_t slot = __atomic_load_n(&pool->slots[number], __ATOMIC_ACQUIRE);

	return slot >> 36 == pool->handle_first + number;
}

/**
 * zg_pool_last_misuse() - the latest stale, double, foreign or invented handle
 * @pool:        initialised; the caller's own shard's
 * @ret_misuse:  who it was and, in a tracked pool, whom the block belongs to; untouched when there
 *               was none
 *
 * Return: 1 when there was one, else 0.
 */
int zg_pool_last_misuse(const struct zg_pool *pool, struct zg_pool_misuse *ret_misuse);

/**
 * zg_pool_on_misuse() - be told of every misuse in this process, of shared pools too
 * @hook:  called on the thread of the misuse, before the misused call returns; it must not use
 *         that pool but to read it. NULL: nobody is told, as at first
 *
 * A zg_pool_get() of a handle that has gone stale counts as one; where that is expected, let the
 * hook look at the act. Any thread.
 */
void zg_pool_on_misuse(void (*hook)(const struct zg_pool_misuse *misuse));

/**
 * zg_pool_misuse_print() - one line that says what was done, by whom, and whose block it was
 * @misuse:  as told by the hook or zg_pool_last_misuse()
 * @text:    appended to
 *
 * Makes no allocation.
 */
void zg_pool_misuse_print(const struct zg_pool_misuse *misuse, struct zg_text *text);

/**
 * zg_handle_index() - the index part of a handle
 * @handle:  any value
 *
 * Return: index_first of its pool plus the block's number.
 */
static inline uint32_t zg_handle_index(zg_handle handle)
{
	return (uint32_t)(handle.bits >> 36) & (ZG_POOL_BLOCKS_MAX - 1);
}

ZG_END_DECLS

#endif
