/*
 * The contract, asserted. An operation is in flight from its start until its event
 * has been collected; in the batch an event was collected with, it may still be
 * cancelled, because the caller cannot know yet that it has completed. What is lent
 * to a send must not change, and nobody but the peer writes to what is lent to a
 * receive: it is filled with a pattern that must still be there.
 */

#include "io/fake_io.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"

#define FAKE_PATTERN 0xa5

static struct fake_io *fake_of(struct zgi_io *io)
{
	return (struct fake_io *)(void *)io;
}

/* FNV-1a. */
static uint64_t fake_hash(const unsigned char *bytes, size_t size)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t index = 0; index < size; index++)
		hash = (hash ^ bytes[index]) * UINT64_C(0x100000001b3);
	return hash;
}

static bool fake_is_pattern(const unsigned char *bytes, size_t size)
{
	return size == 0 || (bytes[0] == FAKE_PATTERN && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static void fake_event(struct fake_io *fake, enum zgi_io_event_kind kind, uint64_t tag,
		       int32_t result)
{
	zg_assert(fake->event_count < ZGI_IO_EVENTS_MAX);
	fake->events[fake->event_count++] = (struct zgi_io_event){
		.tag = tag,
		.result = result,
		.kind = (uint32_t)kind,
	};
}

static struct fake_descriptor *fake_descriptor_of(struct fake_io *fake, uint32_t descriptor)
{
	zg_assert(descriptor < fake->descriptor_count);

	struct fake_descriptor *entry = &fake->descriptors[descriptor];

	zg_assert(entry->is_open);
	return entry;
}

static struct fake_descriptor *fake_begin(struct zgi_io *io, uint32_t descriptor, uint64_t tag,
					  enum fake_operation operation)
{
	struct fake_descriptor *entry = fake_descriptor_of(fake_of(io), descriptor);

	zg_assert(entry->operation == FAKE_NONE);
	zg_assert(tag < UINT64_C(1) << 63);
	entry->operation = operation;
	entry->tag = tag;
	entry->is_cancelled = false;
	entry->is_handed = false;
	entry->is_stalled = false;
	entry->bytes = NULL;
	return entry;
}

static int fake_start(struct zgi_io *io)
{
	(void)io;
	return 0;
}

static void fake_destroy(struct zgi_io *io)
{
	(void)io;
}

static int fake_wait(struct zgi_io *io, uint64_t timeout_ns, struct zgi_io_event *events)
{
	struct fake_io *fake = fake_of(io);
	uint32_t count = fake->event_count;

	(void)timeout_ns;
	memcpy(events, fake->events, count * sizeof(events[0]));
	fake->event_count = 0;
	for (uint32_t index = 0; index < fake->descriptor_count; index++) {
		struct fake_descriptor *entry = &fake->descriptors[index];

		entry->is_handed = entry->is_completed;
		entry->is_completed = false;
		if (entry->is_handed)
			entry->operation = FAKE_NONE;
	}
	return (int)count;
}

static void fake_accept_start(struct zgi_io *io)
{
	struct fake_io *fake = fake_of(io);

	zg_assert(!fake->is_accepting && !fake->is_accept_stopping);
	fake->is_accepting = true;
}

static void fake_accept_stop(struct zgi_io *io)
{
	struct fake_io *fake = fake_of(io);

	zg_assert(fake->is_accepting && !fake->is_accept_stopping);
	fake->is_accept_stopping = true;
}

static void fake_poll(struct zgi_io *io, uint32_t descriptor, uint64_t tag)
{
	(void)fake_begin(io, descriptor, tag, FAKE_POLL);
}

static void fake_lend_window(struct fake_descriptor *entry, void *buffer, size_t size)
{
	zg_assert(size > 0);
	entry->window = buffer;
	entry->window_size = size;
	memset(buffer, FAKE_PATTERN, size);
}

static void fake_lend_bytes(struct fake_descriptor *entry, const void *buffer, size_t size)
{
	zg_assert(size > 0);
	zg_assert(!entry->is_shut);
	entry->bytes = buffer;
	entry->size = size;
	entry->bytes_hash = fake_hash(buffer, size);
}

static void fake_recv(struct zgi_io *io, uint32_t descriptor, void *buffer, size_t size,
		      uint64_t tag)
{
	fake_lend_window(fake_begin(io, descriptor, tag, FAKE_RECV), buffer, size);
}

static void fake_send(struct zgi_io *io, uint32_t descriptor, const void *buffer, size_t size,
		      bool has_more, uint64_t tag)
{
	(void)has_more;
	fake_lend_bytes(fake_begin(io, descriptor, tag, FAKE_SEND), buffer, size);
}

static void fake_send_recv(struct zgi_io *io, uint32_t descriptor,
			   const struct zgi_io_transfer *transfer, uint64_t tag)
{
	struct fake_descriptor *entry = fake_begin(io, descriptor, tag, FAKE_SEND_RECV);

	fake_lend_window(entry, transfer->recv_buffer, transfer->recv_size);
	fake_lend_bytes(entry, transfer->send_buffer, transfer->send_size);
}

static void fake_send_file(struct zgi_io *io, uint32_t descriptor, const struct zgi_io_file *file,
			   uint64_t tag)
{
	struct fake_descriptor *entry = fake_begin(io, descriptor, tag, FAKE_SEND_FILE);

	zg_assert(!entry->is_shut);
	entry->file = *file;
	entry->file_lent = file;
	entry->size = file->size;
}

static void fake_read_file(struct zgi_io *io, uint32_t descriptor, const struct zgi_io_file *file,
			   void *buffer, uint64_t tag)
{
	struct fake_descriptor *entry = fake_begin(io, descriptor, tag, FAKE_READ_FILE);

	entry->file = *file;
	fake_lend_window(entry, buffer, file->size);
}

static void fake_shutdown(struct zgi_io *io, uint32_t descriptor, uint64_t tag)
{
	struct fake_descriptor *entry = fake_begin(io, descriptor, tag, FAKE_SHUTDOWN);

	zg_assert(!entry->is_shut);
	entry->is_shut = true;
}

static void fake_cancel(struct zgi_io *io, uint32_t descriptor, uint64_t tag)
{
	struct fake_descriptor *entry = fake_descriptor_of(fake_of(io), descriptor);

	zg_assert(entry->operation != FAKE_NONE || entry->is_handed);
	zg_assert(entry->tag == tag);
	entry->is_cancelled = true;
}

static void fake_close(struct zgi_io *io, uint32_t descriptor)
{
	struct fake_descriptor *entry = fake_descriptor_of(fake_of(io), descriptor);

	zg_assert(entry->operation == FAKE_NONE);
	entry->is_open = false;
}

static void fake_flush_start(struct zgi_io *io, int fd, uint64_t tag)
{
	struct fake_io *fake = fake_of(io);
	uint32_t index = fake_io_flush_count(fake);

	zg_assert(index < ZGI_IO_FLUSHES_MAX);
	for (uint32_t other = 0; other < index; other++)
		zg_assert(fake->flushes[other].tag != tag);
	fake->flushes[index] = (struct fake_flush){.fd = fd, .tag = tag};
}

static struct fake_watch *fake_watch_find(struct fake_io *fake, int fd)
{
	for (uint32_t index = 0; index < FAKE_WATCHES_MAX; index++)
		if (fake->watches[index].fd == fd)
			return &fake->watches[index];
	return NULL;
}

static int fake_watch_start(struct zgi_io *io, int fd, uint32_t poll_events, uint64_t tag)
{
	struct fake_io *fake = fake_of(io);
	struct fake_watch *watch;

	if (fake->watch_error < 0)
		return fake->watch_error;
	zg_assert(fake_watch_find(fake, fd) == NULL);
	watch = fake_watch_find(fake, -1);
	zg_assert(watch != NULL);
	*watch = (struct fake_watch){.fd = fd, .poll_events = poll_events, .tag = tag};
	return 0;
}

static void fake_unwatch(struct zgi_io *io, int fd, uint64_t tag)
{
	struct fake_watch *watch = fake_watch_find(fake_of(io), fd);

	/* It may have come true meanwhile. */
	if (watch == NULL)
		return;
	zg_assert(watch->tag == tag);
	watch->fd = -1;
}

static const struct zgi_io_operations fake_operations = {
	.start = fake_start,
	.destroy = fake_destroy,
	.wait = fake_wait,
	.accept_start = fake_accept_start,
	.accept_stop = fake_accept_stop,
	.poll = fake_poll,
	.recv = fake_recv,
	.send = fake_send,
	.send_recv = fake_send_recv,
	.send_file = fake_send_file,
	.read_file = fake_read_file,
	.shutdown = fake_shutdown,
	.cancel = fake_cancel,
	.close = fake_close,
	.flush = fake_flush_start,
	.watch = fake_watch_start,
	.unwatch = fake_unwatch,
};

void fake_io_init(struct fake_io *fake, uint32_t descriptor_count)
{
	zg_assert(descriptor_count > 0 && descriptor_count <= FAKE_DESCRIPTORS_MAX);
	/* Not a compound literal, which would lie on the stack first. */
	memset(fake, 0, sizeof(*fake));
	fake->operations = fake_operations;
	fake->io = (struct zgi_io){
		.operations = &fake->operations,
		.magic = ZGI_IO_MAGIC,
		.wake_fd = -1,
	};
	fake->descriptor_count = descriptor_count;
	for (uint32_t index = 0; index < ZGI_IO_FLUSHES_MAX; index++)
		fake->flushes[index].fd = -1;
	for (uint32_t index = 0; index < FAKE_WATCHES_MAX; index++)
		fake->watches[index].fd = -1;
}

int fake_io_accept(struct fake_io *fake)
{
	zg_assert(fake->is_accepting);
	for (uint32_t index = 0; index < fake->descriptor_count; index++) {
		struct fake_descriptor *entry = &fake->descriptors[index];

		if (entry->is_open)
			continue;
		*entry = (struct fake_descriptor){
			.is_open = true,
			.open_count = entry->open_count + 1,
		};
		fake_event(fake, ZGI_IO_ACCEPTED, 0, (int32_t)index);
		return (int)index;
	}
	return -EMFILE;
}

void fake_io_accept_fail(struct fake_io *fake, int error)
{
	zg_assert(fake->is_accepting && error < 0);
	fake_event(fake, ZGI_IO_ACCEPTED, 0, error);
}

void fake_io_accept_end(struct fake_io *fake)
{
	zg_assert(fake->is_accept_stopping);
	fake->is_accepting = false;
	fake->is_accept_stopping = false;
	fake_event(fake, ZGI_IO_ACCEPT_ENDED, 0, 0);
}

static void fake_finish(struct fake_io *fake, struct fake_descriptor *entry, int32_t result)
{
	zg_assert(entry->operation != FAKE_NONE && !entry->is_completed);
	entry->is_completed = true;
	fake_event(fake, ZGI_IO_DONE, entry->tag, result);
}

/* What was lent has not changed; so many bytes of it go out. */
static void fake_send_out(struct fake_io *fake, struct fake_descriptor *entry, size_t size)
{
	zg_assert(size <= entry->size);
	zg_assert(fake_hash(entry->bytes, entry->size) == entry->bytes_hash);
	if (size > 0 && fake->on_sent != NULL)
		fake->on_sent(fake->user, (uint32_t)(entry - fake->descriptors), entry->bytes,
			      size);
	entry->bytes = NULL;
}

static void fake_receive_end(struct fake_io *fake, struct fake_descriptor *entry)
{
	if (entry->operation == FAKE_SEND_RECV && entry->bytes != NULL)
		fake_send_out(fake, entry, entry->size);
	zg_assert(entry->window == fake->window_shared ||
		  fake_is_pattern(entry->window, entry->window_size));
}

void fake_io_flush(struct fake_io *fake, uint32_t descriptor)
{
	struct fake_descriptor *entry = fake_descriptor_of(fake, descriptor);

	if (entry->operation == FAKE_SEND_RECV && !entry->is_completed && entry->bytes != NULL)
		fake_send_out(fake, entry, entry->size);
}

void fake_io_stall(struct fake_io *fake, uint32_t descriptor, int32_t result)
{
	struct fake_descriptor *entry = fake_descriptor_of(fake, descriptor);

	zg_assert(entry->operation == FAKE_SEND_RECV && !entry->is_completed);
	zg_assert(entry->bytes != NULL && result < (int32_t)entry->size && result != 0);
	fake_send_out(fake, entry, result > 0 ? (size_t)result : 0);
	entry->is_stalled = true;
	fake_event(fake, ZGI_IO_STALLED, entry->tag, result);
}

size_t fake_io_deliver(struct fake_io *fake, uint32_t descriptor, const void *bytes, size_t size)
{
	struct fake_descriptor *entry = fake_descriptor_of(fake, descriptor);

	zg_assert(size > 0);
	if (entry->operation == FAKE_POLL) {
		fake_finish(fake, entry, POLLIN);
		return 0;
	}
	zg_assert(entry->operation == FAKE_RECV || entry->operation == FAKE_SEND_RECV);
	fake_receive_end(fake, entry);

	size_t received = size < entry->window_size ? size : entry->window_size;

	memcpy(entry->window, bytes, received);
	fake_finish(fake, entry, (int32_t)received);
	return received;
}

/* So many bytes of the file go out. */
static void fake_send_file_out(struct fake_io *fake, struct fake_descriptor *entry, size_t size)
{
	unsigned char bytes[4096];
	size_t sent = 0;

	zg_assert(memcmp(entry->file_lent, &entry->file, sizeof(entry->file)) == 0);
	zg_assert(size <= entry->size);
	while (sent < size) {
		size_t part = size - sent < sizeof(bytes) ? size - sent : sizeof(bytes);
		ssize_t got =
			pread(entry->file.fd, bytes, part, (off_t)(entry->file.offset + sent));

		zg_assert(got > 0);
		if (fake->on_sent != NULL)
			fake->on_sent(fake->user, (uint32_t)(entry - fake->descriptors), bytes,
				      (size_t)got);
		sent += (size_t)got;
	}
}

/* What the file has there, at most so many bytes of it. Return: the bytes there were. */
static int32_t fake_read_file_in(struct fake_descriptor *entry, size_t size)
{
	zg_assert(size <= entry->window_size);
	zg_assert(fake_is_pattern(entry->window, entry->window_size));
	return (int32_t)pread(entry->file.fd, entry->window, size, (off_t)entry->file.offset);
}

void fake_io_complete(struct fake_io *fake, uint32_t descriptor, int32_t result)
{
	struct fake_descriptor *entry = fake_descriptor_of(fake, descriptor);

	zg_assert(result != -ECANCELED || entry->is_cancelled || entry->is_stalled);
	if (entry->operation == FAKE_RECV || entry->operation == FAKE_SEND_RECV) {
		zg_assert(result <= 0);
		fake_receive_end(fake, entry);
	} else if (entry->operation == FAKE_SEND_FILE && result > 0) {
		fake_send_file_out(fake, entry, (size_t)result);
	} else if (entry->operation == FAKE_READ_FILE && result > 0) {
		result = fake_read_file_in(entry, (size_t)result);
	} else if (entry->operation == FAKE_SEND) {
		fake_send_out(fake, entry, result > 0 ? (size_t)result : 0);
	}
	fake_finish(fake, entry, result);
}

uint32_t fake_io_flush_count(const struct fake_io *fake)
{
	uint32_t count = 0;

	while (count < ZGI_IO_FLUSHES_MAX && fake->flushes[count].fd >= 0)
		count++;
	return count;
}

void fake_io_flushed(struct fake_io *fake, int fd, int32_t result)
{
	uint32_t count = fake_io_flush_count(fake);
	uint32_t index = 0;

	while (index < count && fake->flushes[index].fd != fd)
		index++;
	zg_assert(index < count && result <= 0);
	fake_event(fake, ZGI_IO_FLUSHED, fake->flushes[index].tag, result);
	/* They stay in their order. */
	memmove(&fake->flushes[index], &fake->flushes[index + 1],
		(count - index - 1) * sizeof(fake->flushes[0]));
	fake->flushes[count - 1].fd = -1;
}

const struct fake_watch *fake_io_watch_of(const struct fake_io *fake, int fd)
{
	for (uint32_t index = 0; index < FAKE_WATCHES_MAX; index++)
		if (fake->watches[index].fd == fd)
			return &fake->watches[index];
	return NULL;
}

void fake_io_watched(struct fake_io *fake, int fd, int32_t result)
{
	struct fake_watch *watch = fake_watch_find(fake, fd);

	zg_assert(watch != NULL);
	fake_event(fake, ZGI_IO_WATCHED, watch->tag, result);
	watch->fd = -1;
}

void fake_io_woken(struct fake_io *fake)
{
	fake_event(fake, ZGI_IO_WOKEN, 0, 0);
}
