/*
 * Money: every sum is checked, and the only division is the one of percentages.
 */
#include "money/money.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>

int shop_money_add(struct shop_money left, struct shop_money right, struct shop_money *ret_sum)
{
	int64_t sum;

	if (left.currency != right.currency)
		return -EDOM;
	if (__builtin_add_overflow(left.minor, right.minor, &sum))
		return -EOVERFLOW;
	*ret_sum = (struct shop_money){sum, left.currency};
	return 0;
}

int shop_money_subtract(struct shop_money left, struct shop_money right,
			struct shop_money *ret_difference)
{
	int64_t difference;

	if (left.currency != right.currency)
		return -EDOM;
	if (__builtin_sub_overflow(left.minor, right.minor, &difference))
		return -EOVERFLOW;
	*ret_difference = (struct shop_money){difference, left.currency};
	return 0;
}

int shop_money_multiply(struct shop_money money, int64_t factor, struct shop_money *ret_product)
{
	int64_t product;

	if (__builtin_mul_overflow(money.minor, factor, &product))
		return -EOVERFLOW;
	*ret_product = (struct shop_money){product, money.currency};
	return 0;
}

struct shop_money shop_money_percent(struct shop_money money, uint32_t basis_points)
{
	/* In two parts, whole ten-thousandths and the rest, so that no product overflows. */
	int64_t whole = money.minor / SHOP_BASIS_POINTS;
	int64_t rest = money.minor % SHOP_BASIS_POINTS;
	int64_t half = money.minor < 0 ? -SHOP_BASIS_POINTS / 2 : SHOP_BASIS_POINTS / 2;

	assert(basis_points <= SHOP_BASIS_POINTS);
	money.minor = whole * (int64_t)basis_points +
		      (rest * (int64_t)basis_points + half) / SHOP_BASIS_POINTS;
	return money;
}

/* One more digit behind an amount that grows away from zero, so that INT64_MIN can be read. */
static bool money_push_digit(int64_t *minor, int digit, bool is_negative)
{
	return !__builtin_mul_overflow(*minor, INT64_C(10), minor) &&
	       !__builtin_add_overflow(*minor, (int64_t)(is_negative ? -digit : digit), minor);
}

int shop_money_parse(struct zg_slice text, const struct shop_currency *currency,
		     struct shop_money *ret_money)
{
	bool is_negative = text.size > 0 && text.data[0] == '-';
	size_t index = is_negative ? 1 : 0;
	size_t digits_before = 0;
	size_t digits_behind = 0;
	bool is_behind = false;
	int64_t minor = 0;

	for (; index < text.size; ++index) {
		char byte = text.data[index];

		if (byte == '.' && !is_behind && digits_before > 0) {
			is_behind = true;
			continue;
		}
		if (byte < '0' || byte > '9')
			return -EINVAL;
		if (is_behind && ++digits_behind > currency->exponent)
			return -ERANGE;
		if (!is_behind)
			++digits_before;
		if (!money_push_digit(&minor, byte - '0', is_negative))
			return -EOVERFLOW;
	}
	if (digits_before == 0 || (is_behind && digits_behind == 0))
		return -EINVAL;
	for (; digits_behind < currency->exponent; ++digits_behind)
		if (!money_push_digit(&minor, 0, is_negative))
			return -EOVERFLOW;
	*ret_money = (struct shop_money){minor, currency->number};
	return 0;
}

void shop_money_print_amount(struct shop_money money, struct zg_text *text)
{
	const struct shop_currency *currency = shop_currency_of(money.currency);
	/* Negated as unsigned, which is defined for INT64_MIN, too. */
	uint64_t magnitude = money.minor < 0 ? -(uint64_t)money.minor : (uint64_t)money.minor;
	uint64_t unit = 1;

	assert(currency != NULL);
	for (uint8_t digit = 0; digit < currency->exponent; ++digit)
		unit *= 10;
	zg_text_print(text, "%s%" PRIu64, money.minor < 0 ? "-" : "", magnitude / unit);
	if (currency->exponent > 0)
		zg_text_print(text, ".%0*" PRIu64, currency->exponent, magnitude % unit);
}

void shop_money_print(struct shop_money money, struct zg_text *text)
{
	const struct shop_currency *currency = shop_currency_of(money.currency);

	assert(currency != NULL);
	shop_money_print_amount(money, text);
	zg_text_print(text, " %s", currency->code);
}
