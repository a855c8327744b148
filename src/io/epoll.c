/*
 * The epoll backend: the same completions, made of readiness and of calls that do
 * not block.
 *
 * Two lists of nothing but indices keep it cheap. A call that can be done at once
 * is done at once, and its completion waits in the ready list for the next
 * zgi_io_wait(), which then needs no system call of its own. A call that cannot
 * stays in its entry until epoll reports the edge.
 *
 * A receive that got less than it asked for has emptied the socket, so the call
 * that would only say EAGAIN is left out. That is safe because whatever arrives
 * later makes a new edge. An end of stream that came together with the data makes
 * none: it was reported with the data's edge, and is remembered apart.
 */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "io/epoll.h"

/* So many turns may live from the ready list alone before epoll is asked for others' events:
 * enough for one request (readable, received, sent), few enough to be fair. */
#define EPOLL_TURNS_WITHOUT_POLL_MAX 4

/* One sendfile(2) sends at most so much: the peer of a fast network would take a whole file, while
 * everybody else waits. */
#define EPOLL_SEND_FILE_SIZE_MAX (512U * 1024)

static struct zgi_epoll_entry *epoll_entry(struct zgi_epoll *epoll, uint32_t descriptor)
{
	zg_assert(descriptor < epoll->untouched);
	return &epoll->entries[descriptor];
}

/* The entry that an operation starts on: nothing is in flight there. */
static struct zgi_epoll_entry *epoll_begin(struct zgi_epoll *epoll, uint32_t descriptor,
					   uint64_t tag)
{
	struct zgi_epoll_entry *entry = epoll_entry(epoll, descriptor);

	zg_assert(entry->operation == ZGI_EPOLL_IDLE);
	entry->tag = tag;
	return entry;
}

/* The operation is done: its completion waits in the ready list. */
static void epoll_finish(struct zgi_epoll *epoll, struct zgi_epoll_entry *entry, int32_t result)
{
	uint32_t index = (uint32_t)(entry - epoll->entries);

	entry->operation = ZGI_EPOLL_READY;
	entry->size = (uint32_t)result;
	entry->buffer = NULL;
	entry->next = ZGI_EPOLL_NONE;
	if (epoll->ready_first == ZGI_EPOLL_NONE)
		epoll->ready_first = index;
	else
		epoll->entries[epoll->ready_last].next = index;
	epoll->ready_last = index;
}

/* -EAGAIN when it has to wait for an edge. */
static int32_t epoll_try_recv(struct zgi_epoll_entry *entry)
{
	ssize_t result;

	do {
		result = recv(entry->fd, entry->buffer, entry->size, 0);
	} while (result < 0 && errno == EINTR);
	if (result < 0) {
		if (errno != EAGAIN)
			return -errno;
		entry->state &=
			(uint8_t) ~(ZGI_EPOLL_READABLE | ZGI_EPOLL_UNSURE | ZGI_EPOLL_HUNG_UP);
		return -EAGAIN;
	}
	if ((size_t)result < entry->size)
		entry->state &= (uint8_t) ~(ZGI_EPOLL_READABLE | ZGI_EPOLL_UNSURE);
	else
		entry->state |= ZGI_EPOLL_UNSURE;
	return (int32_t)result;
}

static int32_t epoll_try_send(struct zgi_epoll_entry *entry)
{
	int more = entry->state & ZGI_EPOLL_HAS_MORE ? MSG_MORE : 0;
	ssize_t result;

	do {
		result = send(entry->fd, entry->buffer, entry->size, MSG_NOSIGNAL | more);
	} while (result < 0 && errno == EINTR);
	if (result >= 0)
		return (int32_t)result;
	if (errno != EAGAIN)
		return -errno;
	entry->state &= (uint8_t)~ZGI_EPOLL_WRITABLE;
	return -EAGAIN;
}

