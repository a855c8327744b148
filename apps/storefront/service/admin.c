/*
 * Admin: what who runs the shop does to it, one change a request. Each asks for an API key.
 */
#include "service/service.h"

#include <errno.h>

struct stock_request {
	int64_t difference;
};

ZG_JSON_FIELDS(stock_request, struct stock_request, ZG_JSON_REFUSE_UNKNOWN,
	       ZG_JSON_I64(struct stock_request, difference, -SHOP_STOCK_MAX, SHOP_STOCK_MAX,
			   ZG_JSON_REQUIRED));

static int stock_done(struct zg_exchange *x, struct service_slot *slot)
{
	struct shop_outcome outcome = slot->command.outcome;

	service_slot_give(slot);
	return outcome.result == SHOP_OK ? product_reply(x, 200, outcome.id)
					 : problem_outcome(x, &outcome);
}

static int stock_post(struct zg_exchange *x)
{
	struct stock_request request = {0};
	struct zg_json_error error;
	struct service_slot *slot;
	uint64_t id;
	int result = zg_require_api_key(x);

	if (result != 0)
		return result;
	if (service_path_number(x, "id", &id) < 0)
		return problem_not_found(x, "There is no such product.");
	if (stock_request_json_request(x, &request, &error) < 0)
		return zg_reply_json_error(x, &error);
	if (service_slot_take(&slot) < 0)
		return problem_busy(x);
	slot->command.type = SHOP_PRODUCT_STOCK;
	slot->command.request.product_stock = (struct shop_product_stock){id, request.difference};
	return service_submit(x, slot, stock_done);
}

static int order_done(struct zg_exchange *x, struct service_slot *slot)
{
	struct shop_outcome outcome = slot->command.outcome;

	service_slot_give(slot);
	return outcome.result == SHOP_OK ? order_reply(x, 200, outcome.id)
					 : problem_outcome(x, &outcome);
}

static int order_step(struct zg_exchange *x, uint32_t type)
{
	struct service_slot *slot;
	uint64_t id;
	int result = zg_require_api_key(x);

	if (result != 0)
		return result;
	if (service_path_number(x, "id", &id) < 0)
		return problem_not_found(x, "There is no such order.");
	if (service_slot_take(&slot) < 0)
		return problem_busy(x);
	slot->command.type = type;
	slot->command.request.order_step.order_id = id;
	return service_submit(x, slot, order_done);
}

static int ship_post(struct zg_exchange *x)
{
	return order_step(x, SHOP_ORDER_SHIP);
}

static int cancel_post(struct zg_exchange *x)
{
	return order_step(x, SHOP_ORDER_CANCEL);
}

void admin_routes(struct zg_app *app)
{
	zg_post(app, "/admin/products/{id}/stock", stock_post);
	zg_post(app, "/admin/orders/{id}/ship", ship_post);
	zg_post(app, "/admin/orders/{id}/cancel", cancel_post);
}
