/*
 * Outcome: what became of a command.
 *
 * A shop that says no is not a program that failed: what a customer may do wrong, and what is
 * used up, are results of their own, each with a reason that names what to change. Numbers
 * are kept in journals, so they only ever get more.
 */
#ifndef STOREFRONT_OUTCOME_H
#define STOREFRONT_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

/* What kind of answer it is; the HTTP status that goes with it is in the comment. */
enum shop_result {
	SHOP_OK = 0, /* 200 */
	SHOP_PENDING = 1, /* 202: the acquirer's word comes later */
	SHOP_DECLINED = 2, /* 402: the acquirer said no */
	SHOP_INVALID = 3, /* 422: `reason` says which field */
	SHOP_NOT_FOUND = 4, /* 404 */
	SHOP_GONE = 5, /* 410: it was there, and has expired or been retired */
	SHOP_CONFLICT = 6, /* 409: its state does not allow this */
	SHOP_LIMIT = 7, /* 409: a limit is reached, `limit` is its value */
	SHOP_FULL = 8, /* 503: nothing was done; ask again in `retry_after_s` */
};

enum shop_reason {
	SHOP_REASON_NONE = 0,
	SHOP_REASON_SKU = 1,
	SHOP_REASON_NAME = 2,
	SHOP_REASON_CATEGORY = 3,
	SHOP_REASON_PRICE = 4,
	SHOP_REASON_STOCK = 5,
	SHOP_REASON_QUANTITY = 6,
	SHOP_REASON_CODE = 7,
	SHOP_REASON_EMAIL = 8,
	SHOP_REASON_CURRENCY = 9,
	SHOP_REASON_AMOUNT = 10,
	SHOP_REASON_CARD_NUMBER = 11,
	SHOP_REASON_CARD_EXPIRY = 12,
	SHOP_REASON_CARD_CHECK_CODE = 13,
	SHOP_REASON_KEY = 14,
	SHOP_REASON_KEY_REUSED = 15, /* same key, other body */
	SHOP_REASON_PRODUCTS_FULL = 16,
	SHOP_REASON_CATEGORIES_FULL = 17,
	SHOP_REASON_CARTS_FULL = 18,
	SHOP_REASON_CART_FULL = 19, /* no slot is left in the cart */
	SHOP_REASON_ORDERS_FULL = 20,
	SHOP_REASON_PAYMENTS_FULL = 21,
	SHOP_REASON_TRANSACTIONS_FULL = 22,
	SHOP_REASON_KEYS_FULL = 23,
	SHOP_REASON_CODES_FULL = 24,
	SHOP_REASON_CART = 25, /* no such cart, or it has expired */
	SHOP_REASON_CART_EMPTY = 26,
	SHOP_REASON_CART_CHECKED_OUT = 27,
	SHOP_REASON_PRODUCT = 28,
	SHOP_REASON_OUT_OF_STOCK = 29, /* `id` is the product, `limit` how many there are */
	SHOP_REASON_PRICES_CHANGED = 30, /* `amount` is the total to confirm */
	SHOP_REASON_CODE_EXPIRED = 31,
	SHOP_REASON_CODE_USED_UP = 32,
	SHOP_REASON_CODE_MINIMUM = 33, /* `amount` is the least subtotal */
	SHOP_REASON_ORDER = 34,
	SHOP_REASON_ORDER_STATE = 35,
	SHOP_REASON_PAYMENT = 36,
	SHOP_REASON_PAYMENT_STATE = 37,
	SHOP_REASON_PAYMENT_BUSY = 38, /* an operation on it is in flight */
	SHOP_REASON_DECLINED = 39,
	SHOP_REASON_INSUFFICIENT_FUNDS = 40,
	SHOP_REASON_CARD_EXPIRED = 41,
	SHOP_REASON_DUPLICATE = 42,
	SHOP_REASON_ACQUIRER = 43, /* it could not be reached, or never heard of it */
	SHOP_REASON_OPERATION = 44, /* no such operation is in flight */
	SHOP_REASON_RECORD = 45, /* a binary record that is not whole */
	SHOP_REASON_COUNT,
};

struct shop_outcome {
	uint16_t result; /* enum shop_result */
	uint16_t reason; /* enum shop_reason */
	uint32_t state; /* of the object: enum shop_order_state or shop_payment_state */
	uint64_t id; /* of the product, cart, order or payment */
	uint64_t operation_id; /* what the acquirer is to be asked for; 0: nothing */
	int64_t amount; /* minor units: a total, or what an operation moved */
	uint32_t limit; /* the value of the limit that was met */
	uint32_t retry_after_s; /* seconds; 0 unless the result is SHOP_FULL */
	bool is_changed; /* the state changed: the command must be recorded */
	bool is_repeated; /* the answer to an earlier command with the same key */
};

/**
 * shop_outcome_set() - a result with its reason
 * @outcome:  the other fields stay as they are
 * @result:   any
 * @reason:   any
 */
static inline void shop_outcome_set(struct shop_outcome *outcome, enum shop_result result,
				    enum shop_reason reason)
{
	outcome->result = (uint16_t)result;
	outcome->reason = (uint16_t)reason;
}

/**
 * shop_outcome_full() - something is used up, and nothing was done
 * @outcome:  as above
 * @reason:   what
 */
static inline void shop_outcome_full(struct shop_outcome *outcome, enum shop_reason reason)
{
	shop_outcome_set(outcome, SHOP_FULL, reason);
	outcome->retry_after_s = 1;
}

/**
 * shop_outcome_limit() - a limit is reached
 * @outcome:  as above
 * @reason:   which
 * @limit:    its value
 */
static inline void shop_outcome_limit(struct shop_outcome *outcome, enum shop_reason reason,
				      uint64_t limit)
{
	shop_outcome_set(outcome, SHOP_LIMIT, reason);
	outcome->limit = limit > UINT32_MAX ? UINT32_MAX : (uint32_t)limit;
}

/**
 * shop_reason_name() - a reason as programs read it: "out_of_stock"
 * @reason:  enum shop_reason
 *
 * Return: static; "unknown" when there is no such reason.
 */
const char *shop_reason_name(uint16_t reason);

/**
 * shop_reason_text() - a reason as people read it: one sentence that says what to change
 * @reason:  enum shop_reason
 *
 * Return: static.
 */
const char *shop_reason_text(uint16_t reason);

#endif
