/*
 * Payments: intent first, the acquirer's word later, and nothing twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/shop_fixture.h"

static struct fixture fixture;
static const struct shop_outcome *outcome = &fixture.command.outcome;

static int start(void **state)
{
	struct shop_options options;

	(void)state;
	fixture_options(&options);
	fixture_start(&fixture, &options);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_audit(&fixture);
	fixture_end(&fixture);
	return 0;
}

/* A payment without an order, authorized. */
static uint64_t authorized(int64_t amount, const char *key)
{
	uint64_t payment;

	assert_int_equal(fixture_authorize(&fixture, 0, amount, key), SHOP_PENDING);
	payment = outcome->id;
	assert_int_equal(fixture_word(&fixture, outcome->operation_id, SHOP_APPROVED), SHOP_OK);
	return payment;
}

static uint64_t captured(int64_t amount, const char *key)
{
	uint64_t payment;

	assert_int_equal(fixture_sale(&fixture, 0, amount, key), SHOP_PENDING);
	payment = outcome->id;
	assert_int_equal(fixture_word(&fixture, outcome->operation_id, SHOP_APPROVED), SHOP_OK);
	return payment;
}

static enum shop_result approved(uint32_t type, uint64_t payment, int64_t amount)
{
	enum shop_result result = fixture_payment_step(&fixture, type, payment, amount, "");

	if (result != SHOP_PENDING)
		return result;
	return fixture_word(&fixture, outcome->operation_id, SHOP_APPROVED);
}

static void an_order_is_authorized_captured_shipped_and_refunded(void **state)
{
	uint64_t order = fixture_order(&fixture);
	uint64_t payment;

	(void)state;
	assert_int_equal(fixture_authorize(&fixture, order, 1000, "a"), SHOP_PENDING);
	payment = outcome->id;
	assert_int_equal(fixture_order_of(&fixture, order)->state, SHOP_ORDER_PAYING);
	assert_int_equal(fixture_word(&fixture, outcome->operation_id, SHOP_APPROVED), SHOP_OK);
	assert_int_equal(outcome->state, SHOP_PAYMENT_AUTHORIZED);
	assert_int_equal(fixture_order_of(&fixture, order)->state, SHOP_ORDER_AUTHORIZED);
	assert_int_equal(fixture_payment_of(&fixture, payment)->acquirer_reference, 4711);
	assert_int_equal(approved(SHOP_PAYMENT_CAPTURE, payment, 0), SHOP_OK);
	assert_int_equal(outcome->amount, 1000);
	assert_int_equal(fixture_order_of(&fixture, order)->state, SHOP_ORDER_PAID);
	assert_int_equal(shop_catalog_product(&fixture.shop.catalog, 1)->sold, 1);
	assert_int_equal(fixture_order_step(&fixture, SHOP_ORDER_SHIP, order), SHOP_OK);
	assert_int_equal(approved(SHOP_PAYMENT_REFUND, payment, 0), SHOP_OK);
	assert_int_equal(fixture_order_of(&fixture, order)->state, SHOP_ORDER_REFUNDED);
	/* What was shipped is not on the shelf again. */
	assert_int_equal(shop_catalog_product(&fixture.shop.catalog, 1)->sold, 1);
	assert_int_equal(fixture.shop.totals.captured - fixture.shop.totals.refunded, 0);
}

static void a_sale_is_captured_with_the_first_word(void **state)
{
	uint64_t order = fixture_order(&fixture);

	(void)state;
	assert_int_equal(fixture_sale(&fixture, order, 1000, "a"), SHOP_PENDING);
	assert_int_equal(fixture_word(&fixture, outcome->operation_id, SHOP_APPROVED), SHOP_OK);
	assert_int_equal(outcome->state, SHOP_PAYMENT_CAPTURED);
	assert_int_equal(fixture_order_of(&fixture, order)->state, SHOP_ORDER_PAID);
	assert_int_equal(fixture.shop.totals.captured, 1000);
	/* Refunded before it was shipped, the goods are on the shelf again. */
	assert_int_equal(approved(SHOP_PAYMENT_REFUND, outcome->id, 0), SHOP_OK);
	assert_int_equal(shop_catalog_product(&fixture.shop.catalog, 1)->available, 10);
}

