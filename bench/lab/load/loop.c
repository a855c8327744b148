/*
 * The loop: what is due is sent, what has arrived is counted, and in between the
 * program sleeps until one of both happens. It does not spin: on a small machine
 * that would take the server's processor away.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include "base/assert.h"
#include "base/clock.h"
#include "load.h"

#define LOOP_EVENTS_MAX 512
#define LOOP_PATIENCE_NS UINT64_C(10000000000) /* for answers after the end */

uint64_t load_due_ns(const struct load *load, uint64_t request_index)
{
	return load->start_ns +
	       (uint64_t)((double)request_index * LOAD_NS_PER_S / (double)load->options->rate);
}

/* When request k of a connection was due. */
static uint64_t loop_connection_due_ns(const struct load *load,
				       const struct load_connection *connection, uint64_t k)
{
	uint64_t index = (uint64_t)(connection - load->connections);

	return load_due_ns(load, index + k * load->options->connections);
}

void load_second_close(struct load *load)
{
	struct load_result *result = load->result;

	if (load->second_index < LOAD_SECONDS_MAX) {
		result->timeline[load->second_index] = (struct load_second){
			.answered = zgi_histogram_count(&load->second_ns),
			.p99_ns = zgi_histogram_quantile(&load->second_ns, 0.99),
			.max_ns = zgi_histogram_max(&load->second_ns),
		};
		result->timeline_count = (uint32_t)load->second_index + 1;
	}
	load->second_index++;
	zgi_histogram_init(&load->second_ns);
}

/* The median window tells what a server does all the time; the longest of all, what the machine did
 * once. */
static void loop_window_record(struct load *load, uint64_t latency_ns, uint64_t now_ns)
{
	uint64_t window_index = (now_ns - load->measure_ns) / LOAD_WINDOW_NS;

	if (window_index != load->window_index && load->window_max_ns > 0) {
		zgi_histogram_record(&load->result->stall_ns, load->window_max_ns);
		load->window_max_ns = 0;
	}
	load->window_index = window_index;
	if (latency_ns > load->window_max_ns)
		load->window_max_ns = latency_ns;
}

void load_record(struct load *load, uint64_t due_ns, uint64_t now_ns)
{
	if (due_ns < load->measure_ns)
		return;
	loop_window_record(load, now_ns - due_ns, now_ns);
	while (load->second_index < (now_ns - load->measure_ns) / LOAD_SECOND_NS)
		load_second_close(load);
	zgi_histogram_record(&load->result->latency_ns, now_ns - due_ns);
	zgi_histogram_record(&load->second_ns, now_ns - due_ns);
}

/* The connection is of no more use: another takes its place, and its request is an error. */
static void loop_fail(struct load *load, struct load_connection *connection)
{
	load->result->errors++;
	if (connection->is_busy) {
		connection->is_busy = false;
		load->in_flight--;
	}
	load->result->reconnects++;
	(void)!load_connect(load, connection);
}

/* Send what the connection has due, if it may. */
static void loop_send(struct load *load, struct load_connection *connection)
{
	while (!connection->is_busy && connection->sent_count < connection->due_count) {
		ssize_t size;

		if (connection->fd < 0 && load_connect(load, connection) < 0) {
			load->result->errors += connection->due_count - connection->sent_count;
			load->waiting -= connection->due_count - connection->sent_count;
			connection->sent_count = connection->due_count;
			return;
		}
		connection->sent_count++;
		load->waiting--;
		hold_reply_init(&connection->reply);
		size = send(connection->fd, load->request, load->request_size, MSG_NOSIGNAL);
		connection->is_busy = true;
		load->in_flight++;
		if (size != (ssize_t)load->request_size)
			loop_fail(load, connection);
	}
}

