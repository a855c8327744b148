/*
 * The grammar of RFC 8259, and nothing beside it.
 *
 * Nothing is read past the document's last byte, since the next request may follow it
 * in the same buffer; so there is no sentinel, and every step looks whether a byte is left.
 */
#include "web/json/json_read.h"

#include <assert.h>
#include <string.h>

#include "base/assert.h"
#include "web/json/json_scan.h"

#define READ_DIGITS_SURE 19 /* decimal digits that 64 bits hold, whichever they are */

void zgi_json_reader_init(struct zgi_json_reader *reader, struct zg_slice json,
			  struct zg_json_error *error)
{
	static const char nothing[1] = "";

	zg_assert(json.data != NULL || json.size == 0);
	zg_assert(error != NULL);
	*reader = (struct zgi_json_reader){.error = error};
	reader->start = json.size > 0 ? json.data : nothing;
	reader->at = reader->start;
	reader->end = reader->start + json.size;
}

int zgi_json_begin(struct zgi_json_reader *reader)
{
	if ((size_t)(reader->end - reader->start) > ZG_JSON_SIZE_MAX)
		return zgi_json_malformed(reader, ZG_JSON_FAULT_SIZE, reader->start,
					  "the document is too large: send less than 4 GiB");
	zgi_json_space(reader);
	if (reader->at == reader->end)
		return zgi_json_malformed(reader, ZG_JSON_FAULT_EMPTY, reader->at,
					  "the document is empty: send JSON");
	if (reader->end - reader->at >= 3 && memcmp(reader->at, "\xEF\xBB\xBF", 3) == 0)
		return zgi_json_malformed(reader, ZG_JSON_FAULT_SYNTAX, reader->at,
					  "there is a byte order mark: send UTF-8 without it");
	return 0;
}

int zgi_json_finish(struct zgi_json_reader *reader)
{
	zg_assert(reader->depth == 0);
	zgi_json_space(reader);
	if (reader->at < reader->end)
		return zgi_json_malformed(reader, ZG_JSON_FAULT_TRAILING, reader->at,
					  "something follows the document: send one value only");
	return 0;
}

int zgi_json_deeper(struct zgi_json_reader *reader)
{
	if (reader->depth == ZG_JSON_DEPTH_MAX)
		return zgi_json_malformed(reader, ZG_JSON_FAULT_DEPTH, reader->at,
					  "objects and arrays are nested too deeply: send no more "
					  "than 64 levels");
	reader->depth++;
	return 0;
}

static_assert(ZG_JSON_DEPTH_MAX == 64, "a word has a bit for each level, and a message says 64");

static int read_hex(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return -1;
}

/* The code of the \uXXXX at `at`, or -1. */
static int read_unicode(const char *at, const char *end)
{
	int code = 0;

	if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
		return -1;
	for (int index = 2; index < 6; index++) {
		int digit = read_hex(at[index]);

		if (digit < 0)
			return -1;
		code = code * 16 + digit;
	}
	return code;
}

static bool read_is_surrogate_high(int code)
{
	return code >= 0xD800 && code < 0xDC00;
}

static bool read_is_surrogate_low(int code)
{
	return code >= 0xDC00 && code < 0xE000;
}

/* What a \uXXXX, or two that are a surrogate pair, comes to. */
struct read_escape {
	uint32_t code;
	uint32_t size; /* bytes in the document */
	uint32_t plain_size; /* bytes of UTF-8 */
};

/* Return: 0, or the fault. */
static enum zg_json_fault read_unicode_escape(const char *at, const char *end,
					      struct read_escape *ret_escape)
{
	int code = read_unicode(at, end);
	int low;

	if (code < 0)
		return ZG_JSON_FAULT_ESCAPE;
	if (read_is_surrogate_low(code))
		return ZG_JSON_FAULT_SURROGATE;
	if (!read_is_surrogate_high(code)) {
		uint32_t plain_size = code < 0x80 ? 1 : code < 0x800 ? 2 : 3;

		*ret_escape = (struct read_escape){(uint32_t)code, 6, plain_size};
		return ZG_JSON_FAULT_NONE;
	}
	low = read_unicode(at + 6, end);
	if (!read_is_surrogate_low(low))
		return ZG_JSON_FAULT_SURROGATE;
	*ret_escape = (struct read_escape){
		0x10000 + (((uint32_t)code - 0xD800) << 10) + ((uint32_t)low - 0xDC00), 12, 4};
	return ZG_JSON_FAULT_NONE;
}

