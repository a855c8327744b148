/*
 * Cookies as browsers send them, well-behaved and not, and as they are told to keep
 * them: what may be said, and what is refused before a browser would drop it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <zerog/cookie.h>

#include "web/cookie.h"
#include "web/exchange_fixture.h"

static struct exchange_fixture fixture;

/* What the handler sets, and what it was told. */
static struct zg_cookie set;
static int set_result;

static int serve(struct zg_exchange *x)
{
	set_result = zg_reply_cookie(x, &set);
	return zg_reply_empty(x, 204);
}

static int serve_drop(struct zg_exchange *x)
{
	set_result = zg_reply_cookie_drop(x, &set);
	return zg_reply_empty(x, 204);
}

static int wait(struct zg_exchange *x)
{
	(void)x;
	return ZG_PENDING;
}

static const struct exchange_fixture_route routes[] = {
	{ZG_METHOD_GET, "/set", serve},
	{ZG_METHOD_GET, "/drop", serve_drop},
	{ZG_METHOD_GET, "/read", wait},
	{ZG_METHOD_COUNT, NULL, NULL},
};

static int setup(void **state)
{
	(void)state;
	exchange_fixture_open(&fixture, routes);
	set = (struct zg_cookie){.name = ZG_SLICE("a"), .value = ZG_SLICE("b")};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	exchange_fixture_close(&fixture);
	return 0;
}

/* A request with these lines of fields, which waits in its handler. */
static struct zg_exchange *receive(const char *fields)
{
	char text[1024];

