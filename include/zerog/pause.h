/*
 * Pause: how long a thread's turns take, and whether the kernel made it wait.
 *
 * A loop that serves many must end each of its turns soon. The meter keeps the
 * distribution of the turns, the longest and when it began; and from the kernel the page
 * faults and context switches of the thread. Page faults tell that memory was not
 * there, involuntary switches that the machine was busy with something else: what is
 * left of a long turn is the program's own.
 *
 *	zg_pause_init(&pause, "worker");
 *	zg_pause_start(&pause);             on the thread, once it is ready
 *	for (;;) {
 *		wait();
 *		zg_pause_begin(&pause);
 *		work();
 *		zg_pause_end(&pause);
 *		zg_pause_sample(&pause);    a few times a second
 *	}
 *
 * Ownership  The meter is the caller's memory, 8 KB: too large for a stack frame.
 * Threads    One thread turns; any thread reads, and sees each figure of some recent moment.
 */
#ifndef ZEROG_PAUSE_H
#define ZEROG_PAUSE_H

#include <stdint.h>

#include <zerog/attributes.h>

ZG_BEGIN_DECLS

#define ZG_PAUSE_DISTRIBUTION_WORDS 1028

struct zg_pause_figures {
	uint64_t turn_count;
	uint64_t turn_ns_sum;
	uint64_t longest_ns; /* the longest turn; 0 when there was none */
	uint64_t longest_begin_ns; /* CLOCK_MONOTONIC, when it began */
	/* Since zg_pause_start(), as of the last zg_pause_sample(). */
	uint64_t fault_minor_count; /* a page that was in memory, but not mapped yet */
	uint64_t fault_major_count; /* a page that had to be read */
	uint64_t switch_voluntary_count; /* the thread waited */
	uint64_t switch_involuntary_count; /* the thread was made to wait */
};

struct zg_pause {
	uint32_t magic;
	uint32_t is_started;
	const char *name; /* borrowed */
	uint64_t begin_ns; /* of the turn that goes on */
	struct zg_pause_figures base; /* what the kernel had counted at the start */
	struct zg_pause_figures now; /* published */
	uint64_t distribution[ZG_PAUSE_DISTRIBUTION_WORDS];
};

/**
 * zg_pause_init() - a meter that has seen no turn
 * @pause:  the caller's; overwritten
 * @name:   borrowed for the meter's life; stands in reports
 */
void zg_pause_init(struct zg_pause *pause, const char *name);

/**
 * zg_pause_start() - this thread is the one that turns, and everything counts from here
 * @pause:  initialised
 *
 * To be called when the thread is ready: after zg_seal(), or right before it waits for the seal.
 * Called again, all figures begin at 0 again. Source: getrusage(2), RUSAGE_THREAD.
 */
void zg_pause_start(struct zg_pause *pause);

/**
 * zg_pause_begin() - a turn begins now
 * @pause:  started; this thread's own
 */
void zg_pause_begin(struct zg_pause *pause);

/**
 * zg_pause_end() - the turn that began last ends now
 * @pause:  started, and begun; this thread's own
 */
void zg_pause_end(struct zg_pause *pause);

/**
 * zg_pause_turn() - record a turn whose times are known: begin and end in one, without a clock
 * @pause:     started; this thread's own
 * @begin_ns:  CLOCK_MONOTONIC
 * @end_ns:    the same, not before @begin_ns
 */
void zg_pause_turn(struct zg_pause *pause, uint64_t begin_ns, uint64_t end_ns);

/**
 * zg_pause_sample() - ask the kernel for this thread's faults and switches, and publish them
 * @pause:  started; this thread's own
 *
 * One system call of about 0.3 us: a few times a second, not once a turn.
 */
void zg_pause_sample(struct zg_pause *pause);

/**
 * zg_pause_read() - the figures
 * @pause:        initialised; any thread's
 * @ret_figures:  overwritten
 *
 * Any thread.
 */
void zg_pause_read(const struct zg_pause *pause, struct zg_pause_figures *ret_figures);

/**
 * zg_pause_quantile() - the time that a share of all turns does not exceed
 * @pause:     initialised; any thread's
 * @quantile:  0.0 to 1.0
 *
 * Return: nanoseconds, at most 1/32 above the truth; 0 when there was no turn. Any thread.
 */
uint64_t zg_pause_quantile(const struct zg_pause *pause, double quantile);

/**
 * zg_pause_distribution() - how many turns took how long
 * @pause:        initialised; any thread's
 * @bounds_ns:    nanoseconds, rising; a turn up to 1/32 above a bound may count as within it
 * @bound_count:  their number
 * @counts:       bound_count + 1 of them, added to, so that several meters can be summed: the n-th
 *                takes the turns above the bound before and up to the n-th, the last one the rest
 *
 * Any thread.
 */
void zg_pause_distribution(const struct zg_pause *pause, const uint64_t *bounds_ns,
			   uint32_t bound_count, uint64_t *counts);

ZG_END_DECLS

#endif
