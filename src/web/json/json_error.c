/*
 * Why a document is refused, in words: where it is, and what to change.
 *
 * Nothing here is reached by a document that is accepted, so nothing here is quick.
 * What a peer sent is shown in a message only as far as it is printable.
 */
#include "web/json/json_read.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <zerog/text.h>

#include "base/assert.h"

#define ERROR_KEY_SIZE_MAX 48 /* bytes of a key of a peer's that are shown */
#define ERROR_WORDS_MAX 12 /* words that are listed */

static const struct {
	const char *code;
	int status;
} error_faults[] = {
#define ERROR_FAULT(name, code, status) {code, status},
	ZG_JSON_FAULTS(ERROR_FAULT)
#undef ERROR_FAULT
};

const char *zg_json_fault_code(enum zg_json_fault fault)
{
	zg_assert(fault < ZG_JSON_FAULT_COUNT);
	return error_faults[fault].code;
}

int zg_json_fault_status(enum zg_json_fault fault)
{
	zg_assert(fault < ZG_JSON_FAULT_COUNT);
	return error_faults[fault].status;
}

/* "lines[3].quantity". As many frames as tables lie inside each other. */
static void error_path_print(struct zg_text *path, const struct zgi_json_frame *frame)
{
	if (frame == NULL)
		return;
	error_path_print(path, frame->parent);
	if (frame->field == NULL)
		return;
	zg_text_print(path, "%s%s", path->size > 0 ? "." : "", frame->field->name);
	if (frame->index != ZGI_JSON_NO_INDEX)
		zg_text_print(path, "[%" PRIu32 "]", frame->index);
}

/* Start an error: its path is printed, its message is to follow. */
static void error_start(struct zgi_json_reader *reader, enum zg_json_fault fault, const char *at,
			struct zg_text *ret_message)
{
	struct zg_json_error *error = reader->error;
	struct zg_text path;

	zg_assert(at >= reader->start && at <= reader->end);
	error->fault = fault;
	error->offset = (uint32_t)(at - reader->start);
	zg_text_init(&path, error->path, sizeof(error->path));
	error_path_print(&path, reader->frame);
	zg_text_init(ret_message, error->message, sizeof(error->message));
}

/* What the sentence is about. */
static void error_subject_print(struct zg_text *message, const struct zg_json_error *error)
{
	zg_text_print(message, "%s", error->path[0] != '\0' ? error->path : "the document");
}

int zgi_json_malformed(struct zgi_json_reader *reader, enum zg_json_fault fault, const char *at,
		       const char *what)
{
	struct zg_text message;

	error_start(reader, fault, at, &message);
	zg_text_print(&message, "at byte %" PRIu32 ", %s", reader->error->offset, what);
	return -EINVAL;
}

int zgi_json_unexpected(struct zgi_json_reader *reader, const char *expected)
{
	struct zg_text message;
	int byte = zgi_json_peek(reader);

	error_start(reader, byte < 0 ? ZG_JSON_FAULT_ENDED : ZG_JSON_FAULT_SYNTAX, reader->at,
		    &message);
	if (byte < 0)
		zg_text_print(&message, "the document ends at byte %" PRIu32 ": %s must follow",
			      reader->error->offset, expected);
	else if (byte > ' ' && byte < 0x7F)
		zg_text_print(&message, "at byte %" PRIu32 " there must be %s, not %c",
			      reader->error->offset, expected, byte);
	else
		zg_text_print(&message, "at byte %" PRIu32 " there must be %s, not the byte 0x%02X",
			      reader->error->offset, expected, (unsigned int)byte);
	return -EINVAL;
}

static void error_sizes_print(struct zg_text *message, const char *noun, uint64_t minimum,
			      uint64_t maximum)
{
	if (minimum == maximum)
		zg_text_print(message, " of exactly %" PRIu64 " %s", minimum, noun);
	else if (minimum == 0)
		zg_text_print(message, " of at most %" PRIu64 " %s", maximum, noun);
	else
		zg_text_print(message, " of %" PRIu64 " to %" PRIu64 " %s", minimum, maximum, noun);
}

static void error_words_print(struct zg_text *message, const struct zg_json_field *field)
{
	const char *before = "one of ";
	uint32_t count = 0;

	for (uint64_t index = 0; index < field->maximum; index++) {
		if (field->words[index] == NULL)
			continue;
		if (count++ == ERROR_WORDS_MAX) {
			zg_text_print(message, " and others");
			break;
		}
		zg_text_print(message, "%s\"%s\"", before, field->words[index]);
		before = ", ";
	}
}

