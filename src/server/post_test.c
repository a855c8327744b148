/*
 * Posts: from anywhere, to a shard's own thread.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/resume.h"
#include "server/shard_fixture.h"

#define POSTS 4

static struct shard_fixture *fixture;
static uint32_t run_count;
static struct zg_shard *run_shard;
static uint64_t run_order;

static void change(struct zg_options *options)
{
	options->posts = POSTS;
}

static void change_to_none(struct zg_options *options)
{
	options->posts = 0;
}

static void open_with(void (*set)(struct zg_options *options))
{
	fixture = shard_fixture_open(&(struct shard_fixture_options){
		.connection_limit = 4,
		.exchange_count = 2,
		.chunk_count = 1,
		.change = set,
	});
	run_count = 0;
	run_shard = NULL;
	run_order = 0;
	zgi_resume_open(&fixture->server);
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
	zgi_resume_close();
	shard_fixture_close(fixture);
	return 0;
}

static void woken_turn(void)
{
	fake_io_woken(&fixture->fake);
	shard_fixture_turn(fixture);
}

static void note(struct zg_shard *shard, void *user)
{
	run_count++;
	run_shard = shard;
	run_order = run_order * 10 + (uintptr_t)user;
}

static void post_again(struct zg_shard *shard, void *user)
{
	run_count++;
	assert_int_equal(zg_shard_post(zg_shard_index(shard), post_again, user), 0);
}

static void a_post_runs_in_a_turn_of_its_shard(void **state)
{
	(void)state;
	assert_int_equal(zg_shard_post(0, note, NULL), 0);
	assert_int_equal(run_count, 0);
	woken_turn();
	assert_int_equal(run_count, 1);
	assert_ptr_equal(run_shard, &fixture->shard->async);
	assert_int_equal(fixture->shard->async.counters.posts, 1);
}

static void posts_keep_their_order(void **state)
{
	(void)state;
	for (uintptr_t number = 1; number <= 3; number++)
		assert_int_equal(zg_shard_post(0, note, (void *)number), 0);
	woken_turn();
	assert_int_equal(run_order, 123);
}

static void more_posts_than_may_wait_are_refused_and_counted(void **state)
{
	(void)state;
	for (uint32_t count = 0; count < POSTS; count++)
		assert_int_equal(zg_shard_post(0, note, NULL), 0);
	assert_int_equal(zg_shard_post(0, note, NULL), -EAGAIN);
	assert_int_equal(fixture->shard->async.counters.posts_refused, 1);
	woken_turn();
	assert_int_equal(run_count, POSTS);
	assert_int_equal(zg_shard_post(0, note, NULL), 0);
}

static void posts_that_post_do_not_keep_a_turn_from_ending(void **state)
{
	(void)state;
	assert_int_equal(zg_shard_post(0, post_again, NULL), 0);
	woken_turn();
	assert_in_range(run_count, 1, fixture->shard->inbox.mask + 1);
}

static void a_shard_that_is_not_there_is_refused(void **state)
{
	(void)state;
	assert_int_equal(zg_shard_post(1, note, NULL), -EINVAL);
}

static void a_service_without_posts_says_so(void **state)
{
	(void)state;
	(void)close_shard(state);
	open_with(change_to_none);
	assert_int_equal(zg_shard_post(0, note, NULL), -EOPNOTSUPP);
}

static void without_a_server_a_post_is_stale(void **state)
{
	(void)state;
	zgi_resume_close();
	assert_int_equal(zg_shard_post(0, note, NULL), -ESTALE);
}

static int resume_nothing(struct zg_exchange *x, void *user)
{
	(void)x;
	(void)user;
	fail_msg("no exchange has this handle");
	return 0;
}

static void a_handle_of_nothing_is_no_post(void **state)
{
	(void)state;
	assert_int_equal(zg_resume(ZG_HANDLE_NONE, resume_nothing, NULL), -ESTALE);
	woken_turn();
}

#define test(name) cmocka_unit_test_setup_teardown(name, open_shard, close_shard)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_post_runs_in_a_turn_of_its_shard),
		test(posts_keep_their_order),
		test(more_posts_than_may_wait_are_refused_and_counted),
		test(posts_that_post_do_not_keep_a_turn_from_ending),
		test(a_shard_that_is_not_there_is_refused),
		test(a_service_without_posts_says_so),
		test(without_a_server_a_post_is_stale),
		test(a_handle_of_nothing_is_no_post),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
