#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <zerog/options.h>
#include <zerog/pool.h>

#define ARGUMENTS_MAX 8

static struct zg_options options;
static char error[512];

static int setup(void **state)
{
	(void)state;
	zg_options_init(&options);
	return 0;
}

/* Arguments that end with NULL, as main's do. */
static int parse(const char *first, ...)
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
	return zg_options_parse(&options, argc, argv, &text);
}

static void assert_error_names(const char *part)
{
	if (strstr(error, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, error);
}

static void every_limit_begins_at_its_default_and_within_its_range(void **state)
{
	(void)state;
#define CHECK(field, flag, unit, minimum, initial, maximum, sentence) \
	assert_int_equal(options.field, initial);                     \
	assert_in_range(options.field, minimum, maximum);
	ZG_LIMITS(CHECK)
#undef CHECK
	assert_string_equal(options.listen, "127.0.0.1:60000");
	assert_int_equal(options.io, ZG_IO_AUTO);
	assert_int_equal(options.seal, ZG_SEAL_COUNT);
}

/* Long only once the table of limits is written out. NOLINTNEXTLINE(readability-function-size) */
static void every_limit_takes_its_ends_and_no_more(void **state)
{
	char text[32];

	(void)state;
#define CHECK(field, flag, unit, minimum, initial, maximum, sentence)                  \
	snprintf(text, sizeof(text), "%llu", (unsigned long long)(minimum));           \
	assert_int_equal(parse("--" flag, text, NULL), 0);                             \
	assert_int_equal(options.field, minimum);                                      \
	snprintf(text, sizeof(text), "%llu", (unsigned long long)(maximum));           \
	assert_int_equal(parse("--" flag, text, NULL), 0);                             \
	assert_int_equal(options.field, maximum);                                      \
	snprintf(text, sizeof(text), "%llu", (unsigned long long)(maximum) + 1);       \
	assert_int_equal(parse("--" flag, text, NULL), -EINVAL);                       \
	assert_error_names("--" flag);                                                 \
	assert_int_equal(options.field, maximum);                                      \
	if ((minimum) > 0) {                                                           \
		snprintf(text, sizeof(text), "%llu", (unsigned long long)(minimum)-1); \
		assert_int_equal(parse("--" flag, text, NULL), -EINVAL);               \
	}
	ZG_LIMITS(CHECK)
#undef CHECK
}

static void a_flag_is_written_in_two_ways(void **state)
{
	(void)state;
	assert_int_equal(
		parse("--connections", "5", "--exchanges=7", "--io=epoll", "--seal", "trap", NULL),
		0);
	assert_int_equal(options.connections, 5);
	assert_int_equal(options.exchanges, 7);
	assert_int_equal(options.io, ZG_IO_EPOLL);
	assert_int_equal(options.seal, ZG_SEAL_TRAP);
}

static void the_last_of_two_counts(void **state)
{
	(void)state;
	assert_int_equal(parse("--connections", "5", "--connections=6", NULL), 0);
	assert_int_equal(options.connections, 6);
}

static void what_is_no_whole_number_is_refused(void **state)
{
	static const char *const values[] = {"",   " 5",  "5 ", "+5",	"-5",
					     "5x", "0x5", "5.", "five", "18446744073709551617"};

	(void)state;
	for (size_t index = 0; index < sizeof(values) / sizeof(values[0]); index++)
		if (parse("--connections", values[index], NULL) != -EINVAL)
			fail_msg("\"%s\" was taken", values[index]);
	assert_error_names("from 1 to 16000000");
}

static void a_value_that_lacks_is_told(void **state)
{
	(void)state;
	assert_int_equal(parse("--connections", NULL), -EINVAL);
	assert_error_names("--connections takes");
	assert_int_equal(parse("--listen", NULL), -EINVAL);
	assert_error_names("--listen takes");
	assert_int_equal(parse("--io", NULL), -EINVAL);
	assert_int_equal(parse("--seal=", NULL), -EINVAL);
}

static void an_unknown_flag_is_called_unknown(void **state)
{
	(void)state;
	assert_int_equal(parse("--conections", "5", NULL), -EINVAL);
	assert_error_names("--conections is not a flag");
	assert_int_equal(parse("--conections", NULL), -EINVAL);
	assert_error_names("--conections is not a flag");
	assert_int_equal(parse("connections", NULL), -EINVAL);
	assert_error_names("\"connections\" is not a flag");
	assert_int_equal(parse("--", NULL), -EINVAL);
	assert_int_equal(parse("", NULL), -EINVAL);
	/* A flag is not known by its beginning. */
	assert_int_equal(parse("--connection", "5", NULL), -EINVAL);
}

static void words_are_one_of_those_listed(void **state)
{
	(void)state;
	assert_int_equal(parse("--io", "kqueue", NULL), -EINVAL);
	assert_error_names("kqueue");
	assert_int_equal(parse("--seal", "none", NULL), -EINVAL);
	assert_int_equal(parse("--track", "yes", NULL), -EINVAL);
	assert_error_names("--track takes on or off, not \"yes\"");
	assert_int_equal(parse("--io=uring", NULL), 0);
	assert_int_equal(options.io, ZG_IO_URING);
	assert_int_equal(parse("--io=auto", NULL), 0);
	assert_int_equal(options.io, ZG_IO_AUTO);
}

static void tracking_is_off_unless_the_build_has_it_always(void **state)
{
	(void)state;
	assert_int_equal(options.track, zg_pool_tracks_all());
	assert_int_equal(parse("--track", "on", NULL), 0);
	assert_true(options.track);
	assert_int_equal(parse("--track", "off", NULL), zg_pool_tracks_all() ? -EINVAL : 0);
	assert_int_equal(options.track, zg_pool_tracks_all());
}

static void memory_is_on_huge_pages_and_on_its_node_unless_told_otherwise(void **state)
{
	(void)state;
	assert_int_equal(options.huge_pages, ZG_REGION_PAGES_TRANSPARENT);
	assert_int_equal(options.lock_memory, ZG_REGION_NO);
	assert_true(options.numa);
}

static void huge_pages_are_of_one_of_four_kinds(void **state)
{
	(void)state;
	assert_int_equal(parse("--huge-pages", "off", NULL), 0);
	assert_int_equal(options.huge_pages, ZG_REGION_PAGES_SMALL);
	assert_int_equal(parse("--huge-pages", "explicit", NULL), 0);
	assert_int_equal(options.huge_pages, ZG_REGION_PAGES_EXPLICIT);
	assert_int_equal(parse("--huge-pages", "explicit-only", NULL), 0);
	assert_int_equal(options.huge_pages, ZG_REGION_PAGES_EXPLICIT_ONLY);
	assert_int_equal(parse("--huge-pages", "transparent", NULL), 0);
	assert_int_equal(options.huge_pages, ZG_REGION_PAGES_TRANSPARENT);
	assert_int_equal(parse("--huge-pages", "on", NULL), -EINVAL);
	assert_error_names("--huge-pages takes off, transparent, explicit or explicit-only");
}

static void memory_is_locked_as_far_as_it_goes_or_must_be(void **state)
{
	(void)state;
	assert_int_equal(parse("--lock-memory", "try", NULL), 0);
	assert_int_equal(options.lock_memory, ZG_REGION_TRY);
	assert_int_equal(parse("--lock-memory", "must", NULL), 0);
	assert_int_equal(options.lock_memory, ZG_REGION_MUST);
	assert_int_equal(parse("--lock-memory", "off", NULL), 0);
	assert_int_equal(options.lock_memory, ZG_REGION_NO);
	assert_int_equal(parse("--lock-memory", "yes", NULL), -EINVAL);
	assert_error_names("--lock-memory takes off, try or must");
}

static void nodes_are_looked_at_or_not(void **state)
{
	(void)state;
	assert_int_equal(parse("--numa", "off", NULL), 0);
	assert_false(options.numa);
	assert_int_equal(parse("--numa", "auto", NULL), 0);
	assert_true(options.numa);
	assert_int_equal(parse("--peer-addresses", "on", NULL), 0);
	assert_true(options.peer_addresses);
	assert_int_equal(parse("--peer-addresses=off", NULL), 0);
	assert_false(options.peer_addresses);
	assert_int_equal(parse("--peer-addresses", "yes", NULL), -EINVAL);
	assert_error_names("--peer-addresses takes off or on");
	assert_int_equal(parse("--numa", "1", NULL), -EINVAL);
	assert_error_names("--numa takes off or auto");
}

static void an_address_has_its_room_and_no_more(void **state)
{
	char address[ZG_LISTEN_SIZE + 1];

	(void)state;
	memset(address, 'a', sizeof(address));
	address[ZG_LISTEN_SIZE] = '\0';
	assert_int_equal(parse("--listen", address, NULL), -EINVAL);
	address[ZG_LISTEN_SIZE - 1] = '\0';
	assert_int_equal(parse("--listen", address, NULL), 0);
	assert_string_equal(options.listen, address);
	/* An address may hold an equals sign. */
	assert_int_equal(parse("--listen=unix:a=b", NULL), 0);
	assert_string_equal(options.listen, "unix:a=b");
}

static void switches_have_no_value(void **state)
{
	(void)state;
	assert_int_equal(parse("--plan", "--connections", "5", "--routes", "--help", NULL), 0);
	assert_true(options.print_plan);
	assert_true(options.print_routes);
	assert_true(options.print_help);
	assert_int_equal(options.connections, 5);
}

static void help_explains_every_flag(void **state)
{
	static char buffer[16384];
	struct zg_text text;

	(void)state;
	zg_text_init(&text, buffer, sizeof(buffer));
	zg_options_help(&options, &text);
	assert_false(text.is_truncated);
#define CHECK(field, flag, unit, minimum, initial, maximum, sentence)                \
	assert_non_null(strstr(buffer, "--" flag "  (" unit "; default " #initial)); \
	assert_non_null(strstr(buffer, sentence));
	ZG_LIMITS(CHECK)
#undef CHECK
	assert_non_null(strstr(buffer, "--listen"));
	assert_non_null(strstr(buffer, "--io"));
	assert_non_null(strstr(buffer, "--seal"));
	assert_non_null(strstr(buffer, "--track"));
	assert_non_null(strstr(buffer, "--huge-pages"));
	assert_non_null(strstr(buffer, "--lock-memory"));
	assert_non_null(strstr(buffer, "--numa"));
	assert_non_null(strstr(buffer, "--plan"));
	assert_non_null(strstr(buffer, "--routes"));
}

#define test(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(every_limit_begins_at_its_default_and_within_its_range),
		test(every_limit_takes_its_ends_and_no_more),
		test(a_flag_is_written_in_two_ways),
		test(the_last_of_two_counts),
		test(what_is_no_whole_number_is_refused),
		test(a_value_that_lacks_is_told),
		test(an_unknown_flag_is_called_unknown),
		test(words_are_one_of_those_listed),
		test(tracking_is_off_unless_the_build_has_it_always),
		test(memory_is_on_huge_pages_and_on_its_node_unless_told_otherwise),
		test(huge_pages_are_of_one_of_four_kinds),
		test(memory_is_locked_as_far_as_it_goes_or_must_be),
		test(nodes_are_looked_at_or_not),
		test(an_address_has_its_room_and_no_more),
		test(switches_have_no_value),
		test(help_explains_every_flag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
