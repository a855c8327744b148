/*
 * Payment: what is asked of the acquirer, and what came of it.
 *
 *	authorize            capture              refund, several
 *	AUTHORIZING -------> AUTHORIZED --------> CAPTURED -------> CAPTURED, REFUNDED
 *	    |   \  approved     |   \  (partial)
 *	    |    \              |    \ void
 *	    |     \ a sale      |     v
 *	    |      \            |    VOIDED
 *	    |       +-----------|--------------> CAPTURED
 *	    v declined
 *	DECLINED, FAILED
 *
 * An operation is recorded twice: as intended, before the acquirer is asked, and with the
 * acquirer's word. In between it is a transaction, of which there are --transactions-max; a payment
 * has one at the most. Whoever recovers finds the transactions that are left, and asks the acquirer
 * what became of each: it is told the operation's id, and does nothing twice for one id. A time-out
 * is no word: the transaction stays until there is one. Nothing is paid twice, and
 * nothing is half done.
 *
 * Limits  --payments-max, --transactions-max.
 */
#ifndef STOREFRONT_PAYMENT_H
#define STOREFRONT_PAYMENT_H

#include <stdint.h>

#include "payments/key.h"
#include "payments/payment_record.h"
#include "state/outcome.h"
#include "state/table.h"

struct shop;

enum shop_payment_state {
	SHOP_PAYMENT_AUTHORIZING = 1,
	SHOP_PAYMENT_AUTHORIZED = 2,
	SHOP_PAYMENT_CAPTURED = 3,
	SHOP_PAYMENT_VOIDED = 4,
	SHOP_PAYMENT_REFUNDED = 5, /* all that was captured */
	SHOP_PAYMENT_DECLINED = 6,
	SHOP_PAYMENT_FAILED = 7, /* the acquirer never heard of it */
};

enum shop_payment_queue {
	SHOP_PAYMENTS_LIVE, /* an operation is in flight, or it is authorized: never make room */
	SHOP_PAYMENTS_SETTLED, /* captured: may still be refunded; make room when there is no other
				*/
	SHOP_PAYMENTS_CLOSED, /* nothing more can happen: make room first */
};

/* What the acquirer is asked for. */
enum shop_operation {
	SHOP_AUTHORIZE = 1,
	SHOP_SALE = 2, /* authorize and capture in one */
	SHOP_CAPTURE = 3,
	SHOP_VOID = 4,
	SHOP_REFUND = 5,
};

/* The acquirer's word. */
enum shop_verdict {
	SHOP_APPROVED = 1,
	SHOP_VERDICT_DECLINED = 2,
	SHOP_INSUFFICIENT_FUNDS = 3,
	SHOP_EXPIRED_CARD = 4,
	SHOP_DUPLICATE = 5, /* it takes it for a payment that it has seen before */
	SHOP_TIMED_OUT = 6, /* no word: ask later */
	SHOP_UNHEARD = 7, /* asked about it: it never arrived, and never will be carried out */
};

struct shop_payment {
	struct shop_object object;
	uint64_t order_id; /* 0: none */
	uint64_t reference; /* the merchant's */
	uint64_t operation_id; /* of the transaction in flight; 0: none */
	uint64_t acquirer_reference; /* of the authorization */
	int64_t amount; /* minor units: authorized, or to be */
	int64_t captured;
	int64_t refunded;
	int64_t created_ms; /* since the epoch */
	uint32_t state;
	uint16_t reason; /* enum shop_reason: why it was declined or failed */
	struct shop_card_trace card;
};

struct shop_transaction {
	struct shop_object object; /* its id is the operation's */
	uint64_t payment_id;
	int64_t amount; /* minor units */
	uint32_t operation; /* enum shop_operation */
	uint32_t attempts; /* times the acquirer gave no word */
	char key[SHOP_KEY_SIZE]; /* whose answer it will be */
};

struct shop_payment_authorize {
	struct shop_payment_record record; /* sealed */
};

/* For capture, void and refund. */
struct shop_payment_step {
	uint64_t payment_id;
	int64_t amount; /* minor units; 0: all there is. A void is of all */
	char key[SHOP_KEY_SIZE]; /* "": none */
};

struct shop_payment_outcome {
	uint64_t operation_id;
	uint64_t acquirer_reference; /* of an approval */
	uint32_t verdict; /* enum shop_verdict */
};

/* For shop_table_init(). */
void shop_payment_wire(struct shop_wire *wire, struct shop_object *object);
void shop_transaction_wire(struct shop_wire *wire, struct shop_object *object);

/**
 * shop_payment_authorize() - apply a struct shop_payment_authorize: intent
 * @shop:       initialised
 * @authorize:  its record sealed
 * @now_ms:     since the epoch
 * @outcome:    PENDING with the payment's id and the operation's, which the acquirer is to be asked
 *              for once this is recorded; for a key that is known its answer; INVALID, NOT_FOUND,
 *              GONE; CONFLICT when the order does not wait for a payment, or the key was used for
 *              something else; FULL, and nothing was done
 */
void shop_payment_authorize(struct shop *shop, const struct shop_payment_authorize *authorize,
			    int64_t now_ms, struct shop_outcome *outcome);

/**
 * shop_payment_step() - apply a struct shop_payment_step: intent to capture, void or refund
 * @shop:       initialised
 * @step:       any
 * @operation:  SHOP_CAPTURE, SHOP_VOID or SHOP_REFUND
 * @outcome:    as above; CONFLICT when the payment's state does not allow it, or another operation
 *              on it is in flight; INVALID when there is not so much to capture or to refund
 */
void shop_payment_step(struct shop *shop, const struct shop_payment_step *step,
		       enum shop_operation operation, struct shop_outcome *outcome);

/**
 * shop_payment_outcome() - apply a struct shop_payment_outcome: the acquirer's word
 * @shop:     initialised
 * @word:     any
 * @now_ms:   since the epoch
 * @outcome:  OK or DECLINED with the payment's id; PENDING with the operation's when there was no
 *            word; NOT_FOUND when no such operation is in flight (any more): nothing changes, so
 *            a word may come twice
 */
void shop_payment_outcome(struct shop *shop, const struct shop_payment_outcome *word,
			  int64_t now_ms, struct shop_outcome *outcome);

/**
 * shop_payment_find() - a payment, or why there is none
 * @shop:     initialised
 * @id:       any
 * @outcome:  NOT_FOUND or GONE when there is none; untouched otherwise
 *
 * Return: borrowed; NULL.
 */
struct shop_payment *shop_payment_find(struct shop *shop, uint64_t id,
				       struct shop_outcome *outcome);

/**
 * shop_transaction_find() - an operation that is in flight
 * @shop:          initialised
 * @operation_id:  any
 *
 * Return: borrowed; NULL when there is none.
 */
const struct shop_transaction *shop_transaction_find(struct shop *shop, uint64_t operation_id);

/**
 * shop_transaction_next() - walk over what is in flight, oldest first: after a recovery
 * @shop:         initialised
 * @transaction:  NULL at first, then the one before
 *
 * Return: borrowed; NULL at the end.
 */
const struct shop_transaction *shop_transaction_next(struct shop *shop,
						     const struct shop_transaction *transaction);

/* "authorizing", "authorize", and so on: static; "unknown" for what is none. */
const char *shop_payment_state_name(uint32_t state);
const char *shop_operation_name(uint32_t operation);

#endif
