/*
 * Histogram: how often values of each size were seen.
 *
 * Values below 2^36 fall into log-linear buckets, 32 to a power of two, so that
 * a quantile is at most 1/32 above the truth whatever its size. Larger ones
 * share one last bucket; the maximum is kept exactly.
 *
 * Ownership  The struct is all there is, 8 KB: too large for a stack frame.
 * Threads    One thread records; any other may read or merge from it meanwhile,
 *            and sees each counter at some recent moment.
 */
#ifndef ZEROG_BASE_HISTOGRAM_H
#define ZEROG_BASE_HISTOGRAM_H

#include <stdint.h>

#define ZGI_HISTOGRAM_SUB_BUCKETS 32
#define ZGI_HISTOGRAM_VALUE_BITS 36
/* 32 buckets of one value each, then 32 for each power of two from 2^5 to 2^35, then
 * one for all that is larger. */
#define ZGI_HISTOGRAM_BUCKETS \
	((ZGI_HISTOGRAM_VALUE_BITS - 5) * ZGI_HISTOGRAM_SUB_BUCKETS + ZGI_HISTOGRAM_SUB_BUCKETS + 1)

struct zgi_histogram {
	uint64_t count; /* values recorded */
	uint64_t sum; /* of the values; wraps */
	uint64_t max; /* the largest value */
	uint64_t buckets[ZGI_HISTOGRAM_BUCKETS];
};

/**
 * zgi_histogram_init() - an empty histogram
 * @histogram:  the caller's; overwritten
 */
void zgi_histogram_init(struct zgi_histogram *histogram);

/**
 * zgi_histogram_record() - count one value
 * @histogram:  initialised; this thread's own
 * @value:      any unit
 */
void zgi_histogram_record(struct zgi_histogram *histogram, uint64_t value);

/**
 * zgi_histogram_merge() - add one histogram to another
 * @histogram:  initialised; this thread's own
 * @from:       initialised; any thread's
 */
void zgi_histogram_merge(struct zgi_histogram *histogram, const struct zgi_histogram *from);

/**
 * zgi_histogram_quantile() - the value that a share of all values does not exceed
 * @histogram:  initialised; any thread's
 * @quantile:   0.0 to 1.0: 0.5 is the median, 0.999 the p99.9
 *
 * Return: the upper end of the bucket that the quantile falls into, at most the maximum; 0 when
 * nothing was recorded.
 */
uint64_t zgi_histogram_quantile(const struct zgi_histogram *histogram, double quantile);

/**
 * zgi_histogram_distribution() - how many values lie between bounds
 * @histogram:    initialised; any thread's
 * @bounds:       rising; a value up to 1/32 above a bound may count as within it
 * @bound_count:  their number
 * @counts:       bound_count + 1 of them, added to: the last takes what is above all bounds
 */
void zgi_histogram_distribution(const struct zgi_histogram *histogram, const uint64_t *bounds,
				uint32_t bound_count, uint64_t *counts);

/**
 * zgi_histogram_count() - values recorded
 * @histogram:  initialised; any thread's
 */
uint64_t zgi_histogram_count(const struct zgi_histogram *histogram);

/**
 * zgi_histogram_sum() - the sum of all values, modulo 2^64
 * @histogram:  initialised; any thread's
 */
uint64_t zgi_histogram_sum(const struct zgi_histogram *histogram);

/**
 * zgi_histogram_max() - the largest value; 0 when nothing was recorded
 * @histogram:  initialised; any thread's
 */
uint64_t zgi_histogram_max(const struct zgi_histogram *histogram);

#endif
