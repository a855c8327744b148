/*
 * Seal: the end of boot, after which no one allocates.
 *
 * Linking libzerog puts a counter in front of malloc and its relatives. Until
 * the seal they pass through; after it each call is counted and its first call
 * sites are kept (`count`), or ends the process with a stack (`trap`).
 *
 * `kernel` counts as well, and then lets the process gain no more memory by any
 * way: all it may write is faulted in, a system call filter refuses what would add
 * to it (docs/reference/seal.md lists the calls), and the limits on addresses, data
 * and stack stand at what is used. malloc goes on within what its heap has left,
 * and then returns NULL; threads, programs and names fail with an error.
 *
 * Where there is a guest heap (zerog/guest_heap.h), it serves what is allocated after
 * the seal. Libraries may do so then: their calls are counted apart, and not trapped.
 * A call is the program's own when it comes from the image that libzerog is linked into.
 *
 * Threads    zg_seal() and zg_unseal() from one thread, with no other thread at
 *            work in malloc; the counters are read by any thread.
 */
#ifndef ZEROG_SEAL_H
#define ZEROG_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>

ZG_BEGIN_DECLS

enum zg_seal_mode {
	ZG_SEAL_COUNT, /* count each call, keep the first call sites */
	ZG_SEAL_TRAP, /* print a stack and abort at the first call */
	ZG_SEAL_KERNEL, /* count, and have the kernel refuse all that would add memory */
};

#define ZG_SEAL_SITES_MAX 16

struct zg_seal_site {
	const void *address; /* where malloc was called from */
	uint64_t count; /* calls from there since the seal */
};

struct zg_seal_counts {
	uint64_t malloc_count; /* malloc, calloc, realloc, aligned_alloc … since the seal */
	uint64_t guest_malloc_count; /* those of libraries, where a guest heap serves them; in no
					other */
	uint64_t malloc_fail_count; /* all that returned NULL for want of memory */
	uint64_t free_count; /* free of anything but NULL since the seal */
};

/**
 * zg_seal_prepare() - load what the seal needs, so that a plan made afterwards counts it
 * @mode:  what will be asked of zg_seal()
 *
 * zg_seal() does it where it was not done. For the kernel seal the heap's unused end and 256 KiB of
 * the first thread's stack are faulted in too. Boot only; may be called again.
 *
 * Return: 0; of ZG_SEAL_KERNEL only: -EOPNOTSUPP where the kernel or the container refuses
 * seccomp, or in a sanitizer's build; -ENOMEM; -errno.
 */
ZG_MUST_USE int zg_seal_prepare(enum zg_seal_mode mode);

/**
 * zg_seal() - end boot
 * @mode:  what a malloc does from now on
 *
 * Counters start at 0. What the trap needs to print a stack is loaded here.
 *
 * ZG_SEAL_KERNEL holds for every thread and to the end of the process, whoever calls zg_unseal(),
 * and needs no privilege. Threads, open files, resolved names and loaded locales have to be there
 * before.
 *
 * Return: 0; of ZG_SEAL_KERNEL only, and then nothing is sealed: as zg_seal_prepare(); -EBUSY when
 * a thread is under a filter of its own; -errno of seccomp(2). Source: seccomp(2), setrlimit(2).
 */
ZG_MUST_USE int zg_seal(enum zg_seal_mode mode);

/**
 * zg_unseal() - let malloc pass through again, for the shutdown; the counters keep their values
 *
 * What the kernel refuses since ZG_SEAL_KERNEL it goes on refusing.
 */
void zg_unseal(void);

/**
 * zg_seal_counts() - calls since the seal
 * @ret_counts:  overwritten
 */
void zg_seal_counts(struct zg_seal_counts *ret_counts);

/**
 * zg_seal_sites() - where the first calls since the seal came from
 * @sites:      the caller's array
 * @count_max:  its length, in sites
 *
 * Return: sites written, at most ZG_SEAL_SITES_MAX.
 */
size_t zg_seal_sites(struct zg_seal_site *sites, size_t count_max);

ZG_END_DECLS

#endif
