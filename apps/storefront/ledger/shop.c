/*
 * Shop: its tables, and which function a command goes to.
 */
#include "ledger/shop.h"

#include <assert.h>
#include <string.h>

#include "ledger/shop_tables.h"

#define SHOP_MAGIC UINT32_C(0x53484f50)

const struct shop_room shop_rooms[SHOP_ROOM_COUNT] = {
	{
		"discount codes",
		"--codes-max",
		"--codes-max",
		"codes_full: the code is refused",
		"storefront_codes_refused_total",
		offsetof(struct shop_options, codes_max),
		offsetof(struct shop, codes),
		sizeof(struct shop_code),
		offsetof(struct shop_code, code),
		shop_code_wire,
	},
	{
		"carts",
		"--carts-max",
		"--carts-max, with 20 slots each",
		"carts_full: 503 and Retry-After",
		"storefront_carts_refused_total",
		offsetof(struct shop_options, carts_max),
		offsetof(struct shop, carts),
		sizeof(struct shop_cart),
		0,
		shop_cart_wire,
	},
	{
		"orders",
		"--orders-max",
		"--orders-max, with 20 lines each",
		"the oldest closed order makes room; orders_full: 503 and Retry-After when none is",
		"storefront_orders_refused_total",
		offsetof(struct shop_options, orders_max),
		offsetof(struct shop, orders),
		sizeof(struct shop_order),
		0,
		shop_order_wire,
	},
	{
		"payments",
		"--payments-max",
		"--payments-max",
		"the oldest settled one makes room; payments_full: 503 and Retry-After when none "
		"is",
		"storefront_payments_refused_total",
		offsetof(struct shop_options, payments_max),
		offsetof(struct shop, payments),
		sizeof(struct shop_payment),
		0,
		shop_payment_wire,
	},
	{
		"transactions",
		"--transactions-max",
		"--transactions-max: operations that wait for the acquirer at once",
		"transactions_full: 503 and Retry-After, and nothing is half done",
		"storefront_transactions_refused_total",
		offsetof(struct shop_options, transactions_max),
		offsetof(struct shop, transactions),
		sizeof(struct shop_transaction),
		0,
		shop_transaction_wire,
	},
	{
		"idempotency keys",
		"--keys-max",
		"--keys-max",
		"the oldest answered one makes room; keys_full: 503 and Retry-After when none is",
		"storefront_keys_refused_total",
		offsetof(struct shop_options, keys_max),
		offsetof(struct shop, keys),
		sizeof(struct shop_key),
		offsetof(struct shop_key, key),
		shop_key_wire,
	},
};

uint32_t shop_room_count(const struct shop_options *options, uint32_t index)
{
	uint32_t count;

	memcpy(&count, (const unsigned char *)options + shop_rooms[index].option_offset,
	       sizeof(count));
	return count;
}

static struct shop_table *shop_room_table(struct shop *shop, uint32_t index)
{
	return (void *)((unsigned char *)shop + shop_rooms[index].table_offset);
}

struct shop_table *shop_table_of(struct shop *shop, uint32_t index)
{
	assert(index < SHOP_TABLE_COUNT);
	return index == 0 ? &shop->catalog.products : shop_room_table(shop, index - 1);
}

static struct shop_table_options shop_room_options(const struct shop_options *options,
						   uint32_t index)
{
	return (struct shop_table_options){
		.name = shop_rooms[index].name,
		.object_size = shop_rooms[index].object_size,
		.object_count = shop_room_count(options, index),
		.text_offset = shop_rooms[index].text_offset,
		.wire = shop_rooms[index].wire,
	};
}

size_t shop_memory_size(const struct shop_options *options)
{
	size_t size = shop_catalog_memory_size(options->products_max);

	for (uint32_t index = 0; index < SHOP_ROOM_COUNT; ++index) {
		const struct shop_table_options table = shop_room_options(options, index);

		size += shop_table_memory_size(&table);
	}
	return size;
}

