/*
 * Fuzzes everything between the network and the handlers: a shard on a fake I/O
 * object, whose peers, kernel and clock are the input. Nobody can say what the right
 * answer to random bytes is, but every answer is well-formed, what one request holds
 * is never seen by another, and in the end nothing is lost.
 *
 * An input is a list of commands. A command is a letter, mostly with the number of a
 * descriptor and a byte; a turn of the shard follows, unless the letter's highest bit
 * is set: then what happens next comes in the same turn.
 *
 *	a      a peer connects            s N TEXT NUL  peer N sends
 *	r N S  S bytes of it are received (0: all)
 *	w N S  S bytes are sent (0: all), or stall
 *	e N    peer N ends its side       x N    peer N resets
 *	c N    a cancelled operation ends t S    S ticks pass
 *	k N S  a handle is resumed        f      accepting fails
 *	p      all goes on as far as it can
 *	D      the shard drains           n      an event is published
 *	F      files are sent as they are, or read first, from now on
 */
#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zerog/app.h>

#include "base/assert.h"
#include "server/shard_fixture.h"
#include "web/topic.h"

#define FUZZ_PEERS_MAX 12
#define FUZZ_HANDLES_MAX 8
#define FUZZ_INPUT_SIZE 8192 /* what one peer may send */
#define FUZZ_HEAD_SIZE 2048
#define FUZZ_LARGE_SIZE 3000
#define FUZZ_PUMPS_MAX 1000
#define FUZZ_PATTERN '\xa5' /* what the fake fills receive windows with */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_peer {
	char input[FUZZ_INPUT_SIZE];
	size_t input_size;
	size_t input_used;
	bool has_ended;
	bool is_broken; /* its stream may end anywhere */
	bool is_stream; /* of events: without an end of its own, and read no further */
	bool is_close_announced; /* nothing may follow the present response */
	char head[FUZZ_HEAD_SIZE]; /* of the response that is being read */
	size_t head_size;
	uint64_t body_left;
};

struct fuzz_text {
	const uint8_t *data;
	size_t size;
};

static struct shard_fixture *fixture;
static struct fuzz_peer peers[FUZZ_PEERS_MAX];
static zg_handle handles[FUZZ_HANDLES_MAX];
static uint32_t handle_next;
static uint64_t response_count; /* seen by peers in all */
static char fuzz_large[FUZZ_LARGE_SIZE];
static int fuzz_file_fd; /* of as many bytes */
static struct zg_topic fuzz_topic;
static alignas(64) unsigned char fuzz_ring[4096];

/* Handlers. */

/* A peer sends no byte of the pattern, so nobody may read one. */
static void fuzz_check_slice(struct zg_slice text)
{
	zg_assert(text.size == 0 || memchr(text.data, FUZZ_PATTERN, text.size) == NULL);
}

static void fuzz_check_request(const struct zg_exchange *x)
{
	fuzz_check_slice(zg_request_path(x));
	fuzz_check_slice(zg_request_query(x));
	fuzz_check_slice(zg_request_body(x));
	for (uint32_t index = 0; index < zg_request_field_count(x); index++) {
		struct zg_slice name;
		struct zg_slice value;

		zg_request_field_at(x, index, &name, &value);
		fuzz_check_slice(name);
		fuzz_check_slice(value);
	}
}

static int fuzz_hello(struct zg_exchange *x)
{
	fuzz_check_request(x);
	return zg_reply_text(x, 200, "Hello");
}

static int fuzz_echo(struct zg_exchange *x)
{
	fuzz_check_request(x);
	return zg_reply(x, 200, ZG_SLICE("text/plain"), zg_request_body(x));
}

static int fuzz_serve_large(struct zg_exchange *x)
{
	return zg_reply(x, 200, ZG_SLICE("text/plain"),
			(struct zg_slice){fuzz_large, sizeof(fuzz_large)});
}

static int fuzz_copy(struct zg_exchange *x)
{
	return zg_reply_copy(x, 200, ZG_SLICE("text/plain"),
			     (struct zg_slice){fuzz_large, sizeof(fuzz_large)});
}

