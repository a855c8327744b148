/*
 * The io_uring backend: operations are queued in memory shared with the kernel,
 * and one system call a turn sends them, waits, and finds the completions.
 *
 * What the server's hot path does in a request (a receive, a send) is 64 bytes
 * written here and 16 bytes read there. Entries are therefore filled field by
 * field; nothing is looked up, because a descriptor is the ring's own index and a
 * completion carries the caller's tag unchanged. What we submit for ourselves is
 * told apart by the top bit of its tag, in the one branch that a completion takes.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "io/uring_queue.h"

/* Entering without success this often in a row, while nothing else runs, is a defect. */
#define URING_SUBMIT_TRIES_MAX 100000

static_assert(offsetof(struct zgi_uring, io) == 0, "zgi_io_* cast between the two");

/* Show the kernel what was queued; how many entries it has not consumed yet. */
static inline uint32_t uring_publish(struct zgi_uring *uring)
{
	struct io_uring_sq *queue = &uring->ring.sq;

	io_uring_smp_store_release(queue->ktail, queue->sqe_tail);
	return queue->sqe_tail - IO_URING_READ_ONCE(*queue->khead);
}

static int uring_enter(struct zgi_uring *uring, uint32_t submit_count, uint32_t wait_count,
		       uint32_t flags, struct io_uring_getevents_arg *argument)
{
	return io_uring_enter2((unsigned)uring->enter_fd, submit_count, wait_count,
			       flags | uring->enter_flags, (sigset_t *)(void *)argument,
			       argument ? sizeof(*argument) : _NSIG / 8);
}

void zgi_uring_submit(struct zgi_uring *uring)
{
	uint32_t try_count = 0;
	uint32_t flags = 0;
	uint32_t queued = uring_publish(uring);

	while (queued >= uring->ring.sq.ring_entries) {
		int result = uring_enter(uring, queued, 0, flags, NULL);

		if (result < 0) {
			/* Short of memory, or completions overflow: let the kernel finish some. */
			zg_assert(result == -EAGAIN || result == -EBUSY || result == -EINTR);
			zg_assert(try_count++ < URING_SUBMIT_TRIES_MAX);
			flags = IORING_ENTER_GETEVENTS;
			sched_yield();
		}
		queued = uring_publish(uring);
	}
}

static void uring_poll(struct zgi_io *io, uint32_t descriptor, uint64_t tag)
{
	zgi_uring_queue(zgi_uring_of(io), (struct zgi_uring_request){
						  .opcode = IORING_OP_POLL_ADD,
						  .flags = IOSQE_FIXED_FILE,
						  .fd = (int32_t)descriptor,
						  .operation_flags = POLLIN | POLLRDHUP,
						  .tag = tag,
					  });
}

static inline uint32_t uring_transfer_size(size_t size)
{
	return size < ZGI_IO_TRANSFER_SIZE_MAX ? (uint32_t)size : ZGI_IO_TRANSFER_SIZE_MAX;
}

static void uring_recv(struct zgi_io *io, uint32_t descriptor, void *buffer, size_t size,
		       uint64_t tag)
{
	zgi_uring_queue(zgi_uring_of(io), (struct zgi_uring_request){
						  .opcode = IORING_OP_RECV,
						  .flags = IOSQE_FIXED_FILE,
						  .fd = (int32_t)descriptor,
						  .address = (uintptr_t)buffer,
						  .size = uring_transfer_size(size),
						  .tag = tag,
					  });
}

static void uring_send(struct zgi_io *io, uint32_t descriptor, const void *buffer, size_t size,
		       bool has_more, uint64_t tag)
{
	uint32_t more = has_more ? MSG_MORE : 0;

	/* MSG_WAITALL: the kernel goes on after a short send, without a turn through us. */
	zgi_uring_queue(zgi_uring_of(io),
			(struct zgi_uring_request){
				.opcode = IORING_OP_SEND,
				.flags = IOSQE_FIXED_FILE,
				.fd = (int32_t)descriptor,
				.address = (uintptr_t)buffer,
				.size = uring_transfer_size(size),
				.operation_flags = MSG_NOSIGNAL | MSG_WAITALL | more,
				.tag = tag,
			});
}

/* MSG_DONTWAIT: the send is over when the call that submitted it returns, so that its silence means
 * that all was sent. MSG_WAITALL: a short send is a failure, which is not silent. The receive waits
 * first, because the answer to our reply cannot be there yet. */
