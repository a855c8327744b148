/*
 * JSON: documents bound into plain structs, and structs written as documents.
 *
 * A table of fields (zerog/json_fields.h) says which members of a struct a document may have, of
 * which type and within which limits. The binder reads a document in one pass, straight into the
 * struct: no tree is built and nothing is allocated. It is strict (RFC 8259): UTF-8 is validated,
 * a lone surrogate, a second key of the same name, or anything behind the document is refused.
 * Whole numbers are read as whole numbers, never through floating point.
 *
 *	struct cart_line { uint64_t product; uint32_t quantity; };
 *
 *	ZG_JSON_FIELDS(cart_line, struct cart_line, ZG_JSON_REFUSE_UNKNOWN,
 *		       ZG_JSON_U64(struct cart_line, product, 1, UINT64_MAX, ZG_JSON_REQUIRED),
 *		       ZG_JSON_U32(struct cart_line, quantity, 1, 99, ZG_JSON_REQUIRED));
 *
 * The writer prints the same struct by the same table, or whatever it is told value by value.
 *
 * Ownership  Documents, structs and buffers are the caller's. Slices that were bound point into the
 *            document, which must stay as long as they are used.
 * Threads    Not locked; nothing is shared but the tables, which are constant.
 * Limits     ZG_JSON_DEPTH_MAX levels; ZG_JSON_SIZE_MAX bytes; ZG_JSON_FIELDS_MAX rows a table.
 */
#ifndef ZEROG_JSON_H
#define ZEROG_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/arena.h>
#include <zerog/attributes.h>
#include <zerog/exchange.h>
#include <zerog/slice.h>

ZG_BEGIN_DECLS

#define ZG_JSON_DEPTH_MAX 64 /* objects and arrays inside each other */
#define ZG_JSON_SIZE_MAX UINT32_MAX /* bytes of a document */
#define ZG_JSON_FIELDS_MAX 64
#define ZG_JSON_PATH_SIZE 128
#define ZG_JSON_MESSAGE_SIZE 320

/*
 * X(NAME, code, status): why a document is refused, the word a client's program knows it by, and
 * the status it is answered with. 400: it is no JSON. 422: it is, but not what the table asks for.
 */
#define ZG_JSON_FAULTS(X)                                                                        \
	X(NONE, "none", 200)                                                                     \
	X(MEDIA_TYPE, "media-type", 415) /* the request's Content-Type is not JSON */            \
	X(SIZE, "size", 413) /* more than ZG_JSON_SIZE_MAX bytes */                              \
	X(EMPTY, "empty", 400) /* nothing but white space */                                     \
	X(ENDED, "ended", 400) /* the document ends before it is complete */                     \
	X(SYNTAX, "syntax", 400) /* a byte that cannot stand there */                            \
	X(TRAILING, "trailing", 400) /* something follows the document */                        \
	X(NUMBER, "number", 400) /* no number of JSON's: +1, 01, .5, 1. */                       \
	X(CONTROL, "control", 400) /* a control byte in a string */                              \
	X(ESCAPE, "escape", 400) /* a backslash and nothing that may follow it */                \
	X(SURROGATE, "surrogate", 400) /* half of a surrogate pair */                            \
	X(UTF8, "utf-8", 400) /* bytes that are not UTF-8 */                                     \
	X(DEPTH, "depth", 400) /* more than ZG_JSON_DEPTH_MAX levels */                          \
	X(DUPLICATE, "duplicate", 400) /* the same key twice in a bound object */                \
	X(UNKNOWN, "unknown", 422) /* a key that the table does not have, and does not skip */   \
	X(MISSING, "missing", 422) /* a required field is not there */                           \
	X(TYPE, "type", 422) /* a value of another type */                                       \
	X(FRACTION, "fraction", 422) /* a fraction or an exponent where a whole number is due */ \
	X(RANGE, "range", 422) /* a whole number out of its range */                             \
	X(SHORT, "short", 422) /* a string of too few bytes */                                   \
	X(LONG, "long", 422) /* a string of too many bytes */                                    \
	X(NUL, "nul", 422) /* \u0000 where the string is to end in a NUL */                      \
	X(WORD, "word", 422) /* none of the words there are */                                   \
	X(FEW, "few", 422) /* an array of too few elements */                                    \
	X(MANY, "many", 422) /* an array of too many elements */

