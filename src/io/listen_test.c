/*
 * Addresses as they are written, and the sockets made of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/listen.h"

struct errors {
	char buffer[512];
	struct zg_text text;
};

static struct errors errors;
static char directory[64];
static char unix_address[96];

static struct zg_text *fresh_error(void)
{
	zg_text_init(&errors.text, errors.buffer, sizeof(errors.buffer));
	return &errors.text;
}

static int setup_directory(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "zerog-listen-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(unix_address, sizeof(unix_address), "unix:%s/socket", directory);
	return 0;
}

static int teardown_directory(void **state)
{
	(void)state;
	unlink(unix_address + 5);
	return rmdir(directory);
}

static struct zgi_address parsed(const char *text)
{
	struct zgi_address address;

	if (zgi_address_parse(text, &address, fresh_error()) < 0)
		fail_msg("%s", errors.buffer);
	return address;
}

static void expect_same(const char *text, const char *expected)
{
	struct zgi_address address = parsed(text);
	char buffer[160];
	struct zg_text formatted;

	zg_text_init(&formatted, buffer, sizeof(buffer));
	zgi_address_format(&address, &formatted);
	assert_string_equal(buffer, expected);
}

static void test_addresses_are_read_and_written_alike(void **state)
{
	(void)state;
	expect_same("127.0.0.1:60000", "127.0.0.1:60000");
	expect_same(":8080", "0.0.0.0:8080");
	expect_same("0.0.0.0:0", "0.0.0.0:0");
	expect_same("[::1]:60000", "[::1]:60000");
	expect_same("[::]:65535", "[::]:65535");
	expect_same("unix:/run/app.sock", "unix:/run/app.sock");
	expect_same("unix:relative:1", "unix:relative:1");
}

static void expect_refused(const char *text, const char *word)
{
	struct zgi_address address = {.size = 77};

	assert_int_equal(zgi_address_parse(text, &address, fresh_error()), -EINVAL);
	assert_int_equal(address.size, 77);
	assert_non_null(strstr(errors.buffer, word));
}

static void test_what_is_no_address_is_refused_with_its_fault(void **state)
{
	char long_path[256] = "unix:/";

	(void)state;
	memset(long_path + 6, 'a', 200);
	expect_refused("", "PORT");
	expect_refused("60000", "PORT");
	expect_refused("127.0.0.1:", "port");
	expect_refused("127.0.0.1:65536", "port");
	expect_refused("127.0.0.1:+80", "port");
	expect_refused("127.0.0.1:80 ", "port");
	expect_refused("127.0.0.1:999999", "port");
	expect_refused("localhost:80", "names");
	expect_refused("::1:80", "brackets");
	expect_refused("[127.0.0.1]:80", "brackets");
	expect_refused("[::1:80", "brackets");
	expect_refused("unix:", "path");
	expect_refused(long_path, "107");
}

static void close_all(const int *fds, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		close(fds[i]);
}

static in_port_t port_of(int fd)
{
	struct sockaddr_in name = {0};
	socklen_t size = sizeof(name);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
	return name.sin_port;
}

static void test_all_shards_get_the_port_that_was_free(void **state)
{
	struct zgi_address address = parsed("127.0.0.1:0");
	int fds[4];

	(void)state;
	assert_int_equal(zgi_listen(&address, 16, fds, 4, fresh_error()), 0);
	assert_int_not_equal(((struct sockaddr_in *)&address.storage)->sin_port, 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(port_of(fds[i]),
				 ((struct sockaddr_in *)&address.storage)->sin_port);
	close_all(fds, 4);
}

static void test_listeners_are_non_blocking_closed_on_exec_and_without_delay(void **state)
{
	struct zgi_address address = parsed("127.0.0.1:0");
	int fd;
	int value = 0;
	socklen_t size = sizeof(value);

	(void)state;
	assert_int_equal(zgi_listen(&address, 16, &fd, 1, fresh_error()), 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &size), 0);
	assert_int_equal(value, 1);
	close(fd);
}

static void test_an_address_that_is_taken_is_refused_not_joined(void **state)
{
	struct zgi_address address = parsed("127.0.0.1:0");
	int fds[2];
	int other_fds[2] = {-7, -7};

	(void)state;
	assert_int_equal(zgi_listen(&address, 16, fds, 2, fresh_error()), 0);
	assert_int_equal(zgi_listen(&address, 16, other_fds, 2, fresh_error()), -EADDRINUSE);
	assert_int_equal(other_fds[0], -7);
	assert_non_null(strstr(errors.buffer, "127.0.0.1:"));
	assert_non_null(strstr(errors.buffer, "stop it"));
	close_all(fds, 2);
	assert_int_equal(zgi_listen(&address, 16, fds, 2, fresh_error()), 0);
	close_all(fds, 2);
}

static void test_an_address_of_no_interface_is_refused(void **state)
{
	struct zgi_address address = parsed("192.0.2.1:60000"); /* RFC 5737: nobody's. */
	int fd;

	(void)state;
	assert_int_equal(zgi_listen(&address, 16, &fd, 1, fresh_error()), -EADDRNOTAVAIL);
	assert_non_null(strstr(errors.buffer, "interface"));
}

