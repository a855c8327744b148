/*
 * When bytes are a record, and when they are not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdalign.h>
#include <string.h>

#include "pmem/journal_record.h"

#define PAYLOAD "thirteen bytes"

static alignas(8) unsigned char bytes[1024];
static const uint64_t uuid[2] = {0x1234, 0x5678};
static struct zgi_journal_view view;

static int start(void **state)
{
	(void)state;
	memset(bytes, 0, sizeof(bytes));
	view = (struct zgi_journal_view){bytes, sizeof(bytes), zgi_journal_seed(uuid, 1), 0, 0, 0};
	return 0;
}

static size_t put(size_t offset, uint64_t sequence)
{
	struct zgi_journal_header header = {
		.sequence = sequence, .size = sizeof(PAYLOAD), .type = 3, .pending = 1};

	zgi_journal_seal(view.seed, &header, PAYLOAD);
	memcpy(bytes + offset, &header, sizeof(header));
	memcpy(bytes + offset + sizeof(header), PAYLOAD, sizeof(PAYLOAD));
	return offset + zgi_journal_room(sizeof(PAYLOAD));
}

static bool is_record(size_t offset)
{
	struct zgi_journal_header header;

	return zgi_journal_record_at(&view, offset, &header);
}

static void sealed_record_is_read_back(void **state)
{
	struct zgi_journal_header header;

	(void)state;
	put(16, 42);
	assert_true(zgi_journal_record_at(&view, 16, &header));
	assert_int_equal(header.sequence, 42);
	assert_int_equal(header.size, sizeof(PAYLOAD));
	assert_int_equal(header.type, 3);
}

static void room_is_a_header_and_a_payload_padded_to_eight(void **state)
{
	(void)state;
	assert_int_equal(zgi_journal_room(0), 24);
	assert_int_equal(zgi_journal_room(1), 32);
	assert_int_equal(zgi_journal_room(8), 32);
	assert_int_equal(zgi_journal_room(9), 40);
}

static void any_bit_that_changes_is_noticed(void **state)
{
	size_t size = sizeof(struct zgi_journal_header) + sizeof(PAYLOAD);

	(void)state;
	put(0, 42);
	for (size_t bit = 0; bit < size * 8; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
		assert_false(is_record(0));
		bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
	}
	assert_true(is_record(0));
}

static void zeros_are_no_record(void **state)
{
	(void)state;
	assert_false(is_record(0));
}

static void record_of_a_former_life_of_the_segment_is_none(void **state)
{
	(void)state;
	put(0, 42);
	for (uint64_t id = 2; id < 1000; id++) {
		view.seed = zgi_journal_seed(uuid, id);
		assert_false(is_record(0));
	}
}

static void record_that_does_not_lie_within_the_segment_is_none(void **state)
{
	(void)state;
	put(0, 42);
	for (size_t size = 0; size < zgi_journal_room(sizeof(PAYLOAD)); size += 8) {
		view.size = size;
		assert_false(is_record(0));
	}
	view.size = zgi_journal_room(sizeof(PAYLOAD));
	assert_true(is_record(0));
	assert_false(is_record(view.size));
	assert_false(is_record(view.size + 8));
}

static void next_record_is_found_behind_garbage(void **state)
{
	struct zgi_journal_header header;
	size_t offset = 8;

	(void)state;
	memset(bytes, 0xa5, 200);
	put(200, 42);
	assert_true(zgi_journal_find(&view, 42, &offset, &header));
	assert_int_equal(offset, 200);
	assert_int_equal(header.sequence, 42);
}

static void older_records_are_not_found(void **state)
{
	struct zgi_journal_header header;
	size_t offset = 0;

	(void)state;
	put(put(0, 41), 42);
	assert_true(zgi_journal_find(&view, 42, &offset, &header));
	assert_int_equal(header.sequence, 42);
	offset = 0;
	assert_false(zgi_journal_find(&view, 43, &offset, &header));
	assert_int_equal(offset, 0);
}

#define TEST(function) cmocka_unit_test_setup(function, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sealed_record_is_read_back),
		TEST(room_is_a_header_and_a_payload_padded_to_eight),
		TEST(any_bit_that_changes_is_noticed),
		TEST(zeros_are_no_record),
		TEST(record_of_a_former_life_of_the_segment_is_none),
		TEST(record_that_does_not_lie_within_the_segment_is_none),
		TEST(next_record_is_found_behind_garbage),
		TEST(older_records_are_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
