/*
 * How a map's file comes to be.
 *
 * It is made without a name (O_TMPFILE), filled, written to the disk, and given its name as the
 * last thing. So a crash on the way leaves nothing behind that would have to be told from a file
 * that was damaged, and nobody else ever opens one that is not whole. File systems without nameless
 * files (NFS, old overlayfs) get it under its name at once, the header last: what a crash leaves
 * there has no header, and is refused as none of ours.
 *
 * All blocks are reserved here. A mapping of a file with holes would ask for a block at the first
 * store to a page, and a store has no way to say that the disk is full but SIGBUS.
 */
#include "pmem/map_create.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "pmem/map_header.h"
#include "pmem/persist.h"

#define CREATE_MODE 0600
#define CREATE_CHUNK_SIZE 65536

/* A file on its way. */
struct create_file {
	const struct zg_pmem_options *options;
	struct zg_text *error;
	char folder[PATH_MAX];
	int fd;
	bool has_name;
};

int zgi_map_lock(int fd, const struct zg_pmem_options *options, struct zg_text *ret_error)
{
	int how = options->read_only ? LOCK_SH : LOCK_EX;
	int result = 0;

	if (flock(fd, how | LOCK_NB) == 0)
		return 0;
	result = errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (result == -EBUSY)
		ZGI_PMEM_TELL(
			ret_error,
			"%s: is open already, in another process or in this one: end that one "
			"first (fuser %s)",
			options->path, options->path);
	else
		ZGI_PMEM_TELL(ret_error, "%s: cannot be locked: %s", options->path,
			      strerrordesc_np(-result));
	return result;
}

int zgi_map_reserve(int fd, uint64_t size)
{
	int result;

	do {
		result = fallocate(fd, 0, 0, (off_t)size) < 0 ? -errno : 0;
	} while (result == -EINTR);
	return result == -EOPNOTSUPP ? 0 : result;
}

static int create_write(int fd, const void *bytes, size_t size, uint64_t offset)
{
	const unsigned char *at = bytes;

	while (size > 0) {
		ssize_t count = pwrite(fd, at, size, (off_t)offset);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return count < 0 ? -errno : -EIO;
		at += count;
		offset += (uint64_t)count;
		size -= (size_t)count;
	}
	return 0;
}

static int create_write_zeros(int fd, uint64_t size)
{
	static const unsigned char zeros[CREATE_CHUNK_SIZE];
	int result = 0;

	for (uint64_t offset = 0; offset < size && result == 0; offset += sizeof(zeros)) {
		uint64_t left = size - offset;

		result = create_write(fd, zeros,
				      left < sizeof(zeros) ? (size_t)left : sizeof(zeros), offset);
	}
	return result;
}

/* Every byte of the payload, reserved and zero; then the header. */
static int create_fill(const struct create_file *file)
{
	struct zgi_map_header header;
	uint64_t size = zgi_map_file_size(file->options->size);
	struct stat status;
	int result = zgi_map_reserve(file->fd, size);

	if (result == 0 && fstat(file->fd, &status) < 0)
		result = -errno;
	/* What fallocate(2) cannot do here takes its time. */
	if (result == 0 && (file->options->write_through || (uint64_t)status.st_size != size))
		result = create_write_zeros(file->fd, size);
	zgi_map_header_fill(file->options, &header);
	if (result == 0 && file->has_name && fsync(file->fd) < 0)
		result = -errno;
	if (result == 0)
		result = create_write(file->fd, &header, sizeof(header), 0);
	if (result == 0 && fsync(file->fd) < 0)
		result = -errno;
	if (result == -ENOSPC || result == -EDQUOT || result == -EFBIG)
		ZGI_PMEM_TELL(file->error,
			      "%s: no room for %" PRIu64 " bytes (%s): free some, or ask for less",
			      file->options->path, size, strerrordesc_np(-result));
	else if (result < 0)
		ZGI_PMEM_TELL(file->error, "%s: cannot be written: %s", file->options->path,
			      strerrordesc_np(-result));
	return result;
}

/* Gives it its name, which has to be a new one, and has the disk know it. */
static int create_publish(const struct create_file *file)
{
	const char *path = file->options->path;
	char source[64];
	int result = 0;
	int folder;

	(void)snprintf(source, sizeof(source), "/proc/self/fd/%d", file->fd);
	if (!file->has_name && linkat(AT_FDCWD, source, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0) {
		result = -errno;
		ZGI_PMEM_TELL(file->error, "%s: cannot be named: %s", path,
			      result == -EEXIST ? "another process made it meanwhile, try again"
						: strerrordesc_np(-result));
		return result;
	}
	folder = open(file->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 || fsync(folder) < 0)
		result = -errno;
	if (folder >= 0)
		close(folder);
	if (result < 0)
		ZGI_PMEM_TELL(file->error, "%s: cannot be written: %s", file->folder,
			      strerrordesc_np(-result));
	return result;
}

/* Opens it, without a name where that can be. */
static int create_open(struct create_file *file)
{
	const char *path = file->options->path;
	int result;

	file->fd = open(file->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, CREATE_MODE);
	/* Kernels and file systems that do not know the flag see a folder that is to be written. */
	if (file->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		file->has_name = true;
		file->fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, CREATE_MODE);
	}
	if (file->fd >= 0)
		return 0;
	result = -errno;
	ZGI_PMEM_TELL(file->error, "%s: cannot be made: %s%s", path, strerrordesc_np(-result),
		      result == -ENOENT || result == -ENOTDIR ? "; make its folder first" : "");
	return result;
}

/* The folder that a path is in: all before its last slash. */
static int create_folder(struct create_file *file)
{
	const char *path = file->options->path;
	const char *slash = strrchr(path, '/');
	size_t size = slash == NULL ? 0 : (size_t)(slash - path);

	if (size >= sizeof(file->folder)) {
		ZGI_PMEM_TELL(file->error,
			      "the name of a file is longer than %d bytes: choose one "
			      "that is shorter",
			      PATH_MAX - 1);
		return -ENAMETOOLONG;
	}
	if (slash == NULL) {
		memcpy(file->folder, ".", 2);
		return 0;
	}
	if (size == 0)
		size = 1; /* the root */
	memcpy(file->folder, path, size);
	file->folder[size] = '\0';
	return 0;
}

int zgi_map_create(const struct zg_pmem_options *options, struct zg_text *ret_error)
{
	struct create_file file = {.options = options, .error = ret_error, .fd = -1};
	int result = create_folder(&file);

	zg_assert(options->create && options->size > 0);
	if (result == 0)
		result = create_open(&file);
	if (result == 0)
		result = zgi_map_lock(file.fd, options, ret_error);
	if (result == 0)
		result = create_fill(&file);
	if (result == 0)
		result = create_publish(&file);
	if (result == 0)
		return file.fd;
	if (file.fd >= 0) {
		if (file.has_name)
			(void)unlink(options->path);
		close(file.fd);
	}
	return result;
}
