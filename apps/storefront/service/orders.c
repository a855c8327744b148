/*
 * Orders: a cart is checked out, and whoever did that may look at what has become of it.
 */
#include "service/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ORDER_KEY_SIZE 16 /* hexadecimal digits */

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
	zg_json_key(writer, ZG_SLICE("price_minor"));
	zg_json_i64(writer, line->price);
	zg_json_key(writer, ZG_SLICE("total_minor"));
	zg_json_i64(writer, line->price * line->quantity);
	zg_json_object_end(writer);
}

static void payments_write(struct zg_json_writer *writer, const struct shop_order *order)
{
	struct shop_outcome ignored;
	const struct shop_payment *payment =
		order->payment_id == 0
			? NULL
			: shop_payment_find(&service.shop, order->payment_id, &ignored);

	zg_json_array_begin(writer);
	if (payment != NULL)
		payment_write(writer, payment);
	zg_json_array_end(writer);
}

static void order_write(struct zg_json_writer *writer, const struct shop_order *order)
{
	int64_t left_ms = order->expires_ms - service_now_ms();
	char key[ORDER_KEY_SIZE + 1];

	(void)snprintf(key, sizeof(key), "%016" PRIx64, order->token);
	zg_json_object_begin(writer);
	zg_json_key(writer, ZG_SLICE("id"));
	zg_json_u64(writer, order->object.id);
	zg_json_key(writer, ZG_SLICE("key"));
	zg_json_text(writer, key);
	zg_json_key(writer, ZG_SLICE("state"));
	zg_json_text(writer, shop_order_state_name(order->state));
	zg_json_key(writer, ZG_SLICE("lines"));
	zg_json_array_begin(writer);
	for (uint32_t index = 0; index < order->line_count; index++)
		line_write(writer, &order->lines[index]);
	zg_json_array_end(writer);
	zg_json_key(writer, ZG_SLICE("subtotal_minor"));
	zg_json_i64(writer, order->subtotal);
	zg_json_key(writer, ZG_SLICE("discount_minor"));
	zg_json_i64(writer, order->discount);
	zg_json_key(writer, ZG_SLICE("total_minor"));
	zg_json_i64(writer, order->total);
	zg_json_key(writer, ZG_SLICE("currency"));
	zg_json_string(writer, service_currency());
	zg_json_key(writer, ZG_SLICE("payments"));
	payments_write(writer, order);
	zg_json_key(writer, ZG_SLICE("expires_in_s"));
	zg_json_i64(writer, order->state == SHOP_ORDER_AWAITING_PAYMENT && left_ms > 0
				    ? left_ms / 1000
				    : 0);
	zg_json_object_end(writer);
}

int order_reply(struct zg_exchange *x, int status, uint64_t id)
{
	struct zg_json_writer writer;
	struct shop_outcome outcome = {0};
	const struct shop_order *order = shop_order_find(&service.shop, id, &outcome);

	if (order == NULL)
		return problem_outcome(x, &outcome);
	zg_reply_json_open(x, &writer);
	order_write(&writer, order);
	return zg_reply_json_close(x, status, &writer);
}

/* Sessions end with the process; who has kept the order's address has its key still. */
static bool order_key_matches(struct zg_exchange *x, uint64_t id)
{
	struct shop_outcome ignored;
	const struct shop_order *order = shop_order_find(&service.shop, id, &ignored);
	struct zg_slice key;
	char right[ORDER_KEY_SIZE + 1];

	if (order == NULL || zg_request_query_value(x, ZG_SLICE("key"), &key) < 0)
		return false;
	(void)snprintf(right, sizeof(right), "%016" PRIx64, order->token);
	return zg_equal_constant_time(key, (struct zg_slice){right, ORDER_KEY_SIZE});
}

bool service_may_see_order(struct zg_exchange *x, uint64_t id)
{
	struct service_visit visit;
	struct zg_slice name;

	if (order_key_matches(x, id))
		return true;
	service_visit_read(x, &visit);
	for (uint32_t index = 0; index < SERVICE_ORDERS_MAX; index++)
		if (visit.orders[index] == id && id != 0)
			return true;
	return zg_request_api_key(x, &name) == 0;
}

static int order_get(struct zg_exchange *x)
{
	uint64_t id;

	/* Who has not made it is told the same as when there is none. */
	if (service_path_number(x, "id", &id) < 0 || !service_may_see_order(x, id))
		return problem_not_found(x, "There is no such order of yours.");
	return order_reply(x, 200, id);
}

static int visit_add_order(void *value, void *user)
{
	struct service_visit *visit = value;
	const uint64_t *id = user;

	for (uint32_t index = 0; index < SERVICE_ORDERS_MAX; index++)
		if (visit->orders[index] == *id)
			return 0;
	memmove(&visit->orders[1], &visit->orders[0],
		(SERVICE_ORDERS_MAX - 1) * sizeof(visit->orders[0]));
	visit->orders[0] = *id;
	visit->cart_id = 0;
	return 0;
}

