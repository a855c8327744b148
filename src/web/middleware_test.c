/*
 * Middleware around handlers, on an exchange without I/O. What runs writes a letter
 * into a trace.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <zerog/stream.h>

#include <zerog/middleware.h>

#include "web/exchange_fixture.h"

static struct exchange_fixture fixture;
static char trace[64];
static int status_seen;
static zg_handle handle_seen;

static void note(const char *letter)
{
	size_t size = strlen(trace);

	assert_true(size + 1 < sizeof(trace));
	trace[size] = letter[0];
	trace[size + 1] = '\0';
}

/* Before: a letter in lower case. */
static int pass(struct zg_exchange *x, void *user)
{
	(void)x;
	note(user);
	return 0;
}

static int stop(struct zg_exchange *x, void *user)
{
	note(user);
	return zg_reply_text(x, 401, "stopped\n");
}

static int refuse(struct zg_exchange *x, void *user)
{
	(void)x;
	note(user);
	return -ENOMEM;
}

static int hold(struct zg_exchange *x, void *user)
{
	note(user);
	handle_seen = zg_exchange_handle(x);
	return ZG_PENDING;
}

/* After: a letter in upper case, and a field that has it. */
static int add(struct zg_exchange *x, int status, void *user)
{
	const char *letter = user;

	note(letter);
	status_seen = status;
	return zg_reply_field(x, ZG_SLICE("X-After"), (struct zg_slice){letter, 1});
}

static int fail_after(struct zg_exchange *x, int status, void *user)
{
	int result = add(x, status, user);

	return result < 0 ? result : -EIO;
}

static int reply_after(struct zg_exchange *x, int status, void *user)
{
	(void)status;
	note(user);
	assert_int_equal(zg_reply_text(x, 200, "again"), -EALREADY);
	return 0;
}

static int add_too_much(struct zg_exchange *x, int status, void *user)
{
	static char large[2000];

	(void)status;
	note(user);
	memset(large, 'l', sizeof(large));
	return zg_reply_field(x, ZG_SLICE("X-Large"), (struct zg_slice){large, sizeof(large)});
}

static int serve(struct zg_exchange *x)
{
	note(".");
	return zg_reply_text(x, 200, "served\n");
}

static int serve_fields(struct zg_exchange *x)
{
	int result = zg_reply_field(x, ZG_SLICE("X-Own"), ZG_SLICE("1"));

	note(".");
	return result < 0 ? result : zg_reply_text(x, 200, "served\n");
}

static int serve_pending(struct zg_exchange *x)
{
	note(".");
	handle_seen = zg_exchange_handle(x);
	return ZG_PENDING;
}

static int serve_failing(struct zg_exchange *x)
{
	int result = serve(x);

	return result < 0 ? result : -EIO;
}

static const struct exchange_fixture_route no_routes[] = {{ZG_METHOD_COUNT, NULL, NULL}};

static int setup(void **state)
{
	(void)state;
	trace[0] = '\0';
	status_seen = 0;
	exchange_fixture_open(&fixture, no_routes);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	exchange_fixture_close(&fixture);
	return 0;
}

static char *letter(const char *text)
{
	/* User data is not const; nobody writes to it. */
	return (char *)(uintptr_t)text;
}

static struct zg_group *app(void)
{
	return zgi_router_root(fixture.router);
}

static enum zgi_exchange_want feed(const char *text)
{
	exchange_fixture_finish(&fixture);
	exchange_fixture_forget(&fixture);
	return exchange_fixture_feed(&fixture, text, strlen(text), SIZE_MAX);
}

static enum zgi_exchange_want get(const char *path)
{
	char request[128];

	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
	return feed(request);
}

