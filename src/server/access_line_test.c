/*
 * Lines of the access log, in both forms, and what never stands in one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/access_line.h"

static struct zgi_access_record record;

static int setup(void **state)
{
	(void)state;
	record = (struct zgi_access_record){
		.time_ns = UINT64_C(1795631417123456789),
		.duration_ns = 1234567,
		.size = 42,
		.status = 200,
		.method = ZG_METHOD_GET,
		.minor_version = 1,
	};
	return 0;
}

static void set_path(const char *path)
{
	record.path_size = (uint8_t)strlen(path);
	memcpy(record.path, path, record.path_size);
}

static const char *line(enum zg_access_log_format format)
{
	static char buffer[ZGI_ACCESS_LINE_SIZE_MAX];
	struct zg_text text;

	zg_text_init(&text, buffer, sizeof(buffer));
	zgi_access_line_print(&text, &record, format);
	assert_false(text.is_truncated);
	return buffer;
}

static void a_common_line_is_what_tools_expect(void **state)
{
	(void)state;
	set_path("/orders/7");
	assert_string_equal(
		line(ZG_ACCESS_LOG_COMMON),
		"- - - [25/Nov/2026:18:30:17 +0000] \"GET /orders/7 HTTP/1.1\" 200 42\n");
}

static void a_json_line_is_an_object(void **state)
{
	(void)state;
	set_path("/orders/7");
	assert_string_equal(line(ZG_ACCESS_LOG_JSON),
			    "{\"time\":\"2026-11-25T18:30:17.123Z\",\"method\":\"GET\",\"path\":"
			    "\"/orders/7\",\"version\":\"1.1\",\"status\":200,\"bytes\":42,"
			    "\"duration_us\":1234}\n");
}

static void every_month_has_its_number(void **state)
{
	char part[32];

	(void)state;
	set_path("/");
	/* The 15th of each month of 1970. */
	for (unsigned int month = 1; month <= 12; month++) {
		record.time_ns = (UINT64_C(14) + (month - 1) * 304 / 10) * 86400 * 1000000000;
		snprintf(part, sizeof(part), "\"1970-%02u-1", month);
		assert_non_null(strstr(line(ZG_ACCESS_LOG_JSON), part));
	}
}

static void a_request_that_was_not_understood_has_no_path(void **state)
{
	(void)state;
	record.method = ZG_METHOD_COUNT;
	record.status = 400;
	assert_non_null(strstr(line(ZG_ACCESS_LOG_COMMON), "] \"-\" 400 42\n"));
	assert_non_null(strstr(line(ZG_ACCESS_LOG_JSON), "\"method\":\"-\",\"path\":\"\""));
}

static void a_body_made_in_pieces_has_no_size(void **state)
{
	(void)state;
	set_path("/events");
	record.size = ZGI_ACCESS_SIZE_UNKNOWN;
	assert_non_null(strstr(line(ZG_ACCESS_LOG_COMMON), "\" 200 -\n"));
	assert_non_null(strstr(line(ZG_ACCESS_LOG_JSON), "\"bytes\":null,"));
}

static void a_path_cannot_end_its_line_or_its_quotes(void **state)
{
	(void)state;
	set_path("/a\"b\\c\n\x7f");
	assert_non_null(strstr(line(ZG_ACCESS_LOG_COMMON), " /a\\x22b\\x5cc\\x0a\\x7f HTTP"));
	assert_non_null(strstr(line(ZG_ACCESS_LOG_JSON), "\"/a\\\"b\\\\c\\n"));
}

static void a_path_that_was_cut_says_so(void **state)
{
	(void)state;
	set_path("/aaaa");
	record.is_cut = 1;
	assert_non_null(strstr(line(ZG_ACCESS_LOG_COMMON), "/aaaa... HTTP"));
	assert_non_null(strstr(line(ZG_ACCESS_LOG_JSON), "\"/aaaa\",\"path_is_cut\":true,"));
}

static void the_longest_line_has_room(void **state)
{
	(void)state;
	record.path_size = ZGI_ACCESS_PATH_SIZE;
	memset(record.path, 1, ZGI_ACCESS_PATH_SIZE);
	record.is_cut = 1;
	record.duration_ns = UINT64_MAX;
	record.size = UINT64_MAX;
	record.method = ZG_METHOD_OPTIONS;
	(void)line(ZG_ACCESS_LOG_COMMON);
	(void)line(ZG_ACCESS_LOG_JSON);
}

static void assert_masked(const char *path, const char *masked)
{
	set_path(path);
	zgi_access_mask(record.path, record.path_size, record.is_cut != 0);
	if (memcmp(record.path, masked, record.path_size) != 0)
		fail_msg("\"%.*s\" is not \"%s\"", record.path_size, record.path, masked);
}

static void what_could_be_a_card_number_is_masked(void **state)
{
	(void)state;
	assert_masked("/cards/4111111111111111", "/cards/****************");
	assert_masked("/4222222222222/x", "/*************/x");
	assert_masked("/4111-1111-1111-1111", "/*******************");
	assert_masked("/4111%201111%2D1111+1111.", "/***********************.");
	assert_masked("/%34%31111111%311111111111", "/*************************");
	assert_masked("/a4111111111111111b", "/a****************b");
	assert_masked("/12345678901234567890123/1", "/***********************/1");
	assert_non_null(strstr(line(ZG_ACCESS_LOG_COMMON), "/***********************/1"));
	assert_non_null(strstr(line(ZG_ACCESS_LOG_JSON), "/***********************/1"));
}

static void other_numbers_are_left(void **state)
{
	(void)state;
	assert_masked("/orders/123456789012", "/orders/123456789012");
	assert_masked("/2026-11-25/7", "/2026-11-25/7");
	assert_masked("/1234--5678--9012--3456", "/1234--5678--9012--3456");
	assert_masked("/1/2/3/4/5/6/7/8/9/0/1/2/3/4", "/1/2/3/4/5/6/7/8/9/0/1/2/3/4");
	assert_masked("/%", "/%");
	assert_masked("/1%", "/1%");
	assert_masked("/1%2", "/1%2");
}

static void a_number_at_the_cut_is_masked_whatever_its_size(void **state)
{
	(void)state;
	record.is_cut = 1;
	assert_masked("/cards/411111111", "/cards/*********");
	assert_masked("/cards/411111111%3", "/cards/*********%*");
	assert_masked("/cards/411111111/abc", "/cards/411111111/abc");
}

#define test(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_common_line_is_what_tools_expect),
		test(a_json_line_is_an_object),
		test(every_month_has_its_number),
		test(a_request_that_was_not_understood_has_no_path),
		test(a_body_made_in_pieces_has_no_size),
		test(a_path_cannot_end_its_line_or_its_quotes),
		test(a_path_that_was_cut_says_so),
		test(the_longest_line_has_room),
		test(what_could_be_a_card_number_is_masked),
		test(other_numbers_are_left),
		test(a_number_at_the_cut_is_masked_whatever_its_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
