/*
 * Options from a file, from the environment and from flags: which beats which, what a
 * file may look like, and what is said of a mistake in each.
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

static struct zg_options options;
static char error[512];
static char path[256];

static int setup(void **state)
{
	const char *folder = getenv("TMPDIR");
	int fd;

	(void)state;
	zg_options_init(&options);
	error[0] = '\0';
	snprintf(path, sizeof(path), "%s/zerog-options-XXXXXX", folder != NULL ? folder : P_tmpdir);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void write_file(const char *bytes, size_t size)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

/* With the file of this test, if it is to be read, one variable and one flag, if there are any. */
static int load(const char *file, const char *variable, const char *flag)
{
	char words[4][300] = {"service", "--config"};
	char entry[300];
	char *argv[5] = {words[0]};
	char *environment[2] = {NULL, NULL};
	struct zg_text text;
	int argc = 1;

	if (file != NULL) {
		write_file(file, strlen(file));
		snprintf(words[2], sizeof(words[2]), "%s", path);
		argv[argc++] = words[1];
		argv[argc++] = words[2];
	}
	if (flag != NULL) {
		snprintf(words[3], sizeof(words[3]), "%s", flag);
		argv[argc++] = words[3];
	}
	if (variable != NULL) {
		snprintf(entry, sizeof(entry), "%s", variable);
		environment[0] = entry;
	}
	zg_text_init(&text, error, sizeof(error));
	return zg_options_load(&options, argc, argv, environment, &text);
}

