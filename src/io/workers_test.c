/*
 * Threads that run what would block.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include <zerog/region.h>

#include "io/workers.h"

#define STACK_SIZE (1028u * 1024) /* ThreadSanitizer asks for a megabyte */
#define THREADS 3
#define PUSHERS 3
#define WORKS_EACH 5000
#define PATIENCE_NS UINT64_C(20000000000)

struct counted {
	struct zgi_work work; /* first */
	uint32_t run_count;
	uint32_t order;
};

static struct zgi_workers workers;
static struct zg_region region;
static struct counted works[PUSHERS * WORKS_EACH];
static uint32_t order;
static uint32_t is_released;

static void count(struct zgi_work *work)
{
	struct counted *counted = (struct counted *)(void *)work;

	__atomic_fetch_add(&counted->run_count, 1, __ATOMIC_RELAXED);
	counted->order = __atomic_fetch_add(&order, 1, __ATOMIC_RELAXED);
}

static void wait_for_release(struct zgi_work *work)
{
	const struct timespec step = {.tv_nsec = 1000000};

	while (!__atomic_load_n(&is_released, __ATOMIC_ACQUIRE))
		nanosleep(&step, NULL);
	count(work);
}

static void open_workers(uint32_t thread_count)
{
	void *stacks;

	order = 0;
	is_released = 0;
	for (uint32_t index = 0; index < PUSHERS * WORKS_EACH; index++)
		works[index] = (struct counted){.work.run = count};
	assert_int_equal(
		zg_region_init(&region,
			       &(struct zg_region_options){.size = THREADS * (size_t)STACK_SIZE}),
		0);
	assert_int_equal(zg_region_carve(&region, THREADS * (size_t)STACK_SIZE, 4096, &stacks), 0);
	assert_int_equal(zgi_workers_start(&workers,
					   &(struct zgi_workers_options){
						   .stacks = stacks,
						   .stack_size = STACK_SIZE,
						   .thread_count = thread_count,
					   }),
			 0);
}

static void close_workers(void)
{
	assert_int_equal(zgi_workers_end(&workers, PATIENCE_NS), 0);
	zg_region_fini(&region);
}

static void the_end_waits_for_what_was_pushed(void **state)
{
	(void)state;
	open_workers(THREADS);
	for (uint32_t index = 0; index < 100; index++)
		zgi_workers_push(&workers, &works[index].work);
	close_workers();
	for (uint32_t index = 0; index < 100; index++)
		assert_int_equal(works[index].run_count, 1);
}

static void one_thread_keeps_the_order(void **state)
{
	(void)state;
	open_workers(1);
	works[0].work.run = wait_for_release;
	for (uint32_t index = 0; index < 100; index++)
		zgi_workers_push(&workers, &works[index].work);
	__atomic_store_n(&is_released, 1, __ATOMIC_RELEASE);
	close_workers();
	for (uint32_t index = 0; index < 100; index++)
		assert_int_equal(works[index].order, index);
}

static void one_that_takes_long_leaves_the_others_to_the_rest(void **state)
{
	const struct timespec step = {.tv_nsec = 1000000};

	(void)state;
	open_workers(2);
	works[0].work.run = wait_for_release;
	zgi_workers_push(&workers, &works[0].work);
	zgi_workers_push(&workers, &works[1].work);
	while (__atomic_load_n(&works[1].run_count, __ATOMIC_RELAXED) == 0)
		nanosleep(&step, NULL);
	assert_int_equal(works[0].run_count, 0);
	__atomic_store_n(&is_released, 1, __ATOMIC_RELEASE);
	close_workers();
}

static void an_end_that_takes_too_long_is_told(void **state)
{
	(void)state;
	open_workers(1);
	works[0].work.run = wait_for_release;
	zgi_workers_push(&workers, &works[0].work);
	assert_int_equal(zgi_workers_end(&workers, UINT64_C(20000000)), -ETIMEDOUT);
	__atomic_store_n(&is_released, 1, __ATOMIC_RELEASE);
	close_workers();
	assert_int_equal(works[0].run_count, 1);
}

static void workers_that_never_started_end_at_once(void **state)
{
	static struct zgi_workers none;

	(void)state;
	assert_int_equal(zgi_workers_end(&none, 0), 0);
}

static void *push_many(void *user)
{
	struct counted *first = user;

	for (uint32_t index = 0; index < WORKS_EACH; index++)
		zgi_workers_push(&workers, &first[index].work);
	return NULL;
}

static void many_pushers_lose_and_double_nothing(void **state)
{
	pthread_t pushers[PUSHERS];

	(void)state;
	open_workers(THREADS);
	for (uint32_t index = 0; index < PUSHERS; index++)
		assert_int_equal(pthread_create(&pushers[index], NULL, push_many,
						&works[index * WORKS_EACH]),
				 0);
	for (uint32_t index = 0; index < PUSHERS; index++)
		pthread_join(pushers[index], NULL);
	close_workers();
	for (uint32_t index = 0; index < PUSHERS * WORKS_EACH; index++)
		assert_int_equal(works[index].run_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_waits_for_what_was_pushed),
		cmocka_unit_test(one_thread_keeps_the_order),
		cmocka_unit_test(one_that_takes_long_leaves_the_others_to_the_rest),
		cmocka_unit_test(an_end_that_takes_too_long_is_told),
		cmocka_unit_test(workers_that_never_started_end_at_once),
		cmocka_unit_test(many_pushers_lose_and_double_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
