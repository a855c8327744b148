/*
 * Maps: what a file that is made, opened, refused or shared has to be, and that one that is
 * refused is left as it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zerog/pmem.h>

#include "base/crc32c.h"
#include "pmem/map_header.h"

#define SIZE 10000
#define MAGIC UINT64_C(0x1122334455667788)
#define FILE_SIZE (4096 + 3 * 4096)

static char folder[64];
static char path[96];
static char message[512];
static struct zg_text error;

static int setup(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/zerog-map-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	zg_text_init(&error, message, sizeof(message));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static struct zg_pmem_options options_for(bool create)
{
	return (struct zg_pmem_options){
		.path = path,
		.size = SIZE,
		.magic = MAGIC,
		.version = 3,
		.create = create,
	};
}

static void open_good(struct zg_pmem *map, bool create)
{
	struct zg_pmem_options options = options_for(create);

	assert_int_equal(zg_pmem_open(map, &options, &error), 0);
}

/* Makes a file with one word in it, and closes it. */
static void make_file(void)
{
	struct zg_pmem map;

	open_good(&map, true);
	zg_pmem_store64(&map, 8, 42);
	zg_pmem_flush(&map, 8, 8);
	assert_int_equal(zg_pmem_fence(&map), 0);
	zg_pmem_close(&map);
}

static struct stat status_of(void)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status;
}

/* That it fails, says so, and leaves the file as it was. */
static void assert_refused(const struct zg_pmem_options *options, int expected, const char *words)
{
	static unsigned char before[FILE_SIZE + 1];
	static unsigned char after[FILE_SIZE + 1];
	struct zg_pmem map = {.size = 77};
	ssize_t size;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	size = read(fd, before, sizeof(before));
	zg_text_init(&error, message, sizeof(message));
	assert_int_equal(zg_pmem_open(&map, options, &error), expected);
	assert_int_equal(map.size, 77);
	if (strstr(message, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", message, words);
	assert_non_null(strstr(message, path));
	assert_int_equal(pread(fd, after, sizeof(after), 0), size);
	assert_memory_equal(before, after, size < 0 ? 0 : (size_t)size);
	close(fd);
	/* Without anybody to tell it does the same. */
	assert_int_equal(zg_pmem_open(&map, options, NULL), expected);
}

static void new_file_is_zeroed_and_says_that_it_is_new(void **state)
{
	struct zg_pmem map;

	(void)state;
	open_good(&map, true);
	assert_true(map.is_new);
	assert_int_equal(map.size, SIZE);
	assert_int_equal(map.version, 3);
	for (size_t index = 0; index < SIZE; index++)
		assert_int_equal(zg_pmem_bytes(&map)[index], 0);
	assert_int_equal((uintptr_t)zg_pmem_bytes(&map) % 4096, 0);
	zg_pmem_close(&map);
	assert_int_equal(status_of().st_size, FILE_SIZE);
	assert_int_equal(status_of().st_mode & 0777, 0600);
}

static void what_was_stored_is_there_at_the_next_opening(void **state)
{
	struct zg_pmem map;
	uint64_t word;

	(void)state;
	make_file();
	open_good(&map, true);
	assert_false(map.is_new);
	memcpy(&word, zg_pmem_bytes(&map) + 8, sizeof(word));
	assert_int_equal(word, 42);
	zg_pmem_close(&map);
}

static void every_block_is_reserved_when_the_file_is_made(void **state)
{
	(void)state;
	make_file();
	assert_true(status_of().st_blocks * 512 >= FILE_SIZE);
}

static void holes_that_a_copy_made_are_filled_at_opening(void **state)
{
	struct zg_pmem map;
	int fd;

	(void)state;
	make_file();
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8192, 8192) < 0) {
		close(fd);
		skip();
	}
	close(fd);
	assert_true(status_of().st_blocks * 512 < FILE_SIZE);
	open_good(&map, false);
	zg_pmem_close(&map);
	assert_true(status_of().st_blocks * 512 >= FILE_SIZE);
}

static void file_may_be_written_through_when_it_is_made(void **state)
{
	struct zg_pmem_options options = options_for(true);
	struct zg_pmem map;

	(void)state;
	options.write_through = true;
	assert_int_equal(zg_pmem_open(&map, &options, &error), 0);
	assert_int_equal(zg_pmem_bytes(&map)[SIZE - 1], 0);
	zg_pmem_close(&map);
	open_good(&map, false);
	zg_pmem_close(&map);
}

static void size_may_be_left_to_the_file(void **state)
{
	struct zg_pmem_options options = options_for(false);
	struct zg_pmem map;

	(void)state;
	make_file();
	options.size = 0;
	assert_int_equal(zg_pmem_open(&map, &options, &error), 0);
	assert_int_equal(map.size, SIZE);
	zg_pmem_close(&map);
}

