/*
 * Order: every change of state passes order_step(), and every move of stock order_stock(), so that
 * neither happens twice.
 */
#include "orders/order.h"

#include <assert.h>
#include <string.h>

#include "ledger/shop.h"
#include "state/text.h"

static const char *const state_names[] = {
	[SHOP_ORDER_AWAITING_PAYMENT] = "awaiting_payment",
	[SHOP_ORDER_PAYING] = "paying",
	[SHOP_ORDER_AUTHORIZED] = "authorized",
	[SHOP_ORDER_PAID] = "paid",
	[SHOP_ORDER_SHIPPED] = "shipped",
	[SHOP_ORDER_CANCELLED] = "cancelled",
	[SHOP_ORDER_EXPIRED] = "expired",
	[SHOP_ORDER_REFUNDED] = "refunded",
};

void shop_order_wire(struct shop_wire *wire, struct shop_object *object)
{
	struct shop_order *order = (struct shop_order *)object;

	shop_wire_u64(wire, &order->token);
	shop_wire_u64(wire, &order->cart_id);
	shop_wire_u64(wire, &order->payment_id);
	shop_wire_u32(wire, &order->state);
	shop_wire_u32(wire, &order->stock);
	shop_wire_u32(wire, &order->attempts);
	shop_wire_i64(wire, &order->created_ms);
	shop_wire_i64(wire, &order->expires_ms);
	shop_wire_i64(wire, &order->subtotal);
	shop_wire_i64(wire, &order->discount);
	shop_wire_i64(wire, &order->total);
	shop_wire_text(wire, order->code, sizeof(order->code));
	shop_wire_text(wire, order->email, sizeof(order->email));
	shop_lines_wire(wire, order->lines, &order->line_count);
}

const char *shop_order_state_name(uint32_t state)
{
	if (state == 0 || state >= sizeof(state_names) / sizeof(state_names[0]))
		return "unknown";
	return state_names[state];
}

static uint32_t order_queue(enum shop_order_state state)
{
	switch (state) {
	case SHOP_ORDER_AWAITING_PAYMENT:
		return SHOP_ORDERS_WAITING;
	case SHOP_ORDER_PAYING:
	case SHOP_ORDER_AUTHORIZED:
	case SHOP_ORDER_PAID:
		return SHOP_ORDERS_LIVE;
	default:
		return SHOP_ORDERS_CLOSED;
	}
}

/* The arrows of the drawing: from `from`, to which states? */
static uint32_t order_targets(uint32_t from)
{
#define TO(state) (1U << SHOP_ORDER_##state)
	switch (from) {
	case SHOP_ORDER_AWAITING_PAYMENT:
		return TO(PAYING) | TO(EXPIRED) | TO(CANCELLED) | TO(PAID);
	case SHOP_ORDER_PAYING:
		return TO(AWAITING_PAYMENT) | TO(AUTHORIZED) | TO(PAID) | TO(CANCELLED);
	case SHOP_ORDER_AUTHORIZED:
		return TO(PAID) | TO(CANCELLED);
	case SHOP_ORDER_PAID:
		return TO(SHIPPED) | TO(REFUNDED);
	case SHOP_ORDER_SHIPPED:
		return TO(REFUNDED);
	default:
		return 0;
	}
#undef TO
}

static void order_step(struct shop *shop, struct shop_order *order, enum shop_order_state state)
{
	assert((order_targets(order->state) & 1U << state) != 0);
	shop_table_move(&shop->orders, &order->object, order_queue(state));
	order->state = state;
}

/* The stock of all lines goes one step on. */
static void order_stock(struct shop *shop, struct shop_order *order, enum shop_order_stock stock)
{
	assert(stock > order->stock && stock <= SHOP_STOCK_BACK);
	for (uint32_t index = 0; index < order->line_count; ++index) {
		const struct shop_line *line = &order->lines[index];
		struct shop_product *product =
			shop_catalog_product(&shop->catalog, line->product_id);

		assert(product != NULL);
		if (stock == SHOP_STOCK_RESERVED)
			shop_catalog_reserve(&shop->catalog, product, line->quantity);
		else if (stock == SHOP_STOCK_SOLD)
			shop_catalog_sell(&shop->catalog, product, line->quantity);
		else if (order->stock == SHOP_STOCK_RESERVED)
			shop_catalog_release(&shop->catalog, product, line->quantity);
		else
			shop_catalog_return(&shop->catalog, product, line->quantity);
	}
	order->stock = stock;
}

