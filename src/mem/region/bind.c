/*
 * Binding: a region's pages come from one node's memory.
 *
 * The kernel is asked before the first page is there, and what came of it is looked up
 * page by page: a node that ran short gives way to others without a word. A region that
 * asks for no node is kept from being moved about all the same: each look that the kernel
 * takes at who uses a page is a fault.
 */
#include <errno.h>

#include "base/assert.h"
#include "mem/region/numa.h"
#include "mem/region/parts.h"

int zgi_region_bind(struct zg_region *region)
{
	if (region->asked.bind != ZG_REGION_NO)
		region->bind_error =
			zgi_numa_bind(region->memory, region->size, region->asked.node);
	if (region->asked.bind == ZG_REGION_NO || region->bind_error < 0)
		zgi_numa_keep(region->memory, region->size);
	return region->asked.bind == ZG_REGION_MUST ? region->bind_error : 0;
}

int zgi_region_bind_check(struct zg_region *region)
{
	struct zgi_numa_pages pages = {
		.memory = region->memory,
		.size = region->size,
		.page_size = region->page_size,
		.node = region->asked.node,
	};
	uint64_t count;
	int result;

	zg_assert(region->page_size > 0);
	/* Of a lazy region no page is there yet. */
	if (region->asked.bind != ZG_REGION_MUST || region->asked.is_lazy)
		return 0;
	result = zgi_numa_count(&pages, &count);
	if (result == 0 && count < region->size / region->page_size)
		result = -ENOMEM;
	region->bind_error = result;
	return result;
}
