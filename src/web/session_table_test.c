/*
 * The places of sessions: found by their tokens and by nothing else, given back when
 * their time is over, and given to another when there are no more, but never those
 * that are in use.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <zerog/region.h>

#include "base/assert.h"
#include "web/session_table.h"

#define SMALL_COUNT 4
#define LARGE_COUNT 1000 /* more than one stripe */

static const struct zgi_session_table_options small = {
	.count = SMALL_COUNT,
	.value_size = 8,
	.idle_ms = 1000,
	.life_ms = 10000,
	.keep_ms = 100,
};

static struct zg_region region;
static struct zgi_session_table table;

static void open_table(const struct zgi_session_table_options *options)
{
	size_t size = zgi_session_table_memory_size(options);
	void *memory;

	assert_int_equal(zg_region_init(&region, &(struct zg_region_options){.size = size}), 0);
	assert_int_equal(zg_region_carve(&region, size, ZG_LINE_SIZE, &memory), 0);
	zgi_session_table_init(&table, options, memory);
}

static int setup(void **state)
{
	(void)state;
	open_table(&small);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	zgi_session_table_fini(&table);
	zg_region_fini(&region);
	return 0;
}

static struct zgi_session_token start(uint64_t now_ms)
{
	struct zgi_session_token token;

	assert_int_equal(zgi_session_table_start(&table, now_ms, &token), 0);
	return token;
}

static int set(struct zgi_session *session, void *user)
{
	memcpy(session->value, user, sizeof(uint64_t));
	return 0;
}

static int get(struct zgi_session *session, void *user)
{
	memcpy(user, session->value, sizeof(uint64_t));
	return 0;
}

static int csrf_of(struct zgi_session *session, void *user)
{
	memcpy(user, session->csrf, sizeof(session->csrf));
	return 0;
}

static uint64_t value_of(const struct zgi_session_token *token, uint64_t now_ms)
{
	uint64_t value = 0;

	assert_int_equal(zgi_session_table_visit(&table, token, now_ms, get, &value), 0);
	return value;
}

static int look_up(const struct zgi_session_token *token, uint64_t now_ms)
{
	return zgi_session_table_visit(&table, token, now_ms, NULL, NULL);
}

static struct zgi_session_counters counters(void)
{
	struct zgi_session_counters sum;
	uint64_t live_count;

	zgi_session_table_counts(&table, &sum, &live_count);
	return sum;
}

static uint64_t live_count(void)
{
	struct zgi_session_counters sum;
	uint64_t count;

	zgi_session_table_counts(&table, &sum, &count);
	return count;
}

static void a_session_is_found_by_its_token_alone(void **state)
{
	struct zgi_session_token token = start(0);
	struct zgi_session_token other = start(0);
	uint64_t value = 7;

	(void)state;
	assert_int_equal(value_of(&token, 1), 0);
	assert_int_equal(zgi_session_table_visit(&table, &token, 1, set, &value), 0);
	assert_int_equal(value_of(&token, 2), 7);
	assert_int_equal(value_of(&other, 2), 0);
	for (size_t index = 0; index < sizeof(token.id); index++) {
		token.id[index] ^= 1;
		assert_int_equal(look_up(&token, 2), -ENOENT);
		token.id[index] ^= 1;
	}
	token.stripe = 255;
	assert_int_equal(look_up(&token, 2), -ENOENT);
	assert_int_equal(zgi_session_table_end(&table, &token), -ENOENT);
	assert_int_equal(zgi_session_table_rotate(&table, &token, 2), -ENOENT);
}

static int say_seven(struct zgi_session *session, void *user)
{
	(void)session;
	(void)user;
	return 7;
}

static void what_the_visitor_says_is_handed_on(void **state)
{
	struct zgi_session_token token = start(0);

	(void)state;
	assert_int_equal(zgi_session_table_visit(&table, &token, 0, say_seven, NULL), 7);
}

static void a_session_that_is_idle_for_too_long_is_gone(void **state)
{
	struct zgi_session_token token = start(0);

	(void)state;
	assert_int_equal(look_up(&token, 1000), 0);
	/* It was used then: its time begins anew. */
	assert_int_equal(look_up(&token, 2000), 0);
	assert_int_equal(look_up(&token, 3001), -ENOENT);
	assert_int_equal(look_up(&token, 2000), -ENOENT);
	assert_int_equal(counters().expired, 1);
	assert_int_equal(counters().missed, 2);
	assert_int_equal(live_count(), 0);
}

