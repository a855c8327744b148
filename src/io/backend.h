/*
 * Backend: what io.c asks of an implementation of the I/O interface.
 *
 * Every backend's object starts with a struct zgi_io, so io.c dispatches without
 * knowing what lies behind it.
 */
#ifndef ZEROG_IO_BACKEND_H
#define ZEROG_IO_BACKEND_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "io/io.h"

#define ZGI_IO_MAGIC 0x696f3a7au

/* Tags of flushes and watches are below this. */
#define ZGI_IO_FILE_TAG_END (UINT64_C(1) << 56)

/* A transfer larger than the kernel makes in one call is cut to this. */
#define ZGI_IO_TRANSFER_SIZE_MAX 0x7ffff000u

/* After an accept failed for want of a resource, this long passes before the next try. */
#define ZGI_IO_ACCEPT_PAUSE_NS UINT64_C(10000000)

struct zgi_io_operations {
	int (*start)(struct zgi_io *io);
	void (*stop)(struct zgi_io *io); /* may be NULL */
	void (*destroy)(struct zgi_io *io);
	int (*wait)(struct zgi_io *io, uint64_t timeout_ns, struct zgi_io_event *events);
	void (*accept_start)(struct zgi_io *io);
	void (*accept_stop)(struct zgi_io *io);
	void (*poll)(struct zgi_io *io, uint32_t descriptor, uint64_t tag);
	void (*recv)(struct zgi_io *io, uint32_t descriptor, void *buffer, size_t size,
		     uint64_t tag);
	void (*send)(struct zgi_io *io, uint32_t descriptor, const void *buffer, size_t size,
		     bool has_more, uint64_t tag);
	void (*send_recv)(struct zgi_io *io, uint32_t descriptor,
			  const struct zgi_io_transfer *transfer, uint64_t tag);
	/* NULL where there is none. */
	void (*send_file)(struct zgi_io *io, uint32_t descriptor, const struct zgi_io_file *file,
			  uint64_t tag);
	void (*read_file)(struct zgi_io *io, uint32_t descriptor, const struct zgi_io_file *file,
			  void *buffer, uint64_t tag);
	void (*shutdown)(struct zgi_io *io, uint32_t descriptor, uint64_t tag);
	void (*cancel)(struct zgi_io *io, uint32_t descriptor, uint64_t tag);
	void (*close)(struct zgi_io *io, uint32_t descriptor);
	void (*flush)(struct zgi_io *io, int fd, uint64_t tag);
	int (*watch)(struct zgi_io *io, int fd, uint32_t poll_events, uint64_t tag);
	void (*unwatch)(struct zgi_io *io, int fd, uint64_t tag);
};

/* One for each backend: how its objects are sized and made. */
struct zgi_io_backend {
	int (*plan)(const struct zgi_io_options *options, uint32_t io_count, struct zg_plan *plan);
	uint64_t (*carve_size)(const struct zgi_io_options *options);
	int (*create)(const struct zgi_io_options *options, struct zg_region *region,
		      struct zgi_io **ret_io);
};

/* What a single accept writes to. */
struct zgi_io_accept {
	struct sockaddr_in6 address; /* or any that is shorter; a longer one is cut off */
	socklen_t size;
};

/* Accepts in flight at once where addresses are asked for, which a multishot one cannot tell. */
#define ZGI_IO_ACCEPTS_MAX 16

struct zgi_io {
	const struct zgi_io_operations *operations; /* borrowed, static */
	uint32_t magic;
	int wake_fd; /* owned: an eventfd, written by zgi_io_wake(); -1 when destroyed */
	struct zg_peer *peers; /* carved: one a descriptor; NULL when they are not kept */
	struct zgi_io_accept *accepts; /* carved with them: ZGI_IO_ACCEPTS_MAX */
};

extern const struct zgi_io_backend zgi_uring_backend;
extern const struct zgi_io_backend zgi_epoll_backend;

/**
 * zgi_uring_probe() - set up a small ring and use all that the backend needs
 * @ret_step:  on failure, static text: the step that failed
 *
 * Return: 0; -errno of the step that failed.
 */
ZG_MUST_USE int zgi_uring_probe(const char **ret_step);

/* The bytes a carved struct takes: whole cache lines, so that two shards never share one. */
static inline size_t zgi_io_carved_size(size_t size)
{
	return (size + 63) & ~(size_t)63;
}

#endif
