/*
 * What the place of a field costs.
 *
 *	layout sharing DISTANCE COUNT          two threads count, DISTANCE bytes apart
 *	layout walk mixed|split ORDER OBJECTS  one field of each object is read
 *
 * Prints nanoseconds of the thread's CPU time: of one count, or of one object. After a
 * count comes the share of the time for which both threads had a processor: without it
 * nothing is shared. One measurement a run, so that who calls can take turns.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/clock.h"
#include "base/counter.h"

#define THREADS 2
#define DISTANCE_MAX 1024
#define COUNT_MAX UINT64_C(10000000000)
#define OBJECTS_MAX UINT64_C(16777216)
#define HOT_SIZE 16 /* bytes: what the walk needs of an object; four to a line */
#define COLD_SIZE 112 /* bytes: the rest of it */
#define WALK_VISITS UINT64_C(20000000)

struct hot {
	uint64_t value;
	uint64_t next; /* the number of the object to be looked at then */
};

struct mixed {
	struct hot hot;
	unsigned char cold[COLD_SIZE];
};

static_assert(sizeof(struct hot) == HOT_SIZE, "as told in the documentation");
static_assert(sizeof(struct mixed) == 128, "as told in the documentation");

static alignas(4096) unsigned char sharing_memory[2 * DISTANCE_MAX];
static pthread_barrier_t sharing_barrier;
static uint64_t sharing_count;

/* CPU time: a machine that does other things as well lengthens it less than the clock's. */
static uint64_t cpu_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void pin(size_t cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	/* Where there is no such processor the threads take turns, and the figures say so. */
	(void)sched_setaffinity(0, sizeof(set), &set);
}

struct sharing_thread {
	uint64_t *counter;
	size_t cpu;
	uint64_t spent_ns;
};

static void *sharing_run(void *argument)
{
	struct sharing_thread *thread = argument;
	uint64_t start_ns;

	pin(thread->cpu);
	pthread_barrier_wait(&sharing_barrier);
	start_ns = cpu_ns();
	for (uint64_t i = 0; i < sharing_count; ++i)
		zgi_counter_add(thread->counter, 1);
	thread->spent_ns = cpu_ns() - start_ns;
	return NULL;
}

static int measure_sharing(uint64_t distance)
{
	struct sharing_thread threads[THREADS] = {
		{.counter = (uint64_t *)(void *)sharing_memory, .cpu = 0},
		{.counter = (uint64_t *)(void *)(sharing_memory + distance), .cpu = 1},
	};
	pthread_t other;
	uint64_t start_ns;
	uint64_t spent_ns;

	if (pthread_barrier_init(&sharing_barrier, NULL, THREADS) != 0 ||
	    pthread_create(&other, NULL, sharing_run, &threads[1]) != 0)
		return -EAGAIN;
	start_ns = zgi_clock_ns();
	sharing_run(&threads[0]);
	pthread_join(other, NULL);
	spent_ns = threads[0].spent_ns + threads[1].spent_ns;
	printf("%.4f %.3f\n", (double)spent_ns / (double)(THREADS * sharing_count),
	       (double)spent_ns / (double)(THREADS * (zgi_clock_ns() - start_ns)));
	return 0;
}

/* Link the objects in one ring, in order or at random (Sattolo's shuffle: one cycle over all). */
static void walk_link(unsigned char *objects, size_t stride, uint64_t count, bool is_random)
{
	uint64_t random = UINT64_C(88172645463325252);

	for (uint64_t i = 0; i < count; ++i) {
		struct hot *hot = (struct hot *)(void *)(objects + i * stride);

		hot->value = i;
		hot->next = is_random ? i : (i + 1) % count;
	}
	for (uint64_t i = count - 1; is_random && i > 0; --i) {
		struct hot *hot = (struct hot *)(void *)(objects + i * stride);
		struct hot *other;
		uint64_t next = hot->next;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		other = (struct hot *)(void *)(objects + (random % i) * stride);
		hot->next = other->next;
		other->next = next;
	}
}

static int measure_walk(bool is_mixed, bool is_random, uint64_t count)
{
	size_t stride = is_mixed ? sizeof(struct mixed) : sizeof(struct hot);
	size_t size = count * stride;
	unsigned char *objects =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t start_ns;
	uint64_t sum = 0;
	uint64_t at = 0;

	if (objects == MAP_FAILED)
		return -errno;
	/* Huge pages for both, where they can be had: what is measured is lines, not pages. */
	(void)madvise(objects, size, MADV_HUGEPAGE);
	walk_link(objects, stride, count, is_random);
	start_ns = cpu_ns();
	for (uint64_t i = 0; i < WALK_VISITS; ++i) {
		const struct hot *hot = (const struct hot *)(const void *)(objects + at * stride);

		sum += hot->value;
		at = hot->next;
	}
	/* The sum is used, or the walk would be no work. */
	printf("%.4f\n",
	       (double)(cpu_ns() - start_ns) / (double)WALK_VISITS + (sum == 0 ? 1e-9 : 0));
	munmap(objects, size);
	return 0;
}

static uint64_t parse(const char *text, uint64_t max)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	return errno != 0 || *end != '\0' || value > max ? 0 : value;
}

int main(int argc, char **argv)
{
	int result = -EINVAL;

	if (argc == 4 && strcmp(argv[1], "sharing") == 0) {
		uint64_t distance = parse(argv[2], DISTANCE_MAX);

		sharing_count = parse(argv[3], COUNT_MAX);
		if (distance >= sizeof(uint64_t) && distance % sizeof(uint64_t) == 0 &&
		    sharing_count > 0)
			result = measure_sharing(distance);
	} else if (argc == 5 && strcmp(argv[1], "walk") == 0) {
		uint64_t count = parse(argv[4], OBJECTS_MAX);

		if (count > 1)
			result = measure_walk(strcmp(argv[2], "mixed") == 0,
					      strcmp(argv[3], "random") == 0, count);
	}
	if (result == -EINVAL)
		fprintf(stderr, "usage: layout sharing DISTANCE COUNT\n"
				"       layout walk mixed|split ordered|random OBJECTS\n");
	else if (result < 0)
		fprintf(stderr, "layout: %s\n", strerror(-result));
	return result < 0 ? 1 : 0;
}
