/*
 * What the head of a response looks like.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <zerog/http.h>

#include "http/writer.h"

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

static void check_head(const struct zgi_http_response_head *head, const char *expected)
{
	char buffer[512] = {0};
	size_t size = 0;

	assert_int_equal(zgi_http_write_head(head, buffer, sizeof(buffer), &size), 0);
	buffer[size] = '\0';
	assert_string_equal(buffer, expected);
	/* It fits exactly, and not in a byte less. */
	assert_int_equal(zgi_http_write_head(head, buffer, size, &size), 0);
	assert_int_equal(zgi_http_write_head(head, buffer, size - 1, &size), -ENOSPC);
	assert_int_equal(size, strlen(expected));
}

static struct zgi_http_response_head plain_head(void)
{
	return (struct zgi_http_response_head){
		.status = 200,
		.is_keep_alive = true,
		.minor_version = 1,
		.has_content_length = true,
		.content_length = 5,
		.date = DATE,
	};
}

static void test_a_plain_head(void **state)
{
	struct zgi_http_response_head head = plain_head();

	(void)state;
	check_head(&head, "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 5\r\n\r\n");
}

static void test_everything_at_once(void **state)
{
	struct zgi_http_response_head head = plain_head();

	(void)state;
	head.status = 404;
	head.is_keep_alive = false;
	head.content_type = ZG_SLICE("text/plain");
	head.fields = ZG_SLICE("A: b\r\nC: d\r\n");
	check_head(&head, "HTTP/1.1 404 Not Found\r\n" DATE "Content-Type: text/plain\r\n"
			  "Content-Length: 5\r\nConnection: close\r\nA: b\r\nC: d\r\n\r\n");
}

static void test_keep_alive_is_said_aloud_to_http_1_0(void **state)
{
	struct zgi_http_response_head head = plain_head();

	(void)state;
	head.minor_version = 0;
	check_head(&head, "HTTP/1.1 200 OK\r\n" DATE
			  "Content-Length: 5\r\nConnection: keep-alive\r\n\r\n");
}

static void test_no_content_has_no_length(void **state)
{
	struct zgi_http_response_head head = plain_head();

	(void)state;
	head.status = 204;
	head.has_content_length = false;
	check_head(&head, "HTTP/1.1 204 No Content\r\n" DATE "\r\n");
}

static void test_lengths_have_as_many_digits_as_they_need(void **state)
{
	struct zgi_http_response_head head = plain_head();

	(void)state;
	head.content_length = 0;
	check_head(&head, "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 0\r\n\r\n");
	head.content_length = 10;
	check_head(&head, "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 10\r\n\r\n");
	head.content_length = UINT64_MAX;
	check_head(&head,
		   "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 18446744073709551615\r\n\r\n");
}

static void test_a_status_without_a_name_is_written_all_the_same(void **state)
{
	struct zgi_http_response_head head = plain_head();

	(void)state;
	head.status = 299;
	check_head(&head, "HTTP/1.1 299 Unknown\r\n" DATE "Content-Length: 5\r\n\r\n");
	head.status = 599;
	check_head(&head, "HTTP/1.1 599 Unknown\r\n" DATE "Content-Length: 5\r\n\r\n");
}

static void check_date(time_t seconds, const char *expected)
{
	char date[ZGI_HTTP_DATE_SIZE + 1];

	date[ZGI_HTTP_DATE_SIZE] = '#';
	zgi_http_date_format(seconds, date);
	assert_int_equal(date[ZGI_HTTP_DATE_SIZE], '#');
	date[ZGI_HTTP_DATE_SIZE] = '\0';
	assert_string_equal(date, expected);
}

static void test_the_date_of_the_rfc(void **state)
{
	(void)state;
	check_date(784111777, DATE);
}

static void test_dates_at_the_edges(void **state)
{
	(void)state;
	check_date(0, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
	check_date(951782399, "Date: Mon, 28 Feb 2000 23:59:59 GMT\r\n");
	check_date(951782400, "Date: Tue, 29 Feb 2000 00:00:00 GMT\r\n");
	check_date(4107542400, "Date: Mon, 01 Mar 2100 00:00:00 GMT\r\n");
	check_date(253402300799, "Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n");
	check_date(253402300800, "Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n");
	check_date(-1, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
}

static void test_dates_agree_with_the_c_library(void **state)
{
	(void)state;
	/* A step of a day and an hour, and some: every day of the week, month and hour comes up. */
	for (time_t seconds = 0; seconds < 8000000000; seconds += 90061 * 7) {
		char expected[64];
		struct tm broken_down;

		assert_non_null(gmtime_r(&seconds, &broken_down));
		assert_int_equal(strftime(expected, sizeof(expected),
					  "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &broken_down),
				 ZGI_HTTP_DATE_SIZE);
		check_date(seconds, expected);
	}
}

static void test_a_field_cannot_split_the_response(void **state)
{
	(void)state;
	assert_true(zgi_http_field_is_safe(ZG_SLICE("X-A"), ZG_SLICE("b\tc \xC3\xA9")));
	assert_true(zgi_http_field_is_safe(ZG_SLICE("X-A"), ZG_SLICE("")));
	assert_false(zgi_http_field_is_safe(ZG_SLICE(""), ZG_SLICE("b")));
	assert_false(zgi_http_field_is_safe(ZG_SLICE("X A"), ZG_SLICE("b")));
	assert_false(zgi_http_field_is_safe(ZG_SLICE("X:"), ZG_SLICE("b")));
	assert_false(zgi_http_field_is_safe(ZG_SLICE("X"), ZG_SLICE("b\r\nSet-Cookie: c")));
	assert_false(zgi_http_field_is_safe(ZG_SLICE("X"), ZG_SLICE("b\nc")));
	assert_false(zgi_http_field_is_safe(ZG_SLICE("X"), ZG_SLICE("b\0c")));
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(zg_method_name(ZG_METHOD_GET).data, "GET");
	assert_string_equal(zg_method_name(ZG_METHOD_PATCH).data, "PATCH");
	assert_string_equal(zg_status_reason(431).data, "Request Header Fields Too Large");
	assert_string_equal(zg_status_reason(299).data, "Unknown");
	assert_int_equal(zg_status_reason(200).size, 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_plain_head),
		cmocka_unit_test(test_everything_at_once),
		cmocka_unit_test(test_keep_alive_is_said_aloud_to_http_1_0),
		cmocka_unit_test(test_no_content_has_no_length),
		cmocka_unit_test(test_lengths_have_as_many_digits_as_they_need),
		cmocka_unit_test(test_a_status_without_a_name_is_written_all_the_same),
		cmocka_unit_test(test_the_date_of_the_rfc),
		cmocka_unit_test(test_dates_at_the_edges),
		cmocka_unit_test(test_dates_agree_with_the_c_library),
		cmocka_unit_test(test_a_field_cannot_split_the_response),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
