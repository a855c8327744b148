/*
 * Jobs for threads apart; here the test is the threads.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/shard_fixture.h"

#define JOBS 3
#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static struct shard_fixture *fixture;
static struct zg_shard *shard;
static uint64_t order; /* the numbers of the jobs done, one digit each */
static uint32_t work_count;
static int done_status;
static uint32_t then_count;
static uint32_t serve_count;
static uint32_t gone_count;
static bool was_cancelled;

static void work(const struct zg_job *job, void *user)
{
	(void)user;
	work_count++;
	was_cancelled = zg_job_is_cancelled(job);
}

static void done(struct zg_shard *of, int status, void *user)
{
	assert_ptr_equal(of, shard);
	order = order * 10 + (uintptr_t)user;
	done_status = status;
}

static void done_again(struct zg_shard *of, int status, void *user)
{
	(void)status;
	assert_int_equal(zg_offload(of, work, done, user), 0);
}

static int then_reply(struct zg_exchange *x, void *user)
{
	then_count++;
	if (x == NULL) {
		gone_count++;
		return 0;
	}
	return zg_reply_text(x, 200, (uintptr_t)user == 1 ? "the first" : "the second");
}

static int serve_job(struct zg_exchange *x)
{
	int result = zg_offload_exchange(x, work, then_reply, (void *)(uintptr_t)++serve_count);

	return result < 0 ? result : ZG_PENDING;
}

static void routes(struct zgi_router *router)
{
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/", serve_job), 0);
}

static void change(struct zg_options *options)
{
	options->offload_threads = 1;
	options->offload_jobs = JOBS;
	options->handler_timeout_ms = 1000;
}

static void open_with(void (*set)(struct zg_options *options))
{
	fixture = shard_fixture_open(&(struct shard_fixture_options){
		.connection_limit = 4,
		.exchange_count = 4,
		.chunk_count = 1,
		.routes = routes,
		.change = set,
	});
	shard = &fixture->shard->async;
	order = 0;
	work_count = 0;
	done_status = 1;
	then_count = 0;
	serve_count = 0;
	gone_count = 0;
	was_cancelled = false;
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

static void jobs_are_done_in_their_order(void **state)
{
	(void)state;
	for (uintptr_t number = 1; number <= JOBS; number++)
		assert_int_equal(zg_offload(shard, work, done, (void *)number), 0);
	shard_fixture_turn(fixture);
	assert_int_equal(work_count, 0);
	shard_fixture_work(fixture);
	assert_int_equal(work_count, JOBS);
	assert_int_equal(order, 123);
	assert_int_equal(done_status, 0);
}

static void more_jobs_than_there_are_places_are_refused_and_counted(void **state)
{
	(void)state;
	for (uint32_t count = 0; count < JOBS; count++)
		assert_int_equal(zg_offload(shard, work, done, NULL), 0);
	assert_int_equal(zg_offload(shard, work, done, NULL), -EAGAIN);
	assert_int_equal(shard->counters.jobs_refused, 1);
	shard_fixture_work(fixture);
	for (uint32_t count = 0; count < JOBS; count++)
		assert_int_equal(zg_offload(shard, work, done, NULL), 0);
}

static void done_may_offload_again(void **state)
{
	(void)state;
	for (uint32_t count = 0; count < JOBS; count++)
		assert_int_equal(zg_offload(shard, work, done_again, NULL), 0);
	shard_fixture_work(fixture);
	assert_int_equal(shard->jobs.live_count, JOBS);
	shard_fixture_work(fixture);
	assert_int_equal(work_count, 2 * JOBS);
	assert_int_equal(shard->jobs.live_count, 0);
}

static void a_service_without_threads_says_so(void **state)
{
	(void)state;
	(void)close_shard(state);
	open_with(NULL);
	assert_int_equal(zg_offload(shard, work, done, NULL), -EOPNOTSUPP);
}

static void an_exchange_goes_on_when_its_job_is_done(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_send(fixture, descriptor, GET);
	assert_int_equal(shard_fixture_state(fixture, descriptor), ZGI_CONNECTION_PENDING);
	shard_fixture_work(fixture);
	assert_int_equal(then_count, 1);
	assert_non_null(strstr(shard_fixture_output(fixture, descriptor), "the first"));
}

static void an_exchange_for_which_there_is_no_place_is_answered(void **state)
{
	uint32_t descriptor;

	(void)state;
	for (uint32_t count = 0; count < JOBS; count++)
		assert_int_equal(zg_offload(shard, work, done, NULL), 0);
	descriptor = shard_fixture_connect(fixture);
	shard_fixture_send(fixture, descriptor, GET);
	shard_fixture_take(fixture, descriptor);
	assert_memory_equal(shard_fixture_output(fixture, descriptor), "HTTP/1.1 500 ", 13);
}

/* Until its handler's time is over, and a tick more. */
static void let_time_out(void)
{
	shard_fixture_pass(fixture, fixture->shard->times.handler + 2);
}

static void a_job_whose_exchange_has_ended_is_not_begun(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	(void)state;
	shard_fixture_send(fixture, descriptor, GET);
	let_time_out();
	shard_fixture_work(fixture);
	assert_int_equal(work_count, 0);
	assert_int_equal(then_count, 1);
	assert_int_equal(gone_count, 1);
	assert_int_equal(shard->counters.jobs_cancelled, 1);
	assert_int_equal(shard->jobs.live_count, 0);
}

static void a_job_that_is_done_too_late_finds_nobody(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);
	struct zgi_work *pushed;

	(void)state;
	shard_fixture_send(fixture, descriptor, GET);
	/* The work is done in time, but its end is seen only after. */
	pushed = fixture->server.offload.pushed;
	fixture->server.offload.pushed = NULL;
	pushed->run(pushed);
	assert_int_equal(work_count, 1);
	let_time_out();
	fake_io_woken(&fixture->fake);
	shard_fixture_turn(fixture);
	assert_int_equal(gone_count, 1);
}

