/*
 * Money: a whole number of minor units, and the currency they are of.
 *
 * 12.34 EUR is 1234 minor units of currency 978. There is no floating point anywhere near an
 * amount: what cannot be represented is an error, and so are sums past 63 bits and sums
 * of two currencies.
 *
 * Rounding  Happens in one place, shop_money_percent(): to the nearest minor unit, halves away
 *           from zero.
 * Threads   Any: values, and a table that never changes.
 */
#ifndef STOREFRONT_MONEY_H
#define STOREFRONT_MONEY_H

#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/slice.h>
#include <zerog/text.h>

#define SHOP_BASIS_POINTS 10000 /* of a whole: 1 % is 100 */

struct shop_currency {
	char code[4]; /* ISO 4217, letters, NUL-terminated: "EUR" */
	uint16_t number; /* ISO 4217, digits: 978 */
	uint8_t exponent; /* digits behind the point: 2 for EUR, 0 for JPY, 3 for KWD */
};

struct shop_money {
	int64_t minor; /* minor units: cents */
	uint16_t currency; /* ISO 4217 number */
};

/**
 * shop_currency_find() - a currency by its letters
 * @code:  three ASCII letters, in either case
 *
 * Return: static; NULL when it is none of ISO 4217's that are money (no metals, funds or test
 * codes). Source: ISO 4217, list one.
 */
const struct shop_currency *shop_currency_find(struct zg_slice code);

/**
 * shop_currency_of() - a currency by its number
 * @number:  ISO 4217
 *
 * Return: static; NULL when there is none.
 */
const struct shop_currency *shop_currency_of(uint16_t number);

/**
 * shop_money_add() - the sum of two amounts
 * @left:     any
 * @right:    of the same currency
 * @ret_sum:  untouched on failure
 *
 * Return: 0; -EOVERFLOW when it does not fit 64 bits; -EDOM when the currencies differ.
 */
ZG_MUST_USE int shop_money_add(struct shop_money left, struct shop_money right,
			       struct shop_money *ret_sum);

/**
 * shop_money_subtract() - one amount less another
 * @left:            any
 * @right:           of the same currency
 * @ret_difference:  untouched on failure
 *
 * Return: as shop_money_add().
 */
ZG_MUST_USE int shop_money_subtract(struct shop_money left, struct shop_money right,
				    struct shop_money *ret_difference);

/**
 * shop_money_multiply() - so many times an amount
 * @money:        any
 * @factor:       any
 * @ret_product:  untouched on failure
 *
 * Return: 0; -EOVERFLOW when it does not fit 64 bits.
 */
ZG_MUST_USE int shop_money_multiply(struct shop_money money, int64_t factor,
				    struct shop_money *ret_product);

/**
 * shop_money_percent() - a share of an amount
 * @money:         any
 * @basis_points:  0 to SHOP_BASIS_POINTS, asserted
 *
 * Return: rounded to the nearest minor unit, halves away from zero. Never more than the whole.
 */
struct shop_money shop_money_percent(struct shop_money money, uint32_t basis_points);

/**
 * shop_money_parse() - an amount as people write it
 * @text:       an optional minus, digits, and behind a point no more digits than the currency has:
 *              "12.34", "12", "-0.5"; no spaces, no thousands, no exponent
 * @currency:   not NULL
 * @ret_money:  untouched on failure
 *
 * Return: 0; -EINVAL when it is not an amount; -ERANGE when it has more digits behind the point
 * than the currency; -EOVERFLOW when it does not fit 64 bits.
 */
ZG_MUST_USE int shop_money_parse(struct zg_slice text, const struct shop_currency *currency,
				 struct shop_money *ret_money);

/**
 * shop_money_print() - an amount with its currency, as shop_money_parse() reads it: "12.34 EUR"
 * @money:  of a known currency, asserted
 * @text:   appended to
 */
void shop_money_print(struct shop_money money, struct zg_text *text);

/**
 * shop_money_print_amount() - the same without the currency: "12.34"
 * @money:  of a known currency, asserted
 * @text:   appended to
 */
void shop_money_print_amount(struct shop_money money, struct zg_text *text);

#endif
