/*
 * An arena of a first memory and a pool of chunks, for tests.
 */
#ifndef ZEROG_MEM_ARENA_ARENA_FIXTURE_H
#define ZEROG_MEM_ARENA_ARENA_FIXTURE_H

#include <stddef.h>

#include <zerog/arena.h>

#define FIXTURE_FIRST_SIZE 512
#define FIXTURE_CHUNK_SIZE 1024
#define FIXTURE_CHUNK_COUNT 4 /* in the pool; the arena may hold one less */

/* What the ordinary arena leaves behind an allocation in builds that a tool watches, in bytes. */
size_t arena_fixture_red_zone(void);

extern struct zg_arena arena;
extern struct zg_pool chunks;

/* cmocka's setup and teardown of one test. */
int arena_fixture_setup(void **state);
int arena_fixture_teardown(void **state);

/* An allocation that must succeed. */
void *arena_fixture_alloc(size_t size);

#endif
