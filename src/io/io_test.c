/*
 * The operations of one connection, on each backend.
 */
#include <errno.h>
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
#define LARGE_SIZE (8u << 20)
#define REUSE_COUNT 1000

static unsigned char large_sent[LARGE_SIZE];
static unsigned char large_got[LARGE_SIZE];

static void expect_accepts_on(const char *address)
{
	struct fixture *fixture = fixture_open((struct fixture_options){.address = address});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	char byte = 0;

	assert_in_range(descriptor, 0, 63);
	zgi_io_send(fixture->io, descriptor, "a", 1, false, 1);
	assert_int_equal(fixture_done(fixture, 1), 1);
	assert_int_equal(read(client_fd, &byte, 1), 1);
	assert_int_equal(byte, 'a');
	close(client_fd);
	fixture_close(fixture);
}

static void test_accepts_over_ipv4(void **state)
{
	(void)state;
	expect_accepts_on("127.0.0.1:0");
}

static void test_accepts_over_ipv6(void **state)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	(void)state;
	if (fd < 0)
		skip();
	close(fd);
	expect_accepts_on("[::1]:0");
}

static void test_accepts_over_unix(void **state)
{
	char directory[] = "zerog-io-XXXXXX";
	char address[64];

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(address, sizeof(address), "unix:%s/socket", directory);
	expect_accepts_on(address);
	assert_int_equal(unlink(address + 5), 0);
	assert_int_equal(rmdir(directory), 0);
}

static void test_poll_completes_on_data(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	char byte;

	(void)state;
	zgi_io_poll(fixture->io, descriptor, 7);
	assert_int_equal(fixture_count(fixture, ZGI_IO_DONE, SHORT_NS), 0);
	assert_int_equal(write(client_fd, "x", 1), 1);
	assert_in_range(fixture_done(fixture, 7), 0, INT32_MAX);
	zgi_io_recv(fixture->io, descriptor, &byte, 1, 8);
	assert_int_equal(fixture_done(fixture, 8), 1);
	close(client_fd);
	fixture_close(fixture);
}

static void test_poll_completes_when_data_came_before(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);

	(void)state;
	assert_int_equal(write(client_fd, "x", 1), 1);
	assert_int_equal(fixture_count(fixture, ZGI_IO_DONE, SHORT_NS), 0);
	zgi_io_poll(fixture->io, descriptor, 7);
	assert_in_range(fixture_done(fixture, 7), 0, INT32_MAX);
	close(client_fd);
	fixture_close(fixture);
}

static void test_poll_completes_on_end_of_stream(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	char byte;

	(void)state;
	zgi_io_poll(fixture->io, descriptor, 7);
	close(client_fd);
	assert_in_range(fixture_done(fixture, 7), 0, INT32_MAX);
	zgi_io_recv(fixture->io, descriptor, &byte, 1, 8);
	assert_int_equal(fixture_done(fixture, 8), 0);
	fixture_close(fixture);
}

static void test_poll_is_not_completed_by_what_was_received(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	char bytes[4];

	(void)state;
	/* The buffer is filled exactly, so a backend cannot tell by the size that no more is there.
	 */
	assert_int_equal(write(client_fd, "abcd", 4), 4);
	zgi_io_recv(fixture->io, descriptor, bytes, 4, 1);
	assert_int_equal(fixture_done(fixture, 1), 4);
	zgi_io_poll(fixture->io, descriptor, 2);
	assert_int_equal(fixture_count(fixture, ZGI_IO_DONE, SHORT_NS), 0);
	assert_int_equal(write(client_fd, "e", 1), 1);
	assert_in_range(fixture_done(fixture, 2), 0, INT32_MAX);
	close(client_fd);
	fixture_close(fixture);
}

static void test_recv_takes_what_fits_and_then_the_rest(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	char bytes[8] = {0};

	(void)state;
	assert_int_equal(write(client_fd, "abcdef", 6), 6);
	zgi_io_recv(fixture->io, descriptor, bytes, 4, 1);
	assert_int_equal(fixture_done(fixture, 1), 4);
	assert_memory_equal(bytes, "abcd", 4);
	zgi_io_recv(fixture->io, descriptor, bytes, 8, 2);
	assert_int_equal(fixture_done(fixture, 2), 2);
	assert_memory_equal(bytes, "ef", 2);
	close(client_fd);
	fixture_close(fixture);
}

