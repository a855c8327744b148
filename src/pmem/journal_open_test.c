/*
 * What a journal says of a directory that is not as it should be, and that it leaves it so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "pmem/journal_fixture.h"
#include "pmem/journal_inside.h"

#define NOBODY 65534
#define SKIPPED 77 /* the exit status of a child that may not do what it has to */
#define RECORDS_OFFSET                                                             \
	(ZG_PMEM_HEADER_SIZE + ZG_JOURNAL_SEGMENT_OVERHEAD) /* in a segment's file \
							     */

static struct zg_journal *const journal = &fixture.journal;

static void make(uint32_t count)
{
	journal_fixture_start();
	journal_fixture_append_many(count, 8);
	zg_journal_close(journal);
}

static void journal_is_made_only_where_that_is_wanted(void **state)
{
	(void)state;
	fixture.options.create = false;
	assert_int_equal(journal_fixture_open(), -ENOENT);
	assert_false(journal_fixture_has("control"));
	fixture.options.create = true;
	make(1);
	fixture.options.create = false;
	journal_fixture_start();
	assert_int_equal(fixture.record_count, 1);
}

static void directory_is_made_as_well(void **state)
{
	char path[160];

	(void)state;
	snprintf(path, sizeof(path), "%s/new", fixture.directory);
	fixture.options.directory = path;
	journal_fixture_start();
	assert_true(journal_fixture_has("new/segment-0003"));
	zg_journal_close(journal);
	snprintf(path, sizeof(path), "%s/no/new", fixture.directory);
	assert_int_equal(journal_fixture_open(), -ENOENT);
	assert_true(journal_fixture_says("the directory cannot be made"));
}

static void options_out_of_range_are_named(void **state)
{
	struct zg_journal_options good = fixture.options;

	(void)state;
	fixture.options.segment_size = 65537;
	assert_int_equal(journal_fixture_open(), -EINVAL);
	assert_true(journal_fixture_says("segment_size is 65537"));
	fixture.options = good;
	fixture.options.segment_count = 1;
	assert_int_equal(journal_fixture_open(), -EINVAL);
	assert_true(journal_fixture_says("segment_count is 1"));
	fixture.options = good;
	fixture.options.memory_size = 100;
	assert_int_equal(journal_fixture_open(), -EINVAL);
	assert_true(journal_fixture_says("bytes of memory"));
	fixture.options = good;
	fixture.options.directory = "";
	assert_int_equal(journal_fixture_open(), -EINVAL);
	fixture.options = good;
}