static void while_it_runs_a_job_may_ask_whether_it_is_cancelled(void **state)
{
	uint32_t descriptor = shard_fixture_connect(fixture);
	struct zg_job *job;

	(void)state;
	shard_fixture_send(fixture, descriptor, GET);
	job = (struct zg_job *)(void *)fixture->server.offload.pushed;
	assert_false(zg_job_is_cancelled(job));
	let_time_out();
	assert_true(zg_job_is_cancelled(job));
}

static void the_next_request_of_a_connection_is_not_taken_for_the_one_before(void **state)
{
	uint32_t first = shard_fixture_connect(fixture);
	uint32_t second;
	struct zgi_work *pushed;

	(void)state;
	shard_fixture_send(fixture, first, GET);
	pushed = fixture->server.offload.pushed;
	fixture->server.offload.pushed = NULL;
	pushed->run(pushed);
	let_time_out();
	shard_fixture_take(fixture, first);
	/* The same exchange is taken again: last in, first out. */
	second = shard_fixture_connect(fixture);
	shard_fixture_send(fixture, second, GET);
	shard_fixture_work(fixture);
	assert_int_equal(then_count, 2);
	assert_int_equal(gone_count, 1);
	assert_non_null(strstr(shard_fixture_output(fixture, second), "the second"));
}

static void a_drain_waits_for_jobs(void **state)
{
	(void)state;
	assert_int_equal(zg_offload(shard, work, done, NULL), 0);
	zgi_shard_command(fixture->shard, ZGI_SHARD_DRAIN);
	shard_fixture_turn(fixture);
	fake_io_accept_end(&fixture->fake);
	shard_fixture_turn(fixture);
	assert_int_equal(fixture->shard->is_drained, 0);
	shard_fixture_work(fixture);
	assert_int_equal(fixture->shard->is_drained, 1);
}

static void a_shard_that_ends_cancels_what_is_left(void **state)
{
	(void)state;
	assert_int_equal(zg_offload(shard, work, done, NULL), 0);
	zgi_shard_end(fixture->shard);
	shard_fixture_work(fixture);
	assert_int_equal(work_count, 0);
	assert_int_equal(done_status, -ECANCELED);
}

#define test(name) cmocka_unit_test_setup_teardown(name, open_shard, close_shard)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(jobs_are_done_in_their_order),
		test(more_jobs_than_there_are_places_are_refused_and_counted),
		test(done_may_offload_again),
		test(a_service_without_threads_says_so),
		test(an_exchange_goes_on_when_its_job_is_done),
		test(an_exchange_for_which_there_is_no_place_is_answered),
		test(a_job_whose_exchange_has_ended_is_not_begun),
		test(a_job_that_is_done_too_late_finds_nobody),
		test(while_it_runs_a_job_may_ask_whether_it_is_cancelled),
		test(the_next_request_of_a_connection_is_not_taken_for_the_one_before),
		test(a_drain_waits_for_jobs),
		test(a_shard_that_ends_cancels_what_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
