/*
 * Seal: `zerog seal`, what a service under --seal kernel may not do any more.
 *
 * The table is the one that the filter is made from, so that it cannot say anything
 * else. docs/reference/seal.md is made from what is printed here.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <zerog/text.h>

#include "cli/cli.h"
#include "mem/seal/seal_rules.h"

static void seal_json_row(const char *call, const char *when, const char *error, const char *reason)
{
	static const char *before = "[";
	char buffer[512];
	struct zg_text text;

	zg_text_init(&text, buffer, sizeof(buffer));
	zg_text_print(&text, "%s\n{\"call\": ", before);
	before = ",";
	zg_text_append_json(&text, (struct zg_slice){call, strlen(call)});
	zg_text_append(&text, ZG_SLICE(", \"when\": "));
	if (when != NULL)
		zg_text_append_json(&text, (struct zg_slice){when, strlen(when)});
	else
		zg_text_append(&text, ZG_SLICE("null"));
	zg_text_print(&text, ", \"error\": \"%s\", \"reason\": ", error);
	zg_text_append_json(&text, (struct zg_slice){reason, strlen(reason)});
	zg_text_append(&text, ZG_SLICE("}"));
	fputs(buffer, stdout);
}

static void seal_text_row(const char *call, const char *when, const char *error, const char *reason)
{
	char which[64];

	(void)snprintf(which, sizeof(which), "%s%s%s", call, when != NULL ? " " : "",
		       when != NULL ? when : "");
	printf("%-34s %-8s %s\n", which, error, reason);
}

static void seal_print(bool is_json)
{
	void (*row)(const char *, const char *, const char *, const char *) =
		is_json ? seal_json_row : seal_text_row;
	const struct zgi_seal_rule *rules;
	char numbers[32];
	size_t count;

	rules = zgi_seal_rules(&count);
	for (size_t i = 0; i < count; i++)
		row(rules[i].name, rules[i].when,
		    rules[i].error != 0 ? strerrorname_np(rules[i].error) : "0", rules[i].reason);
	row("calls", "by another entry (i386, x32)", "ENOSYS",
	    "their numbers are others, and so would be what is refused");
	(void)snprintf(numbers, sizeof(numbers), "number %d to %d", ZGI_SEAL_UNKNOWN_FIRST,
		       ZGI_SEAL_UNKNOWN_LAST);
	row("calls", numbers, "ENOSYS", "no kernel had them when this table was made");
	if (is_json)
		puts("\n]");
}

int zgi_cli_seal(int argc, char **argv)
{
	bool is_json = argc > 1 && strcmp(argv[1], "--json") == 0;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		puts("usage: zerog seal [--json]\n\n"
		     "Prints the system calls that --seal kernel refuses: which, with which error, "
		     "and why.\nAll others are let through.");
		return ZGI_CLI_DONE;
	}
	if (argc > (is_json ? 2 : 1)) {
		fprintf(stderr, "zerog seal: \"%s\" is not understood; it takes --json alone.\n",
			argv[is_json ? 2 : 1]);
		return ZGI_CLI_MISUSED;
	}
	seal_print(is_json);
	return ZGI_CLI_DONE;
}