static void ordinary_file_says_that_it_is_one(void **state)
{
	struct zg_pmem map;

	(void)state;
	open_good(&map, true);
	assert_false(zg_pmem_is_persistent_memory(&map));
	assert_true(zg_pmem_fd(&map) >= 0);
	zg_pmem_close(&map);
}

static void missing_file_is_refused_unless_it_is_to_be_made(void **state)
{
	struct zg_pmem_options options = options_for(false);
	struct zg_pmem map;

	(void)state;
	assert_int_equal(zg_pmem_open(&map, &options, &error), -ENOENT);
	assert_non_null(strstr(message, "create it, or name another"));
}

static void missing_folder_is_told(void **state)
{
	struct zg_pmem_options options = options_for(true);
	struct zg_pmem map;
	char elsewhere[128];

	(void)state;
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s/none/file", folder);
	options.path = elsewhere;
	assert_int_equal(zg_pmem_open(&map, &options, &error), -ENOENT);
	assert_non_null(strstr(message, "make its folder first"));
}

static void path_without_a_folder_is_of_the_current_one(void **state)
{
	struct zg_pmem_options options = options_for(true);
	struct zg_pmem map;
	char before[4096];

	(void)state;
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(folder), 0);
	options.path = "file";
	assert_int_equal(zg_pmem_open(&map, &options, &error), 0);
	zg_pmem_close(&map);
	assert_int_equal(chdir(before), 0);
	assert_int_equal(status_of().st_size, FILE_SIZE);
}

static void options_that_contradict_each_other_are_refused(void **state)
{
	struct zg_pmem_options options = options_for(true);
	struct zg_pmem map;

	(void)state;
	options.size = 0;
	assert_int_equal(zg_pmem_open(&map, &options, &error), -EINVAL);
	options.size = ZG_PMEM_SIZE_MAX + 1;
	assert_int_equal(zg_pmem_open(&map, &options, &error), -EINVAL);
	options.size = SIZE;
	options.read_only = true;
	assert_int_equal(zg_pmem_open(&map, &options, &error), -EINVAL);
	options = options_for(true);
	options.path = "";
	assert_int_equal(zg_pmem_open(&map, &options, &error), -EINVAL);
	options.path = NULL;
	assert_int_equal(zg_pmem_open(&map, &options, &error), -EINVAL);
	assert_int_equal(access(path, F_OK), -1);
}

static void write_file(const char *content, size_t size)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, size), size);
	close(fd);
}

static void file_of_somebody_else_is_refused(void **state)
{
	static const char zeros[FILE_SIZE];
	struct zg_pmem_options options = options_for(true);

	(void)state;
	write_file("", 0);
	assert_refused(&options, -EMEDIUMTYPE, "is no zerog persistent-memory file");
	write_file("Dear diary", 10);
	assert_refused(&options, -EMEDIUMTYPE, "is no zerog persistent-memory file");
	write_file(zeros, sizeof(zeros));
	assert_refused(&options, -EMEDIUMTYPE, "is no zerog persistent-memory file");
}

static void file_of_another_kind_is_refused(void **state)
{
	struct zg_pmem_options options = options_for(true);

	(void)state;
	make_file();
	options.magic++;
	assert_refused(&options, -EMEDIUMTYPE, "holds something else");
}

static void file_of_a_newer_version_is_refused_and_an_older_one_told(void **state)
{
	struct zg_pmem_options options = options_for(true);
	struct zg_pmem map;

	(void)state;
	make_file();
	options.version = 2;
	assert_refused(&options, -EPROTONOSUPPORT, "update this program");
	options.version = 4;
	assert_int_equal(zg_pmem_open(&map, &options, &error), 0);
	assert_int_equal(map.version, 3);
	zg_pmem_close(&map);
}

static void file_of_a_newer_format_is_refused(void **state)
{
	struct zg_pmem_options options = options_for(true);
	struct zgi_map_header header;
	int fd;

	(void)state;
	make_file();
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(read(fd, &header, sizeof(header)), sizeof(header));
	header.format = 2;
	header.checksum = zgi_crc32c(0, &header, offsetof(struct zgi_map_header, checksum));
	assert_int_equal(pwrite(fd, &header, sizeof(header), 0), sizeof(header));
	close(fd);
	assert_refused(&options, -EPROTONOSUPPORT, "was made by a newer zerog");
}

static void file_of_another_size_is_refused(void **state)
{
	struct zg_pmem_options options = options_for(true);

	(void)state;
	make_file();
	options.size = SIZE + 1;
	assert_refused(&options, -ERANGE, "has room for 10000 bytes, 10001 are wanted");
}

