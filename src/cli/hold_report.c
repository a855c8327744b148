/*
 * Report: what `zerog hold` tells people and programs.
 *
 * Progress and complaints go to stderr; stdout carries only the lines a script
 * reads, so that one can be kept without the other.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/hold.h"

const char *hold_step_name(enum hold_step step)
{
	switch (step) {
	case HOLD_STEP_NONE:
		return "nothing";
	case HOLD_STEP_SOCKET:
		return "making a socket";
	case HOLD_STEP_BIND:
		return "binding a source port";
	case HOLD_STEP_CONNECT:
		return "connecting";
	case HOLD_STEP_SEND:
		return "sending the request";
	case HOLD_STEP_REPLY:
		return "reading the reply";
	case HOLD_STEP_GIVEN_UP:
		return "giving up after many failures";
	case HOLD_STEP_HELD:
		return "holding";
	}
	return "an unknown step";
}

static const char *report_reason(int error)
{
	switch (error) {
	case ECONNRESET:
		return "the server closed or reset the connection";
	case EPROTO:
		return "the status was not 200";
	case EBADMSG:
		return "bytes came that are not the reply asked for";
	case ETIMEDOUT:
		return "no reply in time";
	default:
		return strerror(error);
	}
}

void hold_report_progress(const struct hold_options *options, const struct hold_totals *totals,
			  double elapsed_seconds)
{
	uint64_t done = totals->opened + totals->failed;
	double rate = elapsed_seconds > 0 ? (double)done / elapsed_seconds : 0;
	double left = rate > 0 ? (double)(options->connection_count - done) / rate : 0;
	bool is_terminal = isatty(STDERR_FILENO) == 1;

	fprintf(stderr, "%sopened %lu of %lu, failed %lu, lost %lu, %.0f/s, %.0f s left%s",
		is_terminal ? "\r\033[K" : "", totals->opened, options->connection_count,
		totals->failed, totals->lost, rate, left, is_terminal ? "" : "\n");
	if (is_terminal && done == options->connection_count)
		fputc('\n', stderr);
	fflush(stderr);
}

void hold_report_failures(const struct hold_counters *counters, uint32_t worker_count)
{
	bool has_failure = false;
	bool has_loss = false;

	for (uint32_t index = 0; index < worker_count; index++) {
		enum hold_step step = (enum hold_step)atomic_load(&counters[index].failure_step);
		int failure = atomic_load(&counters[index].failure_errno);
		uint32_t status = atomic_load(&counters[index].failure_status);
		int loss = atomic_load(&counters[index].lost_errno);

		if (step != HOLD_STEP_NONE && !has_failure) {
			fprintf(stderr, "zerog hold: first failure, while %s: %s",
				hold_step_name(step), report_reason(failure));
			if (status != 0)
				fprintf(stderr, " but %u", status);
			fputs(".\n", stderr);
			has_failure = true;
		}
		if (loss != 0 && !has_loss) {
			fprintf(stderr, "zerog hold: first loss, of a held connection: %s.\n",
				report_reason(loss));
			has_loss = true;
		}
	}
}

void hold_report_final(const struct hold_options *options, const struct hold_result *result)
{
	const struct hold_totals *totals = &result->totals;
	double rate = result->open_seconds > 0 ? (double)totals->opened / result->open_seconds : 0;

	printf("opened %lu of %lu in %.1f s (%.0f/s, %u workers), failed %lu, lost %lu\n",
	       totals->opened, options->connection_count, result->open_seconds, rate,
	       result->worker_count, totals->failed, totals->lost);
	if (result->again_asked > 0)
		printf("asked %lu again, answered %lu, failed %lu\n", result->again_asked,
		       totals->again_answered, totals->again_failed);
	puts(result->is_complete ? "complete" : "NOT complete");
	fflush(stdout);
}

int hold_report_json(const struct hold_options *options, const struct hold_result *result)
{
	const struct hold_totals *totals = &result->totals;
	char quoted[ZG_LISTEN_SIZE * 6 + 3];
	struct zg_text target;
	FILE *file = fopen(options->json_path, "we");

	if (file == NULL)
		return -errno;
	zg_text_init(&target, quoted, sizeof(quoted));
	zg_text_append_json(&target,
			    (struct zg_slice){options->target_text, strlen(options->target_text)});
	fprintf(file,
		"{\"target\": %s, \"count\": %lu, \"opened\": %lu, \"failed\": %lu, \"lost\": "
		"%lu,\n"
		" \"again_asked\": %lu, \"again_answered\": %lu, \"again_failed\": %lu,\n"
		" \"workers\": %u, \"open_seconds\": %.3f, \"held_seconds\": %.3f, "
		"\"silent\": %s, \"seed\": %lu, \"complete\": %s}\n",
		quoted, options->connection_count, totals->opened, totals->failed, totals->lost,
		result->again_asked, totals->again_answered, totals->again_failed,
		result->worker_count, result->open_seconds, result->held_seconds,
		options->is_silent ? "true" : "false", options->seed,
		result->is_complete ? "true" : "false");
	return fclose(file) == 0 ? 0 : -errno;
}