static void a_void_frees_the_stock(void **state)
{
	uint64_t order = fixture_order(&fixture);

	(void)state;
	assert_int_equal(fixture_authorize(&fixture, order, 1000, "a"), SHOP_PENDING);
	assert_int_equal(fixture_word(&fixture, outcome->operation_id, SHOP_APPROVED), SHOP_OK);
	assert_int_equal(fixture_order_step(&fixture, SHOP_ORDER_CANCEL, order), SHOP_CONFLICT);
	assert_int_equal(approved(SHOP_PAYMENT_VOID, 1, 0), SHOP_OK);
	assert_int_equal(outcome->state, SHOP_PAYMENT_VOIDED);
	assert_int_equal(fixture_order_of(&fixture, order)->state, SHOP_ORDER_CANCELLED);
	assert_int_equal(shop_catalog_product(&fixture.shop.catalog, 1)->available, 10);
	assert_int_equal(approved(SHOP_PAYMENT_CAPTURE, 1, 0), SHOP_CONFLICT);
}

static void a_declined_order_may_be_paid_again_but_not_for_ever(void **state)
{
	uint64_t order = fixture_order(&fixture);

	(void)state;
	for (uint32_t attempt = 1; attempt <= SHOP_ORDER_ATTEMPTS_MAX; ++attempt) {
		char key[8];

		(void)snprintf(key, sizeof(key), "k%u", attempt);
		assert_int_equal(fixture_authorize(&fixture, order, 1000, key), SHOP_PENDING);
		assert_int_equal(
			fixture_word(&fixture, outcome->operation_id, SHOP_INSUFFICIENT_FUNDS),
			SHOP_DECLINED);
		assert_int_equal(outcome->reason, SHOP_REASON_INSUFFICIENT_FUNDS);
		assert_int_equal(outcome->state, SHOP_PAYMENT_DECLINED);
	}
	assert_int_equal(fixture_order_of(&fixture, order)->state, SHOP_ORDER_CANCELLED);
	assert_int_equal(shop_catalog_product(&fixture.shop.catalog, 1)->available, 10);
	assert_int_equal(fixture_authorize(&fixture, order, 1000, "k6"), SHOP_CONFLICT);
}

static void an_order_is_paid_once_and_in_full(void **state)
{
	uint64_t order = fixture_order(&fixture);

	(void)state;
	assert_int_equal(fixture_authorize(&fixture, order, 999, "a"), SHOP_INVALID);
	assert_int_equal(outcome->reason, SHOP_REASON_AMOUNT);
	assert_int_equal(outcome->amount, 1000);
	assert_int_equal(fixture_authorize(&fixture, 99, 1000, "a"), SHOP_NOT_FOUND);
	assert_int_equal(fixture_authorize(&fixture, order, 1000, "a"), SHOP_PENDING);
	assert_string_equal(fixture.command.card.number, FIXTURE_CARD_GOOD);
	assert_int_equal(fixture_authorize(&fixture, order, 1000, "b"), SHOP_CONFLICT);
	assert_int_equal(outcome->reason, SHOP_REASON_ORDER_STATE);
	/* Nobody will be asked with the card: it is gone. */
	assert_string_equal(fixture.command.card.number, "");
	assert_int_equal(fixture_word(&fixture, 1, SHOP_APPROVED), SHOP_OK);
	assert_int_equal(fixture_authorize(&fixture, order, 1000, "b"), SHOP_CONFLICT);
	assert_int_equal(fixture.shop.payments.count, 1);
}

static void an_order_that_is_being_paid_does_not_expire(void **state)
{
	uint64_t order = fixture_order(&fixture);

	(void)state;
	assert_int_equal(fixture_sale(&fixture, order, 1000, "a"), SHOP_PENDING);
	fixture.now_ms += (int64_t)fixture.options.order_ttl_s * 10000;
	assert_int_equal(fixture_tick(&fixture), SHOP_OK);
	assert_int_equal(fixture_order_of(&fixture, order)->state, SHOP_ORDER_PAYING);
	assert_int_equal(fixture_word(&fixture, 1, SHOP_APPROVED), SHOP_OK);
	assert_int_equal(fixture_order_of(&fixture, order)->state, SHOP_ORDER_PAID);
}

static void a_word_counts_once(void **state)
{
	(void)state;
	assert_int_equal(fixture_sale(&fixture, 0, 1000, "a"), SHOP_PENDING);
	assert_int_equal(fixture_word(&fixture, 1, SHOP_APPROVED), SHOP_OK);
	assert_int_equal(fixture_word(&fixture, 1, SHOP_APPROVED), SHOP_NOT_FOUND);
	assert_int_equal(fixture_word(&fixture, 1, SHOP_VERDICT_DECLINED), SHOP_NOT_FOUND);
	assert_false(outcome->is_changed);
	assert_int_equal(fixture_word(&fixture, 99, SHOP_APPROVED), SHOP_NOT_FOUND);
	assert_int_equal(fixture.shop.totals.captured, 1000);
}

