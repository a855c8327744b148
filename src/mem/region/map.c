/*
 * Where a region's memory comes from.
 *
 * An ordinary mapping is made larger than asked and closed at both ends: the
 * pages left without permission catch overruns, and keep the kernel from merging the
 * mapping with a neighbour, whose figures in smaps would then be ours. Explicit
 * huge pages are mappings of a kind of their own, which the kernel never merges.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/assert.h"
#include "mem/region/parts.h"

#define MAP_NAME_SIZE 64

/* Linux 5.14 and 5.17; older headers do not name them. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif
#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif

size_t zgi_region_base_page_size(void)
{
	long size = sysconf(_SC_PAGESIZE);

	zg_assert(size > 0);
	return (size_t)size;
}

/* The name is shown in /proc/PID/maps, where the kernel can. */
static void map_name(const struct zg_region *region)
{
	char name[MAP_NAME_SIZE];

	(void)snprintf(name, sizeof(name), "zerog: %s", region->asked.name);
	(void)prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, region->memory, region->size, name);
}

static int map_explicit(struct zg_region *region)
{
	size_t page_size = zgi_region_huge_page_size(&region->asked);
	unsigned int page_bits = (unsigned int)__builtin_ctzl(page_size);
	unsigned char *memory;

	memory =
		mmap(NULL, region->size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | (int)(page_bits << MAP_HUGE_SHIFT),
		     -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	region->memory = memory;
	region->pages = ZG_REGION_PAGES_EXPLICIT;
	region->page_size = page_size;
	return 0;
}

/* A mapping that begins where a huge page can, if it may have one. */
static int map_ordinary(struct zg_region *region)
{
	size_t guard = zgi_region_base_page_size();
	size_t alignment = guard;
	size_t whole_size;
	size_t head;
	unsigned char *whole;

	if (region->pages != ZG_REGION_PAGES_SMALL && region->size >= ZGI_REGION_HUGE_PAGE_SIZE)
		alignment = ZGI_REGION_HUGE_PAGE_SIZE;
	if (__builtin_add_overflow(region->size, alignment + 2 * guard, &whole_size))
		return -ENOMEM;
	whole = mmap(NULL, whole_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (whole == MAP_FAILED)
		return -ENOMEM;

	head = -(uintptr_t)(whole + guard) & (alignment - 1);
	region->memory = whole + head + guard;
	region->page_size = guard;
	if (head > 0)
		munmap(whole, head);
	munmap(region->memory + region->size + guard, alignment - head);
	if (mprotect(region->memory, region->size, PROT_READ | PROT_WRITE) < 0) {
		munmap(region->memory - guard, region->size + 2 * guard);
		return -ENOMEM;
	}
	return 0;
}

static void map_advise(struct zg_region *region)
{
	int advice = region->pages == ZG_REGION_PAGES_SMALL ? MADV_NOHUGEPAGE : MADV_HUGEPAGE;

	if (region->pages == ZG_REGION_PAGES_DEFAULT)
		return;
	/* A kernel without transparent huge pages has small ones only. */
	if (madvise(region->memory, region->size, advice) < 0 && advice == MADV_HUGEPAGE &&
	    region->pages_error == 0)
		region->pages_error = -errno;
}

int zgi_region_map(struct zg_region *region)
{
	enum zg_region_pages asked = region->asked.pages;
	int result;

	region->pages = asked;
	if (asked == ZG_REGION_PAGES_EXPLICIT || asked == ZG_REGION_PAGES_EXPLICIT_ONLY) {
		region->pages_error = map_explicit(region);
		if (region->pages_error == 0) {
			map_name(region);
			return 0;
		}
		if (asked == ZG_REGION_PAGES_EXPLICIT_ONLY)
			return region->pages_error;
		region->pages = ZG_REGION_PAGES_TRANSPARENT;
	}
	result = map_ordinary(region);
	if (result < 0)
		return result;
	map_advise(region);
	map_name(region);
	return 0;
}

void zgi_region_unmap(struct zg_region *region)
{
	size_t guard = region->pages == ZG_REGION_PAGES_EXPLICIT ? 0 : zgi_region_base_page_size();
	int result = munmap(region->memory - guard, region->size + 2 * guard);

	zg_assert(result == 0);
	region->memory = NULL;
}

int zgi_region_populate(struct zg_region *region)
{
	volatile unsigned char *pages = region->memory;

	if (madvise(region->memory, region->size, MADV_POPULATE_WRITE) == 0)
		return 0;
	if (errno != EINVAL)
		return -ENOMEM;
	/* An older kernel: touch them one by one. */
	for (size_t offset = 0; offset < region->size; offset += region->page_size)
		pages[offset] = 0;
	return 0;
}
