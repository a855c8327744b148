/*
 * Any value at all, checked and passed over: what a table skips, or keeps as it is
 * written. It does not recurse; what is open is a bit a level.
 */
#include "web/json/json_read.h"

#include "base/assert.h"

/* The objects and arrays of the value that are open: bit n is set when that at level n is an
 * object. */
struct skip_levels {
	uint64_t objects;
	uint32_t base; /* levels that were open before the value */
};

static bool skip_is_in_object(const struct zgi_json_reader *reader,
			      const struct skip_levels *levels)
{
	return reader->depth > levels->base && (levels->objects >> (reader->depth - 1) & 1) != 0;
}

/* A key and its colon, up to its value. */
static int skip_key(struct zgi_json_reader *reader)
{
	struct zgi_json_string key;
	int result;

	if (zgi_json_peek(reader) != '"')
		return zgi_json_unexpected(reader, "a key in quotes");
	result = zgi_json_read_string(reader, &key);
	if (result < 0)
		return result;
	zgi_json_space(reader);
	if (zgi_json_peek(reader) != ':')
		return zgi_json_unexpected(reader, "a colon");
	reader->at++;
	zgi_json_space(reader);
	return 0;
}

/* The opening byte of an object or array. Return: 1 when it is not empty: a value follows. */
static int skip_open(struct zgi_json_reader *reader, struct skip_levels *levels)
{
	bool is_object = *reader->at == '{';
	int result = zgi_json_deeper(reader);
	uint64_t bit;

	if (result < 0)
		return result;
	bit = UINT64_C(1) << (reader->depth - 1);
	levels->objects = is_object ? levels->objects | bit : levels->objects & ~bit;
	reader->at++;
	zgi_json_space(reader);
	if (zgi_json_peek(reader) == (is_object ? '}' : ']')) {
		reader->at++;
		reader->depth--;
		return 0;
	}
	if (is_object) {
		result = skip_key(reader);
		if (result < 0)
			return result;
	}
	return 1;
}

/* What follows a value: closing bytes, and then a comma. Return: 1 when another value follows; 0
 * when the outermost is closed. */
static int skip_behind(struct zgi_json_reader *reader, const struct skip_levels *levels)
{
	while (reader->depth > levels->base) {
		bool is_object = skip_is_in_object(reader, levels);
		int byte;

		zgi_json_space(reader);
		byte = zgi_json_peek(reader);
		if (byte == ',') {
			int result = 0;

			reader->at++;
			zgi_json_space(reader);
			if (is_object)
				result = skip_key(reader);
			return result < 0 ? result : 1;
		}
		if (byte != (is_object ? '}' : ']'))
			return zgi_json_unexpected(reader,
						   is_object ? "a comma or }" : "a comma or ]");
		reader->at++;
		reader->depth--;
	}
	return 0;
}

/* A value that has no others in it. */
static int skip_plain(struct zgi_json_reader *reader)
{
	struct zgi_json_string string;
	struct zgi_json_number number;

	int byte = zgi_json_peek(reader);

	switch (byte) {
	case '"':
		return zgi_json_read_string(reader, &string);
	case 't':
		return zgi_json_read_literal(reader, ZG_SLICE("true"));
	case 'f':
		return zgi_json_read_literal(reader, ZG_SLICE("false"));
	case 'n':
		return zgi_json_read_literal(reader, ZG_SLICE("null"));
	default:
		if (byte == '-' || (byte >= '0' && byte <= '9'))
			return zgi_json_read_number(reader, &number);
		return zgi_json_unexpected(reader, "a value");
	}
}

int zgi_json_skip(struct zgi_json_reader *reader)
{
	struct skip_levels levels = {.base = reader->depth};
	int result;

	do {
		int byte = zgi_json_peek(reader);

		if (byte == '{' || byte == '[') {
			result = skip_open(reader, &levels);
			if (result != 0)
				continue;
		} else {
			result = skip_plain(reader);
			if (result < 0)
				break;
		}
		result = skip_behind(reader, &levels);
	} while (result > 0);
	zg_assert(result < 0 || reader->depth == levels.base);
	return result;
}

int zg_json_check(struct zg_slice json, struct zg_json_error *ret_error)
{
	struct zgi_json_reader reader;
	int result;

	zgi_json_reader_init(&reader, json, ret_error);
	result = zgi_json_begin(&reader);
	if (result == 0)
		result = zgi_json_skip(&reader);
	if (result == 0)
		result = zgi_json_finish(&reader);
	return result;
}
