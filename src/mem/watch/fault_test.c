/*
 * Faults: which takes fail, what a failed take looks like, and how they are written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdalign.h>

#include <zerog/arena.h>
#include <zerog/fault.h>
#include <zerog/pool.h>
#include <zerog/shared_pool.h>

#define BLOCK_COUNT 4

static alignas(ZG_POOL_ALIGNMENT) unsigned char memory[2][1024];
static struct zg_pool pools[2]; /* both are named "pool" */
static char error_buffer[512];
static struct zg_text error;

static void pool_open(size_t index)
{
	struct zg_pool_options options = {
		.name = "pool",
		.memory = memory[index],
		.memory_size = sizeof(memory[index]),
		.block_size = 100,
		.block_count = BLOCK_COUNT,
		.tag = (uint8_t)(index + 1),
	};

	assert_int_equal(zg_pool_init(&pools[index], &options), 0);
}

static int setup(void **state)
{
	(void)state;
	zg_text_init(&error, error_buffer, sizeof(error_buffer));
	pool_open(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	zg_fault_disarm(NULL);
	zg_pool_fini(&pools[0]);
	zg_pool_fini(&pools[1]);
	return 0;
}

/* Takes a block, and gives it back at once. */
static int try(struct zg_pool *pool)
{
	zg_handle handle;
	int result = zg_pool_take(pool, &handle, NULL);

	if (result == 0)
		assert_int_equal(zg_pool_give(pool, handle), 0);
	return result;
}

static void fault_once_fails_the_nth_take_only(void **state)
{
	(void)state;
	assert_int_equal(zg_fault_arm("pool", 3, ZG_FAULT_ONCE), 0);
	assert_int_equal(try(&pools[0]), 0);
	assert_int_equal(try(&pools[0]), 0);
	assert_int_equal(try(&pools[0]), -ENOMEM);
	assert_int_equal(try(&pools[0]), 0);
}

static void fault_from_then_on_fails_until_it_is_disarmed(void **state)
{
	(void)state;
	assert_int_equal(zg_fault_arm("pool", 2, ZG_FAULT_FROM_THEN_ON), 0);
	assert_int_equal(try(&pools[0]), 0);
	assert_int_equal(try(&pools[0]), -ENOMEM);
	assert_int_equal(try(&pools[0]), -ENOMEM);
	zg_fault_disarm("pool");
	assert_int_equal(try(&pools[0]), 0);
	assert_int_equal(pools[0].is_armed, 0);
}

static void failed_take_looks_like_an_empty_pool(void **state)
{
	zg_handle handle = {42};
	void *block = &pools;

	(void)state;
	assert_int_equal(zg_fault_arm("pool", 1, ZG_FAULT_ONCE), 0);
	assert_int_equal(zg_pool_take(&pools[0], &handle, &block), -ENOMEM);
	assert_int_equal(handle.bits, 42);
	assert_ptr_equal(block, &pools);
	assert_int_equal(pools[0].refuse_count, 1);
	assert_int_equal(pools[0].free_count, BLOCK_COUNT);
	assert_int_equal(pools[0].free_count_low, BLOCK_COUNT);
}

static void armed_pool_that_is_empty_refuses_as_ever(void **state)
{
	zg_handle handle;

	(void)state;
	assert_int_equal(zg_fault_arm("pool", 100, ZG_FAULT_ONCE), 0);
	for (int i = 0; i < BLOCK_COUNT; i++)
		assert_int_equal(zg_pool_take(&pools[0], &handle, NULL), 0);
	assert_int_equal(zg_pool_take(&pools[0], &handle, NULL), -ENOMEM);
	assert_int_equal(pools[0].refuse_count, 1);
}

static void other_names_are_left_alone(void **state)
{
	(void)state;
	assert_int_equal(zg_fault_arm("poo", 1, ZG_FAULT_FROM_THEN_ON), 0);
	assert_int_equal(zg_fault_arm("pool ", 1, ZG_FAULT_FROM_THEN_ON), 0);
	assert_int_equal(try(&pools[0]), 0);
	assert_int_equal(pools[0].is_armed, 0);
}

static void pools_of_one_name_count_together(void **state)
{
	(void)state;
	assert_int_equal(zg_fault_arm("pool", 2, ZG_FAULT_ONCE), 0);
	pool_open(1); /* made after the fault was armed */
	assert_int_equal(try(&pools[0]), 0);
	assert_int_equal(try(&pools[1]), -ENOMEM);
	assert_int_equal(try(&pools[0]), 0);
}

static void arming_again_begins_anew(void **state)
{
	(void)state;
	assert_int_equal(zg_fault_arm("pool", 2, ZG_FAULT_ONCE), 0);
	assert_int_equal(try(&pools[0]), 0);
	assert_int_equal(zg_fault_arm("pool", 2, ZG_FAULT_ONCE), 0);
	assert_int_equal(try(&pools[0]), 0);
	assert_int_equal(try(&pools[0]), -ENOMEM);
}

static void takes_and_faults_are_counted(void **state)
{
	struct zg_fault_counts counts;
	uint64_t total = zg_fault_total();

	(void)state;
	assert_int_equal(zg_fault_read("pool", &counts), -ENOENT);
	assert_int_equal(zg_fault_arm("pool", 2, ZG_FAULT_FROM_THEN_ON), 0);
	for (int i = 0; i < 3; i++)
		(void)try(&pools[0]);
	assert_int_equal(zg_fault_read("pool", &counts), 0);
	assert_int_equal(counts.take_count, 3);
	assert_int_equal(counts.fault_count, 2);
	zg_fault_disarm(NULL);
	assert_int_equal(zg_fault_read("pool", &counts), -ENOENT);
	assert_int_equal(zg_fault_total(), total + 2);
}

static void arena_that_cannot_grow_refuses_and_can_go_on(void **state)
{
	struct zg_arena_options options = {.chunks = &pools[0], .chunk_count_max = 2};
	struct zg_arena arena;
	void *first;
	void *second;

	(void)state;
	assert_int_equal(zg_arena_init(&arena, &options), 0);
	assert_int_equal(zg_fault_arm("pool", 2, ZG_FAULT_ONCE), 0);
	assert_int_equal(zg_arena_alloc(&arena, 48, &first), 0);
	assert_int_equal(zg_arena_alloc(&arena, 48, &second), -ENOMEM);
	assert_int_equal(arena.refuse_count, 1);
	assert_int_equal(arena.chunk_count, 1);
	assert_int_equal(zg_arena_alloc(&arena, 48, &second), 0);
	assert_int_equal(arena.chunk_count, 2);
	zg_arena_fini(&arena);
	assert_int_equal(pools[0].free_count, BLOCK_COUNT);
}

static void shared_pool_refuses_and_can_go_on(void **state)
{
	struct zg_shared_pool_options options = {
		.name = "shared",
		.memory = memory[1],
		.memory_size = sizeof(memory[1]),
		.block_size = 64,
		.block_count = 2,
		.threads_max = 1,
		.tag = 3,
	};
	struct zg_shared_pool_counts counts;
	struct zg_shared_pool_cache *cache;
	struct zg_shared_pool shared;
	zg_handle handle = {42};

	(void)state;
	assert_int_equal(zg_shared_pool_init(&shared, &options), 0);
	assert_int_equal(zg_shared_pool_attach(&shared, &cache), 0);
	assert_int_equal(zg_fault_arm("shared", 1, ZG_FAULT_ONCE), 0);
	assert_int_equal(zg_shared_pool_take(cache, &handle, NULL), -ENOMEM);
	assert_int_equal(handle.bits, 42);
	zg_shared_pool_counts(&shared, &counts);
	assert_int_equal(counts.refuse_count, 1);
	assert_int_equal(counts.free_count, 2);
	assert_int_equal(zg_shared_pool_take(cache, &handle, NULL), 0);
	assert_int_equal(zg_shared_pool_give(cache, handle), 0);
	zg_shared_pool_fini(&shared);
}

static void what_cannot_be_armed_is_refused(void **state)
{
	char name[ZG_FAULT_NAME_SIZE_MAX + 2];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[ZG_FAULT_NAME_SIZE_MAX + 1] = '\0';
	assert_int_equal(zg_fault_arm("", 1, ZG_FAULT_ONCE), -EINVAL);
	assert_int_equal(zg_fault_arm("pool", 0, ZG_FAULT_ONCE), -EINVAL);
	assert_int_equal(zg_fault_arm(name, 1, ZG_FAULT_ONCE), -EINVAL);
	name[ZG_FAULT_NAME_SIZE_MAX] = '\0';
	assert_int_equal(zg_fault_arm(name, 1, ZG_FAULT_ONCE), 0);
}

static void names_have_a_limit(void **state)
{
	char name[] = "a";

	(void)state;
	for (int i = 0; i < ZG_FAULTS_MAX; i++, name[0]++)
		assert_int_equal(zg_fault_arm(name, 1, ZG_FAULT_ONCE), 0);
	assert_int_equal(zg_fault_arm("pool", 1, ZG_FAULT_ONCE), -ENOSPC);
	assert_int_equal(zg_fault_arm("a", 7, ZG_FAULT_ONCE), 0); /* armed already */
	zg_fault_disarm("b");
	assert_int_equal(zg_fault_arm("pool", 1, ZG_FAULT_ONCE), 0);
}

static void list_arms_all_of_its_items(void **state)
{
	struct zg_fault_counts counts;

	(void)state;
	assert_int_equal(zg_fault_arm_list(" a b: 3 ,pool:2+, ratio 1:2:4 ", &error), 0);
	assert_int_equal(zg_fault_read("a b", &counts), 0);
	assert_int_equal(zg_fault_read("ratio 1:2", &counts), 0);
	assert_int_equal(try(&pools[0]), 0);
	assert_int_equal(try(&pools[0]), -ENOMEM);
	assert_int_equal(try(&pools[0]), -ENOMEM);
	assert_string_equal(error_buffer, "");
}

static void malformed_list_arms_nothing_and_says_why(void **state)
{
	static const char *const items[] = {
		"",	   "pool",     ":1",	  "pool:",  "pool:0", "pool:-1",
		"pool:1x", "pool:1++", "pool:1,", "pool 1", "pool:+", "pool:99999999999999999999",
	};
	struct zg_fault_counts counts;

	(void)state;
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		char list[64] = "good:1, ";

		memcpy(list + 8, items[i], strlen(items[i]) + 1);
		zg_text_init(&error, error_buffer, sizeof(error_buffer));
		assert_int_equal(zg_fault_arm_list(list, &error), -EINVAL);
		assert_non_null(strstr(error_buffer, "is no fault: write NAME:N"));
		assert_int_equal(zg_fault_read("good", &counts), -ENOENT);
	}
}

