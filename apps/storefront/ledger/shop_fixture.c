/*
 * The shop of the tests. Its memory comes from mmap: nothing in this folder calls malloc.
 */
#include "ledger/shop_fixture.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "state/text.h"

#define JOURNAL_CAPACITY ((size_t)64 << 20) /* bytes, of which only those written to are there */

static struct zg_slice slice(const char *text)
{
	return (struct zg_slice){text, strlen(text)};
}

static void *fixture_map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert(memory != MAP_FAILED);
	return memory;
}

void fixture_options(struct shop_options *options)
{
	shop_options_init(options);
	options->products_max = 64;
	options->carts_max = 8;
	options->codes_max = 4;
	options->orders_max = 8;
	options->payments_max = 8;
	options->transactions_max = 4;
	options->keys_max = 8;
}

void fixture_start(struct fixture *fixture, const struct shop_options *options)
{
	char buffer[256];
	struct zg_text error;
	int result;

	zg_text_init(&error, buffer, sizeof(buffer));
	*fixture = (struct fixture){.options = *options, .now_ms = FIXTURE_NOW_MS};
	result = shop_options_check(options, &error);
	assert(result == 0);
	fixture->memory = fixture_map(shop_memory_size(options));
	fixture->journal = fixture_map(JOURNAL_CAPACITY);
	fixture->journal_capacity = JOURNAL_CAPACITY;
	result = shop_init(&fixture->shop, options, fixture->memory);
	assert(result == 0);
}

void fixture_end(struct fixture *fixture)
{
	shop_fini(&fixture->shop);
	(void)munmap(fixture->memory, shop_memory_size(&fixture->options));
	(void)munmap(fixture->journal, fixture->journal_capacity);
}

enum shop_result fixture_apply(struct fixture *fixture, uint32_t type)
{
	struct shop_command *command = &fixture->command;
	size_t size = shop_record_size(type);

	command->type = type;
	command->now_ms = fixture->now_ms;
	shop_apply(&fixture->shop, command);
	if (command->outcome.is_changed) {
		/* Sizes are rounded up, so that each record lies where the journal's would. */
		unsigned char *place = fixture->journal + fixture->journal_size;
		uint64_t size_kept = size;

		assert(fixture->journal_size + size + 16 <= fixture->journal_capacity);
		memcpy(place, &size_kept, sizeof(size_kept));
		shop_record_encode(command, place + sizeof(size_kept));
		fixture->journal_size += sizeof(size_kept) + ((size + 7) & ~(size_t)7);
	}
	return (enum shop_result)command->outcome.result;
}

void fixture_audit(struct fixture *fixture)
{
	char buffer[512];
	struct zg_text error;
	int result;

	zg_text_init(&error, buffer, sizeof(buffer));
	result = shop_audit(&fixture->shop, &error);
	if (result < 0)
		fprintf(stderr, "# %s\n", buffer);
	assert(result == 0);
}

static uint64_t fixture_put(struct fixture *fixture, const struct shop_product_put *put)
{
	fixture->command.request.product_put = *put;
	(void)fixture_apply(fixture, SHOP_PRODUCT_PUT);
	return fixture->command.outcome.id;
}

uint64_t fixture_product(struct fixture *fixture, const char *sku, int64_t price, uint32_t stock)
{
	struct shop_product_put put = {.price = price, .stock = stock, .is_listed = 1};

	(void)shop_text_put(put.sku, sizeof(put.sku), slice(sku));
	(void)shop_text_put(put.name, sizeof(put.name), slice(sku));
	(void)shop_text_put(put.category, sizeof(put.category), slice("Things"));
	return fixture_put(fixture, &put);
}

uint64_t fixture_named(struct fixture *fixture, const char *sku, const char *name,
		       const char *category)
{
	struct shop_product_put put = {.price = 100, .stock = 10, .is_listed = 1};

	(void)shop_text_put(put.sku, sizeof(put.sku), slice(sku));
	(void)shop_text_put(put.name, sizeof(put.name), slice(name));
	(void)shop_text_put(put.category, sizeof(put.category), slice(category));
	return fixture_put(fixture, &put);
}

uint64_t fixture_cart(struct fixture *fixture)
{
	fixture->command.request.cart_open = (struct shop_cart_open){.token = 77};
	(void)fixture_apply(fixture, SHOP_CART_OPEN);
	return fixture->command.outcome.id;
}

enum shop_result fixture_set(struct fixture *fixture, uint64_t cart_id, uint64_t product_id,
			     uint32_t quantity)
{
	fixture->command.request.cart_set = (struct shop_cart_set){
		.cart_id = cart_id, .product_id = product_id, .quantity = quantity};
	return fixture_apply(fixture, SHOP_CART_SET);
}

