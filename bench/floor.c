/*
 * Floor's command line: one thread, one listening socket and one loop a core.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "floor.h"

#define FLOOR_THREADS_MAX 256
#define FLOOR_BACKLOG 4096

struct floor_options {
	bool is_uring;
	enum floor_recv recv_kind;
	uint16_t port;
	uint32_t thread_count;
};

struct floor_thread {
	const struct floor_options *options; /* borrowed */
	int listen_fd;
};

_Noreturn void floor_die(const char *what, int error)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(error));
	_exit(1);
}

static int floor_listen(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
		floor_die("making the listening socket", errno);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, FLOOR_BACKLOG) < 0)
		floor_die("listening", errno);
	return fd;
}

static void *floor_thread_run(void *argument)
{
	struct floor_thread *thread = argument;

	if (thread->options->is_uring)
		floor_uring_run(thread->listen_fd, thread->options->recv_kind);
	floor_epoll_run(thread->listen_fd);
}

_Noreturn static void floor_misused(void)
{
	fputs("usage: floor --io epoll|uring --port PORT --threads N "
	      "[--recv single|multishot]\n",
	      stderr);
	exit(2);
}

static uint32_t floor_number(const char *text, uint32_t maximum)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || value < 1 || value > maximum)
		floor_misused();
	return (uint32_t)value;
}

static void floor_parse(struct floor_options *options, int argc, char **argv)
{
	for (int index = 1; index + 1 < argc; index += 2) {
		const char *flag = argv[index];
		const char *value = argv[index + 1];

		if (strcmp(flag, "--io") == 0 && strcmp(value, "uring") == 0)
			options->is_uring = true;
		else if (strcmp(flag, "--io") == 0 && strcmp(value, "epoll") == 0)
			options->is_uring = false;
		else if (strcmp(flag, "--recv") == 0 && strcmp(value, "single") == 0)
			options->recv_kind = FLOOR_RECV_SINGLE;
		else if (strcmp(flag, "--recv") == 0 && strcmp(value, "multishot") == 0)
			options->recv_kind = FLOOR_RECV_MULTISHOT;
		else if (strcmp(flag, "--port") == 0)
			options->port = (uint16_t)floor_number(value, UINT16_MAX);
		else if (strcmp(flag, "--threads") == 0)
			options->thread_count = floor_number(value, FLOOR_THREADS_MAX);
		else
			floor_misused();
	}
	if (argc % 2 == 0 || options->port == 0)
		floor_misused();
}

int main(int argc, char **argv)
{
	/* Multishot costs about 2 % less CPU a request than one receive each. */
	struct floor_options options = {.thread_count = 1, .recv_kind = FLOOR_RECV_MULTISHOT};
	static struct floor_thread threads[FLOOR_THREADS_MAX];
	struct rlimit limit;

	floor_parse(&options, argc, argv);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	for (uint32_t index = 0; index < options.thread_count; index++)
		threads[index] = (struct floor_thread){&options, floor_listen(options.port)};
	for (uint32_t index = 1; index < options.thread_count; index++) {
		pthread_t id;
		int error = pthread_create(&id, NULL, floor_thread_run, &threads[index]);

		if (error != 0)
			floor_die("starting a thread", error);
	}
	printf("listening on 127.0.0.1:%u\n", options.port);
	fflush(stdout);
	floor_thread_run(&threads[0]);
	return 0;
}
