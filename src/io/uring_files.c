/*
 * Files and descriptors of the application on a ring: ordinary ones of the process,
 * named by their number.
 *
 * A flush always runs on a kernel thread of the ring's, which sleeps until the disk
 * has answered. A watch is a poll: one that holds already completes at once, so that
 * watching again after each event has the level meaning that libraries expect.
 */
#include <poll.h>

#include "base/assert.h"
#include "io/uring_queue.h"

void zgi_uring_flush(struct zgi_io *io, int fd, uint64_t tag)
{
	zgi_uring_queue(zgi_uring_of(io), (struct zgi_uring_request){
						  .opcode = IORING_OP_FSYNC,
						  .fd = fd,
						  .operation_flags = IORING_FSYNC_DATASYNC,
						  .tag = ZGI_URING_TAG_FLUSH | tag,
					  });
}

int zgi_uring_watch(struct zgi_io *io, int fd, uint32_t poll_events, uint64_t tag)
{
	zgi_uring_queue(zgi_uring_of(io), (struct zgi_uring_request){
						  .opcode = IORING_OP_POLL_ADD,
						  .fd = fd,
						  .operation_flags = poll_events,
						  .tag = ZGI_URING_TAG_WATCH | tag,
					  });
	return 0;
}

void zgi_uring_unwatch(struct zgi_io *io, int fd, uint64_t tag)
{
	(void)fd;
	zgi_uring_queue_cancel(zgi_uring_of(io), ZGI_URING_TAG_WATCH | tag);
}

struct zgi_io_event zgi_uring_file_event(const struct io_uring_cqe *completion)
{
	uint64_t class_of = completion->user_data & ZGI_URING_TAG_FILES;

	zg_assert(class_of == ZGI_URING_TAG_FLUSH || class_of == ZGI_URING_TAG_WATCH);
	return (struct zgi_io_event){
		.tag = completion->user_data & (ZGI_IO_FILE_TAG_END - 1),
		.result = completion->res,
		.kind = class_of == ZGI_URING_TAG_FLUSH ? ZGI_IO_FLUSHED : ZGI_IO_WATCHED,
	};
}
