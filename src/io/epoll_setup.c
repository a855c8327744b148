/*
 * The epoll backend's start and end, and its accepting: what happens once, or
 * once a connection. What happens in every request is in epoll.c.
 *
 * An accepted socket is added to epoll once, edge-triggered and for everything,
 * so that no request ever pays for a change of interest. The listener is watched
 * level-triggered: what one turn leaves in the backlog, the next turn sees again.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"
#include "io/epoll.h"
#include "io/peer.h"

/* A burst of connections must not starve those that are there. */
#define EPOLL_ACCEPTS_A_TURN_MAX 64

static size_t epoll_table_size(const struct zgi_io_options *options)
{
	return zgi_io_carved_size(options->descriptor_count * sizeof(struct zgi_epoll_entry));
}

static size_t epoll_flushes_size(const struct zgi_io_options *options)
{
	return zgi_io_carved_size(options->flush_count * sizeof(struct zgi_epoll_flush));
}

static int epoll_plan_flushes(const struct zgi_io_options *options, uint32_t io_count,
			      struct zg_plan *plan)
{
	const struct zg_plan_line flushes = {
		.name = "epoll: flushes",
		.option = "--flushes",
		.count = io_count,
		.size_each = epoll_flushes_size(options),
		.depends_on = {{"shards", 1}},
		.exhausted = "zg_flush() returns -EAGAIN",
		.counter = "zerog_flushes_refused_total",
	};

	if (options->flush_count == 0)
		return 0;
	return zg_plan_add(plan, &flushes, "one set a shard, of %u", options->flush_count);
}

static int epoll_plan(const struct zgi_io_options *options, uint32_t io_count, struct zg_plan *plan)
{
	const struct zg_plan_line object = {
		.name = "I/O objects",
		.option = "--shards",
		.count = io_count,
		.size_each = zgi_io_carved_size(sizeof(struct zgi_epoll)),
		.depends_on = {{"shards", 1}},
	};
	const uint64_t entry_count = options->descriptor_count;
	const uint64_t rounded_count = epoll_table_size(options) / sizeof(struct zgi_epoll_entry);
	const struct zg_plan_line table = {
		.name = "epoll: descriptors",
		.option = "--connections",
		.size_each = sizeof(struct zgi_epoll_entry),
		.times = io_count,
		.times_name = "shards",
		.holders = {{"one a connection slot", entry_count},
			    {"up to whole 64 bytes", rounded_count - entry_count}},
		.depends_on = {{"connection slots", 1}},
		.exhausted = "connections wait in the backlog until one is closed",
		.counter = "zerog_accept_errors_total",
	};
	int result = zg_plan_add(plan, &object, "one a shard");

	if (result < 0)
		return result;
	result = zg_plan_add(plan, &table, "%u shards x %u, one a slot", io_count,
			     options->descriptor_count);
	if (result < 0)
		return result;
	return epoll_plan_flushes(options, io_count, plan);
}

static uint64_t epoll_carve_size(const struct zgi_io_options *options)
{
	return zgi_io_carved_size(sizeof(struct zgi_epoll)) + epoll_table_size(options) +
	       epoll_flushes_size(options);
}

static int epoll_create_object(const struct zgi_io_options *options, struct zg_region *region,
			       struct zgi_io **ret_io)
{
	void *memory;
	void *table;
	void *flushes;
	struct zgi_epoll *epoll;
	int wake_fd;
	int result = zg_region_carve(region, zgi_io_carved_size(sizeof(*epoll)), 64, &memory);

	if (result < 0)
		return result;
	result = zg_region_carve(region, epoll_table_size(options), 64, &table);
	if (result == 0)
		result = zg_region_carve(region, epoll_flushes_size(options), 64, &flushes);
	if (result < 0)
		return result;
	zg_assert(options->flush_count == 0 || options->workers != NULL);
	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake_fd < 0)
		return -errno;
	epoll = memory;
	*epoll = (struct zgi_epoll){
		.io =
			{
				.operations = &zgi_epoll_operations,
				.magic = ZGI_IO_MAGIC,
				.wake_fd = wake_fd,
			},
		.entries = table,
		.descriptor_count = options->descriptor_count,
		.free_first = ZGI_EPOLL_NONE,
		.ready_first = ZGI_EPOLL_NONE,
		.ready_last = ZGI_EPOLL_NONE,
		.epoll_fd = -1,
		.listen_fd = options->listen_fd,
		.flushes = flushes,
		.flush_count = options->flush_count,
		.workers = options->workers,
		.has_precise_timeout = true,
	};
	*ret_io = &epoll->io;
	return 0;
}

