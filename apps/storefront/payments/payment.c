/*
 * Payment: intents. Everything that could stand in the way is looked at first; what changes
 * something comes last, and cannot fail.
 */
#include "payments/payment.h"

#include <assert.h>
#include <string.h>

#include "ledger/shop.h"
#include "state/hash.h"

#define QUEUE_ALL 0
#define DIGEST_SEED_FIRST UINT64_C(0x73746f7265667230) /* fixed: digests are kept */
#define DIGEST_SEED_LAST UINT64_C(0x6e747061796d6e74)

static const char *const state_names[] = {
	"unknown", "authorizing", "authorized", "captured",
	"voided",  "refunded",	  "declined",	"failed",
};

static const char *const operation_names[] = {"unknown", "authorize", "sale",
					      "capture", "void",      "refund"};

void shop_payment_wire(struct shop_wire *wire, struct shop_object *object)
{
	struct shop_payment *payment = (struct shop_payment *)object;

	shop_wire_u64(wire, &payment->order_id);
	shop_wire_u64(wire, &payment->reference);
	shop_wire_u64(wire, &payment->operation_id);
	shop_wire_u64(wire, &payment->acquirer_reference);
	shop_wire_i64(wire, &payment->amount);
	shop_wire_i64(wire, &payment->captured);
	shop_wire_i64(wire, &payment->refunded);
	shop_wire_i64(wire, &payment->created_ms);
	shop_wire_u32(wire, &payment->state);
	shop_wire_u16(wire, &payment->reason);
	shop_wire_bytes(wire, payment->card.last_four, sizeof(payment->card.last_four));
	shop_wire_u8(wire, &payment->card.brand);
	shop_wire_u8(wire, &payment->card.month);
	shop_wire_u16(wire, &payment->card.year);
}

void shop_transaction_wire(struct shop_wire *wire, struct shop_object *object)
{
	struct shop_transaction *transaction = (struct shop_transaction *)object;

	shop_wire_u64(wire, &transaction->payment_id);
	shop_wire_i64(wire, &transaction->amount);
	shop_wire_u32(wire, &transaction->operation);
	shop_wire_u32(wire, &transaction->attempts);
	shop_wire_text(wire, transaction->key, sizeof(transaction->key));
}

const char *shop_payment_state_name(uint32_t state)
{
	return state < sizeof(state_names) / sizeof(state_names[0]) ? state_names[state]
								    : "unknown";
}

const char *shop_operation_name(uint32_t operation)
{
	return operation < sizeof(operation_names) / sizeof(operation_names[0])
		       ? operation_names[operation]
		       : "unknown";
}

struct shop_payment *shop_payment_find(struct shop *shop, uint64_t id, struct shop_outcome *outcome)
{
	struct shop_payment *payment = (struct shop_payment *)shop_table_find(&shop->payments, id);

	if (payment == NULL)
		shop_outcome_set(outcome,
				 id > 0 && id <= shop->payments.id_last ? SHOP_GONE
									: SHOP_NOT_FOUND,
				 SHOP_REASON_PAYMENT);
	return payment;
}

const struct shop_transaction *shop_transaction_find(struct shop *shop, uint64_t operation_id)
{
	return (const struct shop_transaction *)shop_table_find(&shop->transactions, operation_id);
}

const struct shop_transaction *shop_transaction_next(struct shop *shop,
						     const struct shop_transaction *transaction)
{
	const struct shop_object *next = transaction == NULL
						 ? shop->transactions.queues[QUEUE_ALL].first
						 : transaction->object.next;

	return (const struct shop_transaction *)next;
}

static void payment_digest(const uint64_t *fields, uint32_t count, uint64_t ret_digest[2])
{
	ret_digest[0] = DIGEST_SEED_FIRST;
	ret_digest[1] = DIGEST_SEED_LAST;
	for (uint32_t index = 0; index < count; ++index) {
		ret_digest[0] = shop_hash_u64(ret_digest[0], fields[index]);
		ret_digest[1] = shop_hash_u64(ret_digest[1], fields[index]);
	}
}

static struct shop_key_use payment_authorize_use(const struct shop_payment_record *record)
{
	const struct shop_card_trace card = shop_payment_record_trace(record);
	const uint64_t fields[] = {
		SHOP_AUTHORIZE,
		record->flags,
		record->order_id,
		(uint64_t)record->amount,
		record->currency,
		record->reference,
		shop_hash_bytes(0, card.last_four, sizeof(card.last_four)),
		(uint64_t)card.brand << 32 | (uint64_t)card.month << 16 | card.year,
	};
	struct shop_key_use use = {.key = record->key};

