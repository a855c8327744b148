/*
 * What the hooks of an application are told of connections, on a shard with a fake
 * I/O object and a clock of the test's.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/shard_fixture.h"
#include "server/tell.h"
#include "web/hooks.h"

#define NOBODY ((enum zg_disconnect)ZG_DISCONNECT_COUNT)

static struct shard_fixture *fixture;
static struct zgi_hooks hooks;
static uint32_t connected_count;
static uint32_t disconnected_count;
static uint32_t request_count; /* started and not ended */
static uint32_t aborted_count;
static uint64_t connected_number;
static struct zg_disconnected gone;
static struct zg_failed failed;

static void on_connected(const struct zg_connected *event, void *user)
{
	(void)user;
	connected_count++;
	connected_number = event->connection;
}

static void on_disconnected(const struct zg_disconnected *event, void *user)
{
	(void)user;
	disconnected_count++;
	gone = *event;
}

static void on_started(struct zg_exchange *x, void *user)
{
	(void)user;
	assert_true(zg_exchange_connection(x) == connected_number);
	assert_int_equal(zg_shard_index(zg_exchange_shard(x)), 0);
	request_count++;
}

static void on_ended(struct zg_exchange *x, const struct zg_request_ended *event, void *user)
{
	(void)x;
	(void)user;
	request_count--;
	aborted_count += event->is_aborted;
}

static void on_failed(const struct zg_failed *event, void *user)
{
	(void)user;
	failed = *event;
}

static int serve(struct zg_exchange *x)
{
	return zg_reply_text(x, 200, "served\n");
}

static int serve_pending(struct zg_exchange *x)
{
	(void)x;
	return ZG_PENDING;
}

static void routes(struct zgi_router *router)
{
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/", serve), 0);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/pending", serve_pending), 0);
}

static void change(struct zg_options *options)
{
	options->idle_timeout_ms = 1000;
	options->header_timeout_ms = 500;
	options->write_timeout_ms = 500;
	options->exchange_wait_ms_max = 300;
}

static int setup(void **state)
{
	static const struct shard_fixture_options options = {
		.connection_limit = 2,
		.exchange_count = 1,
		.chunk_count = 1,
		.routes = routes,
		.change = change,
		.hooks = &hooks,
	};

	(void)state;
	memset(&hooks, 0, sizeof(hooks));
	zgi_hooks_add(&hooks, &(struct zg_hooks){
				      .connected = on_connected,
				      .request_started = on_started,
				      .request_ended = on_ended,
				      .disconnected = on_disconnected,
				      .failed = on_failed,
			      });
	connected_count = 0;
	disconnected_count = 0;
	request_count = 0;
	aborted_count = 0;
	gone = (struct zg_disconnected){.why = NOBODY};
	memset(&failed, 0, sizeof(failed));
	fixture = shard_fixture_open(&options);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	shard_fixture_close(fixture);
	return 0;
}

#define HEAD_OF(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

/* The connection is gone, once and for this reason. */
static void assert_gone(enum zg_disconnect why)
{
	assert_int_equal(disconnected_count, 1);
	assert_int_equal(gone.why, why);
	assert_int_equal(request_count, 0);
}

static void linger_to_the_end(uint32_t peer)
{
	shard_fixture_take(fixture, peer);
	shard_fixture_complete(fixture, peer, 0); /* our end of the stream */
	shard_fixture_complete(fixture, peer, 0); /* the peer's */
}

static void a_connection_is_told_with_its_number(void **state)
{
	uint32_t peer = shard_fixture_connect(fixture);
	uint64_t first = connected_number;

	(void)state;
	assert_int_equal(connected_count, 1);
	assert_int_equal(first & 0xffffff, peer);
	shard_fixture_send(fixture, peer, HEAD_OF("/"));
	/* It was parked: a poll tells that there is something, a receive that it is the end. */
	shard_fixture_complete(fixture, peer, POLLIN | POLLRDHUP);
	shard_fixture_complete(fixture, peer, 0);
	assert_gone(ZG_DISCONNECT_PEER);
	assert_true(gone.connection == first);
	shard_fixture_connect(fixture);
	assert_true(connected_number != first);
}

