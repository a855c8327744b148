/*
 * One line is read and answered at a time, into buffers that are there from the
 * start: after the seal nothing may be allocated. The thread ends the program when
 * nobody is left to tell it anything.
 */

#include "control.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zerog.h>

#define CONTROL_LINE_SIZE 256
#define CONTROL_ANSWER_SIZE 4096

static pthread_barrier_t control_started;

static void control_usage(const struct zg_usage *usage, void *user)
{
	struct zg_text *answer = user;

	zg_text_print(answer, "%s taken %" PRIu64 " of %" PRIu64 "\n", usage->name,
		      usage->live_count, usage->count_max);
}

static void control_obey(const char *line, struct zg_text *answer)
{
	struct zg_fault_counts counts;

	if (strncmp(line, "arm ", 4) == 0) {
		if (zg_fault_arm_list(line + 4, answer) == 0)
			(void)!zg_fault_check_names(answer);
	} else if (strncmp(line, "read ", 5) == 0) {
		if (zg_fault_read(line + 5, &counts) == 0)
			zg_text_print(answer, "%" PRIu64 " %" PRIu64, counts.take_count,
				      counts.fault_count);
	} else if (strcmp(line, "pools") == 0) {
		zg_watch_usage(control_usage, answer);
	} else if (strcmp(line, "disarm") == 0) {
		zg_fault_disarm(NULL);
	} else {
		zg_text_print(answer, "what is \"%s\"?", line);
	}
	if (answer->size == 0 || strcmp(line, "pools") == 0)
		zg_text_print(answer, "ok");
	zg_text_print(answer, "\n");
}

/* One line without its end; false when there will be no more. */
static bool control_read(char line[static CONTROL_LINE_SIZE])
{
	for (size_t size = 0; size < CONTROL_LINE_SIZE - 1; size++) {
		if (read(STDIN_FILENO, &line[size], 1) != 1)
			return false;
		if (line[size] == '\n') {
			line[size] = '\0';
			return true;
		}
	}
	return false;
}

static void *control_thread(void *user)
{
	static char line[CONTROL_LINE_SIZE];
	static char buffer[CONTROL_ANSWER_SIZE];
	struct zg_text answer;

	(void)user;
	pthread_barrier_wait(&control_started);
	while (control_read(line)) {
		zg_text_init(&answer, buffer, sizeof(buffer));
		control_obey(line, &answer);
		if (write(STDOUT_FILENO, answer.data, answer.size) != (ssize_t)answer.size)
			break;
	}
	kill(getpid(), SIGTERM);
	return NULL;
}

void control_start(void)
{
	pthread_t thread;
	sigset_t all;
	sigset_t before;

	/* Signals are the server's: none may be delivered to this thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_barrier_init(&control_started, NULL, 2);
	if (pthread_create(&thread, NULL, control_thread, NULL) != 0)
		exit(1);
	pthread_barrier_wait(&control_started);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}
