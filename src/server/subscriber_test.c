/*
 * A subscriber, event by event, on a fake I/O object: told of news, kept awake, and let
 * go of, without an exchange.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <zerog/app.h>

#include "server/shard_fixture.h"
#include "server/subscriber.h"
#include "web/topic.h"

#define WATCH "GET /watch HTTP/1.1\r\nHost: a\r\n\r\n"
#define EVENTS 4
#define SUBSCRIBERS 2

static struct shard_fixture *fixture;
static struct zg_app app;
static struct zg_topic topic;
static alignas(64) unsigned char memory[16384];

static int serve_watch(struct zg_exchange *x)
{
	return zg_sse_start(x, &topic);
}

static int serve_failing(struct zg_exchange *x)
{
	assert_int_equal(zg_sse_start(x, &topic), 0);
	return -EIO;
}

static void routes(struct zgi_router *router)
{
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/watch", serve_watch), 0);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/failing", serve_failing), 0);
}

static void change(struct zg_options *options)
{
	options->topics = 1;
	options->subscribers = SUBSCRIBERS;
	options->topic_events = EVENTS;
	options->event_size_max = 128;
}

static int open_shard(void **state)
{
	(void)state;
	zg_app_init(&app, "subscriber_test");
	zg_topic_init(&topic, &app, &(struct zg_topic_options){.name = "test", .retry_ms = 250});
	zgi_topics_open(&(struct zgi_topics_room){
		.memory = memory, .event_count = EVENTS, .event_size_max = 128, .epoch = 0xe});
	fixture = shard_fixture_open(&(struct shard_fixture_options){
		.connection_limit = 8,
		.exchange_count = 4,
		.chunk_count = 1,
		.routes = routes,
		.change = change,
	});
	return 0;
}

static int close_shard(void **state)
{
	(void)state;
	shard_fixture_close(fixture);
	zgi_topics_close();
	return 0;
}

static void publish(const char *data)
{
	assert_int_equal(
		zgi_topic_publish(&topic, ZG_SLICE(""), (struct zg_slice){data, strlen(data)}), 0);
	fixture->shard->has_news = 1;
	fake_io_woken(&fixture->fake);
	shard_fixture_turn(fixture);
}

static uint32_t subscribe(const char *request)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	shard_fixture_send(fixture, descriptor, request);
	shard_fixture_take(fixture, descriptor);
	return descriptor;
}

/* News: the poll is cancelled, what is published is sent, and all of it is taken. */
static const char *told(uint32_t descriptor)
{
	assert_int_equal(shard_fixture_state(fixture, descriptor), ZGI_CONNECTION_ROUSING);
	assert_true(fixture->fake.descriptors[descriptor].is_cancelled);
	shard_fixture_complete(fixture, descriptor, -ECANCELED);
	assert_int_equal(shard_fixture_state(fixture, descriptor), ZGI_CONNECTION_TELLING);
	shard_fixture_take(fixture, descriptor);
	assert_int_equal(shard_fixture_state(fixture, descriptor), ZGI_CONNECTION_SUBSCRIBED);
	return shard_fixture_output(fixture, descriptor);
}

static void assert_exchanges_free(void)
{
	assert_int_equal(fixture->shard->exchanges.free_count,
			 fixture->shard->exchanges.block_count);
}

static void assert_gone(uint32_t descriptor)
{
	assert_int_equal(shard_fixture_state(fixture, descriptor), ZGI_CONNECTION_FREE);
	assert_int_equal(fixture->shard->subscribers.free_count,
			 fixture->shard->subscribers.block_count);
	assert_exchanges_free();
}

static void a_quiet_subscriber_holds_no_exchange(void **state)
{
	uint32_t descriptor = subscribe(WATCH);
	const char *output = shard_fixture_output(fixture, descriptor);

	(void)state;
	assert_non_null(strstr(output, "Content-Type: text/event-stream\r\n"));
	assert_non_null(strstr(output, "Cache-Control: no-cache\r\n"));
	assert_non_null(strstr(output, "Connection: close\r\n"));
	assert_null(strstr(output, "chunked"));
	assert_non_null(strstr(output, "\r\n\r\nretry: 250\n\n"));
	assert_int_equal(shard_fixture_state(fixture, descriptor), ZGI_CONNECTION_SUBSCRIBED);
	assert_int_equal(fake_io_operation(&fixture->fake, descriptor), FAKE_POLL);
	assert_exchanges_free();
}

