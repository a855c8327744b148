/*
 * Shop: the whole state, and the one way to change it.
 *
 * The shop is a deterministic state machine: shop_apply() takes a command and the time, and changes
 * the state; the same commands in the same order make the same state, on any machine. So a shop is
 * recovered by reading a snapshot and applying the commands since, and nothing else needs to be
 * kept. It asks nobody for the time or for a random number, and waits for nothing.
 *
 * Ownership  Memory is the caller's: shop_memory_size() bytes, from init to fini. The struct stays
 *            where it is.
 * Threads    Not locked: one writer, and no reader beside it.
 * Limits     Each has a row in SHOP_LIMITS, and a line in the plan. What is used up is an answer
 *            that names the option.
 */
#ifndef STOREFRONT_SHOP_H
#define STOREFRONT_SHOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/plan.h>
#include <zerog/text.h>

#include "carts/cart.h"
#include "carts/discount.h"
#include "catalog/catalog.h"
#include "ledger/command.h"
#include "orders/order.h"
#include "payments/key.h"
#include "payments/payment.h"
#include "state/table.h"

#define SHOP_QUANTITY_MAX_LIMIT 1000

/* name, option, unit, minimum, default, maximum, help */
#define SHOP_LIMITS(X)                                                                          \
	X(products_max, "--products-max", "products", 1, 16384, 1048576,                        \
	  "products that the catalog holds, unlisted ones included")                            \
	X(carts_max, "--carts-max", "carts", 1, 16384, 1048576,                                 \
	  "carts that are open at once; when all are, whoever comes is asked to come again")    \
	X(codes_max, "--codes-max", "codes", 1, 256, 65536, "discount codes")                   \
	X(orders_max, "--orders-max", "orders", 1, 65536, 1048576,                              \
	  "orders that are held; the oldest closed one makes room for a new one")               \
	X(payments_max, "--payments-max", "payments", 1, 131072, 1048576,                       \
	  "payments that are held; the oldest settled one makes room for a new one")            \
	X(transactions_max, "--transactions-max", "transactions", 1, 10000, 1048576,            \
	  "operations that wait for the acquirer at once; past it, 503 and Retry-After")        \
	X(keys_max, "--keys-max", "keys", 1, 131072, 1048576,                                   \
	  "idempotency keys that are remembered; the oldest answered one makes room for a new " \
	  "one")                                                                                \
	X(cart_ttl_s, "--cart-ttl-s", "seconds", 1, 86400, 31536000,                            \
	  "how long a cart is kept after it was last changed")                                  \
	X(order_ttl_s, "--order-ttl-s", "seconds", 1, 1800, 31536000,                           \
	  "how long stock is reserved for an order that is not paid")                           \
	X(key_ttl_s, "--key-ttl-s", "seconds", 1, 86400, 31536000,                              \
	  "how long an idempotency key is remembered")                                          \
	X(quantity_max, "--quantity-max", "pieces", 1, 99, SHOP_QUANTITY_MAX_LIMIT,             \
	  "pieces of one product in a cart")

struct shop_options {
#define X(name, option, unit, minimum, preset, maximum, help) uint32_t name;
	SHOP_LIMITS(X)
#undef X
	uint16_t currency; /* ISO 4217 number */
	uint64_t seed; /* random: of hash tables; no part of the state */
};

/* Sums over all payments there ever were, those that have been retired included. */
struct shop_totals {
	int64_t captured; /* minor units */
	int64_t refunded;
	int64_t committed; /* captured, or what still can be: no sum of it leaves 63 bits */
	uint64_t authorized_count;
	uint64_t declined_count;
	uint64_t captured_count;
	uint64_t voided_count;
	uint64_t refunded_count;
	uint64_t orders_paid_count;
	uint64_t retired_count; /* carts, orders, payments and keys that made room */
	int64_t retired_captured; /* minor units of payments among them */
	int64_t retired_refunded;
};

struct shop {
	uint32_t magic;
	struct shop_options options;
	struct shop_tables tables;
	struct shop_totals totals; /* part of the state */
	int64_t now_ms; /* of the last command that changed something; part of the state */
	uint64_t command_count; /* those; part of the state */
	struct shop_catalog catalog;
	struct shop_table codes;
	struct shop_table carts;
	struct shop_table orders;
	struct shop_table payments;
	struct shop_table transactions;
	struct shop_table keys;
	struct zg_pool pools[6]; /* of the six tables above */
};

