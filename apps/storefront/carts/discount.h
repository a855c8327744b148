/*
 * Discounts: codes that take a share or an amount off an order.
 *
 * One code applies to a cart. A share is of the sum of all lines, and rounded once, to the nearest
 * minor unit, halves up (shop_money_percent()); an amount is taken off once, and never more than
 * there is. So a total is never below 0, and the same whatever the order of the lines.
 *
 * A use is counted at checkout, and given back when the order is cancelled or expires.
 */
#ifndef STOREFRONT_DISCOUNT_H
#define STOREFRONT_DISCOUNT_H

#include <stdint.h>

#include "state/outcome.h"
#include "state/table.h"

#define SHOP_CODE_SIZE 24 /* bytes of the field, the NUL's included */

struct shop;

struct shop_code {
	struct shop_object object;
	char code[SHOP_CODE_SIZE]; /* in capitals */
	uint32_t basis_points; /* 1 to 10000: a share; 0: an amount */
	uint32_t uses_max; /* 0: no limit */
	uint32_t uses;
	int64_t amount; /* minor units; 0: a share */
	int64_t minimum; /* minor units: the least sum it applies to */
	int64_t until_ms; /* since the epoch, exclusive; 0: for ever */
};

/* Makes a code, or changes the terms of one. */
struct shop_code_put {
	char code[SHOP_CODE_SIZE];
	uint32_t basis_points;
	uint32_t uses_max;
	int64_t amount;
	int64_t minimum;
	int64_t until_ms;
};

/* For shop_table_init(). */
void shop_code_wire(struct shop_wire *wire, struct shop_object *object);

/**
 * shop_code_put() - apply a struct shop_code_put
 * @shop:     initialised
 * @put:      any
 * @outcome:  OK; INVALID; LIMIT
 */
void shop_code_put(struct shop *shop, const struct shop_code_put *put,
		   struct shop_outcome *outcome);

/**
 * shop_code_find() - a code by its letters, in either case
 * @shop:  initialised
 * @code:  NUL-terminated
 *
 * Return: borrowed; NULL when there is none.
 */
struct shop_code *shop_code_find(struct shop *shop, const char *code);

/**
 * shop_code_discount() - what a code takes off
 * @code:          of the shop
 * @subtotal:      minor units, not negative
 * @now_ms:        since the epoch
 * @ret_discount:  minor units, 0 to @subtotal; 0 when there is a reason
 *
 * Return: SHOP_REASON_NONE, or why it does not apply.
 */
enum shop_reason shop_code_discount(const struct shop_code *code, int64_t subtotal, int64_t now_ms,
				    int64_t *ret_discount);

/**
 * shop_code_use() - count a use, or give one back
 * @shop:        initialised
 * @code:        NUL-terminated; "" and codes that are gone are no matter
 * @difference:  1 or -1
 */
void shop_code_use(struct shop *shop, const char *code, int difference);

#endif