/* Takes a name and a value for a field from the query, and its own type from the path. */
static int fuzz_field(struct zg_exchange *x)
{
	struct zg_slice type = {NULL, 0};
	struct zg_slice name;
	struct zg_slice value;

	fuzz_check_request(x);
	if (zg_request_query_value(x, ZG_SLICE("n"), &name) == 0 &&
	    zg_request_query_value(x, ZG_SLICE("v"), &value) == 0)
		for (int count = 0; count < 20; count++)
			if (zg_reply_field(x, name, value) < 0)
				break;
	if (zg_request_parameter(x, ZG_SLICE("type"), &type) == -ENOMEM)
		return -ENOMEM;
	return zg_reply_copy(x, 200, type, type);
}

static int fuzz_status(struct zg_exchange *x)
{
	struct zg_slice digits;
	int status = 0;

	if (zg_request_parameter(x, ZG_SLICE("code"), &digits) < 0)
		return -ENOMEM;
	for (size_t index = 0; index < digits.size && index < 4; index++)
		status = status * 10 + (digits.data[index] - '0');
	return zg_reply(x, status, (struct zg_slice){NULL, 0}, ZG_SLICE("status"));
}

static int fuzz_pending(struct zg_exchange *x)
{
	handles[handle_next++ % FUZZ_HANDLES_MAX] = zg_exchange_handle(x);
	return ZG_PENDING;
}

static int fuzz_both(struct zg_exchange *x)
{
	int result = fuzz_echo(x);

	return result < 0 ? result : fuzz_pending(x);
}

static int fuzz_failing(struct zg_exchange *x)
{
	int result = fuzz_copy(x);

	return result < 0 ? result : -EIO;
}

static int fuzz_nothing(struct zg_exchange *x)
{
	(void)x;
	return 0;
}

static int fuzz_twice(struct zg_exchange *x)
{
	int result = fuzz_echo(x);

	zg_assert(result < 0 || fuzz_echo(x) == -EALREADY);
	return result;
}

static int fuzz_file(struct zg_exchange *x)
{
	return zg_reply_file(x, 200, ZG_SLICE("text/plain"),
			     &(struct zg_file_part){.fd = fuzz_file_fd, .size = FUZZ_LARGE_SIZE});
}

static int fuzz_watch(struct zg_exchange *x)
{
	return zg_sse_start(x, &fuzz_topic);
}

/* What a piece begins with says what becomes of it. */
static int fuzz_piece(struct zg_exchange *x, const struct zg_piece *piece, void *user)
{
	char letter = piece->bytes.size > 0 ? piece->bytes.data[0] : '\0';

	(void)user;
	fuzz_check_slice(piece->bytes);
	fuzz_check_request(x);
	if (letter == 'r')
		return fuzz_hello(x);
	if (letter == 'f')
		return -EIO;
	if (letter == 'k' && !piece->is_last)
		zg_body_keep(x, piece->bytes.size - piece->bytes.size / 4);
	if (letter == 'w' || (letter == 'k' && piece->bytes.size % 2 == 0))
		return fuzz_pending(x);
	return piece->is_last ? fuzz_serve_large(x) : 0;
}

static int fuzz_upload(struct zg_exchange *x)
{
	return zg_body_read(x, fuzz_piece, NULL);
}

static int fuzz_then(struct zg_exchange *x, void *user)
{
	static zg_handler *const steps[] = {fuzz_hello,	  fuzz_echo,	fuzz_serve_large,
					    fuzz_pending, fuzz_failing, fuzz_nothing,
					    fuzz_file};
	uintptr_t choice = (uintptr_t)user;

	return steps[choice % (sizeof(steps) / sizeof(steps[0]))](x);
}

/* Every request that starts ends, and every connection. */
static uint64_t hook_connected;
static uint64_t hook_disconnected;
static uint64_t hook_started;
static uint64_t hook_ended;

static void fuzz_hook_connected(const struct zg_connected *event, void *user)
{
	(void)event;
	(void)user;
	hook_connected++;
}

static void fuzz_hook_disconnected(const struct zg_disconnected *event, void *user)
{
	(void)user;
	zg_assert(event->why < ZG_DISCONNECT_STOPPED);
	hook_disconnected++;
}

