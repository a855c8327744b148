/*
 * Handles in a process with many pools: none is good in two of them, at the same time or
 * one after the other.
 */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zerog/shared_pool.h>
#include <zerog/typed_pool.h>

#include "mem/pool/pool_handle.h"

#define BLOCK_COUNT 4
#define TAG 5

struct order {
	uint64_t number;
};

ZG_TYPED_POOL(order, struct order);

static alignas(ZG_POOL_ALIGNMENT) unsigned char memory[2][16384];

static struct zg_pool_options options_for(int number, uint8_t tag, uint32_t index_first)
{
	return (struct zg_pool_options){
		.name = "test",
		.memory = memory[number],
		.memory_size = sizeof(memory[number]),
		.block_size = sizeof(struct order),
		.block_count = BLOCK_COUNT,
		.index_first = index_first,
		.tag = tag,
	};
}

static struct zg_shared_pool_options shared_options_for(int number, uint8_t tag)
{
	return (struct zg_shared_pool_options){
		.name = "test",
		.memory = memory[number],
		.memory_size = sizeof(memory[number]),
		.block_size = sizeof(struct order),
		.block_count = BLOCK_COUNT,
		.threads_max = 1,
		.tag = tag,
	};
}

static void two_pools_cannot_have_a_handle_in_common(void **state)
{
	struct zg_pool_options options = options_for(0, TAG, BLOCK_COUNT);
	struct zg_pool pool;
	struct zg_pool other;

	(void)state;
	assert_int_equal(zg_pool_init(&pool, &options), 0);
	options = options_for(1, TAG, 1);
	assert_int_equal(zg_pool_init(&other, &options), -EEXIST);
	options.index_first = 2 * BLOCK_COUNT - 1;
	assert_int_equal(zg_pool_init(&other, &options), -EEXIST);
	/* What failed can be ended, and left nothing behind. */
	zg_pool_fini(&other);
	options.index_first = 0;
	assert_int_equal(zg_pool_init(&other, &options), 0);
	zg_pool_fini(&other);
	options.index_first = 2 * BLOCK_COUNT;
	assert_int_equal(zg_pool_init(&other, &options), 0);
	zg_pool_fini(&other);
	zg_pool_fini(&pool);
}

static void two_typed_pools_cannot_share_a_tag(void **state)
{
	struct zg_pool_options options = options_for(0, TAG, 0);
	struct order_pool pool;
	struct order_pool other;

	(void)state;
	assert_int_equal(order_pool_init(&pool, &options), 0);
	options = options_for(1, TAG, 0);
	assert_int_equal(order_pool_init(&other, &options), -EEXIST);
	order_pool_fini(&pool);
	assert_int_equal(order_pool_init(&other, &options), 0);
	order_pool_fini(&other);
}

static void shared_pool_cannot_share_a_tag_with_either_kind(void **state)
{
	struct zg_pool_options options = options_for(0, TAG, 0);
	struct zg_shared_pool_options shared_options = shared_options_for(1, TAG);
	struct zg_pool pool;
	struct zg_shared_pool shared;
	struct zg_shared_pool other;

	(void)state;
	assert_int_equal(zg_pool_init(&pool, &options), 0);
	assert_int_equal(zg_shared_pool_init(&shared, &shared_options), -EEXIST);
	zg_shared_pool_fini(&shared);
	zg_pool_fini(&pool);
	assert_int_equal(zg_shared_pool_init(&shared, &shared_options), 0);
	assert_int_equal(zg_pool_init(&pool, &options), -EEXIST);
	shared_options = shared_options_for(0, TAG);
	assert_int_equal(zg_shared_pool_init(&other, &shared_options), -EEXIST);
	zg_shared_pool_fini(&shared);
}

static void tag_0_is_one_that_is_free(void **state)
{
	struct zg_pool_options options = options_for(0, 0, 0);
	struct order_pool pool;
	struct order_pool other;
	order_handle handle;
	order_handle own;

	(void)state;
	assert_int_equal(order_pool_init(&pool, &options), 0);
	options = options_for(1, 0, 0);
	assert_int_equal(order_pool_init(&other, &options), 0);
	assert_int_equal(order_pool_take(&pool, &handle, NULL), 0);
	assert_int_equal(order_pool_take(&other, &own, NULL), 0);
	assert_int_equal(zg_handle_index(handle.untyped), 0);
	assert_int_not_equal(handle.untyped.bits >> 56, 0);
	assert_int_equal(order_pool_give(&other, handle), -EINVAL);
	assert_null(order_pool_get(&other, handle));
	assert_int_equal(order_pool_give(&pool, handle), 0);
	order_pool_fini(&other);
	order_pool_fini(&pool);
}

static void no_tag_is_free_when_255_pools_have_the_indices(void **state)
{
	static alignas(ZG_POOL_ALIGNMENT) unsigned char many_memory[256][512];
	static struct zg_pool pools[256];
	struct zg_pool_options options = options_for(0, 0, 0);

	(void)state;
	options.memory_size = sizeof(many_memory[0]);
	for (int i = 0; i < 255; ++i) {
		options.memory = many_memory[i];
		assert_int_equal(zg_pool_init(&pools[i], &options), 0);
	}
	options.memory = many_memory[255];
	assert_int_equal(zg_pool_init(&pools[255], &options), -ENOSPC);
	options.index_first = BLOCK_COUNT;
	assert_int_equal(zg_pool_init(&pools[255], &options), 0);
	for (int i = 0; i < 256; ++i)
		zg_pool_fini(&pools[i]);
}

