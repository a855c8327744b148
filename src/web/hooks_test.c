/*
 * What a request's hooks are told, on an exchange without I/O.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <zerog/stream.h>

#include "web/exchange_fixture.h"

static struct exchange_fixture fixture;
static struct zgi_hooks hooks;
static char trace[64];
static struct zg_request_ended ended;
static struct zg_failed failed;
static char path_seen[32];

static void note(const char *word)
{
	size_t size = strlen(trace);

	assert_true(size + strlen(word) < sizeof(trace));
	memcpy(trace + size, word, strlen(word) + 1);
}

static void on_started(struct zg_exchange *x, void *user)
{
	struct zg_slice path = zg_request_path(x);

	note(user);
	note("< ");
	assert_true(path.size < sizeof(path_seen));
	memcpy(path_seen, path.data, path.size);
	path_seen[path.size] = '\0';
}

static void on_ended(struct zg_exchange *x, const struct zg_request_ended *event, void *user)
{
	(void)x;
	note(user);
	note("> ");
	ended = *event;
}

static void on_failed(const struct zg_failed *event, void *user)
{
	note(user);
	note("! ");
	failed = *event;
}

static int serve(struct zg_exchange *x)
{
	note(". ");
	return zg_reply_text(x, 200, "served\n");
}

static int serve_large(struct zg_exchange *x)
{
	static char body[5000];

	memset(body, 'x', sizeof(body));
	return zg_reply(x, 200, ZG_SLICE("text/plain"), (struct zg_slice){body, sizeof(body)});
}

static int serve_pending(struct zg_exchange *x)
{
	note(". ");
	(void)zg_exchange_handle(x);
	return ZG_PENDING;
}

static int serve_failing(struct zg_exchange *x)
{
	(void)x;
	return -EIO;
}

static int serve_nothing(struct zg_exchange *x)
{
	(void)x;
	return 0;
}

static int take_piece(struct zg_exchange *x, const struct zg_piece *piece, void *user)
{
	(void)user;
	note(". ");
	return piece->is_last ? zg_reply_text(x, 200, "taken\n") : 0;
}

static int serve_upload(struct zg_exchange *x)
{
	return zg_body_read(x, take_piece, NULL);
}

/* As many pieces as are left, then the end, or a failure. */
static int pieces_left;
static int last_word;

static int make_piece(struct zg_exchange *x, void *user)
{
	static char letters[2000];

	(void)user;
	memset(letters, 'x', sizeof(letters));
	if (pieces_left-- == 0)
		return last_word;
	(void)!zg_stream_write(x, (struct zg_slice){letters, sizeof(letters)});
	return 0;
}

static int serve_stream(struct zg_exchange *x)
{
	return zg_reply_stream(x, 200, ZG_SLICE("text/plain"), make_piece, NULL);
}

static const struct exchange_fixture_route routes[] = {
	{ZG_METHOD_GET, "/stream", serve_stream},
	{ZG_METHOD_GET, "/", serve},
	{ZG_METHOD_POST, "/", serve},
	{ZG_METHOD_GET, "/large", serve_large},
	{ZG_METHOD_GET, "/pending", serve_pending},
	{ZG_METHOD_GET, "/failing", serve_failing},
	{ZG_METHOD_GET, "/nothing", serve_nothing},
	{ZG_METHOD_COUNT, NULL, NULL},
};

static void hook(const char *name)
{
	zgi_hooks_add(&hooks, &(struct zg_hooks){
				      .request_started = on_started,
				      .request_ended = on_ended,
				      .failed = on_failed,
				      .user = (void *)(uintptr_t)name,
			      });
	fixture.web.has_request_hooks = hooks.has_request;
}

static int setup(void **state)
{
	(void)state;
	trace[0] = '\0';
	memset(&hooks, 0, sizeof(hooks));
	memset(&ended, 0, sizeof(ended));
	memset(&failed, 0, sizeof(failed));
	exchange_fixture_open(&fixture, routes);
	assert_int_equal(zgi_router_add_streamed(fixture.router, ZG_METHOD_POST, "/upload",
						 serve_upload, 1000),
			 0);
	fixture.web.stream_size_max = UINT64_MAX;
	fixture.web.hooks = &hooks;
	pieces_left = 3;
	last_word = ZG_STREAM_END;
	hook("");
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
	exchange_fixture_forget(&fixture);
	return exchange_fixture_feed(&fixture, text, strlen(text), SIZE_MAX);
}

