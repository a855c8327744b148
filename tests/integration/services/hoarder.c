/*
 * Its threads take blocks of mixed sizes until there are none, some of them grown and
 * some given to another thread to free, look whether each still holds what it was
 * given, and let all of them go.
 */
#include "hoarder.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HOARDER_EXPORT __attribute__((visibility("default")))
#define HOARDER_THREADS 3
#define HOARDER_STACK_SIZE 65536
#define HOARDER_REFUSALS_MAX 100 /* in a row: then there is nothing left */

/* The head of each block, so that taking one needs no list on the side. */
struct hoard {
	struct hoard *next;
	size_t size;
	unsigned char mark;
};

static pthread_mutex_t hoarder_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t hoarder_changed = PTHREAD_COND_INITIALIZER;
static uint64_t hoarder_wanted; /* rounds a thread */
static struct hoarder_report hoarder_sum;
static struct hoard *hoarder_for_others; /* blocks that whoever comes by frees */

static void hoard_write(struct hoard *hoard, size_t size, unsigned char mark)
{
	hoard->size = size;
	hoard->mark = mark;
	memset(hoard + 1, mark, size - sizeof(*hoard));
}

static bool hoard_is_whole(const struct hoard *hoard)
{
	const unsigned char *bytes = (const unsigned char *)(hoard + 1);

	for (size_t i = 0; i < hoard->size - sizeof(*hoard); i++)
		if (bytes[i] != hoard->mark)
			return false;
	return true;
}

static uint64_t hoard_free(struct hoard *list)
{
	uint64_t damaged = 0;

	while (list != NULL) {
		struct hoard *next = list->next;

		damaged += !hoard_is_whole(list);
		free(list);
		list = next;
	}
	return damaged;
}

/* A block, by one of the family in turn; now and then it is taken small and grown. */
static struct hoard *hoard_take(size_t size, uint32_t random)
{
	void *memory = NULL;
	struct hoard *grown;

	switch (random % 4) {
	case 0:
		return calloc(1, size);
	case 1:
		return posix_memalign(&memory, 64, size) == 0 ? memory : NULL;
	case 2:
		memory = malloc(sizeof(struct hoard));
		grown = memory != NULL ? realloc(memory, size) : NULL;
		if (grown == NULL)
			free(memory);
		return grown;
	default:
		return malloc(size);
	}
}

static void hoarder_round(uint32_t *random, struct hoarder_report *report)
{
	struct hoard *mine = NULL;
	struct hoard *others;
	unsigned refusals = 0;

	while (refusals < HOARDER_REFUSALS_MAX) {
		size_t size;
		struct hoard *hoard;

		*random = *random * UINT32_C(1664525) + UINT32_C(1013904223);
		/* Most are small, one in sixteen is up to 64 KiB. */
		size = sizeof(*hoard) + (*random >> 8) % ((*random >> 28) == 0 ? 65536 : 2048);
		hoard = hoard_take(size, *random >> 16);
		if (hoard == NULL) {
			refusals++;
			report->refusals++;
			continue;
		}
		refusals = 0;
		report->blocks++;
		hoard_write(hoard, size, (unsigned char)*random);
		hoard->next = mine;
		mine = hoard;
	}
	pthread_mutex_lock(&hoarder_mutex);
	others = hoarder_for_others;
	hoarder_for_others = mine;
	pthread_mutex_unlock(&hoarder_mutex);
	report->damaged += hoard_free(others);
	report->rounds++;
}

static void hoarder_add(const struct hoarder_report *report)
{
	pthread_mutex_lock(&hoarder_mutex);
	hoarder_sum.rounds += report->rounds;
	hoarder_sum.blocks += report->blocks;
	hoarder_sum.refusals += report->refusals;
	hoarder_sum.damaged += report->damaged;
	if (hoarder_sum.rounds == hoarder_wanted * HOARDER_THREADS) {
		hoarder_sum.damaged += hoard_free(hoarder_for_others);
		hoarder_for_others = NULL;
	}
	pthread_mutex_unlock(&hoarder_mutex);
}

static void *hoarder_thread(void *user)
{
	uint32_t random = (uint32_t)(uintptr_t)user;
	uint64_t done = 0;

	for (;;) {
		struct hoarder_report report = {0};

		pthread_mutex_lock(&hoarder_mutex);
		while (done == hoarder_wanted)
			pthread_cond_wait(&hoarder_changed, &hoarder_mutex);
		pthread_mutex_unlock(&hoarder_mutex);
		hoarder_round(&random, &report);
		done++;
		hoarder_add(&report);
	}
	return NULL;
}

HOARDER_EXPORT void hoarder_start(void)
{
	pthread_attr_t attributes;
	sigset_t all;
	sigset_t before;

	/* Signals are the server's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, HOARDER_STACK_SIZE);
	for (uintptr_t i = 0; i < HOARDER_THREADS; i++) {
		pthread_t thread;

		if (pthread_create(&thread, &attributes, hoarder_thread, (void *)(i + 1)) != 0)
			exit(3);
		pthread_detach(thread);
	}
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

HOARDER_EXPORT void hoarder_go(uint64_t rounds)
{
	pthread_mutex_lock(&hoarder_mutex);
	hoarder_wanted += rounds;
	pthread_cond_broadcast(&hoarder_changed);
	pthread_mutex_unlock(&hoarder_mutex);
}

HOARDER_EXPORT struct hoarder_report hoarder_report(void)
{
	struct hoarder_report report;

	pthread_mutex_lock(&hoarder_mutex);
	report = hoarder_sum;
	pthread_mutex_unlock(&hoarder_mutex);
	return report;
}
