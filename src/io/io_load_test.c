/*
 * What happens around connections, on each backend: accepting and its limits,
 * waking, waiting, and more events than fit.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "io/io_fixture.h"

#define MILLISECOND_NS UINT64_C(1000000)
#define MANY_COUNT 600

static int many_fds[MANY_COUNT];
static struct zgi_io *signalled_io;

static void test_accepting_stops_and_starts_again(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	int client_fd;
	int late_fd;

	(void)state;
	fixture_pair(fixture, &client_fd);
	zgi_io_accept_stop(fixture->io);
	fixture_take(fixture, ZGI_IO_ACCEPT_ENDED, 0);
	late_fd = fixture_connect(fixture); /* The backlog holds it. */
	assert_int_equal(fixture_count(fixture, ZGI_IO_ACCEPTED, 20 * MILLISECOND_NS), 0);
	zgi_io_accept_start(fixture->io);
	assert_in_range(fixture_take(fixture, ZGI_IO_ACCEPTED, 0).result, 0, 63);
	assert_int_equal(fixture_count(fixture, ZGI_IO_ACCEPT_ENDED, MILLISECOND_NS), 0);
	close(client_fd);
	close(late_fd);
	fixture_close(fixture);
}

static void test_accepting_that_never_began_ends_once(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});

	(void)state;
	zgi_io_accept_stop(fixture->io);
	assert_int_equal(fixture_count(fixture, ZGI_IO_ACCEPT_ENDED, 20 * MILLISECOND_NS), 1);
	fixture_close(fixture);
}

static void test_a_full_table_is_told_once_and_accepts_after_a_close(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){.descriptor_count = 2});
	int client_fds[4];
	uint32_t first = fixture_pair(fixture, &client_fds[0]);

	(void)state;
	fixture_pair(fixture, &client_fds[1]);
	client_fds[2] = fixture_connect(fixture);
	assert_int_equal(fixture_take(fixture, ZGI_IO_ACCEPTED, 0).result, -ENFILE);
	/* No second word about it, however long the table stays full and whoever else comes. */
	assert_int_equal(fixture_count(fixture, ZGI_IO_ACCEPTED, 30 * MILLISECOND_NS), 0);
	client_fds[3] = fixture_connect(fixture);
	assert_int_equal(fixture_count(fixture, ZGI_IO_ACCEPTED, 30 * MILLISECOND_NS), 0);
	zgi_io_close(fixture->io, first);
	assert_int_equal(fixture_take(fixture, ZGI_IO_ACCEPTED, 0).result, (int32_t)first);
	for (int i = 0; i < 4; i++)
		close(client_fds[i]);
	fixture_close(fixture);
}

static void test_a_lasting_accept_error_does_not_spin(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	struct rlimit before;
	struct rlimit none = {0};
	int client_fd;
	uint32_t count;

	(void)state;
	/* A ring's descriptors are its own: only epoll can run out of the process's. */
	if (fixture_kind == ZG_IO_URING) {
		fixture_close(fixture);
		skip();
	}
	client_fd = fixture_connect(fixture);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	count = fixture_count(fixture, ZGI_IO_ACCEPTED, 55 * MILLISECOND_NS);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_in_range(count, 1, 6); /* One a pause of 10 ms. */
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(fixture_take(fixture, ZGI_IO_ACCEPTED, 0).result, -EMFILE);
	assert_in_range(fixture_take(fixture, ZGI_IO_ACCEPTED, 0).result, 0, 63);
	close(client_fd);
	fixture_close(fixture);
}

static void *wake_later(void *argument)
{
	struct timespec pause = {.tv_nsec = 20 * (long)MILLISECOND_NS};

	nanosleep(&pause, NULL);
	zgi_io_wake(argument);
	return NULL;
}

static void test_another_thread_wakes_a_wait(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	pthread_t thread;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_create(&thread, NULL, wake_later, fixture->io), 0);
		fixture_take(fixture, ZGI_IO_WOKEN, 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
	}
	fixture_close(fixture);
}

static void on_alarm(int number)
{
	(void)number;
	zgi_io_wake(signalled_io);
}

static void test_a_signal_handler_wakes_a_wait(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	struct sigaction action = {.sa_handler = on_alarm};
	struct itimerspec when = {.it_value.tv_nsec = 20 * (long)MILLISECOND_NS};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	timer_t timer;

	(void)state;
	signalled_io = fixture->io;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	assert_int_equal(timer_settime(timer, 0, &when, NULL), 0);
	fixture_take(fixture, ZGI_IO_WOKEN, 0);
	assert_int_equal(timer_delete(timer), 0);
	fixture_close(fixture);
}

