/*
 * Smaps: what the kernel says of a range of our memory, from /proc/self/smaps.
 */
#ifndef ZEROG_MEM_REGION_SMAPS_H
#define ZEROG_MEM_REGION_SMAPS_H

#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>

/* Sums over the mappings that lie in the range. */
struct zgi_smaps {
	uint64_t resident_size; /* bytes, explicit huge pages included */
	uint64_t huge_size; /* bytes on huge pages of either kind */
	uint64_t locked_size; /* bytes */
};

/**
 * zgi_smaps_read() - sum up the mappings that touch a range
 * @memory:     page-aligned
 * @size:       bytes
 * @ret_smaps:  untouched on failure
 *
 * A mapping that goes beyond the range is counted whole. Return: 0; -errno of reading the file.
 * Any thread; makes no allocation. Source: proc(5).
 */
ZG_MUST_USE int zgi_smaps_read(const void *memory, size_t size, struct zgi_smaps *ret_smaps);

#endif
