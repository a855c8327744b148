/*
 * What an arena gives, what it takes back, and in which order.
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

#include <zerog/arena.h>

#include "mem/watch/poison.h"

#define CHUNK_SIZE 1024
#define CHUNK_COUNT 4
#define FIRST_SIZE 512

static alignas(ZG_POOL_ALIGNMENT) unsigned char pool_memory[ZG_POOL_MEMORY_SIZE_MAX(CHUNK_SIZE,
										    CHUNK_COUNT)];
static alignas(ZG_ARENA_ALIGNMENT) unsigned char first_memory[FIRST_SIZE];
static struct zg_pool chunks;
static struct zg_arena arena;

static char cleanup_order[16];
static size_t cleanup_count;

static void cleanup_note(void *user)
{
	cleanup_order[cleanup_count++] = *(const char *)user;
}

static int setup(void **state)
{
	struct zg_pool_options pool_options = {
		.name = "chunks",
		.memory = pool_memory,
		.memory_size = sizeof(pool_memory),
		.block_size = CHUNK_SIZE,
		.block_count = CHUNK_COUNT,
		.tag = 2,
	};
	struct zg_arena_options options = {
		.memory = first_memory,
		.memory_size = sizeof(first_memory),
		.chunks = &chunks,
		.chunk_count_max = 3,
	};

	(void)state;
	memset(cleanup_order, 0, sizeof(cleanup_order));
	cleanup_count = 0;
	assert_int_equal(zg_pool_init(&chunks, &pool_options), 0);
	return zg_arena_init(&arena, &options);
}

static int teardown(void **state)
{
	(void)state;
	zg_arena_fini(&arena);
	zg_pool_fini(&chunks);
	return 0;
}

/* Where the ordinary arena puts what it hands out; with mallocs the addresses are their own. */
static void assert_place(const unsigned char *memory, const unsigned char *place)
{
	if (!zg_arena_is_malloc())
		assert_ptr_equal(memory, place);
}

static unsigned char *alloc(size_t size)
{
	void *memory;

	assert_int_equal(zg_arena_alloc(&arena, size, &memory), 0);
	return memory;
}

static void allocations_are_aligned_and_apart(void **state)
{
	unsigned char *blocks[8];

	(void)state;
	for (size_t i = 0; i < 8; ++i) {
		blocks[i] = alloc(i + 1);
		assert_int_equal((uintptr_t)blocks[i] % ZG_ARENA_ALIGNMENT, 0);
		memset(blocks[i], (int)i, i + 1);
	}
	for (size_t i = 0; i < 8; ++i)
		assert_int_equal(blocks[i][i], i);
}

static void whole_first_memory_can_be_had(void **state)
{
	(void)state;
	assert_place(alloc(FIRST_SIZE), first_memory);
	assert_int_equal(arena.chunk_count, 0);
}

static void full_memory_goes_on_in_a_chunk(void **state)
{
	unsigned char *memory;

	(void)state;
	(void)alloc(FIRST_SIZE);
	memory = alloc(100);
	if (!zg_arena_is_malloc())
		assert_true(memory >= pool_memory && memory < pool_memory + sizeof(pool_memory));
	assert_int_equal((uintptr_t)memory % ZG_ARENA_ALIGNMENT, 0);
	assert_int_equal(arena.chunk_count, 1);
	assert_int_equal(chunks.free_count, CHUNK_COUNT - 1);
}

static void payload_of_a_chunk_can_be_had_and_no_more(void **state)
{
	size_t payload = zg_arena_chunk_payload(CHUNK_SIZE);
	void *memory;

	(void)state;
	memset(alloc(payload), 1, payload);
	assert_int_equal(zg_arena_alloc(&arena, payload + 1, &memory), -EMSGSIZE);
	assert_int_equal(zg_arena_alloc(&arena, SIZE_MAX, &memory), -EMSGSIZE);
	assert_int_equal(zg_arena_alloc(&arena, SIZE_MAX - 7, &memory), -EMSGSIZE);
	assert_int_equal(arena.refuse_count, 3);
}

static void chunk_limit_of_the_arena_holds(void **state)
{
	size_t payload = zg_arena_chunk_payload(CHUNK_SIZE);
	void *memory = &arena;

	(void)state;
	for (int i = 0; i < 3; ++i)
		(void)alloc(payload);
	assert_int_equal(zg_arena_alloc(&arena, payload, &memory), -ENOMEM);
	assert_ptr_equal(memory, &arena);
	assert_int_equal(chunks.free_count, 1);
}

