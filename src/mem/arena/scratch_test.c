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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_use_stays_on_the_stack),
		cmocka_unit_test(spill_keeps_the_bytes_and_is_counted),
		cmocka_unit_test(spill_doubles_only_where_that_fits),
		cmocka_unit_test(refused_spill_changes_nothing),
		cmocka_unit_test(scratch_without_arena_never_spills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