static void second_process_is_refused(void **state)
{
	pid_t child;
	int status;

	(void)state;
	journal_fixture_start();
	child = fork();
	if (child == 0) {
		struct zg_journal other;
		char holder[32];

		snprintf(holder, sizeof(holder), "process %d", (int)getppid());
		_exit(zg_journal_open(&other, &fixture.options, &fixture.text) == -EBUSY &&
				      journal_fixture_says(holder)
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	journal_fixture_append_many(1, 8);
}

static void journal_can_have_more_segments_later_but_not_fewer(void **state)
{
	(void)state;
	make(3);
	fixture.options.segment_count = 6;
	journal_fixture_start();
	assert_int_equal(fixture.record_count, 3);
	assert_int_equal(journal->stats.segments_free, 5);
	zg_journal_close(journal);
	fixture.options.segment_count = 5;
	assert_int_equal(journal_fixture_open(), -EINVAL);
	assert_true(journal_fixture_says("it has 6 segments, and segment_count is 5"));
}

static void segments_of_another_size_are_refused(void **state)
{
	(void)state;
	make(1);
	fixture.options.segment_size *= 2;
	assert_int_equal(journal_fixture_open(), -EINVAL);
	assert_true(journal_fixture_says("made with segments of 65536 bytes"));
}

static void missing_segment_is_named(void **state)
{
	(void)state;
	make(1);
	unlink(journal_fixture_path("segment-0002"));
	assert_int_equal(journal_fixture_open(), -ENOENT);
	assert_true(journal_fixture_says("segment-0002"));
	assert_false(journal_fixture_has("segment-0002"));
}

static void segments_that_were_being_made_are_made_anew(void **state)
{
	struct zgi_journal_control control;

	(void)state;
	make(0);
	/* As if the first process had ended before it counted them. */
	journal_fixture_read("control", 0, &control, sizeof(control));
	control.segment_count = 0;
	control.checksum = zgi_crc32c(0, &control, offsetof(struct zgi_journal_control, checksum));
	journal_fixture_write("control", 0, &control, sizeof(control));
	unlink(journal_fixture_path("segment-0003"));
	journal_fixture_start();
	assert_int_equal(journal->segment_count, 4);
	journal_fixture_append_many(1, 8);
}

static void missing_control_file_is_named(void **state)
{
	(void)state;
	make(1);
	unlink(journal_fixture_path("control"));
	assert_int_equal(journal_fixture_open(), -ENOENT);
	assert_true(journal_fixture_says("control is missing"));
	assert_false(journal_fixture_has("control"));
}

static void damaged_control_file_is_named(void **state)
{
	(void)state;
	make(1);
	journal_fixture_damage("control", 20, 1);
	assert_int_equal(journal_fixture_open(), -EBADMSG);
	assert_true(journal_fixture_says("control is damaged"));
	journal_fixture_damage("control", 20, 1);
	journal_fixture_damage("control", 0, 1);
	assert_int_equal(journal_fixture_open(), -EMEDIUMTYPE);
	journal_fixture_damage("control", -1, 0);
	assert_int_equal(journal_fixture_open(), -EBADMSG);
	assert_true(journal_fixture_says("control is cut short"));
}

static void newer_version_is_refused(void **state)
{
	struct zgi_journal_control control;

	(void)state;
	make(1);
	journal_fixture_read("control", 0, &control, sizeof(control));
	control.version++;
	control.checksum = zgi_crc32c(0, &control, offsetof(struct zgi_journal_control, checksum));
	journal_fixture_write("control", 0, &control, sizeof(control));
	assert_int_equal(journal_fixture_open(), -EPROTONOSUPPORT);
	assert_true(journal_fixture_says("version 2"));
}

static void other_programs_file_is_refused_and_left_alone(void **state)
{
	static char bytes[ZG_JOURNAL_SEGMENT_SIZE_MIN + ZG_PMEM_HEADER_SIZE];
	char after[8];

	(void)state;
	make(1);
	memset(bytes, 'x', sizeof(bytes));
	journal_fixture_write("segment-0001", 0, bytes, sizeof(bytes));
	assert_int_equal(journal_fixture_open(), -EMEDIUMTYPE);
	assert_true(journal_fixture_says("segment-0001"));
	journal_fixture_read("segment-0001", 4096, after, sizeof(after));
	assert_memory_equal(after, "xxxxxxxx", 8);
}

static void segment_of_another_journal_is_refused(void **state)
{
	static char bytes[ZG_JOURNAL_SEGMENT_SIZE_MIN + ZG_PMEM_HEADER_SIZE];

	(void)state;
	make(1);
	journal_fixture_read("segment-0001", 0, bytes, sizeof(bytes));
	assert_int_equal(journal_fixture_teardown(NULL), 0);
	assert_int_equal(journal_fixture_setup(NULL), 0);
	make(1);
	journal_fixture_write("segment-0001", 0, bytes, sizeof(bytes));
	assert_int_equal(journal_fixture_open(), -EMEDIUMTYPE);
	assert_true(journal_fixture_says("segment-0001 belongs to another journal"));
}

static void segment_under_anothers_name_is_refused(void **state)
{
	static char bytes[ZG_JOURNAL_SEGMENT_SIZE_MIN + ZG_PMEM_HEADER_SIZE];

	(void)state;
	make(1);
	journal_fixture_read("segment-0001", 0, bytes, sizeof(bytes));
	journal_fixture_write("segment-0002", 0, bytes, sizeof(bytes));
	assert_int_equal(journal_fixture_open(), -EMEDIUMTYPE);
	assert_true(journal_fixture_says("segment-0002 belongs to another journal"));
}

static void one_copy_of_a_segments_header_is_enough(void **state)
{
	(void)state;
	make(3);
	journal_fixture_damage("segment-0000", ZG_PMEM_HEADER_SIZE + 24, 1);
	journal_fixture_start();
	assert_int_equal(fixture.record_count, 3);
	zg_journal_close(journal);
	/* It has been mended: now the other one may go. */
	journal_fixture_damage("segment-0000", ZG_PMEM_HEADER_SIZE + 2048 + 24, 1);
	journal_fixture_start();
	assert_int_equal(fixture.record_count, 3);
}

static void segment_without_a_header_is_refused(void **state)
{
	(void)state;
	make(3);
	journal_fixture_damage("segment-0001", ZG_PMEM_HEADER_SIZE + 24, 1);
	journal_fixture_damage("segment-0001", ZG_PMEM_HEADER_SIZE + 2048 + 24, 1);
	assert_int_equal(journal_fixture_open(), -EBADMSG);
	assert_true(journal_fixture_says("segment-0001 is damaged"));
	fixture.options.accept_corruption = true;
	journal_fixture_start();
	assert_int_equal(fixture.record_count, 3);
	assert_int_equal(journal->stats.segments_free, 3);
}

static void torn_tail_is_cut_and_written_over(void **state)
{
	(void)state;
	make(3);
	/* The checksum of the third record's payload. */
	journal_fixture_damage("segment-0000", RECORDS_OFFSET + 2 * 32 + 24, 1);
	journal_fixture_start();
	assert_int_equal(fixture.record_count, 2);
	assert_int_equal(fixture.recovery.torn_size, 32);
	assert_int_equal(journal_fixture_append(8), 3);
	journal_fixture_restart();
	assert_int_equal(fixture.record_count, 3);
	assert_int_equal(fixture.recovery.torn_size, 0);
}

static void what_was_cut_never_comes_back(void **state)
{
	(void)state;
	journal_fixture_start();
	for (uint32_t count = 0; count < 4; count++)
		journal_fixture_append(8); /* not committed: the kernel may write any of them */
	zg_journal_close(journal);
	journal_fixture_damage("segment-0000", RECORDS_OFFSET + 32 + 24, 1);
	journal_fixture_start();
	assert_int_equal(fixture.record_count, 1);
	assert_int_equal(fixture.recovery.torn_count, 2);
	/* The second record anew, of the same size: the old third would follow it. */
	journal_fixture_append_many(1, 8);
	journal_fixture_restart();
	assert_int_equal(fixture.record_count, 2);
}

static void damage_is_refused_with_file_and_offset(void **state)
{
	(void)state;
	make(10);
	journal_fixture_damage("segment-0000", RECORDS_OFFSET + 4 * 32 + 24, 1);
	assert_int_equal(journal_fixture_open(), 0);
	assert_int_equal(journal_fixture_replay(), -EBADMSG);
	assert_true(journal_fixture_says("segment-0000 is damaged at offset 8320: record 5"));
	zg_journal_close(journal);

	fixture.options.accept_corruption = true;
	journal_fixture_start();
	assert_int_equal(fixture.record_count, 9);
	assert_int_equal(fixture.recovery.lost_count, 1);
	assert_int_equal(journal_fixture_append(8), 11);
}

static void reader_that_refuses_is_told_of(void **state)
{
	(void)state;
	make(2);
	assert_int_equal(journal_fixture_open(), 0);
	fixture.reader_result = -ENODATA;
	assert_int_equal(journal_fixture_replay(), -ENODATA);
	assert_true(journal_fixture_says("record 1 was refused"));
}

/* What a child finds, as its exit status; a test of its own user or mounts needs one. */
static void assert_child(int (*look)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(look());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIPPED)
		skip();
	if (WEXITSTATUS(status) != 0)
		print_error("the child found a mistake in line %d of 256 or more\n",
			    WEXITSTATUS(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int look_read_only(void)
{
	if (geteuid() == 0 && setuid(NOBODY) < 0)
		return SKIPPED;
	if (journal_fixture_open() != -EACCES)
		return 1;
	return journal_fixture_says("cannot be written to") ? 0 : 2;
}

static void read_only_directory_is_refused(void **state)
{
	(void)state;
	assert_int_equal(chmod(fixture.directory, 0555), 0);
	assert_child(look_read_only);
}

/* A file system of a given size over the directory. */
static int mount_small(const char *size)
{
	if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWNS | CLONE_NEWUSER) < 0)
		return -1;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return mount("tmpfs", fixture.directory, "tmpfs", 0, size);
}

static int look_small(void)
{
	struct zg_journal_stats stats;

	/* Three segments of 17 pages, and little else. */
	if (mount_small("nr_blocks=60,mode=0777") < 0)
		return SKIPPED;
	if (journal_fixture_open() != 0)
		return 1;
	zg_journal_read_stats(journal, &stats);
	if (stats.segments != 3 || stats.unprepared != 1)
		return 2;
	if (journal_fixture_replay() != 0)
		return 3;
	journal_fixture_append_many(1, 8);
	zg_journal_close(journal);
	if (journal_fixture_open() != 0 || journal_fixture_replay() != 0)
		return 4;
	return fixture.record_count == 1 ? 0 : 5;
}

static void with_too_little_space_it_goes_on_with_what_it_has(void **state)
{
	(void)state;
	assert_child(look_small);
}

static int look_tiny(void)
{
	if (mount_small("nr_blocks=30,mode=0777") < 0)
		return SKIPPED;
	return journal_fixture_open() == -ENOSPC && journal_fixture_says("segment-0001") ? 0 : 1;
}

static void without_space_for_two_segments_it_is_refused(void **state)
{
	(void)state;
	assert_child(look_tiny);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, journal_fixture_setup, journal_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(journal_is_made_only_where_that_is_wanted),
		TEST(directory_is_made_as_well),
		TEST(options_out_of_range_are_named),
		TEST(second_process_is_refused),
		TEST(journal_can_have_more_segments_later_but_not_fewer),
		TEST(segments_of_another_size_are_refused),
		TEST(missing_segment_is_named),
		TEST(segments_that_were_being_made_are_made_anew),
		TEST(missing_control_file_is_named),
		TEST(damaged_control_file_is_named),
		TEST(newer_version_is_refused),
		TEST(other_programs_file_is_refused_and_left_alone),
		TEST(segment_of_another_journal_is_refused),
		TEST(segment_under_anothers_name_is_refused),
		TEST(one_copy_of_a_segments_header_is_enough),
		TEST(segment_without_a_header_is_refused),
		TEST(torn_tail_is_cut_and_written_over),
		TEST(what_was_cut_never_comes_back),
		TEST(damage_is_refused_with_file_and_offset),
		TEST(reader_that_refuses_is_told_of),
		TEST(read_only_directory_is_refused),
		TEST(with_too_little_space_it_goes_on_with_what_it_has),
		TEST(without_space_for_two_segments_it_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