enum shop_result fixture_code_put(struct fixture *fixture, const char *code, uint32_t basis_points,
				  int64_t amount)
{
	struct shop_code_put put = {.basis_points = basis_points, .amount = amount};

	(void)shop_text_put(put.code, sizeof(put.code), slice(code));
	fixture->command.request.code_put = put;
	return fixture_apply(fixture, SHOP_CODE_PUT);
}

enum shop_result fixture_code(struct fixture *fixture, uint64_t cart_id, const char *code)
{
	struct shop_cart_code request = {.cart_id = cart_id};

	(void)shop_text_put(request.code, sizeof(request.code), slice(code));
	fixture->command.request.cart_code = request;
	return fixture_apply(fixture, SHOP_CART_CODE);
}

enum shop_result fixture_checkout(struct fixture *fixture, uint64_t cart_id,
				  int64_t confirmed_total)
{
	struct shop_checkout checkout = {.cart_id = cart_id, .confirmed_total = confirmed_total};

	(void)shop_text_put(checkout.email, sizeof(checkout.email), slice("jo@example.org"));
	fixture->command.request.checkout = checkout;
	return fixture_apply(fixture, SHOP_CHECKOUT);
}

enum shop_result fixture_order_step(struct fixture *fixture, uint32_t type, uint64_t order_id)
{
	fixture->command.request.order_step = (struct shop_order_step){.order_id = order_id};
	return fixture_apply(fixture, type);
}

static enum shop_result fixture_pay(struct fixture *fixture, uint64_t order_id, int64_t amount,
				    const char *key, uint16_t flags)
{
	struct shop_payment_record record;
	struct shop_card card = {.month = 12, .year = 2030};
	enum shop_reason reason;
	bool is_put;

	shop_payment_record_init(&record);
	record.flags = flags;
	record.order_id = order_id;
	record.amount = amount;
	record.currency = fixture->options.currency;
	is_put = shop_text_put(record.key, sizeof(record.key), slice(key)) &&
		 shop_card_number_set(&card, slice(FIXTURE_CARD_GOOD));
	assert(is_put);
	shop_payment_record_card(&record, &card);
	shop_payment_record_sum(&record);
	reason = shop_payment_record_seal(&record, fixture->now_ms, &card);
	assert(reason == SHOP_REASON_NONE);
	fixture->command.request.authorize.record = record;
	fixture->command.card = card;
	return fixture_apply(fixture, SHOP_PAYMENT_AUTHORIZE);
}

enum shop_result fixture_authorize(struct fixture *fixture, uint64_t order_id, int64_t amount,
				   const char *key)
{
	return fixture_pay(fixture, order_id, amount, key, 0);
}

enum shop_result fixture_sale(struct fixture *fixture, uint64_t order_id, int64_t amount,
			      const char *key)
{
	return fixture_pay(fixture, order_id, amount, key, SHOP_PAYMENT_SALE);
}

enum shop_result fixture_payment_step(struct fixture *fixture, uint32_t type, uint64_t payment_id,
				      int64_t amount, const char *key)
{
	struct shop_payment_step step = {.payment_id = payment_id, .amount = amount};

	(void)shop_text_put(step.key, sizeof(step.key), slice(key));
	fixture->command.request.payment_step = step;
	return fixture_apply(fixture, type);
}

enum shop_result fixture_word(struct fixture *fixture, uint64_t operation_id,
			      enum shop_verdict verdict)
{
	fixture->command.request.payment_outcome = (struct shop_payment_outcome){
		.operation_id = operation_id, .acquirer_reference = 4711, .verdict = verdict};
	return fixture_apply(fixture, SHOP_PAYMENT_OUTCOME);
}

enum shop_result fixture_tick(struct fixture *fixture)
{
	fixture->command.request.tick = (struct shop_tick){.limit = 100};
	return fixture_apply(fixture, SHOP_TICK);
}

uint64_t fixture_order(struct fixture *fixture)
{
	const struct shop_product *product =
		shop_catalog_product_by_sku(&fixture->shop.catalog, "MUG");
	uint64_t product_id =
		product == NULL ? fixture_product(fixture, "MUG", 1000, 10) : product->object.id;
	uint64_t cart_id = fixture_cart(fixture);
	enum shop_result result = fixture_set(fixture, cart_id, product_id, 1);

	assert(result == SHOP_OK);
	result = fixture_checkout(fixture, cart_id, SHOP_TOTAL_UNCONFIRMED);
	assert(result == SHOP_OK);
	return fixture->command.outcome.id;
}

struct shop_order *fixture_order_of(struct fixture *fixture, uint64_t id)
{
	return (struct shop_order *)shop_table_find(&fixture->shop.orders, id);
}

struct shop_payment *fixture_payment_of(struct fixture *fixture, uint64_t id)
{
	return (struct shop_payment *)shop_table_find(&fixture->shop.payments, id);
}