static int resume_reply(struct zg_exchange *x, void *user)
{
	(void)user;
	return zg_reply_text(x, 202, "resumed\n");
}

#define HEAD_OF(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

static void a_request_starts_and_ends(void **state)
{
	(void)state;
	assert_int_equal(feed(HEAD_OF("/")), ZGI_WANT_IDLE);
	assert_string_equal(trace, "< . > ");
	assert_string_equal(path_seen, "/");
	assert_int_equal(ended.status, 200);
	assert_false(ended.is_aborted);
	assert_int_equal(ended.bytes_in, strlen(HEAD_OF("/")));
	assert_int_equal(ended.bytes_out, strlen(exchange_fixture_output(&fixture)));
	assert_true(ended.started_ns > 0);
}

static void every_one_of_many_is_told(void **state)
{
	(void)state;
	feed(HEAD_OF("/") HEAD_OF("/") HEAD_OF("/x"));
	assert_string_equal(trace, "< . > < . > < > ");
	assert_int_equal(ended.status, 404);
	assert_string_equal(path_seen, "/x");
}

static void hooks_are_called_in_the_order_they_were_registered(void **state)
{
	(void)state;
	hook("2");
	feed(HEAD_OF("/"));
	assert_string_equal(trace, "< 2< . > 2> ");
}

static void a_hook_that_is_not_there_is_not_called(void **state)
{
	(void)state;
	zgi_hooks_add(&hooks, &(struct zg_hooks){.user = NULL});
	feed(HEAD_OF("/"));
	assert_string_equal(trace, "< . > ");
}

static void the_start_comes_before_the_body(void **state)
{
	const char *head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";

	(void)state;
	assert_int_equal(feed(head), ZGI_WANT_RECV);
	assert_string_equal(trace, "< ");
	feed("hello");
	assert_string_equal(trace, "< . > ");
	assert_int_equal(ended.bytes_in, strlen(head) + 5);
}

static void chunks_are_counted_without_their_wrapping(void **state)
{
	const char *head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

	(void)state;
	feed(head);
	feed("3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
	assert_int_equal(ended.bytes_in, strlen(head) + 5);
}

static void a_pending_request_ends_with_its_reply(void **state)
{
	(void)state;
	assert_int_equal(feed(HEAD_OF("/pending")), ZGI_WANT_PENDING);
	assert_string_equal(trace, "< . ");
	assert_int_equal(zgi_exchange_resume(fixture.x, resume_reply, NULL), 0);
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_IDLE);
	assert_string_equal(trace, "< . > ");
	assert_int_equal(ended.status, 202);
}

static void a_large_reply_ends_when_it_is_sent(void **state)
{
	const void *data;
	size_t size;
	bool has_more;

	(void)state;
	exchange_fixture_put(&fixture, HEAD_OF("/large"), strlen(HEAD_OF("/large")));
	assert_int_equal(zgi_exchange_run(fixture.x), ZGI_WANT_SEND);
	zgi_exchange_send_window(fixture.x, &data, &size, &has_more);
	exchange_fixture_sent(&fixture, data, size);
	assert_string_equal(trace, "< ");
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_IDLE);
	assert_string_equal(trace, "< > ");
	assert_int_equal(ended.bytes_out, strlen(exchange_fixture_output(&fixture)));
	assert_true(ended.bytes_out > 5000);
}

static void a_reply_that_is_cut_off_is_aborted(void **state)
{
	const void *data;
	size_t size;
	bool has_more;

	(void)state;
	exchange_fixture_put(&fixture, HEAD_OF("/large"), strlen(HEAD_OF("/large")));
	assert_int_equal(zgi_exchange_run(fixture.x), ZGI_WANT_SEND);
	zgi_exchange_send_window(fixture.x, &data, &size, &has_more);
	exchange_fixture_sent(&fixture, data, size);
	exchange_fixture_renew(&fixture);
	assert_string_equal(trace, "< > ");
	assert_true(ended.is_aborted);
	assert_int_equal(ended.status, 200);
	assert_int_equal(ended.bytes_out, size);
}

