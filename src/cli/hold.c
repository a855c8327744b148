/*
 * Hold: the parent of `zerog hold`. It decides how many workers are needed, starts
 * them, passes on commands, sums their counters and says how it went.
 *
 * Phases: open, hold, any number of "again", release. A worker reports the end of
 * the opening and of each "again" with one byte through a pipe that all share.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/cli.h"
#include "cli/hold.h"

/* Connections on their way at once, over all workers: less than a listener's backlog,
 * and no more requests in flight than a service answers by default. */
#define HOLD_FLIGHTS_TOGETHER 512
#define HOLD_FLIGHTS_MIN 4
#define HOLD_FLIGHTS_MAX 128
#define HOLD_LINE_SIZE 256

struct hold_worker {
	pid_t pid; /* 0: ended */
	int command_fd;
	uint32_t connection_count;
};

struct hold_session {
	const struct hold_options *options; /* borrowed */
	struct hold_counters *counters; /* owned mapping, shared with the workers */
	uint32_t worker_count;
	uint32_t finished_count; /* workers that have reported in this phase */
	int report_fds[2];
	uint64_t again_asked;
	uint64_t random;
	bool is_stdin_ended;
	bool has_dead_worker;
	char line[HOLD_LINE_SIZE]; /* what stdin has said since its last newline */
	size_t line_size;
	char request[HOLD_REQUEST_SIZE];
	uint32_t request_size;
};

/* 64 KB: too much for the stack, and one process runs one hold. */
static struct hold_worker hold_workers[HOLD_WORKERS_MAX];
static volatile sig_atomic_t hold_is_interrupted;

static void hold_interrupt(int number)
{
	(void)number;
	hold_is_interrupted = 1;
}

static double hold_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void hold_sum(const struct hold_session *session, struct hold_totals *ret_totals)
{
	*ret_totals = (struct hold_totals){0};
	for (uint32_t index = 0; index < session->worker_count; index++) {
		struct hold_counters *counters = &session->counters[index];

		ret_totals->opened += atomic_load(&counters->opened);
		ret_totals->failed += atomic_load(&counters->failed);
		ret_totals->lost += atomic_load(&counters->lost);
		ret_totals->again_answered += atomic_load(&counters->again_answered);
		ret_totals->again_failed += atomic_load(&counters->again_failed);
	}
}

/* How many workers it takes, or a sentence that says why none would do. */
static int hold_plan_workers(struct hold_session *session)
{
	const struct hold_options *options = session->options;
	uint64_t each;
	uint64_t all;
	uint64_t count;

	hold_source_capacity(options, &each, &all);
	if (options->connection_count > all) {
		fprintf(stderr,
			"zerog hold: from one source address %lu connections can be opened; lower "
			"--count, or connect to a 127.* address.\n",
			all);
		return -EINVAL;
	}
	count = (options->connection_count + each - 1) / each;
	if (count > HOLD_WORKERS_MAX) {
		fprintf(stderr,
			"zerog hold: %lu workers would be needed, %d are possible; lower --count "
			"or "
			"raise the limit on open files.\n",
			count, HOLD_WORKERS_MAX);
		return -EINVAL;
	}
	session->worker_count = (uint32_t)count;
	return 0;
}

static void hold_render_request(struct hold_session *session)
{
	const struct hold_options *options = session->options;
	bool is_unix = options->target.storage.ss_family == AF_UNIX;
	struct zg_text text;

	zg_text_init(&text, session->request, sizeof(session->request));
	zg_text_print(&text, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", options->path,
		      is_unix ? "localhost" : options->target_text);
	zg_assert(!text.is_truncated);
	session->request_size = (uint32_t)text.size;
}

/* In the forked process: keep what is a worker's own, and run it. */
_Noreturn static void hold_become_worker(struct hold_session *session, uint32_t index,
					 int command_fd)
{
	uint32_t flights = HOLD_FLIGHTS_TOGETHER / session->worker_count;
	struct hold_worker_options worker = {
		.hold = session->options,
		.counters = &session->counters[index],
		.request = session->request,
		.request_size = session->request_size,
		.connection_count = hold_workers[index].connection_count,
		.rate = (double)session->options->rate *
			(double)hold_workers[index].connection_count /
			(double)session->options->connection_count,
		.seed = session->options->seed * 1000003 + index,
		.command_fd = command_fd,
		.report_fd = session->report_fds[1],
	};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	close(session->report_fds[0]);
	for (uint32_t other = 0; other < index; other++)
		close(hold_workers[other].command_fd);
	if (flights < HOLD_FLIGHTS_MIN)
		flights = HOLD_FLIGHTS_MIN;
	worker.flight_count = flights > HOLD_FLIGHTS_MAX ? HOLD_FLIGHTS_MAX : flights;
	hold_source_init(&worker.source, session->options, index, session->worker_count);
	_exit(hold_worker_run(&worker));
}

