/*
 * Load: an open-loop HTTP client. Requests are due at fixed moments, whatever
 * becomes of those before them, and a reply's latency counts from the moment its
 * request was due. So a server that stalls is charged for everyone who had to
 * wait meanwhile, and not only for those whose requests it happened to hold
 * (coordinated omission).
 *
 * Request k of connection c of n is due (c + k * n) / rate seconds after the
 * start. A connection has one request in flight; those that become due meanwhile
 * wait for it, and their clocks run.
 */
#ifndef ZEROG_BENCH_LAB_LOAD_H
#define ZEROG_BENCH_LAB_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include <zerog/region.h>

#include "base/histogram.h"
#include "cli/hold.h"

#define LOAD_CONNECTIONS_MAX 19000
#define LOAD_SECONDS_MAX 3600
#define LOAD_REQUEST_SIZE (128 * 1024)
#define LOAD_NS_PER_S 1e9
#define LOAD_SECOND_NS UINT64_C(1000000000)
#define LOAD_WINDOW_NS UINT64_C(100000000)

struct load_options {
	struct sockaddr_in target;
	const char *path; /* borrowed from argv */
	const char *json_path; /* borrowed from argv; NULL for none */
	uint64_t connections; /* 0: nobody is asked; how late this program is then tells of the
				 machine */
	uint64_t rate; /* requests a second, over all connections */
	uint64_t seconds; /* measured */
	uint64_t warmup_seconds; /* before them, not measured */
	uint64_t post_size; /* bytes of a body to send; 0 is a GET */
};

struct load_connection {
	int fd; /* -1 when it could not be opened again */
	bool is_busy; /* a request is in flight */
	uint64_t due_count; /* requests that have become due */
	uint64_t sent_count; /* of those, sent; the last may be in flight */
	struct hold_reply reply;
};

/* What one second of the measured time saw. */
struct load_second {
	uint64_t answered;
	uint64_t p99_ns;
	uint64_t max_ns;
};

struct load_result {
	uint64_t due; /* requests of the measured time */
	uint64_t answered;
	uint64_t unanswered; /* still not answered when patience ended; their wait is recorded */
	uint64_t errors; /* wrong or broken replies, connections lost */
	uint64_t reconnects;
	double measured_seconds;
	struct zgi_histogram latency_ns;
	struct zgi_histogram lateness_ns; /* how late this program itself was with a send */
	struct zgi_histogram
		stall_ns; /* the longest latency of each window of a tenth of a second */
	struct load_second timeline[LOAD_SECONDS_MAX];
	uint32_t timeline_count;
};

struct load {
	const struct load_options *options; /* borrowed */
	struct load_result *result; /* borrowed */
	struct zg_region region;
	struct load_connection *connections;
	struct zgi_histogram second_ns; /* of the second that runs */
	uint64_t second_index;
	uint64_t window_index; /* of the window that runs */
	uint64_t window_max_ns;
	uint64_t start_ns;
	uint64_t measure_ns; /* when measuring begins */
	uint64_t end_ns; /* when requests stop becoming due */
	uint64_t due_index; /* the next request to become due, over all connections */
	uint64_t in_flight; /* busy connections */
	uint64_t waiting; /* due and not sent */
	int epoll_fd;
	uint32_t request_size;
	char request[LOAD_REQUEST_SIZE];
};

/**
 * load_options_parse() - read the command line; says what is wrong on stderr
 * @options:  overwritten
 *
 * Return: 0; -EINVAL.
 */
ZG_MUST_USE int load_options_parse(struct load_options *options, int argc, char **argv);

/**
 * load_open() - open every connection
 * @load:     overwritten
 * @options:  borrowed
 * @result:   borrowed; overwritten
 *
 * Return: 0; -errno.
 */
ZG_MUST_USE int load_open(struct load *load, const struct load_options *options,
			  struct load_result *result);

/* Press until the time is over and all is answered, or for ten seconds more. Return: 0; -errno. */
ZG_MUST_USE int load_run(struct load *load);

/* alone.c: the same, nobody asked: latencies are how late this program is. Return: 0; -errno. */
ZG_MUST_USE int load_run_alone(struct load *load);

/* When a request is due. */
uint64_t load_due_ns(const struct load *load, uint64_t request_index);

/* A request that was due then has its reply now. */
void load_record(struct load *load, uint64_t due_ns, uint64_t now_ns);

/* What the present second saw is the timeline's. */
void load_second_close(struct load *load);

/* Reset every connection. */
void load_close(struct load *load);

/* connection.c: a fresh connection in place of @connection's. Return: 0; -errno. */
ZG_MUST_USE int load_connect(struct load *load, struct load_connection *connection);

/* For people, and as JSON to the options' file. Return: 0; -errno. */
ZG_MUST_USE int load_report(const struct load_options *options, const struct load_result *result);

#endif
