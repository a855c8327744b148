/*
 * Where options come from: an INI file, then the environment, then flags, each over the
 * one before. All of them set what the one table of options has, by the names in it.
 *
 * Flags are read twice. The first time tells of the file, and of mistakes on the command
 * line before any in a file; the second time they have the last word.
 */
#include "server/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/file.h"

#define SOURCES_PREFIX "ZEROG_"
#define SOURCES_NAME_SIZE_MAX 64
#define SOURCES_SECTION "zerog"

/* Boot only, and too large for a stack. */
static char sources_file[ZG_CONFIG_FILE_SIZE_MAX + 2];

/* "ZEROG_BODY_SIZE_MAX" is body-size-max. Return: its size; 0 when it is none of ours. */
static size_t sources_name_of(const char *variable, size_t size, char name[SOURCES_NAME_SIZE_MAX])
{
	size_t prefix_size = strlen(SOURCES_PREFIX);
	size_t name_size = size - prefix_size;

	if (size <= prefix_size || memcmp(variable, SOURCES_PREFIX, prefix_size) != 0 ||
	    name_size >= SOURCES_NAME_SIZE_MAX)
		return 0;
	for (size_t index = 0; index < name_size; index++) {
		char byte = variable[prefix_size + index];

		if (byte >= 'A' && byte <= 'Z')
			name[index] = (char)(byte - 'A' + 'a');
		else if (byte == '_')
			name[index] = '-';
		else if (byte >= '0' && byte <= '9')
			name[index] = byte;
		else
			return 0;
	}
	return name_size;
}

/* The variable of one entry of the environment; those that are no option's are somebody else's. */
static int sources_variable_set(struct zg_options *options, const char *entry,
				struct zg_text *ret_error)
{
	const char *equals = strchr(entry, '=');
	char name[SOURCES_NAME_SIZE_MAX];
	char sentence[512];
	struct zg_text said;
	struct zg_slice option = {name, 0};
	int result;

	if (equals == NULL)
		return 0;
	option.size = sources_name_of(entry, (size_t)(equals - entry), name);
	if (option.size == 0 || zgi_options_is_flag_only(option))
		return 0;
	zg_text_init(&said, sentence, sizeof(sentence));
	result = zgi_options_set(options, option, equals + 1, &said);
	if (result == -ENOENT)
		return 0;
	if (result < 0)
		zg_text_print(ret_error, "%.*s in the environment: %s", (int)(equals - entry),
			      entry, sentence);
	return result;
}

/* Without white space on either side; the line is cut where it ends. */
static char *sources_trim(char *text)
{
	size_t size;

	text += strspn(text, " \t");
	size = strlen(text);
	while (size > 0 && strchr(" \t\r", text[size - 1]) != NULL)
		text[--size] = '\0';
	return text;
}

/* One line of a file. *is_ours: it stands before all sections, or in ours. */
static int sources_line_set(struct zg_options *options, char *line, bool *is_ours,
			    struct zg_text *ret_error)
{
	char *equals;
	struct zg_slice name;
	int result;

	line = sources_trim(line);
	if (line[0] == '\0' || line[0] == '#' || line[0] == ';')
		return 0;
	if (line[0] == '[') {
		if (line[strlen(line) - 1] != ']') {
			zg_text_print(ret_error, "a section is written as [zerog]");
			return -EINVAL;
		}
		*is_ours = strcmp(line, "[" SOURCES_SECTION "]") == 0;
		return 0;
	}
	if (!*is_ours)
		return 0;
	equals = strchr(line, '=');
	if (equals == NULL) {
		zg_text_print(ret_error, "an option is written as body-size-max = 65536");
		return -EINVAL;
	}
	*equals = '\0';
	line = sources_trim(line);
	name = (struct zg_slice){line, strlen(line)};
	if (zgi_options_is_flag_only(name)) {
		zg_text_print(ret_error, "--%s may stand on the command line only", line);
		return -EINVAL;
	}
	result = zgi_options_set(options, name, sources_trim(equals + 1), ret_error);
	if (result != -ENOENT)
		return result;
	zg_text_print(ret_error, "\"%s\" is not an option; --help lists them", line);
	return -EINVAL;
}

static int sources_file_read(const char *path, struct zg_text *ret_error)
{
	size_t size;
	int result = zgi_file_read(path, sources_file, sizeof(sources_file), &size);

	if (result < 0) {
		zg_text_print(ret_error, "--config %s: %s", path, strerror(-result));
		return -EINVAL;
	}
	if (size > ZG_CONFIG_FILE_SIZE_MAX) {
		zg_text_print(ret_error, "--config %s: it is larger than %d bytes", path,
			      ZG_CONFIG_FILE_SIZE_MAX);
		return -EINVAL;
	}
	if (strlen(sources_file) != size) {
		zg_text_print(ret_error, "--config %s: it is no text: there is a NUL in it", path);
		return -EINVAL;
	}
	return 0;
}

static int sources_file_set(struct zg_options *options, const char *path, struct zg_text *ret_error)
{
	char *line = sources_file;
	bool is_ours = true;
	int result = sources_file_read(path, ret_error);

	for (unsigned int number = 1; result == 0 && line != NULL; number++) {
		char *end = strchr(line, '\n');
		char sentence[512];
		struct zg_text said;

		if (end != NULL)
			*end++ = '\0';
		zg_text_init(&said, sentence, sizeof(sentence));
		result = sources_line_set(options, line, &is_ours, &said);
		if (result < 0)
			zg_text_print(ret_error, "%s:%u: %s", path, number, sentence);
		line = end;
	}
	return result;
}

int zg_options_load(struct zg_options *options, int argc, char **argv, char *const *environment,
		    struct zg_text *ret_error)
{
	struct zg_options flags = *options;
	int result = zg_options_parse(&flags, argc, argv, ret_error);

	zg_assert(argv != NULL);
	if (result < 0 || flags.print_help) {
		options->print_help = flags.print_help;
		return result;
	}
	if (flags.config[0] != '\0')
		result = sources_file_set(options, flags.config, ret_error);
	for (; result == 0 && environment != NULL && *environment != NULL; environment++)
		result = sources_variable_set(options, *environment, ret_error);
	return result < 0 ? result : zg_options_parse(options, argc, argv, ret_error);
}
