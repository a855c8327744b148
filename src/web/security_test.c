/*
 * Who is let in: with a key that is known, or from the machine itself; and what a
 * browser is told to refuse.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <zerog/security.h>

#include "web/api_keys.h"
#include "web/exchange_fixture.h"

#define FILE_TEXT                                                                                 \
	"# who may do what\n"                                                                     \
	"\n"                                                                                      \
	"import  correct-horse-battery-staple\n"                                                  \
	"\trefunds\tsha256:9b74c9897bac770ffc029102a200c5de2d5a8d2b1d5b0cb6c8a24e9f9c1a3c0f \r\n" \
	"  # indented\n"                                                                          \
	"last sixteen-letters-"

static struct exchange_fixture fixture;
static struct zgi_api_keys keys;
static char error[512];

static zg_handler *handle;

static int serve(struct zg_exchange *x)
{
	return handle(x);
}

static const struct exchange_fixture_route routes[] = {
	{ZG_METHOD_GET, "/", serve},
	{ZG_METHOD_COUNT, NULL, NULL},
};

static int parse(const char *text)
{
	struct zg_text message;

	zg_text_init(&message, error, sizeof(error));
	return zgi_api_keys_parse(&keys, "keys.txt", (struct zg_slice){text, strlen(text)},
				  &message);
}

static int setup(void **state)
{
	(void)state;
	exchange_fixture_open(&fixture, routes);
	assert_int_equal(parse(FILE_TEXT), 0);
	fixture.web.api_keys = &keys;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	exchange_fixture_close(&fixture);
	return 0;
}

static const char *ask(zg_handler *handler, const char *fields)
{
	char text[512];

	handle = handler;
	exchange_fixture_renew(&fixture);
	snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n%s\r\n", fields);
	(void)exchange_fixture_feed(&fixture, text, strlen(text), SIZE_MAX);
	return exchange_fixture_output(&fixture);
}

static void assert_contains(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static int serve_guarded(struct zg_exchange *x)
{
	int result = zg_require_api_key(x);

	if (result != 0)
		return result;
	return zg_reply_text(x, 200, "let in");
}

static int serve_unless_local(struct zg_exchange *x)
{
	int result = zg_require_api_key_unless_local(x);

	if (result != 0)
		return result;
	return zg_reply_text(x, 200, "let in");
}

static int serve_name(struct zg_exchange *x)
{
	struct zg_slice name = ZG_SLICE("untouched");
	char text[64];
	int result = zg_request_api_key(x, &name);

	snprintf(text, sizeof(text), "%d %.*s", result, (int)name.size, name.data);
	return zg_reply_text(x, 200, text);
}

static void comparison_looks_at_all_bytes(void **state)
{
	(void)state;
	assert_true(zg_equal_constant_time(ZG_SLICE("secret"), ZG_SLICE("secret")));
	assert_true(zg_equal_constant_time(ZG_SLICE(""), (struct zg_slice){NULL, 0}));
	assert_false(zg_equal_constant_time(ZG_SLICE("secret"), ZG_SLICE("Secret")));
	assert_false(zg_equal_constant_time(ZG_SLICE("secret"), ZG_SLICE("secreT")));
	assert_false(zg_equal_constant_time(ZG_SLICE("secret"), ZG_SLICE("secre")));
	assert_false(zg_equal_constant_time(ZG_SLICE("secret"), ZG_SLICE("secret ")));
}

static void keys_are_kept_as_digests(void **state)
{
	(void)state;
	assert_int_equal(keys.count, 3);
	assert_null(memmem(&keys, sizeof(keys), "correct-horse", strlen("correct-horse")));
	assert_null(memmem(&keys, sizeof(keys), "sixteen", strlen("sixteen")));
	assert_non_null(memmem(&keys, sizeof(keys), "import", strlen("import")));
}

static void a_known_key_lets_in_in_either_field(void **state)
{
	(void)state;
	assert_contains(ask(serve_guarded, "Host: a\r\nX-API-Key: sixteen-letters-\r\n"), "let in");
	assert_contains(ask(serve_guarded,
			    "Host: a\r\nAuthorization: Bearer correct-horse-battery-staple\r\n"),
			"let in");
	assert_contains(
		ask(serve_guarded, "Host: a\r\nauthorization: bearer   sixteen-letters-\r\n"),
		"let in");
	assert_int_equal(fixture.web.counters.api_keys_refused, 0);
}

static void a_key_given_as_a_digest_is_as_good(void **state)
{
	(void)state;
	/* printf %s another-long-key | sha256sum */
	assert_int_equal(
		parse("refunds "
		      "sha256:d43cc0498dd9bafad922d385c86fadb3ca2e00ba50b02b99090ba459552d7215\n"),
		0);
	assert_contains(ask(serve_guarded, "Host: a\r\nX-API-Key: another-long-key\r\n"), "let in");
	/* The digest itself is no key. */
	assert_contains(ask(serve_guarded,
			    "Host: a\r\nX-API-Key: "
			    "d43cc0498dd9bafad922d385c86fadb3ca2e00ba50b02b99090ba459552d7215\r\n"),
			"HTTP/1.1 401 ");
}