static int hold_start_worker(struct hold_session *session, uint32_t index)
{
	uint64_t count = session->options->connection_count;
	uint64_t first = count * index / session->worker_count;
	uint64_t next = count * (index + 1) / session->worker_count;
	int pipe_fds[2];
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	hold_workers[index].connection_count = (uint32_t)(next - first);
	pid = fork();
	if (pid < 0) {
		int error = -errno;

		close(pipe_fds[0]);
		close(pipe_fds[1]);
		return error;
	}
	if (pid == 0) {
		close(pipe_fds[1]);
		hold_become_worker(session, index, pipe_fds[0]);
	}
	close(pipe_fds[0]);
	hold_workers[index].pid = pid;
	hold_workers[index].command_fd = pipe_fds[1];
	return 0;
}

static int hold_start(struct hold_session *session)
{
	struct sigaction action = {.sa_handler = hold_interrupt};
	size_t size = sizeof(struct hold_counters) * session->worker_count;
	void *counters;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	hold_render_request(session);
	counters = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counters == MAP_FAILED)
		return -errno;
	session->counters = counters;
	if (pipe2(session->report_fds, O_CLOEXEC) < 0)
		return -errno;
	for (uint32_t index = 0; index < session->worker_count; index++) {
		int error = hold_start_worker(session, index);

		if (error < 0) {
			session->worker_count = index;
			return error;
		}
	}
	return 0;
}

/* Collect workers that ended before they were told to. */
static void hold_reap(struct hold_session *session)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (uint32_t index = 0; index < session->worker_count; index++) {
			if (hold_workers[index].pid != pid)
				continue;
			hold_workers[index].pid = 0;
			session->has_dead_worker = true;
			fprintf(stderr, "zerog hold: worker %u ended early.\n", index);
		}
	}
}

static void hold_read_reports(struct hold_session *session)
{
	char bytes[64];
	ssize_t size = read(session->report_fds[0], bytes, sizeof(bytes));

	if (size > 0)
		session->finished_count += (uint32_t)size;
}

/* Wait until every worker has reported; false when that will not happen. */
static bool hold_wait_phase(struct hold_session *session, bool is_opening)
{
	double start = hold_now();
	double interval = isatty(STDERR_FILENO) == 1 ? 1 : 5;
	double next = start + interval;
	struct hold_totals totals;

	while (session->finished_count < session->worker_count) {
		struct pollfd report = {.fd = session->report_fds[0], .events = POLLIN};
		double now;

		if (poll(&report, 1, 250) > 0)
			hold_read_reports(session);
		hold_reap(session);
		if (hold_is_interrupted || session->has_dead_worker)
			return false;
		now = hold_now();
		if (is_opening && now >= next) {
			hold_sum(session, &totals);
			hold_report_progress(session->options, &totals, now - start);
			next = now + interval;
		}
	}
	session->finished_count = 0;
	return true;
}

static void hold_command_send(struct hold_session *session, uint32_t index,
			      enum hold_command_kind kind, uint64_t count)
{
	struct hold_command command = {.kind = kind, .count = count};

	/* A worker that has gone is found by hold_reap(). */
	if (write(hold_workers[index].command_fd, &command, sizeof(command)) < 0)
		session->has_dead_worker = true;
}

/* xorshift64*: which worker's connections are chosen. */
static uint64_t hold_random(struct hold_session *session)
{
	session->random ^= session->random >> 12;
	session->random ^= session->random << 25;
	session->random ^= session->random >> 27;
	return session->random * 0x2545f4914f6cdd1d;
}

/* Ask @count connections again, each of all that are held as likely as any other. */
static bool hold_again(struct hold_session *session, uint64_t count)
{
	struct hold_totals before;
	struct hold_totals after;
	uint64_t candidates;
	uint64_t left = count;

	hold_sum(session, &before);
	candidates = before.opened - before.lost;
	session->again_asked += count;
	for (uint32_t index = 0; index < session->worker_count; index++) {
		struct hold_counters *counters = &session->counters[index];
		uint64_t held = atomic_load(&counters->opened) - atomic_load(&counters->lost);
		uint64_t chosen = 0;

		/* Selection sampling over all of them; the worker picks which of its own. */
		for (; held > 0 && candidates > 0; held--, candidates--) {
			if (hold_random(session) % candidates < left - chosen)
				chosen++;
		}
		left -= chosen;
		hold_command_send(session, index, HOLD_COMMAND_AGAIN, chosen);
	}
	if (!hold_wait_phase(session, false))
		return false;
	hold_sum(session, &after);
	printf("again %lu answered %lu\n", count, after.again_answered - before.again_answered);
	fflush(stdout);
	return true;
}

