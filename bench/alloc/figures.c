/*
 * One bucket a tick: percentiles are exact up to a million ticks, which a handful
 * of readings at the most exceeds; those are as long as the longest.
 */
#include "figures.h"

#include <stdio.h>
#include <string.h>

#define FIGURES_BUCKET_COUNT (1U << 20)
#define FIGURES_POINT_RATIO 0.7498942093324559 /* ten to the power of -1/8 */

static uint32_t figures_buckets[FIGURES_BUCKET_COUNT];

static uint32_t figures_count(const uint32_t *ticks, size_t count)
{
	uint32_t longest = 0;

	memset(figures_buckets, 0, sizeof(figures_buckets));
	for (size_t index = 0; index < count; index++) {
		uint32_t bucket = ticks[index];

		if (bucket > longest)
			longest = bucket;
		if (bucket >= FIGURES_BUCKET_COUNT)
			bucket = FIGURES_BUCKET_COUNT - 1;
		++figures_buckets[bucket];
	}
	return longest;
}

/* The least reading that at most `count_above` others exceed. */
static uint32_t figures_value(double count_above, uint32_t longest)
{
	double above = 0;
	uint32_t bucket = FIGURES_BUCKET_COUNT - 1;

	while (above + figures_buckets[bucket] <= count_above && bucket > 0)
		above += figures_buckets[bucket--];
	return bucket == FIGURES_BUCKET_COUNT - 1 ? longest : bucket;
}

void alloc_figures_print(const char *name, const uint32_t *ticks, size_t count, double ns_per_tick)
{
	static const struct {
		const char *name;
		double above;
	} points[] = {{"p50", 0.5}, {"p99", 0.01}, {"p999", 0.001}, {"p9999", 0.0001}};
	uint32_t longest = figures_count(ticks, count);
	double total = (double)count;

	printf("\"%s\": {", name);
	for (size_t index = 0; index < sizeof(points) / sizeof(points[0]); index++)
		printf("\"%s\": %.1f, ", points[index].name,
		       ns_per_tick * figures_value(total * points[index].above, longest));
	printf("\"max\": %.1f, \"curve\": [", ns_per_tick * longest);
	for (double above = total * FIGURES_POINT_RATIO; above >= 1; above *= FIGURES_POINT_RATIO)
		printf("%.1f, ", ns_per_tick * figures_value(above, longest));
	printf("%.1f]}", ns_per_tick * longest);
}

uint32_t alloc_figures_step(const uint32_t *ticks, size_t count)
{
	uint32_t step = UINT32_MAX;
	uint32_t last = UINT32_MAX;

	(void)figures_count(ticks, count);
	for (uint32_t bucket = 0; bucket < FIGURES_BUCKET_COUNT; bucket++) {
		if (figures_buckets[bucket] == 0)
			continue;
		if (last != UINT32_MAX && bucket - last < step)
			step = bucket - last;
		last = bucket;
	}
	return step;
}
