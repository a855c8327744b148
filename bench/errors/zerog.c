/*
 * The mistakes with the handles of pools; with --pointers, writes go by an address
 * that was kept when the handle was not, which only a build with poison can catch.
 */
#include <string.h>
#include <unistd.h>

#include <zerog/pool.h>
#include <zerog/region.h>

#include "errors.h"

struct zerog_kind {
	size_t block_size;
	uint32_t block_count;
};

static const struct zerog_kind zerog_kinds[] = {{64, 4096}, {131072, 8}, {1048576, 4}};

#define ZEROG_KIND_COUNT (sizeof(zerog_kinds) / sizeof(zerog_kinds[0]))
#define ZEROG_FOREIGN ZEROG_KIND_COUNT /* equal to the first, with a tag of its own */

static struct zg_region zerog_region;
static struct zg_pool zerog_pools[ZEROG_KIND_COUNT + 1];

static struct zg_pool_options zerog_options(size_t number)
{
	const struct zerog_kind *kind = &zerog_kinds[number % ZEROG_KIND_COUNT];
	struct zg_pool_options options = {
		.name = "bench",
		.block_size = kind->block_size,
		.block_count = kind->block_count,
		.tag = (uint8_t)(number + 1),
	};

	options.memory_size = zg_pool_memory_size(&options);
	return options;
}

static void zerog_begin(void)
{
	struct zg_region_options region = {.name = "bench"};

	for (size_t number = 0; number <= ZEROG_FOREIGN; number++)
		region.size += zerog_options(number).memory_size;
	if (zg_region_init(&zerog_region, &region) < 0)
		_exit(ERRORS_EXIT_UNABLE);
	for (size_t number = 0; number <= ZEROG_FOREIGN; number++) {
		struct zg_pool_options options = zerog_options(number);

		if (zg_region_carve(&zerog_region, options.memory_size, ZG_POOL_ALIGNMENT,
				    &options.memory) < 0 ||
		    zg_pool_init(&zerog_pools[number], &options) < 0)
			_exit(ERRORS_EXIT_UNABLE);
	}
}

static struct zg_pool *zerog_pool(size_t size)
{
	for (size_t number = 0; number < ZEROG_KIND_COUNT; number++)
		if (size <= zerog_kinds[number].block_size)
			return &zerog_pools[number];
	_exit(ERRORS_EXIT_UNABLE);
}

static uint64_t zerog_take_of(struct zg_pool *pool)
{
	zg_handle handle;

	if (zg_pool_take(pool, &handle, NULL) < 0)
		_exit(ERRORS_EXIT_UNABLE);
	return handle.bits;
}

static uint64_t zerog_take(size_t size)
{
	return zerog_take_of(zerog_pool(size));
}

static int zerog_give(uint64_t name, size_t size)
{
	return zg_pool_give(zerog_pool(size), (zg_handle){name});
}

static void *zerog_memory(uint64_t name, size_t size)
{
	return zg_pool_get(zerog_pool(size), (zg_handle){name});
}

static void *zerog_pointer(uint64_t name, size_t size)
{
	const struct zg_pool *pool = zerog_pool(size);

	return pool->blocks + zg_handle_index((zg_handle){name}) * pool->block_size;
}

static uint64_t zerog_move(uint64_t name, size_t size)
{
	zg_handle handle;

	if (zg_pool_renew(zerog_pool(size), (zg_handle){name}, &handle) < 0)
		_exit(ERRORS_EXIT_UNABLE);
	return handle.bits;
}

static uint64_t zerog_foreign(void)
{
	return zerog_take_of(&zerog_pools[ZEROG_FOREIGN]);
}

int main(int argc, char **argv)
{
	struct errors_subject subject = {
		.begin = zerog_begin,
		.take = zerog_take,
		.give = zerog_give,
		.memory = zerog_memory,
		.move = zerog_move,
		.foreign = zerog_foreign,
	};

	if (argc > 1 && strcmp(argv[1], "--pointers") == 0)
		subject.memory = zerog_pointer;
	return errors_main(&subject);
}