static void file_that_was_cut_or_added_to_is_refused(void **state)
{
	struct zg_pmem_options options = options_for(true);

	(void)state;
	make_file();
	assert_int_equal(truncate(path, FILE_SIZE - 1), 0);
	assert_refused(&options, -EBADMSG, "it was cut or added to");
	assert_int_equal(truncate(path, FILE_SIZE + 1), 0);
	assert_refused(&options, -EBADMSG, "it was cut or added to");
	assert_int_equal(truncate(path, 100), 0);
	assert_refused(&options, -EMEDIUMTYPE, "is no zerog persistent-memory file");
}

static void no_bit_of_the_header_can_change_unseen(void **state)
{
	struct zg_pmem_options options = options_for(true);
	int fd;

	(void)state;
	make_file();
	fd = open(path, O_RDWR | O_CLOEXEC);
	for (off_t at = 0; at < (off_t)sizeof(struct zgi_map_header); at++) {
		for (int bit = 0; bit < 8; bit++) {
			struct zg_pmem map;
			unsigned char byte;
			unsigned char bad;
			int result;

			assert_int_equal(pread(fd, &byte, 1, at), 1);
			bad = (unsigned char)(byte ^ 1 << bit);
			assert_int_equal(pwrite(fd, &bad, 1, at), 1);
			result = zg_pmem_open(&map, &options, NULL);
			assert_true(result == -EMEDIUMTYPE || result == -EBADMSG ||
				    result == -EPROTONOSUPPORT);
			assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		}
	}
	close(fd);
}

static void what_is_no_regular_file_is_refused(void **state)
{
	struct zg_pmem_options options = options_for(true);
	struct zg_pmem map;

	(void)state;
	options.path = folder;
	assert_int_equal(zg_pmem_open(&map, &options, &error), -EISDIR);
	assert_int_equal(mkfifo(path, 0600), 0);
	options = options_for(false);
	assert_int_equal(zg_pmem_open(&map, &options, &error), -EMEDIUMTYPE);
	options.read_only = true;
	assert_int_equal(zg_pmem_open(&map, &options, &error), -EMEDIUMTYPE);
	options.path = folder;
	assert_int_equal(zg_pmem_open(&map, &options, &error), -EMEDIUMTYPE);
}

static void second_opening_is_refused_while_the_first_lasts(void **state)
{
	struct zg_pmem_options options = options_for(true);
	struct zg_pmem map;

	(void)state;
	open_good(&map, true);
	assert_refused(&options, -EBUSY, "is open already");
	options.create = false;
	options.read_only = true;
	assert_refused(&options, -EBUSY, "is open already");
	zg_pmem_close(&map);
	open_good(&map, false);
	zg_pmem_close(&map);
}

/* Runs it in a process of its own; returns what it returned, at most 255. */
static int in_process(int (*act)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(act());
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int open_elsewhere(void)
{
	struct zg_pmem_options options = options_for(false);
	struct zg_pmem map;

	return -zg_pmem_open(&map, &options, NULL);
}

static void another_process_is_kept_out(void **state)
{
	struct zg_pmem map;

	(void)state;
	open_good(&map, true);
	assert_int_equal(in_process(open_elsewhere), EBUSY);
	zg_pmem_close(&map);
	assert_int_equal(in_process(open_elsewhere), 0);
}

static void those_that_only_read_share_the_file(void **state)
{
	struct zg_pmem_options options = options_for(false);
	struct zg_pmem first;
	struct zg_pmem second;
	uint64_t word;

	(void)state;
	make_file();
	options.read_only = true;
	assert_int_equal(zg_pmem_open(&first, &options, &error), 0);
	assert_int_equal(zg_pmem_open(&second, &options, &error), 0);
	assert_true(first.is_read_only);
	memcpy(&word, zg_pmem_bytes(&second) + 8, sizeof(word));
	assert_int_equal(word, 42);
	options.read_only = false;
	assert_refused(&options, -EBUSY, "is open already");
	zg_pmem_close(&second);
	zg_pmem_close(&first);
}

static int open_as_nobody(void)
{
	struct zg_pmem_options options = options_for(false);
	struct zg_pmem map;

	if (geteuid() == 0 && seteuid(65534) < 0)
		return 1;
	if (zg_pmem_open(&map, &options, &error) != -EACCES)
		return 2;
	return strstr(message, "let this user write it, or open it read-only") != NULL ? 0 : 3;
}

static void file_that_may_not_be_written_is_told(void **state)
{
	(void)state;
	make_file();
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(chmod(path, 0444), 0);
	assert_int_equal(in_process(open_as_nobody), 0);
}

static void file_that_was_opened_read_only_is_not_changed_by_it(void **state)
{
	struct zg_pmem_options options = options_for(false);
	struct zg_pmem map;
	struct stat before;

	(void)state;
	make_file();
	before = status_of();
	options.read_only = true;
	assert_int_equal(zg_pmem_open(&map, &options, &error), 0);
	zg_pmem_close(&map);
	assert_int_equal(status_of().st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	assert_int_equal(status_of().st_ctim.tv_nsec, before.st_ctim.tv_nsec);
}

static bool folder_is_empty(void)
{
	DIR *listing = opendir(folder);
	bool is_empty = true;

	for (struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing))
		if (entry->d_name[0] != '.')
			is_empty = false;
	closedir(listing);
	return is_empty;
}

static int make_past_the_limit_of_files(void)
{
	struct zg_pmem_options options = options_for(true);
	struct rlimit limit = {8192, 8192};
	struct zg_pmem map;

	if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return 1;
	if (zg_pmem_open(&map, &options, &error) != -EFBIG)
		return 2;
	if (strstr(message, "no room for 16384 bytes") == NULL)
		return 3;
	return folder_is_empty() ? 0 : 4;
}

static void file_that_may_not_grow_fails_when_it_is_made_and_leaves_nothing(void **state)
{
	(void)state;
	assert_int_equal(in_process(make_past_the_limit_of_files), 0);
}

#define NO_NAMESPACES 77

static void write_id_map(const char *map_path, unsigned int id)
{
	int fd = open(map_path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)dprintf(fd, "0 %u 1", id);
		close(fd);
	}
}

