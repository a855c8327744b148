/*
 * Region: one range of memory, mapped and touched at boot, carved and never given back.
 *
 * A service reserves its whole plan as one region. Every page is faulted in at
 * reserve, so that no request ever waits for the kernel to find a page.
 *
 * Ownership  The region owns the mapping; what is carved lives until fini.
 * Threads    Not locked: carve at boot, from one thread.
 */
#ifndef ZEROG_REGION_H
#define ZEROG_REGION_H

#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>

ZG_BEGIN_DECLS

struct zg_region {
	uint32_t magic;
	unsigned char *memory; /* owned mapping */
	size_t size; /* bytes mapped: a multiple of the page size */
	size_t used; /* bytes carved, padding included */
};

/**
 * zg_region_init() - map memory and touch every page of it
 * @region:  the caller's; overwritten
 * @size:    bytes wanted, at least 1; rounded up to whole pages
 *
 * Pages are populated with MADV_POPULATE_WRITE, or touched one by one where the
 * kernel is older than 5.14.
 *
 * Return: 0; -ENOMEM when the kernel has no such range or no such pages.
 * Boot only. Source: mmap(2), madvise(2).
 */
ZG_MUST_USE int zg_region_init(struct zg_region *region, size_t size);

/**
 * zg_region_carve() - hand out the next bytes of the region, zeroed
 * @region:      initialised
 * @size:        bytes, may be 0
 * @alignment:   a power of two, at most the page size
 * @ret_memory:  the bytes, borrowed from the region; untouched on failure
 *
 * Return: 0; -ENOMEM when the region is used up: the plan forgot a line.
 */
ZG_MUST_USE int zg_region_carve(struct zg_region *region, size_t size, size_t alignment,
				void **ret_memory);

/**
 * zg_region_fini() - unmap the region and all that was carved from it
 * @region:  initialised, or zeroed
 */
void zg_region_fini(struct zg_region *region);

ZG_END_DECLS

#endif