	payment_digest(fields, sizeof(fields) / sizeof(fields[0]), use.digest);
	return use;
}

static bool payments_have_room(const struct shop *shop)
{
	return shop_has_room(&shop->payments, SHOP_PAYMENTS_CLOSED) ||
	       shop_has_room(&shop->payments, SHOP_PAYMENTS_SETTLED);
}

/* What a payment moved is still counted when it has made room for another one. */
static void payments_make_room(struct shop *shop)
{
	uint32_t queue = shop->payments.queues[SHOP_PAYMENTS_CLOSED].count > 0
				 ? SHOP_PAYMENTS_CLOSED
				 : SHOP_PAYMENTS_SETTLED;
	const struct shop_payment *first =
		(struct shop_payment *)shop->payments.queues[queue].first;

	if (shop_table_is_full(&shop->payments) && first != NULL) {
		shop->totals.retired_captured += first->captured;
		shop->totals.retired_refunded += first->refunded;
	}
	(void)shop_make_room(shop, &shop->payments, queue);
}

/* A transaction that is not full at the moment: nothing can be counted half-way any more. */
static void payment_begin(struct shop *shop, struct shop_payment *payment,
			  enum shop_operation operation, int64_t amount,
			  struct shop_outcome *outcome)
{
	struct shop_object *object;
	struct shop_transaction *transaction;
	int result = shop_table_add(&shop->transactions, QUEUE_ALL, &object);

	assert(result == 0 && payment->operation_id == 0);
	transaction = (struct shop_transaction *)object;
	transaction->payment_id = payment->object.id;
	transaction->operation = operation;
	transaction->amount = amount;
	payment->operation_id = object->id;
	shop_outcome_set(outcome, SHOP_PENDING, SHOP_REASON_NONE);
	outcome->id = payment->object.id;
	outcome->operation_id = object->id;
	outcome->state = payment->state;
	outcome->amount = amount;
	outcome->is_changed = true;
}

static void payment_use_key(struct shop *shop, const struct shop_key_use *use,
			    const struct shop_outcome *outcome)
{
	struct shop_transaction *transaction = (struct shop_transaction *)shop_table_find(
		&shop->transactions, outcome->operation_id);

	memcpy(transaction->key, use->key, strlen(use->key));
	shop_key_remember(shop, use, outcome);
}

/* Is there an order that waits for just this payment, or none at all? */
static bool authorize_has_order(struct shop *shop, const struct shop_payment_record *record,
				int64_t now_ms, struct shop_outcome *outcome)
{
	const struct shop_order *order;

	if (record->order_id == 0)
		return true;
	order = shop_order_find(shop, record->order_id, outcome);
	if (order == NULL)
		return false;
	if (order->state == SHOP_ORDER_EXPIRED ||
	    (order->state == SHOP_ORDER_AWAITING_PAYMENT && now_ms >= order->expires_ms)) {
		shop_outcome_set(outcome, SHOP_GONE, SHOP_REASON_ORDER);
		return false;
	}
	if (order->state != SHOP_ORDER_AWAITING_PAYMENT) {
		shop_outcome_set(outcome, SHOP_CONFLICT, SHOP_REASON_ORDER_STATE);
		outcome->state = order->state;
		return false;
	}
	if (order->total != record->amount) {
		shop_outcome_set(outcome, SHOP_INVALID, SHOP_REASON_AMOUNT);
		outcome->amount = order->total;
		return false;
	}
	return true;
}

static bool authorize_is_allowed(struct shop *shop, const struct shop_payment_record *record,
				 int64_t now_ms, struct shop_outcome *outcome)
{
	if (record->currency != shop->options.currency) {
		shop_outcome_set(outcome, SHOP_INVALID, SHOP_REASON_CURRENCY);
	} else if (record->amount <= 0 || record->amount > SHOP_AMOUNT_MAX ||
		   record->amount > INT64_MAX - shop->totals.committed) {
		shop_outcome_set(outcome, SHOP_INVALID, SHOP_REASON_AMOUNT);
	} else if (!authorize_has_order(shop, record, now_ms, outcome)) {
		return false;
	} else if (shop_table_is_full(&shop->transactions)) {
		shop_outcome_full(outcome, SHOP_REASON_TRANSACTIONS_FULL);
		++shop->transactions.refuse_count;
	} else if (!payments_have_room(shop)) {
		shop_outcome_full(outcome, SHOP_REASON_PAYMENTS_FULL);
		++shop->payments.refuse_count;
	} else {
		return true;
	}
	return false;
}