static void assert_said(const char *expected)
{
	/* Mistakes in a file begin with its path, which is another one each time. */
	size_t size = strncmp(error, path, strlen(path)) == 0 ? strlen(path) : 0;

	if (strstr(error + size, expected) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", expected, error);
}

static void a_file_sets_options(void **state)
{
	(void)state;
	assert_int_equal(load("connections = 5\nio=epoll\n\tlisten\t=  unix:a b \r\n", NULL, NULL),
			 0);
	assert_int_equal(options.connections, 5);
	assert_int_equal(options.io, ZG_IO_EPOLL);
	assert_string_equal(options.listen, "unix:a b");
}

static void the_last_line_needs_no_end(void **state)
{
	(void)state;
	assert_int_equal(load("connections = 5", NULL, NULL), 0);
	assert_int_equal(options.connections, 5);
}

static void the_environment_sets_options(void **state)
{
	(void)state;
	assert_int_equal(load(NULL, "ZEROG_BODY_SIZE_MAX=77", NULL), 0);
	assert_int_equal(options.body_size_max, 77);
	assert_int_equal(load(NULL, "ZEROG_SEAL=trap", NULL), 0);
	assert_int_equal(options.seal, ZG_SEAL_TRAP);
}

/* Every row of the table, by its name in each source. Long only once the table is written out.
 * NOLINTNEXTLINE(readability-function-size) */
static void every_limit_is_an_option_of_every_source(void **state)
{
	char line[128];

	(void)state;
#define CHECK(field, flag, unit, minimum, initial, maximum, sentence)                         \
	snprintf(line, sizeof(line), "%s = %llu\n", flag, (unsigned long long)(maximum));     \
	assert_int_equal(load(line, NULL, NULL), 0);                                          \
	assert_int_equal(options.field, maximum);                                             \
	snprintf(line, sizeof(line), "ZEROG_%s=%llu", #field, (unsigned long long)(minimum)); \
	for (char *byte = line + 6; *byte != '='; byte++)                                     \
		if (*byte >= 'a' && *byte <= 'z')                                             \
			*byte = (char)(*byte - 'a' + 'A');                                    \
	assert_int_equal(load(NULL, line, NULL), 0);                                          \
	assert_int_equal(options.field, minimum);
	ZG_LIMITS(CHECK)
#undef CHECK
}

static void flags_beat_the_environment_and_that_the_file(void **state)
{
	(void)state;
	assert_int_equal(load("connections=5\nexchanges=6\nshards=1\n", "ZEROG_EXCHANGES=7", NULL),
			 0);
	assert_int_equal(options.connections, 5);
	assert_int_equal(options.exchanges, 7);
	assert_int_equal(load("exchanges=6\n", "ZEROG_EXCHANGES=7", "--exchanges=8"), 0);
	assert_int_equal(options.exchanges, 8);
	assert_int_equal(load("exchanges=6\n", NULL, "--exchanges=8"), 0);
	assert_int_equal(options.exchanges, 8);
}

static void comments_and_empty_lines_are_passed_over(void **state)
{
	(void)state;
	assert_int_equal(load("\n  \n# connections = x\n ; y\nconnections = 9\n\n", NULL, NULL), 0);
	assert_int_equal(options.connections, 9);
}

static void other_sections_are_the_applications(void **state)
{
	(void)state;
	assert_int_equal(load("connections=4\n[shop]\nconnections=x\nno line\n"
			      "[zerog]\nexchanges=5\n[other]\n?\n",
			      NULL, NULL),
			 0);
	assert_int_equal(options.connections, 4);
	assert_int_equal(options.exchanges, 5);
}

static void a_mistake_in_a_file_is_told_with_its_line(void **state)
{
	(void)state;
	assert_int_equal(load("# one\nconnections = 0\n", NULL, NULL), -EINVAL);
	assert_memory_equal(error, path, strlen(path));
	assert_said(":2: --connections takes a whole number from 1 to ");
	assert_int_equal(load("connection = 1\n", NULL, NULL), -EINVAL);
	assert_said(":1: \"connection\" is not an option; --help lists them");
	assert_int_equal(load("\n\nconnections 1\n", NULL, NULL), -EINVAL);
	assert_said(":3: an option is written as body-size-max = 65536");
	assert_int_equal(load("[zerog\n", NULL, NULL), -EINVAL);
	assert_said(":1: a section is written as [zerog]");
	assert_int_equal(load("io = aio\n", NULL, NULL), -EINVAL);
	assert_said(":1: --io takes uring, epoll or auto, not \"aio\"");
	assert_int_equal(load("--io = epoll\n", NULL, NULL), -EINVAL);
	assert_said("\"--io\" is not an option");
}

static void what_prints_and_exits_is_for_the_command_line(void **state)
{
	(void)state;
	assert_int_equal(load("explain = exchange\n", NULL, NULL), -EINVAL);
	assert_said(":1: --explain may stand on the command line only");
	assert_int_equal(load("config = x\n", NULL, NULL), -EINVAL);
	assert_int_equal(load("help = 1\n", NULL, NULL), -EINVAL);
	assert_int_equal(load("plan = 1\n", NULL, NULL), -EINVAL);
	assert_int_equal(load(NULL, "ZEROG_EXPLAIN=exchange", NULL), 0);
	assert_string_equal(options.explain, "");
	assert_false(options.print_plan);
}

static void a_mistake_in_the_environment_is_told_with_its_name(void **state)
{
	(void)state;
	assert_int_equal(load(NULL, "ZEROG_CONNECTIONS=many", NULL), -EINVAL);
	assert_said("ZEROG_CONNECTIONS in the environment: --connections takes a whole number");
	/* Somebody else's. */
	assert_int_equal(load(NULL, "ZEROG_NOTHING=x", NULL), 0);
	assert_int_equal(load(NULL, "ZEROG_connections=x", NULL), 0);
	assert_int_equal(load(NULL, "XEROG_CONNECTIONS=x", NULL), 0);
	assert_int_equal(load(NULL, "ZEROG_=x", NULL), 0);
	assert_int_equal(
		load(NULL,
		     "ZEROG_A_NAME_OF_SOMEBODY_ELSES_THAT_IS_LONGER_THAN_ANY_OF_OURS_COULD_"
		     "EVER_BECOME_AND_HAS_NO_MEANING_HERE_AT_ALL_SO_IT_IS_PASSED_OVER=x",
		     NULL),
		0);
	assert_int_equal(load(NULL, "ZEROG_CONNECTIONS", NULL), 0);
}

static void a_mistake_on_the_command_line_comes_first(void **state)
{
	(void)state;
	assert_int_equal(load("connections=x\n", "ZEROG_IO=x", "--connections=0"), -EINVAL);
	assert_memory_equal(error, "--connections takes", 19);
}

static void help_is_to_be_had_whatever_the_file_says(void **state)
{
	(void)state;
	assert_int_equal(load("nonsense\n", NULL, "--help"), 0);
	assert_true(options.print_help);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	char *argv[] = {(char[]){"service"}, (char[]){"--config=no/such/file"}, NULL};
	struct zg_text text;

	(void)state;
	zg_text_init(&text, error, sizeof(error));
	assert_int_equal(zg_options_load(&options, 2, argv, NULL, &text), -EINVAL);
	assert_string_equal(error, "--config no/such/file: No such file or directory");
}

static int load_bytes(const char *bytes, size_t size)
{
	char *argv[] = {(char[]){"service"}, (char[]){"--config"}, path, NULL};
	struct zg_text text;

	write_file(bytes, size);
	zg_text_init(&text, error, sizeof(error));
	return zg_options_load(&options, 3, argv, NULL, &text);
}

static void a_file_has_a_size_and_no_nul(void **state)
{
	static char bytes[ZG_CONFIG_FILE_SIZE_MAX + 1];

	(void)state;
	memset(bytes, '\n', sizeof(bytes));
	memcpy(bytes + ZG_CONFIG_FILE_SIZE_MAX - 13, "connections=8", 13);
	assert_int_equal(load_bytes(bytes, ZG_CONFIG_FILE_SIZE_MAX), 0);
	assert_int_equal(options.connections, 8);
	assert_int_equal(load_bytes(bytes, sizeof(bytes)), -EINVAL);
	assert_said("it is larger than 16384 bytes");
	assert_int_equal(load_bytes("io=epoll\0\n", 10), -EINVAL);
	assert_said("there is a NUL in it");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_file_sets_options),
		test(the_last_line_needs_no_end),
		test(the_environment_sets_options),
		test(every_limit_is_an_option_of_every_source),
		test(flags_beat_the_environment_and_that_the_file),
		test(comments_and_empty_lines_are_passed_over),
		test(other_sections_are_the_applications),
		test(a_mistake_in_a_file_is_told_with_its_line),
		test(what_prints_and_exits_is_for_the_command_line),
		test(a_mistake_in_the_environment_is_told_with_its_name),
		test(a_mistake_on_the_command_line_comes_first),
		test(help_is_to_be_had_whatever_the_file_says),
		test(a_file_that_cannot_be_read_is_named),
		test(a_file_has_a_size_and_no_nul),
	};

	return cmocka_run_group_tests_name("options_sources", tests, NULL, NULL);
}
