#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/inbox.h"

#define SENDER_COUNT 3
#define MESSAGE_COUNT 20000
#define CELL_COUNT 8
#define POST_COUNT_MAX 3

static struct zgi_inbox inbox;
static struct zgi_inbox_cell cells[CELL_COUNT];

static int setup(void **state)
{
	(void)state;
	zgi_inbox_init(&inbox, &(struct zgi_inbox_options){
				       .cells = cells,
				       .cell_count = CELL_COUNT,
				       .post_count_max = POST_COUNT_MAX,
			       });
	return 0;
}

static int send_bits(uint64_t bits)
{
	return zgi_inbox_send(&inbox, &(struct zgi_message){.handle = {bits}});
}

static void cells_are_a_power_of_two(void **state)
{
	(void)state;
	assert_int_equal(zgi_inbox_cell_count(0), 2);
	assert_int_equal(zgi_inbox_cell_count(2), 2);
	assert_int_equal(zgi_inbox_cell_count(3), 4);
	assert_int_equal(zgi_inbox_cell_count(1024), 1024);
	assert_int_equal(zgi_inbox_cell_count(1025), 2048);
}

static void an_empty_inbox_has_no_message(void **state)
{
	struct zgi_message message;

	(void)state;
	assert_false(zgi_inbox_receive(&inbox, &message));
}

static void messages_come_in_their_order(void **state)
{
	struct zgi_message message;

	(void)state;
	/* Several rounds of the ring. */
	for (uint64_t round = 0; round < 5; round++) {
		for (uint64_t bits = 0; bits < 5; bits++)
			assert_int_equal(send_bits(round * 5 + bits + 1), 0);
		for (uint64_t bits = 0; bits < 5; bits++) {
			assert_true(zgi_inbox_receive(&inbox, &message));
			assert_int_equal(message.handle.bits, round * 5 + bits + 1);
		}
		assert_false(zgi_inbox_receive(&inbox, &message));
	}
}

static void a_full_inbox_takes_no_more_until_one_is_received(void **state)
{
	struct zgi_message message;

	(void)state;
	for (uint64_t bits = 1; bits <= CELL_COUNT; bits++)
		assert_int_equal(send_bits(bits), 0);
	assert_int_equal(send_bits(99), -EAGAIN);
	assert_true(zgi_inbox_receive(&inbox, &message));
	assert_int_equal(message.handle.bits, 1);
	assert_int_equal(send_bits(CELL_COUNT + 1), 0);
	assert_int_equal(send_bits(99), -EAGAIN);
	for (uint64_t bits = 2; bits <= CELL_COUNT + 1; bits++) {
		assert_true(zgi_inbox_receive(&inbox, &message));
		assert_int_equal(message.handle.bits, bits);
	}
	assert_false(zgi_inbox_receive(&inbox, &message));
}

static void post_nothing(struct zg_shard *shard, void *user)
{
	(void)shard;
	(void)user;
}

static int send_post(void)
{
	return zgi_inbox_send(&inbox, &(struct zgi_message){.post = post_nothing});
}

static void a_post_is_told_from_a_resume(void **state)
{
	struct zgi_message message;

	(void)state;
	assert_int_equal(send_post(), 0);
	assert_int_equal(send_bits(7), 0);
	assert_true(zgi_inbox_receive(&inbox, &message));
	assert_true(zgi_message_is_post(&message));
	assert_true(message.post == post_nothing);
	assert_true(zgi_inbox_receive(&inbox, &message));
	assert_false(zgi_message_is_post(&message));
}

static void posts_leave_room_for_resumes(void **state)
{
	struct zgi_message message;

	(void)state;
	for (uint32_t count = 0; count < POST_COUNT_MAX; count++)
		assert_int_equal(send_post(), 0);
	assert_int_equal(send_post(), -EAGAIN);
	for (uint64_t bits = 1; bits <= CELL_COUNT - POST_COUNT_MAX; bits++)
		assert_int_equal(send_bits(bits), 0);
	assert_int_equal(send_bits(99), -EAGAIN);
	assert_true(zgi_inbox_receive(&inbox, &message));
	assert_int_equal(send_post(), 0);
}

static void a_post_that_finds_the_ring_full_counts_no_longer(void **state)
{
	struct zgi_message message;

	(void)state;
	for (uint64_t bits = 1; bits <= CELL_COUNT; bits++)
		assert_int_equal(send_bits(bits), 0);
	for (uint32_t count = 0; count < 2 * POST_COUNT_MAX; count++)
		assert_int_equal(send_post(), -EAGAIN);
	assert_true(zgi_inbox_receive(&inbox, &message));
	assert_int_equal(send_post(), 0);
}

static void only_the_first_sender_after_a_look_must_wake(void **state)
{
	(void)state;
	assert_true(zgi_inbox_must_wake(&inbox));
	assert_false(zgi_inbox_must_wake(&inbox));
	zgi_inbox_look(&inbox);
	assert_true(zgi_inbox_must_wake(&inbox));
}

static void it_is_empty_when_all_was_received(void **state)
{
	struct zgi_message message;

	(void)state;
	assert_true(zgi_inbox_is_empty(&inbox));
	assert_int_equal(send_post(), 0);
	assert_false(zgi_inbox_is_empty(&inbox));
	assert_true(zgi_inbox_receive(&inbox, &message));
	assert_true(zgi_inbox_is_empty(&inbox));
}

static void *sender_run(void *user)
{
	const uint64_t *sender = user;

	for (uint64_t number = 0; number < MESSAGE_COUNT; number++)
		while (send_bits(*sender << 32 | number) < 0)
			sched_yield();
	return NULL;
}

static void many_senders_lose_and_double_nothing(void **state)
{
	static uint64_t senders[SENDER_COUNT] = {1, 2, 3};
	pthread_t threads[SENDER_COUNT];
	uint64_t next[SENDER_COUNT] = {0};

	(void)state;
	for (uint32_t index = 0; index < SENDER_COUNT; index++)
		assert_int_equal(pthread_create(&threads[index], NULL, sender_run, &senders[index]),
				 0);
	for (uint32_t count = 0; count < SENDER_COUNT * MESSAGE_COUNT;) {
		struct zgi_message message;

		if (!zgi_inbox_receive(&inbox, &message)) {
			sched_yield();
			continue;
		}
		assert_in_range(message.handle.bits >> 32, 1, SENDER_COUNT);
		/* Each sender's messages stay in their order. */
		assert_int_equal(message.handle.bits & UINT32_MAX,
				 next[(message.handle.bits >> 32) - 1]++);
		count++;
	}
	for (uint32_t index = 0; index < SENDER_COUNT; index++)
		pthread_join(threads[index], NULL);
}

#define test(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(cells_are_a_power_of_two),
		test(an_empty_inbox_has_no_message),
		test(messages_come_in_their_order),
		test(a_full_inbox_takes_no_more_until_one_is_received),
		test(a_post_is_told_from_a_resume),
		test(posts_leave_room_for_resumes),
		test(a_post_that_finds_the_ring_full_counts_no_longer),
		test(only_the_first_sender_after_a_look_must_wake),
		test(it_is_empty_when_all_was_received),
		test(many_senders_lose_and_double_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