static void a_session_that_is_used_for_too_long_is_gone(void **state)
{
	struct zgi_session_token token = start(0);

	(void)state;
	for (uint64_t now_ms = 0; now_ms <= 10000; now_ms += 1000)
		assert_int_equal(look_up(&token, now_ms), 0);
	assert_int_equal(look_up(&token, 10001), -ENOENT);
	assert_int_equal(counters().expired, 1);
}

static void a_rotated_session_lives_anew_under_another_token(void **state)
{
	struct zgi_session_token token = start(0);
	struct zgi_session_token old = token;
	uint8_t csrf_before[ZGI_SESSION_ID_SIZE];
	uint8_t csrf_after[ZGI_SESSION_ID_SIZE];
	uint64_t value = 9;

	(void)state;
	assert_int_equal(zgi_session_table_visit(&table, &token, 0, set, &value), 0);
	assert_int_equal(zgi_session_table_visit(&table, &token, 0, csrf_of, csrf_before), 0);
	for (uint64_t now_ms = 0; now_ms < 9000; now_ms += 1000)
		assert_int_equal(look_up(&token, now_ms), 0);
	assert_int_equal(zgi_session_table_rotate(&table, &token, 9000), 0);
	assert_memory_not_equal(&token, &old, sizeof(token));
	assert_int_equal(look_up(&old, 9000), -ENOENT);
	assert_int_equal(zgi_session_table_rotate(&table, &old, 9000), -ENOENT);
	assert_int_equal(value_of(&token, 9000), 9);
	assert_int_equal(zgi_session_table_visit(&table, &token, 9000, csrf_of, csrf_after), 0);
	assert_memory_not_equal(csrf_before, csrf_after, sizeof(csrf_after));
	for (uint64_t now_ms = 9000; now_ms <= 19000; now_ms += 1000)
		assert_int_equal(look_up(&token, now_ms), 0);
	assert_int_equal(live_count(), 1);
	assert_int_equal(counters().rotated, 1);
}

static void an_ended_session_leaves_nothing_behind(void **state)
{
	uint64_t value = UINT64_MAX;

	(void)state;
	for (int round = 0; round < 3 * SMALL_COUNT; round++) {
		struct zgi_session_token token = start(0);

		assert_int_equal(value_of(&token, 0), 0);
		assert_int_equal(zgi_session_table_visit(&table, &token, 0, set, &value), 0);
		assert_int_equal(zgi_session_table_end(&table, &token), 0);
		assert_int_equal(zgi_session_table_end(&table, &token), -ENOENT);
		assert_int_equal(look_up(&token, 0), -ENOENT);
	}
	assert_int_equal(live_count(), 0);
	assert_int_equal(counters().ended, 3 * SMALL_COUNT);
}

static void a_full_table_refuses_while_all_are_in_use(void **state)
{
	struct zgi_session_token tokens[SMALL_COUNT];
	struct zgi_session_token token = {.stripe = 77};

	(void)state;
	for (size_t index = 0; index < SMALL_COUNT; index++)
		tokens[index] = start(index);
	assert_int_equal(zgi_session_table_start(&table, 99, &token), -ENOMEM);
	assert_int_equal(token.stripe, 77);
	assert_int_equal(counters().refused, 1);
	for (size_t index = 0; index < SMALL_COUNT; index++)
		assert_int_equal(look_up(&tokens[index], 99), 0);
}

static void a_full_table_evicts_the_longest_idle(void **state)
{
	struct zgi_session_token tokens[SMALL_COUNT];

	(void)state;
	for (size_t index = 0; index < SMALL_COUNT; index++)
		tokens[index] = start(index);
	/* The first started is no longer the longest idle. */
	assert_int_equal(look_up(&tokens[0], 50), 0);
	(void)start(101);
	assert_int_equal(look_up(&tokens[1], 101), -ENOENT);
	assert_int_equal(counters().evicted, 1);
	assert_int_equal(look_up(&tokens[0], 101), 0);
	assert_int_equal(look_up(&tokens[2], 101), 0);
	assert_int_equal(look_up(&tokens[3], 101), 0);
}

static void those_that_ran_out_make_room_before_any_other(void **state)
{
	struct zgi_session_token tokens[SMALL_COUNT];

	(void)state;
	for (size_t index = 0; index < SMALL_COUNT; index++)
		tokens[index] = start(0);
	for (size_t index = 1; index < SMALL_COUNT; index++)
		assert_int_equal(look_up(&tokens[index], 1000), 0);
	(void)start(1001);
	assert_int_equal(counters().evicted, 0);
	assert_int_equal(counters().expired, 1);
	for (size_t index = 1; index < SMALL_COUNT; index++)
		assert_int_equal(look_up(&tokens[index], 1001), 0);
}

