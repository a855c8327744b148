/*
 * Plan: the list of every object a service may hold, made before any is reserved.
 *
 * Each line says what is held, how many, why that many, and how large each is.
 * The sum is what the process will occupy: printed by `zerog plan`, checked
 * against the memory the machine has, and shown beside the measured figure.
 *
 * A count is the sum of those who hold one, and a size the sum of its parts: a line
 * that names them has them added up, or checked against what it says. A line whose
 * count follows another's names that line, and zg_plan_verify() holds it to it.
 *
 * Ownership  The plan is the caller's memory and holds copies of its reasons;
 *            names and options are static text.
 * Threads    Boot only; read-only afterwards, by any thread.
 * Limits     ZG_PLAN_LINES_MAX lines.
 */
#ifndef ZEROG_PLAN_H
#define ZEROG_PLAN_H

#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/text.h>

ZG_BEGIN_DECLS

#define ZG_PLAN_LINES_MAX 64
#define ZG_PLAN_REASON_SIZE 120
#define ZG_PLAN_TERMS_MAX 6
#define ZG_PLAN_DEPENDENCIES_MAX 2

/* One term of a sum: so many objects are held for this, or so many bytes are taken by it. */
struct zg_plan_term {
	const char *name; /* static text; NULL ends a list that is not full */
	uint64_t value;
};

/* A line that another follows. */
struct zg_plan_dependency {
	const char *line; /* static text: the followed line's name; NULL ends a list */
	uint64_t factor; /* objects there must be for each one of that line, at least; not 0 */
};

struct zg_plan_line {
	const char *name; /* static text: "exchanges" */
	const char
		*option; /* static text: the flag that lowers it, "--exchanges"; NULL when none */
	uint64_t count; /* objects */
	uint64_t size_each; /* bytes of one object */
	uint64_t size_total; /* count * size_each, rounded up to 64 bytes; set by the plan */
	char reason[ZG_PLAN_REASON_SIZE]; /* why that count */

	/* What follows may be left out; it is what zg_plan_explain() tells. */
	struct zg_plan_term holders[ZG_PLAN_TERMS_MAX]; /* their sum, `times` over, is the count */
	uint64_t times; /* 0 stands for 1 */
	const char *times_name; /* static text: "shards", where each of them has that many */
	struct zg_plan_term parts[ZG_PLAN_TERMS_MAX]; /* their sum is size_each */
	struct zg_plan_dependency depends_on[ZG_PLAN_DEPENDENCIES_MAX];
	const char *exhausted; /* static text: what happens when there is none left */
	const char *counter; /* static text: the metric that counts it, or several: "a, b" */
};

struct zg_plan {
	uint32_t magic;
	uint32_t line_count;
	uint64_t size_total; /* bytes, the sum of the lines */
	struct zg_plan_line lines[ZG_PLAN_LINES_MAX];
};

/**
 * zg_plan_init() - an empty plan
 * @plan:  the caller's; overwritten
 */
void zg_plan_init(struct zg_plan *plan);

/**
 * zg_plan_add() - append one line
 * @plan:   initialised
 * @line:   all but reason and size_total is read, and copied
 * @reason: printf-style text that says why the count is what it is; cut at ZG_PLAN_REASON_SIZE
 *
 * A count of 0 is worked out: from the holders where there are any, else from the lines that it
 * follows. A size_each of 0 is worked out from the parts.
 *
 * Return: 0; -EOVERFLOW when the sizes do not fit 64 bits; -ENOSPC past ZG_PLAN_LINES_MAX; -EINVAL
 * when the holders do not add up to the count or the parts to the size; -ENOENT when the count is
 * to follow a line that has not been added.
 */
ZG_MUST_USE int zg_plan_add(struct zg_plan *plan, const struct zg_plan_line *line,
			    const char *reason, ...) ZG_PRINTF(3, 4);

/**
 * zg_plan_find() - a line by its name
 * @plan:  initialised
 * @name:  NUL-terminated
 *
 * Return: the line, borrowed from the plan; NULL when there is none.
 */
const struct zg_plan_line *zg_plan_find(const struct zg_plan *plan, const char *name);

/**
 * zg_plan_verify() - does every line have what those that it follows ask for?
 * @plan:       initialised, all its lines added
 * @ret_error:  on failure, appended to: one sentence that names both lines, and the option
 *
 * Return: 0; -EINVAL when a count is too small; -ENOENT when a followed line is not there.
 */
ZG_MUST_USE int zg_plan_verify(const struct zg_plan *plan, struct zg_text *ret_error);

/**
 * zg_plan_check() - does the plan fit the memory there is?
 * @plan:           initialised
 * @size_available: bytes, as from zg_memory_available()
 * @ret_line:       when it does not fit: the largest line that an option can lower, borrowed
 *                  from the plan, NULL when there is none; untouched otherwise
 *
 * Return: 0; -ENOMEM when the total is larger than @size_available.
 */
ZG_MUST_USE int zg_plan_check(const struct zg_plan *plan, uint64_t size_available,
			      const struct zg_plan_line **ret_line);

/**
 * zg_plan_explain() - one line, taken apart: its holders, its parts, whom it follows and who
 * follows it, what happens when it is used up
 * @plan:  initialised
 * @name:  the line's
 * @text:  appended to; when there is no such line, a sentence that lists those there are
 *
 * Return: 0; -ENOENT when there is no such line.
 */
ZG_MUST_USE int zg_plan_explain(const struct zg_plan *plan, const char *name, struct zg_text *text);

/**
 * zg_plan_print() - the plan as a table for people
 * @plan:  initialised
 * @text:  appended to
 */
void zg_plan_print(const struct zg_plan *plan, struct zg_text *text);

