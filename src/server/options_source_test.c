/*
 * Options from a file and from the environment: the same ones as by flags, and in an
 * order that lets each be overruled; mistakes are told with where they are.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <zerog/options.h>

#include "server/options.h"

#define ARGUMENTS_MAX 8

static struct zg_options options;
static char error[1024];
static char path[] = "/tmp/zerog-options-XXXXXX";

/* An option of an application's own. */
static char store[64];

static int store_set(const char *value, void *user, struct zg_text *ret_error)
{
	assert_ptr_equal(user, store);
	if (strchr(value, ':') == NULL) {
		zg_text_print(ret_error, "--store takes KIND:PLACE, not \"%s\"", value);
		return -EINVAL;
	}
	snprintf(store, sizeof(store), "%s", value);
	return 0;
}

static const struct zg_option store_option = {
	.flag = "store",
	.values = "KIND:PLACE; default none",
	.sentence = "Where what is sold is kept.",
	.set = store_set,
	.user = store,
};

static int setup(void **state)
{
	(void)state;
	zg_options_init(&options);
	zg_options_add(&options, &store_option);
	store[0] = '\0';
	unsetenv("ZEROG_CONFIG");
	unsetenv("ZEROG_CONNECTIONS");
	unsetenv("ZEROG_STORE");
	unsetenv("ZEROG_IO");
	unsetenv("ZEROG_EXPLAIN");
	return 0;
}

