/*
 * Figures: what becomes of a million single readings.
 */
#ifndef ZEROG_BENCH_ALLOC_FIGURES_H
#define ZEROG_BENCH_ALLOC_FIGURES_H

#include <stddef.h>
#include <stdint.h>

/* Prints "NAME": {"p50": …, "max": …, "curve": […]} in nanoseconds: the exact percentiles of
 * `count` readings. The k-th point of the curve, from 1,
 * is exceeded by one reading in 10^(k/8); the last is the longest. */
void alloc_figures_print(const char *name, const uint32_t *ticks, size_t count, double ns_per_tick);

/* The smallest distance between two different readings: what the counter can tell apart. */
uint32_t alloc_figures_step(const uint32_t *ticks, size_t count);

#endif