static void assert_output(const char *part)
{
	if (strstr(exchange_fixture_output(&fixture), part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, exchange_fixture_output(&fixture));
}

static void assert_no_output(const char *part)
{
	if (strstr(exchange_fixture_output(&fixture), part) != NULL)
		fail_msg("\"%s\" is in \"%s\"", part, exchange_fixture_output(&fixture));
}

static int resume_on(struct zg_exchange *x, void *user)
{
	(void)x;
	note(user);
	return 0;
}

static int resume_reply(struct zg_exchange *x, void *user)
{
	note(user);
	return zg_reply_text(x, 403, "resumed\n");
}

/* Order. */

static void the_app_is_around_groups_and_groups_around_routes(void **state)
{
	struct zg_group *outer = zg_group_within(app(), "/a");
	struct zg_group *inner = zg_group_within(outer, "/b");
	struct zg_endpoint *route = zg_group_get(inner, "/c", serve);

	(void)state;
	/* In whatever order they are registered. */
	zg_endpoint_before(route, pass, letter("d"));
	zg_endpoint_after(route, add, letter("D"));
	zg_group_before(inner, pass, letter("c"));
	zg_group_after(inner, add, letter("C"));
	zg_group_before(outer, pass, letter("b"));
	zg_group_after(outer, add, letter("B"));
	zg_group_before(app(), pass, letter("a"));
	zg_group_after(app(), add, letter("A"));
	assert_int_equal(get("/a/b/c"), ZGI_WANT_IDLE);
	assert_string_equal(trace, "abcd.DCBA");
	assert_output("X-After: D\r\nX-After: C\r\nX-After: B\r\nX-After: A\r\n");
	assert_int_equal(status_seen, 200);
}

static void of_one_scope_the_first_registered_is_outermost(void **state)
{
	(void)state;
	zg_group_before(app(), pass, letter("a"));
	zg_group_before(app(), pass, letter("b"));
	zg_group_after(app(), add, letter("A"));
	zg_group_after(app(), add, letter("B"));
	zg_group_get(app(), "/", serve);
	get("/");
	assert_string_equal(trace, "ab.BA");
}

static void others_are_left_alone(void **state)
{
	struct zg_group *group = zg_group_within(app(), "/a");
	struct zg_endpoint *route = zg_group_get(group, "/own", serve);

	(void)state;
	zg_group_get(group, "/x", serve);
	zg_group_get(app(), "/a/y", serve);
	zg_group_before(group, pass, letter("a"));
	zg_endpoint_before(route, pass, letter("b"));
	get("/a/x");
	get("/a/y");
	get("/a/own");
	assert_string_equal(trace, "a..ab.");
}

/* Before. */

static void a_reply_ends_the_chain(void **state)
{
	(void)state;
	zg_group_before(app(), pass, letter("a"));
	zg_group_before(app(), stop, letter("b"));
	zg_group_before(app(), pass, letter("c"));
	zg_group_after(app(), add, letter("A"));
	zg_group_get(app(), "/", serve);
	assert_int_equal(get("/"), ZGI_WANT_IDLE);
	assert_string_equal(trace, "abA");
	assert_output("HTTP/1.1 401 ");
	assert_output("X-After: A\r\n");
}

static void a_failure_is_answered_as_a_handlers(void **state)
{
	(void)state;
	zg_group_before(app(), refuse, letter("a"));
	zg_group_after(app(), add, letter("A"));
	zg_group_get(app(), "/", serve);
	get("/");
	assert_string_equal(trace, "aA");
	assert_int_equal(status_seen, 503);
	assert_output("HTTP/1.1 503 ");
	assert_output("Retry-After: 1\r\n");
	assert_int_equal(fixture.web.counters.handler_errors, 1);
}

static void the_chain_goes_on_when_it_is_resumed(void **state)
{
	(void)state;
	zg_group_before(app(), hold, letter("a"));
	zg_group_before(app(), pass, letter("b"));
	zg_group_get(app(), "/", serve);
	assert_int_equal(get("/"), ZGI_WANT_PENDING);
	assert_string_equal(trace, "a");
	assert_memory_equal(&handle_seen, &fixture.x->handle, sizeof(handle_seen));
	assert_int_equal(zgi_exchange_resume(fixture.x, resume_on, letter("r")), 0);
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_IDLE);
	assert_string_equal(trace, "arb.");
	assert_output("served");
}

static void who_is_resumed_may_end_the_chain(void **state)
{
	(void)state;
	zg_group_before(app(), hold, letter("a"));
	zg_group_before(app(), pass, letter("b"));
	zg_group_get(app(), "/", serve);
	get("/");
	assert_int_equal(zgi_exchange_resume(fixture.x, resume_reply, letter("r")), 0);
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_IDLE);
	assert_string_equal(trace, "ar");
	assert_output("HTTP/1.1 403 ");
}

static void the_chain_may_wait_at_every_step(void **state)
{
	(void)state;
	zg_group_before(app(), hold, letter("a"));
	zg_group_before(app(), hold, letter("b"));
	zg_group_get(app(), "/", serve_pending);
	get("/");
	assert_int_equal(zgi_exchange_resume(fixture.x, resume_on, letter("1")), 0);
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_PENDING);
	assert_int_equal(zgi_exchange_resume(fixture.x, resume_on, letter("2")), 0);
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_PENDING);
	assert_string_equal(trace, "a1b2.");
	/* The handler itself has to reply. */
	assert_int_equal(zgi_exchange_resume(fixture.x, resume_on, letter("3")), 0);
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_IDLE);
	assert_string_equal(trace, "a1b2.3");
	assert_output("HTTP/1.1 500 ");
}

