/*
 * Locking: the pages stay in memory however short of it the machine runs.
 *
 * How much a process may lock is a limit (RLIMIT_MEMLOCK) that is small on most
 * machines. Where it does not suffice, the beginning of the region is locked: what is
 * carved first is what everything else is found through.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/assert.h"
#include "base/file.h"
#include "mem/region/parts.h"

#define LOCK_FILE_SIZE_MAX 4096

/* Bytes that this process may still lock. */
static size_t lock_room(void)
{
	char text[LOCK_FILE_SIZE_MAX];
	struct rlimit limit;
	uint64_t used_kib;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0 ||
	    zgi_file_read("/proc/self/status", text, sizeof(text), NULL) < 0 ||
	    zgi_file_field(text, "VmLck:", &used_kib) < 0)
		return 0;
	return limit.rlim_cur > used_kib * 1024 ? (size_t)(limit.rlim_cur - used_kib * 1024) : 0;
}

static int lock_range(const struct zg_region *region, size_t size)
{
	/* A lazy region's pages are locked as they come. */
	unsigned int flags = region->asked.is_lazy ? MLOCK_ONFAULT : 0;

	return mlock2(region->memory, size, flags) == 0 ? 0 : -errno;
}

/* As much as there is room for, in whole huge pages where there is room for one. */
static void lock_beginning(struct zg_region *region)
{
	size_t room = lock_room();
	size_t unit =
		room >= ZGI_REGION_HUGE_PAGE_SIZE ? ZGI_REGION_HUGE_PAGE_SIZE : region->page_size;
	size_t size = room / unit * unit;

	if (size > 0 && size < region->size && lock_range(region, size) == 0)
		region->locked_size = size;
}

int zgi_region_lock(struct zg_region *region)
{
	zg_assert(region->locked_size == 0);
	if (region->asked.lock == ZG_REGION_NO)
		return 0;
	/* Explicit huge pages are never paged out, and do not count against the limit. */
	if (region->pages != ZG_REGION_PAGES_EXPLICIT)
		region->lock_error = lock_range(region, region->size);
	if (region->lock_error == 0) {
		region->locked_size = region->size;
		return 0;
	}
	if (region->asked.lock == ZG_REGION_MUST)
		return region->lock_error;
	lock_beginning(region);
	return 0;
}
