/*
 * Fuzzes the reading and the writing of cookies. What is read must lie inside the
 * field and be of the bytes it may have, and reading what was read again must give
 * the same. What is written must come back as it was set, and a Set-Cookie line must
 * hold nothing but what it was asked to. The first byte says how the rest is cut up.
 */
#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zerog/cookie.h>

#include "base/assert.h"
#include "http/scan.h"
#include "web/exchange.h"

#define FUZZ_BUFFER_SIZE 1024
#define FUZZ_EXCHANGE_SIZE (sizeof(struct zg_exchange) + 2 * FUZZ_BUFFER_SIZE + 256)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static alignas(64) unsigned char fuzz_exchange[FUZZ_EXCHANGE_SIZE];
static struct zgi_web fuzz_web = {
	.http_limits = {.head_size_max = 512, .fields_max = 16},
	.read_buffer_size = FUZZ_BUFFER_SIZE,
	.write_buffer_size = FUZZ_BUFFER_SIZE,
};

static bool fuzz_is_inside(struct zg_slice part, struct zg_slice whole)
{
	return part.data >= whole.data && part.data + part.size <= whole.data + whole.size;
}

/* A pair reads as itself: what was passed over is no part of it. */
static void fuzz_read_again(struct zg_slice name, struct zg_slice value)
{
	char *text = malloc(name.size + value.size + 1);
	struct zg_slice field = {text, name.size + value.size + 1};
	struct zg_slice name_again;
	struct zg_slice value_again;

	zg_assert(text != NULL);
	memcpy(text, name.data, name.size);
	text[name.size] = '=';
	if (value.size > 0)
		memcpy(text + name.size + 1, value.data, value.size);
	zg_assert(zg_cookie_next(&field, &name_again, &value_again) == 1);
	zg_assert(zg_slice_equals(name, name_again));
	zg_assert(zg_slice_equals(value, value_again));
	zg_assert(zg_cookie_next(&field, &name_again, &value_again) == 0);
	free(text);
}

static void fuzz_read(const uint8_t *data, size_t size)
{
	/* A block that ends where the bytes do, so that a read past them is seen. */
	char *block = malloc(size > 0 ? size : 1);
	struct zg_slice whole = {block, size};
	struct zg_slice rest = whole;
	struct zg_slice name;
	struct zg_slice value;
	size_t rest_size = size + 1;

	zg_assert(block != NULL);
	if (size > 0)
		memcpy(block, data, size);
	while (zg_cookie_next(&rest, &name, &value) > 0) {
		zg_assert(rest.size < rest_size);
		rest_size = rest.size;
		zg_assert(fuzz_is_inside(name, whole) && fuzz_is_inside(value, whole));
		zg_assert(name.size > 0);
		zg_assert(memchr(name.data, '=', name.size) == NULL);
		zg_assert(value.size == 0 || memchr(value.data, ';', value.size) == NULL);
		for (size_t index = 0; index < value.size; index++)
			zg_assert((unsigned char)value.data[index] >= ' ' &&
				  value.data[index] != 0x7f);
		fuzz_read_again(name, value);
	}
	zg_assert(rest.size == 0);
	free(block);
}

/* The next part of the input, of a length that the input says. */
static struct zg_slice fuzz_part(struct zg_slice *input)
{
	size_t size = input->size > 0 ? (uint8_t)input->data[0] % 24 : 0;
	struct zg_slice part = {input->data, 0};

	if (input->size == 0)
		return part;
	part.data = input->data + 1;
	part.size = size < input->size - 1 ? size : input->size - 1;
	input->data += part.size + 1;
	input->size -= part.size + 1;
	return part;
}

static size_t fuzz_count(struct zg_slice text, char byte)
{
	size_t count = 0;

	for (size_t index = 0; index < text.size; index++)
		count += text.data[index] == byte;
	return count;
}

/* One line, with as many attributes as were asked for, that begins with the pair that was set. */
static void fuzz_check_line(const struct zg_exchange *x, const struct zg_cookie *cookie)
{
	static const struct zg_slice begin = {"Set-Cookie: ", 12};
	struct zg_slice line = {(const char *)x->reply_fields, x->reply_fields_size};
	struct zg_slice name;
	struct zg_slice value;
	size_t attribute_count = 2 + (cookie->domain.size > 0) + (cookie->max_age_s != 0) +
				 cookie->is_secure + !cookie->is_script_visible;

	zg_assert(line.size > begin.size + 2);
	zg_assert(memcmp(line.data, begin.data, begin.size) == 0);
	zg_assert(memcmp(line.data + line.size - 2, "\r\n", 2) == 0);
	line.data += begin.size;
	line.size -= begin.size + 2;
	zg_assert(fuzz_count(line, '\r') == 0 && fuzz_count(line, '\n') == 0);
	zg_assert(fuzz_count(line, ';') == attribute_count);
	zg_assert(zg_cookie_next(&line, &name, &value) == 1);
	zg_assert(zg_slice_equals(name, cookie->name));
	zg_assert(zg_slice_equals(value, cookie->value));
}

static void fuzz_write(const uint8_t *data, size_t size, uint8_t choice)
{
	struct zg_exchange *x = (struct zg_exchange *)(void *)fuzz_exchange;
	struct zg_slice input = {(const char *)data, size};
	struct zg_cookie cookie = {
		.same_site = (enum zg_same_site)(choice % 3),
		.is_secure = (choice & 4) != 0,
		.is_script_visible = (choice & 8) != 0,
		.max_age_s = (choice & 16) != 0 ? choice - 128 : 0,
	};
	int result;

	cookie.name = fuzz_part(&input);
	cookie.value = fuzz_part(&input);
	cookie.path = fuzz_part(&input);
	cookie.domain = fuzz_part(&input);
	zgi_exchange_init(x, &fuzz_web, NULL, ZG_HANDLE_NONE);
	x->has_replied = false;
	result = zg_reply_cookie(x, &cookie);
	zg_assert(result == 0 || result == -EINVAL);
	if (result == 0)
		fuzz_check_line(x, &cookie);
	else
		zg_assert(x->reply_fields_size == 0);
	zgi_exchange_fini(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	zgi_http_scan_init();
	if (size == 0)
		return 0;
	fuzz_read(data + 1, size - 1);
	fuzz_write(data + 1, size - 1, data[0]);
	return 0;
}
