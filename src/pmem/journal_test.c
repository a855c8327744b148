/*
 * What a journal promises to who appends: records, commits, rotation, limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pmem/journal_fixture.h"
#include "pmem/journal_inside.h"

#define RECORD_SIZE 1000 /* 64 of them, with their headers, do not fit a segment */

static struct zg_journal *const journal = &fixture.journal;

static void records_are_read_back_in_order(void **state)
{
	(void)state;
	journal_fixture_start();
	for (size_t size = 8; size < 100; size++)
		journal_fixture_append(size);
	assert_int_equal(zg_journal_commit(journal), 0);
	journal_fixture_restart();
	assert_int_equal(fixture.record_count, 92);
	assert_int_equal(fixture.sequence_first, 1);
	assert_int_equal(fixture.sequence_last, 92);
	assert_int_equal(journal_fixture_append(8), 93);
}

static void record_is_built_where_it_lies(void **state)
{
	void *place = NULL;

	(void)state;
	journal_fixture_start();
	assert_int_equal(zg_journal_reserve(journal, 1, 100, &place), 0);
	assert_ptr_equal(place, journal->bytes + ZG_JOURNAL_RECORD_OVERHEAD);
	assert_int_equal((uintptr_t)place % 8, 0);
}

static void padding_is_zeros(void **state)
{
	void *place = NULL;

	(void)state;
	journal_fixture_start();
	assert_int_equal(zg_journal_reserve(journal, 1, 9, &place), 0);
	memset(place, 0xa5, 16);
	zg_journal_publish(journal, NULL);
	assert_memory_equal((unsigned char *)place + 8, "\xa5\0\0\0\0\0\0\0", 8);
}

static void record_that_was_not_published_is_not_there(void **state)
{
	void *place;

	(void)state;
	journal_fixture_start();
	journal_fixture_append(8);
	assert_int_equal(zg_journal_reserve(journal, 1, 100, &place), 0);
	memset(place, 0xa5, 100);
	assert_int_equal(zg_journal_commit(journal), 0);
	journal_fixture_restart();
	assert_int_equal(fixture.record_count, 1);
	assert_int_equal(fixture.recovery.torn_size, 0);
}

static void append_copies(void **state)
{
	uint64_t words[2] = {1, 0};
	struct zg_journal_record record = {.bytes = words, .size = 8, .type = 1};
	uint64_t sequence = 0;

	(void)state;
	journal_fixture_start();
	assert_int_equal(zg_journal_append(journal, &record, &sequence), 0);
	assert_int_equal(sequence, 1);
	words[0] = 99;
	journal_fixture_restart();
	assert_int_equal(fixture.record_count, 1);
}

static void record_of_no_bytes_is_one(void **state)
{
	struct zg_journal_record record = {.type = 5};
	struct zg_journal_reader reader = {0};

	(void)state;
	journal_fixture_start();
	assert_int_equal(zg_journal_append(journal, &record, NULL), 0);
	zg_journal_close(journal);
	assert_int_equal(journal_fixture_open(), 0);
	assert_int_equal(zg_journal_replay(journal, &reader, &fixture.recovery, &fixture.text), 0);
	assert_int_equal(fixture.recovery.record_count, 1);
}

static void largest_record_fills_a_segment(void **state)
{
	size_t size_max;
	void *place;

	(void)state;
	journal_fixture_start();
	size_max = zg_journal_record_size_max(journal);
	assert_int_equal(zg_journal_reserve(journal, 0, size_max + 1, &place), -EMSGSIZE);
	journal_fixture_append_many(2, size_max);
	assert_int_equal(journal->current, 1);
	journal_fixture_restart();
	assert_int_equal(fixture.record_count, 2);
}

static void published_records_survive_their_process_uncommitted(void **state)
{
	(void)state;
	journal_fixture_start();
	journal_fixture_append(8);
	assert_true(zg_journal_is_dirty(journal));
	journal_fixture_restart();
	assert_int_equal(fixture.record_count, 1);
	assert_false(zg_journal_is_dirty(journal));
}

static void commit_tells_what_to_flush_and_up_to_where_it_counts(void **state)
{
	struct zg_journal_commit commit;

	(void)state;
	journal_fixture_start();
	journal_fixture_append(8);
	journal_fixture_append(8);
	assert_int_equal(zg_journal_commit_begin(journal, &commit), 1);
	assert_true(commit.fd >= 0);
	assert_int_equal(commit.sequence, 2);
	journal_fixture_append(8); /* not this commit's */
	assert_int_equal(fdatasync(commit.fd), 0);
	zg_journal_commit_end(journal, &commit, 0);
	assert_int_equal(journal->sequence_durable, 2);
	assert_true(zg_journal_is_dirty(journal));
}

