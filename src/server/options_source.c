/*
 * Where options come from besides flags: a file in INI form, for who installs the
 * service, and variables of the environment, for who runs it in a container. Both go
 * through the table that the flags go through, so none of them can know more or less.
 *
 * Other variables that begin with ZEROG_ are let be: ours are not the only programs
 * that read some.
 */
#include "server/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/file.h"

#define SOURCE_FILE_SIZE_MAX 65536
#define SOURCE_SECTION "zerog"
#define SOURCE_VARIABLE_PREFIX "ZEROG_"
#define SOURCE_VARIABLE_SIZE 64
#define SOURCE_ERROR_SIZE 512

/* Boot reads it once, from one thread: it need not lie on a stack. */
static char source_text[SOURCE_FILE_SIZE_MAX];

static bool source_is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

/* A text without the white space around it; it is cut where it lies. */
static char *source_trim(char *text)
{
	size_t size;

	while (source_is_space(*text))
		text++;
	size = strlen(text);
	while (size > 0 && source_is_space(text[size - 1]))
		size--;
	text[size] = '\0';
	return text;
}

/* A value may stand in double quotes, so that white space at its ends is its own. */
static char *source_unquote(char *value)
{
	size_t size = strlen(value);

	if (size < 2 || value[0] != '"' || value[size - 1] != '"')
		return value;
	value[size - 1] = '\0';
	return value + 1;
}

/* name = value. What is wrong is said without the file's name and the line. */
static int source_line_set(struct zg_options *options, char *line, struct zg_text *ret_error)
{
	char *equals = strchr(line, '=');
	const char *name;
	int result;

	if (equals == NULL) {
		zg_text_print(ret_error, "\"%s\" is not of the form name = value", line);
		return -EINVAL;
	}
	*equals = '\0';
	name = source_trim(line);
	result =
		zgi_option_set(options, (struct zg_slice){name, strlen(name)},
			       source_unquote(source_trim(equals + 1)), ZGI_OPTION_FILE, ret_error);
	if (result == -ENOENT) {
		zg_text_print(ret_error,
			      "\"%s\" is no option of a file; --help lists them: write them "
			      "without the dashes",
			      name);
		return -EINVAL;
	}
	return result;
}

/* [section]: only what stands before the first one and in [zerog] is ours. */
static int source_section(const char *line, bool *ret_is_ours, struct zg_text *ret_error)
{
	size_t size = strlen(line);

	if (size < 3 || line[size - 1] != ']') {
		zg_text_print(ret_error, "\"%s\" is not of the form [section]", line);
		return -EINVAL;
	}
	*ret_is_ours = size == sizeof("[" SOURCE_SECTION "]") - 1 &&
		       memcmp(line, "[" SOURCE_SECTION "]", size) == 0;
	return 0;
}

static int source_lines_read(struct zg_options *options, const char *path,
			     struct zg_text *ret_error)
{
	char buffer[SOURCE_ERROR_SIZE];
	struct zg_text problem;
	bool is_ours = true;
	char *next = source_text;

	zg_text_init(&problem, buffer, sizeof(buffer));
	for (unsigned int number = 1; next != NULL; number++) {
		char *line = next;
		char *end = strchr(line, '\n');
		int result = 0;

		next = end != NULL ? end + 1 : NULL;
		if (end != NULL)
			*end = '\0';
		line = source_trim(line);
		if (line[0] == '\0' || line[0] == '#' || line[0] == ';')
			continue;
		if (line[0] == '[')
			result = source_section(line, &is_ours, &problem);
		else if (is_ours)
			result = source_line_set(options, line, &problem);
		if (result < 0) {
			zg_text_print(ret_error, "%s:%u: %s", path, number, buffer);
			return result;
		}
	}
	return 0;
}

int zgi_options_read_file(struct zg_options *options, const char *path, struct zg_text *ret_error)
{
	size_t size;
	int result = zgi_file_read(path, source_text, sizeof(source_text), &size);

	if (result < 0) {
		zg_text_print(ret_error, "--config %s cannot be read: %s", path,
			      strerrordesc_np(-result));
		return result;
	}
	if (size == sizeof(source_text) - 1) {
		zg_text_print(ret_error, "--config %s is larger than %zu bytes", path,
			      sizeof(source_text) - 2);
		return -EFBIG;
	}
	if (strlen(source_text) < size) {
		zg_text_print(ret_error, "--config %s is no text: it has a byte of 0", path);
		return -EINVAL;
	}
	return source_lines_read(options, path, ret_error);
}

/* "connections-max" as ZEROG_CONNECTIONS_MAX. */
static void source_variable_name(const char *name, char variable[SOURCE_VARIABLE_SIZE])
{
	size_t size = sizeof(SOURCE_VARIABLE_PREFIX) - 1;

	memcpy(variable, SOURCE_VARIABLE_PREFIX, size);
	zg_assert(strlen(name) < SOURCE_VARIABLE_SIZE - size);
	for (; *name != '\0'; name++) {
		if (*name == '-')
			variable[size++] = '_';
		else
			variable[size++] =
				*name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name;
	}
	variable[size] = '\0';
}

int zgi_options_read_environment(struct zg_options *options, struct zg_text *ret_error)
{
	char variable[SOURCE_VARIABLE_SIZE];
	char buffer[SOURCE_ERROR_SIZE];
	struct zg_text problem;
	const char *name;

	zg_text_init(&problem, buffer, sizeof(buffer));
	for (size_t index = 0;
	     (name = zgi_option_name(options, index, ZGI_OPTION_ENVIRONMENT)) != NULL; index++) {
		const char *value;
		int result;

		if (name[0] == '\0')
			continue;
		source_variable_name(name, variable);
		value = getenv(variable);
		/* Many a tool that starts containers sets what it was not told to nothing. */
		if (value == NULL || value[0] == '\0')
			continue;
		result = zgi_option_set(options, (struct zg_slice){name, strlen(name)}, value,
					ZGI_OPTION_ENVIRONMENT, &problem);
		if (result < 0) {
			zg_text_print(ret_error, "%s of the environment, for --%s: %s", variable,
				      name, buffer);
			return result;
		}
	}
	return 0;
}

int zg_options_read(struct zg_options *options, int argc, char **argv, struct zg_text *ret_error)
{
	struct zg_options flags = *options;
	const char *variable = getenv(SOURCE_VARIABLE_PREFIX "CONFIG");
	const char *path = flags.config_file;
	int result;

	flags.config_file[0] = '\0';
	result = zg_options_parse(&flags, argc, argv, ret_error);
	/* Who asks for help may have a file that is wrong: that is why he asks. */
	if (result < 0 || flags.print_help) {
		options->print_help = flags.print_help;
		return result;
	}
	if (path[0] == '\0' && variable != NULL)
		path = variable;
	if (path[0] == '\0')
		path = options->config_file;
	if (path[0] != '\0')
		result = zgi_options_read_file(options, path, ret_error);
	if (result == 0)
		result = zgi_options_read_environment(options, ret_error);
	if (result == 0)
		result = zg_options_parse(options, argc, argv, ret_error);
	return result;
}
