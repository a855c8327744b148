/*
 * Reading of the kernel's small files (/proc, /sys), which must be possible
 * after the seal, when stdio can have no buffer any more.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"

int zgi_file_read(const char *path, char *buffer, size_t capacity, size_t *ret_size)
{
	size_t size = 0;
	int result = 0;
	int fd;

	zg_assert(path != NULL);
	zg_assert(capacity > 0);

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (size < capacity - 1) {
		ssize_t count = read(fd, buffer + size, capacity - 1 - size);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			result = -errno;
		if (count <= 0)
			break;
		size += (size_t)count;
	}
	close(fd);
	if (result < 0)
		return result;

	buffer[size] = '\0';
	if (ret_size != NULL)
		*ret_size = size;
	return 0;
}

int zgi_file_field(const char *text, const char *label, uint64_t *ret_value)
{
	size_t label_size = strlen(label);
	const char *line = text;

	zg_assert(label_size > 0);
	while (line != NULL) {
		if (strncmp(line, label, label_size) == 0) {
			char *end;
			unsigned long long value;

			errno = 0;
			value = strtoull(line + label_size, &end, 10);
			if (end == line + label_size || errno != 0)
				return -ENOENT;
			*ret_value = value;
			return 0;
		}
		line = strchr(line, '\n');
		if (line != NULL)
			++line;
	}
	return -ENOENT;
}
