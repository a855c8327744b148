/*
 * Time-outs of every state, and who has to go when there is no room: with a clock
 * of the test's own.
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

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define CONNECTION_LIMIT 4
#define MANY 40

static struct shard_fixture *fixture;

static int serve_hello(struct zg_exchange *x)
{
	return zg_reply_text(x, 200, "Hello");
}

static int serve_pending(struct zg_exchange *x)
{
	void *memory;

	assert_int_equal(zg_arena_alloc(zg_exchange_arena(x), 320, &memory), 0);
	return ZG_PENDING;
}

static void routes(struct zgi_router *router)
{
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/", serve_hello), 0);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/pending", serve_pending), 0);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_POST, "/", serve_hello), 0);
}

static void change(struct zg_options *options)
{
	options->header_timeout_ms = 1000;
	options->body_timeout_ms = 2000;
	options->idle_timeout_ms = 3000;
	options->write_timeout_ms = 1500;
	options->handler_timeout_ms = 2500;
}

static int open_shard(void **state)
{
	static const struct shard_fixture_options options = {
		.connection_limit = CONNECTION_LIMIT,
		.exchange_count = 1,
		.chunk_count = 1,
		.routes = routes,
		.change = change,
	};

	(void)state;
	fixture = shard_fixture_open(&options);
	return 0;
}

static int close_shard(void **state)
{
	(void)state;
	shard_fixture_close(fixture);
	return 0;
}

static void assert_state(uint32_t descriptor, enum zgi_connection_state state)
{
	assert_int_equal(shard_fixture_state(fixture, descriptor), state);
}

/* The state lasts as long as it may, and no tick longer. */
static void assert_lasts(uint32_t descriptor, enum zgi_connection_state state, uint32_t tick_count)
{
	assert_state(descriptor, state);
	shard_fixture_pass(fixture, tick_count - 1);
	assert_state(descriptor, state);
	shard_fixture_pass(fixture, 1);
	assert_int_not_equal(shard_fixture_state(fixture, descriptor), state);
}

static void assert_late(uint32_t descriptor)
{
	assert_state(descriptor, ZGI_CONNECTION_LATE);
	shard_fixture_complete(fixture, descriptor, -ECANCELED);
	shard_fixture_take(fixture, descriptor);
	assert_memory_equal(shard_fixture_output(fixture, descriptor), "HTTP/1.1 408 ", 13);
	assert_state(descriptor, ZGI_CONNECTION_SHUTTING);
	assert_int_equal(fixture->shard->counters.timeouts_request, 1);
}

/* A time-out is never early: a part of a tick counts as one. */
static void a_timeout_is_a_tick_longer_than_it_says(void **state)
{
	(void)state;
	assert_int_equal(fixture->shard->times.header, 11);
	assert_int_equal(fixture->shard->times.write, 16);
}

static void an_idle_connection_is_closed(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	assert_lasts(descriptor, ZGI_CONNECTION_PARKED, fixture->shard->times.idle);
	assert_state(descriptor, ZGI_CONNECTION_CLOSING);
	shard_fixture_complete(fixture, descriptor, -ECANCELED);
	assert_state(descriptor, ZGI_CONNECTION_FREE);
	assert_int_equal(fixture->shard->counters.timeouts_idle, 1);
}

static void the_time_of_an_idle_connection_runs_from_its_last_reply(void **state)
{
	static const struct shard_fixture_options options = {
		.connection_limit = CONNECTION_LIMIT,
		.exchange_count = 8,
		.chunk_count = 1,
		.routes = routes,
		.change = change,
	};
	uint32_t descriptor;

	(void)state;
	shard_fixture_close(fixture);
	fixture = shard_fixture_open(&options);
	descriptor = shard_fixture_connect(fixture);
	shard_fixture_pass(fixture, fixture->shard->times.hot);
	shard_fixture_complete(fixture, descriptor, -ECANCELED);
	assert_lasts(descriptor, ZGI_CONNECTION_PARKED,
		     fixture->shard->times.idle - fixture->shard->times.hot);
}