static void write_bytes(const char *bytes, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void write_file(const char *text)
{
	write_bytes(text, strlen(text));
}

/* Arguments that end with NULL, as main's do. */
static int read_options(const char *first, ...)
{
	static char copies[ARGUMENTS_MAX][256];
	char *argv[ARGUMENTS_MAX + 1] = {copies[0]};
	struct zg_text text;
	va_list list;
	int argc = 1;

	va_start(list, first);
	for (const char *word = first; word != NULL; word = va_arg(list, const char *)) {
		assert_true(argc < ARGUMENTS_MAX);
		snprintf(copies[argc], sizeof(copies[argc]), "%s", word);
		argv[argc] = copies[argc];
		argc++;
	}
	va_end(list);
	argv[argc] = NULL;
	zg_text_init(&text, error, sizeof(error));
	return zg_options_read(&options, argc, argv, &text);
}

static void assert_error_names(const char *part)
{
	if (strstr(error, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, error);
}

static void assert_file_refused(const char *text, const char *part)
{
	write_file(text);
	assert_int_equal(read_options("--config", path, NULL), -EINVAL);
	assert_error_names(path);
	assert_error_names(part);
}

static void a_file_sets_what_flags_set(void **state)
{
	(void)state;
	write_file("# a comment\n"
		   "connections = 5\n"
		   "\n"
		   "  exchanges=7\r\n"
		   "; another\n"
		   "io = epoll\n"
		   "listen = \"unix:a b\"\n"
		   "store = journal:/var/lib/shop = 1");
	assert_int_equal(read_options("--config", path, NULL), 0);
	assert_int_equal(options.connections, 5);
	assert_int_equal(options.exchanges, 7);
	assert_int_equal(options.io, ZG_IO_EPOLL);
	assert_string_equal(options.listen, "unix:a b");
	assert_string_equal(store, "journal:/var/lib/shop = 1");
}

/* Long only once the table of limits is written out. NOLINTNEXTLINE(readability-function-size) */
static void every_limit_can_come_from_a_file_and_from_the_environment(void **state)
{
	char text[256];
	char name[64];

	(void)state;
#define CHECK(field, flag, unit, minimum, initial, maximum, sentence)                  \
	snprintf(text, sizeof(text), flag " = %llu\n", (unsigned long long)(maximum)); \
	write_file(text);                                                              \
	assert_int_equal(read_options("--config", path, NULL), 0);                     \
	assert_int_equal(options.field, maximum);                                      \
	snprintf(name, sizeof(name), "ZEROG_" flag);                                   \
	for (char *byte = name; *byte != '\0'; byte++)                                 \
		*byte = *byte == '-'		       ? '_'                           \
			: *byte >= 'a' && *byte <= 'z' ? (char)(*byte - 'a' + 'A')     \
						       : *byte;                        \
	snprintf(text, sizeof(text), "%llu", (unsigned long long)(minimum));           \
	setenv(name, text, 1);                                                         \
	assert_int_equal(read_options("--config", path, NULL), 0);                     \
	assert_int_equal(options.field, minimum);                                      \
	unsetenv(name);
	ZG_LIMITS(CHECK)
#undef CHECK
}

static void a_flag_goes_before_the_environment_and_that_before_the_file(void **state)
{
	(void)state;
	write_file("connections = 5\nstore = a:file\n");
	setenv("ZEROG_CONNECTIONS", "6", 1);
	setenv("ZEROG_STORE", "an:environment", 1);
	assert_int_equal(read_options("--config", path, "--connections", "7", NULL), 0);
	assert_int_equal(options.connections, 7);
	assert_string_equal(store, "an:environment");
	assert_int_equal(read_options("--config", path, "--store=a:flag", NULL), 0);
	assert_int_equal(options.connections, 6);
	assert_string_equal(store, "a:flag");
	unsetenv("ZEROG_CONNECTIONS");
	assert_int_equal(read_options("--config", path, NULL), 0);
	assert_int_equal(options.connections, 5);
	/* What nobody mentions stays as the application has it. */
	options.exchanges = 99;
	assert_int_equal(read_options("--config", path, NULL), 0);
	assert_int_equal(options.exchanges, 99);
}

static void the_environment_may_name_the_file(void **state)
{
	(void)state;
	write_file("connections = 5\n");
	setenv("ZEROG_CONFIG", path, 1);
	assert_int_equal(read_options(NULL, NULL), 0);
	assert_int_equal(options.connections, 5);
	setenv("ZEROG_CONFIG", "/nowhere/at/all", 1);
	assert_int_equal(read_options(NULL, NULL), -ENOENT);
	assert_error_names("/nowhere/at/all");
	assert_int_equal(read_options("--config", path, NULL), 0);
}

static void an_application_may_have_a_file_of_its_own(void **state)
{
	(void)state;
	write_file("connections = 5\n");
	snprintf(options.config_file, sizeof(options.config_file), "%s", path);
	assert_int_equal(read_options(NULL, NULL), 0);
	assert_int_equal(options.connections, 5);
	setenv("ZEROG_CONFIG", "/nowhere/at/all", 1);
	assert_int_equal(read_options(NULL, NULL), -ENOENT);
	assert_error_names("/nowhere/at/all");
}

static void an_empty_variable_counts_as_not_there(void **state)
{
	(void)state;
	setenv("ZEROG_CONNECTIONS", "", 1);
	setenv("ZEROG_CONFIG", "", 1);
	assert_int_equal(read_options(NULL, NULL), 0);
	assert_int_equal(options.connections, 10000);
}

static void a_mistake_in_the_environment_names_the_variable(void **state)
{
	(void)state;
	setenv("ZEROG_CONNECTIONS", "many", 1);
	assert_int_equal(read_options(NULL, NULL), -EINVAL);
	assert_error_names("ZEROG_CONNECTIONS");
	assert_error_names("from 1 to 16000000");
	assert_error_names("\"many\"");
	unsetenv("ZEROG_CONNECTIONS");
	setenv("ZEROG_STORE", "here", 1);
	assert_int_equal(read_options(NULL, NULL), -EINVAL);
	assert_error_names("ZEROG_STORE");
	assert_error_names("--store takes KIND:PLACE, not \"here\"");
}

static void a_mistake_in_a_file_names_the_line(void **state)
{
	(void)state;
	assert_file_refused("connections = 5\n\nexchanges = 0\n", ":3: --exchanges takes");
	assert_file_refused("conections = 5\n", ":1: \"conections\" is no option");
	assert_file_refused("connections\n", ":1: \"connections\" is not of the form");
	assert_file_refused("= 5\n", ":1: ");
	assert_file_refused("[zerog\n", ":1: \"[zerog\" is not of the form [section]");
	assert_file_refused("[]\n", ":1: ");
	assert_file_refused("# a\nstore = here\n", ":2: --store takes KIND:PLACE");
}

/* They end the program before it serves: a file is no place for them. */
static void what_is_for_people_at_a_prompt_is_for_flags_alone(void **state)
{
	(void)state;
	assert_file_refused("plan = on\n", "\"plan\" is no option of a file");
	assert_file_refused("help = on\n", "\"help\" is no option of a file");
	assert_file_refused("explain = shards\n", "\"explain\" is no option of a file");
	assert_file_refused("config = other.ini\n", "\"config\" is no option of a file");
	setenv("ZEROG_EXPLAIN", "shards", 1);
	assert_int_equal(read_options(NULL, NULL), 0);
	assert_string_equal(options.explain, "");
}

static void sections_of_others_are_let_be(void **state)
{
	(void)state;
	write_file("exchanges = 7\n[shop]\nprices = high\nno equals sign\n[zerog]\n"
		   "connections = 5\n[zerog2]\nconnections = 6\n");
	assert_int_equal(read_options("--config", path, NULL), 0);
	assert_int_equal(options.exchanges, 7);
	assert_int_equal(options.connections, 5);
}

static void a_file_that_is_none_is_refused(void **state)
{
	static char large[70000];

	(void)state;
	assert_int_equal(read_options("--config", "/nowhere/at/all", NULL), -ENOENT);
	assert_error_names("--config /nowhere/at/all cannot be read: No such file");
	assert_int_equal(read_options("--config", "/", NULL), -EISDIR);
	write_bytes("connections = 5\0\n", 17);
	assert_int_equal(read_options("--config", path, NULL), -EINVAL);
	assert_error_names("a byte of 0");
	memset(large, '\n', sizeof(large));
	write_bytes(large, sizeof(large));
	assert_int_equal(read_options("--config", path, NULL), -EFBIG);
	assert_error_names("larger than 65534 bytes");
}

static void whoever_asks_for_help_gets_it_whatever_the_file_says(void **state)
{
	(void)state;
	write_file("nonsense\n");
	assert_int_equal(read_options("--config", path, "--help", NULL), 0);
	assert_true(options.print_help);
}

static void a_mistake_in_a_flag_is_told_first(void **state)
{
	(void)state;
	write_file("nonsense\n");
	assert_int_equal(read_options("--config", path, "--connections", "0", NULL), -EINVAL);
	assert_error_names("--connections takes");
}

static void help_has_the_applications_own_options(void **state)
{
	static char buffer[32768];
	struct zg_text text;

	(void)state;
	zg_text_init(&text, buffer, sizeof(buffer));
	zg_options_help(&options, &text);
	assert_non_null(
		strstr(buffer, "  --store  (KIND:PLACE; default none)\n      Where what is "));
}

#define test(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_file_sets_what_flags_set),
		test(every_limit_can_come_from_a_file_and_from_the_environment),
		test(a_flag_goes_before_the_environment_and_that_before_the_file),
		test(the_environment_may_name_the_file),
		test(an_application_may_have_a_file_of_its_own),
		test(an_empty_variable_counts_as_not_there),
		test(a_mistake_in_the_environment_names_the_variable),
		test(a_mistake_in_a_file_names_the_line),
		test(what_is_for_people_at_a_prompt_is_for_flags_alone),
		test(sections_of_others_are_let_be),
		test(a_file_that_is_none_is_refused),
		test(whoever_asks_for_help_gets_it_whatever_the_file_says),
		test(a_mistake_in_a_flag_is_told_first),
		test(help_has_the_applications_own_options),
	};
	int result = mkstemp(path);

	if (result < 0)
		return 1;
	close(result);
	result = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return result;
}
