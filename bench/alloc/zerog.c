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

int main(int argc, char **argv)
{
	static const struct alloc_subject *const subjects[] = {
		&alloc_pool_subject,
		&alloc_shared_pool_subject,
		&alloc_arena_subject,
		NULL,
	};

	return alloc_main(argc, argv, subjects);
}
