/*
 * Fuzzes the JSON binder and writer. Whatever the bytes are, there is an answer, and the
 * answers agree: what is bound is JSON; what is bound and written is bound again, and
 * written the same; what is JSON is kept as it is written; and the bytes as a string are
 * JSON always, and the same bytes again when they are UTF-8.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "web/json/json_fixture.h"
#include "web/json/json_scan.h"

#define FUZZ_SIZE_MAX 4096
#define FUZZ_ROOM (8 * FUZZ_SIZE_MAX + 1024) /* what any of it may come to when escaped */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_any {
	struct zg_slice value;
};

ZG_JSON_FIELDS(fuzz_any, struct fuzz_any, ZG_JSON_SKIP_UNKNOWN,
	       ZG_JSON_RAW(struct fuzz_any, value, FUZZ_ROOM, ZG_JSON_REQUIRED));

struct fuzz_string {
	struct zg_slice value;
};

ZG_JSON_FIELDS(fuzz_string, struct fuzz_string, ZG_JSON_REFUSE_UNKNOWN,
	       ZG_JSON_SLICE(struct fuzz_string, value, 0, FUZZ_ROOM, ZG_JSON_REQUIRED));

/* A block that ends where the bytes do, so that a read past them is seen. */
static char *fuzz_block(const void *bytes, size_t size)
{
	char *block = malloc(size > 0 ? size : 1);

	zg_assert(block != NULL);
	if (size > 0)
		memcpy(block, bytes, size);
	return block;
}

static void fuzz_check_error(const struct zg_json_error *error, size_t size)
{
	struct zg_slice json = {error->message, strlen(error->message)};

	zg_assert(error->fault > ZG_JSON_FAULT_NONE && error->fault < ZG_JSON_FAULT_COUNT);
	zg_assert(error->offset <= size);
	zg_assert(memchr(error->path, '\0', sizeof(error->path)) != NULL);
	zg_assert(memchr(error->message, '\0', sizeof(error->message)) != NULL);
	zg_assert(json.size > 0);
}

static bool fuzz_is_json(const void *bytes, size_t size)
{
	char *block = fuzz_block(bytes, size);
	struct zg_json_error error;
	int result = zg_json_check((struct zg_slice){block, size}, &error);

	if (result < 0)
		fuzz_check_error(&error, size);
	free(block);
	return result == 0;
}

/* Bind, write, bind, write: the second document is the first. */
static void fuzz_cart(const uint8_t *data, size_t size)
{
	static char documents[2][FUZZ_ROOM];
	struct fixture_cart cart = {.small = 0};
	struct fixture_cart again = {.small = 0};
	struct zg_json_writer writer;
	struct zg_json_error error;
	struct zg_slice once;
	struct zg_slice twice;
	char *block = fuzz_block(data, size);
	char *second;

	if (fixture_cart_json_bind(block, size, &cart, &error) < 0) {
		fuzz_check_error(&error, size);
		free(block);
		return;
	}
	zg_assert(fuzz_is_json(data, size));
	zg_json_writer_init(&writer, documents[0], sizeof(documents[0]), NULL);
	fixture_cart_json_write(&writer, &cart);
	zg_assert(zg_json_writer_finish(&writer, &once) == 0);

	second = fuzz_block(once.data, once.size);
	zg_assert(fixture_cart_json_bind(second, once.size, &again, &error) == 0);
	zg_json_writer_init(&writer, documents[1], sizeof(documents[1]), NULL);
	fixture_cart_json_write(&writer, &again);
	zg_assert(zg_json_writer_finish(&writer, &twice) == 0);
	zg_assert(zg_slice_equals(once, twice));
	free(second);
	free(block);
}

/* {"value":BYTES} is JSON when BYTES are, but for depth; and then they are kept. */
static void fuzz_any(const uint8_t *data, size_t size)
{
	static char wrapped[FUZZ_ROOM];
	struct fuzz_any any = {{NULL, 0}};
	struct zg_json_error error;
	bool is_json = fuzz_is_json(data, size);
	int result;

	memcpy(wrapped, "{\"value\":", 9);
	if (size > 0)
		memcpy(wrapped + 9, data, size);
	wrapped[9 + size] = '}';
	result = fuzz_any_json_bind(wrapped, size + 10, &any, &error);
	if (result < 0)
		zg_assert(!is_json || error.fault == ZG_JSON_FAULT_DEPTH);
	else
		zg_assert(fuzz_is_json(any.value.data, any.value.size));
}

static bool fuzz_is_utf8(const char *data, size_t size)
{
	while (size > 0) {
		int used = (unsigned char)*data < 0x80 ? 1 : zgi_json_utf8_size(data, size);

		if (used < 0)
			return false;
		data += used;
		size -= (size_t)used;
	}
	return true;
}

/* Any bytes may be written as a string. */
static void fuzz_string(const uint8_t *data, size_t size)
{
	static char document[FUZZ_ROOM];
	struct fuzz_string string = {{(const char *)data, size}};
	struct fuzz_string bound = {{NULL, 0}};
	struct zg_json_writer writer;
	struct zg_json_error error;
	struct zg_slice json;
	char *block;

	zg_json_writer_init(&writer, document, sizeof(document), NULL);
	fuzz_string_json_write(&writer, &string);
	zg_assert(zg_json_writer_finish(&writer, &json) == 0);
	block = fuzz_block(json.data, json.size);
	zg_assert(fuzz_string_json_bind(block, json.size, &bound, &error) == 0);
	zg_assert(fuzz_is_utf8(bound.value.data, bound.value.size));
	if (fuzz_is_utf8((const char *)data, size))
		zg_assert(zg_slice_equals(string.value, bound.value));
	free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > FUZZ_SIZE_MAX)
		size = FUZZ_SIZE_MAX;
	fuzz_cart(data, size);
	fuzz_any(data, size);
	fuzz_string(data, size);
	return 0;
}
