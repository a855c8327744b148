/*
 * What keeps others out: keys, and what browsers are asked to refuse.
 */
#include <zerog/security.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/constant_time.h"
#include "base/counter.h"
#include "http/authority.h"
#include "http/bytes.h"
#include "web/api_keys.h"
#include "web/exchange.h"

bool zg_equal_constant_time(struct zg_slice a, struct zg_slice b)
{
	return a.size == b.size && zgi_equal_constant_time(a.data, b.data, a.size);
}

/* credentials = auth-scheme 1*SP token68 (RFC 9110, section 11.4; RFC 6750, section 2.1). */
static bool security_bearer(struct zg_slice value, struct zg_slice *ret_key)
{
	static const struct zg_slice scheme = {"Bearer ", 7};

	if (value.size <= scheme.size ||
	    !zg_slice_equals_nocase((struct zg_slice){value.data, scheme.size}, scheme))
		return false;
	value.data += scheme.size;
	value.size -= scheme.size;
	while (value.size > 0 && value.data[0] == ' ') {
		value.data++;
		value.size--;
	}
	*ret_key = value;
	return value.size > 0;
}

int zg_request_api_key(const struct zg_exchange *x, struct zg_slice *ret_name)
{
	const struct zgi_api_key *found = NULL;
	struct zg_slice value;
	struct zg_slice key;

	if (zg_request_field(x, ZG_SLICE("authorization"), &value) < 0 ||
	    !security_bearer(value, &key)) {
		if (zg_request_field(x, ZG_SLICE("x-api-key"), &key) < 0 || key.size == 0)
			return -ENOENT;
	}
	if (x->web->api_keys != NULL)
		found = zgi_api_keys_find(x->web->api_keys, key);
	if (found == NULL)
		return -EACCES;
	*ret_name = (struct zg_slice){found->name, found->name_size};
	return 0;
}

int zg_require_api_key(struct zg_exchange *x)
{
	struct zg_slice name;
	int result = zg_request_api_key(x, &name);

	if (result == 0)
		return 0;
	zgi_counter_add(&x->web->counters.api_keys_refused, 1);
	if (x->web->api_keys == NULL) {
		result = zg_reply_text(x, 403,
				       "This needs an API key, and none is configured: start the "
				       "service with --api-keys-file\n");
		return result < 0 ? result : ZG_REPLIED;
	}
	if (result == -ENOENT)
		result = zg_reply_field(x, ZG_SLICE("WWW-Authenticate"), ZG_SLICE("Bearer"));
	else
		result = zg_reply_field(x, ZG_SLICE("WWW-Authenticate"),
					ZG_SLICE("Bearer error=\"invalid_token\""));
	if (result == 0)
		result = zg_reply_text(x, 401,
				       "This needs an API key, in \"Authorization: Bearer KEY\" or "
				       "\"X-API-Key: KEY\"\n");
	return result < 0 ? result : ZG_REPLIED;
}

int zg_before_api_key(struct zg_exchange *x, void *user)
{
	int result = zg_require_api_key(x);

	(void)user;
	return result == ZG_REPLIED ? 0 : result;
}

static bool security_is_proxied(const struct zg_exchange *x)
{
	static const char *const names[] = {"forwarded", "x-forwarded-for", "x-real-ip", "via"};
	struct zg_slice value;

	for (size_t index = 0; index < sizeof(names) / sizeof(names[0]); index++)
		if (zg_request_field(x, (struct zg_slice){names[index], strlen(names[index])},
				     &value) == 0)
			return true;
	return false;
}

/* 127.0.0.1, any other address of 127/8, [::1] and localhost, each with or without a port. */
static bool security_host_is_local(struct zg_slice host)
{
	struct zgi_http_authority authority;
	struct zg_slice name;

	if (!zgi_http_authority_parse(host.data, host.size, &authority))
		return false;
	name = (struct zg_slice){host.data, authority.host_size};
	if (zg_slice_equals_nocase(name, ZG_SLICE("localhost")) ||
	    zg_slice_equals(name, ZG_SLICE("[::1]")))
		return true;
	if (name.size < 4 || memcmp(name.data, "127.", 4) != 0)
		return false;
	for (size_t index = 0; index < name.size; index++)
		if (name.data[index] != '.' && !zgi_http_byte_is_digit(name.data[index]))
			return false;
	return true;
}

bool zg_request_is_local(const struct zg_exchange *x)
{
	struct zg_slice host;

	if (x->web->reach == ZGI_REACH_ALL || security_is_proxied(x))
		return false;
	if (x->web->reach == ZGI_REACH_UNIX)
		return true;
	return zg_request_field(x, ZG_SLICE("host"), &host) == 0 && security_host_is_local(host);
}

int zg_require_api_key_unless_local(struct zg_exchange *x)
{
	return zg_request_is_local(x) ? 0 : zg_require_api_key(x);
}

struct security_line {
	struct zg_slice name;
	struct zg_slice value;
};

static struct zg_slice security_policy(const struct zg_security_fields *fields)
{
	if (fields->content_security_policy.size > 0)
		return fields->content_security_policy;
	if (fields->is_framed)
		return ZG_SLICE("default-src 'self'; base-uri 'none'; object-src 'none'; "
				"form-action 'self'; frame-ancestors 'self'");
	return ZG_SLICE("default-src 'self'; base-uri 'none'; object-src 'none'; "
			"form-action 'self'; frame-ancestors 'none'");
}

int zg_reply_security_fields(struct zg_exchange *x, const struct zg_security_fields *fields)
{
	static const struct zg_security_fields careful;
	const struct zg_security_fields *said = fields != NULL ? fields : &careful;
	const struct security_line lines[] = {
		{ZG_SLICE("Content-Security-Policy"), security_policy(said)},
		{ZG_SLICE("X-Content-Type-Options"), ZG_SLICE("nosniff")},
		{ZG_SLICE("X-Frame-Options"),
		 said->is_framed ? ZG_SLICE("SAMEORIGIN") : ZG_SLICE("DENY")},
		{ZG_SLICE("Referrer-Policy"),
		 said->referrer_policy.size > 0 ? said->referrer_policy : ZG_SLICE("same-origin")},
		{ZG_SLICE("Cross-Origin-Opener-Policy"), ZG_SLICE("same-origin")},
	};
	char buffer[64];
	struct zg_text hsts;
	int result = 0;

	for (size_t index = 0; index < sizeof(lines) / sizeof(lines[0]) && result == 0; index++)
		result = zg_reply_field(x, lines[index].name, lines[index].value);
	if (result < 0 || said->hsts_s == 0)
		return result;
	zg_text_init(&hsts, buffer, sizeof(buffer));
	zg_text_print(&hsts, "max-age=%" PRIu32, said->hsts_s);
	return zg_reply_field(x, ZG_SLICE("Strict-Transport-Security"),
			      (struct zg_slice){hsts.data, hsts.size});
}
