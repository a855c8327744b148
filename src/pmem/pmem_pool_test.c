/*
 * Persistent pools: what is reserved, published and given back, what the next opening finds, and
 * what is done with handles that are none.
 */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <zerog/pmem_pool.h>

#include "mem/pool/pool_handle.h"
#include "pmem/persist.h"

#define TAG 9
#define COUNT 4
#define OFFSET 128
#define WORDS_OFFSET (OFFSET + 64)
#define SIZE 4096

struct order {
	uint64_t number;
	char customer[48];
};

static alignas(64) unsigned char payload[SIZE];
static alignas(64) unsigned char memory[2][128];
static char message[512];
static struct zg_text error;
static struct zg_pmem map;
static struct zg_pmem_pool pool;
static struct zg_pmem_pool_options options;

static int setup(void **state)
{
	(void)state;
	memset(payload, 0, sizeof(payload));
	zgi_pmem_over(&map, payload, sizeof(payload));
	zg_text_init(&error, message, sizeof(message));
	options = (struct zg_pmem_pool_options){
		.name = "orders",
		.map = &map,
		.offset = OFFSET,
		.memory = memory[0],
		.memory_size = sizeof(memory[0]),
		.object_size = sizeof(struct order),
		.object_count = COUNT,
		.index_first = 100,
		.tag = TAG,
		.create = true,
	};
	return zg_pmem_pool_open(&pool, &options, &error);
}

static int teardown(void **state)
{
	(void)state;
	zg_pmem_pool_close(&pool);
	zg_pmem_close(&map);
	return 0;
}

/* As another process would: what this one remembers of the tag is forgotten. */
static void reopen(void)
{
	zg_pmem_pool_close(&pool);
	zgi_handles_forget();
	options.create = false;
	assert_int_equal(zg_pmem_pool_open(&pool, &options, &error), 0);
}

static zg_handle reserve(uint64_t number)
{
	zg_handle handle;
	void *object;

	assert_int_equal(zg_pmem_pool_reserve(&pool, &handle, &object), 0);
	memset(object, 0, sizeof(struct order));
	((struct order *)object)->number = number;
	return handle;
}

static zg_handle publish(uint64_t number)
{
	zg_handle handle = reserve(number);

	assert_int_equal(zg_pmem_pool_publish(&pool, handle), 0);
	return handle;
}

static uint64_t number_of(zg_handle handle)
{
	const struct order *order = zg_pmem_pool_get(&pool, handle);

	assert_non_null(order);
	return order->number;
}

static void sizes_count_header_words_objects_and_memory(void **state)
{
	(void)state;
	assert_int_equal(zg_pmem_pool_size(&options), 64 + 64 + 4 * 64);
	assert_int_equal(zg_pmem_pool_memory_size(&options), 64);
	options.object_count = 9;
	options.object_size = 65;
	assert_int_equal(zg_pmem_pool_size(&options), 64 + 128 + 9 * 128);
	assert_int_equal(zg_pmem_pool_memory_size(&options), 128);
	options.object_count = ZG_POOL_BLOCKS_MAX + 1;
	assert_int_equal(zg_pmem_pool_size(&options), 0);
	assert_int_equal(zg_pmem_pool_memory_size(&options), 0);
	options.object_count = 1;
	options.object_size = 0;
	assert_int_equal(zg_pmem_pool_size(&options), 0);
}

static void published_object_is_found_at_the_next_opening_by_its_handle(void **state)
{
	zg_handle first = publish(1);
	zg_handle second = publish(2);

	(void)state;
	reopen();
	assert_int_equal(pool.published_count, 2);
	assert_int_equal(pool.free_count, 2);
	assert_int_equal(number_of(first), 1);
	assert_int_equal(number_of(second), 2);
	assert_true(zg_pmem_pool_is_published(&pool, second));
	assert_int_equal(zg_handle_index(second), 101);
}

static void reserved_object_is_gone_at_the_next_opening_and_its_handle_stale(void **state)
{
	zg_handle handle = reserve(1);

	(void)state;
	assert_false(zg_pmem_pool_is_published(&pool, handle));
	assert_int_equal(number_of(handle), 1);
	reopen();
	assert_int_equal(pool.free_count, COUNT);
	assert_null(zg_pmem_pool_get(&pool, handle));
	assert_int_equal(zg_pmem_pool_publish(&pool, handle), -ESTALE);
}

