/*
 * What becomes of a connection, event by event, on a fake I/O object that asserts
 * the contract of io/io.h on the way.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <zerog/fault.h>

#include "server/shard_fixture.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_LARGE "GET /large HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_PENDING "GET /pending HTTP/1.1\r\nHost: a\r\n\r\n"

static struct shard_fixture *fixture;
static zg_handle pending;

static int serve_hello(struct zg_exchange *x)
{
	return zg_reply_text(x, 200, "Hello");
}

static int serve_pending(struct zg_exchange *x)
{
	pending = zg_exchange_handle(x);
	return ZG_PENDING;
}

static int serve_echo(struct zg_exchange *x)
{
	return zg_reply(x, 200, ZG_SLICE("text/plain"), zg_request_body(x));
}

static int serve_large(struct zg_exchange *x)
{
	static char body[20000];

	memset(body, 'x', sizeof(body));
	return zg_reply(x, 200, ZG_SLICE("text/plain"), (struct zg_slice){body, sizeof(body)});
}

static void routes(struct zgi_router *router)
{
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/", serve_hello), 0);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/pending", serve_pending), 0);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/large", serve_large), 0);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_POST, "/echo", serve_echo), 0);
}

static int open_with(uint32_t connection_limit, uint32_t exchange_count)
{
	struct shard_fixture_options options = {
		.connection_limit = connection_limit,
		.exchange_count = exchange_count,
		.chunk_count = 2,
		.routes = routes,
	};

	fixture = shard_fixture_open(&options);
	return 0;
}

static int open_roomy(void **state)
{
	(void)state;
	return open_with(32, 8);
}

/* One exchange, which the next request gets. */
static int open_narrow(void **state)
{
	(void)state;
	return open_with(32, 1);
}

static int close_shard(void **state)
{
	(void)state;
	zg_fault_disarm(NULL);
	shard_fixture_close(fixture);
	return 0;
}

static void assert_state(uint32_t descriptor, enum zgi_connection_state state)
{
	assert_int_equal(shard_fixture_state(fixture, descriptor), state);
}

