/*
 * The sandbox: words by card number, once an operation, and later for who asks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "payments/sandbox.h"

#define ENTRIES 4
#define DELAY_MS 50

static struct shop_sandbox sandbox;
static struct shop_sandbox_entry entries[ENTRIES];
static struct shop_payment_outcome words[16];
static uint32_t word_count;

static void heard(void *user, const struct shop_payment_outcome *word)
{
	(void)user;
	words[word_count++] = *word;
}

static int start(void **state)
{
	const struct shop_sandbox_options options = {
		.done = heard,
		.entries = entries,
		.entry_count = ENTRIES,
		.delay_ms = DELAY_MS,
	};

	(void)state;
	word_count = 0;
	shop_sandbox_init(&sandbox, &options);
	return 0;
}

static int submit(uint64_t operation_id, const char *number)
{
	struct shop_card card = {.month = 12, .year = 2030};
	const struct shop_acquirer_request request = {
		.operation_id = operation_id,
		.operation = SHOP_SALE,
		.money = {1000, 978},
		.card = &card,
	};

	assert_true(shop_card_number_set(&card, (struct zg_slice){number, strlen(number)}));
	return shop_acquirer_submit(&sandbox.acquirer, &request);
}

static int64_t poll_at(int64_t now_ms)
{
	return shop_acquirer_poll(&sandbox.acquirer, now_ms);
}

static void a_card_number_says_what_becomes_of_it(void **state)
{
	static const struct {
		const char *number;
		enum shop_verdict verdict;
	} cases[] = {
		{"4242424242424242", SHOP_APPROVED},
		{"5555555555554444", SHOP_APPROVED},
		{"4000000000000002", SHOP_VERDICT_DECLINED},
		{"4000000000009995", SHOP_INSUFFICIENT_FUNDS},
		{"4000000000000069", SHOP_EXPIRED_CARD},
		{"4000000000000259", SHOP_DUPLICATE},
	};

	(void)state;
	for (uint32_t index = 0; index < sizeof(cases) / sizeof(cases[0]); ++index) {
		assert_int_equal(submit(index + 1, cases[index].number), 0);
		poll_at((index + 1) * 1000);
		assert_int_equal(word_count, index + 1);
		assert_int_equal(words[index].operation_id, index + 1);
		assert_int_equal(words[index].verdict, cases[index].verdict);
		assert_true((words[index].acquirer_reference != 0) ==
			    (cases[index].verdict == SHOP_APPROVED));
	}
}

static void a_word_comes_after_its_delay_and_the_next_one_is_announced(void **state)
{
	(void)state;
	poll_at(1000);
	assert_int_equal(submit(1, "4242424242424242"), 0);
	poll_at(1020);
	assert_int_equal(submit(2, "4242424242424242"), 0);
	assert_int_equal(word_count, 0);
	assert_int_equal(poll_at(1049), 1050);
	assert_int_equal(word_count, 0);
	assert_int_equal(poll_at(1050), 1070);
	assert_int_equal(word_count, 1);
	assert_true(poll_at(1070) == INT64_MAX);
	assert_int_equal(words[1].operation_id, 2);
}

static void who_is_silent_times_out_and_whoever_asks_is_told(void **state)
{
	(void)state;
	assert_int_equal(submit(1, "4000000000000119"), 0);
	assert_int_equal(submit(2, "4000000000003220"), 0);
	/* Others do not wait for those. */
	assert_int_equal(submit(3, "4242424242424242"), 0);
	poll_at(DELAY_MS);
	assert_int_equal(word_count, 1);
	assert_int_equal(words[0].operation_id, 3);
	poll_at(SHOP_SANDBOX_TIMEOUT_MS);
	assert_int_equal(word_count, 3);
	assert_int_equal(words[1].verdict, SHOP_TIMED_OUT);
	assert_int_equal(words[2].verdict, SHOP_TIMED_OUT);
	assert_int_equal(shop_acquirer_ask(&sandbox.acquirer, 1), 0);
	assert_int_equal(shop_acquirer_ask(&sandbox.acquirer, 2), 0);
	poll_at(10000);
	assert_int_equal(word_count, 5);
	assert_int_equal(words[3].verdict, SHOP_APPROVED);
	assert_int_equal(words[4].verdict, SHOP_UNHEARD);
}

static void what_is_submitted_twice_is_carried_out_once(void **state)
{
	(void)state;
	assert_int_equal(submit(1, "4242424242424242"), 0);
	assert_int_equal(submit(1, "4000000000000002"), 0);
	poll_at(1000);
	assert_int_equal(word_count, 1);
	assert_int_equal(words[0].verdict, SHOP_APPROVED);
	assert_int_equal(submit(1, "4000000000000002"), 0);
	poll_at(2000);
	assert_int_equal(word_count, 2);
	assert_int_equal(words[1].verdict, SHOP_APPROVED);
}

static void what_it_never_heard_of_it_will_never_carry_out(void **state)
{
	(void)state;
	assert_int_equal(shop_acquirer_ask(&sandbox.acquirer, 7), 0);
	poll_at(1000);
	assert_int_equal(words[0].verdict, SHOP_UNHEARD);
	/* The request arrives late. */
	assert_int_equal(submit(7, "4242424242424242"), 0);
	poll_at(2000);
	assert_int_equal(words[1].verdict, SHOP_UNHEARD);
}

static void more_than_it_can_hold_is_refused_for_the_moment(void **state)
{
	(void)state;
	for (uint64_t id = 1; id <= ENTRIES; ++id)
		assert_int_equal(submit(id, "4242424242424242"), 0);
	assert_int_equal(submit(ENTRIES + 1, "4242424242424242"), -EAGAIN);
	assert_int_equal(shop_acquirer_ask(&sandbox.acquirer, 99), -EAGAIN);
	poll_at(1000);
	assert_int_equal(word_count, ENTRIES);
	assert_int_equal(submit(ENTRIES + 1, "4242424242424242"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_card_number_says_what_becomes_of_it, start),
		cmocka_unit_test_setup(a_word_comes_after_its_delay_and_the_next_one_is_announced,
				       start),
		cmocka_unit_test_setup(who_is_silent_times_out_and_whoever_asks_is_told, start),
		cmocka_unit_test_setup(what_is_submitted_twice_is_carried_out_once, start),
		cmocka_unit_test_setup(what_it_never_heard_of_it_will_never_carry_out, start),
		cmocka_unit_test_setup(more_than_it_can_hold_is_refused_for_the_moment, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
