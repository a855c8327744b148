/*
 * Robson's bounds, held against games that are small enough to be played out.
 *
 * A heap is a row of cells. One player takes and gives blocks in any order, so long as
 * no more than `live` cells are taken; the other places them, and loses when it cannot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zerog/plan.h>

#define CELL_BITS 3
#define CELL_GOES_ON 7U /* a cell of a block, not its first; a first one holds the block's size */
#define POSITIONS_MAX 2000000
#define HEAP_MAX 20

struct game {
	unsigned int heap; /* cells */
	unsigned int live; /* cells */
	unsigned int size_max; /* cells */
	bool has_powers_only; /* blocks of 1, 2, 4, ... cells */
};

static uint64_t positions[POSITIONS_MAX];
static bool is_lost[POSITIONS_MAX];
static size_t position_count;

static bool is_size(const struct game *game, unsigned int size)
{
	return !game->has_powers_only || (size & (size - 1)) == 0;
}

static unsigned int cell_at(uint64_t position, unsigned int cell)
{
	return (unsigned int)(position >> (CELL_BITS * cell)) & 7U;
}

static uint64_t with_block(uint64_t position, unsigned int cell, unsigned int size)
{
	position |= (uint64_t)size << (CELL_BITS * cell);
	for (unsigned int next = 1; next < size; next++)
		position |= (uint64_t)CELL_GOES_ON << (CELL_BITS * (cell + next));
	return position;
}

static uint64_t without_block(uint64_t position, unsigned int cell)
{
	unsigned int size = cell_at(position, cell);

	return position & ~(((UINT64_C(1) << (CELL_BITS * size)) - 1) << (CELL_BITS * cell));
}

static bool has_room(uint64_t position, unsigned int cell, unsigned int size)
{
	for (unsigned int next = 0; next < size; next++)
		if (cell_at(position, cell + next) != 0)
			return false;
	return true;
}

static unsigned int live_cells(uint64_t position)
{
	unsigned int live = 0;

	for (unsigned int cell = 0; cell < HEAP_MAX; cell++)
		live += cell_at(position, cell) != 0;
	return live;
}

/* Every position there can be, in order. */
static void list_positions(const struct game *game, uint64_t position, unsigned int cell,
			   unsigned int live)
{
	if (cell == game->heap) {
		assert_true(position_count < POSITIONS_MAX);
		positions[position_count++] = position;
		return;
	}
	list_positions(game, position, cell + 1, live);
	for (unsigned int size = 1; size <= game->size_max; size++)
		if (is_size(game, size) && cell + size <= game->heap && live + size <= game->live)
			list_positions(game, with_block(position, cell, size), cell + size,
				       live + size);
}

static int compare(const void *a, const void *b)
{
	const uint64_t *left = a;
	const uint64_t *right = b;

	return (*left > *right) - (*left < *right);
}

static size_t find(uint64_t position)
{
	const uint64_t *found =
		bsearch(&position, positions, position_count, sizeof(position), compare);

	assert_non_null(found);
	return (size_t)(found - positions);
}

/* A take is lost when every place for it leads to a lost position. */
static bool take_is_lost(const struct game *game, uint64_t position, unsigned int size)
{
	for (unsigned int cell = 0; cell + size <= game->heap; cell++)
		if (has_room(position, cell, size) &&
		    !is_lost[find(with_block(position, cell, size))])
			return false;
	return true;
}

static bool move_loses(const struct game *game, uint64_t position)
{
	unsigned int live = live_cells(position);

	for (unsigned int cell = 0; cell < game->heap; cell++) {
		unsigned int size = cell_at(position, cell);

		if (size != 0 && size != CELL_GOES_ON &&
		    is_lost[find(without_block(position, cell))])
			return true;
	}
	for (unsigned int size = 1; size <= game->size_max; size++)
		if (is_size(game, size) && live + size <= game->live &&
		    take_is_lost(game, position, size))
			return true;
	return false;
}

/* Does the best of all allocators hold out in a heap of this size? */
static bool best_holds_out(const struct game *game)
{
	bool has_changed = true;

	position_count = 0;
	list_positions(game, 0, 0, 0);
	qsort(positions, position_count, sizeof(positions[0]), compare);
	memset(is_lost, 0, sizeof(is_lost));
	while (has_changed) {
		has_changed = false;
		for (size_t index = 0; index < position_count; index++) {
			if (is_lost[index] || !move_loses(game, positions[index]))
				continue;
			is_lost[index] = true;
			has_changed = true;
		}
	}
	return !is_lost[find(0)];
}