static void assert_output_begins(uint32_t descriptor, const char *text)
{
	const char *output = shard_fixture_output(fixture, descriptor);

	if (strncmp(output, text, strlen(text)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", output, text);
}

static void assert_gone(uint32_t descriptor)
{
	assert_state(descriptor, ZGI_CONNECTION_FREE);
	assert_false(fixture->fake.descriptors[descriptor].is_open);
}

static void assert_all_free(void)
{
	assert_int_equal(fixture->shard->exchanges.free_count,
			 fixture->shard->exchanges.block_count);
	assert_int_equal(fixture->shard->chunks.free_count, fixture->shard->chunks.block_count);
	assert_int_equal(fixture->shard->waiting_count, 0);
	assert_int_equal(fixture->shard->hot_count, 0);
	assert_int_equal(fixture->shard->exchanges.misuse_count, 0);
}

static struct fake_descriptor *peer(uint32_t descriptor)
{
	return &fixture->fake.descriptors[descriptor];
}

/* A connection that was hot and has been parked. */
static uint32_t connect_parked(void)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	if (shard_fixture_state(fixture, descriptor) == ZGI_CONNECTION_HOT) {
		shard_fixture_pass(fixture, fixture->shard->times.hot);
		assert_state(descriptor, ZGI_CONNECTION_PARKING);
		shard_fixture_complete(fixture, descriptor, -ECANCELED);
	}
	assert_state(descriptor, ZGI_CONNECTION_PARKED);
	return descriptor;
}

static void resume(zg_handle handle, zg_resume_handler *then)
{
	struct zgi_message message = {.handle = handle, .then = then};

	assert_int_equal(zgi_inbox_send(&fixture->shard->inbox, &message), 0);
	fake_io_woken(&fixture->fake);
	shard_fixture_turn(fixture);
}

static int then_hello(struct zg_exchange *x, void *user)
{
	(void)user;
	return zg_reply_text(x, 200, "Late hello");
}

/* Parked and hot. */

static void a_new_connection_is_hot_while_exchanges_are_plenty(void **state)
{
	(void)state;
	/* A quarter of the eight is kept from quiet connections. */
	for (uint32_t index = 0; index < 6; index++)
		assert_state(shard_fixture_connect(fixture), ZGI_CONNECTION_HOT);
	assert_state(shard_fixture_connect(fixture), ZGI_CONNECTION_PARKED);
	assert_int_equal(fixture->shard->exchanges.free_count, 2);
}

static void a_quiet_connection_is_parked_and_holds_nothing(void **state)
{
	uint32_t descriptor = connect_parked();

	(void)state;
	assert_int_equal(fake_io_operation(&fixture->fake, descriptor), FAKE_POLL);
	assert_int_equal(fixture->shard->connections[descriptor].link, ZGI_CONNECTION_NONE);
	assert_all_free();
}

static void a_connection_that_was_quiet_for_long_is_served_and_parked(void **state)
{
	uint32_t descriptor = connect_parked();

	(void)state;
	shard_fixture_send(fixture, descriptor, GET);
	assert_output_begins(descriptor, "HTTP/1.1 200 OK\r\n");
	assert_state(descriptor, ZGI_CONNECTION_PARKED);
	assert_int_equal(fixture->shard->counters.unparked, 1);
	assert_all_free();
}

static void one_that_was_quiet_before_its_exchange_was_taken_is_parked(void **state)
{
	uint32_t descriptor = connect_parked();

	(void)state;
	shard_fixture_pass(fixture, 50);
	shard_fixture_send(fixture, descriptor, GET);
	assert_state(descriptor, ZGI_CONNECTION_PARKED);
}

static void a_parked_connection_that_asks_soon_again_becomes_hot(void **state)
{
	uint32_t descriptor = connect_parked();

	(void)state;
	shard_fixture_send(fixture, descriptor, GET);
	shard_fixture_output(fixture, descriptor);
	shard_fixture_pass(fixture, fixture->shard->times.hot - 1);
	shard_fixture_send(fixture, descriptor, GET);
	assert_output_begins(descriptor, "HTTP/1.1 200 OK\r\n");
	assert_state(descriptor, ZGI_CONNECTION_HOT);
	assert_int_equal(fixture->shard->counters.unparked, 2);
	shard_fixture_output(fixture, descriptor);
	shard_fixture_send(fixture, descriptor, GET);
	assert_int_equal(fixture->shard->counters.unparked, 2);

	/* One reply, not the first once more. */
	const char *output = shard_fixture_output(fixture, descriptor);

	assert_memory_equal(output, "HTTP/1.1 200 OK\r\n", 17);
	assert_null(strstr(output + 1, "HTTP/1.1"));
}

static void data_that_beats_the_parking_is_served(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_pass(fixture, fixture->shard->times.hot);
	assert_state(descriptor, ZGI_CONNECTION_PARKING);
	shard_fixture_send(fixture, descriptor, GET);
	assert_output_begins(descriptor, "HTTP/1.1 200 OK\r\n");
	assert_state(descriptor, ZGI_CONNECTION_HOT);
}

static void an_end_that_beats_the_parking_closes(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_pass(fixture, fixture->shard->times.hot);
	shard_fixture_complete(fixture, descriptor, 0);
	assert_gone(descriptor);
	assert_all_free();
}

static void a_parked_connection_that_was_reset_takes_no_exchange(void **state)
{
	uint32_t descriptor = connect_parked();
	uint64_t unparked = fixture->shard->counters.unparked;

	(void)state;
	shard_fixture_complete(fixture, descriptor, POLLIN | POLLHUP | POLLERR);
	assert_gone(descriptor);
	assert_int_equal(fixture->shard->counters.unparked, unparked);
}

static void the_end_of_a_stream_closes(void **state)
{
	uint32_t hot = shard_fixture_connect(fixture);
	uint32_t begun = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_complete(fixture, hot, 0);
	assert_gone(hot);
	shard_fixture_send(fixture, begun, "GET / HT");
	assert_state(begun, ZGI_CONNECTION_RECEIVING);
	shard_fixture_complete(fixture, begun, 0);
	assert_gone(begun);
	assert_all_free();
}

static void a_reset_in_a_send_closes(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	fake_io_deliver(&fixture->fake, descriptor, GET_LARGE, strlen(GET_LARGE));
	shard_fixture_turn(fixture);
	assert_state(descriptor, ZGI_CONNECTION_SENDING);
	shard_fixture_complete(fixture, descriptor, -ECONNRESET);
	assert_gone(descriptor);
	assert_all_free();
}

static void a_slot_that_is_used_again_has_another_tag(void **state)
{
	uint32_t first = shard_fixture_connect(fixture);
	uint64_t tag = peer(first)->tag;

	(void)state;
	shard_fixture_complete(fixture, first, 0);
	assert_int_equal(shard_fixture_connect(fixture), first);
	assert_int_not_equal(peer(first)->tag, tag);
	assert_true(peer(first)->tag < UINT64_C(1) << 62);
}

/* Sending. */

static void short_sends_go_on_where_they_stopped(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);
	const char *output;
	size_t body_size = 0;

	(void)state;
	fake_io_deliver(&fixture->fake, descriptor, GET_LARGE, strlen(GET_LARGE));
	shard_fixture_turn(fixture);
	for (int32_t size = 1; fake_io_operation(&fixture->fake, descriptor) == FAKE_SEND; size++) {
		int32_t left = (int32_t)peer(descriptor)->size;

		shard_fixture_complete(fixture, descriptor, size < left ? size : left);
	}
	output = strstr(shard_fixture_output(fixture, descriptor), "\r\n\r\n");
	assert_non_null(output);
	for (output += 4; *output == 'x'; output++)
		body_size++;
	assert_int_equal(body_size, 20000);
	assert_int_equal(*output, '\0');
	assert_state(descriptor, ZGI_CONNECTION_HOT);
}

