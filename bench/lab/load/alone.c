/*
 * Nobody is asked: requests become due as always, and how late this program sees
 * that is what the machine does to every latency it measures.
 */
#include <errno.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/clock.h"
#include "load.h"

int load_run_alone(struct load *load)
{
	const struct load_options *options = load->options;
	uint64_t count = options->rate * options->seconds;

	(void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	load->start_ns = zgi_clock_ns();
	load->measure_ns = load->start_ns;
	for (uint64_t index = 0; index < count; index++) {
		uint64_t due_ns = load_due_ns(load, index);
		const struct timespec due = {.tv_sec = (time_t)(due_ns / LOAD_SECOND_NS),
					     .tv_nsec = (long)(due_ns % LOAD_SECOND_NS)};
		int error = zgi_clock_ns() >= due_ns
				    ? 0
				    : clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
		uint64_t now_ns = zgi_clock_ns();

		if (error != 0)
			return -error;
		load->result->due++;
		load->result->answered++;
		zgi_histogram_record(&load->result->lateness_ns, now_ns - due_ns);
		load_record(load, due_ns, now_ns);
	}
	load_second_close(load);
	load->result->measured_seconds = (double)options->seconds;
	return 0;
}
