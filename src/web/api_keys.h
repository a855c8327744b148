/*
 * API keys: the names and digests that --api-keys-file has, read at boot.
 */
#ifndef ZEROG_WEB_API_KEYS_H
#define ZEROG_WEB_API_KEYS_H

#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/security.h>
#include <zerog/text.h>

#include "base/sha256.h"

struct zgi_api_key {
	uint8_t digest[ZGI_SHA256_SIZE];
	uint8_t name_size;
	char name[ZG_API_KEY_NAME_SIZE_MAX];
};

struct zgi_api_keys {
	uint32_t count;
	struct zgi_api_key keys[ZG_API_KEYS_MAX];
};

/**
 * zgi_api_keys_parse() - read the lines of a file
 * @keys:       overwritten
 * @path:       of the file, for messages
 * @text:       all of it
 * @ret_error:  on failure, one sentence that names the file, the line and the remedy
 *
 * Return: 0; -EINVAL.
 */
ZG_MUST_USE int zgi_api_keys_parse(struct zgi_api_keys *keys, const char *path,
				   struct zg_slice text, struct zg_text *ret_error);

/**
 * zgi_api_keys_find() - whose key is this?
 * @keys:  parsed
 * @key:   any bytes
 *
 * Return: the key, borrowed, or NULL. Every key is compared, in constant time. Any thread.
 */
const struct zgi_api_key *zgi_api_keys_find(const struct zgi_api_keys *keys, struct zg_slice key);

#endif
