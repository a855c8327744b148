/*
 * What a handler reads of a request. The request is made whole, and looked at while
 * its handler is pending.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "web/exchange_fixture.h"

static struct exchange_fixture fixture;

static int serve(struct zg_exchange *x)
{
	(void)x;
	return ZG_PENDING;
}

static const struct exchange_fixture_route routes[] = {
	{ZG_METHOD_GET, "/{all...}", serve},
	{ZG_METHOD_GET, "/users/{id}/posts/{post}", serve},
	{ZG_METHOD_POST, "/{all...}", serve},
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

static struct zg_exchange *receive(const char *text)
{
	assert_int_equal(exchange_fixture_feed(&fixture, text, strlen(text), SIZE_MAX),
			 ZGI_WANT_PENDING);
	return fixture.x;
}

#define get(target) receive("GET " target " HTTP/1.1\r\nHost: a\r\n\r\n")

static void assert_slice(struct zg_slice slice, const char *text)
{
	assert_int_equal(slice.size, strlen(text));
	assert_memory_equal(slice.data, text, slice.size);
}

static void assert_query_value(struct zg_exchange *x, const char *name, const char *text)
{
	struct zg_slice value;

	assert_int_equal(zg_request_query_value(x, (struct zg_slice){name, strlen(name)}, &value),
			 0);
	assert_slice(value, text);
}

static void the_target_is_path_and_query_as_sent(void **state)
{
	struct zg_exchange *x = get("/a%20b/c?d=%20&e?f");

	(void)state;
	assert_int_equal(zg_request_method(x), ZG_METHOD_GET);
	assert_slice(zg_request_path(x), "/a%20b/c");
	assert_slice(zg_request_query(x), "d=%20&e?f");
	assert_slice(zg_request_body(x), "");
}

static void a_target_may_name_its_authority(void **state)
{
	struct zg_exchange *x = receive("GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n");

	(void)state;
	assert_slice(zg_request_path(x), "/b");
	assert_slice(zg_request_query(x), "c");
}

static void fields_are_found_without_regard_to_case(void **state)
{
	struct zg_exchange *x = receive("GET / HTTP/1.1\r\nHost: a\r\nX-One:  first \r\n"
					"x-ONE: second\r\nX-Empty:\r\n\r\n");
	struct zg_slice name;
	struct zg_slice value = ZG_SLICE("untouched");

	(void)state;
	assert_int_equal(zg_request_field(x, ZG_SLICE("X-ONE"), &value), 0);
	assert_slice(value, "first");
	assert_int_equal(zg_request_field(x, ZG_SLICE("x-empty"), &value), 0);
	assert_slice(value, "");
	value = ZG_SLICE("untouched");
	assert_int_equal(zg_request_field(x, ZG_SLICE("X-None"), &value), -ENOENT);
	assert_slice(value, "untouched");
	assert_int_equal(zg_request_field_count(x), 4);
	zg_request_field_at(x, 2, &name, &value);
	assert_slice(name, "x-ONE");
	assert_slice(value, "second");
}

static void fields_past_the_inline_ones_are_found(void **state)
{
	struct zg_exchange *x;
	struct zg_slice value;

	(void)state;
	x = receive("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\n"
		    "G: 7\r\nH: 8\r\nI: 9\r\nJ: 10\r\nK: 11\r\nL: 12\r\nM: 13\r\nN: 14\r\nO: 15\r\n"
		    "P: 16\r\nQ: 17\r\nR: 18\r\n\r\n");
	assert_int_equal(zg_request_field_count(x), 19);
	assert_int_equal(zg_request_field(x, ZG_SLICE("r"), &value), 0);
	assert_slice(value, "18");
	assert_int_equal(zg_request_field(x, ZG_SLICE("p"), &value), 0);
	assert_slice(value, "16");
}

static void parameters_are_decoded(void **state)
{
	struct zg_exchange *x = get("/users/j%C3%B6rg%2Fa/posts/1+1");
	struct zg_slice value;

	(void)state;
	assert_int_equal(zg_request_parameter(x, ZG_SLICE("id"), &value), 0);
	assert_slice(value, "j\xc3\xb6rg/a");
	/* A plus is a space in a query only. */
	assert_int_equal(zg_request_parameter(x, ZG_SLICE("post"), &value), 0);
	assert_slice(value, "1+1");
	assert_ptr_equal(value.data,
			 zg_request_path(x).data + strlen("/users/j%C3%B6rg%2Fa/posts/"));
	assert_int_equal(zg_request_parameter(x, ZG_SLICE("all"), &value), -ENOENT);
}