/* sendfile(2) has no MSG_NOSIGNAL: on this thread, a peer that has gone is an error and nothing
 * else. */
static int epoll_block_pipe_signal(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGPIPE);
	return -pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

int zgi_epoll_start(struct zgi_io *io)
{
	struct zgi_epoll *epoll = zgi_epoll_of(io);
	/* Edge-triggered: each wake-up is told once, and the counter need never be read. */
	struct epoll_event interest = {
		.events = EPOLLIN | EPOLLET,
		.data.u64 = ZGI_EPOLL_DATA_WAKE,
	};
	int result = epoll_block_pipe_signal();

	zg_assert(epoll->epoll_fd < 0);
	if (result < 0)
		return result;
	epoll->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll->epoll_fd < 0)
		return -errno;
	if (epoll_ctl(epoll->epoll_fd, EPOLL_CTL_ADD, io->wake_fd, &interest) < 0) {
		result = -errno;
		close(epoll->epoll_fd);
		epoll->epoll_fd = -1;
		return result;
	}
	return 0;
}

void zgi_epoll_destroy(struct zgi_io *io)
{
	struct zgi_epoll *epoll = zgi_epoll_of(io);

	for (uint32_t i = 0; i < epoll->untouched; i++) {
		if (epoll->entries[i].operation != ZGI_EPOLL_FREE)
			close(epoll->entries[i].fd);
	}
	if (epoll->epoll_fd >= 0)
		close(epoll->epoll_fd);
	epoll->epoll_fd = -1;
}

static void epoll_unwatch_listener(struct zgi_epoll *epoll)
{
	struct epoll_event unused = {0};

	zg_assert(epoll->is_accept_armed);
	zg_assert(epoll_ctl(epoll->epoll_fd, EPOLL_CTL_DEL, epoll->listen_fd, &unused) == 0);
	epoll->is_accept_armed = false;
}

void zgi_epoll_accept_start(struct zgi_io *io)
{
	struct zgi_epoll *epoll = zgi_epoll_of(io);

	zg_assert(epoll->listen_fd >= 0);
	zg_assert(!epoll->is_accept_wanted && !epoll->is_accept_ending);
	epoll->is_accept_wanted = true;
	epoll->accept_retry_ns = 0;
	epoll->is_table_full = false;
	epoll->needs_attention = true;
}

void zgi_epoll_accept_stop(struct zgi_io *io)
{
	struct zgi_epoll *epoll = zgi_epoll_of(io);

	zg_assert(epoll->is_accept_wanted);
	if (epoll->is_accept_armed)
		epoll_unwatch_listener(epoll);
	epoll->is_accept_wanted = false;
	epoll->is_accept_ending = true;
	epoll->needs_attention = true;
}

static bool epoll_has_free_entry(const struct zgi_epoll *epoll)
{
	return epoll->free_first != ZGI_EPOLL_NONE || epoll->untouched < epoll->descriptor_count;
}

uint32_t zgi_epoll_attend(struct zgi_epoll *epoll, uint64_t *timeout_ns,
			  struct zgi_io_event *events)
{
	/* Exclusive: shards that share a listener (a Unix socket's) are not all woken for one
	 * connection. */
	struct epoll_event interest = {
		.events = EPOLLIN | EPOLLEXCLUSIVE,
		.data.u64 = ZGI_EPOLL_DATA_LISTENER,
	};

