/*
 * The binder: a document in one pass into a struct, by its table.
 *
 * Keys are tried in the order of the table first, as most clients send them: the key
 * expected next is compared where it stands, before anybody looks for its end. Each
 * table inside another is one more call of bind_object(), so the stack is as deep as the
 * program's own structs are; what a table skips does not recurse.
 */
#include "web/json/json_read.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"

#define BIND_KEY_SIZE_MAX 256 /* bytes of a key with escapes that a table could have */

/* One object that is being bound. */
struct bind_state {
	const struct zg_json_table *table;
	unsigned char *object;
	uint64_t seen; /* bit n: the n-th field was there */
	uint64_t present; /* bit n: and it was not null */
	uint32_t next; /* the field that is expected next */
};

static int bind_object(struct zgi_json_reader *reader, const struct zg_json_table *table,
		       unsigned char *object);

/* Could a byte begin a value? Then the value is of another type, else it is no JSON. */
static bool bind_begins_value(int byte)
{
	return byte == '"' || byte == '{' || byte == '[' || byte == '-' || byte == 't' ||
	       byte == 'f' || byte == 'n' || (byte >= '0' && byte <= '9');
}

static int bind_other_type(struct zgi_json_reader *reader)
{
	if (!bind_begins_value(zgi_json_peek(reader)))
		return zgi_json_unexpected(reader, "a value");
	return zgi_json_unfit(reader, ZG_JSON_FAULT_TYPE, reader->at);
}

static void bind_integer_store(uint64_t value, uint32_t size, unsigned char *place)
{
	uint32_t value32 = (uint32_t)value;
	uint16_t value16 = (uint16_t)value;
	uint8_t value8 = (uint8_t)value;

	switch (size) {
	case 8:
		memcpy(place, &value, sizeof(value));
		break;
	case 4:
		memcpy(place, &value32, sizeof(value32));
		break;
	case 2:
		memcpy(place, &value16, sizeof(value16));
		break;
	default:
		zg_assert(size == 1);
		memcpy(place, &value8, sizeof(value8));
		break;
	}
}

/* A number's value as the two's complement of 64 bits, if it is within the field's range. */
static bool bind_integer_fits(const struct zg_json_field *field,
			      const struct zgi_json_number *number, uint64_t *ret_value)
{
	uint64_t magnitude = number->magnitude;

	if (number->is_huge)
		return false;
	if (field->kind == ZG_JSON_KIND_UNSIGNED) {
		*ret_value = magnitude;
		return (!number->is_negative || magnitude == 0) && magnitude >= field->minimum &&
		       magnitude <= field->maximum;
	}
	if (magnitude > (uint64_t)INT64_MAX + (number->is_negative ? 1 : 0))
		return false;
	*ret_value = number->is_negative ? 0 - magnitude : magnitude;
	return (int64_t)*ret_value >= (int64_t)field->minimum &&
	       (int64_t)*ret_value <= (int64_t)field->maximum;
}

static int bind_integer(struct zgi_json_reader *reader, const struct zg_json_field *field,
			unsigned char *place)
{
	const char *start = reader->at;
	struct zgi_json_number number;
	uint64_t value;
	int byte = zgi_json_peek(reader);
	int result;

	if (byte != '-' && (byte < '0' || byte > '9'))
		return bind_other_type(reader);
	result = zgi_json_read_number(reader, &number);
	if (result < 0)
		return result;
	if (!number.is_whole)
		return zgi_json_unfit(reader, ZG_JSON_FAULT_FRACTION, start);
	if (!bind_integer_fits(field, &number, &value))
		return zgi_json_unfit(reader, ZG_JSON_FAULT_RANGE, start);
	bind_integer_store(value, field->size, place);
	return 0;
}

static int bind_bool(struct zgi_json_reader *reader, unsigned char *place)
{
	int byte = zgi_json_peek(reader);
	bool value = byte == 't';
	int result;

	if (byte != 't' && byte != 'f')
		return bind_other_type(reader);
	result = zgi_json_read_literal(reader, value ? ZG_SLICE("true") : ZG_SLICE("false"));
	if (result == 0)
		memcpy(place, &value, sizeof(value));
	return result;
}

static int bind_string_read(struct zgi_json_reader *reader, const struct zg_json_field *field,
			    struct zgi_json_string *ret_string)
{
	const char *start = reader->at;
	int result;

	if (zgi_json_peek(reader) != '"')
		return bind_other_type(reader);
	result = zgi_json_read_string(reader, ret_string);
	if (result < 0)
		return result;
	if (ret_string->plain_size < field->minimum)
		return zgi_json_unfit(reader, ZG_JSON_FAULT_SHORT, start);
	if (ret_string->plain_size > field->maximum)
		return zgi_json_unfit(reader, ZG_JSON_FAULT_LONG, start);
	return 0;
}

