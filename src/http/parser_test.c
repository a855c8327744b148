/*
 * Each row of parser_cases.c is a test of its own. It is parsed whole, split at every
 * position, and byte by byte, with every variant of the scans, and always from a
 * block of exactly the bytes that have arrived, so that ASan sees a read past them.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zerog/text.h>

#include "http/parser.h"
#include "http/parser_cases.h"
#include "http/scan.h"

#define ARENA_SIZE 4096
#define TEXT_SIZE 1024

struct outcome {
	struct zgi_http_request request;
	struct zgi_http_parser parser;
	struct zgi_http_limits limits;
	struct zg_arena arena;
	alignas(ZG_ARENA_ALIGNMENT) unsigned char memory[ARENA_SIZE];
	enum zgi_http_progress progress;
};

static void outcome_init(struct outcome *outcome, const struct parser_case *row)
{
	struct zg_arena_options options = {
		.memory = outcome->memory,
		.memory_size = sizeof(outcome->memory),
	};

	outcome->limits = (struct zgi_http_limits){
		.head_size_max = row->head_size_max > 0 ? row->head_size_max : 8192,
		.fields_max = row->fields_max > 0 ? row->fields_max : 64,
	};
	assert_int_equal(zg_arena_init(&outcome->arena, &options), 0);
	memset(&outcome->request, 0xA5, sizeof(outcome->request));
	zgi_http_parser_init(&outcome->parser, &outcome->request, &outcome->limits,
			     &outcome->arena);
	outcome->progress = ZGI_HTTP_MORE;
}

/* The first `size` bytes have arrived, in a block that ends where they do. */
static void outcome_feed(struct outcome *outcome, struct zg_slice raw, size_t size)
{
	char *data = malloc(size > 0 ? size : 1);

	assert_non_null(data);
	memcpy(data, raw.data, size);
	outcome->progress = zgi_http_parse(&outcome->parser, data, size);
	free(data);
}

static const char *fault_name(enum zgi_http_fault fault)
{
	static const char *const names[] = {
#define FAULT_NAME(name, status, sentence) #name,
		ZGI_HTTP_FAULTS(FAULT_NAME)
#undef FAULT_NAME
	};

	return names[fault];
}

static void outcome_print(const struct outcome *outcome, const char *data, struct zg_text *text)
{
	const struct zgi_http_request *request = &outcome->request;
	struct zg_slice method;

	if (outcome->progress == ZGI_HTTP_MORE) {
		zg_text_print(text, "MORE");
		return;
	}
	if (outcome->progress == ZGI_HTTP_FAULT) {
		zg_text_print(text, "%s", fault_name(outcome->parser.fault));
		return;
	}
	method = zg_method_name((enum zg_method)request->method);
	zg_text_print(text, "%s %.*s path=%.*s query=%.*s HTTP/1.%d %s fields=%d", method.data,
		      (int)request->target_size, data + request->target_offset,
		      (int)request->path_size, data + request->path_offset,
		      (int)request->query_size, data + request->query_offset,
		      request->minor_version, request->is_keep_alive ? "keep-alive" : "close",
		      request->field_count);
	if (request->has_content_length)
		zg_text_print(text, " length=%" PRIu64, request->content_length);
	if (request->is_chunked)
		zg_text_print(text, " chunked");
	if (request->expects_continue)
		zg_text_print(text, " continue");
}

/* Offsets stay inside the head, names come before values, and the head ends where it should. */
static void outcome_check_bounds(const struct outcome *outcome, struct zg_slice raw)
{
	const struct zgi_http_request *request = &outcome->request;

	assert_true(request->head_size <= raw.size);
	assert_memory_equal(raw.data + request->head_size - 4, "\r\n\r\n", 4);
	for (uint32_t index = 0; index < request->field_count; index++) {
		const struct zgi_http_field *field = zgi_http_request_field(request, index);

		assert_true(field->name_size > 0);
		assert_true(field->name_offset + field->name_size < field->value_offset);
		assert_true(field->value_offset + field->value_size + 2 < request->head_size);
		assert_int_equal(raw.data[field->name_offset + field->name_size], ':');
	}
}

