/*
 * Persistent pool: objects of one size in a map, each there whole or not at all.
 *
 * An object is reserved, filled, and published. Until it is published no crash leaves anything of
 * it; once zg_pmem_pool_publish() has returned, every crash leaves all of it, and the next opening
 * finds it. Given back, it is gone for good once zg_pmem_pool_give() has returned.
 *
 * Handles are those of volatile pools (pool.h), and outlive the process: kept in another
 * persistent object, or by a client, they name the same object after a restart. A handle that went
 * stale stays so: neither an object that is given back nor one that a crash took before it was
 * published ever has a name again that somebody may still hold.
 *
 *	reserve → fill in place → publish → (zg_pmem_store() to change it) → give
 *
 * Ownership  The caller lends the map, and memory for what need not persist, until close. The
 *            struct is registered meanwhile (watch.h), and so must stay where it is.
 * Threads    Not locked: that of the map.
 * Limits     ZG_POOL_BLOCKS_MAX objects. Each opening takes ZG_PMEM_POOL_GENERATIONS of the 2^36
 *            generations that the objects of a pool have.
 */
#ifndef ZEROG_PMEM_POOL_H
#define ZEROG_PMEM_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/pmem.h>
#include <zerog/pool.h>
#include <zerog/text.h>
#include <zerog/watch.h>

ZG_BEGIN_DECLS

#define ZG_PMEM_POOL_GENERATIONS 65536
#define ZG_PMEM_POOL_OBJECT_SIZE_MAX (UINT64_C(1) << 30) /* bytes */

struct zg_pmem_pool_options {
	const char *name; /* static text, for reports */
	struct zg_pmem *map; /* borrowed until close */
	uint64_t offset; /* in its payload, a multiple of ZG_POOL_ALIGNMENT: several pools, and
			  * other things, may share a map */
	void *memory; /* borrowed until close; aligned to ZG_POOL_ALIGNMENT */
	size_t memory_size; /* bytes, at least zg_pmem_pool_memory_size() */
	size_t object_size; /* bytes, 1 to ZG_PMEM_POOL_OBJECT_SIZE_MAX; rounded up to the alignment
			     */
	uint32_t object_count; /* 1 to ZG_POOL_BLOCKS_MAX */
	uint32_t index_first; /* of the first object's handle; index_first + object_count is at most
			       * ZG_POOL_BLOCKS_MAX */
	uint8_t tag; /* of its handles, 1 to 255: it is kept, so it is chosen here. No other live
		      * pool may have it with an index in common */
	bool create; /* make the pool where the payload is all zero */
};

struct zg_pmem_pool {
	uint32_t magic;
	uint32_t handle_first; /* tag and index of the first object's handles */
	uint32_t object_count;
	uint32_t free_count; /* objects that may be reserved */
	uint32_t free_count_low; /* the least that was ever free */
	uint32_t free_first; /* of the ring, where the next to be reserved stands */
	uint32_t published_count;
	uint32_t retired_count; /* objects whose generations have run out */
	size_t object_size; /* bytes, rounded up */
	uint64_t *slots; /* borrowed: one word an object, see pmem_pool.c */
	uint32_t *free_ring; /* borrowed: numbers of the free objects */
	struct zg_pmem *map; /* borrowed */
	uint64_t words_offset; /* in the payload: one word an object */
	uint64_t objects_offset; /* in the payload */
	uint64_t limit_offset; /* in the payload */
	uint64_t generation_limit; /* as it is persistent: no handle has this generation yet */
	uint64_t refuse_count; /* reservations that found the pool empty */
	uint64_t misuse_count; /* handles refused */
	size_t object_size_asked; /* bytes */
	size_t memory_size; /* bytes lent that are used */
	const char *name; /* static */
	struct zg_watched watched;
	struct zg_pool_handles handles;
};

/**
 * zg_pmem_pool_size() - bytes of the payload that a pool needs
 * @options:  object_size and object_count are read
 *
 * Return: bytes, a multiple of ZG_POOL_ALIGNMENT; 0 when a value is out of range.
 */
uint64_t zg_pmem_pool_size(const struct zg_pmem_pool_options *options);

/**
 * zg_pmem_pool_memory_size() - bytes of memory that have to be lent
 * @options:  object_count is read
 *
 * Return: bytes, a multiple of ZG_POOL_ALIGNMENT; 0 when the count is out of range.
 */
size_t zg_pmem_pool_memory_size(const struct zg_pmem_pool_options *options);

