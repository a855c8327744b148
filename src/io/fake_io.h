/*
 * Fake I/O: a backend whose peers are a test.
 *
 * It starts nothing in the kernel. It notes every operation, asserts that the
 * contract of io/io.h is kept, and completes an operation when and how the test
 * says: with data, short, at the end of the stream, with an error, or cancelled.
 *
 * It is no part of the library.
 */
#ifndef ZEROG_IO_FAKE_IO_H
#define ZEROG_IO_FAKE_IO_H

#include "io/backend.h"

#define FAKE_DESCRIPTORS_MAX 64
#define FAKE_WATCHES_MAX 16

enum fake_operation {
	FAKE_NONE, /* nothing is in flight */
	FAKE_POLL,
	FAKE_RECV,
	FAKE_SEND,
	FAKE_SEND_RECV, /* a receive from now on; its send is out, or has stalled, or neither yet */
	FAKE_SEND_FILE,
	FAKE_READ_FILE,
	FAKE_SHUTDOWN,
};

struct fake_descriptor {
	bool is_open;
	bool is_shut; /* our end of the stream was closed */
	bool is_cancelled; /* of the operation in flight */
	bool is_completed; /* its event waits to be collected */
	bool is_handed; /* its event is in the batch that was collected last */
	enum fake_operation operation;
	uint64_t tag;
	unsigned char *window; /* lent: where a receive writes */
	size_t window_size; /* bytes */
	const unsigned char *bytes; /* lent: what a send reads; NULL when it is out */
	size_t size; /* bytes lent to the send */
	uint64_t bytes_hash; /* what they were when they were lent */
	struct zgi_io_file file; /* what a send_file sends, or a read_file reads */
	const struct zgi_io_file *file_lent; /* where a send_file's is */
	bool is_stalled; /* a send_recv whose STALLED event was made */
	uint64_t open_count; /* how often this descriptor has been accepted */
};

/* A flush that is in flight. */
struct fake_flush {
	int fd; /* -1: none */
	uint64_t tag;
};

/* A descriptor that is watched. */
struct fake_watch {
	int fd; /* -1: none */
	uint32_t poll_events;
	uint64_t tag;
};

/* What a test sees of the sends, as they complete. */
typedef void fake_sent(void *user, uint32_t descriptor, const unsigned char *bytes, size_t size);

struct fake_io {
	struct zgi_io io; /* first: this is an I/O object */
	struct zgi_io_operations operations; /* a test may take send_file away, as uring lacks it */
	uint32_t descriptor_count;
	bool is_accepting;
	bool is_accept_stopping;
	const void *window_shared; /* the one buffer that several receives may be lent, or NULL */
	fake_sent *on_sent; /* or NULL */
	void *user; /* borrowed: passed to it */
	struct fake_descriptor descriptors[FAKE_DESCRIPTORS_MAX];
	struct fake_flush flushes[ZGI_IO_FLUSHES_MAX];
	struct fake_watch watches[FAKE_WATCHES_MAX];
	int watch_error; /* what the next watches fail with; 0: they do not */
	uint32_t event_count;
	struct zgi_io_event events[ZGI_IO_EVENTS_MAX];
};

/**
 * fake_io_init() - an I/O object without peers
 * @fake:              the test's; overwritten
 * @descriptor_count:  connections there may be, at most FAKE_DESCRIPTORS_MAX
 */
void fake_io_init(struct fake_io *fake, uint32_t descriptor_count);

/* A peer connects. Return: its descriptor, or -EMFILE when all are open. */
int fake_io_accept(struct fake_io *fake);

/* Accepting fails with a negative errno. */
void fake_io_accept_fail(struct fake_io *fake, int error);

/* Accepting has ended, which was asked for. */
void fake_io_accept_end(struct fake_io *fake);

/* The peer has sent bytes: a receive gets what its window holds of them, a poll is told. Return:
 * the bytes that were received. */
size_t fake_io_deliver(struct fake_io *fake, uint32_t descriptor, const void *bytes, size_t size);

/* The bytes of a send_recv go out, all of them; without this they do when it ends. */
void fake_io_flush(struct fake_io *fake, uint32_t descriptor);

/* The send of a send_recv falls short: so many bytes, fewer than all, or a negative errno. Its
 * receive may end with -ECANCELED then. */
void fake_io_stall(struct fake_io *fake, uint32_t descriptor, int32_t result);

/* The operation in flight ends with any result but received bytes: an error, the end of a stream,
 * a poll's bits, so many bytes sent. */
void fake_io_complete(struct fake_io *fake, uint32_t descriptor, int32_t result);

/* How many flushes are in flight. */
uint32_t fake_io_flush_count(const struct fake_io *fake);

/* The oldest flush of a file ends. */
void fake_io_flushed(struct fake_io *fake, int fd, int32_t result);

/* The watch of a descriptor; NULL when it is not watched now. */
const struct fake_watch *fake_io_watch_of(const struct fake_io *fake, int fd);

/* A watch comes true, by these of poll(2)'s bits, or fails. */
void fake_io_watched(struct fake_io *fake, int fd, int32_t result);

/* zgi_io_wake() was called. */
void fake_io_woken(struct fake_io *fake);

static inline enum fake_operation fake_io_operation(const struct fake_io *fake, uint32_t descriptor)
{
	const struct fake_descriptor *entry = &fake->descriptors[descriptor];

	return entry->is_completed ? FAKE_NONE : entry->operation;
}

#endif
