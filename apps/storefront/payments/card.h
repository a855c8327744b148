/*
 * Card: the number, for as long as it is needed, and what may be kept of it.
 *
 * A struct shop_card is the one place where a whole card number lives: beside the command that
 * carries it, from the request to the acquirer. It is wiped with explicit_bzero() then. What is
 * kept is a struct shop_card_trace: brand, last four digits, expiry. Nothing here prints a number.
 *
 * Threads  Any: values.
 */
#ifndef STOREFRONT_CARD_H
#define STOREFRONT_CARD_H

#include <stdbool.h>
#include <stdint.h>

#include <zerog/slice.h>

#include "state/outcome.h"

#define SHOP_CARD_DIGITS_MIN 12 /* ISO/IEC 7812-1: an account number has up to 19 digits */
#define SHOP_CARD_DIGITS_MAX 19
#define SHOP_CHECK_CODE_MAX 4

enum shop_card_brand {
	SHOP_BRAND_OTHER = 0,
	SHOP_BRAND_VISA = 1,
	SHOP_BRAND_MASTERCARD = 2,
	SHOP_BRAND_AMERICAN_EXPRESS = 3,
	SHOP_BRAND_DISCOVER = 4,
	SHOP_BRAND_JCB = 5,
	SHOP_BRAND_DINERS_CLUB = 6,
	SHOP_BRAND_UNIONPAY = 7,
	SHOP_BRAND_MAESTRO = 8,
};

/* Secret: to be wiped. */
struct shop_card {
	char number[SHOP_CARD_DIGITS_MAX + 1]; /* digits, NUL-terminated */
	char check_code[SHOP_CHECK_CODE_MAX + 1]; /* digits; "": not given */
	uint8_t month; /* 1 to 12: the last in which it is valid */
	uint16_t year; /* four digits */
};

/* What may be kept and shown. */
struct shop_card_trace {
	char last_four[4]; /* digits, no NUL */
	uint8_t brand; /* enum shop_card_brand */
	uint8_t month;
	uint16_t year;
};

/**
 * shop_card_number_set() - digits as people type them
 * @card:    its number is overwritten
 * @digits:  digits; spaces and dashes between them are left out
 *
 * Return: false when it is no number of 12 to 19 digits: the field is wiped then.
 */
bool shop_card_number_set(struct shop_card *card, struct zg_slice digits);

/**
 * shop_card_check() - could the card be good?
 * @card:    any
 * @now_ms:  since the epoch; a card is good to the end of its month, anywhere on earth
 *
 * Looks at the check digit (Luhn; ISO/IEC 7812-1, annex B), at the length that the brand has, at
 * the expiry, and at the check code where there is one.
 *
 * Return: SHOP_REASON_NONE, or which field is not.
 */
enum shop_reason shop_card_check(const struct shop_card *card, int64_t now_ms);

/**
 * shop_card_brand_of() - whose card it is, by the ranges that the networks publish
 * @number:  digits, NUL-terminated
 */
enum shop_card_brand shop_card_brand_of(const char *number);

/**
 * shop_card_brand_name() - "visa", and so on
 * @brand:  enum shop_card_brand
 *
 * Return: static; "other" when there is no such brand.
 */
const char *shop_card_brand_name(uint32_t brand);

/**
 * shop_card_trace_of() - what may be kept of a card
 * @card:  checked
 */
struct shop_card_trace shop_card_trace_of(const struct shop_card *card);

/**
 * shop_card_wipe() - forget a card
 * @card:  any; zeroed, and no compiler leaves that out
 */
void shop_card_wipe(struct shop_card *card);

#endif
