/*
 * A folder is walked once, at boot. Each name is opened from the folder itself with
 * RESOLVE_BENEATH, so that it is the kernel that sees to it that no link leads out.
 */

#include "web/static_table.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"

#define STATIC_ENTRIES_SIZE 1024

struct zgi_static_table zgi_static_table;

/* A walk through one folder of the table. */
struct static_walk {
	struct zgi_static_table *table;
	uint32_t folder;
	int root_fd;
	struct zg_text *error;
	char path[ZG_STATIC_PATH_SIZE + 1]; /* where the walk is, from the root */
};

/* FNV-1a. */
static uint32_t static_hash(uint32_t folder, struct zg_slice path)
{
	uint32_t hash = UINT32_C(0x811c9dc5) ^ folder;

	for (size_t index = 0; index < path.size; index++)
		hash = (hash ^ (unsigned char)path.data[index]) * UINT32_C(0x01000193);
	return hash;
}

static uint32_t static_place_count(uint32_t file_count_max)
{
	uint32_t count = 2;

	while (count < file_count_max)
		count *= 2;
	return count;
}

uint64_t zgi_static_table_size(uint32_t file_count_max)
{
	return (uint64_t)file_count_max * sizeof(struct zgi_static_file) +
	       (uint64_t)static_place_count(file_count_max) * sizeof(uint32_t);
}

const struct zgi_static_file *zgi_static_find(const struct zgi_static_table *table, uint32_t folder,
					      struct zg_slice path)
{
	uint32_t hash = static_hash(folder, path);
	uint32_t index;

	if (table->place_count == 0)
		return NULL;
	for (index = table->places[hash & (table->place_count - 1)]; index != ZGI_STATIC_NONE;
	     index = table->files[index].next) {
		const struct zgi_static_file *file = &table->files[index];

		if (file->hash == hash && file->folder == folder &&
		    zg_slice_equals((struct zg_slice){file->path, file->path_size}, path))
			return file;
	}
	return NULL;
}

/* One sentence about what is wrong with a name. */
static int static_refuse(const struct static_walk *walk, int error, const char *what)
{
	zg_text_print(walk->error, "\"%s/%s\" %s", walk->table->folders[walk->folder].path,
		      walk->path, what);
	return error;
}