/* It ends without money: its stock goes back, and its code may be used again. */
static void order_end(struct shop *shop, struct shop_order *order, enum shop_order_state state)
{
	order_step(shop, order, state);
	order_stock(shop, order, SHOP_STOCK_BACK);
	shop_code_use(shop, order->code, -1);
}

static bool checkout_is_allowed(struct shop *shop, const struct shop_cart *cart,
				const struct shop_checkout *checkout,
				const struct shop_quote *quote, struct shop_outcome *outcome)
{
	outcome->amount = quote->total;
	if (cart->line_count == 0) {
		shop_outcome_set(outcome, SHOP_INVALID, SHOP_REASON_CART_EMPTY);
	} else if (checkout->email[SHOP_EMAIL_SIZE - 1] != '\0' ||
		   !shop_text_is_email(shop_text_of(checkout->email, sizeof(checkout->email)))) {
		shop_outcome_set(outcome, SHOP_INVALID, SHOP_REASON_EMAIL);
	} else if (quote->missing_id != 0) {
		shop_outcome_limit(outcome, SHOP_REASON_OUT_OF_STOCK, quote->missing_available);
		outcome->id = quote->missing_id;
	} else if ((quote->has_new_prices || quote->code_reason != SHOP_REASON_NONE ||
		    checkout->confirmed_total != SHOP_TOTAL_UNCONFIRMED) &&
		   checkout->confirmed_total != quote->total) {
		shop_outcome_set(outcome, SHOP_CONFLICT, SHOP_REASON_PRICES_CHANGED);
	} else if (!shop_has_room(&shop->orders, SHOP_ORDERS_CLOSED)) {
		shop_outcome_full(outcome, SHOP_REASON_ORDERS_FULL);
	} else {
		return true;
	}
	return false;
}

static struct shop_order *order_make(struct shop *shop, const struct shop_cart *cart,
				     const struct shop_checkout *checkout,
				     const struct shop_quote *quote)
{
	struct shop_object *object;
	struct shop_order *order;
	int result;

	(void)shop_make_room(shop, &shop->orders, SHOP_ORDERS_CLOSED);
	result = shop_table_add(&shop->orders, SHOP_ORDERS_WAITING, &object);
	assert(result == 0);
	order = (struct shop_order *)object;
	order->token = cart->token;
	order->cart_id = cart->object.id;
	order->state = SHOP_ORDER_AWAITING_PAYMENT;
	order->subtotal = quote->subtotal;
	order->discount = quote->discount;
	order->total = quote->total;
	/* A code that does not apply has not been used. */
	if (quote->code_reason == SHOP_REASON_NONE)
		memcpy(order->code, cart->code, sizeof(order->code));
	memcpy(order->email, checkout->email, sizeof(order->email));
	order->line_count = cart->line_count;
	for (uint32_t index = 0; index < cart->line_count; ++index) {
		order->lines[index] = cart->lines[index];
		order->lines[index].price =
			shop_catalog_product(&shop->catalog, cart->lines[index].product_id)->price;
	}
	return order;
}

/* A cart that is an order already answers with it, whatever else is asked. */
static bool checkout_is_repeated(struct shop *shop, const struct shop_checkout *checkout,
				 struct shop_outcome *outcome)
{
	const struct shop_cart *cart =
		(struct shop_cart *)shop_table_find(&shop->carts, checkout->cart_id);
	const struct shop_order *order;

	if (cart == NULL || cart->order_id == 0)
		return false;
	order = shop_order_find(shop, cart->order_id, outcome);
	if (order == NULL)
		return true;
	outcome->id = order->object.id;
	outcome->amount = order->total;
	outcome->state = order->state;
	outcome->is_repeated = true;
	return true;
}

void shop_checkout(struct shop *shop, const struct shop_checkout *checkout, int64_t now_ms,
		   struct shop_outcome *outcome)
{
	struct shop_cart *cart;
	struct shop_order *order;
	struct shop_quote quote;

	if (checkout_is_repeated(shop, checkout, outcome))
		return;
	cart = shop_cart_find(shop, checkout->cart_id, now_ms, outcome);
	if (cart == NULL)
		return;
	quote = shop_cart_quote(shop, cart, now_ms);
	if (!checkout_is_allowed(shop, cart, checkout, &quote, outcome))
		return;
	order = order_make(shop, cart, checkout, &quote);
	order->created_ms = now_ms;
	order->expires_ms = now_ms + (int64_t)shop->options.order_ttl_s * 1000;
	shop_table_move(&shop->carts, &cart->object, SHOP_CARTS_CHECKED_OUT);
	cart->order_id = order->object.id;
	cart->expires_ms = now_ms + (int64_t)shop->options.cart_ttl_s * 1000;
	shop_code_use(shop, order->code, 1);
	order_stock(shop, order, SHOP_STOCK_RESERVED);
	/* What costs nothing is paid. */
	if (order->total == 0)
		shop_order_paid(shop, order);
	outcome->id = order->object.id;
	outcome->amount = order->total;
	outcome->state = order->state;
	outcome->is_changed = true;
}

