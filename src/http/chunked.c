/*
 * The decoder is a state machine over bytes, so that it can stop anywhere; only the
 * data inside a chunk, which is most of a body, is moved in one piece.
 *
 * Extensions and trailers carry nothing that we use. Their bytes are checked all the
 * same, because a line end that one reader sees and another does not is how requests
 * are smuggled, and they are bounded, because they cost time and yield no body.
 */
#include "http/chunked.h"

#include <string.h>

#include "base/assert.h"
#include "http/bytes.h"

#define CHUNKED_DIGITS_MAX 16 /* 64 bits */

enum chunked_state {
	CHUNKED_SIZE,
	CHUNKED_EXTENSION_BEFORE, /* white space after the size: a ";" must follow */
	CHUNKED_EXTENSION,
	CHUNKED_QUOTED,
	CHUNKED_QUOTED_PAIR,
	CHUNKED_SIZE_LF,
	CHUNKED_DATA,
	CHUNKED_DATA_CR,
	CHUNKED_DATA_LF,
	CHUNKED_TRAILER_START,
	CHUNKED_TRAILER_NAME,
	CHUNKED_TRAILER_VALUE,
	CHUNKED_TRAILER_LF,
	CHUNKED_END_LF,
	CHUNKED_DONE,
	CHUNKED_FAULT,
};

void zgi_http_chunked_init(struct zgi_http_chunked *chunked)
{
	*chunked = (struct zgi_http_chunked){.state = CHUNKED_SIZE};
}

static uint16_t chunked_fail(struct zgi_http_chunked *chunked, enum zgi_http_fault fault)
{
	chunked->fault = fault;
	return CHUNKED_FAULT;
}

static uint64_t chunked_digit(char byte)
{
	if (zgi_http_byte_is_digit(byte))
		return (uint64_t)(byte - '0');
	/* 'A' to 'F' become 'a' to 'f'. */
	return (uint64_t)((uint8_t)byte | 0x20U) - 'a' + 10;
}

static uint16_t chunked_on_size(struct zgi_http_chunked *chunked, char byte)
{
	if (zgi_http_byte_is(byte, ZGI_HTTP_BYTE_HEX)) {
		if (chunked->digit_count == CHUNKED_DIGITS_MAX)
			return chunked_fail(chunked, ZGI_HTTP_FAULT_BAD_CHUNK);
		chunked->digit_count++;
		chunked->chunk_left = chunked->chunk_left << 4 | chunked_digit(byte);
		return CHUNKED_SIZE;
	}
	if (chunked->digit_count == 0)
		return chunked_fail(chunked, ZGI_HTTP_FAULT_BAD_CHUNK);
	if (byte == '\r')
		return CHUNKED_SIZE_LF;
	if (byte == ';')
		return CHUNKED_EXTENSION;
	if (zgi_http_byte_is_space(byte))
		return CHUNKED_EXTENSION_BEFORE;
	return chunked_fail(chunked, ZGI_HTTP_FAULT_BAD_CHUNK);
}

static uint16_t chunked_on_extension(struct zgi_http_chunked *chunked, char byte)
{
	if (chunked->state == CHUNKED_EXTENSION_BEFORE) {
		if (byte == ';')
			return CHUNKED_EXTENSION;
		if (zgi_http_byte_is_space(byte))
			return CHUNKED_EXTENSION_BEFORE;
		return chunked_fail(chunked, ZGI_HTTP_FAULT_BAD_CHUNK);
	}
	if (byte == '\r')
		return CHUNKED_SIZE_LF;
	if (byte == '"')
		return CHUNKED_QUOTED;
	if (zgi_http_byte_is_space(byte) || zgi_http_byte_is(byte, ZGI_HTTP_BYTE_TARGET))
		return CHUNKED_EXTENSION;
	return chunked_fail(chunked, ZGI_HTTP_FAULT_BAD_CHUNK);
}

/* quoted-string (RFC 9110, section 5.6.4): no line ends in it, not even escaped ones. */
static uint16_t chunked_on_quoted(struct zgi_http_chunked *chunked, char byte)
{
	if (!zgi_http_byte_is(byte, ZGI_HTTP_BYTE_VALUE))
		return chunked_fail(chunked, ZGI_HTTP_FAULT_BAD_CHUNK);
	if (chunked->state == CHUNKED_QUOTED_PAIR)
		return CHUNKED_QUOTED;
	if (byte == '"')
		return CHUNKED_EXTENSION;
	return byte == '\\' ? CHUNKED_QUOTED_PAIR : CHUNKED_QUOTED;
}

