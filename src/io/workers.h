/*
 * Workers: a few threads that run what would block, handed to them by threads that
 * must not.
 *
 * A work is a struct of the caller's, linked while it waits: handing it over takes no
 * memory and cannot fail. Works are begun in the order they were handed over.
 *
 * Threads    zgi_workers_push() by any; the others by the one that boots.
 * Limits     ZGI_WORKERS_MAX threads; as many works as the callers have.
 */
#ifndef ZEROG_IO_WORKERS_H
#define ZEROG_IO_WORKERS_H

#include <pthread.h>
#include <semaphore.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/layout.h>

#define ZGI_WORKERS_MAX 65

struct zgi_work {
	struct zgi_work *next; /* the workers', until run is called; then the caller's again */
	void (*run)(struct zgi_work *work); /* on a worker's thread */
};

struct zgi_workers {
	alignas(ZG_LINE_SIZE) struct zgi_work *pushed; /* newest first; taken all at once */
	sem_t waiting; /* one token a work, and one a thread at the end */
	zg_cold(workers);
	alignas(ZG_LINE_SIZE) pthread_mutex_t mutex; /* workers only: no one else waits for it */
	struct zgi_work *first; /* oldest first: what was taken */
	uint32_t thread_count;
	uint32_t is_ending;
	uint32_t ended_count;
	sem_t started; /* one token a thread that has begun */
	sem_t ended; /* one token a thread that is about to end */
	pthread_t threads[ZGI_WORKERS_MAX];
};

struct zgi_workers_options {
	void *stacks; /* borrowed until the end; on a page's boundary */
	size_t stack_size; /* bytes of each, its guard page included; whole pages */
	uint32_t thread_count; /* 1 to ZGI_WORKERS_MAX */
};

/* Without threads yet: what is pushed waits. @workers: overwritten. */
void zgi_workers_init(struct zgi_workers *workers);

/**
 * zgi_workers_start() - start the threads, and wait until each of them runs
 * @workers:  the caller's; overwritten
 * @options:  read during the call
 *
 * Boot only, because a thread's beginning allocates.
 *
 * Return: 0; -errno, and no thread is left.
 */
ZG_MUST_USE int zgi_workers_start(struct zgi_workers *workers,
				  const struct zgi_workers_options *options);

/**
 * zgi_workers_push() - have a work run
 * @workers:  started
 * @work:     lent until it is run; not pushed already
 *
 * Never blocks. Any thread.
 */
void zgi_workers_push(struct zgi_workers *workers, struct zgi_work *work);

/**
 * zgi_workers_end() - run what was pushed to its end, and join the threads
 * @workers:     started, and nobody pushes any more; or zeroed
 * @timeout_ns:  how long it may take
 *
 * Return: 0; -ETIMEDOUT when one still runs: then its stack and its work must stay.
 */
ZG_MUST_USE int zgi_workers_end(struct zgi_workers *workers, uint64_t timeout_ns);

#endif
