/*
 * Each function takes one way to more memory, and gives back what outlives the
 * process when it was to be had. Raw system calls: what counts is what the kernel says.
 */
#include "mem/seal/seal_ways.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "mem/seal/seal_rules.h"

#define WAYS_SIZE ((size_t)1 << 20)
#define WAYS_PAGE ((size_t)4096)

static unsigned char *ways_reserved; /* PROT_NONE */
static unsigned char *ways_mapped; /* WAYS_SIZE, read and write */
static unsigned char *ways_shared; /* of a file that is memory */
static int ways_ring = -1;
static int ways_inotify = -1;
static int ways_segment = -1;

void zgi_seal_ways_prepare(void)
{
	struct io_uring_params parameters = {0};
	int fd = (int)syscall(SYS_memfd_create, "ways", 0U);

	zg_assert(fd >= 0 && ftruncate(fd, 4 * (off_t)WAYS_PAGE) == 0);
	ways_shared = mmap(NULL, 4 * WAYS_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ways_reserved = mmap(NULL, WAYS_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ways_mapped =
		mmap(NULL, WAYS_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	zg_assert(ways_shared != MAP_FAILED && ways_reserved != MAP_FAILED &&
		  ways_mapped != MAP_FAILED);
	ways_ring = (int)syscall(SYS_io_uring_setup, 8, &parameters);
	ways_inotify = inotify_init1(IN_CLOEXEC);
	/* Gone with the last process that has it mapped. */
	ways_segment = shmget(IPC_PRIVATE, WAYS_PAGE, IPC_CREAT | 0600);
	if (ways_segment >= 0) {
		(void)shmat(ways_segment, NULL, 0);
		(void)shmctl(ways_segment, IPC_RMID, NULL);
	}
}

/* A descriptor, an identifier or a success may be 0. */
static long ways_outcome(long result)
{
	return result < 0 ? -errno : 1;
}

static long ways_map(void *address, int protection, int flags, int fd)
{
	return ways_outcome(syscall(SYS_mmap, address, WAYS_SIZE, protection, flags, fd, (off_t)0));
}

static long take_brk(void)
{
	uintptr_t now = (uintptr_t)syscall(SYS_brk, NULL);
	uintptr_t then = (uintptr_t)syscall(SYS_brk, now + WAYS_SIZE);

	return then > now;
}

static long take_mmap(void)
{
	return ways_map(NULL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static long take_mmap_reserve(void)
{
	return ways_map(NULL, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
}

static long take_mmap_shared(void)
{
	return ways_map(NULL, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
}

static long take_mmap_stack(void)
{
	return ways_map(NULL, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_STACK, -1);
}

static long take_mmap_over_reserved(void)
{
	return ways_map(ways_reserved, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
}

static long take_mmap_over_mapped(void)
{
	return ways_map(ways_mapped, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
}

static long take_mmap_file(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	long result = ways_map(NULL, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);

	close(fd);
	return result;
}

static long take_mremap(void)
{
	return ways_outcome(
		syscall(SYS_mremap, ways_mapped, WAYS_SIZE, 2 * WAYS_SIZE, MREMAP_MAYMOVE, NULL));
}

static long take_mprotect(void)
{
	return ways_outcome(
		syscall(SYS_mprotect, ways_reserved, WAYS_SIZE, PROT_READ | PROT_WRITE));
}

static long take_mprotect_write_only(void)
{
	return ways_outcome(syscall(SYS_mprotect, ways_reserved, WAYS_SIZE, PROT_WRITE));
}

static long take_pkey_mprotect(void)
{
	return ways_outcome(
		syscall(SYS_pkey_mprotect, ways_reserved, WAYS_SIZE, PROT_READ | PROT_WRITE, -1));
}

static long take_remap_file_pages(void)
{
	return ways_outcome(syscall(SYS_remap_file_pages, ways_shared, WAYS_PAGE, 0, 2, 0));
}

static long take_shmget(void)
{
	int segment = (int)syscall(SYS_shmget, IPC_PRIVATE, WAYS_SIZE, IPC_CREAT | 0600);

	if (segment < 0)
		return -errno;
	(void)shmctl(segment, IPC_RMID, NULL);
	return 1;
}

static long take_shmat(void)
{
	return ways_outcome(syscall(SYS_shmat, ways_segment, NULL, 0));
}

static long take_memfd_create(void)
{
	return ways_outcome(syscall(SYS_memfd_create, "more", 0U));
}

static long take_memfd_secret(void)
{
	return ways_outcome(syscall(ZGI_SEAL_CALL_MEMFD_SECRET, 0));
}

static long take_map_shadow_stack(void)
{
	return ways_outcome(syscall(453, NULL, WAYS_SIZE, 0));
}

#ifdef SYS_arch_prctl
static long take_arch_prctl(void)
{
	unsigned long features;

	/* ARCH_GET_XCOMP_SUPP: harmless, and there without the seal. */
	return ways_outcome(syscall(SYS_arch_prctl, 0x1021, &features));
}

static long take_modify_ldt(void)
{
	char table[64];

	return ways_outcome(syscall(SYS_modify_ldt, 0, table, sizeof(table)));
}

static long take_uselib(void)
{
	return ways_outcome(syscall(SYS_uselib, "libc.so.6"));
}
#endif

/* The one operation that asks for nothing but its own size, and needs no privilege. */
static long ways_set_mm(unsigned long option)
{
	unsigned size;

	return ways_outcome(syscall(SYS_prctl, option, PR_SET_MM_MAP_SIZE, &size, 0UL, 0UL));
}

static long take_set_mm(void)
{
	return ways_set_mm(PR_SET_MM);
}

/* The kernel looks at 32 bits of it. */
static long take_set_mm_wide(void)
{
	return ways_set_mm((1UL << 32) | PR_SET_MM);
}

static long take_io_setup(void)
{
	aio_context_t context = 0;

	return ways_outcome(syscall(SYS_io_setup, 64, &context));
}

static long take_userfaultfd(void)
{
	return ways_outcome(syscall(SYS_userfaultfd, O_CLOEXEC));
}

/* The other side of a fork ends at once. */
static long ways_child(long child)
{
	if (child == 0)
		_exit(0);
	if (child < 0)
		return -errno;
	(void)waitpid((pid_t)child, NULL, 0);
	return 1;
}

static long take_clone(void)
{
	return ways_child(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
}

static long take_clone3(void)
{
	struct clone_args arguments = {.exit_signal = SIGCHLD};

	return ways_child(syscall(SYS_clone3, &arguments, sizeof(arguments)));
}

#ifdef SYS_fork
static long take_fork(void)
{
	return ways_child(syscall(SYS_fork));
}

static long take_vfork(void)
{
	return ways_child(vfork());
}
#endif

static long take_execve(void)
{
	char name[] = "true";
	char *arguments[] = {name, NULL};

	return ways_outcome(syscall(SYS_execve, "/bin/true", arguments, NULL));
}

static long take_execveat(void)
{
	char name[] = "true";
	char *arguments[] = {name, NULL};

	return ways_outcome(syscall(SYS_execveat, AT_FDCWD, "/bin/true", arguments, NULL, 0));
}

static long take_unshare(void)
{
	return ways_outcome(syscall(SYS_unshare, CLONE_FILES));
}

static long take_setrlimit(void)
{
	struct rlimit limit;

	(void)getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = limit.rlim_max;
	return ways_outcome(syscall(SYS_setrlimit, RLIMIT_AS, &limit));
}

static long take_prlimit(void)
{
	struct rlimit limit;

	(void)getrlimit(RLIMIT_DATA, &limit);
	limit.rlim_cur = limit.rlim_max;
	return ways_outcome(syscall(SYS_prlimit64, 0, RLIMIT_DATA, &limit, NULL));
}

static long take_io_uring_setup(void)
{
	struct io_uring_params parameters = {0};

	return ways_outcome(syscall(SYS_io_uring_setup, 8, &parameters));
}

static long ways_register(uint32_t operation, void *argument, unsigned count)
{
	return ways_outcome(syscall(SYS_io_uring_register, ways_ring, operation, argument, count));
}

static long take_ring_buffers(void)
{
	struct iovec buffer = {ways_mapped, WAYS_PAGE};

	return ways_register(IORING_REGISTER_BUFFERS, &buffer, 1);
}

static long take_ring_files(void)
{
	int files[2] = {-1, -1};

	return ways_register(IORING_REGISTER_FILES, files, 2);
}

static long take_ring_buffer_ring(void)
{
	struct io_uring_buf_reg ring = {
		.ring_addr = (uint64_t)(uintptr_t)ways_mapped, .ring_entries = 8, .bgid = 1};

	return ways_register(IORING_REGISTER_PBUF_RING, &ring, 1);
}

static long take_ring_by_flag(void)
{
	return ways_register(IORING_UNREGISTER_FILES | (UINT32_C(1) << 31), NULL, 0);
}

static long take_ring_resize(void)
{
	struct io_uring_params parameters = {.sq_entries = 64};

	return ways_register(33, &parameters, 1);
}

static long take_ring_unknown(void)
{
	return ways_register(1000, NULL, 0);
}

static long take_bpf(void)
{
	union bpf_attr map = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 8};

	return ways_outcome(syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map)));
}

static long take_perf_event_open(void)
{
	struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE,
					.size = sizeof(event),
					.config = PERF_COUNT_SW_PAGE_FAULTS};

	return ways_outcome(syscall(SYS_perf_event_open, &event, 0, -1, -1, 0));
}

static long take_add_key(void)
{
	return ways_outcome(
		syscall(SYS_add_key, "user", "zerog", "x", 1, KEY_SPEC_PROCESS_KEYRING));
}

static long take_request_key(void)
{
	return ways_outcome(syscall(SYS_request_key, "user", "zerog-none", NULL, 0));
}

static long take_keyctl(void)
{
	return ways_outcome(
		syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1));
}

static long take_msgget(void)
{
	int queue = (int)syscall(SYS_msgget, IPC_PRIVATE, IPC_CREAT | 0600);

	if (queue < 0)
		return -errno;
	(void)msgctl(queue, IPC_RMID, NULL);
	return 1;
}

static long take_semget(void)
{
	int set = (int)syscall(SYS_semget, IPC_PRIVATE, 1, IPC_CREAT | 0600);

	if (set < 0)
		return -errno;
	(void)semctl(set, 0, IPC_RMID);
	return 1;
}

static long take_mq_open(void)
{
	static const char name[] = "zerog-seal-test";
	long result = ways_outcome(syscall(SYS_mq_open, name, O_RDWR | O_CREAT, 0600, NULL));

	(void)syscall(SYS_mq_unlink, name);
	return result;
}

static long take_timer_create(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_NONE};
	int timer;

	return ways_outcome(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer));
}

static long take_inotify_add_watch(void)
{
	return ways_outcome(syscall(SYS_inotify_add_watch, ways_inotify, "/", IN_CREATE));
}

static long take_fanotify_mark(void)
{
	return ways_outcome(syscall(SYS_fanotify_mark, -1, 1, 0, AT_FDCWD, "/"));
}

static const struct zgi_seal_way ways[] = {
	{"brk", "more heap", take_brk, true},
	{"mmap", "anonymous memory", take_mmap, true},
	{"mmap", "addresses alone", take_mmap_reserve, true},
	{"mmap", "anonymous memory to share", take_mmap_shared, true},
	{"mmap", "a stack that grows", take_mmap_stack, true},
	{"mmap", "over reserved addresses", take_mmap_over_reserved, true},
	{"mmap", "over other memory", take_mmap_over_mapped, true},
	{"mmap", "a private copy of a file", take_mmap_file, true},
	{"mremap", "a longer mapping", take_mremap, true},
	{"mprotect", "reserved addresses as memory", take_mprotect, true},
	{"mprotect", "to write only", take_mprotect_write_only, true},
	{"pkey_mprotect", "reserved addresses as memory", take_pkey_mprotect, false},
	{"remap_file_pages", "a page of another place", take_remap_file_pages, false},
	{"shmget", "a segment", take_shmget, false},
	{"shmat", "a segment that is there", take_shmat, false},
	{"memfd_create", "a file", take_memfd_create, true},
	{"memfd_secret", "a file", take_memfd_secret, false},
	{"map_shadow_stack", "a shadow stack", take_map_shadow_stack, false},
#ifdef SYS_arch_prctl
	{"arch_prctl", "a question", take_arch_prctl, false},
	{"modify_ldt", "a question", take_modify_ldt, false},
	{"uselib", "the C library", take_uselib, false},
#endif
	{"prctl", "the bounds of memory", take_set_mm, false},
	{"prctl", "the same, by more bits than count", take_set_mm_wide, false},
	{"io_setup", "a ring", take_io_setup, false},
	{"userfaultfd", "a descriptor", take_userfaultfd, false},
	{"clone", "a process", take_clone, true},
	{"clone3", "a process", take_clone3, false},
#ifdef SYS_fork
	{"fork", "a process", take_fork, true},
	{"vfork", "a process", take_vfork, true},
#endif
	{"execve", "a program", take_execve, true},
	{"execveat", "a program", take_execveat, true},
	{"unshare", "a table of files", take_unshare, true},
	{"setrlimit", "more addresses", take_setrlimit, true},
	{"prlimit64", "more data", take_prlimit, true},
	{"io_uring_setup", "a ring", take_io_uring_setup, false},
	{"io_uring_register", "pinned buffers", take_ring_buffers, false},
	{"io_uring_register", "a table of files", take_ring_files, false},
	{"io_uring_register", "a ring of buffers", take_ring_buffer_ring, false},
	{"io_uring_register", "by the ring's index", take_ring_by_flag, false},
	{"io_uring_register", "a larger ring", take_ring_resize, false},
	{"io_uring_register", "what no kernel knows", take_ring_unknown, false},
	{"bpf", "a map", take_bpf, false},
	{"perf_event_open", "a counter", take_perf_event_open, false},
	{"add_key", "a key", take_add_key, false},
	{"request_key", "a key", take_request_key, false},
	{"keyctl", "a keyring", take_keyctl, false},
	{"msgget", "a queue", take_msgget, false},
	{"semget", "a set", take_semget, false},
	{"mq_open", "a queue", take_mq_open, false},
	{"timer_create", "a timer", take_timer_create, true},
	{"inotify_add_watch", "a watch", take_inotify_add_watch, true},
	{"fanotify_mark", "a mark", take_fanotify_mark, false},
};

const struct zgi_seal_way *zgi_seal_ways(size_t *ret_count)
{
	*ret_count = sizeof(ways) / sizeof(ways[0]);
	return ways;
}
