/*
 * Watched descriptors: level-triggered, whatever the I/O object tells once.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/shard_fixture.h"

#define WATCHES 2

static struct shard_fixture *fixture;
static struct zg_shard *shard;
static int fds[3];
static uint32_t call_count;
static unsigned told;
static zg_watch watch;
static unsigned change_to; /* what the handler that changes wants then */

static void change(struct zg_options *options)
{
	options->watches = WATCHES;
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
	call_count = 0;
	told = 0;
}

static int open_shard(void **state)
{
	(void)state;
	open_with(change);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	fds[2] = dup(fds[0]);
	return 0;
}

static int close_shard(void **state)
{
	(void)state;
	for (int index = 0; index < 3; index++)
		close(fds[index]);
	shard_fixture_close(fixture);
	return 0;
}

static void note(struct zg_shard *of, unsigned events, void *user)
{
	(void)user;
	assert_ptr_equal(of, shard);
	call_count++;
	told = events;
}

static void note_and_stop(struct zg_shard *of, unsigned events, void *user)
{
	note(of, events, user);
	assert_int_equal(zg_watch_stop(of, watch), 0);
}

static void note_and_change(struct zg_shard *of, unsigned events, void *user)
{
	note(of, events, user);
	assert_int_equal(zg_watch_change(of, watch, change_to), 0);
}

static int start(int fd, unsigned events, zg_watch_handler *handler)
{
	return zg_watch_start(
		shard, &(struct zg_watch_options){.fd = fd, .events = events, .handler = handler},
		&watch);
}

static void tell(int fd, int32_t result)
{
	fake_io_watched(&fixture->fake, fd, result);
	shard_fixture_turn(fixture);
}

static uint32_t asked_for(int fd)
{
	const struct fake_watch *asked = fake_io_watch_of(&fixture->fake, fd);

	return asked != NULL ? asked->poll_events : 0;
}

static void what_holds_is_told_again_until_the_watch_is_stopped(void **state)
{
	(void)state;
	assert_int_equal(start(fds[0], ZG_WATCH_READABLE, note), 0);
	for (uint32_t turn = 1; turn <= 3; turn++) {
		assert_int_equal(asked_for(fds[0]), POLLIN);
		tell(fds[0], POLLIN);
		assert_int_equal(call_count, turn);
		assert_int_equal(told, ZG_WATCH_READABLE);
	}
	assert_int_equal(zg_watch_stop(shard, watch), 0);
	assert_int_equal(asked_for(fds[0]), 0);
	assert_int_equal(shard->counters.watch_events, 3);
}

static void a_handler_may_stop_its_watch(void **state)
{
	(void)state;
	assert_int_equal(start(fds[0], ZG_WATCH_READABLE, note_and_stop), 0);
	tell(fds[0], POLLIN);
	assert_int_equal(asked_for(fds[0]), 0);
	assert_int_equal(shard->watches.live_count, 0);
	assert_int_equal(zg_watch_stop(shard, watch), -ESTALE);
}

static void a_handler_may_want_something_else(void **state)
{
	(void)state;
	change_to = ZG_WATCH_WRITABLE;
	assert_int_equal(start(fds[0], ZG_WATCH_READABLE, note_and_change), 0);
	tell(fds[0], POLLIN);
	assert_int_equal(asked_for(fds[0]), POLLOUT);
	change_to = 0;
	tell(fds[0], POLLOUT);
	assert_int_equal(told, ZG_WATCH_WRITABLE);
	assert_int_equal(asked_for(fds[0]), 0);
	/* It is still there, and may want something again. */
	assert_int_equal(zg_watch_change(shard, watch, ZG_WATCH_READABLE), 0);
	assert_int_equal(asked_for(fds[0]), POLLIN);
}

static void what_was_told_before_a_change_is_passed_over(void **state)
{
	(void)state;
	assert_int_equal(start(fds[0], ZG_WATCH_READABLE, note), 0);
	fake_io_watched(&fixture->fake, fds[0], POLLIN);
	assert_int_equal(zg_watch_change(shard, watch, ZG_WATCH_WRITABLE), 0);
	shard_fixture_turn(fixture);
	assert_int_equal(call_count, 0);
	tell(fds[0], POLLOUT);
	assert_int_equal(told, ZG_WATCH_WRITABLE);
}

static void what_was_told_before_a_stop_reaches_no_later_watch(void **state)
{
	(void)state;
	assert_int_equal(start(fds[0], ZG_WATCH_READABLE, note), 0);
	fake_io_watched(&fixture->fake, fds[0], POLLIN);
	assert_int_equal(zg_watch_stop(shard, watch), 0);
	assert_int_equal(start(fds[0], ZG_WATCH_READABLE, note), 0);
	shard_fixture_turn(fixture);
	assert_int_equal(call_count, 0);
	assert_int_equal(asked_for(fds[0]), POLLIN);
}