static void a_key_has_the_name_of_its_line(void **state)
{
	(void)state;
	assert_contains(ask(serve_name, "Host: a\r\nX-API-Key: sixteen-letters-\r\n"), "0 last");
	assert_contains(ask(serve_name, "Host: a\r\n"), "-2 untouched");
	assert_contains(ask(serve_name, "Host: a\r\nX-API-Key: \r\n"), "-2 untouched");
	assert_contains(ask(serve_name, "Host: a\r\nX-API-Key: wrong\r\n"), "-13 untouched");
}

static void without_a_key_that_is_known_nobody_is_let_in(void **state)
{
	const char *output = ask(serve_guarded, "Host: a\r\n");

	(void)state;
	assert_contains(output, "HTTP/1.1 401 Unauthorized\r\n");
	assert_contains(output, "WWW-Authenticate: Bearer\r\n");
	output = ask(serve_guarded, "Host: a\r\nAuthorization: Bearer correct-horse\r\n");
	assert_contains(output, "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n");
	assert_contains(ask(serve_guarded, "Host: a\r\nAuthorization: Basic sixteen-letters-\r\n"),
			"HTTP/1.1 401 ");
	assert_contains(ask(serve_guarded, "Host: a\r\nAuthorization: Bearer \r\n"),
			"HTTP/1.1 401 ");
	assert_int_equal(fixture.web.counters.api_keys_refused, 4);
	assert_int_equal(fixture.web.counters.handler_errors, 0);
}

static void without_a_file_of_keys_the_answer_says_so(void **state)
{
	const char *output;

	(void)state;
	fixture.web.api_keys = NULL;
	output = ask(serve_guarded, "Host: a\r\nX-API-Key: sixteen-letters-\r\n");
	assert_contains(output, "HTTP/1.1 403 ");
	assert_contains(output, "--api-keys-file");
}

static void who_sits_at_the_machine_needs_no_key(void **state)
{
	static const char *const hosts[] = {"127.0.0.1:60000", "127.0.0.1",	  "127.1.2.3:1",
					    "localhost",       "LocalHost:60000", "[::1]:60000"};
	char fields[128];

	(void)state;
	fixture.web.reach = ZGI_REACH_LOOPBACK;
	for (size_t index = 0; index < sizeof(hosts) / sizeof(hosts[0]); index++) {
		snprintf(fields, sizeof(fields), "Host: %s\r\n", hosts[index]);
		assert_contains(ask(serve_unless_local, fields), "let in");
	}
	fixture.web.reach = ZGI_REACH_UNIX;
	assert_contains(ask(serve_unless_local, "Host: a\r\n"), "let in");
}

static void what_may_come_from_elsewhere_needs_one(void **state)
{
	static const char *const fields[] = {
		"Host: shop.example\r\n",
		"Host: 127.0.0.1.example\r\n",
		"Host: localhost.example\r\n",
		"Host: 127.0.0.1\r\nX-Forwarded-For: 192.0.2.1\r\n",
		"Host: 127.0.0.1\r\nForwarded: for=192.0.2.1\r\n",
		"Host: 127.0.0.1\r\nX-Real-IP: 192.0.2.1\r\n",
		"Host: 127.0.0.1\r\nVia: 1.1 proxy\r\n",
	};

	(void)state;
	fixture.web.reach = ZGI_REACH_LOOPBACK;
	for (size_t index = 0; index < sizeof(fields) / sizeof(fields[0]); index++)
		assert_contains(ask(serve_unless_local, fields[index]), "HTTP/1.1 401 ");
	fixture.web.reach = ZGI_REACH_ALL;
	assert_contains(ask(serve_unless_local, "Host: 127.0.0.1\r\n"), "HTTP/1.1 401 ");
	assert_contains(
		ask(serve_unless_local, "Host: 127.0.0.1\r\nX-API-Key: sixteen-letters-\r\n"),
		"let in");
}

static void assert_file_refused(const char *text, const char *part)
{
	assert_int_equal(parse(text), -EINVAL);
	assert_contains(error, "keys.txt");
	assert_contains(error, part);
}

