/*
 * Shared pools as one thread after another sees them: handles, the edges of what is
 * free, threads that come and go. What happens at the same time is tested in
 * shared_pool_threads_test.c and, step by step, in shared_pool_model_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdalign.h>

#include <zerog/fault.h>
#include <zerog/leaks.h>
#include <zerog/shared_pool.h>

#include "mem/pool/pool_handle.h"
#include "mem/pool/shared_pool_inside.h"
#include "mem/pool/track.h"

#define BLOCK_SIZE 96 /* rounded up to two lines */
#define BLOCK_COUNT 64
#define THREADS_MAX 3
#define BATCH_COUNT 4

static alignas(ZG_POOL_ALIGNMENT) unsigned char memory[64 * 1024];

static struct zg_shared_pool_options options_for(uint32_t block_count, uint32_t batch_count)
{
	return (struct zg_shared_pool_options){
		.name = "test",
		.memory = memory,
		.memory_size = sizeof(memory),
		.block_size = BLOCK_SIZE,
		.block_count = block_count,
		.threads_max = THREADS_MAX,
		.batch_count = batch_count,
		.tag = 7,
	};
}

static struct zg_shared_pool_cache *start(struct zg_shared_pool *pool)
{
	struct zg_shared_pool_options options = options_for(BLOCK_COUNT, BATCH_COUNT);
	struct zg_shared_pool_cache *cache;

	zgi_handles_forget();
	assert_int_equal(zg_shared_pool_init(pool, &options), 0);
	assert_int_equal(zg_shared_pool_attach(pool, &cache), 0);
	return cache;
}

static zg_handle take(struct zg_shared_pool_cache *cache)
{
	zg_handle handle;

	assert_int_equal(zg_shared_pool_take(cache, &handle, NULL), 0);
	return handle;
}

static struct zg_shared_pool_counts counts_of(const struct zg_shared_pool *pool)
{
	struct zg_shared_pool_counts counts;

	zg_shared_pool_counts(pool, &counts);
	return counts;
}

/* Run a function on a thread of its own, to its end. */
static void on_another_thread(void *(*function)(void *), void *argument)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, function, argument), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void memory_size_counts_every_part(void **state)
{
	struct zg_shared_pool_options options = options_for(BLOCK_COUNT, BATCH_COUNT);
	size_t size;

	(void)state;
	/* Slots, caches of two lines, 16 filled magazines and 4 a thread, of a line each, blocks.
	 */
	size = BLOCK_COUNT * 8 + THREADS_MAX * 128 + (16 + 4 * THREADS_MAX) * 64 +
	       BLOCK_COUNT * 128;
	if (!zg_pool_tracks_all())
		assert_int_equal(zg_shared_pool_memory_size(&options), size);
	options.is_tracked = true;
	assert_int_equal(zg_shared_pool_memory_size(&options), size + BLOCK_COUNT * 24);
}

static void memory_size_out_of_range_is_zero(void **state)
{
	struct zg_shared_pool_options options = options_for(BLOCK_COUNT, BATCH_COUNT);

	(void)state;
	options.block_size = 0;
	assert_int_equal(zg_shared_pool_memory_size(&options), 0);
	options.block_size = SIZE_MAX / 2;
	assert_int_equal(zg_shared_pool_memory_size(&options), 0);
	options = options_for(0, BATCH_COUNT);
	assert_int_equal(zg_shared_pool_memory_size(&options), 0);
	options = options_for(ZG_POOL_BLOCKS_MAX + 1, BATCH_COUNT);
	assert_int_equal(zg_shared_pool_memory_size(&options), 0);
	options = options_for(BLOCK_COUNT, ZG_SHARED_POOL_BATCH_MAX + 1);
	assert_int_equal(zg_shared_pool_memory_size(&options), 0);
	options = options_for(BLOCK_COUNT, BATCH_COUNT);
	options.threads_max = 0;
	assert_int_equal(zg_shared_pool_memory_size(&options), 0);
	options.threads_max = ZG_SHARED_POOL_THREADS_MAX + 1;
	assert_int_equal(zg_shared_pool_memory_size(&options), 0);
}