/* The same for a part of a file. */
static int32_t epoll_try_send_file(struct zgi_epoll_entry *entry)
{
	const struct zgi_io_file *file = entry->buffer;
	uint64_t size =
		file->size < EPOLL_SEND_FILE_SIZE_MAX ? file->size : EPOLL_SEND_FILE_SIZE_MAX;
	off_t offset = (off_t)file->offset;
	ssize_t result;

	do {
		result = sendfile(entry->fd, file->fd, &offset, size);
	} while (result < 0 && errno == EINTR);
	if (result >= 0)
		return (int32_t)result;
	if (errno != EAGAIN)
		return -errno;
	entry->state &= (uint8_t)~ZGI_EPOLL_WRITABLE;
	return -EAGAIN;
}

static bool epoll_is_readable(const struct zgi_epoll_entry *entry)
{
	return (entry->state & (ZGI_EPOLL_READABLE | ZGI_EPOLL_HUNG_UP)) != 0;
}

static void epoll_poll(struct zgi_io *io, uint32_t descriptor, uint64_t tag)
{
	struct zgi_epoll *epoll = zgi_epoll_of(io);
	struct zgi_epoll_entry *entry = epoll_begin(epoll, descriptor, tag);

	/* A connection must not leave its parking place for a guess: ask the kernel. */
	if ((entry->state & ZGI_EPOLL_UNSURE) && !(entry->state & ZGI_EPOLL_HUNG_UP)) {
		struct pollfd readable = {.fd = entry->fd, .events = POLLIN | POLLRDHUP};

		entry->state &= (uint8_t)~ZGI_EPOLL_UNSURE;
		if (poll(&readable, 1, 0) == 0)
			entry->state &= (uint8_t)~ZGI_EPOLL_READABLE;
	}
	if (epoll_is_readable(entry))
		epoll_finish(epoll, entry,
			     entry->state & ZGI_EPOLL_GONE ? POLLIN | POLLHUP : POLLIN);
	else
		entry->operation = ZGI_EPOLL_POLL;
}

static uint32_t epoll_transfer_size(size_t size)
{
	return size < ZGI_IO_TRANSFER_SIZE_MAX ? (uint32_t)size : ZGI_IO_TRANSFER_SIZE_MAX;
}

static void epoll_recv(struct zgi_io *io, uint32_t descriptor, void *buffer, size_t size,
		       uint64_t tag)
{
	struct zgi_epoll *epoll = zgi_epoll_of(io);
	struct zgi_epoll_entry *entry = epoll_begin(epoll, descriptor, tag);
	int32_t result = -EAGAIN;

	entry->buffer = buffer;
	entry->size = epoll_transfer_size(size);
	if (epoll_is_readable(entry))
		result = epoll_try_recv(entry);
	if (result == -EAGAIN)
		entry->operation = ZGI_EPOLL_RECV;
	else
		epoll_finish(epoll, entry, result);
}

static void epoll_send(struct zgi_io *io, uint32_t descriptor, const void *buffer, size_t size,
		       bool has_more, uint64_t tag)
{
	struct zgi_epoll *epoll = zgi_epoll_of(io);
	struct zgi_epoll_entry *entry = epoll_begin(epoll, descriptor, tag);
	int32_t result = -EAGAIN;

	/* One member holds either direction's buffer; a send only reads from it. */
	entry->buffer = (void *)(uintptr_t)buffer;
	entry->size = epoll_transfer_size(size);
	entry->state &= (uint8_t)~ZGI_EPOLL_HAS_MORE;
	if (has_more)
		entry->state |= ZGI_EPOLL_HAS_MORE;
	if (entry->state & ZGI_EPOLL_WRITABLE)
		result = epoll_try_send(entry);
	if (result == -EAGAIN)
		entry->operation = ZGI_EPOLL_SEND;
	else
		epoll_finish(epoll, entry, result);
}

