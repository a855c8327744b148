/*
 * The harness of crashes: which images it makes, and that it finds a program that forgets a fence,
 * a flush, or the seam.
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

#include "pmem/crash.h"

#define SIZE 256
#define WORDS (SIZE / 8)
#define SEEN_MAX 4096

static alignas(64) unsigned char payloads[2][SIZE];
static alignas(64) unsigned char memory[6 * SIZE];
static struct zg_pmem maps[2];
static struct zgi_crash crash;

/* The images that were seen, as bits: word n is not 0. */
static uint64_t seen[SEEN_MAX];
static size_t seen_count;

static bool was_seen(uint64_t bits)
{
	for (size_t index = 0; index < seen_count; index++)
		if (seen[index] == bits)
			return true;
	return false;
}

static uint64_t word_of(const unsigned char *bytes, size_t index)
{
	uint64_t word;

	memcpy(&word, bytes + index * 8, sizeof(word));
	return word;
}

static const char *remember(struct zgi_crash_image *image, void *user)
{
	uint64_t bits = 0;

	(void)user;
	for (size_t index = 0; index < WORDS; index++)
		if (word_of(image->bytes[0], index) != 0)
			bits |= UINT64_C(1) << index;
	if (!was_seen(bits) && seen_count < SEEN_MAX)
		seen[seen_count++] = bits;
	/* What a checker writes is in no other image. */
	memset(image->bytes[0], 0xff, SIZE);
	return NULL;
}

static void start(zgi_crash_check *check)
{
	memset(payloads, 0, sizeof(payloads));
	seen_count = 0;
	zgi_crash_init(&crash, &(struct zgi_crash_options){
				       .check = check,
				       .memory = memory,
				       .memory_size = sizeof(memory),
				       .seed = 1,
			       });
	zgi_pmem_over(&maps[0], payloads[0], SIZE);
	zgi_pmem_over(&maps[1], payloads[1], SIZE);
	zgi_crash_watch(&crash, &maps[0]);
}

static void store(size_t index, uint64_t word)
{
	zg_pmem_store64(&maps[0], index * 8, word);
}

static void flush(size_t index)
{
	zg_pmem_flush(&maps[0], index * 8, 8);
}

static void fence(void)
{
	assert_int_equal(zg_pmem_fence(&maps[0]), 0);
}

static void unfenced_words_are_there_or_not_each_for_itself(void **state)
{
	(void)state;
	start(remember);
	store(0, 1);
	store(1, 1);
	store(2, 1);
	zgi_crash_end(&crash);
	assert_int_equal(seen_count, 8);
	for (uint64_t bits = 0; bits < 8; bits++)
		assert_true(was_seen(bits));
}

static void fenced_words_are_in_every_image(void **state)
{
	(void)state;
	start(remember);
	store(0, 1);
	flush(0);
	fence();
	seen_count = 0;
	store(1, 1);
	zgi_crash_end(&crash);
	assert_int_equal(seen_count, 2);
	assert_true(was_seen(1) && was_seen(3));
}

static void fence_makes_nothing_safe_that_was_not_flushed(void **state)
{
	(void)state;
	start(remember);
	store(0, 1);
	flush(0);
	store(1, 1);
	fence();
	seen_count = 0;
	zgi_crash_end(&crash);
	assert_int_equal(seen_count, 2);
	assert_true(was_seen(1) && was_seen(3));
}

static void flush_does_not_cover_a_later_store(void **state)
{
	(void)state;
	start(remember);
	store(0, 1);
	flush(0);
	store(0, 0);
	fence();
	seen_count = 0;
	zgi_crash_end(&crash);
	assert_int_equal(seen_count, 2);
	assert_true(was_seen(1) && was_seen(0));
}

static void fence_that_was_begun_covers_what_was_flushed_by_then(void **state)
{
	struct zg_pmem_pending pending;

	(void)state;
	start(remember);
	store(0, 1);
	flush(0);
	zg_pmem_fence_begin(&maps[0], &pending);
	store(1, 1);
	flush(1);
	assert_int_equal(zg_pmem_fence_end(&maps[0], &pending, 0), 0);
	/* Until it ended, the first was not safe either. */
	assert_int_equal(seen_count, 4);
	seen_count = 0;
	zgi_crash_end(&crash);
	assert_int_equal(seen_count, 2);
	assert_true(was_seen(1) && was_seen(3));
}

static void fence_that_fails_makes_nothing_safe(void **state)
{
	(void)state;
	start(remember);
	crash.fence_error = -EIO;
	store(0, 1);
	flush(0);
	assert_int_equal(zg_pmem_fence(&maps[0]), -EIO);
	seen_count = 0;
	zgi_crash_end(&crash);
	assert_int_equal(seen_count, 2);
}

