/*
 * Persistent pools under crashes at every moment: no image has half an object, or one that was
 * never published; none lacks what a publish that returned has promised; none has what was given
 * back; and every image is a pool to go on with.
 */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <zerog/pmem_pool.h>

#include "mem/pool/pool_handle.h"
#include "pmem/crash.h"

#define TAG 11
#define COUNT 4
#define OFFSET 64
#define SIZE 512
#define HANDLES_MAX 1024

/* Three words that have to go together. */
struct entry {
	uint64_t number;
	uint64_t square;
	uint64_t complement;
};

/* What images may have of an object whose handle was given out. */
enum expected {
	NEVER, /* not published yet, or given back */
	MAYBE, /* a publish or give has begun, and not returned */
	ALWAYS, /* published */
};

struct known {
	zg_handle handle;
	uint64_t number;
	enum expected expected;
};

static alignas(64) unsigned char payload[SIZE];
static alignas(64) unsigned char crash_memory[3 * SIZE];
static alignas(64) unsigned char memory[2][64];
static struct zg_pmem map;
static struct zg_pmem_pool pool;
static struct zgi_crash crash;
static struct known known[HANDLES_MAX];
static size_t known_count;

static struct zg_pmem_pool_options options_for(struct zg_pmem *where, int number)
{
	return (struct zg_pmem_pool_options){
		.name = "entries",
		.map = where,
		.offset = OFFSET,
		.memory = memory[number],
		.memory_size = sizeof(memory[number]),
		.object_size = sizeof(struct entry),
		.object_count = COUNT,
		.tag = TAG,
		.create = true,
	};
}

static const struct known *find(zg_handle handle)
{
	for (size_t index = 0; index < known_count; index++)
		if (known[index].handle.bits == handle.bits)
			return &known[index];
	return NULL;
}

static const char *check_entries(struct zg_pmem_pool *image)
{
	uint32_t cursor = 0;
	zg_handle handle;
	const void *object;

	while (zg_pmem_pool_next(image, &cursor, &handle, &object) == 1) {
		const struct entry *entry = object;
		const struct known *at = find(handle);

		if (at == NULL || at->expected == NEVER)
			return "there is an object that was not published";
		if (entry->number != at->number || entry->square != entry->number * entry->number ||
		    entry->complement != ~entry->number)
			return "an object is not whole";
	}
	for (size_t index = 0; index < known_count; index++)
		if (known[index].expected == ALWAYS &&
		    !zg_pmem_pool_is_published(image, known[index].handle))
			return "a published object is gone";
	return NULL;
}

/* What recovery would do next: take what is free, under names that nobody has had. */
static const char *check_reservations(struct zg_pmem_pool *image)
{
	while (image->free_count > 0) {
		zg_handle handle;
		void *object;

		if (zg_pmem_pool_reserve(image, &handle, &object) != 0)
			return "what is free cannot be reserved";
		if (find(handle) != NULL)
			return "a handle was given out again";
	}
	return NULL;
}

static const char *check(struct zgi_crash_image *image, void *user)
{
	const struct zgi_handle_wish wish = {
		.block_count = COUNT,
		.generation_max = ZGI_HANDLE_GENERATION_MASK,
		.tag = TAG,
	};
	bool is_claimed = pool.handles.count > 0;
	struct zg_pmem_pool_options options;
	struct zg_pmem_pool recovered;
	struct zg_pmem image_map;
	const char *problem = "the pool cannot be opened";
	uint64_t generation;

	(void)user;
	/* The crash took the process, and with it the claim to these handles. */
	if (is_claimed)
		zgi_handles_release(&pool.handles, 0);
	zgi_handles_forget();
	zgi_pmem_over(&image_map, image->bytes[0], SIZE);
	options = options_for(&image_map, 1);
	if (zg_pmem_pool_open(&recovered, &options, NULL) == 0) {
		problem = check_entries(&recovered);
		if (problem == NULL)
			problem = check_reservations(&recovered);
		zg_pmem_pool_close(&recovered);
	}
	zgi_handles_forget();
	if (is_claimed && zgi_handles_claim(&pool.handles, &wish, &generation) < 0)
		return "the test is wrong";
	return problem;
}

static void start(uint64_t seed)
{
	struct zg_pmem_pool_options options = options_for(&map, 0);

	memset(payload, 0, sizeof(payload));
	memset(&pool, 0, sizeof(pool));
	known_count = 0;
	zgi_pmem_over(&map, payload, SIZE);
	zgi_crash_init(&crash, &(struct zgi_crash_options){
				       .check = check,
				       .memory = crash_memory,
				       .memory_size = sizeof(crash_memory),
				       .seed = seed,
			       });
	zgi_crash_watch(&crash, &map);
	assert_int_equal(zg_pmem_pool_open(&pool, &options, NULL), 0);
}