static void epoll_send_recv(struct zgi_io *io, uint32_t descriptor,
			    const struct zgi_io_transfer *transfer, uint64_t tag)
{
	struct zgi_epoll *epoll = zgi_epoll_of(io);
	struct zgi_epoll_entry *entry = epoll_begin(epoll, descriptor, tag);
	int32_t result = -EAGAIN;

	entry->buffer = (void *)(uintptr_t)transfer->send_buffer;
	entry->size = epoll_transfer_size(transfer->send_size);
	entry->state &= (uint8_t)~ZGI_EPOLL_HAS_MORE;
	if (entry->state & ZGI_EPOLL_WRITABLE)
		result = epoll_try_send(entry);
	if (result < 0 || (size_t)result < transfer->send_size) {
		entry->state |= ZGI_EPOLL_STALLED;
		epoll_finish(epoll, entry, result);
		return;
	}
	epoll_recv(io, descriptor, transfer->recv_buffer, transfer->recv_size, tag);
}

static void epoll_send_file(struct zgi_io *io, uint32_t descriptor, const struct zgi_io_file *file,
			    uint64_t tag)
{
	struct zgi_epoll *epoll = zgi_epoll_of(io);
	struct zgi_epoll_entry *entry = epoll_begin(epoll, descriptor, tag);
	int32_t result = -EAGAIN;

	entry->buffer = (void *)(uintptr_t)file;
	if (entry->state & ZGI_EPOLL_WRITABLE)
		result = epoll_try_send_file(entry);
	if (result == -EAGAIN)
		entry->operation = ZGI_EPOLL_SEND_FILE;
	else
		epoll_finish(epoll, entry, result);
}

static void epoll_read_file(struct zgi_io *io, uint32_t descriptor, const struct zgi_io_file *file,
			    void *buffer, uint64_t tag)
{
	struct zgi_epoll *epoll = zgi_epoll_of(io);
	struct zgi_epoll_entry *entry = epoll_begin(epoll, descriptor, tag);
	ssize_t result;

	do {
		result = pread(file->fd, buffer, epoll_transfer_size(file->size),
			       (off_t)file->offset);
	} while (result < 0 && errno == EINTR);
	epoll_finish(epoll, entry, result < 0 ? -errno : (int32_t)result);
}

static void epoll_shutdown(struct zgi_io *io, uint32_t descriptor, uint64_t tag)
{
	struct zgi_epoll *epoll = zgi_epoll_of(io);
	struct zgi_epoll_entry *entry = epoll_begin(epoll, descriptor, tag);

	epoll_finish(epoll, entry, shutdown(entry->fd, SHUT_WR) < 0 ? -errno : 0);
}

static void epoll_cancel(struct zgi_io *io, uint32_t descriptor, uint64_t tag)
{
	struct zgi_epoll *epoll = zgi_epoll_of(io);
	struct zgi_epoll_entry *entry = epoll_entry(epoll, descriptor);

	zg_assert(entry->operation != ZGI_EPOLL_FREE);
	/* Completed meanwhile, whether its event has been taken or not: nothing is left to do. */
	if (entry->operation == ZGI_EPOLL_IDLE || entry->operation == ZGI_EPOLL_READY)
		return;
	zg_assert(entry->tag == tag);
	epoll_finish(epoll, entry, -ECANCELED);
}

static void epoll_close(struct zgi_io *io, uint32_t descriptor)
{
	struct zgi_epoll *epoll = zgi_epoll_of(io);
	struct zgi_epoll_entry *entry = epoll_entry(epoll, descriptor);

	zg_assert(entry->operation == ZGI_EPOLL_IDLE);
	close(entry->fd);
	entry->operation = ZGI_EPOLL_FREE;
	entry->fd = -1;
	entry->next = epoll->free_first;
	epoll->free_first = descriptor;
}

