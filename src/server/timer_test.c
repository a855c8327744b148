/*
 * Timers of a shard, with a clock of the test's own.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/shard_fixture.h"

#define TIMERS 200
#define MS UINT64_C(1000000)

static struct shard_fixture *fixture;
static struct zg_shard *shard;
static uint64_t order; /* the numbers of the timers called, one digit each */
static uint32_t call_count;
static uint64_t last_due_ms;

static void change(struct zg_options *options)
{
	options->timers = TIMERS;
}

static void open_with(void (*set)(struct zg_options *options))
{
	fixture = shard_fixture_open(&(struct shard_fixture_options){
		.connection_limit = 4,
		.exchange_count = 2,
		.chunk_count = 1,
		.change = set,
	});
	shard = &fixture->shard->async;
	order = 0;
	call_count = 0;
	last_due_ms = 0;
}

static int open_shard(void **state)
{
	(void)state;
	open_with(change);
	return 0;
}

static int close_shard(void **state)
{
	(void)state;
	shard_fixture_close(fixture);
	return 0;
}

static void note(struct zg_shard *of, void *user)
{
	assert_ptr_equal(of, shard);
	call_count++;
	order = order * 10 + (uintptr_t)user;
}

static void start_again(struct zg_shard *of, void *user)
{
	call_count++;
	assert_int_equal(zg_timer_start(of,
					&(struct zg_timer_options){
						.handler = start_again,
						.user = user,
					},
					NULL),
			 0);
}

static zg_timer start(uint64_t after_ms, uintptr_t number)
{
	zg_timer timer;

	assert_int_equal(zg_timer_start(shard,
					&(struct zg_timer_options){
						.after_ms = after_ms,
						.handler = note,
						.user = (void *)number,
					},
					&timer),
			 0);
	return timer;
}

static void pass_ns(uint64_t ns)
{
	fixture->now_ns += ns;
	shard_fixture_turn(fixture);
}

static void a_timer_is_never_early_and_not_a_tick_late(void **state)
{
	(void)state;
	(void)start(5, 1);
	pass_ns(5 * MS - 1);
	assert_int_equal(call_count, 0);
	pass_ns(1);
	assert_int_equal(call_count, 1);
	pass_ns(100 * MS);
	assert_int_equal(call_count, 1);
	assert_int_equal(shard->counters.timers_run_out, 1);
}

static void the_shard_waits_no_longer_than_the_next_timer(void **state)
{
	(void)state;
	assert_true(zgi_timers_wait_ns(shard, fixture->now_ns) == UINT64_MAX);
	(void)start(50, 1);
	(void)start(7, 2);
	assert_int_equal(zgi_timers_wait_ns(shard, fixture->now_ns), 7 * MS);
	assert_int_equal(zgi_timers_wait_ns(shard, fixture->now_ns + 6 * MS), MS);
	assert_int_equal(zgi_timers_wait_ns(shard, fixture->now_ns + 9 * MS), 0);
}

static void timers_are_called_in_the_order_of_their_times(void **state)
{
	(void)state;
	(void)start(30, 3);
	(void)start(10, 1);
	(void)start(40, 4);
	(void)start(20, 2);
	pass_ns(100 * MS);
	assert_int_equal(order, 1234);
}

static void timers_of_one_time_are_called_in_the_order_of_their_starts(void **state)
{
	(void)state;
	for (uintptr_t number = 1; number <= 9; number++)
		(void)start(10, number);
	pass_ns(10 * MS);
	assert_int_equal(order, 123456789);
}

static void a_stopped_timer_is_not_called(void **state)
{
	zg_timer timer = start(10, 1);

	(void)state;
	(void)start(10, 2);
	assert_int_equal(zg_timer_stop(shard, timer), 0);
	pass_ns(10 * MS);
	assert_int_equal(order, 2);
}

static void the_name_of_a_timer_goes_stale(void **state)
{
	zg_timer stopped = start(10, 1);
	zg_timer over = start(10, 2);

	(void)state;
	assert_int_equal(zg_timer_stop(shard, stopped), 0);
	assert_int_equal(zg_timer_stop(shard, stopped), -ESTALE);
	pass_ns(10 * MS);
	assert_int_equal(zg_timer_stop(shard, over), -ESTALE);
	/* Their places are taken again, under other names. */
	(void)start(10, 3);
	(void)start(10, 4);
	assert_int_equal(zg_timer_stop(shard, stopped), -ESTALE);
	assert_int_equal(zg_timer_stop(shard, over), -ESTALE);
	assert_int_equal(zg_timer_stop(shard, ZG_TIMER_NONE), -ESTALE);
	assert_int_equal(zg_timer_stop(shard, (zg_timer){UINT64_MAX}), -ESTALE);
	pass_ns(10 * MS);
	assert_int_equal(order, 234);
}

