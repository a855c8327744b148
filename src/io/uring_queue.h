/*
 * Uring queue: putting one entry into the submission queue, field by field.
 *
 * Inline, because the hot path is made of it: a request is 64 bytes written here.
 */
#ifndef ZEROG_IO_URING_QUEUE_H
#define ZEROG_IO_URING_QUEUE_H

#include "io/uring.h"

static inline struct zgi_uring *zgi_uring_of(struct zgi_io *io)
{
	return (struct zgi_uring *)(void *)io;
}

/* The submission queue is full: send it now, so that queueing never fails. */
void zgi_uring_submit(struct zgi_uring *uring);

static inline struct io_uring_sqe *zgi_uring_take(struct zgi_uring *uring)
{
	struct io_uring_sq *queue = &uring->ring.sq;

	if (ZG_UNLIKELY(queue->sqe_tail - IO_URING_READ_ONCE(*queue->khead) >= queue->ring_entries))
		zgi_uring_submit(uring);
	return &queue->sqes[queue->sqe_tail++ & queue->ring_mask];
}

/* What the operations have in common; all that is not given is zero. */
struct zgi_uring_request {
	uint8_t opcode;
	uint8_t flags;
	uint16_t priority;
	int32_t fd;
	uint64_t offset;
	uint64_t address;
	uint32_t size;
	uint32_t operation_flags;
	uint64_t tag;
	uint32_t file_index;
};

/* Always inlined: the request is then no object in memory, only stores into the queue. */
__attribute__((always_inline)) static inline void zgi_uring_queue(
	struct zgi_uring *uring, const struct zgi_uring_request request)
{
	struct io_uring_sqe *entry = zgi_uring_take(uring);

	entry->opcode = request.opcode;
	entry->flags = request.flags;
	entry->ioprio = request.priority;
	entry->fd = request.fd;
	entry->off = request.offset;
	entry->addr = request.address;
	entry->len = request.size;
	entry->rw_flags = (__kernel_rwf_t)request.operation_flags;
	entry->user_data = request.tag;
	entry->buf_index = 0;
	entry->personality = 0;
	entry->file_index = request.file_index;
	entry->addr3 = 0;
	entry->__pad2[0] = 0;
}

/* By tag: the kernel finds it through a hash, where a search by descriptor visits every
 * operation of the ring. Not found means that it completed by itself meanwhile. */
static inline void zgi_uring_queue_cancel(struct zgi_uring *uring, uint64_t tag)
{
	zgi_uring_queue(uring, (struct zgi_uring_request){
				       .opcode = IORING_OP_ASYNC_CANCEL,
				       .flags = IOSQE_CQE_SKIP_SUCCESS,
				       .fd = -1,
				       .address = tag,
				       .tag = ZGI_URING_TAG_CANCEL,
			       });
}

#endif
