/*
 * What a pool promises, and what it does with handles that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdalign.h>

#include <zerog/pool.h>

#include "mem/pool/pool_handle.h"

#define BLOCK_SIZE 100
#define BLOCK_COUNT 5

static alignas(ZG_POOL_ALIGNMENT) unsigned char memory[4096];

static void start_tagged(struct zg_pool *pool, uint8_t tag, uint32_t index_first)
{
	struct zg_pool_options options = {
		.name = "test",
		.memory = memory,
		.memory_size = sizeof(memory),
		.block_size = BLOCK_SIZE,
		.block_count = BLOCK_COUNT,
		.index_first = index_first,
		.tag = tag,
	};

	zgi_handles_forget();
	assert_int_equal(zg_pool_init(pool, &options), 0);
}

static void start(struct zg_pool *pool)
{
	start_tagged(pool, 7, 0);
}

static zg_handle take(struct zg_pool *pool)
{
	zg_handle handle;

	assert_int_equal(zg_pool_take(pool, &handle, NULL), 0);
	return handle;
}

static size_t memory_size(size_t block_size, uint32_t block_count, bool is_tracked)
{
	struct zg_pool_options options = {
		.block_size = block_size,
		.block_count = block_count,
		.is_tracked = is_tracked,
	};

	return zg_pool_memory_size(&options);
}

static void memory_size_counts_blocks_and_bookkeeping(void **state)
{
	(void)state;
	/* 36 bytes of bookkeeping a block when it is tracked, 12 when it is not; blocks of two
	 * lines. */
	assert_int_equal(memory_size(100, 5, true), 192 + 5 * 128);
	assert_int_equal(ZG_POOL_MEMORY_SIZE_MAX(100, 5), 192 + 5 * 128);
	assert_int_equal(memory_size(100, 5, false), zg_pool_tracks_all() ? 832 : 64 + 5 * 128);
	assert_int_equal(memory_size(1, 1, false), 128);
}

static void memory_size_out_of_range_is_zero(void **state)
{
	(void)state;
	assert_int_equal(memory_size(0, 1, false), 0);
	assert_int_equal(memory_size(1, 0, false), 0);
	assert_int_equal(memory_size(1, ZG_POOL_BLOCKS_MAX + 1, false), 0);
	assert_int_equal(memory_size(SIZE_MAX, 1, false), 0);
	assert_int_equal(memory_size(SIZE_MAX / 2, 3, false), 0);
	assert_int_equal(memory_size(SIZE_MAX / 64 * 64, 1, true), 0);
}

static void init_refuses_options_out_of_range(void **state)
{
	struct zg_pool pool;
	const struct zg_pool_options good = {
		.name = "test",
		.memory = memory,
		.memory_size = memory_size(64, 2, false),
		.block_size = 64,
		.block_count = 2,
		.index_first = ZG_POOL_BLOCKS_MAX - 2,
		.tag = 255,
	};
	struct zg_pool_options bad;

	(void)state;
	assert_int_equal(zg_pool_init(&pool, &good), 0);
	zg_pool_fini(&pool);
	bad = good;
	bad.memory = memory + 8;
	assert_int_equal(zg_pool_init(&pool, &bad), -EINVAL);
	bad = good;
	bad.memory_size -= 1;
	assert_int_equal(zg_pool_init(&pool, &bad), -EINVAL);
	bad = good;
	bad.index_first += 1;
	assert_int_equal(zg_pool_init(&pool, &bad), -EINVAL);
	bad = good;
	bad.block_count = 0;
	assert_int_equal(zg_pool_init(&pool, &bad), -EINVAL);
}

