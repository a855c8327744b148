/*
 * Streamed bodies, as a handler meets them: pieces in their order, whole however they
 * arrive, and nothing read that was not asked for.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "web/exchange_fixture.h"

#define BODY_SIZE_MAX 100000
#define GOT_SIZE_MAX 65536

static struct exchange_fixture fixture;
static char got[GOT_SIZE_MAX];
static size_t got_size;
static uint32_t piece_count;
static uint32_t call_count; /* of the route's handler */

/* What the handler of a piece does in the running test; NULL collects. */
static zg_body_handler *take;

static int collect(struct zg_exchange *x, const struct zg_piece *piece, void *user)
{
	(void)user;
	assert_int_equal(piece->offset, got_size);
	assert_true(piece->bytes.size < sizeof(got) - got_size);
	if (piece->bytes.size > 0)
		memcpy(got + got_size, piece->bytes.data, piece->bytes.size);
	got_size += piece->bytes.size;
	return piece->is_last ? zg_reply_text(x, 200, "taken") : 0;
}

static int upload_piece(struct zg_exchange *x, const struct zg_piece *piece, void *user)
{
	piece_count++;
	return (take != NULL ? take : collect)(x, piece, user);
}

static int upload(struct zg_exchange *x)
{
	call_count++;
	return zg_body_read(x, upload_piece, NULL);
}

static int deny(struct zg_exchange *x)
{
	return zg_reply_text(x, 401, "no");
}

static int hello(struct zg_exchange *x)
{
	return zg_reply_text(x, 200, "hello");
}

static const struct exchange_fixture_route routes[] = {
	{ZG_METHOD_GET, "/", hello},
	{ZG_METHOD_COUNT, NULL, NULL},
};

static int setup(void **state)
{
	(void)state;
	exchange_fixture_open(&fixture, routes);
	fixture.web.stream_size_max = UINT64_MAX;
	assert_int_equal(zgi_router_add_streamed(fixture.router, ZG_METHOD_POST, "/upload", upload,
						 BODY_SIZE_MAX),
			 0);
	assert_int_equal(zgi_router_add_streamed(fixture.router, ZG_METHOD_POST, "/deny", deny,
						 BODY_SIZE_MAX),
			 0);
	memset(got, 0, sizeof(got));
	got_size = 0;
	piece_count = 0;
	call_count = 0;
	take = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	exchange_fixture_close(&fixture);
	return 0;
}

static enum zgi_exchange_want feed(const char *text)
{
	return exchange_fixture_feed(&fixture, text, strlen(text), SIZE_MAX);
}