static void one_commit_is_under_way_at_a_time(void **state)
{
	struct zg_journal_commit commit;
	struct zg_journal_commit other;

	(void)state;
	journal_fixture_start();
	journal_fixture_append(8);
	assert_int_equal(zg_journal_commit_begin(journal, &commit), 1);
	journal_fixture_append(8);
	assert_int_equal(zg_journal_commit_begin(journal, &other), -EBUSY);
	assert_int_equal(zg_journal_commit(journal), -EBUSY);
	zg_journal_commit_end(journal, &commit, 0);
	assert_int_equal(zg_journal_commit_begin(journal, &other), 1);
	assert_int_equal(other.sequence, 2);
	zg_journal_commit_end(journal, &other, 0);
}

static void with_nothing_to_commit_there_is_nothing_to_flush(void **state)
{
	struct zg_journal_commit commit;

	(void)state;
	journal_fixture_start();
	journal_fixture_append_many(1, 8);
	assert_int_equal(zg_journal_commit_begin(journal, &commit), 0);
	assert_int_equal(commit.fd, -1);
	assert_int_equal(commit.sequence, 1);
}

static void commit_ends_with_its_segment(void **state)
{
	struct zg_journal_commit commit;
	int former_fd;

	(void)state;
	journal_fixture_start();
	while (journal->current == 0)
		journal_fixture_append(RECORD_SIZE);
	assert_int_equal(zg_journal_commit_begin(journal, &commit), 1);
	assert_int_equal(commit.sequence, journal->sequence - 1);
	former_fd = commit.fd;
	zg_journal_commit_end(journal, &commit, 0);
	assert_int_equal(zg_journal_commit_begin(journal, &commit), 1);
	assert_int_equal(commit.sequence, journal->sequence);
	assert_int_not_equal(commit.fd, former_fd);
	zg_journal_commit_end(journal, &commit, 0);
	assert_false(zg_journal_is_dirty(journal));
}

static void waiting_commit_takes_all_segments(void **state)
{
	(void)state;
	journal_fixture_start();
	while (journal->current == 0)
		journal_fixture_append(RECORD_SIZE);
	assert_int_equal(zg_journal_commit(journal), 0);
	assert_false(zg_journal_is_dirty(journal));
	assert_int_equal(journal->stats.commits, 2);
}

static void after_a_failed_flush_nothing_is_acknowledged_any_more(void **state)
{
	struct zg_journal_commit commit;
	void *place;

	(void)state;
	journal_fixture_start();
	journal_fixture_append(8);
	assert_int_equal(zg_journal_commit_begin(journal, &commit), 1);
	zg_journal_commit_end(journal, &commit, -EIO);
	assert_int_equal(journal->sequence_durable, 0);
	assert_int_equal(zg_journal_reserve(journal, 0, 8, &place), -EIO);
	assert_int_equal(zg_journal_commit_begin(journal, &commit), -EIO);
	assert_int_equal(zg_journal_commit(journal), -EIO);
	assert_int_equal(journal->stats.commits_failed, 1);
}

static void records_go_through_all_segments_and_then_are_refused(void **state)
{
	uint64_t count;
	void *place;

	(void)state;
	journal_fixture_start();
	while (zg_journal_reserve(journal, 0, RECORD_SIZE, &place) == 0)
		journal_fixture_append_many(1, RECORD_SIZE);
	count = journal->sequence;
	assert_int_equal(count, 4 * ((65536 - 4096) / (RECORD_SIZE + 24)));
	assert_int_equal(zg_journal_reserve(journal, 0, RECORD_SIZE, &place), -ENOSPC);
	assert_int_equal(journal->stats.rotations, 3);
	assert_int_equal(journal->stats.refused, 2);
	assert_int_equal(journal->stats.segments_free, 0);
	journal_fixture_restart();
	assert_int_equal(fixture.record_count, count);
	assert_int_equal(zg_journal_reserve(journal, 0, RECORD_SIZE, &place), -ENOSPC);
}

static void third_segment_waits_for_the_first_to_be_durable(void **state)
{
	void *place;

	(void)state;
	journal_fixture_start();
	while (zg_journal_reserve(journal, 0, RECORD_SIZE, &place) == 0)
		journal_fixture_append(RECORD_SIZE);
	assert_int_equal(zg_journal_reserve(journal, 0, RECORD_SIZE, &place), -EAGAIN);
	assert_int_equal(journal->current, 1);
	assert_int_equal(journal->stats.congested, 2);
	assert_int_equal(zg_journal_commit(journal), 0);
	assert_int_equal(zg_journal_reserve(journal, 0, RECORD_SIZE, &place), 0);
	assert_int_equal(journal->current, 2);
}