/* The backslash at `at` and what belongs to it. */
static int read_escape(struct zgi_json_reader *reader, const char *at,
		       struct read_escape *ret_escape)
{
	enum zg_json_fault fault = ZG_JSON_FAULT_ESCAPE;

	if (reader->end - at < 2) {
		reader->at = reader->end;
		return zgi_json_unexpected(reader, "the rest of a string");
	}
	if (at[1] == 'u') {
		fault = read_unicode_escape(at, reader->end, ret_escape);
	} else if (at[1] != '\0' && strchr("\"\\/bfnrt", at[1]) != NULL) {
		*ret_escape = (struct read_escape){.size = 2, .plain_size = 1};
		fault = ZG_JSON_FAULT_NONE;
	}
	if (fault == ZG_JSON_FAULT_SURROGATE)
		return zgi_json_malformed(reader, fault, at,
					  "half of a surrogate pair stands alone: send both halves "
					  "or neither");
	if (fault != ZG_JSON_FAULT_NONE)
		return zgi_json_malformed(reader, fault, at,
					  "the backslash begins no escape: send it twice if it is "
					  "meant as itself");
	return 0;
}

/* A byte in a string that is not plain, and neither its end nor an escape: UTF-8, or wrong. */
static int read_special(struct zgi_json_reader *reader, const char **at)
{
	int size;

	if (*at == reader->end) {
		reader->at = *at;
		return zgi_json_unexpected(reader, "the rest of a string");
	}
	if ((unsigned char)**at < 0x20)
		return zgi_json_malformed(reader, ZG_JSON_FAULT_CONTROL, *at,
					  "a control byte stands in a string: escape it");
	size = zgi_json_utf8_size(*at, (size_t)(reader->end - *at));
	if (size < 0)
		return zgi_json_malformed(reader, ZG_JSON_FAULT_UTF8, *at,
					  "the bytes are not UTF-8: encode strings as UTF-8");
	*at += size;
	return 0;
}

int zgi_json_read_string(struct zgi_json_reader *reader, struct zgi_json_string *ret_string)
{
	const char *start = reader->at + 1;
	const char *at = start;
	size_t saved = 0;

	if (zgi_json_peek(reader) != '"')
		return zgi_json_unexpected(reader, "a string");
	for (;;) {
		int result;

		at += zgi_json_plain_size(at, (size_t)(reader->end - at));
		if (at < reader->end && *at == '"')
			break;
		if (at < reader->end && *at == '\\') {
			struct read_escape escape = {0};

			result = read_escape(reader, at, &escape);
			if (result < 0)
				return result;
			at += escape.size;
			saved += escape.size - escape.plain_size;
		} else {
			result = read_special(reader, &at);
			if (result < 0)
				return result;
		}
	}
	ret_string->data = start;
	ret_string->size = (size_t)(at - start);
	ret_string->plain_size = ret_string->size - saved;
	reader->at = at + 1;
	return 0;
}

static char *unescape_code(const struct read_escape *escape, char *output)
{
	uint32_t code = escape->code;

	switch (escape->plain_size) {
	case 1:
		*output++ = (char)code;
		break;
	case 2:
		*output++ = (char)(0xC0 | code >> 6);
		*output++ = (char)(0x80 | (code & 0x3F));
		break;
	case 3:
		*output++ = (char)(0xE0 | code >> 12);
		*output++ = (char)(0x80 | (code >> 6 & 0x3F));
		*output++ = (char)(0x80 | (code & 0x3F));
		break;
	default:
		*output++ = (char)(0xF0 | code >> 18);
		*output++ = (char)(0x80 | (code >> 12 & 0x3F));
		*output++ = (char)(0x80 | (code >> 6 & 0x3F));
		*output++ = (char)(0x80 | (code & 0x3F));
		break;
	}
	return output;
}

static char unescape_letter(char letter)
{
	switch (letter) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return letter; /* A quote, a backslash or a slash: itself. */
	}
}