static void blocks_are_aligned_apart_and_inside(void **state)
{
	struct zg_pool pool;
	unsigned char *blocks[BLOCK_COUNT];

	(void)state;
	start(&pool);
	for (size_t i = 0; i < BLOCK_COUNT; ++i) {
		zg_handle handle;
		void *block;

		assert_int_equal(zg_pool_take(&pool, &handle, &block), 0);
		assert_int_equal((uintptr_t)block % ZG_POOL_ALIGNMENT, 0);
		blocks[i] = block;
		assert_true(blocks[i] >= memory);
		assert_true(blocks[i] + BLOCK_SIZE <=
			    memory + memory_size(BLOCK_SIZE, BLOCK_COUNT, false));
		memset(block, (int)i, BLOCK_SIZE);
	}
	for (size_t i = 0; i < BLOCK_COUNT; ++i) {
		for (size_t j = 0; j < BLOCK_SIZE; ++j)
			assert_int_equal(blocks[i][j], i);
	}
	zg_pool_fini(&pool);
}

static void full_pool_refuses_and_counts(void **state)
{
	struct zg_pool pool;
	zg_handle handle = {42};
	void *block = &pool;

	(void)state;
	start(&pool);
	for (int i = 0; i < BLOCK_COUNT; ++i)
		(void)take(&pool);
	assert_int_equal(zg_pool_take(&pool, &handle, &block), -ENOMEM);
	assert_int_equal(handle.bits, 42);
	assert_ptr_equal(block, &pool);
	assert_int_equal(pool.refuse_count, 1);
	zg_pool_fini(&pool);
}

static void block_given_last_is_taken_first(void **state)
{
	struct zg_pool pool;
	zg_handle first;
	zg_handle second;

	(void)state;
	start(&pool);
	first = take(&pool);
	second = take(&pool);
	assert_int_equal(zg_pool_give(&pool, second), 0);
	assert_int_equal(zg_pool_give(&pool, first), 0);
	assert_int_equal(zg_handle_index(take(&pool)), zg_handle_index(first));
	assert_int_equal(zg_handle_index(take(&pool)), zg_handle_index(second));
	zg_pool_fini(&pool);
}

static void low_water_mark_is_kept(void **state)
{
	struct zg_pool pool;
	zg_handle first;
	zg_handle second;

	(void)state;
	start(&pool);
	first = take(&pool);
	second = take(&pool);
	assert_int_equal(zg_pool_give(&pool, first), 0);
	assert_int_equal(zg_pool_give(&pool, second), 0);
	assert_int_equal(pool.free_count, BLOCK_COUNT);
	assert_int_equal(pool.free_count_low, BLOCK_COUNT - 2);
	zg_pool_fini(&pool);
}

static void handle_names_its_block_until_given(void **state)
{
	struct zg_pool pool;
	zg_handle handle;
	void *block;

	(void)state;
	start(&pool);
	assert_int_equal(zg_pool_take(&pool, &handle, &block), 0);
	assert_ptr_equal(zg_pool_get(&pool, handle), block);
	assert_int_equal(zg_pool_give(&pool, handle), 0);
	assert_null(zg_pool_get(&pool, handle));
	assert_int_equal(pool.misuse_count, 1);
	zg_pool_fini(&pool);
}

static void renewed_block_keeps_its_place_and_loses_its_old_name(void **state)
{
	struct zg_pool pool;
	zg_handle handle;
	zg_handle renewed;
	void *block;

	(void)state;
	start(&pool);
	assert_int_equal(zg_pool_take(&pool, &handle, &block), 0);
	memset(block, 'b', 8);
	assert_int_equal(zg_pool_renew(&pool, handle, &renewed), 0);
	assert_true(renewed.bits != handle.bits);
	assert_ptr_equal(zg_pool_get(&pool, renewed), block);
	assert_memory_equal(block, "bbbbbbbb", 8);
	assert_null(zg_pool_get(&pool, handle));
	assert_int_equal(zg_pool_renew(&pool, handle, &handle), -ESTALE);
	assert_int_equal(zg_pool_give(&pool, renewed), 0);
	assert_int_equal(zg_pool_renew(&pool, renewed, &renewed), -ESTALE);
	assert_int_equal(pool.free_count, BLOCK_COUNT);
	zg_pool_fini(&pool);
}