static void init_refuses_options_out_of_range(void **state)
{
	const struct zg_shared_pool_options good = {
		.memory = memory,
		.memory_size = 4096,
		.block_size = 1,
		.block_count = 2,
		.threads_max = 1,
		.index_first = ZG_POOL_BLOCKS_MAX - 2,
		.tag = 255,
	};
	struct zg_shared_pool_options bad = good;
	struct zg_shared_pool pool;

	(void)state;
	assert_int_equal(zg_shared_pool_init(&pool, &good), 0);
	zg_shared_pool_fini(&pool);
	bad = good;
	bad.memory = memory + 8;
	assert_int_equal(zg_shared_pool_init(&pool, &bad), -EINVAL);
	bad = good;
	bad.memory_size = zg_shared_pool_memory_size(&good) - 1;
	assert_int_equal(zg_shared_pool_init(&pool, &bad), -EINVAL);
	bad = good;
	bad.index_first += 1;
	assert_int_equal(zg_shared_pool_init(&pool, &bad), -EINVAL);
	bad = good;
	bad.block_count = 0;
	assert_int_equal(zg_shared_pool_init(&pool, &bad), -EINVAL);
}

/* The caches of all threads keep half of the blocks at the most, if nothing else is asked for. */
static void batch_is_chosen_by_what_there_is(void **state)
{
	struct zg_shared_pool_options options = options_for(BLOCK_COUNT, 0);
	struct zg_shared_pool pool;

	(void)state;
	assert_int_equal(zg_shared_pool_init(&pool, &options), 0);
	assert_int_equal(pool.batch_count, BLOCK_COUNT / 2 / (2 * THREADS_MAX));
	zg_shared_pool_fini(&pool);
	options.block_count = 2;
	assert_int_equal(zg_shared_pool_init(&pool, &options), 0);
	assert_int_equal(pool.batch_count, 1);
	zg_shared_pool_fini(&pool);
}

static void blocks_are_aligned_apart_and_inside(void **state)
{
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache = start(&pool);
	unsigned char *blocks[BLOCK_COUNT];

	(void)state;
	for (size_t i = 0; i < BLOCK_COUNT; ++i) {
		zg_handle handle;
		void *block;

		assert_int_equal(zg_shared_pool_take(cache, &handle, &block), 0);
		assert_int_equal((uintptr_t)block % ZG_POOL_ALIGNMENT, 0);
		assert_ptr_equal(zg_shared_pool_get(&pool, handle), block);
		blocks[i] = block;
		assert_true(blocks[i] >= memory &&
			    blocks[i] + BLOCK_SIZE <= memory + sizeof(memory));
		memset(block, (int)i, BLOCK_SIZE);
	}
	for (size_t i = 0; i < BLOCK_COUNT; ++i) {
		for (size_t j = 0; j < BLOCK_SIZE; ++j)
			assert_int_equal(blocks[i][j], i);
	}
	zg_shared_pool_fini(&pool);
}

static void pool_that_is_all_taken_refuses_and_counts(void **state)
{
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache = start(&pool);
	zg_handle handle = {42};
	void *block = &pool;

	(void)state;
	for (int i = 0; i < BLOCK_COUNT; ++i)
		(void)take(cache);
	assert_int_equal(zg_shared_pool_take(cache, &handle, &block), -ENOMEM);
	assert_int_equal(handle.bits, 42);
	assert_ptr_equal(block, &pool);
	assert_int_equal(counts_of(&pool).refuse_count, 1);
	assert_int_equal(counts_of(&pool).take_count, BLOCK_COUNT);
	assert_int_equal(counts_of(&pool).taken_count, BLOCK_COUNT);
	zg_shared_pool_fini(&pool);
}

static void block_given_last_is_taken_first(void **state)
{
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache = start(&pool);
	zg_handle first = take(cache);
	zg_handle second = take(cache);

	(void)state;
	assert_int_equal(zg_shared_pool_give(cache, second), 0);
	assert_int_equal(zg_shared_pool_give(cache, first), 0);
	assert_int_equal(zg_handle_index(take(cache)), zg_handle_index(first));
	assert_int_equal(zg_handle_index(take(cache)), zg_handle_index(second));
	zg_shared_pool_fini(&pool);
}

