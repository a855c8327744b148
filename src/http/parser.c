/*
 * The parser goes line by line, and each line is read in one pass: the scans find
 * the end of a name and of a value, and what they stopped at must be right.
 *
 * A line that cannot be read is either wrong or not all there yet. Both end in the
 * same place, and only there the line's LF is looked for: without it, nothing has
 * been decided. So a head means the same in whatever pieces it arrives, and a
 * sender of single bytes has each byte searched for an LF once.
 */
#include "http/parser.h"

#include <string.h>

#include "base/assert.h"
#include "http/bytes.h"
#include "http/field.h"
#include "http/request_line.h"
#include "http/scan.h"

/* Empty lines that are tolerated before a request line (RFC 9112, section 2.2). */
#define PARSER_EMPTY_LINES_MAX 2

enum parser_state {
	PARSER_START,
	PARSER_FIELDS,
	PARSER_DONE,
	PARSER_FAULT,
};

void zgi_http_parser_init(struct zgi_http_parser *parser, struct zgi_http_request *request,
			  const struct zgi_http_limits *limits, struct zg_arena *arena)
{
	zg_assert(limits->head_size_max >= 1);
	zg_assert(limits->head_size_max <= ZGI_HTTP_BUFFER_SIZE_MAX);
	zg_assert(limits->fields_max <= UINT16_MAX);
	*parser = (struct zgi_http_parser){
		.request = request,
		.limits = limits,
		.arena = arena,
		.state = PARSER_START,
		.fields_capacity = ZGI_HTTP_FIELDS_INLINE,
	};
	/* The fields are written before they are counted: no need to clear them. */
	memset(request, 0, offsetof(struct zgi_http_request, fields));
}

/* Room for one field more; the fields past the inline ones live in the arena, doubling. */
static enum zgi_http_fault parser_grow(struct zgi_http_parser *parser)
{
	struct zgi_http_request *request = parser->request;
	uint32_t count = request->field_count;
	uint32_t capacity = parser->fields_capacity * 2;
	void *memory;

	zg_assert(count == parser->fields_capacity);
	zg_assert(count < parser->limits->fields_max);
	if (capacity > parser->limits->fields_max)
		capacity = parser->limits->fields_max;
	if (parser->arena == NULL ||
	    zg_arena_alloc(parser->arena,
			   (capacity - ZGI_HTTP_FIELDS_INLINE) * sizeof(struct zgi_http_field),
			   &memory) < 0)
		return ZGI_HTTP_FAULT_NO_MEMORY;
	if (count > ZGI_HTTP_FIELDS_INLINE)
		memcpy(memory, request->fields_more,
		       (count - ZGI_HTTP_FIELDS_INLINE) * sizeof(struct zgi_http_field));
	request->fields_more = memory;
	parser->fields_capacity = capacity;
	return ZGI_HTTP_FAULT_NONE;
}

static enum zgi_http_fault parser_add(struct zgi_http_parser *parser,
				      const struct zgi_http_field *field)
{
	struct zgi_http_request *request = parser->request;
	uint32_t index = request->field_count;

	if (index >= parser->limits->fields_max)
		return ZGI_HTTP_FAULT_FIELDS_TOO_LARGE;
	if (ZG_UNLIKELY(index == parser->fields_capacity)) {
		enum zgi_http_fault fault = parser_grow(parser);

		if (fault != ZGI_HTTP_FAULT_NONE)
			return fault;
	}
	if (index < ZGI_HTTP_FIELDS_INLINE)
		request->fields[index] = *field;
	else
		request->fields_more[index - ZGI_HTTP_FIELDS_INLINE] = *field;
	request->field_count++;
	return ZGI_HTTP_FAULT_NONE;
}

/* What is wrong with a line in which byte `offset` may not stand. */
static enum zgi_http_fault parser_stop_fault(const char *data, uint32_t size, uint32_t offset)
{
	if (zgi_http_is_half_line_end(data, size, offset))
		return ZGI_HTTP_FAULT_BAD_LINE_END;
	return ZGI_HTTP_FAULT_BAD_FIELD;
}

static bool parser_is_line_end(const char *data, uint32_t size, uint32_t offset)
{
	return size - offset >= 2 && data[offset] == '\r' && data[offset + 1] == '\n';
}