static void every_place_is_used_whatever_its_stripe(void **state)
{
	static struct zgi_session_token tokens[LARGE_COUNT];
	struct zgi_session_table_options options = small;
	struct zgi_session_token token;

	(void)state;
	(void)teardown(NULL);
	options.count = LARGE_COUNT;
	open_table(&options);
	assert_true(table.stripe_mask > 0);
	for (size_t index = 0; index < LARGE_COUNT; index++)
		tokens[index] = start(index / 100);
	assert_int_equal(live_count(), LARGE_COUNT);
	assert_int_equal(zgi_session_table_start(&table, 50, &token), -ENOMEM);
	for (size_t index = 0; index < LARGE_COUNT; index++)
		if (index != 123)
			assert_int_equal(look_up(&tokens[index], 60), 0);
	/* The longest idle of all stripes, not of the one that was looked at first. */
	(void)start(110);
	assert_int_equal(look_up(&tokens[123], 110), -ENOENT);
	assert_int_equal(live_count(), LARGE_COUNT);
}

static void tokens_do_not_repeat_and_use_all_their_bits(void **state)
{
	uint8_t seen_set[ZGI_SESSION_ID_SIZE] = {0};
	uint8_t seen_clear[ZGI_SESSION_ID_SIZE] = {0};

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct zgi_session_token token = start(0);

		for (size_t index = 0; index < ZGI_SESSION_ID_SIZE; index++) {
			seen_set[index] |= token.id[index];
			seen_clear[index] |= (uint8_t)~token.id[index];
		}
		assert_int_equal(zgi_session_table_end(&table, &token), 0);
	}
	for (size_t index = 0; index < ZGI_SESSION_ID_SIZE; index++)
		assert_int_equal(seen_set[index] & seen_clear[index], 255);
}

#define THREAD_COUNT 4
#define THREAD_ROUNDS 5000

static struct zgi_session_token shared_token;

static int add_one(struct zgi_session *session, void *user)
{
	uint64_t value;

	(void)user;
	memcpy(&value, session->value, sizeof(value));
	value++;
	memcpy(session->value, &value, sizeof(value));
	return 0;
}

/* Every thread counts up in one session, and has others of its own come and go. */
static void *use_table(void *user)
{
	(void)user;
	for (int round = 0; round < THREAD_ROUNDS; round++) {
		struct zgi_session_token own;
		int result = zgi_session_table_visit(&table, &shared_token, 0, add_one, NULL);

		zg_assert(result == 0);
		result = zgi_session_table_start(&table, 0, &own);
		zg_assert(result == 0);
		if (round % 2 == 0)
			result = zgi_session_table_rotate(&table, &own, 0);
		zg_assert(result == 0);
		result = zgi_session_table_visit(&table, &own, 0, add_one, NULL);
		zg_assert(result == 0);
		result = zgi_session_table_end(&table, &own);
		zg_assert(result == 0);
	}
	return NULL;
}

static void threads_find_each_others_sessions_and_lose_no_change(void **state)
{
	struct zgi_session_table_options options = small;
	pthread_t threads[THREAD_COUNT];

	(void)state;
	(void)teardown(NULL);
	options.count = 256;
	open_table(&options);
	shared_token = start(0);
	for (size_t index = 0; index < THREAD_COUNT; index++)
		assert_int_equal(pthread_create(&threads[index], NULL, use_table, NULL), 0);
	for (size_t index = 0; index < THREAD_COUNT; index++)
		assert_int_equal(pthread_join(threads[index], NULL), 0);
	assert_int_equal(value_of(&shared_token, 0), THREAD_COUNT * THREAD_ROUNDS);
	assert_int_equal(live_count(), 1);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_session_is_found_by_its_token_alone),
		test(what_the_visitor_says_is_handed_on),
		test(a_session_that_is_idle_for_too_long_is_gone),
		test(a_session_that_is_used_for_too_long_is_gone),
		test(a_rotated_session_lives_anew_under_another_token),
		test(an_ended_session_leaves_nothing_behind),
		test(a_full_table_refuses_while_all_are_in_use),
		test(a_full_table_evicts_the_longest_idle),
		test(those_that_ran_out_make_room_before_any_other),
		test(every_place_is_used_whatever_its_stripe),
		test(tokens_do_not_repeat_and_use_all_their_bits),
		test(threads_find_each_others_sessions_and_lose_no_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
