/*
 * Scratch buffers: on the stack while they fit, in the arena when they do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>

#include <zerog/scratch.h>

static alignas(ZG_ARENA_ALIGNMENT) unsigned char memory[1024];

static void start(struct zg_arena *arena)
{
	struct zg_arena_options options = {.memory = memory, .memory_size = sizeof(memory)};

	assert_int_equal(zg_arena_init(arena, &options), 0);
}

static void small_use_stays_on_the_stack(void **state)
{
	uint64_t spills = zg_scratch_spill_count();
	struct zg_arena arena;

	(void)state;
	start(&arena);
	ZG_SCRATCH(line, 64, &arena);
	assert_int_equal(zg_scratch_reserve(&line, 64), 0);
	assert_ptr_equal(line.data, line_stack);
	assert_int_equal(zg_scratch_spill_count(), spills);
	zg_arena_fini(&arena);
}

static void spill_keeps_the_bytes_and_is_counted(void **state)
{
	uint64_t spills = zg_scratch_spill_count();
	struct zg_arena arena;

	(void)state;
	start(&arena);
	ZG_SCRATCH(line, 64, &arena);
	memset(line.data, 'a', 64);
	line.size = 64;
	assert_int_equal(zg_scratch_reserve(&line, 65), 0);
	assert_ptr_not_equal(line.data, line_stack);
	assert_true(line.capacity >= 65);
	assert_int_equal(line.size, 64);
	for (size_t i = 0; i < 64; ++i)
		assert_int_equal(line.data[i], 'a');
	assert_int_equal(zg_scratch_spill_count(), spills + 1);
	zg_arena_fini(&arena);
}

static void spill_doubles_only_where_that_fits(void **state)
{
	struct zg_arena arena;

	(void)state;
	start(&arena);
	ZG_SCRATCH(line, 600, &arena);
	assert_int_equal(zg_scratch_reserve(&line, 601), 0);
	assert_int_equal(line.capacity, 601);
	zg_arena_fini(&arena);
}

static void refused_spill_changes_nothing(void **state)
{
	uint64_t spills = zg_scratch_spill_count();
	struct zg_arena arena;

	(void)state;
	start(&arena);
	ZG_SCRATCH(line, 64, &arena);
	assert_int_equal(zg_scratch_reserve(&line, 2000), -EMSGSIZE);
	assert_ptr_equal(line.data, line_stack);
	assert_int_equal(line.capacity, 64);
	assert_int_equal(zg_scratch_spill_count(), spills);
	zg_arena_fini(&arena);
}

static void scratch_without_arena_never_spills(void **state)
{
	ZG_SCRATCH(line, 64, NULL);

	(void)state;
	assert_int_equal(zg_scratch_reserve(&line, 65), -ENOMEM);
	assert_ptr_equal(line.data, line_stack);
}

static void scratch_in_the_arena_grows_on_and_is_one_spill(void **state)
{
	uint64_t spills = zg_scratch_spill_count();
	struct zg_arena arena;

	(void)state;
	start(&arena);
	ZG_SCRATCH(line, 16, &arena);
	for (size_t size = 0; size < 300; ++size) {
		assert_int_equal(zg_scratch_reserve(&line, size + 1), 0);
		line.data[size] = (unsigned char)size;
		line.size = size + 1;
	}
	for (size_t i = 0; i < 300; ++i)
		assert_int_equal(line.data[i], (unsigned char)i);
	assert_int_equal(zg_scratch_spill_count(), spills + 1);
	/* Alone in its arena, it never had to move. */
	assert_true(arena.cursor - memory <= 512 + 16);
	zg_arena_fini(&arena);
}

static void limit_of_a_declaration_holds_on_both_sides(void **state)
{
	struct zg_arena arena;

	(void)state;
	start(&arena);
	ZG_SCRATCH_LIMITED(line, 64, &arena, 100);
	assert_int_equal(zg_scratch_reserve(&line, 101), -EMSGSIZE);
	assert_ptr_equal(line.data, line_stack);
	assert_int_equal(zg_scratch_reserve(&line, 65), 0);
	/* Not doubled past the limit. */
	assert_int_equal(line.capacity, 100);
	assert_int_equal(zg_scratch_reserve(&line, 100), 0);
	assert_int_equal(zg_scratch_reserve(&line, 101), -EMSGSIZE);
	assert_int_equal(line.capacity, 100);
	zg_arena_fini(&arena);
}

static void limit_of_the_process_holds_where_none_is_declared(void **state)
{
	struct zg_arena arena;

	(void)state;
	start(&arena);
	assert_int_equal(zg_scratch_size_max(), ZG_SCRATCH_SIZE_MAX_DEFAULT);
	zg_scratch_set_size_max(200);
	ZG_SCRATCH(line, 64, &arena);
	ZG_SCRATCH_LIMITED(wide, 64, &arena, 300);
	assert_int_equal(zg_scratch_reserve(&line, 201), -EMSGSIZE);
	assert_int_equal(zg_scratch_reserve(&line, 200), 0);
	assert_int_equal(zg_scratch_reserve(&wide, 201), 0);
	zg_scratch_set_size_max(ZG_SCRATCH_SIZE_MAX_DEFAULT);
	zg_arena_fini(&arena);
}