/* Before Linux 5.6, and where a container's filter does not know the call, no link is followed. */
static int static_open_at(int root_fd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = openat(root_fd, path, flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	return fd < 0 ? -errno : (int)fd;
}

static const char *static_open_error_text(int error)
{
	switch (error) {
	case -EXDEV:
		return "leads out of the folder that is served: remove it";
	case -ELOOP:
		return "is a link that cannot be followed: remove it";
	case -EMFILE:
	case -ENFILE:
		return "is one file too many to be open at once: raise RLIMIT_NOFILE (ulimit -n)";
	default:
		return strerrordesc_np(-error);
	}
}

/* Small files are read while there is room for them. */
static void static_file_load(struct zgi_static_table *table, struct zgi_static_file *file)
{
	unsigned char *memory = table->memory + table->memory_used;

	if (file->size > ZGI_STATIC_SMALL_SIZE || file->size == 0 ||
	    file->size > table->memory_size - table->memory_used)
		return;
	if (pread(file->fd, memory, file->size, 0) != (ssize_t)file->size)
		return;
	file->memory = memory;
	table->memory_used += file->size;
}

static int static_file_add(struct static_walk *walk, int fd, const struct stat *status)
{
	struct zgi_static_table *table = walk->table;
	struct zg_slice path = {walk->path, strlen(walk->path)};
	uint32_t hash = static_hash(walk->folder, path);
	uint32_t *place = &table->places[hash & (table->place_count - 1)];
	struct zgi_static_file *file;

	if (table->file_count == table->file_count_max)
		return static_refuse(walk, -ENOSPC, "is one file too many: raise --static-files");
	file = &table->files[table->file_count];
	*file = (struct zgi_static_file){
		.hash = hash,
		.fd = fd,
		.size = (uint64_t)status->st_size,
		.modified_s = status->st_mtim.tv_sec,
		.modified_ns = status->st_mtim.tv_nsec,
		.type = zgi_static_type(path),
		.siblings = {ZGI_STATIC_NONE, ZGI_STATIC_NONE, ZGI_STATIC_NONE},
		.folder = (uint16_t)walk->folder,
		.path_size = (uint16_t)path.size,
		.next = *place,
	};
	memcpy(file->path, path.data, path.size);
	*place = table->file_count++;
	static_file_load(table, file);
	return 0;
}

static int static_walk_folder(struct static_walk *walk, int fd, uint32_t depth);

/* The walk's path names something that is no dot file. The descriptor is closed unless it is kept.
 */
static int static_walk_entry(struct static_walk *walk, bool is_link, uint32_t depth)
{
	struct stat status;
	int fd = static_open_at(walk->root_fd, walk->path, 0);
	int result;

	if (fd < 0)
		return static_refuse(walk, fd, static_open_error_text(fd));
	if (fstat(fd, &status) < 0) {
		result = static_refuse(walk, -errno, strerrordesc_np(errno));
	} else if (S_ISREG(status.st_mode)) {
		result = static_file_add(walk, fd, &status);
		if (result == 0)
			return 0;
	} else if (S_ISDIR(status.st_mode)) {
		if (is_link)
			result = static_refuse(walk, -ELOOP,
					       "is a link to a folder: only files may be linked");
		else if (depth == ZG_STATIC_DEPTH_MAX)
			result = static_refuse(walk, -ENAMETOOLONG, "is a folder too deep");
		else
			result = static_walk_folder(walk, fd, depth + 1);
	} else {
		result = static_refuse(walk, -EINVAL, "is neither a file nor a folder");
	}
	close(fd);
	return result;
}

/* A name in the folder that the walk is in, whose path is so long. */
static int static_walk_name(struct static_walk *walk, size_t path_size, const char *name,
			    uint32_t depth)
{
	size_t name_size = strlen(name);
	size_t offset = path_size;
	struct stat status;
	int result;

	if (name[0] == '.')
		return 0;
	if (offset + 1 + name_size > ZG_STATIC_PATH_SIZE)
		return static_refuse(walk, -ENAMETOOLONG,
				     "holds a name that makes its path too long: shorten it");
	if (offset > 0)
		walk->path[offset++] = '/';
	memcpy(walk->path + offset, name, name_size + 1);
	if (fstatat(walk->root_fd, walk->path, &status, AT_SYMLINK_NOFOLLOW) < 0)
		result = static_refuse(walk, -errno, strerrordesc_np(errno));
	else
		result = static_walk_entry(walk, S_ISLNK(status.st_mode), depth);
	walk->path[path_size] = '\0';
	return result;
}

/* getdents64 itself, for opendir() would take memory from the heap. */
static int static_walk_folder(struct static_walk *walk, int fd, uint32_t depth)
{
	_Alignas(struct dirent64) char entries[STATIC_ENTRIES_SIZE];
	size_t path_size = strlen(walk->path);
	ssize_t size;

	while ((size = getdents64(fd, entries, sizeof(entries))) > 0) {
		for (ssize_t offset = 0; offset < size;) {
			const struct dirent64 *entry =
				(const struct dirent64 *)(const void *)(entries + offset);
			int result = static_walk_name(walk, path_size, entry->d_name, depth);

			if (result < 0)
				return result;
			offset += entry->d_reclen;
		}
	}
	return size < 0 ? static_refuse(walk, -errno, strerrordesc_np(errno)) : 0;
}

static int static_walk_root(struct zgi_static_table *table, uint32_t folder,
			    struct zg_text *ret_error)
{
	const char *path = table->folders[folder].path;
	struct static_walk walk = {.table = table, .folder = folder, .error = ret_error};
	int result;

	walk.root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (walk.root_fd < 0) {
		result = -errno;
		zg_text_print(ret_error,
			      "the folder \"%s\" of zg_static() cannot be opened: %s; start the "
			      "service where it is, or give its whole path",
			      path, strerrordesc_np(-result));
		return result;
	}
	result = static_walk_folder(&walk, walk.root_fd, 0);
	close(walk.root_fd);
	return result;
}

static bool static_is_older(const struct zgi_static_file *a, const struct zgi_static_file *b)
{
	return a->modified_s < b->modified_s ||
	       (a->modified_s == b->modified_s && a->modified_ns < b->modified_ns);
}

/* A file's siblings in other codings. One that is older was made of what the file was before. */
static void static_siblings_find(struct zgi_static_table *table, struct zgi_static_file *file)
{
	static const char *const ends[ZGI_HTTP_CODING_COUNT] = {".br", ".zst", ".gz"};
	char path[ZG_STATIC_PATH_SIZE + 8];

	memcpy(path, file->path, file->path_size);
	for (uint32_t coding = 0; coding < ZGI_HTTP_CODING_COUNT; coding++) {
		size_t size = strlen(ends[coding]);
		const struct zgi_static_file *sibling;

		memcpy(path + file->path_size, ends[coding], size);
		sibling = zgi_static_find(table, file->folder,
					  (struct zg_slice){path, file->path_size + size});
		if (sibling != NULL && !static_is_older(sibling, file))
			file->siblings[coding] = (uint32_t)(sibling - table->files);
	}
}

int zgi_static_open(struct zgi_static_table *table, const struct zgi_static_room *room,
		    struct zg_text *ret_error)
{
	int result = 0;

	zg_assert(room->file_count_max > 0);
	table->files = room->table;
	table->file_count = 0;
	table->file_count_max = room->file_count_max;
	table->places = (uint32_t *)(void *)(table->files + room->file_count_max);
	table->place_count = static_place_count(room->file_count_max);
	table->memory = room->memory;
	table->memory_size = room->memory_size;
	table->memory_used = 0;
	for (uint32_t index = 0; index < table->place_count; index++)
		table->places[index] = ZGI_STATIC_NONE;
	for (uint32_t folder = 0; folder < table->folder_count && result == 0; folder++)
		result = static_walk_root(table, folder, ret_error);
	for (uint32_t index = 0; index < table->file_count && result == 0; index++)
		static_siblings_find(table, &table->files[index]);
	return result;
}

void zgi_static_close(struct zgi_static_table *table)
{
	for (uint32_t index = 0; index < table->file_count; index++)
		close(table->files[index].fd);
	table->file_count = 0;
	table->place_count = 0;
}
