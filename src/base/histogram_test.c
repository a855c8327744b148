/*
 * Histograms: how close a quantile is to the truth, and that nothing is lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/histogram.h"

static struct zgi_histogram histogram;
static struct zgi_histogram other;

static int setup(void **state)
{
	(void)state;
	zgi_histogram_init(&histogram);
	zgi_histogram_init(&other);
	return 0;
}

static void empty_histogram_is_all_zeros(void **state)
{
	(void)state;
	assert_int_equal(zgi_histogram_count(&histogram), 0);
	assert_int_equal(zgi_histogram_sum(&histogram), 0);
	assert_int_equal(zgi_histogram_max(&histogram), 0);
	assert_int_equal(zgi_histogram_quantile(&histogram, 0.99), 0);
}

static void small_values_are_exact(void **state)
{
	(void)state;
	for (uint64_t value = 0; value < 64; ++value)
		zgi_histogram_record(&histogram, value);
	assert_int_equal(zgi_histogram_quantile(&histogram, 0.0), 0);
	assert_int_equal(zgi_histogram_quantile(&histogram, 0.25), 15);
	assert_int_equal(zgi_histogram_quantile(&histogram, 0.5), 31);
	assert_int_equal(zgi_histogram_quantile(&histogram, 1.0), 63);
	assert_int_equal(zgi_histogram_count(&histogram), 64);
	assert_int_equal(zgi_histogram_sum(&histogram), 64 * 63 / 2);
}

/* Every boundary of a bucket, and its neighbours. */
static void quantile_is_at_most_a_32nd_above_the_value(void **state)
{
	(void)state;
	for (unsigned int shift = 0; shift < ZGI_HISTOGRAM_VALUE_BITS - 5; ++shift) {
		for (uint64_t lead = 32; lead < 64; ++lead) {
			for (uint64_t value = (lead << shift) - 1; value <= (lead << shift) + 1;
			     ++value) {
				uint64_t found;

				zgi_histogram_init(&histogram);
				zgi_histogram_record(&histogram, value);
				/* Without this the exact maximum would hide the bucket. */
				zgi_histogram_record(&histogram, UINT64_MAX);
				found = zgi_histogram_quantile(&histogram, 0.5);
				assert_true(found >= value);
				assert_true(found - value <= value / 32);
			}
		}
	}
}

static void huge_values_count_and_the_maximum_is_exact(void **state)
{
	uint64_t limit = UINT64_C(1) << ZGI_HISTOGRAM_VALUE_BITS;

	(void)state;
	zgi_histogram_record(&histogram, limit - 1);
	zgi_histogram_record(&histogram, limit);
	zgi_histogram_record(&histogram, limit * 1000);
	assert_int_equal(zgi_histogram_count(&histogram), 3);
	assert_int_equal(zgi_histogram_max(&histogram), limit * 1000);
	assert_int_equal(zgi_histogram_quantile(&histogram, 1.0), limit * 1000);
}

static void rare_large_value_shows_only_in_the_tail(void **state)
{
	(void)state;
	for (int i = 0; i < 999; ++i)
		zgi_histogram_record(&histogram, 10);
	zgi_histogram_record(&histogram, 1000000);
	assert_int_equal(zgi_histogram_quantile(&histogram, 0.5), 10);
	assert_int_equal(zgi_histogram_quantile(&histogram, 0.999), 10);
	assert_int_equal(zgi_histogram_quantile(&histogram, 0.9995), 1000000);
}

static void merge_adds_up(void **state)
{
	(void)state;
	zgi_histogram_record(&histogram, 5);
	zgi_histogram_record(&other, 7);
	zgi_histogram_record(&other, 9);
	zgi_histogram_merge(&histogram, &other);
	assert_int_equal(zgi_histogram_count(&histogram), 3);
	assert_int_equal(zgi_histogram_sum(&histogram), 21);
	assert_int_equal(zgi_histogram_max(&histogram), 9);
	assert_int_equal(zgi_histogram_quantile(&histogram, 0.5), 7);
	assert_int_equal(zgi_histogram_count(&other), 2);
}

static void distribution_counts_between_bounds(void **state)
{
	static const uint64_t bounds[] = {10, 1000, 1000000};
	uint64_t counts[4] = {0, 0, 0, 5};

	(void)state;
	zgi_histogram_record(&histogram, 0);
	zgi_histogram_record(&histogram, 10);
	zgi_histogram_record(&histogram, 11);
	zgi_histogram_record(&histogram, 1000);
	zgi_histogram_record(&histogram, 1032);
	zgi_histogram_record(&histogram, 1000000);
	zgi_histogram_record(&histogram, UINT64_MAX);
	zgi_histogram_distribution(&histogram, bounds, 3, counts);
	assert_int_equal(counts[0], 2);
	assert_int_equal(counts[1], 2);
	assert_int_equal(counts[2], 2);
	/* Added to what was there. */
	assert_int_equal(counts[3], 6);
}

static void *record_many(void *user)
{
	for (uint64_t i = 0; i < 100000; ++i)
		zgi_histogram_record(user, i % 100);
	return NULL;
}

static void reader_sees_plausible_values_while_another_thread_records(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, record_many, &histogram), 0);
	for (int i = 0; i < 100; ++i)
		assert_true(zgi_histogram_quantile(&histogram, 0.5) < 100);
	pthread_join(thread, NULL);
	assert_int_equal(zgi_histogram_count(&histogram), 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(empty_histogram_is_all_zeros, setup),
		cmocka_unit_test_setup(small_values_are_exact, setup),
		cmocka_unit_test_setup(quantile_is_at_most_a_32nd_above_the_value, setup),
		cmocka_unit_test_setup(huge_values_count_and_the_maximum_is_exact, setup),
		cmocka_unit_test_setup(rare_large_value_shows_only_in_the_tail, setup),
		cmocka_unit_test_setup(merge_adds_up, setup),
		cmocka_unit_test_setup(distribution_counts_between_bounds, setup),
		cmocka_unit_test_setup(reader_sees_plausible_values_while_another_thread_records,
				       setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
