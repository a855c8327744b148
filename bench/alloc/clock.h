/*
 * Ticks: the processor's own counter, fenced on both sides of what is timed.
 *
 * Loads and calls before the first reading have ended when it is taken, and the
 * second is taken when what lies between has ended. That costs 20 to 30 ns, which
 * every single figure includes; the row of the timer alone says how much.
 */
#ifndef ZEROG_BENCH_ALLOC_CLOCK_H
#define ZEROG_BENCH_ALLOC_CLOCK_H

#include <stdint.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>

static inline uint64_t alloc_ticks_begin(void)
{
	_mm_lfence();
	return __rdtsc();
}

static inline uint64_t alloc_ticks_end(void)
{
	unsigned int cpu;
	uint64_t ticks = __rdtscp(&cpu);

	_mm_lfence();
	return ticks;
}
#elif defined(__aarch64__)
static inline uint64_t alloc_ticks_begin(void)
{
	uint64_t ticks;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks)::"memory");
	return ticks;
}

static inline uint64_t alloc_ticks_end(void)
{
	uint64_t ticks;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(ticks)::"memory");
	return ticks;
}
#else
#error "there is no tick counter for this processor yet"
#endif

static inline uint64_t alloc_clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

#endif
