/*
 * Workload: a shop in which everybody does something at random, the impossible included.
 *
 * For tests that hold for any sequence of commands. The same seed makes the same sequence.
 */
#ifndef STOREFRONT_WORKLOAD_H
#define STOREFRONT_WORKLOAD_H

#include <stdint.h>

#include "ledger/shop_fixture.h"

struct workload {
	uint64_t random; /* not 0 */
	uint64_t applied_count; /* commands that changed something */
};

uint32_t workload_below(struct workload *workload, uint32_t count);

/* Applies one random command. */
void workload_step(struct workload *workload, struct fixture *fixture);

#endif