static int take_piece(struct zg_exchange *x, const struct zg_piece *piece, void *user)
{
	(void)user;
	note("p");
	return piece->is_last ? zg_reply_text(x, 200, "taken\n") : 0;
}

static int serve_upload(struct zg_exchange *x)
{
	note(".");
	return zg_body_read(x, take_piece, NULL);
}

#define UPLOAD "POST /in/up HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"

static void a_streamed_route_has_its_groups_chains_before_its_body(void **state)
{
	struct zg_group *group = zg_group_within(app(), "/in");

	(void)state;
	fixture.web.stream_size_max = UINT64_MAX;
	zg_group_before(group, hold, letter("a"));
	zg_group_after(group, add, letter("A"));
	zg_group_route_streamed(group, ZG_METHOD_POST, "/up", serve_upload, 4);
	assert_int_equal(feed(UPLOAD), ZGI_WANT_PENDING);
	assert_string_equal(trace, "a");
	assert_int_equal(zgi_exchange_resume(fixture.x, resume_on, letter("r")), 0);
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_RECV);
	assert_string_equal(trace, "ar.");
	assert_int_equal(feed("body"), ZGI_WANT_IDLE);
	assert_string_equal(trace, "ar.pA");
	assert_output("X-After: A\r\n");
}

static void who_replies_before_a_streamed_route_leaves_its_body_unread(void **state)
{
	struct zg_group *group = zg_group_within(app(), "/in");

	(void)state;
	fixture.web.stream_size_max = UINT64_MAX;
	zg_group_before(group, stop, letter("s"));
	zg_group_route_streamed(group, ZG_METHOD_POST, "/up", serve_upload, 4);
	assert_int_equal(feed(UPLOAD), ZGI_WANT_LINGER);
	assert_string_equal(trace, "s");
	assert_output("HTTP/1.1 401 ");
}

/* What no route takes. */

static void the_apps_run_for_what_no_route_takes(void **state)
{
	struct zg_group *group = zg_group_within(app(), "/a");

	(void)state;
	zg_group_before(app(), pass, letter("a"));
	zg_group_after(app(), add, letter("A"));
	zg_group_before(group, pass, letter("b"));
	zg_group_after(group, add, letter("B"));
	zg_group_post(group, "/x", serve);
	get("/a/y");
	assert_output("HTTP/1.1 404 ");
	assert_output("X-After: A\r\n");
	get("/a/x");
	assert_output("HTTP/1.1 405 ");
	assert_output("Allow: POST\r\n");
	assert_output("X-After: A\r\n");
	assert_int_equal(status_seen, 405);
	assert_string_equal(trace, "aAaA");
}