static uint32_t epoll_deliver_ready(struct zgi_epoll *epoll, struct zgi_io_event *events,
				    uint32_t count)
{
	/* One place is kept free, because a stalled send_recv makes two events. */
	while (epoll->ready_first != ZGI_EPOLL_NONE && count < ZGI_IO_EVENTS_MAX - 1) {
		struct zgi_epoll_entry *entry = &epoll->entries[epoll->ready_first];

		zg_assert(entry->operation == ZGI_EPOLL_READY);
		epoll->ready_first = entry->next;
		entry->operation = ZGI_EPOLL_IDLE;
		if (ZG_UNLIKELY(entry->state & ZGI_EPOLL_STALLED)) {
			entry->state &= (uint8_t)~ZGI_EPOLL_STALLED;
			events[count++] = (struct zgi_io_event){
				.tag = entry->tag,
				.result = (int32_t)entry->size,
				.kind = ZGI_IO_STALLED,
			};
			entry->size = (uint32_t)-ECANCELED;
		}
		events[count++] = (struct zgi_io_event){
			.tag = entry->tag,
			.result = (int32_t)entry->size,
			.kind = ZGI_IO_DONE,
		};
	}
	return count;
}

/* An edge: remember it, and complete what waited for it. True when event was written. */
static bool epoll_apply(struct zgi_epoll *epoll, const struct epoll_event *edge,
			struct zgi_io_event *event)
{
	struct zgi_epoll_entry *entry = epoll_entry(epoll, (uint32_t)edge->data.u64);
	int32_t result = -EAGAIN;