static void test_many_wakes_before_a_turn_are_one_event(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});

	(void)state;
	assert_int_equal(fixture_count(fixture, ZGI_IO_WOKEN, MILLISECOND_NS), 0);
	for (int i = 0; i < 100; i++)
		zgi_io_wake(fixture->io);
	assert_int_equal(fixture_count(fixture, ZGI_IO_WOKEN, 20 * MILLISECOND_NS), 1);
	zgi_io_wake(fixture->io);
	assert_int_equal(fixture_count(fixture, ZGI_IO_WOKEN, 20 * MILLISECOND_NS), 2);
	fixture_close(fixture);
}

static void test_a_wake_before_the_start_is_not_lost(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});

	(void)state;
	zgi_io_wake(fixture->io);
	fixture_take(fixture, ZGI_IO_WOKEN, 0);
	fixture_close(fixture);
}

/* The shortest of some waits: the machine may be busy, but never ends one early. */
static uint64_t shortest_wait_ns(struct fixture *fixture, uint64_t timeout_ns)
{
	struct zgi_io_event events[ZGI_IO_EVENTS_MAX];
	uint64_t shortest_ns = UINT64_MAX;

	for (int i = 0; i < 20; i++) {
		uint64_t started_ns = zgi_clock_ns();
		uint64_t took_ns;

		assert_int_equal(zgi_io_wait(fixture->io, timeout_ns, events), 0);
		took_ns = zgi_clock_ns() - started_ns;
		if (took_ns < shortest_ns)
			shortest_ns = took_ns;
	}
	return shortest_ns;
}

static void test_a_wait_ends_with_its_time(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});

	(void)state;
	assert_in_range(shortest_wait_ns(fixture, 0), 0, MILLISECOND_NS);
	assert_in_range(shortest_wait_ns(fixture, MILLISECOND_NS / 4), MILLISECOND_NS / 4,
			MILLISECOND_NS);
	assert_in_range(shortest_wait_ns(fixture, 20 * MILLISECOND_NS), 20 * MILLISECOND_NS,
			25 * MILLISECOND_NS);
	fixture_close(fixture);
}

static void connect_many(struct fixture *fixture)
{
	for (uint32_t i = 0; i < MANY_COUNT; i++)
		fixture_pair(fixture, &many_fds[i]);
}

/* A poll on every descriptor completes when all peers write at once: each exactly once. */
static void expect_all_polls(struct fixture *fixture)
{
	static uint8_t seen[MANY_COUNT];

	memset(seen, 0, sizeof(seen));
	for (uint32_t i = 0; i < MANY_COUNT; i++)
		zgi_io_poll(fixture->io, i, i);
	assert_int_equal(fixture_count(fixture, ZGI_IO_DONE, 10 * MILLISECOND_NS), 0);
	for (uint32_t i = 0; i < MANY_COUNT; i++)
		assert_int_equal(write(many_fds[i], "x", 1), 1);
	assert_int_equal(fixture_count(fixture, ZGI_IO_DONE, 50 * MILLISECOND_NS), MANY_COUNT);
	for (uint32_t i = 0; i < MANY_COUNT; i++) {
		struct zgi_io_event event = fixture_take(fixture, ZGI_IO_DONE, i);

		assert_in_range(event.result, 0, INT32_MAX);
		assert_int_equal(seen[i]++, 0);
	}
}

static void close_many(void)
{
	for (uint32_t i = 0; i < MANY_COUNT; i++)
		fixture_reset(many_fds[i]);
}

static void test_more_events_than_one_wait_holds_are_not_lost(void **state)
{
	struct fixture *fixture = fixture_open(
		(struct fixture_options){.descriptor_count = MANY_COUNT, .ring_entries = 256});

	(void)state;
	connect_many(fixture);
	expect_all_polls(fixture);
	close_many();
	fixture_close(fixture);
}

static void test_more_completions_than_the_queue_holds_are_not_lost(void **state)
{
	/* A ring of 8 has room for 32 completions; 600 come at once. */
	struct fixture *fixture = fixture_open(
		(struct fixture_options){.descriptor_count = MANY_COUNT, .ring_entries = 8});

	(void)state;
	connect_many(fixture);
	expect_all_polls(fixture);
	close_many();
	fixture_close(fixture);
}

static void test_more_accepts_than_one_wait_holds_are_not_lost(void **state)
{
	struct fixture *fixture = fixture_open(
		(struct fixture_options){.descriptor_count = MANY_COUNT, .ring_entries = 8});

	(void)state;
	for (uint32_t i = 0; i < MANY_COUNT; i++)
		many_fds[i] = fixture_connect(fixture);
	for (uint32_t i = 0; i < MANY_COUNT; i++)
		assert_in_range(fixture_take(fixture, ZGI_IO_ACCEPTED, 0).result, 0,
				MANY_COUNT - 1);
	close_many();
	fixture_close(fixture);
}