static int connect_ipv4(in_port_t port)
{
	struct sockaddr_in name = {
		.sin_family = AF_INET,
		.sin_port = port,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

static void test_every_ipv6_address_is_every_ipv4_address_too(void **state)
{
	struct zgi_address address = parsed("[::]:0");
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	int client_fd;

	(void)state;
	if (fd < 0)
		skip();
	close(fd);
	assert_int_equal(zgi_listen(&address, 16, &fd, 1, fresh_error()), 0);
	client_fd = connect_ipv4(((struct sockaddr_in6 *)&address.storage)->sin6_port);
	assert_in_range(client_fd, 0, INT32_MAX);
	close(client_fd);
	close(fd);
}

static void test_shards_share_a_unix_socket(void **state)
{
	struct zgi_address address = parsed(unix_address);
	int fds[3];

	(void)state;
	assert_int_equal(zgi_listen(&address, 16, fds, 3, fresh_error()), 0);
	assert_int_equal(fds[1], fds[0]);
	assert_int_equal(fds[2], fds[0]);
	close(fds[0]);
}

static void test_a_stale_unix_socket_is_replaced(void **state)
{
	struct zgi_address address = parsed(unix_address);
	int fd;

	(void)state;
	assert_int_equal(zgi_listen(&address, 16, &fd, 1, fresh_error()), 0);
	close(fd); /* The file stays behind. */
	assert_int_equal(zgi_listen(&address, 16, &fd, 1, fresh_error()), 0);
	close(fd);
}

static void test_a_live_unix_socket_is_refused(void **state)
{
	struct zgi_address address = parsed(unix_address);
	int fd;
	int other_fd;

	(void)state;
	assert_int_equal(zgi_listen(&address, 16, &fd, 1, fresh_error()), 0);
	assert_int_equal(zgi_listen(&address, 16, &other_fd, 1, fresh_error()), -EADDRINUSE);
	assert_int_equal(access(unix_address + 5, F_OK), 0);
	close(fd);
}

static void test_a_file_that_is_no_socket_is_left_alone(void **state)
{
	struct zgi_address address = parsed(unix_address);
	int fd = open(unix_address + 5, O_CREAT | O_WRONLY, 0600);
	struct stat status;

	(void)state;
	assert_in_range(fd, 0, INT32_MAX);
	close(fd);
	assert_int_equal(zgi_listen(&address, 16, &fd, 1, fresh_error()), -EEXIST);
	assert_int_equal(stat(unix_address + 5, &status), 0);
	assert_true(S_ISREG(status.st_mode));
}

static void test_a_directory_that_is_missing_is_named(void **state)
{
	struct zgi_address address = parsed("unix:/nonexistent-zerog/socket");
	int fd;

	(void)state;
	assert_int_equal(zgi_listen(&address, 16, &fd, 1, fresh_error()), -ENOENT);
	assert_non_null(strstr(errors.buffer, "directory"));
}

#define unit_test_with_directory(test) \
	cmocka_unit_test_setup_teardown(test, setup_directory, teardown_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_are_read_and_written_alike),
		cmocka_unit_test(test_what_is_no_address_is_refused_with_its_fault),
		cmocka_unit_test(test_all_shards_get_the_port_that_was_free),
		cmocka_unit_test(test_listeners_are_non_blocking_closed_on_exec_and_without_delay),
		cmocka_unit_test(test_an_address_that_is_taken_is_refused_not_joined),
		cmocka_unit_test(test_an_address_of_no_interface_is_refused),
		cmocka_unit_test(test_every_ipv6_address_is_every_ipv4_address_too),
		unit_test_with_directory(test_shards_share_a_unix_socket),
		unit_test_with_directory(test_a_stale_unix_socket_is_replaced),
		unit_test_with_directory(test_a_live_unix_socket_is_refused),
		unit_test_with_directory(test_a_file_that_is_no_socket_is_left_alone),
		cmocka_unit_test(test_a_directory_that_is_missing_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
