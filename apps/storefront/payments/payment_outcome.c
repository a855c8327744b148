/*
 * Payment: the acquirer's word, and what follows from it for the payment, its order and the sums.
 */
#include <assert.h>
#include <string.h>

#include "ledger/shop.h"
#include "payments/payment.h"

static enum shop_reason verdict_reason(uint32_t verdict)
{
	switch (verdict) {
	case SHOP_INSUFFICIENT_FUNDS:
		return SHOP_REASON_INSUFFICIENT_FUNDS;
	case SHOP_EXPIRED_CARD:
		return SHOP_REASON_CARD_EXPIRED;
	case SHOP_DUPLICATE:
		return SHOP_REASON_DUPLICATE;
	case SHOP_UNHEARD:
		return SHOP_REASON_ACQUIRER;
	default:
		return SHOP_REASON_DECLINED;
	}
}

static uint32_t payment_queue(const struct shop_payment *payment)
{
	switch (payment->state) {
	case SHOP_PAYMENT_AUTHORIZING:
	case SHOP_PAYMENT_AUTHORIZED:
		return SHOP_PAYMENTS_LIVE;
	case SHOP_PAYMENT_CAPTURED:
		return SHOP_PAYMENTS_SETTLED;
	default:
		return SHOP_PAYMENTS_CLOSED;
	}
}

/* The order of a payment; NULL when it has none, or it has been retired. */
static struct shop_order *payment_order(struct shop *shop, const struct shop_payment *payment)
{
	struct shop_order *order =
		(struct shop_order *)shop_table_find(&shop->orders, payment->order_id);

	assert(order == NULL || order->payment_id == payment->object.id);
	return order;
}

static void payment_capture(struct shop *shop, struct shop_payment *payment, int64_t amount)
{
	struct shop_order *order = payment_order(shop, payment);

	assert(payment->captured == 0 && amount > 0 && amount <= payment->amount);
	payment->captured = amount;
	payment->state = SHOP_PAYMENT_CAPTURED;
	shop->totals.captured += amount;
	shop->totals.committed -= payment->amount - amount;
	++shop->totals.captured_count;
	if (order != NULL)
		shop_order_paid(shop, order);
}

static void payment_refund(struct shop *shop, struct shop_payment *payment, int64_t amount)
{
	struct shop_order *order = payment_order(shop, payment);

	assert(amount > 0 && amount <= payment->captured - payment->refunded);
	payment->refunded += amount;
	shop->totals.refunded += amount;
	++shop->totals.refunded_count;
	if (payment->refunded < payment->captured)
		return;
	payment->state = SHOP_PAYMENT_REFUNDED;
	if (order != NULL)
		shop_order_refunded(shop, order);
}

static void payment_approved(struct shop *shop, struct shop_payment *payment,
			     const struct shop_transaction *transaction)
{
	struct shop_order *order = payment_order(shop, payment);

	switch (transaction->operation) {
	case SHOP_AUTHORIZE:
		payment->state = SHOP_PAYMENT_AUTHORIZED;
		++shop->totals.authorized_count;
		if (order != NULL)
			shop_order_authorized(shop, order);
		break;
	case SHOP_SALE:
	case SHOP_CAPTURE:
		payment_capture(shop, payment, transaction->amount);
		break;
	case SHOP_VOID:
		payment->state = SHOP_PAYMENT_VOIDED;
		shop->totals.committed -= payment->amount;
		++shop->totals.voided_count;
		if (order != NULL)
			shop_order_voided(shop, order);
		break;
	case SHOP_REFUND:
		payment_refund(shop, payment, transaction->amount);
		break;
	default:
		assert(!"an operation is one of these");
	}
}

/* What was not to be: an authorization ends with it, anything else is as if it had not been asked.
 */
static void payment_refused(struct shop *shop, struct shop_payment *payment,
			    const struct shop_payment_outcome *word, int64_t now_ms)
{
	struct shop_order *order = payment_order(shop, payment);

	payment->reason = (uint16_t)verdict_reason(word->verdict);
	++shop->totals.declined_count;
	if (payment->state != SHOP_PAYMENT_AUTHORIZING)
		return;
	payment->state =
		word->verdict == SHOP_UNHEARD ? SHOP_PAYMENT_FAILED : SHOP_PAYMENT_DECLINED;
	shop->totals.committed -= payment->amount;
	if (order != NULL)
		shop_order_pay_failed(shop, order, now_ms);
}

static void outcome_fill(const struct shop_payment *payment, int64_t amount,
			 struct shop_outcome *outcome)
{
	outcome->id = payment->object.id;
	outcome->state = payment->state;
	outcome->amount = amount;
	outcome->is_changed = true;
}

void shop_payment_outcome(struct shop *shop, const struct shop_payment_outcome *word,
			  int64_t now_ms, struct shop_outcome *outcome)
{
	struct shop_transaction *transaction =
		(struct shop_transaction *)shop_table_find(&shop->transactions, word->operation_id);
	struct shop_payment *payment;

	if (transaction == NULL) {
		shop_outcome_set(outcome, SHOP_NOT_FOUND, SHOP_REASON_OPERATION);
		return;
	}
	if (word->verdict < SHOP_APPROVED || word->verdict > SHOP_UNHEARD) {
		shop_outcome_set(outcome, SHOP_INVALID, SHOP_REASON_OPERATION);
		return;
	}
	payment = (struct shop_payment *)shop_table_find(&shop->payments, transaction->payment_id);
	assert(payment != NULL && payment->operation_id == word->operation_id);
	if (word->verdict == SHOP_TIMED_OUT) {
		shop_table_touch(&shop->transactions, &transaction->object);
		++transaction->attempts;
		outcome_fill(payment, transaction->amount, outcome);
		shop_outcome_set(outcome, SHOP_PENDING, SHOP_REASON_NONE);
		outcome->operation_id = word->operation_id;
		return;
	}
	shop_table_touch(&shop->payments, &payment->object);
	payment->operation_id = 0;
	if (word->verdict == SHOP_APPROVED) {
		if (transaction->operation == SHOP_AUTHORIZE || transaction->operation == SHOP_SALE)
			payment->acquirer_reference = word->acquirer_reference;
		payment->reason = SHOP_REASON_NONE;
		payment_approved(shop, payment, transaction);
	} else {
		payment_refused(shop, payment, word, now_ms);
		shop_outcome_set(outcome, SHOP_DECLINED, (enum shop_reason)payment->reason);
	}
	shop_table_move(&shop->payments, &payment->object, payment_queue(payment));
	outcome_fill(payment, transaction->amount, outcome);
	shop_key_answer(shop, transaction->key, now_ms, outcome);
	shop_table_remove(&shop->transactions, &transaction->object);
}
