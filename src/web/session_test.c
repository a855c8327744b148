/*
 * Sessions as a handler has them: begun by a cookie, found by it, given another id,
 * ended; and forms that only their own pages may send.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <zerog/region.h>

#include "web/exchange_fixture.h"
#include "web/session.h"

#define SESSION_COUNT 3

struct visit {
	uint64_t count;
};

static struct exchange_fixture fixture;
static struct zg_region region;
static struct zgi_sessions sessions;
static struct zg_options options;

/* What the handler of the running test does. */
static zg_handler *handle;

static int serve(struct zg_exchange *x)
{
	return handle(x);
}

static const struct exchange_fixture_route routes[] = {
	{ZG_METHOD_GET, "/", serve},
	{ZG_METHOD_POST, "/", serve},
	{ZG_METHOD_COUNT, NULL, NULL},
};

static void open_sessions(bool is_secure)
{
	struct zgi_session_table_options table;
	void *memory;
	size_t size;

	zg_options_init(&options);
	options.sessions = SESSION_COUNT;
	options.session = (struct zg_session_options){sizeof(struct visit), "visit", is_secure};
	table = zgi_sessions_table_options(&options);
	size = zgi_session_table_memory_size(&table);
	assert_int_equal(zg_region_init(&region, &(struct zg_region_options){.size = size}), 0);
	assert_int_equal(zg_region_carve(&region, size, ZG_LINE_SIZE, &memory), 0);
	zgi_sessions_init(&sessions, &options, memory);
	fixture.web.sessions = &sessions;
}

static void close_sessions(void)
{
	zgi_sessions_fini(&sessions);
	zg_region_fini(&region);
}

