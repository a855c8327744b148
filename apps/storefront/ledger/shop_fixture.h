/*
 * What tests of the shop share: a small shop, and commands in a line each.
 */
#ifndef STOREFRONT_SHOP_FIXTURE_H
#define STOREFRONT_SHOP_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/record.h"
#include "ledger/shop.h"

#define FIXTURE_NOW_MS INT64_C(1800000000000) /* in January 2027 */
#define FIXTURE_CARD_GOOD "4242424242424242"
#define FIXTURE_CARD_DECLINED "4000000000000002"

/* A shop in memory of its own, which is mmap's. */
struct fixture {
	struct shop shop;
	struct shop_options options;
	void *memory;
	int64_t now_ms; /* of the next command */
	struct shop_command command; /* the last one */
	/* Records of all that changed something, one after another, each behind its size. */
	unsigned char *journal;
	size_t journal_size;
	size_t journal_capacity;
};

/* Limits so small that tests meet them. */
void fixture_options(struct shop_options *options);

void fixture_start(struct fixture *fixture, const struct shop_options *options);
void fixture_end(struct fixture *fixture);

/* Applies fixture->command, and keeps its record. Return: its result. */
enum shop_result fixture_apply(struct fixture *fixture, uint32_t type);

/* Asserts that everything adds up. */
void fixture_audit(struct fixture *fixture);

/* Commands. Return: the id of what came of it; the outcome is in fixture->command.outcome. */
uint64_t fixture_product(struct fixture *fixture, const char *sku, int64_t price, uint32_t stock);
uint64_t fixture_named(struct fixture *fixture, const char *sku, const char *name,
		       const char *category);
uint64_t fixture_cart(struct fixture *fixture);
enum shop_result fixture_set(struct fixture *fixture, uint64_t cart_id, uint64_t product_id,
			     uint32_t quantity);
enum shop_result fixture_code_put(struct fixture *fixture, const char *code, uint32_t basis_points,
				  int64_t amount);
enum shop_result fixture_code(struct fixture *fixture, uint64_t cart_id, const char *code);
enum shop_result fixture_checkout(struct fixture *fixture, uint64_t cart_id,
				  int64_t confirmed_total);
enum shop_result fixture_order_step(struct fixture *fixture, uint32_t type, uint64_t order_id);
enum shop_result fixture_authorize(struct fixture *fixture, uint64_t order_id, int64_t amount,
				   const char *key);
enum shop_result fixture_sale(struct fixture *fixture, uint64_t order_id, int64_t amount,
			      const char *key);
enum shop_result fixture_payment_step(struct fixture *fixture, uint32_t type, uint64_t payment_id,
				      int64_t amount, const char *key);
enum shop_result fixture_word(struct fixture *fixture, uint64_t operation_id,
			      enum shop_verdict verdict);
enum shop_result fixture_tick(struct fixture *fixture);

/* An order of one piece of a product that costs 1000, with 10 in stock. */
uint64_t fixture_order(struct fixture *fixture);

struct shop_order *fixture_order_of(struct fixture *fixture, uint64_t id);
struct shop_payment *fixture_payment_of(struct fixture *fixture, uint64_t id);

#endif
