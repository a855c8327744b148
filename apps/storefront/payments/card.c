/*
 * Card: what can be told of a number without asking anybody.
 */
#include "payments/card.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* The first digits of a brand's numbers, from and to, and how long those may be. In order: a
 * narrower range stands before the one that it lies in. */
struct card_range {
	uint32_t first; /* six digits */
	uint32_t last;
	uint8_t brand;
	uint8_t digits_min;
	uint8_t digits_max;
};

static const struct card_range card_ranges[] = {
	{340000, 349999, SHOP_BRAND_AMERICAN_EXPRESS, 15, 15},
	{370000, 379999, SHOP_BRAND_AMERICAN_EXPRESS, 15, 15},
	{300000, 305999, SHOP_BRAND_DINERS_CLUB, 14, 19},
	{309500, 309599, SHOP_BRAND_DINERS_CLUB, 14, 19},
	{360000, 369999, SHOP_BRAND_DINERS_CLUB, 14, 19},
	{380000, 399999, SHOP_BRAND_DINERS_CLUB, 14, 19},
	{352800, 358999, SHOP_BRAND_JCB, 16, 19},
	{400000, 499999, SHOP_BRAND_VISA, 13, 19},
	{222100, 272099, SHOP_BRAND_MASTERCARD, 16, 16},
	{510000, 559999, SHOP_BRAND_MASTERCARD, 16, 16},
	{601100, 601199, SHOP_BRAND_DISCOVER, 16, 19},
	{644000, 659999, SHOP_BRAND_DISCOVER, 16, 19},
	{620000, 629999, SHOP_BRAND_UNIONPAY, 16, 19},
	{500000, 509999, SHOP_BRAND_MAESTRO, 12, 19},
	{560000, 589999, SHOP_BRAND_MAESTRO, 12, 19},
	{600000, 699999, SHOP_BRAND_MAESTRO, 12, 19},
};

static const char *const brand_names[] = {"other",    "visa", "mastercard",  "american_express",
					  "discover", "jcb",  "diners_club", "unionpay",
					  "maestro"};

bool shop_card_number_set(struct shop_card *card, struct zg_slice digits)
{
	uint32_t count = 0;

	explicit_bzero(card->number, sizeof(card->number));
	for (size_t index = 0; index < digits.size; ++index) {
		char byte = digits.data[index];

		if (byte == ' ' || byte == '-')
			continue;
		if (byte < '0' || byte > '9' || count == SHOP_CARD_DIGITS_MAX) {
			count = 0;
			break;
		}
		card->number[count++] = byte;
	}
	if (count >= SHOP_CARD_DIGITS_MIN)
		return true;
	explicit_bzero(card->number, sizeof(card->number));
	return false;
}

static const struct card_range *card_range_of(const char *number)
{
	uint32_t prefix = 0;

	for (size_t index = 0; index < 6; ++index) {
		if (number[index] < '0' || number[index] > '9')
			return NULL;
		prefix = prefix * 10 + (uint32_t)(number[index] - '0');
	}
	for (size_t index = 0; index < sizeof(card_ranges) / sizeof(card_ranges[0]); ++index)
		if (prefix >= card_ranges[index].first && prefix <= card_ranges[index].last)
			return &card_ranges[index];
	return NULL;
}

enum shop_card_brand shop_card_brand_of(const char *number)
{
	const struct card_range *range = card_range_of(number);

	return range == NULL ? SHOP_BRAND_OTHER : (enum shop_card_brand)range->brand;
}

const char *shop_card_brand_name(uint32_t brand)
{
	return brand < sizeof(brand_names) / sizeof(brand_names[0]) ? brand_names[brand] : "other";
}

static bool card_number_is_good(const char *number)
{
	const struct card_range *range = card_range_of(number);
	size_t digits_min = range == NULL ? SHOP_CARD_DIGITS_MIN : range->digits_min;
	size_t digits_max = range == NULL ? SHOP_CARD_DIGITS_MAX : range->digits_max;
	size_t size = strnlen(number, SHOP_CARD_DIGITS_MAX + 1);
	uint32_t sum = 0;

	if (size < digits_min || size > digits_max)
		return false;
	/* From the right: every second digit is doubled, and nines are cast out of it. */
	for (size_t index = 0; index < size; ++index) {
		char byte = number[size - 1 - index];
		uint32_t digit;

		if (byte < '0' || byte > '9')
			return false;
		digit = (uint32_t)(byte - '0') * (index % 2 == 0 ? 1U : 2U);
		sum += digit > 9 ? digit - 9 : digit;
	}
	return sum % 10 == 0;
}

/* Milliseconds since the epoch of the first moment of a month. Source: H. Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms", days_from_civil. */
static int64_t card_month_ms(uint32_t year, uint32_t month)
{
	uint32_t shifted_year = month <= 2 ? year - 1 : year;
	uint32_t shifted_month = month <= 2 ? month + 9 : month - 3;
	int64_t days = (int64_t)shifted_year * 365 + shifted_year / 4 - shifted_year / 100 +
		       shifted_year / 400 + (153 * shifted_month + 2) / 5 - 719468;

	return days * 24 * 60 * 60 * 1000;
}

static bool card_is_in_time(const struct shop_card *card, int64_t now_ms)
{
	uint32_t year = card->year;
	uint32_t month = card->month + 1U;

	if (card->month < 1 || card->month > 12 || card->year < 2000 || card->year > 2199)
		return false;
	if (month > 12) {
		month = 1;
		++year;
	}
	/* The month ends twelve hours later on the other side of the date line. */
	return now_ms < card_month_ms(year, month) + INT64_C(12) * 60 * 60 * 1000;
}

static bool card_check_code_is_good(const struct shop_card *card)
{
	size_t size = strnlen(card->check_code, sizeof(card->check_code));
	size_t wanted = shop_card_brand_of(card->number) == SHOP_BRAND_AMERICAN_EXPRESS ? 4 : 3;

	for (size_t index = 0; index < size; ++index)
		if (card->check_code[index] < '0' || card->check_code[index] > '9')
			return false;
	return size == 0 || size == wanted;
}

enum shop_reason shop_card_check(const struct shop_card *card, int64_t now_ms)
{
	if (!card_number_is_good(card->number))
		return SHOP_REASON_CARD_NUMBER;
	if (!card_is_in_time(card, now_ms))
		return SHOP_REASON_CARD_EXPIRY;
	if (!card_check_code_is_good(card))
		return SHOP_REASON_CARD_CHECK_CODE;
	return SHOP_REASON_NONE;
}

struct shop_card_trace shop_card_trace_of(const struct shop_card *card)
{
	size_t size = strnlen(card->number, sizeof(card->number));
	struct shop_card_trace trace = {
		.brand = (uint8_t)shop_card_brand_of(card->number),
		.month = card->month,
		.year = card->year,
	};

	assert(size >= SHOP_CARD_DIGITS_MIN);
	memcpy(trace.last_four, card->number + size - sizeof(trace.last_four),
	       sizeof(trace.last_four));
	return trace;
}

void shop_card_wipe(struct shop_card *card)
{
	explicit_bzero(card, sizeof(*card));
}