static int setup(void **state)
{
	(void)state;
	exchange_fixture_open(&fixture, routes);
	open_sessions(false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close_sessions();
	exchange_fixture_close(&fixture);
	return 0;
}

/* What is sent in answer to a request with these lines of fields. */
static const char *ask(zg_handler *handler, const char *fields)
{
	char text[1024];

	handle = handler;
	exchange_fixture_forget(&fixture);
	snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
	(void)exchange_fixture_feed(&fixture, text, strlen(text), SIZE_MAX);
	return exchange_fixture_output(&fixture);
}

static const char *post(zg_handler *handler, const char *fields, const char *body)
{
	char text[1024];

	handle = handler;
	exchange_fixture_forget(&fixture);
	snprintf(text, sizeof(text),
		 "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n%s\r\n%s", strlen(body),
		 fields, body);
	(void)exchange_fixture_feed(&fixture, text, strlen(text), SIZE_MAX);
	return exchange_fixture_output(&fixture);
}

/* The Cookie field that a browser would send after this output; empty after one without. */
static const char *cookie_of(const char *output)
{
	static char field[2][256];
	static int turn;
	const char *start = strstr(output, "Set-Cookie: ");

	turn = 1 - turn;
	field[turn][0] = '\0';
	if (start != NULL) {
		start += strlen("Set-Cookie: ");
		snprintf(field[turn], sizeof(field[turn]), "Cookie: %.*s\r\n",
			 (int)strcspn(start, ";"), start);
	}
	return field[turn];
}

static void assert_contains(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static int count_up(void *value, void *user)
{
	struct visit *visit = value;

	(void)user;
	assert_int_equal((uintptr_t)value % 16, 0);
	visit->count++;
	return 0;
}

static int reply_count(struct zg_exchange *x, const char *word)
{
	struct visit visit;
	char text[64];

	if (zg_session_read(x, &visit) < 0)
		return zg_reply_text(x, 200, "none");
	snprintf(text, sizeof(text), "%s %u", word, (unsigned int)visit.count);
	return zg_reply_text(x, 200, text);
}

/* Counts the requests of a session. */
static int serve_count(struct zg_exchange *x)
{
	int started = zg_session_start(x);

	if (started < 0)
		return started;
	assert_int_equal(zg_session_update(x, count_up, NULL), 0);
	return reply_count(x, started == 1 ? "new" : "old");
}

static int serve_read(struct zg_exchange *x)
{
	return reply_count(x, "read");
}

static int serve_rotate(struct zg_exchange *x)
{
	int result = zg_session_rotate(x);

	if (result == -ENOENT)
		return zg_reply_text(x, 200, "nothing to rotate");
	if (result < 0)
		return result;
	return reply_count(x, "rotated");
}

static int serve_end(struct zg_exchange *x)
{
	struct visit visit;

	assert_int_equal(zg_session_end(x), 0);
	assert_int_equal(zg_session_read(x, &visit), -ENOENT);
	return zg_reply_text(x, 200, "ended");
}

static int serve_token(struct zg_exchange *x)
{
	char token[ZG_CSRF_TOKEN_SIZE + 1];

	if (zg_session_csrf_token(x, token) < 0)
		return zg_reply_text(x, 200, "none");
	return zg_reply_text(x, 200, token);
}

static int serve_form(struct zg_exchange *x)
{
	int result = zg_require_csrf_token(x);

	if (result != 0)
		return result;
	return zg_reply_text(x, 200, "accepted");
}

static void a_session_begins_with_a_careful_cookie(void **state)
{
	const char *output = ask(serve_count, "");

	(void)state;
	assert_contains(output, "new 1");
	assert_contains(output, "Set-Cookie: visit=");
	assert_contains(output, "; Path=/; HttpOnly; SameSite=Lax\r\n");
	assert_null(strstr(output, "Secure"));
	assert_int_equal(strlen(cookie_of(output)),
			 strlen("Cookie: visit=\r\n") + ZGI_SESSION_TEXT_SIZE);
}

static void behind_tls_its_cookie_is_the_hosts_own(void **state)
{
	const char *output;

	(void)state;
	close_sessions();
	open_sessions(true);
	output = ask(serve_count, "");
	assert_contains(output, "Set-Cookie: __Host-visit=");
	assert_contains(output, "; Path=/; Secure; HttpOnly; SameSite=Lax\r\n");
	assert_contains(ask(serve_count, cookie_of(output)), "old 2");
}

static void a_session_is_found_again_and_its_cookie_not_repeated(void **state)
{
	const char *cookie = cookie_of(ask(serve_count, ""));
	const char *output = ask(serve_count, cookie);

	(void)state;
	assert_contains(output, "old 2");
	assert_null(strstr(output, "Set-Cookie"));
	assert_contains(ask(serve_read, cookie), "read 2");
}

static void the_next_request_of_a_connection_has_a_session_of_its_own(void **state)
{
	const char *cookie = cookie_of(ask(serve_count, ""));

	(void)state;
	assert_contains(ask(serve_read, cookie), "read 1");
	assert_contains(ask(serve_read, ""), "none");
}

/* Whoever sends an id of his own making gets another. */
static void an_id_that_a_browser_made_up_is_not_taken_over(void **state)
{
	static const char made_up[] = "Cookie: visit=000123456789abcdef0123456789abcdef\r\n";
	const char *output = ask(serve_count, made_up);

	(void)state;
	assert_contains(output, "new 1");
	assert_null(strstr(output, "0123456789abcdef0123456789abcdef"));
	assert_contains(ask(serve_read, made_up), "none");
}

static void cookies_that_are_no_tokens_are_passed_over(void **state)
{
	static const char *const values[] = {"",
					     "0",
					     "zz",
					     "00112233445566778899aabbccddeeff0",
					     "00112233445566778899aabbccddeeff001122",
					     "00112233445566778899AABBCCDDEEFF00"};
	char field[128];

	(void)state;
	for (size_t index = 0; index < sizeof(values) / sizeof(values[0]); index++) {
		snprintf(field, sizeof(field), "Cookie: visit=%s\r\n", values[index]);
		assert_contains(ask(serve_read, field), "none");
	}
}

/* A neighbouring host can put a cookie of the same name before ours. */
static void a_foreign_cookie_of_the_name_does_not_hide_the_session(void **state)
{
	const char *cookie = cookie_of(ask(serve_count, ""));
	char fields[512];

	(void)state;
	snprintf(fields, sizeof(fields),
		 "Cookie: visit=tossed; visit=00112233445566778899aabbccddeeff00\r\n%s", cookie);
	assert_contains(ask(serve_read, fields), "read 1");
}

static void a_rotated_session_has_another_id_and_its_value(void **state)
{
	const char *before = cookie_of(ask(serve_count, ""));
	const char *output = ask(serve_rotate, before);
	const char *after = cookie_of(output);

	(void)state;
	/* Found still in the request that rotated it. */
	assert_contains(output, "rotated 1");
	assert_string_not_equal(before, after);
	assert_contains(ask(serve_read, before), "none");
	assert_contains(ask(serve_read, after), "read 1");
	assert_contains(ask(serve_rotate, ""), "nothing to rotate");
}

static void an_ended_session_is_forgotten_on_both_sides(void **state)
{
	const char *cookie = cookie_of(ask(serve_count, ""));
	const char *output = ask(serve_end, cookie);

	(void)state;
	assert_contains(output, "Set-Cookie: visit=; Path=/; Max-Age=0; HttpOnly");
	assert_contains(ask(serve_read, cookie), "none");
	assert_null(strstr(ask(serve_end, cookie), "Set-Cookie"));
}

static int never_called(void *value, void *user)
{
	(void)value;
	(void)user;
	fail_msg("there is no session to change");
	return 0;
}

static int serve_update_of_none(struct zg_exchange *x)
{
	assert_int_equal(zg_session_update(x, never_called, NULL), -ENOENT);
	return zg_reply_text(x, 200, "none");
}

static int say_twelve(void *value, void *user)
{
	(void)value;
	return *(const int *)user;
}

static int serve_update(struct zg_exchange *x)
{
	int number = 12;
	int missing = -ENOENT;

	assert_true(zg_session_start(x) >= 0);
	assert_int_equal(zg_session_update(x, say_twelve, &number), 12);
	/* What a change returns is its own, even if it looks like ours. */
	assert_int_equal(zg_session_update(x, say_twelve, &missing), -ENOENT);
	assert_int_equal(zg_session_update(x, say_twelve, &number), 12);
	return zg_reply_text(x, 200, "updated");
}

static void a_change_is_called_with_a_session_only_and_its_answer_handed_on(void **state)
{
	(void)state;
	assert_contains(ask(serve_update_of_none, ""), "none");
	assert_contains(ask(serve_update, ""), "updated");
	assert_contains(ask(serve_update, cookie_of(exchange_fixture_output(&fixture))), "updated");
}

static void when_all_places_are_in_use_the_answer_is_503(void **state)
{
	const char *output;

	(void)state;
	for (int index = 0; index < SESSION_COUNT; index++)
		assert_contains(ask(serve_count, ""), "new 1");
	output = ask(serve_count, "");
	assert_contains(output, "HTTP/1.1 503 ");
	assert_contains(output, "Retry-After: ");
	assert_null(strstr(output, "Set-Cookie"));
}

static int serve_start_late(struct zg_exchange *x)
{
	int result = zg_reply_text(x, 200, "late");

	assert_int_equal(zg_session_start(x), -EALREADY);
	assert_int_equal(zg_session_rotate(x), -EALREADY);
	return result;
}

static void a_session_begins_before_the_reply(void **state)
{
	struct zgi_session_counters counters;
	uint64_t live_count;

	(void)state;
	assert_contains(ask(serve_start_late, ""), "late");
	zgi_session_table_counts(&sessions.table, &counters, &live_count);
	assert_int_equal(counters.started, 0);
}

static int serve_start_without_memory(struct zg_exchange *x)
{
	void *memory;

	while (zg_arena_alloc(zg_exchange_arena(x), 16, &memory) == 0)
		;
	assert_int_equal(zg_session_start(x), -ENOMEM);
	return -ENOMEM;
}

static void a_session_that_no_browser_was_told_of_is_ended(void **state)
{
	struct zgi_session_counters counters;
	uint64_t live_count;

	(void)state;
	assert_contains(ask(serve_start_without_memory, ""), "HTTP/1.1 503 ");
	zgi_session_table_counts(&sessions.table, &counters, &live_count);
	assert_int_equal(live_count, 0);
}

/* The body of a reply. */
static const char *body_of(const char *output)
{
	const char *end = strstr(output, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

static void a_form_is_taken_with_the_token_of_its_session(void **state)
{
	char cookie[128];
	char token[64];
	char fields[256];
	char body[128];

	(void)state;
	snprintf(cookie, sizeof(cookie), "%s", cookie_of(ask(serve_count, "")));
	snprintf(token, sizeof(token), "%s", body_of(ask(serve_token, cookie)));
	assert_int_equal(strlen(token), ZG_CSRF_TOKEN_SIZE);

	snprintf(fields, sizeof(fields), "%sX-CSRF-Token: %s\r\n", cookie, token);
	assert_contains(post(serve_form, fields, ""), "accepted");
	snprintf(fields, sizeof(fields), "%sContent-Type: application/x-www-form-urlencoded\r\n",
		 cookie);
	snprintf(body, sizeof(body), "amount=1&csrf_token=%s", token);
	assert_contains(post(serve_form, fields, body), "accepted");
	assert_contains(ask(serve_form, cookie), "accepted");
	assert_int_equal(fixture.web.counters.csrf_refused, 0);
}

static void a_form_from_elsewhere_is_refused(void **state)
{
	char cookie[128];
	char token[64];
	char fields[256];

	(void)state;
	snprintf(cookie, sizeof(cookie), "%s", cookie_of(ask(serve_count, "")));
	snprintf(token, sizeof(token), "%s", body_of(ask(serve_token, cookie)));

	assert_contains(post(serve_form, cookie, ""), "HTTP/1.1 403 ");
	snprintf(fields, sizeof(fields), "X-CSRF-Token: %s\r\n", token);
	assert_contains(post(serve_form, fields, ""), "HTTP/1.1 403 ");
	token[0] = token[0] == '0' ? '1' : '0';
	snprintf(fields, sizeof(fields), "%sX-CSRF-Token: %s\r\n", cookie, token);
	assert_contains(post(serve_form, fields, ""), "HTTP/1.1 403 ");
	/* A token of another session is none. */
	snprintf(token, sizeof(token), "%s", body_of(ask(serve_token, cookie)));
	snprintf(fields, sizeof(fields), "%sX-CSRF-Token: %s\r\n", cookie_of(ask(serve_count, "")),
		 token);
	assert_contains(post(serve_form, fields, ""), "HTTP/1.1 403 ");
	assert_int_equal(fixture.web.counters.csrf_refused, 4);
	assert_int_equal(fixture.web.counters.handler_errors, 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_session_begins_with_a_careful_cookie),
		test(behind_tls_its_cookie_is_the_hosts_own),
		test(a_session_is_found_again_and_its_cookie_not_repeated),
		test(the_next_request_of_a_connection_has_a_session_of_its_own),
		test(an_id_that_a_browser_made_up_is_not_taken_over),
		test(cookies_that_are_no_tokens_are_passed_over),
		test(a_foreign_cookie_of_the_name_does_not_hide_the_session),
		test(a_rotated_session_has_another_id_and_its_value),
		test(an_ended_session_is_forgotten_on_both_sides),
		test(a_change_is_called_with_a_session_only_and_its_answer_handed_on),
		test(when_all_places_are_in_use_the_answer_is_503),
		test(a_session_begins_before_the_reply),
		test(a_session_that_no_browser_was_told_of_is_ended),
		test(a_form_is_taken_with_the_token_of_its_session),
		test(a_form_from_elsewhere_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
