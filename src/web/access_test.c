/*
 * The ring between a shard and the log's writer: in order, bounded, and nobody waits.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "web/access.h"

#define RECORD_COUNT 4
#define THREAD_RECORDS 100000

static struct zgi_access_record records[RECORD_COUNT];
static struct zgi_access_ring ring;

static int setup(void **state)
{
	(void)state;
	zgi_access_ring_init(&ring, records, RECORD_COUNT);
	return 0;
}

static bool put(uint64_t number)
{
	struct zgi_access_record *record = zgi_access_ring_reserve(&ring);

	if (record == NULL)
		return false;
	record->size = number;
	zgi_access_ring_publish(&ring);
	return true;
}

static uint64_t take(void)
{
	const struct zgi_access_record *record = zgi_access_ring_oldest(&ring);
	uint64_t number;

	assert_non_null(record);
	number = record->size;
	zgi_access_ring_taken(&ring);
	return number;
}

static void records_come_out_in_their_order(void **state)
{
	uint64_t next = 0;

	(void)state;
	assert_null(zgi_access_ring_oldest(&ring));
	for (uint64_t number = 0; number < 10 * RECORD_COUNT; number += 2) {
		assert_true(put(number));
		assert_true(put(number + 1));
		assert_int_equal(take(), next++);
		assert_int_equal(take(), next++);
	}
	assert_null(zgi_access_ring_oldest(&ring));
	assert_int_equal(ring.dropped, 0);
}

static void a_record_that_finds_no_room_is_dropped_and_counted(void **state)
{
	(void)state;
	for (uint64_t number = 0; number < RECORD_COUNT; number++)
		assert_true(put(number));
	assert_false(put(99));
	assert_false(put(99));
	assert_int_equal(ring.dropped, 2);
	assert_int_equal(take(), 0);
	assert_true(put(4));
	assert_false(put(99));
	for (uint64_t number = 1; number <= RECORD_COUNT; number++)
		assert_int_equal(take(), number);
}

static void what_is_reserved_is_seen_when_it_is_published(void **state)
{
	(void)state;
	assert_non_null(zgi_access_ring_reserve(&ring));
	assert_null(zgi_access_ring_oldest(&ring));
	zgi_access_ring_publish(&ring);
	assert_non_null(zgi_access_ring_oldest(&ring));
}

static void a_ring_has_a_power_of_two_of_records(void **state)
{
	(void)state;
	assert_int_equal(zgi_access_record_count(1), 1);
	assert_int_equal(zgi_access_record_count(16), 16);
	assert_int_equal(zgi_access_record_count(17), 32);
}

static void *put_all(void *user)
{
	(void)user;
	for (uint64_t number = 1; number <= THREAD_RECORDS;) {
		if (put(number))
			number++;
		else
			sched_yield();
	}
	return NULL;
}

static void two_threads_pass_each_record_on_once(void **state)
{
	pthread_t thread;
	uint64_t expected = 1;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, put_all, NULL), 0);
	while (expected <= THREAD_RECORDS) {
		const struct zgi_access_record *record = zgi_access_ring_oldest(&ring);

		if (record == NULL) {
			sched_yield();
			continue;
		}
		assert_int_equal(record->size, expected);
		zgi_access_ring_taken(&ring);
		expected++;
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_null(zgi_access_ring_oldest(&ring));
}

#define test(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(records_come_out_in_their_order),
		test(a_record_that_finds_no_room_is_dropped_and_counted),
		test(what_is_reserved_is_seen_when_it_is_published),
		test(a_ring_has_a_power_of_two_of_records),
		test(two_threads_pass_each_record_on_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