static void double_give_is_caught(void **state)
{
	struct zg_pool pool;
	zg_handle handle;

	(void)state;
	start(&pool);
	handle = take(&pool);
	assert_int_equal(zg_pool_give(&pool, handle), 0);
	assert_int_equal(zg_pool_give(&pool, handle), -ESTALE);
	assert_int_equal(pool.free_count, BLOCK_COUNT);
	assert_int_equal(pool.misuse_count, 1);
	zg_pool_fini(&pool);
}

static void stale_handle_of_a_block_taken_again_is_caught(void **state)
{
	struct zg_pool pool;
	zg_handle stale;
	zg_handle fresh;

	(void)state;
	start(&pool);
	stale = take(&pool);
	assert_int_equal(zg_pool_give(&pool, stale), 0);
	fresh = take(&pool);
	assert_int_equal(zg_handle_index(stale), zg_handle_index(fresh));
	assert_int_equal(zg_pool_give(&pool, stale), -ESTALE);
	assert_null(zg_pool_get(&pool, stale));
	assert_non_null(zg_pool_get(&pool, fresh));
	zg_pool_fini(&pool);
}

static void invented_handles_are_refused(void **state)
{
	struct zg_pool pool;
	zg_handle handle;
	zg_handle invented;

	(void)state;
	start(&pool);
	handle = take(&pool);
	assert_int_equal(zg_pool_give(&pool, ZG_HANDLE_NONE), -EINVAL);
	assert_int_equal(zg_pool_give(&pool, (zg_handle){UINT64_MAX}), -EINVAL);
	invented.bits = handle.bits + 1; /* a generation to come */
	assert_int_equal(zg_pool_give(&pool, invented), -EINVAL);
	invented.bits = handle.bits - 1; /* generation 0, which none has */
	assert_int_equal(zg_pool_give(&pool, invented), -EINVAL);
	invented.bits = handle.bits + (UINT64_C(1) << 36); /* a block not yet taken */
	assert_int_equal(zg_pool_give(&pool, invented), -EINVAL);
	invented.bits = handle.bits + ((uint64_t)BLOCK_COUNT << 36); /* past the last block */
	assert_int_equal(zg_pool_give(&pool, invented), -EINVAL);
	assert_int_equal(pool.misuse_count, 6);
	assert_int_equal(zg_pool_give(&pool, handle), 0);
	zg_pool_fini(&pool);
}

/* What a free slot holds is no handle either, with whichever upper bits; nor is its complement. */
static void free_slot_bits_are_no_handle(void **state)
{
	const uint64_t generation_mask = (UINT64_C(1) << 36) - 1;
	struct zg_pool pool;

	(void)state;
	start(&pool);
	for (uint32_t i = 0; i < BLOCK_COUNT; ++i) {
		zg_handle handles[2 + 2 * BLOCK_COUNT] = {{pool.slots[i]}, {~pool.slots[i]}};

		for (uint64_t n = 0; n < BLOCK_COUNT; ++n) {
			uint64_t upper = (uint64_t)(pool.handle_first + n) << 36;

			handles[2 + n].bits = (pool.slots[i] & generation_mask) | upper;
			handles[2 + BLOCK_COUNT + n].bits =
				(~pool.slots[i] & generation_mask) | upper;
		}
		for (size_t at = 0; at < sizeof(handles) / sizeof(handles[0]); ++at) {
			assert_null(zg_pool_get(&pool, handles[at]));
			assert_int_equal(zg_pool_give(&pool, handles[at]), -EINVAL);
		}
	}
	assert_int_equal(pool.free_count, BLOCK_COUNT);
	zg_pool_fini(&pool);
}