static void outcome_check(const struct outcome *outcome, const struct parser_case *row)
{
	char buffer[TEXT_SIZE];
	struct zg_text text;

	zg_text_init(&text, buffer, sizeof(buffer));
	outcome_print(outcome, row->raw.data, &text);
	assert_string_equal(buffer, row->expected);
	if (outcome->progress == ZGI_HTTP_DONE)
		outcome_check_bounds(outcome, row->raw);
}

/* Split so that `first` bytes come at once, and the others `step` at a time. */
static void row_run(const struct parser_case *row, size_t first, size_t step)
{
	struct outcome outcome;
	size_t size = first;

	outcome_init(&outcome, row);
	outcome_feed(&outcome, row->raw, size);
	while (size < row->raw.size && outcome.progress == ZGI_HTTP_MORE) {
		size = step < row->raw.size - size ? size + step : row->raw.size;
		outcome_feed(&outcome, row->raw, size);
	}
	outcome_check(&outcome, row);
	/* What has been decided stays so. */
	if (outcome.progress != ZGI_HTTP_MORE) {
		outcome_feed(&outcome, row->raw, row->raw.size);
		outcome_check(&outcome, row);
	}
	zg_arena_fini(&outcome.arena);
}

static void test_row(void **state)
{
	const struct parser_case *row = *state;
	const struct zgi_http_scan *variants[8];
	struct zgi_http_scan scan_before = zgi_http_scan;
	size_t count = zgi_http_scan_variants(variants, 8);

	for (size_t index = 0; index < count; index++) {
		zgi_http_scan = *variants[index];
		row_run(row, row->raw.size, 1);
		row_run(row, 0, 1);
		for (size_t first = 0; first <= row->raw.size; first++)
			row_run(row, first, row->raw.size);
	}
	zgi_http_scan = scan_before;
}

static void check_slice(const char *data, uint32_t offset, uint32_t size, const char *expected)
{
	assert_int_equal(size, strlen(expected));
	assert_memory_equal(data + offset, expected, size);
}

static void test_white_space_around_values_is_left_out(void **state)
{
	const struct parser_case row = {
		.raw = ZG_SLICE("GET / HTTP/1.1\r\nHost: \t a.b\t \r\nX-Y:c d\r\nE: \t\r\n\r\n"),
	};
	const struct zgi_http_field *fields;
	struct outcome outcome;

	(void)state;
	outcome_init(&outcome, &row);
	outcome_feed(&outcome, row.raw, row.raw.size);
	assert_int_equal(outcome.progress, ZGI_HTTP_DONE);
	fields = outcome.request.fields;
	check_slice(row.raw.data, fields[0].name_offset, fields[0].name_size, "Host");
	check_slice(row.raw.data, fields[0].value_offset, fields[0].value_size, "a.b");
	check_slice(row.raw.data, fields[1].name_offset, fields[1].name_size, "X-Y");
	check_slice(row.raw.data, fields[1].value_offset, fields[1].value_size, "c d");
	check_slice(row.raw.data, fields[2].value_offset, fields[2].value_size, "");
	zg_arena_fini(&outcome.arena);
}

static void test_empty_lines_first_belong_to_the_head(void **state)
{
	const struct parser_case row = {
		.raw = ZG_SLICE("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next"),
	};
	struct outcome outcome;

	(void)state;
	outcome_init(&outcome, &row);
	outcome_feed(&outcome, row.raw, row.raw.size);
	assert_int_equal(outcome.progress, ZGI_HTTP_DONE);
	assert_int_equal(outcome.request.head_size, 2 + 27);
	assert_int_equal(outcome.request.target_offset, 6);
	zg_arena_fini(&outcome.arena);
}

