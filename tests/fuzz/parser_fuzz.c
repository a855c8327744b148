/*
 * Fuzzes the head parser and the chunked decoder. Nobody can say what the right
 * answer to random bytes is, but there must be one: the same bytes in two pieces,
 * and with the slowest scans, must mean what they mean in one. The first byte of the
 * input says where to split, and how small the limits are.
 */
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zerog/arena.h>

#include "base/assert.h"
#include "http/chunked.h"
#include "http/parser.h"
#include "http/scan.h"

#define FUZZ_ARENA_SIZE 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_parse {
	struct zgi_http_request request;
	struct zgi_http_parser parser;
	struct zg_arena arena;
	enum zgi_http_progress progress;
};

static alignas(ZG_ARENA_ALIGNMENT) unsigned char fuzz_memory[2][FUZZ_ARENA_SIZE];

/* A block that ends where the bytes do, so that a read past them is seen. */
static void fuzz_feed(struct fuzz_parse *parse, const uint8_t *data, size_t size)
{
	char *block = malloc(size > 0 ? size : 1);

	zg_assert(block != NULL);
	if (size > 0)
		memcpy(block, data, size);
	parse->progress = zgi_http_parse(&parse->parser, block, size);
	free(block);
}

static void fuzz_init(struct fuzz_parse *parse, const struct zgi_http_limits *limits,
		      unsigned char *memory)
{
	struct zg_arena_options options = {.memory = memory, .memory_size = FUZZ_ARENA_SIZE};

	zg_assert(zg_arena_init(&parse->arena, &options) == 0);
	zgi_http_parser_init(&parse->parser, &parse->request, limits, &parse->arena);
	parse->progress = ZGI_HTTP_MORE;
}

static void fuzz_check_range(const struct zgi_http_request *request, uint32_t offset, uint32_t size)
{
	zg_assert(offset <= request->head_size);
	zg_assert(size <= request->head_size - offset);
}

/* When a head is accepted, everything in it lies inside it. */
static void fuzz_check_done(const struct fuzz_parse *parse, const uint8_t *data, size_t size)
{
	const struct zgi_http_request *request = &parse->request;

	zg_assert(request->head_size <= size);
	zg_assert(request->head_size <= parse->parser.limits->head_size_max);
	zg_assert(request->field_count <= parse->parser.limits->fields_max);
	zg_assert(memcmp(data + request->head_size - 4, "\r\n\r\n", 4) == 0);
	zg_assert(request->method < ZG_METHOD_COUNT);
	zg_assert(!(request->is_chunked && request->has_content_length));
	fuzz_check_range(request, request->target_offset, request->target_size);
	fuzz_check_range(request, request->path_offset, request->path_size);
	fuzz_check_range(request, request->query_offset, request->query_size);
	for (uint32_t index = 0; index < request->field_count; index++) {
		const struct zgi_http_field *field = zgi_http_request_field(request, index);

		zg_assert(field->name_size > 0);
		fuzz_check_range(request, field->name_offset, field->name_size);
		fuzz_check_range(request, field->value_offset, field->value_size);
		zg_assert(memchr(data + field->value_offset, '\n', field->value_size) == NULL);
		zg_assert(memchr(data + field->value_offset, '\r', field->value_size) == NULL);
		zg_assert(memchr(data + field->value_offset, '\0', field->value_size) == NULL);
	}
}

static void fuzz_check_same(const struct fuzz_parse *whole, const struct fuzz_parse *split)
{
	zg_assert(whole->progress == split->progress);
	zg_assert(whole->parser.fault == split->parser.fault);
	if (whole->progress != ZGI_HTTP_DONE)
		return;
	zg_assert(memcmp(&whole->request, &split->request,
			 offsetof(struct zgi_http_request, fields_more)) == 0);
	for (uint32_t index = 0; index < whole->request.field_count; index++)
		zg_assert(memcmp(zgi_http_request_field(&whole->request, index),
				 zgi_http_request_field(&split->request, index),
				 sizeof(struct zgi_http_field)) == 0);
}