/* Whoever kept the name of what a crash took must never find something else under it. */
static void handle_of_a_reservation_is_never_given_again(void **state)
{
	zg_handle seen[3 * COUNT];

	(void)state;
	for (size_t index = 0; index < 3 * COUNT; index++) {
		if (index % COUNT == 0)
			reopen();
		seen[index] = reserve(index);
		for (size_t other = 0; other < index; other++)
			assert_true(seen[other].bits != seen[index].bits);
	}
}

static void given_object_is_gone_at_once_and_at_the_next_opening(void **state)
{
	zg_handle handle = publish(1);

	(void)state;
	assert_int_equal(zg_pmem_pool_give(&pool, handle), 0);
	assert_null(zg_pmem_pool_get(&pool, handle));
	assert_int_equal(pool.published_count, 0);
	reopen();
	assert_int_equal(pool.free_count, COUNT);
	assert_int_equal(zg_pmem_pool_give(&pool, handle), -ESTALE);
}

static void reservation_can_be_given_back_without_a_fence(void **state)
{
	zg_handle handle = reserve(1);
	uint64_t fence_count = map.fence_count;

	(void)state;
	assert_int_equal(zg_pmem_pool_give(&pool, handle), 0);
	assert_int_equal(map.fence_count, fence_count);
	assert_int_equal(pool.free_count, COUNT);
	assert_int_equal(zg_pmem_pool_give(&pool, handle), -ESTALE);
}

static void objects_are_reserved_in_turn(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 2 * COUNT; round++) {
		zg_handle handle = reserve(0);

		assert_int_equal(zg_handle_index(handle), 100 + round % COUNT);
		assert_int_equal(zg_pmem_pool_give(&pool, handle), 0);
	}
}

static void full_pool_refuses_and_counts(void **state)
{
	zg_handle handle = {42};
	void *object = &pool;

	(void)state;
	for (uint64_t index = 0; index < COUNT; index++)
		(void)publish(index);
	assert_int_equal(zg_pmem_pool_reserve(&pool, &handle, &object), -ENOMEM);
	assert_int_equal(handle.bits, 42);
	assert_ptr_equal(object, &pool);
	assert_int_equal(pool.refuse_count, 1);
	assert_int_equal(pool.free_count_low, 0);
}

static void several_are_published_with_the_fences_of_one(void **state)
{
	zg_handle handles[3] = {reserve(1), reserve(2), reserve(3)};
	uint64_t fence_count = map.fence_count;

	(void)state;
	assert_int_equal(zg_pmem_pool_publish_many(&pool, handles, 3), 0);
	assert_int_equal(map.fence_count, fence_count + 2);
	assert_int_equal(pool.published_count, 3);
	reopen();
	assert_int_equal(number_of(handles[2]), 3);
}

static void handle_that_is_refused_keeps_the_others_from_being_published(void **state)
{
	zg_handle handles[2] = {reserve(1), {12345}};

	(void)state;
	assert_int_equal(zg_pmem_pool_publish_many(&pool, handles, 2), -EINVAL);
	assert_false(zg_pmem_pool_is_published(&pool, handles[0]));
	assert_int_equal(pool.published_count, 0);
}

static void handle_that_is_there_twice_counts_once(void **state)
{
	zg_handle handle = reserve(1);
	zg_handle handles[2] = {handle, handle};

	(void)state;
	assert_int_equal(zg_pmem_pool_publish_many(&pool, handles, 2), 0);
	assert_int_equal(pool.published_count, 1);
}

static void second_publish_is_refused(void **state)
{
	zg_handle handle = publish(1);

	(void)state;
	assert_int_equal(zg_pmem_pool_publish(&pool, handle), -EALREADY);
	assert_int_equal(pool.misuse_count, 1);
}

static struct zg_pool_misuse told;

static void keep_misuse(const struct zg_pool_misuse *misuse)
{
	told = *misuse;
}

