/*
 * Opening connections, all before the clock starts, and one more in place of each
 * that the server closes.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

static int connection_socket(const struct load_options *options)
{
	/* Closing resets, so that no port is left in TIME_WAIT. */
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) == 0 &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0 &&
	    connect(fd, (const struct sockaddr *)&options->target, sizeof(options->target)) == 0 &&
	    fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int load_connect(struct load *load, struct load_connection *connection)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET,
				    .data.ptr = connection};
	int fd;

	if (connection->fd >= 0)
		close(connection->fd);
	connection->fd = -1;
	fd = connection_socket(load->options);
	if (fd < 0)
		return fd;
	if (epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		close(fd);
		return -errno;
	}
	connection->fd = fd;
	return 0;
}

static void load_render(struct load *load)
{
	const struct load_options *options = load->options;
	int head_size;

	if (options->post_size == 0)
		head_size = snprintf(load->request, sizeof(load->request),
				     "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", options->path);
	else
		head_size = snprintf(load->request, sizeof(load->request),
				     "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
				     "application/octet-stream\r\nContent-Length: %lu\r\n\r\n",
				     options->path, options->post_size);
	memset(load->request + head_size, 'x', options->post_size);
	load->request_size = (uint32_t)head_size + (uint32_t)options->post_size;
}

static int load_reserve(struct load *load)
{
	size_t size = load->options->connections * sizeof(*load->connections);
	void *memory;
	int error = zg_region_init(&load->region, &(struct zg_region_options){.size = size + 4096});

	if (error == 0)
		error = zg_region_carve(&load->region, size, 64, &memory);
	if (error < 0)
		return error;
	load->connections = memory;
	for (uint64_t index = 0; index < load->options->connections; index++)
		load->connections[index].fd = -1;
	return 0;
}

int load_open(struct load *load, const struct load_options *options, struct load_result *result)
{
	struct rlimit limit;
	int error;

	*load = (struct load){.options = options, .result = result, .epoll_fd = -1};
	memset(result, 0, sizeof(*result));
	zgi_histogram_init(&result->latency_ns);
	zgi_histogram_init(&result->lateness_ns);
	zgi_histogram_init(&result->stall_ns);
	zgi_histogram_init(&load->second_ns);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	load_render(load);
	error = load_reserve(load);
	if (error < 0)
		return error;
	load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (load->epoll_fd < 0)
		return -errno;
	for (uint64_t index = 0; index < options->connections; index++) {
		error = load_connect(load, &load->connections[index]);
		if (error < 0)
			return error;
	}
	return 0;
}

void load_close(struct load *load)
{
	for (uint64_t index = 0; load->connections != NULL && index < load->options->connections;
	     index++) {
		if (load->connections[index].fd >= 0)
			close(load->connections[index].fd);
	}
	if (load->epoll_fd >= 0)
		close(load->epoll_fd);
	zg_region_fini(&load->region);
}