static int bind_slice(struct zgi_json_reader *reader, const struct zg_json_field *field,
		      unsigned char *place)
{
	struct zgi_json_string string = {NULL, 0, 0};
	int result = bind_string_read(reader, field, &string);
	struct zg_slice slice;

	if (result < 0)
		return result;
	if (string.size != string.plain_size)
		zgi_json_unescape(&string, reader->writable + (string.data - reader->start));
	slice = (struct zg_slice){string.data, string.plain_size};
	memcpy(place, &slice, sizeof(slice));
	return 0;
}

static int bind_text(struct zgi_json_reader *reader, const struct zg_json_field *field,
		     unsigned char *place)
{
	const char *start = reader->at;
	struct zgi_json_string string = {NULL, 0, 0};
	char *text = (char *)place;
	int result = bind_string_read(reader, field, &string);

	if (result < 0)
		return result;
	zg_assert(string.plain_size < field->size);
	zgi_json_unescape(&string, text);
	text[string.plain_size] = '\0';
	if (memchr(text, '\0', string.plain_size) != NULL)
		return zgi_json_unfit(reader, ZG_JSON_FAULT_NUL, start);
	return 0;
}

static int bind_number(struct zgi_json_reader *reader, unsigned char *place)
{
	struct zgi_json_number number;
	int byte = zgi_json_peek(reader);
	int result;

	if (byte != '-' && (byte < '0' || byte > '9'))
		return bind_other_type(reader);
	result = zgi_json_read_number(reader, &number);
	if (result == 0)
		memcpy(place, &number.text, sizeof(number.text));
	return result;
}

static int bind_raw(struct zgi_json_reader *reader, const struct zg_json_field *field,
		    unsigned char *place)
{
	struct zg_slice raw = {reader->at, 0};
	int result = zgi_json_skip(reader);

	if (result < 0)
		return result;
	raw.size = (size_t)(reader->at - raw.data);
	if (raw.size > field->maximum)
		return zgi_json_unfit(reader, ZG_JSON_FAULT_LONG, raw.data);
	memcpy(place, &raw, sizeof(raw));
	return 0;
}

/* What a key or a word says. One with escapes that says more than there is room for is taken as it
 * is written: that begins with more than any name has, or has a backslash, which none has. */
static const char *bind_plain(const struct zgi_json_string *string, char *room, size_t room_size)
{
	if (string->size == string->plain_size || string->plain_size > room_size)
		return string->data;
	zgi_json_unescape(string, room);
	return room;
}

static int bind_word(struct zgi_json_reader *reader, const struct zg_json_field *field,
		     unsigned char *place)
{
	const char *start = reader->at;
	struct zgi_json_string string = {NULL, 0, 0};
	char unescaped[BIND_KEY_SIZE_MAX];
	const char *plain;
	int result;

	if (zgi_json_peek(reader) != '"')
		return bind_other_type(reader);
	result = zgi_json_read_string(reader, &string);
	if (result < 0)
		return result;
	plain = bind_plain(&string, unescaped, sizeof(unescaped));
	for (uint32_t index = 0; index < field->maximum; index++) {
		const char *known = field->words[index];

		if (known != NULL && strlen(known) == string.plain_size &&
		    memcmp(known, plain, string.plain_size) == 0) {
			memcpy(place, &index, sizeof(index));
			return 0;
		}
	}
	return zgi_json_unfit(reader, ZG_JSON_FAULT_WORD, start);
}

static int bind_value(struct zgi_json_reader *reader, const struct zg_json_field *field,
		      unsigned char *place)
{
	switch ((enum zg_json_kind)field->kind) {
	case ZG_JSON_KIND_UNSIGNED:
	case ZG_JSON_KIND_SIGNED:
		return bind_integer(reader, field, place);
	case ZG_JSON_KIND_BOOL:
		return bind_bool(reader, place);
	case ZG_JSON_KIND_SLICE:
		return bind_slice(reader, field, place);
	case ZG_JSON_KIND_TEXT:
		return bind_text(reader, field, place);
	case ZG_JSON_KIND_NUMBER:
		return bind_number(reader, place);
	case ZG_JSON_KIND_RAW:
		return bind_raw(reader, field, place);
	case ZG_JSON_KIND_WORD:
		return bind_word(reader, field, place);
	case ZG_JSON_KIND_OBJECT:
		return bind_object(reader, field->table, place);
	}
	zg_assert(!"a kind of field that there is not");
	return -EINVAL;
}