static void handles_that_are_none_are_refused_counted_and_told(void **state)
{
	zg_handle handle = reserve(1);
	const zg_handle invented[] = {
		{0},
		{UINT64_MAX},
		{handle.bits + 1},
		{handle.bits ^ UINT64_C(1) << 56},
		{handle.bits + ((uint64_t)COUNT << 36)},
		{handle.bits - (UINT64_C(1) << 36)},
	};

	(void)state;
	zg_pool_on_misuse(keep_misuse);
	for (size_t index = 0; index < sizeof(invented) / sizeof(invented[0]); index++) {
		assert_int_equal(zg_pmem_pool_publish(&pool, invented[index]), -EINVAL);
		assert_int_equal(told.act, ZG_POOL_PUBLISH);
		assert_int_equal(told.handle.bits, invented[index].bits);
		assert_int_equal(zg_pmem_pool_give(&pool, invented[index]), -EINVAL);
		assert_int_equal(told.act, ZG_POOL_GIVE);
		assert_null(zg_pmem_pool_get(&pool, invented[index]));
		assert_int_equal(told.act, ZG_POOL_GET);
		assert_false(zg_pmem_pool_is_published(&pool, invented[index]));
	}
	zg_pool_on_misuse(NULL);
	assert_string_equal(told.pool_name, "orders");
	assert_int_equal(pool.misuse_count, 3 * sizeof(invented) / sizeof(invented[0]));
	zg_pool_misuse_print(&told, &error);
	assert_non_null(strstr(message, "pool orders: get of an invalid handle"));
}

static void published_object_is_changed_through_the_seam(void **state)
{
	zg_handle handle = publish(1);
	uint64_t offset = zg_pmem_pool_offset(&pool, handle);

	(void)state;
	zg_pmem_store64(&map, offset + offsetof(struct order, number), 77);
	zg_pmem_flush(&map, offset, sizeof(uint64_t));
	assert_int_equal(zg_pmem_fence(&map), 0);
	reopen();
	assert_int_equal(number_of(handle), 77);
}

static void walk_meets_what_is_published_in_order(void **state)
{
	zg_handle first = publish(1);
	zg_handle handle;
	const void *object;
	uint32_t cursor = 0;

	(void)state;
	(void)reserve(2);
	(void)publish(3);
	assert_int_equal(zg_pmem_pool_next(&pool, &cursor, &handle, &object), 1);
	assert_int_equal(handle.bits, first.bits);
	assert_int_equal(((const struct order *)object)->number, 1);
	/* It may be given on the way. */
	assert_int_equal(zg_pmem_pool_give(&pool, handle), 0);
	assert_int_equal(zg_pmem_pool_next(&pool, &cursor, &handle, &object), 1);
	assert_int_equal(((const struct order *)object)->number, 3);
	assert_int_equal(zg_pmem_pool_next(&pool, &cursor, &handle, NULL), 0);
	assert_int_equal(zg_pmem_pool_next(&pool, &cursor, &handle, NULL), 0);
}

static void no_live_pool_has_the_same_handles(void **state)
{
	struct zg_pmem_pool other;
	struct zg_pmem_pool_options more = options;

	(void)state;
	more.offset = 2048;
	more.memory = memory[1];
	assert_int_equal(zg_pmem_pool_open(&other, &more, &error), -EEXIST);
	assert_non_null(strstr(message, "tag 9 is another pool's"));
	more.index_first = 100 + COUNT;
	assert_int_equal(zg_pmem_pool_open(&other, &more, &error), 0);
	zg_pmem_pool_close(&other);
}

static void pool_that_is_not_there_is_made_only_when_asked(void **state)
{
	(void)state;
	zg_pmem_pool_close(&pool);
	options.offset = 1024;
	options.create = false;
	assert_int_equal(zg_pmem_pool_open(&pool, &options, &error), -ENOENT);
	assert_non_null(strstr(message, "orders: there is none at offset 1024: create it"));
}

static void pool_is_not_made_over_something_else(void **state)
{
	(void)state;
	zg_pmem_pool_close(&pool);
	options.offset = 1024;
	payload[1024 + 64 + 8] = 1;
	assert_int_equal(zg_pmem_pool_open(&pool, &options, &error), -EMEDIUMTYPE);
	payload[1024] = 1;
	assert_int_equal(zg_pmem_pool_open(&pool, &options, &error), -EMEDIUMTYPE);
}

