/*
 * The journal's directory: who may write to it, and what it holds.
 *
 * The control file is written before the first segment and once more when all are prepared. So a
 * segment that it counts and that is not there has been lost; one that it does not count yet was
 * being made when the process ended, and is made anew.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "pmem/journal_inside.h"

#define CONTROL_NAME "control"
#define CONTROL_NAME_UNFINISHED "control.tmp"
#define LOCK_NAME "lock"
#define DIRECTORY_MODE 0700
#define FILE_MODE 0600

static_assert(sizeof(struct zgi_journal_control) == 48, "the format of the control file");

/* What went wrong with which file. Return: the error. */
static int directory_say(const struct zg_journal *journal, const char *name, const char *what,
			 int error, struct zg_text *ret_error)
{
	zg_text_print(ret_error, "journal %s: %s%s%s: %s", journal->directory, name,
		      name[0] != '\0' ? " " : "", what, strerrordesc_np(-error));
	return error;
}

static void directory_keep_name(struct zg_journal *journal, const char *path)
{
	size_t size = strlen(path);
	size_t capacity = sizeof(journal->directory);

	if (size >= capacity)
		snprintf(journal->directory, capacity, "...%s", path + size - (capacity - 4));
	else
		memcpy(journal->directory, path, size + 1);
}