static void double_give_is_caught(void **state)
{
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache = start(&pool);
	zg_handle handle = take(cache);

	(void)state;
	assert_int_equal(zg_shared_pool_give(cache, handle), 0);
	assert_int_equal(zg_shared_pool_give(cache, handle), -ESTALE);
	assert_null(zg_shared_pool_get(&pool, handle));
	assert_int_equal(counts_of(&pool).misuse_count, 2);
	assert_int_equal(counts_of(&pool).free_count, BLOCK_COUNT);
	zg_shared_pool_fini(&pool);
}

static void stale_handle_of_a_block_taken_again_is_caught(void **state)
{
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache = start(&pool);
	zg_handle stale = take(cache);
	zg_handle fresh;

	(void)state;
	assert_int_equal(zg_shared_pool_give(cache, stale), 0);
	fresh = take(cache);
	assert_int_equal(zg_handle_index(stale), zg_handle_index(fresh));
	assert_int_equal(zg_shared_pool_give(cache, stale), -ESTALE);
	assert_null(zg_shared_pool_get(&pool, stale));
	assert_non_null(zg_shared_pool_get(&pool, fresh));
	zg_shared_pool_fini(&pool);
}

static void invented_handles_are_refused(void **state)
{
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache = start(&pool);
	zg_handle handle = take(cache);
	zg_handle invented;

	(void)state;
	assert_int_equal(zg_shared_pool_give(cache, ZG_HANDLE_NONE), -EINVAL);
	assert_int_equal(zg_shared_pool_give(cache, (zg_handle){UINT64_MAX}), -EINVAL);
	invented.bits = handle.bits + 1; /* a generation to come */
	assert_int_equal(zg_shared_pool_give(cache, invented), -EINVAL);
	invented.bits = handle.bits - 1; /* generation 0, which none has */
	assert_int_equal(zg_shared_pool_give(cache, invented), -EINVAL);
	invented.bits = handle.bits + (UINT64_C(1) << 36); /* a block not yet taken */
	assert_int_equal(zg_shared_pool_give(cache, invented), -EINVAL);
	invented.bits = handle.bits + ((uint64_t)BLOCK_COUNT << 36); /* past the last block */
	assert_int_equal(zg_shared_pool_give(cache, invented), -EINVAL);
	invented.bits = handle.bits ^ (UINT64_C(1) << 56); /* another pool's tag */
	assert_int_equal(zg_shared_pool_give(cache, invented), -EINVAL);
	assert_int_equal(counts_of(&pool).misuse_count, 7);
	assert_int_equal(zg_shared_pool_give(cache, handle), 0);
	zg_shared_pool_fini(&pool);
}

/* What a slot holds while nobody has its block is no handle, in whichever state. */
static void bits_of_a_free_slot_are_no_handle(void **state)
{
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache = start(&pool);

	(void)state;
	for (uint64_t index = 0; index < BLOCK_COUNT; ++index) {
		zg_handle handle = {index << 36 | 1};

		assert_null(zg_shared_pool_get(&pool, handle));
		assert_int_equal(zg_shared_pool_give(cache, handle), -EINVAL);
	}
	assert_int_equal(counts_of(&pool).free_count, BLOCK_COUNT);
	zg_shared_pool_fini(&pool);
}

static void walk_finds_the_taken_blocks_in_order(void **state)
{
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache = start(&pool);
	zg_handle handles[3];
	zg_handle found;
	uint32_t cursor = 0;
	void *block;

	(void)state;
	for (size_t i = 0; i < 3; ++i)
		handles[i] = take(cache);
	assert_int_equal(zg_shared_pool_give(cache, handles[1]), 0);
	assert_int_equal(zg_shared_pool_next(&pool, &cursor, &found, &block), 1);
	assert_int_equal(found.bits, handles[0].bits);
	assert_ptr_equal(block, zg_shared_pool_get(&pool, found));
	assert_int_equal(zg_shared_pool_next(&pool, &cursor, &found, NULL), 1);
	assert_int_equal(found.bits, handles[2].bits);
	assert_int_equal(zg_shared_pool_next(&pool, &cursor, &found, NULL), 0);
	zg_shared_pool_fini(&pool);
}

