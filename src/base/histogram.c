/*
 * Log-linear histograms, one a shard and metric, read while they are written.
 *
 * There is one writer, so a counter is loaded, raised and stored without a
 * locked instruction; the accesses are atomic only to keep readers from seeing
 * half a counter.
 */
#include "base/histogram.h"

#include <stddef.h>
#include <string.h>

#include "base/assert.h"

#define HISTOGRAM_SUB_BITS 5
#define HISTOGRAM_VALUE_MAX ((UINT64_C(1) << ZGI_HISTOGRAM_VALUE_BITS) - 1)

_Static_assert(1 << HISTOGRAM_SUB_BITS == ZGI_HISTOGRAM_SUB_BUCKETS, "the bits must match");
_Static_assert(ZGI_HISTOGRAM_BUCKETS == 1025, "each bucket must be one that a value has");

static uint64_t histogram_load(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void histogram_add(uint64_t *counter, uint64_t addend)
{
	__atomic_store_n(counter, histogram_load(counter) + addend, __ATOMIC_RELAXED);
}

static size_t histogram_bucket(uint64_t value)
{
	unsigned int shift;

	if (value > HISTOGRAM_VALUE_MAX)
		return ZGI_HISTOGRAM_BUCKETS - 1;
	if (value < ZGI_HISTOGRAM_SUB_BUCKETS)
		return value;
	/* The leading bit chooses the power of two, the five after it the bucket. */
	shift = 63U - HISTOGRAM_SUB_BITS - (unsigned int)__builtin_clzll(value);
	return ((size_t)shift << HISTOGRAM_SUB_BITS) + (size_t)(value >> shift);
}

/* The largest value that falls into a bucket. */
static uint64_t histogram_bucket_top(size_t bucket)
{
	unsigned int shift;
	uint64_t lead;

	if (bucket < ZGI_HISTOGRAM_SUB_BUCKETS)
		return bucket;
	shift = (unsigned int)(bucket >> HISTOGRAM_SUB_BITS) - 1;
	lead = (bucket & (ZGI_HISTOGRAM_SUB_BUCKETS - 1)) + ZGI_HISTOGRAM_SUB_BUCKETS;
	return ((lead + 1) << shift) - 1;
}

void zgi_histogram_init(struct zgi_histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
}

void zgi_histogram_record(struct zgi_histogram *histogram, uint64_t value)
{
	histogram_add(&histogram->buckets[histogram_bucket(value)], 1);
	histogram_add(&histogram->count, 1);
	histogram_add(&histogram->sum, value);
	if (value > histogram_load(&histogram->max))
		__atomic_store_n(&histogram->max, value, __ATOMIC_RELAXED);
}

void zgi_histogram_merge(struct zgi_histogram *histogram, const struct zgi_histogram *from)
{
	uint64_t max = histogram_load(&from->max);

	zg_assert(histogram != from);
	for (size_t i = 0; i < ZGI_HISTOGRAM_BUCKETS; ++i)
		histogram_add(&histogram->buckets[i], histogram_load(&from->buckets[i]));
	histogram_add(&histogram->count, histogram_load(&from->count));
	histogram_add(&histogram->sum, histogram_load(&from->sum));
	if (max > histogram_load(&histogram->max))
		__atomic_store_n(&histogram->max, max, __ATOMIC_RELAXED);
}

uint64_t zgi_histogram_quantile(const struct zgi_histogram *histogram, double quantile)
{
	uint64_t max = histogram_load(&histogram->max);
	uint64_t total = 0;
	uint64_t rank;
	uint64_t seen = 0;

	zg_assert(quantile >= 0.0 && quantile <= 1.0);
	/* The writer goes on meanwhile: its `count` need not match the buckets read here. */
	for (size_t i = 0; i < ZGI_HISTOGRAM_BUCKETS; ++i)
		total += histogram_load(&histogram->buckets[i]);
	if (total == 0)
		return 0;

	rank = (uint64_t)(quantile * (double)total);
	if ((double)rank < quantile * (double)total || rank == 0)
		++rank;
	for (size_t i = 0; i < ZGI_HISTOGRAM_BUCKETS - 1; ++i) {
		seen += histogram_load(&histogram->buckets[i]);
		if (seen >= rank) {
			uint64_t top = histogram_bucket_top(i);

			return top < max ? top : max;
		}
	}
	/* The last bucket has no upper end but the maximum. */
	return max;
}

void zgi_histogram_distribution(const struct zgi_histogram *histogram, const uint64_t *bounds,
				uint32_t bound_count, uint64_t *counts)
{
	uint32_t at = 0;

	for (size_t i = 0; i < ZGI_HISTOGRAM_BUCKETS; ++i) {
		/* A bucket belongs to the first bound that is not below all of it. */
		while (at < bound_count &&
		       (i == ZGI_HISTOGRAM_BUCKETS - 1 || histogram_bucket(bounds[at]) < i))
			++at;
		counts[at] += histogram_load(&histogram->buckets[i]);
	}
}

uint64_t zgi_histogram_count(const struct zgi_histogram *histogram)
{
	return histogram_load(&histogram->count);
}

uint64_t zgi_histogram_sum(const struct zgi_histogram *histogram)
{
	return histogram_load(&histogram->sum);
}

uint64_t zgi_histogram_max(const struct zgi_histogram *histogram)
{
	return histogram_load(&histogram->max);
}