static void uring_send_recv(struct zgi_io *io, uint32_t descriptor,
			    const struct zgi_io_transfer *transfer, uint64_t tag)
{
	zgi_uring_queue(zgi_uring_of(io),
			(struct zgi_uring_request){
				.opcode = IORING_OP_SEND,
				.flags = IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS,
				.fd = (int32_t)descriptor,
				.address = (uintptr_t)transfer->send_buffer,
				.size = uring_transfer_size(transfer->send_size),
				.operation_flags = MSG_NOSIGNAL | MSG_WAITALL | MSG_DONTWAIT,
				.tag = tag | ZGI_URING_TAG_SILENT,
			});
	zgi_uring_queue(zgi_uring_of(io), (struct zgi_uring_request){
						  .opcode = IORING_OP_RECV,
						  .flags = IOSQE_FIXED_FILE,
						  .priority = IORING_RECVSEND_POLL_FIRST,
						  .fd = (int32_t)descriptor,
						  .address = (uintptr_t)transfer->recv_buffer,
						  .size = uring_transfer_size(transfer->recv_size),
						  .tag = tag,
					  });
}

static void uring_read_file(struct zgi_io *io, uint32_t descriptor, const struct zgi_io_file *file,
			    void *buffer, uint64_t tag)
{
	zg_assert(descriptor < zgi_uring_of(io)->descriptor_count);
	zgi_uring_queue(zgi_uring_of(io), (struct zgi_uring_request){
						  .opcode = IORING_OP_READ,
						  .fd = file->fd,
						  .offset = file->offset,
						  .address = (uintptr_t)buffer,
						  .size = uring_transfer_size(file->size),
						  .tag = tag,
					  });
}

static void uring_shutdown(struct zgi_io *io, uint32_t descriptor, uint64_t tag)
{
	zgi_uring_queue(zgi_uring_of(io), (struct zgi_uring_request){
						  .opcode = IORING_OP_SHUTDOWN,
						  .flags = IOSQE_FIXED_FILE,
						  .fd = (int32_t)descriptor,
						  .size = SHUT_WR,
						  .tag = tag,
					  });
}

static void uring_cancel(struct zgi_io *io, uint32_t descriptor, uint64_t tag)
{
	zg_assert(descriptor < zgi_uring_of(io)->descriptor_count);
	zg_assert(!(tag & ZGI_URING_TAG_OURS));
	zgi_uring_queue_cancel(zgi_uring_of(io), tag);
}

static void uring_close(struct zgi_io *io, uint32_t descriptor)
{
	struct zgi_uring *uring = zgi_uring_of(io);

	zg_assert(descriptor < uring->descriptor_count);
	zg_assert(uring->open_count > 0);
	uring->open_count--;
	/* The kernel counts a direct descriptor from 1 here: 0 means an ordinary one. */
	zgi_uring_queue(uring, (struct zgi_uring_request){
				       .opcode = IORING_OP_CLOSE,
				       .flags = IOSQE_CQE_SKIP_SUCCESS,
				       .tag = ZGI_URING_TAG_CLOSE,
				       .file_index = descriptor + 1,
			       });
}

void zgi_uring_arm_wake(struct zgi_uring *uring)
{
	zgi_uring_queue(uring, (struct zgi_uring_request){
				       .opcode = IORING_OP_READ,
				       .fd = uring->io.wake_fd,
				       .address = (uintptr_t)&uring->wake_count,
				       .size = sizeof(uring->wake_count),
				       .tag = ZGI_URING_TAG_WAKE,
			       });
}

/* A completion of what we submitted for ourselves; how many events (2 at most) come of it. */
static uint32_t uring_collect_internal(struct zgi_uring *uring,
				       const struct io_uring_cqe *completion,
				       struct zgi_io_event *events)
{
	int32_t result = completion->res;

