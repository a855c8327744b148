/*
 * Security: comparisons that tell nothing by their time, keys for the routes of who
 * runs the service, and the header fields that a browser should see.
 *
 *	static int refund(struct zg_exchange *x)
 *	{
 *		int result = zg_require_api_key(x);
 *
 *		if (result != 0)
 *			return result;
 *		...
 *
 * Keys come from --api-keys-file, read once at boot. Each line has a name, for people,
 * and the key or its SHA-256, as `printf %s KEY | sha256sum` prints it; a line that
 * begins with "#" is a comment:
 *
 *	import   sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
 *	refunds  correct-horse-battery-staple
 *
 * In memory there are digests alone.
 *
 * Threads    As for the exchange; zg_equal_constant_time() is for any thread.
 * Limits     ZG_API_KEYS_MAX keys of ZG_API_KEY_SIZE_MIN to ZG_API_KEY_SIZE_MAX bytes, their
 *            names of up to ZG_API_KEY_NAME_SIZE_MAX.
 */
#ifndef ZEROG_SECURITY_H
#define ZEROG_SECURITY_H

#include <stdbool.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/exchange.h>
#include <zerog/slice.h>

ZG_BEGIN_DECLS

#define ZG_API_KEYS_MAX 64
#define ZG_API_KEY_SIZE_MIN 16
#define ZG_API_KEY_SIZE_MAX 256
#define ZG_API_KEY_NAME_SIZE_MAX 31

/**
 * zg_equal_constant_time() - compare a secret
 * @a:  any slice
 * @b:  any slice
 *
 * The time depends on the sizes alone, never on where the first difference is.
 *
 * Return: true when sizes and bytes are equal. Any thread.
 */
bool zg_equal_constant_time(struct zg_slice a, struct zg_slice b);

/**
 * zg_request_api_key() - whose key came with the request?
 * @x:         the handler's
 * @ret_name:  the key's name in --api-keys-file, for the life of the service; untouched on failure
 *
 * The key stands in "Authorization: Bearer KEY" or in "X-API-Key: KEY". Its digest is compared with
 * all there are, in constant time.
 *
 * Return: 0; -ENOENT when there is none in the request; -EACCES when it is not known.
 */
ZG_MUST_USE int zg_request_api_key(const struct zg_exchange *x, struct zg_slice *ret_name);

/**
 * zg_require_api_key() - refuse who has no key
 * @x:  the handler's, not yet replied
 *
 * Without a key that is known the request is answered with 401 and WWW-Authenticate, or with 403
 * when the service was started without --api-keys-file; either is counted.
 *
 * Return: 0: go on; ZG_REPLIED: it has been answered, return that; a negative errno of zg_reply().
 */
ZG_MUST_USE int zg_require_api_key(struct zg_exchange *x);

/** zg_before_api_key() - zg_require_api_key() for zg_group_before() and its like; @user: NULL */
ZG_MUST_USE int zg_before_api_key(struct zg_exchange *x, void *user);

/**
 * zg_request_is_local() - does only this machine reach the service, and without a proxy?
 * @x:  the handler's
 *
 * Return: true when the service listens on a loopback address or a Unix socket, no field tells of a
 * proxy (Forwarded, X-Forwarded-For, X-Real-IP, Via), and, over IP, Host is an address of loopback
 * or "localhost": a page that has its own name point here (DNS rebinding) sends that name.
 */
bool zg_request_is_local(const struct zg_exchange *x);

/**
 * zg_require_api_key_unless_local() - let who sits at the machine in without a key
 * @x:  the handler's, not yet replied
 *
 * Return: 0 when zg_request_is_local(); else as zg_require_api_key().
 */
ZG_MUST_USE int zg_require_api_key_unless_local(struct zg_exchange *x);

/* What zg_reply_security_fields() says. Zeroed: the careful answer to each. */
struct zg_security_fields {
	struct zg_slice content_security_policy; /* empty: all from this origin, nothing inline, no
						  * frame around it */
	struct zg_slice referrer_policy; /* empty: "same-origin" */
	uint32_t hsts_s; /* seconds that browsers are to insist on HTTPS; 0: not said */
	bool is_framed; /* a page of this origin may show it in a frame */
};

/**
 * zg_reply_security_fields() - add the fields that a page should have
 * @x:       the handler's, not yet replied
 * @fields:  read during the call; NULL: zeroed
 *
 * Content-Security-Policy, X-Content-Type-Options: nosniff, X-Frame-Options, Referrer-Policy,
 * Cross-Origin-Opener-Policy, and with hsts_s Strict-Transport-Security. A policy of one's own is
 * said as it is: is_framed then changes X-Frame-Options alone.
 *
 * Return: 0; errors as zg_reply_field(), of which -EINVAL is for a policy with control bytes.
 */
ZG_MUST_USE int zg_reply_security_fields(struct zg_exchange *x,
					 const struct zg_security_fields *fields);

ZG_END_DECLS

#endif
