/*
 * Finding a place for the guest heap.
 *
 * mimalloc finds a block's page through a map of addresses, so low addresses make a
 * small map. The kernel puts mappings high. So an address is asked for: drawn at
 * random, because a heap that always lies at the same place is a gift to an intruder;
 * and taken only when nothing is there.
 */
#include "mem/guest/guest_range.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/assert.h"
#include "mem/guest/guest_mimalloc.h"

/* Linux 5.14; older headers do not name it. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define MAP_TRIES_MAX 16

/* The second is what a sanitizer leaves of low addresses to the program. */
static const struct {
	uint64_t start;
	uint64_t end;
} map_ranges[] = {
	{UINT64_C(4) << 30, UINT64_C(1) << ZGI_MIMALLOC_ADDRESS_BITS},
	{UINT64_C(256) << 20, UINT64_C(2047) << 20},
};

static void *map_at(uint64_t address, size_t size)
{
	void *memory = mmap((void *)(uintptr_t)address, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	if ((uintptr_t)memory == address)
		return memory;
	/* A kernel before 4.17 takes the address for a wish. */
	munmap(memory, size);
	return NULL;
}

static void *map_within(uint64_t start, uint64_t end, size_t size)
{
	if (end - start < size)
		return NULL;

	const uint64_t places = (end - start - size) / ZGI_MIMALLOC_GRAIN + 1;

	for (int i = 0; i < MAP_TRIES_MAX; i++) {
		uint64_t number = 0;
		void *memory;

		if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
			number = (uint64_t)i;
		memory = map_at(start + number % places * ZGI_MIMALLOC_GRAIN, size);
		if (memory != NULL)
			return memory;
	}
	return NULL;
}

static int map_populate(void *memory, size_t size)
{
	volatile unsigned char *pages = memory;
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);

	/* An advice, which may be refused. */
	(void)madvise(memory, size, MADV_HUGEPAGE);
	if (madvise(memory, size, MADV_POPULATE_WRITE) == 0)
		return 0;
	if (errno != EINVAL)
		return -ENOMEM;
	for (size_t offset = 0; offset < size; offset += page_size)
		pages[offset] = 0;
	return 0;
}

int zgi_guest_map(size_t size, void **ret_memory)
{
	void *memory = NULL;

	zg_assert(size > 0);
	for (size_t i = 0; i < sizeof(map_ranges) / sizeof(map_ranges[0]) && memory == NULL; i++)
		memory = map_within(map_ranges[i].start, map_ranges[i].end, size);
	if (memory == NULL)
		return -ENOMEM;
	if (map_populate(memory, size) < 0) {
		munmap(memory, size);
		return -ENOMEM;
	}
	*ret_memory = memory;
	return 0;
}
