/*
 * Streamed replies: made a piece at a time, whole or visibly not.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/exchange_fixture.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static struct exchange_fixture fixture;
static zg_stream_handler *make; /* of the running test */
static int made_count;

static int serve(struct zg_exchange *x)
{
	return zg_reply_stream(x, 200, ZG_SLICE("text/plain"), make, NULL);
}

static const struct exchange_fixture_route routes[] = {
	{ZG_METHOD_GET, "/", serve},
	{ZG_METHOD_COUNT, NULL, NULL},
};

static int setup(void **state)
{
	(void)state;
	exchange_fixture_open(&fixture, routes);
	made_count = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	exchange_fixture_close(&fixture);
	return 0;
}

static const char *output_of(zg_stream_handler *handler, const char *text)
{
	make = handler;
	(void)exchange_fixture_feed(&fixture, text, strlen(text), SIZE_MAX);
	return exchange_fixture_output(&fixture);
}

static const char *body_of(const char *output)
{
	const char *end = strstr(output, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

static int make_three(struct zg_exchange *x, void *user)
{
	(void)user;
	assert_int_equal(zg_stream_write(x, ZG_SLICE("ab")), 2);
	assert_int_equal(zg_stream_write(x, ZG_SLICE("cd")), 2);
	return ++made_count < 3 ? 0 : ZG_STREAM_END;
}

static void each_call_makes_a_chunk(void **state)
{
	const char *output = output_of(make_three, GET);

	(void)state;
	assert_non_null(strstr(output, "Transfer-Encoding: chunked\r\n"));
	assert_null(strstr(output, "Content-Length"));
	assert_string_equal(body_of(output), "000004\r\nabcd\r\n000004\r\nabcd\r\n"
					     "000004\r\nabcd\r\n0\r\n\r\n");
}

static void the_connection_goes_on_after_it(void **state)
{
	(void)state;
	(void)output_of(make_three, GET);
	exchange_fixture_forget(&fixture);
	made_count = 2;
	assert_string_equal(body_of(output_of(make_three, GET)), "000004\r\nabcd\r\n0\r\n\r\n");
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_IDLE);
}

static void to_an_old_client_it_ends_with_the_connection(void **state)
{
	const char *output =
		output_of(make_three, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");

	(void)state;
	assert_null(strstr(output, "chunked"));
	assert_non_null(strstr(output, "Connection: close"));
	assert_string_equal(body_of(output), "abcdabcdabcd");
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_CLOSE);
}

static int make_as_much_as_fits(struct zg_exchange *x, void *user)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	size_t room = zg_stream_room(x);
	size_t size = 0;
	size_t part;

	(void)user;
	while ((part = zg_stream_write(x, (struct zg_slice){letters, 26})) > 0)
		size += part;
	assert_int_equal(size, room);
	return ++made_count < 10 ? 0 : ZG_STREAM_END;
}

/* Take a chunked body apart; how many bytes it had. */
static size_t chunked_size(const char *body)
{
	size_t size = 0;

	for (;;) {
		size_t chunk = strtoul(body, NULL, 16);

		body = strstr(body, "\r\n") + 2;
		if (chunk == 0)
			break;
		body += chunk;
		assert_memory_equal(body, "\r\n", 2);
		body += 2;
		size += chunk;
	}
	assert_string_equal(body, "\r\n");
	return size;
}

static void a_piece_fills_the_buffer_and_no_more(void **state)
{
	(void)state;
	assert_in_range(chunked_size(body_of(output_of(make_as_much_as_fits, GET))),
			9 * (EXCHANGE_FIXTURE_WRITE_SIZE - 15), 10 * EXCHANGE_FIXTURE_WRITE_SIZE);
}

static int make_and_wait(struct zg_exchange *x, void *user)
{
	(void)user;
	assert_int_equal(zg_stream_write(x, ZG_SLICE("one")), 3);
	return ZG_PENDING;
}

static int make_and_end(struct zg_exchange *x, void *user)
{
	(void)user;
	assert_int_equal(zg_stream_write(x, ZG_SLICE("two")), 3);
	return ZG_STREAM_END;
}

static void a_handler_that_waits_is_resumed(void **state)
{
	(void)state;
	assert_string_equal(body_of(output_of(make_and_wait, GET)), "000003\r\none\r\n");
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_PENDING);
	assert_int_equal(zgi_exchange_resume(fixture.x, make_and_end, NULL), 0);
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_IDLE);
	assert_string_equal(body_of(exchange_fixture_output(&fixture)),
			    "000003\r\none\r\n000003\r\ntwo\r\n0\r\n\r\n");
	assert_int_equal(zgi_exchange_resume(fixture.x, make_and_end, NULL), -ESTALE);
}