static unsigned int least_heap(struct game game)
{
	game.heap = game.live;
	while (!best_holds_out(&game))
		game.heap++;
	return game.heap;
}

/* The cells that first fit has ever used, over every order of takes and gives: a walk over all that
 * can be reached. Where it is aligned, a block begins at a multiple of its size. */
static unsigned int first_fit_heap(const struct game *game, bool is_aligned)
{
	static uint64_t seen[1U << 22];
	unsigned int used = 0;
	size_t todo = 0;

	memset(seen, 0xff, sizeof(seen));
	position_count = 0;
	positions[position_count++] = 0;
	while (todo < position_count) {
		uint64_t position = positions[todo++];
		unsigned int live = live_cells(position);

		for (unsigned int move = 0; move < HEAP_MAX + game->size_max; move++) {
			unsigned int size =
				move < HEAP_MAX ? cell_at(position, move) : move - HEAP_MAX + 1;
			unsigned int cell = 0;
			uint64_t next;
			size_t slot;

			if (move < HEAP_MAX) {
				if (size == 0 || size == CELL_GOES_ON)
					continue;
				next = without_block(position, move);
			} else {
				if (!is_size(game, size) || live + size > game->live)
					continue;
				while (!has_room(position, cell, size))
					cell += is_aligned ? size : 1;
				assert_true(cell + size <= HEAP_MAX);
				if (cell + size > used)
					used = cell + size;
				next = with_block(position, cell, size);
			}
			slot = (next * UINT64_C(0x9e3779b97f4a7c15)) >> 42;
			while (seen[slot] != UINT64_MAX && seen[slot] != next)
				slot = (slot + 1) & ((1U << 22) - 1);
			if (seen[slot] == next)
				continue;
			seen[slot] = next;
			assert_true(position_count < POSITIONS_MAX);
			positions[position_count++] = next;
		}
	}
	return used;
}

/* live, size_max: where the first is a multiple of the second, and that a power of two. */
static const struct game exact_games[] = {
	{.live = 2, .size_max = 1}, {.live = 2, .size_max = 2}, {.live = 4, .size_max = 2},
	{.live = 6, .size_max = 2}, {.live = 8, .size_max = 2}, {.live = 4, .size_max = 4},
	{.live = 8, .size_max = 4},
};

#define EXACT_GAME_COUNT (sizeof(exact_games) / sizeof(exact_games[0]))

static void the_bound_is_the_least_heap_of_the_best_allocator(void **state)
{
	(void)state;
	for (size_t index = 0; index < EXACT_GAME_COUNT; index++) {
		struct game game = exact_games[index];

		game.has_powers_only = true;
		assert_int_equal(least_heap(game),
				 zg_plan_robson_bound(game.live, 1, game.size_max));
	}
}

static void the_bound_is_enough_where_live_is_no_multiple(void **state)
{
	(void)state;
	for (unsigned int live = 1; live <= 8; live++) {
		struct game game = {.live = live, .size_max = 4, .has_powers_only = true};

		assert_true(least_heap(game) <= zg_plan_robson_bound(live, 1, 4));
	}
}

static void first_fit_at_multiples_needs_hardly_more(void **state)
{
	(void)state;
	for (size_t index = 0; index < EXACT_GAME_COUNT; index++) {
		struct game game = exact_games[index];

		game.has_powers_only = true;
		assert_true(first_fit_heap(&game, true) <=
			    zg_plan_robson_bound(game.live, 1, game.size_max) + game.size_max - 1);
	}
}

static void plain_first_fit_keeps_to_its_own_bound_for_any_sizes(void **state)
{
	(void)state;
	for (unsigned int live = 1; live <= 7; live++)
		for (unsigned int size_max = 1; size_max <= 4 && size_max <= live; size_max++) {
			struct game game = {.live = live, .size_max = size_max};

			assert_true(first_fit_heap(&game, false) <=
				    zg_plan_first_fit_bound(live, 1, size_max));
		}
}

static void other_sizes_need_no_less_and_no_more_than_for_twice_as_much(void **state)
{
	(void)state;
	for (unsigned int live = 4; live <= 8; live += 4) {
		struct game game = {.live = live, .size_max = 4};
		unsigned int least = least_heap(game);

		assert_true(least >= zg_plan_robson_bound(live, 1, 4));
		assert_true(least <= zg_plan_robson_bound(2 * live, 1, 4));
	}
}