static int directory_lock(struct zg_journal *journal, struct zg_text *ret_error)
{
	char holder[16] = "";
	ssize_t size;

	journal->lock_fd = openat(journal->directory_fd, LOCK_NAME,
				  O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (journal->lock_fd < 0)
		return directory_say(journal, "", "the directory cannot be written to", -errno,
				     ret_error);
	if (flock(journal->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		int error = -errno;

		if (error != -EWOULDBLOCK)
			return directory_say(journal, LOCK_NAME, "cannot be locked", error,
					     ret_error);
		size = pread(journal->lock_fd, holder, sizeof(holder) - 1, 0);
		holder[size > 0 ? (size_t)size : 0] = '\0';
		holder[strspn(holder, "0123456789")] = '\0';
		zg_text_print(ret_error,
			      "journal %s: it is in use by process %s: end that one, or choose "
			      "another directory",
			      journal->directory, holder[0] != '\0' ? holder : "(unknown)");
		return -EBUSY;
	}
	size = snprintf(holder, sizeof(holder), "%d\n", (int)getpid());
	/* For people only: a disk that is full keeps nobody from the lock. */
	if (ftruncate(journal->lock_fd, 0) < 0 ||
	    pwrite(journal->lock_fd, holder, (size_t)size, 0) != size)
		return 0;
	return 0;
}

static uint32_t control_checksum(const struct zgi_journal_control *control)
{
	return zgi_crc32c(0, control, offsetof(struct zgi_journal_control, checksum));
}

int zgi_journal_control_write(struct zg_journal *journal, struct zgi_journal_control *control,
			      struct zg_text *ret_error)
{
	int fd = openat(journal->directory_fd, CONTROL_NAME_UNFINISHED,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	int error = 0;
	ssize_t size;

	if (fd < 0)
		return directory_say(journal, CONTROL_NAME, "cannot be written", -errno, ret_error);
	control->checksum = control_checksum(control);
	size = pwrite(fd, control, sizeof(*control), 0);
	if (size != (ssize_t)sizeof(*control))
		error = size < 0 ? -errno : -ENOSPC;
	else if (fsync(fd) < 0)
		error = -errno;
	close(fd);
	if (error == 0 && (renameat(journal->directory_fd, CONTROL_NAME_UNFINISHED,
				    journal->directory_fd, CONTROL_NAME) < 0 ||
			   fsync(journal->directory_fd) < 0))
		error = -errno;
	if (error < 0)
		return directory_say(journal, CONTROL_NAME, "cannot be written", error, ret_error);
	return 0;
}

static int control_create(struct zg_journal *journal, const struct zg_journal_options *options,
			  struct zgi_journal_control *ret_control, struct zg_text *ret_error)
{
	char name[ZGI_JOURNAL_NAME_SIZE];
	struct zgi_journal_control control = {
		.magic = ZGI_JOURNAL_FILE_MAGIC,
		.version = ZGI_JOURNAL_VERSION,
		.segment_size = options->segment_size,
	};

	zgi_journal_segment_name(0, name);
	if (faccessat(journal->directory_fd, name, F_OK, 0) == 0 ||
	    faccessat(journal->directory_fd, ZGI_JOURNAL_SNAPSHOT, F_OK, 0) == 0) {
		zg_text_print(ret_error,
			      "journal %s: the file " CONTROL_NAME
			      " is missing, but there are others of a journal: restore it, or "
			      "choose an empty directory",
			      journal->directory);
		return -ENOENT;
	}
	if (!options->create) {
		zg_text_print(ret_error, "journal %s: there is none: let it be created",
			      journal->directory);
		return -ENOENT;
	}
	if (getrandom(control.uuid, sizeof(control.uuid), 0) != (ssize_t)sizeof(control.uuid))
		return directory_say(journal, "", "getrandom", -EIO, ret_error);
	*ret_control = control;
	return zgi_journal_control_write(journal, ret_control, ret_error);
}

/* Whose it is comes before whether it is whole, and that before whether it fits. */
static int control_check(const struct zg_journal *journal, const struct zg_journal_options *options,
			 const struct zgi_journal_control *control, struct zg_text *ret_error)
{
	if (control->magic != ZGI_JOURNAL_FILE_MAGIC)
		return directory_say(journal, CONTROL_NAME, "belongs to another program",
				     -EMEDIUMTYPE, ret_error);
	if (control->checksum != control_checksum(control))
		return directory_say(journal, CONTROL_NAME, "is damaged: restore it", -EBADMSG,
				     ret_error);
	if (control->version > ZGI_JOURNAL_VERSION) {
		zg_text_print(ret_error,
			      "journal %s: it is of version %u, and this program knows versions up "
			      "to %u: use a newer program",
			      journal->directory, control->version, ZGI_JOURNAL_VERSION);
		return -EPROTONOSUPPORT;
	}
	if (control->segment_size != options->segment_size) {
		zg_text_print(ret_error,
			      "journal %s: it was made with segments of %llu bytes, and "
			      "segment_size is %llu: set it to the former",
			      journal->directory, (unsigned long long)control->segment_size,
			      (unsigned long long)options->segment_size);
		return -EINVAL;
	}
	if (control->segment_count > options->segment_count) {
		zg_text_print(ret_error,
			      "journal %s: it has %u segments, and segment_count is %u: raise it",
			      journal->directory, control->segment_count, options->segment_count);
		return -EINVAL;
	}
	return 0;
}

static int control_read(struct zg_journal *journal, const struct zg_journal_options *options,
			struct zgi_journal_control *ret_control, struct zg_text *ret_error)
{
	struct zgi_journal_control control = {0};
	int fd = openat(journal->directory_fd, CONTROL_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int result;
	ssize_t size;

	if (fd < 0 && errno == ENOENT)
		return control_create(journal, options, ret_control, ret_error);
	if (fd < 0)
		return directory_say(journal, CONTROL_NAME, "cannot be opened", -errno, ret_error);
	size = pread(fd, &control, sizeof(control), 0);
	result = size < 0 ? -errno : 0;
	close(fd);
	if (result < 0)
		return directory_say(journal, CONTROL_NAME, "cannot be read", result, ret_error);
	if (size < (ssize_t)sizeof(control))
		return directory_say(journal, CONTROL_NAME, "is cut short: restore it", -EBADMSG,
				     ret_error);
	result = control_check(journal, options, &control, ret_error);
	if (result == 0)
		*ret_control = control;
	return result;
}

int zgi_journal_directory_open(struct zg_journal *journal, const struct zg_journal_options *options,
			       struct zgi_journal_control *ret_control, struct zg_text *ret_error)
{
	int result;

	directory_keep_name(journal, options->directory);
	if (options->create && mkdir(options->directory, DIRECTORY_MODE) < 0 && errno != EEXIST)
		return directory_say(journal, "", "the directory cannot be made", -errno,
				     ret_error);
	journal->directory_fd = open(options->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (journal->directory_fd < 0)
		return directory_say(journal, "", "the directory cannot be opened", -errno,
				     ret_error);
	result = directory_lock(journal, ret_error);
	if (result < 0)
		return result;
	result = control_read(journal, options, ret_control, ret_error);
	if (result < 0)
		return result;
	memcpy(journal->uuid, ret_control->uuid, sizeof(journal->uuid));
	/* What a former process left half written. */
	if (unlinkat(journal->directory_fd, ZGI_JOURNAL_SNAPSHOT_UNFINISHED, 0) < 0 &&
	    errno != ENOENT)
		return directory_say(journal, ZGI_JOURNAL_SNAPSHOT_UNFINISHED, "cannot be removed",
				     -errno, ret_error);
	return 0;
}

void zgi_journal_directory_close(struct zg_journal *journal)
{
	if (journal->lock_fd >= 0)
		close(journal->lock_fd);
	if (journal->directory_fd >= 0)
		close(journal->directory_fd);
	journal->lock_fd = -1;
	journal->directory_fd = -1;
}
