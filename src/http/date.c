/*
 * Renders the Date line without strftime, which reads the locale, and gmtime_r,
 * which takes the time zone's lock and may read a file: a shard does this once a
 * second while it serves.
 */
#include <string.h>

#include "base/assert.h"
#include "http/writer.h"

#define DATE_SECONDS_PER_DAY 86400
#define DATE_SECONDS_MAX 253402300799 /* the last second of the year 9999 */

struct date_civil {
	int64_t year;
	unsigned int month; /* 0 to 11 */
	unsigned int day; /* 1 to 31 */
};

/*
 * Days since 1970 to the Gregorian calendar. Years are counted from March, so that the day of a
 * leap year comes last: then a month's first day is linear in its number, 30.6 days apart.
 */
static struct date_civil date_from_days(int64_t days)
{
	int64_t since_march_0 = days + 719468;
	int64_t era = since_march_0 / 146097;
	int64_t day_of_era = since_march_0 % 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;
	struct date_civil civil = {
		.year = era * 400 + year_of_era + (month_from_march >= 10 ? 1 : 0),
		.month = (unsigned int)((month_from_march + 2) % 12),
		.day = (unsigned int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
	};

	zg_assert(civil.month < 12);
	zg_assert(civil.day >= 1 && civil.day <= 31);
	return civil;
}

static void date_put_two(char *target, unsigned int number)
{
	zg_assert(number < 100);
	target[0] = (char)('0' + number / 10);
	target[1] = (char)('0' + number % 10);
}

/* IMF-fixdate (RFC 9110, section 5.6.7). */
void zgi_http_date_format(time_t seconds, char *ret_date)
{
	static const char week_days[] = "ThuFriSatSunMonTueWed"; /* 1970 began on a Thursday */
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct date_civil civil;
	int64_t days;
	unsigned int second;

	/* A clock that is far off gives a wrong date, not a malformed one. */
	if (seconds < 0)
		seconds = 0;
	if (seconds > DATE_SECONDS_MAX)
		seconds = DATE_SECONDS_MAX;
	days = seconds / DATE_SECONDS_PER_DAY;
	second = (unsigned int)(seconds % DATE_SECONDS_PER_DAY);
	civil = date_from_days(days);

	memcpy(ret_date, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n", ZGI_HTTP_DATE_SIZE);
	memcpy(ret_date + 6, week_days + 3 * (days % 7), 3);
	date_put_two(ret_date + 11, civil.day);
	memcpy(ret_date + 14, months + 3 * (size_t)civil.month, 3);
	date_put_two(ret_date + 18, (unsigned int)(civil.year / 100));
	date_put_two(ret_date + 20, (unsigned int)(civil.year % 100));
	date_put_two(ret_date + 23, second / 3600);
	date_put_two(ret_date + 26, second / 60 % 60);
	date_put_two(ret_date + 29, second % 60);
}
