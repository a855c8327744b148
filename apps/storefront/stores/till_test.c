/*
 * The till: each operation is seen through, whatever the acquirer and the store do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdalign.h>

#include "ledger/shop_fixture.h"
#include "payments/sandbox.h"
#include "stores/memory_store.h"
#include "stores/till.h"

#define DELAY_MS 10

static struct fixture fixture;
static struct shop_memory_store memory;
static struct shop_store_operations operations; /* the memory's, until a test changes one */
static const struct shop_store_operations *operations_real;
static struct shop_sandbox sandbox;
static struct shop_sandbox_entry entries[8];
static struct shop_till till;
static alignas(ZG_POOL_ALIGNMENT) unsigned char till_memory[16384];
static struct shop_command command;
static bool is_store_full;
static uint32_t over_count;
static struct shop_outcome over; /* of the last one that was over */
static void *over_waiter;

static void stored(void *user, struct shop_command *done, int error)
{
	(void)user;
	if (shop_till_owns(&till, done))
		shop_till_stored(&till, done, error);
	else if (done->outcome.operation_id > 0)
		shop_till_begin(&till, done, done);
}

static void operation_over(void *user, void *waiter, const struct shop_command *word, int error)
{
	(void)user;
	assert_int_equal(error, 0);
	++over_count;
	over = word->outcome;
	over_waiter = waiter;
}

static int submit_unless_full(struct shop_store *store, struct shop_command *submitted)
{
	return is_store_full ? -EAGAIN : operations_real->submit(store, submitted);
}

/* The till puts its own in the place of this. */
static void word_to_nobody(void *user, const struct shop_payment_outcome *word)
{
	(void)user;
	(void)word;
	fail();
}

static void start_sandbox(uint32_t entry_count)
{
	const struct shop_sandbox_options options = {
		.done = word_to_nobody,
		.entries = entries,
		.entry_count = entry_count,
		.delay_ms = DELAY_MS,
		.now_ms = FIXTURE_NOW_MS,
	};

	shop_sandbox_init(&sandbox, &options);
}

static void start_till(void)
{
	const struct shop_till_options options = {
		.store = &memory.store,
		.acquirer = &sandbox.acquirer,
		.done = operation_over,
		.transactions_max = fixture.options.transactions_max,
		.memory = till_memory,
	};

	assert_true(shop_till_memory_size(options.transactions_max) <= sizeof(till_memory));
	memset(till_memory, 0, sizeof(till_memory));
	assert_int_equal(shop_till_init(&till, &options), 0);
}

static int start(void **state)
{
	struct shop_options options;

	(void)state;
	over_count = 0;
	over_waiter = NULL;
	is_store_full = false;
	fixture_options(&options);
	fixture_start(&fixture, &options);
	shop_memory_store_open(&memory, &fixture.shop, stored, NULL);
	operations_real = memory.store.operations;
	operations = *operations_real;
	operations.submit = submit_unless_full;
	memory.store.operations = &operations;
	start_sandbox(8);
	start_till();
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_audit(&fixture);
	shop_till_fini(&till);
	fixture_end(&fixture);
	return 0;
}

static void pay(const char *number, const char *key)
{
	struct shop_payment_record *record = &command.request.authorize.record;
	struct shop_card card = {.month = 12, .year = 2030};

	command = (struct shop_command){.type = SHOP_PAYMENT_AUTHORIZE, .now_ms = FIXTURE_NOW_MS};
	shop_payment_record_init(record);
	record->flags = SHOP_PAYMENT_SALE;
	record->amount = 1000;
	record->currency = fixture.options.currency;
	memcpy(record->key, key, strlen(key));
	assert_true(shop_card_number_set(&card, (struct zg_slice){number, strlen(number)}));
	shop_payment_record_card(record, &card);
	shop_payment_record_sum(record);
	assert_int_equal(shop_payment_record_seal(record, FIXTURE_NOW_MS, &command.card),
			 SHOP_REASON_NONE);
	assert_int_equal(shop_store_submit(&memory.store, &command), 0);
}

static int64_t poll_after(int64_t passed_ms)
{
	return shop_till_poll(&till, FIXTURE_NOW_MS + passed_ms);
}

static void an_approved_payment_is_over_when_its_word_is_kept(void **state)
{
	static const struct shop_card nothing;

	(void)state;
	pay(FIXTURE_CARD_GOOD, "a");
	assert_int_equal(command.outcome.result, SHOP_PENDING);
	/* The card has gone to the acquirer, and nowhere else. */
	assert_memory_equal(&command.card, &nothing, sizeof(nothing));
	assert_int_equal(poll_after(0), FIXTURE_NOW_MS + DELAY_MS);
	assert_int_equal(over_count, 0);
	assert_true(poll_after(DELAY_MS) == INT64_MAX);
	assert_int_equal(over_count, 1);
	assert_ptr_equal(over_waiter, &command);
	assert_int_equal(over.result, SHOP_OK);
	assert_int_equal(over.state, SHOP_PAYMENT_CAPTURED);
	assert_int_equal(till.pool.untyped.free_count, fixture.options.transactions_max);
}

static void a_declined_one_is_over_as_well(void **state)
{
	(void)state;
	pay(FIXTURE_CARD_DECLINED, "a");
	(void)poll_after(DELAY_MS);
	assert_int_equal(over.result, SHOP_DECLINED);
	assert_int_equal(over.reason, SHOP_REASON_DECLINED);
}