	snprintf(text, sizeof(text), "GET /read HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
	assert_int_equal(exchange_fixture_feed(&fixture, text, strlen(text), SIZE_MAX),
			 ZGI_WANT_PENDING);
	return fixture.x;
}

static void assert_slice(struct zg_slice slice, const char *text)
{
	assert_int_equal(slice.size, strlen(text));
	assert_memory_equal(slice.data, text, slice.size);
}

static void assert_cookie(struct zg_exchange *x, const char *name, const char *text)
{
	struct zg_slice value;

	assert_int_equal(zg_request_cookie(x, (struct zg_slice){name, strlen(name)}, &value), 0);
	assert_slice(value, text);
}

static void assert_no_cookie(struct zg_exchange *x, const char *name)
{
	struct zg_slice value = ZG_SLICE("untouched");

	assert_int_equal(zg_request_cookie(x, (struct zg_slice){name, strlen(name)}, &value),
			 -ENOENT);
	assert_slice(value, "untouched");
}

/* The pairs of a field, written "name=value|". */
static const char *pairs_of(const char *field)
{
	static char text[256];
	struct zg_slice rest = {field, strlen(field)};
	struct zg_slice name;
	struct zg_slice value;
	struct zg_text pairs;

	zg_text_init(&pairs, text, sizeof(text));
	while (zg_cookie_next(&rest, &name, &value) > 0)
		zg_text_print(&pairs, "%.*s=%.*s|", (int)name.size, name.data, (int)value.size,
			      value.data);
	return text;
}

static const char *sent(void)
{
	static const char get[] = "GET /set HTTP/1.1\r\nHost: a\r\n\r\n";

	exchange_fixture_forget(&fixture);
	(void)exchange_fixture_feed(&fixture, get, strlen(get), SIZE_MAX);
	return exchange_fixture_output(&fixture);
}

static void assert_sent(const char *line)
{
	const char *output = sent();

	assert_int_equal(set_result, 0);
	if (strstr(output, line) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", line, output);
}

static void assert_refused(int error)
{
	assert_null(strstr(sent(), "Set-Cookie"));
	assert_int_equal(set_result, error);
}

static void pairs_are_read_where_they_lie(void **state)
{
	struct zg_exchange *x = receive("Cookie: first=1; second=2=2; empty=\r\n");
	struct zg_slice value;

	(void)state;
	assert_cookie(x, "first", "1");
	assert_cookie(x, "second", "2=2");
	assert_cookie(x, "empty", "");
	assert_int_equal(zg_request_cookie(x, ZG_SLICE("first"), &value), 0);
	assert_true(value.data > (const char *)x->read_buffer);
	assert_true(value.data < (const char *)x->read_buffer + x->read_size);
}

static void names_have_case_and_are_whole(void **state)
{
	struct zg_exchange *x = receive("Cookie: Name=1; namelong=2\r\n");

	(void)state;
	assert_cookie(x, "Name", "1");
	assert_no_cookie(x, "name");
	assert_no_cookie(x, "namelon");
	assert_no_cookie(x, "");
}

static void of_two_the_first_counts_and_a_walk_sees_both(void **state)
{
	struct zg_exchange *x = receive("Cookie: a=1; b=2\r\nX: a=0\r\ncookie: a=3\r\n");
	struct zgi_cookie_walk walk = {.name = ZG_SLICE("a")};
	struct zg_slice value;

	(void)state;
	assert_cookie(x, "a", "1");
	assert_int_equal(zgi_request_cookie_next(x, &walk, &value), 1);
	assert_slice(value, "1");
	assert_int_equal(zgi_request_cookie_next(x, &walk, &value), 1);
	assert_slice(value, "3");
	assert_int_equal(zgi_request_cookie_next(x, &walk, &value), 0);
	assert_slice(value, "3");
}

static void a_request_without_cookies_has_none(void **state)
{
	struct zg_exchange *x = receive("");

	(void)state;
	assert_no_cookie(x, "a");
	exchange_fixture_renew(&fixture);
	assert_no_cookie(receive("Cookie:\r\n"), "a");
}

static void white_space_and_empty_pairs_are_tolerated(void **state)
{
	(void)state;
	assert_string_equal(pairs_of(" a = 1 ;b=2;;  ; c=\t3\t; "), "a=1|b=2|c=3|");
	assert_string_equal(pairs_of(""), "");
	assert_string_equal(pairs_of(";"), "");
}

/* Other software of the domain may have set them: they are no reason to lose the rest. */
static void values_may_hold_what_servers_may_not_set(void **state)
{
	(void)state;
	assert_string_equal(pairs_of("a=\"x y\"; b=1,2; c=a\\b; d=\xc3\xa9; e=[{}]"),
			    "a=\"x y\"|b=1,2|c=a\\b|d=\xc3\xa9|e=[{}]|");
}

static void a_pair_that_nobody_may_have_set_is_passed_over(void **state)
{
	(void)state;
	assert_string_equal(pairs_of("nameless; =x; a b=1; c\"=2; ok=1; \x01=3; d=\x01; e=a\tb"),
			    "ok=1|");
	/* It was set without a name, and would pass for another. */
	assert_string_equal(pairs_of("=__Host-session=stolen; __Host-session=own"),
			    "__Host-session=own|");
}

static void a_cookie_is_careful_unless_told_otherwise(void **state)
{
	(void)state;
	assert_sent("\r\nSet-Cookie: a=b; Path=/; HttpOnly; SameSite=Lax\r\n");
}

static void all_attributes_are_said(void **state)
{
	(void)state;
	set = (struct zg_cookie){
		.name = ZG_SLICE("basket"),
		.value = ZG_SLICE("0123/abc=="),
		.path = ZG_SLICE("/shop"),
		.domain = ZG_SLICE("example.org"),
		.max_age_s = 86400,
		.same_site = ZG_SAME_SITE_NONE,
		.is_secure = true,
		.is_script_visible = true,
	};
	assert_sent("Set-Cookie: basket=0123/abc==; Path=/shop; Domain=example.org; "
		    "Max-Age=86400; Secure; SameSite=None\r\n");
	set.same_site = ZG_SAME_SITE_STRICT;
	assert_sent("; SameSite=Strict\r\n");
}

static void a_cookie_is_dropped_with_its_age(void **state)
{
	static const char get[] = "GET /drop HTTP/1.1\r\nHost: a\r\n\r\n";

	(void)state;
	set = (struct zg_cookie){.name = ZG_SLICE("__Host-a"),
				 .value = ZG_SLICE("no\noctet"),
				 .max_age_s = 10,
				 .is_secure = true};
	(void)exchange_fixture_feed(&fixture, get, strlen(get), SIZE_MAX);
	assert_int_equal(set_result, 0);
	assert_non_null(strstr(exchange_fixture_output(&fixture),
			       "__Host-a=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax\r\n"));
}

static void names_and_values_are_of_the_bytes_they_may_have(void **state)
{
	static const char *const names[] = {"", "a b", "a=b", "a;b", "\"a\"", "a\r\nX: y", "\xc3"};
	static const char *const values[] = {"a b",  "a;b",	  "a,b",  "\"a\"",
					     "a\\b", "a\r\nX: y", "\xc3", "\x7f"};

	(void)state;
	for (size_t index = 0; index < sizeof(names) / sizeof(names[0]); index++) {
		set.name = (struct zg_slice){names[index], strlen(names[index])};
		assert_refused(-EINVAL);
	}
	set.name = ZG_SLICE("a");
	for (size_t index = 0; index < sizeof(values) / sizeof(values[0]); index++) {
		set.value = (struct zg_slice){values[index], strlen(values[index])};
		assert_refused(-EINVAL);
	}
	set.value = ZG_SLICE("");
	assert_sent("Set-Cookie: a=; Path=/");
}

static void attributes_smuggle_no_other_attribute(void **state)
{
	(void)state;
	set.path = ZG_SLICE("/; Domain=example.org");
	assert_refused(-EINVAL);
	set.path = ZG_SLICE("/\r\nX: y");
	assert_refused(-EINVAL);
	set.path = ZG_SLICE("relative");
	assert_refused(-EINVAL);
	set.path = ZG_SLICE("");
	set.domain = ZG_SLICE("a;b");
	assert_refused(-EINVAL);
}

static void a_host_cookie_is_secure_of_the_root_and_of_no_domain(void **state)
{
	(void)state;
	set.name = ZG_SLICE("__Host-a");
	assert_refused(-EINVAL);
	set.is_secure = true;
	assert_sent("__Host-a=b; Path=/; Secure");
	set.path = ZG_SLICE("/");
	assert_sent("__Host-a=b; Path=/; Secure");
	set.path = ZG_SLICE("/shop");
	assert_refused(-EINVAL);
	set.path = ZG_SLICE("");
	set.domain = ZG_SLICE("example.org");
	assert_refused(-EINVAL);
	/* Browsers know the prefix in any case. */
	set.name = ZG_SLICE("__hOST-a");
	assert_refused(-EINVAL);
}

static void a_secure_cookie_is_secure(void **state)
{
	(void)state;
	set.name = ZG_SLICE("__Secure-a");
	assert_refused(-EINVAL);
	set.is_secure = true;
	set.path = ZG_SLICE("/shop");
	assert_sent("__Secure-a=b; Path=/shop; Secure");
}

static void a_cookie_for_all_sites_is_secure(void **state)
{
	(void)state;
	set.same_site = ZG_SAME_SITE_NONE;
	assert_refused(-EINVAL);
	set.is_secure = true;
	assert_sent("; Secure; HttpOnly; SameSite=None");
}

static void what_browsers_would_drop_for_its_size_is_refused(void **state)
{
	static char bytes[ZG_COOKIE_SIZE_MAX + 1];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	set.value = (struct zg_slice){bytes, ZG_COOKIE_SIZE_MAX};
	assert_refused(-EMSGSIZE);
	/* One that is not too long for a browser may still be so for an arena this small. */
	set.value.size = ZG_COOKIE_SIZE_MAX - 1;
	assert_refused(-ENOMEM);
	set.value = ZG_SLICE("b");
	bytes[0] = '/';
	set.path = (struct zg_slice){bytes, ZG_COOKIE_ATTRIBUTE_SIZE_MAX + 1};
	assert_refused(-EMSGSIZE);
}

static void a_cookie_comes_before_the_reply(void **state)
{
	struct zg_exchange *x = receive("");

	(void)state;
	assert_int_equal(zg_reply_empty(x, 204), 0);
	assert_int_equal(zg_reply_cookie(x, &set), -EALREADY);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(pairs_are_read_where_they_lie),
		test(names_have_case_and_are_whole),
		test(of_two_the_first_counts_and_a_walk_sees_both),
		test(a_request_without_cookies_has_none),
		test(white_space_and_empty_pairs_are_tolerated),
		test(values_may_hold_what_servers_may_not_set),
		test(a_pair_that_nobody_may_have_set_is_passed_over),
		test(a_cookie_is_careful_unless_told_otherwise),
		test(all_attributes_are_said),
		test(a_cookie_is_dropped_with_its_age),
		test(names_and_values_are_of_the_bytes_they_may_have),
		test(attributes_smuggle_no_other_attribute),
		test(a_host_cookie_is_secure_of_the_root_and_of_no_domain),
		test(a_secure_cookie_is_secure),
		test(a_cookie_for_all_sites_is_secure),
		test(what_browsers_would_drop_for_its_size_is_refused),
		test(a_cookie_comes_before_the_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
