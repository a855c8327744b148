/*
 * JSON fields: the rows of a table that binds a struct.
 *
 * A row names a struct, one of its members, whose name is the key in the document, and
 * its limits. That the member is of the row's type, that limits are in order and within
 * the type, and that a table and a struct go together is seen by the compiler: what is
 * wrong does not compile.
 *
 * Included by zerog/json.h; include that.
 */
#ifndef ZEROG_JSON_FIELDS_H
#define ZEROG_JSON_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/json.h>

/*
 * Rows. `type` is the struct as C writes it ("struct cart_line"), `member` one of its members, and
 * `flags` ZG_JSON_REQUIRED, ZG_JSON_OPTIONAL or ZG_JSON_NULLABLE. Limits are constants, and lie
 * within what they limit themselves.
 */

/* Whole numbers of a range. The member is a uint8_t, uint16_t, uint32_t, uint64_t, int32_t or
 * int64_t. An amount of money is one, in the currency's minor unit. */
#define ZG_JSON_U8(type, member, minimum, maximum, flags) \
	ZG_JSON_UNSIGNED_ROW(type, member, uint8_t, UINT8_MAX, minimum, maximum, flags)
#define ZG_JSON_U16(type, member, minimum, maximum, flags) \
	ZG_JSON_UNSIGNED_ROW(type, member, uint16_t, UINT16_MAX, minimum, maximum, flags)
#define ZG_JSON_U32(type, member, minimum, maximum, flags) \
	ZG_JSON_UNSIGNED_ROW(type, member, uint32_t, UINT32_MAX, minimum, maximum, flags)
#define ZG_JSON_U64(type, member, minimum, maximum, flags) \
	ZG_JSON_UNSIGNED_ROW(type, member, uint64_t, UINT64_MAX, minimum, maximum, flags)
#define ZG_JSON_I32(type, member, minimum, maximum, flags) \
	ZG_JSON_SIGNED_ROW(type, member, int32_t, INT32_MIN, INT32_MAX, minimum, maximum, flags)
#define ZG_JSON_I64(type, member, minimum, maximum, flags) \
	ZG_JSON_SIGNED_ROW(type, member, int64_t, INT64_MIN, INT64_MAX, minimum, maximum, flags)

/* true or false. The member is a bool. */
#define ZG_JSON_BOOL(type, member, flags)                                                        \
	ZG_JSON_ROW(type, member, ZG_JSON_KIND_BOOL, ZG_JSON_IS(type, member, bool), 0, 0, NULL, \
		    NULL, flags)

/* A string of so many bytes of UTF-8. The member is a struct zg_slice: a piece of the document,
 * unescaped where it stands, without a NUL behind it. */
#define ZG_JSON_SLICE(type, member, size_minimum, size_maximum, flags)   \
	ZG_JSON_ROW(type, member, ZG_JSON_KIND_SLICE,                    \
		    ZG_JSON_IS(type, member, struct zg_slice) &&         \
			    ZG_JSON_AT_MOST(size_minimum, size_maximum), \
		    size_minimum, size_maximum, NULL, NULL, flags)

/* A string that is copied. The member is an array of char, which has room for it and for the NUL
 * behind it; so a string may not have a NUL in it. */
#define ZG_JSON_TEXT(type, member, size_minimum, flags)                             \
	ZG_JSON_ROW(type, member, ZG_JSON_KIND_TEXT,                                \
		    ZG_JSON_IS(type, member, char[sizeof(((type *)0)->member)]) &&  \
			    (uint64_t)(size_minimum) < sizeof(((type *)0)->member), \
		    size_minimum, sizeof(((type *)0)->member) - 1, NULL, NULL, flags)

/* Any number, as it is written and so exact: "0.10", "1e400". The member is a struct zg_slice. */
#define ZG_JSON_NUMBER(type, member, flags)                                                       \
	ZG_JSON_ROW(type, member, ZG_JSON_KIND_NUMBER, ZG_JSON_IS(type, member, struct zg_slice), \
		    0, 0, NULL, NULL, flags)

