/*
 * The pause meter: which turn was the longest, and what the kernel did to a thread.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

#include <cmocka.h>

#include <zerog/pause.h>

#include "base/clock.h"

#define PAGE_SIZE 4096
#define PAGE_COUNT 64

static struct zg_pause pause_meter;
static struct zg_pause_figures figures;

static int setup(void **state)
{
	(void)state;
	zg_pause_init(&pause_meter, "test");
	zg_pause_start(&pause_meter);
	return 0;
}

static void a_new_meter_has_seen_nothing(void **state)
{
	static struct zg_pause fresh;

	(void)state;
	zg_pause_init(&fresh, "fresh");
	zg_pause_read(&fresh, &figures);
	assert_int_equal(figures.turn_count, 0);
	assert_int_equal(figures.longest_ns, 0);
	assert_int_equal(figures.longest_begin_ns, 0);
	assert_int_equal(figures.fault_minor_count, 0);
	assert_int_equal(zg_pause_quantile(&fresh, 0.5), 0);
}

static void the_longest_turn_is_kept_with_its_time(void **state)
{
	(void)state;
	zg_pause_turn(&pause_meter, 1000, 1010);
	zg_pause_turn(&pause_meter, 2000, 2500);
	zg_pause_turn(&pause_meter, 3000, 3500);
	zg_pause_turn(&pause_meter, 4000, 4001);
	zg_pause_read(&pause_meter, &figures);
	assert_int_equal(figures.turn_count, 4);
	assert_int_equal(figures.turn_ns_sum, 10 + 500 + 500 + 1);
	assert_int_equal(figures.longest_ns, 500);
	/* The first of two that are equally long. */
	assert_int_equal(figures.longest_begin_ns, 2000);
}

static void turns_are_distributed(void **state)
{
	static const uint64_t bounds_ns[] = {10, 100};
	uint64_t counts[3] = {0};

	(void)state;
	for (uint64_t turn = 0; turn < 98; turn++)
		zg_pause_turn(&pause_meter, 0, 8);
	zg_pause_turn(&pause_meter, 0, 50);
	zg_pause_turn(&pause_meter, 0, 5000);
	zg_pause_distribution(&pause_meter, bounds_ns, 2, counts);
	assert_int_equal(counts[0], 98);
	assert_int_equal(counts[1], 1);
	assert_int_equal(counts[2], 1);
	assert_int_equal(zg_pause_quantile(&pause_meter, 0.98), 8);
	assert_int_equal(zg_pause_quantile(&pause_meter, 1.0), 5000);
}

static void begin_and_end_take_the_time_between_them(void **state)
{
	const struct timespec wait = {.tv_nsec = 20000000};
	uint64_t before_ns = zgi_clock_ns();

	(void)state;
	zg_pause_begin(&pause_meter);
	nanosleep(&wait, NULL);
	zg_pause_end(&pause_meter);
	zg_pause_read(&pause_meter, &figures);
	assert_int_equal(figures.turn_count, 1);
	assert_true(figures.longest_ns >= 20000000);
	assert_true(figures.longest_ns <= zgi_clock_ns() - before_ns);
	assert_true(figures.longest_begin_ns >= before_ns);
}

static void faults_are_those_since_the_start(void **state)
{
	unsigned char *pages = mmap(NULL, 2 * PAGE_COUNT * PAGE_SIZE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(pages != MAP_FAILED);
	assert_int_equal(madvise(pages, 2 * PAGE_COUNT * PAGE_SIZE, MADV_NOHUGEPAGE), 0);
	for (size_t page = 0; page < PAGE_COUNT; page++)
		pages[page * PAGE_SIZE] = 1;
	zg_pause_start(&pause_meter);
	zg_pause_sample(&pause_meter);
	zg_pause_read(&pause_meter, &figures);
	assert_in_range(figures.fault_minor_count, 0, 4);
	for (size_t page = PAGE_COUNT; page < 2 * (size_t)PAGE_COUNT; page++)
		pages[page * PAGE_SIZE] = 1;
	/* Published by the sample, not before. */
	zg_pause_read(&pause_meter, &figures);
	assert_in_range(figures.fault_minor_count, 0, 4);
	zg_pause_sample(&pause_meter);
	zg_pause_read(&pause_meter, &figures);
	assert_true(figures.fault_minor_count >= PAGE_COUNT);
	munmap(pages, 2 * PAGE_COUNT * PAGE_SIZE);
}

static void waiting_is_a_voluntary_switch(void **state)
{
	const struct timespec wait = {.tv_nsec = 1000000};

	(void)state;
	for (int turn = 0; turn < 10; turn++)
		nanosleep(&wait, NULL);
	zg_pause_sample(&pause_meter);
	zg_pause_read(&pause_meter, &figures);
	assert_in_range(figures.switch_voluntary_count, 10, 1000);
}

static void a_second_start_begins_at_nothing(void **state)
{
	(void)state;
	zg_pause_turn(&pause_meter, 1000, 2000);
	zg_pause_start(&pause_meter);
	zg_pause_read(&pause_meter, &figures);
	assert_int_equal(figures.turn_count, 0);
	assert_int_equal(figures.longest_ns, 0);
	assert_int_equal(figures.longest_begin_ns, 0);
}

static void *turn_many(void *user)
{
	struct zg_pause *meter = user;

	zg_pause_start(meter);
	for (uint64_t turn = 0; turn < 100000; turn++) {
		zg_pause_turn(meter, turn, turn + turn % 100);
		if (turn % 1000 == 0)
			zg_pause_sample(meter);
	}
	return NULL;
}

static void another_thread_reads_meanwhile(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, turn_many, &pause_meter), 0);
	for (int count = 0; count < 1000; count++) {
		zg_pause_read(&pause_meter, &figures);
		assert_in_range(figures.longest_ns, 0, 99);
	}
	pthread_join(thread, NULL);
	zg_pause_read(&pause_meter, &figures);
	assert_int_equal(figures.turn_count, 100000);
	assert_int_equal(figures.longest_ns, 99);
	assert_int_equal(figures.longest_begin_ns, 99);
}

#define test(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_new_meter_has_seen_nothing),
		test(the_longest_turn_is_kept_with_its_time),
		test(turns_are_distributed),
		test(begin_and_end_take_the_time_between_them),
		test(faults_are_those_since_the_start),
		test(waiting_is_a_voluntary_switch),
		test(a_second_start_begins_at_nothing),
		test(another_thread_reads_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
