/*
 * What a recovery makes of segments, whole and otherwise. Segments are arrays here, and a record
 * is a letter: its payload.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdalign.h>
#include <string.h>

#include "pmem/journal_recover.h"

#define VIEWS 3
#define VIEW_SIZE 320 /* ten records */
#define ROOM 32 /* of a record */

static alignas(8) unsigned char bytes[VIEWS][VIEW_SIZE];
static struct zgi_journal_view views[VIEWS];
static struct zgi_journal_recovery recovery;
static uint64_t told[64];
static uint32_t told_count;
static int reader_result;

static int on_record(void *user, const struct zg_journal_record *record)
{
	(void)user;
	told[told_count++] = record->sequence;
	return reader_result;
}

static const struct zg_journal_reader reader = {NULL, on_record, NULL};

static int start(void **state)
{
	static const uint64_t uuid[2] = {1, 2};

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	for (uint32_t view = 0; view < VIEWS; view++)
		views[view] = (struct zgi_journal_view){
			bytes[view], VIEW_SIZE, zgi_journal_seed(uuid, view + 5), 0, 0, 0};
	recovery = (struct zgi_journal_recovery){
		.views = views, .view_count = VIEWS, .reader = &reader};
	reader_result = 0;
	told_count = 0;
	return 0;
}

/* A record in a place, published when the one `pending` before it was durable. */
static void put(uint32_t view, uint32_t place, uint64_t sequence, uint16_t pending)
{
	struct zgi_journal_header header = {.sequence = sequence, .size = 8, .pending = pending};

	zgi_journal_seal(views[view].seed, &header, &sequence);
	memcpy(bytes[view] + (size_t)place * ROOM, &header, sizeof(header));
	memcpy(bytes[view] + (size_t)place * ROOM + sizeof(header), &sequence, 8);
}

/* Records from..to from a place on, each committed before the next was published. */
static void put_many(uint32_t view, uint64_t from, uint64_t to)
{
	for (uint64_t sequence = from; sequence <= to; sequence++)
		put(view, (uint32_t)(sequence - from), sequence, 1);
}

static void tear(uint32_t view, uint32_t place)
{
	bytes[view][(size_t)place * ROOM + 24] ^= 1;
}

static int recover(void)
{
	told_count = 0;
	memset(&recovery.found, 0, sizeof(recovery.found));
	recovery.is_damaged = false;
	recovery.has_hole = false;
	return zgi_journal_recover(&recovery);
}

static void assert_told(uint64_t from, uint64_t to)
{
	assert_int_equal(told_count, to + 1 - from);
	for (uint32_t index = 0; index < told_count; index++)
		assert_int_equal(told[index], from + index);
}

static void assert_end(uint32_t view, uint32_t place)
{
	assert_int_equal(recovery.end.view, view);
	assert_int_equal(recovery.end.offset, (size_t)place * ROOM);
}

static void nothing_is_an_empty_journal(void **state)
{
	(void)state;
	assert_int_equal(recover(), 0);
	assert_int_equal(told_count, 0);
	assert_int_equal(recovery.found.sequence_last, 0);
	assert_end(0, 0);
}

static void records_are_read_in_order_through_the_segments(void **state)
{
	(void)state;
	put_many(0, 1, 10);
	put_many(1, 11, 17); /* the next one did not fit */
	put_many(2, 18, 19);
	assert_int_equal(recover(), 0);
	assert_told(1, 19);
	assert_end(2, 2);
	assert_int_equal(views[1].sequence_first, 11);
	assert_int_equal(recovery.found.torn_size, 0);
}

static void torn_tail_is_cut(void **state)
{
	(void)state;
	put_many(0, 1, 3);
	tear(0, 2);
	assert_int_equal(recover(), 0);
	assert_told(1, 2);
	assert_end(0, 2);
	assert_int_equal(recovery.found.torn_size, ROOM);
	assert_int_equal(recovery.found.torn_count, 0);
}

static void what_follows_a_torn_record_was_not_committed_and_is_cut_too(void **state)
{
	(void)state;
	put_many(0, 1, 2);
	put(0, 2, 3, 1);
	put(0, 3, 4, 2);
	put(0, 4, 5, 3);
	tear(0, 2);
	assert_int_equal(recover(), 0);
	assert_told(1, 2);
	assert_end(0, 2);
	assert_int_equal(recovery.found.torn_count, 2);
	assert_int_equal(views[0].wipe_begin, 3 * ROOM);
	assert_int_equal(views[0].wipe_end, 5 * ROOM);
}

static void what_was_cut_may_have_gone_on_to_the_next_segment(void **state)
{
	(void)state;
	put_many(0, 1, 9);
	put(1, 0, 11, 2); /* nothing is left of 10 */
	assert_int_equal(recover(), 0);
	assert_told(1, 9);
	assert_end(0, 9);
	assert_int_equal(views[1].wipe_end, ROOM);
	assert_int_equal(views[1].sequence_first, 0);
}

static void committed_record_that_is_damaged_is_refused_with_its_place(void **state)
{
	(void)state;
	put_many(0, 1, 10);
	put_many(1, 11, 12);
	tear(0, 6);
	assert_int_equal(recover(), -EBADMSG);
	assert_told(1, 6);
	assert_true(recovery.is_damaged);
	assert_int_equal(recovery.damage.view, 0);
	assert_int_equal(recovery.damage.offset, 6 * ROOM);
	assert_int_equal(recovery.damage_sequence, 7);
	assert_int_equal(recovery.found.lost_count, 1);
	assert_int_equal(views[0].wipe_end, 0);
}

