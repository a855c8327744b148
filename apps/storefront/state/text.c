/*
 * Text: checks of bytes that come from outside.
 */
#include "state/text.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* The size of the well-formed sequence at the start of the bytes; 0 when it is none. */
static size_t text_sequence_size(const unsigned char *bytes, size_t size)
{
	unsigned char lowest = 0x80;
	unsigned char highest = 0xbf;
	size_t sequence_size;

	if (bytes[0] < 0x80)
		return bytes[0] >= 0x20 && bytes[0] != 0x7f;
	if (bytes[0] >= 0xc2 && bytes[0] <= 0xdf)
		sequence_size = 2;
	else if (bytes[0] >= 0xe0 && bytes[0] <= 0xef)
		sequence_size = 3;
	else if (bytes[0] >= 0xf0 && bytes[0] <= 0xf4)
		sequence_size = 4;
	else
		return 0;
	/* No overlong form, no surrogate, nothing past U+10FFFF, and no control of Latin-1. */
	if (bytes[0] == 0xc2 || bytes[0] == 0xe0)
		lowest = 0xa0;
	else if (bytes[0] == 0xf0)
		lowest = 0x90;
	else if (bytes[0] == 0xed)
		highest = 0x9f;
	else if (bytes[0] == 0xf4)
		highest = 0x8f;
	if (size < sequence_size || bytes[1] < lowest || bytes[1] > highest)
		return 0;
	for (size_t index = 2; index < sequence_size; ++index)
		if (bytes[index] < 0x80 || bytes[index] > 0xbf)
			return 0;
	return sequence_size;
}

bool shop_text_is_name(struct zg_slice text)
{
	const unsigned char *bytes = (const unsigned char *)text.data;
	size_t index = 0;

	if (text.size == 0 || bytes[0] == ' ' || bytes[text.size - 1] == ' ')
		return false;
	while (index < text.size) {
		size_t size = text_sequence_size(bytes + index, text.size - index);

		if (size == 0)
			return false;
		index += size;
	}
	return true;
}

static bool text_is_letter_or_digit(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9');
}

bool shop_text_is_token(struct zg_slice text)
{
	for (size_t index = 0; index < text.size; ++index) {
		char byte = text.data[index];

		if (!text_is_letter_or_digit(byte) && byte != '.' && byte != '-' && byte != '_')
			return false;
	}
	return text.size > 0;
}

bool shop_text_is_visible(struct zg_slice text)
{
	for (size_t index = 0; index < text.size; ++index)
		if (text.data[index] < '!' || text.data[index] > '~')
			return false;
	return text.size > 0;
}

bool shop_text_is_email(struct zg_slice text)
{
	const char *at;
	const char *dot;
	const char *end = text.data + text.size;

	if (!shop_text_is_visible(text))
		return false;
	at = memchr(text.data, '@', text.size);
	if (at == NULL || at == text.data || memchr(at + 1, '@', (size_t)(end - at - 1)) != NULL)
		return false;
	dot = memrchr(at + 1, '.', (size_t)(end - at - 1));
	return dot != NULL && dot > at + 1 && dot + 1 < end;
}

struct zg_slice shop_text_of(const char *field, size_t size)
{
	return (struct zg_slice){field, strnlen(field, size)};
}

bool shop_text_put(char *field, size_t size, struct zg_slice text)
{
	assert(size > 0);
	memset(field, 0, size);
	if (text.size >= size || (text.size > 0 && memchr(text.data, '\0', text.size) != NULL))
		return false;
	if (text.size > 0)
		memcpy(field, text.data, text.size);
	return true;
}
