/*
 * What an application hangs onto a shard, and when it is called.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <zerog/app.h>

#include "server/resume.h"
#include "server/shard_fixture.h"

static struct zg_app app;
static struct shard_fixture *fixture;
static uint64_t order; /* the numbers of the functions called, one digit each */
static int start_result;
static uint32_t turn_end_count;
static uint64_t posts_at_turn_end;

static int note_start(struct zg_shard *shard, void *user)
{
	order = order * 10 + (uintptr_t)user;
	zg_shard_set_data(shard, user);
	return start_result;
}

static void note(struct zg_shard *shard, void *user)
{
	(void)shard;
	order = order * 10 + (uintptr_t)user;
}

static void note_turn_end(struct zg_shard *shard, void *user)
{
	(void)user;
	turn_end_count++;
	posts_at_turn_end = shard->counters.posts;
}

static int serve_its_shard(struct zg_exchange *x)
{
	struct zg_shard *shard = zg_exchange_shard(x);

	return zg_reply_text(x, 200, zg_shard_data(shard) == (void *)2 ? "mine" : "another's");
}

static void routes(struct zgi_router *router)
{
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/", serve_its_shard), 0);
}

static void change(struct zg_options *options)
{
	options->posts = 4;
}

static int setup(void **state)
{
	(void)state;
	app = (struct zg_app){0};
	order = 0;
	start_result = 0;
	turn_end_count = 0;
	posts_at_turn_end = 0;
	return 0;
}

static void open_shard(void)
{
	fixture = shard_fixture_open(&(struct shard_fixture_options){
		.connection_limit = 4,
		.exchange_count = 2,
		.chunk_count = 1,
		.routes = routes,
		.change = change,
		.shard_hooks = &app.shard_hooks,
	});
}

static void starts_come_in_order_and_stops_in_reverse(void **state)
{
	(void)state;
	assert_int_equal(zg_app_on_shard_start(&app, note_start, (void *)1), 0);
	assert_int_equal(zg_app_on_shard_start(&app, note_start, (void *)2), 0);
	assert_int_equal(zg_app_on_shard_stop(&app, note, (void *)3), 0);
	assert_int_equal(zg_app_on_shard_stop(&app, note, (void *)4), 0);
	open_shard();
	assert_int_equal(zgi_async_start(&fixture->shard->async), 0);
	assert_int_equal(order, 12);
	zgi_shard_end(fixture->shard);
	assert_int_equal(order, 1243);
	shard_fixture_close(fixture);
}

static void a_start_that_fails_is_the_last_and_nothing_is_stopped(void **state)
{
	(void)state;
	start_result = -EIO;
	assert_int_equal(zg_app_on_shard_start(&app, note_start, (void *)1), 0);
	assert_int_equal(zg_app_on_shard_start(&app, note_start, (void *)2), 0);
	assert_int_equal(zg_app_on_shard_stop(&app, note, (void *)3), 0);
	open_shard();
	assert_int_equal(zgi_async_start(&fixture->shard->async), -EIO);
	zgi_shard_end(fixture->shard);
	assert_int_equal(order, 1);
	shard_fixture_close(fixture);
}

static void a_turn_ends_after_all_that_it_brought(void **state)
{
	uint32_t before;

	(void)state;
	assert_int_equal(zg_app_on_turn_end(&app, note_turn_end, NULL), 0);
	open_shard();
	zgi_resume_open(&fixture->server);
	before = turn_end_count;
	assert_int_equal(zg_shard_post(0, note, (void *)1), 0);
	assert_int_equal(zg_shard_post(0, note, (void *)1), 0);
	fake_io_woken(&fixture->fake);
	shard_fixture_turn(fixture);
	assert_int_equal(turn_end_count, before + 1);
	assert_int_equal(posts_at_turn_end, 2);
	zgi_resume_close();
	shard_fixture_close(fixture);
}

static void a_handler_finds_the_data_of_its_shard(void **state)
{
	uint32_t descriptor;

	(void)state;
	assert_int_equal(zg_app_on_shard_start(&app, note_start, (void *)2), 0);
	open_shard();
	assert_null(zg_shard_data(&fixture->shard->async));
	assert_int_equal(zgi_async_start(&fixture->shard->async), 0);
	descriptor = shard_fixture_connect(fixture);
	shard_fixture_send(fixture, descriptor, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_non_null(strstr(shard_fixture_output(fixture, descriptor), "mine"));
	assert_int_equal(zg_shard_index(&fixture->shard->async), 0);
	assert_int_equal(zg_shard_count(&fixture->shard->async), 1);
	shard_fixture_close(fixture);
}

static void there_is_room_for_so_many_of_a_kind(void **state)
{
	(void)state;
	for (uint32_t count = 0; count < ZG_SHARD_HOOKS_MAX; count++) {
		assert_int_equal(zg_app_on_shard_start(&app, note_start, NULL), 0);
		assert_int_equal(zg_app_on_shard_stop(&app, note, NULL), 0);
		assert_int_equal(zg_app_on_turn_end(&app, note, NULL), 0);
	}
	assert_int_equal(zg_app_on_shard_start(&app, note_start, NULL), -ENOSPC);
	assert_int_equal(zg_app_on_shard_stop(&app, note, NULL), -ENOSPC);
	assert_int_equal(zg_app_on_turn_end(&app, note, NULL), -ENOSPC);
}

/* Another shard's requests may still need what this one keeps. */
static void a_shard_that_has_drained_still_runs_posts(void **state)
{
	(void)state;
	open_shard();
	zgi_resume_open(&fixture->server);
	zgi_shard_command(fixture->shard, ZGI_SHARD_DRAIN);
	shard_fixture_turn(fixture);
	assert_int_equal(fixture->shard->is_drained, 0);
	fake_io_accept_end(&fixture->fake);
	shard_fixture_turn(fixture);
	assert_int_equal(fixture->shard->is_drained, 1);
	assert_int_equal(zg_shard_post(0, note, (void *)1), 0);
	fake_io_woken(&fixture->fake);
	shard_fixture_turn(fixture);
	assert_int_equal(order, 1);
	zgi_resume_close();
	shard_fixture_close(fixture);
}

#define test(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(starts_come_in_order_and_stops_in_reverse),
		test(a_start_that_fails_is_the_last_and_nothing_is_stopped),
		test(a_turn_ends_after_all_that_it_brought),
		test(a_handler_finds_the_data_of_its_shard),
		test(there_is_room_for_so_many_of_a_kind),
		test(a_shard_that_has_drained_still_runs_posts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