static void damage_at_the_beginning_of_a_segment_is_placed_there(void **state)
{
	(void)state;
	put_many(0, 1, 9);
	put_many(1, 10, 14);
	tear(1, 0);
	assert_int_equal(recover(), -EBADMSG);
	assert_int_equal(recovery.damage.view, 1);
	assert_int_equal(recovery.damage.offset, 0);
}

static void corruption_that_is_accepted_costs_what_it_hit(void **state)
{
	(void)state;
	put_many(0, 1, 10);
	put_many(1, 11, 12);
	tear(0, 6);
	tear(1, 0);
	recovery.accept_corruption = true;
	assert_int_equal(recover(), 0);
	assert_int_equal(told_count, 10);
	assert_int_equal(told[6], 8);
	assert_int_equal(told[9], 12);
	assert_int_equal(recovery.found.lost_count, 2);
	assert_end(1, 2);
}

static void after_accepted_damage_nothing_is_cut(void **state)
{
	(void)state;
	put_many(0, 1, 2);
	put(0, 3, 4, 3); /* of one flush with the damaged third */
	put(0, 5, 6, 3); /* proves the third, and not the missing fifth */
	recovery.accept_corruption = true;
	for (uint32_t round = 0; round < 2; round++) {
		assert_int_equal(recover(), 0);
		assert_int_equal(told_count, 4);
		assert_int_equal(told[3], 6);
		assert_int_equal(views[0].wipe_end, 0);
	}
}

static void whole_segment_that_is_lost_is_noticed(void **state)
{
	(void)state;
	put_many(0, 1, 10);
	put_many(2, 21, 22);
	assert_int_equal(recover(), -EBADMSG);
	assert_int_equal(recovery.found.lost_count, 10);
}

static void records_too_far_from_a_durable_one_prove_nothing(void **state)
{
	(void)state;
	put_many(0, 1, 3);
	put(0, 4, 100000, ZGI_JOURNAL_PENDING_UNKNOWN);
	assert_int_equal(recover(), 0);
	assert_told(1, 3);
}

static void records_that_a_snapshot_has_are_not_told(void **state)
{
	(void)state;
	put_many(0, 1, 10);
	put_many(1, 11, 15);
	recovery.covered = 12;
	assert_int_equal(recover(), 0);
	assert_told(13, 15);
	assert_int_equal(recovery.start.view, 1);
	assert_end(1, 5);
}

static void segments_before_the_snapshot_may_be_damaged(void **state)
{
	(void)state;
	put_many(0, 1, 10);
	put_many(1, 11, 15);
	tear(0, 4);
	tear(1, 0);
	tear(1, 1);
	recovery.covered = 12;
	assert_int_equal(recover(), 0);
	assert_told(13, 15);
	assert_int_equal(recovery.found.lost_count, 0);
}

static void hole_that_the_snapshot_covers_needs_no_proof(void **state)
{
	(void)state;
	put_many(0, 1, 3);
	put(0, 4, 5, 4); /* when it was published the fourth was not known to be durable */
	recovery.covered = 4;
	assert_int_equal(recover(), 0);
	assert_told(5, 5);
}

static void after_a_hole_that_the_snapshot_covers_records_go_to_another_segment(void **state)
{
	(void)state;
	put_many(0, 1, 5);
	tear(0, 4);
	recovery.covered = 5;
	assert_int_equal(recover(), 0);
	assert_int_equal(told_count, 0);
	assert_int_equal(recovery.found.sequence_last, 5);
	assert_int_equal(recovery.end.view, 0);
	assert_int_equal(recovery.end.offset, VIEW_SIZE);
}

static void records_that_the_missing_snapshot_had_are_missed(void **state)
{
	(void)state;
	put_many(0, 101, 110);
	assert_int_equal(recover(), -EBADMSG);
	assert_int_equal(recovery.damage_sequence, 1);
	assert_int_equal(recovery.found.lost_count, 100);
}

static void records_of_a_former_life_are_the_end(void **state)
{
	(void)state;
	put_many(0, 1, 10); /* full of records */
	views[0].seed++; /* and used again */
	put_many(0, 11, 12);
	recovery.covered = 10;
	assert_int_equal(recover(), 0);
	assert_told(11, 12);
	assert_end(0, 2);
	assert_int_equal(recovery.found.torn_size, 0);
}

static void reader_can_end_it(void **state)
{
	(void)state;
	put_many(0, 1, 10);
	reader_result = -EINTR;
	assert_int_equal(recover(), -EINTR);
	assert_int_equal(told_count, 1);
}

#define TEST(function) cmocka_unit_test_setup(function, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_an_empty_journal),
		TEST(records_are_read_in_order_through_the_segments),
		TEST(torn_tail_is_cut),
		TEST(what_follows_a_torn_record_was_not_committed_and_is_cut_too),
		TEST(what_was_cut_may_have_gone_on_to_the_next_segment),
		TEST(committed_record_that_is_damaged_is_refused_with_its_place),
		TEST(damage_at_the_beginning_of_a_segment_is_placed_there),
		TEST(corruption_that_is_accepted_costs_what_it_hit),
		TEST(after_accepted_damage_nothing_is_cut),
		TEST(whole_segment_that_is_lost_is_noticed),
		TEST(records_too_far_from_a_durable_one_prove_nothing),
		TEST(records_that_a_snapshot_has_are_not_told),
		TEST(segments_before_the_snapshot_may_be_damaged),
		TEST(hole_that_the_snapshot_covers_needs_no_proof),
		TEST(after_a_hole_that_the_snapshot_covers_records_go_to_another_segment),
		TEST(records_that_the_missing_snapshot_had_are_missed),
		TEST(records_of_a_former_life_are_the_end),
		TEST(reader_can_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
