/*
 * Snapshots: written while serving, read back, and the segments they free.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pmem/journal_fixture.h"
#include "pmem/journal_inside.h"

#define RECORD_SIZE 1000
#define SEGMENT_RECORDS 60 /* of that size */

static struct zg_journal *const journal = &fixture.journal;

/* What the writer of the slices is to do. */
static struct {
	uint32_t slice_count;
	size_t slice_size;
	uint32_t written;
	int result; /* of the last slice; 0 when it is well */
} plan;

static int write_slice(void *user)
{
	static unsigned char bytes[100000];
	int result;

	(void)user;
	if (plan.written == plan.slice_count)
		return plan.result;
	memset(bytes, (int)(plan.written % 7), sizeof(bytes));
	result = zg_journal_snapshot_write(journal, plan.written % 7, bytes, plan.slice_size);
	if (result < 0)
		return result;
	plan.written++;
	return 1;
}

static void will_write(uint32_t slice_count, size_t slice_size)
{
	plan.slice_count = slice_count;
	plan.slice_size = slice_size;
	plan.written = 0;
	plan.result = 0;
}

static int snapshot(uint32_t slice_count)
{
	will_write(slice_count, 100);
	return zg_journal_snapshot(journal, write_slice, NULL);
}

static void snapshot_is_read_and_then_what_came_after_it(void **state)
{
	(void)state;
	journal_fixture_start();
	journal_fixture_append_many(5, 8);
	assert_int_equal(snapshot(3), 0);
	journal_fixture_append_many(2, 8);
	journal_fixture_restart();
	assert_int_equal(fixture.slice_count, 3);
	assert_int_equal(fixture.slice_sequences[0], 5);
	assert_int_equal(fixture.recovery.snapshot_sequence, 5);
	assert_int_equal(fixture.record_count, 2);
	assert_int_equal(fixture.sequence_first, 6);
}

static void snapshot_of_nothing_is_one(void **state)
{
	(void)state;
	journal_fixture_start();
	assert_int_equal(snapshot(0), 0);
	journal_fixture_append_many(1, 8);
	journal_fixture_restart();
	assert_int_equal(fixture.slice_count, 0);
	assert_int_equal(fixture.record_count, 1);
}

static void next_snapshot_takes_the_place_of_the_former(void **state)
{
	(void)state;
	journal_fixture_start();
	journal_fixture_append_many(1, 8);
	assert_int_equal(snapshot(5), 0);
	journal_fixture_append_many(1, 8);
	assert_int_equal(snapshot(2), 0);
	assert_false(journal_fixture_has(ZGI_JOURNAL_SNAPSHOT_UNFINISHED));
	journal_fixture_restart();
	assert_int_equal(fixture.slice_count, 2);
	assert_int_equal(fixture.record_count, 0);
	assert_int_equal(journal_fixture_append(8), 3);
}

static void slices_of_any_size_come_back_whole(void **state)
{
	static const size_t sizes[] = {0, 1, 7, 8, 9, 4000, 65535, 65536};

	(void)state;
	journal_fixture_start();
	for (size_t index = 0; index < sizeof(sizes) / sizeof(sizes[0]); index++) {
		will_write(5, sizes[index]);
		assert_int_equal(zg_journal_snapshot(journal, write_slice, NULL), 0);
		journal_fixture_restart();
		assert_int_equal(fixture.slice_count, 5);
	}
}

static void slice_past_the_limit_is_refused(void **state)
{
	(void)state;
	journal_fixture_start();
	will_write(1, ZG_JOURNAL_SLICE_SIZE_DEFAULT + 1);
	assert_int_equal(zg_journal_snapshot(journal, write_slice, NULL), -EMSGSIZE);
}

static void segments_of_old_records_are_used_again(void **state)
{
	(void)state;
	journal_fixture_start();
	for (uint32_t round = 0; round < 10; round++) {
		journal_fixture_append_many(3 * SEGMENT_RECORDS, RECORD_SIZE);
		assert_int_equal(snapshot(1), 0);
		assert_int_equal(journal->stats.segments_free, 3);
		journal_fixture_append_many(SEGMENT_RECORDS / 2, RECORD_SIZE);
		journal_fixture_restart();
		assert_int_equal(fixture.record_count, SEGMENT_RECORDS / 2);
	}
	assert_true(journal->stats.refused == 0);
	assert_int_equal(journal->stats.snapshots, 0); /* counted since open */
}

