/*
 * Forms. The list of fields is the only thing that takes memory: as many entries as
 * the body has parts between ampersands, which are counted before anything changes.
 */
#include <zerog/form.h>

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "http/bytes.h"
#include "web/exchange.h"

static int form_hex(char digit)
{
	if (!zgi_http_byte_is(digit, ZGI_HTTP_BYTE_HEX))
		return -1;
	return digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

/* Decode bytes where they are. Return: how many are left. */
static size_t form_decode(char *text, size_t text_size)
{
	size_t size = 0;

	for (size_t index = 0; index < text_size; index++) {
		char byte = text[index];

		if (byte == '+') {
			byte = ' ';
		} else if (byte == '%' && index + 2 < text_size && form_hex(text[index + 1]) >= 0 &&
			   form_hex(text[index + 2]) >= 0) {
			byte = (char)(form_hex(text[index + 1]) * 16 + form_hex(text[index + 2]));
			index += 2;
		}
		text[size++] = byte;
	}
	return size;
}

/* How long the part is that begins here: to the next ampersand, or to the end. */
static size_t form_part_size(const char *text, size_t size)
{
	const char *end = memchr(text, '&', size);

	return end != NULL ? (size_t)(end - text) : size;
}

static uint32_t form_count(const char *text, size_t size)
{
	uint32_t count = 0;

	while (size > 0) {
		size_t part_size = form_part_size(text, size);

		count += part_size > 0;
		part_size += part_size < size;
		text += part_size;
		size -= part_size;
	}
	return count;
}

static void form_field_read(char *text, size_t size, struct zg_form_field *ret_field)
{
	char *equals = memchr(text, '=', size);
	size_t name_size = equals != NULL ? (size_t)(equals - text) : size;
	char *value = text + name_size;
	size_t value_size = 0;

	if (equals != NULL) {
		value++;
		value_size = form_decode(value, size - name_size - 1);
	}
	ret_field->name = (struct zg_slice){text, form_decode(text, name_size)};
	ret_field->value = (struct zg_slice){value, value_size};
}

static void form_fields_read(char *text, size_t size, struct zg_form_field *fields)
{
	while (size > 0) {
		size_t part_size = form_part_size(text, size);

		if (part_size > 0)
			form_field_read(text, part_size, fields++);
		part_size += part_size < size;
		text += part_size;
		size -= part_size;
	}
}

/* The media type alone, without its parameters, decides (RFC 9110, section 8.3.1). */
static bool form_is_type(const struct zg_exchange *x)
{
	static const struct zg_slice form_type = {"application/x-www-form-urlencoded", 33};
	struct zg_slice type;
	size_t end = form_type.size;

	if (zg_request_field(x, ZG_SLICE("content-type"), &type) < 0 || type.size < form_type.size)
		return false;
	while (end < type.size && zgi_http_byte_is_space(type.data[end]))
		end++;
	return (end == type.size || type.data[end] == ';') &&
	       zg_slice_equals_nocase((struct zg_slice){type.data, form_type.size}, form_type);
}

int zg_request_form(struct zg_exchange *x, const struct zg_form **ret_form)
{
	uint32_t count = form_count((const char *)x->body, x->body_size);
	struct zg_form_field *fields;
	struct zg_form *form;
	void *memory;

	if (x->form != NULL) {
		*ret_form = x->form;
		return 0;
	}
	if (x->body_size > 0 && !form_is_type(x))
		return -EBADMSG;
	if (count > x->web->form_fields_max)
		return -E2BIG;
	if (zg_arena_alloc(zg_exchange_arena(x), sizeof(*form) + count * sizeof(*fields), &memory) <
	    0)
		return -ENOMEM;
	form = memory;
	fields = (struct zg_form_field *)(void *)(form + 1);
	form_fields_read((char *)x->body, x->body_size, fields);
	*form = (struct zg_form){fields, count};
	x->form = form;
	*ret_form = form;
	return 0;
}

int zg_request_form_value(struct zg_exchange *x, struct zg_slice name, struct zg_slice *ret_value)
{
	const struct zg_form *form;
	int result = zg_request_form(x, &form);

	if (result < 0)
		return result;
	for (uint32_t index = 0; index < form->count; index++) {
		if (zg_slice_equals(form->fields[index].name, name)) {
			*ret_value = form->fields[index].value;
			return 0;
		}
	}
	return -ENOENT;
}