static void fuzz_hook_started(struct zg_exchange *x, void *user)
{
	(void)user;
	fuzz_check_request(x);
	hook_started++;
}

static void fuzz_hook_ended(struct zg_exchange *x, const struct zg_request_ended *event, void *user)
{
	(void)user;
	fuzz_check_request(x);
	zg_assert(event->is_aborted || event->status >= 200);
	zg_assert(event->is_aborted || event->bytes_out > 0);
	hook_ended++;
}

static void fuzz_hook_failed(const struct zg_failed *event, void *user)
{
	(void)user;
	if (event->x != NULL)
		fuzz_check_request(event->x);
}

/* In a query: "w" waits before the handler, "s" replies in its place. */
static int fuzz_before(struct zg_exchange *x, void *user)
{
	struct zg_slice value;

	(void)user;
	fuzz_check_request(x);
	zg_assert(zg_exchange_get(x, 1) == NULL);
	zg_exchange_set(x, 1, x);
	if (zg_request_query_value(x, ZG_SLICE("w"), &value) == 0)
		return fuzz_pending(x);
	if (zg_request_query_value(x, ZG_SLICE("s"), &value) == 0)
		return zg_reply_text(x, 403, "stopped");
	return 0;
}

/* "a" adds so many fields as its value has bytes, "e" fails. */
static int fuzz_after(struct zg_exchange *x, int status, void *user)
{
	struct zg_slice value = {NULL, 0};

	(void)user;
	zg_assert(status >= 200 && status <= 599);
	fuzz_check_request(x);
	if (zg_request_query_value(x, ZG_SLICE("e"), &value) == 0)
		return -EIO;
	if (zg_request_query_value(x, ZG_SLICE("a"), &value) < 0)
		return 0;
	for (size_t index = 0; index < value.size; index++)
		if (zg_reply_field(x, ZG_SLICE("X-After"), ZG_SLICE("fuzzed")) < 0)
			return -ENOMEM;
	return 0;
}

static void fuzz_routes(struct zgi_router *router)
{
	struct zg_group *group = zg_group_within(zgi_router_root(router), "/m");

	zg_group_after(zgi_router_root(router), fuzz_after, NULL);
	zg_group_before(group, fuzz_before, NULL);
	zg_group_any(group, "", fuzz_echo);
	zg_group_any(group, "/p", fuzz_pending);
	zg_group_any(group, "/f", fuzz_failing);
	static const struct {
		const char *pattern;
		zg_handler *handler;
	} routes[] = {
		{"/", fuzz_hello},
		{"/e", fuzz_echo},
		{"/l", fuzz_serve_large},
		{"/c", fuzz_copy},
		{"/t/{type...}", fuzz_field},
		{"/s/{code}", fuzz_status},
		{"/p", fuzz_pending},
		{"/b", fuzz_both},
		{"/f", fuzz_failing},
		{"/n", fuzz_nothing},
		{"/2", fuzz_twice},
		{"/d", fuzz_file},
		{"/v", fuzz_watch},
	};
	int result = zgi_router_add_streamed(router, ZG_METHOD_POST, "/u", fuzz_upload, 20000);

	zg_assert(result == 0);

	for (size_t index = 0; index < sizeof(routes) / sizeof(routes[0]); index++) {
		result = zgi_router_add(router, ZG_METHOD_GET, routes[index].pattern,
					routes[index].handler);

		zg_assert(result == 0);
		result = zgi_router_add(router, ZG_METHOD_POST, routes[index].pattern,
					routes[index].handler);
		zg_assert(result == 0);
	}
}

/* What the peers read. */

static bool fuzz_has_field(const char *head, const char *line)
{
	return strstr(head, line) != NULL;
}