static void a_last_reply_that_stalls_is_sent_by_itself(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);
	const char *output;

	(void)state;
	fake_io_deliver(&fixture->fake, descriptor, GET, strlen(GET));
	shard_fixture_turn(fixture);
	assert_int_equal(fake_io_operation(&fixture->fake, descriptor), FAKE_SEND_RECV);
	fake_io_stall(&fixture->fake, descriptor, 9);
	shard_fixture_turn(fixture);
	assert_state(descriptor, ZGI_CONNECTION_STALLED);
	shard_fixture_complete(fixture, descriptor, -ECANCELED);
	assert_state(descriptor, ZGI_CONNECTION_SENDING);
	shard_fixture_take(fixture, descriptor);
	output = shard_fixture_output(fixture, descriptor);
	assert_non_null(strstr(output, "HTTP/1.1 200 OK\r\n"));
	assert_string_equal(strstr(output, "\r\n\r\n"), "\r\n\r\nHello");
	assert_state(descriptor, ZGI_CONNECTION_HOT);
}

static void a_request_that_comes_with_a_stall_is_answered_after_it(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);
	const char *output;

	(void)state;
	fake_io_deliver(&fixture->fake, descriptor, GET, strlen(GET));
	shard_fixture_turn(fixture);
	fake_io_stall(&fixture->fake, descriptor, -EAGAIN);
	fake_io_deliver(&fixture->fake, descriptor, GET, strlen(GET));
	shard_fixture_turn(fixture);
	assert_state(descriptor, ZGI_CONNECTION_SENDING);
	shard_fixture_take(fixture, descriptor);
	output = strstr(shard_fixture_output(fixture, descriptor), "HelloHTTP/1.1 200 OK\r\n");
	assert_non_null(output);
	assert_non_null(strstr(output + 5, "\r\n\r\nHello"));
}

static void a_stall_during_the_parking_is_mended(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	fake_io_deliver(&fixture->fake, descriptor, GET, strlen(GET));
	shard_fixture_turn(fixture);
	shard_fixture_pass(fixture, fixture->shard->times.hot);
	assert_state(descriptor, ZGI_CONNECTION_PARKING);
	fake_io_stall(&fixture->fake, descriptor, 1);
	fake_io_complete(&fixture->fake, descriptor, -ECANCELED);
	shard_fixture_turn(fixture);
	assert_state(descriptor, ZGI_CONNECTION_SENDING);
	shard_fixture_take(fixture, descriptor);
	assert_output_begins(descriptor, "HTTP/1.1 200 OK\r\n");
}

/* Waiting for an exchange. */

