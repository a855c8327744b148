/*
 * The command line of `zerog hold`.
 *
 * One table names each flag, so that the help, the parsing and the complaint about
 * a missing value cannot drift apart.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/hold.h"

enum hold_flag {
	HOLD_FLAG_CONNECT,
	HOLD_FLAG_COUNT,
	HOLD_FLAG_RATE,
	HOLD_FLAG_SECONDS,
	HOLD_FLAG_AGAIN,
	HOLD_FLAG_SILENT,
	HOLD_FLAG_PATH,
	HOLD_FLAG_JSON,
	HOLD_FLAG_SEED,
	HOLD_FLAG_HELP,
};

struct hold_flag_row {
	const char *name;
	const char *value; /* NULL when the flag takes none */
	const char *sentence;
};

static const struct hold_flag_row hold_flags[] = {
	[HOLD_FLAG_CONNECT] = {"--connect", "ADDRESS",
			       "The server: 127.0.0.1:60000, [::1]:60000 or unix:/path."},
	[HOLD_FLAG_COUNT] = {"--count", "N", "How many connections to open (1 to 16000000)."},
	[HOLD_FLAG_RATE] = {"--rate", "N",
			    "Open at most N a second; as fast as it goes if absent."},
	[HOLD_FLAG_SECONDS] = {"--seconds", "N", "Hold for N seconds instead of asking stdin."},
	[HOLD_FLAG_AGAIN] = {"--again", "N", "Once all are open, ask N of them, at random, again."},
	[HOLD_FLAG_SILENT] = {"--silent", NULL, "Connect only; send nothing."},
	[HOLD_FLAG_PATH] = {"--path", "PATH", "What to GET; / if absent."},
	[HOLD_FLAG_JSON] = {"--json", "FILE", "Write the result as JSON, too."},
	[HOLD_FLAG_SEED] = {"--seed", "N", "Seed of the random choice; 1 if absent."},
	[HOLD_FLAG_HELP] = {"--help", NULL, "Print this."},
};

#define HOLD_FLAG_COUNT_ALL (sizeof(hold_flags) / sizeof(hold_flags[0]))

void hold_options_print_help(void)
{
	puts("usage: zerog hold --connect ADDRESS --count N [OPTIONS]\n\n"
	     "Opens N keep-alive connections, sends a request on each and checks the reply,\n"
	     "then holds them. Prints \"holding N\" when they are open and reads commands from\n"
	     "stdin: \"again N\" asks N of them at random again, \"release\", an empty line or "
	     "the\n"
	     "end of input closes them. Exits with 0 only when all were opened, none was lost\n"
	     "and every reply came.\n");
	for (size_t index = 0; index < HOLD_FLAG_COUNT_ALL; index++) {
		const struct hold_flag_row *row = &hold_flags[index];

		printf("  %-10s %-8s %s\n", row->name, row->value != NULL ? row->value : "",
		       row->sentence);
	}
}

/* Digits, with an optional "/s" when it is a rate. */
static int hold_options_number(const char *text, uint64_t maximum, uint64_t *ret_value)
{
	char *end;
	unsigned long long value;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || (end[0] != '\0' && strcmp(end, "/s") != 0) || value > maximum)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

static int hold_options_path(const char *value, const char **ret_path)
{
	size_t size = strlen(value);

	if (value[0] != '/' || size >= HOLD_PATH_SIZE)
		return -EINVAL;
	for (size_t index = 0; index < size; index++) {
		if (value[index] <= ' ' || value[index] == 0x7f)
			return -EINVAL;
	}
	*ret_path = value;
	return 0;
}

static int hold_options_set(struct hold_options *options, enum hold_flag flag, const char *value,
			    struct zg_text *ret_error)
{
	switch (flag) {
	case HOLD_FLAG_CONNECT:
		options->target_text = value;
		return zgi_address_parse(value, &options->target, ret_error);
	case HOLD_FLAG_COUNT:
		return hold_options_number(value, HOLD_COUNT_MAX, &options->connection_count);
	case HOLD_FLAG_RATE:
		return hold_options_number(value, HOLD_COUNT_MAX, &options->rate);
	case HOLD_FLAG_SECONDS:
		options->has_hold_seconds = true;
		return hold_options_number(value, 31536000, &options->hold_seconds);
	case HOLD_FLAG_AGAIN:
		return hold_options_number(value, HOLD_COUNT_MAX, &options->again_count);
	case HOLD_FLAG_SILENT:
		options->is_silent = true;
		return 0;
	case HOLD_FLAG_PATH:
		return hold_options_path(value, &options->path);
	case HOLD_FLAG_JSON:
		options->json_path = value;
		return 0;
	case HOLD_FLAG_SEED:
		return hold_options_number(value, UINT64_MAX, &options->seed);
	case HOLD_FLAG_HELP:
		options->print_help = true;
		return 0;
	}
	return -EINVAL;
}

/* Both "--flag value" and "--flag=value"; *index is left on the last word that was used. */
static int hold_options_read(struct hold_options *options, int argc, char **argv, int *index,
			     struct zg_text *ret_error)
{
	const char *word = argv[*index];
	size_t name_size = strcspn(word, "=");
	size_t flag;
	const char *value = word[name_size] == '=' ? word + name_size + 1 : NULL;
	int error;

	for (flag = 0; flag < HOLD_FLAG_COUNT_ALL; flag++) {
		if (strncmp(hold_flags[flag].name, word, name_size) == 0 &&
		    hold_flags[flag].name[name_size] == '\0')
			break;
	}
	if (flag == HOLD_FLAG_COUNT_ALL) {
		zg_text_print(ret_error, "\"%s\" is not an option of hold.", word);
		return -EINVAL;
	}
	if (hold_flags[flag].value == NULL && value != NULL) {
		zg_text_print(ret_error, "%s takes no value.", hold_flags[flag].name);
		return -EINVAL;
	}
	if (hold_flags[flag].value != NULL && value == NULL) {
		if (*index + 1 >= argc) {
			zg_text_print(ret_error, "%s needs a value: %s", hold_flags[flag].name,
				      hold_flags[flag].sentence);
			return -EINVAL;
		}
		value = argv[++*index];
	}
	/* A switch has nothing to read, but whoever reads it must not meet a NULL. */
	if (value == NULL)
		value = "";
	error = hold_options_set(options, (enum hold_flag)flag, value, ret_error);
	if (error < 0 && ret_error->size == 0)
		zg_text_print(ret_error, "%s cannot be \"%s\": %s", hold_flags[flag].name, value,
			      hold_flags[flag].sentence);
	return error;
}

int hold_options_parse(int argc, char **argv, struct hold_options *ret_options,
		       struct zg_text *ret_error)
{
	*ret_options = (struct hold_options){.path = "/", .seed = 1};
	for (int index = 1; index < argc; index++) {
		int error = hold_options_read(ret_options, argc, argv, &index, ret_error);

		if (error < 0)
			return error;
	}
	if (ret_options->print_help)
		return 0;
	if (ret_options->target_text == NULL || ret_options->connection_count == 0) {
		zg_text_print(ret_error, "--connect ADDRESS and --count N are needed.");
		return -EINVAL;
	}
	if (ret_options->again_count > ret_options->connection_count) {
		zg_text_print(ret_error, "--again asks for more connections than --count opens.");
		return -EINVAL;
	}
	return 0;
}
