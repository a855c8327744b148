/*
 * Reads a date of HTTP in its three formats, without strptime, which reads the locale.
 *
 *	Sun, 06 Nov 1994 08:49:37 GMT     IMF-fixdate
 *	Sunday, 06-Nov-94 08:49:37 GMT    RFC 850
 *	Sun Nov  6 08:49:37 1994          asctime
 */

#include <errno.h>

#include "base/assert.h"
#include "http/bytes.h"
#include "http/conditional.h"

#define DATE_CENTURY_PIVOT 70 /* two digits below it are of this century */

struct date_parts {
	int64_t year;
	int64_t month; /* 1 to 12 */
	int64_t day;
	int64_t hour;
	int64_t minute;
	int64_t second;
};

/* A pattern of the format's: each letter takes a byte of the text. y, d, h, m and s are digits of
 * what they say, D a digit or a space, b a letter of the month; all else stands for itself. */
static bool date_match(struct zg_slice text, const char *pattern, struct date_parts *parts)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char month[4] = "";
	size_t month_size = 0;

	if (text.size != strlen(pattern))
		return false;
	*parts = (struct date_parts){0};
	for (size_t index = 0; index < text.size; index++) {
		char byte = text.data[index];
		int64_t *number = NULL;

		switch (pattern[index]) {
		case 'y':
			number = &parts->year;
			break;
		case 'D':
			byte = byte == ' ' ? '0' : byte;
			number = &parts->day;
			break;
		case 'd':
			number = &parts->day;
			break;
		case 'h':
			number = &parts->hour;
			break;
		case 'm':
			number = &parts->minute;
			break;
		case 's':
			number = &parts->second;
			break;
		case 'b':
			zg_assert(month_size < 3);
			month[month_size++] = byte;
			continue;
		default:
			if (byte != pattern[index])
				return false;
			continue;
		}
		if (!zgi_http_byte_is_digit(byte))
			return false;
		*number = *number * 10 + (byte - '0');
	}
	for (size_t index = 0; index < 12; index++)
		if (memcmp(months + 3 * index, month, 3) == 0)
			parts->month = (int64_t)index + 1;
	return parts->month > 0;
}

/* Days since 1970, with years that begin in March, as in date.c. */
static int64_t date_days(const struct date_parts *parts)
{
	int64_t year = parts->month <= 2 ? parts->year - 1 : parts->year;
	int64_t era = year / 400;
	int64_t year_of_era = year % 400;
	int64_t month_from_march = (parts->month + 9) % 12;
	int64_t day_of_year = (153 * month_from_march + 2) / 5 + parts->day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

int zgi_http_date_parse(struct zg_slice text, time_t *ret_seconds)
{
	struct date_parts parts;
	const char *comma = text.size > 0 ? memchr(text.data, ',', text.size) : NULL;
	struct zg_slice rest = text;

	/* The day of the week says nothing that the rest does not. */
	if (comma != NULL) {
		rest.data = comma + 1;
		rest.size = text.size - (size_t)(rest.data - text.data);
	} else if (text.size > 3) {
		rest.data += 3;
		rest.size -= 3;
	}
	if (date_match(rest, " dd-bbb-yy hh:mm:ss GMT", &parts))
		parts.year += parts.year < DATE_CENTURY_PIVOT ? 2000 : 1900;
	else if (!date_match(rest, " dd bbb yyyy hh:mm:ss GMT", &parts) &&
		 !date_match(rest, " bbb Dd hh:mm:ss yyyy", &parts))
		return -EINVAL;
	if (parts.year < 1970 || parts.day < 1 || parts.day > 31 || parts.hour > 23 ||
	    parts.minute > 59 || parts.second > 60)
		return -EINVAL;
	*ret_seconds = (time_t)(date_days(&parts) * 86400 + parts.hour * 3600 + parts.minute * 60 +
				parts.second);
	return 0;
}