	zg_assert(!epoll->is_accept_armed);
	if (epoll->is_accept_ending) {
		epoll->is_accept_ending = false;
		epoll->needs_attention = false;
		*timeout_ns = 0;
		events[0] = (struct zgi_io_event){.kind = ZGI_IO_ACCEPT_ENDED};
		return 1;
	}
	if (epoll->is_table_full && !epoll_has_free_entry(epoll))
		return 0;
	if (epoll->accept_retry_ns) {
		uint64_t now_ns = zgi_clock_ns();

		if (now_ns < epoll->accept_retry_ns) {
			if (*timeout_ns > epoll->accept_retry_ns - now_ns)
				*timeout_ns = epoll->accept_retry_ns - now_ns;
			return 0;
		}
	}
	epoll->accept_retry_ns = 0;
	epoll->is_table_full = false;
	if (epoll_ctl(epoll->epoll_fd, EPOLL_CTL_ADD, epoll->listen_fd, &interest) < 0) {
		/* Out of memory or of epoll's own allowance: told, and tried again later. */
		events[0] = (struct zgi_io_event){.result = -errno, .kind = ZGI_IO_ACCEPTED};
		epoll->accept_retry_ns = zgi_clock_ns() + ZGI_IO_ACCEPT_PAUSE_NS;
		*timeout_ns = 0;
		return 1;
	}
	epoll->is_accept_armed = true;
	epoll->needs_attention = false;
	return 0;
}

/* The last one freed first, because its lines are warm; else the first never used. */
static uint32_t epoll_take_entry(struct zgi_epoll *epoll)
{
	uint32_t index = epoll->free_first;

	if (index != ZGI_EPOLL_NONE) {
		epoll->free_first = epoll->entries[index].next;
		return index;
	}
	zg_assert(epoll->untouched < epoll->descriptor_count);
	return epoll->untouched++;
}

/* One connection off the backlog: the new descriptor, or -errno. */
static int epoll_accept_one(struct zgi_epoll *epoll)
{
	struct epoll_event interest = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
	struct sockaddr_in6 address;
	socklen_t size = sizeof(address);
	bool has_peers = epoll->io.peers != NULL;
	uint32_t index;
	int fd;

	if (!epoll_has_free_entry(epoll)) {
		epoll->is_table_full = true;
		return -ENFILE;
	}
	fd = accept4(epoll->listen_fd, has_peers ? (struct sockaddr *)(void *)&address : NULL,
		     has_peers ? &size : NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return -errno;
	index = epoll_take_entry(epoll);
	/* Not readable until epoll says so, which it does at once where bytes have come already;
	 * writable until a send proves otherwise. */
	epoll->entries[index] = (struct zgi_epoll_entry){
		.fd = fd,
		.next = ZGI_EPOLL_NONE,
		.operation = ZGI_EPOLL_IDLE,
		.state = ZGI_EPOLL_WRITABLE,
	};
	if (has_peers)
		zgi_peer_read(&address, size < sizeof(address) ? size : sizeof(address),
			      &epoll->io.peers[index]);
	interest.data.u64 = index;
	if (epoll_ctl(epoll->epoll_fd, EPOLL_CTL_ADD, fd, &interest) < 0) {
		int result = -errno;

		close(fd);
		epoll->entries[index].operation = ZGI_EPOLL_FREE;
		epoll->entries[index].next = epoll->free_first;
		epoll->free_first = index;
		return result;
	}
	return (int)index;
}

uint32_t zgi_epoll_accept(struct zgi_epoll *epoll, struct zgi_io_event *events, uint32_t count_max)
{
	uint32_t count = 0;

	if (count_max > EPOLL_ACCEPTS_A_TURN_MAX)
		count_max = EPOLL_ACCEPTS_A_TURN_MAX;
	while (count < count_max) {
		int result = epoll_accept_one(epoll);

		if (result == -EAGAIN)
			break;
		if (result == -EINTR)
			continue;
		events[count++] = (struct zgi_io_event){.result = result, .kind = ZGI_IO_ACCEPTED};
		if (result >= 0 || result == -ECONNABORTED)
			continue;
		/* A lasting error would wake every wait: look away for a while, or, when the
		 * table is full, until an entry is free. */
		epoll_unwatch_listener(epoll);
		epoll->needs_attention = true;
		if (!epoll->is_table_full)
			epoll->accept_retry_ns = zgi_clock_ns() + ZGI_IO_ACCEPT_PAUSE_NS;
		break;
	}
	return count;
}

const struct zgi_io_backend zgi_epoll_backend = {
	.plan = epoll_plan,
	.carve_size = epoll_carve_size,
	.create = epoll_create_object,
};
