/*
 * Fixture of the JSON tests: a cart, with a field of every kind, and its table.
 *
 * It is no part of the library.
 */
#ifndef ZEROG_WEB_JSON_FIXTURE_H
#define ZEROG_WEB_JSON_FIXTURE_H

#include <zerog/json.h>

enum fixture_state {
	FIXTURE_STATE_NONE, /* no word: never in a document */
	FIXTURE_STATE_OPEN,
	FIXTURE_STATE_PAID,
};

static const char *const fixture_states[] = {NULL, "open", "paid"};

struct fixture_line {
	uint64_t product;
	uint32_t quantity;
	int64_t discount; /* minor units, at most 0 */
};

struct fixture_address {
	char street[16];
	struct zg_slice city;
};

struct fixture_cart {
	uint8_t small;
	uint16_t medium;
	uint32_t large;
	uint64_t huge;
	int32_t change;
	int64_t amount; /* minor units */
	bool is_gift;
	struct zg_slice note;
	char currency[4];
	struct zg_slice rate;
	struct zg_slice extra;
	enum fixture_state state;
	struct fixture_address address;
	struct fixture_line lines[3];
	uint32_t line_count;
	uint64_t ids[4];
	uint32_t id_count;
	int64_t steps[2];
	uint32_t step_count;
	uint32_t marks[2];
	uint32_t mark_count;
	struct zg_slice tags[2];
	uint32_t tag_count;
};

ZG_JSON_FIELDS(fixture_line, struct fixture_line, ZG_JSON_REFUSE_UNKNOWN,
	       ZG_JSON_U64(struct fixture_line, product, 1, UINT64_MAX, ZG_JSON_REQUIRED),
	       ZG_JSON_U32(struct fixture_line, quantity, 1, 99, ZG_JSON_REQUIRED),
	       ZG_JSON_I64(struct fixture_line, discount, INT64_MIN, 0, ZG_JSON_OPTIONAL));

ZG_JSON_FIELDS(fixture_address, struct fixture_address, ZG_JSON_SKIP_UNKNOWN,
	       ZG_JSON_TEXT(struct fixture_address, street, 2, ZG_JSON_REQUIRED),
	       ZG_JSON_SLICE(struct fixture_address, city, 1, 20, ZG_JSON_OPTIONAL));

ZG_JSON_FIELDS(
	fixture_cart, struct fixture_cart, ZG_JSON_REFUSE_UNKNOWN,
	ZG_JSON_U8(struct fixture_cart, small, 0, 255, ZG_JSON_OPTIONAL),
	ZG_JSON_U16(struct fixture_cart, medium, 10, 1000, ZG_JSON_OPTIONAL),
	ZG_JSON_U32(struct fixture_cart, large, 0, UINT32_MAX, ZG_JSON_OPTIONAL),
	ZG_JSON_U64(struct fixture_cart, huge, 0, UINT64_MAX, ZG_JSON_OPTIONAL),
	ZG_JSON_I32(struct fixture_cart, change, -5, 5, ZG_JSON_OPTIONAL),
	ZG_JSON_I64(struct fixture_cart, amount, INT64_MIN, INT64_MAX, ZG_JSON_NULLABLE),
	ZG_JSON_BOOL(struct fixture_cart, is_gift, ZG_JSON_OPTIONAL),
	ZG_JSON_SLICE(struct fixture_cart, note, 2, 8, ZG_JSON_NULLABLE),
	ZG_JSON_TEXT(struct fixture_cart, currency, 3, ZG_JSON_OPTIONAL),
	ZG_JSON_NUMBER(struct fixture_cart, rate, ZG_JSON_OPTIONAL),
	ZG_JSON_RAW(struct fixture_cart, extra, 16, ZG_JSON_OPTIONAL),
	ZG_JSON_WORD(struct fixture_cart, state, fixture_states, ZG_JSON_OPTIONAL),
	ZG_JSON_OBJECT(struct fixture_cart, address, fixture_address, ZG_JSON_OPTIONAL),
	ZG_JSON_ARRAY(struct fixture_cart, lines, line_count, fixture_line, 1, ZG_JSON_OPTIONAL),
	ZG_JSON_ARRAY_U64(struct fixture_cart, ids, id_count, 0, UINT64_MAX, 0, ZG_JSON_OPTIONAL),
	ZG_JSON_ARRAY_I64(struct fixture_cart, steps, step_count, -9, 9, 0, ZG_JSON_OPTIONAL),
	ZG_JSON_ARRAY_U32(struct fixture_cart, marks, mark_count, 1, 6, 2, ZG_JSON_OPTIONAL),
	ZG_JSON_ARRAY_SLICE(struct fixture_cart, tags, tag_count, 1, 4, 0, ZG_JSON_OPTIONAL));

#endif