static void test_a_busy_connection_does_not_starve_a_new_one(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	struct zgi_io_event events[ZGI_IO_EVENTS_MAX];
	int client_fds[2];
	uint32_t busy = fixture_pair(fixture, &client_fds[0]);
	bool is_accepted = false;

	(void)state;
	client_fds[1] = fixture_connect(fixture);
	for (int turn = 0; turn < 100 && !is_accepted; turn++) {
		if (turn == 0)
			zgi_io_send(fixture->io, busy, "x", 1, false, 1);
		int count = zgi_io_wait(fixture->io, MILLISECOND_NS, events);

		for (int i = 0; i < count; i++) {
			if (events[i].kind == ZGI_IO_ACCEPTED)
				is_accepted = true;
			else
				zgi_io_send(fixture->io, busy, "x", 1, false, 1);
		}
	}
	assert_true(is_accepted);
	close(client_fds[0]);
	close(client_fds[1]);
	fixture_close(fixture);
}

/* A shard as the server runs it: started on its own thread, destroyed by another. */
static void *serve_once(void *argument)
{
	struct zgi_io *io = argument;
	struct zgi_io_event events[ZGI_IO_EVENTS_MAX];

	if (zgi_io_start(io) < 0)
		return NULL;
	for (int turn = 0; turn < 100; turn++) {
		if (zgi_io_wait(io, 50 * MILLISECOND_NS, events) > 0)
			return events[0].kind == ZGI_IO_WOKEN ? io : NULL;
	}
	return NULL;
}

static void test_an_object_lives_on_its_thread_and_ends_on_another(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	struct zgi_io_options options = {
		.kind = fixture_kind,
		.descriptor_count = 8,
		.ring_entries = 8,
		.listen_fd = -1,
	};
	struct zg_region region;
	struct zgi_io *io;
	pthread_t thread;
	void *outcome;
	int client_fd;

	(void)state;
	assert_int_equal(zg_region_init(&region, &(struct zg_region_options){.size = 65536}), 0);
	assert_int_equal(zgi_io_create(&options, &region, &io), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve_once, io), 0);
	zgi_io_wake(io);
	assert_int_equal(pthread_join(thread, &outcome), 0);
	assert_ptr_equal(outcome, io);
	zgi_io_destroy(io);
	/* This thread's own object is none the worse. */
	fixture_pair(fixture, &client_fd);
	close(client_fd);
	zg_region_fini(&region);
	fixture_close(fixture);
}

static void test_the_address_is_free_once_an_object_is_destroyed(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){0});
	struct zgi_address address;
	char buffer[256];
	struct zg_text error;
	int client_fd;
	int fd;

	(void)state;
	fixture_pair(fixture, &client_fd);
	zgi_io_poll(fixture->io, 0, 1);
	assert_int_equal(fixture_count(fixture, ZGI_IO_DONE, MILLISECOND_NS), 0);
	fixture_reset(client_fd);
	address = fixture->address;
	fixture_close(fixture);
	zg_text_init(&error, buffer, sizeof(buffer));
	if (zgi_listen(&address, 16, &fd, 1, &error) < 0)
		fail_msg("%s", buffer);
	close(fd);
}

static void test_the_plan_says_what_is_carved(void **state)
{
	struct fixture *fixture = fixture_open((struct fixture_options){.descriptor_count = 1000});
	struct zgi_io_options options = {
		.kind = fixture_kind,
		.descriptor_count = 1000,
		.ring_entries = 64,
		.listen_fd = -1,
	};
	static struct zg_plan plan;
	uint64_t carved = 0;

	(void)state;
	zg_plan_init(&plan);
	assert_int_equal(zgi_io_plan(&options, 1, &plan), 0);
	for (uint32_t i = 0; i < plan.line_count; i++) {
		if (strncmp(plan.lines[i].name, "ring:", 5) != 0)
			carved += plan.lines[i].count * plan.lines[i].size_each;
	}
	assert_int_equal(fixture->region.used, carved);
	fixture_close(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepting_stops_and_starts_again),
		cmocka_unit_test(test_accepting_that_never_began_ends_once),
		cmocka_unit_test(test_a_full_table_is_told_once_and_accepts_after_a_close),
		cmocka_unit_test(test_a_lasting_accept_error_does_not_spin),
		cmocka_unit_test(test_another_thread_wakes_a_wait),
		cmocka_unit_test(test_a_signal_handler_wakes_a_wait),
		cmocka_unit_test(test_many_wakes_before_a_turn_are_one_event),
		cmocka_unit_test(test_a_wake_before_the_start_is_not_lost),
		cmocka_unit_test(test_a_wait_ends_with_its_time),
		cmocka_unit_test(test_more_events_than_one_wait_holds_are_not_lost),
		cmocka_unit_test(test_more_completions_than_the_queue_holds_are_not_lost),
		cmocka_unit_test(test_more_accepts_than_one_wait_holds_are_not_lost),
		cmocka_unit_test(test_a_busy_connection_does_not_starve_a_new_one),
		cmocka_unit_test(test_an_object_lives_on_its_thread_and_ends_on_another),
		cmocka_unit_test(test_the_address_is_free_once_an_object_is_destroyed),
		cmocka_unit_test(test_the_plan_says_what_is_carved),
	};

	return fixture_run_both(tests);
}
