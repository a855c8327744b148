/*
 * Fixture of the I/O tests: an I/O object with a listener, and clients that are
 * plain blocking sockets. Every test runs once on each backend.
 */
#ifndef ZEROG_IO_IO_FIXTURE_H
#define ZEROG_IO_IO_FIXTURE_H

#include "io/io.h"
#include "io/listen.h"
#include "io/workers.h"

#define FIXTURE_EVENTS_MAX 4096
#define FIXTURE_CLIENTS_MAX 1024
#define FIXTURE_TIMEOUT_NS UINT64_C(5000000000)

struct fixture {
	struct zg_region region;
	struct zgi_io *io;
	struct zgi_address address;
	int listen_fd;
	struct zgi_workers workers; /* where flushes go to, when there are any */
	/* Events that came while another was waited for, in their order. */
	struct zgi_io_event events[FIXTURE_EVENTS_MAX + ZGI_IO_EVENTS_MAX];
	uint32_t event_count;
};

struct fixture_options {
	const char *address; /* NULL: any free port of 127.0.0.1 */
	uint32_t descriptor_count; /* 0: 64 */
	uint32_t ring_entries; /* 0: 64 */
	uint32_t flush_count;
	bool has_peers;
};

/* The backend that the running group is for. */
extern enum zg_io_kind fixture_kind;

struct fixture *fixture_open(struct fixture_options options);
void fixture_close(struct fixture *fixture);

/* Turn until an event of this kind (of an operation: with this tag too) has come, and take it out.
 */
struct zgi_io_event fixture_take(struct fixture *fixture, enum zgi_io_event_kind kind,
				 uint64_t tag);
/* The result of the operation that was started with tag. */
int32_t fixture_done(struct fixture *fixture, uint64_t tag);
/* Turn for this long; how many events of this kind are there now, none of them taken out. */
uint32_t fixture_count(struct fixture *fixture, enum zgi_io_event_kind kind, uint64_t duration_ns);

int fixture_connect(struct fixture *fixture);
/* A client and its accepted descriptor. */
uint32_t fixture_pair(struct fixture *fixture, int *ret_client_fd);
/* Close so that the peer sees a reset. */
void fixture_reset(int client_fd);

/* Run the tests on each backend that there is; the number of those that failed. */
#define fixture_run_both(tests)                                                                \
	(fixture_select(ZG_IO_EPOLL) ? cmocka_run_group_tests_name("epoll", tests, NULL, NULL) \
				     : 0) +                                                    \
		(fixture_select(ZG_IO_URING)                                                   \
			 ? cmocka_run_group_tests_name("uring", tests, NULL, NULL)             \
			 : 0)

bool fixture_select(enum zg_io_kind kind);

#endif
