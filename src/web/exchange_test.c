/*
 * Exchanges driven without any I/O: bytes are put into the receive window, and what
 * the send window shows is gathered, as a server would.
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

static struct exchange_fixture fixture;
static uint32_t served_count;
static zg_handle handle_seen;

static int serve_hello(struct zg_exchange *x)
{
	served_count++;
	return zg_reply_text(x, 200, "Hello");
}

static int serve_echo(struct zg_exchange *x)
{
	served_count++;
	return zg_reply(x, 200, ZG_SLICE("text/plain"), zg_request_body(x));
}

static int serve_large(struct zg_exchange *x)
{
	static char body[5000];

	memset(body, 'x', sizeof(body));
	return zg_reply(x, 200, ZG_SLICE("text/plain"), (struct zg_slice){body, sizeof(body)});
}

static int serve_failing(struct zg_exchange *x)
{
	int result = zg_reply_field(x, ZG_SLICE("X-Secret"), ZG_SLICE("1"));

	if (result == 0)
		result = zg_reply_text(x, 200, "thrown away");
	return result < 0 ? result : -EIO;
}

/* Uses up all that can be had, so that nothing is left for the answer either. */
static int serve_no_memory(struct zg_exchange *x)
{
	void *memory;
	int result;

	do {
		result = zg_arena_alloc(zg_exchange_arena(x), 16, &memory);
	} while (result == 0);
	return result;
}

static int serve_nothing(struct zg_exchange *x)
{
	(void)x;
	return 0;
}

static int serve_twice(struct zg_exchange *x)
{
	int result = zg_reply_text(x, 201, "first");

	assert_int_equal(zg_reply_text(x, 202, "second"), -EALREADY);
	assert_int_equal(zg_reply_field(x, ZG_SLICE("X-A"), ZG_SLICE("b")), -EALREADY);
	return result;
}

static int serve_pending(struct zg_exchange *x)
{
	handle_seen = zg_exchange_handle(x);
	return ZG_PENDING;
}

static int serve_replied_pending(struct zg_exchange *x)
{
	int result = zg_reply_text(x, 200, "replied");

	return result < 0 ? result : ZG_PENDING;
}

/* Leaves something in the arena, and looks for what an earlier request left. */
static int serve_arena(struct zg_exchange *x)
{
	struct zg_arena_usage usage;
	void *memory;

	zg_arena_usage(&x->arena, &usage);
	assert_int_equal(usage.live_size, 0);
	assert_int_equal(zg_arena_alloc(zg_exchange_arena(x), 2000, &memory), 0);
	return zg_reply_empty(x, 204);
}

static const struct exchange_fixture_route routes[] = {
	{ZG_METHOD_GET, "/", serve_hello},
	{ZG_METHOD_GET, "/large", serve_large},
	{ZG_METHOD_GET, "/failing", serve_failing},
	{ZG_METHOD_GET, "/no-memory", serve_no_memory},
	{ZG_METHOD_GET, "/nothing", serve_nothing},
	{ZG_METHOD_GET, "/twice", serve_twice},
	{ZG_METHOD_GET, "/pending", serve_pending},
	{ZG_METHOD_GET, "/replied-pending", serve_replied_pending},
	{ZG_METHOD_GET, "/arena", serve_arena},
	{ZG_METHOD_POST, "/echo", serve_echo},
	{ZG_METHOD_COUNT, NULL, NULL},
};

