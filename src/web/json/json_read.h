/*
 * JSON reader: the pieces of a document, one after another, without a table.
 *
 * It stands on a byte of the document and moves over what it is asked for: white
 * space, a string, a number, or a whole value. What is no JSON is refused where it is
 * seen; json_error.c says it in words.
 */
#ifndef ZEROG_WEB_JSON_READ_H
#define ZEROG_WEB_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/json.h>

#define ZGI_JSON_NO_INDEX UINT32_MAX

/* Where in the document a table's object stands: the chain of these is the path of an error. */
struct zgi_json_frame {
	const struct zgi_json_frame *parent; /* borrowed; NULL: the document */
	const struct zg_json_field *field; /* borrowed; the member being read; NULL: none yet */
	uint32_t index; /* of the element being read, in an array; or ZGI_JSON_NO_INDEX */
};

struct zgi_json_reader {
	const char *start;
	const char *at; /* the next byte */
	const char *end;
	char *writable; /* the document again, when it may be changed; else NULL */
	uint32_t depth; /* objects and arrays that are open */
	const struct zgi_json_frame *frame; /* borrowed; NULL outside of tables */
	struct zg_json_error *error; /* borrowed */
};

/* A string as it stands in the document, without its quotes; checked. */
struct zgi_json_string {
	const char *data;
	size_t size; /* bytes in the document */
	size_t plain_size; /* bytes when unescaped: the same when there are no escapes */
};

/* A number as it stands in the document. */
struct zgi_json_number {
	struct zg_slice text;
	uint64_t magnitude; /* without the sign; when it is whole and not huge */
	bool is_negative;
	bool is_whole; /* neither fraction nor exponent */
	bool is_huge; /* the magnitude does not fit */
};

void zgi_json_reader_init(struct zgi_json_reader *reader, struct zg_slice json,
			  struct zg_json_error *error);

/* The next byte, or -1 at the end. */
static inline int zgi_json_peek(const struct zgi_json_reader *reader)
{
	return reader->at < reader->end ? (unsigned char)*reader->at : -1;
}

/* Pass over white space (RFC 8259, section 2). */
static inline void zgi_json_space(struct zgi_json_reader *reader)
{
	const char *at = reader->at;

	while (at < reader->end && (unsigned char)*at <= ' ' &&
	       (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
		at++;
	reader->at = at;
}

/* The document before its value: not too large, not empty. */
ZG_MUST_USE int zgi_json_begin(struct zgi_json_reader *reader);

/* The document behind its value: nothing more. */
ZG_MUST_USE int zgi_json_finish(struct zgi_json_reader *reader);

/* From the opening quote to behind the closing one. */
ZG_MUST_USE int zgi_json_read_string(struct zgi_json_reader *reader,
				     struct zgi_json_string *ret_string);

/* From the sign or first digit to behind the last byte of the number. */
ZG_MUST_USE int zgi_json_read_number(struct zgi_json_reader *reader,
				     struct zgi_json_number *ret_number);

/* One of true, false and null, all of it. */
ZG_MUST_USE int zgi_json_read_literal(struct zgi_json_reader *reader, struct zg_slice literal);

/* Any value, checked and passed over. */
ZG_MUST_USE int zgi_json_skip(struct zgi_json_reader *reader);

/* One more object or array is open: within the limit? */
ZG_MUST_USE int zgi_json_deeper(struct zgi_json_reader *reader);

/* Write what a string that was read says, to plain_size bytes, which may be where it stands. */
void zgi_json_unescape(const struct zgi_json_string *string, char *output);

/* Failures: each fills in the error, and returns -EINVAL. */

/* The byte at `at` is not what must follow: `expected` names that. */
ZG_MUST_USE int zgi_json_unexpected(struct zgi_json_reader *reader, const char *expected);

/* The bytes at `at` are no JSON, for another reason: `what` is the sentence behind its place. */
ZG_MUST_USE int zgi_json_malformed(struct zgi_json_reader *reader, enum zg_json_fault fault,
				   const char *at, const char *what);

/* The value that began at `at` is not what the frame's field asks for. */
ZG_MUST_USE int zgi_json_unfit(struct zgi_json_reader *reader, enum zg_json_fault fault,
			       const char *at);

/* A key that began at `at` is not in the table, or was there before. */
ZG_MUST_USE int zgi_json_key_refused(struct zgi_json_reader *reader, enum zg_json_fault fault,
				     const char *at, struct zg_slice key);

/* The frame's field is required, and the object that ends at `at` does not have it. */
ZG_MUST_USE int zgi_json_missing(struct zgi_json_reader *reader, const char *at);

#endif
