/*
 * I/O: one completion-style interface over io_uring and epoll.
 *
 * A descriptor is a small number of the backend's own, from 0 up to
 * descriptor_count - 1: a direct descriptor of the ring, or an entry of the epoll
 * backend's table. The server uses it as the index into its connection table.
 *
 * One operation a descriptor: poll, recv, send, send_recv, send_file, read_file or shutdown. Its
 * completion is one event that carries the tag it was started with. A second operation may start
 * once the first has completed. zgi_io_cancel() makes the one in flight complete
 * soon (-ECANCELED, or with what it had got by then). zgi_io_close() takes a
 * descriptor with nothing in flight, and the descriptor is free for the next
 * accept as soon as its close has completed; a close makes no event.
 *
 * So no completion ever arrives for a descriptor that has been reused: there is
 * nothing in flight when it is closed.
 *
 * A tag is below 2^62, and no two operations in flight have the same one.
 *
 * Files and descriptors of the application, which are ordinary ones of the process, are
 * flushed and watched beside all that. Their events are of kinds of their own, with tags
 * of their own, below 2^56.
 *
 * Threads    One I/O object belongs to one thread, from zgi_io_start() on; only
 *            zgi_io_wake() may be called from any thread and from signal handlers.
 */
#ifndef ZEROG_IO_IO_H
#define ZEROG_IO_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/options.h>
#include <zerog/peer.h>
#include <zerog/plan.h>
#include <zerog/region.h>

/* What an event is about. */
enum zgi_io_event_kind {
	ZGI_IO_ACCEPTED, /* result: the new descriptor, or -errno when an accept failed */
	ZGI_IO_ACCEPT_ENDED, /* accepting has stopped, after zgi_io_accept_stop() */
	ZGI_IO_DONE, /* an operation completed: tag and result */
	ZGI_IO_STALLED, /* zgi_io_send_recv() could not send all at once: see there */
	ZGI_IO_WOKEN, /* zgi_io_wake() was called, once or more */
	ZGI_IO_FLUSHED, /* zgi_io_flush() is over: tag, and 0 or -errno */
	ZGI_IO_WATCHED, /* zgi_io_watch() came true: tag, and poll(2)'s bits or -errno */
};

struct zgi_io_event {
	uint64_t tag; /* as given to the operation */
	int32_t result; /* 0 or more, or a negative errno */
	uint32_t kind; /* enum zgi_io_event_kind */
};

#define ZGI_IO_EVENTS_MAX 256

struct zgi_io_options {
	enum zg_io_kind kind; /* ZG_IO_URING or ZG_IO_EPOLL, as zgi_io_probe() chose */
	uint32_t descriptor_count; /* how many accepted connections may be open at once */
	uint32_t ring_entries; /* submissions queued before they are sent; a power of two */
	int listen_fd; /* borrowed: listening, non-blocking; -1 for none */
	uint32_t flush_count; /* flushes that may be in flight; 0 to ZGI_IO_FLUSHES_MAX */
	struct zgi_workers
		*workers; /* borrowed: where epoll has files flushed, which it cannot
			   * do; may be NULL with uring, and where there are no flushes */
	bool has_peers; /* keep the address of each accepted connection's peer */
};

#define ZGI_IO_FLUSHES_MAX 64

struct zgi_io; /* defined by each backend; the first member is its operations */
struct zgi_workers; /* io/workers.h */

/**
 * zgi_io_probe() - which backend this kernel and this container allow
 * @wanted:      ZG_IO_AUTO, or the one that is forced
 * @ret_kind:    ZG_IO_URING or ZG_IO_EPOLL
 * @ret_reason:  one sentence for the boot log: why this one; for a failure, what is missing
 *
 * Tries each feature the uring backend needs (SINGLE_ISSUER, DEFER_TASKRUN, direct descriptors
 * with allocation, multishot accept, EXT_ARG), by setting up a small ring and using it.
 *
 * Return: 0; -ENOSYS or the kernel's errno when @wanted is ZG_IO_URING and it cannot be had.
 */
ZG_MUST_USE int zgi_io_probe(enum zg_io_kind wanted, enum zg_io_kind *ret_kind,
			     struct zg_text *ret_reason);

