/*
 * Touching what could still be touched first.
 *
 * A filter stops the process from asking for memory, but a page that is mapped and
 * was never written costs nothing until it is. So all of them are faulted in, by
 * the list of mappings that the kernel keeps.
 */
#include "mem/seal/seal_populate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/assert.h"

/* Linux 5.14; older headers do not name it. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define POPULATE_LINE_SIZE_MAX 256 /* of a mapping's line; what is longer is a file's path */
#define POPULATE_READ_SIZE 4096
#define POPULATE_STACK_PAGES 64 /* 256 KiB: what serving, draining and a stack trace may take */
#define POPULATE_STACK_PAGE 4096

struct populate_mapping {
	uintptr_t start;
	uintptr_t end;
	bool is_wanted;
};

/* "5581e000-5583f000 rw-p 00000000 00:00 0    [heap]" */
static bool populate_parse(const char *line, struct populate_mapping *ret_mapping)
{
	char *cursor;
	uintptr_t start = strtoul(line, &cursor, 16);
	uintptr_t end;
	bool is_shared;

	if (*cursor != '-')
		return false;
	end = strtoul(cursor + 1, &cursor, 16);
	if (strlen(cursor) < 5)
		return false;
	is_shared = cursor[4] == 's';
	*ret_mapping = (struct populate_mapping){
		.start = start,
		.end = end,
		.is_wanted = cursor[2] == 'w' &&
			     (!is_shared || strstr(cursor, "/dev/zero (deleted)") != NULL),
	};
	return true;
}

/* A kernel before 5.14: each page is written what it holds, which another thread may be doing. */
static void populate_by_hand(const struct populate_mapping *mapping)
{
	uintptr_t page_size = (uintptr_t)sysconf(_SC_PAGESIZE);

	for (uintptr_t at = mapping->start; at < mapping->end; at += page_size)
		(void)__atomic_fetch_or((unsigned char *)at, 0, __ATOMIC_RELAXED);
}

static int populate_mapping(const struct populate_mapping *mapping)
{
	if (!mapping->is_wanted)
		return 0;
	if (madvise((void *)mapping->start, mapping->end - mapping->start, MADV_POPULATE_WRITE) ==
	    0)
		return 0;
	if (errno == EINVAL)
		populate_by_hand(mapping);
	/* EFAULT: a private mapping reaches past its file's end, where nobody can write either. */
	return errno == ENOMEM ? -ENOMEM : 0;
}

/* The lines of /proc/self/maps, cut where they are too long, one at a time. */
struct populate_reader {
	char line[POPULATE_LINE_SIZE_MAX];
	size_t size;
};

static int populate_feed(struct populate_reader *reader, char byte)
{
	struct populate_mapping mapping;

	if (byte != '\n') {
		if (reader->size < sizeof(reader->line) - 1)
			reader->line[reader->size++] = byte;
		return 0;
	}
	reader->line[reader->size] = '\0';
	reader->size = 0;
	return populate_parse(reader->line, &mapping) ? populate_mapping(&mapping) : 0;
}

int zgi_seal_populate(void)
{
	struct populate_reader reader = {.size = 0};
	char buffer[POPULATE_READ_SIZE];
	int result = 0;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while (result == 0) {
		ssize_t size = read(fd, buffer, sizeof(buffer));

		if (size < 0)
			result = -errno;
		if (size <= 0)
			break;
		for (ssize_t i = 0; i < size && result == 0; i++)
			result = populate_feed(&reader, buffer[i]);
	}
	close(fd);
	return result;
}

/* Not a loop over addresses below the frame: those belong to nobody until a frame is there. */
static void __attribute__((noinline)) populate_stack(unsigned page_count)
{
	volatile unsigned char page[POPULATE_STACK_PAGE];

	page[0] = 0;
	if (page_count > 0)
		populate_stack(page_count - 1);
	/* Keeps the call above from being the last thing, and so from reusing this frame. */
	page[POPULATE_STACK_PAGE - 1] = page[0];
}

void zgi_seal_stack_reserve(void)
{
	struct rlimit limit;

	if (gettid() != getpid() || getrlimit(RLIMIT_STACK, &limit) < 0)
		return;
	/* Half of a small stack may be in use already. */
	if (limit.rlim_cur >= 4 * POPULATE_STACK_PAGES * POPULATE_STACK_PAGE)
		populate_stack(POPULATE_STACK_PAGES);
}
