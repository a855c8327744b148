/*
 * The zerog command: plans a service's memory, and holds connections against one.
 *
 * It exists so that the two claims of the framework can be checked by anybody
 * without writing code: what a service will occupy before it is started, and that
 * it does hold as many connections as it says.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

struct cli_verb {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
};

static const struct cli_verb cli_verbs[] = {
	{"plan", "print what a service with these options will hold in memory", zgi_cli_plan},
	{"seal", "print which system calls the kernel seal refuses, how, and why", zgi_cli_seal},
	{"hold", "open and hold connections against a server, and check its replies", zgi_cli_hold},
};

#define CLI_VERB_COUNT (sizeof(cli_verbs) / sizeof(cli_verbs[0]))

static void cli_print_help(FILE *stream)
{
	fputs("usage: zerog VERB [OPTIONS]\n\n", stream);
	for (size_t index = 0; index < CLI_VERB_COUNT; index++)
		fprintf(stream, "  %-6s %s\n", cli_verbs[index].name, cli_verbs[index].summary);
	fputs("  help   print this; \"zerog VERB --help\" explains one verb\n", stream);
}

static const struct cli_verb *cli_find(const char *name)
{
	for (size_t index = 0; index < CLI_VERB_COUNT; index++) {
		if (strcmp(cli_verbs[index].name, name) == 0)
			return &cli_verbs[index];
	}
	return NULL;
}

static int cli_run_help(int argc, char **argv)
{
	char help_flag[] = "--help";
	char *help_argv[] = {argc > 2 ? argv[2] : NULL, help_flag, NULL};
	const struct cli_verb *verb;

	if (argc <= 2) {
		cli_print_help(stdout);
		return ZGI_CLI_DONE;
	}
	verb = cli_find(argv[2]);
	if (verb == NULL) {
		fprintf(stderr, "zerog: \"%s\" is not a verb; see \"zerog help\".\n", argv[2]);
		return ZGI_CLI_MISUSED;
	}
	return verb->run(2, help_argv);
}

int main(int argc, char **argv)
{
	const struct cli_verb *verb;

	if (argc < 2) {
		fputs("zerog: a verb is missing.\n\n", stderr);
		cli_print_help(stderr);
		return ZGI_CLI_MISUSED;
	}
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "-h") == 0)
		return cli_run_help(argc, argv);
	verb = cli_find(argv[1]);
	if (verb == NULL) {
		fprintf(stderr, "zerog: \"%s\" is not a verb; see \"zerog help\".\n", argv[1]);
		return ZGI_CLI_MISUSED;
	}
	return verb->run(argc - 1, argv + 1);
}
