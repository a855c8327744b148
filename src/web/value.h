/*
 * Value: texts of a request as numbers, days and UUIDs, without a locale, a sign
 * too many or a digit too many.
 */
#ifndef ZEROG_WEB_VALUE_H
#define ZEROG_WEB_VALUE_H

#include <zerog/parameter.h>

/* Each returns 0; -EINVAL when the text is none; the numbers -ERANGE when it is too large a one.
 * The value is untouched on failure. */
ZG_MUST_USE int zgi_value_u64(struct zg_slice text, uint64_t *ret_value);
ZG_MUST_USE int zgi_value_i64(struct zg_slice text, int64_t *ret_value);
ZG_MUST_USE int zgi_value_date(struct zg_slice text, struct zg_date *ret_date);
ZG_MUST_USE int zgi_value_uuid(struct zg_slice text, struct zg_uuid *ret_uuid);

#endif