/**
 * zgi_io_descriptor_limit() - descriptors one I/O object, and all of them together, may have
 * @kind:          the backend
 * @ret_each:      a single object's: RLIMIT_NOFILE for uring (a ring's own table)
 * @ret_together:  over the process: UINT64_MAX for uring, RLIMIT_NOFILE less what is open for epoll
 *
 * The soft limit is meant: raise it before. Of the process's descriptors, an object takes two
 * (the ring or epoll, and the eventfd), besides its listener. Without CAP_IPC_LOCK, the mappings
 * of all rings of a user together ("ring:" lines of the plan) must fit RLIMIT_MEMLOCK, or
 * zgi_io_start() fails with -ENOMEM.
 */
void zgi_io_descriptor_limit(enum zg_io_kind kind, uint64_t *ret_each, uint64_t *ret_together);

/**
 * zgi_io_plan() - add what one I/O object occupies to a plan, times their number
 * @options:  as for zgi_io_create()
 * @io_count: objects (one a shard)
 * @plan:     lines are added: what is carved from the region, and what the kernel maps
 */
ZG_MUST_USE int zgi_io_plan(const struct zgi_io_options *options, uint32_t io_count,
			    struct zg_plan *plan);

/**
 * zgi_io_carve_size() - the part of the plan that is carved from the region, one object's
 * @options:  as for zgi_io_create()
 *
 * Return: bytes, a multiple of 64.
 */
uint64_t zgi_io_carve_size(const struct zgi_io_options *options);

/**
 * zgi_io_create() - carve an I/O object from the region; the kernel's part starts in zgi_io_start()
 * @options:  read during the call
 * @region:   carved from, exactly what zgi_io_plan() said
 * @ret_io:   lives in the region; zgi_io_destroy() closes what it holds
 *
 * Return: 0; -errno. Boot only.
 */
ZG_MUST_USE int zgi_io_create(const struct zgi_io_options *options, struct zg_region *region,
			      struct zgi_io **ret_io);

/**
 * zgi_io_peers() - where accepted connections come from, by descriptor
 * @io:  created
 *
 * Return: descriptor_count of them, borrowed; each is written before the ACCEPTED event of its
 * descriptor, and stays until the next. NULL without has_peers. On the object's thread.
 */
const struct zg_peer *zgi_io_peers(const struct zgi_io *io);

/**
 * zgi_io_start() - set up the ring or epoll; from the thread that will use it
 * @io:  created
 *
 * Return: 0; -errno of the step that failed.
 */
ZG_MUST_USE int zgi_io_start(struct zgi_io *io);

/**
 * zgi_io_stop() - end what is in flight, so that nothing holds the listener any more
 * @io:  started, or one whose start failed; from the thread that started it
 *
 * No event comes of it. Afterwards the object may be woken and destroyed.
 */
void zgi_io_stop(struct zgi_io *io);

/**
 * zgi_io_destroy() - close the ring or epoll with all its descriptors
 * @io:  created, or NULL
 */
void zgi_io_destroy(struct zgi_io *io);

/**
 * zgi_io_wait() - send what was queued, wait, and collect events
 * @io:          started
 * @timeout_ns:  wait at most this long; 0 does not wait
 * @events:      the caller's array of ZGI_IO_EVENTS_MAX
 *
 * Return: events written; 0 when the time is over, or earlier when a signal came or accepting had
 * to be resumed; -errno of a fault that is not a peer's.
 */
ZG_MUST_USE int zgi_io_wait(struct zgi_io *io, uint64_t timeout_ns, struct zgi_io_event *events);

/* The operations. A call queues; it fails only by a defect of ours, and asserts. */

/* Accept from listen_fd until stopped; ACCEPTED events follow. Accepted TCP sockets have
 * TCP_NODELAY (inherited from the listener). May be called again after ACCEPT_ENDED.
 * When descriptor_count are open, one ACCEPTED with -ENFILE tells it, and accepting goes on by
 * itself after the next close. The connection that found no place is lost with uring (the kernel
 * closes it) and stays in the backlog with epoll: to lose none, close an idle one before the table
 * is full. After another error, accepting goes on by itself after a pause. */
void zgi_io_accept_start(struct zgi_io *io);
/* Ask accepting to end; ACCEPTED events may still come, then one ACCEPT_ENDED. */
void zgi_io_accept_stop(struct zgi_io *io);
/* Complete when readable, at the peer's end of stream, or on error: result is poll(2)'s bits. With
 * any of ZGI_IO_POLL_GONE the stream is over in both directions: nothing can be received or sent.
 */
