/*
 * Parameter: path parameters that are more than text.
 *
 *	zg_get(&app, "/products/{id:u64}", show);	matches /products/17, not /products/new
 *	zg_get(&app, "/days/{day:date}", show_day);	matches /days/2026-02-28, not
 * /days/2026-02-30
 *
 * A type in a pattern is checked while a route is looked for: a segment that does
 * not fit makes the route no match, so that another may be. The accessors below
 * read the value; they may also be asked for a parameter without a type.
 *
 * Ownership  Values are copied to the caller.
 * Threads    On the thread of the exchange's shard.
 * Limits     ZG_PARAMETERS_MAX a route.
 */
#ifndef ZEROG_PARAMETER_H
#define ZEROG_PARAMETER_H

#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/exchange.h>
#include <zerog/slice.h>

ZG_BEGIN_DECLS

/* A day of the Gregorian calendar, that of ISO 8601. */
struct zg_date {
	uint16_t year; /* 0 to 9999 */
	uint8_t month; /* 1 to 12 */
	uint8_t day; /* 1 to 31, as the month has */
};

struct zg_uuid {
	uint8_t bytes[16]; /* in the order in which they are written */
};

/**
 * zg_request_parameter_u64() - a path parameter as a number without a sign
 * @x:          the handler's
 * @name:       as in the route's pattern: "id" for "/users/{id:u64}"
 * @ret_value:  untouched on failure
 *
 * One to twenty decimal digits, leading zeros among them, and nothing else.
 *
 * Return: 0; -ENOENT when the route has no such parameter; -EINVAL when it is no such number, and
 * -ERANGE when it is larger than UINT64_MAX: neither for a parameter of type u64; -ENOMEM.
 */
ZG_MUST_USE int zg_request_parameter_u64(struct zg_exchange *x, struct zg_slice name,
					 uint64_t *ret_value);

/**
 * zg_request_parameter_i64() - a path parameter as a number that may be negative
 * @x:          the handler's
 * @name:       as in the route's pattern: "offset" for "/log/{offset:i64}"
 * @ret_value:  untouched on failure
 *
 * Digits as zg_request_parameter_u64() takes them, after a minus sign or none.
 *
 * Return: as zg_request_parameter_u64().
 */
ZG_MUST_USE int zg_request_parameter_i64(struct zg_exchange *x, struct zg_slice name,
					 int64_t *ret_value);

/**
 * zg_request_parameter_date() - a path parameter as a day
 * @x:         the handler's
 * @name:      as in the route's pattern: "day" for "/days/{day:date}"
 * @ret_date:  a day that there is; untouched on failure
 *
 * Return: 0; -ENOENT; -EINVAL when it is not "YYYY-MM-DD" (RFC 3339, full-date), or no day of the
 * calendar: not for a parameter of type date; -ENOMEM.
 */
ZG_MUST_USE int zg_request_parameter_date(struct zg_exchange *x, struct zg_slice name,
					  struct zg_date *ret_date);

/**
 * zg_request_parameter_uuid() - a path parameter as a UUID
 * @x:         the handler's
 * @name:      as in the route's pattern: "id" for "/orders/{id:uuid}"
 * @ret_uuid:  untouched on failure
 *
 * Return: 0; -ENOENT; -EINVAL when it is not 8-4-4-4-12 hexadecimal digits of either case
 * (RFC 9562, section 4; any version): not for a parameter of type uuid; -ENOMEM.
 */
ZG_MUST_USE int zg_request_parameter_uuid(struct zg_exchange *x, struct zg_slice name,
					  struct zg_uuid *ret_uuid);

ZG_END_DECLS

#endif