/* The elements of an array, its bracket passed, up to the one that closes it. */
static int bind_elements(struct zgi_json_reader *reader, struct zgi_json_frame *frame,
			 unsigned char *place, uint32_t *ret_count)
{
	const struct zg_json_field *field = frame->field;
	uint32_t count = 0;

	zgi_json_space(reader);
	if (zgi_json_peek(reader) == ']') {
		*ret_count = 0;
		return 0;
	}
	for (;;) {
		unsigned char *element = place + (size_t)count * field->size;
		int result;

		frame->index = ZGI_JSON_NO_INDEX;
		if (count == field->count_maximum)
			return zgi_json_unfit(reader, ZG_JSON_FAULT_MANY, reader->at);
		frame->index = count;
		if (field->kind == ZG_JSON_KIND_OBJECT)
			memset(element, 0, field->size);
		result = bind_value(reader, field, element);
		if (result < 0)
			return result;
		count++;
		zgi_json_space(reader);
		if (zgi_json_peek(reader) == ']')
			break;
		if (zgi_json_peek(reader) != ',')
			return zgi_json_unexpected(reader, "a comma or ]");
		reader->at++;
		zgi_json_space(reader);
	}
	*ret_count = count;
	return 0;
}

static int bind_array(struct zgi_json_reader *reader, struct zgi_json_frame *frame,
		      unsigned char *object)
{
	const struct zg_json_field *field = frame->field;
	const char *start = reader->at;
	uint32_t count = 0;
	int result;

	if (zgi_json_peek(reader) != '[')
		return bind_other_type(reader);
	result = zgi_json_deeper(reader);
	if (result < 0)
		return result;
	reader->at++;
	result = bind_elements(reader, frame, object + field->offset, &count);
	if (result < 0)
		return result;
	frame->index = ZGI_JSON_NO_INDEX;
	if (count < field->count_minimum)
		return zgi_json_unfit(reader, ZG_JSON_FAULT_FEW, start);
	reader->at++;
	reader->depth--;
	memcpy(object + field->count_offset, &count, sizeof(count));
	return 0;
}

/* Does the key that stands at the opening quote, without an escape, have this name? */
static bool bind_key_is(const struct zgi_json_reader *reader, const struct zg_json_field *field)
{
	const char *key = reader->at + 1;

	return (size_t)(reader->end - key) > field->name_size && key[field->name_size] == '"' &&
	       memcmp(key, field->name, field->name_size) == 0;
}

static bool bind_key_equals(const struct zgi_json_string *key, const char *plain,
			    const struct zg_json_field *field)
{
	return key->plain_size == field->name_size &&
	       memcmp(plain, field->name, field->name_size) == 0;
}

/* The field of a key that is not the one expected; ret_index is the table's size when it has none.
 */
static int bind_key_find(struct zgi_json_reader *reader, const struct zg_json_table *table,
			 struct zgi_json_string *ret_key, uint32_t *ret_index)
{
	char unescaped[BIND_KEY_SIZE_MAX];
	const char *plain;
	uint32_t index = 0;
	int result = zgi_json_read_string(reader, ret_key);

	if (result < 0)
		return result;
	plain = bind_plain(ret_key, unescaped, sizeof(unescaped));
	while (index < table->field_count &&
	       !bind_key_equals(ret_key, plain, &table->fields[index]))
		index++;
	*ret_index = index;
	return 0;
}

/* A key, its colon, and the white space around it. *ret_field: NULL for one to be skipped. */
static int bind_key(struct zgi_json_reader *reader, struct bind_state *state,
		    const struct zg_json_field **ret_field)
{
	const struct zg_json_table *table = state->table;
	const char *start = reader->at;
	uint32_t index = state->next;
	int result;

	*ret_field = NULL;
	if (zgi_json_peek(reader) != '"')
		return zgi_json_unexpected(reader, "a key in quotes");
	if (index < table->field_count && bind_key_is(reader, &table->fields[index])) {
		reader->at += table->fields[index].name_size + 2;
	} else {
		struct zgi_json_string key;

		result = bind_key_find(reader, table, &key, &index);
		if (result < 0)
			return result;
		if (index == table->field_count && table->unknown == ZG_JSON_REFUSE_UNKNOWN)
			return zgi_json_key_refused(reader, ZG_JSON_FAULT_UNKNOWN, start,
						    (struct zg_slice){key.data, key.size});
	}
	if (index < table->field_count) {
		const struct zg_json_field *field = &table->fields[index];
		uint64_t bit = UINT64_C(1) << index;

		if ((state->seen & bit) != 0)
			return zgi_json_key_refused(
				reader, ZG_JSON_FAULT_DUPLICATE, start,
				(struct zg_slice){field->name, field->name_size});
		state->seen |= bit;
		state->next = index + 1;
		*ret_field = field;
	}
	zgi_json_space(reader);
	if (zgi_json_peek(reader) != ':')
		return zgi_json_unexpected(reader, "a colon");
	reader->at++;
	zgi_json_space(reader);
	return 0;
}