static void counters_tell_what_was_done(void **state)
{
	struct zg_journal_stats stats;

	(void)state;
	journal_fixture_start();
	for (uint32_t count = 0; count < 5; count++)
		journal_fixture_append(100);
	assert_int_equal(zg_journal_commit(journal), 0);
	journal_fixture_append_many(2, 8);
	zg_journal_read_stats(journal, &stats);
	assert_int_equal(stats.records, 7);
	assert_int_equal(stats.bytes, 516);
	assert_int_equal(stats.commits, 3);
	assert_int_equal(stats.commit_records[0], 2);
	assert_int_equal(stats.commit_records[2], 1); /* of 4 to 7 */
	assert_int_equal(stats.sequence_last, 7);
	assert_int_equal(stats.sequence_durable, 7);
	assert_int_equal(stats.segments, 4);
	assert_int_equal(stats.segments_free, 3);
}

static void plan_has_the_memory_and_the_files(void **state)
{
	static struct zg_plan plan;

	(void)state;
	zg_plan_init(&plan);
	assert_int_equal(zg_journal_plan(&plan, &fixture.options), 0);
	assert_int_equal(zg_plan_find(&plan, "journal")->size_each,
			 zg_journal_memory_size(&fixture.options));
	assert_int_equal(zg_plan_find(&plan, "journal segments")->count, 4);
	assert_int_equal(zg_plan_find(&plan, "journal segments")->size_each, 65536 + 4096);
	fixture.options.segment_count = 1;
	assert_int_equal(zg_journal_plan(&plan, &fixture.options), -EINVAL);
}

static int write_nothing(void *user)
{
	(void)user;
	return 0;
}

/* What runs where libpmem takes every file for persistent memory. Return: 0 when all is well. */
static int run_forced(void)
{
	struct zg_journal_commit commit;
	void *place;

	if (journal_fixture_setup(NULL) < 0 || journal_fixture_open() < 0 ||
	    journal_fixture_replay() < 0)
		return 1;
	while (journal->current == 0) {
		if (zg_journal_reserve(journal, 0, RECORD_SIZE, &place) < 0)
			return 2;
		memset(place, 1, RECORD_SIZE);
		zg_journal_publish(journal, NULL);
	}
	if (zg_journal_commit_begin(journal, &commit) != 0 || commit.fd != -1 ||
	    commit.sequence != journal->sequence || zg_journal_is_dirty(journal))
		return 3;
	if (zg_journal_reserve(journal, 0, 0, &place) < 0)
		return 4;
	zg_journal_publish(journal, NULL);
	if (zg_journal_snapshot(journal, write_nothing, NULL) < 0 ||
	    journal->stats.segments_free != 3)
		return 5;
	return journal_fixture_teardown(NULL) == 0 ? 0 : 6;
}

/* libpmem looks at its environment when it is loaded. */
static void on_persistent_memory_a_commit_is_done_when_it_is_begun(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		(void)setenv("PMEM_IS_PMEM_FORCE", "1", 1);
		(void)execl("/proc/self/exe", "journal_test", "forced", (char *)NULL);
		_exit(126);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, journal_fixture_setup, journal_fixture_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(records_are_read_back_in_order),
		TEST(record_is_built_where_it_lies),
		TEST(padding_is_zeros),
		TEST(record_that_was_not_published_is_not_there),
		TEST(append_copies),
		TEST(record_of_no_bytes_is_one),
		TEST(largest_record_fills_a_segment),
		TEST(published_records_survive_their_process_uncommitted),
		TEST(commit_tells_what_to_flush_and_up_to_where_it_counts),
		TEST(one_commit_is_under_way_at_a_time),
		TEST(with_nothing_to_commit_there_is_nothing_to_flush),
		TEST(commit_ends_with_its_segment),
		TEST(waiting_commit_takes_all_segments),
		TEST(after_a_failed_flush_nothing_is_acknowledged_any_more),
		TEST(records_go_through_all_segments_and_then_are_refused),
		TEST(third_segment_waits_for_the_first_to_be_durable),
		TEST(counters_tell_what_was_done),
		TEST(plan_has_the_memory_and_the_files),
		TEST(on_persistent_memory_a_commit_is_done_when_it_is_begun),
	};

	if (argc == 2 && strcmp(argv[1], "forced") == 0)
		return run_forced();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