static void those_who_wait_are_served_in_their_order(void **state)
{
	uint32_t busy = connect_parked();
	uint32_t waiting[3];

	(void)state;
	shard_fixture_send(fixture, busy, GET_PENDING);
	assert_state(busy, ZGI_CONNECTION_PENDING);
	for (uint32_t index = 0; index < 3; index++)
		waiting[index] = connect_parked();
	/* Not in the order of their slots. */
	shard_fixture_complete(fixture, waiting[1], POLLIN);
	shard_fixture_complete(fixture, waiting[2], POLLIN);
	shard_fixture_complete(fixture, waiting[0], POLLIN);
	assert_int_equal(fixture->shard->waiting_count, 3);
	resume(pending, then_hello);
	shard_fixture_take(fixture, busy);
	assert_output_begins(busy, "HTTP/1.1 200 OK\r\n");
	assert_state(busy, ZGI_CONNECTION_PARKED);
	for (uint32_t turn = 1; turn <= 3; turn++) {
		assert_state(waiting[turn % 3], ZGI_CONNECTION_RECEIVING);
		if (turn < 3)
			assert_state(waiting[(turn + 1) % 3], ZGI_CONNECTION_WAITING);
		shard_fixture_send(fixture, waiting[turn % 3], GET);
		assert_output_begins(waiting[turn % 3], "HTTP/1.1 200 OK\r\n");
	}
	assert_int_equal(fixture->shard->waiting_count, 0);
}

/* The exchange that becomes free in a turn is not for who comes later in the same turn. */
static void who_comes_while_others_wait_joins_the_queue(void **state)
{
	uint32_t busy = connect_parked();
	uint32_t waiting = connect_parked();
	uint32_t late = connect_parked();

	(void)state;
	shard_fixture_complete(fixture, busy, POLLIN);
	fake_io_deliver(&fixture->fake, busy, GET, strlen(GET));
	shard_fixture_turn(fixture);
	assert_state(busy, ZGI_CONNECTION_SENDING);
	shard_fixture_complete(fixture, waiting, POLLIN);
	fake_io_complete(&fixture->fake, busy, (int32_t)peer(busy)->size);
	fake_io_complete(&fixture->fake, late, POLLIN);
	shard_fixture_turn(fixture);
	assert_state(busy, ZGI_CONNECTION_PARKED);
	assert_state(waiting, ZGI_CONNECTION_RECEIVING);
	assert_state(late, ZGI_CONNECTION_WAITING);
}

/* A take may be refused although some are free: the queue stays as it is, and nobody is forgotten.
 */
static void who_is_refused_in_the_queue_keeps_its_place(void **state)
{
	uint32_t first = connect_parked();
	uint32_t second = connect_parked();

	(void)state;
	assert_int_equal(zg_fault_arm("exchanges", 1, ZG_FAULT_FROM_THEN_ON), 0);
	shard_fixture_complete(fixture, first, POLLIN);
	shard_fixture_complete(fixture, second, POLLIN);
	shard_fixture_pass(fixture, 1);
	assert_state(first, ZGI_CONNECTION_WAITING);
	assert_state(second, ZGI_CONNECTION_WAITING);
	zg_fault_disarm(NULL);
	shard_fixture_pass(fixture, 1);
	assert_state(first, ZGI_CONNECTION_RECEIVING);
	assert_state(second, ZGI_CONNECTION_WAITING);
	shard_fixture_send(fixture, first, GET);
	shard_fixture_send(fixture, second, GET);
	assert_output_begins(second, "HTTP/1.1 200 OK\r\n");
	assert_all_free();
}

static void who_waits_too_long_is_refused_and_lingers(void **state)
{
	uint32_t busy = connect_parked();
	uint32_t waiting = connect_parked();

	(void)state;
	shard_fixture_send(fixture, busy, GET_PENDING);
	shard_fixture_complete(fixture, waiting, POLLIN);
	shard_fixture_pass(fixture, fixture->shard->times.exchange_wait - 1);
	assert_state(waiting, ZGI_CONNECTION_WAITING);
	shard_fixture_pass(fixture, 1);
	assert_state(waiting, ZGI_CONNECTION_REFUSING);
	shard_fixture_take(fixture, waiting);
	assert_output_begins(waiting, "HTTP/1.1 503 Service Unavailable\r\n");
	assert_state(waiting, ZGI_CONNECTION_SHUTTING);
	shard_fixture_complete(fixture, waiting, 0);
	assert_state(waiting, ZGI_CONNECTION_LINGERING);
	shard_fixture_send(fixture, waiting, GET);
	assert_state(waiting, ZGI_CONNECTION_LINGERING);
	shard_fixture_complete(fixture, waiting, 0);
	assert_gone(waiting);
	assert_int_equal(fixture->shard->counters.refused, 1);
}