/* The low-water mark counts the depot only: a cache's two batches may be in use next. */
static void low_water_mark_is_what_was_always_in_the_depot(void **state)
{
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache = start(&pool);
	zg_handle handles[BATCH_COUNT + 1];

	(void)state;
	assert_int_equal(counts_of(&pool).free_count_low, BLOCK_COUNT);
	for (size_t i = 0; i < BATCH_COUNT + 1; ++i)
		handles[i] = take(cache);
	for (size_t i = 0; i < BATCH_COUNT + 1; ++i)
		assert_int_equal(zg_shared_pool_give(cache, handles[i]), 0);
	assert_int_equal(counts_of(&pool).free_count, BLOCK_COUNT);
	assert_int_equal(counts_of(&pool).free_count_low, BLOCK_COUNT - 2 * BATCH_COUNT);
	zg_shared_pool_fini(&pool);
}

static void attaching_again_is_the_same_cache(void **state)
{
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache = start(&pool);
	struct zg_shared_pool_cache *again;

	(void)state;
	assert_int_equal(zg_shared_pool_attach(&pool, &again), 0);
	assert_ptr_equal(again, cache);
	assert_int_equal(counts_of(&pool).attached_count, 1);
	zg_shared_pool_fini(&pool);
}

struct visit {
	struct zg_shared_pool *pool;
	struct zg_shared_pool_cache *cache;
	zg_handle handles[BLOCK_COUNT];
	uint32_t count; /* blocks to take, or taken */
	int result;
	bool detaches;
};

static void *visit_takes(void *argument)
{
	struct visit *visit = argument;

	visit->result = zg_shared_pool_attach(visit->pool, &visit->cache);
	for (uint32_t i = 0; visit->result == 0 && i < visit->count; ++i)
		visit->result = zg_shared_pool_take(visit->cache, &visit->handles[i], NULL);
	return NULL;
}

static void *visit_gives(void *argument)
{
	struct visit *visit = argument;

	visit->result = zg_shared_pool_attach(visit->pool, &visit->cache);
	for (uint32_t i = 0; visit->result == 0 && i < visit->count; ++i)
		visit->result = zg_shared_pool_give(visit->cache, visit->handles[i]);
	if (visit->detaches)
		zg_shared_pool_detach(visit->cache);
	return NULL;
}

static void block_is_given_by_another_thread(void **state)
{
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache = start(&pool);
	struct visit visit = {.pool = &pool, .count = 1, .handles = {take(cache)}};

	(void)state;
	on_another_thread(visit_gives, &visit);
	assert_int_equal(visit.result, 0);
	assert_int_equal(zg_shared_pool_give(cache, visit.handles[0]), -ESTALE);
	assert_int_equal(counts_of(&pool).free_count, BLOCK_COUNT);
	zg_shared_pool_fini(&pool);
}

/* Another thread has filled its cache; this one can have every block all the same. */
static void check_nothing_is_lost(bool detaches)
{
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache = start(&pool);
	struct visit visit = {.pool = &pool, .count = BLOCK_COUNT, .detaches = detaches};

	for (uint32_t i = 0; i < BLOCK_COUNT; ++i)
		visit.handles[i] = take(cache);
	on_another_thread(visit_gives, &visit);
	assert_int_equal(visit.result, 0);
	assert_int_equal(counts_of(&pool).attached_count, 1);
	for (uint32_t i = 0; i < BLOCK_COUNT; ++i)
		visit.handles[i] = take(cache);
	assert_int_equal(zg_shared_pool_take(cache, &visit.handles[0], NULL), -ENOMEM);
	/* What was left in the loaded magazine; the filled one went to the depot. */
	assert_int_equal(counts_of(&pool).steal_count, BATCH_COUNT);
	zg_shared_pool_fini(&pool);
}

static void nothing_is_lost_when_a_thread_detaches(void **state)
{
	(void)state;
	check_nothing_is_lost(true);
}

