/*
 * What was seen, for people and for programs.
 */
#include <errno.h>
#include <stdio.h>

#include "load.h"

static const struct {
	const char *name;
	double quantile;
} report_quantiles[] = {
	{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"p9999", 0.9999},
};

static void report_latency(FILE *file, const char *name, const struct zgi_histogram *histogram)
{
	fprintf(file, " \"%s\": {", name);
	for (size_t index = 0; index < sizeof(report_quantiles) / sizeof(report_quantiles[0]);
	     index++)
		fprintf(file, "\"%s\": %.1f, ", report_quantiles[index].name,
			(double)zgi_histogram_quantile(histogram,
						       report_quantiles[index].quantile) /
				1000);
	fprintf(file, "\"max\": %.1f},\n", (double)zgi_histogram_max(histogram) / 1000);
}

static void report_print_json(FILE *file, const struct load_options *options,
			      const struct load_result *result)
{
	fprintf(file,
		"{\"connections\": %lu, \"rate\": %lu, \"seconds\": %lu,\n"
		" \"due\": %lu, \"answered\": %lu, \"unanswered\": %lu, \"errors\": %lu,"
		" \"reconnects\": %lu, \"rate_achieved\": %.1f,\n",
		options->connections, options->rate, options->seconds, result->due,
		result->answered, result->unanswered, result->errors, result->reconnects,
		(double)result->answered / result->measured_seconds);
	report_latency(file, "latency_us", &result->latency_ns);
	report_latency(file, "lateness_us", &result->lateness_ns);
	report_latency(file, "stall_us", &result->stall_ns);
	fputs(" \"timeline\": [", file);
	for (uint32_t index = 0; index < result->timeline_count; index++)
		fprintf(file, "%s[%u, %lu, %.1f, %.1f]", index > 0 ? ", " : "", index,
			result->timeline[index].answered,
			(double)result->timeline[index].p99_ns / 1000,
			(double)result->timeline[index].max_ns / 1000);
	fputs("]}\n", file);
}

int load_report(const struct load_options *options, const struct load_result *result)
{
	FILE *file;

	printf("%lu of %lu answered, %lu errors, %.0f a second; p50 %.0f us, p99 %.0f us, p99.99 "
	       "%.0f us, max %.0f us\n",
	       result->answered, result->due, result->errors,
	       (double)result->answered / result->measured_seconds,
	       (double)zgi_histogram_quantile(&result->latency_ns, 0.5) / 1000,
	       (double)zgi_histogram_quantile(&result->latency_ns, 0.99) / 1000,
	       (double)zgi_histogram_quantile(&result->latency_ns, 0.9999) / 1000,
	       (double)zgi_histogram_max(&result->latency_ns) / 1000);
	if (options->json_path == NULL)
		return 0;
	file = fopen(options->json_path, "w");
	if (file == NULL)
		return -errno;
	report_print_json(file, options, result);
	return fclose(file) == 0 ? 0 : -errno;
}
