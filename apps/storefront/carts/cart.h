/*
 * Cart: 20 slots for what somebody might buy.
 *
 * A slot holds a product, how many of it, and the price that was seen when it was put there.
 * Nothing is reserved by a cart; stock and prices are looked at again when it is checked out.
 *
 * A cart that nobody touches for --cart-ttl-s ends. Touching it puts it last in its queue, so the
 * first of the queue is always the next to end.
 *
 * Limits  SHOP_CART_SLOTS products a cart; --quantity-max pieces of one product.
 */
#ifndef STOREFRONT_CART_H
#define STOREFRONT_CART_H

#include <stdbool.h>
#include <stdint.h>

#include "carts/discount.h"
#include "state/outcome.h"
#include "state/table.h"

#define SHOP_CART_SLOTS 20

struct shop;

enum shop_cart_queue {
	SHOP_CARTS_OPEN, /* in the order in which they end */
	SHOP_CARTS_CHECKED_OUT, /* kept as long, so that a second checkout finds the order */
};

struct shop_line {
	uint64_t product_id;
	uint32_t quantity; /* pieces, at least 1 */
	int64_t price; /* minor units of one: as seen, or as ordered */
};

struct shop_cart {
	struct shop_object object;
	uint64_t token; /* whoever opened it chose it at random; the order has it, too */
	int64_t expires_ms; /* since the epoch */
	uint64_t order_id; /* 0: it has not been checked out */
	char code[SHOP_CODE_SIZE]; /* "": none */
	uint32_t line_count;
	struct shop_line lines[SHOP_CART_SLOTS]; /* in the order in which they came */
};

struct shop_cart_open {
	uint64_t token; /* random */
};

/* So many of a product: absolute, or more. 0 takes the product out. */
struct shop_cart_set {
	uint64_t cart_id;
	uint64_t product_id;
	uint32_t quantity; /* pieces */
	uint8_t is_added; /* to those that are there */
};

struct shop_cart_code {
	uint64_t cart_id;
	char code[SHOP_CODE_SIZE]; /* "": no code any more */
};

/* What a cart would cost now. */
struct shop_quote {
	int64_t subtotal; /* minor units */
	int64_t discount;
	int64_t total;
	enum shop_reason code_reason; /* why the code does not apply; NONE when it does, or there is
				       * none */
	bool has_new_prices; /* some are not those that were seen */
	uint64_t missing_id; /* the first product of which there are too few, or 0 */
	uint32_t missing_available; /* how many of it there are */
};

/* For shop_table_init(), and for the lines of orders. */
void shop_cart_wire(struct shop_wire *wire, struct shop_object *object);
void shop_lines_wire(struct shop_wire *wire, struct shop_line *lines, uint32_t *count);

/**
 * shop_cart_open() - apply a struct shop_cart_open
 * @shop:     initialised
 * @open:     any
 * @now_ms:   since the epoch
 * @outcome:  OK with the cart's id; FULL when every cart is in use
 */
void shop_cart_open(struct shop *shop, const struct shop_cart_open *open, int64_t now_ms,
		    struct shop_outcome *outcome);

/**
 * shop_cart_set() - apply a struct shop_cart_set
 * @shop:     initialised
 * @set:      any
 * @now_ms:   since the epoch
 * @outcome:  OK with the cart's id; NOT_FOUND, GONE, CONFLICT; LIMIT when the cart is full, when
 *            so many of one product are not sold, or not there
 */
void shop_cart_set(struct shop *shop, const struct shop_cart_set *set, int64_t now_ms,
		   struct shop_outcome *outcome);

/**
 * shop_cart_code() - apply a struct shop_cart_code
 * @shop:     initialised
 * @code:     any
 * @now_ms:   since the epoch
 * @outcome:  OK with the total as its amount; NOT_FOUND, GONE, CONFLICT; INVALID when the code does
 *            not apply
 */
void shop_cart_code(struct shop *shop, const struct shop_cart_code *code, int64_t now_ms,
		    struct shop_outcome *outcome);

/**
 * shop_cart_find() - a cart that is open, or why there is none
 * @shop:     initialised
 * @id:       any
 * @now_ms:   since the epoch
 * @outcome:  NOT_FOUND, GONE or CONFLICT when there is none; untouched otherwise
 *
 * Return: borrowed; NULL.
 */
struct shop_cart *shop_cart_find(struct shop *shop, uint64_t id, int64_t now_ms,
				 struct shop_outcome *outcome);

/**
 * shop_cart_quote() - what a cart costs now
 * @shop:    initialised
 * @cart:    of the shop
 * @now_ms:  since the epoch
 *
 * Changes nothing.
 */
struct shop_quote shop_cart_quote(struct shop *shop, const struct shop_cart *cart, int64_t now_ms);

/**
 * shop_carts_expire() - end carts whose time is over
 * @shop:       initialised
 * @now_ms:     since the epoch
 * @limit:      carts, at the most
 *
 * Return: how many.
 */
uint32_t shop_carts_expire(struct shop *shop, int64_t now_ms, uint32_t limit);

#endif