static void records_go_on_while_slices_are_written(void **state)
{
	uint64_t before;

	(void)state;
	journal_fixture_start();
	journal_fixture_append_many(SEGMENT_RECORDS + 5, RECORD_SIZE);
	before = journal->sequence;
	will_write(10, 1000);
	assert_int_equal(zg_journal_snapshot_begin(journal, write_slice, NULL), 0);
	do
		journal_fixture_append_many(1, RECORD_SIZE);
	while (zg_journal_snapshot_step(journal, 1) == 1);
	journal_fixture_append_many(1, RECORD_SIZE);
	zg_journal_snapshot_end(journal, zg_journal_snapshot_sync(journal));
	assert_int_equal(journal->stats.segments_free, 3);
	journal_fixture_restart();
	assert_int_equal(fixture.slice_count, 10);
	assert_int_equal(fixture.slice_sequences[0], before + 1);
	assert_int_equal(fixture.slice_sequences[9], before + 10);
	assert_int_equal(fixture.sequence_first, before + 1);
	assert_int_equal(fixture.record_count, 12);
}

static void segments_of_later_records_are_kept(void **state)
{
	(void)state;
	journal_fixture_start();
	journal_fixture_append_many(SEGMENT_RECORDS + 5, RECORD_SIZE);
	will_write(1, 100);
	assert_int_equal(zg_journal_snapshot_begin(journal, write_slice, NULL), 0);
	journal_fixture_append_many(2 * SEGMENT_RECORDS, RECORD_SIZE);
	assert_int_equal(journal->current, 3);
	assert_int_equal(zg_journal_snapshot_step(journal, UINT64_MAX), 0);
	zg_journal_snapshot_end(journal, zg_journal_snapshot_sync(journal));
	assert_int_equal(journal->stats.segments_free, 1); /* that of the first records alone */
	journal_fixture_restart();
	assert_int_equal(fixture.record_count, 2 * SEGMENT_RECORDS);
}

static void *sync_on_its_own_thread(void *user)
{
	int *result = user;

	*result = zg_journal_snapshot_sync(journal);
	return NULL;
}

static void other_thread_waits_for_the_disk(void **state)
{
	pthread_t thread;
	int result = 1;

	(void)state;
	journal_fixture_start();
	for (uint32_t round = 0; round < 5; round++) {
		journal_fixture_append_many(2 * SEGMENT_RECORDS, RECORD_SIZE);
		will_write(3, 1000);
		assert_int_equal(zg_journal_snapshot_begin(journal, write_slice, NULL), 0);
		while (zg_journal_snapshot_step(journal, 1) == 1)
			;
		assert_int_equal(pthread_create(&thread, NULL, sync_on_its_own_thread, &result), 0);
		journal_fixture_append_many(20, RECORD_SIZE);
		assert_int_equal(pthread_join(thread, NULL), 0);
		zg_journal_snapshot_end(journal, result);
		assert_int_equal(result, 0);
	}
	journal_fixture_restart();
	assert_int_equal(fixture.record_count, 20);
}

static void one_snapshot_is_written_at_a_time(void **state)
{
	(void)state;
	journal_fixture_start();
	will_write(1, 8);
	assert_int_equal(zg_journal_snapshot_begin(journal, write_slice, NULL), 0);
	assert_int_equal(zg_journal_snapshot_begin(journal, write_slice, NULL), -EBUSY);
}

static void writer_that_fails_leaves_the_former_snapshot(void **state)
{
	(void)state;
	journal_fixture_start();
	journal_fixture_append_many(3, 8);
	assert_int_equal(snapshot(4), 0);
	journal_fixture_append_many(3, 8);
	will_write(2, 8);
	plan.result = -ENODATA;
	assert_int_equal(zg_journal_snapshot(journal, write_slice, NULL), -ENODATA);
	assert_int_equal(journal->stats.snapshots_failed, 1);
	assert_false(journal_fixture_has(ZGI_JOURNAL_SNAPSHOT_UNFINISHED));
	journal_fixture_append_many(1, 8);
	journal_fixture_restart();
	assert_int_equal(fixture.slice_count, 4);
	assert_int_equal(fixture.record_count, 4);
}