static void an_end_tells_all_that_was_wanted(void **state)
{
	(void)state;
	assert_int_equal(start(fds[0], ZG_WATCH_READABLE | ZG_WATCH_WRITABLE, note), 0);
	tell(fds[0], POLLHUP);
	assert_int_equal(told, ZG_WATCH_READABLE | ZG_WATCH_WRITABLE | ZG_WATCH_ERROR);
}

static void a_descriptor_that_can_be_watched_no_longer_is_told_once(void **state)
{
	(void)state;
	assert_int_equal(start(fds[0], ZG_WATCH_READABLE, note), 0);
	tell(fds[0], -EBADF);
	assert_int_equal(told, ZG_WATCH_READABLE | ZG_WATCH_ERROR);
	assert_int_equal(asked_for(fds[0]), 0);
	assert_int_equal(zg_watch_stop(shard, watch), 0);

	assert_int_equal(start(fds[1], ZG_WATCH_READABLE, note), 0);
	fixture->fake.watch_error = -EBADF;
	call_count = 0;
	tell(fds[1], POLLIN);
	assert_int_equal(call_count, 2);
	assert_int_equal(told, ZG_WATCH_READABLE | ZG_WATCH_ERROR);
}

static void more_watches_than_there_are_places_are_refused_and_counted(void **state)
{
	zg_watch first;

	(void)state;
	assert_int_equal(start(fds[0], ZG_WATCH_READABLE, note), 0);
	first = watch;
	assert_int_equal(start(fds[1], ZG_WATCH_READABLE, note), 0);
	assert_int_equal(start(fds[2], ZG_WATCH_READABLE, note), -EAGAIN);
	assert_int_equal(shard->counters.watches_refused, 1);
	assert_int_equal(zg_watch_stop(shard, first), 0);
	assert_int_equal(start(fds[2], ZG_WATCH_READABLE, note), 0);
}

static void what_cannot_be_watched_is_refused(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(start(fd, ZG_WATCH_READABLE, note), -EPERM);
	close(fd);
	assert_int_equal(start(fd, ZG_WATCH_READABLE, note), -EBADF);
	assert_int_equal(start(-1, ZG_WATCH_READABLE, note), -EBADF);
	assert_int_equal(start(fds[0], 8, note), -EINVAL);
	assert_int_equal(start(fds[0], ZG_WATCH_READABLE, note), 0);
	assert_int_equal(start(fds[0], ZG_WATCH_WRITABLE, note), -EEXIST);
	fixture->fake.watch_error = -ENOSPC;
	assert_int_equal(start(fds[1], ZG_WATCH_READABLE, note), -ENOSPC);
	assert_int_equal(shard->watches.live_count, 1);
	shard_fixture_close(fixture);
	open_with(NULL);
	assert_int_equal(start(fds[0], ZG_WATCH_READABLE, note), -EOPNOTSUPP);
}

static void the_name_of_a_watch_goes_stale(void **state)
{
	zg_watch stopped;

	(void)state;
	assert_int_equal(start(fds[0], ZG_WATCH_READABLE, note), 0);
	stopped = watch;
	assert_int_equal(zg_watch_stop(shard, stopped), 0);
	assert_int_equal(start(fds[1], ZG_WATCH_READABLE, note), 0);
	assert_int_equal(zg_watch_stop(shard, stopped), -ESTALE);
	assert_int_equal(zg_watch_change(shard, stopped, 0), -ESTALE);
	assert_int_equal(zg_watch_stop(shard, ZG_WATCH_NONE), -ESTALE);
	assert_int_equal(zg_watch_change(shard, watch, 8), -EINVAL);
}

#define test(name) cmocka_unit_test_setup_teardown(name, open_shard, close_shard)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(what_holds_is_told_again_until_the_watch_is_stopped),
		test(a_handler_may_stop_its_watch),
		test(a_handler_may_want_something_else),
		test(what_was_told_before_a_change_is_passed_over),
		test(what_was_told_before_a_stop_reaches_no_later_watch),
		test(an_end_tells_all_that_was_wanted),
		test(a_descriptor_that_can_be_watched_no_longer_is_told_once),
		test(more_watches_than_there_are_places_are_refused_and_counted),
		test(what_cannot_be_watched_is_refused),
		test(the_name_of_a_watch_goes_stale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
