/*
 * Files that are flushed and descriptors that are watched, on each backend.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_fixture.h"

#define SHORT_NS UINT64_C(50000000)
#define FLUSHES 4

static struct fixture *open_with_flushes(void)
{
	return fixture_open((struct fixture_options){.flush_count = FLUSHES});
}

/* A file that is gone when it is closed, with something in it that no disk has yet. */
static int dirty_file(void)
{
	char path[] = "zerog-io-XXXXXX";
	int fd = mkstemp(path);

	assert_in_range(fd, 0, INT32_MAX);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(write(fd, "data", 4), 4);
	return fd;
}

static void test_flush_completes(void **state)
{
	struct fixture *fixture = open_with_flushes();
	int fd = dirty_file();

	(void)state;
	zgi_io_flush(fixture->io, fd, 7);
	assert_int_equal(fixture_take(fixture, ZGI_IO_FLUSHED, 7).result, 0);
	assert_int_equal(fixture_count(fixture, ZGI_IO_FLUSHED, SHORT_NS / 5), 0);
	close(fd);
	fixture_close(fixture);
}

static void test_several_flushes_are_in_flight_at_once(void **state)
{
	struct fixture *fixture = open_with_flushes();
	int fd = dirty_file();

	(void)state;
	for (uint64_t round = 0; round < 50; round++) {
		for (uint64_t tag = 1; tag <= FLUSHES; tag++)
			zgi_io_flush(fixture->io, fd, tag);
		for (uint64_t tag = 1; tag <= FLUSHES; tag++)
			assert_int_equal(fixture_take(fixture, ZGI_IO_FLUSHED, tag).result, 0);
	}
	close(fd);
	fixture_close(fixture);
}

static void test_flush_of_what_has_no_disk_tells_the_error(void **state)
{
	struct fixture *fixture = open_with_flushes();
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	zgi_io_flush(fixture->io, pair[0], 1);
	assert_int_equal(fixture_take(fixture, ZGI_IO_FLUSHED, 1).result, -EINVAL);
	close(pair[0]);
	close(pair[1]);
	fixture_close(fixture);
}

static void test_connections_are_served_beside_a_flush(void **state)
{
	struct fixture *fixture = open_with_flushes();
	int fd = dirty_file();
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	char byte;

	(void)state;
	/* The largest tags there are, and the same on a connection. */
	zgi_io_flush(fixture->io, fd, (UINT64_C(1) << 56) - 1);
	zgi_io_recv(fixture->io, descriptor, &byte, 1, (UINT64_C(1) << 56) - 1);
	assert_int_equal(write(client_fd, "x", 1), 1);
	assert_int_equal(fixture_done(fixture, (UINT64_C(1) << 56) - 1), 1);
	assert_int_equal(fixture_take(fixture, ZGI_IO_FLUSHED, (UINT64_C(1) << 56) - 1).result, 0);
	close(fd);
	close(client_fd);
	fixture_close(fixture);
}

static int32_t watched(struct fixture *fixture, uint64_t tag)
{
	return fixture_take(fixture, ZGI_IO_WATCHED, tag).result;
}

static void open_pair(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
}

