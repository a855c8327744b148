/*
 * Snapshots: the state as it was when they began, though the shop went on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "ledger/snapshot.h"
#include "ledger/workload.h"

#define SLICE_SIZE 16384

static struct fixture fixture;
static struct fixture again;
static struct shop_snapshot snapshot;
static struct shop_snapshot_reader reader;
static unsigned char buffer[SLICE_SIZE];
static unsigned char bytes[1 << 20];
static size_t size;

static void start(struct fixture *of, uint64_t seed)
{
	struct shop_options options;

	fixture_options(&options);
	options.cart_ttl_s = 1800;
	options.order_ttl_s = 900;
	options.seed = seed;
	fixture_start(of, &options);
}

static int next(void)
{
	size_t slice_size = 0;
	int result;

	assert_true(sizeof(bytes) - size >= SLICE_SIZE);
	result = shop_snapshot_next(&snapshot, bytes + size, SLICE_SIZE, &slice_size);
	size += slice_size;
	return result;
}

static void write_all(void)
{
	int result;

	size = 0;
	shop_snapshot_begin(&snapshot, &fixture.shop, buffer, sizeof(buffer));
	do {
		result = next();
		assert_true(result >= 0);
	} while (result > 0);
}

/* Reads in pieces that end within items. */
static int read_all(size_t piece_size)
{
	size_t from = 0;
	size_t to = 0;
	int result = 1;

	shop_snapshot_read_begin(&reader, &again.shop);
	while (result == 1 && to < size) {
		size_t used = 0;

		to = size - to < piece_size ? size : to + piece_size;
		result = shop_snapshot_read(&reader, bytes + from, to - from, &used);
		from += used;
	}
	return result;
}

static void what_was_written_is_read(void **state)
{
	struct workload workload = {.random = 99};

	(void)state;
	start(&fixture, 1);
	for (uint32_t step = 0; step < 3000; ++step)
		workload_step(&workload, &fixture);
	write_all();
	for (size_t piece_size = 1; piece_size < size; piece_size = piece_size * 5 + 2) {
		start(&again, 2);
		assert_int_equal(read_all(piece_size), 0);
		assert_true(shop_digest(&again.shop) == shop_digest(&fixture.shop));
		fixture_audit(&again);
		fixture_end(&again);
	}
	fixture_end(&fixture);
}

static void the_shop_goes_on_meanwhile_and_the_snapshot_is_of_its_beginning(void **state)
{
	struct workload workload = {.random = 12345};

	(void)state;
	start(&fixture, 1);
	for (uint32_t round = 0; round < 60; ++round) {
		uint64_t digest;
		int result;

		for (uint32_t step = 0; step < 100; ++step)
			workload_step(&workload, &fixture);
		digest = shop_digest(&fixture.shop);
		size = 0;
		shop_snapshot_begin(&snapshot, &fixture.shop, buffer, sizeof(buffer));
		do {
			for (uint32_t step = 0, steps = workload_below(&workload, 12); step < steps;
			     ++step)
				workload_step(&workload, &fixture);
			result = next();
			assert_true(result >= 0);
		} while (result > 0);
		start(&again, 2);
		assert_int_equal(read_all(1000), 0);
		assert_true(shop_digest(&again.shop) == digest);
		fixture_audit(&again);
		fixture_end(&again);
	}
	fixture_end(&fixture);
}

static void what_is_read_goes_on_as_the_original_does(void **state)
{
	struct workload workload = {.random = 777};
	size_t journal_size;

	(void)state;
	start(&fixture, 1);
	for (uint32_t step = 0; step < 3000; ++step)
		workload_step(&workload, &fixture);
	write_all();
	start(&again, 2);
	assert_int_equal(read_all(SLICE_SIZE), 0);
	journal_size = fixture.journal_size;
	for (uint32_t step = 0; step < 3000; ++step)
		workload_step(&workload, &fixture);
	while (journal_size < fixture.journal_size) {
		uint64_t record_size;

		memcpy(&record_size, fixture.journal + journal_size, sizeof(record_size));
		journal_size += sizeof(record_size);
		assert_int_equal(
			shop_replay(&again.shop, fixture.journal + journal_size, record_size), 0);
		journal_size += (record_size + 7) & ~(size_t)7;
	}
	assert_true(shop_digest(&again.shop) == shop_digest(&fixture.shop));
	fixture_end(&again);
	fixture_end(&fixture);
}

static void more_changes_than_the_buffer_holds_end_the_snapshot_and_not_the_shop(void **state)
{
	struct workload workload = {.random = 31};

	(void)state;
	start(&fixture, 1);
	for (uint32_t step = 0; step < 2000; ++step)
		workload_step(&workload, &fixture);
	size = 0;
	shop_snapshot_begin(&snapshot, &fixture.shop, buffer, SHOP_SNAPSHOT_ITEM_SIZE_MAX);
	for (uint32_t step = 0; step < 2000; ++step)
		workload_step(&workload, &fixture);
	assert_int_equal(next(), -ENOBUFS);
	fixture_audit(&fixture);
	/* The next one begins from nothing. */
	write_all();
	start(&again, 2);
	assert_int_equal(read_all(SLICE_SIZE), 0);
	fixture_end(&again);
	fixture_end(&fixture);
}

static void a_snapshot_that_is_cut_short_or_damaged_is_refused(void **state)
{
	struct workload workload = {.random = 5};

	(void)state;
	start(&fixture, 1);
	for (uint32_t step = 0; step < 500; ++step)
		workload_step(&workload, &fixture);
	write_all();
	size -= 1;
	start(&again, 2);
	assert_int_equal(read_all(SLICE_SIZE), 1);
	fixture_end(&again);
	size += 1;
	for (size_t offset = 0; offset < size; offset += offset < 600 ? 1 : 97) {
		start(&again, 2);
		bytes[offset] ^= 0x10;
		/* The sums of the first item are not covered by its own: the journal's checksum
		 * is what stands for those. */
		if (read_all(SLICE_SIZE) == 0)
			assert_true(offset < 600);
		bytes[offset] ^= 0x10;
		fixture_end(&again);
	}
	fixture_end(&fixture);
}

static void a_shop_that_is_too_small_says_so(void **state)
{
	struct shop_options options;

	(void)state;
	start(&fixture, 1);
	fixture_cart(&fixture);
	fixture_cart(&fixture);
	write_all();
	fixture_options(&options);
	options.carts_max = 1;
	fixture_start(&again, &options);
	assert_int_equal(read_all(SLICE_SIZE), -ENOMEM);
	fixture_end(&again);
	options.carts_max = 2;
	options.currency = 840;
	fixture_start(&again, &options);
	assert_int_equal(read_all(SLICE_SIZE), -EPROTO);
	fixture_end(&again);
	fixture_end(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(the_shop_goes_on_meanwhile_and_the_snapshot_is_of_its_beginning),
		cmocka_unit_test(what_is_read_goes_on_as_the_original_does),
		cmocka_unit_test(
			more_changes_than_the_buffer_holds_end_the_snapshot_and_not_the_shop),
		cmocka_unit_test(a_snapshot_that_is_cut_short_or_damaged_is_refused),
		cmocka_unit_test(a_shop_that_is_too_small_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
