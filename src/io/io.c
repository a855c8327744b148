/*
 * I/O dispatch: one object, two ways to serve it.
 *
 * A backend's object begins with a pointer to its table of operations, so each
 * call here is one indirect jump. What both backends have in common (the wake-up
 * descriptor, the choice at boot, the limits) is here too.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/assert.h"
#include "io/backend.h"

/* The kernel's own bound on a ring's table of descriptors (IORING_MAX_FIXED_FILES). */
#define IO_RING_DESCRIPTORS_MAX (UINT64_C(1) << 20)

static const struct zgi_io_backend *io_backend(enum zg_io_kind kind)
{
	zg_assert(kind == ZG_IO_URING || kind == ZG_IO_EPOLL);
	return kind == ZG_IO_URING ? &zgi_uring_backend : &zgi_epoll_backend;
}

int zgi_io_probe(enum zg_io_kind wanted, enum zg_io_kind *ret_kind, struct zg_text *ret_reason)
{
	struct utsname kernel;
	const char *step = "";
	const char *hint = "";
	int result;

	if (uname(&kernel) < 0)
		kernel.release[0] = '\0';
	if (wanted == ZG_IO_EPOLL) {
		zg_text_print(ret_reason, "epoll, because it was asked for");
		*ret_kind = ZG_IO_EPOLL;
		return 0;
	}
	result = zgi_uring_probe(&step);
	if (result == 0) {
		zg_text_print(ret_reason, "io_uring, because Linux %s has all that is needed",
			      kernel.release);
		*ret_kind = ZG_IO_URING;
		return 0;
	}
	if (result == -EPERM || result == -EACCES)
		hint = "; a container's seccomp profile or kernel.io_uring_disabled forbids it";
	else if (result == -ENOMEM)
		hint = "; raise RLIMIT_MEMLOCK";
	else if (result == -EINVAL || result == -ENOSYS)
		hint = "; Linux 6.1 or later is needed";
	if (wanted == ZG_IO_URING) {
		zg_text_print(ret_reason, "io_uring cannot be had on Linux %s: %s failed (%s)%s",
			      kernel.release, step, strerrordesc_np(-result), hint);
		return result;
	}
	zg_text_print(ret_reason, "epoll, because io_uring's %s failed on Linux %s (%s)%s", step,
		      kernel.release, strerrordesc_np(-result), hint);
	*ret_kind = ZG_IO_EPOLL;
	return 0;
}

/* Count with getdents64 itself: opendir() would take memory from the heap. */
static uint64_t io_count_open(void)
{
	_Alignas(struct dirent64) char entries[2048];
	uint64_t count = 0;
	ssize_t size;
	int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return 16; /* Without /proc: the standard three, and room for what a program opens.
			    */
	while ((size = getdents64(fd, entries, sizeof(entries))) > 0) {
		for (ssize_t offset = 0; offset < size;) {
			struct dirent64 entry;

			memcpy(&entry, entries + offset, offsetof(struct dirent64, d_name) + 1);
			count += entry.d_name[0] != '.';
			offset += entry.d_reclen;
		}
	}
	close(fd);
	return count - 1; /* The one that was read is closed again. */
}

