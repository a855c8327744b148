/*
 * The visitor's cart: which one it is, the session knows. The first thing that is put into one
 * opens it.
 */
#include "service/service.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static void member_money(struct zg_json_writer *writer, struct zg_slice name, int64_t minor)
{
	zg_json_key(writer, name);
	zg_json_i64(writer, minor);
}

static void line_write(struct zg_json_writer *writer, const struct shop_line *line)
{
	const struct shop_product *product =
		shop_catalog_product(&service.shop.catalog, line->product_id);

	zg_json_object_begin(writer);
	zg_json_key(writer, ZG_SLICE("product"));
	zg_json_u64(writer, line->product_id);
	zg_json_key(writer, ZG_SLICE("name"));
	zg_json_text(writer, product->name);
	zg_json_key(writer, ZG_SLICE("picture"));
	zg_json_text(writer, product->emoji);
	zg_json_key(writer, ZG_SLICE("quantity"));
	zg_json_u64(writer, line->quantity);
	member_money(writer, ZG_SLICE("price_minor"), product->price);
	member_money(writer, ZG_SLICE("total_minor"), product->price * line->quantity);
	zg_json_key(writer, ZG_SLICE("stock"));
	zg_json_u64(writer, product->available);
	zg_json_object_end(writer);
}

static void cart_write(struct zg_json_writer *writer, const struct shop_cart *cart)
{
	struct shop_quote quote = {0};

	if (cart != NULL)
		quote = shop_cart_quote(&service.shop, cart, service_now_ms());
	zg_json_object_begin(writer);
	zg_json_key(writer, ZG_SLICE("lines"));
	zg_json_array_begin(writer);
	for (uint32_t index = 0; cart != NULL && index < cart->line_count; index++)
		line_write(writer, &cart->lines[index]);
	zg_json_array_end(writer);
	zg_json_key(writer, ZG_SLICE("lines_max"));
	zg_json_u64(writer, SHOP_CART_SLOTS);
	member_money(writer, ZG_SLICE("subtotal_minor"), quote.subtotal);
	member_money(writer, ZG_SLICE("discount_minor"), quote.discount);
	zg_json_key(writer, ZG_SLICE("discount_code"));
	if (cart == NULL || cart->code[0] == '\0')
		zg_json_null(writer);
	else
		zg_json_text(writer, cart->code);
	member_money(writer, ZG_SLICE("total_minor"), quote.total);
	zg_json_key(writer, ZG_SLICE("currency"));
	zg_json_string(writer, service_currency());
	zg_json_object_end(writer);
}

/* The visitor's cart as it is; NULL when there is none (any more). */
static struct shop_cart *cart_of(struct zg_exchange *x)
{
	struct service_visit visit;
	struct shop_outcome ignored;

	service_visit_read(x, &visit);
	return visit.cart_id == 0
		       ? NULL
		       : shop_cart_find(&service.shop, visit.cart_id, service_now_ms(), &ignored);
}

static int cart_reply(struct zg_exchange *x)
{
	struct zg_json_writer writer;

	zg_reply_json_open(x, &writer);
	cart_write(&writer, cart_of(x));
	return zg_reply_json_close(x, 200, &writer);
}

/* A cart command is done: show the cart, or say why not. */
static int cart_changed(struct zg_exchange *x, struct service_slot *slot)
{
	struct shop_outcome outcome = slot->command.outcome;

	service_slot_give(slot);
	return outcome.result == SHOP_OK ? cart_reply(x) : problem_outcome(x, &outcome);
}

static int line_submit(struct zg_exchange *x, struct service_slot *slot, uint64_t cart_id)
{
	slot->command.type = SHOP_CART_SET;
	slot->command.request.cart_set = (struct shop_cart_set){
		.cart_id = cart_id,
		.product_id = slot->product_id,
		.quantity = slot->quantity,
	};
	return service_submit(x, slot, cart_changed);
}

static int visit_set_cart(void *value, void *user)
{
	struct service_visit *visit = value;
	const struct service_visit *fresh = user;

	visit->cart_id = fresh->cart_id;
	visit->token = fresh->token;
	return 0;
}