/**
 * zg_pmem_pool_open() - find the published objects of a pool, or make it
 * @pool:       the caller's, not a live one; overwritten, zeroed on failure
 * @options:    read during the call
 * @ret_error:  appended to on failure: what is wrong and what to change; may be NULL
 *
 * Looks at every object's word, not at the objects. What was reserved when the last process ended
 * is free. In a map that is read only the pool can be looked at, and nothing else.
 *
 * Return: 0; -EINVAL when an option is out of range or the payload is too small; -ENOENT when
 * there is no pool and it is not to be made; -EMEDIUMTYPE when there is something else;
 * -EPROTONOSUPPORT when a newer version made it; -ERANGE when the pool there has another tag,
 * count or size; -EBADMSG when it is damaged, the offset told; -EEXIST when a live pool has some of
 * its handles; -ENOSPC when the tag's generations have run out; or as zg_pmem_fence().
 */
ZG_MUST_USE int zg_pmem_pool_open(struct zg_pmem_pool *pool,
				  const struct zg_pmem_pool_options *options,
				  struct zg_text *ret_error);

/**
 * zg_pmem_pool_close() - end the pool; the memory is the caller's again
 * @pool:  open, or zeroed
 *
 * What is reserved is free at the next opening; what is published stays.
 */
void zg_pmem_pool_close(struct zg_pmem_pool *pool);

/**
 * zg_pmem_pool_reserve() - have an object to be filled, contents undefined
 * @pool:        open
 * @ret_handle:  names the object until zg_pmem_pool_give(); untouched on failure
 * @ret_object:  where it is to be filled, in its place, until it is published; untouched on failure
 *
 * The object that has been free for the longest: so all of them wear alike.
 *
 * Return: 0; -ENOMEM when no object is free; -EROFS when the map is read only; or as
 * zg_pmem_fence(), which is waited for once in ZG_PMEM_POOL_GENERATIONS reservations of one object.
 */
ZG_MUST_USE int zg_pmem_pool_reserve(struct zg_pmem_pool *pool, zg_handle *ret_handle,
				     void **ret_object);

/**
 * zg_pmem_pool_publish() - have an object that was filled outlive every crash from now on
 * @pool:    open
 * @handle:  of a reserved object
 *
 * Two fences: first what is in the object, then that it is there.
 *
 * Return: 0; -EALREADY when it was published before; -ESTALE or -EINVAL as zg_pool_give(); or as
 * zg_pmem_fence(), after which only the next opening tells whether it is there.
 */
ZG_MUST_USE int zg_pmem_pool_publish(struct zg_pmem_pool *pool, zg_handle handle);

/**
 * zg_pmem_pool_publish_many() - publish several objects with the two fences of one
 * @pool:     open
 * @handles:  of reserved objects
 * @count:    how many
 *
 * Each is published for itself: a crash on the way leaves some of them.
 *
 * Return: as zg_pmem_pool_publish(); when a handle is refused none is published.
 */
ZG_MUST_USE int zg_pmem_pool_publish_many(struct zg_pmem_pool *pool, const zg_handle *handles,
					  size_t count);

/**
 * zg_pmem_pool_give() - end an object, published or only reserved
 * @pool:    open
 * @handle:  of the object
 *
 * One fence when it was published, none when it was not.
 *
 * Return: 0; -ESTALE or -EINVAL as zg_pool_give(); -EROFS when the map is read only; or as
 * zg_pmem_fence(), after which only the next opening tells whether it is there.
 */
ZG_MUST_USE int zg_pmem_pool_give(struct zg_pmem_pool *pool, zg_handle handle);

/**
 * zg_pmem_pool_get() - the object that a handle names
 * @pool:    open
 * @handle:  any value
 *
 * A published object is changed through zg_pmem_store() and its relatives alone, at
 * zg_pmem_pool_offset(): fields of 8 bytes never tear.
 *
 * Return: the object, published or reserved, borrowed; NULL when the handle is stale, foreign or
 * invented.
 */
const void *zg_pmem_pool_get(struct zg_pmem_pool *pool, zg_handle handle);

/**
 * zg_pmem_pool_is_published() - would a crash leave the object?
 * @pool:    open
 * @handle:  any value
 *
 * Return: true when it names a published object. No misuse is counted.
 */
bool zg_pmem_pool_is_published(const struct zg_pmem_pool *pool, zg_handle handle);

/**
 * zg_pmem_pool_offset() - where in the map's payload an object lies
 * @pool:    open
 * @handle:  of an object of this pool: anything else is asserted
 *
 * Return: bytes from the beginning of the payload.
 */
uint64_t zg_pmem_pool_offset(const struct zg_pmem_pool *pool, zg_handle handle);

/**
 * zg_pmem_pool_next() - walk over the published objects, in order of index
 * @pool:        open; objects may be given during the walk
 * @cursor:      0 at first, then as it was left
 * @ret_handle:  the next object's; untouched at the end
 * @ret_object:  the object, borrowed, may be NULL; untouched at the end
 *
 * Return: 1 when there was one, 0 at the end.
 */
ZG_MUST_USE int zg_pmem_pool_next(struct zg_pmem_pool *pool, uint32_t *cursor,
				  zg_handle *ret_handle, const void **ret_object);

ZG_END_DECLS

#endif