/* Mounts of its own, for this process. Return: whether they can be had. */
static bool have_own_mounts(void)
{
	unsigned int user = geteuid();
	unsigned int group = getegid();
	int fd;

	if (unshare(CLONE_NEWNS) < 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
			return false;
		fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
		if (fd >= 0) {
			(void)dprintf(fd, "deny");
			close(fd);
		}
		write_id_map("/proc/self/uid_map", user);
		write_id_map("/proc/self/gid_map", group);
	}
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static int make_on_a_full_disk(void)
{
	struct zg_pmem_options options = options_for(true);
	struct zg_pmem map;

	if (!have_own_mounts() || mount("tmpfs", folder, "tmpfs", 0, "size=65536") < 0)
		return NO_NAMESPACES;
	options.size = 65536;
	if (zg_pmem_open(&map, &options, &error) != -ENOSPC)
		return 2;
	if (strstr(message, "free some, or ask for less") == NULL)
		return 3;
	if (!folder_is_empty())
		return 4;
	options.size = 40000;
	return zg_pmem_open(&map, &options, &error) == 0 ? 0 : 5;
}

static void full_disk_fails_the_making_and_no_store_later(void **state)
{
	int status = in_process(make_on_a_full_disk);

	(void)state;
	if (status == NO_NAMESPACES)
		skip();
	assert_int_equal(status, 0);
}

static void zeroed_map_can_be_closed(void **state)
{
	struct zg_pmem map = {0};

	(void)state;
	zg_pmem_close(&map);
	open_good(&map, true);
	zg_pmem_close(&map);
	zg_pmem_close(&map);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_file_is_zeroed_and_says_that_it_is_new),
		TEST(what_was_stored_is_there_at_the_next_opening),
		TEST(every_block_is_reserved_when_the_file_is_made),
		TEST(holes_that_a_copy_made_are_filled_at_opening),
		TEST(file_may_be_written_through_when_it_is_made),
		TEST(size_may_be_left_to_the_file),
		TEST(ordinary_file_says_that_it_is_one),
		TEST(missing_file_is_refused_unless_it_is_to_be_made),
		TEST(missing_folder_is_told),
		TEST(path_without_a_folder_is_of_the_current_one),
		TEST(options_that_contradict_each_other_are_refused),
		TEST(file_of_somebody_else_is_refused),
		TEST(file_of_another_kind_is_refused),
		TEST(file_of_a_newer_version_is_refused_and_an_older_one_told),
		TEST(file_of_a_newer_format_is_refused),
		TEST(file_of_another_size_is_refused),
		TEST(file_that_was_cut_or_added_to_is_refused),
		TEST(no_bit_of_the_header_can_change_unseen),
		TEST(what_is_no_regular_file_is_refused),
		TEST(second_opening_is_refused_while_the_first_lasts),
		TEST(another_process_is_kept_out),
		TEST(those_that_only_read_share_the_file),
		TEST(file_that_may_not_be_written_is_told),
		TEST(file_that_was_opened_read_only_is_not_changed_by_it),
		TEST(file_that_may_not_grow_fails_when_it_is_made_and_leaves_nothing),
		TEST(full_disk_fails_the_making_and_no_store_later),
		TEST(zeroed_map_can_be_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