static void bounds_scale_with_the_unit(void **state)
{
	(void)state;
	assert_int_equal(zg_plan_robson_bound(8 * 16, 16, 4 * 16), 13 * 16);
	/* 1 MiB in blocks of 16 bytes to 64 KiB: n = 4096, so that M is taken seven times. */
	assert_int_equal(zg_plan_robson_bound(1 << 20, 16, 1 << 16),
			 7 * (1 << 20) - (1 << 16) + 16);
	/* What is in between counts as the next power of two. */
	assert_int_equal(zg_plan_robson_bound(1 << 20, 16, (1 << 15) + 1),
			 zg_plan_robson_bound(1 << 20, 16, 1 << 16));
}

static void harmonic_numbers_meet_where_they_are_no_longer_added_up(void **state)
{
	uint64_t added = zg_plan_first_fit_bound(UINT64_C(1) << 40, 1, 4096);
	uint64_t bounded = zg_plan_first_fit_bound(UINT64_C(1) << 40, 1, 4097);

	(void)state;
	/* H(4096) / ln 2 = 12.83292...; the next term adds 1 / 4097 / ln 2. */
	assert_in_range(added, (uint64_t)(12.8329 * 0x1p40), (uint64_t)(12.8330 * 0x1p40));
	assert_in_range(bounded - added, (uint64_t)(0.00035 * 0x1p40),
			(uint64_t)(0.00036 * 0x1p40));
}

static void bounds_past_64_bits_are_the_largest_number(void **state)
{
	(void)state;
	assert_int_equal(zg_plan_robson_bound(UINT64_MAX, 1, 1 << 20), UINT64_MAX);
	assert_int_equal(zg_plan_robson_bound(UINT64_MAX, 1, UINT64_MAX), UINT64_MAX);
	assert_int_equal(zg_plan_robson_bound(UINT64_MAX / 4, 16, 1 << 30), UINT64_MAX);
	assert_int_equal(zg_plan_first_fit_bound(UINT64_MAX, 1, 1 << 20), UINT64_MAX);
}

static enum zg_plan_heap_verdict check(uint64_t size, char *buffer, size_t capacity)
{
	struct zg_plan_heap heap = {
		.size = size, .live_size_max = 1 << 20, .size_min = 16, .size_max = 1 << 16};
	struct zg_text text;

	zg_text_init(&text, buffer, capacity);
	return zg_plan_check_heap(&heap, &text);
}

static void a_heap_is_judged_by_both_bounds(void **state)
{
	const uint64_t least = zg_plan_robson_bound(1 << 20, 16, 1 << 16);
	const uint64_t first_fit = zg_plan_first_fit_bound(1 << 20, 16, 1 << 16);
	const uint64_t rounded = zg_plan_robson_bound(1 << 21, 16, 1 << 16);
	const uint64_t enough = first_fit < rounded ? first_fit : rounded;
	char buffer[512];

	(void)state;
	assert_int_equal(check((1 << 20) - 1, buffer, sizeof(buffer)), ZG_PLAN_HEAP_TOO_SMALL);
	assert_non_null(strstr(buffer, "do not hold"));
	assert_int_equal(check(1 << 20, buffer, sizeof(buffer)), ZG_PLAN_HEAP_BREAKABLE);
	assert_int_equal(check(least - 1, buffer, sizeof(buffer)), ZG_PLAN_HEAP_BREAKABLE);
	assert_non_null(strstr(buffer, "7274512"));
	assert_int_equal(check(least, buffer, sizeof(buffer)), ZG_PLAN_HEAP_UNPROVEN);
	assert_int_equal(check(enough - 1, buffer, sizeof(buffer)), ZG_PLAN_HEAP_UNPROVEN);
	assert_int_equal(check(enough, buffer, sizeof(buffer)), ZG_PLAN_HEAP_SAFE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bound_is_the_least_heap_of_the_best_allocator),
		cmocka_unit_test(the_bound_is_enough_where_live_is_no_multiple),
		cmocka_unit_test(first_fit_at_multiples_needs_hardly_more),
		cmocka_unit_test(plain_first_fit_keeps_to_its_own_bound_for_any_sizes),
		cmocka_unit_test(other_sizes_need_no_less_and_no_more_than_for_twice_as_much),
		cmocka_unit_test(bounds_scale_with_the_unit),
		cmocka_unit_test(harmonic_numbers_meet_where_they_are_no_longer_added_up),
		cmocka_unit_test(bounds_past_64_bits_are_the_largest_number),
		cmocka_unit_test(a_heap_is_judged_by_both_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