enum zg_json_fault {
#define ZG_JSON_FAULT_NAME(name, code, status) ZG_JSON_FAULT_##name,
	ZG_JSON_FAULTS(ZG_JSON_FAULT_NAME)
#undef ZG_JSON_FAULT_NAME
		ZG_JSON_FAULT_COUNT,
};

/* Why a document was refused. Written when it is, and only then. */
struct zg_json_error {
	enum zg_json_fault fault;
	uint32_t offset; /* of the byte in the document at which it was seen */
	char path[ZG_JSON_PATH_SIZE]; /* "lines[3].quantity"; empty for the whole document */
	char message[ZG_JSON_MESSAGE_SIZE]; /* one sentence that names what to change; UTF-8 */
};

/**
 * zg_json_fault_code() - the word that a client's program knows a fault by
 * @fault:  below ZG_JSON_FAULT_COUNT
 *
 * Return: static text, such as "range". Any thread.
 */
const char *zg_json_fault_code(enum zg_json_fault fault);

/**
 * zg_json_fault_status() - the status that a fault is answered with
 * @fault:  below ZG_JSON_FAULT_COUNT
 *
 * Return: 400 when the bytes are no JSON; 422 when they are, but not what was asked for; 413 or
 * 415. Any thread.
 */
int zg_json_fault_status(enum zg_json_fault fault);

/* Tables: made by the macros of zerog/json_fields.h, not by hand. */

enum zg_json_kind {
	ZG_JSON_KIND_UNSIGNED,
	ZG_JSON_KIND_SIGNED,
	ZG_JSON_KIND_BOOL,
	ZG_JSON_KIND_SLICE, /* a struct zg_slice into the document */
	ZG_JSON_KIND_TEXT, /* a char array, with a NUL behind the text */
	ZG_JSON_KIND_NUMBER, /* a struct zg_slice: a number as it is written */
	ZG_JSON_KIND_RAW, /* a struct zg_slice: any value as it is written */
	ZG_JSON_KIND_WORD, /* a number of 32 bits: the index of a word in a list */
	ZG_JSON_KIND_OBJECT,
};

/* What a row's last argument is made of. */
#define ZG_JSON_OPTIONAL 0
#define ZG_JSON_REQUIRED 1
#define ZG_JSON_NULLABLE 2 /* optional, and null is as good as absent */

#define ZG_JSON_NO_MEMBER UINT32_MAX

struct zg_json_table;

/* A row of a table. */
struct zg_json_field {
	const char *name; /* static text: the key, which is the member's name */
	uint16_t name_size; /* bytes */
	uint8_t kind; /* enum zg_json_kind: of the value, or of an array's elements */
	uint8_t flags;
	uint32_t offset; /* of the member in its struct */
	uint32_t size; /* bytes of the member, or of one element of an array */
	uint32_t count_offset; /* of the member that counts elements; ZG_JSON_NO_MEMBER: no array */
	uint32_t count_minimum; /* elements */
	uint32_t count_maximum;
	uint64_t minimum; /* of a number, or bytes of a string; int64_t for signed ones */
	uint64_t maximum; /* the same; of words, how many there are */
	const struct zg_json_table *table; /* of an object's fields; else NULL */
	const char *const *words; /* of a word; else NULL */
};

enum zg_json_unknown {
	ZG_JSON_REFUSE_UNKNOWN, /* a key that is not in the table is an error */
	ZG_JSON_SKIP_UNKNOWN, /* it is passed over, its value only checked to be JSON */
};

/* The fields of one type of struct. */
struct zg_json_table {
	const struct zg_json_field *fields;
	uint32_t field_count;
	uint32_t object_size; /* bytes of the struct */
	uint32_t present_offset; /* of its uint64_t of presence bits; or ZG_JSON_NO_MEMBER */
	enum zg_json_unknown unknown;
};

/**
 * zg_json_bind() - read a document into a struct
 * @json:       the document, the caller's, and not const: a string with escapes that is bound as a
 *              slice is unescaped where it stands, so a document can be bound only once
 * @size:       bytes of it
 * @table:      of the struct
 * @object:     the struct, holding the defaults of what is optional: what is absent is left alone.
 *              Elements of arrays begin zeroed. After a failure some members have been set
 * @ret_error:  why it was refused; untouched when it was not
 *
 * Use NAME_json_bind(), which ZG_JSON_FIELDS() declares: it sees to it that table and struct go
 * together.
 *
 * Return: 0; -EINVAL when the document is refused. Any thread. Source: RFC 8259.
 */
