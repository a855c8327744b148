/*
 * Worker: one forked process of `zerog hold`, a plain non-blocking epoll loop.
 *
 * A held connection costs four bytes here: its state, in a table indexed by
 * descriptor. Only a connection that waits for a reply has more, a flight with a
 * buffer, and of those there are few. Each connection is added to epoll once,
 * edge-triggered, and never changed: what arrives later is an event by itself.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <zerog/region.h>

#include "base/assert.h"
#include "cli/hold.h"

#define WORKER_EVENTS_MAX 256
#define WORKER_REPLY_TIMEOUT_MS 30000
/* After so many failures in a row the rest is not tried. */
#define WORKER_FAILURES_IN_A_ROW_MAX 100
#define WORKER_NO_FLIGHT UINT16_MAX

enum slot_state {
	SLOT_FREE,
	SLOT_CONNECTING, /* the request is not sent yet */
	SLOT_OPENING, /* its first reply is awaited */
	SLOT_AGAIN, /* a further reply is awaited */
	SLOT_HELD,
};

struct worker_slot {
	uint16_t state; /* enum slot_state */
	uint16_t flight; /* index, or WORKER_NO_FLIGHT */
};

static_assert(sizeof(struct worker_slot) == 4, "a held connection costs four bytes");

struct worker_flight {
	uint64_t deadline_ms;
	int fd; /* -1: free */
	uint16_t next_free;
	struct hold_reply reply;
};

enum worker_phase {
	WORKER_OPENING,
	WORKER_WAITING,
	WORKER_ASKING,
	WORKER_RELEASING,
};

struct worker {
	const struct hold_worker_options *options; /* borrowed */
	struct zg_region region;
	struct worker_slot *slots; /* indexed by descriptor */
	struct worker_flight *flights;
	uint32_t slot_count;
	uint32_t flight_used;
	uint16_t flight_free; /* first of the free list */
	enum worker_phase phase;
	int epoll_fd;
	uint64_t start_ms;
	uint64_t sweep_ms;
	uint32_t attempted; /* connections opened or failed, or on their way */
	uint32_t failures_in_a_row;
	uint32_t port;
	uint32_t held_count;
	/* The walk of "again": from fd ask_cursor on, ask_left of candidate_left are chosen. */
	uint32_t ask_cursor;
	uint32_t ask_left;
	uint32_t candidate_left;
	uint64_t random;
};

