/*
 * The one mapping that a service lives in.
 *
 * Every page is written to by the kernel at boot, for two reasons: a page fault
 * while serving costs more than a request (2.8 us for 4 KB), and memory that
 * was promised but not there shows at boot rather than under load.
 */
#include <zerog/region.h>

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"

#define REGION_MAGIC UINT32_C(0x6e676572)
#define REGION_HUGE_PAGE_SIZE ((size_t)2 << 20)

/* Linux 5.14; older headers do not name it. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static size_t region_page_size(void)
{
	long size = sysconf(_SC_PAGESIZE);

	zg_assert(size > 0);
	return (size_t)size;
}

/* A mapping that begins where a huge page can, if it is large enough to hold one. */
static unsigned char *region_map(size_t size)
{
	size_t spare = size >= REGION_HUGE_PAGE_SIZE ? REGION_HUGE_PAGE_SIZE : 0;
	size_t head;
	unsigned char *memory;

	if (size > SIZE_MAX - spare)
		return NULL;
	memory = mmap(NULL, size + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (memory == MAP_FAILED)
		return NULL;
	if (spare == 0)
		return memory;
	head = -(uintptr_t)memory & (REGION_HUGE_PAGE_SIZE - 1);
	if (head > 0)
		munmap(memory, head);
	munmap(memory + head + size, spare - head);
	return memory + head;
}

static int region_populate(unsigned char *memory, size_t size)
{
	volatile unsigned char *pages = memory;
	size_t page_size = region_page_size();

	/* Fewer, larger pages where the kernel has them; an advice that may be refused. */
	(void)madvise(memory, size, MADV_HUGEPAGE);

	if (madvise(memory, size, MADV_POPULATE_WRITE) == 0)
		return 0;
	if (errno != EINVAL)
		return -ENOMEM;
	/* An older kernel: touch them one by one. */
	for (size_t offset = 0; offset < size; offset += page_size)
		pages[offset] = 0;
	return 0;
}

int zg_region_init(struct zg_region *region, size_t size)
{
	size_t page_size = region_page_size();
	size_t size_mapped;
	unsigned char *memory;
	int result;

	zg_assert(region != NULL);
	zg_assert(size > 0);
	if (__builtin_add_overflow(size, page_size - 1, &size_mapped))
		return -ENOMEM;
	size_mapped &= ~(page_size - 1);

	memory = region_map(size_mapped);
	if (memory == NULL)
		return -ENOMEM;
	result = region_populate(memory, size_mapped);
	if (result < 0) {
		munmap(memory, size_mapped);
		return result;
	}
	*region = (struct zg_region){
		.magic = REGION_MAGIC,
		.memory = memory,
		.size = size_mapped,
	};
	return 0;
}

int zg_region_carve(struct zg_region *region, size_t size, size_t alignment, void **ret_memory)
{
	size_t start;

	zg_assert(region->magic == REGION_MAGIC);
	zg_assert(alignment > 0 && (alignment & (alignment - 1)) == 0);
	/* The mapping itself is aligned to a page and no more. */
	zg_assert(alignment <= region_page_size());

	/* No wrap: used is at most size, and size is a multiple of the page size. */
	start = (region->used + alignment - 1) & ~(alignment - 1);
	if (size > region->size - start)
		return -ENOMEM;
	region->used = start + size;
	*ret_memory = region->memory + start;
	return 0;
}

void zg_region_fini(struct zg_region *region)
{
	int result;

	if (region->magic == 0)
		return;
	zg_assert(region->magic == REGION_MAGIC);
	result = munmap(region->memory, region->size);
	zg_assert(result == 0);
	*region = (struct zg_region){0};
}