/* A slot's link is its exchange or the next in the queue: once refused it must be neither. */
static void a_refused_connection_that_times_out_gives_nobodys_exchange(void **state)
{
	uint32_t busy = connect_parked();
	uint32_t waiting[2];

	(void)state;
	shard_fixture_send(fixture, busy, GET_PENDING);
	waiting[0] = connect_parked();
	waiting[1] = connect_parked();
	shard_fixture_complete(fixture, waiting[0], POLLIN);
	shard_fixture_complete(fixture, waiting[1], POLLIN);
	shard_fixture_pass(fixture, fixture->shard->times.exchange_wait);
	assert_state(waiting[0], ZGI_CONNECTION_REFUSING);
	shard_fixture_pass(fixture, fixture->shard->times.write);
	assert_state(waiting[0], ZGI_CONNECTION_CLOSING);
	shard_fixture_complete(fixture, waiting[0], -ECANCELED);
	shard_fixture_complete(fixture, waiting[1], -ECANCELED);
	assert_gone(waiting[0]);
	assert_gone(waiting[1]);
	assert_int_equal(fixture->shard->exchanges.free_count, 0);
	assert_state(busy, ZGI_CONNECTION_PENDING);
}

static void a_hot_connection_is_cooled_for_one_that_waits(void **state)
{
	uint32_t hot[6];
	uint32_t busy[2];
	uint32_t waiting;

	(void)state;
	for (uint32_t index = 0; index < 2; index++) {
		busy[index] = connect_parked();
		shard_fixture_send(fixture, busy[index], GET_PENDING);
	}
	waiting = connect_parked();
	/* Two are busy, so four may be hot and two are left; take these too. */
	for (uint32_t index = 0; index < 4; index++)
		hot[index] = shard_fixture_connect(fixture);
	hot[4] = shard_fixture_connect(fixture);
	hot[5] = shard_fixture_connect(fixture);
	assert_state(hot[3], ZGI_CONNECTION_HOT);
	assert_state(hot[4], ZGI_CONNECTION_PARKED);
	shard_fixture_send(fixture, hot[4], "G");
	shard_fixture_send(fixture, hot[5], "G");
	shard_fixture_send(fixture, hot[4], "E");
	shard_fixture_send(fixture, hot[5], "E");
	assert_int_equal(fixture->shard->exchanges.free_count, 0);
	shard_fixture_complete(fixture, waiting, POLLIN);
	assert_state(waiting, ZGI_CONNECTION_WAITING);
	assert_state(hot[0], ZGI_CONNECTION_PARKING);
	assert_state(hot[1], ZGI_CONNECTION_HOT);
	shard_fixture_complete(fixture, hot[0], -ECANCELED);
	assert_state(hot[0], ZGI_CONNECTION_PARKED);
	assert_state(waiting, ZGI_CONNECTION_RECEIVING);
}

/* Resuming. */

static void a_resumed_exchange_is_sent(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_send(fixture, descriptor, GET_PENDING);
	assert_int_equal(fake_io_operation(&fixture->fake, descriptor), FAKE_NONE);
	resume(pending, then_hello);
	shard_fixture_take(fixture, descriptor);
	assert_non_null(strstr(shard_fixture_output(fixture, descriptor), "Late hello"));
	assert_int_equal(fixture->shard->counters.resumed, 1);
}

static int then_never(struct zg_exchange *x, void *user)
{
	(void)x;
	(void)user;
	fail_msg("a stale handle was resumed");
	return 0;
}

static void a_second_resume_is_stale(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);
	zg_handle handle;

	(void)state;
	shard_fixture_send(fixture, descriptor, GET_PENDING);
	handle = pending;
	resume(handle, then_hello);
	resume(handle, then_never);
	/* Nor does it reach the next request, which waits in the same block. */
	shard_fixture_take(fixture, descriptor);
	shard_fixture_send(fixture, descriptor, GET_PENDING);
	assert_state(descriptor, ZGI_CONNECTION_PENDING);
	resume(handle, then_never);
	assert_int_equal(fixture->shard->counters.resumed_stale, 2);
	resume(pending, then_hello);
	assert_int_equal(fixture->shard->counters.resumed, 2);
}

static void a_resume_after_the_time_out_is_stale(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_send(fixture, descriptor, GET_PENDING);
	shard_fixture_pass(fixture, fixture->shard->times.handler);
	assert_state(descriptor, ZGI_CONNECTION_SENDING);
	resume(pending, then_never);
	shard_fixture_take(fixture, descriptor);
	assert_output_begins(descriptor, "HTTP/1.1 503 Service Unavailable\r\n");
	assert_int_equal(fixture->shard->counters.timeouts_handler, 1);
	assert_state(descriptor, ZGI_CONNECTION_SHUTTING);
	resume(pending, then_never);
}