static int setup(void **state)
{
	(void)state;
	served_count = 0;
	exchange_fixture_open(&fixture, routes);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	exchange_fixture_close(&fixture);
	return 0;
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define HEAD_OF(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

static enum zgi_exchange_want feed(const char *text)
{
	exchange_fixture_forget(&fixture);
	return exchange_fixture_feed(&fixture, text, strlen(text), SIZE_MAX);
}

static const char *output(void)
{
	return exchange_fixture_output(&fixture);
}

static void assert_contains(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("\"%s\" is in \"%s\"", part, text);
}

static uint32_t count(const char *text, const char *part)
{
	uint32_t number = 0;

	for (; (text = strstr(text, part)) != NULL; text += strlen(part))
		number++;
	return number;
}

/* Reading. */

static void a_whole_request_is_answered(void **state)
{
	(void)state;
	assert_int_equal(feed(HEAD_OF("/")), ZGI_WANT_IDLE);
	assert_string_equal(output(), "HTTP/1.1 200 OK\r\n" EXCHANGE_FIXTURE_DATE
				      "Content-Type: text/plain; charset=utf-8\r\n"
				      "Content-Length: 5\r\n\r\nHello");
	assert_false(zgi_exchange_has_begun(fixture.x));
}

/* What is fed in pieces must be answered as what is fed at once. */
static void assert_split_everywhere(const char *text)
{
	static char whole[EXCHANGE_FIXTURE_OUTPUT_SIZE];
	size_t size = strlen(text);
	enum zgi_exchange_want want = exchange_fixture_feed(&fixture, text, size, SIZE_MAX);

	snprintf(whole, sizeof(whole), "%s", output());
	for (size_t piece = 1; piece < size; piece++) {
		exchange_fixture_renew(&fixture);
		assert_int_equal(exchange_fixture_feed(&fixture, text, piece, SIZE_MAX) ==
					 ZGI_WANT_CLOSE,
				 false);
		assert_int_equal(
			exchange_fixture_feed(&fixture, text + piece, size - piece, SIZE_MAX),
			want);
		assert_string_equal(output(), whole);
	}
	exchange_fixture_renew(&fixture);
	assert_int_equal(exchange_fixture_feed(&fixture, text, size, 1), want);
	assert_string_equal(output(), whole);
}

static void requests_may_be_split_at_every_byte(void **state)
{
	(void)state;
	assert_split_everywhere(HEAD_OF("/") HEAD_OF("/nowhere") HEAD_OF("/"));
	assert_int_equal(fixture.web.counters.faults[ZGI_HTTP_FAULT_BAD_REQUEST_LINE], 0);
}

static void bodies_may_be_split_at_every_byte(void **state)
{
	(void)state;
	assert_split_everywhere(
		"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabcdef"
		"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nTrailer: t\r\n\r\n" HEAD_OF("/"));
}

static void pipelined_requests_are_answered_in_one_send(void **state)
{
	(void)state;
	assert_int_equal(feed(HEAD_OF("/") HEAD_OF("/") HEAD_OF("/")), ZGI_WANT_IDLE);
	assert_int_equal(fixture.window_count, 1);
	assert_int_equal(count(output(), "HTTP/1.1 200 OK\r\n"), 3);
}

static void many_pipelined_requests_never_overflow_the_write_buffer(void **state)
{
	char text[sizeof(HEAD_OF("/")) * 30] = "";

	(void)state;
	for (uint32_t index = 0; index < 30; index++)
		memcpy(text + index * (sizeof(HEAD_OF("/")) - 1), HEAD_OF("/"),
		       sizeof(HEAD_OF("/")));
	assert_int_equal(feed(text), ZGI_WANT_IDLE);
	assert_int_equal(count(output(), "\r\n\r\nHello"), 30);
	assert_int_equal(served_count, 30);
}

static void a_body_in_the_read_buffer_stays_there(void **state)
{
	(void)state;
	feed("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" HEAD_OF("/"));
	assert_contains(output(), "\r\n\r\nabcHTTP/1.1 200 OK\r\n");
	assert_int_equal(fixture.chunks.free_count_low, fixture.chunks.block_count);
}

static void post_large(size_t size, size_t piece)
{
	static char text[EXCHANGE_FIXTURE_OUTPUT_SIZE];
	int head_size =
		snprintf(text, sizeof(text),
			 "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", size);

	assert_true(head_size > 0 && (size_t)head_size + size < sizeof(text));
	for (size_t index = 0; index < size; index++)
		text[(size_t)head_size + index] = (char)('a' + index % 26);
	memcpy(text + head_size + size, HEAD_OF("/"), sizeof(HEAD_OF("/")));
	exchange_fixture_forget(&fixture);
	assert_int_equal(exchange_fixture_feed(&fixture, text,
					       (size_t)head_size + size + sizeof(HEAD_OF("/")) - 1,
					       piece),
			 ZGI_WANT_IDLE);

	const char *body = strstr(output(), "\r\n\r\n");

	assert_non_null(body);
	assert_memory_equal(body + 4, text + head_size, size);
	assert_contains(body + 4 + size, "\r\n\r\nHello");
}

static void a_body_larger_than_the_read_buffer_goes_to_the_arena(void **state)
{
	(void)state;
	post_large(EXCHANGE_FIXTURE_READ_SIZE, SIZE_MAX);
	post_large(EXCHANGE_FIXTURE_BODY_MAX, SIZE_MAX);
	post_large(EXCHANGE_FIXTURE_BODY_MAX - 1, 7);
	assert_true(fixture.chunks.free_count_low < fixture.chunks.block_count);
	assert_int_equal(fixture.chunks.free_count, fixture.chunks.block_count);
}

static void bodies_about_the_size_of_the_read_buffer_are_whole(void **state)
{
	(void)state;
	for (size_t size = EXCHANGE_FIXTURE_READ_SIZE - 80; size < EXCHANGE_FIXTURE_READ_SIZE + 8;
	     size++)
		post_large(size, SIZE_MAX);
}

static void post_chunked(size_t size, size_t chunk, size_t piece)
{
	static char text[2 * EXCHANGE_FIXTURE_OUTPUT_SIZE];
	static char body[EXCHANGE_FIXTURE_BODY_MAX];
	size_t used = (size_t)snprintf(text, sizeof(text),
				       "POST /echo HTTP/1.1\r\nHost: a\r\n"
				       "Transfer-Encoding: chunked\r\n\r\n");

	for (size_t index = 0; index < size; index++)
		body[index] = (char)('a' + index % 26);
	for (size_t start = 0; start < size; start += chunk) {
		size_t part = size - start < chunk ? size - start : chunk;

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%zx\r\n", part);
		memcpy(text + used, body + start, part);
		memcpy(text + used + part, "\r\n", 2);
		used += part + 2;
	}
	used += (size_t)snprintf(text + used, sizeof(text) - used, "0\r\n\r\n%s", HEAD_OF("/"));
	exchange_fixture_forget(&fixture);
	assert_int_equal(exchange_fixture_feed(&fixture, text, used, piece), ZGI_WANT_IDLE);

	const char *got = strstr(output(), "\r\n\r\n");

	assert_non_null(got);
	assert_memory_equal(got + 4, body, size);
	assert_contains(got + 4 + size, "\r\n\r\nHello");
}

static void a_chunked_body_is_taken_apart_in_place(void **state)
{
	(void)state;
	post_chunked(300, 7, SIZE_MAX);
	post_chunked(300, 7, 1);
	assert_int_equal(fixture.chunks.free_count_low, fixture.chunks.block_count);
}

static void a_large_chunked_body_goes_to_the_arena(void **state)
{
	(void)state;
	post_chunked(EXCHANGE_FIXTURE_BODY_MAX, 1, SIZE_MAX);
	post_chunked(EXCHANGE_FIXTURE_BODY_MAX, 1000, 3);
	post_chunked(EXCHANGE_FIXTURE_READ_SIZE, 100000, SIZE_MAX);
	assert_true(fixture.chunks.free_count_low < fixture.chunks.block_count);
	assert_int_equal(fixture.chunks.free_count, fixture.chunks.block_count);
}

static void a_body_past_the_limit_is_refused(void **state)
{
	(void)state;
	assert_int_equal(feed("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\nabc"),
			 ZGI_WANT_LINGER);
	assert_contains(output(), "HTTP/1.1 413 Content Too Large\r\n");
	assert_int_equal(served_count, 0);
}

static void a_body_without_a_free_chunk_is_refused(void **state)
{
	zg_handle handle;

	(void)state;
	while (zg_pool_take(&fixture.chunks, &handle, NULL) == 0)
		;
	assert_int_equal(feed("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\nabc"),
			 ZGI_WANT_LINGER);
	assert_contains(output(), "HTTP/1.1 503 Service Unavailable\r\n");
	assert_int_equal(fixture.web.counters.body_refused, 1);
}

static void a_malformed_request_after_good_ones_is_answered_after_them(void **state)
{
	(void)state;
	assert_int_equal(feed(HEAD_OF("/") "GET / HTTP/1.1\r\nHost : a\r\n\r\n" HEAD_OF("/")),
			 ZGI_WANT_LINGER);
	assert_contains(output(), "HelloHTTP/1.1 400 Bad Request\r\n");
	assert_int_equal(served_count, 1);
}

static void a_client_that_waits_is_told_to_continue(void **state)
{
	(void)state;
	assert_int_equal(feed("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
			      "Expect: 100-continue\r\n\r\n"),
			 ZGI_WANT_RECV);
	assert_string_equal(output(), "HTTP/1.1 100 Continue\r\n\r\n");
	assert_int_equal(feed("a"), ZGI_WANT_RECV);
	assert_string_equal(output(), "");
	assert_int_equal(feed("bc"), ZGI_WANT_IDLE);
	assert_contains(output(), "\r\n\r\nabc");
}

static void a_client_that_does_not_wait_is_not_told_to_continue(void **state)
{
	(void)state;
	feed("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: "
	     "100-continue\r\n\r\na");
	assert_string_equal(output(), "");
	feed("bc");
	assert_lacks(output(), "100 Continue");
}

static void a_client_that_waits_is_told_no_before_its_body(void **state)
{
	(void)state;
	assert_int_equal(feed("POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
			      "Expect: 100-continue\r\n\r\n"),
			 ZGI_WANT_LINGER);
	assert_contains(output(), "HTTP/1.1 404 Not Found\r\n");
	assert_int_equal(served_count, 0);
}

/* Replying. */

static void head_gets_the_head_only(void **state)
{
	(void)state;
	feed("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nHEAD /large HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_contains(output(), "Content-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\n");
	assert_lacks(output(), "Hello");
	assert_contains(output(), "Content-Length: 5000\r\n\r\n");
	assert_lacks(output(), "xxx");
}

static void a_large_body_is_sent_from_where_it_lies(void **state)
{
	const char *text;

	(void)state;
	assert_int_equal(feed(HEAD_OF("/large") HEAD_OF("/")), ZGI_WANT_IDLE);
	text = strstr(output(), "\r\n\r\n") + 4;
	assert_int_equal(strspn(text, "x"), 5000);
	assert_contains(text + 5000, "\r\n\r\nHello");
	assert_int_equal(fixture.window_count, 3);
}

static void a_handler_that_fails_is_answered_with_500(void **state)
{
	(void)state;
	assert_int_equal(feed(HEAD_OF("/failing") HEAD_OF("/")), ZGI_WANT_IDLE);
	assert_contains(output(), "HTTP/1.1 500 Internal Server Error\r\n");
	assert_lacks(output(), "thrown away");
	assert_lacks(output(), "X-Secret");
	assert_contains(output(), "Hello");
	assert_int_equal(fixture.web.counters.handler_errors, 1);
}

static void a_reply_that_was_thrown_away_does_not_count(void **state)
{
	uint64_t requests = fixture.web.counters.requests;
	uint64_t successes = fixture.web.counters.responses[2];
	uint64_t failures = fixture.web.counters.responses[5];

	(void)state;
	assert_int_equal(feed(HEAD_OF("/failing")), ZGI_WANT_IDLE);
	assert_int_equal(fixture.web.counters.requests - requests, 1);
	assert_int_equal(fixture.web.counters.responses[2] - successes, 0);
	assert_int_equal(fixture.web.counters.responses[5] - failures, 1);
}

static void a_handler_without_memory_is_answered_with_503(void **state)
{
	(void)state;
	feed(HEAD_OF("/no-memory"));
	assert_contains(output(), "HTTP/1.1 503 Service Unavailable\r\n");
	assert_contains(output(), "Retry-After: 1\r\n");
}

static void a_handler_that_does_not_reply_is_answered_with_500(void **state)
{
	(void)state;
	feed(HEAD_OF("/nothing"));
	assert_contains(output(), "HTTP/1.1 500 Internal Server Error\r\n");
}

static void a_second_reply_is_refused(void **state)
{
	(void)state;
	feed(HEAD_OF("/twice"));
	assert_contains(output(), "HTTP/1.1 201 Created\r\n");
	assert_lacks(output(), "second");
}

static void what_a_method_may_be_is_told(void **state)
{
	(void)state;
	feed("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_contains(output(), "HTTP/1.1 405 Method Not Allowed\r\n");
	assert_contains(output(), "Allow: GET, HEAD\r\n");
}

static void the_last_request_of_a_connection_closes_it(void **state)
{
	(void)state;
	assert_int_equal(feed("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
			 ZGI_WANT_CLOSE);
	assert_contains(output(), "Connection: close\r\n");
	exchange_fixture_renew(&fixture);
	assert_int_equal(feed("GET / HTTP/1.0\r\n\r\n"), ZGI_WANT_CLOSE);
	exchange_fixture_renew(&fixture);
	assert_int_equal(feed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), ZGI_WANT_IDLE);
	assert_contains(output(), "Connection: keep-alive\r\n");
}

static void what_follows_the_last_request_is_not_served(void **state)
{
	(void)state;
	assert_int_equal(
		feed("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" HEAD_OF("/")),
		ZGI_WANT_LINGER);
	assert_int_equal(served_count, 1);
}

static void a_draining_server_closes_after_the_reply(void **state)
{
	(void)state;
	fixture.web.is_draining = true;
	assert_int_equal(feed(HEAD_OF("/")), ZGI_WANT_CLOSE);
	assert_contains(output(), "Connection: close\r\n");
}

/* Waiting. */

static int then_hello(struct zg_exchange *x, void *user)
{
	return zg_reply_text(x, 200, user);
}

static int then_pending(struct zg_exchange *x, void *user)
{
	(void)x;
	(void)user;
	return ZG_PENDING;
}

static int then_failing(struct zg_exchange *x, void *user)
{
	(void)x;
	(void)user;
	return -EIO;
}

static char late[] = "Late";

static void a_pending_exchange_is_resumed(void **state)
{
	(void)state;
	assert_int_equal(feed(HEAD_OF("/pending") HEAD_OF("/")), ZGI_WANT_PENDING);
	assert_string_equal(output(), "");
	assert_int_equal(zgi_exchange_resume(fixture.x, then_pending, NULL), 0);
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_PENDING);
	assert_int_equal(zgi_exchange_resume(fixture.x, then_hello, late), 0);
	assert_int_equal(zgi_exchange_resume(fixture.x, then_hello, late), -ESTALE);
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_IDLE);
	assert_contains(output(), "\r\n\r\nLateHTTP/1.1 200 OK\r\n");
}

static void earlier_replies_do_not_wait_for_a_pending_one(void **state)
{
	(void)state;
	assert_int_equal(feed(HEAD_OF("/") HEAD_OF("/pending")), ZGI_WANT_PENDING);
	assert_contains(output(), "Hello");
	assert_int_equal(zgi_exchange_resume(fixture.x, then_hello, late), 0);
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_IDLE);
	assert_contains(output(), "\r\n\r\nLate");
}

static void a_resume_while_earlier_replies_are_sent_keeps_their_order(void **state)
{
	const void *data;
	size_t size;
	bool has_more;

	(void)state;
	exchange_fixture_put(&fixture, HEAD_OF("/") HEAD_OF("/pending"),
			     2 * sizeof(HEAD_OF("/")) + 5);
	assert_int_equal(zgi_exchange_run(fixture.x), ZGI_WANT_SEND);
	zgi_exchange_send_window(fixture.x, &data, &size, &has_more);
	assert_int_equal(zgi_exchange_resume(fixture.x, then_hello, late), 0);
	exchange_fixture_sent(&fixture, data, size);
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_IDLE);
	assert_contains(output(), "\r\n\r\nHelloHTTP/1.1 200 OK\r\n");
	assert_contains(output(), "\r\n\r\nLate");
}