/* All at once they would be a pause for everybody else. */
static void many_that_are_idle_are_closed_a_few_at_a_time(void **state)
{
	static const struct shard_fixture_options options = {
		.connection_limit = MANY,
		.exchange_count = 1,
		.chunk_count = 1,
		.routes = routes,
		.change = change,
	};
	const uint64_t *closed;
	uint64_t at_once;

	(void)state;
	shard_fixture_close(fixture);
	fixture = shard_fixture_open(&options);
	closed = &fixture->shard->counters.timeouts_idle;
	for (uint32_t index = 0; index < MANY; index++)
		assert_state(shard_fixture_connect(fixture), ZGI_CONNECTION_PARKED);
	shard_fixture_pass(fixture, fixture->shard->times.idle);
	at_once = *closed;
	assert_in_range(at_once, 1, MANY / 2);
	fixture->now_ns += ZGI_TICK_NS / 50;
	shard_fixture_turn(fixture);
	assert_in_range(*closed, at_once, at_once + 2);
	fixture->now_ns += ZGI_TICK_NS / 2;
	shard_fixture_turn(fixture);
	assert_in_range(*closed, MANY / 2, MANY - 5);
	shard_fixture_pass(fixture, 1);
	assert_int_equal(*closed, MANY);
}

static void data_that_beats_the_idle_time_out_is_lost(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_pass(fixture, fixture->shard->times.idle);
	shard_fixture_complete(fixture, descriptor, POLLIN);
	assert_state(descriptor, ZGI_CONNECTION_FREE);
	assert_int_equal(fixture->shard->exchanges.free_count, 1);
}

static void a_head_has_its_time_from_its_first_byte(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_send(fixture, descriptor, "G");
	shard_fixture_pass(fixture, 5);
	/* Another byte does not buy more. */
	shard_fixture_send(fixture, descriptor, "E");
	assert_lasts(descriptor, ZGI_CONNECTION_RECEIVING, fixture->shard->times.header - 5);
	assert_late(descriptor);
}

static void a_body_has_its_own_time(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_send(fixture, descriptor, "POST / HTTP/1.1\r\n");
	shard_fixture_pass(fixture, 5);
	shard_fixture_send(fixture, descriptor, "Host: a\r\nContent-Length: 5\r\n\r\n");
	shard_fixture_pass(fixture, 5);
	shard_fixture_send(fixture, descriptor, "ab");
	assert_lasts(descriptor, ZGI_CONNECTION_RECEIVING, fixture->shard->times.body - 5);
	assert_late(descriptor);
}

static void data_that_beats_the_late_cancel_is_answered_with_408_too(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_send(fixture, descriptor, "G");
	shard_fixture_pass(fixture, fixture->shard->times.header);
	fake_io_deliver(&fixture->fake, descriptor, "E", 1);
	shard_fixture_turn(fixture);
	shard_fixture_take(fixture, descriptor);
	assert_memory_equal(shard_fixture_output(fixture, descriptor), "HTTP/1.1 408 ", 13);
}

static void an_end_that_beats_the_late_cancel_is_not_answered(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_send(fixture, descriptor, "G");
	shard_fixture_pass(fixture, fixture->shard->times.header);
	shard_fixture_complete(fixture, descriptor, 0);
	assert_state(descriptor, ZGI_CONNECTION_FREE);
	assert_int_equal(fixture->shard->exchanges.free_count, 1);
}

static void a_peer_that_takes_nothing_is_cut(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_complete(fixture, descriptor, POLLIN);
	fake_io_deliver(&fixture->fake, descriptor, GET, strlen(GET));
	shard_fixture_turn(fixture);
	assert_int_equal(fake_io_operation(&fixture->fake, descriptor), FAKE_SEND);
	assert_lasts(descriptor, ZGI_CONNECTION_SENDING, fixture->shard->times.write);
	assert_state(descriptor, ZGI_CONNECTION_CLOSING);
	/* The cancel loses the race: it has been sent after all. It makes no difference. */
	shard_fixture_complete(fixture, descriptor, 1);
	assert_state(descriptor, ZGI_CONNECTION_FREE);
	assert_int_equal(fixture->shard->counters.timeouts_write, 1);
	assert_int_equal(fixture->shard->exchanges.free_count, 1);
}

