/*
 * Cookie: what a browser sends back, read in place; and what it is told to keep.
 *
 *	struct zg_slice basket;
 *
 *	if (zg_request_cookie(x, ZG_SLICE("basket"), &basket) == -ENOENT)
 *		result = zg_reply_cookie(x, &(struct zg_cookie){.name = ZG_SLICE("basket"),
 *								.value = ZG_SLICE("1")});
 *
 * A zeroed cookie is the careful one: no script sees it, and no other site's form
 * sends it. What is written is as strict as RFC 6265 (section 4.1.1) asks of servers.
 * What is read cannot be, for browsers send what any page of the domain has set: a
 * pair that nobody may have set is passed over, and the others still count.
 *
 * Ownership  Slices of a request's cookies lie in the read buffer, until the response
 *            has been sent. Those of a cookie to be set are read during the call.
 * Threads    As for the exchange. zg_cookie_next() is for any thread.
 * Limits     ZG_COOKIE_SIZE_MAX bytes of name and value, ZG_COOKIE_ATTRIBUTE_SIZE_MAX of each
 *            attribute: browsers drop what is longer (RFC 6265bis, section 5.6).
 */
#ifndef ZEROG_COOKIE_H
#define ZEROG_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/exchange.h>
#include <zerog/slice.h>

ZG_BEGIN_DECLS

#define ZG_COOKIE_SIZE_MAX 4096
#define ZG_COOKIE_ATTRIBUTE_SIZE_MAX 1024

/* To which requests that other sites cause a cookie goes along. */
enum zg_same_site {
	ZG_SAME_SITE_LAX, /* to links that are followed, not to forms, images and scripts */
	ZG_SAME_SITE_STRICT, /* to none */
	ZG_SAME_SITE_NONE, /* to all; browsers take it only from cookies that are secure */
};

struct zg_cookie {
	struct zg_slice name; /* a token */
	struct zg_slice value; /* cookie-octets: no space, quote, comma, semicolon, backslash */
	struct zg_slice path; /* begins with "/"; empty is "/" */
	struct zg_slice domain; /* its subdomains get it too; empty: this host alone */
	int64_t max_age_s; /* 0: until the browser ends; negative: the browser is to drop it now */
	enum zg_same_site same_site;
	bool is_secure; /* sent over HTTPS only; also to a browser's own machine */
	bool is_script_visible; /* not HttpOnly */
};

/**
 * zg_cookie_next() - the next pair of a Cookie field
 * @field:      what is left of the field's value; moves behind the pair
 * @ret_name:   a token; untouched at the end
 * @ret_value:  may be empty; quotes around it are part of it, as they are to browsers; untouched at
 *              the end
 *
 * Pairs without a name, with a name that is no token, and with control bytes are passed over: none
 * of them can have been set by zg_reply_cookie(), and one that has no name could pass for one whose
 * name begins with "__Host-" (RFC 6265bis, section 5.7).
 *
 * Return: 1 when there was one, 0 at the end. Any thread; makes no allocation.
 */
ZG_MUST_USE int zg_cookie_next(struct zg_slice *field, struct zg_slice *ret_name,
			       struct zg_slice *ret_value);

/**
 * zg_request_cookie() - the first cookie of a name
 * @x:          the handler's
 * @name:       compared byte by byte: names of cookies have case
 * @ret_value:  as zg_cookie_next() gives it; untouched when there is none
 *
 * All Cookie fields are looked through. Of two cookies of a name browsers send that of the longer
 * path first; who must not be fooled by a page of a neighbouring host uses a name with "__Host-".
 *
 * Return: 0; -ENOENT.
 */
ZG_MUST_USE int zg_request_cookie(const struct zg_exchange *x, struct zg_slice name,
				  struct zg_slice *ret_value);

/**
 * zg_reply_cookie() - add a Set-Cookie field to the reply that follows
 * @x:       the handler's, not yet replied
 * @cookie:  read during the call
 *
 * A name that begins with "__Host-", of any case, must be secure, of path "/" and without a domain;
 * one with "__Secure-" must be secure: browsers drop others, and so would the mistake be found
 * late.
 *
 * Return: 0; -EINVAL when a part has a byte that may not stand there, or the rules above or that of
 * ZG_SAME_SITE_NONE are broken; -EMSGSIZE when it is longer than browsers keep; -ENOMEM when the
 * fields outgrow the arena; -EALREADY after the reply.
 * Source: RFC 6265, section 4.1; RFC 6265bis, sections 4.1.2 and 4.1.3.
 */
ZG_MUST_USE int zg_reply_cookie(struct zg_exchange *x, const struct zg_cookie *cookie);

/**
 * zg_reply_cookie_drop() - have the browser forget a cookie
 * @x:       the handler's, not yet replied
 * @cookie:  name, path, domain and is_secure as it was set with; value and age are not looked at
 *
 * Return: as zg_reply_cookie().
 */
ZG_MUST_USE int zg_reply_cookie_drop(struct zg_exchange *x, const struct zg_cookie *cookie);

ZG_END_DECLS

#endif