static void a_resumed_handler_may_fail(void **state)
{
	(void)state;
	feed(HEAD_OF("/pending"));
	assert_int_equal(zgi_exchange_resume(fixture.x, then_failing, NULL), 0);
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_IDLE);
	assert_contains(output(), "HTTP/1.1 500 Internal Server Error\r\n");
}

static void to_reply_and_be_pending_is_a_failure(void **state)
{
	(void)state;
	assert_int_equal(feed(HEAD_OF("/replied-pending")), ZGI_WANT_IDLE);
	assert_contains(output(), "HTTP/1.1 500 Internal Server Error\r\n");
	assert_lacks(output(), "replied");
}

static void a_time_out_answers_and_ends_the_wait(void **state)
{
	(void)state;
	feed(HEAD_OF("/pending"));
	zgi_exchange_fail(fixture.x, 503, "too late\n");
	assert_int_equal(zgi_exchange_resume(fixture.x, then_hello, late), -ESTALE);
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_LINGER);
	assert_contains(output(), "HTTP/1.1 503 Service Unavailable\r\n");
	assert_contains(output(), "too late");
}

static void a_handle_names_one_request_only(void **state)
{
	zg_handle first;

	(void)state;
	feed(HEAD_OF("/pending"));
	first = handle_seen;
	assert_ptr_equal(zg_pool_get(&fixture.exchanges, first), fixture.x);
	assert_int_equal(zgi_exchange_resume(fixture.x, then_hello, late), 0);
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_IDLE);
	assert_null(zg_pool_get(&fixture.exchanges, first));
	feed(HEAD_OF("/pending"));
	assert_null(zg_pool_get(&fixture.exchanges, first));
	assert_ptr_equal(zg_pool_get(&fixture.exchanges, handle_seen), fixture.x);
}

