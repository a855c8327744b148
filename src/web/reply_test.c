/*
 * Replies as a handler makes them: what may stand in one, what it may grow to, and
 * what a failed attempt leaves behind.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "web/exchange_fixture.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static struct exchange_fixture fixture;

/* What the handler of the running test does. */
static zg_handler *handle;

static int serve(struct zg_exchange *x)
{
	return handle(x);
}

static const struct exchange_fixture_route routes[] = {
	{ZG_METHOD_GET, "/", serve},
	{ZG_METHOD_COUNT, NULL, NULL},
};

static int setup(void **state)
{
	(void)state;
	exchange_fixture_open(&fixture, routes);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	exchange_fixture_close(&fixture);
	return 0;
}

static const char *output_of(zg_handler *handler, const char *text)
{
	handle = handler;
	exchange_fixture_forget(&fixture);
	(void)exchange_fixture_feed(&fixture, text, strlen(text), SIZE_MAX);
	return exchange_fixture_output(&fixture);
}

static void assert_contains(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static int field(struct zg_exchange *x, const char *name, const char *value)
{
	return zg_reply_field(x, (struct zg_slice){name, strlen(name)},
			      (struct zg_slice){value, strlen(value)});
}

static int serve_fields(struct zg_exchange *x)
{
	assert_int_equal(field(x, "X-One", "1"), 0);
	assert_int_equal(field(x, "X-Empty", ""), 0);
	assert_int_equal(field(x, "Set-Cookie", "a=b; Path=/"), 0);
	return zg_reply_text(x, 200, "x");
}

static void fields_stand_in_the_head_in_their_order(void **state)
{
	(void)state;
	assert_contains(output_of(serve_fields, GET),
			"X-One: 1\r\nX-Empty: \r\nSet-Cookie: a=b; Path=/\r\n\r\nx");
}

static int serve_unsafe_fields(struct zg_exchange *x)
{
	assert_int_equal(field(x, "X-A", "b\r\nSet-Cookie: c"), -EINVAL);
	assert_int_equal(field(x, "X-A", "b\nc"), -EINVAL);
	assert_int_equal(field(x, "X-A", "b\rc"), -EINVAL);
	assert_int_equal(field(x, "X-A\r\nX-B", "c"), -EINVAL);
	assert_int_equal(field(x, "X A", "b"), -EINVAL);
	assert_int_equal(field(x, "X-A:", "b"), -EINVAL);
	assert_int_equal(field(x, "", "b"), -EINVAL);
	assert_int_equal(zg_reply_field(x, ZG_SLICE("X-A"), ZG_SLICE("b\0c")), -EINVAL);
	assert_int_equal(zg_reply(x, 200, ZG_SLICE("text/plain\r\nX-A: b"), ZG_SLICE("")), -EINVAL);
	assert_int_equal(zg_reply_copy(x, 200, ZG_SLICE("a\nb"), ZG_SLICE("")), -EINVAL);
	return zg_reply_text(x, 200, "x");
}

static void no_line_can_be_smuggled_into_the_head(void **state)
{
	const char *output = output_of(serve_unsafe_fields, GET);

	(void)state;
	assert_contains(output, "HTTP/1.1 200 OK\r\n");
	assert_null(strstr(output, "X-A"));
	assert_null(strstr(output, "Set-Cookie"));
}

static int serve_own_fields(struct zg_exchange *x)
{
	assert_int_equal(field(x, "Content-Length", "1"), -EINVAL);
	assert_int_equal(field(x, "transfer-encoding", "chunked"), -EINVAL);
	assert_int_equal(field(x, "CONNECTION", "close"), -EINVAL);
	assert_int_equal(field(x, "Date", "now"), -EINVAL);
	return zg_reply_empty(x, 200);
}

static void the_servers_own_fields_are_refused(void **state)
{
	(void)state;
	assert_contains(output_of(serve_own_fields, GET), "Content-Length: 0\r\n\r\n");
}

static int serve_statuses(struct zg_exchange *x)
{
	assert_int_equal(zg_reply_empty(x, 100), -EINVAL);
	assert_int_equal(zg_reply_empty(x, 199), -EINVAL);
	assert_int_equal(zg_reply_empty(x, 600), -EINVAL);
	assert_int_equal(zg_reply_empty(x, -1), -EINVAL);
	return zg_reply_empty(x, 599);
}

static void a_status_is_200_to_599(void **state)
{
	(void)state;
	assert_contains(output_of(serve_statuses, GET), "HTTP/1.1 599 Unknown\r\n");
}

static int serve_no_content(struct zg_exchange *x)
{
	return zg_reply(x, 204, (struct zg_slice){NULL, 0}, ZG_SLICE("none"));
}

static int serve_not_modified(struct zg_exchange *x)
{
	return zg_reply(x, 304, (struct zg_slice){NULL, 0}, ZG_SLICE("none"));
}

static void some_statuses_have_neither_length_nor_body(void **state)
{
	(void)state;
	assert_string_equal(output_of(serve_no_content, GET),
			    "HTTP/1.1 204 No Content\r\n" EXCHANGE_FIXTURE_DATE "\r\n");
	assert_string_equal(output_of(serve_not_modified, GET),
			    "HTTP/1.1 304 Not Modified\r\n" EXCHANGE_FIXTURE_DATE "\r\n");
}

static int serve_json(struct zg_exchange *x)
{
	return zg_reply_json(x, 201, ZG_SLICE("{}"));
}

static void json_has_its_type(void **state)
{
	(void)state;
	assert_contains(output_of(serve_json, GET), "Content-Type: application/json\r\n");
}

static int serve_large_fields(struct zg_exchange *x)
{
	char value[400];
	int result;

	memset(value, 'v', sizeof(value));
	result = zg_reply_field(x, ZG_SLICE("X-Large"), (struct zg_slice){value, sizeof(value)});
	assert_int_equal(result, 0);
	result = zg_reply_text(x, 200, "x");
	assert_int_equal(result, -ENOSPC);
	return result;
}

/* A reply must not fail because others wait before it, nor succeed because none does. */
static void a_head_has_half_the_write_buffer_pipelined_or_not(void **state)
{
	const char *output;

	(void)state;
	output = output_of(serve_large_fields, GET);
	assert_contains(output, "HTTP/1.1 500 ");
	output = output_of(serve_large_fields, GET GET GET);
	output = strstr(output + 1, "HTTP/1.1 500 ");
	assert_non_null(output);
	assert_non_null(strstr(output + 1, "HTTP/1.1 500 "));
}

static int serve_too_many_fields(struct zg_exchange *x)
{
	char value[1000];
	int result = 0;
	uint32_t count = 0;

	memset(value, 'v', sizeof(value));
	while (result == 0 && count < 100) {
		result = zg_reply_field(x, ZG_SLICE("X"), (struct zg_slice){value, sizeof(value)});
		count++;
	}
	assert_int_equal(result, -ENOMEM);
	return result;
}

static void fields_that_outgrow_the_arena_are_an_answer(void **state)
{
	(void)state;
	assert_contains(output_of(serve_too_many_fields, GET), "HTTP/1.1 503 ");
	/* Not for want of a hint: everything was given back. */
	assert_contains(output_of(serve_fields, GET), "HTTP/1.1 200 ");
	assert_int_equal(fixture.chunks.free_count, fixture.chunks.block_count);
}

static int serve_copy(struct zg_exchange *x)
{
	char body[3000];
	int result;

	memset(body, 'c', sizeof(body));
	result = zg_reply_copy(x, 200, ZG_SLICE("text/plain"),
			       (struct zg_slice){body, sizeof(body)});
	memset(body, '!', sizeof(body));
	return result;
}

static void a_copied_body_may_go_away(void **state)
{
	const char *body = strstr(output_of(serve_copy, GET), "\r\n\r\n");

	(void)state;
	assert_int_equal(strspn(body + 4, "c"), 3000);
	assert_int_equal(body[3004], '\0');
}

static void a_copy_without_room_is_answered_with_503(void **state)
{
	zg_handle handle_of_chunk;
	const char *output;

	(void)state;
	while (zg_pool_take(&fixture.chunks, &handle_of_chunk, NULL) == 0)
		;
	output = output_of(serve_copy, GET);
	assert_memory_equal(output, "HTTP/1.1 503 ", 13);
	assert_null(strstr(output, "200 OK"));
}

static int serve_after_failure(struct zg_exchange *x)
{
	assert_int_equal(zg_reply_empty(x, 99), -EINVAL);
	assert_int_equal(field(x, "X-A", "b"), 0);
	return zg_reply_text(x, 200, "second attempt");
}

static void a_reply_that_failed_may_be_tried_again(void **state)
{
	const char *output = output_of(serve_after_failure, GET);

	(void)state;
	assert_contains(output, "X-A: b\r\n");
	assert_contains(output, "\r\n\r\nsecond attempt");
}

static int serve_plain(struct zg_exchange *x)
{
	return zg_reply_text(x, 200, "x");
}

static void fields_of_one_reply_are_not_in_the_next(void **state)
{
	(void)state;
	assert_contains(output_of(serve_fields, GET), "X-One");
	assert_null(strstr(output_of(serve_plain, GET), "X-One"));
	assert_null(strstr(output_of(serve_plain, GET), "Set-Cookie"));
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(fields_stand_in_the_head_in_their_order),
		test(no_line_can_be_smuggled_into_the_head),
		test(the_servers_own_fields_are_refused),
		test(a_status_is_200_to_599),
		test(some_statuses_have_neither_length_nor_body),
		test(json_has_its_type),
		test(a_head_has_half_the_write_buffer_pipelined_or_not),
		test(fields_that_outgrow_the_arena_are_an_answer),
		test(a_copied_body_may_go_away),
		test(a_copy_without_room_is_answered_with_503),
		test(a_reply_that_failed_may_be_tried_again),
		test(fields_of_one_reply_are_not_in_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
