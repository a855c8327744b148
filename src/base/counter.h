/*
 * Counters that one thread adds to and others read while it goes on.
 *
 * There is one writer, so an addition needs no locked instruction: a relaxed
 * store is a plain one to the processor, and tells the tools that it is meant.
 */
#ifndef ZEROG_BASE_COUNTER_H
#define ZEROG_BASE_COUNTER_H

#include <stdint.h>

static inline void zgi_counter_add(uint64_t *counter, uint64_t count)
{
	__atomic_store_n(counter, *counter + count, __ATOMIC_RELAXED);
}

/* The same for a number that goes up and down. */
static inline void zgi_gauge_set(uint32_t *gauge, uint32_t value)
{
	__atomic_store_n(gauge, value, __ATOMIC_RELAXED);
}

static inline uint32_t zgi_gauge_read(const uint32_t *gauge)
{
	return __atomic_load_n(gauge, __ATOMIC_RELAXED);
}

static inline uint64_t zgi_counter_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

#endif