static void a_request_whose_client_has_gone_has_no_status(void **state)
{
	(void)state;
	feed(HEAD_OF("/pending"));
	exchange_fixture_renew(&fixture);
	assert_string_equal(trace, "< . > ");
	assert_true(ended.is_aborted);
	assert_int_equal(ended.status, 0);
	assert_int_equal(ended.bytes_out, 0);
}

static void a_quiet_connection_ends_without_a_request(void **state)
{
	(void)state;
	feed(HEAD_OF("/"));
	exchange_fixture_renew(&fixture);
	assert_string_equal(trace, "< . > ");
}

static void what_cannot_be_understood_is_told_too(void **state)
{
	const char *request = "GET / HTTP/1.1\r\nHost: a b\r\n\r\n";

	(void)state;
	assert_int_equal(feed(request), ZGI_WANT_LINGER);
	assert_string_equal(trace, "< ! > ");
	assert_string_equal(path_seen, "");
	assert_int_equal(ended.status, 400);
	assert_int_equal(ended.bytes_in, strlen(request));
	assert_int_equal(failed.kind, ZG_FAILURE_REQUEST);
	assert_int_equal(failed.status, 400);
	assert_string_equal(failed.text, "Host is missing, doubled or malformed");
	assert_ptr_equal(failed.x, fixture.x);
	assert_int_equal(fixture.x->why_closing, ZG_DISCONNECT_FAULTY);
}

static void too_large_a_body_is_told(void **state)
{
	(void)state;
	feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n");
	assert_string_equal(trace, "< ! > ");
	assert_int_equal(ended.status, 413);
	assert_int_equal(failed.status, 413);
}

static void a_handler_that_fails_is_told(void **state)
{
	(void)state;
	feed(HEAD_OF("/failing"));
	assert_string_equal(trace, "< ! > ");
	assert_int_equal(ended.status, 500);
	assert_int_equal(failed.kind, ZG_FAILURE_HANDLER);
	assert_int_equal(failed.error, -EIO);
	assert_int_equal(failed.status, 500);
	feed(HEAD_OF("/nothing"));
	assert_int_equal(failed.error, 0);
	assert_string_equal(failed.text, "a handler has not replied");
}

static void a_request_that_is_late_is_told(void **state)
{
	(void)state;
	feed(HEAD_OF("/pending"));
	zgi_exchange_fail(fixture.x, 503, "late\n");
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_LINGER);
	assert_string_equal(trace, "< . ! > ");
	assert_int_equal(ended.status, 503);
	assert_int_equal(failed.kind, ZG_FAILURE_TIMEOUT);
	assert_int_equal(fixture.x->why_closing, ZG_DISCONNECT_LATE);
}

static void a_head_that_is_late_is_told(void **state)
{
	(void)state;
	feed("GET / HTTP");
	zgi_exchange_fail(fixture.x, 408, "late\n");
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_LINGER);
	assert_string_equal(trace, "< ! > ");
	assert_int_equal(ended.status, 408);
	assert_int_equal(ended.bytes_in, 10);
}

static void a_streamed_body_is_received_with_its_last_piece(void **state)
{
	const char *head = "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";

	(void)state;
	feed(head);
	feed("he");
	assert_string_equal(trace, "< . ");
	assert_int_equal(fixture.x->record.whole_ns, 0);
	feed("llo");
	assert_string_equal(trace, "< . . > ");
	assert_int_equal(ended.bytes_in, strlen(head) + 5);
	assert_true(fixture.x->record.whole_ns < fixture.x->record.replied_ns);
}

static void a_streamed_body_that_breaks_off_is_as_long_as_it_was(void **state)
{
	const char *head = "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";

	(void)state;
	feed(head);
	feed("he");
	exchange_fixture_renew(&fixture);
	assert_string_equal(trace, "< . > ");
	assert_true(ended.is_aborted);
	assert_int_equal(ended.bytes_in, strlen(head) + 2);
}