static void list_that_does_not_fit_arms_nothing(void **state)
{
	struct zg_fault_counts counts;

	(void)state;
	assert_int_equal(zg_fault_arm_list("a:1,b:1,c:1,d:1,e:1,f:1,g:1,h:1,i:1,j:1,k:1,l:1,m:1,"
					   "n:1,o:1,p:1,q:1",
					   &error),
			 -ENOSPC);
	assert_non_null(strstr(error_buffer, "arm fewer"));
	assert_int_equal(zg_fault_read("a", &counts), -ENOENT);
	assert_int_equal(zg_fault_arm_list("a:1,b:1,c:1,d:1,e:1,f:1,g:1,h:1,i:1,j:1,k:1,l:1,m:1,"
					   "n:1,o:1",
					   &error),
			 0);
	assert_int_equal(zg_fault_arm_list("y:1,z:1", &error), -ENOSPC);
	assert_int_equal(zg_fault_read("y", &counts), -ENOENT);
}

static void environment_arms_and_its_error_names_it(void **state)
{
	(void)state;
	unsetenv("ZEROG_FAULT");
	assert_int_equal(zg_fault_environment(&error), 0);
	assert_int_equal(setenv("ZEROG_FAULT", "pool:1", 1), 0);
	assert_int_equal(zg_fault_environment(&error), 1);
	assert_int_equal(try(&pools[0]), -ENOMEM);
	assert_int_equal(setenv("ZEROG_FAULT", "pool", 1), 0);
	assert_int_equal(zg_fault_environment(&error), -EINVAL);
	assert_memory_equal(error_buffer, "ZEROG_FAULT: \"pool\"", 19);
	unsetenv("ZEROG_FAULT");
}