static uint16_t chunked_on_trailer(struct zgi_http_chunked *chunked, char byte)
{
	switch (chunked->state) {
	case CHUNKED_TRAILER_START:
		if (byte == '\r')
			return CHUNKED_END_LF;
		if (zgi_http_byte_is(byte, ZGI_HTTP_BYTE_TOKEN))
			return CHUNKED_TRAILER_NAME;
		break;
	case CHUNKED_TRAILER_NAME:
		if (byte == ':')
			return CHUNKED_TRAILER_VALUE;
		if (zgi_http_byte_is(byte, ZGI_HTTP_BYTE_TOKEN))
			return CHUNKED_TRAILER_NAME;
		break;
	default:
		zg_assert(chunked->state == CHUNKED_TRAILER_VALUE);
		if (byte == '\r')
			return CHUNKED_TRAILER_LF;
		if (zgi_http_byte_is(byte, ZGI_HTTP_BYTE_VALUE))
			return CHUNKED_TRAILER_VALUE;
		break;
	}
	return chunked_fail(chunked, ZGI_HTTP_FAULT_BAD_CHUNK);
}

/* What must be one byte and no other: the halves of line ends. */
static uint16_t chunked_on_line_end(struct zgi_http_chunked *chunked, char byte)
{
	bool is_cr_due = chunked->state == CHUNKED_DATA_CR;

	if (byte != (is_cr_due ? '\r' : '\n'))
		return chunked_fail(chunked, ZGI_HTTP_FAULT_BAD_CHUNK);
	switch (chunked->state) {
	case CHUNKED_SIZE_LF:
		return chunked->chunk_left == 0 ? CHUNKED_TRAILER_START : CHUNKED_DATA;
	case CHUNKED_DATA_CR:
		return CHUNKED_DATA_LF;
	case CHUNKED_DATA_LF:
		chunked->digit_count = 0;
		return CHUNKED_SIZE;
	case CHUNKED_TRAILER_LF:
		return CHUNKED_TRAILER_START;
	default:
		zg_assert(chunked->state == CHUNKED_END_LF);
		return CHUNKED_DONE;
	}
}

static bool chunked_is_overhead(uint16_t state)
{
	return (state >= CHUNKED_EXTENSION_BEFORE && state <= CHUNKED_QUOTED_PAIR) ||
	       (state >= CHUNKED_TRAILER_START && state <= CHUNKED_TRAILER_LF);
}

static uint16_t chunked_on_byte(struct zgi_http_chunked *chunked, char byte)
{
	if (chunked_is_overhead(chunked->state) &&
	    ++chunked->overhead_size > ZGI_HTTP_CHUNK_OVERHEAD_MAX)
		return chunked_fail(chunked, ZGI_HTTP_FAULT_BAD_CHUNK);
	switch (chunked->state) {
	case CHUNKED_SIZE:
		return chunked_on_size(chunked, byte);
	case CHUNKED_EXTENSION_BEFORE:
	case CHUNKED_EXTENSION:
		return chunked_on_extension(chunked, byte);
	case CHUNKED_QUOTED:
	case CHUNKED_QUOTED_PAIR:
		return chunked_on_quoted(chunked, byte);
	case CHUNKED_TRAILER_START:
	case CHUNKED_TRAILER_NAME:
	case CHUNKED_TRAILER_VALUE:
		return chunked_on_trailer(chunked, byte);
	default:
		return chunked_on_line_end(chunked, byte);
	}
}

static uint16_t chunked_on_data(struct zgi_http_chunked *chunked,
				struct zgi_http_chunked_step *step)
{
	size_t size = step->input_size - step->input_used;
	bool is_too_large;

	if (size > chunked->chunk_left)
		size = (size_t)chunked->chunk_left;
	is_too_large = size > step->output_size - step->output_used;
	if (is_too_large)
		size = step->output_size - step->output_used;
	/* In place, the output is never ahead of the input, but may overlap it. */
	if (size > 0)
		memmove(step->output + step->output_used, step->input + step->input_used, size);
	step->input_used += size;
	step->output_used += size;
	chunked->chunk_left -= size;
	if (is_too_large)
		return chunked_fail(chunked, ZGI_HTTP_FAULT_BODY_TOO_LARGE);
	return chunked->chunk_left == 0 ? CHUNKED_DATA_CR : CHUNKED_DATA;
}

enum zgi_http_progress zgi_http_chunked_decode(struct zgi_http_chunked *chunked,
					       struct zgi_http_chunked_step *step)
{
	zg_assert(step->input != NULL || step->input_size == 0);
	zg_assert(step->output != NULL || step->output_size == 0);
	step->input_used = 0;
	step->output_used = 0;
	while (chunked->state != CHUNKED_DONE && chunked->state != CHUNKED_FAULT) {
		if (step->input_used == step->input_size)
			return ZGI_HTTP_MORE;
		if (chunked->state == CHUNKED_DATA) {
			chunked->state = chunked_on_data(chunked, step);
			continue;
		}
		chunked->state = chunked_on_byte(chunked, step->input[step->input_used]);
		step->input_used++;
	}
	return chunked->state == CHUNKED_DONE ? ZGI_HTTP_DONE : ZGI_HTTP_FAULT;
}