static void nothing_is_lost_when_a_thread_ends(void **state)
{
	(void)state;
	check_nothing_is_lost(false);
}

static void blocks_of_a_thread_that_ended_stay_taken(void **state)
{
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache = start(&pool);
	struct visit visit = {.pool = &pool, .count = 5};

	(void)state;
	on_another_thread(visit_takes, &visit);
	assert_int_equal(visit.result, 0);
	assert_int_equal(counts_of(&pool).taken_count, 5);
	for (uint32_t i = 0; i < 5; ++i)
		assert_int_equal(zg_shared_pool_give(cache, visit.handles[i]), 0);
	zg_shared_pool_fini(&pool);
}

static void *visit_takes_everything(void *argument)
{
	struct visit *visit = argument;
	struct zg_shared_pool_cache *mine;
	zg_handle handle;

	visit->result = zg_shared_pool_attach(visit->pool, &mine);
	for (visit->count = 0; visit->result == 0; ++visit->count)
		visit->result = zg_shared_pool_take(mine, &handle, NULL);
	--visit->count;
	return NULL;
}

/* A thread that is attached and idle keeps nothing from the others. */
static void idle_cache_is_stolen_from_before_a_refusal(void **state)
{
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache = start(&pool);
	struct visit visit = {.pool = &pool};
	zg_handle handles[2 * BATCH_COUNT];

	(void)state;
	for (size_t i = 0; i < 2 * BATCH_COUNT; ++i)
		handles[i] = take(cache);
	for (size_t i = 0; i < 2 * BATCH_COUNT; ++i)
		assert_int_equal(zg_shared_pool_give(cache, handles[i]), 0);
	on_another_thread(visit_takes_everything, &visit);
	assert_int_equal(visit.result, -ENOMEM);
	assert_int_equal(visit.count, BLOCK_COUNT);
	assert_int_equal(counts_of(&pool).steal_count, 2 * BATCH_COUNT);
	assert_int_equal(zg_shared_pool_take(cache, &handles[0], NULL), -ENOMEM);
	zg_shared_pool_fini(&pool);
}

static void stealing_works_without_the_kernels_barrier(void **state)
{
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache = start(&pool);
	struct visit visit = {.pool = &pool};
	zg_handle handle = take(cache);

	(void)state;
	pool.has_barrier = false;
	assert_int_equal(zg_shared_pool_give(cache, handle), 0);
	on_another_thread(visit_takes_everything, &visit);
	assert_int_equal(visit.result, -ENOMEM);
	assert_int_equal(visit.count, BLOCK_COUNT);
	zg_shared_pool_fini(&pool);
}

/* When every magazine is filled the hint is dropped, and the slots alone know of the block. */
static void block_without_a_hint_is_found(void **state)
{
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache = start(&pool);
	zg_handle handles[BLOCK_COUNT];

	(void)state;
	for (size_t i = 0; i < BLOCK_COUNT; ++i)
		handles[i] = take(cache);
	while (zgi_depot_pop(&pool, &pool.empty) != NULL)
		continue;
	for (size_t i = 0; i < BLOCK_COUNT; ++i)
		assert_int_equal(zg_shared_pool_give(cache, handles[i]), 0);
	assert_int_equal(cache->drop_count, BLOCK_COUNT - 2 * BATCH_COUNT);
	for (size_t i = 0; i < BLOCK_COUNT; ++i)
		(void)take(cache);
	assert_int_equal(zg_shared_pool_take(cache, &handles[0], NULL), -ENOMEM);
	zg_shared_pool_fini(&pool);
}

static void *attach_and_tell(void *argument)
{
	struct visit *visit = argument;
	struct zg_shared_pool_cache *cache;

	visit->result = zg_shared_pool_attach(visit->pool, &cache);
	return NULL;
}