static void bytes_count_with_the_word_that_they_are_in(void **state)
{
	(void)state;
	start(remember);
	/* The last byte of one word and the first of the next. */
	zg_pmem_store(&maps[0], 7, "\1\1", 2);
	zg_pmem_bytes(&maps[0])[30] = 1;
	zg_pmem_touched(&maps[0], 30, 1);
	zgi_crash_end(&crash);
	assert_int_equal(seen_count, 8);
	assert_true(was_seen(1 | 2 | 8));
	assert_null(crash.problem);
}

static void store_of_what_is_there_already_makes_no_image(void **state)
{
	(void)state;
	start(remember);
	store(0, 1);
	store(0, 1);
	zgi_crash_end(&crash);
	assert_int_equal(crash.image_count, 2);
}

static void many_words_are_sampled_with_the_patterns_that_matter(void **state)
{
	uint64_t all = (UINT64_C(1) << 20) - 1;

	(void)state;
	start(remember);
	for (size_t index = 0; index < 20; index++)
		store(index, 1);
	zgi_crash_end(&crash);
	assert_int_equal(crash.sampled_count, 1);
	assert_true(crash.image_count > 256 && crash.image_count < 512);
	assert_true(was_seen(0) && was_seen(all));
	for (size_t index = 0; index < 20; index++) {
		uint64_t bit = UINT64_C(1) << index;

		assert_true(was_seen(bit));
		assert_true(was_seen(all - bit));
		assert_true(was_seen(bit - 1));
		assert_true(was_seen(all - (bit - 1)));
	}
}

static void twelve_words_are_not_sampled(void **state)
{
	(void)state;
	start(remember);
	for (size_t index = 0; index < ZGI_CRASH_EXHAUSTIVE_MAX; index++)
		store(index, 1);
	zgi_crash_end(&crash);
	assert_int_equal(crash.sampled_count, 0);
	assert_int_equal(seen_count, 4096);
}

static void seed_makes_the_same_images_again(void **state)
{
	static uint64_t before[SEEN_MAX];
	size_t before_count;

	(void)state;
	for (int round = 0; round < 2; round++) {
		start(remember);
		for (size_t index = 0; index < 30; index++)
			store(index, 1);
		zgi_crash_end(&crash);
		if (round == 0) {
			memcpy(before, seen, sizeof(seen));
			before_count = seen_count;
		}
	}
	assert_int_equal(seen_count, before_count);
	assert_memory_equal(seen, before, sizeof(seen));
}

/* Word 8 says that word 0 is good. */
static const char *check_flag(struct zgi_crash_image *image, void *user)
{
	(void)user;
	if (word_of(image->bytes[0], 8) != 0 && word_of(image->bytes[0], 0) != 42)
		return "the flag is there, what it tells of is not";
	if (image->promised > 0 && word_of(image->bytes[0], 8) == 0)
		return "what was promised is gone";
	return NULL;
}

static void program_that_fences_in_between_is_right(void **state)
{
	(void)state;
	start(check_flag);
	store(0, 42);
	flush(0);
	fence();
	store(8, 1);
	flush(8);
	fence();
	zgi_crash_promise(&crash, 1);
	zgi_crash_end(&crash);
	assert_null(crash.problem);
}

static void program_that_fences_once_is_found(void **state)
{
	(void)state;
	start(check_flag);
	store(0, 42);
	flush(0);
	store(8, 1);
	flush(8);
	fence();
	assert_string_equal(crash.problem, "the flag is there, what it tells of is not");
	/* It says in which image: the one with word 8 alone. */
	assert_non_null(strstr(crash.report, "of 2 unfenced words: 0:0x40"));
}

static void program_that_flushes_the_wrong_word_is_found(void **state)
{
	(void)state;
	start(check_flag);
	store(0, 42);
	flush(1);
	fence();
	store(8, 1);
	flush(8);
	fence();
	assert_non_null(crash.problem);
}

static void promise_that_was_not_fenced_is_found(void **state)
{
	(void)state;
	start(check_flag);
	store(0, 42);
	flush(0);
	fence();
	store(8, 1);
	flush(8);
	zgi_crash_promise(&crash, 1);
	assert_null(crash.problem);
	zgi_crash_end(&crash);
	assert_string_equal(crash.problem, "what was promised is gone");
}

static void store_that_goes_round_the_seam_is_found(void **state)
{
	(void)state;
	start(remember);
	zg_pmem_bytes(&maps[0])[5] = 1;
	fence();
	assert_string_equal(crash.problem, "a store went round the seam");
}

