/*
 * What a pool tells of its blocks to those who watch it.
 *
 * A report may run on another thread while the pool's own goes on, so each field of a
 * track is stored on its own, in order, and the slot last. Whoever reads the slot, then
 * the track, and finds the slot unchanged has read what belongs together: a field of a
 * later take could only be seen with the give that came before it.
 */
#include "mem/pool/track.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/counter.h"
#include "mem/watch/leaks.h"

static void (*track_misuse_hook)(const struct zg_pool_misuse *misuse);

void zgi_track_take(struct zgi_pool_track *track, const void *site)
{
	__atomic_store_n(&track->take_site, site, __ATOMIC_RELEASE);
	__atomic_store_n(&track->taken_ns, zgi_clock_coarse_ns(), __ATOMIC_RELEASE);
}

void zgi_track_give(struct zgi_pool_track *track, const void *site)
{
	__atomic_store_n(&track->give_site, site, __ATOMIC_RELEASE);
}

void zgi_pool_held_by(struct zg_pool *pool, zg_handle handle, const void *site)
{
	uint32_t number = zg_handle_index(handle) - (pool->handle_first & (ZG_POOL_BLOCKS_MAX - 1));

	if (pool->tracks == NULL)
		return;
	zg_assert(number < pool->block_count && pool->slots[number] == handle.bits);
	__atomic_store_n(&pool->tracks[number].take_site, site, __ATOMIC_RELEASE);
}

void zgi_track_tell_misuse(struct zg_pool_misuse *misuse, const struct zgi_pool_track *track)
{
	void (*hook)(const struct zg_pool_misuse *) =
		__atomic_load_n(&track_misuse_hook, __ATOMIC_ACQUIRE);

	if (track != NULL) {
		misuse->take_site = __atomic_load_n(&track->take_site, __ATOMIC_RELAXED);
		misuse->give_site = __atomic_load_n(&track->give_site, __ATOMIC_RELAXED);
	}
	if (hook != NULL)
		hook(misuse);
}

void zgi_pool_track_misuse(struct zg_pool *pool, uint32_t number,
			   const struct zg_pool_misuse *misuse)
{
	bool has_track = pool->tracks != NULL && number < pool->block_count;

	pool->misuse_last = *misuse;
	zgi_track_tell_misuse(&pool->misuse_last, has_track ? &pool->tracks[number] : NULL);
}

int zg_pool_last_misuse(const struct zg_pool *pool, struct zg_pool_misuse *ret_misuse)
{
	zg_assert(pool->magic == ZGI_POOL_MAGIC);
	if (pool->misuse_last.error == 0)
		return 0;
	*ret_misuse = pool->misuse_last;
	return 1;
}

void zg_pool_on_misuse(void (*hook)(const struct zg_pool_misuse *misuse))
{
	__atomic_store_n(&track_misuse_hook, hook, __ATOMIC_RELEASE);
}

static void track_print_site(struct zg_text *text, const char *what, const void *site)
{
	if (site == NULL)
		return;
	zg_text_print(text, "%s", what);
	zg_site_print(text, site);
}

void zg_pool_misuse_print(const struct zg_pool_misuse *misuse, struct zg_text *text)
{
	static const char *const acts[] = {"get", "give", "renew", "publish"};

	zg_assert(misuse->act <= ZG_POOL_PUBLISH);
	zg_text_print(text, "pool %s: %s of %s handle %016" PRIx64, misuse->pool_name,
		      acts[misuse->act], misuse->error == -ESTALE ? "a stale" : "an invalid",
		      misuse->handle.bits);
	track_print_site(text, ", at ", misuse->site);
	track_print_site(text, "; its block was last taken at ", misuse->take_site);
	track_print_site(text, ", last given at ", misuse->give_site);
	zg_text_print(text, "%s\n",
		      misuse->is_tracked ? ""
					 : "; init the pool with is_tracked to know whose it was");
}

/* Read apart, the two may be of different moments. */
static uint32_t track_taken_count(const struct zg_pool *pool)
{
	uint32_t idle_count =
		zgi_gauge_read(&pool->retired_count) + zgi_gauge_read(&pool->free_count);

	return idle_count < pool->block_count ? pool->block_count - idle_count : 0;
}

static void track_measure(const struct zg_watched *watched, struct zg_usage *ret_usage)
{
	const struct zg_pool *pool = ZGI_WATCHED_OWNER(watched, struct zg_pool, watched);
	uint64_t taken_count = track_taken_count(pool);
	size_t blocks_size = pool->block_count * pool->block_size;
	size_t bookkeeping_each = (pool->memory_size - blocks_size) / pool->block_count;

	ret_usage->name = pool->name;
	ret_usage->live_count = taken_count;
	ret_usage->count_max = pool->block_count;
	ret_usage->live_size = taken_count * pool->block_size_asked;
	ret_usage->held_size = taken_count * (pool->block_size + bookkeeping_each);
	ret_usage->reserved_size = pool->memory_size;
}

void zgi_tracks_tell(const struct zgi_tracks *tracks, struct zgi_leaks *leaks)
{
	struct zgi_leak leak = {.name = tracks->name, .count = 1};

	for (uint32_t number = 0; number < tracks->block_count; ++number) {
		const struct zgi_pool_track *track = &tracks->tracks[number];
		uint64_t slot = __atomic_load_n(&tracks->slots[number], __ATOMIC_ACQUIRE);

		if (slot >> 36 != tracks->handle_first + number)
			continue;
		leak.site = __atomic_load_n(&track->take_site, __ATOMIC_ACQUIRE);
		leak.taken_ns = __atomic_load_n(&track->taken_ns, __ATOMIC_ACQUIRE);
		/* What has changed hands meanwhile is no leak. */
		if (slot == __atomic_load_n(&tracks->slots[number], __ATOMIC_RELAXED))
			zgi_leaks_add(leaks, &leak);
	}
}

static void track_tell_leaks(const struct zg_watched *watched, struct zgi_leaks *leaks)
{
	const struct zg_pool *pool = ZGI_WATCHED_OWNER(watched, struct zg_pool, watched);
	const struct zgi_tracks tracks = {
		.name = pool->name,
		.slots = pool->slots,
		.tracks = pool->tracks,
		.block_count = pool->block_count,
		.handle_first = pool->handle_first,
	};
	struct zgi_leak leak = {.name = pool->name, .count = track_taken_count(pool)};

	if (leak.count == 0)
		return;
	if (pool->tracks != NULL)
		zgi_tracks_tell(&tracks, leaks);
	else
		zgi_leaks_add(leaks, &leak);
}

const struct zgi_watch_class zgi_pool_watch_class = {
	.kind = "pool",
	.measure = track_measure,
	.tell_leaks = track_tell_leaks,
	.arm = zgi_pool_arm,
};
