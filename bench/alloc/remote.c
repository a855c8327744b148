#include "remote.h"

#include <pthread.h>
#include <sched.h>

struct remote_consumer {
	struct alloc_remote *remote; /* borrowed */
	const struct alloc_subject *subject;
	int cpu;
	pthread_barrier_t *start; /* borrowed */
};

static void remote_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	/* Where a CPU may not be had, the scheduler puts the two threads where it likes. */
	(void)!sched_setaffinity(0, sizeof(set), &set);
}

static void *remote_consume(void *argument)
{
	const struct remote_consumer *consumer = argument;

	remote_pin(consumer->cpu);
	pthread_barrier_wait(consumer->start);
	consumer->subject->consume(consumer->remote);
	return NULL;
}

uint64_t alloc_remote_run(struct alloc_remote *remote, const struct alloc_subject *subject,
			  const int cpus[2])
{
	pthread_barrier_t start;
	struct remote_consumer consumer = {
		.remote = remote, .subject = subject, .cpu = cpus[1], .start = &start};
	pthread_t thread;
	uint64_t begin;
	int result;

	pthread_barrier_init(&start, NULL, 2);
	remote_pin(cpus[0]);
	result = pthread_create(&thread, NULL, remote_consume, &consumer);
	if (result != 0)
		alloc_die("starting a thread", result);
	pthread_barrier_wait(&start);
	begin = alloc_clock_ns(CLOCK_MONOTONIC);
	subject->produce(remote);
	pthread_join(thread, NULL);
	begin = alloc_clock_ns(CLOCK_MONOTONIC) - begin;
	pthread_barrier_destroy(&start);
	return begin;
}
