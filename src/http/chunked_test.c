/*
 * Chunked bodies (RFC 9112, section 7.1), each decoded whole, split at every
 * position, byte by byte, and in place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zerog/slice.h>

#include "http/chunked.h"

#define OUTPUT_SIZE 64

struct chunked_case {
	const char *name;
	struct zg_slice raw;
	enum zgi_http_progress progress;
	enum zgi_http_fault fault;
	const char *body; /* what has been decoded, when it is not a fault */
	size_t left_count; /* bytes after the body's end, which are left alone */
};

/* clang-format off */
#define GOOD(name, raw, body, left) {name, {raw, sizeof(raw) - 1}, ZGI_HTTP_DONE, ZGI_HTTP_FAULT_NONE, body, left}
#define PART(name, raw, body) {name, {raw, sizeof(raw) - 1}, ZGI_HTTP_MORE, ZGI_HTTP_FAULT_NONE, body, 0}
#define BAD(name, raw) {name, {raw, sizeof(raw) - 1}, ZGI_HTTP_FAULT, ZGI_HTTP_FAULT_BAD_CHUNK, "", 0}

static const struct chunked_case cases[] = {
	GOOD("7.1 an empty body", "0\r\n\r\n", "", 0),
	GOOD("7.1 one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello", 0),
	GOOD("7.1 several chunks", "1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n", "abcdef", 0),
	GOOD("7.1 sizes are hexadecimal, of either case", "a\r\n0123456789\r\nB\r\n0123456789A\r\n0\r\n\r\n", "01234567890123456789A", 0),
	GOOD("7.1 leading zeros", "0005\r\nhello\r\n000\r\n\r\n", "hello", 0),
	GOOD("7.1 sixteen digits", "0000000000000001\r\na\r\n0\r\n\r\n", "a", 0),
	GOOD("7.1 data may look like a line end", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", 0),
	GOOD("7.1 what follows is the next request", "1\r\na\r\n0\r\n\r\nGET /", "a", 5),
	GOOD("7.1.1 an extension", "1;a=b\r\nx\r\n0;c\r\n\r\n", "x", 0),
	GOOD("7.1.1 white space before an extension", "1 \t; a = b\r\nx\r\n0\r\n\r\n", "x", 0),
	GOOD("7.1.1 a quoted extension", "1;a=\"b;\\\"c\x80\"\r\nx\r\n0\r\n\r\n", "x", 0),
	GOOD("7.1.2 trailers are thrown away", "1\r\nx\r\n0\r\nA: b\r\nC:\r\n\r\n", "x", 0),
	PART("7.1 a body without its end", "5\r\nhello\r\n", "hello"),
	PART("7.1 a chunk without its end", "5\r\nhel", "hel"),
	PART("7.1 a last chunk without the empty line", "0\r\n", ""),
	BAD("7.1 a size is not empty", "\r\nhello\r\n"),
	BAD("7.1 a size is not an extension alone", ";a=b\r\n"),
	BAD("7.1 a size of seventeen digits", "00000000000000001\r\na\r\n0\r\n\r\n"),
	BAD("7.1 a size with a prefix", "0x5\r\nhello\r\n"),
	BAD("7.1 a negative size", "-5\r\nhello\r\n"),
	BAD("7.1 a size with a sign", "+5\r\nhello\r\n"),
	BAD("7.1 a size that is no number", "g\r\nhello\r\n"),
	BAD("7.1 white space before a size", " 5\r\nhello\r\n"),
	BAD("7.1 white space after a size", "5 \r\nhello\r\n"),
	BAD("7.1 a bare LF after a size", "5\nhello\r\n0\r\n\r\n"),
	BAD("7.1 a bare CR after a size", "5\rhello\r\n0\r\n\r\n"),
	BAD("7.1 data longer than its size", "5\r\nhello!\r\n0\r\n\r\n"),
	BAD("7.1 data without CRLF", "5\r\nhello0\r\n\r\n"),
	BAD("7.1 a bare LF after data", "5\r\nhello\n0\r\n\r\n"),
	BAD("7.1 a bare CR after data", "5\r\nhello\r0\r\n\r\n"),
	BAD("7.1.1 a bare LF in an extension", "5;a\nhello\r\n"),
	BAD("7.1.1 a bare CR in an extension", "5;a\rb\r\nhello\r\n"),
	BAD("7.1.1 a control byte in an extension", "5;a\x01\r\nhello\r\n"),
	BAD("7.1.1 a byte above ASCII in an extension", "5;a\x80\r\nhello\r\n"),
	BAD("7.1.1 a line end in quotes", "5;a=\"b\r\n\"\r\nhello\r\n"),
	BAD("7.1.1 an escaped line end in quotes", "5;a=\"\\\r\n\"\r\nhello\r\n"),
	BAD("7.1.2 a trailer without a colon", "0\r\nabc\r\n\r\n"),
	BAD("7.1.2 a trailer without a name", "0\r\n: b\r\n\r\n"),
	BAD("7.1.2 a space before the colon of a trailer", "0\r\na : b\r\n\r\n"),
	BAD("7.1.2 a folded trailer", "0\r\na: b\r\n c\r\n\r\n"),
	BAD("7.1.2 a control byte in a trailer", "0\r\na: \x01\r\n\r\n"),
	BAD("7.1.2 a bare LF after a trailer", "0\r\na: b\n\r\n"),
	BAD("7.1.2 a bare CR in a trailer", "0\r\na: b\rc\r\n\r\n"),
	BAD("7.1 a bare LF at the end", "0\r\n\n"),
	BAD("7.1 a bare CR at the end", "0\r\n\rG"),
};
/* clang-format on */

#define CASE_COUNT (sizeof(cases) / sizeof(cases[0]))

struct decoding {
	struct zgi_http_chunked chunked;
	enum zgi_http_progress progress;
	char output[OUTPUT_SIZE];
	size_t output_size; /* bytes of room */
	size_t output_used;
	size_t input_used;
};

static void decoding_init(struct decoding *decoding, size_t output_size)
{
	zgi_http_chunked_init(&decoding->chunked);
	decoding->progress = ZGI_HTTP_MORE;
	decoding->output_size = output_size;
	decoding->output_used = 0;
	decoding->input_used = 0;
}

/* The next bytes arrive, in a block of their own, exactly as large as they are. */
static void decoding_feed(struct decoding *decoding, struct zg_slice raw, size_t size)
{
	char *input = malloc(size > 0 ? size : 1);
	struct zgi_http_chunked_step step = {
		.input = input,
		.input_size = size,
		.output = decoding->output + decoding->output_used,
		.output_size = decoding->output_size - decoding->output_used,
	};

	assert_non_null(input);
	memcpy(input, raw.data + decoding->input_used, size);
	decoding->progress = zgi_http_chunked_decode(&decoding->chunked, &step);
	assert_true(step.input_used <= size);
	assert_true(step.output_used <= step.output_size);
	if (decoding->progress == ZGI_HTTP_MORE)
		assert_int_equal(step.input_used, size);
	decoding->input_used += step.input_used;
	decoding->output_used += step.output_used;
	free(input);
}

static void decoding_run(struct decoding *decoding, struct zg_slice raw, size_t first, size_t next)
{
	decoding_feed(decoding, raw, first);
	while (decoding->progress == ZGI_HTTP_MORE && decoding->input_used < raw.size) {
		size_t left = raw.size - decoding->input_used;

		decoding_feed(decoding, raw, next < left ? next : left);
	}
}

static void check(const struct decoding *decoding, const struct chunked_case *row)
{
	assert_int_equal(decoding->progress, row->progress);
	assert_int_equal(decoding->chunked.fault, row->fault);
	if (row->progress == ZGI_HTTP_FAULT)
		return;
	assert_int_equal(decoding->output_used, strlen(row->body));
	assert_memory_equal(decoding->output, row->body, decoding->output_used);
	assert_int_equal(decoding->input_used, row->raw.size - row->left_count);
}

static void test_row(void **state)
{
	const struct chunked_case *row = *state;
	struct decoding decoding;

	decoding_init(&decoding, OUTPUT_SIZE);
	decoding_run(&decoding, row->raw, 0, 1);
	check(&decoding, row);
	for (size_t first = 0; first <= row->raw.size; first++) {
		decoding_init(&decoding, OUTPUT_SIZE);
		decoding_run(&decoding, row->raw, first, row->raw.size);
		check(&decoding, row);
	}
}

static void test_a_body_is_decoded_in_place(void **state)
{
	static const char raw[] = "5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\nA: b\r\n\r\nrest";
	char buffer[sizeof(raw)];
	struct zgi_http_chunked chunked;
	struct zgi_http_chunked_step step = {
		.input = buffer,
		.input_size = sizeof(raw) - 1,
		.output = buffer,
		.output_size = sizeof(raw) - 1,
	};

	(void)state;
	memcpy(buffer, raw, sizeof(raw));
	zgi_http_chunked_init(&chunked);
	assert_int_equal(zgi_http_chunked_decode(&chunked, &step), ZGI_HTTP_DONE);
	assert_int_equal(step.output_used, 12);
	assert_memory_equal(buffer, "hello, world", 12);
	assert_string_equal(buffer + step.input_used, "rest");
}

static void test_a_body_larger_than_the_output_is_a_fault(void **state)
{
	const struct zg_slice raw = ZG_SLICE("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
	struct decoding decoding;

	(void)state;
	for (size_t first = 0; first <= raw.size; first++) {
		decoding_init(&decoding, 4);
		decoding_run(&decoding, raw, first, raw.size);
		assert_int_equal(decoding.progress, ZGI_HTTP_FAULT);
		assert_int_equal(decoding.chunked.fault, ZGI_HTTP_FAULT_BODY_TOO_LARGE);
		assert_memory_equal(decoding.output, "abcd", 4);
	}
}

static void test_a_body_as_large_as_the_output_fits(void **state)
{
	const struct zg_slice raw = ZG_SLICE("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
	struct decoding decoding;

	(void)state;
	decoding_init(&decoding, 5);
	decoding_run(&decoding, raw, raw.size, 1);
	assert_int_equal(decoding.progress, ZGI_HTTP_DONE);
	assert_int_equal(decoding.output_used, 5);
}

static void test_the_largest_chunk_does_not_overflow(void **state)
{
	const struct zg_slice raw = ZG_SLICE("FFFFFFFFFFFFFFFF\r\nab");
	struct decoding decoding;

	(void)state;
	decoding_init(&decoding, OUTPUT_SIZE);
	decoding_run(&decoding, raw, raw.size, 1);
	assert_int_equal(decoding.progress, ZGI_HTTP_MORE);
	assert_true(decoding.chunked.chunk_left == UINT64_MAX - 2);
}

/* Feeds `prefix`, then `count` times the same byte; returns how that went. */
static enum zgi_http_fault feed_many(struct zg_slice prefix, char byte, size_t count)
{
	struct decoding decoding;
	struct zg_slice bytes = {&byte, 1};

	decoding_init(&decoding, OUTPUT_SIZE);
	decoding_feed(&decoding, prefix, prefix.size);
	for (size_t index = 0; index < count && decoding.progress == ZGI_HTTP_MORE; index++) {
		decoding.input_used = 0;
		decoding_feed(&decoding, bytes, 1);
	}
	return decoding.chunked.fault;
}

static void test_extensions_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(feed_many(ZG_SLICE("1;"), 'a', ZGI_HTTP_CHUNK_OVERHEAD_MAX),
			 ZGI_HTTP_FAULT_NONE);
	assert_int_equal(feed_many(ZG_SLICE("1;"), 'a', ZGI_HTTP_CHUNK_OVERHEAD_MAX + 1),
			 ZGI_HTTP_FAULT_BAD_CHUNK);
}

static void test_trailers_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(feed_many(ZG_SLICE("0\r\nA:"), 'a', ZGI_HTTP_CHUNK_OVERHEAD_MAX - 2),
			 ZGI_HTTP_FAULT_NONE);
	assert_int_equal(feed_many(ZG_SLICE("0\r\nA:"), 'a', ZGI_HTTP_CHUNK_OVERHEAD_MAX - 1),
			 ZGI_HTTP_FAULT_BAD_CHUNK);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(test_a_body_is_decoded_in_place),
		cmocka_unit_test(test_a_body_larger_than_the_output_is_a_fault),
		cmocka_unit_test(test_a_body_as_large_as_the_output_fits),
		cmocka_unit_test(test_the_largest_chunk_does_not_overflow),
		cmocka_unit_test(test_extensions_are_bounded),
		cmocka_unit_test(test_trailers_are_bounded),
	};
	static struct chunked_case rows[CASE_COUNT];
	static struct CMUnitTest tests[CASE_COUNT];
	int failed;

	memcpy(rows, cases, sizeof(rows));
	for (size_t index = 0; index < CASE_COUNT; index++) {
		tests[index] = (struct CMUnitTest){
			.name = rows[index].name,
			.test_func = test_row,
			.initial_state = &rows[index],
		};
	}
	failed = cmocka_run_group_tests_name("chunked: rules", tests, NULL, NULL);
	return failed + cmocka_run_group_tests_name("chunked", others, NULL, NULL);
}
