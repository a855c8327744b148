/*
 * Stores: what every one of them promises, and what the one with a journal does beyond that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ledger/shop_fixture.h"
#include "stores/journal_store.h"
#include "stores/memory_store.h"

#define SLICE_SIZE 65536
#define SEGMENT_SIZE 65536

static struct fixture fixture;
static struct shop_memory_store memory;
static struct shop_journal_store journal;
static alignas(ZG_JOURNAL_MEMORY_ALIGNMENT) unsigned char journal_memory[4 << 20];
static char folder[64];
static uint32_t done_count;
static int done_error;
static struct shop_command commands[4];

static void done(void *user, struct shop_command *command, int error)
{
	assert_ptr_equal(user, &fixture);
	/* In the order in which they were submitted. */
	assert_ptr_equal(command, &commands[done_count % 4]);
	done_error = error;
	++done_count;
}

static void fixture_begin(void)
{
	struct shop_options options;

	fixture_options(&options);
	options.carts_max = 256;
	fixture_start(&fixture, &options);
	done_count = 0;
	done_error = 0;
}

static int start(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/storeXXXXXX");
	assert_non_null(mkdtemp(folder));
	fixture_begin();
	return 0;
}

static int end(void **state)
{
	DIR *directory = opendir(folder);
	const struct dirent *entry;

	(void)state;
	fixture_end(&fixture);
	assert_non_null(directory);
	while ((entry = readdir(directory)) != NULL) {
		char path[512];

		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(closedir(directory), 0);
	assert_int_equal(rmdir(folder), 0);
	return 0;
}

static int open_store(struct zg_journal_recovery *ret_recovery)
{
	struct shop_journal_store_options options = {
		.directory = folder,
		.segment_size = SEGMENT_SIZE,
		.segment_count = 4,
		.slice_size = SLICE_SIZE,
		.create = true,
		.shop = &fixture.shop,
		.done = done,
		.user = &fixture,
		.memory = journal_memory,
		.memory_size = sizeof(journal_memory),
	};
	char page[512];
	struct zg_text error;
	int result;

	zg_text_init(&error, page, sizeof(page));
	assert_true(shop_journal_store_memory_size(&options) <= sizeof(journal_memory));
	result = shop_journal_store_open(&journal, &options, ret_recovery, &error);
	if (result < 0)
		print_message("# %s\n", page);
	return result;
}

/* The process ends without a word, and another one begins. */
static void crash_and_open(struct zg_journal_recovery *ret_recovery)
{
	shop_store_close(&journal.store);
	fixture_end(&fixture);
	fixture_begin();
	assert_int_equal(open_store(ret_recovery), 0);
}

static int submit(struct shop_store *store, uint32_t number, uint32_t type)
{
	commands[number].type = type;
	commands[number].now_ms = FIXTURE_NOW_MS;
	return shop_store_submit(store, &commands[number]);
}

/* Nothing is flushed: it is the process that ends in these tests, not the machine. */
static void flush(void)
{
	int fd;

	while (shop_store_turn_end(&journal.store, &fd) == 1)
		shop_store_flushed(&journal.store, 0);
}

static void a_store_in_memory_is_done_at_once_and_flushes_nothing(void **state)
{
	int fd = 42;

	(void)state;
	shop_memory_store_open(&memory, &fixture.shop, done, &fixture);
	assert_int_equal(submit(&memory.store, 0, SHOP_CART_OPEN), 0);
	assert_int_equal(submit(&memory.store, 1, SHOP_CART_OPEN), 0);
	assert_int_equal(done_count, 2);
	assert_int_equal(commands[1].outcome.id, 2);
	assert_int_equal(shop_store_turn_end(&memory.store, &fd), 0);
	assert_int_equal(fd, 42);
	assert_int_equal(shop_store_idle(&memory.store), SHOP_STORE_NOTHING);
	shop_store_close(&memory.store);
}

static void a_command_is_done_when_its_record_is_durable(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(open_store(NULL), 0);
	assert_int_equal(submit(&journal.store, 0, SHOP_CART_OPEN), 0);
	assert_int_equal(submit(&journal.store, 1, SHOP_CART_OPEN), 0);
	assert_int_equal(commands[1].outcome.id, 2);
	assert_int_equal(done_count, 0);
	assert_int_equal(shop_store_turn_end(&journal.store, &fd), 1);
	/* What comes while the flush is under way waits for the next one. */
	assert_int_equal(submit(&journal.store, 2, SHOP_CART_OPEN), 0);
	assert_int_equal(shop_store_turn_end(&journal.store, &fd), 0);
	shop_store_flushed(&journal.store, 0);
	assert_int_equal(done_count, 2);
	flush();
	assert_int_equal(done_count, 3);
	shop_store_close(&journal.store);
}

static void whoever_saw_what_is_not_durable_waits_as_well(void **state)
{
	(void)state;
	assert_int_equal(open_store(NULL), 0);
	commands[0].request.tick.limit = 1;
	assert_int_equal(submit(&journal.store, 0, SHOP_TICK), 0);
	/* It changed nothing, and nothing before it had: done at once. */
	assert_int_equal(done_count, 1);
	assert_int_equal(submit(&journal.store, 1, SHOP_CART_OPEN), 0);
	assert_int_equal(submit(&journal.store, 2, SHOP_TICK), 0);
	assert_false(commands[2].outcome.is_changed);
	assert_int_equal(done_count, 1);
	flush();
	assert_int_equal(done_count, 3);
	shop_store_close(&journal.store);
}

static void what_was_done_is_there_after_a_crash(void **state)
{
	struct zg_journal_recovery recovery;
	uint64_t digest;

	(void)state;
	assert_int_equal(open_store(NULL), 0);
	for (uint32_t turn = 0; turn < 10; ++turn) {
		for (uint32_t number = 0; number < 4; ++number)
			assert_int_equal(submit(&journal.store, number, SHOP_CART_OPEN), 0);
		flush();
	}
	assert_int_equal(done_count, 40);
	digest = shop_digest(&fixture.shop);
	crash_and_open(&recovery);
	assert_int_equal(recovery.record_count, 40);
	assert_true(shop_digest(&fixture.shop) == digest);
	shop_store_close(&journal.store);
}

static void a_flush_that_fails_is_told_and_nothing_is_taken_any_more(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(open_store(NULL), 0);
	assert_int_equal(submit(&journal.store, 0, SHOP_CART_OPEN), 0);
	assert_int_equal(shop_store_turn_end(&journal.store, &fd), 1);
	shop_store_flushed(&journal.store, -EIO);
	assert_int_equal(done_count, 1);
	assert_int_equal(done_error, -EIO);
	assert_true(submit(&journal.store, 1, SHOP_CART_OPEN) < 0);
	assert_int_equal(done_count, 1);
	shop_store_close(&journal.store);
}

/* More records than all segments hold: snapshots make room, and what comes meanwhile is in none of
 * them and not lost. */
static void the_journal_goes_on_by_snapshots(void **state)
{
	struct zg_journal_recovery recovery;
	uint64_t digest;
	uint64_t snapshots;

	(void)state;
	assert_int_equal(open_store(NULL), 0);
	for (uint32_t turn = 0; turn < 2000; ++turn) {
		for (uint32_t number = 0; number < 4; ++number) {
			struct shop_command *command = &commands[number];

			/* Mugs whose stock goes up and down. */
			command->request.product_put =
				(struct shop_product_put){.sku = "MUG",
							  .name = "Mug",
							  .category = "Kitchen",
							  .stock = turn * 4 + number,
							  .is_listed = 1};
			assert_int_equal(submit(&journal.store, number, SHOP_PRODUCT_PUT), 0);
		}
		flush();
		if (shop_store_idle(&journal.store) == SHOP_STORE_SYNC)
			shop_store_synced(&journal.store, shop_store_sync(&journal.store));
	}
	assert_int_equal(done_count, 8000);
	snapshots = journal.journal.stats.snapshots;
	assert_true(snapshots > 2);
	assert_int_equal(journal.snapshot_failed_count, 0);
	digest = shop_digest(&fixture.shop);
	crash_and_open(&recovery);
	assert_true(recovery.slice_count > 0);
	assert_true(recovery.record_count < 8000);
	assert_true(shop_digest(&fixture.shop) == digest);
	shop_store_close(&journal.store);
}

static void a_full_journal_refuses_before_anything_is_done(void **state)
{
	uint64_t digest;
	int result = 0;

	(void)state;
	assert_int_equal(open_store(NULL), 0);
	/* Nobody calls shop_store_idle(). */
	for (uint32_t count = 0; result == 0; ++count) {
		commands[count % 4].request.product_put = (struct shop_product_put){
			.sku = "MUG", .name = "Mug", .category = "Kitchen", .stock = count};
		digest = shop_digest(&fixture.shop);
		result = submit(&journal.store, count % 4, SHOP_PRODUCT_PUT);
		flush();
		assert_true(count < 8000);
	}
	assert_int_equal(result, -EAGAIN);
	assert_true(shop_digest(&fixture.shop) == digest);
	shop_store_close(&journal.store);
}

static void what_is_in_flight_is_found_again_after_a_crash(void **state)
{
	struct shop_card card = {.month = 12, .year = 2030};
	struct shop_payment_record *record = &commands[0].request.authorize.record;
	const struct shop_transaction *transaction;

	(void)state;
	assert_int_equal(open_store(NULL), 0);
	shop_payment_record_init(record);
	record->amount = 1000;
	record->currency = fixture.options.currency;
	record->flags = SHOP_PAYMENT_SALE;
	memcpy(record->key, "key", 3);
	assert_true(shop_card_number_set(&card, ZG_SLICE(FIXTURE_CARD_GOOD)));
	shop_payment_record_card(record, &card);
	shop_payment_record_sum(record);
	assert_int_equal(shop_payment_record_seal(record, FIXTURE_NOW_MS, &card), SHOP_REASON_NONE);
	assert_int_equal(submit(&journal.store, 0, SHOP_PAYMENT_AUTHORIZE), 0);
	flush();
	assert_int_equal(commands[0].outcome.result, SHOP_PENDING);
	crash_and_open(NULL);
	transaction = shop_transaction_next(&fixture.shop, NULL);
	assert_non_null(transaction);
	assert_int_equal(transaction->operation, SHOP_SALE);
	/* The acquirer, asked, says that it was approved. */
	commands[0].request.payment_outcome = (struct shop_payment_outcome){
		.operation_id = transaction->object.id, .verdict = SHOP_APPROVED};
	assert_int_equal(submit(&journal.store, 0, SHOP_PAYMENT_OUTCOME), 0);
	flush();
	crash_and_open(NULL);
	assert_null(shop_transaction_next(&fixture.shop, NULL));
	assert_int_equal(fixture.shop.totals.captured, 1000);
	fixture_audit(&fixture);
	shop_store_close(&journal.store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
		TEST(a_store_in_memory_is_done_at_once_and_flushes_nothing),
		TEST(a_command_is_done_when_its_record_is_durable),
		TEST(whoever_saw_what_is_not_durable_waits_as_well),
		TEST(what_was_done_is_there_after_a_crash),
		TEST(a_flush_that_fails_is_told_and_nothing_is_taken_any_more),
		TEST(the_journal_goes_on_by_snapshots),
		TEST(a_full_journal_refuses_before_anything_is_done),
		TEST(what_is_in_flight_is_found_again_after_a_crash),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
