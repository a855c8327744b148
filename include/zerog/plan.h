/*
 * Plan: the list of every object a service may hold, made before any is reserved.
 *
 * Each line says what is held, how many, why that many, and how large each is.
 * The sum is what the process will occupy: printed by `zerog plan`, checked
 * against the memory the machine has, and shown beside the measured figure.
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

struct zg_plan_line {
	const char *name; /* static text: "exchanges" */
	const char
		*option; /* static text: the flag that lowers it, "--exchanges"; NULL when none */
	uint64_t count; /* objects */
	uint64_t size_each; /* bytes of one object */
	uint64_t size_total; /* count * size_each, rounded up to 64 bytes; set by the plan */
	char reason[ZG_PLAN_REASON_SIZE]; /* why that count */
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
 * @line:   name, option, count and size_each are read; reason and size_total are not
 * @reason: printf-style text that says why the count is what it is; cut at ZG_PLAN_REASON_SIZE
 *
 * Return: 0; -EOVERFLOW when the sizes do not fit 64 bits; -ENOSPC past ZG_PLAN_LINES_MAX.
 */
ZG_MUST_USE int zg_plan_add(struct zg_plan *plan, const struct zg_plan_line *line,
			    const char *reason, ...) ZG_PRINTF(3, 4);

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
