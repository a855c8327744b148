/*
 * The io_uring backend's own object, shared by uring.c (the operations),
 * uring_setup.c (making and ending a ring) and uring_probe.c.
 */
#ifndef ZEROG_IO_URING_H
#define ZEROG_IO_URING_H

#include <liburing.h>
#include <sys/types.h>

#include "io/backend.h"

/* The completion queue's size in submission queues: each connection in flight has one completion
 * at most, and a burst that is larger still waits in the kernel's overflow list. */
#define ZGI_URING_COMPLETIONS_FACTOR 4

/* The caller's tags are below 2^62. What we submit for ourselves has the top bit; the silent send
 * of a send_recv has the caller's tag and the bit below, and completes only when it falls short. */
#define ZGI_URING_TAG_INTERNAL (UINT64_C(1) << 63)
#define ZGI_URING_TAG_SILENT (UINT64_C(1) << 62)
#define ZGI_URING_TAG_OURS (ZGI_URING_TAG_INTERNAL | ZGI_URING_TAG_SILENT)
#define ZGI_URING_TAG_ACCEPT (ZGI_URING_TAG_INTERNAL | 1)
#define ZGI_URING_TAG_WAKE (ZGI_URING_TAG_INTERNAL | 2)
#define ZGI_URING_TAG_CANCEL (ZGI_URING_TAG_INTERNAL | 3)
#define ZGI_URING_TAG_CLOSE (ZGI_URING_TAG_INTERNAL | 4)
#define ZGI_URING_TAG_ACCEPT_FIRST (ZGI_URING_TAG_INTERNAL | 16) /* of ZGI_IO_ACCEPTS_MAX */
/* Flushes and watches have the caller's tag below one of these bits. */
#define ZGI_URING_TAG_FLUSH (ZGI_URING_TAG_INTERNAL | UINT64_C(1) << 56)
#define ZGI_URING_TAG_WATCH (ZGI_URING_TAG_INTERNAL | UINT64_C(2) << 56)
#define ZGI_URING_TAG_FILES (ZGI_URING_TAG_FLUSH | ZGI_URING_TAG_WATCH)

struct zgi_uring {
	struct zgi_io io; /* first: zgi_io_* see only this */
	struct io_uring ring;
	int enter_fd; /* the ring's registered index, or its descriptor */
	uint32_t enter_flags; /* IORING_ENTER_REGISTERED_RING, or 0 */
	bool is_started;
	bool is_stopped; /* nothing is in flight any more, see zgi_io_stop() */
	bool is_accept_wanted; /* between zgi_io_accept_start() and zgi_io_accept_stop() */
	bool is_accept_armed; /* the kernel holds our multishot accept, or it is queued; or all of
			       * the single ones */
	bool is_accept_ending; /* stopped; ACCEPT_ENDED is still to be told */
	bool needs_attention; /* the accept has to be armed again, or its end told */
	bool is_table_full; /* the last accept found no free descriptor */
	uint32_t accepts_armed; /* one bit a single accept that the kernel holds, or is queued */
	uint32_t open_count; /* descriptors accepted and not closed */
	uint32_t descriptor_count;
	uint32_t ring_entries;
	uint32_t flush_count; /* that may be in flight */
	int listen_fd; /* borrowed, -1 for none */
	uint64_t accept_retry_ns; /* when to arm again after an error; 0 for at once */
	uint64_t wake_count; /* what the kernel reads from wake_fd */
	pid_t thread; /* which thread registered the ring */
};

extern const struct zgi_io_operations zgi_uring_operations;

/**
 * zgi_uring_init() - an object in the caller's memory, not started yet
 * @options:    read during the call
 * @ret_uring:  overwritten
 *
 * Return: 0; -errno.
 */
ZG_MUST_USE int zgi_uring_init(const struct zgi_io_options *options, struct zgi_uring *ret_uring);

/**
 * zgi_uring_start() - set up the ring, from the thread that will use it
 * @uring:     initialised
 * @ret_step:  on failure, static text: the step that failed
 *
 * Return: 0; -errno of the step that failed.
 */
ZG_MUST_USE int zgi_uring_start(struct zgi_uring *uring, const char **ret_step);

/* zgi_io_start() and zgi_io_destroy() of this backend. */
int zgi_uring_start_io(struct zgi_io *io);
void zgi_uring_stop(struct zgi_io *io);
void zgi_uring_destroy(struct zgi_io *io);

/* Queue the read of wake_fd whose completion is ZGI_IO_WOKEN. */
void zgi_uring_arm_wake(struct zgi_uring *uring);

/* uring_accept.c: zgi_io_accept_start() and zgi_io_accept_stop() of this backend. */
void zgi_uring_accept_start(struct zgi_io *io);
void zgi_uring_accept_stop(struct zgi_io *io);

/* uring_accept.c: off the hot path, when needs_attention: tell that accepting has ended, or arm it
 * again. May shorten the time-out; returns the events written, 1 at most. */
int zgi_uring_attend(struct zgi_uring *uring, uint64_t *timeout_ns, struct zgi_io_event *events);

/* uring_accept.c: a completion of the multishot accept; returns the events written, 2 at most. */
uint32_t zgi_uring_collect_accept(struct zgi_uring *uring, const struct io_uring_cqe *completion,
				  struct zgi_io_event *events);

/* uring_accept.c: likewise, of a single one. */
uint32_t zgi_uring_collect_accept_one(struct zgi_uring *uring,
				      const struct io_uring_cqe *completion,
				      struct zgi_io_event *events);

/* uring_files.c: zgi_io_flush(), zgi_io_watch() and zgi_io_unwatch() of this backend. */
void zgi_uring_flush(struct zgi_io *io, int fd, uint64_t tag);
int zgi_uring_watch(struct zgi_io *io, int fd, uint32_t poll_events, uint64_t tag);
void zgi_uring_unwatch(struct zgi_io *io, int fd, uint64_t tag);

/* uring_files.c: is this the completion of a flush or of a watch? */
static inline bool zgi_uring_is_file_tag(uint64_t tag)
{
	return (tag & ZGI_URING_TAG_FILES & ~ZGI_URING_TAG_INTERNAL) != 0;
}

/* uring_files.c: the event that such a completion makes. */
struct zgi_io_event zgi_uring_file_event(const struct io_uring_cqe *completion);

#endif