static void an_event_reaches_all_of_them(void **state)
{
	uint32_t first = subscribe(WATCH);
	uint32_t second = subscribe(WATCH);

	(void)state;
	(void)shard_fixture_output(fixture, first);
	(void)shard_fixture_output(fixture, second);
	publish("hello");
	assert_string_equal(told(first), "id: e-1\ndata: hello\n\n");
	assert_string_equal(told(second), "id: e-1\ndata: hello\n\n");
	assert_int_equal(fixture->shard->counters.events_sent, 2);
}

static void what_is_published_meanwhile_goes_out_in_the_same_send(void **state)
{
	uint32_t descriptor = subscribe(WATCH);

	(void)state;
	(void)shard_fixture_output(fixture, descriptor);
	publish("a");
	publish("b");
	assert_string_equal(told(descriptor), "id: e-1\ndata: a\n\nid: e-2\ndata: b\n\n");
}

static void what_is_published_while_it_is_told_follows(void **state)
{
	uint32_t descriptor = subscribe(WATCH);

	(void)state;
	(void)shard_fixture_output(fixture, descriptor);
	publish("a");
	shard_fixture_complete(fixture, descriptor, -ECANCELED);
	publish("b");
	shard_fixture_complete(fixture, descriptor, 3);
	shard_fixture_take(fixture, descriptor);
	assert_string_equal(shard_fixture_output(fixture, descriptor),
			    "id: e-1\ndata: a\n\nid: e-2\ndata: b\n\n");
	assert_int_equal(shard_fixture_state(fixture, descriptor), ZGI_CONNECTION_SUBSCRIBED);
}

static void events_of_the_largest_size_are_sent_one_by_one(void **state)
{
	static const char data[] =
		"a hundred bytes of data, which with the id and the names of the "
		"lines make nearly all of the limit";
	uint32_t descriptor = subscribe(WATCH);

	(void)state;
	for (int index = 0; index < 3; index++)
		publish(data);
	shard_fixture_complete(fixture, descriptor, -ECANCELED);
	for (int index = 0; index < 3; index++) {
		size_t size = fixture->fake.descriptors[descriptor].size;

		assert_int_equal(fake_io_operation(&fixture->fake, descriptor), FAKE_SEND);
		assert_in_range(size, sizeof(data), 128);
		shard_fixture_complete(fixture, descriptor, (int32_t)size);
	}
	assert_int_equal(shard_fixture_state(fixture, descriptor), ZGI_CONNECTION_SUBSCRIBED);
}

static void a_slow_one_is_told_how_many_it_missed(void **state)
{
	uint32_t descriptor = subscribe(WATCH);

	(void)state;
	(void)shard_fixture_output(fixture, descriptor);
	publish("a");
	shard_fixture_complete(fixture, descriptor, -ECANCELED);
	for (int index = 0; index < EVENTS + 2; index++)
		publish("b");
	shard_fixture_take(fixture, descriptor);
	assert_non_null(strstr(shard_fixture_output(fixture, descriptor),
			       "data: a\n\n: skipped 2\n\nid: e-4\n"));
	assert_int_equal(fixture->shard->counters.events_skipped, 2);
}

static void one_that_comes_back_gets_what_it_missed(void **state)
{
	uint32_t descriptor;

	(void)state;
	publish("a");
	publish("b");
	publish("c");
	descriptor = subscribe("GET /watch HTTP/1.1\r\nHost: a\r\nLast-Event-ID: e-1\r\n\r\n");
	assert_non_null(strstr(shard_fixture_output(fixture, descriptor),
			       "retry: 250\n\nid: e-2\ndata: b\n\nid: e-3\ndata: c\n\n"));
}

static void in_silence_a_comment_is_sent(void **state)
{
	uint32_t descriptor = subscribe(WATCH);

	(void)state;
	(void)shard_fixture_output(fixture, descriptor);
	shard_fixture_pass(fixture, fixture->shard->times.heartbeat + 10);
	assert_string_equal(told(descriptor), ":\n\n");
	assert_int_equal(fixture->shard->counters.heartbeats, 1);
}

static void a_client_that_goes_is_noticed(void **state)
{
	uint32_t descriptor = subscribe(WATCH);

	(void)state;
	shard_fixture_complete(fixture, descriptor, POLLIN | POLLHUP);
	assert_gone(descriptor);
}

