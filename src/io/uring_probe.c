/*
 * Probe: is there an io_uring that the backend can stand on?
 *
 * Kernels differ in what they know, and containers in what they allow, so nothing
 * is concluded from version numbers: a small object of the backend itself accepts
 * a connection, is written to, and answers. What works here works later.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/assert.h"
#include "io/uring.h"

#define PROBE_TIMEOUT_NS UINT64_C(1000000000)
#define PROBE_TURNS_MAX 16
#define PROBE_TAG 7

/* A listener that needs no name and no network: the kernel picks an abstract address. */
static int probe_listen(struct sockaddr_un *ret_address, socklen_t *ret_size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(address);
	int result;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address.sun_family)) < 0 ||
	    listen(fd, 4) < 0 || getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
		result = -errno;
		close(fd);
		return result;
	}
	*ret_address = address;
	*ret_size = size;
	return fd;
}

/* Turns until the event that is waited for has come; other events are passed over. Not inlined, so
 * that the stack holds its events once and not once a call. */
__attribute__((noinline)) static int probe_wait(struct zgi_io *io, enum zgi_io_event_kind kind)
{
	struct zgi_io_event events[ZGI_IO_EVENTS_MAX];

	for (int turn = 0; turn < PROBE_TURNS_MAX; turn++) {
		int count = zgi_io_wait(io, PROBE_TIMEOUT_NS, events);

		if (count <= 0)
			return count < 0 ? count : -ENOSYS;
		for (int i = 0; i < count; i++) {
			if (events[i].kind == (uint32_t)kind)
				return events[i].result;
		}
	}
	return -ENOSYS;
}

/* The life of one connection: accept, poll, receive, send, close, and the end of accepting. */
static int probe_use(struct zgi_io *io, int client_fd, const char **ret_step)
{
	char byte = 'x';
	uint32_t descriptor;
	int result;

	*ret_step = "multishot accept with direct descriptors";
	zgi_io_accept_start(io);
	result = probe_wait(io, ZGI_IO_ACCEPTED);
	if (result < 0)
		return result;
	descriptor = (uint32_t)result;

	*ret_step = "poll";
	if (send(client_fd, &byte, 1, MSG_NOSIGNAL) != 1)
		return -errno;
	zgi_io_poll(io, descriptor, PROBE_TAG);
	result = probe_wait(io, ZGI_IO_DONE);
	if (result < 0)
		return result;

	*ret_step = "recv";
	zgi_io_recv(io, descriptor, &byte, 1, PROBE_TAG);
	result = probe_wait(io, ZGI_IO_DONE);
	if (result != 1)
		return result < 0 ? result : -ENOSYS;

	*ret_step = "send";
	zgi_io_send(io, descriptor, &byte, 1, false, PROBE_TAG);
	result = probe_wait(io, ZGI_IO_DONE);
	if (result != 1)
		return result < 0 ? result : -ENOSYS;

	*ret_step = "wake-up";
	zgi_io_close(io, descriptor);
	zgi_io_wake(io);
	result = probe_wait(io, ZGI_IO_WOKEN);
	if (result < 0)
		return result;

	*ret_step = "cancel";
	zgi_io_accept_stop(io);
	return probe_wait(io, ZGI_IO_ACCEPT_ENDED);
}

int zgi_uring_probe(const char **ret_step)
{
	struct zgi_uring uring;
	struct sockaddr_un address;
	socklen_t address_size = 0;
	struct zgi_io_options options = {
		.kind = ZG_IO_URING,
		.descriptor_count = 4,
		.ring_entries = 8,
	};
	int client_fd = -1;
	int result;

	*ret_step = "a listening socket for the probe";
	options.listen_fd = probe_listen(&address, &address_size);
	if (options.listen_fd < 0)
		return options.listen_fd;
	result = zgi_uring_init(&options, &uring);
	if (result < 0)
		goto close_listener;
	result = zgi_uring_start(&uring, ret_step);
	if (result < 0)
		goto destroy;
	*ret_step = "a connection for the probe";
	client_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client_fd < 0 || connect(client_fd, (struct sockaddr *)&address, address_size) < 0)
		result = -errno;
	else
		result = probe_use(&uring.io, client_fd, ret_step);
	if (client_fd >= 0)
		close(client_fd);
destroy:
	zgi_io_destroy(&uring.io);
close_listener:
	close(options.listen_fd);
	return result < 0 ? result : 0;
}