static void assert_output_has(const char *part)
{
	if (strstr(exchange_fixture_output(&fixture), part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, exchange_fixture_output(&fixture));
}

/* A body of letters that tell where they are. */
static char letter(size_t offset)
{
	return (char)('a' + offset % 23);
}

static void feed_letters(size_t size, size_t piece_size)
{
	char bytes[512];

	assert_true(piece_size <= sizeof(bytes));
	for (size_t offset = 0; offset < size;) {
		size_t part = size - offset < piece_size ? size - offset : piece_size;

		for (size_t index = 0; index < part; index++)
			bytes[index] = letter(offset + index);
		if (exchange_fixture_feed(&fixture, bytes, part, SIZE_MAX) == ZGI_WANT_LINGER)
			return;
		offset += part;
	}
}

static void assert_got_letters(size_t size)
{
	assert_int_equal(got_size, size);
	for (size_t offset = 0; offset < size; offset++)
		if (got[offset] != letter(offset))
			fail_msg("byte %zu is wrong", offset);
}

static void a_body_far_larger_than_the_buffer_is_handed_on(void **state)
{
	(void)state;
	(void)feed("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n");
	assert_int_equal(call_count, 1);
	feed_letters(50000, 333);
	assert_got_letters(50000);
	assert_true(piece_count > 100);
	assert_output_has("200 OK");
	assert_null(strstr(exchange_fixture_output(&fixture), "Connection: close"));
}

static void chunks_are_taken_apart(void **state)
{
	static const char head[] =
		"POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
	static const char body[] = "5\r\nabcde\r\n3;x=y\r\nfgh\r\n0\r\nTrailer: z\r\n\r\n";

	(void)state;
	for (size_t piece_size = 1; piece_size < sizeof(body); piece_size++) {
		got_size = 0;
		(void)feed(head);
		(void)exchange_fixture_feed(&fixture, body, sizeof(body) - 1, piece_size);
		assert_int_equal(got_size, 8);
		assert_memory_equal(got, "abcdefgh", 8);
		assert_output_has("taken");
		exchange_fixture_forget(&fixture);
	}
}

static void many_chunks_larger_than_the_buffer_are_handed_on(void **state)
{
	char text[1200];
	size_t offset = 0;

	(void)state;
	(void)feed("POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int chunk = 0; chunk < 30; chunk++) {
		int size = snprintf(text, sizeof(text), "3e8\r\n");

		for (int index = 0; index < 1000; index++)
			text[size++] = letter(offset++);
		text[size++] = '\r';
		text[size++] = '\n';
		(void)exchange_fixture_feed(&fixture, text, (size_t)size, 100);
	}
	(void)feed("0\r\n\r\n");
	assert_got_letters(30000);
	assert_output_has("taken");
}

static void an_empty_body_is_one_empty_piece(void **state)
{
	(void)state;
	(void)feed("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(piece_count, 1);
	assert_int_equal(got_size, 0);
	assert_output_has("taken");
}

static void the_next_request_begins_behind_the_body(void **state)
{
	(void)state;
	(void)feed("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
		   "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(got_size, 3);
	assert_output_has("taken");
	assert_output_has("hello");
}

/* Keeps what follows the last line's end: every piece is whole lines. */
static int take_lines(struct zg_exchange *x, const struct zg_piece *piece, void *user)
{
	struct zg_slice bytes = piece->bytes;
	const char *end = bytes.size > 0 ? memrchr(bytes.data, '\n', bytes.size) : NULL;

	(void)user;
	if (!piece->is_last) {
		size_t used = end != NULL ? (size_t)(end + 1 - bytes.data) : 0;

		zg_body_keep(x, bytes.size - used);
		bytes.size = used;
	}
	if (bytes.size == 0)
		return piece->is_last ? zg_reply_text(x, 200, "lines") : 0;
	assert_int_equal(piece->offset, got_size);
	memcpy(got + got_size, bytes.data, bytes.size);
	got_size += bytes.size;
	return piece->is_last ? zg_reply_text(x, 200, "lines") : 0;
}

static void what_is_kept_comes_again_before_the_next(void **state)
{
	static const char body[] = "first line\nsecond line\nthird\n";

	(void)state;
	take = take_lines;
	(void)feed("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 29\r\n\r\n");
	(void)exchange_fixture_feed(&fixture, body, sizeof(body) - 1, 4);
	assert_int_equal(got_size, sizeof(body) - 1);
	assert_memory_equal(got, body, sizeof(body) - 1);
	assert_output_has("lines");
}

static void a_row_that_never_ends_is_refused(void **state)
{
	(void)state;
	take = take_lines;
	(void)feed("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n");
	feed_letters(1024, 100);
	assert_output_has("413 Content Too Large");
	assert_output_has("Connection: close");
}

static int wait_then_collect(struct zg_exchange *x, const struct zg_piece *piece, void *user)
{
	int result = collect(x, piece, user);

	(void)zg_exchange_handle(x);
	return result == 0 && !piece->is_last ? ZG_PENDING : result;
}

static int go_on(struct zg_exchange *x, void *user)
{
	(void)x;
	(void)user;
	return 0;
}

static void nothing_is_received_while_the_handler_waits(void **state)
{
	(void)state;
	take = wait_then_collect;
	assert_int_equal(feed("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc"),
			 ZGI_WANT_PENDING);
	assert_int_equal(got_size, 3);
	assert_int_equal(zgi_exchange_run(fixture.x), ZGI_WANT_PENDING);
	assert_int_equal(zgi_exchange_resume(fixture.x, go_on, NULL), 0);
	assert_int_equal(zgi_exchange_run(fixture.x), ZGI_WANT_RECV);
	(void)feed("def");
	assert_int_equal(got_size, 6);
	assert_output_has("taken");
}

static void a_handler_that_does_not_wait_is_not_resumed(void **state)
{
	(void)state;
	(void)feed("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
	assert_int_equal(zgi_exchange_resume(fixture.x, go_on, NULL), -ESTALE);
}

static void a_client_that_waits_for_it_is_told_to_go_on(void **state)
{
	(void)state;
	(void)feed("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
		   "Expect: 100-continue\r\n\r\n");
	assert_string_equal(exchange_fixture_output(&fixture), "HTTP/1.1 100 Continue\r\n\r\n");
	(void)feed("abc");
	assert_output_has("taken");
}

static void who_replies_without_reading_ends_the_connection(void **state)
{
	(void)state;
	assert_int_equal(feed("POST /deny HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
			      "Expect: 100-continue\r\n\r\n"),
			 ZGI_WANT_LINGER);
	assert_null(strstr(exchange_fixture_output(&fixture), "100 Continue"));
	assert_output_has("401 Unauthorized");
	assert_output_has("Connection: close");
}

static int reply_early(struct zg_exchange *x, const struct zg_piece *piece, void *user)
{
	(void)piece;
	(void)user;
	return zg_reply_text(x, 400, "row 1 is wrong");
}

static void an_early_reply_ends_the_connection(void **state)
{
	(void)state;
	take = reply_early;
	assert_int_equal(feed("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\nabc"),
			 ZGI_WANT_LINGER);
	assert_int_equal(piece_count, 1);
	assert_output_has("400 Bad Request");
	assert_output_has("Connection: close");
}

static void a_body_past_the_routes_limit_is_refused(void **state)
{
	(void)state;
	(void)feed("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n");
	assert_int_equal(call_count, 0);
	assert_output_has("413 Content Too Large");
}

static void a_chunked_body_past_the_limit_is_refused_on_its_way(void **state)
{
	(void)state;
	fixture.web.stream_size_max = 10;
	(void)feed("POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		   "a\r\n0123456789\r\n");
	assert_int_equal(got_size, 10);
	(void)feed("1\r\nx\r\n");
	assert_output_has("413 Content Too Large");
}

static int fail_piece(struct zg_exchange *x, const struct zg_piece *piece, void *user)
{
	(void)x;
	(void)piece;
	(void)user;
	return -ENOMEM;
}

static void a_handler_that_fails_is_answered_for(void **state)
{
	(void)state;
	take = fail_piece;
	assert_int_equal(feed("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\nabc"),
			 ZGI_WANT_LINGER);
	assert_output_has("503 Service Unavailable");
}

static int say_nothing(struct zg_exchange *x, const struct zg_piece *piece, void *user)
{
	(void)x;
	(void)piece;
	(void)user;
	return 0;
}

static void a_last_piece_without_a_reply_is_a_failure(void **state)
{
	(void)state;
	take = say_nothing;
	(void)feed("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
	assert_output_has("500 Internal Server Error");
}

static int read_twice(struct zg_exchange *x)
{
	assert_int_equal(zg_body_read(x, upload_piece, NULL), ZG_PENDING);
	assert_int_equal(zg_body_read(x, upload_piece, NULL), -EINVAL);
	return zg_reply_text(x, 200, "asked twice");
}

static int read_whole(struct zg_exchange *x)
{
	assert_int_equal(zg_body_read(x, upload_piece, NULL), -EINVAL);
	assert_int_equal(zg_reply_text(x, 200, "was whole"), 0);
	assert_int_equal(zg_body_read(x, upload_piece, NULL), -EALREADY);
	return 0;
}

static void a_body_is_asked_for_once_and_of_a_streamed_route(void **state)
{
	(void)state;
	assert_int_equal(
		zgi_router_add_streamed(fixture.router, ZG_METHOD_POST, "/twice", read_twice, 10),
		0);
	assert_int_equal(zgi_router_add(fixture.router, ZG_METHOD_POST, "/whole", read_whole), 0);
	(void)feed("POST /whole HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
	assert_output_has("was whole");
	(void)feed("POST /twice HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
	assert_output_has("asked twice");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_body_far_larger_than_the_buffer_is_handed_on),
		TEST(chunks_are_taken_apart),
		TEST(many_chunks_larger_than_the_buffer_are_handed_on),
		TEST(an_empty_body_is_one_empty_piece),
		TEST(the_next_request_begins_behind_the_body),
		TEST(what_is_kept_comes_again_before_the_next),
		TEST(a_row_that_never_ends_is_refused),
		TEST(nothing_is_received_while_the_handler_waits),
		TEST(a_handler_that_does_not_wait_is_not_resumed),
		TEST(a_client_that_waits_for_it_is_told_to_go_on),
		TEST(who_replies_without_reading_ends_the_connection),
		TEST(an_early_reply_ends_the_connection),
		TEST(a_body_past_the_routes_limit_is_refused),
		TEST(a_chunked_body_past_the_limit_is_refused_on_its_way),
		TEST(a_handler_that_fails_is_answered_for),
		TEST(a_last_piece_without_a_reply_is_a_failure),
		TEST(a_body_is_asked_for_once_and_of_a_streamed_route),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