static void a_handler_that_nobody_resumes_is_given_up(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_send(fixture, descriptor, "GET /pending HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_lasts(descriptor, ZGI_CONNECTION_PENDING, fixture->shard->times.handler);
	shard_fixture_take(fixture, descriptor);
	assert_memory_equal(shard_fixture_output(fixture, descriptor), "HTTP/1.1 503 ", 13);
	assert_int_equal(fixture->shard->counters.timeouts_handler, 1);
}

static void a_peer_that_lingers_too_long_is_closed(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_send(fixture, descriptor, "BAD\r\n\r\n");
	assert_state(descriptor, ZGI_CONNECTION_SHUTTING);
	shard_fixture_complete(fixture, descriptor, 0);
	shard_fixture_send(fixture, descriptor, "more");
	assert_lasts(descriptor, ZGI_CONNECTION_LINGERING, fixture->shard->times.linger);
	shard_fixture_complete(fixture, descriptor, -ECANCELED);
	assert_state(descriptor, ZGI_CONNECTION_FREE);
}

static void a_peer_that_sends_on_while_lingering_is_cut(void **state)
{
	static char rubbish[ZGI_DISCARD_SIZE + 1];
	uint32_t descriptor = shard_fixture_connect(fixture);
	uint32_t count = 0;

	(void)state;
	memset(rubbish, 'r', ZGI_DISCARD_SIZE);
	shard_fixture_send(fixture, descriptor, "BAD\r\n\r\n");
	shard_fixture_complete(fixture, descriptor, 0);
	while (shard_fixture_state(fixture, descriptor) == ZGI_CONNECTION_LINGERING) {
		fake_io_deliver(&fixture->fake, descriptor, rubbish, ZGI_DISCARD_SIZE);
		shard_fixture_turn(fixture);
		assert_true(count++ < 100);
	}
	assert_state(descriptor, ZGI_CONNECTION_FREE);
}

static void a_leap_of_the_clock_is_one_round(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	fixture->now_ns += 100000 * ZGI_TICK_NS;
	shard_fixture_turn(fixture);
	assert_state(descriptor, ZGI_CONNECTION_CLOSING);
}

/* Making room. */

static void fill(uint32_t *descriptors)
{
	for (uint32_t index = 0; index < CONNECTION_LIMIT; index++) {
		descriptors[index] = shard_fixture_connect(fixture);
		assert_state(descriptors[index], ZGI_CONNECTION_PARKED);
		shard_fixture_pass(fixture, 1);
	}
}

static void the_longest_idle_makes_room(void **state)
{
	uint32_t descriptors[CONNECTION_LIMIT];
	uint32_t fresh;

	(void)state;
	fill(descriptors);
	/* The first is active once more, so the second is the longest idle. */
	shard_fixture_send(fixture, descriptors[0], GET);
	shard_fixture_send(fixture, descriptors[0], GET);
	fresh = shard_fixture_connect(fixture);
	assert_state(fresh, ZGI_CONNECTION_PARKED);
	assert_state(descriptors[1], ZGI_CONNECTION_CLOSING);
	assert_int_equal(fixture->shard->leaving_count, 1);
	shard_fixture_complete(fixture, descriptors[1], -ECANCELED);
	assert_int_equal(fixture->shard->leaving_count, 0);
	assert_int_equal(fixture->shard->counters.evicted, 1);
	assert_int_equal(fixture->shard->live_count, CONNECTION_LIMIT);
}

/* Exchanges are plenty, so those who come keep one at the ready: they are idle all the same. */
static void a_quiet_one_with_an_exchange_makes_room_when_it_is_the_oldest(void **state)
{
	static const struct shard_fixture_options options = {
		.connection_limit = CONNECTION_LIMIT,
		.exchange_count = 8,
		.chunk_count = 1,
		.routes = routes,
		.change = change,
	};
	uint32_t descriptors[CONNECTION_LIMIT];

	(void)state;
	shard_fixture_close(fixture);
	fixture = shard_fixture_open(&options);
	for (uint32_t index = 0; index < CONNECTION_LIMIT; index++)
		descriptors[index] = shard_fixture_connect(fixture);
	assert_state(descriptors[0], ZGI_CONNECTION_HOT);
	(void)shard_fixture_connect(fixture);
	assert_state(descriptors[0], ZGI_CONNECTION_CLOSING);
	shard_fixture_complete(fixture, descriptors[0], -ECANCELED);
	assert_int_equal(fixture->shard->counters.evicted, 1);
}

static void who_became_active_since_it_was_chosen_is_passed_over(void **state)
{
	uint32_t descriptors[CONNECTION_LIMIT];

	(void)state;
	fill(descriptors);
	(void)shard_fixture_connect(fixture);
	assert_state(descriptors[0], ZGI_CONNECTION_CLOSING);
	/* The next of those chosen begins a request before its turn. */
	shard_fixture_send(fixture, descriptors[1], "G");
	shard_fixture_send(fixture, descriptors[1], "E");
	assert_state(descriptors[1], ZGI_CONNECTION_RECEIVING);
	(void)shard_fixture_connect(fixture);
	assert_state(descriptors[1], ZGI_CONNECTION_RECEIVING);
	assert_state(descriptors[2], ZGI_CONNECTION_CLOSING);
}

static void a_slot_that_is_used_again_is_no_victim(void **state)
{
	uint32_t descriptors[CONNECTION_LIMIT];

	(void)state;
	fill(descriptors);
	(void)shard_fixture_connect(fixture);
	shard_fixture_complete(fixture, descriptors[0], -ECANCELED);
	/* The second was chosen too; its peer goes and another comes. */
	shard_fixture_complete(fixture, descriptors[1], POLLIN | POLLHUP);
	assert_int_equal(shard_fixture_connect(fixture), descriptors[0]);
	assert_int_equal(shard_fixture_connect(fixture), descriptors[1]);
	assert_state(descriptors[1], ZGI_CONNECTION_PARKED);
	assert_state(descriptors[2], ZGI_CONNECTION_CLOSING);
}

static void when_nobody_is_idle_the_new_one_is_refused(void **state)
{
	uint32_t descriptors[CONNECTION_LIMIT];
	uint32_t fresh;

	(void)state;
	fill(descriptors);
	for (uint32_t index = 0; index < CONNECTION_LIMIT; index++)
		shard_fixture_complete(fixture, descriptors[index], POLLIN);
	assert_int_equal(fixture->shard->waiting_count, CONNECTION_LIMIT - 1);
	fresh = shard_fixture_connect(fixture);
	assert_state(fresh, ZGI_CONNECTION_REFUSING);
	shard_fixture_take(fixture, fresh);
	assert_memory_equal(shard_fixture_output(fixture, fresh), "HTTP/1.1 503 ", 13);
	assert_int_equal(fixture->shard->counters.refused, 1);
}

static void a_process_without_descriptors_closes_the_longest_idle(void **state)
{
	uint32_t descriptors[CONNECTION_LIMIT];

	(void)state;
	fill(descriptors);
	fake_io_accept_fail(&fixture->fake, -EMFILE);
	shard_fixture_turn(fixture);
	assert_state(descriptors[0], ZGI_CONNECTION_CLOSING);
	fake_io_accept_fail(&fixture->fake, -ECONNABORTED);
	shard_fixture_turn(fixture);
	assert_state(descriptors[1], ZGI_CONNECTION_PARKED);
	assert_int_equal(fixture->shard->counters.accept_errors, 2);
}

static void arenas_in_use_are_added_up_once_a_tick(void **state)
{
	const struct zgi_shard_arenas *arenas = &fixture->shard->arenas;
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_send(fixture, descriptor, "GET /pending HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(arenas->live_count, 0);
	shard_fixture_pass(fixture, 1);
	assert_int_equal(arenas->live_count, 1);
	assert_in_range(arenas->live_size, 320, 1024);
	assert_int_equal(arenas->held_size, ZGI_EXCHANGE_ARENA_SIZE);
	/* The handler was too slow, the answer lingers, and at last the exchange is free. */
	shard_fixture_pass(fixture, 60);
	shard_fixture_take(fixture, descriptor);
	shard_fixture_pass(fixture, 60);
	assert_int_equal(fixture->shard->exchanges.free_count, 1);
	assert_int_equal(arenas->live_count, 0);
	assert_int_equal(arenas->live_size, 0);
	assert_int_equal(arenas->held_size, 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, open_shard, close_shard)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_timeout_is_a_tick_longer_than_it_says),
		test(an_idle_connection_is_closed),
		test(the_time_of_an_idle_connection_runs_from_its_last_reply),
		test(many_that_are_idle_are_closed_a_few_at_a_time),
		test(data_that_beats_the_idle_time_out_is_lost),
		test(a_head_has_its_time_from_its_first_byte),
		test(a_body_has_its_own_time),
		test(data_that_beats_the_late_cancel_is_answered_with_408_too),
		test(an_end_that_beats_the_late_cancel_is_not_answered),
		test(a_peer_that_takes_nothing_is_cut),
		test(a_handler_that_nobody_resumes_is_given_up),
		test(a_peer_that_lingers_too_long_is_closed),
		test(a_peer_that_sends_on_while_lingering_is_cut),
		test(a_leap_of_the_clock_is_one_round),
		test(the_longest_idle_makes_room),
		test(a_quiet_one_with_an_exchange_makes_room_when_it_is_the_oldest),
		test(who_became_active_since_it_was_chosen_is_passed_over),
		test(a_slot_that_is_used_again_is_no_victim),
		test(when_nobody_is_idle_the_new_one_is_refused),
		test(a_process_without_descriptors_closes_the_longest_idle),
		test(arenas_in_use_are_added_up_once_a_tick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