/* The head of a response is whole: is it one, and how long is its body? */
static void fuzz_head_read(struct fuzz_peer *peer)
{
	const char *head = peer->head;
	const char *length = strstr(head, "\r\nContent-Length: ");
	int status;

	zg_assert(strncmp(head, "HTTP/1.1 ", 9) == 0);
	status = (head[9] - '0') * 100 + (head[10] - '0') * 10 + (head[11] - '0');
	zg_assert(status >= 100 && status <= 599 && head[12] == ' ');
	peer->body_left = 0;
	if (status == 100) {
		zg_assert(length == NULL);
		return;
	}
	response_count++;
	peer->is_stream = fuzz_has_field(head, "\r\nContent-Type: text/event-stream\r\n");
	if (peer->is_stream)
		return;
	zg_assert((length == NULL) == (status == 204 || status == 304));
	if (length != NULL)
		peer->body_left = strtoull(length + 18, NULL, 10);
	peer->is_close_announced = fuzz_has_field(head, "\r\nConnection: close\r\n");
}

/* A response to HEAD has a length and no body, and which it is cannot be told from the outside:
 * such a stream is read no further. */
static bool fuzz_is_opaque(const struct fuzz_peer *peer)
{
	return peer->is_stream || memmem(peer->input, peer->input_size, "HEAD", 4) != NULL;
}

static void fuzz_sent(void *user, uint32_t descriptor, const unsigned char *bytes, size_t size)
{
	struct fuzz_peer *peer = &peers[descriptor];

	(void)user;
	zg_assert(descriptor < FUZZ_PEERS_MAX);
	if (fuzz_is_opaque(peer))
		return;
	for (size_t index = 0; index < size; index++) {
		zg_assert(bytes[index] != (unsigned char)FUZZ_PATTERN);
		if (peer->is_stream)
			return;
		if (peer->body_left > 0) {
			peer->body_left--;
			continue;
		}
		zg_assert(peer->head_size > 0 || !peer->is_close_announced);
		zg_assert(peer->head_size < FUZZ_HEAD_SIZE - 1);
		peer->head[peer->head_size++] = (char)bytes[index];
		peer->head[peer->head_size] = '\0';
		if (peer->head_size >= 4 &&
		    memcmp(peer->head + peer->head_size - 4, "\r\n\r\n", 4) == 0) {
			fuzz_head_read(peer);
			peer->head_size = 0;
		}
	}
}

/* When a connection has been closed in order, its last response was whole. */
static void fuzz_check_ends(void)
{
	for (uint32_t index = 0; index < FUZZ_PEERS_MAX; index++) {
		struct fuzz_peer *peer = &peers[index];
		const struct fake_descriptor *entry = &fixture->fake.descriptors[index];

		if (entry->is_open || peer->is_broken || fuzz_is_opaque(peer))
			continue;
		zg_assert(peer->head_size == 0 && peer->body_left == 0);
	}
}

static void fuzz_all_broken(void)
{
	for (uint32_t index = 0; index < FUZZ_PEERS_MAX; index++)
		peers[index].is_broken = true;
}

/* What has ended early by a decision of the shard may have ended anywhere. */
static void fuzz_turn(void)
{
	uint64_t timeout_count = fixture->shard->counters.timeouts_write;

	shard_fixture_turn(fixture);
	if (fixture->shard->counters.timeouts_write != timeout_count)
		fuzz_all_broken();
	fuzz_check_ends();
}

/* What the peers do. */

static void fuzz_accept(void)
{
	struct fake_io *fake = &fixture->fake;

	if (!fake->is_accepting || fake->event_count > ZGI_IO_EVENTS_MAX / 2)
		return;
	for (uint32_t index = 0; index < FUZZ_PEERS_MAX; index++) {
		if (fake->descriptors[index].is_open)
			continue;

		int descriptor = fake_io_accept(fake);

		zg_assert(descriptor == (int)index);
		memset(&peers[index], 0, sizeof(peers[index]));
		return;
	}
}

static void fuzz_write(uint32_t descriptor, struct fuzz_text *text)
{
	struct fuzz_peer *peer = &peers[descriptor];

	while (text->size > 0 && text->data[0] != '\0') {
		char byte = (char)text->data[0];

		if (peer->input_size < FUZZ_INPUT_SIZE && !peer->has_ended)
			peer->input[peer->input_size++] = byte == FUZZ_PATTERN ? 'Z' : byte;
		text->data++;
		text->size--;
	}
	if (text->size > 0) {
		text->data++;
		text->size--;
	}
}