static void a_streamed_reply_ends_with_its_last_piece(void **state)
{
	(void)state;
	assert_int_equal(feed(HEAD_OF("/stream")), ZGI_WANT_IDLE);
	assert_string_equal(trace, "< > ");
	assert_false(ended.is_aborted);
	assert_true(ended.bytes_out > 2 * fixture.web.write_buffer_size);
	assert_int_equal(ended.bytes_out, strlen(exchange_fixture_output(&fixture)));
}

static void a_streamed_reply_is_as_long_as_what_went_out_of_it(void **state)
{
	const void *data;
	size_t size;
	size_t sent = 0;
	size_t before = 0; /* of them, the reply that is waiting in front of it */
	bool has_more;

	(void)state;
	exchange_fixture_put(&fixture, HEAD_OF("/") HEAD_OF("/stream"),
			     strlen(HEAD_OF("/") HEAD_OF("/stream")));
	for (uint32_t count = 0; count < 2; count++) {
		assert_int_equal(zgi_exchange_run(fixture.x), ZGI_WANT_SEND);
		before = ended.bytes_out;
		zgi_exchange_send_window(fixture.x, &data, &size, &has_more);
		exchange_fixture_sent(&fixture, data, size);
		sent += size;
	}
	assert_int_equal(zgi_exchange_run(fixture.x), ZGI_WANT_SEND);
	exchange_fixture_renew(&fixture);
	assert_true(ended.is_aborted);
	assert_int_equal(ended.bytes_out, sent - before);
}

static void a_streamed_reply_that_fails_is_aborted(void **state)
{
	(void)state;
	last_word = -EIO;
	assert_int_equal(feed(HEAD_OF("/stream")), ZGI_WANT_CLOSE);
	assert_string_equal(trace, "< ! > ");
	assert_true(ended.is_aborted);
	assert_int_equal(failed.kind, ZG_FAILURE_HANDLER);
	assert_int_equal(failed.status, 200);
	assert_int_equal(failed.error, -EIO);
}

static void a_streamed_reply_that_is_late_is_aborted(void **state)
{
	(void)state;
	pieces_left = 1;
	last_word = ZG_PENDING;
	assert_int_equal(feed(HEAD_OF("/stream")), ZGI_WANT_PENDING);
	zgi_exchange_fail(fixture.x, 503, "too late");
	assert_int_equal(exchange_fixture_run(&fixture), ZGI_WANT_CLOSE);
	assert_string_equal(trace, "< ! > ");
	assert_true(ended.is_aborted);
	assert_int_equal(failed.kind, ZG_FAILURE_TIMEOUT);
	assert_int_equal(fixture.x->why_closing, ZG_DISCONNECT_LATE);
}

static void every_reason_has_a_sentence(void **state)
{
	(void)state;
	for (int why = 0; why < ZG_DISCONNECT_COUNT; why++)
		assert_true(strlen(zg_disconnect_text((enum zg_disconnect)why)) > 10);
	assert_string_equal(zg_disconnect_text(ZG_DISCONNECT_STOPPED), "the service has stopped");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_request_starts_and_ends),
		test(every_one_of_many_is_told),
		test(hooks_are_called_in_the_order_they_were_registered),
		test(a_hook_that_is_not_there_is_not_called),
		test(the_start_comes_before_the_body),
		test(chunks_are_counted_without_their_wrapping),
		test(a_pending_request_ends_with_its_reply),
		test(a_large_reply_ends_when_it_is_sent),
		test(a_reply_that_is_cut_off_is_aborted),
		test(a_request_whose_client_has_gone_has_no_status),
		test(a_quiet_connection_ends_without_a_request),
		test(what_cannot_be_understood_is_told_too),
		test(too_large_a_body_is_told),
		test(a_handler_that_fails_is_told),
		test(a_request_that_is_late_is_told),
		test(a_head_that_is_late_is_told),
		test(a_streamed_body_is_received_with_its_last_piece),
		test(a_streamed_body_that_breaks_off_is_as_long_as_it_was),
		test(a_streamed_reply_ends_with_its_last_piece),
		test(a_streamed_reply_is_as_long_as_what_went_out_of_it),
		test(a_streamed_reply_that_fails_is_aborted),
		test(a_streamed_reply_that_is_late_is_aborted),
		test(every_reason_has_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