static void fuzz_head(const uint8_t *data, size_t size, uint8_t choice)
{
	struct zgi_http_limits limits = {
		.head_size_max = (choice & 1) != 0 ? 8192 : 128,
		.fields_max = (choice & 2) != 0 ? 64 : 20,
	};
	struct zgi_http_scan scan_best = zgi_http_scan;
	size_t split_size = size > 0 ? choice % size : 0;
	struct fuzz_parse whole;
	struct fuzz_parse split;

	fuzz_init(&whole, &limits, fuzz_memory[0]);
	fuzz_init(&split, &limits, fuzz_memory[1]);
	fuzz_feed(&whole, data, size);
	if (whole.progress == ZGI_HTTP_DONE)
		fuzz_check_done(&whole, data, size);
	zgi_http_scan = zgi_http_scan_scalar;
	/* In even steps to the end: as many pieces as the choice of their size makes. */
	for (size_t end = split_size; split.progress == ZGI_HTTP_MORE; end += split_size + 1) {
		fuzz_feed(&split, data, end < size ? end : size);
		if (end >= size)
			break;
	}
	zgi_http_scan = scan_best;
	fuzz_check_same(&whole, &split);
	zg_arena_fini(&whole.arena);
	zg_arena_fini(&split.arena);
}

struct fuzz_decode {
	struct zgi_http_chunked chunked;
	struct zgi_http_chunked_step step; /* of the last call */
	enum zgi_http_progress progress;
	char *buffer; /* owned: the output */
	size_t used; /* bytes of it */
	size_t input_used;
};

static void fuzz_decode_feed(struct fuzz_decode *decode, const uint8_t *data, size_t size,
			     size_t output_size)
{
	char *block = malloc(size > 0 ? size : 1);

	zg_assert(block != NULL);
	if (size > 0)
		memcpy(block, data + decode->input_used, size);
	decode->step = (struct zgi_http_chunked_step){
		.input = block,
		.input_size = size,
		.output = decode->buffer + decode->used,
		.output_size = output_size - decode->used,
	};
	decode->progress = zgi_http_chunked_decode(&decode->chunked, &decode->step);
	zg_assert(decode->step.input_used <= size);
	zg_assert(decode->step.output_used <= decode->step.output_size);
	decode->input_used += decode->step.input_used;
	decode->used += decode->step.output_used;
	free(block);
}

static void fuzz_decode_init(struct fuzz_decode *decode, size_t output_size)
{
	zgi_http_chunked_init(&decode->chunked);
	decode->progress = ZGI_HTTP_MORE;
	decode->buffer = malloc(output_size > 0 ? output_size : 1);
	decode->used = 0;
	decode->input_used = 0;
	zg_assert(decode->buffer != NULL);
}

/* In place, a body must come out as it does into memory of its own. */
static void fuzz_decode_in_place(const struct fuzz_decode *whole, const uint8_t *data, size_t size)
{
	char *block = malloc(size > 0 ? size : 1);
	struct zgi_http_chunked chunked;
	struct zgi_http_chunked_step step = {block, size, 0, block, size, 0};

	zg_assert(block != NULL);
	if (size > 0)
		memcpy(block, data, size);
	zgi_http_chunked_init(&chunked);
	zg_assert(zgi_http_chunked_decode(&chunked, &step) == whole->progress);
	zg_assert(step.output_used == whole->used && step.input_used == whole->input_used);
	zg_assert(memcmp(block, whole->buffer, whole->used) == 0);
	free(block);
}

static void fuzz_body(const uint8_t *data, size_t size, uint8_t choice)
{
	size_t output_size = (choice & 1) != 0 ? size : size / 4;
	size_t piece_size = choice % 32 + 1;
	struct fuzz_decode whole;
	struct fuzz_decode split;

	fuzz_decode_init(&whole, output_size);
	fuzz_decode_init(&split, output_size);
	fuzz_decode_feed(&whole, data, size, output_size);
	while (split.progress == ZGI_HTTP_MORE && split.input_used < size) {
		size_t left = size - split.input_used;

		fuzz_decode_feed(&split, data, piece_size < left ? piece_size : left, output_size);
	}
	zg_assert(whole.progress == split.progress);
	zg_assert(whole.chunked.fault == split.chunked.fault);
	zg_assert(whole.input_used == split.input_used);
	zg_assert(whole.used == split.used);
	zg_assert(memcmp(whole.buffer, split.buffer, whole.used) == 0);
	if (output_size == size)
		fuzz_decode_in_place(&whole, data, size);
	free(whole.buffer);
	free(split.buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t choice;

	zgi_http_scan_init();
	if (size == 0)
		return 0;
	choice = data[0];
	/* Either kind of input can turn up by itself: no part of the choice is spent on it. */
	fuzz_head(data + 1, size - 1, choice);
	fuzz_body(data + 1, size - 1, choice);
	return 0;
}