static void empty_chunk_pool_refuses(void **state)
{
	zg_handle handles[CHUNK_COUNT];
	void *memory;

	(void)state;
	for (size_t i = 0; i < CHUNK_COUNT; ++i)
		assert_int_equal(zg_pool_take(&chunks, &handles[i], NULL), 0);
	(void)alloc(FIRST_SIZE);
	assert_int_equal(zg_arena_alloc(&arena, 1, &memory), -ENOMEM);
	assert_int_equal(zg_arena_on_reset(&arena, cleanup_note, NULL), -ENOMEM);
	assert_int_equal(arena.chunk_count, 0);
}

static void arena_without_pool_tells_too_large_from_full(void **state)
{
	struct zg_arena_options options = {.memory = first_memory, .memory_size = FIRST_SIZE};
	struct zg_arena small;
	void *memory;

	(void)state;
	zg_arena_fini(&arena);
	assert_int_equal(zg_arena_init(&small, &options), 0);
	assert_int_equal(zg_arena_alloc(&small, FIRST_SIZE + 1, &memory), -EMSGSIZE);
	assert_int_equal(zg_arena_alloc(&small, FIRST_SIZE / 2, &memory), 0);
	assert_int_equal(zg_arena_alloc(&small, FIRST_SIZE, &memory), -ENOMEM);
	zg_arena_fini(&small);
}

static void arena_without_first_memory_lives_in_chunks(void **state)
{
	struct zg_arena_options options = {.chunks = &chunks, .chunk_count_max = 1};
	struct zg_arena lean;
	void *memory = NULL;

	(void)state;
	assert_int_equal(zg_arena_init(&lean, &options), 0);
	assert_int_equal(zg_arena_alloc(&lean, 0, &memory), 0);
	assert_non_null(memory);
	assert_int_equal(lean.chunk_count, 1);
	zg_arena_reset(&lean);
	assert_int_equal(chunks.free_count, CHUNK_COUNT);
	assert_int_equal(zg_arena_alloc(&lean, 10, &memory), 0);
	zg_arena_fini(&lean);
	assert_int_equal(chunks.free_count, CHUNK_COUNT);
}

static void init_refuses_no_memory_and_misaligned_memory(void **state)
{
	struct zg_arena_options nothing = {0};
	struct zg_arena_options crooked = {.memory = first_memory + 8, .memory_size = 64};
	struct zg_arena_options no_chunks = {.chunks = &chunks};
	struct zg_arena_options tiny = {.memory = first_memory, .memory_size = 15};
	struct zg_arena other;

	(void)state;
	assert_int_equal(zg_arena_init(&other, &nothing), -EINVAL);
	assert_int_equal(zg_arena_init(&other, &crooked), -EINVAL);
	assert_int_equal(zg_arena_init(&other, &no_chunks), -EINVAL);
	assert_int_equal(zg_arena_init(&other, &tiny), -EINVAL);
}

static void reset_gives_all_back(void **state)
{
	(void)state;
	(void)alloc(FIRST_SIZE);
	(void)alloc(900);
	(void)alloc(900);
	assert_int_equal(chunks.free_count, CHUNK_COUNT - 2);
	zg_arena_reset(&arena);
	assert_int_equal(chunks.free_count, CHUNK_COUNT);
	assert_int_equal(arena.chunk_count, 0);
	assert_place(alloc(1), first_memory);
}

static void restore_takes_back_what_came_after_the_savepoint(void **state)
{
	struct zg_arena_savepoint savepoint;
	unsigned char *kept = alloc(16);
	unsigned char *again;

	(void)state;
	memset(kept, 7, 16);
	savepoint = zg_arena_save(&arena);
	again = alloc(16);
	(void)alloc(900);
	(void)alloc(900);
	zg_arena_restore(&arena, savepoint);
	assert_int_equal(chunks.free_count, CHUNK_COUNT);
	assert_int_equal(kept[15], 7);
	assert_place(alloc(16), again);
}

static void restore_keeps_the_chunk_of_the_savepoint(void **state)
{
	struct zg_arena_savepoint savepoint;
	unsigned char *kept;
	unsigned char *again;

	(void)state;
	(void)alloc(FIRST_SIZE);
	kept = alloc(16);
	kept[0] = 9;
	savepoint = zg_arena_save(&arena);
	again = alloc(16);
	(void)alloc(980);
	(void)alloc(980);
	assert_int_equal(arena.chunk_count, 3);
	zg_arena_restore(&arena, savepoint);
	assert_int_equal(arena.chunk_count, 1);
	assert_int_equal(kept[0], 9);
	assert_place(alloc(16), again);
}

static void cleanups_run_latest_first_and_once(void **state)
{
	static char names[] = "abc";

	(void)state;
	for (size_t i = 0; i < 3; ++i)
		assert_int_equal(zg_arena_on_reset(&arena, cleanup_note, &names[i]), 0);
	zg_arena_reset(&arena);
	assert_string_equal(cleanup_order, "cba");
	zg_arena_reset(&arena);
	assert_string_equal(cleanup_order, "cba");
}