/* Any value, as it is written, of so many bytes; it is checked to be JSON. The member is a struct
 * zg_slice. */
#define ZG_JSON_RAW(type, member, size_maximum, flags)                                            \
	ZG_JSON_ROW(type, member, ZG_JSON_KIND_RAW, ZG_JSON_IS(type, member, struct zg_slice), 0, \
		    size_maximum, NULL, NULL, flags)

/* One of a list of words. `words` is an array of const char *const; an entry that is NULL is no
 * word. The member is an enum, uint32_t or int32_t, and becomes the index of the word. */
#define ZG_JSON_WORD(type, member, words, flags)                         \
	ZG_JSON_ROW(type, member, ZG_JSON_KIND_WORD,                     \
		    sizeof(((type *)0)->member) == sizeof(uint32_t) &&   \
			    (__typeof__(((type *)0)->member))0.5 == 0 && \
			    sizeof(words) % sizeof((words)[0]) == 0,     \
		    0, sizeof(words) / sizeof((words)[0]), NULL, words, flags)

/* An object that another table describes. The member is of that table's struct. */
#define ZG_JSON_OBJECT(type, member, name, flags)      \
	ZG_JSON_ROW(type, member, ZG_JSON_KIND_OBJECT, \
		    ZG_JSON_IS(type, member, name##_json_struct), 0, 0, &name##_json, NULL, flags)

/* An array of such objects, of at least so many; what it has room for is the most. The member is an
 * array of that table's struct, and `count` the uint32_t that counts its elements. */
#define ZG_JSON_ARRAY(type, member, count, name, count_minimum, flags)                        \
	ZG_JSON_ARRAY_ROW(type, member, count, ZG_JSON_KIND_OBJECT, name##_json_struct, 0, 0, \
			  &name##_json, count_minimum, flags)

/* Arrays of whole numbers, and of strings: the member is an array of uint32_t, uint64_t, int64_t or
 * struct zg_slice. */
#define ZG_JSON_ARRAY_U32(type, member, count, minimum, maximum, count_minimum, flags)         \
	ZG_JSON_ARRAY_ROW(type, member, count, ZG_JSON_KIND_UNSIGNED, uint32_t,                \
			  ZG_JSON_ORDERED(minimum, maximum, 0, UINT32_MAX, uint64_t), maximum, \
			  NULL, count_minimum, flags)
#define ZG_JSON_ARRAY_U64(type, member, count, minimum, maximum, count_minimum, flags)         \
	ZG_JSON_ARRAY_ROW(type, member, count, ZG_JSON_KIND_UNSIGNED, uint64_t,                \
			  ZG_JSON_ORDERED(minimum, maximum, 0, UINT64_MAX, uint64_t), maximum, \
			  NULL, count_minimum, flags)
#define ZG_JSON_ARRAY_I64(type, member, count, minimum, maximum, count_minimum, flags)      \
	ZG_JSON_ARRAY_ROW(type, member, count, ZG_JSON_KIND_SIGNED, int64_t,                \
			  ZG_JSON_ORDERED(minimum, maximum, INT64_MIN, INT64_MAX, int64_t), \
			  maximum, NULL, count_minimum, flags)
#define ZG_JSON_ARRAY_SLICE(type, member, count, size_minimum, size_maximum, count_minimum, flags) \
	ZG_JSON_ARRAY_ROW(type, member, count, ZG_JSON_KIND_SLICE, struct zg_slice,                \
			  ZG_JSON_ORDERED(size_minimum, size_maximum, 0, UINT32_MAX, uint64_t),    \
			  size_maximum, NULL, count_minimum, flags)

/**
 * ZG_JSON_FIELDS() - declare how documents and a struct go together; at file scope
 * @name:     what the declared names begin with
 * @type:     of the struct, complete
 * @unknown:  ZG_JSON_REFUSE_UNKNOWN or ZG_JSON_SKIP_UNKNOWN
 * @...:      rows, 1 to ZG_JSON_FIELDS_MAX, of the same struct; documents that have the keys in
 *            the order of the rows are read quickest
 *
 * Declares, with everything static and the functions inline:
 *
 *	name_json            the table
 *	name_json_struct     the struct's type, for tables that it is part of
 *	name_json_bind()     as zg_json_bind(), with a struct of this type
 *	name_json_write()    as zg_json_object()
 *	name_json_request()  as zg_request_json()
 *	name_json_reply()    as zg_reply_json_object()
 *
 * In C, an incompatible pointer is an error from here to the end of the file, as it always is in
 * C++.
 */
#define ZG_JSON_FIELDS(name, type, unknown, ...) \
	ZG_JSON_TABLE(name, type, unknown, ZG_JSON_NO_MEMBER, __VA_ARGS__)

/**
 * ZG_JSON_FIELDS_PRESENT() - the same, for a struct that keeps which fields there were
 * @name:     as for ZG_JSON_FIELDS()
 * @type:     as for ZG_JSON_FIELDS()
 * @unknown:  as for ZG_JSON_FIELDS()
 * @present:  a uint64_t of the struct: bit n is set when the document had the table's n-th row,
 *            counted from 0. It is what tells "0" from "not said" in a partial update
 * @...:      as for ZG_JSON_FIELDS()
 */
#define ZG_JSON_FIELDS_PRESENT(name, type, unknown, present, ...)                     \
	ZG_JSON_TABLE(name, type, unknown,                                            \
		      (uint32_t)(offsetof(type, present) +                            \
				 ZG_JSON_CHECK(ZG_JSON_IS(type, present, uint64_t))), \
		      __VA_ARGS__)

/* From here on: what the above is made of. */

#ifdef __cplusplus
#define ZG_JSON_IS(type, member, wanted) __is_same(__typeof__(((type *)0)->member), wanted)
#define ZG_JSON_CHECK(condition) (0 * sizeof(char[(condition) ? 1 : -1]))
#define ZG_JSON_STRICT
#else
#define ZG_JSON_IS(type, member, wanted) \
	__builtin_types_compatible_p(__typeof__(((type *)0)->member), wanted)
#define ZG_JSON_CHECK(condition)                                                                \
	(0 * sizeof(struct {                                                                    \
		 ZG_STATIC_ASSERT(condition, "a row of a JSON table: the member is of another " \
					     "type, or a limit does not fit it");               \
		 int unused;                                                                    \
	 }))
/* To C before gcc 14, the wrong struct's address is only a warning. */
#define ZG_JSON_STRICT _Pragma("GCC diagnostic error \"-Wincompatible-pointer-types\"")
#endif

/* Written so that no compiler finds a comparison that is always true. */
#define ZG_JSON_AT_MOST(a, b) ((a) < (b) || (a) == (b))

/* The lower limit, if both are in order and within what the type holds. */
#define ZG_JSON_ORDERED(minimum, maximum, lowest, highest, limit_type)  \
	((limit_type)(minimum) +                                        \
	 (limit_type)ZG_JSON_CHECK(ZG_JSON_AT_MOST(lowest, minimum) &&  \
				   ZG_JSON_AT_MOST(minimum, maximum) && \
				   ZG_JSON_AT_MOST((limit_type)(maximum), (limit_type)(highest))))

/* In the order of struct zg_json_field; C++17 has no names for them. */
#define ZG_JSON_ROW(type, member, kind, condition, minimum, maximum, table, words, flags)    \
	{                                                                                    \
#member, (uint16_t)(sizeof(#member) - 1), (uint8_t)(kind), (uint8_t)(flags), \
			(uint32_t)(offsetof(type, member) + ZG_JSON_CHECK(condition)),       \
			(uint32_t)sizeof(((type *)0)->member), ZG_JSON_NO_MEMBER, 0, 0,      \
			(uint64_t)(minimum), (uint64_t)(maximum), table, words               \
	}

#define ZG_JSON_UNSIGNED_ROW(type, member, wanted, highest, minimum, maximum, flags)              \
	ZG_JSON_ROW(type, member, ZG_JSON_KIND_UNSIGNED, ZG_JSON_IS(type, member, wanted),        \
		    ZG_JSON_ORDERED(minimum, maximum, 0, highest, uint64_t), maximum, NULL, NULL, \
		    flags)

#define ZG_JSON_SIGNED_ROW(type, member, wanted, lowest, highest, minimum, maximum, flags)      \
	ZG_JSON_ROW(type, member, ZG_JSON_KIND_SIGNED, ZG_JSON_IS(type, member, wanted),        \
		    ZG_JSON_ORDERED(minimum, maximum, lowest, highest, int64_t), maximum, NULL, \
		    NULL, flags)

#define ZG_JSON_ARRAY_ROW(type, member, count, kind, element, minimum, maximum, table,           \
			  count_minimum, flags)                                                  \
	{                                                                                        \
#member, (uint16_t)(sizeof(#member) - 1), (uint8_t)(kind), (uint8_t)(flags),     \
			(uint32_t)(offsetof(type, member) +                                      \
				   ZG_JSON_CHECK(ZG_JSON_IS(                                     \
					   type, member, element[ZG_JSON_ROOM(type, member)]))), \
			(uint32_t)sizeof(element),                                               \
			(uint32_t)(offsetof(type, count) +                                       \
				   ZG_JSON_CHECK(ZG_JSON_IS(type, count, uint32_t))),            \
			(uint32_t)((count_minimum) +                                             \
				   ZG_JSON_CHECK(ZG_JSON_AT_MOST((uint64_t)(count_minimum),      \
								 ZG_JSON_ROOM(type, member)))),  \
			(uint32_t)ZG_JSON_ROOM(type, member), (uint64_t)(minimum),               \
			(uint64_t)(maximum), table, NULL                                         \
	}

/* Elements that an array has room for. */
#define ZG_JSON_ROOM(type, member) (sizeof(((type *)0)->member) / sizeof(((type *)0)->member[0]))

#define ZG_JSON_TABLE(name, type, unknown, present_offset, ...)                             \
	ZG_JSON_STRICT                                                                      \
	typedef type name##_json_struct;                                                    \
	static const struct zg_json_field name##_json_fields[] = {__VA_ARGS__};             \
	ZG_STATIC_ASSERT(sizeof(name##_json_fields) / sizeof(name##_json_fields[0]) <=      \
				 ZG_JSON_FIELDS_MAX,                                        \
			 "a table has ZG_JSON_FIELDS_MAX rows at the most");                \
	static const struct zg_json_table name##_json = {                                   \
		name##_json_fields,                                                         \
		(uint32_t)(sizeof(name##_json_fields) / sizeof(name##_json_fields[0])),     \
		(uint32_t)sizeof(type), present_offset, unknown};                           \
	ZG_INLINE ZG_MUST_USE int name##_json_bind(char *json, size_t size, type *object,   \
						   struct zg_json_error *ret_error)         \
	{                                                                                   \
		return zg_json_bind(json, size, &name##_json, object, ret_error);           \
	}                                                                                   \
	ZG_INLINE void name##_json_write(struct zg_json_writer *writer, const type *object) \
	{                                                                                   \
		zg_json_object(writer, &name##_json, object);                               \
	}                                                                                   \
	ZG_INLINE ZG_MUST_USE int name##_json_request(struct zg_exchange *x, type *object,  \
						      struct zg_json_error *ret_error)      \
	{                                                                                   \
		return zg_request_json(x, &name##_json, object, ret_error);                 \
	}                                                                                   \
	ZG_INLINE ZG_MUST_USE int name##_json_reply(struct zg_exchange *x, int status,      \
						    const type *object)                     \
	{                                                                                   \
		return zg_reply_json_object(x, status, &name##_json, object);               \
	}                                                                                   \
	/* So that the macro is used with a semicolon. */                                   \
	struct zg_json_table

#endif