/* The value behind a key. */
static int bind_member(struct zgi_json_reader *reader, struct bind_state *state,
		       struct zgi_json_frame *frame)
{
	const struct zg_json_field *field = frame->field;

	if (field == NULL)
		return zgi_json_skip(reader);
	if ((field->flags & ZG_JSON_NULLABLE) != 0 && zgi_json_peek(reader) == 'n')
		return zgi_json_read_literal(reader, ZG_SLICE("null"));
	state->present |= UINT64_C(1) << (field - state->table->fields);
	frame->index = ZGI_JSON_NO_INDEX;
	if (field->count_offset != ZG_JSON_NO_MEMBER)
		return bind_array(reader, frame, state->object);
	return bind_value(reader, field, state->object + field->offset);
}

/* The members of an object, its brace passed, up to the one that closes it. */
static int bind_members(struct zgi_json_reader *reader, struct bind_state *state,
			struct zgi_json_frame *frame)
{
	zgi_json_space(reader);
	if (zgi_json_peek(reader) == '}')
		return 0;
	for (;;) {
		int result;

		frame->field = NULL;
		result = bind_key(reader, state, &frame->field);
		if (result == 0)
			result = bind_member(reader, state, frame);
		if (result < 0)
			return result;
		frame->field = NULL;
		zgi_json_space(reader);
		if (zgi_json_peek(reader) == '}')
			return 0;
		if (zgi_json_peek(reader) != ',')
			return zgi_json_unexpected(reader, "a comma or }");
		reader->at++;
		zgi_json_space(reader);
	}
}

/* At the closing brace: is every required field there? */
static int bind_required(struct zgi_json_reader *reader, const struct bind_state *state,
			 struct zgi_json_frame *frame)
{
	const struct zg_json_table *table = state->table;

	for (uint32_t index = 0; index < table->field_count; index++) {
		const struct zg_json_field *field = &table->fields[index];

		if ((field->flags & ZG_JSON_REQUIRED) == 0 || (state->present >> index & 1) != 0)
			continue;
		frame->field = field;
		frame->index = ZGI_JSON_NO_INDEX;
		return zgi_json_missing(reader, reader->at);
	}
	return 0;
}

static int bind_object(struct zgi_json_reader *reader, const struct zg_json_table *table,
		       unsigned char *object)
{
	struct zgi_json_frame frame = {.parent = reader->frame, .index = ZGI_JSON_NO_INDEX};
	struct bind_state state = {.table = table, .object = object};
	int result;

	if (zgi_json_peek(reader) != '{')
		return bind_other_type(reader);
	result = zgi_json_deeper(reader);
	if (result < 0)
		return result;
	reader->at++;
	reader->frame = &frame;
	result = bind_members(reader, &state, &frame);
	if (result == 0)
		result = bind_required(reader, &state, &frame);
	reader->frame = frame.parent;
	if (result < 0)
		return result;
	if (table->present_offset != ZG_JSON_NO_MEMBER)
		memcpy(object + table->present_offset, &state.present, sizeof(state.present));
	reader->at++;
	reader->depth--;
	return 0;
}

int zg_json_bind(char *json, size_t size, const struct zg_json_table *table, void *object,
		 struct zg_json_error *ret_error)
{
	struct zgi_json_reader reader;
	int result;

	zg_assert(table != NULL && table->field_count <= ZG_JSON_FIELDS_MAX);
	zg_assert(object != NULL);
	zgi_json_reader_init(&reader, (struct zg_slice){json, size}, ret_error);
	reader.writable = json;
	result = zgi_json_begin(&reader);
	if (result == 0)
		result = bind_object(&reader, table, object);
	if (result == 0)
		result = zgi_json_finish(&reader);
	return result;
}

bool zg_json_is_present(const struct zg_json_table *table, const void *object, struct zg_slice name)
{
	uint64_t present;

	zg_assert(table->present_offset != ZG_JSON_NO_MEMBER);
	memcpy(&present, (const unsigned char *)object + table->present_offset, sizeof(present));
	for (uint32_t index = 0; index < table->field_count; index++) {
		const struct zg_json_field *field = &table->fields[index];

		if (zg_slice_equals(name, (struct zg_slice){field->name, field->name_size}))
			return (present >> index & 1) != 0;
	}
	zg_assert(!"a name that the table does not have");
	return false;
}
