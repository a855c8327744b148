/*
 * Watched descriptors: what libraries such as libpq need to work on a shard's thread.
 *
 * The I/O object tells once; here it is asked again after each handler, which gives the
 * level meaning that libraries expect. Every asking has a number, part of its tag: what
 * still comes of one that was changed or stopped is told by it, and is passed over.
 */
#include <errno.h>
#include <sys/stat.h>

#include "base/assert.h"
#include "base/counter.h"
#include "server/shard.h"

#define WATCH_ARM_COUNT_MASK UINT32_C(0xffffff) /* so that a tag stays below 2^56 */

static uint64_t watch_tag(const struct zgi_watches *watches, const struct zgi_watch *watch)
{
	return (uint64_t)(watch->arm_count & WATCH_ARM_COUNT_MASK) << 32 |
	       (uint64_t)(watch - watches->table);
}

static uint32_t watch_poll_events(unsigned events)
{
	return (events & ZG_WATCH_READABLE ? ZGI_IO_POLL_IN : 0) |
	       (events & ZG_WATCH_WRITABLE ? ZGI_IO_POLL_OUT : 0);
}

/* What to tell of poll's bits, or of an error. */
static unsigned watch_told_events(const struct zgi_watch *watch, int32_t result)
{
	const unsigned wanted = (watch->events & ZGI_IO_POLL_IN ? ZG_WATCH_READABLE : 0) |
				(watch->events & ZGI_IO_POLL_OUT ? ZG_WATCH_WRITABLE : 0);

	if (result < 0 || (result & (ZGI_IO_POLL_GONE | ZGI_IO_POLL_INVALID)) != 0)
		return wanted | ZG_WATCH_ERROR;
	return ((result & ZGI_IO_POLL_IN ? ZG_WATCH_READABLE : 0) |
		(result & ZGI_IO_POLL_OUT ? ZG_WATCH_WRITABLE : 0)) &
	       wanted;
}

static int watch_arm(struct zg_shard *shard, struct zgi_watch *watch)
{
	int result;

	zg_assert(!watch->is_armed);
	if (watch->events == 0)
		return 0;
	watch->arm_count++;
	result = zgi_io_watch(zgi_shard_of(shard)->io, watch->fd, watch->events,
			      watch_tag(&shard->watches, watch));
	watch->is_armed = result == 0;
	return result;
}

/* Also when it is not armed: epoll keeps what it has told of. */
static void watch_disarm(struct zg_shard *shard, struct zgi_watch *watch)
{
	zgi_io_unwatch(zgi_shard_of(shard)->io, watch->fd, watch_tag(&shard->watches, watch));
	watch->is_armed = false;
}

/* What epoll would refuse, and io_uring call ready without an end. */
static int watch_check(const struct zg_shard *shard, int fd)
{
	struct stat status;

	for (uint32_t index = 0; index < shard->watches.count; index++)
		if (fd >= 0 && shard->watches.table[index].fd == fd)
			return -EEXIST;
	if (fstat(fd, &status) < 0)
		return -errno;
	return S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) ? -EPERM : 0;
}

static struct zgi_watch *watch_free_place(struct zgi_watches *watches)
{
	for (uint32_t index = 0; index < watches->count; index++)
		if (watches->table[index].fd < 0)
			return &watches->table[index];
	return NULL;
}

static struct zgi_watch *watch_of(struct zg_shard *shard, zg_watch name)
{
	uint32_t index = (uint32_t)name.bits;

	zg_assert(shard->magic == ZGI_ASYNC_MAGIC);
	if (index >= shard->watches.count || shard->watches.table[index].fd < 0 ||
	    shard->watches.table[index].generation != name.bits >> 32)
		return NULL;
	return &shard->watches.table[index];
}

static void watch_free(struct zg_shard *shard, struct zgi_watch *watch)
{
	watch->fd = -1;
	/* Never 0: so no name of a watch is ZG_WATCH_NONE. */
	watch->generation = watch->generation == UINT32_MAX ? 1 : watch->generation + 1;
	zgi_gauge_set(&shard->watches.live_count, shard->watches.live_count - 1);
}

int zg_watch_start(struct zg_shard *shard, const struct zg_watch_options *options,
		   zg_watch *ret_watch)
{
	struct zgi_watches *watches = &shard->watches;
	struct zgi_watch *watch;
	int result;

	zg_assert(shard->magic == ZGI_ASYNC_MAGIC);
	zg_assert(options->handler != NULL);
	if (watches->count == 0)
		return -EOPNOTSUPP;
	if ((options->events & ~(ZG_WATCH_READABLE | ZG_WATCH_WRITABLE)) != 0)
		return -EINVAL;
	result = watch_check(shard, options->fd);
	if (result < 0)
		return result;
	watch = watch_free_place(watches);
	if (watch == NULL) {
		zgi_counter_add(&shard->counters.watches_refused, 1);
		return -EAGAIN;
	}
	watch->fd = options->fd;
	watch->events = watch_poll_events(options->events);
	watch->handler = options->handler;
	watch->user = options->user;
	watch->is_armed = false;
	zgi_gauge_set(&watches->live_count, watches->live_count + 1);
	result = watch_arm(shard, watch);
	if (result < 0) {
		watch_free(shard, watch);
		return result;
	}
	*ret_watch =
		(zg_watch){(uint64_t)watch->generation << 32 | (uint64_t)(watch - watches->table)};
	return 0;
}

int zg_watch_change(struct zg_shard *shard, zg_watch name, unsigned events)
{
	struct zgi_watch *watch = watch_of(shard, name);

	if (watch == NULL)
		return -ESTALE;
	if ((events & ~(ZG_WATCH_READABLE | ZG_WATCH_WRITABLE)) != 0)
		return -EINVAL;
	if (watch->events == watch_poll_events(events))
		return 0;
	watch->events = watch_poll_events(events);
	watch_disarm(shard, watch);
	return watch_arm(shard, watch);
}

int zg_watch_stop(struct zg_shard *shard, zg_watch name)
{
	struct zgi_watch *watch = watch_of(shard, name);

	if (watch == NULL)
		return -ESTALE;
	watch_disarm(shard, watch);
	watch_free(shard, watch);
	return 0;
}

void zgi_watch_told(struct zg_shard *shard, uint64_t tag, int32_t result)
{
	struct zgi_watch *watch = &shard->watches.table[(uint32_t)tag];
	uint32_t generation;

	zg_assert((uint32_t)tag < shard->watches.count);
	if (watch->fd < 0 || !watch->is_armed || watch_tag(&shard->watches, watch) != tag)
		return;
	watch->is_armed = false;
	generation = watch->generation;
	zgi_counter_add(&shard->counters.watch_events, 1);
	watch->handler(shard, watch_told_events(watch, result), watch->user);
	/* Stopped or changed by its handler; or one that cannot be watched, which has been told. */
	if (watch->generation != generation || watch->is_armed || result < 0)
		return;
	if (watch_arm(shard, watch) < 0)
		watch->handler(shard, watch_told_events(watch, -EBADF), watch->user);
}
