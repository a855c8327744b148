/*
 * How large a heap has to be so that blocks which cannot be moved always find a place.
 *
 * The two bounds are J. M. Robson's; the header says where they stand. What is worked
 * out here for sizes that are no powers of two is rounded to the side that promises less.
 */
#include <zerog/plan.h>

#include <stdbool.h>

#include "base/assert.h"

#define ROBSON_SUMMED_MAX 4096 /* harmonic numbers are added up to here, and bounded beyond */
#define ROBSON_LN_2 0.69314718055994530942
#define ROBSON_EULER_GAMMA 0.57721566490153286061
#define ROBSON_ROUNDING 1e-9 /* more than the error of all the additions */

static uint64_t robson_divide_up(uint64_t size, uint64_t unit)
{
	return size / unit + (size % unit != 0);
}

/* The number of the highest bit: the logarithm, rounded down. */
static unsigned int robson_log2_floor(uint64_t number)
{
	zg_assert(number > 0);
	return 63U - (unsigned int)__builtin_clzll(number);
}

/* M * (1 + log2(n) / 2) - n + 1 units, for M a multiple of n and n a power of two. */
static uint64_t robson_exact(uint64_t unit, uint64_t live, unsigned int log2_ratio)
{
	uint64_t ratio = UINT64_C(1) << log2_ratio;
	uint64_t spread;
	uint64_t sum;

	zg_assert(live % ratio == 0 && live >= ratio);
	/* Half of M is whole wherever n is 2 or more. */
	if (__builtin_mul_overflow(live / 2 + (live % 2), (uint64_t)log2_ratio, &spread) ||
	    __builtin_add_overflow(live, spread, &sum) ||
	    __builtin_mul_overflow(sum - ratio + 1, unit, &sum))
		return UINT64_MAX;
	return sum;
}

uint64_t zg_plan_robson_bound(uint64_t live_size_max, uint64_t size_min, uint64_t size_max)
{
	uint64_t live;
	uint64_t ratio;
	unsigned int log2_ratio;

	zg_assert(size_min > 0 && size_max >= size_min);
	ratio = robson_divide_up(size_max, size_min);
	log2_ratio = robson_log2_floor(ratio);
	if (ratio & (ratio - 1))
		log2_ratio++;
	if (log2_ratio > 62)
		return UINT64_MAX;
	ratio = UINT64_C(1) << log2_ratio;
	live = robson_divide_up(robson_divide_up(live_size_max, size_min), ratio);
	if (live == 0)
		live = 1;
	if (__builtin_mul_overflow(live, ratio, &live))
		return UINT64_MAX;
	return robson_exact(size_min, live, log2_ratio);
}

/* The logarithm to base 2, too large by less than 2^-39: each squaring yields one more digit. */
static double robson_log2(uint64_t number)
{
	unsigned int exponent = robson_log2_floor(number);
	double mantissa = (double)number / (double)(UINT64_C(1) << exponent);
	double result = exponent;
	double digit = 1;

	for (unsigned int count = 0; count < 40; count++) {
		mantissa *= mantissa;
		digit /= 2;
		if (mantissa >= 2) {
			mantissa /= 2;
			result += digit;
		}
	}
	return result + digit;
}

/* H(n) / ln 2, at most a little too large: H(n) is below ln n + gamma + 1 / 2n. */
static double robson_harmonic(uint64_t number)
{
	double sum = 0;

	if (number > ROBSON_SUMMED_MAX)
		return robson_log2(number) +
		       (ROBSON_EULER_GAMMA + 0.5 / (double)number) / ROBSON_LN_2 + ROBSON_ROUNDING;
	for (uint64_t term = number; term > 0; term--)
		sum += 1 / (double)term;
	return sum / ROBSON_LN_2 + ROBSON_ROUNDING;
}

uint64_t zg_plan_first_fit_bound(uint64_t live_size_max, uint64_t size_min, uint64_t size_max)
{
	double factor;
	double bound;

	zg_assert(size_min > 0 && size_max >= size_min);
	factor = robson_harmonic(robson_divide_up(size_max, size_min));
	bound = (double)robson_divide_up(live_size_max, size_min) * factor * (double)size_min + 1;
	/* What a double can tell apart ends before 64 bits do. */
	if (bound >= 0x1p63)
		return UINT64_MAX;
	return (uint64_t)bound;
}

/* The bound that no allocator gets below: with the powers of two that are among the sizes, and as
 * many whole largest blocks as may be taken at once. */
static uint64_t robson_least(const struct zg_plan_heap *heap)
{
	unsigned int log2_ratio = robson_log2_floor(heap->size_max / heap->size_min);
	uint64_t ratio = UINT64_C(1) << log2_ratio;
	uint64_t live = heap->live_size_max / heap->size_min / ratio * ratio;
	uint64_t least = live > 0 ? robson_exact(heap->size_min, live, log2_ratio) : 0;

	return least > heap->live_size_max ? least : heap->live_size_max;
}

/* The smaller of the two bounds for which an allocator is known that never fails. */
static uint64_t robson_enough(const struct zg_plan_heap *heap)
{
	uint64_t first_fit =
		zg_plan_first_fit_bound(heap->live_size_max, heap->size_min, heap->size_max);
	uint64_t doubled;
	uint64_t rounded = UINT64_MAX;

	if (!__builtin_mul_overflow(heap->live_size_max, UINT64_C(2), &doubled))
		rounded = zg_plan_robson_bound(doubled, heap->size_min, heap->size_max);
	return first_fit < rounded ? first_fit : rounded;
}

enum zg_plan_heap_verdict zg_plan_check_heap(const struct zg_plan_heap *heap,
					     struct zg_text *ret_sentence)
{
	uint64_t least;
	uint64_t enough;
	const char *what;
	enum zg_plan_heap_verdict verdict;

	zg_assert(heap->size_min > 0 && heap->size_max >= heap->size_min);
	least = robson_least(heap);
	enough = robson_enough(heap);
	if (heap->size < heap->live_size_max) {
		verdict = ZG_PLAN_HEAP_TOO_SMALL;
		what = "do not hold what is taken at once";
	} else if (heap->size < least) {
		verdict = ZG_PLAN_HEAP_BREAKABLE;
		what = "can be broken up by some order of takes and gives, whatever the allocator";
	} else if (heap->size < enough) {
		verdict = ZG_PLAN_HEAP_UNPROVEN;
		what = "may be enough in the worst case, and no allocator is known that promises "
		       "it";
	} else {
		verdict = ZG_PLAN_HEAP_SAFE;
		what = "are enough in the worst case for an allocator that keeps to the bound";
	}
	zg_text_print(ret_sentence,
		      "%llu bytes %s: %llu at once in blocks of %llu to %llu; at least %llu are "
		      "needed for a promise (Robson 1974), and %llu are known to be enough",
		      (unsigned long long)heap->size, what, (unsigned long long)heap->live_size_max,
		      (unsigned long long)heap->size_min, (unsigned long long)heap->size_max,
		      (unsigned long long)least, (unsigned long long)enough);
	return verdict;
}