void shop_payment_authorize(struct shop *shop, const struct shop_payment_authorize *authorize,
			    int64_t now_ms, struct shop_outcome *outcome)
{
	const struct shop_payment_record *record = &authorize->record;
	bool is_sale = (record->flags & SHOP_PAYMENT_SALE) != 0;
	struct shop_key_use use;
	struct shop_payment *payment;
	struct shop_object *object;
	int result;

	/* Its checksum has been seen to when it was sealed, and is the journal's matter since. */
	if (!shop_payment_record_has_seal(record)) {
		shop_outcome_set(outcome, SHOP_INVALID, SHOP_REASON_RECORD);
		return;
	}
	use = payment_authorize_use(record);
	if (shop_key_is_known(shop, &use, outcome) ||
	    !authorize_is_allowed(shop, record, now_ms, outcome))
		return;
	payments_make_room(shop);
	result = shop_table_add(&shop->payments, SHOP_PAYMENTS_LIVE, &object);
	assert(result == 0);
	payment = (struct shop_payment *)object;
	payment->order_id = record->order_id;
	payment->reference = record->reference;
	payment->amount = record->amount;
	payment->created_ms = now_ms;
	payment->state = SHOP_PAYMENT_AUTHORIZING;
	payment->card = shop_payment_record_trace(record);
	shop->totals.committed += record->amount;
	payment_begin(shop, payment, is_sale ? SHOP_SALE : SHOP_AUTHORIZE, record->amount, outcome);
	payment_use_key(shop, &use, outcome);
	if (record->order_id > 0)
		shop_order_pay_begin(shop, shop_order_find(shop, record->order_id, outcome),
				     object->id);
}

/* How much can be captured, voided or refunded; 0 when the state does not allow it. */
static int64_t step_amount_max(const struct shop_payment *payment, enum shop_operation operation)
{
	if (operation == SHOP_REFUND)
		return payment->state == SHOP_PAYMENT_CAPTURED
			       ? payment->captured - payment->refunded
			       : 0;
	return payment->state == SHOP_PAYMENT_AUTHORIZED ? payment->amount : 0;
}

static bool step_is_allowed(struct shop *shop, const struct shop_payment *payment,
			    const struct shop_payment_step *step, enum shop_operation operation,
			    struct shop_outcome *outcome)
{
	int64_t amount_max = step_amount_max(payment, operation);

	outcome->id = payment->object.id;
	outcome->state = payment->state;
	if (payment->operation_id > 0) {
		shop_outcome_set(outcome, SHOP_CONFLICT, SHOP_REASON_PAYMENT_BUSY);
	} else if (amount_max == 0) {
		shop_outcome_set(outcome, SHOP_CONFLICT, SHOP_REASON_PAYMENT_STATE);
	} else if (step->amount < 0 || step->amount > amount_max ||
		   (operation == SHOP_VOID && step->amount != 0 && step->amount != amount_max)) {
		shop_outcome_set(outcome, SHOP_INVALID, SHOP_REASON_AMOUNT);
		outcome->amount = amount_max;
	} else if (shop_table_is_full(&shop->transactions)) {
		shop_outcome_full(outcome, SHOP_REASON_TRANSACTIONS_FULL);
		++shop->transactions.refuse_count;
	} else {
		return true;
	}
	return false;
}

void shop_payment_step(struct shop *shop, const struct shop_payment_step *step,
		       enum shop_operation operation, struct shop_outcome *outcome)
{
	const uint64_t fields[] = {operation, step->payment_id, (uint64_t)step->amount};
	struct shop_key_use use = {.key = step->key};
	struct shop_payment *payment;
	int64_t amount;

	assert(operation == SHOP_CAPTURE || operation == SHOP_VOID || operation == SHOP_REFUND);
	payment_digest(fields, sizeof(fields) / sizeof(fields[0]), use.digest);
	if (shop_key_is_known(shop, &use, outcome))
		return;
	payment = shop_payment_find(shop, step->payment_id, outcome);
	if (payment == NULL || !step_is_allowed(shop, payment, step, operation, outcome))
		return;
	amount = step->amount > 0 ? step->amount : step_amount_max(payment, operation);
	/* In flight, it makes no room. */
	shop_table_move(&shop->payments, &payment->object, SHOP_PAYMENTS_LIVE);
	payment_begin(shop, payment, operation, amount, outcome);
	payment_use_key(shop, &use, outcome);
}
