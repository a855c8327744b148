/*
 * Flushes that a shard starts and nobody waits for.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/shard_fixture.h"

#define FLUSHES 2
#define FILE_FD 77 /* the fake's: no file has it */

static struct shard_fixture *fixture;
static struct zg_shard *shard;
static uint32_t done_count;
static int done_result;
static void *done_user;

static void change(struct zg_options *options)
{
	options->flushes = FLUSHES;
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
	done_count = 0;
	done_result = 1;
	done_user = NULL;
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

static void note_done(struct zg_shard *of, int result, void *user)
{
	assert_ptr_equal(of, shard);
	done_count++;
	done_result = result;
	done_user = user;
}

static void flush_again(struct zg_shard *of, int result, void *user)
{
	(void)result;
	done_count++;
	assert_int_equal(zg_flush(of, FILE_FD, note_done, user), 0);
}

static void complete(int32_t result)
{
	fake_io_flushed(&fixture->fake, FILE_FD, result);
	shard_fixture_turn(fixture);
}

static void done_is_called_when_the_flush_is_over(void **state)
{
	int mine;

	(void)state;
	assert_int_equal(zg_flush(shard, FILE_FD, note_done, &mine), 0);
	shard_fixture_turn(fixture);
	assert_int_equal(done_count, 0);
	complete(0);
	assert_int_equal(done_count, 1);
	assert_int_equal(done_result, 0);
	assert_ptr_equal(done_user, &mine);
}

static void an_error_is_told_and_counted(void **state)
{
	(void)state;
	assert_int_equal(zg_flush(shard, FILE_FD, note_done, NULL), 0);
	complete(-EIO);
	assert_int_equal(done_result, -EIO);
	assert_int_equal(shard->counters.flushes_failed, 1);
}

static void more_than_may_be_under_way_are_refused_and_counted(void **state)
{
	(void)state;
	for (uint32_t count = 0; count < FLUSHES; count++)
		assert_int_equal(zg_flush(shard, FILE_FD, note_done, NULL), 0);
	assert_int_equal(zg_flush(shard, FILE_FD, note_done, NULL), -EAGAIN);
	assert_int_equal(shard->counters.flushes_refused, 1);
	complete(0);
	assert_int_equal(zg_flush(shard, FILE_FD, note_done, NULL), 0);
}

static void done_may_flush_again(void **state)
{
	(void)state;
	for (uint32_t count = 0; count < FLUSHES; count++)
		assert_int_equal(zg_flush(shard, FILE_FD, flush_again, NULL), 0);
	complete(0);
	complete(0);
	assert_int_equal(done_count, FLUSHES);
	assert_int_equal(fake_io_flush_count(&fixture->fake), FLUSHES);
}

static void what_cannot_be_is_refused(void **state)
{
	(void)state;
	assert_int_equal(zg_flush(shard, -1, note_done, NULL), -EBADF);
	(void)close_shard(state);
	open_with(NULL);
	assert_int_equal(zg_flush(shard, FILE_FD, note_done, NULL), -EOPNOTSUPP);
}

static void a_drain_waits_for_a_flush(void **state)
{
	(void)state;
	assert_int_equal(zg_flush(shard, FILE_FD, note_done, NULL), 0);
	zgi_shard_command(fixture->shard, ZGI_SHARD_DRAIN);
	shard_fixture_turn(fixture);
	fake_io_accept_end(&fixture->fake);
	shard_fixture_turn(fixture);
	assert_int_equal(fixture->shard->is_drained, 0);
	complete(0);
	assert_int_equal(fixture->shard->is_drained, 1);
}

static void a_shard_ends_after_its_flushes(void **state)
{
	(void)state;
	assert_int_equal(zg_flush(shard, FILE_FD, note_done, NULL), 0);
	fake_io_flushed(&fixture->fake, FILE_FD, 0);
	zgi_shard_end(fixture->shard);
	assert_int_equal(done_count, 1);
	assert_int_equal(zg_flush(shard, FILE_FD, note_done, NULL), -ESHUTDOWN);
}

#define test(name) cmocka_unit_test_setup_teardown(name, open_shard, close_shard)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(done_is_called_when_the_flush_is_over),
		test(an_error_is_told_and_counted),
		test(more_than_may_be_under_way_are_refused_and_counted),
		test(done_may_flush_again),
		test(what_cannot_be_is_refused),
		test(a_drain_waits_for_a_flush),
		test(a_shard_ends_after_its_flushes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
