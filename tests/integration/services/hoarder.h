/*
 * Hoarder: a library that knows nothing of zerog, and allocates all there is.
 */
#ifndef ZEROG_TEST_HOARDER_H
#define ZEROG_TEST_HOARDER_H

#include <stdint.h>

struct hoarder_report {
	uint64_t rounds; /* ended: each took all there was and gave it back */
	uint64_t blocks; /* taken, over all rounds */
	uint64_t refusals; /* NULL in place of a block */
	uint64_t damaged; /* blocks that did not hold what was written to them */
};

/* Start its threads; before the seal. Exits on failure. */
void hoarder_start(void);

/* Have each thread do so many rounds more. */
void hoarder_go(uint64_t rounds);

struct hoarder_report hoarder_report(void);

#endif
