/*
 * What every subject of `./dev bench payments` counts, and how it is told: one line of JSON.
 */
#ifndef BENCH_PAYMENTS_TALLY_H
#define BENCH_PAYMENTS_TALLY_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define TALLY_US_MAX 4000000 /* longer ones count as this long */

struct tally {
	uint64_t begin_ns; /* nothing counts before */
	uint64_t end_ns; /* nor behind */
	uint64_t count; /* payments whose outcome is durable */
	uint64_t refused; /* asked for, and not paid */
	uint32_t latencies[TALLY_US_MAX + 1]; /* payments that took so many microseconds */
};

static inline uint64_t tally_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* A tenth of the time is for warming up. */
static inline void tally_begin(struct tally *tally, double seconds)
{
	tally->begin_ns = tally_now_ns() + (uint64_t)(seconds * 1e8);
	tally->end_ns = tally->begin_ns + (uint64_t)(seconds * 1e9);
}

static inline void tally_add(struct tally *tally, uint64_t asked_ns, uint64_t now_ns)
{
	uint64_t us = (now_ns - asked_ns) / 1000;

	if (now_ns < tally->begin_ns || now_ns >= tally->end_ns)
		return;
	tally->count++;
	tally->latencies[us < TALLY_US_MAX ? us : TALLY_US_MAX]++;
}

static inline uint64_t tally_quantile_us(const struct tally *tally, double quantile)
{
	uint64_t left = (uint64_t)((double)tally->count * quantile);

	for (uint64_t us = 0; us < TALLY_US_MAX; us++) {
		if (left < tally->latencies[us])
			return us;
		left -= tally->latencies[us];
	}
	return TALLY_US_MAX;
}

static inline void tally_print(const struct tally *tally)
{
	printf("{\"payments\": %llu, \"seconds\": %.6f, \"p50_us\": %llu, \"p99_us\": %llu, "
	       "\"refused\": %llu}\n",
	       (unsigned long long)tally->count, (double)(tally->end_ns - tally->begin_ns) / 1e9,
	       (unsigned long long)tally_quantile_us(tally, 0.5),
	       (unsigned long long)tally_quantile_us(tally, 0.99),
	       (unsigned long long)tally->refused);
}

#endif
