/*
 * Fault: takes that fail on purpose.
 *
 * What a program does when a pool is empty is seldom seen, because pools are seldom
 * empty. A fault makes the n-th take from a pool fail as if nothing were free: the
 * same error, the same counters. Walk n upward over a whole request, and each place
 * that takes has failed once.
 *
 *	zg_fault_arm("exchanges", 3, ZG_FAULT_ONCE);
 *
 * Whatever memory is taken from can fail: pools, the chunk pools of arenas, shared
 * pools, guest heaps. They go by the name that their owner gave them; all of one
 * name count together, those that are made later too. A program that is not to be
 * changed is armed from outside, see zg_fault_environment().
 *
 * Where none is armed a fault costs nothing: a pool that has to be watched says so in
 * its floor of free blocks, which every take looks at anyway.
 *
 * Threads    Any thread may call; a take counts on whichever thread it happens.
 * Limits     ZG_FAULTS_MAX names armed at once, of ZG_FAULT_NAME_SIZE_MAX bytes.
 */
#ifndef ZEROG_FAULT_H
#define ZEROG_FAULT_H

#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/text.h>

ZG_BEGIN_DECLS

#define ZG_FAULTS_MAX 16
#define ZG_FAULT_NAME_SIZE_MAX 63 /* bytes, without the end */
#define ZG_FAULT_ENVIRONMENT "ZEROG_FAULT"

enum zg_fault_span {
	ZG_FAULT_ONCE, /* this take only */
	ZG_FAULT_FROM_THEN_ON, /* this take and all after it */
};

/* What has happened since a fault was armed. */
struct zg_fault_counts {
	uint64_t take_count; /* takes that were tried, those that failed included */
	uint64_t fault_count; /* takes that were made to fail */
};

/**
 * zg_fault_arm() - make a take fail
 * @name:         of what is taken from, copied: 1 to ZG_FAULT_NAME_SIZE_MAX bytes; need not exist
 *                yet
 * @take_number:  1 for the next take, 2 for the one after it, and so on
 * @span:         that take only, or all from then on
 *
 * A name that is armed already begins anew. Every take of an armed name counts, one that finds
 * nothing free too; one that is under way on another thread may not.
 *
 * Return: 0; -EINVAL when the name is empty or too long, or the number is 0; -ENOSPC when
 * ZG_FAULTS_MAX other names are armed.
 */
ZG_MUST_USE int zg_fault_arm(const char *name, uint64_t take_number, enum zg_fault_span span);

/**
 * zg_fault_disarm() - let takes succeed again, and forget what was counted
 * @name:  armed or not; NULL for all names
 */
void zg_fault_disarm(const char *name);

/**
 * zg_fault_arm_list() - arm from a text, as a user writes it
 * @list:       "NAME:N", and "NAME:N+" for all takes from the N-th on; more of them after commas,
 *              and blanks around any. A name may have blanks and colons inside, but no comma
 * @ret_error:  what is wrong with the list, appended; nothing when nothing is
 *
 * All of the list is armed, or nothing.
 *
 * Return: 0; -EINVAL when an item is malformed; -ENOSPC as zg_fault_arm().
 */
ZG_MUST_USE int zg_fault_arm_list(const char *list, struct zg_text *ret_error);

/**
 * zg_fault_environment() - arm from the environment variable ZEROG_FAULT
 * @ret_error:  what is wrong with its value, appended, its name first
 *
 * zg_app_main() does this before it makes anything. Any other program calls it when it starts.
 *
 * Return: 1 when it armed something, 0 when the variable is not set or empty; errors as
 * zg_fault_arm_list().
 */
ZG_MUST_USE int zg_fault_environment(struct zg_text *ret_error);

/**
 * zg_fault_check_names() - does everything that is armed exist?
 * @ret_error:  the name that nothing has, and the names there are, appended
 *
 * For the end of boot: a misspelt name would never fail, and the test that armed it never tell.
 *
 * Return: 0; -ENOENT when nothing that can fail has had one of the names since it was armed.
 */
ZG_MUST_USE int zg_fault_check_names(struct zg_text *ret_error);

/**
 * zg_fault_read() - what has happened to a name since it was armed
 * @name:        as it was armed
 * @ret_counts:  untouched on failure
 *
 * Return: 0; -ENOENT when the name is not armed.
 */
ZG_MUST_USE int zg_fault_read(const char *name, struct zg_fault_counts *ret_counts);

/**
 * zg_fault_total() - takes of this process that were made to fail, of all names, armed or not
 */
uint64_t zg_fault_total(void);

ZG_END_DECLS

#endif