/* One line of stdin; false when it ends the holding. */
static bool hold_obey(struct hold_session *session, const char *line)
{
	char *end;
	uint64_t count;

	if (line[0] == '\0' || strcmp(line, "release") == 0)
		return false;
	if (strncmp(line, "again ", 6) == 0) {
		count = strtoull(line + 6, &end, 10);
		if (line[6] >= '0' && line[6] <= '9' && *end == '\0')
			return hold_again(session, count);
	}
	fputs("zerog hold: commands are \"again N\" and \"release\".\n", stderr);
	return true;
}

/* Read what stdin has; false when it ends the holding. */
static bool hold_read_stdin(struct hold_session *session)
{
	size_t space = sizeof(session->line) - 1 - session->line_size;
	ssize_t size = read(STDIN_FILENO, session->line + session->line_size, space);
	char *newline;

	if (size <= 0)
		return size < 0 && errno == EINTR;
	session->line_size += (size_t)size;
	session->line[session->line_size] = '\0';
	while ((newline = strchr(session->line, '\n')) != NULL) {
		size_t used = (size_t)(newline - session->line) + 1;
		bool is_holding;

		*newline = '\0';
		is_holding = hold_obey(session, session->line);
		session->line_size -= used;
		memmove(session->line, session->line + used, session->line_size + 1);
		if (!is_holding)
			return false;
	}
	if (session->line_size == sizeof(session->line) - 1)
		session->line_size = 0;
	return true;
}

static void hold_until_told(struct hold_session *session)
{
	const struct hold_options *options = session->options;
	double deadline = hold_now() + (double)options->hold_seconds;

	while (!hold_is_interrupted && !session->has_dead_worker) {
		struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

		if (options->has_hold_seconds) {
			input.fd = -1;
			if (hold_now() >= deadline)
				return;
		}
		if (poll(&input, 1, 250) > 0 && !hold_read_stdin(session))
			return;
		hold_reap(session);
	}
}

static void hold_release(struct hold_session *session)
{
	for (uint32_t index = 0; index < session->worker_count; index++) {
		hold_command_send(session, index, HOLD_COMMAND_RELEASE, 0);
		close(hold_workers[index].command_fd);
	}
	for (uint32_t index = 0; index < session->worker_count; index++) {
		if (hold_workers[index].pid > 0)
			(void)waitpid(hold_workers[index].pid, NULL, 0);
	}
}

static bool hold_is_complete(const struct hold_session *session, const struct hold_result *result)
{
	const struct hold_totals *totals = &result->totals;

	return totals->opened == session->options->connection_count && totals->failed == 0 &&
	       totals->lost == 0 && totals->again_failed == 0 &&
	       totals->again_answered == result->again_asked && !session->has_dead_worker;
}

static int hold_run(struct hold_session *session)
{
	const struct hold_options *options = session->options;
	struct hold_result result = {.worker_count = session->worker_count};
	double start = hold_now();
	double opened_at;

	if (hold_wait_phase(session, true)) {
		result.open_seconds = hold_now() - start;
		opened_at = hold_now();
		hold_sum(session, &result.totals);
		hold_report_progress(options, &result.totals, result.open_seconds);
		printf("holding %lu\n", result.totals.opened - result.totals.lost);
		fflush(stdout);
		if (options->again_count == 0 || hold_again(session, options->again_count))
			hold_until_told(session);
		result.held_seconds = hold_now() - opened_at;
	} else {
		result.open_seconds = hold_now() - start;
	}
	/* Counted before the release: what closes now was not lost. */
	hold_sum(session, &result.totals);
	result.again_asked = session->again_asked;
	result.is_complete = hold_is_complete(session, &result);
	hold_release(session);
	hold_report_failures(session->counters, session->worker_count);
	hold_report_final(options, &result);
	if (options->json_path != NULL && hold_report_json(options, &result) < 0) {
		fprintf(stderr, "zerog hold: %s cannot be written.\n", options->json_path);
		return ZGI_CLI_FAILED;
	}
	return result.is_complete ? ZGI_CLI_DONE : ZGI_CLI_FAILED;
}

int zgi_cli_hold(int argc, char **argv)
{
	struct hold_options options;
	struct hold_session session = {.options = &options};
	char error_buffer[256];
	struct zg_text error_text;
	int error;

	zg_text_init(&error_text, error_buffer, sizeof(error_buffer));
	if (hold_options_parse(argc, argv, &options, &error_text) < 0) {
		fprintf(stderr, "zerog hold: %s See \"zerog hold --help\".\n", error_buffer);
		return ZGI_CLI_MISUSED;
	}
	if (options.print_help) {
		hold_options_print_help();
		return ZGI_CLI_DONE;
	}
	session.random = options.seed * 2 + 1;
	if (hold_plan_workers(&session) < 0)
		return ZGI_CLI_MISUSED;
	error = hold_start(&session);
	if (error < 0) {
		fprintf(stderr, "zerog hold: the workers cannot be started: %s.\n",
			strerror(-error));
		hold_release(&session);
		return ZGI_CLI_FAILED;
	}
	return hold_run(&session);
}