int shop_init(struct shop *shop, const struct shop_options *options, void *memory)
{
	unsigned char *bytes = memory;
	int result;

	*shop = (struct shop){.magic = SHOP_MAGIC, .options = *options};
	shop->tables.seed = options->seed;
	result = shop_catalog_init(&shop->catalog, &shop->tables, options->products_max, bytes);
	bytes += shop_catalog_memory_size(options->products_max);
	for (uint32_t index = 0; index < SHOP_ROOM_COUNT && result == 0; ++index) {
		struct shop_table_options table = shop_room_options(options, index);

		table.pool = &shop->pools[index];
		result =
			shop_table_init(shop_room_table(shop, index), &shop->tables, &table, bytes);
		bytes += shop_table_memory_size(&table);
	}
	if (result < 0)
		shop_fini(shop);
	return result;
}

void shop_fini(struct shop *shop)
{
	if (shop->magic != SHOP_MAGIC)
		return;
	shop_catalog_fini(&shop->catalog);
	for (uint32_t index = 0; index < SHOP_ROOM_COUNT; ++index)
		shop_table_fini(shop_room_table(shop, index));
	shop->magic = 0;
}

bool shop_make_room(struct shop *shop, struct shop_table *table, uint32_t queue)
{
	if (!shop_table_is_full(table))
		return true;
	if (table->queues[queue].first == NULL) {
		++table->refuse_count;
		return false;
	}
	shop_table_remove(table, table->queues[queue].first);
	++shop->totals.retired_count;
	return true;
}

static void shop_tick(struct shop *shop, const struct shop_tick *tick, int64_t now_ms,
		      struct shop_outcome *outcome)
{
	outcome->amount = (int64_t)shop_carts_expire(shop, now_ms, tick->limit) +
			  shop_orders_expire(shop, now_ms, tick->limit) +
			  shop_keys_expire(shop, now_ms, tick->limit);
	outcome->is_changed = outcome->amount > 0;
}

static void shop_apply_payment(struct shop *shop, struct shop_command *command)
{
	struct shop_outcome *outcome = &command->outcome;

	switch (command->type) {
	case SHOP_PAYMENT_AUTHORIZE:
		shop_payment_authorize(shop, &command->request.authorize, command->now_ms, outcome);
		break;
	case SHOP_PAYMENT_CAPTURE:
		shop_payment_step(shop, &command->request.payment_step, SHOP_CAPTURE, outcome);
		break;
	case SHOP_PAYMENT_VOID:
		shop_payment_step(shop, &command->request.payment_step, SHOP_VOID, outcome);
		break;
	case SHOP_PAYMENT_REFUND:
		shop_payment_step(shop, &command->request.payment_step, SHOP_REFUND, outcome);
		break;
	case SHOP_PAYMENT_OUTCOME:
		shop_payment_outcome(shop, &command->request.payment_outcome, command->now_ms,
				     outcome);
		break;
	default:
		assert(!"a command is of one of the types");
	}
}

static void shop_apply_goods(struct shop *shop, struct shop_command *command)
{
	struct shop_outcome *outcome = &command->outcome;
	int64_t now_ms = command->now_ms;

	switch (command->type) {
	case SHOP_PRODUCT_PUT:
		shop_catalog_put(&shop->catalog, &command->request.product_put, outcome);
		break;
	case SHOP_PRODUCT_STOCK:
		shop_catalog_stock(&shop->catalog, &command->request.product_stock, outcome);
		break;
	case SHOP_CODE_PUT:
		shop_code_put(shop, &command->request.code_put, outcome);
		break;
	case SHOP_CART_OPEN:
		shop_cart_open(shop, &command->request.cart_open, now_ms, outcome);
		break;
	case SHOP_CART_SET:
		shop_cart_set(shop, &command->request.cart_set, now_ms, outcome);
		break;
	case SHOP_CART_CODE:
		shop_cart_code(shop, &command->request.cart_code, now_ms, outcome);
		break;
	case SHOP_CHECKOUT:
		shop_checkout(shop, &command->request.checkout, now_ms, outcome);
		break;
	case SHOP_ORDER_CANCEL:
		shop_order_cancel(shop, &command->request.order_step, outcome);
		break;
	case SHOP_ORDER_SHIP:
		shop_order_ship(shop, &command->request.order_step, outcome);
		break;
	case SHOP_TICK:
		shop_tick(shop, &command->request.tick, now_ms, outcome);
		break;
	default:
		shop_apply_payment(shop, command);
	}
}

