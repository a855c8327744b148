/*
 * A service that takes and gives JSON: carts by a table, and any document at all.
 */
#include <zerog.h>

struct line {
	uint64_t product;
	uint32_t quantity;
	int64_t price; /* minor units */
};

struct cart {
	uint64_t id;
	char currency[4];
	struct zg_slice note;
	struct line lines[20];
	uint32_t line_count;
};

ZG_JSON_FIELDS(line, struct line, ZG_JSON_REFUSE_UNKNOWN,
	       ZG_JSON_U64(struct line, product, 1, UINT64_MAX, ZG_JSON_REQUIRED),
	       ZG_JSON_U32(struct line, quantity, 1, 99, ZG_JSON_REQUIRED),
	       ZG_JSON_I64(struct line, price, 0, INT64_MAX, ZG_JSON_OPTIONAL));

ZG_JSON_FIELDS(cart, struct cart, ZG_JSON_REFUSE_UNKNOWN,
	       ZG_JSON_U64(struct cart, id, 0, UINT64_MAX, ZG_JSON_OPTIONAL),
	       ZG_JSON_TEXT(struct cart, currency, 3, ZG_JSON_REQUIRED),
	       ZG_JSON_SLICE(struct cart, note, 0, 4000, ZG_JSON_NULLABLE),
	       ZG_JSON_ARRAY(struct cart, lines, line_count, line, 1, ZG_JSON_REQUIRED));

/* The cart as it was understood. */
static int cart_post(struct zg_exchange *x)
{
	struct cart cart = {.id = 7};
	struct zg_json_error error;

	if (cart_json_request(x, &cart, &error) < 0)
		return zg_reply_json_error(x, &error);
	return cart_json_reply(x, 201, &cart);
}

/* Whatever is JSON comes back inside an object. */
static int any_post(struct zg_exchange *x)
{
	struct zg_slice body = zg_request_body(x);
	struct zg_json_writer writer;
	struct zg_json_error error;

	if (zg_json_check(body, &error) < 0)
		return zg_reply_json_error(x, &error);
	zg_reply_json_open(x, &writer);
	zg_json_object_begin(&writer);
	zg_json_key(&writer, ZG_SLICE("value"));
	zg_json_raw(&writer, body);
	zg_json_object_end(&writer);
	return zg_reply_json_close(x, 200, &writer);
}

/* Numbers up to that of the path, as many as are asked for. */
static int numbers_get(struct zg_exchange *x)
{
	struct zg_slice count = ZG_SLICE("0");
	struct zg_json_writer writer;
	uint64_t number = 0;

	if (zg_request_parameter(x, ZG_SLICE("count"), &count) < 0)
		return zg_reply_problem(x, 404, ZG_SLICE("there is no such list"));
	for (size_t index = 0; index < count.size; index++)
		number = number * 10 + (uint64_t)(count.data[index] - '0');
	zg_reply_json_open(x, &writer);
	zg_json_array_begin(&writer);
	for (uint64_t index = 0; index < number; index++)
		zg_json_u64(&writer, index);
	zg_json_array_end(&writer);
	return zg_reply_json_close(x, 200, &writer);
}

int main(int argc, char **argv)
{
	struct zg_app app;

	zg_app_init(&app, "json_service");
	zg_post(&app, "/carts", cart_post);
	zg_post(&app, "/any", any_post);
	zg_get(&app, "/numbers/{count}", numbers_get);
	zg_admin_routes(&app);
	return zg_app_main(&app, argc, argv);
}