static void the_arena_is_empty_again_for_the_next_request(void **state)
{
	(void)state;
	assert_int_equal(feed(HEAD_OF("/arena") HEAD_OF("/arena") HEAD_OF("/arena")),
			 ZGI_WANT_IDLE);
	assert_int_equal(count(output(), "204 No Content"), 3);
	assert_int_equal(fixture.chunks.free_count_low, fixture.chunks.block_count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_whole_request_is_answered),
		test(requests_may_be_split_at_every_byte),
		test(bodies_may_be_split_at_every_byte),
		test(pipelined_requests_are_answered_in_one_send),
		test(many_pipelined_requests_never_overflow_the_write_buffer),
		test(a_body_in_the_read_buffer_stays_there),
		test(a_body_larger_than_the_read_buffer_goes_to_the_arena),
		test(bodies_about_the_size_of_the_read_buffer_are_whole),
		test(a_chunked_body_is_taken_apart_in_place),
		test(a_large_chunked_body_goes_to_the_arena),
		test(a_body_past_the_limit_is_refused),
		test(a_body_without_a_free_chunk_is_refused),
		test(a_malformed_request_after_good_ones_is_answered_after_them),
		test(a_client_that_waits_is_told_to_continue),
		test(a_client_that_does_not_wait_is_not_told_to_continue),
		test(a_client_that_waits_is_told_no_before_its_body),
		test(head_gets_the_head_only),
		test(a_large_body_is_sent_from_where_it_lies),
		test(a_handler_that_fails_is_answered_with_500),
		test(a_reply_that_was_thrown_away_does_not_count),
		test(a_handler_without_memory_is_answered_with_503),
		test(a_handler_that_does_not_reply_is_answered_with_500),
		test(a_second_reply_is_refused),
		test(what_a_method_may_be_is_told),
		test(the_last_request_of_a_connection_closes_it),
		test(what_follows_the_last_request_is_not_served),
		test(a_draining_server_closes_after_the_reply),
		test(a_pending_exchange_is_resumed),
		test(earlier_replies_do_not_wait_for_a_pending_one),
		test(a_resume_while_earlier_replies_are_sent_keeps_their_order),
		test(a_resumed_handler_may_fail),
		test(to_reply_and_be_pending_is_a_failure),
		test(a_time_out_answers_and_ends_the_wait),
		test(a_handle_names_one_request_only),
		test(the_arena_is_empty_again_for_the_next_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
