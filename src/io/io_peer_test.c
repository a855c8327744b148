/*
 * Where connections come from: on both backends, and how it is told.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_fixture.h"
#include "io/peer.h"

#define MANY_COUNT 50 /* more than accepts are in flight at once */
#define SHORT_NS UINT64_C(50000000)

static const char *print(const struct zg_peer *peer)
{
	static char buffer[128];
	struct zg_text text;

	zg_text_init(&text, buffer, sizeof(buffer));
	zg_peer_print(peer, &text);
	return buffer;
}

/* Is this where a client is, as it sees itself? */
static bool is_peer(const struct zg_peer *peer, int client_fd)
{
	struct sockaddr_in6 address;
	socklen_t size = sizeof(address);
	struct zg_peer own;

	assert_int_equal(getsockname(client_fd, (struct sockaddr *)(void *)&address, &size), 0);
	zgi_peer_read(&address, size, &own);
	return memcmp(peer, &own, sizeof(own)) == 0;
}

static void expect_peer_on(const char *address, const char *begin)
{
	struct fixture *fixture =
		fixture_open((struct fixture_options){.address = address, .has_peers = true});
	int client_fd;
	uint32_t descriptor = fixture_pair(fixture, &client_fd);
	const struct zg_peer *peer = &zgi_io_peers(fixture->io)[descriptor];

	assert_memory_equal(print(peer), begin, strlen(begin));
	assert_true(is_peer(peer, client_fd));
	close(client_fd);
	fixture_close(fixture);
}

static void test_peer_over_ipv4(void **state)
{
	(void)state;
	expect_peer_on("127.0.0.1:0", "127.0.0.1:");
}

static void test_peer_over_ipv6(void **state)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	(void)state;
	if (fd < 0)
		skip();
	close(fd);
	expect_peer_on("[::1]:0", "[::1]:");
}

static void test_peer_over_unix(void **state)
{
	char directory[] = "zerog-io-XXXXXX";
	char address[64];

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(address, sizeof(address), "unix:%s/socket", directory);
	expect_peer_on(address, "unix");
	assert_int_equal(unlink(address + 5), 0);
	assert_int_equal(rmdir(directory), 0);
}

static void test_many_peers_are_kept_apart(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){.has_peers = true});
	int clients[MANY_COUNT];
	uint32_t found = 0;

	(void)state;
	for (uint32_t index = 0; index < MANY_COUNT; index++)
		clients[index] = fixture_connect(fixture);
	for (uint32_t index = 0; index < MANY_COUNT; index++) {
		struct zgi_io_event event = fixture_take(fixture, ZGI_IO_ACCEPTED, 0);
		const struct zg_peer *peers = zgi_io_peers(fixture->io);

		assert_in_range(event.result, 0, 63);
		for (uint32_t other = 0; other < MANY_COUNT; other++)
			found += is_peer(&peers[event.result], clients[other]);
	}
	assert_int_equal(found, MANY_COUNT);
	for (uint32_t index = 0; index < MANY_COUNT; index++)
		close(clients[index]);
	fixture_close(fixture);
}

static void test_a_descriptor_used_again_has_its_new_peer(void **state)
{
	struct fixture *fixture =
		fixture_open((struct fixture_options){.descriptor_count = 2, .has_peers = true});

	(void)state;
	for (uint32_t count = 0; count < 20; count++) {
		int client_fd;
		uint32_t descriptor = fixture_pair(fixture, &client_fd);

		assert_true(is_peer(&zgi_io_peers(fixture->io)[descriptor], client_fd));
		zgi_io_close(fixture->io, descriptor);
		fixture_reset(client_fd);
		/* The close must be over before another client comes. */
		fixture_count(fixture, ZGI_IO_DONE, SHORT_NS / 50);
	}
	fixture_close(fixture);
}

static void test_accepting_ends_once_and_starts_again(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){.has_peers = true});
	int client_fd;

	(void)state;
	for (uint32_t count = 0; count < 3; count++) {
		fixture_pair(fixture, &client_fd);
		close(client_fd);
		zgi_io_accept_stop(fixture->io);
		fixture_take(fixture, ZGI_IO_ACCEPT_ENDED, 0);
		assert_int_equal(fixture_count(fixture, ZGI_IO_ACCEPT_ENDED, SHORT_NS / 5), 0);
		client_fd = fixture_connect(fixture);
		assert_int_equal(fixture_count(fixture, ZGI_IO_ACCEPTED, SHORT_NS / 5), 0);
		zgi_io_accept_start(fixture->io);
		fixture_take(fixture, ZGI_IO_ACCEPTED, 0);
		close(client_fd);
	}
	fixture_close(fixture);
}

static void test_accepting_may_end_before_it_began(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){.has_peers = true});

	(void)state;
	zgi_io_accept_stop(fixture->io);
	fixture_take(fixture, ZGI_IO_ACCEPT_ENDED, 0);
	fixture_close(fixture);
}

static void test_nothing_is_kept_unless_it_is_asked_for(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){.has_peers = false});

	(void)state;
	assert_null(zgi_io_peers(fixture->io));
	fixture_close(fixture);
}

/* In words. */

static void test_an_ipv4_address_in_an_ipv6_one_is_told_as_what_it_is(void **state)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
	struct zg_peer peer;

	(void)state;
	assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.1", &address.sin6_addr), 1);
	zgi_peer_read(&address, sizeof(address), &peer);
	assert_int_equal(peer.family, ZG_PEER_IPV4);
	assert_string_equal(print(&peer), "192.0.2.1:80");
}

static void test_a_link_local_address_has_its_interface(void **state)
{
	struct sockaddr_in6 address = {
		.sin6_family = AF_INET6, .sin6_port = htons(65535), .sin6_scope_id = 3};
	struct zg_peer peer;

	(void)state;
	assert_int_equal(inet_pton(AF_INET6, "fe80::1", &address.sin6_addr), 1);
	zgi_peer_read(&address, sizeof(address), &peer);
	assert_string_equal(print(&peer), "[fe80::1%3]:65535");
}

static void test_what_is_cut_off_is_unknown(void **state)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6};
	struct zg_peer peer;

	(void)state;
	for (size_t size = 0; size < sizeof(address); size++) {
		zgi_peer_read(&address, size, &peer);
		assert_string_equal(print(&peer), "unknown");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_peer_over_ipv4),
		cmocka_unit_test(test_peer_over_ipv6),
		cmocka_unit_test(test_peer_over_unix),
		cmocka_unit_test(test_many_peers_are_kept_apart),
		cmocka_unit_test(test_a_descriptor_used_again_has_its_new_peer),
		cmocka_unit_test(test_accepting_ends_once_and_starts_again),
		cmocka_unit_test(test_accepting_may_end_before_it_began),
		cmocka_unit_test(test_nothing_is_kept_unless_it_is_asked_for),
		cmocka_unit_test(test_an_ipv4_address_in_an_ipv6_one_is_told_as_what_it_is),
		cmocka_unit_test(test_a_link_local_address_has_its_interface),
		cmocka_unit_test(test_what_is_cut_off_is_unknown),
	};

	return fixture_run_both(tests);
}