static const char *check_two(struct zgi_crash_image *image, void *user)
{
	(void)user;
	assert_int_equal(image->map_count, 2);
	assert_int_equal(image->sizes[1], SIZE);
	if (word_of(image->bytes[1], 0) != 0 && word_of(image->bytes[0], 0) == 0)
		return "the second is there without the first";
	return NULL;
}

static void words_of_several_maps_are_in_the_same_images(void **state)
{
	(void)state;
	start(check_two);
	zgi_crash_watch(&crash, &maps[1]);
	store(0, 1);
	flush(0);
	zg_pmem_store64(&maps[1], 0, 1);
	zgi_crash_end(&crash);
	assert_string_equal(crash.problem, "the second is there without the first");
}

static void fence_of_one_map_is_none_of_another(void **state)
{
	(void)state;
	start(remember);
	zgi_crash_watch(&crash, &maps[1]);
	store(0, 1);
	flush(0);
	assert_int_equal(zg_pmem_fence(&maps[1]), 0);
	seen_count = 0;
	zgi_crash_end(&crash);
	assert_int_equal(seen_count, 2);
}

static void map_that_was_closed_leaves_what_it_had_not_fenced(void **state)
{
	(void)state;
	start(remember);
	store(0, 1);
	zgi_crash_unwatch(&crash, &maps[0]);
	memset(payloads[0], 0, SIZE);
	seen_count = 0;
	zgi_crash_end(&crash);
	assert_int_equal(seen_count, 2);
}

static char image_path[64];

static const char *check_saved(struct zgi_crash_image *image, void *user)
{
	struct zg_pmem_options options = {.path = image_path, .size = 100 * 8, .magic = 9};
	struct zg_pmem map;
	uint64_t word;

	(void)user;
	assert_int_equal(zgi_crash_save(image, 0, image_path), 0);
	assert_int_equal(zg_pmem_open(&map, &options, NULL), 0);
	word = word_of(zg_pmem_bytes(&map), 99);
	zg_pmem_close(&map);
	return word == word_of(image->bytes[0], 99) ? NULL : "the file has something else";
}

static void image_can_be_opened_as_a_file(void **state)
{
	static alignas(64) unsigned char larger[3 * 832];
	struct zg_pmem_options options = {.size = 100 * 8, .magic = 9, .create = true};
	struct zg_pmem map;
	char folder[] = "/tmp/zerog-crash-XXXXXX";
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	(void)snprintf(image_path, sizeof(image_path), "%s/image", folder);
	options.path = path;
	assert_int_equal(zg_pmem_open(&map, &options, NULL), 0);
	zgi_crash_init(&crash, &(struct zgi_crash_options){
				       .check = check_saved,
				       .memory = larger,
				       .memory_size = sizeof(larger),
			       });
	zgi_crash_watch(&crash, &map);
	zg_pmem_store64(&map, 99 * 8, 1);
	zgi_crash_end(&crash);
	assert_null(crash.problem);
	assert_int_equal(crash.image_count, 2);
	zg_pmem_close(&map);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(image_path), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unfenced_words_are_there_or_not_each_for_itself),
		cmocka_unit_test(fenced_words_are_in_every_image),
		cmocka_unit_test(fence_makes_nothing_safe_that_was_not_flushed),
		cmocka_unit_test(flush_does_not_cover_a_later_store),
		cmocka_unit_test(fence_that_was_begun_covers_what_was_flushed_by_then),
		cmocka_unit_test(fence_that_fails_makes_nothing_safe),
		cmocka_unit_test(bytes_count_with_the_word_that_they_are_in),
		cmocka_unit_test(store_of_what_is_there_already_makes_no_image),
		cmocka_unit_test(many_words_are_sampled_with_the_patterns_that_matter),
		cmocka_unit_test(twelve_words_are_not_sampled),
		cmocka_unit_test(seed_makes_the_same_images_again),
		cmocka_unit_test(program_that_fences_in_between_is_right),
		cmocka_unit_test(program_that_fences_once_is_found),
		cmocka_unit_test(program_that_flushes_the_wrong_word_is_found),
		cmocka_unit_test(promise_that_was_not_fenced_is_found),
		cmocka_unit_test(store_that_goes_round_the_seam_is_found),
		cmocka_unit_test(words_of_several_maps_are_in_the_same_images),
		cmocka_unit_test(fence_of_one_map_is_none_of_another),
		cmocka_unit_test(map_that_was_closed_leaves_what_it_had_not_fenced),
		cmocka_unit_test(image_can_be_opened_as_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
