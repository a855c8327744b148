/*
 * The pause meter. What is recorded once a turn is a few plain stores into memory that
 * the thread owns; what costs a system call is done a few times a second.
 */
#include <zerog/pause.h>

#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/histogram.h"

#define PAUSE_MAGIC UINT32_C(0x73756170)

_Static_assert(sizeof(((struct zg_pause *)0)->distribution) == sizeof(struct zgi_histogram),
	       "the public struct must hold a histogram");

static struct zgi_histogram *pause_histogram(struct zg_pause *pause)
{
	return (struct zgi_histogram *)(void *)pause->distribution;
}

static const struct zgi_histogram *pause_histogram_read(const struct zg_pause *pause)
{
	return (const struct zgi_histogram *)(const void *)pause->distribution;
}

/* One writer, many readers: a relaxed store is a plain one to the processor. */
static void pause_set(uint64_t *figure, uint64_t value)
{
	__atomic_store_n(figure, value, __ATOMIC_RELAXED);
}

void zg_pause_init(struct zg_pause *pause, const char *name)
{
	zg_assert(name != NULL);
	/* Not a compound literal, which would lie on the stack first. */
	memset(pause, 0, sizeof(*pause));
	pause->magic = PAUSE_MAGIC;
	pause->name = name;
}

/* What the kernel has counted for this thread since it began. */
static void pause_kernel_read(struct zg_pause_figures *ret_figures)
{
	struct rusage usage;
	int result = getrusage(RUSAGE_THREAD, &usage);

	zg_assert(result == 0);
	ret_figures->fault_minor_count = (uint64_t)usage.ru_minflt;
	ret_figures->fault_major_count = (uint64_t)usage.ru_majflt;
	ret_figures->switch_voluntary_count = (uint64_t)usage.ru_nvcsw;
	ret_figures->switch_involuntary_count = (uint64_t)usage.ru_nivcsw;
}

void zg_pause_start(struct zg_pause *pause)
{
	zg_assert(pause->magic == PAUSE_MAGIC);
	for (size_t index = 0; index < ZG_PAUSE_DISTRIBUTION_WORDS; index++)
		pause_set(&pause->distribution[index], 0);
	pause_set(&pause->now.longest_begin_ns, 0);
	pause->is_started = 1;
	pause_kernel_read(&pause->base);
	zg_pause_sample(pause);
}

void zg_pause_begin(struct zg_pause *pause)
{
	zg_assert(pause->magic == PAUSE_MAGIC);
	pause->begin_ns = zgi_clock_ns();
}

void zg_pause_end(struct zg_pause *pause)
{
	zg_assert(pause->begin_ns != 0);
	zg_pause_turn(pause, pause->begin_ns, zgi_clock_ns());
	pause->begin_ns = 0;
}

void zg_pause_turn(struct zg_pause *pause, uint64_t begin_ns, uint64_t end_ns)
{
	zg_assert(pause->magic == PAUSE_MAGIC && pause->is_started != 0);
	zg_assert(end_ns >= begin_ns);
	if (ZG_UNLIKELY(end_ns - begin_ns > zgi_histogram_max(pause_histogram(pause))))
		pause_set(&pause->now.longest_begin_ns, begin_ns);
	zgi_histogram_record(pause_histogram(pause), end_ns - begin_ns);
}

void zg_pause_sample(struct zg_pause *pause)
{
	const struct zg_pause_figures *base = &pause->base;
	struct zg_pause_figures *now = &pause->now;
	struct zg_pause_figures kernel;

	zg_assert(pause->magic == PAUSE_MAGIC && pause->is_started != 0);
	pause_kernel_read(&kernel);
	pause_set(&now->fault_minor_count, kernel.fault_minor_count - base->fault_minor_count);
	pause_set(&now->fault_major_count, kernel.fault_major_count - base->fault_major_count);
	pause_set(&now->switch_voluntary_count,
		  kernel.switch_voluntary_count - base->switch_voluntary_count);
	pause_set(&now->switch_involuntary_count,
		  kernel.switch_involuntary_count - base->switch_involuntary_count);
}

void zg_pause_read(const struct zg_pause *pause, struct zg_pause_figures *ret_figures)
{
	const struct zg_pause_figures *now = &pause->now;

	zg_assert(pause->magic == PAUSE_MAGIC);
	*ret_figures = (struct zg_pause_figures){
		.turn_count = zgi_histogram_count(pause_histogram_read(pause)),
		.turn_ns_sum = zgi_histogram_sum(pause_histogram_read(pause)),
		.longest_ns = zgi_histogram_max(pause_histogram_read(pause)),
		.longest_begin_ns = zgi_counter_read(&now->longest_begin_ns),
		.fault_minor_count = zgi_counter_read(&now->fault_minor_count),
		.fault_major_count = zgi_counter_read(&now->fault_major_count),
		.switch_voluntary_count = zgi_counter_read(&now->switch_voluntary_count),
		.switch_involuntary_count = zgi_counter_read(&now->switch_involuntary_count),
	};
}

uint64_t zg_pause_quantile(const struct zg_pause *pause, double quantile)
{
	zg_assert(pause->magic == PAUSE_MAGIC);
	return zgi_histogram_quantile(pause_histogram_read(pause), quantile);
}

void zg_pause_distribution(const struct zg_pause *pause, const uint64_t *bounds_ns,
			   uint32_t bound_count, uint64_t *counts)
{
	zg_assert(pause->magic == PAUSE_MAGIC);
	zgi_histogram_distribution(pause_histogram_read(pause), bounds_ns, bound_count, counts);
}