static void more_timers_than_there_are_places_are_refused_and_counted(void **state)
{
	const struct zg_timer_options options = {.after_ms = 1, .handler = note};

	(void)state;
	for (uint32_t count = 0; count < TIMERS; count++)
		assert_int_equal(zg_timer_start(shard, &options, NULL), 0);
	assert_int_equal(zg_timer_start(shard, &options, NULL), -EAGAIN);
	assert_int_equal(shard->counters.timers_refused, 1);
	pass_ns(MS);
	assert_int_equal(zg_timer_start(shard, &options, NULL), 0);
}

static void what_cannot_be_is_refused(void **state)
{
	(void)state;
	assert_int_equal(zg_timer_start(shard,
					&(struct zg_timer_options){
						.after_ms = ZG_TIMER_MS_MAX + 1,
						.handler = note,
					},
					NULL),
			 -EINVAL);
	(void)close_shard(state);
	open_with(NULL);
	assert_int_equal(zg_timer_start(shard, &(struct zg_timer_options){.handler = note}, NULL),
			 -EOPNOTSUPP);
}

static void a_timer_that_starts_itself_again_has_its_next_turn(void **state)
{
	(void)state;
	start_again(shard, NULL);
	for (uint32_t turn = 1; turn <= 5; turn++) {
		pass_ns(1);
		assert_int_equal(call_count, 1 + turn);
	}
}

static void many_at_once_are_spread_over_turns(void **state)
{
	(void)state;
	for (uint32_t count = 0; count < TIMERS; count++)
		(void)start(1, 0);
	pass_ns(MS);
	assert_int_equal(call_count, 64);
	/* The rest comes at once. */
	assert_int_equal(zgi_timers_wait_ns(shard, fixture->now_ns), 0);
	while (shard->timers.live_count > 0)
		pass_ns(0);
	assert_int_equal(call_count, TIMERS);
}

static void note_due(struct zg_shard *of, void *user)
{
	(void)of;
	call_count++;
	assert_true((uintptr_t)user >= last_due_ms);
	last_due_ms = (uintptr_t)user;
}

/* The heap under many starts and stops, compared with what must come of them. */
static void any_mixture_of_starts_and_stops_keeps_the_order(void **state)
{
	static zg_timer timers[TIMERS];
	uint32_t stopped_count = 0;

	(void)state;
	srandom(7);
	for (uint32_t index = 0; index < TIMERS; index++) {
		uint64_t after_ms = (uint64_t)random() % 1000 + 1;
		const struct zg_timer_options options = {
			.after_ms = after_ms,
			.handler = note_due,
			.user = (void *)(uintptr_t)after_ms,
		};

		assert_int_equal(zg_timer_start(shard, &options, &timers[index]), 0);
		if (random() % 3 == 0)
			stopped_count +=
				zg_timer_stop(shard, timers[(uint32_t)random() % (index + 1)]) == 0;
	}
	assert_true(stopped_count > 20);
	for (uint32_t turn = 0; turn < 1100; turn++)
		pass_ns(MS);
	assert_int_equal(call_count, TIMERS - stopped_count);
	assert_int_equal(shard->timers.live_count, 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, open_shard, close_shard)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_timer_is_never_early_and_not_a_tick_late),
		test(the_shard_waits_no_longer_than_the_next_timer),
		test(timers_are_called_in_the_order_of_their_times),
		test(timers_of_one_time_are_called_in_the_order_of_their_starts),
		test(a_stopped_timer_is_not_called),
		test(the_name_of_a_timer_goes_stale),
		test(more_timers_than_there_are_places_are_refused_and_counted),
		test(what_cannot_be_is_refused),
		test(a_timer_that_starts_itself_again_has_its_next_turn),
		test(many_at_once_are_spread_over_turns),
		test(any_mixture_of_starts_and_stops_keeps_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