static void thread_past_the_limit_is_refused(void **state)
{
	struct zg_shared_pool_options options = options_for(BLOCK_COUNT, BATCH_COUNT);
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache;
	struct visit visit = {.pool = &pool};

	(void)state;
	options.threads_max = 1;
	assert_int_equal(zg_shared_pool_init(&pool, &options), 0);
	assert_int_equal(zg_shared_pool_attach(&pool, &cache), 0);
	on_another_thread(attach_and_tell, &visit);
	assert_int_equal(visit.result, -EUSERS);
	zg_shared_pool_detach(cache);
	on_another_thread(attach_and_tell, &visit);
	assert_int_equal(visit.result, 0);
	zg_shared_pool_fini(&pool);
}

static void thread_may_be_attached_to_several_pools(void **state)
{
	static alignas(ZG_POOL_ALIGNMENT) unsigned char other_memory[8192];
	struct zg_shared_pool_options options = options_for(2, 1);
	struct zg_shared_pool pool;
	struct zg_shared_pool other;
	struct zg_shared_pool_cache *cache = start(&pool);
	struct zg_shared_pool_cache *other_cache;
	zg_handle handle;

	(void)state;
	options.memory = other_memory;
	options.memory_size = sizeof(other_memory);
	options.tag = 8;
	assert_int_equal(zg_shared_pool_init(&other, &options), 0);
	assert_int_equal(zg_shared_pool_attach(&other, &other_cache), 0);
	assert_ptr_not_equal(other_cache, cache);
	handle = take(other_cache);
	assert_int_equal(zg_shared_pool_give(cache, handle), -EINVAL);
	assert_int_equal(zg_shared_pool_give(other_cache, handle), 0);
	/* The older of the two leaves first. */
	zg_shared_pool_detach(cache);
	zg_shared_pool_fini(&other);
	zg_shared_pool_fini(&pool);
}

static void see_usage(const struct zg_usage *usage, void *user)
{
	if (strcmp(usage->kind, "shared pool") == 0)
		*(struct zg_usage *)user = *usage;
}

static void usage_is_told_while_the_pool_lives(void **state)
{
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache = start(&pool);
	struct zg_shared_pool_options options = options_for(BLOCK_COUNT, BATCH_COUNT);
	struct zg_usage usage = {0};

	(void)state;
	(void)take(cache);
	zg_watch_usage(see_usage, &usage);
	assert_string_equal(usage.name, "test");
	assert_int_equal(usage.live_count, 1);
	assert_int_equal(usage.count_max, BLOCK_COUNT);
	assert_int_equal(usage.live_size, BLOCK_SIZE);
	assert_int_equal(usage.reserved_size, zg_shared_pool_memory_size(&options));
	assert_int_equal(usage.held_size, usage.reserved_size / BLOCK_COUNT);
	zg_shared_pool_fini(&pool);
	usage = (struct zg_usage){0};
	zg_watch_usage(see_usage, &usage);
	assert_null(usage.name);
}

static void fault_makes_a_take_fail(void **state)
{
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache = start(&pool);
	zg_handle handle;

	(void)state;
	assert_int_equal(zg_fault_arm("test", 2, ZG_FAULT_ONCE), 0);
	assert_int_equal(zg_shared_pool_take(cache, &handle, NULL), 0);
	assert_int_equal(zg_shared_pool_take(cache, &handle, NULL), -ENOMEM);
	assert_int_equal(counts_of(&pool).refuse_count, 1);
	assert_int_equal(zg_shared_pool_take(cache, &handle, NULL), 0);
	zg_fault_disarm("test");
	assert_int_equal(pool.is_fault_armed, 0);
	zg_shared_pool_fini(&pool);
}

static struct zg_pool_misuse told;
static int told_count;

static void note_misuse(const struct zg_pool_misuse *misuse)
{
	told = *misuse;
	++told_count;
}