static void earlier_replies_are_sent_while_a_handler_waits(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);
	const char *output;

	(void)state;
	fake_io_deliver(&fixture->fake, descriptor, GET GET_PENDING GET,
			strlen(GET GET_PENDING GET));
	shard_fixture_turn(fixture);
	assert_state(descriptor, ZGI_CONNECTION_SENDING);
	resume(pending, then_hello);
	shard_fixture_take(fixture, descriptor);
	output = strstr(shard_fixture_output(fixture, descriptor), "Hello");
	assert_non_null(output);
	output = strstr(output + 1, "Late hello");
	assert_non_null(output);
	assert_non_null(strstr(output + 10, "Hello"));
	assert_state(descriptor, ZGI_CONNECTION_HOT);
}

/* Draining. */

static void a_drain_closes_what_is_idle_and_lets_requests_end(void **state)
{
	uint32_t parked = connect_parked();
	uint32_t hot = shard_fixture_connect(fixture);
	uint32_t begun = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_send(fixture, begun, "GET / HTTP/1.1\r\n");
	zgi_shard_command(fixture->shard, ZGI_SHARD_DRAIN);
	shard_fixture_turn(fixture);
	assert_true(fixture->fake.is_accept_stopping);
	shard_fixture_complete(fixture, parked, -ECANCELED);
	shard_fixture_complete(fixture, hot, -ECANCELED);
	assert_gone(parked);
	assert_gone(hot);
	shard_fixture_send(fixture, begun, "Host: a\r\n\r\n");
	assert_non_null(strstr(shard_fixture_output(fixture, begun), "Connection: close\r\n"));
	assert_gone(begun);
	assert_int_equal(fixture->shard->live_count, 0);
	assert_all_free();
}

static void a_connection_accepted_during_a_drain_is_closed(void **state)
{
	int late;

	(void)state;
	late = fake_io_accept(&fixture->fake);
	zgi_shard_command(fixture->shard, ZGI_SHARD_DRAIN);
	shard_fixture_turn(fixture);
	shard_fixture_complete(fixture, (uint32_t)late, -ECANCELED);
	assert_gone((uint32_t)late);
	late = fake_io_accept(&fixture->fake);
	fake_io_accept_end(&fixture->fake);
	shard_fixture_turn(fixture);
	assert_gone((uint32_t)late);
	assert_all_free();
}

#define roomy(name) cmocka_unit_test_setup_teardown(name, open_roomy, close_shard)
#define narrow(name) cmocka_unit_test_setup_teardown(name, open_narrow, close_shard)

int main(void)
{
	const struct CMUnitTest tests[] = {
		roomy(a_new_connection_is_hot_while_exchanges_are_plenty),
		roomy(a_quiet_connection_is_parked_and_holds_nothing),
		roomy(a_connection_that_was_quiet_for_long_is_served_and_parked),
		roomy(one_that_was_quiet_before_its_exchange_was_taken_is_parked),
		roomy(a_parked_connection_that_asks_soon_again_becomes_hot),
		roomy(data_that_beats_the_parking_is_served),
		roomy(an_end_that_beats_the_parking_closes),
		roomy(a_parked_connection_that_was_reset_takes_no_exchange),
		roomy(the_end_of_a_stream_closes),
		roomy(a_reset_in_a_send_closes),
		roomy(a_slot_that_is_used_again_has_another_tag),
		roomy(short_sends_go_on_where_they_stopped),
		roomy(a_last_reply_that_stalls_is_sent_by_itself),
		roomy(a_request_that_comes_with_a_stall_is_answered_after_it),
		roomy(a_stall_during_the_parking_is_mended),
		narrow(those_who_wait_are_served_in_their_order),
		narrow(who_comes_while_others_wait_joins_the_queue),
		narrow(who_is_refused_in_the_queue_keeps_its_place),
		narrow(who_waits_too_long_is_refused_and_lingers),
		narrow(a_refused_connection_that_times_out_gives_nobodys_exchange),
		roomy(a_hot_connection_is_cooled_for_one_that_waits),
		roomy(a_resumed_exchange_is_sent),
		roomy(a_second_resume_is_stale),
		roomy(a_resume_after_the_time_out_is_stale),
		roomy(earlier_replies_are_sent_while_a_handler_waits),
		roomy(a_drain_closes_what_is_idle_and_lets_requests_end),
		roomy(a_connection_accepted_during_a_drain_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