static void handle_of_another_tag_is_foreign(void **state)
{
	static alignas(ZG_POOL_ALIGNMENT) unsigned char other_memory[4096];
	struct zg_pool_options options = {
		.name = "other",
		.memory = other_memory,
		.memory_size = sizeof(other_memory),
		.block_size = BLOCK_SIZE,
		.block_count = BLOCK_COUNT,
		.tag = 8,
	};
	struct zg_pool other;
	struct zg_pool pool;
	zg_handle handle;

	(void)state;
	start(&pool);
	assert_int_equal(zg_pool_init(&other, &options), 0);
	handle = take(&other);
	(void)take(&pool);
	assert_null(zg_pool_get(&pool, handle));
	assert_int_equal(zg_pool_give(&pool, handle), -EINVAL);
	assert_int_equal(zg_pool_give(&other, handle), 0);
	zg_pool_fini(&other);
	zg_pool_fini(&pool);
}

static void indexes_number_on_from_the_first(void **state)
{
	struct zg_pool pool;
	zg_handle handle;
	zg_handle below;

	(void)state;
	start_tagged(&pool, 1, 1000);
	handle = take(&pool);
	assert_int_equal(zg_handle_index(handle), 1000);
	below.bits = handle.bits - (UINT64_C(1) << 36);
	assert_int_equal(zg_pool_give(&pool, below), -EINVAL);
	assert_int_equal(zg_pool_give(&pool, handle), 0);
	zg_pool_fini(&pool);
}

static void walk_finds_the_taken_blocks_in_order(void **state)
{
	struct zg_pool pool;
	zg_handle handles[BLOCK_COUNT];
	zg_handle found;
	uint32_t cursor = 0;
	void *block;

	(void)state;
	start(&pool);
	for (size_t i = 0; i < BLOCK_COUNT; ++i)
		handles[i] = take(&pool);
	assert_int_equal(zg_pool_give(&pool, handles[0]), 0);
	assert_int_equal(zg_pool_give(&pool, handles[3]), 0);

	assert_int_equal(zg_pool_next(&pool, &cursor, &found, &block), 1);
	assert_int_equal(found.bits, handles[1].bits);
	assert_ptr_equal(block, zg_pool_get(&pool, found));
	/* Giving what the walk has reached, and what it has not, leaves the walk right. */
	assert_int_equal(zg_pool_give(&pool, handles[1]), 0);
	assert_int_equal(zg_pool_give(&pool, handles[2]), 0);
	assert_int_equal(zg_pool_next(&pool, &cursor, &found, NULL), 1);
	assert_int_equal(found.bits, handles[4].bits);
	assert_int_equal(zg_pool_next(&pool, &cursor, &found, NULL), 0);
	assert_int_equal(zg_pool_next(&pool, &cursor, &found, NULL), 0);
	zg_pool_fini(&pool);
}

static void fini_of_a_zeroed_pool_does_nothing(void **state)
{
	struct zg_pool pool = {0};

	(void)state;
	zg_pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_size_counts_blocks_and_bookkeeping),
		cmocka_unit_test(memory_size_out_of_range_is_zero),
		cmocka_unit_test(init_refuses_options_out_of_range),
		cmocka_unit_test(blocks_are_aligned_apart_and_inside),
		cmocka_unit_test(full_pool_refuses_and_counts),
		cmocka_unit_test(block_given_last_is_taken_first),
		cmocka_unit_test(low_water_mark_is_kept),
		cmocka_unit_test(handle_names_its_block_until_given),
		cmocka_unit_test(renewed_block_keeps_its_place_and_loses_its_old_name),
		cmocka_unit_test(double_give_is_caught),
		cmocka_unit_test(stale_handle_of_a_block_taken_again_is_caught),
		cmocka_unit_test(invented_handles_are_refused),
		cmocka_unit_test(free_slot_bits_are_no_handle),
		cmocka_unit_test(handle_of_another_tag_is_foreign),
		cmocka_unit_test(indexes_number_on_from_the_first),
		cmocka_unit_test(walk_finds_the_taken_blocks_in_order),
		cmocka_unit_test(fini_of_a_zeroed_pool_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