static void hook_is_told_of_each_misuse(void **state)
{
	struct zg_shared_pool_options options = options_for(BLOCK_COUNT, BATCH_COUNT);
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache;
	zg_handle handle;

	(void)state;
	options.is_tracked = true;
	assert_int_equal(zg_shared_pool_init(&pool, &options), 0);
	assert_int_equal(zg_shared_pool_attach(&pool, &cache), 0);
	zg_pool_on_misuse(note_misuse);
	handle = take(cache);
	assert_int_equal(zg_shared_pool_give(cache, handle), 0);
	assert_int_equal(told_count, 0);
	assert_int_equal(zg_shared_pool_give(cache, handle), -ESTALE);
	assert_int_equal(told_count, 1);
	assert_string_equal(told.pool_name, "test");
	assert_int_equal(told.handle.bits, handle.bits);
	assert_int_equal(told.act, ZG_POOL_GIVE);
	assert_int_equal(told.error, -ESTALE);
	assert_non_null(told.site);
	assert_ptr_equal(told.take_site, pool.tracks[0].take_site);
	assert_non_null(told.take_site);
	assert_null(zg_shared_pool_get(&pool, ZG_HANDLE_NONE));
	assert_int_equal(told_count, 2);
	assert_int_equal(told.act, ZG_POOL_GET);
	assert_int_equal(told.error, -EINVAL);
	assert_null(told.take_site);
	zg_pool_on_misuse(NULL);
	zg_shared_pool_fini(&pool);
}

static void leaks_are_told_with_their_sites_where_they_are_tracked(void **state)
{
	struct zg_shared_pool_options options = options_for(BLOCK_COUNT, BATCH_COUNT);
	struct zg_shared_pool pool;
	struct zg_shared_pool_cache *cache;
	char buffer[1024];
	struct zg_text text;

	(void)state;
	for (int i = 0; i < 2; ++i) {
		options.is_tracked = i == 1;
		assert_int_equal(zg_shared_pool_init(&pool, &options), 0);
		assert_int_equal(zg_shared_pool_attach(&pool, &cache), 0);
		zg_text_init(&text, buffer, sizeof(buffer));
		assert_int_equal(zg_leak_report(&text), 0);
		(void)take(cache);
		(void)take(cache);
		zg_text_init(&text, buffer, sizeof(buffer));
		assert_int_equal(zg_leak_report(&text), 2);
		assert_int_equal(strstr(buffer, "shared_pool_test+0x") != NULL,
				 options.is_tracked || zg_pool_tracks_all());
		zg_shared_pool_fini(&pool);
	}
}

static void fini_of_a_zeroed_pool_does_nothing(void **state)
{
	struct zg_shared_pool pool = {0};

	(void)state;
	zg_shared_pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_size_counts_every_part),
		cmocka_unit_test(memory_size_out_of_range_is_zero),
		cmocka_unit_test(init_refuses_options_out_of_range),
		cmocka_unit_test(batch_is_chosen_by_what_there_is),
		cmocka_unit_test(blocks_are_aligned_apart_and_inside),
		cmocka_unit_test(pool_that_is_all_taken_refuses_and_counts),
		cmocka_unit_test(block_given_last_is_taken_first),
		cmocka_unit_test(double_give_is_caught),
		cmocka_unit_test(stale_handle_of_a_block_taken_again_is_caught),
		cmocka_unit_test(invented_handles_are_refused),
		cmocka_unit_test(bits_of_a_free_slot_are_no_handle),
		cmocka_unit_test(walk_finds_the_taken_blocks_in_order),
		cmocka_unit_test(low_water_mark_is_what_was_always_in_the_depot),
		cmocka_unit_test(attaching_again_is_the_same_cache),
		cmocka_unit_test(block_is_given_by_another_thread),
		cmocka_unit_test(nothing_is_lost_when_a_thread_detaches),
		cmocka_unit_test(nothing_is_lost_when_a_thread_ends),
		cmocka_unit_test(blocks_of_a_thread_that_ended_stay_taken),
		cmocka_unit_test(idle_cache_is_stolen_from_before_a_refusal),
		cmocka_unit_test(stealing_works_without_the_kernels_barrier),
		cmocka_unit_test(block_without_a_hint_is_found),
		cmocka_unit_test(thread_past_the_limit_is_refused),
		cmocka_unit_test(thread_may_be_attached_to_several_pools),
		cmocka_unit_test(usage_is_told_while_the_pool_lives),
		cmocka_unit_test(fault_makes_a_take_fail),
		cmocka_unit_test(hook_is_told_of_each_misuse),
		cmocka_unit_test(leaks_are_told_with_their_sites_where_they_are_tracked),
		cmocka_unit_test(fini_of_a_zeroed_pool_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
