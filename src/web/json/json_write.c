/*
 * The writer: one value after another into a buffer, commas and escapes its own care.
 */
#include "web/json/json_put.h"

#include <errno.h>

#include "web/json/json_scan.h"

#define WRITE_ESCAPE_SIZE_MAX 6 /* bytes: \u001f */
#define WRITE_CAPACITY_MIN 512 /* bytes of the first place in an arena */

void zg_json_writer_init(struct zg_json_writer *writer, char *buffer, size_t capacity,
			 struct zg_arena *arena)
{
	zg_assert(buffer != NULL || capacity == 0);
	*writer = (struct zg_json_writer){.data = buffer, .capacity = capacity, .arena = arena};
}

/* No byte is put any more. */
static bool write_fail(struct zg_json_writer *writer, int result)
{
	if (writer->result == 0)
		writer->result = result;
	writer->capacity = writer->size;
	return false;
}

/* Into the arena, or to a larger place there. */
static int write_move(struct zg_json_writer *writer, size_t capacity)
{
	bool is_first = writer->span.memory == NULL;
	int result = zg_arena_resize(writer->arena, &writer->span, capacity);

	if (result < 0)
		return result;
	if (is_first && writer->size > 0)
		memcpy(writer->span.memory, writer->data, writer->size);
	writer->data = writer->span.memory;
	writer->capacity = capacity;
	return 0;
}

bool zgi_json_grow(struct zg_json_writer *writer, size_t size)
{
	size_t wanted;
	size_t capacity = writer->capacity * 2;
	int result;

	if (writer->result < 0)
		return false;
	if (writer->arena == NULL)
		return write_fail(writer, -ENOSPC);
	if (__builtin_add_overflow(writer->size, size, &wanted))
		return write_fail(writer, -EMSGSIZE);
	if (capacity < WRITE_CAPACITY_MIN)
		capacity = WRITE_CAPACITY_MIN;
	if (capacity < wanted)
		capacity = wanted;
	result = write_move(writer, capacity);
	/* Twice as much may be more than a chunk can hold, where just enough is not. */
	if (result == -EMSGSIZE && wanted < capacity)
		result = write_move(writer, wanted);
	return result < 0 ? write_fail(writer, result) : true;
}

int zg_json_writer_finish(struct zg_json_writer *writer, struct zg_slice *ret_json)
{
	zg_assert(writer->depth == 0);
	zg_assert(writer->is_done);
	if (writer->result < 0)
		return writer->result;
	*ret_json = (struct zg_slice){writer->data, writer->size};
	return 0;
}

static void write_open(struct zg_json_writer *writer, char byte, bool is_object)
{
	uint64_t bit;

	if (zgi_json_value_begin(writer, 1))
		zgi_json_put_byte(writer, byte);
	zg_assert(writer->depth < ZG_JSON_DEPTH_MAX);
	bit = UINT64_C(1) << writer->depth;
	writer->objects = is_object ? writer->objects | bit : writer->objects & ~bit;
	writer->depth++;
	writer->is_done = false;
	writer->needs_comma = false;
}

static void write_close(struct zg_json_writer *writer, char byte, bool is_object)
{
	zg_assert(writer->depth > 0);
	zg_assert(zgi_json_is_in_object(writer) == is_object);
	zg_assert(!writer->has_key);
	if (zgi_json_reserve(writer, 1))
		zgi_json_put_byte(writer, byte);
	writer->depth--;
	writer->is_done = writer->depth == 0;
	writer->needs_comma = true;
}

void zg_json_object_begin(struct zg_json_writer *writer)
{
	write_open(writer, '{', true);
}

void zg_json_object_end(struct zg_json_writer *writer)
{
	write_close(writer, '}', true);
}

void zg_json_array_begin(struct zg_json_writer *writer)
{
	write_open(writer, '[', false);
}

void zg_json_array_end(struct zg_json_writer *writer)
{
	write_close(writer, ']', false);
}

/* Reserved: a byte that may not stand in a string as it is (RFC 8259, section 7). */
static void write_escape(struct zg_json_writer *writer, char byte)
{
	static const char digits[] = "0123456789abcdef";
	static const char letters[] = "btn\0fr"; /* for 0x08 to 0x0D */
	unsigned char value = (unsigned char)byte;
	char letter = value >= 0x08 && value <= 0x0D ? letters[value - 0x08] : '\0';

	zgi_json_put_byte(writer, '\\');
	if (byte == '"' || byte == '\\') {
		zgi_json_put_byte(writer, byte);
	} else if (letter != '\0') {
		zgi_json_put_byte(writer, letter);
	} else {
		zgi_json_put(writer, "u00", 3);
		zgi_json_put_byte(writer, digits[value >> 4]);
		zgi_json_put_byte(writer, digits[value & 0xF]);
	}
}