static void misspelt_names_are_found(void **state)
{
	(void)state;
	pool_open(1); /* of the same name, which is listed once */
	assert_int_equal(zg_fault_arm("pool", 1, ZG_FAULT_ONCE), 0);
	assert_int_equal(zg_fault_check_names(&error), 0);
	assert_int_equal(zg_fault_arm("pol", 1, ZG_FAULT_ONCE), 0);
	assert_int_equal(zg_fault_check_names(&error), -ENOENT);
	assert_string_equal(error_buffer, "a fault is armed for \"pol\", but nothing has that "
					  "name; there are \"pool\"");
}

#define fault_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		fault_test(fault_once_fails_the_nth_take_only),
		fault_test(fault_from_then_on_fails_until_it_is_disarmed),
		fault_test(failed_take_looks_like_an_empty_pool),
		fault_test(armed_pool_that_is_empty_refuses_as_ever),
		fault_test(other_names_are_left_alone),
		fault_test(pools_of_one_name_count_together),
		fault_test(arming_again_begins_anew),
		fault_test(takes_and_faults_are_counted),
		fault_test(arena_that_cannot_grow_refuses_and_can_go_on),
		fault_test(shared_pool_refuses_and_can_go_on),
		fault_test(what_cannot_be_armed_is_refused),
		fault_test(names_have_a_limit),
		fault_test(list_arms_all_of_its_items),
		fault_test(malformed_list_arms_nothing_and_says_why),
		fault_test(list_that_does_not_fit_arms_nothing),
		fault_test(environment_arms_and_its_error_names_it),
		fault_test(misspelt_names_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
