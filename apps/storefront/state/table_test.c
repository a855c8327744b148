/*
 * Table: objects are found by name, stand in order, and can be walked over while they change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdalign.h>

#include "state/table.h"

#define ITEM_COUNT 5

struct item {
	struct shop_object object;
	char name[16];
	uint64_t value;
};

static alignas(ZG_POOL_ALIGNMENT) unsigned char memory[8192];
static struct zg_pool pool;
static struct shop_tables tables;
static struct shop_table table;

static void item_wire(struct shop_wire *wire, struct shop_object *object)
{
	struct item *item = (struct item *)object;

	shop_wire_text(wire, item->name, sizeof(item->name));
	shop_wire_u64(wire, &item->value);
}

static void start(size_t text_offset)
{
	const struct shop_table_options options = {
		.name = "items",
		.pool = &pool,
		.object_size = sizeof(struct item),
		.object_count = ITEM_COUNT,
		.text_offset = text_offset,
		.wire = item_wire,
	};

	assert_true(shop_table_memory_size(&options) <= sizeof(memory));
	memset(memory, 0, sizeof(memory));
	tables = (struct shop_tables){.seed = 7};
	assert_int_equal(shop_table_init(&table, &tables, &options, memory), 0);
}

static struct shop_object *add(uint32_t queue)
{
	struct shop_object *object;

	assert_int_equal(shop_table_add(&table, queue, &object), 0);
	return object;
}

static void ids_are_given_once_and_found(void **state)
{
	struct shop_object *first;
	struct shop_object *second;

	(void)state;
	start(0);
	first = add(0);
	second = add(0);
	assert_int_equal(first->id, 1);
	assert_int_equal(second->id, 2);
	assert_ptr_equal(shop_table_find(&table, 1), first);
	shop_table_remove(&table, first);
	assert_null(shop_table_find(&table, 1));
	assert_ptr_equal(shop_table_find(&table, 2), second);
	assert_int_equal(add(0)->id, 3);
	shop_table_fini(&table);
}

static void a_full_table_refuses_and_counts(void **state)
{
	struct shop_object *object = NULL;

	(void)state;
	start(0);
	for (unsigned index = 0; index < ITEM_COUNT; ++index)
		add(0);
	assert_true(shop_table_is_full(&table));
	assert_int_equal(shop_table_add(&table, 0, &object), -ENOMEM);
	assert_null(object);
	assert_int_equal(table.refuse_count, 1);
	assert_int_equal(table.id_last, ITEM_COUNT);
	shop_table_fini(&table);
}

static void a_text_names_an_object(void **state)
{
	struct shop_object *mug;
	struct shop_object *cup;

	(void)state;
	start(offsetof(struct item, name));
	assert_int_equal(shop_table_add_text(&table, 0, "mug", &mug), 0);
	assert_int_equal(shop_table_add_text(&table, 0, "cup", &cup), 0);
	assert_ptr_equal(shop_table_find_text(&table, "mug"), mug);
	assert_ptr_equal(shop_table_find_text(&table, "cup"), cup);
	assert_null(shop_table_find_text(&table, "mu"));
	shop_table_remove(&table, mug);
	assert_null(shop_table_find_text(&table, "mug"));
	shop_table_fini(&table);
}

static void a_moved_object_stands_last(void **state)
{
	struct shop_object *first;
	struct shop_object *second;

	(void)state;
	start(0);
	first = add(0);
	second = add(0);
	assert_ptr_equal(table.queues[0].first, first);
	shop_table_move(&table, first, 0);
	assert_ptr_equal(table.queues[0].first, second);
	assert_ptr_equal(table.queues[0].last, first);
	assert_true(first->sequence > second->sequence);
	shop_table_move(&table, second, 2);
	assert_ptr_equal(table.queues[2].first, second);
	assert_int_equal(table.queues[0].count, 1);
	shop_table_fini(&table);
}

static void touched(void *user, struct shop_table *of, struct shop_object *object)
{
	(void)of;
	*(uint64_t *)user = *(uint64_t *)user * 10 + object->id;
	object->epoch = tables.epoch;
}

static void what_is_about_to_change_is_told_once_an_epoch(void **state)
{
	uint64_t told = 0;
	struct shop_object *first;
	struct shop_object *second;

	(void)state;
	start(0);
	first = add(0);
	second = add(0);
	++tables.epoch;
	tables.on_touch = touched;
	tables.user = &told;
	shop_table_touch(&table, second);
	shop_table_move(&table, second, 1);
	shop_table_remove(&table, first);
	/* A new one was not there when the epoch began. */
	shop_table_move(&table, add(0), 1);
	assert_int_equal(told, 21);
	shop_table_fini(&table);
}

static void a_walk_meets_each_object_though_they_move_and_go(void **state)
{
	struct shop_object *objects[4];
	uint32_t met = 0;

	(void)state;
	start(0);
	for (unsigned index = 0; index < 4; ++index)
		objects[index] = add(index / 2);
	shop_table_walk_begin(&table);
	assert_ptr_equal(shop_table_walk(&table), objects[0]);
	/* The next one goes, and the one after it moves to the end. */
	shop_table_remove(&table, objects[1]);
	shop_table_move(&table, objects[2], 2);
	for (struct shop_object *object; (object = shop_table_walk(&table)) != NULL;)
		met |= 1U << object->id;
	assert_int_equal(met, 1U << 3 | 1U << 4);
	shop_table_fini(&table);
}

static void loaded_objects_stand_in_their_old_order(void **state)
{
	static const uint64_t order[] = {3, 1, 5, 2, 4};

	(void)state;
	start(0);
	table.id_last = 5;
	tables.sequence = 50;
	for (unsigned index = 0; index < 5; ++index) {
		struct item item = {.object = {.id = order[index], .sequence = order[index] * 10},
				    .value = order[index]};

		assert_int_equal(shop_table_load(&table, &item.object, NULL), 0);
		assert_int_equal(shop_table_load(&table, &item.object, NULL),
				 index < 4 ? -EEXIST : -ENOMEM);
	}
	assert_int_equal(shop_table_sort(&table), 0);
	for (uint64_t id = 1; id <= 5; ++id) {
		struct shop_object *first = table.queues[0].first;

		assert_int_equal(first->id, id);
		assert_int_equal(((struct item *)first)->value, id);
		shop_table_remove(&table, first);
	}
	shop_table_fini(&table);
}

static void what_cannot_be_an_object_is_not_loaded(void **state)
{
	struct item item = {.object = {.id = 1, .sequence = 1, .queue = SHOP_QUEUES_MAX}};

	(void)state;
	start(0);
	assert_int_equal(shop_table_load(&table, &item.object, NULL), -EINVAL);
	item.object.queue = 0;
	assert_int_equal(shop_table_load(&table, &item.object, NULL), -EINVAL);
	table.id_last = 1;
	assert_int_equal(shop_table_load(&table, &item.object, NULL), 0);
	/* Its sequence has not been given yet. */
	assert_int_equal(shop_table_sort(&table), -EINVAL);
	shop_table_fini(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_given_once_and_found),
		cmocka_unit_test(a_full_table_refuses_and_counts),
		cmocka_unit_test(a_text_names_an_object),
		cmocka_unit_test(a_moved_object_stands_last),
		cmocka_unit_test(what_is_about_to_change_is_told_once_an_epoch),
		cmocka_unit_test(a_walk_meets_each_object_though_they_move_and_go),
		cmocka_unit_test(loaded_objects_stand_in_their_old_order),
		cmocka_unit_test(what_cannot_be_an_object_is_not_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