static void pool_is_opened_as_what_it_is(void **state)
{
	const struct zg_pmem_pool_options good = options;

	(void)state;
	zg_pmem_pool_close(&pool);
	options.object_count--;
	assert_int_equal(zg_pmem_pool_open(&pool, &options, &error), -ERANGE);
	assert_non_null(strstr(message, "has 4 objects of 56 bytes, tag 9, first index 100"));
	options = good;
	options.object_size++;
	assert_int_equal(zg_pmem_pool_open(&pool, &options, &error), -ERANGE);
	options = good;
	options.tag++;
	assert_int_equal(zg_pmem_pool_open(&pool, &options, &error), -ERANGE);
	options = good;
	options.index_first++;
	assert_int_equal(zg_pmem_pool_open(&pool, &options, &error), -ERANGE);
	options = good;
	assert_int_equal(zg_pmem_pool_open(&pool, &options, &error), 0);
}

static void options_out_of_range_are_refused(void **state)
{
	const struct zg_pmem_pool_options good = options;

	(void)state;
	zg_pmem_pool_close(&pool);
	options.tag = 0;
	assert_int_equal(zg_pmem_pool_open(&pool, &options, &error), -EINVAL);
	options = good;
	options.index_first = ZG_POOL_BLOCKS_MAX - COUNT + 1;
	assert_int_equal(zg_pmem_pool_open(&pool, &options, &error), -EINVAL);
	options = good;
	options.memory_size = 63;
	assert_int_equal(zg_pmem_pool_open(&pool, &options, &error), -EINVAL);
	options = good;
	options.offset = OFFSET + 8;
	assert_int_equal(zg_pmem_pool_open(&pool, &options, &error), -EINVAL);
	options.offset = SIZE - 320;
	assert_int_equal(zg_pmem_pool_open(&pool, &options, NULL), -EINVAL);
	options.offset = UINT64_MAX - 63;
	assert_int_equal(zg_pmem_pool_open(&pool, &options, NULL), -EINVAL);
}

static void damage_is_told_with_its_offset(void **state)
{
	(void)state;
	(void)publish(1);
	zg_pmem_pool_close(&pool);
	payload[WORDS_OFFSET + 7] ^= 1;
	assert_int_equal(zg_pmem_pool_open(&pool, &options, &error), -EBADMSG);
	assert_non_null(strstr(message, "at offset 192 is no handle of it"));
	payload[WORDS_OFFSET + 7] ^= 1;
	/* A generation that was never handed out. */
	payload[WORDS_OFFSET + 3] ^= 1;
	assert_int_equal(zg_pmem_pool_open(&pool, &options, &error), -EBADMSG);
	payload[WORDS_OFFSET + 3] ^= 1;
	payload[OFFSET + 20] ^= 1;
	assert_int_equal(zg_pmem_pool_open(&pool, &options, &error), -EBADMSG);
	payload[OFFSET + 20] ^= 1;
	assert_int_equal(zg_pmem_pool_open(&pool, &options, &error), 0);
}

/* Some go unseen, as a generation that another handle might have had; none brings the pool down. */
static void any_bit_may_flip_and_the_pool_is_refused_or_can_be_used(void **state)
{
	static unsigned char good[SIZE];
	int refused_count = 0;

	(void)state;
	(void)publish(1);
	(void)publish(2);
	zg_pmem_pool_close(&pool);
	memcpy(good, payload, SIZE);
	for (size_t bit = OFFSET * 8; bit < (WORDS_OFFSET + COUNT * 8) * 8; bit++) {
		memcpy(payload, good, SIZE);
		payload[bit / 8] ^= (unsigned char)(1 << bit % 8);
		zgi_handles_forget();
		if (zg_pmem_pool_open(&pool, &options, NULL) < 0) {
			refused_count++;
			continue;
		}
		while (pool.free_count > 0)
			(void)publish(3);
		for (uint32_t cursor = 0;;) {
			zg_handle handle;

			if (zg_pmem_pool_next(&pool, &cursor, &handle, NULL) == 0)
				break;
			assert_int_equal(zg_pmem_pool_give(&pool, handle), 0);
		}
		assert_int_equal(pool.published_count, 0);
		assert_int_equal(pool.free_count + pool.retired_count, COUNT);
		zg_pmem_pool_close(&pool);
	}
	/* All of the header but its limit, and most of each word. */
	assert_true(refused_count > 56 * 8);
	memcpy(payload, good, SIZE);
}