static void end(void)
{
	zgi_crash_end(&crash);
	if (crash.problem != NULL)
		fail_msg("%s", crash.report);
	assert_true(crash.image_count > 0);
	zg_pmem_pool_close(&pool);
}

static struct known *reserve(uint64_t number)
{
	struct known *at = &known[known_count];
	void *object;

	assert_true(known_count < HANDLES_MAX);
	*at = (struct known){.number = number};
	assert_int_equal(zg_pmem_pool_reserve(&pool, &at->handle, &object), 0);
	known_count++;
	*(struct entry *)object = (struct entry){number, number * number, ~number};
	/* So early: the log is to have it half filled, too. */
	zg_pmem_touched(&map, zg_pmem_pool_offset(&pool, at->handle), sizeof(struct entry));
	return at;
}

static void publish(struct known *at)
{
	at->expected = MAYBE;
	assert_int_equal(zg_pmem_pool_publish(&pool, at->handle), 0);
	zgi_crash_promise(&crash, crash.image.promised + 1);
	at->expected = ALWAYS;
}

static void give(struct known *at)
{
	at->expected = at->expected == ALWAYS ? MAYBE : NEVER;
	assert_int_equal(zg_pmem_pool_give(&pool, at->handle), 0);
	zgi_crash_promise(&crash, crash.image.promised + 1);
	at->expected = NEVER;
}

static void pool_can_be_opened_whenever_its_making_was_cut_short(void **state)
{
	(void)state;
	start(1);
	end();
	assert_int_equal(crash.sampled_count, 0);
}

static void object_is_published_whole_or_not_at_all(void **state)
{
	(void)state;
	start(1);
	publish(reserve(7));
	publish(reserve(8));
	end();
	assert_int_equal(crash.sampled_count, 0);
}

/* Who fills an object need not tell of it: publish does. */
static void publish_tells_the_seam_of_what_was_filled(void **state)
{
	struct known *at = &known[0];
	void *object;

	(void)state;
	start(1);
	*at = (struct known){.number = 7};
	known_count = 1;
	assert_int_equal(zg_pmem_pool_reserve(&pool, &at->handle, &object), 0);
	*(struct entry *)object = (struct entry){7, 49, ~UINT64_C(7)};
	publish(at);
	end();
}

static void object_that_is_only_reserved_is_in_no_image(void **state)
{
	(void)state;
	start(1);
	(void)reserve(7);
	publish(reserve(8));
	end();
}

static void object_that_was_given_back_does_not_come_again(void **state)
{
	struct known *at[COUNT];

	(void)state;
	start(1);
	for (size_t index = 0; index < COUNT; index++) {
		at[index] = reserve(index + 1);
		publish(at[index]);
	}
	/* Its bytes are written over while a crash could still undo what is behind the fence. */
	give(at[2]);
	(void)reserve(99);
	end();
}

static void several_are_each_published_for_themselves(void **state)
{
	zg_handle handles[3];

	(void)state;
	start(1);
	for (size_t index = 0; index < 3; index++)
		handles[index] = reserve(index + 1)->handle;
	for (size_t index = 0; index < 3; index++)
		known[index].expected = MAYBE;
	assert_int_equal(zg_pmem_pool_publish_many(&pool, handles, 3), 0);
	for (size_t index = 0; index < 3; index++)
		known[index].expected = ALWAYS;
	end();
}

/* Published, reserved and free objects in any order, made by a seed. */
static void any_course_of_events_can_be_cut_anywhere(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		uint64_t random = seed;

		start(seed);
		for (int turn = 0; turn < 40; turn++) {
			struct known *at;

			random = random * UINT64_C(6364136223846793005) +
				 UINT64_C(1442695040888963407);
			if (pool.free_count > 0 && random >> 62 != 0)
				(void)reserve(random >> 8);
			if (known_count == 0)
				continue;
			at = &known[(random >> 32) % known_count];
			if (zg_pmem_pool_is_published(&pool, at->handle) ||
			    (random >> 60 & 1) != 0) {
				if (at->expected == ALWAYS ||
				    (at->expected == NEVER &&
				     pool.slots[zg_handle_index(at->handle)] == at->handle.bits))
					give(at);
			} else if (pool.slots[zg_handle_index(at->handle)] == at->handle.bits) {
				publish(at);
			}
		}
		end();
	}
	assert_true(crash.sampled_count > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pool_can_be_opened_whenever_its_making_was_cut_short),
		cmocka_unit_test(object_is_published_whole_or_not_at_all),
		cmocka_unit_test(publish_tells_the_seam_of_what_was_filled),
		cmocka_unit_test(object_that_is_only_reserved_is_in_no_image),
		cmocka_unit_test(object_that_was_given_back_does_not_come_again),
		cmocka_unit_test(several_are_each_published_for_themselves),
		cmocka_unit_test(any_course_of_events_can_be_cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