static void test_watch_tells_when_it_comes_true(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int pair[2];

	(void)state;
	open_pair(pair);
	assert_int_equal(zgi_io_watch(fixture->io, pair[0], POLLIN, 3), 0);
	assert_int_equal(fixture_count(fixture, ZGI_IO_WATCHED, SHORT_NS), 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	assert_int_equal(watched(fixture, 3), POLLIN);
	close(pair[0]);
	close(pair[1]);
	fixture_close(fixture);
}

static void test_watch_tells_once(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int pair[2];

	(void)state;
	open_pair(pair);
	assert_int_equal(zgi_io_watch(fixture->io, pair[0], POLLOUT, 3), 0);
	assert_int_equal(watched(fixture, 3), POLLOUT);
	assert_int_equal(fixture_count(fixture, ZGI_IO_WATCHED, SHORT_NS), 0);
	close(pair[0]);
	close(pair[1]);
	fixture_close(fixture);
}

static void test_watch_again_tells_what_still_holds(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int pair[2];

	(void)state;
	open_pair(pair);
	assert_int_equal(write(pair[1], "x", 1), 1);
	for (uint64_t tag = 1; tag <= 3; tag++) {
		assert_int_equal(zgi_io_watch(fixture->io, pair[0], POLLIN, tag), 0);
		assert_int_equal(watched(fixture, tag), POLLIN);
	}
	close(pair[0]);
	close(pair[1]);
	fixture_close(fixture);
}

static void test_watch_tells_only_what_was_asked_for(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int pair[2];

	(void)state;
	open_pair(pair);
	assert_int_equal(zgi_io_watch(fixture->io, pair[0], POLLOUT, 1), 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	assert_int_equal(watched(fixture, 1), POLLOUT);
	close(pair[0]);
	close(pair[1]);
	fixture_close(fixture);
}

static void test_watch_always_tells_of_the_end(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int pair[2];

	(void)state;
	open_pair(pair);
	assert_int_equal(zgi_io_watch(fixture->io, pair[0], POLLPRI, 1), 0);
	close(pair[1]);
	assert_true(watched(fixture, 1) & POLLHUP);
	close(pair[0]);
	fixture_close(fixture);
}

static void test_unwatch_ends_it_and_the_next_watch_works(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int pair[2];

	(void)state;
	open_pair(pair);
	assert_int_equal(zgi_io_watch(fixture->io, pair[0], POLLIN, 1), 0);
	zgi_io_unwatch(fixture->io, pair[0], 1);
	assert_int_equal(zgi_io_watch(fixture->io, pair[0], POLLIN, 2), 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	assert_int_equal(watched(fixture, 2), POLLIN);
	close(pair[0]);
	close(pair[1]);
	fixture_close(fixture);
}

static void test_unwatch_tells_nothing_of_what_comes_later(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	uint32_t count;
	int pair[2];

	(void)state;
	open_pair(pair);
	assert_int_equal(zgi_io_watch(fixture->io, pair[0], POLLIN, 1), 0);
	zgi_io_unwatch(fixture->io, pair[0], 1);
	/* That it was cancelled may be told. */
	count = fixture_count(fixture, ZGI_IO_WATCHED, SHORT_NS / 5);
	assert_int_equal(write(pair[1], "x", 1), 1);
	assert_int_equal(fixture_count(fixture, ZGI_IO_WATCHED, SHORT_NS), count);
	close(pair[0]);
	close(pair[1]);
	fixture_close(fixture);
}

static void test_unwatch_lets_the_descriptor_be_closed(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int pair[2];
	char byte;

	(void)state;
	open_pair(pair);
	assert_int_equal(zgi_io_watch(fixture->io, pair[0], POLLIN, 1), 0);
	assert_int_equal(fixture_count(fixture, ZGI_IO_WATCHED, SHORT_NS / 5), 0);
	zgi_io_unwatch(fixture->io, pair[0], 1);
	close(pair[0]);
	(void)fixture_count(fixture, ZGI_IO_WATCHED, SHORT_NS / 5);
	/* Nothing holds it any more: its peer sees the end. */
	assert_int_equal(read(pair[1], &byte, 1), 0);
	close(pair[1]);
	fixture_close(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flush_completes),
		cmocka_unit_test(test_several_flushes_are_in_flight_at_once),
		cmocka_unit_test(test_flush_of_what_has_no_disk_tells_the_error),
		cmocka_unit_test(test_connections_are_served_beside_a_flush),
		cmocka_unit_test(test_watch_tells_when_it_comes_true),
		cmocka_unit_test(test_watch_tells_once),
		cmocka_unit_test(test_watch_again_tells_what_still_holds),
		cmocka_unit_test(test_watch_tells_only_what_was_asked_for),
		cmocka_unit_test(test_watch_always_tells_of_the_end),
		cmocka_unit_test(test_unwatch_ends_it_and_the_next_watch_works),
		cmocka_unit_test(test_unwatch_tells_nothing_of_what_comes_later),
		cmocka_unit_test(test_unwatch_lets_the_descriptor_be_closed),
	};

	return fixture_run_both(tests);
}