static void snapshot_that_was_not_finished_is_no_snapshot(void **state)
{
	(void)state;
	journal_fixture_start();
	journal_fixture_append_many(3, 8);
	journal_fixture_write(ZGI_JOURNAL_SNAPSHOT_UNFINISHED, 0, "half", 4);
	journal_fixture_restart();
	assert_int_equal(fixture.slice_count, 0);
	assert_int_equal(fixture.record_count, 3);
	assert_false(journal_fixture_has(ZGI_JOURNAL_SNAPSHOT_UNFINISHED));
}

static void records_of_a_snapshot_are_durable_before_it_is(void **state)
{
	(void)state;
	journal_fixture_start();
	journal_fixture_append(8);
	will_write(1, 8);
	assert_int_equal(zg_journal_snapshot_begin(journal, write_slice, NULL), 0);
	assert_int_equal(zg_journal_snapshot_step(journal, UINT64_MAX), 0);
	assert_int_equal(journal->snapshot.flush_count, 1);
	zg_journal_snapshot_end(journal, zg_journal_snapshot_sync(journal));
	assert_int_equal(journal->stats.snapshots, 1);
}

static void flush_that_fails_for_a_snapshot_is_the_end_of_the_journal_too(void **state)
{
	void *place;
	int ends[2];

	(void)state;
	journal_fixture_start();
	journal_fixture_append(8);
	will_write(1, 8);
	assert_int_equal(zg_journal_snapshot_begin(journal, write_slice, NULL), 0);
	assert_int_equal(zg_journal_snapshot_step(journal, UINT64_MAX), 0);
	/* What cannot be flushed, in the place of the segment's file. */
	assert_int_equal(pipe(ends), 0);
	assert_true(dup2(ends[0], zg_pmem_fd(&journal->ring[0]->map)) >= 0);
	zg_journal_snapshot_end(journal, zg_journal_snapshot_sync(journal));
	assert_int_equal(journal->stats.snapshots, 0);
	assert_int_equal(journal->stats.snapshots_failed, 1);
	assert_int_equal(zg_journal_reserve(journal, 0, 8, &place), -EINVAL);
	assert_int_equal(zg_journal_commit(journal), -EINVAL);
	close(ends[0]);
	close(ends[1]);
}

static void snapshot_on_a_full_journal_makes_room(void **state)
{
	void *place;

	(void)state;
	journal_fixture_start();
	while (zg_journal_reserve(journal, 0, RECORD_SIZE, &place) == 0)
		journal_fixture_append_many(1, RECORD_SIZE);
	assert_int_equal(snapshot(1), 0);
	assert_int_equal(zg_journal_reserve(journal, 0, RECORD_SIZE, &place), 0);
}

static void segments_that_a_former_process_did_not_free_are_freed_at_open(void **state)
{
	(void)state;
	journal_fixture_start();
	journal_fixture_append_many(3 * SEGMENT_RECORDS + 1, RECORD_SIZE);
	will_write(1, 8);
	assert_int_equal(zg_journal_snapshot_begin(journal, write_slice, NULL), 0);
	assert_int_equal(zg_journal_snapshot_step(journal, UINT64_MAX), 0);
	journal->snapshot.recycle_count = 1; /* of three: it ended then */
	zg_journal_snapshot_end(journal, zg_journal_snapshot_sync(journal));
	journal_fixture_restart();
	assert_int_equal(fixture.record_count, 0);
	assert_int_equal(journal->stats.segments_free, 3);
	journal_fixture_append_many(3 * SEGMENT_RECORDS, RECORD_SIZE);
	journal_fixture_restart();
	assert_int_equal(fixture.record_count, 3 * SEGMENT_RECORDS);
}