static void test_recv_waits_for_data(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	char bytes[8];

	(void)state;
	for (uint64_t tag = 1; tag <= 3; tag++) {
		zgi_io_recv(fixture->io, descriptor, bytes, sizeof(bytes), tag);
		assert_int_equal(fixture_count(fixture, ZGI_IO_DONE, SHORT_NS / 5), 0);
		assert_int_equal(write(client_fd, "ab", 2), 2);
		assert_int_equal(fixture_done(fixture, tag), 2);
	}
	close(client_fd);
	fixture_close(fixture);
}

static void test_recv_sees_an_end_that_came_with_the_data(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	char bytes[8];

	(void)state;
	assert_int_equal(write(client_fd, "ab", 2), 2);
	close(client_fd);
	zgi_io_poll(fixture->io, descriptor, 1);
	assert_in_range(fixture_done(fixture, 1), 0, INT32_MAX);
	zgi_io_recv(fixture->io, descriptor, bytes, sizeof(bytes), 2);
	assert_int_equal(fixture_done(fixture, 2), 2);
	zgi_io_recv(fixture->io, descriptor, bytes, sizeof(bytes), 3);
	assert_int_equal(fixture_done(fixture, 3), 0);
	fixture_close(fixture);
}

static void test_recv_tells_a_reset(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	char bytes[8];

	(void)state;
	zgi_io_recv(fixture->io, descriptor, bytes, sizeof(bytes), 1);
	fixture_reset(client_fd);
	assert_int_equal(fixture_done(fixture, 1), -ECONNRESET);
	fixture_close(fixture);
}

static void test_poll_tells_a_reset_from_an_end_of_stream(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int ended_fd;
	int reset_fd;
	uint32_t ended = fixture_pair(fixture, &ended_fd);
	uint32_t reset = fixture_pair(fixture, &reset_fd);
	int32_t result;

	(void)state;
	zgi_io_poll(fixture->io, ended, 1);
	zgi_io_poll(fixture->io, reset, 2);
	assert_int_equal(shutdown(ended_fd, SHUT_WR), 0);
	fixture_reset(reset_fd);
	result = fixture_done(fixture, 1);
	assert_int_equal(result & ZGI_IO_POLL_GONE, 0);
	result = fixture_done(fixture, 2);
	assert_int_not_equal(result & ZGI_IO_POLL_GONE, 0);
	close(ended_fd);
	fixture_close(fixture);
}

static void test_poll_tells_a_reset_that_came_before(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);

	(void)state;
	fixture_reset(client_fd);
	(void)fixture_count(fixture, ZGI_IO_DONE, SHORT_NS / 5);
	zgi_io_poll(fixture->io, descriptor, 1);
	assert_int_not_equal(fixture_done(fixture, 1) & ZGI_IO_POLL_GONE, 0);
	fixture_close(fixture);
}

/* Read on the client's side while the backend sends, at most chunk bytes a turn. */
static void exchange_large(struct fixture *fixture, uint32_t descriptor, int client_fd,
			   size_t chunk)
{
	size_t sent = 0;
	size_t got = 0;

	zgi_io_send(fixture->io, descriptor, large_sent, LARGE_SIZE, false, 1);
	while (got < LARGE_SIZE) {
		struct zgi_io_event events[ZGI_IO_EVENTS_MAX];
		int count = zgi_io_wait(fixture->io, 1000000, events);
		size_t room = LARGE_SIZE - got < chunk ? LARGE_SIZE - got : chunk;
		ssize_t size = recv(client_fd, large_got + got, room, MSG_DONTWAIT);

		if (size > 0)
			got += (size_t)size;
		else
			assert_true(size < 0 && errno == EAGAIN);
		assert_in_range(count, 0, 1);
		if (count == 0)
			continue;
		assert_in_range(events[0].result, 1, LARGE_SIZE - sent);
		sent += (size_t)events[0].result;
		if (sent < LARGE_SIZE)
			zgi_io_send(fixture->io, descriptor, large_sent + sent, LARGE_SIZE - sent,
				    false, 1);
	}
	assert_int_equal(sent, LARGE_SIZE);
}

