/*
 * Listening sockets: one a shard for IP, so that the kernel spreads connections
 * over the shards by itself; one for all for Unix, where it cannot.
 *
 * SO_REUSEPORT would let a second process of the same user join the group and
 * silently take a part of the connections. A socket without it is therefore bound
 * first: it proves that the address is free, and only then the shards' are made.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "io/listen.h"

#define LISTEN_FORMAT_SIZE 160

/* How long an address that is in use is tried again: half a second. */
#define LISTEN_RETRY_NS 25000000
#define LISTEN_RETRIES_MAX 20

static int listen_fail(const struct zgi_address *address, int result, const char *step,
		       struct zg_text *ret_error)
{
	char buffer[LISTEN_FORMAT_SIZE];
	struct zg_text name;
	const char *remedy = "";

	zg_text_init(&name, buffer, sizeof(buffer));
	zgi_address_format(address, &name);
	if (result == -EADDRINUSE)
		remedy = ": another process listens there; stop it or choose another address";
	else if (result == -EACCES && address->storage.ss_family == AF_UNIX)
		remedy = ": the directory does not let this user write";
	else if (result == -EACCES)
		remedy = ": ports below 1024 need CAP_NET_BIND_SERVICE; choose a higher one";
	else if (result == -EADDRNOTAVAIL)
		remedy = ": no interface of this machine has this address";
	else if (result == -EAFNOSUPPORT)
		remedy = ": this system has no IPv6; choose an IPv4 address, such as 127.0.0.1";
	else if (result == -ENOENT)
		remedy = ": the directory does not exist; create it first";
	else if (result == -EMFILE)
		remedy = ": raise RLIMIT_NOFILE";
	zg_text_print(ret_error, "cannot listen on %s: %s failed (%s)%s", name.data, step,
		      strerrordesc_np(-result), remedy);
	return result;
}

/* A socket with the options that every listener of the family has. */
static int listen_socket(const struct zgi_address *address, bool is_shared)
{
	const int yes = 1;
	const int no = 0;
	int family = address->storage.ss_family;
	bool is_ip = family != AF_UNIX;
	int result;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	/* Accepted sockets inherit TCP_NODELAY, so no request pays for setting it. */
	if ((is_ip && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0) ||
	    (is_ip && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) < 0) ||
	    (is_ip && is_shared &&
	     setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)) < 0) ||
	    (family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)) < 0)) {
		result = -errno;
		close(fd);
		return result;
	}
	return fd;
}

/* Is the address free? SO_REUSEADDR passes over connections in TIME_WAIT, not over a listener.
 * Port 0 becomes the port that was got. */
static int listen_prove_free(struct zgi_address *address, struct zg_text *ret_error)
{
	struct zgi_address bound = {.size = sizeof(bound.storage)};
	int result;
	int fd = listen_socket(address, false);

	if (fd < 0)
		return listen_fail(address, fd, "socket", ret_error);
	if (bind(fd, (const struct sockaddr *)&address->storage, address->size) < 0) {
		result = -errno;
		close(fd);
		return listen_fail(address, result, "bind", ret_error);
	}
	if (getsockname(fd, (struct sockaddr *)&bound.storage, &bound.size) < 0) {
		result = -errno;
		close(fd);
		return listen_fail(address, result, "getsockname", ret_error);
	}
	close(fd);
	*address = bound;
	return 0;
}

static int listen_open(const struct zgi_address *address, int backlog, struct zg_text *ret_error)
{
	const char *step = "bind";
	int result;
	int fd = listen_socket(address, true);

	if (fd < 0)
		return listen_fail(address, fd, "socket", ret_error);
	if (bind(fd, (const struct sockaddr *)&address->storage, address->size) == 0) {
		step = "listen";
		if (listen(fd, backlog) == 0)
			return fd;
	}
	result = -errno;
	close(fd);
	return listen_fail(address, result, step, ret_error);
}

/* Remove a socket file that nobody listens on any more; refuse one that somebody does, and
 * whatever is no socket. */
static int listen_clear_path(const struct zgi_address *address, struct zg_text *ret_error)
{
	const struct sockaddr_un *name = (const struct sockaddr_un *)&address->storage;
	struct stat status;
	int result = 0;
	int fd;

	if (lstat(name->sun_path, &status) < 0)
		return errno == ENOENT ? 0 : listen_fail(address, -errno, "lstat", ret_error);
	if (!S_ISSOCK(status.st_mode)) {
		zg_text_print(ret_error,
			      "cannot listen on unix:%s: a file that is no socket is there; "
			      "remove it or choose another path",
			      name->sun_path);
		return -EEXIST;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return listen_fail(address, -errno, "socket", ret_error);
	/* A full backlog (EAGAIN) is a listener's too. */
	if (connect(fd, (const struct sockaddr *)name, address->size) == 0 || errno == EAGAIN)
		result = -EADDRINUSE;
	else if (errno != ECONNREFUSED && errno != ENOENT)
		result = -errno;
	close(fd);
	if (result < 0)
		return listen_fail(address, result, "bind", ret_error);
	if (unlink(name->sun_path) < 0 && errno != ENOENT)
		return listen_fail(address, -errno, "unlink", ret_error);
	return 0;
}

static int listen_unix(const struct zgi_address *address, int backlog, int *ret_fds,
		       uint32_t fd_count, struct zg_text *ret_error)
{
	int fd;
	int result = listen_clear_path(address, ret_error);

	if (result < 0)
		return result;
	fd = listen_open(address, backlog, ret_error);
	if (fd < 0)
		return fd;
	for (uint32_t i = 0; i < fd_count; i++)
		ret_fds[i] = fd;
	return 0;
}

static int listen_ip(struct zgi_address *address, int backlog, int *ret_fds, uint32_t fd_count,
		     struct zg_text *ret_error)
{
	struct zgi_address bound = *address;
	int result = listen_prove_free(&bound, ret_error);

	if (result < 0)
		return result;
	for (uint32_t i = 0; i < fd_count; i++) {
		int fd = listen_open(&bound, backlog, ret_error);

		if (fd < 0) {
			while (i > 0)
				close(ret_fds[--i]);
			return fd;
		}
		ret_fds[i] = fd;
	}
	*address = bound;
	return 0;
}

int zgi_listen(struct zgi_address *address, int backlog, int *ret_fds, uint32_t fd_count,
	       struct zg_text *ret_error)
{
	const struct timespec pause = {.tv_nsec = LISTEN_RETRY_NS};
	size_t error_size = ret_error->size;
	int result;

	zg_assert(fd_count >= 1);
	zg_assert(backlog > 0);
	for (uint32_t try = 0;; try++) {
		result = address->storage.ss_family == AF_UNIX
				 ? listen_unix(address, backlog, ret_fds, fd_count, ret_error)
				 : listen_ip(address, backlog, ret_fds, fd_count, ret_error);
		/* The kernel takes a ring apart in the background: for a moment after a process
		 * was killed, its listener still seems to be there. */
		if (result != -EADDRINUSE || try == LISTEN_RETRIES_MAX)
			return result;
		ret_error->size = error_size;
		ret_error->data[error_size] = '\0';
		nanosleep(&pause, NULL);
	}
}

void zgi_unlisten(const struct zgi_address *address, const int *fds, uint32_t fd_count)
{
	bool is_unix = address->storage.ss_family == AF_UNIX;
	uint32_t open_count = is_unix ? 1 : fd_count;

	for (uint32_t i = 0; i < open_count; i++)
		close(fds[i]);
	if (is_unix)
		(void)unlink(
			((const struct sockaddr_un *)(const void *)&address->storage)->sun_path);
}
