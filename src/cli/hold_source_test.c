/*
 * Tests of where held connections come from: ports that are walked, not searched.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/hold.h"

struct fixture {
	int listen_fd;
	struct hold_options options;
	struct hold_source source;
};

static struct sockaddr_in inet_of(const struct zgi_address *address)
{
	struct sockaddr_in inet;

	memcpy(&inet, &address->storage, sizeof(inet));
	return inet;
}

static void fixture_init(struct fixture *fixture)
{
	struct zgi_address *target = &fixture->options.target;
	struct sockaddr_in inet = {.sin_family = AF_INET};

	*fixture = (struct fixture){.listen_fd = socket(AF_INET, SOCK_STREAM, 0)};
	inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fixture->listen_fd, (struct sockaddr *)&inet, sizeof(inet)), 0);
	assert_int_equal(listen(fixture->listen_fd, 64), 0);
	target->size = sizeof(target->storage);
	assert_int_equal(
		getsockname(fixture->listen_fd, (struct sockaddr *)&target->storage, &target->size),
		0);
	hold_source_init(&fixture->source, &fixture->options, 0, 1);
}

static uint16_t local_port(int fd)
{
	struct sockaddr_in inet = {0};
	socklen_t size = sizeof(inet);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&inet, &size), 0);
	return ntohs(inet.sin_port);
}

static void test_each_worker_has_an_address_of_its_own(void **state)
{
	struct fixture fixture;
	struct hold_source other;

	(void)state;
	fixture_init(&fixture);
	hold_source_init(&other, &fixture.options, 1, 2);
	assert_int_not_equal(inet_of(&fixture.source.address).sin_addr.s_addr,
			     inet_of(&other.address).sin_addr.s_addr);
	assert_int_equal(ntohl(inet_of(&other.address).sin_addr.s_addr) >> 24, 127);
	close(fixture.listen_fd);
}

static void test_workers_share_the_ports_of_the_one_ipv6_loopback(void **state)
{
	struct hold_options options = {.target.size = sizeof(struct sockaddr_in6)};
	struct sockaddr_in6 inet = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct hold_source first;
	struct hold_source second;

	(void)state;
	memcpy(&options.target.storage, &inet, sizeof(inet));
	hold_source_init(&first, &options, 0, 2);
	hold_source_init(&second, &options, 1, 2);
	assert_true(first.port_max < second.port_min);
}

static void test_a_port_in_use_is_skipped(void **state)
{
	struct fixture fixture;
	enum hold_step step;
	uint32_t port;
	int first;
	int second;

	(void)state;
	fixture_init(&fixture);
	port = fixture.source.port_min;
	assert_int_equal(
		hold_source_connect(&fixture.source, &fixture.options, &port, &first, &step), 0);
	port = local_port(first);
	assert_int_equal(
		hold_source_connect(&fixture.source, &fixture.options, &port, &second, &step), 0);
	assert_int_not_equal(local_port(first), local_port(second));
	close(first);
	close(second);
	close(fixture.listen_fd);
}

static void test_a_range_that_is_used_up_is_said(void **state)
{
	struct fixture fixture;
	enum hold_step step = HOLD_STEP_NONE;
	uint32_t port;
	int first;
	int second;

	(void)state;
	fixture_init(&fixture);
	port = fixture.source.port_min;
	assert_int_equal(
		hold_source_connect(&fixture.source, &fixture.options, &port, &first, &step), 0);
	fixture.source.port_min = fixture.source.port_max = local_port(first);
	assert_int_equal(
		hold_source_connect(&fixture.source, &fixture.options, &port, &second, &step),
		-EADDRNOTAVAIL);
	assert_int_equal(step, HOLD_STEP_BIND);
	close(first);
	close(fixture.listen_fd);
}

static void test_a_close_is_a_reset(void **state)
{
	struct fixture fixture;
	enum hold_step step;
	uint32_t port;
	int accepted;
	int fd;
	char byte;

	(void)state;
	fixture_init(&fixture);
	port = fixture.source.port_min;
	assert_int_equal(hold_source_connect(&fixture.source, &fixture.options, &port, &fd, &step),
			 0);
	accepted = accept(fixture.listen_fd, NULL, NULL);
	assert_true(accepted >= 0);
	close(fd);
	assert_int_equal(read(accepted, &byte, 1), -1);
	assert_int_equal(errno, ECONNRESET);
	close(accepted);
	close(fixture.listen_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_worker_has_an_address_of_its_own),
		cmocka_unit_test(test_workers_share_the_ports_of_the_one_ipv6_loopback),
		cmocka_unit_test(test_a_port_in_use_is_skipped),
		cmocka_unit_test(test_a_range_that_is_used_up_is_said),
		cmocka_unit_test(test_a_close_is_a_reset),
	};

	return cmocka_run_group_tests_name("hold_source", tests, NULL, NULL);
}