#define ZGI_IO_POLL_IN 0x001 /* POLLIN */
#define ZGI_IO_POLL_OUT 0x004 /* POLLOUT */
#define ZGI_IO_POLL_ERROR 0x008 /* POLLERR */
#define ZGI_IO_POLL_GONE (ZGI_IO_POLL_ERROR | 0x010) /* POLLERR | POLLHUP */
#define ZGI_IO_POLL_INVALID 0x020 /* POLLNVAL */
void zgi_io_poll(struct zgi_io *io, uint32_t descriptor, uint64_t tag);
/* Receive at most size bytes; result 0 is the end of the stream. The buffer is lent until done. */
void zgi_io_recv(struct zgi_io *io, uint32_t descriptor, void *buffer, size_t size, uint64_t tag);
/* Send size bytes, result may be less; has_more: hold the last segment, more follows (MSG_MORE).
 * The bytes are lent until done. Never raises SIGPIPE. */
void zgi_io_send(struct zgi_io *io, uint32_t descriptor, const void *buffer, size_t size,
		 bool has_more, uint64_t tag);
/* Send size bytes and receive what comes next: a reply and the wait for the next request, in one.
 * Nearly always the kernel takes all bytes at once, and there is one event: DONE, with what was
 * received. Else there is first STALLED, whose result is how many bytes were sent or a negative
 * errno (-EAGAIN for none), and then DONE with what was received or, mostly, -ECANCELED. Both
 * buffers are lent until DONE. zgi_io_cancel() ends the receive. */
struct zgi_io_transfer {
	const void *send_buffer;
	size_t send_size;
	void *recv_buffer;
	size_t recv_size;
};
void zgi_io_send_recv(struct zgi_io *io, uint32_t descriptor,
		      const struct zgi_io_transfer *transfer, uint64_t tag);
/* A part of a regular file. */
struct zgi_io_file {
	int fd; /* borrowed: open for reading, until the operation is done */
	uint64_t offset; /* bytes from the file's start */
	uint64_t size; /* bytes, at least 1 */
};
/* Does the backend have zgi_io_send_file()? Only epoll does: sendfile(2) takes no direct
 * descriptor, and the ring's splice runs on a kernel thread, through a pipe that each transfer
 * would hold. */
bool zgi_io_can_send_file(const struct zgi_io *io);
/* Send a part of a file from the page cache; result may be less, and is 0 when the file has become
 * shorter than that. The struct is lent until done. A page that is not in the cache is waited for.
 */
void zgi_io_send_file(struct zgi_io *io, uint32_t descriptor, const struct zgi_io_file *file,
		      uint64_t tag);
/* Read a part of a file into a buffer of file->size bytes, as this descriptor's one operation;
 * result may be less, 0 at the file's end. The buffer is lent until done. With uring nobody waits
 * for the disk; with epoll this thread does. */
void zgi_io_read_file(struct zgi_io *io, uint32_t descriptor, const struct zgi_io_file *file,
		      void *buffer, uint64_t tag);
/* End our side of the stream (SHUT_WR); result 0 or -errno. With uring it runs on a kernel thread,
 * tens of microseconds later: for the end of a connection, not for its requests. */
void zgi_io_shutdown(struct zgi_io *io, uint32_t descriptor, uint64_t tag);
/* Make the operation in flight on this descriptor, which was started with tag, complete soon. */
void zgi_io_cancel(struct zgi_io *io, uint32_t descriptor, uint64_t tag);
/* Close; nothing may be in flight. No event; the descriptor is gone from this call on. */
void zgi_io_close(struct zgi_io *io, uint32_t descriptor);

/* Have a file's data written to the disk (fdatasync(2)), at most flush_count at a time. One FLUSHED
 * follows; it cannot be cancelled. The descriptor must stay open until then. */
void zgi_io_flush(struct zgi_io *io, int fd, uint64_t tag);

/* Tell once when one of poll(2)'s events holds for a descriptor, at once if it does already: one
 * WATCHED follows. POLLERR and POLLHUP are always among them. A descriptor is watched once at a
 * time. Return: 0; -errno of epoll_ctl(2), where the descriptor cannot be watched. */
ZG_MUST_USE int zgi_io_watch(struct zgi_io *io, int fd, uint32_t poll_events, uint64_t tag);
/* Watch no longer. The WATCHED of this tag may still come, with -ECANCELED or with what had come
 * before, or may not: a later watch must have another tag. The descriptor may be closed at once. */
void zgi_io_unwatch(struct zgi_io *io, int fd, uint64_t tag);

/* Make zgi_io_wait() return with ZGI_IO_WOKEN. Any thread, signal handlers too. */
void zgi_io_wake(struct zgi_io *io);

#endif
