/*
 * Faulting in the program: its code, its data, and those of its libraries.
 *
 * A page of code that is first needed under load is read from disk while a
 * client waits, and a page of data that is first written is copied then. Both
 * happen here instead, and the image's share of the resident memory stands
 * still from then on.
 */
#include <zerog/plan.h>

#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"

/* Linux 5.14; older headers do not name them. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

struct image_range {
	uintptr_t start; /* addresses */
	uintptr_t end;
};

static struct image_range image_pages(struct image_range range, uintptr_t page_size)
{
	return (struct image_range){
		.start = range.start & ~(page_size - 1),
		.end = (range.end + page_size - 1) & ~(page_size - 1),
	};
}

/* The bytes are named by the program's own headers, not by a pointer into an object. */
static unsigned char *image_address(uintptr_t address)
{
	return (unsigned char *)address; /* NOLINT(performance-no-int-to-ptr) */
}

static int image_populate(struct image_range range, int advice)
{
	uintptr_t page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct image_range pages = image_pages(range, page_size);

	if (pages.end <= pages.start)
		return 0;
	if (madvise(image_address(pages.start), pages.end - pages.start, advice) == 0)
		return 0;
	/* Neither a page that may not be written nor a kernel that knows no such advice keeps a
	 * service from starting: it is only slower at first. */
	return errno == ENOMEM ? -ENOMEM : 0;
}

static struct image_range image_segment(const struct dl_phdr_info *info, const ElfW(Phdr) * header)
{
	uintptr_t start = (uintptr_t)(info->dlpi_addr + header->p_vaddr);

	return (struct image_range){start, start + header->p_memsz};
}

/* The part of the data that the dynamic linker has made read-only; empty when there is none. */
static struct image_range image_sealed(const struct dl_phdr_info *info)
{
	for (size_t i = 0; i < info->dlpi_phnum; ++i) {
		if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO)
			return image_segment(info, &info->dlpi_phdr[i]);
	}
	return (struct image_range){0};
}

static int image_populate_data(struct image_range segment, struct image_range sealed)
{
	uintptr_t page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct image_range writable = segment;
	int result;

	if (sealed.start >= segment.start && sealed.start < segment.end) {
		result = image_populate(sealed, MADV_POPULATE_READ);
		if (result < 0)
			return result;
		/* The linker protects whole pages only: the last one, if shared, stays writable. */
		writable.start = sealed.end & ~(page_size - 1);
	}
	return image_populate(writable, MADV_POPULATE_WRITE);
}

static int image_visit(struct dl_phdr_info *info, size_t info_size, void *user)
{
	struct image_range sealed = image_sealed(info);

	(void)info_size;
	(void)user;
	for (size_t i = 0; i < info->dlpi_phnum; ++i) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		int result;

		if (header->p_type != PT_LOAD || (header->p_flags & PF_R) == 0)
			continue;
		if ((header->p_flags & PF_W) != 0)
			result = image_populate_data(image_segment(info, header), sealed);
		else
			result = image_populate(image_segment(info, header), MADV_POPULATE_READ);
		if (result < 0)
			return result;
	}
	return 0;
}

int zg_memory_populate_image(void)
{
	return dl_iterate_phdr(image_visit, NULL);
}

struct image_lock {
	uint64_t size;
	uint64_t locked_size;
};

static int image_lock_visit(struct dl_phdr_info *info, size_t info_size, void *user)
{
	uintptr_t page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct image_lock *sums = user;

	(void)info_size;
	for (size_t i = 0; i < info->dlpi_phnum; ++i) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		struct image_range pages;

		if (header->p_type != PT_LOAD || (header->p_flags & PF_R) == 0)
			continue;
		pages = image_pages(image_segment(info, header), page_size);
		sums->size += pages.end - pages.start;
		/* One that is too large for what may be locked leaves room for smaller ones. (The
		 * sanitizers make mlock() do nothing.) */
		if (mlock2(image_address(pages.start), pages.end - pages.start, 0) == 0)
			sums->locked_size += pages.end - pages.start;
	}
	return 0;
}

int zg_memory_lock_image(uint64_t *ret_size, uint64_t *ret_locked_size)
{
	struct image_lock sums = {0};
	int result = dl_iterate_phdr(image_lock_visit, &sums);

	zg_assert(sums.locked_size <= sums.size);
	if (result < 0)
		return result;
	*ret_size = sums.size;
	*ret_locked_size = sums.locked_size;
	return 0;
}