void zgi_json_unescape(const struct zgi_json_string *string, char *output)
{
	const char *at = string->data;
	const char *end = at + string->size;
	const char *start = output;

	while (at < end) {
		const char *backslash = memchr(at, '\\', (size_t)(end - at));
		size_t size = (size_t)((backslash != NULL ? backslash : end) - at);

		/* Never ahead of what is still to be read: an escape is longer than what it says.
		 */
		memmove(output, at, size);
		output += size;
		at += size;
		if (backslash == NULL)
			break;
		if (at[1] == 'u') {
			struct read_escape escape = {0};
			enum zg_json_fault fault = read_unicode_escape(at, end, &escape);

			zg_assert(fault == ZG_JSON_FAULT_NONE);
			output = unescape_code(&escape, output);
			at += escape.size;
		} else {
			*output++ = unescape_letter(at[1]);
			at += 2;
		}
	}
	zg_assert((size_t)(output - start) == string->plain_size);
}

/* Pass over digits, of which there must be one. */
static int read_digits(struct zgi_json_reader *reader, const char *expected)
{
	const char *at = reader->at;

	while (at < reader->end && *at >= '0' && *at <= '9')
		at++;
	if (at == reader->at)
		return at == reader->end ? zgi_json_unexpected(reader, expected)
					 : zgi_json_malformed(reader, ZG_JSON_FAULT_NUMBER, at,
							      "a digit is missing in a number");
	reader->at = at;
	return 0;
}

/* The fraction and the exponent, each if it is there. */
static int read_number_rest(struct zgi_json_reader *reader, struct zgi_json_number *number)
{
	int result = 0;
	int byte = zgi_json_peek(reader);

	number->is_whole = byte != '.' && byte != 'e' && byte != 'E';
	if (byte == '.') {
		reader->at++;
		result = read_digits(reader, "the digits of a fraction");
		byte = zgi_json_peek(reader);
	}
	if (result == 0 && (byte == 'e' || byte == 'E')) {
		reader->at++;
		byte = zgi_json_peek(reader);
		if (byte == '+' || byte == '-')
			reader->at++;
		result = read_digits(reader, "the digits of an exponent");
	}
	return result;
}

/* Whether more digits than any 64-bit number is sure to hold are one all the same. */
static bool read_is_huge(const char *at, const char *end)
{
	uint64_t magnitude = 0;

	for (; at < end; at++) {
		if (__builtin_mul_overflow(magnitude, UINT64_C(10), &magnitude) ||
		    __builtin_add_overflow(magnitude, (uint64_t)(*at - '0'), &magnitude))
			return true;
	}
	return false;
}

/* The digits before the fraction. */
static int read_number_whole(struct zgi_json_reader *reader, struct zgi_json_number *number)
{
	const char *first = reader->at;
	const char *at = first;
	uint64_t magnitude = 0;

	for (; at < reader->end && *at >= '0' && *at <= '9'; at++)
		magnitude = magnitude * 10 + (uint64_t)(*at - '0');
	if (at == first)
		return read_digits(reader, "a digit");
	if (*first == '0' && at - first > 1)
		return zgi_json_malformed(reader, ZG_JSON_FAULT_NUMBER, first,
					  "a number begins with a zero: send it without");
	number->magnitude = magnitude;
	number->is_huge = at - first > READ_DIGITS_SURE && read_is_huge(first, at);
	reader->at = at;
	return 0;
}

int zgi_json_read_number(struct zgi_json_reader *reader, struct zgi_json_number *ret_number)
{
	const char *start = reader->at;
	int result;

	ret_number->is_negative = zgi_json_peek(reader) == '-';
	if (ret_number->is_negative)
		reader->at++;
	result = read_number_whole(reader, ret_number);
	if (result == 0)
		result = read_number_rest(reader, ret_number);
	ret_number->text = (struct zg_slice){start, (size_t)(reader->at - start)};
	return result;
}

int zgi_json_read_literal(struct zgi_json_reader *reader, struct zg_slice literal)
{
	for (size_t index = 0; index < literal.size; index++) {
		if (zgi_json_peek(reader) != (unsigned char)literal.data[index])
			return zgi_json_unexpected(reader, literal.data);
		reader->at++;
	}
	return 0;
}