static void restore_runs_only_the_cleanups_since(void **state)
{
	static char names[] = "abc";
	struct zg_arena_savepoint savepoint;

	(void)state;
	assert_int_equal(zg_arena_on_reset(&arena, cleanup_note, &names[0]), 0);
	savepoint = zg_arena_save(&arena);
	assert_int_equal(zg_arena_on_reset(&arena, cleanup_note, &names[1]), 0);
	assert_int_equal(zg_arena_on_reset(&arena, cleanup_note, &names[2]), 0);
	zg_arena_restore(&arena, savepoint);
	assert_string_equal(cleanup_order, "cb");
	zg_arena_fini(&arena);
	assert_string_equal(cleanup_order, "cba");
}

static void cleanup_read_memory(void *user)
{
	cleanup_order[cleanup_count++] = *(const char *)user;
}

static void cleanup_may_use_the_memory_that_goes(void **state)
{
	char *text;

	(void)state;
	(void)alloc(FIRST_SIZE);
	text = (char *)alloc(900);
	text[0] = 'x';
	assert_int_equal(zg_arena_on_reset(&arena, cleanup_read_memory, text), 0);
	zg_arena_reset(&arena);
	assert_string_equal(cleanup_order, "x");
}

static void cleanup_work(void *user)
{
	struct zg_arena_savepoint savepoint = zg_arena_save(&arena);

	memset(alloc(900), 'w', 900);
	zg_arena_restore(&arena, savepoint);
	assert_int_equal(zg_arena_on_reset(&arena, cleanup_note, user), 0);
}

static void cleanup_may_allocate_and_register_others_which_run_next(void **state)
{
	static char names[] = "abc";

	(void)state;
	assert_int_equal(zg_arena_on_reset(&arena, cleanup_note, &names[0]), 0);
	assert_int_equal(zg_arena_on_reset(&arena, cleanup_work, &names[1]), 0);
	assert_int_equal(zg_arena_on_reset(&arena, cleanup_note, &names[2]), 0);
	zg_arena_reset(&arena);
	assert_string_equal(cleanup_order, "cba");
	assert_int_equal(arena.chunk_count, 0);
}

static void cleanup_reset(void *user)
{
	zg_arena_reset(&arena);
	cleanup_note(user);
}

static void cleanup_of_a_reset_may_reset(void **state)
{
	static char names[] = "ab";

	(void)state;
	assert_int_equal(zg_arena_on_reset(&arena, cleanup_note, &names[0]), 0);
	assert_int_equal(zg_arena_on_reset(&arena, cleanup_reset, &names[1]), 0);
	zg_arena_reset(&arena);
	assert_string_equal(cleanup_order, "ab");
}

static void memory_is_poisoned_outside_of_allocations(void **state)
{
#ifdef ZGI_HAS_ASAN
	unsigned char *memory = alloc(20);
	unsigned char *next = alloc(16);

	(void)state;
	assert_false(__asan_address_is_poisoned(memory + 19));
	assert_true(__asan_address_is_poisoned(memory + 20));
	assert_true(__asan_address_is_poisoned(next + 16));
	if (!zg_arena_is_malloc())
		assert_true(next - memory >= 20 + 16);
	zg_arena_reset(&arena);
	assert_true(__asan_address_is_poisoned(memory));
	assert_true(__asan_address_is_poisoned(first_memory));
	zg_arena_fini(&arena);
	assert_false(__asan_address_is_poisoned(first_memory));
#else
	(void)state;
	skip();
#endif
}

#define arena_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(allocations_are_aligned_and_apart),
		arena_test(whole_first_memory_can_be_had),
		arena_test(full_memory_goes_on_in_a_chunk),
		arena_test(payload_of_a_chunk_can_be_had_and_no_more),
		arena_test(chunk_limit_of_the_arena_holds),
		arena_test(empty_chunk_pool_refuses),
		arena_test(arena_without_pool_tells_too_large_from_full),
		arena_test(arena_without_first_memory_lives_in_chunks),
		arena_test(init_refuses_no_memory_and_misaligned_memory),
		arena_test(reset_gives_all_back),
		arena_test(restore_takes_back_what_came_after_the_savepoint),
		arena_test(restore_keeps_the_chunk_of_the_savepoint),
		arena_test(cleanups_run_latest_first_and_once),
		arena_test(restore_runs_only_the_cleanups_since),
		arena_test(cleanup_may_use_the_memory_that_goes),
		arena_test(cleanup_may_allocate_and_register_others_which_run_next),
		arena_test(cleanup_of_a_reset_may_reset),
		arena_test(memory_is_poisoned_outside_of_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
