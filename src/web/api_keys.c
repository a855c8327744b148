/*
 * The file of API keys. It is written by people, so that each mistake is told with its
 * line; and it holds secrets, so that no message shows a key.
 */
#include "web/api_keys.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "base/constant_time.h"
#include "http/bytes.h"

#define KEYS_DIGEST_PREFIX "sha256:"

/* The next line, without what ends it. */
static struct zg_slice keys_line_next(struct zg_slice *text)
{
	const char *end = memchr(text->data, '\n', text->size);
	struct zg_slice line = {text->data, end != NULL ? (size_t)(end - text->data) : text->size};
	size_t used = end != NULL ? line.size + 1 : line.size;

	text->data += used;
	text->size -= used;
	if (line.size > 0 && line.data[line.size - 1] == '\r')
		line.size--;
	return line;
}

/* The next word of a line; empty at its end. */
static struct zg_slice keys_word_next(struct zg_slice *line)
{
	struct zg_slice word;

	while (line->size > 0 && zgi_http_byte_is_space(line->data[0])) {
		line->data++;
		line->size--;
	}
	word = (struct zg_slice){line->data, 0};
	while (word.size < line->size && !zgi_http_byte_is_space(word.data[word.size]))
		word.size++;
	line->data += word.size;
	line->size -= word.size;
	return word;
}

static bool keys_is_visible(struct zg_slice word)
{
	for (size_t index = 0; index < word.size; index++)
		if (word.data[index] <= ' ' || word.data[index] > '~')
			return false;
	return true;
}

static bool keys_hex_parse(struct zg_slice text, uint8_t ret_digest[ZGI_SHA256_SIZE])
{
	uint8_t digest[ZGI_SHA256_SIZE] = {0};

	if (text.size != sizeof(digest) * 2)
		return false;
	for (size_t index = 0; index < text.size; index++) {
		char digit = text.data[index];

		if (!zgi_http_byte_is(digit, ZGI_HTTP_BYTE_HEX))
			return false;
		digest[index / 2] =
			(uint8_t)(digest[index / 2] << 4 |
				  (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10));
	}
	memcpy(ret_digest, digest, sizeof(digest));
	return true;
}

/* What is wrong with a line, or NULL when it was read. */
static const char *keys_line_read(struct zgi_api_keys *keys, struct zg_slice line)
{
	static const struct zg_slice prefix = {KEYS_DIGEST_PREFIX, sizeof(KEYS_DIGEST_PREFIX) - 1};
	struct zg_slice name = keys_word_next(&line);
	struct zg_slice key = keys_word_next(&line);
	struct zgi_api_key *place = &keys->keys[keys->count];

	if (name.size == 0 || name.data[0] == '#')
		return NULL;
	if (keys->count == ZG_API_KEYS_MAX)
		return "is one key too many: 64 are taken";
	if (name.size > ZG_API_KEY_NAME_SIZE_MAX || !keys_is_visible(name))
		return "has a name that is not of 1 to 31 visible characters";
	if (key.size == 0 || keys_word_next(&line).size > 0)
		return "is not of the form NAME KEY";
	for (uint32_t index = 0; index < keys->count; index++)
		if (zg_slice_equals(name, (struct zg_slice){keys->keys[index].name,
							    keys->keys[index].name_size}))
			return "has a name that an earlier line has: give it one of its own";
	if (key.size > prefix.size && memcmp(key.data, prefix.data, prefix.size) == 0) {
		key.data += prefix.size;
		key.size -= prefix.size;
		if (!keys_hex_parse(key, place->digest))
			return "has a digest that is not of 64 hexadecimal digits";
	} else if (key.size < ZG_API_KEY_SIZE_MIN || key.size > ZG_API_KEY_SIZE_MAX ||
		   !keys_is_visible(key)) {
		return "has a key that is not of 16 to 256 visible characters";
	} else {
		zgi_sha256(key.data, key.size, place->digest);
	}
	memcpy(place->name, name.data, name.size);
	place->name_size = (uint8_t)name.size;
	keys->count++;
	return NULL;
}

static_assert(ZG_API_KEYS_MAX == 64 && ZG_API_KEY_NAME_SIZE_MAX == 31 &&
		      ZG_API_KEY_SIZE_MIN == 16 && ZG_API_KEY_SIZE_MAX == 256,
	      "as the sentences above say");

int zgi_api_keys_parse(struct zgi_api_keys *keys, const char *path, struct zg_slice text,
		       struct zg_text *ret_error)
{
	*keys = (struct zgi_api_keys){0};
	for (unsigned int number = 1; text.size > 0; number++) {
		const char *problem = keys_line_read(keys, keys_line_next(&text));

		if (problem != NULL) {
			zg_text_print(ret_error, "%s:%u: the line %s", path, number, problem);
			return -EINVAL;
		}
	}
	if (keys->count == 0) {
		zg_text_print(ret_error, "%s: there is no key in it: write lines NAME KEY", path);
		return -EINVAL;
	}
	return 0;
}

const struct zgi_api_key *zgi_api_keys_find(const struct zgi_api_keys *keys, struct zg_slice key)
{
	const struct zgi_api_key *found = NULL;
	uint8_t digest[ZGI_SHA256_SIZE];

	zgi_sha256(key.data, key.size, digest);
	for (uint32_t index = 0; index < keys->count; index++)
		if (zgi_equal_constant_time(digest, keys->keys[index].digest, sizeof(digest)))
			found = &keys->keys[index];
	return found;
}
