/*
 * Flushes of the application's files: a small table of who wants to know, whose places
 * are the tags that the I/O object gives back.
 */
#include <errno.h>

#include "base/assert.h"
#include "base/counter.h"
#include "server/shard.h"

static struct zgi_flush *flush_free_place(struct zgi_flushes *flushes)
{
	for (uint32_t index = 0; index < flushes->count; index++)
		if (flushes->table[index].done == NULL)
			return &flushes->table[index];
	return NULL;
}

int zg_flush(struct zg_shard *shard, int fd, zg_flush_handler *done, void *user)
{
	struct zgi_flushes *flushes = &shard->flushes;
	struct zgi_flush *place;

	zg_assert(shard->magic == ZGI_ASYNC_MAGIC);
	zg_assert(done != NULL);
	if (flushes->count == 0)
		return -EOPNOTSUPP;
	if (fd < 0)
		return -EBADF;
	if (flushes->is_ending)
		return -ESHUTDOWN;
	place = flush_free_place(flushes);
	if (place == NULL) {
		zgi_counter_add(&shard->counters.flushes_refused, 1);
		return -EAGAIN;
	}
	*place = (struct zgi_flush){.done = done, .user = user};
	zgi_gauge_set(&flushes->live_count, flushes->live_count + 1);
	zgi_counter_add(&shard->counters.flushes, 1);
	zgi_io_flush(zgi_shard_of(shard)->io, fd, (uint64_t)(place - flushes->table));
	return 0;
}

void zgi_flush_done(struct zg_shard *shard, uint64_t tag, int32_t result)
{
	struct zgi_flushes *flushes = &shard->flushes;
	struct zgi_flush flush;

	zg_assert(tag < flushes->count);
	flush = flushes->table[tag];
	zg_assert(flush.done != NULL);
	/* Its place is free before it is told, so that it may flush again. */
	flushes->table[tag] = (struct zgi_flush){0};
	zgi_gauge_set(&flushes->live_count, flushes->live_count - 1);
	if (result < 0)
		zgi_counter_add(&shard->counters.flushes_failed, 1);
	flush.done(shard, result, flush.user);
}
