/*
 * Floor: the least that a server on this kernel can do for a request.
 *
 * It accepts, reads whatever is there and answers the same bytes as hello does,
 * without looking at what it read. What a real server costs beyond it is the
 * price of the server; what the floor costs is the price of the kernel.
 */
#ifndef ZEROG_BENCH_FLOOR_H
#define ZEROG_BENCH_FLOOR_H

#include <stdbool.h>
#include <stdint.h>

#define FLOOR_DESCRIPTORS_MAX 16384
#define FLOOR_BUFFER_SIZE 1024

/* Byte for byte as long as hello's reply; only the date stands still. */
#define FLOOR_REPLY                                   \
	"HTTP/1.1 200 OK\r\n"                         \
	"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"     \
	"Content-Type: text/plain; charset=utf-8\r\n" \
	"Content-Length: 5\r\n"                       \
	"\r\n"                                        \
	"Hello"
#define FLOOR_REPLY_SIZE (sizeof(FLOOR_REPLY) - 1)

/* How the uring floor receives. */
enum floor_recv {
	FLOOR_RECV_SINGLE, /* one recv a request, into the connection's own buffer */
	FLOOR_RECV_MULTISHOT, /* one recv a connection, buffers from a shared ring */
};

/* Print what failed and end the process: the floor has nothing to clean up. */
_Noreturn void floor_die(const char *what, int error);

/* Serve the listening socket for ever. */
_Noreturn void floor_epoll_run(int listen_fd);
_Noreturn void floor_uring_run(int listen_fd, enum floor_recv recv_kind);

#endif