static bool fuzz_is_receiving(enum fake_operation operation)
{
	return operation == FAKE_RECV || operation == FAKE_SEND_RECV || operation == FAKE_POLL;
}

static void fuzz_receive(uint32_t descriptor, size_t size_max)
{
	struct fuzz_peer *peer = &peers[descriptor];
	enum fake_operation operation = fake_io_operation(&fixture->fake, descriptor);
	size_t left = peer->input_size - peer->input_used;

	if (!fuzz_is_receiving(operation))
		return;
	if (size_max > 0 && size_max < left)
		left = size_max;
	if (left > 0)
		peer->input_used += fake_io_deliver(&fixture->fake, descriptor,
						    peer->input + peer->input_used, left);
	else if (peer->has_ended)
		fake_io_complete(&fixture->fake, descriptor,
				 operation == FAKE_POLL ? POLLIN | POLLRDHUP : 0);
}

/* The rest of a reply is not sent any more when the connection had to make room meanwhile. */
static void fuzz_stall(uint32_t descriptor, int32_t result)
{
	if (shard_fixture_state(fixture, descriptor) == ZGI_CONNECTION_CLOSING)
		peers[descriptor].is_broken = true;
	fake_io_stall(&fixture->fake, descriptor, result);
}

static void fuzz_send(uint32_t descriptor, uint8_t size)
{
	const struct fake_descriptor *entry = &fixture->fake.descriptors[descriptor];
	enum fake_operation operation = fake_io_operation(&fixture->fake, descriptor);

	if (operation == FAKE_SHUTDOWN) {
		fake_io_complete(&fixture->fake, descriptor, size == 0 ? 0 : -ENOTCONN);
	} else if (operation == FAKE_SEND) {
		size_t sent = size > 0 && size < entry->size ? size : entry->size;

		/* A refusal that falls short is not gone on with. */
		if (shard_fixture_state(fixture, descriptor) == ZGI_CONNECTION_REFUSING)
			peers[descriptor].is_broken |= sent < entry->size;
		fake_io_complete(&fixture->fake, descriptor, (int32_t)sent);
	} else if (operation == FAKE_SEND_FILE || operation == FAKE_READ_FILE) {
		size_t all = entry->file.size;

		fake_io_complete(&fixture->fake, descriptor,
				 (int32_t)(size > 0 && size < all ? size : all));
	} else if (operation == FAKE_SEND_RECV && entry->bytes != NULL) {
		if (size == 0 || size >= entry->size)
			fake_io_flush(&fixture->fake, descriptor);
		else
			fuzz_stall(descriptor, size == 1 ? -EAGAIN : size);
	}
}

static void fuzz_cancelled(uint32_t descriptor)
{
	const struct fake_descriptor *entry = &fixture->fake.descriptors[descriptor];

	if (fake_io_operation(&fixture->fake, descriptor) == FAKE_NONE)
		return;
	if (entry->is_cancelled &&
	    (entry->operation == FAKE_SEND || entry->operation == FAKE_SEND_FILE ||
	     entry->operation == FAKE_READ_FILE))
		peers[descriptor].is_broken = true;
	if (entry->is_cancelled || entry->is_stalled)
		fake_io_complete(&fixture->fake, descriptor, -ECANCELED);
}

static void fuzz_reset(uint32_t descriptor)
{
	const struct fake_descriptor *entry = &fixture->fake.descriptors[descriptor];
	enum fake_operation operation = fake_io_operation(&fixture->fake, descriptor);

	peers[descriptor].is_broken = true;
	if (operation == FAKE_NONE)
		return;
	if (operation == FAKE_SEND_RECV && entry->bytes != NULL)
		fake_io_stall(&fixture->fake, descriptor, -ECONNRESET);
	fake_io_complete(&fixture->fake, descriptor,
			 operation == FAKE_POLL ? POLLERR | POLLHUP : -ECONNRESET);
}