static void handle_of_a_pool_that_ended_is_stale_in_the_next(void **state)
{
	struct zg_pool_options options = options_for(0, TAG, 0);
	struct zg_pool pool;
	zg_handle given;
	zg_handle kept;
	zg_handle handle;

	(void)state;
	assert_int_equal(zg_pool_init(&pool, &options), 0);
	assert_int_equal(zg_pool_take(&pool, &given, NULL), 0);
	assert_int_equal(zg_pool_give(&pool, given), 0);
	assert_int_equal(zg_pool_take(&pool, &kept, NULL), 0);
	zg_pool_fini(&pool);
	/* Of other blocks, too: the next pool may be of another size, and begin elsewhere. */
	options.block_count = 1;
	assert_int_equal(zg_pool_init(&pool, &options), 0);
	assert_int_equal(zg_pool_take(&pool, &handle, NULL), 0);
	assert_int_equal(zg_pool_give(&pool, kept), -ESTALE);
	assert_int_equal(zg_pool_give(&pool, given), -ESTALE);
	assert_int_equal(zg_pool_give(&pool, handle), 0);
	zg_pool_fini(&pool);
}

static void handle_of_a_shared_pool_that_ended_is_stale_in_the_next(void **state)
{
	struct zg_shared_pool_options options = shared_options_for(0, TAG);
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache;
	zg_handle kept[BLOCK_COUNT];
	zg_handle handle;

	(void)state;
	assert_int_equal(zg_shared_pool_init(&pool, &options), 0);
	assert_int_equal(zg_shared_pool_attach(&pool, &cache), 0);
	for (int i = 0; i < BLOCK_COUNT; ++i)
		assert_int_equal(zg_shared_pool_take(cache, &kept[i], NULL), 0);
	zg_shared_pool_fini(&pool);
	assert_int_equal(zg_shared_pool_init(&pool, &options), 0);
	assert_int_equal(zg_shared_pool_attach(&pool, &cache), 0);
	for (int i = 0; i < BLOCK_COUNT; ++i)
		assert_int_equal(zg_shared_pool_take(cache, &handle, NULL), 0);
	for (int i = 0; i < BLOCK_COUNT; ++i)
		assert_int_equal(zg_shared_pool_give(cache, kept[i]), -ESTALE);
	zg_shared_pool_fini(&pool);
}

static void worn_tag_is_refused_and_not_chosen(void **state)
{
	const struct zgi_handle_wish wish = {.block_count = 1, .generation_max = 15, .tag = 255};
	const struct zgi_handle_wish any = {.block_count = 1, .generation_max = 15};
	struct zg_pool_handles handles = {0};
	uint64_t generation;

	(void)state;
	zgi_handles_forget();
	assert_int_equal(zgi_handles_claim(&handles, &wish, &generation), 0);
	assert_int_equal(generation, 1);
	zgi_handles_release(&handles, 15);
	assert_int_equal(zgi_handles_claim(&handles, &wish, &generation), 0);
	assert_int_equal(generation, 15);
	zgi_handles_release(&handles, 16);
	assert_int_equal(zgi_handles_claim(&handles, &wish, &generation), -ENOSPC);
	assert_int_equal(zgi_handles_claim(&handles, &any, &generation), 0);
	assert_int_equal(handles.first >> 20, 254);
	zgi_handles_release(&handles, 1);
	zgi_handles_forget();
}

/* How a child ends that does something with a pool that lives. */
static int status_of(void (*function)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		(void)signal(SIGABRT, SIG_DFL);
		(void)close(STDERR_FILENO);
		function();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void make_a_pool_twice(void)
{
	const struct zg_pool_options options = options_for(0, 0, 0);
	struct zg_pool pool;

	(void)!zg_pool_init(&pool, &options);
	(void)!zg_pool_init(&pool, &options);
}

static void make_a_shared_pool_twice(void)
{
	const struct zg_shared_pool_options options = shared_options_for(0, 0);
	struct zg_shared_pool pool;

	(void)!zg_shared_pool_init(&pool, &options);
	(void)!zg_shared_pool_init(&pool, &options);
}

static void pool_that_lives_is_not_made_again(void **state)
{
	(void)state;
	assert_true(WIFSIGNALED(status_of(make_a_pool_twice)));
	assert_true(WIFSIGNALED(status_of(make_a_shared_pool_twice)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_pools_cannot_have_a_handle_in_common),
		cmocka_unit_test(two_typed_pools_cannot_share_a_tag),
		cmocka_unit_test(shared_pool_cannot_share_a_tag_with_either_kind),
		cmocka_unit_test(tag_0_is_one_that_is_free),
		cmocka_unit_test(no_tag_is_free_when_255_pools_have_the_indices),
		cmocka_unit_test(handle_of_a_pool_that_ended_is_stale_in_the_next),
		cmocka_unit_test(handle_of_a_shared_pool_that_ended_is_stale_in_the_next),
		cmocka_unit_test(worn_tag_is_refused_and_not_chosen),
		cmocka_unit_test(pool_that_lives_is_not_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