static void what_cannot_be_understood_is_answered_with_the_apps_fields(void **state)
{
	(void)state;
	zg_group_before(app(), pass, letter("a"));
	zg_group_after(app(), add, letter("A"));
	assert_int_equal(feed("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), ZGI_WANT_LINGER);
	assert_output("HTTP/1.1 400 ");
	assert_output("X-After: A\r\n");
	assert_string_equal(trace, "A");
}

static void a_request_that_cannot_be_understood_is_an_empty_one(void **state)
{
	(void)state;
	zg_group_get(app(), "/{name}", serve);
	get("/one");
	feed("GET /two HTTP/1.1\r\nHost: a\r\nX: y\r\nbad\r\n\r\n");
	assert_output("HTTP/1.1 400 ");
	assert_int_equal(zg_request_path(fixture.x).size, 0);
	assert_int_equal(zg_request_field_count(fixture.x), 0);
	assert_int_equal(zg_request_parameter(fixture.x, ZG_SLICE("name"), &(struct zg_slice){0}),
			 -ENOENT);
}

static void too_large_a_body_has_the_fields_of_its_route(void **state)
{
	struct zg_group *group = zg_group_within(app(), "/a");

	(void)state;
	zg_group_before(group, pass, letter("b"));
	zg_group_after(group, add, letter("B"));
	zg_group_post(group, "/x", serve);
	feed("POST /a/x HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n");
	assert_output("HTTP/1.1 413 ");
	assert_output("X-After: B\r\n");
	assert_string_equal(trace, "B");
}

static void a_time_out_has_them_too(void **state)
{
	(void)state;
	zg_endpoint_after(zg_group_get(app(), "/", serve_pending), add, letter("A"));
	get("/");
	zgi_exchange_fail(fixture.x, 503, "late\n");
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_LINGER);
	assert_output("HTTP/1.1 503 ");
	assert_output("X-After: A\r\n");
	assert_output("Retry-After: 1\r\n");
}

/* After. */

static void a_pending_handlers_reply_has_its_fields(void **state)
{
	(void)state;
	zg_group_after(app(), add, letter("A"));
	zg_group_get(app(), "/", serve_pending);
	get("/");
	assert_string_equal(trace, ".");
	assert_int_equal(zgi_exchange_resume(fixture.x, resume_reply, letter("r")), 0);
	exchange_fixture_run(&fixture);
	assert_string_equal(trace, ".rA");
	assert_output("X-After: A\r\n");
}

static void the_handlers_fields_come_first(void **state)
{
	(void)state;
	zg_group_after(app(), add, letter("A"));
	zg_group_get(app(), "/", serve_fields);
	get("/");
	assert_output("X-Own: 1\r\nX-After: A\r\n");
}

static void a_reply_that_is_thrown_away_takes_its_fields_with_it(void **state)
{
	(void)state;
	zg_group_after(app(), add, letter("A"));
	zg_group_get(app(), "/", serve_failing);
	get("/");
	assert_string_equal(trace, ".AA");
	assert_int_equal(status_seen, 500);
	assert_output("HTTP/1.1 500 ");
	assert_no_output("X-After: A\r\nX-After: A\r\n");
	assert_output("X-After: A\r\n");
}

static void who_fails_after_makes_the_reply_fail(void **state)
{
	(void)state;
	zg_group_after(app(), fail_after, letter("A"));
	zg_group_get(app(), "/", serve_fields);
	assert_int_equal(get("/"), ZGI_WANT_IDLE);
	/* The handler's reply, then the server's, which goes out without the fields. */
	assert_string_equal(trace, ".AA");
	assert_output("HTTP/1.1 500 ");
	assert_no_output("X-After");
	assert_no_output("X-Own");
}

static int fail_once_after(struct zg_exchange *x, int status, void *user)
{
	return strchr(trace, 'A') == NULL ? fail_after(x, status, user) : add(x, status, user);
}

static int add_too_much_once(struct zg_exchange *x, int status, void *user)
{
	return strchr(trace, 'A') == NULL ? add_too_much(x, status, user) : add(x, status, user);
}

static int first_result;

static int serve_stubbornly(struct zg_exchange *x)
{
	first_result = zg_reply_text(x, 200, "first\n");
	return zg_reply_text(x, 202, "second\n");
}

static void a_handler_may_reply_again_after_that(void **state)
{
	(void)state;
	zg_group_after(app(), fail_once_after, letter("A"));
	zg_group_get(app(), "/", serve_stubbornly);
	get("/");
	assert_int_equal(first_result, -EIO);
	assert_string_equal(trace, "AA");
	assert_output("HTTP/1.1 202 ");
	assert_output("X-After: A\r\n");
	assert_no_output("X-After: A\r\nX-After: A\r\n");
}

static void a_handler_may_reply_again_with_less(void **state)
{
	(void)state;
	zg_group_after(app(), add_too_much_once, letter("A"));
	zg_group_get(app(), "/", serve_stubbornly);
	get("/");
	assert_int_equal(first_result, -ENOSPC);
	assert_output("HTTP/1.1 202 ");
	assert_output("X-After: A\r\n");
	assert_no_output("X-Large");
}

static void fields_for_which_there_is_no_room_are_left_out(void **state)
{
	(void)state;
	zg_group_after(app(), add_too_much, letter("A"));
	zg_group_get(app(), "/", serve);
	assert_int_equal(get("/"), ZGI_WANT_IDLE);
	assert_output("HTTP/1.1 500 ");
	assert_no_output("X-Large");
}

static void nobody_replies_after_the_reply(void **state)
{
	(void)state;
	zg_group_after(app(), reply_after, letter("A"));
	zg_group_get(app(), "/", serve);
	get("/");
	assert_output("HTTP/1.1 200 OK\r\n");
	assert_no_output("again");
	assert_string_equal(trace, ".A");
}

/* Values. */

static int remember(struct zg_exchange *x, void *user)
{
	assert_null(zg_exchange_get(x, 3));
	zg_exchange_set(x, 3, user);
	return 0;
}

static int serve_value(struct zg_exchange *x)
{
	const char *value = zg_exchange_get(x, 3);

	return zg_reply_text(x, 200, value != NULL ? value : "none");
}

static void a_value_lasts_as_long_as_its_request(void **state)
{
	struct zg_endpoint *with = zg_group_get(app(), "/with", serve_value);

	(void)state;
	zg_group_get(app(), "/without", serve_value);
	zg_endpoint_before(with, remember, letter("remembered"));
	feed("GET /with HTTP/1.1\r\nHost: a\r\n\r\nGET /without HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_output("\r\n\r\nremembered");
	assert_output("\r\n\r\nnone");
	get("/with");
	assert_output("\r\n\r\nremembered");
}

/* Limits. */

static void assert_boot_error(const char *sentence)
{
	char buffer[512];
	struct zg_text error;

	zg_text_init(&error, buffer, sizeof(buffer));
	assert_true(zgi_router_finish(fixture.router, &error) < 0);
	assert_string_equal(buffer, sentence);
}

static void a_chain_is_limited(void **state)
{
	struct zg_group *group = zg_group_within(app(), "/a");

	(void)state;
	zg_group_before(app(), pass, letter("a"));
	for (uint32_t count = 1; count < ZG_CHAIN_MAX; count++)
		zg_group_before(group, pass, letter("b"));
	zg_group_get(group, "/x", serve);
	get("/a/x");
	assert_string_equal(trace, "abbbbbbbbbbbbbbb.");
	zg_group_before(group, pass, letter("b"));
	assert_boot_error("a route in the group \"/a\" has more than 16 middleware on one side: "
			  "register fewer, or raise ZG_CHAIN_MAX");
}

static void one_more_than_all_is_told(void **state)
{
	static char patterns[ZG_MIDDLEWARE_MAX + 1][8];

	(void)state;
	for (uint32_t count = 0; count <= ZG_MIDDLEWARE_MAX; count++) {
		snprintf(patterns[count], sizeof(patterns[0]), "/%u", count);
		zg_endpoint_before(zg_group_get(app(), patterns[count], serve), pass, letter("a"));
	}
	assert_boot_error("more than 256 middleware are registered: raise ZG_MIDDLEWARE_MAX");
}

static void the_chains_of_all_routes_are_limited(void **state)
{
	static char patterns[200][8];

	(void)state;
	for (uint32_t count = 0; count < ZG_CHAIN_MAX; count++)
		zg_group_after(app(), add, letter("A"));
	for (uint32_t count = 0; count < 200; count++) {
		snprintf(patterns[count], sizeof(patterns[0]), "/%u", count);
		zg_endpoint_before(zg_group_get(app(), patterns[count], serve), pass, letter("a"));
	}
	assert_boot_error("a route in the group \"\" has middleware of its own, and the chains of "
			  "all routes outgrow 2048 steps: give it to a group");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(the_app_is_around_groups_and_groups_around_routes),
		test(of_one_scope_the_first_registered_is_outermost),
		test(others_are_left_alone),
		test(a_reply_ends_the_chain),
		test(a_failure_is_answered_as_a_handlers),
		test(the_chain_goes_on_when_it_is_resumed),
		test(who_is_resumed_may_end_the_chain),
		test(the_chain_may_wait_at_every_step),
		test(a_streamed_route_has_its_groups_chains_before_its_body),
		test(who_replies_before_a_streamed_route_leaves_its_body_unread),
		test(the_apps_run_for_what_no_route_takes),
		test(what_cannot_be_understood_is_answered_with_the_apps_fields),
		test(a_request_that_cannot_be_understood_is_an_empty_one),
		test(too_large_a_body_has_the_fields_of_its_route),
		test(a_time_out_has_them_too),
		test(a_pending_handlers_reply_has_its_fields),
		test(the_handlers_fields_come_first),
		test(a_reply_that_is_thrown_away_takes_its_fields_with_it),
		test(who_fails_after_makes_the_reply_fail),
		test(a_handler_may_reply_again_after_that),
		test(a_handler_may_reply_again_with_less),
		test(fields_for_which_there_is_no_room_are_left_out),
		test(nobody_replies_after_the_reply),
		test(a_value_lasts_as_long_as_its_request),
		test(a_chain_is_limited),
		test(one_more_than_all_is_told),
		test(the_chains_of_all_routes_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