ZG_MUST_USE int zg_json_bind(char *json, size_t size, const struct zg_json_table *table,
			     void *object, struct zg_json_error *ret_error);

/**
 * zg_json_check() - is this JSON, and nothing else?
 * @json:       a document of any type, not changed
 * @ret_error:  why it is not; untouched when it is
 *
 * As strict as the binder, but a key may come twice: nothing here gives it a meaning.
 *
 * Return: 0; -EINVAL. Any thread. Source: RFC 8259.
 */
ZG_MUST_USE int zg_json_check(struct zg_slice json, struct zg_json_error *ret_error);

/**
 * zg_json_is_present() - was a field in the document that was bound?
 * @table:   of the struct, declared with ZG_JSON_FIELDS_PRESENT()
 * @object:  bound
 * @name:    of a field of the table
 *
 * Return: true when it was, and was not a null that stands for absent. Any thread.
 */
bool zg_json_is_present(const struct zg_json_table *table, const void *object,
			struct zg_slice name);

/*
 * The writer. What it is told to write out of order (a key in an array, a value without its key,
 * two documents) is a mistake of the program and fails an assertion; that the room is used up is
 * remembered, and told at the end.
 */
struct zg_json_writer {
	char *data; /* borrowed, or the arena's */
	size_t size; /* bytes written */
	size_t capacity; /* bytes there are */
	struct zg_arena *arena; /* borrowed; NULL: the buffer does not grow */
	struct zg_arena_span span; /* the buffer, once it is in the arena */
	int result; /* the first failure */
	uint32_t depth; /* objects and arrays that are open */
	uint64_t objects; /* bit n: what was opened at depth n is an object, not an array */
	bool needs_comma; /* something stands before the next key or element */
	bool has_key; /* a key waits for its value */
	bool is_done; /* the document is complete */
};

/**
 * zg_json_writer_init() - start a document in a buffer
 * @writer:    the caller's; overwritten
 * @buffer:    borrowed until the document is done with; NULL when @capacity is 0
 * @capacity:  bytes of @buffer
 * @arena:     where the document moves when it outgrows @buffer; NULL when it may not. The bytes
 *             there live until the arena is reset
 */
void zg_json_writer_init(struct zg_json_writer *writer, char *buffer, size_t capacity,
			 struct zg_arena *arena);

/**
 * zg_json_writer_finish() - the document, once its last value was written
 * @writer:    initialised; every object and array ended
 * @ret_json:  the document, not NUL-terminated, where the writer's bytes are; untouched on failure
 *
 * Return: 0; -ENOSPC when it did not fit the buffer; -ENOMEM or -EMSGSIZE when the arena had no
 * room for it.
 */
ZG_MUST_USE int zg_json_writer_finish(struct zg_json_writer *writer, struct zg_slice *ret_json);

/** zg_json_object_begin() - begin an object; its members follow, each with zg_json_key() first */
void zg_json_object_begin(struct zg_json_writer *writer);

/** zg_json_object_end() - end the object begun last */
void zg_json_object_end(struct zg_json_writer *writer);

/** zg_json_array_begin() - begin an array; its elements follow */
void zg_json_array_begin(struct zg_json_writer *writer);

/** zg_json_array_end() - end the array begun last */
void zg_json_array_end(struct zg_json_writer *writer);

/** zg_json_key() - the key of the member that follows; as zg_json_string() */
void zg_json_key(struct zg_json_writer *writer, struct zg_slice name);

/**
 * zg_json_string() - a string
 * @writer:  initialised, in a place where a value may stand
 * @bytes:   any; what must be escaped is, and bytes that are not UTF-8 are written as U+FFFD, one
 *           for each stretch that could have begun a character (Unicode, section 3.9)
 */
void zg_json_string(struct zg_json_writer *writer, struct zg_slice bytes);

/** zg_json_text() - a NUL-terminated string, as zg_json_string(); not NULL */
void zg_json_text(struct zg_json_writer *writer, const char *text);

/** zg_json_u64() - a whole number. JavaScript reads those past 2^53 inexactly */
void zg_json_u64(struct zg_json_writer *writer, uint64_t number);

