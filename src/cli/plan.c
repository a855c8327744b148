/*
 * Plan: `zerog plan`, what a service with these options will hold, without starting it.
 *
 * The figures come from the same function that a service reserves by, so that the
 * answer cannot drift from what will happen. The first line is the process as it
 * stands, here this command's own: a service's differs by the size of its program.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <zerog/options.h>
#include <zerog/plan.h>

#include "cli/cli.h"
#include "server/explain.h"
#include "server/reserve.h"

/* A line's reason and figures take less than this; JSON quotes and names included. */
#define PLAN_LINE_SIZE 512
#define PLAN_ARGUMENTS_MAX 128

/* Both too much for the stack, and one process prints one plan. */
static struct zg_plan plan_made;
static char plan_buffer[(ZG_PLAN_LINES_MAX + 4) * PLAN_LINE_SIZE];

static void plan_print_help(const struct zg_options *options)
{
	struct zg_text text;

	puts("usage: zerog plan [--json] [--explain LINE] [OPTIONS OF A SERVICE]\n\n"
	     "Prints what a service with these options will hold in memory, and whether this\n"
	     "machine has room for it. Exits with 1 when it has not. With --explain it takes\n"
	     "one line of the plan apart.\n");
	zg_text_init(&text, plan_buffer, sizeof(plan_buffer));
	zg_options_help(options, &text);
	fputs(plan_buffer, stdout);
}

/* Say whether it fits; the exit status. */
static int plan_judge(const struct zgi_server_config *config, const struct zg_plan *plan,
		      FILE *stream)
{
	const struct zg_plan_line *line = NULL;
	const char *source = "MemAvailable";
	uint64_t size_available;
	int error = zgi_reserve_available(config, &size_available, &source);

	if (error < 0) {
		fprintf(stderr, "zerog plan: the memory available cannot be read: %s.\n",
			strerror(-error));
		return ZGI_CLI_FAILED;
	}
	if (zg_plan_check(plan, size_available, &line) == 0) {
		fprintf(stream, "It fits: %lu MiB of the %lu MiB that %s leaves.\n",
			plan->size_total >> 20, size_available >> 20, source);
		return ZGI_CLI_DONE;
	}
	fprintf(stream, "It does not fit: %lu MiB are needed, %s leaves %lu MiB.\n",
		plan->size_total >> 20, source, size_available >> 20);
	if (line != NULL && line->option != NULL)
		fprintf(stream, "The largest line that can be lowered is \"%s\": lower %s.\n",
			line->name, line->option);
	return ZGI_CLI_FAILED;
}

static int plan_explain(const struct zgi_server_config *config, const char *name)
{
	struct zg_text text;

	zg_text_init(&text, plan_buffer, sizeof(plan_buffer));
	if (zgi_server_explain(config, &plan_made, name, &text) < 0) {
		fprintf(stderr, "zerog plan: --explain: %s\n", plan_buffer);
		return ZGI_CLI_MISUSED;
	}
	fputs(plan_buffer, stdout);
	return ZGI_CLI_DONE;
}

static int plan_run(const struct zg_options *options, bool is_json)
{
	struct zgi_server_config config;
	struct zg_text text;
	int error;

	zg_text_init(&text, plan_buffer, sizeof(plan_buffer));
	error = zgi_server_configure(options, &config, &text);
	if (error < 0) {
		fprintf(stderr, "zerog plan: %s\n", plan_buffer);
		return ZGI_CLI_FAILED;
	}
	zg_plan_init(&plan_made);
	error = zgi_server_plan(&config, &plan_made);
	if (error < 0) {
		fprintf(stderr, "zerog plan: the plan cannot be made: %s.\n", strerror(-error));
		return ZGI_CLI_FAILED;
	}
	if (options->explain[0] != '\0')
		return plan_explain(&config, options->explain);
	if (is_json)
		zg_plan_print_json(&plan_made, &text);
	else
		zg_plan_print(&plan_made, &text);
	fputs(plan_buffer, stdout);
	if (is_json)
		putchar('\n');
	if (config.guest_finding[0] != '\0')
		fprintf(is_json ? stderr : stdout, "%s\n", config.guest_finding);
	/* A program that reads the JSON reads nothing else on stdout. */
	return plan_judge(&config, &plan_made, is_json ? stderr : stdout);
}

int zgi_cli_plan(int argc, char **argv)
{
	char *service_argv[PLAN_ARGUMENTS_MAX];
	int service_argc = 0;
	struct zg_options options;
	struct zg_text text;
	bool is_json = false;

	if (argc >= PLAN_ARGUMENTS_MAX) {
		fprintf(stderr, "zerog plan: more than %d words.\n", PLAN_ARGUMENTS_MAX - 1);
		return ZGI_CLI_MISUSED;
	}
	for (int index = 0; index < argc; index++) {
		if (index > 0 && strcmp(argv[index], "--json") == 0)
			is_json = true;
		else
			service_argv[service_argc++] = argv[index];
	}
	service_argv[service_argc] = NULL;
	zg_options_init(&options);
	/* The service that is planned for has zg_admin_routes(), and no topic besides theirs. */
	options.topics = 1;
	options.admin_topics = 1;
	zg_text_init(&text, plan_buffer, sizeof(plan_buffer));
	if (zg_options_read(&options, service_argc, service_argv, &text) < 0) {
		fprintf(stderr, "zerog plan: %s\n", plan_buffer);
		return ZGI_CLI_MISUSED;
	}
	if (options.print_help) {
		plan_print_help(&options);
		return ZGI_CLI_DONE;
	}
	if (is_json && options.explain[0] != '\0') {
		fputs("zerog plan: --json prints all of every line: leave out --explain.\n",
		      stderr);
		return ZGI_CLI_MISUSED;
	}
	return plan_run(&options, is_json);
}