static uint64_t worker_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* splitmix64 by Sebastiano Vigna: any seed will do, one line of state. */
static uint64_t worker_random(struct worker *worker)
{
	uint64_t z = (worker->random += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static void worker_add(_Atomic uint64_t *counter, uint64_t count)
{
	atomic_fetch_add_explicit(counter, count, memory_order_relaxed);
}

static int worker_init(struct worker *worker, const struct hold_worker_options *options)
{
	void *slots;
	void *flights;
	int error;

	*worker = (struct worker){.options = options, .epoll_fd = -1, .random = options->seed};
	worker->slot_count = options->connection_count + 1024;
	error = zg_region_init(&worker->region,
			       &(struct zg_region_options){
				       .size = worker->slot_count * sizeof(*worker->slots) +
					       options->flight_count * sizeof(*worker->flights) +
					       4096,
				       .name = "held connections",
				       .pages = ZG_REGION_PAGES_TRANSPARENT,
			       });
	if (error < 0)
		return error;
	error = zg_region_carve(&worker->region, worker->slot_count * sizeof(*worker->slots), 64,
				&slots);
	if (error < 0)
		return error;
	error = zg_region_carve(&worker->region, options->flight_count * sizeof(*worker->flights),
				64, &flights);
	if (error < 0)
		return error;
	worker->slots = slots;
	worker->flights = flights;
	for (uint32_t index = 0; index < options->flight_count; index++) {
		worker->flights[index].fd = -1;
		worker->flights[index].next_free = (uint16_t)(index + 1);
	}
	worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (worker->epoll_fd < 0)
		return -errno;
	if (epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, options->command_fd,
		      &(struct epoll_event){.events = EPOLLIN, .data.fd = options->command_fd}) < 0)
		return -errno;
	worker->start_ms = worker_now_ms();
	worker->port = options->source.port_min;
	return 0;
}

static void worker_flight_take(struct worker *worker, int fd)
{
	uint16_t index = worker->flight_free;
	struct worker_flight *flight = &worker->flights[index];

	zg_assert(worker->flight_used < worker->options->flight_count && flight->fd == -1);
	worker->flight_free = flight->next_free;
	worker->flight_used++;
	flight->fd = fd;
	flight->deadline_ms = worker_now_ms() + WORKER_REPLY_TIMEOUT_MS;
	hold_reply_init(&flight->reply);
	worker->slots[fd].flight = index;
}

static void worker_flight_give(struct worker *worker, int fd)
{
	uint16_t index = worker->slots[fd].flight;

	if (index == WORKER_NO_FLIGHT)
		return;
	zg_assert(worker->flights[index].fd == fd);
	worker->flights[index].fd = -1;
	worker->flights[index].next_free = worker->flight_free;
	worker->flight_free = index;
	worker->flight_used--;
	worker->slots[fd].flight = WORKER_NO_FLIGHT;
}

/* Remember the first failure; @fd is -1, or the connection that it was. */
static void worker_note_failure(struct worker *worker, int fd, enum hold_step step, int error)
{
	struct hold_counters *counters = worker->options->counters;
	uint16_t flight = fd >= 0 ? worker->slots[fd].flight : WORKER_NO_FLIGHT;

	if (atomic_load(&counters->failure_step) != HOLD_STEP_NONE)
		return;
	if (flight != WORKER_NO_FLIGHT && error == -EPROTO)
		atomic_store(&counters->failure_status, worker->flights[flight].reply.status);
	atomic_store(&counters->failure_errno, -error);
	atomic_store(&counters->failure_step, step);
}

static void worker_fail_opening(struct worker *worker, int fd, enum hold_step step, int error)
{
	worker_note_failure(worker, fd, step, error);
	worker_add(&worker->options->counters->failed, 1);
	worker->failures_in_a_row++;
}

/* End one connection that did not go as it should, in whatever state it is. */
static void worker_drop(struct worker *worker, int fd, enum hold_step step, int error)
{
	struct worker_slot *slot = &worker->slots[fd];
	struct hold_counters *counters = worker->options->counters;
	bool is_again = slot->state == SLOT_AGAIN;

	zg_assert(slot->state != SLOT_FREE);
	if (slot->state == SLOT_HELD || is_again) {
		worker->held_count--;
		worker_add(&counters->lost, 1);
		if (atomic_load(&counters->lost_errno) == 0)
			atomic_store(&counters->lost_errno, error == 0 ? ECONNRESET : -error);
		if (is_again) {
			worker_note_failure(worker, fd, step, error);
			worker_add(&counters->again_failed, 1);
		}
	} else {
		worker_fail_opening(worker, fd, step, error);
	}
	worker_flight_give(worker, fd);
	slot->state = SLOT_FREE;
	close(fd);
}

static void worker_hold(struct worker *worker, int fd)
{
	struct worker_slot *slot = &worker->slots[fd];

	if (slot->state == SLOT_AGAIN) {
		worker_add(&worker->options->counters->again_answered, 1);
	} else {
		worker_add(&worker->options->counters->opened, 1);
		worker->held_count++;
		worker->failures_in_a_row = 0;
	}
	slot->state = SLOT_HELD;
	worker_flight_give(worker, fd);
}

/* Send the request; -EAGAIN when the connection is not there yet. */
static int worker_send(struct worker *worker, int fd)
{
	ssize_t size =
		send(fd, worker->options->request, worker->options->request_size, MSG_NOSIGNAL);

	if (size < 0)
		return errno == ENOTCONN ? -EAGAIN : -errno;
	/* A socket's empty buffer takes a request whole, or something is very wrong. */
	return (size_t)size == worker->options->request_size ? 0 : -EMSGSIZE;
}

static int worker_open_one(struct worker *worker)
{
	const struct hold_worker_options *options = worker->options;
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET};
	enum hold_step step = HOLD_STEP_NONE;
	struct worker_slot *slot;
	int fd = -1;
	int error;

	error = hold_source_connect(&options->source, options->hold, &worker->port, &fd, &step);
	if (error == -EAGAIN)
		return error;
	worker->attempted++;
	if (error < 0) {
		worker_fail_opening(worker, -1, step, error);
		return 0;
	}
	zg_assert((uint32_t)fd < worker->slot_count);
	slot = &worker->slots[fd];
	zg_assert(slot->state == SLOT_FREE);
	slot->state = SLOT_CONNECTING;
	worker_flight_take(worker, fd);
	/* On loopback the handshake is over when connect() returns, so this usually works. */
	if (!options->hold->is_silent) {
		error = worker_send(worker, fd);
		if (error == 0)
			slot->state = SLOT_OPENING;
		else if (error != -EAGAIN) {
			worker_drop(worker, fd, HOLD_STEP_CONNECT, error);
			return 0;
		}
	}
	if (slot->state == SLOT_CONNECTING)
		event.events |= EPOLLOUT;
	event.data.fd = fd;
	if (epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		worker_drop(worker, fd, HOLD_STEP_SOCKET, -errno);
	return 0;
}

/* Open what the rate and the number of flights allow now. */
static void worker_open(struct worker *worker)
{
	const struct hold_worker_options *options = worker->options;
	uint64_t allowed = options->connection_count;

	if (options->rate > 0) {
		double seconds = (double)(worker_now_ms() - worker->start_ms) / 1000;
		double by_now = 1 + seconds * options->rate;

		if (by_now < (double)allowed)
			allowed = (uint64_t)by_now;
	}
	while (worker->attempted < allowed && worker->flight_used < options->flight_count) {
		if (worker->failures_in_a_row >= WORKER_FAILURES_IN_A_ROW_MAX) {
			worker_note_failure(worker, -1, HOLD_STEP_GIVEN_UP, 0);
			worker_add(&options->counters->failed,
				   options->connection_count - worker->attempted);
			worker->attempted = options->connection_count;
			return;
		}
		if (worker_open_one(worker) == -EAGAIN)
			return;
	}
}

/* Selection sampling (Knuth 3.4.2 S): each held connection is as likely as the next. */
static void worker_ask(struct worker *worker)
{
	while (worker->ask_left > 0 && worker->candidate_left > 0 &&
	       worker->flight_used < worker->options->flight_count &&
	       worker->ask_cursor < worker->slot_count) {
		int fd = (int)worker->ask_cursor++;
		bool is_chosen;
		int error;

		if (worker->slots[fd].state != SLOT_HELD)
			continue;
		is_chosen = worker_random(worker) % worker->candidate_left < worker->ask_left;
		if (worker->candidate_left > 1)
			worker->candidate_left--;
		if (!is_chosen)
			continue;
		worker->ask_left--;
		worker->slots[fd].state = SLOT_AGAIN;
		worker_flight_take(worker, fd);
		error = worker_send(worker, fd);
		if (error < 0)
			worker_drop(worker, fd, HOLD_STEP_SEND, error);
	}
}

static void worker_report(struct worker *worker)
{
	char finished = 1;

	worker->phase = WORKER_WAITING;
	/* A parent that has gone is noticed at the command pipe. */
	if (write(worker->options->report_fd, &finished, 1) < 0)
		worker->phase = WORKER_RELEASING;
}

static void worker_command(struct worker *worker)
{
	struct hold_command command;
	ssize_t size = read(worker->options->command_fd, &command, sizeof(command));

	if (size != (ssize_t)sizeof(command) || command.kind == HOLD_COMMAND_RELEASE) {
		worker->phase = WORKER_RELEASING;
		return;
	}
	zg_assert(worker->phase == WORKER_WAITING && command.kind == HOLD_COMMAND_AGAIN);
	worker->phase = WORKER_ASKING;
	worker->ask_cursor = 0;
	worker->candidate_left = worker->held_count > 0 ? worker->held_count : 1;
	worker->ask_left = (uint32_t)command.count;
	if (worker->ask_left > worker->held_count) {
		/* Lost since the parent counted them: no answer will come from these. */
		worker_add(&worker->options->counters->again_failed,
			   worker->ask_left - worker->held_count);
		worker->ask_left = worker->held_count;
	}
}

/* A connection that was on its way has arrived, or has not. */
static void worker_connected(struct worker *worker, int fd)
{
	struct worker_slot *slot = &worker->slots[fd];
	socklen_t size = sizeof(int);
	int error = 0;

	if (worker->options->hold->is_silent) {
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
			error = errno;
		if (error != 0)
			worker_drop(worker, fd, HOLD_STEP_CONNECT, -error);
		else
			worker_hold(worker, fd);
		return;
	}
	error = worker_send(worker, fd);
	if (error == 0)
		slot->state = SLOT_OPENING;
	else if (error != -EAGAIN)
		worker_drop(worker, fd, HOLD_STEP_CONNECT, error);
}

/* Nothing was asked: what comes can only be the end, or something that must not be. */
static void worker_check_held(struct worker *worker, int fd)
{
	char byte;
	ssize_t size = recv(fd, &byte, 1, MSG_PEEK);

	if (size > 0)
		worker_drop(worker, fd, HOLD_STEP_HELD, -EBADMSG);
	else if (size == 0)
		worker_drop(worker, fd, HOLD_STEP_HELD, -ECONNRESET);
	else if (errno != EAGAIN)
		worker_drop(worker, fd, HOLD_STEP_HELD, -errno);
}

static void worker_event(struct worker *worker, const struct epoll_event *event)
{
	const uint32_t ended = EPOLLHUP | EPOLLERR | EPOLLRDHUP;
	int fd = event->data.fd;
	struct worker_slot *slot = &worker->slots[fd];

	if (fd == worker->options->command_fd) {
		worker_command(worker);
		return;
	}
	if (slot->state == SLOT_CONNECTING && (event->events & (EPOLLOUT | ended)) != 0)
		worker_connected(worker, fd);
	if (slot->state == SLOT_OPENING || slot->state == SLOT_AGAIN) {
		int result = hold_reply_receive(&worker->flights[slot->flight].reply, fd);

		if (result < 0)
			worker_drop(worker, fd, HOLD_STEP_REPLY, result);
		else if (result == 1)
			worker_hold(worker, fd);
	} else if (slot->state == SLOT_HELD && (event->events & EPOLLIN) != 0) {
		worker_check_held(worker, fd);
	}
	if (slot->state == SLOT_HELD && (event->events & ended) != 0)
		worker_check_held(worker, fd);
}

/* Once a second: which replies are too late? */
static void worker_sweep(struct worker *worker)
{
	uint64_t now_ms = worker_now_ms();

	if (now_ms < worker->sweep_ms)
		return;
	worker->sweep_ms = now_ms + 1000;
	for (uint32_t index = 0; index < worker->options->flight_count; index++) {
		struct worker_flight *flight = &worker->flights[index];

		if (flight->fd >= 0 && now_ms >= flight->deadline_ms)
			worker_drop(worker, flight->fd, HOLD_STEP_REPLY, -ETIMEDOUT);
	}
}

static void worker_loop(struct worker *worker)
{
	struct epoll_event events[WORKER_EVENTS_MAX];

	while (worker->phase != WORKER_RELEASING) {
		int timeout_ms = -1;
		int count;

		if (worker->phase == WORKER_OPENING)
			worker_open(worker);
		else if (worker->phase == WORKER_ASKING)
			worker_ask(worker);
		if (worker->flight_used == 0 &&
		    ((worker->phase == WORKER_OPENING &&
		      worker->attempted == worker->options->connection_count) ||
		     (worker->phase == WORKER_ASKING && worker->ask_left == 0)))
			worker_report(worker);
		/* Below its limit of flights the worker waits for the rate or for a backlog. */
		if (worker->phase == WORKER_OPENING || worker->phase == WORKER_ASKING)
			timeout_ms = worker->flight_used < worker->options->flight_count &&
						     worker->attempted <
							     worker->options->connection_count
					     ? 5
					     : 1000;
		count = epoll_wait(worker->epoll_fd, events, WORKER_EVENTS_MAX, timeout_ms);
		if (count < 0 && errno != EINTR)
			return;
		for (int index = 0; index < count; index++)
			worker_event(worker, &events[index]);
		worker_sweep(worker);
	}
}

int hold_worker_run(const struct hold_worker_options *options)
{
	struct worker worker;
	int error = worker_init(&worker, options);

	if (error < 0) {
		fprintf(stderr, "zerog hold: a worker cannot start: %s.\n", strerror(-error));
		return 1;
	}
	worker_loop(&worker);
	/* Resets, one by one: the sockets do not linger. */
	for (uint32_t fd = 0; fd < worker.slot_count; fd++) {
		if (worker.slots[fd].state != SLOT_FREE)
			close((int)fd);
	}
	close(worker.epoll_fd);
	zg_region_fini(&worker.region);
	return 0;
}