	if (edge->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
		entry->state |= ZGI_EPOLL_READABLE;
		entry->state &= (uint8_t)~ZGI_EPOLL_UNSURE;
	}
	if (edge->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		entry->state |= ZGI_EPOLL_HUNG_UP;
	if (edge->events & (EPOLLHUP | EPOLLERR))
		entry->state |= ZGI_EPOLL_GONE;
	if (edge->events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		entry->state |= ZGI_EPOLL_WRITABLE;

	if (entry->operation == ZGI_EPOLL_RECV && epoll_is_readable(entry))
		result = epoll_try_recv(entry);
	else if (entry->operation == ZGI_EPOLL_SEND && (entry->state & ZGI_EPOLL_WRITABLE))
		result = epoll_try_send(entry);
	else if (entry->operation == ZGI_EPOLL_SEND_FILE && (entry->state & ZGI_EPOLL_WRITABLE))
		result = epoll_try_send_file(entry);
	else if (entry->operation == ZGI_EPOLL_POLL && epoll_is_readable(entry))
		result = (int32_t)edge->events;
	if (result == -EAGAIN)
		return false;
	entry->operation = ZGI_EPOLL_IDLE;
	*event = (struct zgi_io_event){.tag = entry->tag, .result = result, .kind = ZGI_IO_DONE};
	return true;
}

/* The event of a descriptor that is neither a connection nor the listener. */
static struct zgi_io_event epoll_own_event(const struct epoll_event *edge)
{
	if (edge->data.u64 == ZGI_EPOLL_DATA_WAKE)
		return (struct zgi_io_event){.kind = ZGI_IO_WOKEN};
	zg_assert(edge->data.u64 & ZGI_EPOLL_DATA_WATCH);
	return (struct zgi_io_event){
		.tag = edge->data.u64 & ~ZGI_EPOLL_DATA_WATCH,
		.result = (int32_t)edge->events,
		.kind = ZGI_IO_WATCHED,
	};
}

static int epoll_ask(struct zgi_epoll *epoll, struct epoll_event *edges, int edge_count_max,
		     uint64_t timeout_ns)
{
	struct timespec timeout = {
		.tv_sec = (time_t)(timeout_ns / UINT64_C(1000000000)),
		.tv_nsec = (long)(timeout_ns % UINT64_C(1000000000)),
	};
	uint64_t timeout_ms = (timeout_ns + 999999) / 1000000;
	int count;

	if (timeout_ns > 0 && epoll->has_precise_timeout) {
		count = epoll_pwait2(epoll->epoll_fd, edges, edge_count_max, &timeout, NULL);
		if (count >= 0 || (errno != ENOSYS && errno != EPERM))
			return count < 0 ? -errno : count;
		epoll->has_precise_timeout = false;
	}
	/* Before Linux 5.11, and where a container's filter does not know the newer call. */
	count = epoll_wait(epoll->epoll_fd, edges, edge_count_max,
			   timeout_ms < INT32_MAX ? (int)timeout_ms : INT32_MAX);
	return count < 0 ? -errno : count;
}

/* Ask epoll, and turn what it says into events, from count on; the new count or -errno. */
static int epoll_collect(struct zgi_epoll *epoll, uint64_t timeout_ns, struct zgi_io_event *events,
			 uint32_t count)
{
	struct epoll_event edges[ZGI_IO_EVENTS_MAX];
	bool is_listener_ready = false;
	bool is_woken = false;
	int edge_count = epoll_ask(epoll, edges, (int)(ZGI_IO_EVENTS_MAX - count), timeout_ns);

	if (edge_count < 0)
		return edge_count == -EINTR ? (int)count : edge_count;
	for (int i = 0; i < edge_count; i++) {
		zg_assert(count < ZGI_IO_EVENTS_MAX);
		if (ZG_LIKELY(edges[i].data.u64 < ZGI_EPOLL_DATA_LISTENER))
			count += epoll_apply(epoll, &edges[i], &events[count]);
		else if (edges[i].data.u64 == ZGI_EPOLL_DATA_LISTENER)
			is_listener_ready = true;
		else {
			is_woken |= edges[i].data.u64 == ZGI_EPOLL_DATA_WAKE;
			events[count++] = epoll_own_event(&edges[i]);
		}
	}
	if (is_woken) {
		zgi_epoll_take_flushed(epoll);
		count = zgi_epoll_deliver_flushed(epoll, events, count);
	}
	/* Last, because a listener makes many events of one edge; what finds no room stays in
	 * the backlog, and the listener is reported again. */
	if (is_listener_ready && count < ZGI_IO_EVENTS_MAX)
		count += zgi_epoll_accept(epoll, events + count, ZGI_IO_EVENTS_MAX - count);
	return (int)count;
}

static int epoll_wait_events(struct zgi_io *io, uint64_t timeout_ns, struct zgi_io_event *events)
{
	struct zgi_epoll *epoll = zgi_epoll_of(io);
	uint32_t count = 0;

	zg_assert(epoll->epoll_fd >= 0);
	if (ZG_UNLIKELY(epoll->needs_attention))
		count = zgi_epoll_attend(epoll, &timeout_ns, events);
	if (ZG_UNLIKELY(epoll->flushed_ready != NULL))
		count = zgi_epoll_deliver_flushed(epoll, events, count);
	count = epoll_deliver_ready(epoll, events, count);
	if (count == ZGI_IO_EVENTS_MAX)
		return (int)count;
	if (count > 0) {
		if (epoll->turns_without_poll++ < EPOLL_TURNS_WITHOUT_POLL_MAX)
			return (int)count;
		timeout_ns = 0;
	}
	epoll->turns_without_poll = 0;
	return epoll_collect(epoll, timeout_ns, events, count);
}

const struct zgi_io_operations zgi_epoll_operations = {
	.start = zgi_epoll_start,
	.destroy = zgi_epoll_destroy,
	.wait = epoll_wait_events,
	.accept_start = zgi_epoll_accept_start,
	.accept_stop = zgi_epoll_accept_stop,
	.poll = epoll_poll,
	.recv = epoll_recv,
	.send = epoll_send,
	.send_recv = epoll_send_recv,
	.send_file = epoll_send_file,
	.read_file = epoll_read_file,
	.shutdown = epoll_shutdown,
	.cancel = epoll_cancel,
	.close = epoll_close,
	.flush = zgi_epoll_flush,
	.watch = zgi_epoll_watch,
	.unwatch = zgi_epoll_unwatch,
};