static void a_time_out_is_no_word(void **state)
{
	uint64_t order = fixture_order(&fixture);

	(void)state;
	assert_int_equal(fixture_sale(&fixture, order, 1000, "a"), SHOP_PENDING);
	for (uint32_t attempt = 1; attempt <= 3; ++attempt) {
		assert_int_equal(fixture_word(&fixture, 1, SHOP_TIMED_OUT), SHOP_PENDING);
		assert_int_equal(outcome->operation_id, 1);
		assert_int_equal(shop_transaction_find(&fixture.shop, 1)->attempts, attempt);
	}
	assert_int_equal(fixture_word(&fixture, 1, SHOP_UNHEARD), SHOP_DECLINED);
	assert_int_equal(outcome->state, SHOP_PAYMENT_FAILED);
	assert_int_equal(outcome->reason, SHOP_REASON_ACQUIRER);
	assert_int_equal(fixture_order_of(&fixture, order)->state, SHOP_ORDER_AWAITING_PAYMENT);
	assert_null(shop_transaction_find(&fixture.shop, 1));
}

static void a_capture_may_be_of_less_and_is_one(void **state)
{
	uint64_t payment = authorized(1000, "a");

	(void)state;
	assert_int_equal(approved(SHOP_PAYMENT_CAPTURE, payment, 1001), SHOP_INVALID);
	assert_int_equal(outcome->amount, 1000);
	assert_int_equal(approved(SHOP_PAYMENT_CAPTURE, payment, -1), SHOP_INVALID);
	assert_int_equal(approved(SHOP_PAYMENT_REFUND, payment, 1), SHOP_CONFLICT);
	assert_int_equal(approved(SHOP_PAYMENT_CAPTURE, payment, 600), SHOP_OK);
	assert_int_equal(fixture_payment_of(&fixture, payment)->captured, 600);
	assert_int_equal(approved(SHOP_PAYMENT_CAPTURE, payment, 400), SHOP_CONFLICT);
	assert_int_equal(outcome->reason, SHOP_REASON_PAYMENT_STATE);
	assert_int_equal(fixture.shop.totals.captured, 600);
}

static void refunds_are_several_and_never_more_than_was_captured(void **state)
{
	uint64_t payment = captured(1000, "a");

	(void)state;
	assert_int_equal(approved(SHOP_PAYMENT_REFUND, payment, 300), SHOP_OK);
	assert_int_equal(outcome->state, SHOP_PAYMENT_CAPTURED);
	assert_int_equal(approved(SHOP_PAYMENT_REFUND, payment, 701), SHOP_INVALID);
	assert_int_equal(outcome->amount, 700);
	assert_int_equal(approved(SHOP_PAYMENT_REFUND, payment, 200), SHOP_OK);
	assert_int_equal(approved(SHOP_PAYMENT_REFUND, payment, 0), SHOP_OK);
	assert_int_equal(outcome->amount, 500);
	assert_int_equal(outcome->state, SHOP_PAYMENT_REFUNDED);
	assert_int_equal(approved(SHOP_PAYMENT_REFUND, payment, 1), SHOP_CONFLICT);
	assert_int_equal(fixture.shop.totals.refunded, 1000);
	assert_int_equal(approved(SHOP_PAYMENT_VOID, payment, 0), SHOP_CONFLICT);
}

static void a_refused_step_is_as_if_it_had_not_been_asked(void **state)
{
	uint64_t payment = authorized(1000, "a");

	(void)state;
	assert_int_equal(fixture_payment_step(&fixture, SHOP_PAYMENT_CAPTURE, payment, 0, "b"),
			 SHOP_PENDING);
	assert_int_equal(fixture_payment_step(&fixture, SHOP_PAYMENT_VOID, payment, 0, "c"),
			 SHOP_CONFLICT);
	assert_int_equal(outcome->reason, SHOP_REASON_PAYMENT_BUSY);
	assert_int_equal(fixture_word(&fixture, 2, SHOP_VERDICT_DECLINED), SHOP_DECLINED);
	assert_int_equal(fixture_payment_of(&fixture, payment)->state, SHOP_PAYMENT_AUTHORIZED);
	assert_int_equal(fixture_payment_of(&fixture, payment)->captured, 0);
	assert_int_equal(approved(SHOP_PAYMENT_VOID, payment, 0), SHOP_OK);
}

