/*
 * Opening and closing of maps.
 *
 * A file is looked at through a descriptor of our own, which also keeps the lock, before it is
 * mapped: what is refused was never touched. libpmem maps it, since it alone tells true persistent
 * memory (it maps with MAP_SYNC, and looks at the device), and wants a path for that; it is given
 * that of our descriptor, so that both are sure to be of one file. libpmem maps for writing only,
 * so what is read only is mapped here.
 */
#include <zerog/pmem.h>

#include <libpmem.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "pmem/map_create.h"
#include "pmem/map_header.h"
#include "pmem/persist.h"

static int map_check_options(const struct zg_pmem_options *options, struct zg_text *error)
{
	if (options->path == NULL || options->path[0] == '\0') {
		ZGI_PMEM_TELL(error, "a persistent-memory file needs a path");
		return -EINVAL;
	}
	if (options->size > ZG_PMEM_SIZE_MAX) {
		ZGI_PMEM_TELL(error, "%s: %" PRIu64 " bytes are too many: at most %" PRIu64,
			      options->path, options->size, ZG_PMEM_SIZE_MAX);
		return -EINVAL;
	}
	if (options->create && (options->size == 0 || options->read_only)) {
		ZGI_PMEM_TELL(error, "%s: %s", options->path,
			      options->read_only ? "what is read only cannot be made"
						 : "what is made needs a size");
		return -EINVAL;
	}
	return 0;
}

static int map_open_failed(const struct zg_pmem_options *options, int result, struct zg_text *error)
{
	const char *advice = "";

	if (result == -ENOENT)
		advice = "; create it, or name another";
	else if ((result == -EACCES || result == -EPERM) && options->read_only)
		advice = "; let this user read it";
	else if (result == -EACCES || result == -EPERM || result == -EROFS)
		advice = "; let this user write it, or open it read-only";
	ZGI_PMEM_TELL(error, "%s: cannot be opened: %s%s", options->path, strerrordesc_np(-result),
		      advice);
	return result;
}

/* Reads the header of an open file and checks it. */
static int map_check_file(int fd, const struct zg_pmem_options *options,
			  struct zgi_map_header *ret_header, struct zg_text *error)
{
	struct stat status;
	ssize_t count;

	if (fstat(fd, &status) < 0)
		return map_open_failed(options, -errno, error);
	if (!S_ISREG(status.st_mode)) {
		ZGI_PMEM_TELL(error, "%s: is no regular file: name another", options->path);
		return -EMEDIUMTYPE;
	}
	memset(ret_header, 0, sizeof(*ret_header));
	count = pread(fd, ret_header, sizeof(*ret_header), 0);
	if (count < 0)
		return map_open_failed(options, -errno, error);
	return zgi_map_header_check(ret_header, (uint64_t)status.st_size, options, error);
}

/* A file may have lost blocks to a copy that left out its zeros. */
static int map_reserve(int fd, const struct zg_pmem_options *options, uint64_t size,
		       struct zg_text *error)
{
	int result = options->read_only ? 0 : zgi_map_reserve(fd, zgi_map_file_size(size));

	if (result < 0)
		ZGI_PMEM_TELL(
			error,
			"%s: has holes, and the disk has no room to fill them (%s): free some",
			options->path, strerrordesc_np(-result));
	return result;
}

/* An open file that is to be used: of its name, locked, and found good. */
static int map_take_file(struct zg_pmem *map, const struct zg_pmem_options *options,
			 struct zgi_map_header *ret_header, struct zg_text *error)
{
	/* Not to wait for who opens the other end, should it be a pipe. */
	int flags = O_CLOEXEC | O_NONBLOCK | (options->read_only ? O_RDONLY : O_RDWR);
	int result;

	map->fd = open(options->path, flags);
	if (map->fd < 0 && errno == ENOENT && options->create) {
		map->fd = zgi_map_create(options, error);
		map->is_new = true;
		if (map->fd < 0)
			return map->fd;
		return map_check_file(map->fd, options, ret_header, error);
	}
	if (map->fd < 0)
		return map_open_failed(options, -errno, error);
	result = zgi_map_lock(map->fd, options, error);
	if (result == 0)
		result = map_check_file(map->fd, options, ret_header, error);
	if (result == 0)
		result = map_reserve(map->fd, options, ret_header->size, error);
	return result;
}

static int map_pages(struct zg_pmem *map, const struct zg_pmem_options *options,
		     struct zg_text *error)
{
	uint64_t size = zgi_map_file_size(map->size);
	char path[64];
	size_t mapped_size = size;
	int is_pmem = 0;
	void *pages;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", map->fd);
	if (options->read_only)
		pages = mmap(NULL, size, PROT_READ, MAP_SHARED, map->fd, 0);
	else
		pages = pmem_map_file(path, 0, 0, 0, &mapped_size, &is_pmem);
	if (pages == NULL || pages == MAP_FAILED) {
		int result = -errno;

		ZGI_PMEM_TELL(error, "%s: cannot be mapped: %s", options->path,
			      strerrordesc_np(-result));
		return result;
	}
	zg_assert(mapped_size == size);
	map->bytes = (unsigned char *)pages + ZG_PMEM_HEADER_SIZE;
	map->is_persistent_memory = is_pmem != 0;
	return 0;
}

int zg_pmem_open(struct zg_pmem *map, const struct zg_pmem_options *options,
		 struct zg_text *ret_error)
{
	struct zg_pmem made = {
		.magic = ZGI_PMEM_MAGIC,
		.is_read_only = options->read_only,
		.fd = -1,
	};
	struct zgi_map_header header = {0};
	int result;

	zg_assert(map != NULL);
	result = map_check_options(options, ret_error);
	if (result == 0)
		result = map_take_file(&made, options, &header, ret_error);
	if (result == 0) {
		made.size = header.size;
		made.version = header.version;
		result = map_pages(&made, options, ret_error);
	}
	if (result < 0) {
		if (made.fd >= 0)
			close(made.fd);
		return result;
	}
	*map = made;
	return 0;
}

void zg_pmem_close(struct zg_pmem *map)
{
	if (map->magic == 0)
		return;
	zg_assert(map->magic == ZGI_PMEM_MAGIC);
	if (map->fd >= 0) {
		unsigned char *pages = map->bytes - ZG_PMEM_HEADER_SIZE;
		size_t size = zgi_map_file_size(map->size);

		if (map->is_read_only)
			munmap(pages, size);
		else
			pmem_unmap(pages, size);
		close(map->fd);
	}
	*map = (struct zg_pmem){.fd = -1};
}
