/*
 * Hold: the parts of `zerog hold`, the client that opens connections and keeps them.
 *
 * One process cannot hold a million: RLIMIT_NOFILE is often 20,000 and one pair of
 * addresses has some 60,000 ports. So a parent forks as many workers as it takes.
 * Each worker has a source address (or a range of ports) of its own and a plain
 * epoll loop; the parent tells them what to do through pipes and reads counters
 * that all of them share.
 */
#ifndef ZEROG_CLI_HOLD_H
#define ZEROG_CLI_HOLD_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/options.h>
#include <zerog/text.h>

#include "io/listen.h"

#define HOLD_WORKERS_MAX 4096
#define HOLD_COUNT_MAX 16000000
#define HOLD_REQUEST_SIZE 1024
#define HOLD_PATH_SIZE 512

struct hold_options {
	struct zgi_address target;
	const char *target_text; /* borrowed from argv */
	const char *path; /* borrowed from argv */
	const char *json_path; /* borrowed from argv; NULL for none */
	uint64_t connection_count;
	uint64_t rate; /* connections a second over all workers; 0 is as fast as it goes */
	uint64_t again_count;
	uint64_t hold_seconds;
	uint64_t seed;
	bool has_hold_seconds; /* otherwise stdin says when */
	bool is_silent; /* connections send nothing until "again" */
	bool print_help;
};

/* Where a worker's connections come from. */
struct hold_source {
	struct zgi_address address; /* its port is set for each connection */
	bool is_bound; /* false: the kernel chooses address and port */
	uint16_t port_min;
	uint16_t port_max;
};

/* Where a connection failed first, for the one sentence that a person needs. */
enum hold_step {
	HOLD_STEP_NONE,
	HOLD_STEP_SOCKET,
	HOLD_STEP_BIND,
	HOLD_STEP_CONNECT,
	HOLD_STEP_SEND,
	HOLD_STEP_REPLY,
	HOLD_STEP_GIVEN_UP,
	HOLD_STEP_HELD,
};

/* One worker's counters: written by it alone, read by the parent at any time. */
struct hold_counters {
	alignas(64) _Atomic uint64_t opened; /* connected, and answered unless silent */
	_Atomic uint64_t failed; /* never got that far */
	_Atomic uint64_t lost; /* closed or reset by the server while held */
	_Atomic uint64_t again_answered;
	_Atomic uint64_t again_failed;
	_Atomic int failure_errno; /* of the first failure */
	_Atomic uint32_t failure_status; /* of the reply, when that was the failure; else 0 */
	_Atomic uint32_t failure_step;
	_Atomic int lost_errno; /* of the first loss; 0 when none was lost */
};

enum hold_command_kind {
	HOLD_COMMAND_AGAIN,
	HOLD_COMMAND_RELEASE,
};

struct hold_command {
	uint64_t kind; /* enum hold_command_kind */
	uint64_t count;
};

struct hold_worker_options {
	const struct hold_options *hold; /* borrowed */
	struct hold_counters *counters; /* borrowed, shared with the parent */
	struct hold_source source;
	const char *request; /* borrowed */
	uint32_t request_size;
	uint32_t connection_count;
	uint32_t flight_count; /* connections that may be waiting for a reply at once */
	uint64_t seed;
	double rate; /* connections a second; 0 is as fast as it goes */
	int command_fd; /* read: struct hold_command; its end means release */
	int report_fd; /* written: one byte each time a phase is finished */
};

/**
 * hold_options_parse() - read the verb's command line
 * @argc:         as main's, argv[0] is the verb
 * @argv:         borrowed by the result
 * @ret_options:  overwritten
 * @ret_error:    on failure, one sentence
 *
 * Return: 0; -EINVAL.
 */
ZG_MUST_USE int hold_options_parse(int argc, char **argv, struct hold_options *ret_options,
				   struct zg_text *ret_error);

void hold_options_print_help(void);

/**
 * hold_source_capacity() - connections one worker may open from its source
 * @options:  parsed
 * @ret_each: the most one worker can hold, RLIMIT_NOFILE included
 * @ret_all:  the most all workers together can hold
 */
void hold_source_capacity(const struct hold_options *options, uint64_t *ret_each,
			  uint64_t *ret_all);

/**
 * hold_source_init() - the source of one worker
 * @source:        overwritten
 * @options:       parsed
 * @worker_index:  from 0
 * @worker_count:  how many share what there is
 */
void hold_source_init(struct hold_source *source, const struct hold_options *options,
		      uint32_t worker_index, uint32_t worker_count);

/**
 * hold_source_connect() - a new non-blocking socket, its connect under way
 * @source:    the worker's
 * @options:   parsed; the target
 * @port:      in and out: where to look for the next free port
 * @ret_fd:    the socket; untouched on failure
 * @ret_step:  on failure, what failed
 *
 * Closing the socket resets the connection, so that no port is left in TIME_WAIT,
 * even when the process is killed.
 *
 * Return: 0; -EAGAIN when a Unix listener's backlog is full; -errno.
 */
ZG_MUST_USE int hold_source_connect(const struct hold_source *source,
				    const struct hold_options *options, uint32_t *port, int *ret_fd,
				    enum hold_step *ret_step);

#define HOLD_REPLY_BUFFER_SIZE 2048
#define HOLD_REPLY_TAIL_SIZE 7 /* of the mark that ends a chunked body */

/* A reply on its way in. Its buffer holds the head; a longer body passes through it. */
struct hold_reply {
	uint64_t size_expected; /* bytes of head and body; 0 until the head is whole */
	uint64_t size_received;
	uint32_t status; /* of a whole status line; else 0 */
	bool is_chunked; /* the end of the body is its last chunk, not a size */
	char tail[HOLD_REPLY_TAIL_SIZE]; /* the last bytes received */
	char buffer[HOLD_REPLY_BUFFER_SIZE];
};

void hold_reply_init(struct hold_reply *reply);

/**
 * hold_reply_receive() - read what has arrived
 * @reply:  initialised
 * @fd:     non-blocking
 *
 * Return: 1 when a reply with status 200 is whole; 0 when more must come; -ECONNRESET when
 * the peer closed; -EPROTO for another status; -EBADMSG for what is not such a reply.
 */
ZG_MUST_USE int hold_reply_receive(struct hold_reply *reply, int fd);

/**
 * hold_worker_run() - a worker's whole life, in the forked process
 * @options:  read during the call
 *
 * Return: the exit status.
 */
int hold_worker_run(const struct hold_worker_options *options);

/* The sums over all workers at one moment. */
struct hold_totals {
	uint64_t opened;
	uint64_t failed;
	uint64_t lost;
	uint64_t again_answered;
	uint64_t again_failed;
};

/* What the final report says besides the totals. */
struct hold_result {
	struct hold_totals totals;
	uint64_t again_asked;
	uint32_t worker_count;
	double open_seconds;
	double held_seconds;
	bool is_complete; /* all opened, none lost, all answered */
};

const char *hold_step_name(enum hold_step step);
void hold_report_progress(const struct hold_options *options, const struct hold_totals *totals,
			  double elapsed_seconds);
void hold_report_failures(const struct hold_counters *counters, uint32_t worker_count);
void hold_report_final(const struct hold_options *options, const struct hold_result *result);
ZG_MUST_USE int hold_report_json(const struct hold_options *options,
				 const struct hold_result *result);

#endif
