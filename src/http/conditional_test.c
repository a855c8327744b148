/*
 * What a request may ask of a representation: RFC 9110, sections 8.8, 12.5.3, 13 and 14.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/conditional.h"

#define MODIFIED 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */
#define SIZE 1000

static struct zg_slice slice(const char *text)
{
	return (struct zg_slice){text, text != NULL ? strlen(text) : 0};
}

static struct zgi_http_selection select_of(struct zgi_http_conditions conditions)
{
	const struct zgi_http_representation representation = {
		.tag = ZG_SLICE("\"a\""),
		.modified = MODIFIED,
		.size = SIZE,
	};
	struct zgi_http_selection selection;

	zgi_http_select(&conditions, &representation, &selection);
	return selection;
}

static time_t date_of(const char *text)
{
	time_t seconds = -1;

	return zgi_http_date_parse(slice(text), &seconds) == 0 ? seconds : -1;
}

static void dates_of_all_three_formats_are_read(void **state)
{
	(void)state;
	assert_int_equal(date_of("Sun, 06 Nov 1994 08:49:37 GMT"), MODIFIED);
	assert_int_equal(date_of("Sunday, 06-Nov-94 08:49:37 GMT"), MODIFIED);
	assert_int_equal(date_of("Sun Nov  6 08:49:37 1994"), MODIFIED);
	assert_int_equal(date_of("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
	assert_int_equal(date_of("Thu, 29 Feb 2024 23:59:59 GMT"), 1709251199);
}

static void what_is_no_date_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"yesterday",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 CET",
		"Sun, 06 Nox 1994 08:49:37 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1969 08:49:37 GMT",
	};

	(void)state;
	for (size_t index = 0; index < sizeof(texts) / sizeof(texts[0]); index++)
		assert_int_equal(date_of(texts[index]), -1);
}

static void a_tag_is_found_in_a_list(void **state)
{
	const struct zg_slice tag = ZG_SLICE("\"a\"");

	(void)state;
	assert_true(zgi_http_etag_is_listed(slice("\"a\""), tag, true));
	assert_true(zgi_http_etag_is_listed(slice("\"b\" ,\t\"a\""), tag, true));
	assert_true(zgi_http_etag_is_listed(slice("*"), tag, true));
	assert_false(zgi_http_etag_is_listed(slice("\"b\", \"aa\""), tag, true));
	assert_false(zgi_http_etag_is_listed(slice("a"), tag, true));
	assert_false(zgi_http_etag_is_listed(slice("\"b,\"a\"\""), tag, true));
	assert_false(zgi_http_etag_is_listed(slice(""), tag, true));
}

static void a_weak_tag_counts_where_weak_ones_may(void **state)
{
	const struct zg_slice tag = ZG_SLICE("\"a\"");

	(void)state;
	assert_true(zgi_http_etag_is_listed(slice("W/\"a\""), tag, false));
	assert_false(zgi_http_etag_is_listed(slice("W/\"a\""), tag, true));
}

static void without_conditions_the_whole_is_sent(void **state)
{
	struct zgi_http_selection selection = select_of((struct zgi_http_conditions){0});

	(void)state;
	assert_int_equal(selection.status, 200);
	assert_int_equal(selection.offset, 0);
	assert_int_equal(selection.size, SIZE);
}

static void what_the_client_has_is_not_sent_again(void **state)
{
	(void)state;
	assert_int_equal(
		select_of((struct zgi_http_conditions){.if_none_match = slice("W/\"a\"")}).status,
		304);
	assert_int_equal(
		select_of((struct zgi_http_conditions){.if_none_match = slice("\"b\"")}).status,
		200);
	assert_int_equal(
		select_of((struct zgi_http_conditions){
				  .if_modified_since = slice("Sun, 06 Nov 1994 08:49:37 GMT")})
			.status,
		304);
	assert_int_equal(
		select_of((struct zgi_http_conditions){
				  .if_modified_since = slice("Sun, 06 Nov 1994 08:49:36 GMT")})
			.status,
		200);
	assert_int_equal(
		select_of((struct zgi_http_conditions){.if_modified_since = slice("soon")}).status,
		200);
}

static void a_tag_is_believed_before_a_date(void **state)
{
	(void)state;
	assert_int_equal(
		select_of((struct zgi_http_conditions){
				  .if_none_match = slice("\"b\""),
				  .if_modified_since = slice("Sun, 06 Nov 2094 08:49:37 GMT")})
			.status,
		200);
}

static void a_precondition_that_fails_is_answered_with_412(void **state)
{
	(void)state;
	assert_int_equal(select_of((struct zgi_http_conditions){.if_match = slice("\"b\"")}).status,
			 412);
	assert_int_equal(
		select_of((struct zgi_http_conditions){.if_match = slice("W/\"a\"")}).status, 412);
	assert_int_equal(select_of((struct zgi_http_conditions){.if_match = slice("\"a\"")}).status,
			 200);
	assert_int_equal(
		select_of((struct zgi_http_conditions){
				  .if_unmodified_since = slice("Sun, 06 Nov 1994 08:49:36 GMT")})
			.status,
		412);
	assert_int_equal(
		select_of((struct zgi_http_conditions){
				  .if_unmodified_since = slice("Sun, 06 Nov 1994 08:49:37 GMT")})
			.status,
		200);
}

static void assert_range(const char *range, int status, uint64_t offset, uint64_t size)
{
	struct zgi_http_selection selection =
		select_of((struct zgi_http_conditions){.range = slice(range)});

	if (selection.status != status)
		fail_msg("%s: %d", range, selection.status);
	if (status != 416) {
		assert_int_equal(selection.offset, offset);
		assert_int_equal(selection.size, size);
	}
}