static void loop_receive(struct load *load, struct load_connection *connection)
{
	int result;

	if (!connection->is_busy) {
		/* Bytes, or an end, that nobody asked for. */
		loop_fail(load, connection);
		return;
	}
	result = hold_reply_receive(&connection->reply, connection->fd);
	if (result == 0)
		return;
	if (result < 0) {
		loop_fail(load, connection);
	} else {
		uint64_t due_ns =
			loop_connection_due_ns(load, connection, connection->sent_count - 1);

		connection->is_busy = false;
		load->in_flight--;
		load->result->answered += due_ns >= load->measure_ns;
		load_record(load, due_ns, zgi_clock_ns());
	}
	loop_send(load, connection);
}

/* Let everything become due that is by now. */
static void loop_advance(struct load *load, uint64_t now_ns)
{
	for (;;) {
		uint64_t due_ns = load_due_ns(load, load->due_index);
		struct load_connection *connection;

		if (due_ns > now_ns || due_ns >= load->end_ns)
			return;
		connection = &load->connections[load->due_index % load->options->connections];
		load->due_index++;
		load->result->due += due_ns >= load->measure_ns;
		connection->due_count++;
		load->waiting++;
		if (connection->is_busy)
			continue;
		if (due_ns >= load->measure_ns)
			zgi_histogram_record(&load->result->lateness_ns, now_ns - due_ns);
		loop_send(load, connection);
	}
}

static int loop_wait(struct load *load, uint64_t until_ns)
{
	struct epoll_event events[LOOP_EVENTS_MAX];
	uint64_t now_ns = zgi_clock_ns();
	uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
	struct timespec timeout = {.tv_sec = (time_t)(left_ns / LOAD_SECOND_NS),
				   .tv_nsec = (long)(left_ns % LOAD_SECOND_NS)};
	int count = epoll_pwait2(load->epoll_fd, events, LOOP_EVENTS_MAX, &timeout, NULL);

	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	for (int index = 0; index < count; index++) {
		struct load_connection *connection = events[index].data.ptr;

		/* A connection that was replaced a moment ago may have nothing to say. */
		if (connection->is_busy || (events[index].events & (EPOLLRDHUP | EPOLLHUP)) != 0)
			loop_receive(load, connection);
	}
	return 0;
}

/* What nobody answered: its wait so far is a latency like any other, and a lower bound. */
static void loop_give_up(struct load *load, uint64_t now_ns)
{
	for (uint64_t index = 0; index < load->options->connections; index++) {
		const struct load_connection *connection = &load->connections[index];
		uint64_t k = connection->sent_count - (connection->is_busy ? 1 : 0);

		for (; k < connection->due_count; k++) {
			uint64_t due_ns = loop_connection_due_ns(load, connection, k);

			if (due_ns < load->measure_ns)
				continue;
			load->result->unanswered++;
			load_record(load, due_ns, now_ns);
		}
	}
}

int load_run(struct load *load)
{
	const struct load_options *options = load->options;

	/* The kernel may otherwise let a sleeper lie for 50 us more. */
	(void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	load->start_ns = zgi_clock_ns() + LOAD_SECOND_NS / 10;
	load->measure_ns = load->start_ns + options->warmup_seconds * LOAD_SECOND_NS;
	load->end_ns = load->measure_ns + options->seconds * LOAD_SECOND_NS;
	for (;;) {
		uint64_t now_ns = zgi_clock_ns();
		uint64_t next_ns;
		int error;

		loop_advance(load, now_ns);
		next_ns = load_due_ns(load, load->due_index);
		if (next_ns >= load->end_ns) {
			if (load->in_flight + load->waiting == 0 && now_ns >= load->end_ns)
				break;
			if (now_ns > load->end_ns + LOOP_PATIENCE_NS)
				break;
			next_ns = now_ns < load->end_ns ? load->end_ns : now_ns + 100000000;
		}
		error = loop_wait(load, next_ns);
		if (error < 0)
			return error;
	}
	loop_give_up(load, zgi_clock_ns());
	load_second_close(load);
	load->result->measured_seconds = (double)options->seconds;
	return 0;
}