static void fuzz_resume(uint8_t which, uint8_t choice)
{
	struct zgi_message message = {
		.handle = handles[which % FUZZ_HANDLES_MAX],
		.then = fuzz_then,
		.user = (void *)(uintptr_t)choice,
	};

	if (zgi_inbox_send(&fixture->shard->inbox, &message) == 0 &&
	    fixture->fake.event_count < ZGI_IO_EVENTS_MAX / 2)
		fake_io_woken(&fixture->fake);
}

static void fuzz_publish(void)
{
	int result = zgi_topic_publish(&fuzz_topic, ZG_SLICE("news"), ZG_SLICE("of the day"));

	zg_assert(result == 0);
	fixture->shard->has_news = 1;
	if (fixture->fake.event_count < ZGI_IO_EVENTS_MAX / 2)
		fake_io_woken(&fixture->fake);
}

/* As on epoll, or as on io_uring. */
static void fuzz_files_toggle(void)
{
	static void (*send_file)(struct zgi_io * io, uint32_t descriptor,
				 const struct zgi_io_file *file, uint64_t tag);
	struct zgi_io_operations *operations = &fixture->fake.operations;

	if (operations->send_file != NULL) {
		send_file = operations->send_file;
		operations->send_file = NULL;
	} else {
		operations->send_file = send_file;
	}
}

/* Every peer does what it can do next. */
static void fuzz_pump(void)
{
	for (uint32_t index = 0; index < FUZZ_PEERS_MAX; index++) {
		if (!fixture->fake.descriptors[index].is_open)
			continue;
		fuzz_cancelled(index);
		fuzz_send(index, 0);
		fuzz_receive(index, 0);
	}
	fuzz_turn();
}

static uint8_t fuzz_byte(struct fuzz_text *text)
{
	if (text->size == 0)
		return 0;
	text->size--;
	return *text->data++;
}

static void fuzz_pass(uint32_t tick_count)
{
	for (; tick_count > 0; tick_count--) {
		fixture->now_ns += ZGI_TICK_NS;
		fuzz_turn();
	}
}

static void fuzz_command_peer(uint8_t command, struct fuzz_text *text)
{
	uint32_t descriptor = fuzz_byte(text) % FUZZ_PEERS_MAX;
	const struct fake_descriptor *entry = &fixture->fake.descriptors[descriptor];

	/* A stall makes two events. */
	if (!entry->is_open || fixture->fake.event_count > ZGI_IO_EVENTS_MAX / 2)
		return;
	if (command == 's')
		fuzz_write(descriptor, text);
	else if (command == 'r')
		fuzz_receive(descriptor, fuzz_byte(text));
	else if (command == 'w')
		fuzz_send(descriptor, fuzz_byte(text));
	else if (command == 'e')
		peers[descriptor].has_ended = true;
	else if (command == 'x')
		fuzz_reset(descriptor);
	else if (command == 'c')
		fuzz_cancelled(descriptor);
}

static void fuzz_command(struct fuzz_text *text)
{
	uint8_t letter = fuzz_byte(text);

	switch (letter & 0x7f) {
	case 'a':
		fuzz_accept();
		break;
	case 's':
	case 'r':
	case 'w':
	case 'e':
	case 'x':
	case 'c':
		fuzz_command_peer(letter & 0x7f, text);
		break;
	case 't':
		fuzz_pass(fuzz_byte(text) % 16);
		break;
	case 'k': {
		uint8_t which = fuzz_byte(text);

		fuzz_resume(which, fuzz_byte(text));
		break;
	}
	case 'f':
		if (fixture->fake.is_accepting && fixture->fake.event_count < ZGI_IO_EVENTS_MAX / 2)
			fake_io_accept_fail(&fixture->fake, -EMFILE);
		break;
	case 'p':
		fuzz_pump();
		break;
	case 'n':
		fuzz_publish();
		break;
	case 'F':
		fuzz_files_toggle();
		break;
	case 'D':
		zgi_shard_command(fixture->shard, ZGI_SHARD_DRAIN);
		break;
	default:
		return;
	}
	if ((letter & 0x80) == 0)
		fuzz_turn();
}

