/*
 * Mistakes with memory, one a run, for the tools to find: mistakes NAME.
 *
 * The pool's and the arena's memory is one array that lives to the end, so a tool
 * that was not told what is handed out of it finds none of them. Each writes one
 * byte, and says "done" when nothing has stopped it.
 */

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zerog.h>

#define BLOCK_SIZE 100 /* no multiple of 64: a tail is left that belongs to nobody */
#define BLOCK_COUNT 4
#define FIRST_SIZE 256

static alignas(ZG_POOL_ALIGNMENT) unsigned char pool_memory[4096];
static alignas(ZG_ARENA_ALIGNMENT) unsigned char first_memory[FIRST_SIZE];
static alignas(ZG_POOL_ALIGNMENT) unsigned char shared_memory[4096];
static struct zg_pool pool;
static struct zg_arena arena;
static struct zg_shared_pool shared;
static struct zg_shared_pool_cache *cache; /* of this thread */

/* A write that no compiler leaves out or moves. */
static void touch(unsigned char *byte)
{
	*(volatile unsigned char *)byte = 1;
}

static unsigned char *take(zg_handle *ret_handle)
{
	void *block;

	if (zg_pool_take(&pool, ret_handle, &block) < 0)
		exit(2);
	return block;
}

static unsigned char *shared_take(zg_handle *ret_handle)
{
	void *block;

	if (zg_shared_pool_take(cache, ret_handle, &block) < 0)
		exit(2);
	return block;
}

static unsigned char *alloc(size_t size)
{
	void *memory;

	if (zg_arena_alloc(&arena, size, &memory) < 0)
		exit(2);
	return memory;
}

static void clean(void)
{
	struct zg_arena_savepoint savepoint;
	zg_handle handle;

	for (int round = 0; round < 3; round++) {
		memset(take(&handle), 1, BLOCK_SIZE);
		memset(alloc(20), 1, 20);
		savepoint = zg_arena_save(&arena);
		memset(alloc(FIRST_SIZE - 64), 1, FIRST_SIZE - 64);
		memset(alloc(64), 1, 64); /* in a chunk */
		zg_arena_restore(&arena, savepoint);
		memset(alloc(64), 1, 64);
		(void)!zg_pool_give(&pool, handle);
		zg_arena_reset(&arena);
		memset(shared_take(&handle), 1, BLOCK_SIZE);
		(void)!zg_shared_pool_give(cache, handle);
	}
}

static void pool_overrun(void)
{
	zg_handle handle;

	touch(take(&handle) + BLOCK_SIZE + 4); /* ASan looks at 8 bytes together: 96 to 103 */
}

static void pool_use_after_give(void)
{
	zg_handle handle;
	unsigned char *block = take(&handle);

	(void)!zg_pool_give(&pool, handle);
	touch(block);
}

static void pool_use_before_take(void)
{
	zg_handle handle;

	touch(take(&handle) + 2 * (size_t)ZG_POOL_ALIGNMENT); /* the neighbour, which nobody has */
}

static void pool_read_of_nothing(void)
{
	zg_handle handle;
	unsigned char *block = take(&handle);

	memset(block, 1, BLOCK_SIZE);
	(void)!zg_pool_give(&pool, handle);
	block = take(&handle);
	/* The same block: what was written before is not to be relied on. */
	if (block[0] == 1)
		puts("stale");
}

static void shared_overrun(void)
{
	zg_handle handle;

	touch(shared_take(&handle) + BLOCK_SIZE + 4);
}

static void shared_use_after_give(void)
{
	zg_handle handle;
	unsigned char *block = shared_take(&handle);

	(void)!zg_shared_pool_give(cache, handle);
	touch(block);
}

static void arena_overrun(void)
{
	touch(alloc(20) + 20);
}

static void arena_use_after_reset(void)
{
	unsigned char *memory = alloc(20);

	zg_arena_reset(&arena);
	touch(memory);
}

static void arena_use_after_restore(void)
{
	struct zg_arena_savepoint savepoint;
	unsigned char *memory;

	(void)alloc(20);
	savepoint = zg_arena_save(&arena);
	memory = alloc(20);
	zg_arena_restore(&arena, savepoint);
	touch(memory);
}

static void arena_use_of_a_chunk_after_reset(void)
{
	unsigned char *memory;

	(void)alloc(FIRST_SIZE);
	memory = alloc(48);
	zg_arena_reset(&arena);
	touch(memory);
}

static void arena_overrun_in_a_chunk(void)
{
	(void)alloc(FIRST_SIZE);
	touch(alloc(40) + 40);
}

static const struct {
	const char *name;
	void (*make)(void);
} mistakes[] = {
	{"clean", clean},
	{"pool_overrun", pool_overrun},
	{"pool_use_after_give", pool_use_after_give},
	{"pool_use_before_take", pool_use_before_take},
	{"pool_read_of_nothing", pool_read_of_nothing},
	{"shared_overrun", shared_overrun},
	{"shared_use_after_give", shared_use_after_give},
	{"arena_overrun", arena_overrun},
	{"arena_use_after_reset", arena_use_after_reset},
	{"arena_use_after_restore", arena_use_after_restore},
	{"arena_use_of_a_chunk_after_reset", arena_use_of_a_chunk_after_reset},
	{"arena_overrun_in_a_chunk", arena_overrun_in_a_chunk},
};

static int start(void)
{
	struct zg_pool_options pool_options = {
		.name = "blocks",
		.memory = pool_memory,
		.memory_size = sizeof(pool_memory),
		.block_size = BLOCK_SIZE,
		.block_count = BLOCK_COUNT,
		.tag = 1,
	};
	struct zg_arena_options arena_options = {
		.memory = first_memory,
		.memory_size = sizeof(first_memory),
		.chunks = &pool,
		.chunk_count_max = 2,
	};
	struct zg_shared_pool_options shared_options = {
		.name = "shared blocks",
		.memory = shared_memory,
		.memory_size = sizeof(shared_memory),
		.block_size = BLOCK_SIZE,
		.block_count = BLOCK_COUNT,
		.threads_max = 1,
		.tag = 2,
	};
	int result = zg_pool_init(&pool, &pool_options);

	if (result == 0)
		result = zg_arena_init(&arena, &arena_options);
	if (result == 0)
		result = zg_shared_pool_init(&shared, &shared_options);
	return result < 0 ? result : zg_shared_pool_attach(&shared, &cache);
}

int main(int argc, char **argv)
{
	if (argc != 2 || start() < 0)
		return 2;
	for (size_t index = 0; index < sizeof(mistakes) / sizeof(mistakes[0]); index++) {
		if (strcmp(mistakes[index].name, argv[1]) != 0)
			continue;
		mistakes[index].make();
		zg_arena_fini(&arena);
		zg_pool_fini(&pool);
		zg_shared_pool_fini(&shared);
		puts("done");
		return 0;
	}
	return 2;
}