/* Reserved: the next character that is not plain. Return: its bytes. */
static size_t write_special(struct zg_json_writer *writer, const char *data, size_t size)
{
	int character;

	if ((unsigned char)*data < 0x80) {
		write_escape(writer, *data);
		return 1;
	}
	character = zgi_json_utf8_size(data, size);
	if (character < 0) {
		zgi_json_put(writer, "\xEF\xBF\xBD", 3); /* U+FFFD */
		return (size_t)-character;
	}
	zgi_json_put(writer, data, (size_t)character);
	return (size_t)character;
}

void zgi_json_put_string(struct zg_json_writer *writer, struct zg_slice bytes)
{
	const char *at = bytes.data;
	size_t left = bytes.size;

	zg_assert(at != NULL || left == 0);
	/* Enough for a string without escapes, and for one of them; each one more is reserved. */
	if (!zgi_json_reserve(writer, left + WRITE_ESCAPE_SIZE_MAX + 2))
		return;
	zgi_json_put_byte(writer, '"');
	while (left > 0) {
		size_t size = zgi_json_plain_size(at, left);

		zgi_json_put(writer, at, size);
		at += size;
		left -= size;
		if (left == 0)
			break;
		size = write_special(writer, at, left);
		at += size;
		left -= size;
		if (!zgi_json_reserve(writer, left + WRITE_ESCAPE_SIZE_MAX + 2))
			return;
	}
	zgi_json_put_byte(writer, '"');
}

void zg_json_key(struct zg_json_writer *writer, struct zg_slice name)
{
	if (!zgi_json_key_begin(writer, 0))
		return;
	zgi_json_put_string(writer, name);
	if (zgi_json_reserve(writer, 1))
		zgi_json_put_byte(writer, ':');
}

void zg_json_string(struct zg_json_writer *writer, struct zg_slice bytes)
{
	if (zgi_json_value_begin(writer, 0))
		zgi_json_put_string(writer, bytes);
}

void zg_json_text(struct zg_json_writer *writer, const char *text)
{
	zg_assert(text != NULL);
	zg_json_string(writer, (struct zg_slice){text, strlen(text)});
}

/* Two digits at a time, from the last on. */
static void write_integer(struct zg_json_writer *writer, uint64_t magnitude, bool is_negative)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	char digits[ZGI_JSON_INTEGER_SIZE_MAX];
	size_t index = sizeof(digits);

	while (magnitude >= 100) {
		index -= 2;
		memcpy(digits + index, pairs + magnitude % 100 * 2, 2);
		magnitude /= 100;
	}
	if (magnitude >= 10) {
		index -= 2;
		memcpy(digits + index, pairs + magnitude * 2, 2);
	} else {
		digits[--index] = (char)('0' + magnitude);
	}
	if (is_negative)
		digits[--index] = '-';
	zgi_json_put(writer, digits + index, sizeof(digits) - index);
}

void zg_json_u64(struct zg_json_writer *writer, uint64_t number)
{
	if (zgi_json_value_begin(writer, ZGI_JSON_INTEGER_SIZE_MAX))
		write_integer(writer, number, false);
}

void zg_json_i64(struct zg_json_writer *writer, int64_t number)
{
	uint64_t magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

	if (zgi_json_value_begin(writer, ZGI_JSON_INTEGER_SIZE_MAX))
		write_integer(writer, magnitude, number < 0);
}

void zg_json_bool(struct zg_json_writer *writer, bool value)
{
	zg_json_raw(writer, value ? ZG_SLICE("true") : ZG_SLICE("false"));
}

void zg_json_null(struct zg_json_writer *writer)
{
	zg_json_raw(writer, ZG_SLICE("null"));
}

void zg_json_raw(struct zg_json_writer *writer, struct zg_slice json)
{
	if (json.size == 0)
		json = ZG_SLICE("null");
	if (zgi_json_value_begin(writer, json.size))
		zgi_json_put(writer, json.data, json.size);
}