/* Writes a head of `count` fields: Host, then F1: 1, F2: 2 … */
static size_t print_many_fields(char *buffer, size_t capacity, uint32_t count)
{
	struct zg_text text;

	zg_text_init(&text, buffer, capacity);
	zg_text_print(&text, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (uint32_t index = 1; index < count; index++)
		zg_text_print(&text, "F%u: %u\r\n", index, index);
	zg_text_print(&text, "\r\n");
	assert_false(text.is_truncated);
	return text.size;
}

static void test_fields_past_the_inline_ones_are_kept_in_the_arena(void **state)
{
	static const struct parser_case row = {.fields_max = 100};
	char buffer[2048];
	struct zg_slice raw = {buffer, print_many_fields(buffer, sizeof(buffer), 100)};
	struct outcome outcome;

	(void)state;
	outcome_init(&outcome, &row);
	outcome_feed(&outcome, raw, raw.size);
	assert_int_equal(outcome.progress, ZGI_HTTP_DONE);
	assert_int_equal(outcome.request.field_count, 100);
	for (uint32_t index = 1; index < 100; index++) {
		const struct zgi_http_field *field =
			zgi_http_request_field(&outcome.request, index);
		char expected[8];
		struct zg_text text;

		zg_text_init(&text, expected, sizeof(expected));
		zg_text_print(&text, "%u", index);
		check_slice(buffer, field->value_offset, field->value_size, expected);
	}
	outcome_check_bounds(&outcome, raw);
	zg_arena_fini(&outcome.arena);
}

static void test_a_full_arena_is_a_fault_of_its_own(void **state)
{
	static const struct parser_case row = {.fields_max = 100};
	char buffer[2048];
	struct zg_slice raw = {buffer, print_many_fields(buffer, sizeof(buffer), 40)};
	struct outcome outcome;
	void *memory;

	(void)state;
	outcome_init(&outcome, &row);
	/* Room for the first doubling (16 fields of 8 bytes), not for the second. */
	assert_int_equal(zg_arena_alloc(&outcome.arena, ARENA_SIZE - 256, &memory), 0);
	outcome_feed(&outcome, raw, raw.size);
	assert_int_equal(outcome.progress, ZGI_HTTP_FAULT);
	assert_int_equal(outcome.parser.fault, ZGI_HTTP_FAULT_NO_MEMORY);
	assert_int_equal(zgi_http_fault_status(outcome.parser.fault), 503);
	zg_arena_fini(&outcome.arena);
}

static void test_every_fault_has_a_status_and_a_sentence(void **state)
{
	(void)state;
	for (unsigned int fault = 1; fault < ZGI_HTTP_FAULT_COUNT; fault++) {
		int status = zgi_http_fault_status((enum zgi_http_fault)fault);

		assert_true(status >= 400 && status <= 599);
		assert_string_not_equal(zg_status_reason(status).data, "Unknown");
		assert_true(strlen(zgi_http_fault_text((enum zgi_http_fault)fault)) > 10);
	}
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(test_white_space_around_values_is_left_out),
		cmocka_unit_test(test_empty_lines_first_belong_to_the_head),
		cmocka_unit_test(test_fields_past_the_inline_ones_are_kept_in_the_arena),
		cmocka_unit_test(test_a_full_arena_is_a_fault_of_its_own),
		cmocka_unit_test(test_every_fault_has_a_status_and_a_sentence),
	};
	static struct parser_case rows[256];
	static struct CMUnitTest tests[256];
	int failed;

	zgi_http_scan_init();
	if (parser_case_count > 256)
		return 1;
	memcpy(rows, parser_cases, parser_case_count * sizeof(rows[0]));
	for (size_t index = 0; index < parser_case_count; index++) {
		tests[index] = (struct CMUnitTest){
			.name = rows[index].name,
			.test_func = test_row,
			.initial_state = &rows[index],
		};
	}
	/* The macro wants an array whose length it can see; rows without a function are skipped. */
	failed = cmocka_run_group_tests_name("parser: rules", tests, NULL, NULL);
	return failed + cmocka_run_group_tests_name("parser", others, NULL, NULL);
}
