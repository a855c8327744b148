/*
 * What a program that keeps what it takes meets when a pool ends: a refusal.
 */
#include <stdio.h>

#include <zerog/memory.h>

#define EXHAUST_BLOCK_SIZE 1024
#define EXHAUST_BLOCK_COUNT 100000

int main(void)
{
	struct zg_pool_options options = {
		.name = "lab",
		.block_size = EXHAUST_BLOCK_SIZE,
		.block_count = EXHAUST_BLOCK_COUNT,
		.tag = 1,
	};
	struct zg_region region;
	struct zg_pool pool;
	zg_handle handle;
	uint64_t count = 0;

	options.memory_size = zg_pool_memory_size(&options);
	if (zg_region_init(&region, &(struct zg_region_options){.size = options.memory_size}) < 0 ||
	    zg_region_carve(&region, options.memory_size, ZG_POOL_ALIGNMENT, &options.memory) < 0 ||
	    zg_pool_init(&pool, &options) < 0)
		return 1;
	while (zg_pool_take(&pool, &handle, NULL) == 0)
		count++;
	printf("{\"refused_after\": %lu}\n", count);
	zg_pool_fini(&pool);
	zg_region_fini(&region);
	return 0;
}