void shop_apply(struct shop *shop, struct shop_command *command)
{
	assert(shop->magic == SHOP_MAGIC);
	assert(command->type > 0 && command->type < SHOP_COMMAND_TYPES);
	if (command->now_ms < shop->now_ms)
		command->now_ms = shop->now_ms;
	command->outcome = (struct shop_outcome){.result = SHOP_OK};
	shop_apply_goods(shop, command);
	/* Where the acquirer is not to be asked, nobody needs the card any more. */
	if (command->outcome.operation_id == 0)
		shop_card_wipe(&command->card);
	if (!command->outcome.is_changed)
		return;
	shop->now_ms = command->now_ms;
	++shop->command_count;
}

static int64_t due_min(int64_t due_ms, const struct shop_table *table, uint32_t queue,
		       size_t offset)
{
	const unsigned char *first = (const unsigned char *)table->queues[queue].first;
	int64_t first_ms;

	if (first == NULL)
		return due_ms;
	memcpy(&first_ms, first + offset, sizeof(first_ms));
	return first_ms < due_ms ? first_ms : due_ms;
}

int64_t shop_next_due_ms(const struct shop *shop)
{
	int64_t due_ms = INT64_MAX;

	due_ms = due_min(due_ms, &shop->carts, SHOP_CARTS_OPEN,
			 offsetof(struct shop_cart, expires_ms));
	due_ms = due_min(due_ms, &shop->carts, SHOP_CARTS_CHECKED_OUT,
			 offsetof(struct shop_cart, expires_ms));
	due_ms = due_min(due_ms, &shop->orders, SHOP_ORDERS_WAITING,
			 offsetof(struct shop_order, expires_ms));
	return due_min(due_ms, &shop->keys, SHOP_KEYS_ANSWERED,
		       offsetof(struct shop_key, expires_ms));
}

void shop_wire(struct shop *shop, struct shop_wire *wire)
{
	struct shop_totals *totals = &shop->totals;

	shop_wire_u16(wire, &shop->options.currency);
	shop_wire_i64(wire, &shop->now_ms);
	shop_wire_u64(wire, &shop->command_count);
	shop_wire_u64(wire, &shop->tables.sequence);
	for (uint32_t index = 0; index < SHOP_TABLE_COUNT; ++index)
		shop_wire_u64(wire, &shop_table_of(shop, index)->id_last);
	shop_wire_i64(wire, &totals->captured);
	shop_wire_i64(wire, &totals->refunded);
	shop_wire_i64(wire, &totals->committed);
	shop_wire_u64(wire, &totals->authorized_count);
	shop_wire_u64(wire, &totals->declined_count);
	shop_wire_u64(wire, &totals->captured_count);
	shop_wire_u64(wire, &totals->voided_count);
	shop_wire_u64(wire, &totals->refunded_count);
	shop_wire_u64(wire, &totals->orders_paid_count);
	shop_wire_u64(wire, &totals->retired_count);
	shop_wire_i64(wire, &totals->retired_captured);
	shop_wire_i64(wire, &totals->retired_refunded);
	shop_catalog_wire(&shop->catalog, wire);
}

uint64_t shop_digest(struct shop *shop)
{
	struct shop_wire wire = shop_wire_hasher(0);

	shop_wire(shop, &wire);
	for (uint32_t index = 0; index < SHOP_TABLE_COUNT; ++index) {
		struct shop_table *table = shop_table_of(shop, index);

		for (uint32_t queue = 0; queue < SHOP_QUEUES_MAX; ++queue)
			for (struct shop_object *object = table->queues[queue].first;
			     object != NULL; object = object->next)
				shop_table_wire(table, &wire, object);
	}
	return wire.hash;
}
