/*
 * What the I/O tests share. The fixture is one static object, because a test runs
 * alone and its events are too many for a stack.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "io/io_fixture.h"

enum zg_io_kind fixture_kind;

static struct fixture fixture_only;

/* Many a user's soft limit is 1,024: too little for hundreds of connections with both their ends.
 */
static void fixture_raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

bool fixture_select(enum zg_io_kind kind)
{
	char buffer[256];
	struct zg_text reason;
	enum zg_io_kind got;

	fixture_raise_descriptors();
	zg_text_init(&reason, buffer, sizeof(buffer));
	if (zgi_io_probe(kind, &got, &reason) < 0) {
		printf("skipped: %s\n", buffer);
		return false;
	}
	fixture_kind = kind;
	return true;
}

/* ThreadSanitizer asks for a megabyte. */
#define FIXTURE_STACK_SIZE (1028u * 1024)

static void fixture_workers_start(struct fixture *fixture)
{
	void *stack;

	assert_int_equal(zg_region_carve(&fixture->region, FIXTURE_STACK_SIZE, 4096, &stack), 0);
	assert_int_equal(zgi_workers_start(&fixture->workers,
					   &(struct zgi_workers_options){
						   .stacks = stack,
						   .stack_size = FIXTURE_STACK_SIZE,
						   .thread_count = 1,
					   }),
			 0);
}

struct fixture *fixture_open(struct fixture_options options)
{
	struct fixture *fixture = &fixture_only;
	char buffer[256];
	struct zg_text error;
	static struct zg_plan plan; /* Too large for a stack frame. */
	struct zgi_io_options io_options = {
		.kind = fixture_kind,
		.descriptor_count = options.descriptor_count ? options.descriptor_count : 64,
		.ring_entries = options.ring_entries ? options.ring_entries : 64,
		.flush_count = options.flush_count,
		.workers = &fixture_only.workers,
		.has_peers = options.has_peers,
	};

	memset(fixture, 0, sizeof(*fixture));
	zg_text_init(&error, buffer, sizeof(buffer));
	if (zgi_address_parse(options.address ? options.address : "127.0.0.1:0", &fixture->address,
			      &error) < 0 ||
	    zgi_listen(&fixture->address, 1024, &fixture->listen_fd, 1, &error) < 0)
		fail_msg("%s", buffer);
	io_options.listen_fd = fixture->listen_fd;
	zg_plan_init(&plan);
	assert_int_equal(zgi_io_plan(&io_options, 1, &plan), 0);
	assert_int_equal(zg_region_init(&fixture->region,
					&(struct zg_region_options){
						.size = plan.size_total + 2 * FIXTURE_STACK_SIZE}),
			 0);
	if (options.flush_count > 0)
		fixture_workers_start(fixture);
	assert_int_equal(zgi_io_create(&io_options, &fixture->region, &fixture->io), 0);
	assert_int_equal(zgi_io_start(fixture->io), 0);
	zgi_io_accept_start(fixture->io);
	return fixture;
}

void fixture_close(struct fixture *fixture)
{
	assert_int_equal(zgi_workers_end(&fixture->workers, FIXTURE_TIMEOUT_NS), 0);
	zgi_io_destroy(fixture->io);
	zg_region_fini(&fixture->region);
	close(fixture->listen_fd);
}

static void fixture_turn(struct fixture *fixture, uint64_t timeout_ns)
{
	int count = zgi_io_wait(fixture->io, timeout_ns, fixture->events + fixture->event_count);

	assert_in_range(count, 0, ZGI_IO_EVENTS_MAX);
	fixture->event_count += (uint32_t)count;
	assert_in_range(fixture->event_count, 0, FIXTURE_EVENTS_MAX);
}

static bool fixture_matches(const struct zgi_io_event *event, enum zgi_io_event_kind kind,
			    uint64_t tag)
{
	bool is_tagged = kind == ZGI_IO_DONE || kind == ZGI_IO_FLUSHED || kind == ZGI_IO_WATCHED;

	return event->kind == (uint32_t)kind && (!is_tagged || event->tag == tag);
}

struct zgi_io_event fixture_take(struct fixture *fixture, enum zgi_io_event_kind kind, uint64_t tag)
{
	uint64_t deadline_ns = zgi_clock_ns() + FIXTURE_TIMEOUT_NS;

	for (uint32_t i = 0;; i++) {
		struct zgi_io_event event;

		while (i == fixture->event_count) {
			if (zgi_clock_ns() > deadline_ns)
				fail_msg("no event of kind %d with tag %llu", (int)kind,
					 (unsigned long long)tag);
			fixture_turn(fixture, FIXTURE_TIMEOUT_NS);
		}
		event = fixture->events[i];
		if (!fixture_matches(&event, kind, tag))
			continue;
		fixture->event_count--;
		memmove(fixture->events + i, fixture->events + i + 1,
			(fixture->event_count - i) * sizeof(event));
		return event;
	}
}

int32_t fixture_done(struct fixture *fixture, uint64_t tag)
{
	return fixture_take(fixture, ZGI_IO_DONE, tag).result;
}

uint32_t fixture_count(struct fixture *fixture, enum zgi_io_event_kind kind, uint64_t duration_ns)
{
	uint64_t deadline_ns = zgi_clock_ns() + duration_ns;
	uint32_t count = 0;

	for (uint64_t now_ns; (now_ns = zgi_clock_ns()) < deadline_ns;)
		fixture_turn(fixture, deadline_ns - now_ns);
	for (uint32_t i = 0; i < fixture->event_count; i++)
		count += fixture->events[i].kind == (uint32_t)kind;
	return count;
}

int fixture_connect(struct fixture *fixture)
{
	int fd = socket(fixture->address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_in_range(fd, 0, INT32_MAX);
	if (connect(fd, (struct sockaddr *)&fixture->address.storage, fixture->address.size) < 0)
		fail_msg("connect: %s", strerror(errno));
	return fd;
}

uint32_t fixture_pair(struct fixture *fixture, int *ret_client_fd)
{
	int32_t descriptor;

	*ret_client_fd = fixture_connect(fixture);
	descriptor = fixture_take(fixture, ZGI_IO_ACCEPTED, 0).result;
	assert_in_range(descriptor, 0, INT32_MAX);
	return (uint32_t)descriptor;
}

void fixture_reset(int client_fd)
{
	struct linger linger = {.l_onoff = 1};

	assert_int_equal(setsockopt(client_fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	close(client_fd);
}
