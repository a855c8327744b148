/*
 * Cart: lines come and go, and stay in the order in which they came.
 */
#include "carts/cart.h"

#include <assert.h>
#include <string.h>

#include "ledger/shop.h"

static_assert((int64_t)SHOP_CART_SLOTS * SHOP_QUANTITY_MAX_LIMIT <= INT64_MAX / SHOP_PRICE_MAX,
	      "no cart's total overflows");

void shop_lines_wire(struct shop_wire *wire, struct shop_line *lines, uint32_t *count)
{
	shop_wire_u32(wire, count);
	if (*count > SHOP_CART_SLOTS) {
		*count = 0;
		wire->is_failed = true;
	}
	for (uint32_t index = 0; index < *count; ++index) {
		shop_wire_u64(wire, &lines[index].product_id);
		shop_wire_u32(wire, &lines[index].quantity);
		shop_wire_i64(wire, &lines[index].price);
	}
}

void shop_cart_wire(struct shop_wire *wire, struct shop_object *object)
{
	struct shop_cart *cart = (struct shop_cart *)object;

	shop_wire_u64(wire, &cart->token);
	shop_wire_i64(wire, &cart->expires_ms);
	shop_wire_u64(wire, &cart->order_id);
	shop_wire_text(wire, cart->code, sizeof(cart->code));
	shop_lines_wire(wire, cart->lines, &cart->line_count);
}

/* A cart that is looked after: it ends later, and after all the others. */
static void cart_renew(struct shop *shop, struct shop_cart *cart, int64_t now_ms)
{
	shop_table_move(&shop->carts, &cart->object, SHOP_CARTS_OPEN);
	cart->expires_ms = now_ms + (int64_t)shop->options.cart_ttl_s * 1000;
}

void shop_cart_open(struct shop *shop, const struct shop_cart_open *open, int64_t now_ms,
		    struct shop_outcome *outcome)
{
	struct shop_object *object;
	struct shop_cart *cart;
	int result;

	/* One that has become an order is only remembered: it makes room. */
	if (!shop_make_room(shop, &shop->carts, SHOP_CARTS_CHECKED_OUT)) {
		shop_outcome_full(outcome, SHOP_REASON_CARTS_FULL);
		return;
	}
	result = shop_table_add(&shop->carts, SHOP_CARTS_OPEN, &object);
	assert(result == 0);
	cart = (struct shop_cart *)object;
	cart->token = open->token;
	cart->expires_ms = now_ms + (int64_t)shop->options.cart_ttl_s * 1000;
	outcome->id = object->id;
	outcome->is_changed = true;
}

struct shop_cart *shop_cart_find(struct shop *shop, uint64_t id, int64_t now_ms,
				 struct shop_outcome *outcome)
{
	struct shop_cart *cart = (struct shop_cart *)shop_table_find(&shop->carts, id);

	if (cart == NULL && id > 0 && id <= shop->carts.id_last)
		shop_outcome_set(outcome, SHOP_GONE, SHOP_REASON_CART);
	else if (cart == NULL)
		shop_outcome_set(outcome, SHOP_NOT_FOUND, SHOP_REASON_CART);
	else if (cart->order_id > 0)
		shop_outcome_set(outcome, SHOP_CONFLICT, SHOP_REASON_CART_CHECKED_OUT);
	else if (now_ms >= cart->expires_ms)
		shop_outcome_set(outcome, SHOP_GONE, SHOP_REASON_CART);
	else
		return cart;
	return NULL;
}

static struct shop_line *cart_line(struct shop_cart *cart, uint64_t product_id)
{
	for (uint32_t index = 0; index < cart->line_count; ++index)
		if (cart->lines[index].product_id == product_id)
			return &cart->lines[index];
	return NULL;
}

static void cart_remove(struct shop_cart *cart, struct shop_line *line)
{
	uint32_t index = (uint32_t)(line - cart->lines);

	--cart->line_count;
	memmove(line, line + 1, (cart->line_count - index) * sizeof(*line));
	cart->lines[cart->line_count] = (struct shop_line){0};
}

/* May there be so many of a product in the cart? */
static bool cart_may_hold(struct shop *shop, const struct shop_product *product, uint64_t quantity,
			  struct shop_outcome *outcome)
{
	if (quantity > shop->options.quantity_max) {
		shop_outcome_limit(outcome, SHOP_REASON_QUANTITY, shop->options.quantity_max);
		return false;
	}
	if (quantity > product->available) {
		shop_outcome_limit(outcome, SHOP_REASON_OUT_OF_STOCK, product->available);
		return false;
	}
	return true;
}