static void after_a_time_out_the_acquirer_is_asked(void **state)
{
	(void)state;
	pay("4000000000000119", "a");
	assert_int_equal(poll_after(SHOP_SANDBOX_TIMEOUT_MS),
			 FIXTURE_NOW_MS + SHOP_SANDBOX_TIMEOUT_MS + SHOP_TILL_ASK_MS);
	assert_int_equal(over_count, 0);
	assert_int_equal(till.timeout_count, 1);
	(void)poll_after(SHOP_SANDBOX_TIMEOUT_MS + SHOP_TILL_ASK_MS);
	assert_int_equal(till.ask_count, 1);
	(void)poll_after(SHOP_SANDBOX_TIMEOUT_MS + SHOP_TILL_ASK_MS + DELAY_MS);
	assert_int_equal(over_count, 1);
	assert_int_equal(over.state, SHOP_PAYMENT_CAPTURED);
	pay("4000000000003220", "b");
	for (int64_t passed_ms = 5000; passed_ms < 10000; passed_ms += 100)
		(void)poll_after(passed_ms);
	assert_int_equal(over_count, 2);
	assert_int_equal(over.state, SHOP_PAYMENT_FAILED);
}

static void a_word_that_the_store_cannot_take_is_offered_again(void **state)
{
	(void)state;
	pay(FIXTURE_CARD_GOOD, "a");
	is_store_full = true;
	assert_int_equal(poll_after(DELAY_MS), FIXTURE_NOW_MS + DELAY_MS + SHOP_TILL_RETRY_MS);
	assert_int_equal(over_count, 0);
	(void)poll_after(DELAY_MS + SHOP_TILL_RETRY_MS);
	is_store_full = false;
	(void)poll_after(DELAY_MS + 2 * SHOP_TILL_RETRY_MS);
	assert_int_equal(over_count, 1);
	assert_int_equal(fixture.shop.totals.captured, 1000);
}

static void a_second_word_before_the_first_is_kept_is_none(void **state)
{
	const struct shop_payment_outcome second = {.operation_id = 1,
						    .verdict = SHOP_VERDICT_DECLINED};

	(void)state;
	pay(FIXTURE_CARD_GOOD, "a");
	is_store_full = true;
	(void)poll_after(DELAY_MS);
	sandbox.acquirer.done(sandbox.acquirer.user, &second);
	is_store_full = false;
	(void)poll_after(DELAY_MS + SHOP_TILL_RETRY_MS);
	assert_int_equal(over_count, 1);
	assert_int_equal(over.state, SHOP_PAYMENT_CAPTURED);
}

static void an_acquirer_that_takes_nothing_means_that_nothing_is_paid(void **state)
{
	(void)state;
	shop_till_fini(&till);
	start_sandbox(1);
	start_till();
	pay(FIXTURE_CARD_GOOD, "a");
	pay(FIXTURE_CARD_GOOD, "b");
	for (int64_t passed_ms = DELAY_MS; passed_ms < 1000; passed_ms += DELAY_MS)
		(void)poll_after(passed_ms);
	assert_int_equal(over_count, 2);
	assert_int_equal(over.result, SHOP_DECLINED);
	assert_int_equal(over.reason, SHOP_REASON_ACQUIRER);
	assert_int_equal(fixture.shop.totals.captured, 1000);
}

static void what_was_in_flight_is_asked_about_after_a_crash(void **state)
{
	(void)state;
	pay(FIXTURE_CARD_GOOD, "a");
	pay(FIXTURE_CARD_GOOD, "b");
	/* The process ends, and the acquirer, which is another one, goes on. */
	shop_till_fini(&till);
	start_till();
	assert_int_equal(shop_till_recover(&till, FIXTURE_NOW_MS + 5), 2);
	(void)poll_after(1000);
	assert_int_equal(over_count, 2);
	assert_null(over_waiter);
	assert_int_equal(fixture.shop.totals.captured, 2000);
	assert_int_equal(fixture.shop.transactions.count, 0);
}

static void the_plan_has_an_entry_for_each_transaction(void **state)
{
	static struct zg_plan plan;
	char page[512];
	struct zg_text error;

	(void)state;
	zg_text_init(&error, page, sizeof(page));
	zg_plan_init(&plan);
	assert_int_equal(shop_plan(&plan, &fixture.options), 0);
	assert_int_equal(shop_till_plan(&plan, fixture.options.transactions_max), 0);
	assert_int_equal(zg_plan_verify(&plan, &error), 0);
	assert_true(zg_plan_find(&plan, "till")->size_total >=
		    shop_till_memory_size(fixture.options.transactions_max));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
		TEST(an_approved_payment_is_over_when_its_word_is_kept),
		TEST(a_declined_one_is_over_as_well),
		TEST(after_a_time_out_the_acquirer_is_asked),
		TEST(a_word_that_the_store_cannot_take_is_offered_again),
		TEST(a_second_word_before_the_first_is_kept_is_none),
		TEST(an_acquirer_that_takes_nothing_means_that_nothing_is_paid),
		TEST(what_was_in_flight_is_asked_about_after_a_crash),
		TEST(the_plan_has_an_entry_for_each_transaction),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
