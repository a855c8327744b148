/*
 * The file is a line "START-END ..." a mapping, in order of addresses, followed by a
 * line a figure. It is read in pieces, and no further than the range.
 */
#include "mem/region/smaps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/file.h"

#define SMAPS_BUFFER_SIZE 4096
#define SMAPS_KIB 1024

struct smaps_walk {
	uintptr_t start; /* of the range: addresses */
	uintptr_t end;
	bool is_inside; /* the mapping that is being read touches the range */
	bool is_behind; /* and this one lies behind it: nothing more is to come */
	struct zgi_smaps sum;
};

/* A mapping begins. False when the line is none of that kind. */
static bool smaps_mapping(struct smaps_walk *walk, const char *line)
{
	char *rest;
	uintptr_t start = (uintptr_t)strtoull(line, &rest, 16);
	uintptr_t end;

	if (rest == line || *rest != '-')
		return false;
	end = (uintptr_t)strtoull(rest + 1, &rest, 16);
	if (*rest != ' ')
		return false;
	walk->is_inside = start < walk->end && end > walk->start;
	walk->is_behind = start >= walk->end;
	return true;
}

static void smaps_line(struct smaps_walk *walk, const char *line)
{
	struct zgi_smaps *sum = &walk->sum;
	uint64_t size_kib;

	if (smaps_mapping(walk, line) || !walk->is_inside)
		return;
	if (zgi_file_field(line, "Rss:", &size_kib) == 0)
		sum->resident_size += size_kib * SMAPS_KIB;
	else if (zgi_file_field(line, "AnonHugePages:", &size_kib) == 0)
		sum->huge_size += size_kib * SMAPS_KIB;
	else if (zgi_file_field(line, "Locked:", &size_kib) == 0)
		sum->locked_size += size_kib * SMAPS_KIB;
	else if (zgi_file_field(line, "Private_Hugetlb:", &size_kib) == 0) {
		/* Rss leaves these out. */
		sum->resident_size += size_kib * SMAPS_KIB;
		sum->huge_size += size_kib * SMAPS_KIB;
	}
}

/* Take the whole lines from the buffer; returns the bytes of the one that is not whole yet. */
static size_t smaps_lines(struct smaps_walk *walk, char *buffer, size_t size)
{
	char *line = buffer;
	char *end;

	while (!walk->is_behind && (end = memchr(line, '\n', size)) != NULL) {
		*end = '\0';
		smaps_line(walk, line);
		size -= (size_t)(end + 1 - line);
		line = end + 1;
	}
	/* A line that fills the buffer is a long path: no figure begins so. */
	if (size == SMAPS_BUFFER_SIZE)
		return 0;
	memmove(buffer, line, size);
	return size;
}

int zgi_smaps_read(const void *memory, size_t size, struct zgi_smaps *ret_smaps)
{
	char buffer[SMAPS_BUFFER_SIZE];
	struct smaps_walk walk = {.start = (uintptr_t)memory, .end = (uintptr_t)memory + size};
	size_t kept = 0;
	int result = 0;
	int fd;

	zg_assert(size > 0);
	fd = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (!walk.is_behind) {
		ssize_t count = read(fd, buffer + kept, sizeof(buffer) - kept);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			result = -errno;
		if (count <= 0)
			break;
		kept = smaps_lines(&walk, buffer, kept + (size_t)count);
	}
	close(fd);
	if (result == 0)
		*ret_smaps = walk.sum;
	return result;
}