static void fuzz_change(struct zg_options *options)
{
	options->read_buffer_size = 1024;
	options->write_buffer_size = 1024;
	options->body_size_max = 4000;
	options->fields_max = 24;
	options->header_timeout_ms = 300;
	options->body_timeout_ms = 400;
	options->idle_timeout_ms = 1000;
	options->write_timeout_ms = 300;
	options->handler_timeout_ms = 500;
	options->exchange_wait_ms_max = 300;
	options->event_heartbeat_ms = 300;
	options->topics = 1;
	options->subscribers = 2;
	options->event_size_max = 128;
}

/* What outlives a shard: a file, and a topic. */
static void fuzz_prepare(void)
{
	struct zg_app app = {0};
	ssize_t size;

	memset(fuzz_large, 'L', sizeof(fuzz_large));
	fuzz_file_fd = memfd_create("connection_fuzz", MFD_CLOEXEC);
	zg_assert(fuzz_file_fd >= 0);
	size = write(fuzz_file_fd, fuzz_large, sizeof(fuzz_large));
	zg_assert(size == (ssize_t)sizeof(fuzz_large));
	zg_topic_init(&fuzz_topic, &app, &(struct zg_topic_options){.name = "news"});
	zgi_topics_open(&(struct zgi_topics_room){
		.memory = fuzz_ring, .event_count = 4, .event_size_max = 128});
}

static void fuzz_open(void)
{
	static struct zgi_hooks hooks;
	static const struct shard_fixture_options options = {
		.hooks = &hooks,
		.connection_limit = 8,
		.exchange_count = 3,
		.chunk_count = 2,
		.routes = fuzz_routes,
		.change = fuzz_change,
	};

	memset(&hooks, 0, sizeof(hooks));
	zgi_hooks_add(&hooks, &(struct zg_hooks){
				      .connected = fuzz_hook_connected,
				      .disconnected = fuzz_hook_disconnected,
				      .request_started = fuzz_hook_started,
				      .request_ended = fuzz_hook_ended,
				      .failed = fuzz_hook_failed,
			      });
	if (fuzz_file_fd == 0)
		fuzz_prepare();
	fixture = shard_fixture_open(&options);
	fixture->fake.on_sent = fuzz_sent;
	response_count = 0;
}

static void fuzz_check_nothing_lost(void)
{
	const struct zgi_shard *shard = fixture->shard;

	zg_assert(shard->live_count == 0);
	zg_assert(shard->leaving_count == 0);
	zg_assert(shard->hot_count == 0);
	zg_assert(hook_connected == hook_disconnected);
	zg_assert(hook_started == hook_ended);
	/* No response was sent twice. */
	zg_assert(response_count <= shard->web.counters.requests + shard->counters.refused);
	zg_assert(shard->waiting_count == 0);
	zg_assert(shard->exchanges.free_count == shard->exchanges.block_count);
	zg_assert(shard->chunks.free_count == shard->chunks.block_count);
	zg_assert(shard->subscribers.free_count == shard->subscribers.block_count);
	for (uint32_t index = 0; index < FAKE_DESCRIPTORS_MAX; index++)
		zg_assert(!fixture->fake.descriptors[index].is_open);
}

/* All peers end, and time passes for those whose handler nobody resumes. */
static void fuzz_end(void)
{
	uint32_t pump_count = 0;

	for (uint32_t index = 0; index < FUZZ_PEERS_MAX; index++)
		peers[index].has_ended = true;
	while (fixture->shard->live_count > 0) {
		fuzz_pump();
		if (pump_count % 64 == 63)
			fuzz_pass(1);
		zg_assert(++pump_count < FUZZ_PUMPS_MAX);
	}
	fuzz_check_nothing_lost();
	if (!fixture->fake.is_accept_stopping)
		return;
	fake_io_accept_end(&fixture->fake);
	fuzz_turn();
	shard_fixture_close(fixture);
	fixture = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_text text = {data, size};

	if (fixture == NULL)
		fuzz_open();
	fuzz_all_broken();
	memset(handles, 0, sizeof(handles));
	handle_next = 0;
	while (text.size > 0)
		fuzz_command(&text);
	fuzz_turn();
	fuzz_end();
	return 0;
}
