/*
 * The cart with zerog: two tables, one call either way.
 */
#include <zerog/json.h>
#include <zerog/seal.h>

#include "cart.h"

ZG_JSON_FIELDS(cart_line, struct cart_line, ZG_JSON_REFUSE_UNKNOWN,
	       ZG_JSON_U64(struct cart_line, product, 1, CART_PRODUCT_MAX, ZG_JSON_REQUIRED),
	       ZG_JSON_U32(struct cart_line, quantity, 1, CART_QUANTITY_MAX, ZG_JSON_REQUIRED),
	       ZG_JSON_I64(struct cart_line, price, 0, CART_PRICE_MAX, ZG_JSON_REQUIRED),
	       ZG_JSON_TEXT(struct cart_line, name, 1, ZG_JSON_REQUIRED));

ZG_JSON_FIELDS(cart, struct cart, ZG_JSON_REFUSE_UNKNOWN,
	       ZG_JSON_U64(struct cart, id, 1, UINT64_MAX, ZG_JSON_REQUIRED),
	       ZG_JSON_TEXT(struct cart, currency, 3, ZG_JSON_REQUIRED),
	       ZG_JSON_BOOL(struct cart, is_gift, ZG_JSON_REQUIRED),
	       ZG_JSON_TEXT(struct cart, note, 0, ZG_JSON_REQUIRED),
	       ZG_JSON_ARRAY(struct cart, lines, line_count, cart_line, 1, ZG_JSON_REQUIRED),
	       ZG_JSON_I64(struct cart, total, 0, INT64_MAX, ZG_JSON_REQUIRED));

static bool zerog_bind(char *json, size_t size, struct cart *cart)
{
	struct zg_json_error error;

	return cart_json_bind(json, size, cart, &error) == 0;
}

static size_t zerog_write(const struct cart *cart, char *buffer)
{
	struct zg_json_writer writer;
	struct zg_slice json;

	zg_json_writer_init(&writer, buffer, CART_DOCUMENT_SIZE_MAX, NULL);
	cart_json_write(&writer, cart);
	return zg_json_writer_finish(&writer, &json) == 0 ? json.size : 0;
}

static uint64_t zerog_allocations(void)
{
	static bool is_sealed;
	struct zg_seal_counts counts;

	/* The first call is before the first document. */
	if (!is_sealed)
		is_sealed = zg_seal(ZG_SEAL_COUNT) == 0;
	zg_seal_counts(&counts);
	return counts.malloc_count;
}

const struct cart_subject cart_subject = {
	.name = "zerog",
	.bind = zerog_bind,
	.write = zerog_write,
	.allocations = zerog_allocations,
};
