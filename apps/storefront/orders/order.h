/*
 * Order: what a cart has become, with its stock reserved and its prices fixed.
 *
 *                  checkout
 *                     |            total of 0
 *                     v  ----------------------------------+
 *            AWAITING_PAYMENT --- its time is over ---> EXPIRED
 *              |   ^    |    \--- cancel -------------> CANCELLED
 *    authorize |   | declined                           ^  ^
 *              v   |                                    |  |
 *             PAYING --- declined too often ------------+  |
 *              |   \---- sale approved ------+             |
 *     approved |                             |             |
 *              v                             v             |
 *          AUTHORIZED --- captured -------> PAID --- shipped ---> SHIPPED
 *              |                             |                       |
 *              +--- voided ---> CANCELLED    +--- refunded, all ---> REFUNDED
 *
 * Stock is reserved at checkout. It is sold when money is taken, goes back to the shelf when the
 * order expires, is cancelled or voided, or is refunded before it was shipped; each order's stock
 * goes back once at the most, which is asserted. An order in PAYING does not expire: it waits for
 * the acquirer's word.
 *
 * Limits  --orders-max, --order-ttl-s, SHOP_ORDER_ATTEMPTS_MAX.
 */
#ifndef STOREFRONT_ORDER_H
#define STOREFRONT_ORDER_H

#include <stdint.h>

#include "carts/cart.h"
#include "carts/discount.h"
#include "state/outcome.h"
#include "state/table.h"

#define SHOP_EMAIL_SIZE 64 /* bytes of the field, the NUL's included */
#define SHOP_ORDER_ATTEMPTS_MAX                                           \
	5 /* declined payments: then it is cancelled, and its stock freed \
	   */
#define SHOP_TOTAL_UNCONFIRMED (-1) /* the customer has confirmed no total */

struct shop;

enum shop_order_state {
	SHOP_ORDER_AWAITING_PAYMENT = 1,
	SHOP_ORDER_PAYING = 2,
	SHOP_ORDER_AUTHORIZED = 3,
	SHOP_ORDER_PAID = 4,
	SHOP_ORDER_SHIPPED = 5,
	SHOP_ORDER_CANCELLED = 6,
	SHOP_ORDER_EXPIRED = 7,
	SHOP_ORDER_REFUNDED = 8,
};

/* Where an order's pieces are. Each step is taken once, from one to the next of them. */
enum shop_order_stock {
	SHOP_STOCK_RESERVED = 1,
	SHOP_STOCK_SOLD = 2,
	SHOP_STOCK_BACK = 3, /* on the shelf again */
};

enum shop_order_queue {
	SHOP_ORDERS_WAITING, /* AWAITING_PAYMENT, in the order in which they expire */
	SHOP_ORDERS_LIVE, /* PAYING, AUTHORIZED, PAID */
	SHOP_ORDERS_CLOSED, /* the others: the first makes room */
};

struct shop_order {
	struct shop_object object;
	uint64_t token; /* of its cart: who knows it may see the order */
	uint64_t cart_id;
	uint64_t payment_id; /* the latest one, or 0 */
	uint32_t state;
	uint32_t stock;
	uint32_t attempts; /* payments that were declined */
	int64_t created_ms; /* since the epoch */
	int64_t expires_ms; /* while it awaits its payment */
	int64_t subtotal; /* minor units */
	int64_t discount;
	int64_t total;
	char code[SHOP_CODE_SIZE];
	char email[SHOP_EMAIL_SIZE];
	uint32_t line_count;
	struct shop_line lines[SHOP_CART_SLOTS];
};

struct shop_checkout {
	uint64_t cart_id;
	int64_t confirmed_total; /* minor units; SHOP_TOTAL_UNCONFIRMED */
	char email[SHOP_EMAIL_SIZE];
};

/* For cancelling and for shipping. */
struct shop_order_step {
	uint64_t order_id;
};

/* For shop_table_init(). */
void shop_order_wire(struct shop_wire *wire, struct shop_object *object);

/**
 * shop_checkout() - apply a struct shop_checkout
 * @shop:      initialised
 * @checkout:  any
 * @now_ms:    since the epoch
 * @outcome:   OK with the order's id and its total, for a cart that was checked out before the same
 *             again (is_repeated); CONFLICT with PRICES_CHANGED and the new total, when prices are
 *             not those that were seen and the new total has not been confirmed; LIMIT with
 *             OUT_OF_STOCK; NOT_FOUND, GONE, INVALID, FULL
 */
void shop_checkout(struct shop *shop, const struct shop_checkout *checkout, int64_t now_ms,
		   struct shop_outcome *outcome);

/**
 * shop_order_cancel() - apply a struct shop_order_step: the customer thinks better of it
 * @shop:     initialised
 * @step:     any
 * @outcome:  OK; NOT_FOUND, GONE; CONFLICT once a payment is under way: void or refund that
 */
void shop_order_cancel(struct shop *shop, const struct shop_order_step *step,
		       struct shop_outcome *outcome);

/**
 * shop_order_ship() - apply a struct shop_order_step: the parcel has left
 * @shop:     initialised
 * @step:     any
 * @outcome:  OK; NOT_FOUND, GONE; CONFLICT unless it is PAID
 */
void shop_order_ship(struct shop *shop, const struct shop_order_step *step,
		     struct shop_outcome *outcome);

/**
 * shop_order_find() - an order, or why there is none
 * @shop:     initialised
 * @id:       any
 * @outcome:  NOT_FOUND or GONE when there is none; untouched otherwise
 *
 * Return: borrowed; NULL.
 */
struct shop_order *shop_order_find(struct shop *shop, uint64_t id, struct shop_outcome *outcome);

/**
 * shop_orders_expire() - end orders that were not paid in time
 * @shop:    initialised
 * @now_ms:  since the epoch
 * @limit:   orders, at the most
 *
 * Return: how many.
 */
uint32_t shop_orders_expire(struct shop *shop, int64_t now_ms, uint32_t limit);

/**
 * shop_order_state_name() - "awaiting_payment", and so on
 * @state:  enum shop_order_state
 *
 * Return: static; "unknown" when there is no such state.
 */
const char *shop_order_state_name(uint32_t state);

/* What a payment does to its order. Each is asserted to be a step of the drawing above. */
void shop_order_pay_begin(struct shop *shop, struct shop_order *order, uint64_t payment_id);
void shop_order_pay_failed(struct shop *shop, struct shop_order *order, int64_t now_ms);
void shop_order_authorized(struct shop *shop, struct shop_order *order);
void shop_order_paid(struct shop *shop, struct shop_order *order);
void shop_order_voided(struct shop *shop, struct shop_order *order);
void shop_order_refunded(struct shop *shop, struct shop_order *order);

#endif