static void the_rest_of_a_path_is_a_parameter(void **state)
{
	struct zg_exchange *x = get("/users/1/posts");
	struct zg_slice value;

	(void)state;
	assert_int_equal(zg_request_parameter(x, ZG_SLICE("all"), &value), 0);
	assert_slice(value, "users/1/posts");
	assert_int_equal(zg_request_parameter(x, ZG_SLICE("id"), &value), -ENOENT);
}

static void query_values_are_decoded(void **state)
{
	struct zg_exchange *x = get("/?a=1&b=x+y%26z&%61b=%3D=&empty=&flag&a=2&&=nameless");
	struct zg_slice value = ZG_SLICE("untouched");

	(void)state;
	assert_query_value(x, "a", "1");
	assert_query_value(x, "b", "x y&z");
	assert_query_value(x, "ab", "==");
	assert_query_value(x, "empty", "");
	assert_query_value(x, "flag", "");
	assert_int_equal(zg_request_query_value(x, ZG_SLICE("c"), &value), -ENOENT);
	assert_slice(value, "untouched");
}

static void a_name_in_the_query_may_hold_what_separates(void **state)
{
	struct zg_exchange *x = get("/?a%26b%3Dc=d");

	(void)state;
	assert_query_value(x, "a&b=c", "d");
}

static void a_request_without_a_query_has_no_values(void **state)
{
	struct zg_exchange *x = get("/");
	struct zg_slice value;

	(void)state;
	assert_int_equal(zg_request_query_value(x, ZG_SLICE("a"), &value), -ENOENT);
	assert_int_equal(zg_request_query_value(x, ZG_SLICE(""), &value), -ENOENT);
}

/* Names are decoded one after the other into memory that each gives back. */
static void a_search_through_many_names_takes_little_memory(void **state)
{
	char text[480] = "GET /?";
	struct zg_slice value;
	struct zg_exchange *x;
	struct zg_arena_usage before;
	struct zg_arena_usage after;

	(void)state;
	while (strlen(text) < 420)
		memcpy(text + strlen(text), "%61=b&", sizeof("%61=b&"));
	memcpy(text + strlen(text), " HTTP/1.1\r\nHost: a\r\n\r\n",
	       sizeof(" HTTP/1.1\r\nHost: a\r\n\r\n"));
	x = receive(text);
	zg_arena_usage(&x->arena, &before);
	assert_int_equal(zg_request_query_value(x, ZG_SLICE("none"), &value), -ENOENT);
	zg_arena_usage(&x->arena, &after);
	assert_int_equal(after.live_size, before.live_size);
	assert_true(after.live_size_max > after.live_size);
}

static void a_value_without_memory_is_an_answer(void **state)
{
	struct zg_exchange *x = get("/?a=%62");
	struct zg_slice value = ZG_SLICE("untouched");
	void *memory;

	(void)state;
	while (zg_arena_alloc(zg_exchange_arena(x), 16, &memory) == 0)
		;
	assert_int_equal(zg_request_query_value(x, ZG_SLICE("a"), &value), -ENOMEM);
	assert_slice(value, "untouched");
}

static void a_chunked_body_is_whole_and_contiguous(void **state)
{
	struct zg_exchange *x =
		receive("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
			"\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: u\r\n\r\n");

	(void)state;
	assert_slice(zg_request_body(x), "abcde");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(the_target_is_path_and_query_as_sent),
		test(a_target_may_name_its_authority),
		test(fields_are_found_without_regard_to_case),
		test(fields_past_the_inline_ones_are_found),
		test(parameters_are_decoded),
		test(the_rest_of_a_path_is_a_parameter),
		test(query_values_are_decoded),
		test(a_name_in_the_query_may_hold_what_separates),
		test(a_request_without_a_query_has_no_values),
		test(a_search_through_many_names_takes_little_memory),
		test(a_value_without_memory_is_an_answer),
		test(a_chunked_body_is_whole_and_contiguous),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