/** zg_json_i64() - a whole number that may be negative */
void zg_json_i64(struct zg_json_writer *writer, int64_t number);

/** zg_json_bool() - true or false */
void zg_json_bool(struct zg_json_writer *writer, bool value);

/** zg_json_null() - null */
void zg_json_null(struct zg_json_writer *writer);

/** zg_json_raw() - bytes that are one JSON value already; not looked at. Empty: null is written */
void zg_json_raw(struct zg_json_writer *writer, struct zg_slice json);

/**
 * zg_json_object() - a struct, by its table
 * @writer:  initialised, in a place where a value may stand
 * @table:   of the struct
 * @object:  its counts and words within the limits of the table
 *
 * Use NAME_json_write(), which ZG_JSON_FIELDS() declares. An optional field is left out where the
 * presence bits say that it is absent; in a struct without them, where it is zero or empty.
 */
void zg_json_object(struct zg_json_writer *writer, const struct zg_json_table *table,
		    const void *object);

/* Requests and replies: on the thread of the exchange's shard. */

/**
 * zg_request_json() - read the request's body into a struct
 * @x:          the handler's
 * @table:      of the struct
 * @object:     as for zg_json_bind(); slices in it live as long as the body, until the response has
 *              been sent
 * @ret_error:  as for zg_json_bind(); zg_reply_json_error() answers with it
 *
 * The request must say that it is JSON (Content-Type: application/json, or one that ends in +json):
 * a form of another site cannot. Use NAME_json_request(), which ZG_JSON_FIELDS() declares. Where
 * the bytes of the body are needed as well (their hash), take them first: see zg_json_bind().
 *
 * Return: 0; -EINVAL when the body is refused.
 */
ZG_MUST_USE int zg_request_json(struct zg_exchange *x, const struct zg_json_table *table,
				void *object, struct zg_json_error *ret_error);

/**
 * zg_reply_json_open() - start a document that is the reply's body
 * @x:       the handler's, not yet replied
 * @writer:  the caller's; overwritten. It writes where the reply will be sent from, and moves to
 * the exchange's arena when it outgrows that
 *
 * Until zg_reply_json_close() the handler makes no other reply and does not return; header fields
 * may be added.
 */
void zg_reply_json_open(struct zg_exchange *x, struct zg_json_writer *writer);

/**
 * zg_reply_json_close() - reply with the document, as application/json
 * @x:       the handler's, not yet replied
 * @status:  200 to 599
 * @writer:  from zg_reply_json_open(); every object and array ended
 *
 * Return: 0; -ENOMEM or -EMSGSIZE when the arena had no room for the document; errors as
 * zg_reply().
 */
ZG_MUST_USE int zg_reply_json_close(struct zg_exchange *x, int status,
				    struct zg_json_writer *writer);

/**
 * zg_reply_json_object() - reply with a struct, by its table
 * @x:       the handler's, not yet replied
 * @status:  200 to 599
 * @table:   of the struct
 * @object:  as for zg_json_object()
 *
 * Use NAME_json_reply(), which ZG_JSON_FIELDS() declares.
 *
 * Return: as zg_reply_json_close().
 */
ZG_MUST_USE int zg_reply_json_object(struct zg_exchange *x, int status,
				     const struct zg_json_table *table, const void *object);

/**
 * zg_reply_problem() - reply that something is wrong, as application/problem+json
 * @x:       the handler's, not yet replied
 * @status:  400 to 599; the problem's title is its reason phrase
 * @detail:  one sentence on this occurrence, for the client; UTF-8; empty for none
 *
 * Return: as zg_reply_json_close(). Source: RFC 9457.
 */
ZG_MUST_USE int zg_reply_problem(struct zg_exchange *x, int status, struct zg_slice detail);

/**
 * zg_reply_json_error() - reply why a document was refused, as application/problem+json
 * @x:      the handler's, not yet replied
 * @error:  from zg_request_json() or zg_json_bind(), which refused
 *
 * The status is that of zg_json_fault_status(); besides RFC 9457's members there are "code", "path"
 * and "offset".
 *
 * Return: as zg_reply_json_close(). Source: RFC 9457.
 */
ZG_MUST_USE int zg_reply_json_error(struct zg_exchange *x, const struct zg_json_error *error);

ZG_END_DECLS

#include <zerog/json_fields.h>

#endif
