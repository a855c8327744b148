/* Tables whose rows do not go together with their struct, in every way there is. */

#include <zerog/json.h>

struct line {
	uint64_t product;
	uint32_t quantity;
};

struct other {
	uint64_t product;
	uint32_t quantity;
};

enum state { STATE_OPEN, STATE_PAID };

static const char *const states[] = {"open", "paid"};

struct cart {
	uint64_t present;
	uint64_t id;
	int64_t amount;
	uint8_t small;
	bool is_gift;
	char currency[4];
	const char *pointer;
	struct zg_slice note;
	double price;
	float rate;
	enum state state;
	struct line first;
	struct line lines[20];
	struct line *more;
	uint32_t line_count;
	uint64_t ids[4];
	uint32_t id_count;
	uint16_t short_count;
};

ZG_JSON_FIELDS(line, struct line, ZG_JSON_REFUSE_UNKNOWN,
	       ZG_JSON_U64(struct line, product, 1, UINT64_MAX, ZG_JSON_REQUIRED),
	       ZG_JSON_U32(struct line, quantity, 1, 99, ZG_JSON_REQUIRED));

ZG_JSON_FIELDS(other, struct other, ZG_JSON_REFUSE_UNKNOWN,
	       ZG_JSON_U64(struct other, product, 1, UINT64_MAX, ZG_JSON_REQUIRED));

ZG_JSON_FIELDS_PRESENT(cart, struct cart, ZG_JSON_REFUSE_UNKNOWN,
#if MISTAKE == 1
		       amount,
#elif MISTAKE == 2
		       line_count,
#else
		       present,
#endif
#if MISTAKE == 3
		       ZG_JSON_U64(struct cart, amount, 0, 1, ZG_JSON_REQUIRED),
#elif MISTAKE == 4
		       ZG_JSON_U32(struct cart, id, 0, 1, ZG_JSON_REQUIRED),
#elif MISTAKE == 5
		       ZG_JSON_U64(struct cart, nothing, 0, 1, ZG_JSON_REQUIRED),
#elif MISTAKE == 6
		       ZG_JSON_U64(struct cart, id, 2, 1, ZG_JSON_REQUIRED),
#elif MISTAKE == 7
		       ZG_JSON_U64(struct cart, id, -1, 1, ZG_JSON_REQUIRED),
#elif MISTAKE == 8
		       ZG_JSON_U8(struct cart, small, 0, 256, ZG_JSON_REQUIRED),
#elif MISTAKE == 9
		       ZG_JSON_I64(struct cart, id, 0, 1, ZG_JSON_REQUIRED),
#elif MISTAKE == 10
		       ZG_JSON_I64(struct cart, amount, 1, 0, ZG_JSON_REQUIRED),
#elif MISTAKE == 11
		       ZG_JSON_I64(struct cart, price, 0, 1, ZG_JSON_REQUIRED),
#elif MISTAKE == 12
		       ZG_JSON_BOOL(struct cart, small, ZG_JSON_REQUIRED),
#elif MISTAKE == 13
		       ZG_JSON_SLICE(struct cart, pointer, 0, 1, ZG_JSON_REQUIRED),
#elif MISTAKE == 14
		       ZG_JSON_SLICE(struct cart, note, 2, 1, ZG_JSON_REQUIRED),
#elif MISTAKE == 15
		       ZG_JSON_TEXT(struct cart, pointer, 0, ZG_JSON_REQUIRED),
#elif MISTAKE == 16
		       ZG_JSON_TEXT(struct cart, note, 0, ZG_JSON_REQUIRED),
#elif MISTAKE == 17
		       ZG_JSON_TEXT(struct cart, currency, 4, ZG_JSON_REQUIRED),
#elif MISTAKE == 18
		       ZG_JSON_NUMBER(struct cart, price, ZG_JSON_REQUIRED),
#elif MISTAKE == 19
		       ZG_JSON_RAW(struct cart, currency, 10, ZG_JSON_REQUIRED),
#elif MISTAKE == 20
		       ZG_JSON_WORD(struct cart, id, states, ZG_JSON_REQUIRED),
#elif MISTAKE == 21
		       ZG_JSON_WORD(struct cart, rate, states, ZG_JSON_REQUIRED),
#elif MISTAKE == 22
		       ZG_JSON_OBJECT(struct cart, first, other, ZG_JSON_REQUIRED),
#elif MISTAKE == 23
		       ZG_JSON_OBJECT(struct cart, first, nothing, ZG_JSON_REQUIRED),
#elif MISTAKE == 24
		       ZG_JSON_ARRAY(struct cart, lines, line_count, other, 0, ZG_JSON_REQUIRED),
#elif MISTAKE == 25
		       ZG_JSON_ARRAY(struct cart, more, line_count, line, 0, ZG_JSON_REQUIRED),
#elif MISTAKE == 26
		       ZG_JSON_ARRAY(struct cart, lines, line_count, line, 21, ZG_JSON_REQUIRED),
#elif MISTAKE == 27
		       ZG_JSON_ARRAY(struct cart, lines, short_count, line, 0, ZG_JSON_REQUIRED),
#elif MISTAKE == 28
		       ZG_JSON_ARRAY_U32(struct cart, ids, id_count, 0, 1, 0, ZG_JSON_REQUIRED),
#elif MISTAKE == 29
		       ZG_JSON_ARRAY_U64(struct cart, ids, id_count, 1, 0, 0, ZG_JSON_REQUIRED),
#endif
		       ZG_JSON_U64(struct cart, id, 0, UINT64_MAX, ZG_JSON_REQUIRED),
		       ZG_JSON_I64(struct cart, amount, INT64_MIN, INT64_MAX, ZG_JSON_OPTIONAL),
		       ZG_JSON_U8(struct cart, small, 0, 255, ZG_JSON_OPTIONAL),
		       ZG_JSON_BOOL(struct cart, is_gift, ZG_JSON_OPTIONAL),
		       ZG_JSON_TEXT(struct cart, currency, 3, ZG_JSON_OPTIONAL),
		       ZG_JSON_SLICE(struct cart, note, 0, 100, ZG_JSON_OPTIONAL),
		       ZG_JSON_WORD(struct cart, state, states, ZG_JSON_OPTIONAL),
		       ZG_JSON_OBJECT(struct cart, first, line, ZG_JSON_OPTIONAL),
		       ZG_JSON_ARRAY(struct cart, lines, line_count, line, 0, ZG_JSON_OPTIONAL),
		       ZG_JSON_ARRAY_U64(struct cart, ids, id_count, 0, 9, 0, ZG_JSON_OPTIONAL));

int main(void)
{
	static char json[] = "{}";
	struct cart cart = {};
	struct line line = {};
	struct zg_json_error error;
	struct zg_json_writer writer;
	int result = cart_json_bind(json, sizeof(json) - 1, &cart, &error);

	zg_json_writer_init(&writer, json, sizeof(json), NULL);
#if MISTAKE == 30
	result += cart_json_bind(json, sizeof(json) - 1, &line, &error);
#elif MISTAKE == 31
	line_json_write(&writer, &cart);
#endif
	line_json_write(&writer, &line);
	return result;
}