/**
 * zg_plan_print_json() - the plan as a JSON object: {"lines": [...], "size_total": N}
 * @plan:  initialised
 * @text:  appended to
 */
void zg_plan_print_json(const struct zg_plan *plan, struct zg_text *text);

/**
 * zg_plan_robson_bound() - the least heap in which blocks of powers of two always find a place
 * @live_size_max:  bytes that are taken at once, at most
 * @size_min:       bytes of the smallest block, at least 1; blocks are this times a power of two
 * @size_max:       bytes of the largest, at least @size_min
 *
 * A heap that cannot move its blocks is broken up by use. With M = live_size_max / size_min and
 * n = size_max / size_min, n rounded up to a power of two and M to a multiple of n, this is
 * size_min * (M * (1 + log2(n) / 2) - n + 1): with less, some order of takes and gives defeats
 * every allocator; with so much, Robson's own strategy serves every order, and first fit that
 * begins each block at a multiple of its size does with n - 1 units more.
 *
 * Blocks of other sizes need no less. Rounded up to powers of two they grow to less than twice
 * their size, so that the bound for twice @live_size_max is enough for them.
 *
 * Return: bytes; UINT64_MAX when they do not fit 64 bits.
 * Source: J. M. Robson, "Bounds for Some Functions Concerning Dynamic Storage Allocation", Journal
 * of the ACM 21(3), 1974, pages 491 to 499. robson_test.c plays tiny cases out.
 */
uint64_t zg_plan_robson_bound(uint64_t live_size_max, uint64_t size_min, uint64_t size_max);

/**
 * zg_plan_first_fit_bound() - a heap in which plain first fit always finds a place
 * @live_size_max:  bytes that are taken at once, at most
 * @size_min:       bytes; every block is a multiple of this, at least 1
 * @size_max:       bytes of the largest block, at least @size_min
 *
 * With M and n as above, H(n) the n-th harmonic number: size_min * M * H(n) / ln 2. For blocks of
 * any sizes, given the lowest gap that is large enough.
 *
 * Return: bytes, rounded up; UINT64_MAX when they do not fit 64 bits.
 * Source: J. M. Robson, "Worst case fragmentation of first fit and best fit storage allocation
 * strategies", The Computer Journal 20(3), 1977, pages 242 to 244; as stated in D. E. Knuth, The
 * Art of Computer Programming, volume 1, third edition, section 2.5, exercise 43.
 */
uint64_t zg_plan_first_fit_bound(uint64_t live_size_max, uint64_t size_min, uint64_t size_max);

struct zg_plan_heap {
	uint64_t size; /* bytes of the heap */
	uint64_t live_size_max; /* bytes that are taken at once, at most */
	uint64_t size_min; /* bytes: the least a block takes, and what sizes are a multiple of */
	uint64_t size_max; /* bytes of the largest block */
};

enum zg_plan_heap_verdict {
	ZG_PLAN_HEAP_TOO_SMALL, /* it does not hold what is taken at once */
	ZG_PLAN_HEAP_BREAKABLE, /* some order of takes and gives defeats every allocator */
	ZG_PLAN_HEAP_UNPROVEN, /* some allocators may be defeated, others not */
	ZG_PLAN_HEAP_SAFE, /* plain first fit always finds a place, and so does Robson's */
};

/**
 * zg_plan_check_heap() - is a heap large enough in the worst case?
 * @heap:          sizes in bytes; size_min at least 1, size_max at least size_min
 * @ret_sentence:  appended to: what was found, with the bounds in figures
 *
 * The verdict speaks of what can be promised. A heap that is breakable in theory may serve a
 * program for years; one that is too small cannot.
 */
enum zg_plan_heap_verdict zg_plan_check_heap(const struct zg_plan_heap *heap,
					     struct zg_text *ret_sentence);

/**
 * zg_memory_available() - how much this process may still occupy
 * @ret_size:    bytes: the least of MemAvailable and what the control groups (v2 and v1)
 *               of this process leave
 * @ret_source:  static text: "MemAvailable" or "the control group's limit"; may be NULL
 *
 * Return: 0; -errno when /proc/meminfo cannot be read. Boot only.
 */
ZG_MUST_USE int zg_memory_available(uint64_t *ret_size, const char **ret_source);

/**
 * zg_memory_resident() - what this process occupies now
 * @ret_size:  bytes, the exact sum over all mappings (Rss of /proc/self/smaps_rollup,
 *             and the explicit huge pages that it leaves out)
 *
 * Return: 0; -errno when the file cannot be read. Any thread; makes no allocation.
 */
ZG_MUST_USE int zg_memory_resident(uint64_t *ret_size);

/**
 * zg_memory_populate_image() - fault in every page of the program and its libraries
 *
 * After it no code page is read from disk while serving, and the image's share
 * of the resident memory is known at boot.
 *
 * Writable data is faulted in for writing, so that the first write to it copies no page later.
 *
 * Return: 0; -ENOMEM when there is not enough memory. Boot only. Source: dl_iterate_phdr(3),
 * madvise(2), MADV_POPULATE_READ.
 */
ZG_MUST_USE int zg_memory_populate_image(void);

/**
 * zg_memory_lock_image() - keep the program and its libraries in memory
 * @ret_size:         bytes of code and data
 * @ret_locked_size:  of those, the bytes that are locked: less where RLIMIT_MEMLOCK does not
 *                    suffice
 *
 * Segment by segment, and not mlockall(2), which would fault in and lock whatever else happens
 * to be mapped, planned or not.
 *
 * Return: 0. Boot only. Source: mlock(2), dl_iterate_phdr(3).
 */
ZG_MUST_USE int zg_memory_lock_image(uint64_t *ret_size, uint64_t *ret_locked_size);

ZG_END_DECLS

#endif