static void a_range_of_bytes_is_served(void **state)
{
	(void)state;
	assert_range("bytes=0-0", 206, 0, 1);
	assert_range("bytes=0-499", 206, 0, 500);
	assert_range("bytes=500-", 206, 500, 500);
	assert_range("bytes=-1", 206, 999, 1);
	assert_range("bytes=-5000", 206, 0, 1000);
	assert_range("bytes=999-5000", 206, 999, 1);
	assert_range("BYTES=0-18446744073709551616", 206, 0, 1000);
}

static void a_range_past_the_end_is_answered_with_416(void **state)
{
	(void)state;
	assert_range("bytes=1000-", 416, 0, 0);
	assert_range("bytes=1000-2000", 416, 0, 0);
	assert_range("bytes=-0", 416, 0, 0);
}

static void what_is_no_single_range_is_ignored(void **state)
{
	(void)state;
	assert_range("bytes=0-1,5-6", 200, 0, 1000);
	assert_range("bytes=5-4", 200, 0, 1000);
	assert_range("bytes=-", 200, 0, 1000);
	assert_range("bytes=", 200, 0, 1000);
	assert_range("bytes=a-b", 200, 0, 1000);
	assert_range("rows=0-1", 200, 0, 1000);
	assert_range("bytes=0-1 ", 200, 0, 1000);
}

static void a_range_is_served_only_of_what_the_client_has_a_part_of(void **state)
{
	struct zgi_http_conditions conditions = {.range = slice("bytes=0-9")};

	(void)state;
	conditions.if_range = slice("\"a\"");
	assert_int_equal(select_of(conditions).status, 206);
	conditions.if_range = slice("\"b\"");
	assert_int_equal(select_of(conditions).status, 200);
	conditions.if_range = slice("W/\"a\"");
	assert_int_equal(select_of(conditions).status, 200);
	conditions.if_range = slice("Sun, 06 Nov 1994 08:49:37 GMT");
	assert_int_equal(select_of(conditions).status, 206);
	conditions.if_range = slice("Sun, 06 Nov 2094 08:49:37 GMT");
	assert_int_equal(select_of(conditions).status, 200);
}

#define BR (1U << ZGI_HTTP_CODING_BR)
#define GZIP (1U << ZGI_HTTP_CODING_GZIP)
#define ZSTD (1U << ZGI_HTTP_CODING_ZSTD)

static void the_coding_with_the_highest_weight_is_chosen(void **state)
{
	static const struct {
		const char *accept; /* NULL: none was sent */
		uint32_t available;
		enum zgi_http_coding chosen;
	} cases[] = {
		{NULL, BR | GZIP, ZGI_HTTP_CODING_COUNT},
		{"", BR | GZIP, ZGI_HTTP_CODING_COUNT},
		{"gzip", BR | GZIP, ZGI_HTTP_CODING_GZIP},
		{"GZip", GZIP, ZGI_HTTP_CODING_GZIP},
		{"x-gzip", GZIP, ZGI_HTTP_CODING_GZIP},
		{"gzip, deflate, br, zstd", BR | GZIP | ZSTD, ZGI_HTTP_CODING_BR},
		{"gzip, deflate, br, zstd", GZIP | ZSTD, ZGI_HTTP_CODING_ZSTD},
		{"gzip;q=1.0, br;q=0.5", BR | GZIP, ZGI_HTTP_CODING_GZIP},
		{"gzip; q=0.2, br ;q=0.05", BR | GZIP, ZGI_HTTP_CODING_GZIP},
		{"gzip;q=0", GZIP, ZGI_HTTP_CODING_COUNT},
		{"gzip;q=0.000", GZIP, ZGI_HTTP_CODING_COUNT},
		{"*", GZIP, ZGI_HTTP_CODING_GZIP},
		{"br;q=0, *", BR | GZIP, ZGI_HTTP_CODING_GZIP},
		{"*;q=0", GZIP, ZGI_HTTP_CODING_COUNT},
		{"identity;q=1, gzip;q=0.5", GZIP, ZGI_HTTP_CODING_COUNT},
		{"identity;q=0.5, gzip", GZIP, ZGI_HTTP_CODING_GZIP},
		{"gzip", BR, ZGI_HTTP_CODING_COUNT},
		{"br", 0, ZGI_HTTP_CODING_COUNT},
		{"gzipped, broccoli", BR | GZIP, ZGI_HTTP_CODING_COUNT},
	};

	(void)state;
	for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
		enum zgi_http_coding chosen =
			zgi_http_coding_choose(slice(cases[index].accept), cases[index].available);

		if (chosen != cases[index].chosen)
			fail_msg("case %zu: %d", index, (int)chosen);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_of_all_three_formats_are_read),
		cmocka_unit_test(what_is_no_date_is_refused),
		cmocka_unit_test(a_tag_is_found_in_a_list),
		cmocka_unit_test(a_weak_tag_counts_where_weak_ones_may),
		cmocka_unit_test(without_conditions_the_whole_is_sent),
		cmocka_unit_test(what_the_client_has_is_not_sent_again),
		cmocka_unit_test(a_tag_is_believed_before_a_date),
		cmocka_unit_test(a_precondition_that_fails_is_answered_with_412),
		cmocka_unit_test(a_range_of_bytes_is_served),
		cmocka_unit_test(a_range_past_the_end_is_answered_with_416),
		cmocka_unit_test(what_is_no_single_range_is_ignored),
		cmocka_unit_test(a_range_is_served_only_of_what_the_client_has_a_part_of),
		cmocka_unit_test(the_coding_with_the_highest_weight_is_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