static void a_mistake_in_the_file_is_told_with_its_line_and_shows_no_key(void **state)
{
	(void)state;
	assert_file_refused("", "there is no key in it");
	assert_file_refused("# nothing\n\n", "there is no key in it");
	assert_file_refused("a sixteen-letters!!\nb\n", "keys.txt:2: ");
	assert_file_refused("a one two\n", "not of the form NAME KEY");
	assert_file_refused("\n\na short-key\n", "keys.txt:3: ");
	assert_file_refused("a short-key\n", "16 to 256");
	assert_null(strstr(error, "short-key"));
	assert_file_refused("a sha256:12\n", "64 hexadecimal digits");
	assert_file_refused("a sixteen-letters!!\na another-sixteen!\n", "keys.txt:2: ");
	assert_file_refused("a23456789012345678901234567890123 sixteen-letters-\n", "1 to 31");
	assert_file_refused("a sixteen-letters-\xc3\xa9\n", "visible");
}

static void keys_are_as_many_as_the_limit_and_no_more(void **state)
{
	char text[ZG_API_KEYS_MAX * 40 + 80];
	size_t size = 0;

	(void)state;
	for (int index = 0; index < ZG_API_KEYS_MAX; index++)
		size += (size_t)snprintf(text + size, sizeof(text) - size,
					 "key-%d sixteen-letters-%d\n", index, index);
	assert_int_equal(parse(text), 0);
	assert_int_equal(keys.count, ZG_API_KEYS_MAX);
	assert_contains(ask(serve_name, "Host: a\r\nX-API-Key: sixteen-letters-63\r\n"),
			"0 key-63");
	(void)snprintf(text + size, sizeof(text) - size, "more sixteen-letters-64\n");
	assert_file_refused(text, "one key too many");
}

static struct zg_security_fields said;

static int serve_careful(struct zg_exchange *x)
{
	int result = zg_reply_security_fields(x, NULL);

	return result < 0 ? result : zg_reply_text(x, 200, "page");
}

static int serve_said(struct zg_exchange *x)
{
	int result = zg_reply_security_fields(x, &said);

	if (result == -EINVAL)
		return zg_reply_text(x, 400, "refused");
	return result < 0 ? result : zg_reply_text(x, 200, "page");
}

static void a_page_is_careful_unless_told_otherwise(void **state)
{
	const char *output = ask(serve_careful, "Host: a\r\n");

	(void)state;
	assert_contains(output, "Content-Security-Policy: default-src 'self'; ");
	assert_contains(output, "frame-ancestors 'none'\r\n");
	assert_contains(output, "X-Content-Type-Options: nosniff\r\n");
	assert_contains(output, "X-Frame-Options: DENY\r\n");
	assert_contains(output, "Referrer-Policy: same-origin\r\n");
	assert_contains(output, "Cross-Origin-Opener-Policy: same-origin\r\n");
	assert_null(strstr(output, "Strict-Transport-Security"));
}

static void each_field_can_be_said_otherwise(void **state)
{
	const char *output;

	(void)state;
	said = (struct zg_security_fields){.is_framed = true, .hsts_s = 31536000};
	output = ask(serve_said, "Host: a\r\n");
	assert_contains(output, "frame-ancestors 'self'\r\n");
	assert_contains(output, "X-Frame-Options: SAMEORIGIN\r\n");
	assert_contains(output, "Strict-Transport-Security: max-age=31536000\r\n");
	said = (struct zg_security_fields){.content_security_policy = ZG_SLICE("default-src *"),
					   .referrer_policy = ZG_SLICE("no-referrer")};
	output = ask(serve_said, "Host: a\r\n");
	assert_contains(output, "Content-Security-Policy: default-src *\r\n");
	assert_contains(output, "Referrer-Policy: no-referrer\r\n");
	said.referrer_policy = ZG_SLICE("no\r\nX: y");
	assert_contains(ask(serve_said, "Host: a\r\n"), "HTTP/1.1 400 ");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(comparison_looks_at_all_bytes),
		test(keys_are_kept_as_digests),
		test(a_known_key_lets_in_in_either_field),
		test(a_key_given_as_a_digest_is_as_good),
		test(a_key_has_the_name_of_its_line),
		test(without_a_key_that_is_known_nobody_is_let_in),
		test(without_a_file_of_keys_the_answer_says_so),
		test(who_sits_at_the_machine_needs_no_key),
		test(what_may_come_from_elsewhere_needs_one),
		test(a_mistake_in_the_file_is_told_with_its_line_and_shows_no_key),
		test(keys_are_as_many_as_the_limit_and_no_more),
		test(a_page_is_careful_unless_told_otherwise),
		test(each_field_can_be_said_otherwise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