static void a_client_that_goes_as_it_is_roused_is_noticed(void **state)
{
	uint32_t descriptor = subscribe(WATCH);

	(void)state;
	publish("a");
	shard_fixture_complete(fixture, descriptor, POLLIN);
	assert_gone(descriptor);
}

static void a_client_that_takes_nothing_is_dropped(void **state)
{
	uint32_t descriptor = subscribe(WATCH);

	(void)state;
	publish("a");
	shard_fixture_complete(fixture, descriptor, -ECANCELED);
	shard_fixture_pass(fixture, fixture->shard->times.write + 10);
	assert_int_equal(shard_fixture_state(fixture, descriptor), ZGI_CONNECTION_CLOSING);
	shard_fixture_complete(fixture, descriptor, -ECANCELED);
	assert_gone(descriptor);
	assert_int_equal(fixture->shard->counters.subscribers_dropped, 1);
}

static void one_too_many_is_asked_to_come_again(void **state)
{
	uint32_t descriptor;

	(void)state;
	(void)subscribe(WATCH);
	(void)subscribe(WATCH);
	descriptor = subscribe(WATCH);
	assert_non_null(
		strstr(shard_fixture_output(fixture, descriptor), "503 Service Unavailable"));
	assert_int_equal(fixture->shard->counters.subscribers_refused, 1);
}

static void a_client_that_goes_before_the_head_is_sent_leaves_nothing(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	(void)fake_io_deliver(&fixture->fake, descriptor, WATCH, sizeof(WATCH) - 1);
	shard_fixture_turn(fixture);
	assert_int_equal(fake_io_operation(&fixture->fake, descriptor), FAKE_SEND);
	shard_fixture_complete(fixture, descriptor, -ECONNRESET);
	assert_gone(descriptor);
}

static void a_handler_that_fails_after_all_leaves_nothing(void **state)
{
	uint32_t descriptor = subscribe("GET /failing HTTP/1.1\r\nHost: a\r\n\r\n");

	(void)state;
	assert_non_null(strstr(shard_fixture_output(fixture, descriptor), "500 "));
	assert_gone(descriptor);
}

static void head_subscribes_nobody(void **state)
{
	uint32_t descriptor = subscribe("HEAD /watch HTTP/1.1\r\nHost: a\r\n\r\n");

	(void)state;
	assert_non_null(strstr(shard_fixture_output(fixture, descriptor), "text/event-stream"));
	assert_gone(descriptor);
}

static void a_drain_lets_them_go(void **state)
{
	uint32_t quiet = subscribe(WATCH);
	uint32_t busy;

	(void)state;
	busy = subscribe(WATCH);
	publish("a");
	shard_fixture_complete(fixture, quiet, -ECANCELED);
	shard_fixture_take(fixture, quiet);
	shard_fixture_complete(fixture, busy, -ECANCELED);
	fixture->shard->command = ZGI_SHARD_DRAIN;
	fake_io_woken(&fixture->fake);
	shard_fixture_turn(fixture);
	assert_int_equal(shard_fixture_state(fixture, quiet), ZGI_CONNECTION_CLOSING);
	shard_fixture_complete(fixture, quiet, -ECANCELED);
	shard_fixture_take(fixture, busy);
	assert_gone(quiet);
	assert_gone(busy);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_shard, close_shard)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_quiet_subscriber_holds_no_exchange),
		TEST(an_event_reaches_all_of_them),
		TEST(what_is_published_meanwhile_goes_out_in_the_same_send),
		TEST(what_is_published_while_it_is_told_follows),
		TEST(events_of_the_largest_size_are_sent_one_by_one),
		TEST(a_slow_one_is_told_how_many_it_missed),
		TEST(one_that_comes_back_gets_what_it_missed),
		TEST(in_silence_a_comment_is_sent),
		TEST(a_client_that_goes_is_noticed),
		TEST(a_client_that_goes_as_it_is_roused_is_noticed),
		TEST(a_client_that_takes_nothing_is_dropped),
		TEST(one_too_many_is_asked_to_come_again),
		TEST(a_client_that_goes_before_the_head_is_sent_leaves_nothing),
		TEST(a_handler_that_fails_after_all_leaves_nothing),
		TEST(head_subscribes_nobody),
		TEST(a_drain_lets_them_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
