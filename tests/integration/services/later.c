/*
 * A table of what is due, looked at by one thread. Whatever a service might do
 * elsewhere (ask a database, compute in a pool of threads) looks like this to the
 * exchange: it is resumed from a thread that is not its shard's.
 */

#include "later.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define LATER_COUNT_MAX 4096
#define LATER_STEP_NS 2000000

struct later_entry {
	zg_handle handle;
	zg_resume_handler *then; /* NULL: the entry is free */
	uint64_t due_ns;
};

static struct later_entry later_entries[LATER_COUNT_MAX];
static pthread_mutex_t later_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t later_started;

static uint64_t later_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void later_look(void)
{
	uint64_t now_ns = later_now_ns();

	pthread_mutex_lock(&later_mutex);
	for (uint32_t index = 0; index < LATER_COUNT_MAX; index++) {
		struct later_entry *entry = &later_entries[index];

		if (entry->then == NULL || entry->due_ns > now_ns)
			continue;
		/* A full inbox is tried again at the next look; a stale handle is forgotten. */
		if (zg_resume(entry->handle, entry->then, NULL) != -EAGAIN)
			entry->then = NULL;
	}
	pthread_mutex_unlock(&later_mutex);
}

static void *later_thread(void *user)
{
	const struct timespec step = {.tv_nsec = LATER_STEP_NS};

	(void)user;
	pthread_barrier_wait(&later_started);
	for (;;) {
		nanosleep(&step, NULL);
		later_look();
	}
	return NULL;
}

void later_start(void)
{
	pthread_t thread;
	sigset_t all;
	sigset_t before;

	/* Signals are the server's: none may be delivered to this thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_barrier_init(&later_started, NULL, 2);
	if (pthread_create(&thread, NULL, later_thread, NULL) != 0)
		exit(1);
	/* A thread's own beginning may allocate (under a sanitizer it does): that is over before
	 * the seal. */
	pthread_barrier_wait(&later_started);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int later_resume(zg_handle handle, uint64_t delay_ms, zg_resume_handler *then)
{
	uint64_t due_ns = later_now_ns() + delay_ms * UINT64_C(1000000);
	int result = -ENOMEM;

	pthread_mutex_lock(&later_mutex);
	for (uint32_t index = 0; index < LATER_COUNT_MAX; index++) {
		struct later_entry *entry = &later_entries[index];

		if (entry->then != NULL)
			continue;
		*entry = (struct later_entry){.handle = handle, .then = then, .due_ns = due_ns};
		result = 0;
		break;
	}
	pthread_mutex_unlock(&later_mutex);
	return result;
}