	if (!(completion->user_data & ZGI_URING_TAG_INTERNAL)) {
		uint64_t tag = completion->user_data & ~ZGI_URING_TAG_SILENT;

		zgi_uring_queue_cancel(uring, tag);
		events[0] =
			(struct zgi_io_event){.tag = tag, .result = result, .kind = ZGI_IO_STALLED};
		return 1;
	}
	if (zgi_uring_is_file_tag(completion->user_data)) {
		events[0] = zgi_uring_file_event(completion);
		return 1;
	}
	switch (completion->user_data) {
	case ZGI_URING_TAG_ACCEPT:
		return zgi_uring_collect_accept(uring, completion, events);
	case ZGI_URING_TAG_WAKE:
		zg_assert(result == sizeof(uring->wake_count) || result == -EINTR ||
			  result == -EAGAIN || result == -ECANCELED);
		zgi_uring_arm_wake(uring);
		events[0] = (struct zgi_io_event){.kind = ZGI_IO_WOKEN};
		return result > 0;
	case ZGI_URING_TAG_CANCEL:
		zg_assert(result == 0 || result == -ENOENT || result == -EALREADY);
		return 0;
	default:
		if (completion->user_data - ZGI_URING_TAG_ACCEPT_FIRST < ZGI_IO_ACCEPTS_MAX)
			return zgi_uring_collect_accept_one(uring, completion, events);
		zg_assert(completion->user_data == ZGI_URING_TAG_CLOSE);
		zg_assert(result == 0);
		return 0;
	}
}

/* Move completions to the caller's events, from count on; the new count. */
static uint32_t uring_collect(struct zgi_uring *uring, struct zgi_io_event *events, uint32_t count)
{
	struct io_uring_cq *queue = &uring->ring.cq;
	uint32_t head = *queue->khead;
	uint32_t tail = io_uring_smp_load_acquire(queue->ktail);

	/* One place is kept free, because an accept's last completion can make two events. */
	while (head != tail && count < ZGI_IO_EVENTS_MAX - 1) {
		const struct io_uring_cqe *completion = &queue->cqes[head & queue->ring_mask];

		if (ZG_LIKELY(!(completion->user_data & ZGI_URING_TAG_OURS))) {
			events[count].tag = completion->user_data;
			events[count].result = completion->res;
			events[count].kind = ZGI_IO_DONE;
			count++;
		} else {
			count += uring_collect_internal(uring, completion, events + count);
		}
		head++;
	}
	io_uring_smp_store_release(queue->khead, head);
	return count;
}

/* One system call: send what is queued, run what the kernel deferred to this thread, wait. */
static int uring_turn(struct zgi_uring *uring, uint32_t queued, uint64_t timeout_ns)
{
	struct __kernel_timespec timeout = {
		.tv_sec = (int64_t)(timeout_ns / UINT64_C(1000000000)),
		.tv_nsec = (int64_t)(timeout_ns % UINT64_C(1000000000)),
	};
	struct io_uring_getevents_arg argument = {
		.sigmask_sz = _NSIG / 8,
		.ts = (uintptr_t)&timeout,
	};
	int result;

	if (timeout_ns == 0)
		result = uring_enter(uring, queued, 0, IORING_ENTER_GETEVENTS, NULL);
	else
		result = uring_enter(uring, queued, 1,
				     IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &argument);
	/* The time is over, a signal came, or the kernel is short of memory for the moment: what
	 * was not sent stays queued. */
	if (result == -ETIME || result == -EINTR || result == -EAGAIN || result == -EBUSY)
		return 0;
	return result;
}

static int uring_wait(struct zgi_io *io, uint64_t timeout_ns, struct zgi_io_event *events)
{
	struct zgi_uring *uring = zgi_uring_of(io);
	const struct io_uring_cq *queue = &uring->ring.cq;
	uint32_t count = 0;
	uint32_t queued;
	bool has_completions;

	zg_assert(uring->is_started);
	if (ZG_UNLIKELY(uring->needs_attention))
		count = (uint32_t)zgi_uring_attend(uring, &timeout_ns, events);
	queued = uring_publish(uring);
	has_completions = io_uring_smp_load_acquire(queue->ktail) != *queue->khead;
	/* What the last turn had no room for is delivered first, and costs no system call. */
	if (queued > 0 || !has_completions) {
		int result = uring_turn(uring, queued, has_completions ? 0 : timeout_ns);

		if (result < 0)
			return result;
	}
	return (int)uring_collect(uring, events, count);
}

const struct zgi_io_operations zgi_uring_operations = {
	.start = zgi_uring_start_io,
	.stop = zgi_uring_stop,
	.destroy = zgi_uring_destroy,
	.wait = uring_wait,
	.accept_start = zgi_uring_accept_start,
	.accept_stop = zgi_uring_accept_stop,
	.poll = uring_poll,
	.recv = uring_recv,
	.send = uring_send,
	.send_recv = uring_send_recv,
	.read_file = uring_read_file,
	.shutdown = uring_shutdown,
	.cancel = uring_cancel,
	.close = uring_close,
	.flush = zgi_uring_flush,
	.watch = zgi_uring_watch,
	.unwatch = zgi_uring_unwatch,
};