static void test_send_delivers_more_than_the_socket_holds(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);

	(void)state;
	for (uint32_t i = 0; i < LARGE_SIZE; i++)
		large_sent[i] = (unsigned char)(i * 2654435761u >> 24);
	memset(large_got, 0, LARGE_SIZE);
	exchange_large(fixture, descriptor, client_fd, 100000);
	assert_memory_equal(large_got, large_sent, LARGE_SIZE);
	close(client_fd);
	fixture_close(fixture);
}

static void test_send_to_a_peer_that_reset_fails_without_a_signal(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	int32_t result;

	(void)state;
	fixture_reset(client_fd);
	zgi_io_send(fixture->io, descriptor, "a", 1, false, 1);
	result = fixture_done(fixture, 1);
	assert_true(result == -EPIPE || result == -ECONNRESET);
	zgi_io_send(fixture->io, descriptor, "a", 1, false, 2);
	assert_int_equal(fixture_done(fixture, 2), -EPIPE);
	fixture_close(fixture);
}

static void test_send_with_more_is_held_until_the_last(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	char bytes[8];

	(void)state;
	zgi_io_send(fixture->io, descriptor, "ab", 2, true, 1);
	assert_int_equal(fixture_done(fixture, 1), 2);
	assert_int_equal(recv(client_fd, bytes, sizeof(bytes), MSG_DONTWAIT), -1);
	zgi_io_send(fixture->io, descriptor, "cd", 2, false, 2);
	assert_int_equal(fixture_done(fixture, 2), 2);
	assert_int_equal(recv(client_fd, bytes, sizeof(bytes), 0), 4);
	assert_memory_equal(bytes, "abcd", 4);
	close(client_fd);
	fixture_close(fixture);
}

static void test_shutdown_ends_only_our_side(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	char byte = 0;

	(void)state;
	zgi_io_shutdown(fixture->io, descriptor, 1);
	assert_int_equal(fixture_done(fixture, 1), 0);
	assert_int_equal(read(client_fd, &byte, 1), 0);
	assert_int_equal(write(client_fd, "z", 1), 1);
	zgi_io_recv(fixture->io, descriptor, &byte, 1, 2);
	assert_int_equal(fixture_done(fixture, 2), 1);
	assert_int_equal(byte, 'z');
	close(client_fd);
	fixture_close(fixture);
}

static void test_cancel_ends_a_poll_and_the_next_one_works(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);

	(void)state;
	zgi_io_poll(fixture->io, descriptor, 1);
	assert_int_equal(fixture_count(fixture, ZGI_IO_DONE, SHORT_NS / 5), 0);
	zgi_io_cancel(fixture->io, descriptor, 1);
	assert_int_equal(fixture_done(fixture, 1), -ECANCELED);
	zgi_io_poll(fixture->io, descriptor, 1);
	assert_int_equal(write(client_fd, "x", 1), 1);
	assert_in_range(fixture_done(fixture, 1), 0, INT32_MAX);
	close(client_fd);
	fixture_close(fixture);
}

static void test_cancel_ends_a_recv(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	char bytes[8];

	(void)state;
	zgi_io_recv(fixture->io, descriptor, bytes, sizeof(bytes), 1);
	zgi_io_cancel(fixture->io, descriptor, 1);
	assert_int_equal(fixture_done(fixture, 1), -ECANCELED);
	assert_int_equal(fixture_count(fixture, ZGI_IO_DONE, SHORT_NS / 5), 0);
	close(client_fd);
	fixture_close(fixture);
}

static void test_cancel_ends_a_send_that_is_stuck(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	int32_t result;

	(void)state;
	/* Short sends are resumed until the socket takes no more, and the send waits. */
	do {
		zgi_io_send(fixture->io, descriptor, large_sent, LARGE_SIZE, false, 1);
		if (fixture_count(fixture, ZGI_IO_DONE, SHORT_NS) == 0)
			break;
		assert_in_range(fixture_done(fixture, 1), 1, LARGE_SIZE);
	} while (true);
	zgi_io_cancel(fixture->io, descriptor, 1);
	result = fixture_done(fixture, 1);
	assert_true(result == -ECANCELED || (result > 0 && result < (int32_t)LARGE_SIZE));
	zgi_io_close(fixture->io, descriptor);
	close(client_fd);
	fixture_close(fixture);
}

