/*
 * Files and descriptors of the application beside the connections of an epoll.
 *
 * No readiness tells when a disk has written: a flush goes to the workers, who put it
 * into a list when it is over and wake the object. A watch is told once and then kept
 * in epoll, asleep, until it is wanted again: that spares adding it anew. Waking it
 * up tells at once what holds already, which is the level meaning that libraries expect.
 */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/assert.h"
#include "io/epoll.h"

static_assert(EPOLLIN == POLLIN && EPOLLOUT == POLLOUT && EPOLLPRI == POLLPRI &&
		      EPOLLERR == POLLERR && EPOLLHUP == POLLHUP && EPOLLRDHUP == POLLRDHUP,
	      "poll's bits are epoll's");

/* On a worker's thread. The first to put one into an empty list wakes; the list is taken whole. */
static void epoll_flush_run(struct zgi_work *work)
{
	struct zgi_epoll_flush *flush = (struct zgi_epoll_flush *)(void *)work;
	struct zgi_epoll *epoll = flush->epoll;
	int result;

	do {
		result = fdatasync(flush->fd);
	} while (result < 0 && errno == EINTR);
	flush->result = result < 0 ? -errno : 0;
	work->next = __atomic_load_n(&epoll->flushed, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&epoll->flushed, &work->next, work, true,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	zgi_io_wake(&epoll->io);
}

void zgi_epoll_flush(struct zgi_io *io, int fd, uint64_t tag)
{
	struct zgi_epoll *epoll = zgi_epoll_of(io);
	struct zgi_epoll_flush *flush = NULL;

	for (uint32_t index = 0; index < epoll->flush_count && flush == NULL; index++)
		if (epoll->flushes[index].epoll == NULL)
			flush = &epoll->flushes[index];
	zg_assert(flush != NULL);
	*flush = (struct zgi_epoll_flush){
		.work.run = epoll_flush_run,
		.epoll = epoll,
		.tag = tag,
		.fd = fd,
	};
	zgi_workers_push(epoll->workers, &flush->work);
}

void zgi_epoll_take_flushed(struct zgi_epoll *epoll)
{
	struct zgi_work *work = __atomic_exchange_n(&epoll->flushed, NULL, __ATOMIC_ACQUIRE);

	while (work != NULL) {
		struct zgi_work *next = work->next;

		work->next = epoll->flushed_ready;
		epoll->flushed_ready = work;
		work = next;
	}
}

uint32_t zgi_epoll_deliver_flushed(struct zgi_epoll *epoll, struct zgi_io_event *events,
				   uint32_t count)
{
	while (epoll->flushed_ready != NULL && count < ZGI_IO_EVENTS_MAX) {
		struct zgi_epoll_flush *flush =
			(struct zgi_epoll_flush *)(void *)epoll->flushed_ready;

		epoll->flushed_ready = flush->work.next;
		events[count++] = (struct zgi_io_event){
			.tag = flush->tag,
			.result = flush->result,
			.kind = ZGI_IO_FLUSHED,
		};
		flush->epoll = NULL;
	}
	return count;
}

int zgi_epoll_watch(struct zgi_io *io, int fd, uint32_t poll_events, uint64_t tag)
{
	struct zgi_epoll *epoll = zgi_epoll_of(io);
	struct epoll_event interest = {
		.events = poll_events | EPOLLONESHOT,
		.data.u64 = ZGI_EPOLL_DATA_WATCH | tag,
	};

	if (epoll_ctl(epoll->epoll_fd, EPOLL_CTL_MOD, fd, &interest) == 0)
		return 0;
	if (errno != ENOENT)
		return -errno;
	return epoll_ctl(epoll->epoll_fd, EPOLL_CTL_ADD, fd, &interest) < 0 ? -errno : 0;
}

void zgi_epoll_unwatch(struct zgi_io *io, int fd, uint64_t tag)
{
	struct epoll_event unused = {0};

	(void)tag;
	/* One that was closed is in no epoll any more. */
	(void)epoll_ctl(zgi_epoll_of(io)->epoll_fd, EPOLL_CTL_DEL, fd, &unused);
}