/**
 * shop_options_init() - the defaults
 * @options:  the caller's; overwritten. The currency is euros, the seed is 1
 */
void shop_options_init(struct shop_options *options);

/**
 * shop_options_check() - are all limits in their ranges?
 * @options:    any
 * @ret_error:  on failure, appended to: which, and what it may be
 *
 * Return: 0; -EINVAL.
 */
ZG_MUST_USE int shop_options_check(const struct shop_options *options, struct zg_text *ret_error);

/**
 * shop_plan() - add the shop's lines to a plan
 * @plan:     initialised
 * @options:  checked
 *
 * Return: 0; as zg_plan_add().
 */
ZG_MUST_USE int shop_plan(struct zg_plan *plan, const struct shop_options *options);

/**
 * shop_memory_size() - bytes that a shop needs besides its struct
 * @options:  checked
 *
 * Return: bytes, a multiple of ZG_POOL_ALIGNMENT; at most the sum of its plan's lines.
 */
size_t shop_memory_size(const struct shop_options *options);

/**
 * shop_init() - an empty shop
 * @shop:     the caller's; overwritten, and stays where it is
 * @options:  checked; copied
 * @memory:   shop_memory_size() bytes, aligned to ZG_POOL_ALIGNMENT, zeroed; borrowed until fini
 *
 * Return: 0; as zg_pool_init().
 */
ZG_MUST_USE int shop_init(struct shop *shop, const struct shop_options *options, void *memory);

/**
 * shop_fini() - end the shop
 * @shop:  initialised, or zeroed
 */
void shop_fini(struct shop *shop);

/**
 * shop_apply() - let a command change the shop
 * @shop:     initialised
 * @command:  its type, request and now_ms are read; now_ms is raised to the shop's own time, for
 *            clocks go back, and the outcome is set
 *
 * The card is wiped unless the acquirer is to be asked with it (outcome.operation_id).
 *
 * When outcome.is_changed is set, the command has to be recorded before anybody hears of it, and
 * replayed as it is now. Otherwise nothing at all has changed.
 */
void shop_apply(struct shop *shop, struct shop_command *command);

/**
 * shop_next_due_ms() - when something ends by itself
 * @shop:  initialised
 *
 * Return: milliseconds since the epoch, when a SHOP_TICK will change something; INT64_MAX when
 * there is nothing to end.
 */
int64_t shop_next_due_ms(const struct shop *shop);

/**
 * shop_digest() - a number that is the same for the same state
 * @shop:  initialised
 *
 * Walks over everything: for tests and audits.
 */
uint64_t shop_digest(struct shop *shop);

/**
 * shop_audit() - does everything add up?
 * @shop:       initialised
 * @ret_error:  on failure, appended to: what does not
 *
 * Stock: pieces of every product are available, reserved or sold, and those reserved are the sum
 * over the orders that wait. Money: what was captured and refunded is the sum over all payments,
 * retired ones included. No order has more than one payment that took money.
 *
 * Return: 0; -EBADMSG. Walks over everything.
 */
ZG_MUST_USE int shop_audit(struct shop *shop, struct zg_text *ret_error);

/**
 * shop_make_room() - let the oldest of a queue go when its table is full
 * @shop:   initialised
 * @table:  of the shop
 * @queue:  whose objects may go
 *
 * Return: false when the table is full and the queue is empty: nothing was done.
 */
bool shop_make_room(struct shop *shop, struct shop_table *table, uint32_t queue);

/**
 * shop_has_room() - would shop_make_room() return true?
 * @table:  of the shop
 * @queue:  as above
 */
static inline bool shop_has_room(const struct shop_table *table, uint32_t queue)
{
	return !shop_table_is_full(table) || table->queues[queue].count > 0;
}

/* A table and what it is called: to walk over all of them. The catalog's products come first. */
#define SHOP_TABLE_COUNT 7

/**
 * shop_table_of() - the n-th table
 * @shop:   initialised
 * @index:  below SHOP_TABLE_COUNT
 */
struct shop_table *shop_table_of(struct shop *shop, uint32_t index);

/**
 * shop_wire() - write, read or hash what is in no table: sums, clocks, counters, categories
 * @shop:  initialised
 * @wire:  any way
 */
void shop_wire(struct shop *shop, struct shop_wire *wire);

#endif
