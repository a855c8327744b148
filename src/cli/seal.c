/*
 * Seal: `zerog seal`, what a service under --seal kernel may not do any more.
 *
 * The table is the one that the filter is made from, so that it cannot say anything
 * else. docs/reference/seal.md is made from what is printed here.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "mem/seal/seal_rules.h"

static void seal_print_rule(const struct zgi_seal_rule *rule)
{
	char call[64];

	(void)snprintf(call, sizeof(call), "%s%s%s", rule->name, rule->when != NULL ? " " : "",
		       rule->when != NULL ? rule->when : "");
	printf("%-34s %-8s %s\n", call, rule->error != 0 ? strerrorname_np(rule->error) : "0",
	       rule->reason);
}

int zgi_cli_seal(int argc, char **argv)
{
	const struct zgi_seal_rule *rules;
	size_t count;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		puts("usage: zerog seal\n\n"
		     "Prints the system calls that --seal kernel refuses: which, with which error, "
		     "and why.\nAll others are let through.");
		return ZGI_CLI_DONE;
	}
	if (argc > 1) {
		fprintf(stderr, "zerog seal: \"%s\" is not understood; it takes no options.\n",
			argv[1]);
		return ZGI_CLI_MISUSED;
	}
	rules = zgi_seal_rules(&count);
	for (size_t i = 0; i < count; i++)
		seal_print_rule(&rules[i]);
	printf("%-34s %-8s %s\n", "calls by another entry (i386, x32)", "ENOSYS",
	       "their numbers are others, and so would be what is refused");
	printf("calls number %d to %-15d %-8s %s\n", ZGI_SEAL_UNKNOWN_FIRST, ZGI_SEAL_UNKNOWN_LAST,
	       "ENOSYS", "no kernel had them when this table was made");
	return ZGI_CLI_DONE;
}
