/*
 * Steps: a shared pool that a test stops before each access to what threads share.
 *
 * The sources are compiled once more with this header before them. Generations have
 * 4 bits there, so that a block wears out within the reach of a test.
 */
#ifndef ZEROG_MEM_POOL_SHARED_POOL_STEPS_H
#define ZEROG_MEM_POOL_SHARED_POOL_STEPS_H

#include <stdint.h>

#define ZGI_SHARED_POOL_GENERATION_BITS 4
#define ZGI_SHARED_POOL_STEP() zgi_steps_next()
#define ZGI_SHARED_POOL_SELF() zgi_steps_self()

/* The present thread of the test is about to do the next step; others may go on first. */
void zgi_steps_next(void);

/* The number of the present thread of the test; never 0. */
uintptr_t zgi_steps_self(void);

#endif
