/*
 * Reading of the kernel's small files (/proc, /sys), which must be possible
 * after the seal, when stdio can have no buffer any more.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
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
