/*
 * The epoll floor: two system calls a request, read and write, and a share of one
 * epoll_wait. Level-triggered, so that one read a wakeup is enough: there is no
 * second read just to be told EAGAIN, and no epoll_ctl after the accept.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "floor.h"

#define FLOOR_EVENTS_MAX 512

static void floor_epoll_accept(int epoll_fd, int listen_fd)
{
	for (;;) {
		struct epoll_event event = {.events = EPOLLIN};

		/* TCP_NODELAY is inherited from the listening socket. */
		event.data.fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (event.data.fd < 0)
			return;
		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event.data.fd, &event) < 0)
			close(event.data.fd);
	}
}

static void floor_epoll_answer(int fd)
{
	char buffer[FLOOR_BUFFER_SIZE];
	ssize_t size = read(fd, buffer, sizeof(buffer));

	if (size > 0)
		size = send(fd, FLOOR_REPLY, FLOOR_REPLY_SIZE, MSG_NOSIGNAL);
	else if (size < 0 && errno == EAGAIN)
		return;
	if (size <= 0)
		close(fd);
}

_Noreturn void floor_epoll_run(int listen_fd)
{
	struct epoll_event events[FLOOR_EVENTS_MAX];
	struct epoll_event listen_event = {.events = EPOLLIN, .data.fd = listen_fd};
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &listen_event) < 0)
		floor_die("setting up epoll", errno);
	for (;;) {
		int count = epoll_wait(epoll_fd, events, FLOOR_EVENTS_MAX, -1);

		if (count < 0 && errno != EINTR)
			floor_die("waiting", errno);
		for (int index = 0; index < count; index++) {
			if (events[index].data.fd == listen_fd)
				floor_epoll_accept(epoll_fd, listen_fd);
			else
				floor_epoll_answer(events[index].data.fd);
		}
	}
}
