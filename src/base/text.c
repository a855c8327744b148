/*
 * Text of a fixed capacity, for pages and tables that are rendered after the
 * seal, when no buffer can grow any more.
 *
 * Once something was cut, nothing more is appended: a page with its middle
 * missing would look whole to a reader who does not check.
 */
#include <zerog/text.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

static void text_check(const struct zg_text *text)
{
	zg_assert(text->data != NULL);
	zg_assert(text->size < text->capacity);
}

void zg_text_init(struct zg_text *text, char *buffer, size_t capacity)
{
	zg_assert(buffer != NULL);
	zg_assert(capacity > 0);

	*text = (struct zg_text){.data = buffer, .capacity = capacity};
	buffer[0] = '\0';
}

void zg_text_print(struct zg_text *text, const char *format, ...)
{
	size_t room = text->capacity - text->size;
	va_list arguments;
	int size;

	text_check(text);
	if (text->is_truncated)
		return;

	va_start(arguments, format);
	size = vsnprintf(text->data + text->size, room, format, arguments);
	va_end(arguments);

	if (size < 0) {
		/* A conversion failed, which leaves the bytes written undefined. */
		text->data[text->size] = '\0';
		text->is_truncated = true;
	} else if ((size_t)size >= room) {
		text->size = text->capacity - 1;
		text->is_truncated = true;
	} else {
		text->size += (size_t)size;
	}
}

void zg_text_append(struct zg_text *text, struct zg_slice bytes)
{
	size_t room = text->capacity - text->size - 1;
	size_t size = bytes.size;

	text_check(text);
	if (text->is_truncated || size == 0)
		return;
	if (size > room) {
		size = room;
		text->is_truncated = true;
	}
	memcpy(text->data + text->size, bytes.data, size);
	text->size += size;
	text->data[text->size] = '\0';
}

static void text_append_escaped(struct zg_text *text, unsigned char byte)
{
	switch (byte) {
	case '"':
		zg_text_append(text, ZG_SLICE("\\\""));
		return;
	case '\\':
		zg_text_append(text, ZG_SLICE("\\\\"));
		return;
	case '\n':
		zg_text_append(text, ZG_SLICE("\\n"));
		return;
	case '\r':
		zg_text_append(text, ZG_SLICE("\\r"));
		return;
	case '\t':
		zg_text_append(text, ZG_SLICE("\\t"));
		return;
	default:
		zg_text_print(text, "\\u%04x", byte);
		return;
	}
}

void zg_text_append_json(struct zg_text *text, struct zg_slice bytes)
{
	size_t start = 0;

	zg_assert(bytes.data != NULL || bytes.size == 0);
	zg_text_append(text, ZG_SLICE("\""));
	for (size_t i = 0; i < bytes.size; ++i) {
		unsigned char byte = (unsigned char)bytes.data[i];

		if (byte >= 0x20 && byte != '"' && byte != '\\')
			continue;
		zg_text_append(text, (struct zg_slice){bytes.data + start, i - start});
		text_append_escaped(text, byte);
		start = i + 1;
	}
	if (start < bytes.size)
		zg_text_append(text, (struct zg_slice){bytes.data + start, bytes.size - start});
	zg_text_append(text, ZG_SLICE("\""));
}
