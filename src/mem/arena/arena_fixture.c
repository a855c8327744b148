/*
 * The arena of a test, and its end.
 */
#include "mem/arena/arena_fixture.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "mem/watch/poison.h"

/* As large as a tracked pool of them may be. */
static alignas(ZG_POOL_ALIGNMENT) unsigned char pool_memory[ZG_POOL_MEMORY_SIZE_MAX(
	FIXTURE_CHUNK_SIZE, FIXTURE_CHUNK_COUNT)];
static alignas(ZG_POOL_ALIGNMENT) unsigned char first_memory[FIXTURE_FIRST_SIZE];

struct zg_arena arena;
struct zg_pool chunks;

size_t arena_fixture_red_zone(void)
{
#ifdef ZGI_HAS_POISON
	return zg_arena_is_malloc() ? 0 : 16;
#else
	return 0;
#endif
}

int arena_fixture_setup(void **state)
{
	struct zg_pool_options pool_options = {
		.name = "chunks",
		.memory = pool_memory,
		.memory_size = sizeof(pool_memory),
		.block_size = FIXTURE_CHUNK_SIZE,
		.block_count = FIXTURE_CHUNK_COUNT,
		.tag = 2,
		.is_tracked = true,
	};
	struct zg_arena_options options = {
		.memory = first_memory,
		.memory_size = sizeof(first_memory),
		.chunks = &chunks,
		.chunk_count_max = FIXTURE_CHUNK_COUNT - 1,
	};

	(void)state;
	assert_int_equal(zg_pool_init(&chunks, &pool_options), 0);
	return zg_arena_init(&arena, &options);
}

int arena_fixture_teardown(void **state)
{
	(void)state;
	zg_arena_fini(&arena);
	assert_int_equal(chunks.free_count, FIXTURE_CHUNK_COUNT);
	zg_pool_fini(&chunks);
	return 0;
}

void *arena_fixture_alloc(size_t size)
{
	void *memory;

	assert_int_equal(zg_arena_alloc(&arena, size, &memory), 0);
	return memory;
}
