/*
 * A struct as a document, by the table that binds it.
 *
 * What the table says of a struct is the program's own promise, so a count or a word
 * beyond it fails an assertion. Names need no escapes: they are names of members.
 */
#include "web/json/json_put.h"

static void write_fields(struct zg_json_writer *writer, const struct zg_json_table *table,
			 const unsigned char *object);

static uint64_t write_unsigned(const unsigned char *place, uint32_t size)
{
	uint64_t value64;
	uint32_t value32;
	uint16_t value16;

	switch (size) {
	case 8:
		memcpy(&value64, place, sizeof(value64));
		return value64;
	case 4:
		memcpy(&value32, place, sizeof(value32));
		return value32;
	case 2:
		memcpy(&value16, place, sizeof(value16));
		return value16;
	default:
		zg_assert(size == 1);
		return *place;
	}
}

static int64_t write_signed(const unsigned char *place, uint32_t size)
{
	uint64_t value = write_unsigned(place, size);

	zg_assert(size == 4 || size == 8);
	return size == 4 ? (int32_t)value : (int64_t)value;
}

static struct zg_slice write_slice(const struct zg_json_field *field, const unsigned char *place)
{
	struct zg_slice slice;

	if (field->kind == ZG_JSON_KIND_TEXT)
		return (struct zg_slice){(const char *)place,
					 strnlen((const char *)place, field->size)};
	memcpy(&slice, place, sizeof(slice));
	return slice;
}

static uint32_t write_count(const struct zg_json_field *field, const unsigned char *object)
{
	uint32_t count;

	memcpy(&count, object + field->count_offset, sizeof(count));
	zg_assert(count <= field->count_maximum);
	return count;
}

static bool write_is_zero(const struct zg_json_field *field, const unsigned char *object);

static bool write_is_object_zero(const struct zg_json_table *table, const unsigned char *object)
{
	for (uint32_t index = 0; index < table->field_count; index++) {
		if (!write_is_zero(&table->fields[index], object))
			return false;
	}
	return true;
}

/* Is a member what it is in a struct that was never filled in? */
static bool write_is_zero(const struct zg_json_field *field, const unsigned char *object)
{
	const unsigned char *place = object + field->offset;

	if (field->count_offset != ZG_JSON_NO_MEMBER)
		return write_count(field, object) == 0;
	switch ((enum zg_json_kind)field->kind) {
	case ZG_JSON_KIND_SLICE:
	case ZG_JSON_KIND_TEXT:
	case ZG_JSON_KIND_NUMBER:
	case ZG_JSON_KIND_RAW:
		return write_slice(field, place).size == 0;
	case ZG_JSON_KIND_OBJECT:
		return write_is_object_zero(field->table, place);
	case ZG_JSON_KIND_UNSIGNED:
	case ZG_JSON_KIND_SIGNED:
	case ZG_JSON_KIND_BOOL:
	case ZG_JSON_KIND_WORD:
		break;
	}
	return write_unsigned(place, field->size) == 0;
}

static void write_word(struct zg_json_writer *writer, const struct zg_json_field *field,
		       const unsigned char *place)
{
	uint64_t index = write_unsigned(place, field->size);

	zg_assert(index < field->maximum);
	zg_assert(field->words[index] != NULL);
	zg_json_text(writer, field->words[index]);
}

static void write_value(struct zg_json_writer *writer, const struct zg_json_field *field,
			const unsigned char *place)
{
	switch ((enum zg_json_kind)field->kind) {
	case ZG_JSON_KIND_UNSIGNED:
		zg_json_u64(writer, write_unsigned(place, field->size));
		return;
	case ZG_JSON_KIND_SIGNED:
		zg_json_i64(writer, write_signed(place, field->size));
		return;
	case ZG_JSON_KIND_BOOL:
		zg_json_bool(writer, write_unsigned(place, field->size) != 0);
		return;
	case ZG_JSON_KIND_SLICE:
	case ZG_JSON_KIND_TEXT:
		zg_json_string(writer, write_slice(field, place));
		return;
	case ZG_JSON_KIND_NUMBER:
	case ZG_JSON_KIND_RAW:
		zg_json_raw(writer, write_slice(field, place));
		return;
	case ZG_JSON_KIND_WORD:
		write_word(writer, field, place);
		return;
	case ZG_JSON_KIND_OBJECT:
		write_fields(writer, field->table, place);
		return;
	}
	zg_assert(!"a kind of field that there is not");
}

static void write_member(struct zg_json_writer *writer, const struct zg_json_field *field,
			 const unsigned char *object)
{
	const unsigned char *place = object + field->offset;
	uint32_t count;

	if (zgi_json_key_begin(writer, (size_t)field->name_size + 3)) {
		zgi_json_put_byte(writer, '"');
		zgi_json_put(writer, field->name, field->name_size);
		zgi_json_put(writer, "\":", 2);
	}
	if (field->count_offset == ZG_JSON_NO_MEMBER) {
		write_value(writer, field, place);
		return;
	}
	count = write_count(field, object);
	zg_json_array_begin(writer);
	for (uint32_t index = 0; index < count; index++)
		write_value(writer, field, place + (size_t)index * field->size);
	zg_json_array_end(writer);
}

static void write_fields(struct zg_json_writer *writer, const struct zg_json_table *table,
			 const unsigned char *object)
{
	bool has_present = table->present_offset != ZG_JSON_NO_MEMBER;
	uint64_t present = 0;

	if (has_present)
		memcpy(&present, object + table->present_offset, sizeof(present));
	zg_json_object_begin(writer);
	for (uint32_t index = 0; index < table->field_count; index++) {
		const struct zg_json_field *field = &table->fields[index];
		bool is_wanted = (field->flags & ZG_JSON_REQUIRED) != 0;

		if (!is_wanted)
			is_wanted = has_present ? (present >> index & 1) != 0
						: !write_is_zero(field, object);
		if (is_wanted)
			write_member(writer, field, object);
	}
	zg_json_object_end(writer);
}

void zg_json_object(struct zg_json_writer *writer, const struct zg_json_table *table,
		    const void *object)
{
	zg_assert(table != NULL && table->field_count <= ZG_JSON_FIELDS_MAX);
	zg_assert(object != NULL);
	write_fields(writer, table, object);
}
