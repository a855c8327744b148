/*
 * Files: a part of one sent as it is, where the backend can, and one read beside a
 * connection. Short results are the rule, and what is not there is told.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_fixture.h"

#define FILE_SIZE (4U << 20)

static unsigned char bytes[FILE_SIZE];
static unsigned char got[FILE_SIZE];

/* A file of so many bytes that nobody else can see. */
static int file_open(size_t size)
{
	char name[] = "/tmp/zerog-file-XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	assert_int_equal(unlink(name), 0);
	for (size_t index = 0; index < size; index++)
		bytes[index] = (unsigned char)(index * 7 + index / 256);
	assert_int_equal(write(fd, bytes, size), size);
	return fd;
}

static void test_reads_a_part_into_a_buffer(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	struct zgi_io_file file = {.fd = file_open(10000), .offset = 5000, .size = 1000};

	(void)state;
	zgi_io_read_file(fixture->io, descriptor, &file, got, 1);
	assert_int_equal(fixture_done(fixture, 1), 1000);
	assert_memory_equal(got, bytes + 5000, 1000);
	close(file.fd);
	close(client_fd);
	fixture_close(fixture);
}

static void test_reads_less_at_the_files_end(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	struct zgi_io_file file = {.fd = file_open(100), .offset = 90, .size = 1000};

	(void)state;
	zgi_io_read_file(fixture->io, descriptor, &file, got, 1);
	assert_int_equal(fixture_done(fixture, 1), 10);
	file.offset = 100;
	zgi_io_read_file(fixture->io, descriptor, &file, got, 2);
	assert_int_equal(fixture_done(fixture, 2), 0);
	close(file.fd);
	close(client_fd);
	fixture_close(fixture);
}

static void test_tells_that_a_file_cannot_be_read(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	int pipe_fds[2];
	struct zgi_io_file file = {.size = 10};

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	file.fd = pipe_fds[1];
	zgi_io_read_file(fixture->io, descriptor, &file, got, 1);
	assert_true(fixture_done(fixture, 1) < 0);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(client_fd);
	fixture_close(fixture);
}

static void receive_all(int client_fd, size_t size, size_t *done)
{
	ssize_t part;

	while (*done < size &&
	       (part = recv(client_fd, got + *done, size - *done, MSG_DONTWAIT)) > 0)
		*done += (size_t)part;
}

/* The client takes what there is after each part, so that sockets fill and empty again. */
static void test_sends_a_file_in_as_many_parts_as_it_takes(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	struct zgi_io_file file = {.fd = file_open(FILE_SIZE), .size = FILE_SIZE};
	size_t done = 0;
	uint64_t tag = 1;

	(void)state;
	/* A backend that cannot has its caller read the file. */
	if (!zgi_io_can_send_file(fixture->io))
		file.size = 0;
	memset(got, 0, sizeof(got));
	while (file.size > 0) {
		int32_t sent;

		zgi_io_send_file(fixture->io, descriptor, &file, tag);
		receive_all(client_fd, FILE_SIZE, &done);
		sent = fixture_done(fixture, tag++);
		assert_true(sent > 0);
		file.offset += (uint64_t)sent;
		file.size -= (uint64_t)sent;
	}
	while (tag > 1 && done < FILE_SIZE)
		receive_all(client_fd, FILE_SIZE, &done);
	assert_memory_equal(got, bytes, done);
	assert_true(tag == 1 || tag > 3);
	close(file.fd);
	close(client_fd);
	fixture_close(fixture);
}

static void test_sends_nothing_of_a_file_that_has_become_shorter(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	struct zgi_io_file file = {.fd = file_open(100), .offset = 100, .size = 50};

	(void)state;
	if (zgi_io_can_send_file(fixture->io)) {
		zgi_io_send_file(fixture->io, descriptor, &file, 1);
		assert_int_equal(fixture_done(fixture, 1), 0);
	}
	close(file.fd);
	close(client_fd);
	fixture_close(fixture);
}

static void test_a_peer_that_has_gone_is_an_error_and_no_signal(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	struct zgi_io_file file = {.fd = file_open(FILE_SIZE), .size = FILE_SIZE};
	int32_t sent = zgi_io_can_send_file(fixture->io) ? 1 : -EPIPE;

	(void)state;
	fixture_reset(client_fd);
	for (uint64_t tag = 1; sent > 0; tag++) {
		zgi_io_send_file(fixture->io, descriptor, &file, tag);
		sent = fixture_done(fixture, tag);
	}
	for (uint64_t tag = 100; tag < 102; tag++) {
		if (!zgi_io_can_send_file(fixture->io))
			break;
		zgi_io_send_file(fixture->io, descriptor, &file, tag);
		sent = fixture_done(fixture, tag);
	}
	assert_int_equal(sent, -EPIPE);
	close(file.fd);
	fixture_close(fixture);
}

static void test_cancels_a_file_that_a_peer_does_not_take(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	struct zgi_io_file file = {.fd = file_open(FILE_SIZE), .size = FILE_SIZE};
	int32_t sent = 1;
	uint64_t tag = 1;

	(void)state;
	while (zgi_io_can_send_file(fixture->io) && sent != -ECANCELED) {
		file.offset = 0;
		zgi_io_send_file(fixture->io, descriptor, &file, tag);
		if (fixture_count(fixture, ZGI_IO_DONE, UINT64_C(20000000)) == 0)
			zgi_io_cancel(fixture->io, descriptor, tag);
		sent = fixture_done(fixture, tag++);
		assert_true(sent > 0 || sent == -ECANCELED);
	}
	zgi_io_close(fixture->io, descriptor);
	close(file.fd);
	close(client_fd);
	fixture_close(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_a_part_into_a_buffer),
		cmocka_unit_test(test_reads_less_at_the_files_end),
		cmocka_unit_test(test_tells_that_a_file_cannot_be_read),
		cmocka_unit_test(test_sends_a_file_in_as_many_parts_as_it_takes),
		cmocka_unit_test(test_sends_nothing_of_a_file_that_has_become_shorter),
		cmocka_unit_test(test_a_peer_that_has_gone_is_an_error_and_no_signal),
		cmocka_unit_test(test_cancels_a_file_that_a_peer_does_not_take),
	};

	return fixture_run_both(tests);
}
