/*
 * Making and ending a ring: what happens once, apart from what happens in every
 * request (uring.c).
 *
 * liburing maps the ring; the registrations are made directly, because liburing's
 * own would raise RLIMIT_NOFILE behind the caller's back. The table of direct
 * descriptors starts sparse, and the kernel allocates from it.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/assert.h"
#include "io/uring.h"

/* The ring's features that the backend stands on: the queues share one mapping, overflowing
 * completions are kept, a wait takes its time-out as an argument, and completions of success
 * can be left out. */
#define URING_FEATURES \
	(IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_CQE_SKIP)

#define URING_PAGE_SIZE UINT64_C(4096)

/* The kernel puts its counters (64 bytes), the completions and the submissions' indices into one
 * mapping, and the submissions into another. Both are resident from the start. */
#define URING_COUNTERS_SIZE UINT64_C(64)

static uint64_t uring_page_round(uint64_t size)
{
	return (size + URING_PAGE_SIZE - 1) & ~(URING_PAGE_SIZE - 1);
}

static int uring_plan(const struct zgi_io_options *options, uint32_t io_count, struct zg_plan *plan)
{
	const uint64_t entries = options->ring_entries;
	const uint64_t completions = entries * ZGI_URING_COMPLETIONS_FACTOR;
	const uint64_t indices = entries * sizeof(uint32_t);
	const uint64_t used =
		URING_COUNTERS_SIZE + completions * sizeof(struct io_uring_cqe) + indices;
	const struct zg_plan_line object = {
		.name = "I/O objects",
		.option = "--shards",
		.count = io_count,
		.size_each = zgi_io_carved_size(sizeof(struct zgi_uring)),
		.depends_on = {{"shards", 1}},
	};
	const struct zg_plan_line submission = {
		.name = "ring: submissions",
		.option = "--shards",
		.count = io_count,
		.size_each = uring_page_round(entries * sizeof(struct io_uring_sqe)),
		.depends_on = {{"shards", 1}},
		.exhausted = "what is queued is submitted at once: one system call more, nothing "
			     "is lost",
	};
	const struct zg_plan_line completion = {
		.name = "ring: completions",
		.option = "--shards",
		.count = io_count,
		.parts = {{"completions", completions * sizeof(struct io_uring_cqe)},
			  {"indices of submissions", indices},
			  {"counters", URING_COUNTERS_SIZE},
			  {"rounding to a page", uring_page_round(used) - used}},
		.depends_on = {{"shards", 1}},
		.exhausted = "the kernel keeps what does not fit until there is room",
	};
	int result = zg_plan_add(plan, &object, "one a shard");

	if (result == 0)
		result = zg_plan_add(plan, &submission, "one a shard, of %u entries",
				     options->ring_entries);
	if (result == 0)
		result = zg_plan_add(plan, &completion, "one a shard, of %d times as many entries",
				     ZGI_URING_COMPLETIONS_FACTOR);
	return result;
}

static uint64_t uring_carve_size(const struct zgi_io_options *options)
{
	(void)options;
	return zgi_io_carved_size(sizeof(struct zgi_uring));
}

int zgi_uring_init(const struct zgi_io_options *options, struct zgi_uring *ret_uring)
{
	int wake_fd;

	zg_assert(options->ring_entries > 0);
	zg_assert((options->ring_entries & (options->ring_entries - 1)) == 0);
	/* Blocking: a read that finds nothing is then armed by the ring rather than refused. */
	wake_fd = eventfd(0, EFD_CLOEXEC);
	if (wake_fd < 0)
		return -errno;
	*ret_uring = (struct zgi_uring){
		.io =
			{
				.operations = &zgi_uring_operations,
				.magic = ZGI_IO_MAGIC,
				.wake_fd = wake_fd,
			},
		.descriptor_count = options->descriptor_count,
		.ring_entries = options->ring_entries,
		.flush_count = options->flush_count,
		.listen_fd = options->listen_fd,
	};
	return 0;
}

static int uring_create(const struct zgi_io_options *options, struct zg_region *region,
			struct zgi_io **ret_io)
{
	void *memory;
	struct zgi_uring *uring;
	int result = zg_region_carve(region, zgi_io_carved_size(sizeof(*uring)), 64, &memory);

	if (result < 0)
		return result;
	uring = memory;
	result = zgi_uring_init(options, uring);
	if (result < 0)
		return result;
	*ret_io = &uring->io;
	return 0;
}

/* The thread's own index of the ring spares a look-up in every system call. It is a help, not a
 * need: a thread has few of them, and goes without when they are used up. */