/* The cart is open: the session remembers it, and the line goes in. */
static int cart_opened(struct zg_exchange *x, struct service_slot *slot)
{
	struct shop_outcome outcome = slot->command.outcome;
	struct service_visit fresh = {
		.cart_id = outcome.id,
		.token = slot->command.request.cart_open.token,
	};
	int result;

	if (outcome.result != SHOP_OK) {
		service_slot_give(slot);
		return problem_outcome(x, &outcome);
	}
	result = zg_session_start(x);
	if (result >= 0)
		result = zg_session_update(x, visit_set_cart, &fresh);
	if (result < 0) {
		service_slot_give(slot);
		return problem_busy(x);
	}
	return line_submit(x, slot, fresh.cart_id);
}

static int line_set(struct zg_exchange *x, uint64_t product_id, uint32_t quantity)
{
	const struct shop_cart *cart = cart_of(x);
	struct service_slot *slot;

	if (service_slot_take(&slot) < 0)
		return problem_busy(x);
	slot->product_id = product_id;
	slot->quantity = quantity;
	if (cart != NULL)
		return line_submit(x, slot, cart->object.id);
	slot->command.type = SHOP_CART_OPEN;
	if (getrandom(&slot->command.request.cart_open.token, sizeof(uint64_t), 0) != 8) {
		service_slot_give(slot);
		return problem_busy(x);
	}
	return service_submit(x, slot, cart_opened);
}

struct line_request {
	uint32_t quantity;
};

ZG_JSON_FIELDS(line_request, struct line_request, ZG_JSON_REFUSE_UNKNOWN,
	       ZG_JSON_U32(struct line_request, quantity, 0, SHOP_QUANTITY_MAX_LIMIT,
			   ZG_JSON_REQUIRED));

static int line_put(struct zg_exchange *x)
{
	struct line_request request = {0};
	struct zg_json_error error;
	uint64_t product_id;
	int result;

	if (service_is_foreign(x, &result))
		return result;
	if (service_path_number(x, "id", &product_id) < 0)
		return problem_not_found(x, "There is no such product.");
	if (line_request_json_request(x, &request, &error) < 0)
		return zg_reply_json_error(x, &error);
	return line_set(x, product_id, request.quantity);
}

static int line_delete(struct zg_exchange *x)
{
	uint64_t product_id;
	int result;

	if (service_is_foreign(x, &result))
		return result;
	if (service_path_number(x, "id", &product_id) < 0)
		return problem_not_found(x, "There is no such product.");
	return cart_of(x) == NULL ? cart_reply(x) : line_set(x, product_id, 0);
}

struct code_request {
	char code[SHOP_CODE_SIZE];
};

ZG_JSON_FIELDS(code_request, struct code_request, ZG_JSON_REFUSE_UNKNOWN,
	       ZG_JSON_TEXT(struct code_request, code, 1, ZG_JSON_REQUIRED));

static int code_set(struct zg_exchange *x, const char *code)
{
	const struct shop_cart *cart = cart_of(x);
	struct service_slot *slot;

	if (cart == NULL)
		return problem_reply(x, 422, "cart_empty", "Put something into the cart first.");
	if (service_slot_take(&slot) < 0)
		return problem_busy(x);
	slot->command.type = SHOP_CART_CODE;
	slot->command.request.cart_code.cart_id = cart->object.id;
	memcpy(slot->command.request.cart_code.code, code, strlen(code));
	return service_submit(x, slot, cart_changed);
}

static int code_put(struct zg_exchange *x)
{
	struct code_request request = {""};
	struct zg_json_error error;
	int result;

	if (service_is_foreign(x, &result))
		return result;
	if (code_request_json_request(x, &request, &error) < 0)
		return zg_reply_json_error(x, &error);
	return code_set(x, request.code);
}

static int code_delete(struct zg_exchange *x)
{
	int result;

	if (service_is_foreign(x, &result))
		return result;
	return code_set(x, "");
}

void carts_routes(struct zg_app *app)
{
	zg_get(app, "/api/cart", cart_reply);
	zg_put(app, "/api/cart/lines/{id}", line_put);
	zg_delete(app, "/api/cart/lines/{id}", line_delete);
	zg_put(app, "/api/cart/discount", code_put);
	zg_delete(app, "/api/cart/discount", code_delete);
}
