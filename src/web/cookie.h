/*
 * Cookie walk: every cookie of one name that a request has.
 *
 * A page of a neighbouring host can set a cookie of the same name for the whole
 * domain, and it may come first. Who looks for a session tries each.
 */
#ifndef ZEROG_WEB_COOKIE_H
#define ZEROG_WEB_COOKIE_H

#include <zerog/cookie.h>

#include "web/exchange.h"

/* Zeroed, all but the name: a walk begins. */
struct zgi_cookie_walk {
	struct zg_slice name;
	struct zg_slice rest; /* of the field that is being read */
	uint32_t field_next;
};

/* The next cookie of the name. Return: 1 when there was one, 0 at the end, the value untouched. */
ZG_MUST_USE int zgi_request_cookie_next(const struct zg_exchange *x, struct zgi_cookie_walk *walk,
					struct zg_slice *ret_value);

#endif
