/*
 * JSON writer, the inside: what the public functions and the table-driven writer put
 * into a document.
 *
 * Room is made before bytes are put, one comparison a value. Once there is none, the
 * document's end and its capacity are one, so that no later value fits by chance, and
 * a document with its middle missing is never taken for whole.
 */
#ifndef ZEROG_WEB_JSON_PUT_H
#define ZEROG_WEB_JSON_PUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <zerog/json.h>

#include "base/assert.h"

#define ZGI_JSON_INTEGER_SIZE_MAX 20 /* bytes: -9223372036854775808, 18446744073709551615 */

/* Make room, or say that there is none. Out of line: it happens a few times a document. */
bool zgi_json_grow(struct zg_json_writer *writer, size_t size);

/* Room for so many bytes more. */
static inline bool zgi_json_reserve(struct zg_json_writer *writer, size_t size)
{
	return ZG_LIKELY(writer->capacity - writer->size >= size) || zgi_json_grow(writer, size);
}

/* Reserved: bytes as they are. */
static inline void zgi_json_put(struct zg_json_writer *writer, const char *bytes, size_t size)
{
	memcpy(writer->data + writer->size, bytes, size);
	writer->size += size;
}

static inline void zgi_json_put_byte(struct zg_json_writer *writer, char byte)
{
	writer->data[writer->size++] = byte;
}

static inline bool zgi_json_is_in_object(const struct zg_json_writer *writer)
{
	return writer->depth > 0 && (writer->objects >> (writer->depth - 1) & 1) != 0;
}

/* A value may stand here; its comma, if it needs one. `size`: bytes of the value that are sure.
 * Return: whether there is room for them. */
static inline bool zgi_json_value_begin(struct zg_json_writer *writer, size_t size)
{
	bool needs_comma = writer->needs_comma && !writer->has_key;

	zg_assert(!writer->is_done);
	zg_assert(writer->has_key == zgi_json_is_in_object(writer));
	writer->has_key = false;
	writer->needs_comma = true;
	writer->is_done = writer->depth == 0;
	if (!zgi_json_reserve(writer, size + 1))
		return false;
	if (needs_comma)
		zgi_json_put_byte(writer, ',');
	return true;
}

/* A key may stand here; its comma, if it needs one. */
static inline bool zgi_json_key_begin(struct zg_json_writer *writer, size_t size)
{
	bool needs_comma = writer->needs_comma;

	zg_assert(zgi_json_is_in_object(writer));
	zg_assert(!writer->has_key);
	writer->has_key = true;
	if (!zgi_json_reserve(writer, size + 1))
		return false;
	if (needs_comma)
		zgi_json_put_byte(writer, ',');
	return true;
}

/* A quoted string, escaped where it must be. */
void zgi_json_put_string(struct zg_json_writer *writer, struct zg_slice bytes);

#endif