/* Which prices are not those that the visitor saw. */
static void changes_write(struct zg_json_writer *writer, const struct shop_cart *cart)
{
	zg_json_array_begin(writer);
	for (uint32_t index = 0; index < cart->line_count; index++) {
		const struct shop_line *line = &cart->lines[index];
		const struct shop_product *product =
			shop_catalog_product(&service.shop.catalog, line->product_id);

		if (product->price == line->price)
			continue;
		zg_json_object_begin(writer);
		zg_json_key(writer, ZG_SLICE("product"));
		zg_json_u64(writer, line->product_id);
		zg_json_key(writer, ZG_SLICE("was_minor"));
		zg_json_i64(writer, line->price);
		zg_json_key(writer, ZG_SLICE("is_minor"));
		zg_json_i64(writer, product->price);
		zg_json_object_end(writer);
	}
	zg_json_array_end(writer);
}

static int prices_changed(struct zg_exchange *x, uint64_t cart_id,
			  const struct shop_outcome *outcome)
{
	struct shop_outcome ignored;
	const struct shop_cart *cart =
		shop_cart_find(&service.shop, cart_id, service_now_ms(), &ignored);
	struct zg_json_writer writer;
	struct zg_slice json;
	char buffer[1024];

	if (cart == NULL)
		return problem_outcome(x, outcome);
	zg_json_writer_init(&writer, buffer, sizeof(buffer), zg_exchange_arena(x));
	zg_json_object_begin(&writer);
	zg_json_key(&writer, ZG_SLICE("status"));
	zg_json_u64(&writer, 409);
	zg_json_key(&writer, ZG_SLICE("code"));
	zg_json_text(&writer, "price_changed");
	zg_json_key(&writer, ZG_SLICE("detail"));
	zg_json_text(&writer, shop_reason_text(outcome->reason));
	zg_json_key(&writer, ZG_SLICE("changes"));
	changes_write(&writer, cart);
	zg_json_key(&writer, ZG_SLICE("total_minor"));
	zg_json_i64(&writer, outcome->amount);
	zg_json_object_end(&writer);
	if (zg_json_writer_finish(&writer, &json) < 0)
		return problem_outcome(x, outcome);
	return zg_reply_copy(x, 409, ZG_SLICE("application/problem+json"), json);
}

static int checkout_done(struct zg_exchange *x, struct service_slot *slot)
{
	struct shop_outcome outcome = slot->command.outcome;
	uint64_t cart_id = slot->command.request.checkout.cart_id;

	service_slot_give(slot);
	if (outcome.reason == SHOP_REASON_PRICES_CHANGED)
		return prices_changed(x, cart_id, &outcome);
	if (outcome.result != SHOP_OK)
		return problem_outcome(x, &outcome);
	(void)!zg_session_update(x, visit_add_order, &outcome.id);
	return order_reply(x, 201, outcome.id);
}

struct checkout_request {
	int64_t confirmed_total_minor;
	char email[SHOP_EMAIL_SIZE];
};

ZG_JSON_FIELDS(checkout_request, struct checkout_request, ZG_JSON_REFUSE_UNKNOWN,
	       ZG_JSON_I64(struct checkout_request, confirmed_total_minor, 0, SHOP_AMOUNT_MAX,
			   ZG_JSON_OPTIONAL),
	       ZG_JSON_TEXT(struct checkout_request, email, 0, ZG_JSON_OPTIONAL));

static int checkout_post(struct zg_exchange *x)
{
	struct checkout_request request = {.confirmed_total_minor = SHOP_TOTAL_UNCONFIRMED};
	struct service_visit visit;
	struct zg_json_error error;
	struct service_slot *slot;
	int result;

	if (service_is_foreign(x, &result))
		return result;
	if (checkout_request_json_request(x, &request, &error) < 0)
		return zg_reply_json_error(x, &error);
	service_visit_read(x, &visit);
	if (visit.cart_id == 0)
		return problem_reply(x, 422, "cart_empty", "Put something into the cart first.");
	if (service_slot_take(&slot) < 0)
		return problem_busy(x);
	slot->command.type = SHOP_CHECKOUT;
	slot->command.request.checkout.cart_id = visit.cart_id;
	slot->command.request.checkout.confirmed_total = request.confirmed_total_minor;
	memcpy(slot->command.request.checkout.email, request.email, sizeof(request.email));
	return service_submit(x, slot, checkout_done);
}

static int cancel_done(struct zg_exchange *x, struct service_slot *slot)
{
	struct shop_outcome outcome = slot->command.outcome;

	service_slot_give(slot);
	return outcome.result == SHOP_OK ? order_reply(x, 200, outcome.id)
					 : problem_outcome(x, &outcome);
}

/* The customer thinks better of it. */
static int cancel_post(struct zg_exchange *x)
{
	struct service_slot *slot;
	uint64_t id;
	int result;

	if (service_is_foreign(x, &result))
		return result;
	if (service_path_number(x, "id", &id) < 0 || !service_may_see_order(x, id))
		return problem_not_found(x, "There is no such order of yours.");
	if (service_slot_take(&slot) < 0)
		return problem_busy(x);
	slot->command.type = SHOP_ORDER_CANCEL;
	slot->command.request.order_step.order_id = id;
	return service_submit(x, slot, cancel_done);
}

void orders_routes(struct zg_app *app)
{
	zg_post(app, "/api/checkout", checkout_post);
	zg_get(app, "/api/orders/{id}", order_get);
	zg_post(app, "/api/orders/{id}/cancel", cancel_post);
}