static void uring_register_ring(struct zgi_uring *uring)
{
	struct io_uring_rsrc_update update = {
		.offset = UINT32_MAX,
		.data = (uint32_t)uring->ring.ring_fd,
	};

	uring->enter_fd = uring->ring.ring_fd;
	uring->enter_flags = 0;
	uring->thread = gettid();
	if (io_uring_register((unsigned)uring->ring.ring_fd, IORING_REGISTER_RING_FDS, &update,
			      1) != 1)
		return;
	uring->enter_fd = (int)update.offset;
	uring->enter_flags = IORING_ENTER_REGISTERED_RING;
}

static int uring_register_table(struct zgi_uring *uring)
{
	struct io_uring_rsrc_register table = {
		.nr = uring->descriptor_count,
		.flags = IORING_RSRC_REGISTER_SPARSE,
	};
	/* A shutdown and a flush are the only operations that run on a kernel thread of the ring's;
	 * one does for all shutdowns, even while each flush has one. */
	uint32_t worker_counts[2] = {1 + uring->flush_count, 1};
	int result = io_uring_register((unsigned)uring->ring.ring_fd, IORING_REGISTER_FILES2,
				       &table, sizeof(table));

	if (result < 0)
		return result;
	/* Where it is refused, the kernel's own bound holds. */
	(void)io_uring_register((unsigned)uring->ring.ring_fd, IORING_REGISTER_IOWQ_MAX_WORKERS,
				worker_counts, 2);
	return 0;
}

int zgi_uring_start(struct zgi_uring *uring, const char **ret_step)
{
	struct io_uring_params parameters = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			 IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL,
		.cq_entries = uring->ring_entries * ZGI_URING_COMPLETIONS_FACTOR,
	};
	int result;

	zg_assert(!uring->is_started);
	result = io_uring_queue_init_params(uring->ring_entries, &uring->ring, &parameters);
	if (result < 0) {
		*ret_step = "the set-up of a ring";
		return result;
	}
	if ((uring->ring.features & URING_FEATURES) != URING_FEATURES) {
		*ret_step = "the check of its features";
		result = -ENOSYS;
		goto fail;
	}
	result = uring_register_table(uring);
	if (result < 0) {
		*ret_step = "the registration of a descriptor table";
		goto fail;
	}
	uring_register_ring(uring);
	uring->is_started = true;
	zgi_uring_arm_wake(uring);
	return 0;

fail:
	io_uring_queue_exit(&uring->ring);
	return result;
}

int zgi_uring_start_io(struct zgi_io *io)
{
	const char *step;

	return zgi_uring_start((struct zgi_uring *)(void *)io, &step);
}

/*
 * End what is in flight before the ring is closed, because the kernel would otherwise do it some
 * time after, on a thread of its own: until then the accept holds the listener, and its address
 * would still be taken. Nothing depends on its success.
 */
void zgi_uring_stop(struct zgi_io *io)
{
	struct zgi_uring *uring = (struct zgi_uring *)(void *)io;
	struct io_uring_rsrc_update update = {.offset = (uint32_t)uring->enter_fd};
	struct io_uring_sync_cancel_reg cancel = {
		.fd = -1,
		.flags = IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY,
		.timeout = {.tv_sec = -1, .tv_nsec = -1},
	};

	if (!uring->is_started || uring->is_stopped)
		return;
	zg_assert(uring->thread == gettid());
	uring->is_stopped = true;
	(void)io_uring_register((unsigned)uring->ring.ring_fd, IORING_REGISTER_SYNC_CANCEL, &cancel,
				1);
	(void)io_uring_get_events(&uring->ring);
	(void)io_uring_unregister_files(&uring->ring);
	if (uring->enter_flags & IORING_ENTER_REGISTERED_RING)
		(void)io_uring_register((unsigned)uring->ring.ring_fd, IORING_UNREGISTER_RING_FDS,
					&update, 1);
}

void zgi_uring_destroy(struct zgi_io *io)
{
	struct zgi_uring *uring = (struct zgi_uring *)(void *)io;

	if (!uring->is_started)
		return;
	/* On another thread than the ring's this is left to the kernel, which does it later. */
	if (uring->thread == gettid())
		zgi_uring_stop(io);
	io_uring_queue_exit(&uring->ring);
	uring->is_started = false;
}

const struct zgi_io_backend zgi_uring_backend = {
	.plan = uring_plan,
	.carve_size = uring_carve_size,
	.create = uring_create,
};
