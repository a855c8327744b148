/*
 * JSON over an exchange: a body bound, a struct replied, and what a client is told when
 * its body is refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "web/exchange_fixture.h"
#include "web/json/json_fixture.h"

static struct exchange_fixture fixture;

/* What the handler of the running test does. */
static zg_handler *handle;

static int serve(struct zg_exchange *x)
{
	return handle(x);
}

static const struct exchange_fixture_route routes[] = {
	{ZG_METHOD_POST, "/", serve},
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

static const char *output_of(zg_handler *handler, const char *type, const char *body)
{
	char text[8192];
	int size = snprintf(text, sizeof(text),
			    "POST / HTTP/1.1\r\nHost: a\r\n%s%s%sContent-Length: %zu\r\n\r\n%s",
			    type != NULL ? "Content-Type: " : "", type != NULL ? type : "",
			    type != NULL ? "\r\n" : "", strlen(body), body);

	handle = handler;
	exchange_fixture_forget(&fixture);
	(void)exchange_fixture_feed(&fixture, text, (size_t)size, SIZE_MAX);
	return exchange_fixture_output(&fixture);
}

static void assert_contains(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

/* Bind the body, and reply with what it came to. */
static int serve_cart(struct zg_exchange *x)
{
	struct fixture_cart cart = {.small = 0};
	struct zg_json_error error;

	if (fixture_cart_json_request(x, &cart, &error) < 0)
		return zg_reply_json_error(x, &error);
	return fixture_cart_json_reply(x, 201, &cart);
}

static void a_body_is_bound_and_a_struct_replied(void **state)
{
	const char *output = output_of(serve_cart, "application/json",
				       " {\"note\":\"a\\u0042\\n\", \"ids\":[1, 2]} ");

	(void)state;
	assert_contains(output, "HTTP/1.1 201 Created\r\n");
	assert_contains(output, "Content-Type: application/json\r\n");
	assert_contains(output, "Content-Length: 27\r\n");
	assert_contains(output, "\r\n\r\n{\"note\":\"aB\\n\",\"ids\":[1,2]}");
}

static void a_body_must_say_that_it_is_json(void **state)
{
	static const char *const good[] = {"application/json", "Application/JSON; charset=utf-8",
					   "application/json ;a=b", "application/cart+json"};
	static const char *const bad[] = {NULL,
					  "text/plain",
					  "application/x-www-form-urlencoded",
					  "application/jsonp",
					  "+json",
					  "text/plain; a=application/json",
					  ""};

	(void)state;
	for (size_t index = 0; index < sizeof(good) / sizeof(good[0]); index++)
		assert_contains(output_of(serve_cart, good[index], "{}"), " 201 ");
	for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++)
		assert_contains(output_of(serve_cart, bad[index], "{}"), " 415 ");
	assert_contains(output_of(serve_cart, "text/plain", "{}"), "\"code\":\"media-type\"");
}

static void a_body_that_is_no_json_is_answered_with_400(void **state)
{
	const char *output = output_of(serve_cart, "application/json", "{\"small\":01}");

	(void)state;
	assert_contains(output, "HTTP/1.1 400 Bad Request\r\n");
	assert_contains(output, "Content-Type: application/problem+json\r\n");
	assert_contains(output,
			"{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
			"\"detail\":\"at byte 9, a number begins with a zero: send it without\","
			"\"code\":\"number\",\"path\":\"small\",\"offset\":9}");
	assert_contains(output_of(serve_cart, "application/json", ""), "\"code\":\"empty\"");
}

static void a_body_that_is_not_what_was_asked_for_is_answered_with_422(void **state)
{
	const char *output = output_of(serve_cart, "application/json",
				       "{\"lines\":[{\"product\":1,\"quantity\":100}]}");

	(void)state;
	assert_contains(output, "HTTP/1.1 422 ");
	assert_contains(output, "\"status\":422,\"detail\":\"lines[0].quantity must be a whole "
				"number from 1 to 99\",\"code\":\"range\","
				"\"path\":\"lines[0].quantity\",\"offset\":34}");
}

static void a_key_of_the_peers_is_escaped_in_the_answer(void **state)
{
	const char *output =
		output_of(serve_cart, "application/json", "{\"<\\\"\303\244\\u0007>\":1}");

	(void)state;
	assert_contains(output, "\"path\":\"<\\\\\\\"\303\244\\\\u0007>\"");
}

static int serve_problem(struct zg_exchange *x)
{
	assert_int_equal(zg_reply_problem(x, 200, ZG_SLICE("fine")), -EINVAL);
	assert_int_equal(zg_reply_problem(x, 600, ZG_SLICE("fine")), -EINVAL);
	return zg_reply_problem(x, 409, ZG_SLICE("the cart was paid for already"));
}

static void a_problem_has_the_members_of_rfc_9457(void **state)
{
	const char *output = output_of(serve_problem, NULL, "");

	(void)state;
	assert_contains(output, "HTTP/1.1 409 Conflict\r\n");
	assert_contains(output, "\r\n\r\n{\"type\":\"about:blank\",\"title\":\"Conflict\","
				"\"status\":409,\"detail\":\"the cart was paid for already\"}");
}

/* Numbers from 0 on, and fields of the head after the document was begun. */
static uint32_t number_count;
static uint32_t field_count;

static int serve_numbers(struct zg_exchange *x)
{
	struct zg_json_writer writer;

	zg_reply_json_open(x, &writer);
	zg_json_array_begin(&writer);
	for (uint32_t number = 0; number < number_count; number++)
		zg_json_u64(&writer, number);
	zg_json_array_end(&writer);
	for (uint32_t index = 0; index < field_count; index++)
		assert_int_equal(zg_reply_field(x, ZG_SLICE("X-Some-Field"), ZG_SLICE("a value")),
				 0);
	return zg_reply_json_close(x, 200, &writer);
}

static void assert_numbers(const char *output)
{
	const char *at = strstr(output, "\r\n\r\n[");

	assert_non_null(at);
	at += 5;
	for (uint32_t number = 0; number < number_count; number++) {
		char expected[16];
		int size =
			snprintf(expected, sizeof(expected), "%s%u", number > 0 ? "," : "", number);

		assert_memory_equal(at, expected, (size_t)size);
		at += size;
	}
	assert_string_equal(at, "]");
}

/* In the write buffer, past it in the arena, and all sizes between. */
static void a_document_of_any_size_is_replied(void **state)
{
	(void)state;
	field_count = 0;
	for (number_count = 0; number_count < 600; number_count += 7)
		assert_numbers(output_of(serve_numbers, NULL, ""));
	assert_int_equal(fixture.chunks.free_count, fixture.chunks.block_count);
}

static void fields_added_late_do_not_harm_the_document(void **state)
{
	(void)state;
	number_count = 60;
	for (field_count = 0; field_count < 16; field_count++) {
		const char *output = output_of(serve_numbers, NULL, "");

		assert_contains(output, " 200 OK\r\n");
		assert_numbers(output);
	}
}

static void a_document_without_room_is_answered_with_503(void **state)
{
	zg_handle handle_of_chunk;
	const char *output;

	(void)state;
	while (zg_pool_take(&fixture.chunks, &handle_of_chunk, NULL) == 0)
		;
	number_count = 1000;
	field_count = 0;
	output = output_of(serve_numbers, NULL, "");
	assert_memory_equal(output, "HTTP/1.1 503 ", 13);
}

static int serve_twice(struct zg_exchange *x)
{
	struct zg_json_writer writer;

	assert_int_equal(zg_reply_text(x, 200, "first"), 0);
	zg_reply_json_open(x, &writer);
	zg_json_null(&writer);
	assert_int_equal(zg_reply_json_close(x, 200, &writer), -EALREADY);
	return 0;
}

static void a_second_reply_leaves_the_first_as_it_was(void **state)
{
	const char *output = output_of(serve_twice, NULL, "");

	(void)state;
	assert_contains(output, "\r\n\r\nfirst");
	assert_null(strstr(output, "null"));
}

/* Several replies gather in the write buffer, each document behind the last. */
static void pipelined_documents_do_not_touch_each_other(void **state)
{
	const char *text = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
			   "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
	const char *at;
	int count = 0;

	(void)state;
	number_count = 40;
	field_count = 0;
	handle = serve_numbers;
	(void)exchange_fixture_feed(&fixture, text, strlen(text), SIZE_MAX);
	at = exchange_fixture_output(&fixture);
	while ((at = strstr(at, "\r\n\r\n[0,1,2,")) != NULL) {
		assert_memory_equal(strchr(at, ']') - 6, ",38,39]", 7);
		at++;
		count++;
	}
	assert_int_equal(count, 4);
}

static int serve_to_head(struct zg_exchange *x)
{
	return zg_reply_problem(x, 404, ZG_SLICE("no such cart"));
}

static void head_has_the_length_and_no_document(void **state)
{
	const char *text = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
	const char *output;

	(void)state;
	handle = serve_to_head;
	(void)exchange_fixture_feed(&fixture, text, strlen(text), SIZE_MAX);
	output = exchange_fixture_output(&fixture);
	assert_contains(output, "Content-Length: 79\r\n");
	assert_string_equal(strstr(output, "\r\n\r\n"), "\r\n\r\n");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_body_is_bound_and_a_struct_replied),
		test(a_body_must_say_that_it_is_json),
		test(a_body_that_is_no_json_is_answered_with_400),
		test(a_body_that_is_not_what_was_asked_for_is_answered_with_422),
		test(a_key_of_the_peers_is_escaped_in_the_answer),
		test(a_problem_has_the_members_of_rfc_9457),
		test(a_document_of_any_size_is_replied),
		test(fields_added_late_do_not_harm_the_document),
		test(a_document_without_room_is_answered_with_503),
		test(a_second_reply_leaves_the_first_as_it_was),
		test(pipelined_documents_do_not_touch_each_other),
		test(head_has_the_length_and_no_document),
	};

	return cmocka_run_group_tests_name("json_exchange", tests, NULL, NULL);
}
