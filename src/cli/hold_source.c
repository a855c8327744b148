/*
 * Source: the local addresses and ports that held connections come from.
 *
 * The kernel's own search for a free port makes connect() slow once many are
 * taken, and stops at about 28,000 an address pair. So each worker walks a range
 * of ports of its own: on loopback from an address of its own in 127.0.0.0/8, on ::1
 * from a slice of the one address there is. Other targets are left to the kernel.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/hold.h"

/* Epoll, two pipes, stdio and what the parent had open at the fork. */
#define SOURCE_DESCRIPTORS_RESERVED 32
#define SOURCE_PORT_MIN 10240
#define SOURCE_PORT_MAX 65535
#define SOURCE_PORT_COUNT (SOURCE_PORT_MAX - SOURCE_PORT_MIN + 1)
/* Some ports of a range are other people's. */
#define SOURCE_PORT_SPARE 1024

static bool source_is_loopback4(const struct zgi_address *target)
{
	struct sockaddr_in inet;

	if (target->storage.ss_family != AF_INET)
		return false;
	memcpy(&inet, &target->storage, sizeof(inet));
	return ntohl(inet.sin_addr.s_addr) >> 24 == 127;
}

static bool source_is_loopback6(const struct zgi_address *target)
{
	struct sockaddr_in6 inet;

	if (target->storage.ss_family != AF_INET6)
		return false;
	memcpy(&inet, &target->storage, sizeof(inet));
	return IN6_IS_ADDR_LOOPBACK(&inet.sin6_addr);
}

static uint16_t source_target_port(const struct zgi_address *target)
{
	struct sockaddr_in inet;

	/* The port stands at the same place in both families. */
	static_assert(offsetof(struct sockaddr_in, sin_port) ==
			      offsetof(struct sockaddr_in6, sin6_port),
		      "one way to read and write a port");
	memcpy(&inet, &target->storage, sizeof(inet));
	return ntohs(inet.sin_port);
}

static void source_set_port(struct zgi_address *address, uint32_t port)
{
	uint16_t port_be = htons((uint16_t)port);

	memcpy((char *)&address->storage + offsetof(struct sockaddr_in, sin_port), &port_be,
	       sizeof(port_be));
}

void hold_source_capacity(const struct hold_options *options, uint64_t *ret_each, uint64_t *ret_all)
{
	struct rlimit limit = {.rlim_cur = 1024};

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			(void)getrlimit(RLIMIT_NOFILE, &limit);
	}
	*ret_each = limit.rlim_cur > SOURCE_DESCRIPTORS_RESERVED
			    ? limit.rlim_cur - SOURCE_DESCRIPTORS_RESERVED
			    : 1;
	*ret_all = UINT64_MAX;
	if (source_is_loopback4(&options->target)) {
		if (*ret_each > SOURCE_PORT_COUNT - SOURCE_PORT_SPARE)
			*ret_each = SOURCE_PORT_COUNT - SOURCE_PORT_SPARE;
	} else if (source_is_loopback6(&options->target)) {
		*ret_all = SOURCE_PORT_COUNT - SOURCE_PORT_SPARE;
	}
}

void hold_source_init(struct hold_source *source, const struct hold_options *options,
		      uint32_t worker_index, uint32_t worker_count)
{
	*source = (struct hold_source){.port_min = SOURCE_PORT_MIN, .port_max = SOURCE_PORT_MAX};
	zg_assert(worker_index < worker_count);
	if (source_is_loopback4(&options->target)) {
		struct sockaddr_in inet = {.sin_family = AF_INET};
		/* The second byte keeps two holds at the same time apart. */
		uint32_t second = 1 + (uint32_t)getppid() % 250;
		uint32_t third = worker_index / 250;
		uint32_t fourth = 1 + worker_index % 250;

		inet.sin_addr.s_addr = htonl(127u << 24 | second << 16 | third << 8 | fourth);
		memcpy(&source->address.storage, &inet, sizeof(inet));
		source->address.size = sizeof(inet);
		source->is_bound = true;
	} else if (source_is_loopback6(&options->target)) {
		struct sockaddr_in6 inet = {.sin6_family = AF_INET6};
		uint32_t slice = SOURCE_PORT_COUNT / worker_count;

		inet.sin6_addr = in6addr_loopback;
		memcpy(&source->address.storage, &inet, sizeof(inet));
		source->address.size = sizeof(inet);
		source->is_bound = true;
		source->port_min = (uint16_t)(SOURCE_PORT_MIN + worker_index * slice);
		source->port_max = (uint16_t)(source->port_min + slice - 1);
	}
}

static int source_socket(const struct hold_options *options, int *ret_fd)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};
	int one = 1;
	int fd = socket(options->target.storage.ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (options->target.storage.ss_family != AF_UNIX &&
	    (setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) < 0 ||
	     setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)) {
		int error = -errno;

		close(fd);
		return error;
	}
	*ret_fd = fd;
	return 0;
}

/* Bind and connect from one port; -EADDRINUSE when somebody else has it. */
static int source_try(struct zgi_address *local, const struct hold_options *options, int fd,
		      enum hold_step *ret_step)
{
	*ret_step = HOLD_STEP_BIND;
	if (bind(fd, (const struct sockaddr *)&local->storage, local->size) < 0)
		return -errno;
	*ret_step = HOLD_STEP_CONNECT;
	if (connect(fd, (const struct sockaddr *)&options->target.storage, options->target.size) ==
	    0)
		return 0;
	if (errno == EINPROGRESS)
		return 0;
	return errno == EADDRNOTAVAIL ? -EADDRINUSE : -errno;
}

static int source_connect_unbound(const struct hold_options *options, int *ret_fd,
				  enum hold_step *ret_step)
{
	int fd = -1;
	int error;

	*ret_step = HOLD_STEP_SOCKET;
	error = source_socket(options, &fd);
	if (error < 0)
		return error;
	*ret_step = HOLD_STEP_CONNECT;
	if (connect(fd, (const struct sockaddr *)&options->target.storage, options->target.size) <
		    0 &&
	    errno != EINPROGRESS) {
		error = -errno;
		close(fd);
		return error;
	}
	*ret_fd = fd;
	return 0;
}

int hold_source_connect(const struct hold_source *source, const struct hold_options *options,
			uint32_t *port, int *ret_fd, enum hold_step *ret_step)
{
	struct zgi_address local = source->address;
	uint16_t target_port;

	if (!source->is_bound)
		return source_connect_unbound(options, ret_fd, ret_step);
	target_port = source_target_port(&options->target);
	/* Each port is tried once: a full circle means that all are taken. */
	for (uint32_t tries = 0; tries <= (uint32_t)(source->port_max - source->port_min);
	     tries++) {
		int error;
		int fd = -1;

		if (*port < source->port_min || *port > source->port_max)
			*port = source->port_min;
		source_set_port(&local, *port);
		if ((*port)++ == target_port)
			continue;
		*ret_step = HOLD_STEP_SOCKET;
		error = source_socket(options, &fd);
		if (error < 0)
			return error;
		error = source_try(&local, options, fd, ret_step);
		if (error == 0) {
			*ret_fd = fd;
			return 0;
		}
		close(fd);
		if (error != -EADDRINUSE)
			return error;
	}
	*ret_step = HOLD_STEP_BIND;
	return -EADDRNOTAVAIL;
}
