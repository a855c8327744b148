/*
 * The table of what a sealed process may not do any more.
 *
 * A call stands here when it can give the process memory that it did not have: of
 * its own, or of the kernel's where nothing else bounds that. What is bounded by
 * RLIMIT_NOFILE (sockets, pipes, epoll, files) is not refused: a service lives by it.
 * The errors are those that the calls' own manual pages name for want of memory,
 * so that callers know what to make of them.
 */
#include "mem/seal/seal_rules.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "base/assert.h"

/* arch_prctl(2) is refused whole. This is of kernels and headers newer than the oldest we build
 * with. */
#define RULES_CALL_MAP_SHADOW_STACK 453

#define RULES_MEMORY "would map memory"
#define RULES_TASK "would make a task, with a stack and tables of its own"
#define RULES_KERNEL "kernel memory that no limit of the process bounds"

static const struct zgi_seal_rule rules[] = {
	/* The process's own memory. */
	{.name = "brk",
	 .when = "that moves the break",
	 .reason =
		 "glibc's heap grows by it; it takes an error for an address, so the call returns "
		 "without having moved",
	 .match = ZGI_SEAL_NOT_ZERO},
	{.name = "mmap",
	 .error = ENOMEM,
	 .reason = RULES_MEMORY ", anonymous or of a file, anywhere"},
	{.name = "mremap", .error = ENOMEM, .reason = "would make a mapping longer"},
	{.name = "mprotect",
	 .when = "with PROT_WRITE",
	 .error = ENOMEM,
	 .reason = "would turn reserved addresses into memory; glibc's arenas grow so",
	 .value = PROT_WRITE,
	 .match = ZGI_SEAL_HAS_BITS,
	 .argument = 2},
	{.name = "pkey_mprotect",
	 .when = "with PROT_WRITE",
	 .error = ENOMEM,
	 .reason = "as mprotect",
	 .value = PROT_WRITE,
	 .match = ZGI_SEAL_HAS_BITS,
	 .argument = 2},
	{.name = "remap_file_pages",
	 .error = ENOMEM,
	 .reason = RULES_MEMORY " again, in another order"},
	{.name = "shmget", .error = ENOMEM, .reason = "would make a shared segment"},
	{.name = "shmat", .error = ENOMEM, .reason = RULES_MEMORY " of a shared segment"},
	{.name = "memfd_create", .error = ENOMEM, .reason = "would make a file that is memory"},
	{.name = "memfd_secret",
	 .number = ZGI_SEAL_CALL_MEMFD_SECRET,
	 .error = ENOMEM,
	 .reason = "would make a file that is memory"},
	{.name = "map_shadow_stack",
	 .number = RULES_CALL_MAP_SHADOW_STACK,
	 .error = ENOMEM,
	 .reason = RULES_MEMORY " for a shadow stack"},
	{.name = "arch_prctl", .error = EPERM, .reason = "can map a shadow stack or the vDSO"},
	{.name = "prctl",
	 .when = "with PR_SET_MM",
	 .error = EPERM,
	 .reason = "would move the bounds that limits are measured from",
	 .value = PR_SET_MM,
	 .match = ZGI_SEAL_EQUALS},
	{.name = "uselib", .error = ENOMEM, .reason = RULES_MEMORY " of a library"},
	{.name = "io_setup",
	 .error = ENOMEM,
	 .reason = RULES_MEMORY ": a ring for asynchronous I/O"},
	{.name = "userfaultfd", .error = EPERM, .reason = "would let a descriptor fill in pages"},

	/* Other tasks. */
	{.name = "clone", .error = EAGAIN, .reason = RULES_TASK},
	{.name = "clone3", .error = EAGAIN, .reason = RULES_TASK},
	{.name = "fork", .error = EAGAIN, .reason = RULES_TASK},
	{.name = "vfork", .error = EAGAIN, .reason = RULES_TASK},
	{.name = "execve",
	 .error = ENOMEM,
	 .reason = "would lay out the memory of another program"},
	{.name = "execveat", .error = ENOMEM, .reason = "as execve"},
	{.name = "unshare", .error = ENOMEM, .reason = "would copy tables, or make a name space"},

	/* The limits, which bound what the filter does not know of. */
	{.name = "setrlimit",
	 .error = EPERM,
	 .reason = "would raise a limit that the seal has set"},
	{.name = "prlimit64",
	 .when = "that sets a limit",
	 .error = EPERM,
	 .reason = "as setrlimit; asking for a limit is let through",
	 .match = ZGI_SEAL_NOT_ZERO,
	 .argument = 2},

	/* Memory of the kernel's. */
	{.name = "io_uring_setup", .error = ENOMEM, .reason = "would make a ring"},
	{.name = "io_uring_register",
	 .when = "that allocates",
	 .error = ENOMEM,
	 .reason =
		 "would pin buffers or enlarge tables; giving back and cancelling are let through",
	 .match = ZGI_SEAL_RING},
	{.name = "bpf", .error = EPERM, .reason = "maps and programs are " RULES_KERNEL},
	{.name = "perf_event_open", .error = EPERM, .reason = "buffers are " RULES_KERNEL},
	{.name = "add_key", .error = ENOMEM, .reason = "keys are " RULES_KERNEL},
	{.name = "request_key", .error = ENOMEM, .reason = "keys are " RULES_KERNEL},
	{.name = "keyctl", .error = ENOMEM, .reason = "keys and keyrings are " RULES_KERNEL},
	{.name = "msgget", .error = ENOMEM, .reason = "queues are " RULES_KERNEL},
	{.name = "semget", .error = ENOMEM, .reason = "semaphores are " RULES_KERNEL},
	{.name = "mq_open", .error = ENOMEM, .reason = "queues are " RULES_KERNEL},
	{.name = "timer_create", .error = EAGAIN, .reason = "timers are " RULES_KERNEL},
	{.name = "inotify_add_watch", .error = ENOMEM, .reason = "watches are " RULES_KERNEL},
	{.name = "fanotify_mark", .error = ENOMEM, .reason = "marks are " RULES_KERNEL},
	{.name = "modify_ldt", .error = EPERM, .reason = "a table of segments is kernel memory"},
};

const struct zgi_seal_rule *zgi_seal_rules(size_t *ret_count)
{
	zg_assert(ret_count != NULL);
	*ret_count = sizeof(rules) / sizeof(rules[0]);
	return rules;
}

bool zgi_seal_ring_allows(uint32_t operation)
{
	switch (operation) {
	case IORING_UNREGISTER_BUFFERS:
	case IORING_UNREGISTER_FILES:
	case IORING_UNREGISTER_EVENTFD:
	case IORING_REGISTER_FILES_UPDATE:
	case IORING_REGISTER_FILES_UPDATE2:
	case IORING_REGISTER_PROBE:
	case IORING_UNREGISTER_PERSONALITY:
	case IORING_REGISTER_ENABLE_RINGS:
	case IORING_UNREGISTER_IOWQ_AFF:
	case IORING_REGISTER_IOWQ_MAX_WORKERS:
	case IORING_UNREGISTER_RING_FDS:
	case IORING_UNREGISTER_PBUF_RING:
	case IORING_REGISTER_SYNC_CANCEL:
		return true;
	default:
		return false;
	}
}
