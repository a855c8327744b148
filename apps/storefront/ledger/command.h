/*
 * Command: one change that somebody asks of the shop, and its outcome.
 *
 * A command is a plain struct, without pointers but for the store's: it may be filled in on one
 * thread, applied on another, recorded, and replayed. What comes back is in the same struct.
 *
 * The card is beside the request, and only there: it is never recorded, and wiped by the
 * till when the acquirer has it, or by shop_apply() when he is not to be asked.
 */
#ifndef STOREFRONT_COMMAND_H
#define STOREFRONT_COMMAND_H

#include <stdint.h>

#include "carts/cart.h"
#include "carts/discount.h"
#include "catalog/catalog.h"
#include "orders/order.h"
#include "payments/card.h"
#include "payments/payment.h"
#include "state/outcome.h"

/* Kept in journals: numbers only ever get more. */
enum shop_command_type {
	SHOP_PRODUCT_PUT = 1,
	SHOP_PRODUCT_STOCK = 2,
	SHOP_CODE_PUT = 3,
	SHOP_CART_OPEN = 4,
	SHOP_CART_SET = 5,
	SHOP_CART_CODE = 6,
	SHOP_CHECKOUT = 7,
	SHOP_ORDER_CANCEL = 8,
	SHOP_ORDER_SHIP = 9,
	SHOP_PAYMENT_AUTHORIZE = 10,
	SHOP_PAYMENT_CAPTURE = 11,
	SHOP_PAYMENT_VOID = 12,
	SHOP_PAYMENT_REFUND = 13,
	SHOP_PAYMENT_OUTCOME = 14,
	SHOP_TICK = 15,
	SHOP_COMMAND_TYPES,
};

/* End what is over by now. */
struct shop_tick {
	uint32_t limit; /* carts, orders and keys, at the most of each */
};

struct shop_command {
	uint32_t type; /* enum shop_command_type */
	int64_t now_ms; /* since the epoch, when it was asked for */
	union {
		struct shop_product_put product_put;
		struct shop_product_stock product_stock;
		struct shop_code_put code_put;
		struct shop_cart_open cart_open;
		struct shop_cart_set cart_set;
		struct shop_cart_code cart_code;
		struct shop_checkout checkout;
		struct shop_order_step order_step; /* cancel, ship */
		struct shop_payment_authorize authorize;
		struct shop_payment_step payment_step; /* capture, void, refund */
		struct shop_payment_outcome payment_outcome;
		struct shop_tick tick;
	} request;
	struct shop_outcome outcome; /* set by shop_apply() */
	struct shop_card card; /* secret; of an authorization */
	uint64_t sequence; /* the store's, while it has the command: of its record */
	struct shop_command *next; /* borrowed; the store's, too */
};

#endif
