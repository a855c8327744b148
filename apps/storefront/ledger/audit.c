/*
 * Audit: what has to add up, added up anew from the objects.
 */
#include <errno.h>
#include <inttypes.h>

#include "ledger/shop.h"

/* Pieces that orders have reserved are looked up product by product: slow, and beyond doubt. */
static uint64_t audit_reserved(const struct shop *shop, uint64_t product_id)
{
	uint64_t reserved = 0;

	for (uint32_t queue = 0; queue < SHOP_QUEUES_MAX; ++queue)
		for (const struct shop_object *object = shop->orders.queues[queue].first;
		     object != NULL; object = object->next) {
			const struct shop_order *order = (const struct shop_order *)object;

			if (order->stock != SHOP_STOCK_RESERVED)
				continue;
			for (uint32_t index = 0; index < order->line_count; ++index)
				if (order->lines[index].product_id == product_id)
					reserved += order->lines[index].quantity;
		}
	return reserved;
}

static int audit_stock(struct shop *shop, struct zg_text *ret_error)
{
	for (uint64_t id = 1; id <= shop->catalog.products.count; ++id) {
		const struct shop_product *product = shop_catalog_product(&shop->catalog, id);
		uint64_t sum = product->available + product->reserved + product->sold;

		if (sum != product->supplied || product->available > SHOP_STOCK_MAX) {
			zg_text_print(ret_error,
				      "product %" PRIu64 ": %" PRIu64 " available, %" PRIu64
				      " reserved and %" PRIu64 " sold are not the %" PRIu64
				      " supplied",
				      id, product->available, product->reserved, product->sold,
				      product->supplied);
			return -EBADMSG;
		}
		if (product->reserved != 0 && audit_reserved(shop, id) != product->reserved) {
			zg_text_print(ret_error,
				      "product %" PRIu64 ": %" PRIu64
				      " are reserved, but not by orders",
				      id, product->reserved);
			return -EBADMSG;
		}
	}
	return 0;
}

struct audit_sums {
	int64_t captured;
	int64_t refunded;
	int64_t committed;
	uint32_t in_flight;
};

static bool audit_payment(struct shop *shop, const struct shop_payment *payment,
			  struct audit_sums *sums)
{
	bool is_open = payment->state == SHOP_PAYMENT_AUTHORIZING ||
		       payment->state == SHOP_PAYMENT_AUTHORIZED;
	const struct shop_order *order =
		(struct shop_order *)shop_table_find(&shop->orders, payment->order_id);

	sums->captured += payment->captured;
	sums->refunded += payment->refunded;
	sums->committed += is_open ? payment->amount : payment->captured;
	sums->in_flight += payment->operation_id > 0;
	if (payment->captured > payment->amount || payment->refunded > payment->captured)
		return false;
	/* Whoever took money for an order is the one that the order knows. */
	return payment->captured == 0 || order == NULL || order->payment_id == payment->object.id;
}

static int audit_money(struct shop *shop, struct zg_text *ret_error)
{
	struct audit_sums sums = {
		.captured = shop->totals.retired_captured,
		.refunded = shop->totals.retired_refunded,
		.committed = shop->totals.retired_captured,
	};

	for (uint32_t queue = 0; queue < SHOP_QUEUES_MAX; ++queue)
		for (const struct shop_object *object = shop->payments.queues[queue].first;
		     object != NULL; object = object->next)
			if (!audit_payment(shop, (const struct shop_payment *)object, &sums)) {
				zg_text_print(ret_error, "payment %" PRIu64 " took too much",
					      object->id);
				return -EBADMSG;
			}
	if (sums.captured != shop->totals.captured || sums.refunded != shop->totals.refunded ||
	    sums.committed != shop->totals.committed) {
		zg_text_print(ret_error,
			      "payments have captured %" PRId64 " and refunded %" PRId64
			      ", the sums say %" PRId64 " and %" PRId64,
			      sums.captured, sums.refunded, shop->totals.captured,
			      shop->totals.refunded);
		return -EBADMSG;
	}
	if (sums.in_flight != shop->transactions.count) {
		zg_text_print(ret_error, "%u payments are in flight, with %u transactions",
			      sums.in_flight, shop->transactions.count);
		return -EBADMSG;
	}
	return 0;
}

int shop_audit(struct shop *shop, struct zg_text *ret_error)
{
	int result = audit_stock(shop, ret_error);

	return result < 0 ? result : audit_money(shop, ret_error);
}
