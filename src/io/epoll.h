/*
 * The epoll backend's own object, shared by epoll.c (the operations and the wait),
 * epoll_setup.c (making, ending and accepting) and epoll_files.c (flushing and watching).
 */
#ifndef ZEROG_IO_EPOLL_H
#define ZEROG_IO_EPOLL_H

#include <assert.h>

#include "io/backend.h"
#include "io/workers.h"

/* Ends the ready list and the free list. */
#define ZGI_EPOLL_NONE UINT32_MAX

/* What epoll hands back for the descriptors that are not connections. */
#define ZGI_EPOLL_DATA_LISTENER (UINT64_C(1) << 32)
#define ZGI_EPOLL_DATA_WAKE (UINT64_C(1) << 33)
#define ZGI_EPOLL_DATA_WATCH (UINT64_C(1) << 63) /* and the caller's tag below */

enum zgi_epoll_operation {
	ZGI_EPOLL_FREE, /* the entry holds no connection */
	ZGI_EPOLL_IDLE,
	ZGI_EPOLL_POLL,
	ZGI_EPOLL_RECV,
	ZGI_EPOLL_SEND,
	ZGI_EPOLL_SEND_FILE,
	ZGI_EPOLL_READY, /* completed, in the ready list: the result is in size */
};

/* What is known of a socket. Readiness is told once (edge-triggered), so it is kept until a call
 * proves otherwise. */
enum zgi_epoll_state {
	ZGI_EPOLL_READABLE = 1,
	ZGI_EPOLL_WRITABLE = 2,
	ZGI_EPOLL_HUNG_UP = 4, /* end of stream or error: stays readable whatever was read */
	ZGI_EPOLL_UNSURE = 8, /* readable is a guess: the last receive filled its buffer */
	ZGI_EPOLL_STALLED = 64, /* the send of a send_recv fell short: two events are due */
	ZGI_EPOLL_GONE = 32, /* reset, or ended by both sides */
	ZGI_EPOLL_HAS_MORE = 16, /* the pending send is held back with MSG_MORE */
};

struct zgi_epoll_entry {
	uint64_t tag;
	void *buffer; /* borrowed while a receive or a send is pending; a struct zgi_io_file's */
	uint32_t size; /* of buffer; when ready, the result */
	int32_t fd; /* owned */
	uint32_t next; /* of the ready list or the free list */
	uint8_t operation;
	uint8_t state;
};

static_assert(sizeof(struct zgi_epoll_entry) <= 32, "an idle connection's share of the backend");

/* A flush, while the workers have it and until its event is delivered. */
struct zgi_epoll_flush {
	struct zgi_work work; /* first: the workers see only this */
	struct zgi_epoll *epoll; /* whose it is; NULL when it is free */
	uint64_t tag;
	int32_t fd; /* borrowed */
	int32_t result;
};

struct zgi_epoll {
	struct zgi_io io; /* first: zgi_io_* see only this */
	struct zgi_epoll_entry *entries; /* carved */
	uint32_t descriptor_count;
	uint32_t free_first; /* the entry that the next accept takes */
	uint32_t untouched; /* entries from here on have never been taken */
	uint32_t ready_first; /* completed operations, first in first out */
	uint32_t ready_last;
	uint32_t turns_without_poll;
	int epoll_fd; /* owned, -1 before the start */
	int listen_fd; /* borrowed, -1 for none */
	bool has_precise_timeout; /* the kernel has epoll_pwait2 */
	bool is_accept_wanted; /* between zgi_io_accept_start() and zgi_io_accept_stop() */
	bool is_accept_armed; /* epoll watches the listener */
	bool is_accept_ending; /* stopped; ACCEPT_ENDED is still to be told */
	bool needs_attention; /* the listener is to be watched again, or the end told */
	bool is_table_full; /* no entry was free at the last accept */
	uint64_t accept_retry_ns; /* when to watch again after an error */
	struct zgi_work *flushed_ready; /* oldest first: flushes that are over and not told yet */
	struct zgi_epoll_flush *flushes; /* carved: flush_count of them */
	struct zgi_workers *workers; /* borrowed; or NULL */
	uint32_t flush_count;
	struct zgi_work *flushed; /* newest first: put there by the workers' threads */
};

extern const struct zgi_io_operations zgi_epoll_operations;

/* zgi_io_start(), _destroy(), _accept_start() and _accept_stop() of this backend. */
int zgi_epoll_start(struct zgi_io *io);
void zgi_epoll_destroy(struct zgi_io *io);
void zgi_epoll_accept_start(struct zgi_io *io);
void zgi_epoll_accept_stop(struct zgi_io *io);

/**
 * zgi_epoll_attend() - watch the listener again when that is due, or tell that accepting ended
 * @epoll:       started, needs_attention is set
 * @timeout_ns:  shortened to when the listener is due
 * @events:      room for one
 *
 * Return: events written, 0 or 1.
 */
uint32_t zgi_epoll_attend(struct zgi_epoll *epoll, uint64_t *timeout_ns,
			  struct zgi_io_event *events);

/**
 * zgi_epoll_accept() - accept what the listener holds
 * @epoll:      started
 * @events:     ACCEPTED events are written here
 * @count_max:  room in events, at least 1
 *
 * Return: events written.
 */
uint32_t zgi_epoll_accept(struct zgi_epoll *epoll, struct zgi_io_event *events, uint32_t count_max);

/* epoll_files.c: zgi_io_flush(), zgi_io_watch() and zgi_io_unwatch() of this backend. */
void zgi_epoll_flush(struct zgi_io *io, int fd, uint64_t tag);
int zgi_epoll_watch(struct zgi_io *io, int fd, uint32_t poll_events, uint64_t tag);
void zgi_epoll_unwatch(struct zgi_io *io, int fd, uint64_t tag);

/* epoll_files.c: after a wake-up, take the flushes that are over out of the workers' hands. */
void zgi_epoll_take_flushed(struct zgi_epoll *epoll);

/* epoll_files.c: tell of them, as far as there is room; the new count of events. */
uint32_t zgi_epoll_deliver_flushed(struct zgi_epoll *epoll, struct zgi_io_event *events,
				   uint32_t count);

static inline struct zgi_epoll *zgi_epoll_of(struct zgi_io *io)
{
	return (struct zgi_epoll *)(void *)io;
}

#endif