static void the_same_key_and_body_get_the_same_answer(void **state)
{
	uint64_t payment;

	(void)state;
	assert_int_equal(fixture_sale(&fixture, 0, 1000, "a"), SHOP_PENDING);
	payment = outcome->id;
	/* While the acquirer thinks, too; and then nobody asks him a second time. */
	assert_int_equal(fixture_sale(&fixture, 0, 1000, "a"), SHOP_PENDING);
	assert_true(outcome->is_repeated);
	assert_false(outcome->is_changed);
	assert_int_equal(outcome->id, payment);
	assert_int_equal(outcome->operation_id, 0);
	assert_int_equal(fixture_word(&fixture, 1, SHOP_APPROVED), SHOP_OK);
	assert_int_equal(fixture_sale(&fixture, 0, 1000, "a"), SHOP_OK);
	assert_true(outcome->is_repeated);
	assert_int_equal(outcome->id, payment);
	assert_int_equal(outcome->state, SHOP_PAYMENT_CAPTURED);
	assert_int_equal(fixture.shop.payments.count, 1);
	/* A refund by key is given once, and its answer stays though more follows. */
	assert_int_equal(fixture_payment_step(&fixture, SHOP_PAYMENT_REFUND, payment, 100, "r"),
			 SHOP_PENDING);
	assert_int_equal(fixture_word(&fixture, 2, SHOP_APPROVED), SHOP_OK);
	assert_int_equal(approved(SHOP_PAYMENT_REFUND, payment, 0), SHOP_OK);
	assert_int_equal(fixture_payment_step(&fixture, SHOP_PAYMENT_REFUND, payment, 100, "r"),
			 SHOP_OK);
	assert_int_equal(outcome->amount, 100);
	assert_int_equal(outcome->state, SHOP_PAYMENT_CAPTURED);
}

static void the_same_key_with_another_body_is_a_conflict(void **state)
{
	(void)state;
	assert_int_equal(fixture_sale(&fixture, 0, 1000, "a"), SHOP_PENDING);
	assert_int_equal(fixture_sale(&fixture, 0, 1001, "a"), SHOP_CONFLICT);
	assert_int_equal(outcome->reason, SHOP_REASON_KEY_REUSED);
	assert_int_equal(fixture_authorize(&fixture, 0, 1000, "a"), SHOP_CONFLICT);
	assert_int_equal(fixture_payment_step(&fixture, SHOP_PAYMENT_REFUND, 1, 1000, "a"),
			 SHOP_CONFLICT);
	assert_int_equal(outcome->reason, SHOP_REASON_KEY_REUSED);
	assert_int_equal(fixture_payment_step(&fixture, SHOP_PAYMENT_REFUND, 1, 1000, "a b"),
			 SHOP_INVALID);
	assert_int_equal(outcome->reason, SHOP_REASON_KEY);
}

static void a_refused_request_leaves_its_key_free(void **state)
{
	(void)state;
	fixture_order(&fixture);
	assert_int_equal(fixture_sale(&fixture, 1, 999, "a"), SHOP_INVALID);
	assert_int_equal(fixture_sale(&fixture, 1, 1000, "a"), SHOP_PENDING);
}

static void a_key_is_forgotten_when_its_time_is_over(void **state)
{
	(void)state;
	captured(1000, "a");
	fixture.now_ms += (int64_t)fixture.options.key_ttl_s * 1000;
	assert_int_equal(fixture_tick(&fixture), SHOP_OK);
	assert_int_equal(outcome->amount, 1);
	assert_int_equal(fixture_sale(&fixture, 0, 2000, "a"), SHOP_PENDING);
}

static void past_the_transactions_nothing_is_half_done(void **state)
{
	uint64_t order = fixture_order(&fixture);
	uint64_t digest;

	(void)state;
	for (unsigned number = 0; number < fixture.options.transactions_max; ++number) {
		char key[2] = {(char)('a' + number), '\0'};

		assert_int_equal(fixture_sale(&fixture, 0, 1000, key), SHOP_PENDING);
	}
	digest = shop_digest(&fixture.shop);
	assert_int_equal(fixture_sale(&fixture, order, 1000, "z"), SHOP_FULL);
	assert_int_equal(outcome->reason, SHOP_REASON_TRANSACTIONS_FULL);
	assert_int_equal(outcome->retry_after_s, 1);
	assert_true(shop_digest(&fixture.shop) == digest);
	assert_int_equal(fixture.shop.transactions.refuse_count, 1);
	assert_int_equal(fixture_word(&fixture, 2, SHOP_APPROVED), SHOP_OK);
	assert_int_equal(fixture_sale(&fixture, order, 1000, "z"), SHOP_PENDING);
}