/* field-line = field-name ":" OWS field-value OWS, and the CRLF. */
static enum zgi_http_fault parser_field_line(struct zgi_http_parser *parser, const char *data,
					     uint32_t size)
{
	struct zgi_http_field field;
	uint32_t start = parser->line_offset;
	uint32_t name_end = start + (uint32_t)zgi_http_scan.token_end(data + start, size - start);
	uint32_t value;
	uint32_t value_end;
	uint32_t line_end;
	enum zgi_http_fault fault;

	if (ZG_UNLIKELY(name_end == start && zgi_http_byte_is_space(data[start])))
		return parser->request->field_count > 0 ? ZGI_HTTP_FAULT_OBSOLETE_FOLD
							: ZGI_HTTP_FAULT_BAD_FIELD;
	if (ZG_UNLIKELY(name_end == start || name_end == size || data[name_end] != ':'))
		return parser_stop_fault(data, size, name_end);
	value = name_end + 1;
	while (value < size && zgi_http_byte_is_space(data[value]))
		value++;
	line_end = value + (uint32_t)zgi_http_scan.value_end(data + value, size - value);
	if (ZG_UNLIKELY(!parser_is_line_end(data, size, line_end)))
		return parser_stop_fault(data, size, line_end);
	value_end = line_end;
	while (value_end > value && zgi_http_byte_is_space(data[value_end - 1]))
		value_end--;
	field = (struct zgi_http_field){
		.name_offset = (uint16_t)start,
		.name_size = (uint16_t)(name_end - start),
		.value_offset = (uint16_t)value,
		.value_size = (uint16_t)(value_end - value),
	};
	fault = parser_add(parser, &field);
	if (fault == ZGI_HTTP_FAULT_NONE)
		fault = zgi_http_field_read(parser,
					    (struct zg_slice){data + start, field.name_size},
					    (struct zg_slice){data + value, field.value_size});
	if (fault == ZGI_HTTP_FAULT_NONE)
		parser->line_offset = line_end + 2;
	return fault;
}

/* A request line, or an empty line before it. */
static enum zgi_http_fault parser_start_line(struct zgi_http_parser *parser, const char *data,
					     uint32_t size)
{
	enum zgi_http_fault fault;

	if (ZG_UNLIKELY(parser_is_line_end(data, size, parser->line_offset))) {
		if (parser->line_offset >= 2 * PARSER_EMPTY_LINES_MAX)
			return ZGI_HTTP_FAULT_BAD_REQUEST_LINE;
		parser->line_offset += 2;
		return ZGI_HTTP_FAULT_NONE;
	}
	fault = zgi_http_request_line_parse(parser->request, data, size, &parser->line_offset);
	if (fault == ZGI_HTTP_FAULT_NONE)
		parser->state = PARSER_FIELDS;
	return fault;
}

/* A field, or the empty line that ends the head. */
static enum zgi_http_fault parser_head_line(struct zgi_http_parser *parser, const char *data,
					    uint32_t size)
{
	enum zgi_http_fault fault;

	if (!parser_is_line_end(data, size, parser->line_offset))
		return parser_field_line(parser, data, size);
	fault = zgi_http_fields_finish(parser);
	if (fault == ZGI_HTTP_FAULT_NONE) {
		parser->line_offset += 2;
		parser->request->head_size = (uint16_t)parser->line_offset;
		parser->state = PARSER_DONE;
	}
	return fault;
}

static enum zgi_http_progress parser_fail(struct zgi_http_parser *parser, enum zgi_http_fault fault)
{
	zg_assert(fault != ZGI_HTTP_FAULT_NONE);
	parser->fault = fault;
	parser->state = PARSER_FAULT;
	return ZGI_HTTP_FAULT;
}

/* The line is not whole: wait for the rest of it, unless there is no room for any. */
static enum zgi_http_progress parser_wait(struct zgi_http_parser *parser, uint32_t size)
{
	parser->scan_offset = size;
	if (size < parser->limits->head_size_max)
		return ZGI_HTTP_MORE;
	return parser_fail(parser, parser->state == PARSER_START ? ZGI_HTTP_FAULT_TARGET_TOO_LONG
								 : ZGI_HTTP_FAULT_FIELDS_TOO_LARGE);
}

enum zgi_http_progress zgi_http_parse(struct zgi_http_parser *parser, const char *data,
				      size_t size_all)
{
	/* What lies past the limit is not looked at, so it cannot change the answer. */
	uint32_t size = size_all < parser->limits->head_size_max ? (uint32_t)size_all
								 : parser->limits->head_size_max;

	if (parser->state == PARSER_DONE)
		return ZGI_HTTP_DONE;
	if (parser->state == PARSER_FAULT)
		return ZGI_HTTP_FAULT;
	zg_assert(size >= parser->scan_offset);
	zg_assert(parser->line_offset <= size);
	if (parser->scan_offset > parser->line_offset &&
	    memchr(data + parser->scan_offset, '\n', size - parser->scan_offset) == NULL)
		return parser_wait(parser, size);
	while (parser->line_offset < size) {
		enum zgi_http_fault fault = parser->state == PARSER_START
						    ? parser_start_line(parser, data, size)
						    : parser_head_line(parser, data, size);

		if (fault != ZGI_HTTP_FAULT_NONE) {
			uint32_t left = size - parser->line_offset;

			if (memchr(data + parser->line_offset, '\n', left) == NULL)
				return parser_wait(parser, size);
			return parser_fail(parser, fault);
		}
		if (parser->state == PARSER_DONE)
			return ZGI_HTTP_DONE;
	}
	return parser_wait(parser, size);
}
