/*
 * The combined operation: a reply and the wait for the next request. What matters
 * is the rare case, a reply that the kernel does not take at once: not a byte of it
 * may be lost, sent twice, or believed sent.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_fixture.h"

#define LARGE_SIZE (16U << 20)
#define SHORT_NS UINT64_C(50000000)
#define REPLY "reply"

static unsigned char large_sent[LARGE_SIZE];
static unsigned char large_got[LARGE_SIZE];
static char request[64];

static struct zgi_io_transfer transfer_of(const void *reply, size_t size)
{
	return (struct zgi_io_transfer){
		.send_buffer = reply,
		.send_size = size,
		.recv_buffer = request,
		.recv_size = sizeof(request),
	};
}

static void test_sends_and_completes_with_what_came_next(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	struct zgi_io_transfer transfer = transfer_of(REPLY, sizeof(REPLY) - 1);
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	char got[16] = {0};

	(void)state;
	zgi_io_send_recv(fixture->io, descriptor, &transfer, 1);
	/* Silence: nothing is told of the send. */
	assert_int_equal(fixture_count(fixture, ZGI_IO_DONE, SHORT_NS), 0);
	assert_int_equal(recv(client_fd, got, sizeof(got), 0), sizeof(REPLY) - 1);
	assert_string_equal(got, REPLY);
	assert_int_equal(write(client_fd, "next", 4), 4);
	assert_int_equal(fixture_done(fixture, 1), 4);
	assert_memory_equal(request, "next", 4);
	assert_int_equal(fixture_count(fixture, ZGI_IO_STALLED, SHORT_NS / 5), 0);
	close(client_fd);
	fixture_close(fixture);
}

static void test_takes_what_was_there_before(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	struct zgi_io_transfer transfer = transfer_of(REPLY, sizeof(REPLY) - 1);
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	char got[16] = {0};

	(void)state;
	assert_int_equal(write(client_fd, "early", 5), 5);
	zgi_io_send_recv(fixture->io, descriptor, &transfer, 1);
	assert_int_equal(fixture_done(fixture, 1), 5);
	assert_int_equal(recv(client_fd, got, sizeof(got), 0), sizeof(REPLY) - 1);
	close(client_fd);
	fixture_close(fixture);
}

static void test_a_peer_that_ended_its_side_gets_the_reply(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	struct zgi_io_transfer transfer = transfer_of(REPLY, sizeof(REPLY) - 1);
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	char got[16] = {0};

	(void)state;
	assert_int_equal(shutdown(client_fd, SHUT_WR), 0);
	zgi_io_send_recv(fixture->io, descriptor, &transfer, 1);
	assert_int_equal(fixture_done(fixture, 1), 0);
	assert_int_equal(recv(client_fd, got, sizeof(got), 0), sizeof(REPLY) - 1);
	close(client_fd);
	fixture_close(fixture);
}

static void test_cancel_ends_the_receive_when_all_is_sent(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	struct zgi_io_transfer transfer = transfer_of(REPLY, sizeof(REPLY) - 1);
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	char got[16] = {0};

	(void)state;
	zgi_io_send_recv(fixture->io, descriptor, &transfer, 1);
	assert_int_equal(fixture_count(fixture, ZGI_IO_DONE, SHORT_NS / 5), 0);
	zgi_io_cancel(fixture->io, descriptor, 1);
	assert_int_equal(fixture_done(fixture, 1), -ECANCELED);
	assert_int_equal(recv(client_fd, got, sizeof(got), 0), sizeof(REPLY) - 1);
	close(client_fd);
	fixture_close(fixture);
}

static void test_a_reset_peer_completes_both(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	struct zgi_io_transfer transfer = transfer_of(REPLY, sizeof(REPLY) - 1);
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	int32_t result;

	(void)state;
	fixture_reset(client_fd);
	zgi_io_send_recv(fixture->io, descriptor, &transfer, 1);
	result = fixture_done(fixture, 1);
	assert_true(result <= 0);
	assert_int_equal(fixture_count(fixture, ZGI_IO_DONE, SHORT_NS / 5), 0);
	zgi_io_close(fixture->io, descriptor);
	fixture_close(fixture);
}

/* Read what is there on the client's side; how much there is now in all. */
static size_t client_drain(int client_fd, size_t got)
{
	ssize_t size;

	while (got < LARGE_SIZE &&
	       (size = recv(client_fd, large_got + got, LARGE_SIZE - got, MSG_DONTWAIT)) > 0)
		got += (size_t)size;
	return got;
}

static void test_a_reply_that_falls_short_says_how_far_it_got(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	struct zgi_io_transfer transfer = transfer_of(large_sent, LARGE_SIZE);
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	struct zgi_io_event stalled;
	size_t got = 0;

	(void)state;
	for (uint32_t i = 0; i < LARGE_SIZE; i++)
		large_sent[i] = (unsigned char)(i * 2654435761u >> 24);
	zgi_io_send_recv(fixture->io, descriptor, &transfer, 1);
	stalled = fixture_take(fixture, ZGI_IO_STALLED, 1);
	assert_int_equal(stalled.tag, 1);
	assert_in_range(stalled.result, 1, LARGE_SIZE - 1);
	assert_int_equal(fixture_done(fixture, 1), -ECANCELED);

	/* Exactly so many bytes arrive, and no more by themselves. */
	for (uint32_t turn = 0; turn < 20; turn++) {
		got = client_drain(client_fd, got);
		assert_int_equal(fixture_count(fixture, ZGI_IO_DONE, SHORT_NS / 50), 0);
	}
	assert_int_equal(got, stalled.result);
	assert_memory_equal(large_got, large_sent, got);
	close(client_fd);
	fixture_close(fixture);
}

static void test_a_reply_of_which_nothing_fits_says_so(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	struct zgi_io_transfer large = transfer_of(large_sent, LARGE_SIZE);
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	int32_t result = 1;

	(void)state;
	/* The first fills the socket; more are tried until one finds it full. */
	for (uint64_t tag = 1; result != -EAGAIN; tag++) {
		assert_true(tag < 100);
		zgi_io_send_recv(fixture->io, descriptor, &large, tag);
		result = fixture_take(fixture, ZGI_IO_STALLED, tag).result;
		assert_true(result > 0 || result == -EAGAIN);
		assert_int_equal(fixture_done(fixture, tag), -ECANCELED);
	}
	close(client_fd);
	fixture_close(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sends_and_completes_with_what_came_next),
		cmocka_unit_test(test_takes_what_was_there_before),
		cmocka_unit_test(test_a_peer_that_ended_its_side_gets_the_reply),
		cmocka_unit_test(test_cancel_ends_the_receive_when_all_is_sent),
		cmocka_unit_test(test_a_reset_peer_completes_both),
		cmocka_unit_test(test_a_reply_that_falls_short_says_how_far_it_got),
		cmocka_unit_test(test_a_reply_of_which_nothing_fits_says_so),
	};

	return fixture_run_both(tests);
}