static void the_oldest_settled_payment_makes_room_but_none_that_is_live(void **state)
{
	uint64_t held = authorized(1000, "held");

	(void)state;
	for (unsigned number = 1; number < fixture.options.payments_max; ++number) {
		char key[2] = {(char)('a' + number), '\0'};

		captured(1000, key);
	}
	/* A declined one goes before one that could still be refunded. */
	assert_int_equal(fixture_sale(&fixture, 0, 5, "x"), SHOP_PENDING);
	assert_int_equal(fixture_word(&fixture, outcome->operation_id, SHOP_VERDICT_DECLINED),
			 SHOP_DECLINED);
	assert_null(fixture_payment_of(&fixture, 2));
	assert_int_equal(fixture_sale(&fixture, 0, 5, "y"), SHOP_PENDING);
	assert_non_null(fixture_payment_of(&fixture, 3));
	assert_null(fixture_payment_of(&fixture, 9));
	assert_non_null(fixture_payment_of(&fixture, held));
	assert_int_equal(approved(SHOP_PAYMENT_REFUND, 2, 0), SHOP_GONE);
	/* What it took is still counted. */
	assert_int_equal(fixture.shop.totals.captured, 7000);
	assert_int_equal(fixture.shop.totals.retired_captured, 1000);
}

static void amounts_that_no_sum_could_hold_are_refused(void **state)
{
	(void)state;
	assert_int_equal(fixture_sale(&fixture, 0, SHOP_AMOUNT_MAX + 1, "a"), SHOP_INVALID);
	assert_int_equal(outcome->reason, SHOP_REASON_AMOUNT);
	fixture.shop.totals.committed = INT64_MAX - 10;
	assert_int_equal(fixture_sale(&fixture, 0, 11, "a"), SHOP_INVALID);
	assert_int_equal(fixture_sale(&fixture, 0, 10, "a"), SHOP_PENDING);
	fixture.shop.totals.committed = 10;
}

static void what_is_in_flight_can_be_walked_over_after_a_recovery(void **state)
{
	const struct shop_transaction *transaction;

	(void)state;
	assert_int_equal(fixture_sale(&fixture, 0, 1, "a"), SHOP_PENDING);
	assert_int_equal(fixture_authorize(&fixture, 0, 2, "b"), SHOP_PENDING);
	transaction = shop_transaction_next(&fixture.shop, NULL);
	assert_int_equal(transaction->object.id, 1);
	assert_int_equal(transaction->operation, SHOP_SALE);
	transaction = shop_transaction_next(&fixture.shop, transaction);
	assert_int_equal(transaction->object.id, 2);
	assert_int_equal(transaction->amount, 2);
	assert_null(shop_transaction_next(&fixture.shop, transaction));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
		TEST(an_order_is_authorized_captured_shipped_and_refunded),
		TEST(a_sale_is_captured_with_the_first_word),
		TEST(a_void_frees_the_stock),
		TEST(a_declined_order_may_be_paid_again_but_not_for_ever),
		TEST(an_order_is_paid_once_and_in_full),
		TEST(an_order_that_is_being_paid_does_not_expire),
		TEST(a_word_counts_once),
		TEST(a_time_out_is_no_word),
		TEST(a_capture_may_be_of_less_and_is_one),
		TEST(refunds_are_several_and_never_more_than_was_captured),
		TEST(a_refused_step_is_as_if_it_had_not_been_asked),
		TEST(the_same_key_and_body_get_the_same_answer),
		TEST(the_same_key_with_another_body_is_a_conflict),
		TEST(a_refused_request_leaves_its_key_free),
		TEST(a_key_is_forgotten_when_its_time_is_over),
		TEST(past_the_transactions_nothing_is_half_done),
		TEST(the_oldest_settled_payment_makes_room_but_none_that_is_live),
		TEST(amounts_that_no_sum_could_hold_are_refused),
		TEST(what_is_in_flight_can_be_walked_over_after_a_recovery),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