static void test_cancel_of_what_has_completed_does_nothing(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);

	(void)state;
	zgi_io_send(fixture->io, descriptor, "a", 1, false, 1);
	assert_int_equal(fixture_done(fixture, 1), 1);
	zgi_io_cancel(fixture->io, descriptor, 1);
	zgi_io_send(fixture->io, descriptor, "b", 1, false, 1);
	assert_int_equal(fixture_done(fixture, 1), 1);
	assert_int_equal(fixture_count(fixture, ZGI_IO_DONE, SHORT_NS / 5), 0);
	close(client_fd);
	fixture_close(fixture);
}

static void test_close_ends_the_stream_of_the_peer(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	char byte;

	(void)state;
	zgi_io_close(fixture->io, descriptor);
	assert_int_equal(fixture_count(fixture, ZGI_IO_DONE, SHORT_NS / 5), 0);
	assert_int_equal(read(client_fd, &byte, 1), 0);
	close(client_fd);
	fixture_close(fixture);
}

static void test_a_closed_descriptor_is_used_again(void **state)
{
	/* A table of two: each descriptor must come back, or the third accept fails. */
	struct fixture *fixture = fixture_open((struct fixture_options){.descriptor_count = 2});

	(void)state;
	for (uint64_t i = 0; i < REUSE_COUNT; i++) {
		int client_fd;
		uint32_t descriptor = fixture_pair(fixture, &client_fd);
		char byte = 0;

		zgi_io_poll(fixture->io, descriptor, i);
		assert_int_equal(write(client_fd, "x", 1), 1);
		assert_in_range(fixture_done(fixture, i), 0, INT32_MAX);
		zgi_io_recv(fixture->io, descriptor, &byte, 1, i);
		assert_int_equal(fixture_done(fixture, i), 1);
		zgi_io_close(fixture->io, descriptor);
		fixture_reset(client_fd);
	}
	assert_int_equal(fixture_count(fixture, ZGI_IO_DONE, SHORT_NS / 5), 0);
	fixture_close(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts_over_ipv4),
		cmocka_unit_test(test_accepts_over_ipv6),
		cmocka_unit_test(test_accepts_over_unix),
		cmocka_unit_test(test_poll_completes_on_data),
		cmocka_unit_test(test_poll_completes_when_data_came_before),
		cmocka_unit_test(test_poll_completes_on_end_of_stream),
		cmocka_unit_test(test_poll_is_not_completed_by_what_was_received),
		cmocka_unit_test(test_recv_takes_what_fits_and_then_the_rest),
		cmocka_unit_test(test_recv_waits_for_data),
		cmocka_unit_test(test_recv_sees_an_end_that_came_with_the_data),
		cmocka_unit_test(test_recv_tells_a_reset),
		cmocka_unit_test(test_poll_tells_a_reset_from_an_end_of_stream),
		cmocka_unit_test(test_poll_tells_a_reset_that_came_before),
		cmocka_unit_test(test_send_delivers_more_than_the_socket_holds),
		cmocka_unit_test(test_send_to_a_peer_that_reset_fails_without_a_signal),
		cmocka_unit_test(test_send_with_more_is_held_until_the_last),
		cmocka_unit_test(test_shutdown_ends_only_our_side),
		cmocka_unit_test(test_cancel_ends_a_poll_and_the_next_one_works),
		cmocka_unit_test(test_cancel_ends_a_recv),
		cmocka_unit_test(test_cancel_ends_a_send_that_is_stuck),
		cmocka_unit_test(test_cancel_of_what_has_completed_does_nothing),
		cmocka_unit_test(test_close_ends_the_stream_of_the_peer),
		cmocka_unit_test(test_a_closed_descriptor_is_used_again),
	};

	return fixture_run_both(tests);
}
