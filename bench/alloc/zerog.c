#include "zerog.h"

int alloc_reserve(struct zg_region *region, size_t size)
{
	struct zg_region_options options = {
		.size = size,
		.name = "bench",
		.pages = ZG_REGION_PAGES_TRANSPARENT,
	};

	return zg_region_init(region, &options);
}

static struct zg_pool_options zerog_pool_options(uint32_t class_index, uint32_t block_count)
{
	return (struct zg_pool_options){
		.name = "bench",
		.block_size = alloc_class_size(class_index),
		.block_count = block_count,
		.tag = (uint8_t)(class_index + 1),
	};
}

static int zerog_carve_pool(struct zg_region *region, struct zg_pool *pool,
			    struct zg_pool_options options)
{
	int result;

	options.memory_size = zg_pool_memory_size(&options);
	result = zg_region_carve(region, options.memory_size, ZG_POOL_ALIGNMENT, &options.memory);
	return result < 0 ? result : zg_pool_init(pool, &options);
}

int alloc_make_pool(struct zg_region *region, struct zg_pool *pool, size_t block_size,
		    uint32_t block_count)
{
	struct zg_pool_options options =
		zerog_pool_options(alloc_class_of(block_size), block_count);
	int result = alloc_reserve(region, zg_pool_memory_size(&options));

	return result < 0 ? result : zerog_carve_pool(region, pool, options);
}

int alloc_make_pools(struct zg_region *region, struct zg_pool *pools,
		     const struct alloc_trace *trace)
{
	size_t size = 0;
	int result;

	/* Of a class that the trace does not have there is no pool: it would take no memory. */
	for (uint32_t index = 0; index < ALLOC_CLASS_COUNT; index++) {
		struct zg_pool_options options =
			zerog_pool_options(index, trace->class_count_max[index]);

		size += zg_pool_memory_size(&options);
	}
	result = alloc_reserve(region, size);
	for (uint32_t index = 0; index < ALLOC_CLASS_COUNT && result == 0; index++)
		if (trace->class_count_max[index] > 0)
			result = zerog_carve_pool(
				region, &pools[index],
				zerog_pool_options(index, trace->class_count_max[index]));
	return result;
}

int main(int argc, char **argv)
{
	static const struct alloc_subject *const subjects[] = {
		&alloc_pool_subject,
		&alloc_typed_pool_64_subject,
		&alloc_typed_pool_1024_subject,
		&alloc_typed_pool_0_subject,
		&alloc_shared_pool_subject,
#if __has_include(<zerog/guest_heap.h>)
		&alloc_guest_heap_subject,
#endif
		&alloc_arena_subject,
		NULL,
	};

	return alloc_main(argc, argv, subjects);
}
