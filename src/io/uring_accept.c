/*
 * Accepting on a ring: one multishot accept, armed as long as connections are
 * wanted, and armed again with care where the kernel lets go of it.
 *
 * It cannot tell where connections come from, having one buffer for all. Where that
 * is asked for, several single accepts are in flight instead, a buffer each, and each
 * is armed again in the turn in which it was used up.
 */
#include <errno.h>

#include "base/assert.h"
#include "base/clock.h"
#include "io/peer.h"
#include "io/uring_queue.h"

void zgi_uring_accept_start(struct zgi_io *io)
{
	struct zgi_uring *uring = zgi_uring_of(io);

	zg_assert(uring->listen_fd >= 0);
	zg_assert(!uring->is_accept_wanted && !uring->is_accept_ending);
	uring->is_accept_wanted = true;
	uring->accept_retry_ns = 0;
	uring->is_table_full = false;
	uring->needs_attention = true;
}

static void uring_cancel_singles(struct zgi_uring *uring)
{
	for (uint32_t number = 0; number < ZGI_IO_ACCEPTS_MAX; number++)
		if ((uring->accepts_armed & 1U << number) != 0)
			zgi_uring_queue_cancel(uring, ZGI_URING_TAG_ACCEPT_FIRST + number);
}

void zgi_uring_accept_stop(struct zgi_io *io)
{
	struct zgi_uring *uring = zgi_uring_of(io);

	zg_assert(uring->is_accept_wanted);
	uring->is_accept_wanted = false;
	uring->is_accept_ending = true;
	if (uring->io.peers != NULL) {
		uring_cancel_singles(uring);
		uring->needs_attention = uring->accepts_armed == 0;
		return;
	}
	if (uring->is_accept_armed)
		zgi_uring_queue_cancel(uring, ZGI_URING_TAG_ACCEPT);
	else
		uring->needs_attention = true;
}

/* A direct descriptor cannot be close-on-exec (it is in no process's table), and must not be
 * non-blocking, or operations would fail where they should wait: no flags. */
static void uring_arm_single(struct zgi_uring *uring, uint32_t number)
{
	struct zgi_io_accept *accept = &uring->io.accepts[number];
	struct io_uring_sqe *entry = zgi_uring_take(uring);

	accept->size = sizeof(accept->address);
	io_uring_prep_accept(entry, uring->listen_fd, (struct sockaddr *)(void *)&accept->address,
			     &accept->size, 0);
	/* By hand: early versions of liburing make a plain descriptor of it. */
	entry->file_index = IORING_FILE_INDEX_ALLOC;
	entry->user_data = ZGI_URING_TAG_ACCEPT_FIRST + number;
	uring->accepts_armed |= 1U << number;
}

static void uring_arm_accept(struct zgi_uring *uring)
{
	uring->is_accept_armed = true;
	uring->needs_attention = false;
	if (uring->io.peers != NULL) {
		for (uint32_t number = 0; number < ZGI_IO_ACCEPTS_MAX; number++)
			if ((uring->accepts_armed & 1U << number) == 0)
				uring_arm_single(uring, number);
		return;
	}
	zgi_uring_queue(uring, (struct zgi_uring_request){
				       .opcode = IORING_OP_ACCEPT,
				       .priority = IORING_ACCEPT_MULTISHOT,
				       .fd = uring->listen_fd,
				       .tag = ZGI_URING_TAG_ACCEPT,
				       .file_index = IORING_FILE_INDEX_ALLOC,
			       });
}

/*
 * Off the hot path: tell that accepting has ended, or arm the accept again.
 *
 * With a full table an armed accept takes a connection from the backlog only to drop it, so it
 * waits for a close. After any other error it waits a little: were it armed at once, a lasting
 * error would keep the shard from sleeping.
 */
int zgi_uring_attend(struct zgi_uring *uring, uint64_t *timeout_ns, struct zgi_io_event *events)
{
	zg_assert(!uring->is_accept_armed);
	if (uring->is_accept_ending) {
		zg_assert(uring->accepts_armed == 0);
		uring->is_accept_ending = false;
		uring->needs_attention = false;
		*timeout_ns = 0;
		events[0] = (struct zgi_io_event){.kind = ZGI_IO_ACCEPT_ENDED};
		return 1;
	}
	if (uring->is_table_full && uring->open_count >= uring->descriptor_count)
		return 0;
	if (uring->accept_retry_ns) {
		uint64_t now_ns = zgi_clock_ns();

		if (now_ns < uring->accept_retry_ns) {
			if (*timeout_ns > uring->accept_retry_ns - now_ns)
				*timeout_ns = uring->accept_retry_ns - now_ns;
			return 0;
		}
	}
	uring->accept_retry_ns = 0;
	uring->is_table_full = false;
	uring_arm_accept(uring);
	return 0;
}

/* What an accept has brought: told, unless it was ended on purpose. */
static uint32_t uring_accepted(struct zgi_uring *uring, int32_t result, struct zgi_io_event *events)
{
	if (result >= 0) {
		zg_assert((uint32_t)result < uring->descriptor_count);
		uring->open_count++;
	}
	if (result == -ECANCELED && uring->is_accept_ending)
		return 0;
	events[0] = (struct zgi_io_event){.result = result, .kind = ZGI_IO_ACCEPTED};
	return 1;
}

/* The kernel has let go of an accept: arm it again later, or tell that the last one has ended. */
static uint32_t uring_accept_gone(struct zgi_uring *uring, int32_t result, bool is_last,
				  struct zgi_io_event *events)
{
	uring->is_accept_armed = false;
	if (uring->is_accept_ending) {
		uring->is_accept_ending = !is_last;
		if (!is_last)
			return 0;
		events[0] = (struct zgi_io_event){.kind = ZGI_IO_ACCEPT_ENDED};
		return 1;
	}
	uring->needs_attention = true;
	uring->is_table_full = result == -ENFILE && uring->open_count >= uring->descriptor_count;
	if (result < 0 && result != -ECONNABORTED && !uring->is_table_full)
		uring->accept_retry_ns = zgi_clock_ns() + ZGI_IO_ACCEPT_PAUSE_NS;
	return 0;
}

/* Whatever the result: without CQE_F_MORE the kernel has let go of the multishot accept. */
uint32_t zgi_uring_collect_accept(struct zgi_uring *uring, const struct io_uring_cqe *completion,
				  struct zgi_io_event *events)
{
	uint32_t count = uring_accepted(uring, completion->res, events);

	if (completion->flags & IORING_CQE_F_MORE)
		return count;
	return count + uring_accept_gone(uring, completion->res, true, events + count);
}

uint32_t zgi_uring_collect_accept_one(struct zgi_uring *uring,
				      const struct io_uring_cqe *completion,
				      struct zgi_io_event *events)
{
	uint32_t number = (uint32_t)(completion->user_data - ZGI_URING_TAG_ACCEPT_FIRST);
	const struct zgi_io_accept *accept = &uring->io.accepts[number];
	uint32_t count = uring_accepted(uring, completion->res, events);

	zg_assert((uring->accepts_armed & 1U << number) != 0);
	uring->accepts_armed &= ~(1U << number);
	if (completion->res >= 0)
		zgi_peer_read(&accept->address,
			      accept->size < sizeof(accept->address) ? accept->size
								     : sizeof(accept->address),
			      &uring->io.peers[completion->res]);
	return count +
	       uring_accept_gone(uring, completion->res, uring->accepts_armed == 0, events + count);
}
