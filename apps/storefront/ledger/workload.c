/*
 * The random shop. Ids are drawn from a little more than there are, amounts from around what is
 * right, so that most commands do something and many are refused.
 */
#include "ledger/workload.h"

#include <stdio.h>
#include <string.h>

#include "state/text.h"

uint32_t workload_below(struct workload *workload, uint32_t count)
{
	workload->random ^= workload->random << 13;
	workload->random ^= workload->random >> 7;
	workload->random ^= workload->random << 17;
	return (uint32_t)((workload->random >> 16) % count);
}

static uint64_t some_id(struct workload *workload, const struct shop_table *table)
{
	uint64_t last = table->id_last;
	uint32_t back = workload_below(workload, table->options.object_count + 2);

	return last + 1 > back ? last + 1 - back : 0;
}

/* Half of the time the one at the head of a queue, or queues would fill up and nothing move. */
static uint64_t some_first(struct workload *workload, const struct shop_table *table,
			   uint32_t queue)
{
	const struct shop_object *first = table->queues[queue].first;

	return first == NULL || workload_below(workload, 2) == 0 ? some_id(workload, table)
								 : first->id;
}

static void some_product(struct workload *workload, struct fixture *fixture)
{
	char sku[8];

	(void)snprintf(sku, sizeof(sku), "S%u", workload_below(workload, 12));
	if (workload_below(workload, 3) == 0)
		fixture_named(fixture, sku, workload_below(workload, 2) == 0 ? "Red mug" : "Tea",
			      workload_below(workload, 2) == 0 ? "Kitchen" : "Office");
	else
		fixture_product(fixture, sku, 50 + workload_below(workload, 3) * 50,
				workload_below(workload, 30));
}

static void some_stock(struct workload *workload, struct fixture *fixture)
{
	fixture->command.request.product_stock = (struct shop_product_stock){
		.product_id = workload_below(workload, 14),
		.difference = (int64_t)workload_below(workload, 40) - 15,
	};
	(void)fixture_apply(fixture, SHOP_PRODUCT_STOCK);
}

static void some_code(struct workload *workload, struct fixture *fixture)
{
	char code[4] = {'C', (char)('0' + workload_below(workload, 6)), '\0'};

	if (workload_below(workload, 4) == 0)
		(void)fixture_code_put(fixture, code, workload_below(workload, 2) * 10000, 70);
	else if (workload_below(workload, 2) == 0)
		(void)fixture_code_put(fixture, code, workload_below(workload, 10001), 0);
	else
		(void)fixture_code(fixture, some_id(workload, &fixture->shop.carts), code);
}

static void some_checkout(struct workload *workload, struct fixture *fixture)
{
	uint64_t cart = some_id(workload, &fixture->shop.carts);

	if (fixture_checkout(fixture, cart, SHOP_TOTAL_UNCONFIRMED) == SHOP_CONFLICT)
		(void)fixture_checkout(fixture, cart, fixture->command.outcome.amount);
}

static void some_payment(struct workload *workload, struct fixture *fixture)
{
	uint64_t order_id =
		workload_below(workload, 3) == 0 ? 0 : some_id(workload, &fixture->shop.orders);
	const struct shop_order *order = fixture_order_of(fixture, order_id);
	int64_t amount = order != NULL ? order->total : 10 + workload_below(workload, 100);
	char key[8];

	(void)snprintf(key, sizeof(key), "k%u", workload_below(workload, 60));
	if (amount == 0)
		return;
	if (workload_below(workload, 2) == 0)
		(void)fixture_sale(fixture, order_id, amount, key);
	else
		(void)fixture_authorize(fixture, order_id, amount, key);
}

static void some_step(struct workload *workload, struct fixture *fixture)
{
	uint32_t type = SHOP_PAYMENT_CAPTURE + workload_below(workload, 3);
	uint32_t queue = type == SHOP_PAYMENT_REFUND ? SHOP_PAYMENTS_SETTLED : SHOP_PAYMENTS_LIVE;
	char key[8] = "";

	if (workload_below(workload, 2) == 0)
		(void)snprintf(key, sizeof(key), "k%u", workload_below(workload, 60));
	(void)fixture_payment_step(
		fixture, type, some_first(workload, &fixture->shop.payments, queue),
		type == SHOP_PAYMENT_VOID ? 0 : workload_below(workload, 60), key);
}

static void some_word(struct workload *workload, struct fixture *fixture)
{
	const struct shop_transaction *first = shop_transaction_next(&fixture->shop, NULL);
	uint64_t id = first == NULL || workload_below(workload, 4) == 0
			      ? some_id(workload, &fixture->shop.transactions)
			      : first->object.id;
	enum shop_verdict verdict =
		workload_below(workload, 2) == 0
			? SHOP_APPROVED
			: (enum shop_verdict)(SHOP_APPROVED + workload_below(workload, 7));

	(void)fixture_word(fixture, id, verdict);
}

static void some_cart(struct workload *workload, struct fixture *fixture)
{
	(void)fixture_set(fixture, some_id(workload, &fixture->shop.carts),
			  workload_below(workload, 14), workload_below(workload, 6));
}

void workload_step(struct workload *workload, struct fixture *fixture)
{
	size_t journal_size = fixture->journal_size;
	uint32_t choice = workload_below(workload, 100);

	/* Mostly forward, and now and then back, as clocks that are set do. */
	fixture->now_ms += (int64_t)workload_below(workload, 20000) - 1000;
	if (choice < 6)
		some_product(workload, fixture);
	else if (choice < 10)
		some_stock(workload, fixture);
	else if (choice < 16)
		some_code(workload, fixture);
	else if (choice < 26)
		(void)fixture_cart(fixture);
	else if (choice < 50)
		some_cart(workload, fixture);
	else if (choice < 60)
		some_checkout(workload, fixture);
	else if (choice < 62)
		(void)fixture_order_step(fixture, SHOP_ORDER_CANCEL,
					 some_id(workload, &fixture->shop.orders));
	else if (choice < 65)
		(void)fixture_order_step(
			fixture, SHOP_ORDER_SHIP,
			some_first(workload, &fixture->shop.orders, SHOP_ORDERS_LIVE));
	else if (choice < 74)
		some_payment(workload, fixture);
	else if (choice < 82)
		some_step(workload, fixture);
	else if (choice < 97)
		some_word(workload, fixture);
	else
		(void)fixture_tick(fixture);
	workload->applied_count += fixture->journal_size != journal_size;
}