void zgi_io_descriptor_limit(enum zg_io_kind kind, uint64_t *ret_each, uint64_t *ret_together)
{
	struct rlimit limit;
	uint64_t open_count;

	zg_assert(kind == ZG_IO_URING || kind == ZG_IO_EPOLL);
	zg_assert(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	if (kind == ZG_IO_URING) {
		*ret_each = limit.rlim_cur < IO_RING_DESCRIPTORS_MAX ? limit.rlim_cur
								     : IO_RING_DESCRIPTORS_MAX;
		*ret_together = UINT64_MAX;
		return;
	}
	open_count = io_count_open();
	*ret_together = limit.rlim_cur > open_count ? limit.rlim_cur - open_count : 0;
	*ret_each = *ret_together;
}

static uint64_t io_peers_size(const struct zgi_io_options *options)
{
	return zgi_io_carved_size(options->descriptor_count * sizeof(struct zg_peer));
}

static uint64_t io_accepts_size(void)
{
	return zgi_io_carved_size(ZGI_IO_ACCEPTS_MAX * sizeof(struct zgi_io_accept));
}

static int io_plan_peers(const struct zgi_io_options *options, uint32_t io_count,
			 struct zg_plan *plan)
{
	const uint64_t slot_count = options->descriptor_count;
	const uint64_t rounded_count = io_peers_size(options) / sizeof(struct zg_peer);
	const struct zg_plan_line accepts = {
		.name = "accepts in flight",
		.option = "--shards",
		.count = io_count,
		.size_each = io_peers_size(options) - rounded_count * sizeof(struct zg_peer) +
			     io_accepts_size(),
		.depends_on = {{"shards", 1}},
	};
	const struct zg_plan_line peers = {
		.name = "peer addresses",
		.option = "--connections",
		.size_each = sizeof(struct zg_peer),
		.times = io_count,
		.times_name = "shards",
		.holders = {{"one a connection slot", slot_count},
			    {"up to whole 64 bytes", rounded_count - slot_count}},
		.depends_on = {{"connection slots", 1}},
	};
	int result = zg_plan_add(plan, &accepts, "%d a shard, an address each", ZGI_IO_ACCEPTS_MAX);

	if (result < 0)
		return result;
	return zg_plan_add(plan, &peers,
			   "%" PRIu32 " shards x %" PRIu32
			   ", one a slot, because of --peer-addresses on",
			   io_count, options->descriptor_count);
}

static int io_peers_carve(const struct zgi_io_options *options, struct zg_region *region,
			  struct zgi_io *io)
{
	void *peers;
	void *accepts;
	int result = zg_region_carve(region, io_peers_size(options), 64, &peers);

	if (result == 0)
		result = zg_region_carve(region, io_accepts_size(), 64, &accepts);
	if (result < 0)
		return result;
	io->peers = peers;
	io->accepts = accepts;
	return 0;
}

const struct zg_peer *zgi_io_peers(const struct zgi_io *io)
{
	zg_assert(io->magic == ZGI_IO_MAGIC);
	return io->peers;
}

int zgi_io_plan(const struct zgi_io_options *options, uint32_t io_count, struct zg_plan *plan)
{
	zg_assert(options->descriptor_count > 0);
	zg_assert(options->flush_count <= ZGI_IO_FLUSHES_MAX);
	zg_assert(io_count > 0);

	int result = io_backend(options->kind)->plan(options, io_count, plan);

	return result == 0 && options->has_peers ? io_plan_peers(options, io_count, plan) : result;
}

uint64_t zgi_io_carve_size(const struct zgi_io_options *options)
{
	uint64_t size = io_backend(options->kind)->carve_size(options);

	return options->has_peers ? size + io_peers_size(options) + io_accepts_size() : size;
}

int zgi_io_create(const struct zgi_io_options *options, struct zg_region *region,
		  struct zgi_io **ret_io)
{
	zg_assert(options->descriptor_count > 0);
	struct zgi_io *io;
	int result;

	zg_assert(options->flush_count <= ZGI_IO_FLUSHES_MAX);
	result = io_backend(options->kind)->create(options, region, &io);
	if (result == 0 && options->has_peers) {
		result = io_peers_carve(options, region, io);
		if (result < 0)
			zgi_io_destroy(io);
	}
	if (result == 0)
		*ret_io = io;
	return result;
}

static inline const struct zgi_io_operations *io_operations(const struct zgi_io *io)
{
	zg_assert(io->magic == ZGI_IO_MAGIC);
	return io->operations;
}

int zgi_io_start(struct zgi_io *io)
{
	return io_operations(io)->start(io);
}

void zgi_io_stop(struct zgi_io *io)
{
	if (io_operations(io)->stop != NULL)
		io_operations(io)->stop(io);
}

void zgi_io_destroy(struct zgi_io *io)
{
	if (!io)
		return;
	io_operations(io)->destroy(io);
	close(io->wake_fd);
	io->wake_fd = -1;
	io->magic = 0;
}

int zgi_io_wait(struct zgi_io *io, uint64_t timeout_ns, struct zgi_io_event *events)
{
	return io_operations(io)->wait(io, timeout_ns, events);
}

void zgi_io_accept_start(struct zgi_io *io)
{
	io_operations(io)->accept_start(io);
}

void zgi_io_accept_stop(struct zgi_io *io)
{
	io_operations(io)->accept_stop(io);
}

void zgi_io_poll(struct zgi_io *io, uint32_t descriptor, uint64_t tag)
{
	io_operations(io)->poll(io, descriptor, tag);
}

void zgi_io_recv(struct zgi_io *io, uint32_t descriptor, void *buffer, size_t size, uint64_t tag)
{
	zg_assert(size > 0);
	io_operations(io)->recv(io, descriptor, buffer, size, tag);
}

void zgi_io_send(struct zgi_io *io, uint32_t descriptor, const void *buffer, size_t size,
		 bool has_more, uint64_t tag)
{
	zg_assert(size > 0);
	io_operations(io)->send(io, descriptor, buffer, size, has_more, tag);
}

void zgi_io_send_recv(struct zgi_io *io, uint32_t descriptor,
		      const struct zgi_io_transfer *transfer, uint64_t tag)
{
	zg_assert(transfer->send_size > 0);
	zg_assert(transfer->recv_size > 0);
	io_operations(io)->send_recv(io, descriptor, transfer, tag);
}

bool zgi_io_can_send_file(const struct zgi_io *io)
{
	return io_operations(io)->send_file != NULL;
}

void zgi_io_send_file(struct zgi_io *io, uint32_t descriptor, const struct zgi_io_file *file,
		      uint64_t tag)
{
	zg_assert(file->fd >= 0 && file->size > 0);
	zg_assert(io_operations(io)->send_file != NULL);
	io_operations(io)->send_file(io, descriptor, file, tag);
}

void zgi_io_read_file(struct zgi_io *io, uint32_t descriptor, const struct zgi_io_file *file,
		      void *buffer, uint64_t tag)
{
	zg_assert(file->fd >= 0 && file->size > 0);
	io_operations(io)->read_file(io, descriptor, file, buffer, tag);
}

void zgi_io_shutdown(struct zgi_io *io, uint32_t descriptor, uint64_t tag)
{
	io_operations(io)->shutdown(io, descriptor, tag);
}

void zgi_io_cancel(struct zgi_io *io, uint32_t descriptor, uint64_t tag)
{
	io_operations(io)->cancel(io, descriptor, tag);
}

void zgi_io_close(struct zgi_io *io, uint32_t descriptor)
{
	io_operations(io)->close(io, descriptor);
}

void zgi_io_flush(struct zgi_io *io, int fd, uint64_t tag)
{
	zg_assert(fd >= 0);
	zg_assert(tag < ZGI_IO_FILE_TAG_END);
	io_operations(io)->flush(io, fd, tag);
}

int zgi_io_watch(struct zgi_io *io, int fd, uint32_t poll_events, uint64_t tag)
{
	zg_assert(fd >= 0);
	zg_assert(tag < ZGI_IO_FILE_TAG_END);
	return io_operations(io)->watch(io, fd, poll_events, tag);
}

void zgi_io_unwatch(struct zgi_io *io, int fd, uint64_t tag)
{
	zg_assert(tag < ZGI_IO_FILE_TAG_END);
	io_operations(io)->unwatch(io, fd, tag);
}

void zgi_io_wake(struct zgi_io *io)
{
	const uint64_t one = 1;
	int saved_errno = errno; /* A signal handler leaves errno as it found it. */

	zg_assert(io->magic == ZGI_IO_MAGIC);
	while (write(io->wake_fd, &one, sizeof(one)) < 0) {
		if (errno != EINTR)
			break; /* EAGAIN: the counter is full, so the wake-up is under way. */
	}
	errno = saved_errno;
}