static void in_a_map_that_is_read_only_the_pool_can_be_looked_at(void **state)
{
	zg_handle handle = publish(1);
	void *object;
	zg_handle other;

	(void)state;
	map.is_read_only = true;
	reopen();
	assert_int_equal(number_of(handle), 1);
	assert_int_equal(zg_pmem_pool_reserve(&pool, &other, &object), -EROFS);
	assert_int_equal(zg_pmem_pool_give(&pool, handle), -EROFS);
	assert_int_equal(number_of(handle), 1);
	map.is_read_only = false;
}

/* Its word may be on the medium still, so nobody may write over the object. */
static void object_whose_end_could_not_be_fenced_is_not_reserved_again(void **state)
{
	zg_handle handles[COUNT] = {publish(0), publish(1), publish(2), publish(3)};
	void *object;

	(void)state;
	map.error = -EIO;
	assert_int_equal(zg_pmem_pool_give(&pool, handles[2]), -EIO);
	assert_int_equal(zg_pmem_pool_give(&pool, handles[2]), 0);
	assert_int_equal(zg_pmem_pool_reserve(&pool, &handles[2], &object), -EIO);
}

static void find_pool(const struct zg_usage *usage, void *user)
{
	if (strcmp(usage->kind, "persistent pool") == 0)
		*(struct zg_usage *)user = *usage;
}

static void pool_is_registered_while_it_lives(void **state)
{
	struct zg_usage usage = {0};

	(void)state;
	(void)publish(1);
	zg_watch_usage(find_pool, &usage);
	assert_string_equal(usage.name, "orders");
	assert_int_equal(usage.live_count, 1);
	assert_int_equal(usage.count_max, COUNT);
	assert_int_equal(usage.reserved_size, 64);
	zg_pmem_pool_close(&pool);
	usage.kind = NULL;
	zg_watch_usage(find_pool, &usage);
	assert_null(usage.kind);
}

static void pools_work_in_a_file(void **state)
{
	struct zg_pmem_options file = {.size = SIZE, .create = true};
	char folder[] = "/tmp/zerog-pool-XXXXXX";
	char path[64];
	zg_handle handle;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	file.path = path;
	zg_pmem_pool_close(&pool);
	assert_int_equal(zg_pmem_open(&map, &file, &error), 0);
	assert_int_equal(zg_pmem_pool_open(&pool, &options, &error), 0);
	handle = publish(5);
	zg_pmem_pool_close(&pool);
	zg_pmem_close(&map);
	assert_int_equal(zg_pmem_open(&map, &file, &error), 0);
	assert_int_equal(zg_pmem_pool_open(&pool, &options, &error), 0);
	assert_int_equal(number_of(handle), 5);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sizes_count_header_words_objects_and_memory),
		TEST(published_object_is_found_at_the_next_opening_by_its_handle),
		TEST(reserved_object_is_gone_at_the_next_opening_and_its_handle_stale),
		TEST(handle_of_a_reservation_is_never_given_again),
		TEST(given_object_is_gone_at_once_and_at_the_next_opening),
		TEST(reservation_can_be_given_back_without_a_fence),
		TEST(objects_are_reserved_in_turn),
		TEST(full_pool_refuses_and_counts),
		TEST(several_are_published_with_the_fences_of_one),
		TEST(handle_that_is_refused_keeps_the_others_from_being_published),
		TEST(handle_that_is_there_twice_counts_once),
		TEST(second_publish_is_refused),
		TEST(handles_that_are_none_are_refused_counted_and_told),
		TEST(published_object_is_changed_through_the_seam),
		TEST(walk_meets_what_is_published_in_order),
		TEST(no_live_pool_has_the_same_handles),
		TEST(pool_that_is_not_there_is_made_only_when_asked),
		TEST(pool_is_not_made_over_something_else),
		TEST(pool_is_opened_as_what_it_is),
		TEST(options_out_of_range_are_refused),
		TEST(damage_is_told_with_its_offset),
		TEST(any_bit_may_flip_and_the_pool_is_refused_or_can_be_used),
		TEST(in_a_map_that_is_read_only_the_pool_can_be_looked_at),
		TEST(object_whose_end_could_not_be_fenced_is_not_reserved_again),
		TEST(pool_is_registered_while_it_lives),
		TEST(pools_work_in_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
