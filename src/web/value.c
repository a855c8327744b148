/*
 * Texts as values, and the accessors that read path parameters by them.
 */

#include "web/value.h"

#include <errno.h>
#include <stdbool.h>

#include "http/bytes.h"
#include "web/segment.h"

#define VALUE_DIGITS_MAX 20 /* as UINT64_MAX has */

int zgi_value_u64(struct zg_slice text, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (text.size == 0 || text.size > VALUE_DIGITS_MAX)
		return -EINVAL;
	for (size_t index = 0; index < text.size; index++) {
		if (!zgi_http_byte_is_digit(text.data[index]))
			return -EINVAL;
		if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text.data[index] - '0'), &value))
			return -ERANGE;
	}
	*ret_value = value;
	return 0;
}

int zgi_value_i64(struct zg_slice text, int64_t *ret_value)
{
	bool is_negative = text.size > 0 && text.data[0] == '-';
	uint64_t limit = (uint64_t)INT64_MAX + is_negative;
	uint64_t size;
	int result;

	if (is_negative)
		text = (struct zg_slice){text.data + 1, text.size - 1};
	result = zgi_value_u64(text, &size);
	if (result < 0)
		return result;
	if (size > limit)
		return -ERANGE;
	*ret_value = is_negative ? -(int64_t)(size - (size > 0)) - (size > 0) : (int64_t)size;
	return 0;
}

static bool value_year_is_leap(uint16_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static uint8_t value_month_days(uint16_t year, uint8_t month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && value_year_is_leap(year) ? 29 : days[month - 1];
}

int zgi_value_date(struct zg_slice text, struct zg_date *ret_date)
{
	uint16_t parts[3] = {0, 0, 0};
	uint32_t part = 0;

	if (text.size != 10)
		return -EINVAL;
	for (size_t index = 0; index < text.size; index++) {
		if (index == 4 || index == 7) {
			if (text.data[index] != '-')
				return -EINVAL;
			part++;
			continue;
		}
		if (!zgi_http_byte_is_digit(text.data[index]))
			return -EINVAL;
		parts[part] = (uint16_t)(parts[part] * 10 + (text.data[index] - '0'));
	}
	if (parts[1] < 1 || parts[1] > 12 || parts[2] < 1 ||
	    parts[2] > value_month_days(parts[0], (uint8_t)parts[1]))
		return -EINVAL;
	*ret_date = (struct zg_date){parts[0], (uint8_t)parts[1], (uint8_t)parts[2]};
	return 0;
}

static bool value_uuid_has_dash(size_t index)
{
	return index == 8 || index == 13 || index == 18 || index == 23;
}

int zgi_value_uuid(struct zg_slice text, struct zg_uuid *ret_uuid)
{
	struct zg_uuid uuid = {{0}};
	uint32_t digit_count = 0;

	if (text.size != 36)
		return -EINVAL;
	for (size_t index = 0; index < text.size; index++) {
		int digit = zgi_segment_hex(text.data[index]);

		if (value_uuid_has_dash(index)) {
			if (text.data[index] != '-')
				return -EINVAL;
			continue;
		}
		if (digit < 0)
			return -EINVAL;
		uuid.bytes[digit_count / 2] =
			(uint8_t)(uuid.bytes[digit_count / 2] << 4 | (uint8_t)digit);
		digit_count++;
	}
	*ret_uuid = uuid;
	return 0;
}

int zg_request_parameter_u64(struct zg_exchange *x, struct zg_slice name, uint64_t *ret_value)
{
	struct zg_slice text;
	int result = zg_request_parameter(x, name, &text);

	return result < 0 ? result : zgi_value_u64(text, ret_value);
}

int zg_request_parameter_i64(struct zg_exchange *x, struct zg_slice name, int64_t *ret_value)
{
	struct zg_slice text;
	int result = zg_request_parameter(x, name, &text);

	return result < 0 ? result : zgi_value_i64(text, ret_value);
}

int zg_request_parameter_date(struct zg_exchange *x, struct zg_slice name, struct zg_date *ret_date)
{
	struct zg_slice text;
	int result = zg_request_parameter(x, name, &text);

	return result < 0 ? result : zgi_value_date(text, ret_date);
}

int zg_request_parameter_uuid(struct zg_exchange *x, struct zg_slice name, struct zg_uuid *ret_uuid)
{
	struct zg_slice text;
	int result = zg_request_parameter(x, name, &text);

	return result < 0 ? result : zgi_value_uuid(text, ret_uuid);
}