/* What a value must be: "a whole number from 1 to 99". */
static void error_wanted_print(struct zg_text *message, const struct zg_json_field *field)
{
	switch ((enum zg_json_kind)field->kind) {
	case ZG_JSON_KIND_UNSIGNED:
		zg_text_print(message, "a whole number from %" PRIu64 " to %" PRIu64,
			      field->minimum, field->maximum);
		break;
	case ZG_JSON_KIND_SIGNED:
		zg_text_print(message, "a whole number from %" PRId64 " to %" PRId64,
			      (int64_t)field->minimum, (int64_t)field->maximum);
		break;
	case ZG_JSON_KIND_BOOL:
		zg_text_print(message, "true or false");
		break;
	case ZG_JSON_KIND_SLICE:
	case ZG_JSON_KIND_TEXT:
		zg_text_print(message, "a string");
		error_sizes_print(message, "bytes", field->minimum, field->maximum);
		break;
	case ZG_JSON_KIND_NUMBER:
		zg_text_print(message, "a number");
		break;
	case ZG_JSON_KIND_RAW:
		zg_text_print(message, "a value");
		error_sizes_print(message, "bytes", 0, field->maximum);
		break;
	case ZG_JSON_KIND_WORD:
		error_words_print(message, field);
		break;
	case ZG_JSON_KIND_OBJECT:
		zg_text_print(message, "an object");
		break;
	}
}

int zgi_json_unfit(struct zgi_json_reader *reader, enum zg_json_fault fault, const char *at)
{
	const struct zgi_json_frame *frame = reader->frame;
	struct zg_text message;

	error_start(reader, fault, at, &message);
	error_subject_print(&message, reader->error);
	zg_text_print(&message, " must be ");
	if (frame == NULL || frame->field == NULL) {
		zg_text_print(&message, "an object");
	} else if (frame->field->count_offset != ZG_JSON_NO_MEMBER &&
		   frame->index == ZGI_JSON_NO_INDEX) {
		zg_text_print(&message, "an array");
		error_sizes_print(&message, "elements", frame->field->count_minimum,
				  frame->field->count_maximum);
	} else {
		error_wanted_print(&message, frame->field);
	}
	if (fault == ZG_JSON_FAULT_FRACTION)
		zg_text_print(&message, ", written without fraction or exponent");
	else if (fault == ZG_JSON_FAULT_NUL)
		zg_text_print(&message, ", without \\u0000");
	return -EINVAL;
}

/* A peer's key, cut where a character ends, behind the path. */
static void error_key_append(struct zg_json_error *error, struct zg_slice key)
{
	struct zg_text path = {
		.data = error->path, .size = strlen(error->path), .capacity = sizeof(error->path)};

	if (key.size > ERROR_KEY_SIZE_MAX) {
		key.size = ERROR_KEY_SIZE_MAX;
		while (key.size > 0 && ((unsigned char)key.data[key.size] & 0xC0) == 0x80)
			key.size--;
	}
	if (path.size + key.size + 1 >= path.capacity)
		return;
	if (path.size > 0)
		zg_text_append(&path, ZG_SLICE("."));
	zg_text_append(&path, key);
}

int zgi_json_key_refused(struct zgi_json_reader *reader, enum zg_json_fault fault, const char *at,
			 struct zg_slice key)
{
	struct zg_text message;

	error_start(reader, fault, at, &message);
	error_key_append(reader->error, key);
	zg_text_print(&message, "%s %s",
		      reader->error->path[0] != '\0' ? reader->error->path : "a key of no bytes",
		      fault == ZG_JSON_FAULT_UNKNOWN ? "is not known here: leave it out"
						     : "is there twice: send it once");
	return -EINVAL;
}

int zgi_json_missing(struct zgi_json_reader *reader, const char *at)
{
	struct zg_text message;

	error_start(reader, ZG_JSON_FAULT_MISSING, at, &message);
	error_subject_print(&message, reader->error);
	zg_text_print(&message, " is missing: it must be there, as ");
	if (reader->frame->field->count_offset != ZG_JSON_NO_MEMBER) {
		zg_text_print(&message, "an array");
		error_sizes_print(&message, "elements", reader->frame->field->count_minimum,
				  reader->frame->field->count_maximum);
	} else {
		error_wanted_print(&message, reader->frame->field);
	}
	return -EINVAL;
}