void shop_cart_set(struct shop *shop, const struct shop_cart_set *set, int64_t now_ms,
		   struct shop_outcome *outcome)
{
	struct shop_cart *cart = shop_cart_find(shop, set->cart_id, now_ms, outcome);
	const struct shop_product *product = shop_catalog_product(&shop->catalog, set->product_id);
	struct shop_line *line = cart == NULL ? NULL : cart_line(cart, set->product_id);
	uint64_t quantity = set->quantity;

	if (cart == NULL)
		return;
	if (product == NULL || (!product->is_listed && line == NULL)) {
		shop_outcome_set(outcome, SHOP_NOT_FOUND, SHOP_REASON_PRODUCT);
		return;
	}
	if (set->is_added && line != NULL)
		quantity += line->quantity;
	/* Fewer than before are always fine, though there may be still fewer. */
	if ((line == NULL || quantity > line->quantity) &&
	    !cart_may_hold(shop, product, quantity, outcome)) {
		outcome->id = set->product_id;
		return;
	}
	if (line == NULL && quantity > 0 && cart->line_count == SHOP_CART_SLOTS) {
		shop_outcome_limit(outcome, SHOP_REASON_CART_FULL, SHOP_CART_SLOTS);
		return;
	}
	cart_renew(shop, cart, now_ms);
	if (line == NULL && quantity > 0) {
		line = &cart->lines[cart->line_count++];
		*line = (struct shop_line){.product_id = set->product_id};
	}
	if (line != NULL && quantity == 0) {
		cart_remove(cart, line);
	} else if (line != NULL) {
		line->quantity = (uint32_t)quantity;
		line->price = product->price;
	}
	outcome->id = cart->object.id;
	outcome->is_changed = true;
}

struct shop_quote shop_cart_quote(struct shop *shop, const struct shop_cart *cart, int64_t now_ms)
{
	struct shop_quote quote = {.subtotal = 0};
	const struct shop_code *code;

	for (uint32_t index = 0; index < cart->line_count; ++index) {
		const struct shop_line *line = &cart->lines[index];
		const struct shop_product *product =
			shop_catalog_product(&shop->catalog, line->product_id);
		uint64_t available;

		assert(product != NULL);
		available = product->is_listed ? product->available : 0;
		quote.subtotal += product->price * line->quantity;
		quote.has_new_prices |= product->price != line->price;
		if (line->quantity > available && quote.missing_id == 0) {
			quote.missing_id = line->product_id;
			quote.missing_available = (uint32_t)available;
		}
	}
	code = cart->code[0] == '\0' ? NULL : shop_code_find(shop, cart->code);
	if (code != NULL)
		quote.code_reason =
			shop_code_discount(code, quote.subtotal, now_ms, &quote.discount);
	quote.total = quote.subtotal - quote.discount;
	return quote;
}

void shop_cart_code(struct shop *shop, const struct shop_cart_code *request, int64_t now_ms,
		    struct shop_outcome *outcome)
{
	struct shop_cart *cart = shop_cart_find(shop, request->cart_id, now_ms, outcome);
	const struct shop_code *code = NULL;

	if (cart == NULL)
		return;
	if (request->code[0] != '\0') {
		int64_t subtotal = shop_cart_quote(shop, cart, now_ms).subtotal;
		enum shop_reason reason = SHOP_REASON_CODE;
		int64_t discount;

		if (request->code[SHOP_CODE_SIZE - 1] == '\0')
			code = shop_code_find(shop, request->code);
		if (code != NULL)
			reason = shop_code_discount(code, subtotal, now_ms, &discount);
		if (reason != SHOP_REASON_NONE) {
			shop_outcome_set(outcome, SHOP_INVALID, reason);
			outcome->amount = code == NULL ? 0 : code->minimum;
			return;
		}
	}
	cart_renew(shop, cart, now_ms);
	memset(cart->code, 0, sizeof(cart->code));
	if (code != NULL)
		memcpy(cart->code, code->code, sizeof(cart->code));
	outcome->id = cart->object.id;
	outcome->amount = shop_cart_quote(shop, cart, now_ms).total;
	outcome->is_changed = true;
}

uint32_t shop_carts_expire(struct shop *shop, int64_t now_ms, uint32_t limit)
{
	uint32_t count = 0;

	for (uint32_t queue = SHOP_CARTS_OPEN; queue <= SHOP_CARTS_CHECKED_OUT; ++queue) {
		struct shop_object *object;

		while (count < limit && (object = shop->carts.queues[queue].first) != NULL &&
		       now_ms >= ((struct shop_cart *)object)->expires_ms) {
			shop_table_remove(&shop->carts, object);
			++count;
		}
	}
	return count;
}