struct shop_order *shop_order_find(struct shop *shop, uint64_t id, struct shop_outcome *outcome)
{
	struct shop_order *order = (struct shop_order *)shop_table_find(&shop->orders, id);

	if (order == NULL)
		shop_outcome_set(outcome,
				 id > 0 && id <= shop->orders.id_last ? SHOP_GONE : SHOP_NOT_FOUND,
				 SHOP_REASON_ORDER);
	return order;
}

void shop_order_cancel(struct shop *shop, const struct shop_order_step *step,
		       struct shop_outcome *outcome)
{
	struct shop_order *order = shop_order_find(shop, step->order_id, outcome);

	if (order == NULL)
		return;
	outcome->id = step->order_id;
	outcome->state = order->state;
	if (order->state == SHOP_ORDER_CANCELLED) {
		outcome->is_repeated = true;
		return;
	}
	if (order->state != SHOP_ORDER_AWAITING_PAYMENT) {
		shop_outcome_set(outcome, SHOP_CONFLICT, SHOP_REASON_ORDER_STATE);
		return;
	}
	order_end(shop, order, SHOP_ORDER_CANCELLED);
	outcome->state = order->state;
	outcome->is_changed = true;
}

void shop_order_ship(struct shop *shop, const struct shop_order_step *step,
		     struct shop_outcome *outcome)
{
	struct shop_order *order = shop_order_find(shop, step->order_id, outcome);

	if (order == NULL)
		return;
	outcome->id = step->order_id;
	outcome->state = order->state;
	if (order->state == SHOP_ORDER_SHIPPED) {
		outcome->is_repeated = true;
		return;
	}
	if (order->state != SHOP_ORDER_PAID) {
		shop_outcome_set(outcome, SHOP_CONFLICT, SHOP_REASON_ORDER_STATE);
		return;
	}
	order_step(shop, order, SHOP_ORDER_SHIPPED);
	outcome->state = order->state;
	outcome->is_changed = true;
}

uint32_t shop_orders_expire(struct shop *shop, int64_t now_ms, uint32_t limit)
{
	struct shop_queue *queue = &shop->orders.queues[SHOP_ORDERS_WAITING];
	uint32_t count = 0;

	while (count < limit && queue->first != NULL &&
	       now_ms >= ((struct shop_order *)queue->first)->expires_ms) {
		order_end(shop, (struct shop_order *)queue->first, SHOP_ORDER_EXPIRED);
		++count;
	}
	return count;
}

void shop_order_pay_begin(struct shop *shop, struct shop_order *order, uint64_t payment_id)
{
	order_step(shop, order, SHOP_ORDER_PAYING);
	order->payment_id = payment_id;
}

void shop_order_pay_failed(struct shop *shop, struct shop_order *order, int64_t now_ms)
{
	if (order->attempts + 1 >= SHOP_ORDER_ATTEMPTS_MAX) {
		order_end(shop, order, SHOP_ORDER_CANCELLED);
	} else {
		/* It stands last among those that wait, so its time begins anew. */
		order_step(shop, order, SHOP_ORDER_AWAITING_PAYMENT);
		order->expires_ms = now_ms + (int64_t)shop->options.order_ttl_s * 1000;
	}
	++order->attempts;
}

void shop_order_authorized(struct shop *shop, struct shop_order *order)
{
	order_step(shop, order, SHOP_ORDER_AUTHORIZED);
}

void shop_order_paid(struct shop *shop, struct shop_order *order)
{
	order_step(shop, order, SHOP_ORDER_PAID);
	order_stock(shop, order, SHOP_STOCK_SOLD);
	++shop->totals.orders_paid_count;
}

void shop_order_voided(struct shop *shop, struct shop_order *order)
{
	order_end(shop, order, SHOP_ORDER_CANCELLED);
}

void shop_order_refunded(struct shop *shop, struct shop_order *order)
{
	bool was_shipped = order->state == SHOP_ORDER_SHIPPED;

	order_step(shop, order, SHOP_ORDER_REFUNDED);
	/* What has left does not come back by itself: that is a delivery, see shop_catalog_stock().
	 */
	if (!was_shipped)
		order_stock(shop, order, SHOP_STOCK_BACK);
}
