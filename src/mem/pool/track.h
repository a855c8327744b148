/*
 * Track: who has the blocks of a pool, for the leak report and for who finds a misuse.
 *
 * The pool's own thread writes; a report on another thread reads (see track.c).
 */
#ifndef ZEROG_MEM_POOL_TRACK_H
#define ZEROG_MEM_POOL_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include <zerog/pool.h>

#include "mem/watch/registry.h"

#define ZGI_POOL_MAGIC UINT32_C(0x6c6f6f70)

/* What is kept of one block. Sites are return addresses. */
struct zgi_pool_track {
	const void *take_site; /* of the last take or renew; NULL: it was never taken */
	const void *give_site; /* of the last give or renew; NULL: it was never given */
	uint64_t taken_ns; /* zgi_clock_coarse_ns() of the last take or renew */
};

/* How pools are measured and looked through. */
extern const struct zgi_watch_class zgi_pool_watch_class;

/**
 * zgi_pool_arm() - a pool is plain or watched from now on
 * @watched:   of the pool
 * @is_armed:  its takes may be made to fail, so they must be seen
 *
 * Any thread.
 */
void zgi_pool_arm(struct zg_watched *watched, bool is_armed);

/**
 * zgi_pool_take_for() - zg_pool_take() on behalf of a caller
 * @pool:        as for zg_pool_take()
 * @site:        the return address to be kept, where the pool is tracked
 * @ret_handle:  as for zg_pool_take()
 * @ret_block:   as for zg_pool_take()
 *
 * Return: as zg_pool_take().
 */
ZG_MUST_USE int zgi_pool_take_for(struct zg_pool *pool, const void *site, zg_handle *ret_handle,
				  void **ret_block);

/**
 * zgi_pool_held_by() - a taken block has another holder now
 * @pool:    initialised; nothing happens when it is not tracked
 * @handle:  names a taken block
 * @site:    an address in the holder, as a return address; it stands in for that of the take
 */
void zgi_pool_held_by(struct zg_pool *pool, zg_handle handle, const void *site);

/* The block of this track is taken, or renewed, from `site`. */
void zgi_track_take(struct zgi_pool_track *track, const void *site);

/* The same for a give. */
void zgi_track_give(struct zgi_pool_track *track, const void *site);

/* Slots that hold the bits of a handle while their block is taken, and their tracks. */
struct zgi_tracks {
	const char *name; /* the pool's */
	const uint64_t *slots;
	const struct zgi_pool_track *tracks;
	uint32_t block_count;
	uint32_t handle_first; /* the upper 28 bits of the first block's handles */
};

/**
 * zgi_tracks_tell() - tell of each block that is taken
 * @tracks:  read during the call; their owner goes on meanwhile
 * @leaks:   as passed to a class's tell_leaks()
 */
void zgi_tracks_tell(const struct zgi_tracks *tracks, struct zgi_leaks *leaks);

/**
 * zgi_track_tell_misuse() - add what is known of the block, and tell the hook
 * @misuse:  all but the two sites of the block, which are filled in
 * @track:   of the block that was meant; NULL: there is none
 */
void zgi_track_tell_misuse(struct zg_pool_misuse *misuse, const struct zgi_pool_track *track);

/**
 * zgi_pool_track_misuse() - keep a misuse, and tell the hook
 * @pool:    initialised, tracked or not
 * @number:  of the block that was meant; block_count or more when it is none of this pool's
 * @misuse:  all but the two sites of the block; copied
 */
void zgi_pool_track_misuse(struct zg_pool *pool, uint32_t number,
			   const struct zg_pool_misuse *misuse);

#endif
