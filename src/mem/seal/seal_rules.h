/*
 * Rules: which system calls the kernel seal refuses, how, and why.
 *
 * One table: the filter is made from it, the reference page prints it, and the test
 * walks through it.
 */
#ifndef ZEROG_MEM_SEAL_SEAL_RULES_H
#define ZEROG_MEM_SEAL_SEAL_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which calls of one name a rule is about. */
enum zgi_seal_match {
	ZGI_SEAL_ANY,
	ZGI_SEAL_NOT_ZERO, /* those whose argument is anything but 0 */
	ZGI_SEAL_HAS_BITS, /* those whose argument has all bits of a value */
	ZGI_SEAL_EQUALS, /* those whose argument is a value */
	ZGI_SEAL_RING, /* io_uring_register(2) of what the ring would have to allocate */
};

struct zgi_seal_rule {
	const char *name; /* of the system call */
	const char *when; /* which of its calls, in words; NULL for all */
	const char *reason; /* what would grow, and what the caller sees of the refusal */
	uint32_t value; /* what the argument is compared with */
	uint16_t number; /* where libseccomp may be too old to know the name; 0 where it is not */
	uint16_t error; /* errno of the refusal; 0 makes brk(2) return without having moved */
	uint8_t match; /* enum zgi_seal_match */
	uint8_t argument; /* its index */
};

/* Numbers that have no call yet on any kernel this table was held against. They are refused with
 * ENOSYS, which is what a caller has to expect of a kernel that is older than the call. */
#define ZGI_SEAL_UNKNOWN_FIRST 470
#define ZGI_SEAL_UNKNOWN_LAST 511

/* memfd_secret(2), on every architecture: newer than the oldest headers we build with. */
#define ZGI_SEAL_CALL_MEMFD_SECRET 447

/* Operations of io_uring_register(2): past the last known one all are refused. */
#define ZGI_SEAL_RING_OPERATION_MAX 64

/**
 * zgi_seal_rules() - the table
 * @ret_count:  rows
 *
 * Return: its first row. Any thread.
 */
const struct zgi_seal_rule *zgi_seal_rules(size_t *ret_count);

/**
 * zgi_seal_ring_allows() - may a ring go on with this?
 * @operation:  of io_uring_register(2)
 *
 * Return: true for what gives back, or changes what is there already. Any thread.
 */
bool zgi_seal_ring_allows(uint32_t operation);

#endif