/* The record of a line of this file. */
struct search {
	uint32_t line;
	uint32_t found_count;
	struct zg_scratch_site site;
};

static void search_visit(const struct zg_scratch_site *site, void *user)
{
	struct search *search = user;

	if (site->line == search->line && strstr(site->file, "scratch_test.c") != NULL) {
		++search->found_count;
		search->site = *site;
	}
}

static struct search find_site(uint32_t line)
{
	struct search search = {.line = line};

	zg_scratch_sites(search_visit, &search);
	return search;
}

static uint32_t site_line;

static int use_site(struct zg_arena *arena, size_t size)
{
	ZG_SCRATCH(site, 32, arena);
	site_line = __LINE__ - 1;
	return zg_scratch_reserve(&site, size);
}

static void site_tells_its_spills_and_what_it_wanted(void **state)
{
	struct zg_arena arena;
	struct search search;

	(void)state;
	start(&arena);
	assert_int_equal(use_site(&arena, 32), 0);
	assert_int_equal(find_site(site_line).found_count, 0);

	assert_int_equal(use_site(&arena, 100), 0);
	assert_int_equal(use_site(&arena, 40), 0);
	assert_int_equal(use_site(&arena, 10000), -EMSGSIZE);
	assert_int_equal(use_site(NULL, 50), -ENOMEM);
	assert_int_equal(use_site(&arena, 20), 0);
	search = find_site(site_line);
	assert_int_equal(search.found_count, 1);
	assert_int_equal(search.site.stack_size, 32);
	assert_int_equal(search.site.spill_count, 2);
	assert_int_equal(search.site.refuse_count, 2);
	assert_int_equal(search.site.wanted_size_max, 10000);
	zg_arena_fini(&arena);
}

#define THREADS 4
#define SPILLS 2000

/* Two sites that all threads reach at the same time. */
static void *spill_often(void *user)
{
	alignas(ZG_ARENA_ALIGNMENT) unsigned char own_memory[512];
	struct zg_arena_options options = {.memory = own_memory, .memory_size = 512};
	struct zg_arena arena;
	uintptr_t failures = 0;

	(void)user;
	failures += zg_arena_init(&arena, &options) != 0;
	for (size_t i = 0; i < SPILLS; ++i) {
		ZG_SCRATCH(one, 16, &arena);
		ZG_SCRATCH(two, 16, &arena);
		failures += zg_scratch_reserve(&one, 17 + i % 100) != 0;
		failures += zg_scratch_reserve(&two, 17) != 0;
		zg_arena_reset(&arena);
	}
	zg_arena_fini(&arena);
	return (void *)failures;
}

static void sum_visit(const struct zg_scratch_site *site, void *user)
{
	uint64_t *counts = user;

	++counts[0];
	counts[1] += site->spill_count;
	if (site->stack_size == 16 && site->wanted_size_max == 116)
		++counts[2];
}

static void sites_are_listed_once_and_count_all_by_many_threads(void **state)
{
	pthread_t threads[THREADS];
	uint64_t before[3] = {0};
	uint64_t after[3] = {0};

	(void)state;
	zg_scratch_sites(sum_visit, before);
	for (size_t i = 0; i < THREADS; ++i)
		assert_int_equal(pthread_create(&threads[i], NULL, spill_often, NULL), 0);
	for (size_t i = 0; i < THREADS; ++i) {
		void *failures = NULL;

		assert_int_equal(pthread_join(threads[i], &failures), 0);
		assert_null(failures);
	}
	zg_scratch_sites(sum_visit, after);
	assert_int_equal(after[0], before[0] + 2);
	assert_int_equal(after[1], before[1] + UINT64_C(2) * THREADS * SPILLS);
	assert_int_equal(after[1], zg_scratch_spill_count());
	assert_int_equal(after[2], before[2] + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_use_stays_on_the_stack),
		cmocka_unit_test(spill_keeps_the_bytes_and_is_counted),
		cmocka_unit_test(spill_doubles_only_where_that_fits),
		cmocka_unit_test(refused_spill_changes_nothing),
		cmocka_unit_test(scratch_without_arena_never_spills),
		cmocka_unit_test(scratch_in_the_arena_grows_on_and_is_one_spill),
		cmocka_unit_test(limit_of_a_declaration_holds_on_both_sides),
		cmocka_unit_test(limit_of_the_process_holds_where_none_is_declared),
		cmocka_unit_test(site_tells_its_spills_and_what_it_wanted),
		cmocka_unit_test(sites_are_listed_once_and_count_all_by_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
