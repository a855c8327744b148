/*
 * Clients that pay, over HTTP, each on a connection that is kept.
 *
 *	payments-load PORT binary|json CONNECTIONS SECONDS
 *
 * Each sends a payment without an order, with a key of its own, waits for the answer, and sends the
 * next. One thread with epoll, and the requests are made beforehand but for key and checksum: so
 * that it takes as little of the machine as it can.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tally.h"

#define CONNECTIONS_MAX 1024
#define RECORD_SIZE 128
#define RECORD_KEY 56
#define RECORD_CHECKSUM 124
#define KEY_DIGITS 16

struct connection {
	int fd;
	uint64_t asked_ns;
	size_t size; /* of what has been received */
	char reply[2048];
};

static struct tally tally;
static struct connection connections[CONNECTIONS_MAX];
static uint32_t crc_table[256];
static char request[1024];
static size_t request_size;
static size_t key_offset;
static size_t record_offset; /* 0: the request is JSON */
static uint64_t key_next;

static void crc_prepare(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
		crc_table[byte] = crc;
	}
}

static uint32_t crc32c(const void *bytes, size_t size)
{
	const unsigned char *byte = bytes;
	uint32_t crc = ~UINT32_C(0);

	while (size-- > 0)
		crc = crc >> 8 ^ crc_table[(crc ^ *byte++) & 255];
	return ~crc;
}

static void put(size_t offset, uint64_t number, size_t size)
{
	memcpy(&request[record_offset + offset], &number, size);
}

/* The layout is that of apps/storefront/payments/payment_record.h. */
static void prepare_binary(void)
{
	record_offset = (size_t)snprintf(request, sizeof(request),
					 "POST /payments HTTP/1.1\r\nHost: shop\r\n"
					 "Content-Type: application/x-zerog-payment\r\n"
					 "Content-Length: %d\r\n\r\n",
					 RECORD_SIZE);
	request_size = record_offset + RECORD_SIZE;
	key_offset = record_offset + RECORD_KEY;
	put(0, UINT32_C(0x5950475a), 4);
	put(4, 1, 2);
	put(6, 1, 2); /* a sale */
	put(16, 1299, 8);
	put(24, 978, 2); /* EUR */
	put(26, 2035, 2);
	put(28, 12, 1);
	memcpy(&request[record_offset + 32], "4242424242424242", 16);
	memcpy(&request[record_offset + 52], "123", 3);
}

static void prepare_json(void)
{
	static const char body[] =
		"{\"order\":0,\"amount_minor\":1299,\"currency\":\"EUR\",\"card\":{\"number\":"
		"\"4242424242424242\",\"month\":12,\"year\":2035,\"code\":\"123\"},"
		"\"capture\":true}";
	static const char head[] = "POST /api/payments HTTP/1.1\r\nHost: shop\r\n"
				   "X-Requested-With: storefront\r\nIdempotency-Key: ";

	key_offset = sizeof(head) - 1;
	request_size = (size_t)snprintf(request, sizeof(request),
					"%s%016d\r\nContent-Type: application/json\r\n"
					"Content-Length: %zu\r\n\r\n%s",
					head, 0, sizeof(body) - 1, body);
}

static bool ask(struct connection *connection)
{
	uint64_t key = key_next++;

	for (size_t index = 0; index < KEY_DIGITS; index++, key >>= 4)
		request[key_offset + index] = "0123456789abcdef"[key & 15];
	if (record_offset > 0)
		put(RECORD_CHECKSUM, crc32c(&request[record_offset], RECORD_CHECKSUM), 4);
	connection->size = 0;
	connection->asked_ns = tally_now_ns();
	return send(connection->fd, request, request_size, MSG_NOSIGNAL) == (ssize_t)request_size;
}

/* Is the reply whole? */
static bool is_whole(struct connection *connection)
{
	const char *end;
	const char *length;

	connection->reply[connection->size] = '\0';
	end = strstr(connection->reply, "\r\n\r\n");
	if (end == NULL)
		return false;
	length = strcasestr(connection->reply, "\r\nContent-Length: ");
	return length != NULL &&
	       (size_t)(end + 4 - connection->reply) + strtoul(length + 18, NULL, 10) <=
		       connection->size;
}

/* Return: false when the connection has ended. */
static bool receive(struct connection *connection)
{
	ssize_t size = recv(connection->fd, &connection->reply[connection->size],
			    sizeof(connection->reply) - 1 - connection->size, 0);

	if (size <= 0)
		return false;
	connection->size += (size_t)size;
	if (!is_whole(connection))
		return connection->size < sizeof(connection->reply) - 1;
	if (memcmp(connection->reply, "HTTP/1.1 201", 12) == 0)
		tally_add(&tally, connection->asked_ns, tally_now_ns());
	else
		tally.refused++;
	return ask(connection);
}

static int start(struct connection *connection, uint16_t port, int poll)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
	int one = 1;

	connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection->fd < 0 ||
	    connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0 ||
	    epoll_ctl(poll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
		return -1;
	return ask(connection) ? 0 : -1;
}

static int run(int poll)
{
	struct epoll_event events[64];

	while (tally_now_ns() < tally.end_ns) {
		int count = epoll_wait(poll, events, 64, 100);

		for (int index = 0; index < count; index++)
			if (!receive(events[index].data.ptr)) {
				fprintf(stderr, "payments-load: a connection has ended\n");
				return 1;
			}
	}
	tally_print(&tally);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long count = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;
	double seconds = argc == 5 ? strtod(argv[4], NULL) : 0;
	int poll = epoll_create1(EPOLL_CLOEXEC);

	if (count < 1 || count > CONNECTIONS_MAX || seconds <= 0) {
		fprintf(stderr, "usage: payments-load PORT binary|json CONNECTIONS SECONDS\n");
		return 2;
	}
	crc_prepare();
	if (strcmp(argv[2], "json") == 0)
		prepare_json();
	else
		prepare_binary();
	/* No key has been used before, by another run neither. */
	key_next = tally_now_ns() << 8;
	tally_begin(&tally, seconds);
	for (unsigned long index = 0; index < count; index++)
		if (start(&connections[index], (uint16_t)strtoul(argv[1], NULL, 10), poll) < 0) {
			fprintf(stderr, "payments-load: %s\n", strerror(errno));
			return 1;
		}
	return run(poll);
}
