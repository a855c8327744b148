/*
 * The end of generations, with 2^18 of them instead of 2^36: no handle comes again, and an object
 * that had them all is retired.
 */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include <zerog/pmem_pool.h>

#include "mem/pool/pool_handle.h"
#include "pmem/persist.h"

#define GENERATION_MAX 262143
#define COUNT 2

static alignas(64) unsigned char payload[512];
static alignas(64) unsigned char memory[64];
static struct zg_pmem map;
static struct zg_pmem_pool pool;
static const struct zg_pmem_pool_options options = {
	.name = "worn",
	.map = &map,
	.memory = memory,
	.memory_size = sizeof(memory),
	.object_size = 8,
	.object_count = COUNT,
	.tag = 3,
	.create = true,
};

static int setup(void **state)
{
	(void)state;
	memset(payload, 0, sizeof(payload));
	zgi_pmem_over(&map, payload, sizeof(payload));
	zgi_handles_forget();
	return zg_pmem_pool_open(&pool, &options, NULL);
}

static int teardown(void **state)
{
	(void)state;
	zg_pmem_pool_close(&pool);
	return 0;
}

static void reopen(void)
{
	zg_pmem_pool_close(&pool);
	zgi_handles_forget();
	assert_int_equal(zg_pmem_pool_open(&pool, &options, NULL), 0);
}

static zg_handle reserve(void)
{
	zg_handle handle;
	void *object;

	assert_int_equal(zg_pmem_pool_reserve(&pool, &handle, &object), 0);
	return handle;
}

static void object_that_had_every_generation_is_retired(void **state)
{
	uint64_t fence_count = map.fence_count;
	zg_handle handle = {0};
	void *object;

	(void)state;
	for (uint64_t turn = 0; turn < (uint64_t)COUNT * GENERATION_MAX; turn++) {
		handle = reserve();
		assert_int_equal(handle.bits & ZGI_HANDLE_GENERATION_MASK, turn / COUNT + 1);
		assert_int_equal(zg_pmem_pool_give(&pool, handle), 0);
	}
	assert_int_equal(pool.retired_count, COUNT);
	assert_int_equal(zg_pmem_pool_reserve(&pool, &handle, &object), -ENOMEM);
	assert_int_equal(zg_pmem_pool_give(&pool, handle), -ESTALE);
	/* 65,536 generations a fence, and those of the opening. */
	assert_int_equal(map.fence_count, fence_count + 3);
}

static void openings_use_generations_up(void **state)
{
	zg_handle published = reserve();
	zg_handle handle;
	void *object;

	(void)state;
	assert_int_equal(zg_pmem_pool_publish(&pool, published), 0);
	for (uint64_t opening = 1; opening < 4; opening++) {
		reopen();
		assert_int_equal(pool.free_count, 1);
		assert_int_equal(reserve().bits & ZGI_HANDLE_GENERATION_MASK,
				 opening * ZG_PMEM_POOL_GENERATIONS + 1);
	}
	reopen();
	assert_int_equal(pool.retired_count, 1);
	assert_int_equal(zg_pmem_pool_reserve(&pool, &handle, &object), -ENOMEM);
	assert_non_null(zg_pmem_pool_get(&pool, published));
	reopen();
	assert_int_equal(zg_pmem_pool_give(&pool, published), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(object_that_had_every_generation_is_retired, setup,
						teardown),
		cmocka_unit_test_setup_teardown(openings_use_generations_up, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