static void a_reset_is_an_error(void **state)
{
	uint32_t peer = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_complete(fixture, peer, POLLERR | POLLHUP);
	assert_gone(ZG_DISCONNECT_ERROR);
}

static void the_last_reply_ends_it(void **state)
{
	uint32_t peer = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_send(fixture, peer, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	assert_gone(ZG_DISCONNECT_REPLIED);
}

static void a_fault_ends_it(void **state)
{
	uint32_t peer = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_send(fixture, peer, "bad\r\n\r\n");
	assert_int_equal(disconnected_count, 0);
	linger_to_the_end(peer);
	assert_gone(ZG_DISCONNECT_FAULTY);
	assert_int_equal(failed.kind, ZG_FAILURE_REQUEST);
}

static void silence_ends_it(void **state)
{
	uint32_t peer = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_pass(fixture, 12);
	shard_fixture_complete(fixture, peer, -ECANCELED);
	assert_gone(ZG_DISCONNECT_IDLE);
}

static void a_late_head_ends_it(void **state)
{
	uint32_t peer = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_send(fixture, peer, "GET / HT");
	shard_fixture_pass(fixture, 8);
	shard_fixture_complete(fixture, peer, -ECANCELED);
	assert_int_equal(failed.kind, ZG_FAILURE_TIMEOUT);
	linger_to_the_end(peer);
	assert_gone(ZG_DISCONNECT_LATE);
}

static void the_oldest_makes_room(void **state)
{
	uint32_t peer = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_connect(fixture);
	shard_fixture_connect(fixture);
	shard_fixture_complete(fixture, peer, -ECANCELED);
	assert_gone(ZG_DISCONNECT_EVICTED);
	assert_int_equal(gone.connection & 0xffffff, peer);
	assert_int_equal(fixture->shard->leaving_count, 0);
}

static void who_waits_too_long_is_refused(void **state)
{
	uint32_t first = shard_fixture_connect(fixture);
	uint32_t second;

	(void)state;
	shard_fixture_send(fixture, first, HEAD_OF("/pending"));
	second = shard_fixture_connect(fixture);
	shard_fixture_send(fixture, second, HEAD_OF("/"));
	shard_fixture_pass(fixture, 6);
	assert_int_equal(failed.kind, ZG_FAILURE_REFUSED);
	assert_int_equal(failed.status, 503);
	assert_null(failed.x);
	linger_to_the_end(second);
	assert_int_equal(disconnected_count, 1);
	assert_int_equal(gone.why, ZG_DISCONNECT_REFUSED);
	assert_int_equal(request_count, 1);
}

static void a_drain_ends_who_is_idle(void **state)
{
	uint32_t peer = shard_fixture_connect(fixture);

	(void)state;
	zgi_shard_command(fixture->shard, ZGI_SHARD_DRAIN);
	fake_io_woken(&fixture->fake);
	shard_fixture_turn(fixture);
	shard_fixture_complete(fixture, peer, -ECANCELED);
	assert_gone(ZG_DISCONNECT_DRAINED);
}

static void a_stop_ends_all(void **state)
{
	uint32_t peer = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_send(fixture, peer, HEAD_OF("/pending"));
	assert_int_equal(request_count, 1);
	zgi_tell_stopped(fixture->shard);
	assert_gone(ZG_DISCONNECT_STOPPED);
	assert_int_equal(aborted_count, 1);
}

static void an_accept_that_fails_is_told(void **state)
{
	(void)state;
	fake_io_accept_fail(&fixture->fake, -ECONNABORTED);
	shard_fixture_turn(fixture);
	assert_int_equal(failed.kind, ZG_FAILURE_ACCEPT);
	assert_int_equal(failed.error, -ECONNABORTED);
	assert_int_equal(connected_count, 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_connection_is_told_with_its_number),
		test(a_reset_is_an_error),
		test(the_last_reply_ends_it),
		test(a_fault_ends_it),
		test(silence_ends_it),
		test(a_late_head_ends_it),
		test(the_oldest_makes_room),
		test(who_waits_too_long_is_refused),
		test(a_drain_ends_who_is_idle),
		test(a_stop_ends_all),
		test(an_accept_that_fails_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