static void damaged_snapshot_is_refused_with_its_offset(void **state)
{
	(void)state;
	journal_fixture_start();
	assert_int_equal(snapshot(3), 0);
	zg_journal_close(journal);
	/* In the second slice: 40 bytes of header, and 128 of the first. */
	journal_fixture_damage("snapshot", 40 + 128 + 30, 1);
	assert_int_equal(journal_fixture_open(), 0);
	assert_int_equal(journal_fixture_replay(), -EBADMSG);
	assert_true(journal_fixture_says("snapshot is damaged at offset 168"));
	assert_int_equal(fixture.slice_count, 1);
}

static void snapshot_that_was_cut_is_refused(void **state)
{
	(void)state;
	journal_fixture_start();
	assert_int_equal(snapshot(3), 0);
	zg_journal_close(journal);
	for (off_t size = 40 + 3 * 128 + 39; size > 0; size -= 41) {
		assert_int_equal(truncate(journal_fixture_path("snapshot"), size), 0);
		assert_int_equal(journal_fixture_open(), 0);
		assert_int_equal(journal_fixture_replay(), -EBADMSG);
		zg_journal_close(journal);
	}
}

static void missing_snapshot_is_missed(void **state)
{
	(void)state;
	journal_fixture_start();
	journal_fixture_append_many(2 * SEGMENT_RECORDS, RECORD_SIZE);
	assert_int_equal(snapshot(3), 0);
	journal_fixture_append_many(SEGMENT_RECORDS, RECORD_SIZE);
	zg_journal_close(journal);
	unlink(journal_fixture_path("snapshot"));
	assert_int_equal(journal_fixture_open(), 0);
	assert_int_equal(journal_fixture_replay(), -EBADMSG);
	assert_true(journal_fixture_says("snapshot may be what is missing"));
}

static void snapshot_that_nobody_reads_is_refused(void **state)
{
	struct zg_journal_reader reader = {0};

	(void)state;
	journal_fixture_start();
	assert_int_equal(snapshot(3), 0);
	zg_journal_close(journal);
	assert_int_equal(journal_fixture_open(), 0);
	assert_int_equal(zg_journal_replay(journal, &reader, NULL, &fixture.text), -EINVAL);
	assert_true(journal_fixture_says("does not read any"));
}

static void slices_larger_than_the_buffer_name_the_option(void **state)
{
	(void)state;
	journal_fixture_start();
	will_write(1, 60000);
	assert_int_equal(zg_journal_snapshot(journal, write_slice, NULL), 0);
	zg_journal_close(journal);
	fixture.options.slice_size_max = 8192;
	assert_int_equal(journal_fixture_open(), 0);
	assert_int_equal(journal_fixture_replay(), -EINVAL);
	assert_true(journal_fixture_says("a slice of 60000 bytes: raise slice_size_max"));
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, journal_fixture_setup, journal_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(snapshot_is_read_and_then_what_came_after_it),
		TEST(snapshot_of_nothing_is_one),
		TEST(next_snapshot_takes_the_place_of_the_former),
		TEST(slices_of_any_size_come_back_whole),
		TEST(slice_past_the_limit_is_refused),
		TEST(segments_of_old_records_are_used_again),
		TEST(records_go_on_while_slices_are_written),
		TEST(segments_of_later_records_are_kept),
		TEST(other_thread_waits_for_the_disk),
		TEST(one_snapshot_is_written_at_a_time),
		TEST(writer_that_fails_leaves_the_former_snapshot),
		TEST(snapshot_that_was_not_finished_is_no_snapshot),
		TEST(records_of_a_snapshot_are_durable_before_it_is),
		TEST(flush_that_fails_for_a_snapshot_is_the_end_of_the_journal_too),
		TEST(snapshot_on_a_full_journal_makes_room),
		TEST(segments_that_a_former_process_did_not_free_are_freed_at_open),
		TEST(damaged_snapshot_is_refused_with_its_offset),
		TEST(snapshot_that_was_cut_is_refused),
		TEST(missing_snapshot_is_missed),
		TEST(snapshot_that_nobody_reads_is_refused),
		TEST(slices_larger_than_the_buffer_name_the_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