static int go_on(struct zg_exchange *x, void *user)
{
	(void)x;
	(void)user;
	return 0;
}

static int make_two(struct zg_exchange *x, void *user)
{
	(void)user;
	assert_int_equal(zg_stream_write(x, ZG_SLICE("one")), 3);
	return made_count++ == 0 ? ZG_PENDING : ZG_STREAM_END;
}

static void one_that_is_resumed_without_a_word_is_called_again(void **state)
{
	(void)state;
	(void)output_of(make_two, GET);
	assert_int_equal(zgi_exchange_resume(fixture.x, go_on, NULL), 0);
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_IDLE);
	assert_string_equal(body_of(exchange_fixture_output(&fixture)),
			    "000003\r\none\r\n000003\r\none\r\n0\r\n\r\n");
}

static int make_and_fail(struct zg_exchange *x, void *user)
{
	(void)user;
	assert_int_equal(zg_stream_write(x, ZG_SLICE("half")), 4);
	return -EIO;
}

static void a_failure_leaves_out_the_end(void **state)
{
	(void)state;
	assert_string_equal(body_of(output_of(make_and_fail, GET)), "000004\r\nhalf\r\n");
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_CLOSE);
	assert_int_equal(fixture.web.counters.streams_aborted, 1);
}

static int make_nothing(struct zg_exchange *x, void *user)
{
	(void)x;
	(void)user;
	made_count++;
	return 0;
}

static void who_makes_nothing_and_does_not_wait_is_ended(void **state)
{
	(void)state;
	assert_string_equal(body_of(output_of(make_nothing, GET)), "");
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_CLOSE);
	assert_int_equal(fixture.web.counters.handler_errors, 1);
	assert_in_range(made_count, 1, 2);
}

static void a_late_handler_ends_the_connection(void **state)
{
	(void)state;
	(void)output_of(make_and_wait, GET);
	zgi_exchange_fail(fixture.x, 503, "late");
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_CLOSE);
	assert_null(strstr(exchange_fixture_output(&fixture), "503"));
}

static void head_has_no_body(void **state)
{
	const char *output = output_of(make_nothing, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");

	(void)state;
	assert_string_equal(body_of(output), "");
	assert_int_equal(made_count, 0);
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_IDLE);
}

static int serve_wrong(struct zg_exchange *x, void *user)
{
	(void)user;
	return zg_stream_write(x, ZG_SLICE("x")) == 1 ? ZG_STREAM_END : -EIO;
}

static int serve_statuses(struct zg_exchange *x)
{
	assert_int_equal(zg_reply_stream(x, 204, ZG_SLICE(""), serve_wrong, NULL), -EINVAL);
	assert_int_equal(zg_reply_stream(x, 304, ZG_SLICE(""), serve_wrong, NULL), -EINVAL);
	assert_int_equal(zg_reply_stream(x, 200, ZG_SLICE("a\nb"), serve_wrong, NULL), -EINVAL);
	assert_int_equal(zg_reply_stream(x, 201, ZG_SLICE(""), serve_wrong, NULL), 0);
	assert_int_equal(zg_reply_stream(x, 201, ZG_SLICE(""), serve_wrong, NULL), -EALREADY);
	return 0;
}

static void a_status_without_a_body_cannot_have_one(void **state)
{
	(void)state;
	assert_int_equal(zgi_router_add(fixture.router, ZG_METHOD_GET, "/statuses", serve_statuses),
			 0);
	assert_string_equal(body_of(output_of(NULL, "GET /statuses HTTP/1.1\r\nHost: a\r\n\r\n")),
			    "000001\r\nx\r\n0\r\n\r\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_call_makes_a_chunk),
		TEST(the_connection_goes_on_after_it),
		TEST(to_an_old_client_it_ends_with_the_connection),
		TEST(a_piece_fills_the_buffer_and_no_more),
		TEST(a_handler_that_waits_is_resumed),
		TEST(one_that_is_resumed_without_a_word_is_called_again),
		TEST(a_failure_leaves_out_the_end),
		TEST(who_makes_nothing_and_does_not_wait_is_ended),
		TEST(a_late_handler_ends_the_connection),
		TEST(head_has_no_body),
		TEST(a_status_without_a_body_cannot_have_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
