/*
 * Whoever pushes swings one pointer and counts one token up: neither waits for anybody.
 * The workers take all that was pushed at once and turn it round, one of them at a time;
 * only they ever wait for their mutex.
 *
 * A token is counted after its work is in the list. So one who has a token finds a work,
 * unless it is one of the tokens of the end.
 */
#include "io/workers.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/thread.h"

void zgi_workers_push(struct zgi_workers *workers, struct zgi_work *work)
{
	work->next = __atomic_load_n(&workers->pushed, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&workers->pushed, &work->next, work, true,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	sem_post(&workers->waiting);
}

/* Newest first becomes oldest first. */
static struct zgi_work *workers_turn_round(struct zgi_work *work)
{
	struct zgi_work *turned = NULL;

	while (work != NULL) {
		struct zgi_work *next = work->next;

		work->next = turned;
		turned = work;
		work = next;
	}
	return turned;
}

static struct zgi_work *workers_take(struct zgi_workers *workers)
{
	struct zgi_work *work;

	pthread_mutex_lock(&workers->mutex);
	if (workers->first == NULL)
		workers->first = workers_turn_round(
			__atomic_exchange_n(&workers->pushed, NULL, __ATOMIC_ACQUIRE));
	work = workers->first;
	if (work != NULL)
		workers->first = work->next;
	pthread_mutex_unlock(&workers->mutex);
	return work;
}

static void *workers_run(void *user)
{
	struct zgi_workers *workers = user;

	sem_post(&workers->started);
	for (;;) {
		struct zgi_work *work;

		while (sem_wait(&workers->waiting) < 0)
			zg_assert(errno == EINTR);
		work = workers_take(workers);
		if (work == NULL)
			break;
		work->run(work);
	}
	zg_assert(__atomic_load_n(&workers->is_ending, __ATOMIC_ACQUIRE));
	sem_post(&workers->ended);
	return NULL;
}

void zgi_workers_init(struct zgi_workers *workers)
{
	memset(workers, 0, sizeof(*workers));
	sem_init(&workers->waiting, 0, 0);
	sem_init(&workers->started, 0, 0);
	sem_init(&workers->ended, 0, 0);
	pthread_mutex_init(&workers->mutex, NULL);
}

int zgi_workers_start(struct zgi_workers *workers, const struct zgi_workers_options *options)
{
	int result = 0;

	zg_assert(options->thread_count > 0 && options->thread_count <= ZGI_WORKERS_MAX);
	zgi_workers_init(workers);
	for (uint32_t index = 0; index < options->thread_count && result == 0; index++) {
		const struct zgi_thread_options thread = {
			.stack = (char *)options->stacks + index * options->stack_size,
			.stack_size = options->stack_size,
			.run = workers_run,
			.user = workers,
		};

		result = zgi_thread_start(&thread, &workers->threads[index]);
		workers->thread_count += result == 0;
	}
	for (uint32_t index = 0; index < workers->thread_count; index++)
		while (sem_wait(&workers->started) < 0)
			zg_assert(errno == EINTR);
	if (result < 0)
		(void)!zgi_workers_end(workers, UINT64_C(1000000000));
	return result;
}

int zgi_workers_end(struct zgi_workers *workers, uint64_t timeout_ns)
{
	struct timespec until;

	if (workers->thread_count == 0)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(timeout_ns / UINT64_C(1000000000));
	until.tv_nsec += (long)(timeout_ns % UINT64_C(1000000000));
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	__atomic_store_n(&workers->is_ending, 1, __ATOMIC_RELEASE);
	for (uint32_t index = 0; index < workers->thread_count; index++)
		sem_post(&workers->waiting);
	while (workers->ended_count < workers->thread_count) {
		if (sem_clockwait(&workers->ended, CLOCK_MONOTONIC, &until) == 0)
			workers->ended_count++;
		else if (errno != EINTR)
			return -errno;
	}
	/* All are on their last steps: no join waits for a work. */
	for (; workers->thread_count > 0; workers->thread_count--)
		pthread_join(workers->threads[workers->thread_count - 1], NULL);
	sem_destroy(&workers->waiting);
	sem_destroy(&workers->started);
	sem_destroy(&workers->ended);
	pthread_mutex_destroy(&workers->mutex);
	return 0;
}
