/*
 * Till: an entry an operation, which moves from step to step and is given back at its end.
 */
#include "stores/till.h"

#include <assert.h>

static uint32_t till_bucket_count(uint32_t transactions_max)
{
	uint32_t count = 1;

	while (count < transactions_max)
		count *= 2;
	return count;
}

static struct zg_pool_options till_pool_options(uint32_t transactions_max)
{
	return (struct zg_pool_options){.name = "till", .block_count = transactions_max};
}

size_t shop_till_memory_size(uint32_t transactions_max)
{
	const struct zg_pool_options options = till_pool_options(transactions_max);

	return till_pool_memory_size(&options) + ZG_POOL_ROUND(till_bucket_count(transactions_max) *
							       sizeof(struct shop_till_entry *));
}

int shop_till_plan(struct zg_plan *plan, uint32_t transactions_max)
{
	const struct zg_plan_line line = {
		.name = "till",
		.option = "--transactions-max",
		.count = transactions_max,
		.size_each = (shop_till_memory_size(transactions_max) + transactions_max - 1) /
			     transactions_max,
		.depends_on = {{"transactions", 1}},
		.exhausted = "never: there is one for each transaction",
	};

	return zg_plan_add(plan, &line, "one a transaction, which it sees through");
}

static struct shop_till_entry **till_bucket(struct shop_till *till, uint64_t operation_id)
{
	/* Ids are given one after another: they spread by themselves. */
	return &till->buckets[operation_id & till->bucket_mask];
}

static struct shop_till_entry *till_find(struct shop_till *till, uint64_t operation_id)
{
	struct shop_till_entry *entry = *till_bucket(till, operation_id);

	while (entry != NULL && entry->operation_id != operation_id)
		entry = entry->chain;
	return entry;
}

static struct shop_till_entry *till_take(struct shop_till *till, uint64_t operation_id,
					 void *waiter)
{
	struct shop_till_entry **bucket = till_bucket(till, operation_id);
	struct shop_till_entry *entry;
	till_handle handle;
	int result = till_pool_take(&till->pool, &handle, &entry);

	assert(result == 0 && till_find(till, operation_id) == NULL);
	*entry = (struct shop_till_entry){
		.operation_id = operation_id,
		.waiter = waiter,
		.chain = *bucket,
		.handle = handle.untyped,
	};
	*bucket = entry;
	return entry;
}

static void till_give(struct shop_till *till, struct shop_till_entry *entry)
{
	struct shop_till_entry **link = till_bucket(till, entry->operation_id);
	till_handle handle = {entry->handle};
	int result;

	while (*link != entry)
		link = &(*link)->chain;
	*link = entry->chain;
	result = till_pool_give(&till->pool, handle);
	assert(result == 0);
}

/* From now on the entry waits for a time. */
static void till_wait(struct shop_till *till, struct shop_till_entry *entry,
		      enum shop_till_step step, int64_t delay_ms)
{
	entry->step = step;
	entry->due_ms = till->now_ms + delay_ms;
	entry->earlier = NULL;
	entry->later = till->first;
	if (till->first != NULL)
		till->first->earlier = entry;
	till->first = entry;
}

static void till_unwait(struct shop_till *till, struct shop_till_entry *entry)
{
	if (entry->later != NULL)
		entry->later->earlier = entry->earlier;
	if (entry->earlier != NULL)
		entry->earlier->later = entry->later;
	else
		till->first = entry->later;
}

/* The word is to be recorded. The store may be done with it before it returns. */
static void till_offer(struct shop_till *till, struct shop_till_entry *entry)
{
	int result;

	entry->step = SHOP_TILL_STORE;
	entry->command.now_ms = till->now_ms;
	result = shop_store_submit(till->store, &entry->command);
	if (result < 0)
		till_wait(till, entry, SHOP_TILL_OFFER, SHOP_TILL_RETRY_MS);
}

static void till_word(void *user, const struct shop_payment_outcome *word)
{
	struct shop_till *till = user;
	struct shop_till_entry *entry = till_find(till, word->operation_id);

	/* A word that comes twice, or while the first one is being recorded, is none. */
	if (entry == NULL || entry->step != SHOP_TILL_WORD)
		return;
	till->timeout_count += word->verdict == SHOP_TIMED_OUT;
	entry->command.type = SHOP_PAYMENT_OUTCOME;
	entry->command.request.payment_outcome = *word;
	till_offer(till, entry);
}

int shop_till_init(struct shop_till *till, const struct shop_till_options *options)
{
	struct zg_pool_options pool = till_pool_options(options->transactions_max);
	int result;

	*till = (struct shop_till){
		.store = options->store,
		.acquirer = options->acquirer,
		.done = options->done,
		.user = options->user,
		.bucket_mask = till_bucket_count(options->transactions_max) - 1,
	};
	pool.memory = options->memory;
	pool.memory_size = till_pool_memory_size(&pool);
	till->buckets = (void *)((unsigned char *)options->memory + pool.memory_size);
	result = till_pool_init(&till->pool, &pool);
	if (result < 0)
		return result;
	till->acquirer->done = till_word;
	till->acquirer->user = till;
	return 0;
}

void shop_till_fini(struct shop_till *till)
{
	till_pool_fini(&till->pool);
}

void shop_till_begin(struct shop_till *till, struct shop_command *command, void *waiter)
{
	uint64_t operation_id = command->outcome.operation_id;
	struct shop *shop = till->store->shop;
	const struct shop_transaction *transaction = shop_transaction_find(shop, operation_id);
	struct shop_till_entry *entry;
	struct shop_acquirer_request request;
	struct shop_outcome ignored;
	int result;

	assert(command->outcome.result == SHOP_PENDING && transaction != NULL);
	till->now_ms = command->now_ms > till->now_ms ? command->now_ms : till->now_ms;
	entry = till_take(till, operation_id, waiter);
	request = (struct shop_acquirer_request){
		.operation_id = operation_id,
		.operation = (enum shop_operation)transaction->operation,
		.money = {transaction->amount, shop->options.currency},
		.reference = shop_payment_find(shop, transaction->payment_id, &ignored)
				     ->acquirer_reference,
		.card = transaction->operation <= SHOP_SALE ? &command->card : NULL,
	};
	result = shop_acquirer_submit(till->acquirer, &request);
	shop_card_wipe(&command->card);
	/* It was not taken; to be sure that it never will be, ask: the word is UNHEARD. */
	if (result < 0)
		till_wait(till, entry, SHOP_TILL_ASK, SHOP_TILL_RETRY_MS);
}

static void till_ask(struct shop_till *till, struct shop_till_entry *entry)
{
	++till->ask_count;
	++entry->asked_count;
	entry->step = SHOP_TILL_WORD;
	if (shop_acquirer_ask(till->acquirer, entry->operation_id) < 0)
		till_wait(till, entry, SHOP_TILL_ASK, SHOP_TILL_RETRY_MS);
}

uint32_t shop_till_recover(struct shop_till *till, int64_t now_ms)
{
	const struct shop_transaction *transaction = NULL;
	uint32_t count = 0;

	till->now_ms = now_ms;
	while ((transaction = shop_transaction_next(till->store->shop, transaction)) != NULL) {
		till_ask(till, till_take(till, transaction->object.id, NULL));
		++count;
	}
	return count;
}

bool shop_till_owns(const struct shop_till *till, const struct shop_command *command)
{
	const unsigned char *blocks = till->pool.untyped.blocks;
	uintptr_t offset = (uintptr_t)command - (uintptr_t)blocks;

	/* Unsigned: an address below the blocks wraps to a huge offset. */
	return offset < till->pool.untyped.block_count * till->pool.untyped.block_size;
}

void shop_till_stored(struct shop_till *till, struct shop_command *command, int error)
{
	struct shop_till_entry *entry = (struct shop_till_entry *)command;
	int64_t delay_ms = SHOP_TILL_ASK_MS;

	assert(shop_till_owns(till, command) && entry->step == SHOP_TILL_STORE);
	if (error == 0 && command->outcome.result == SHOP_PENDING) {
		for (uint32_t asked = 0;
		     asked < entry->asked_count && delay_ms < SHOP_TILL_ASK_MS_MAX; ++asked)
			delay_ms *= 2;
		till_wait(till, entry, SHOP_TILL_ASK,
			  delay_ms < SHOP_TILL_ASK_MS_MAX ? delay_ms : SHOP_TILL_ASK_MS_MAX);
		return;
	}
	till->done(till->user, entry->waiter, command, error);
	till_give(till, entry);
}

int64_t shop_till_poll(struct shop_till *till, int64_t now_ms)
{
	struct shop_till_entry *entry = till->first;
	int64_t next_ms = INT64_MAX;
	int64_t acquirer_ms;

	till->now_ms = now_ms;
	while (entry != NULL) {
		struct shop_till_entry *later = entry->later;

		if (entry->due_ms <= now_ms) {
			enum shop_till_step step = entry->step;

			till_unwait(till, entry);
			if (step == SHOP_TILL_OFFER)
				till_offer(till, entry);
			else
				till_ask(till, entry);
		}
		entry = later;
	}
	acquirer_ms = shop_acquirer_poll(till->acquirer, now_ms);
	for (entry = till->first; entry != NULL; entry = entry->later)
		next_ms = entry->due_ms < next_ms ? entry->due_ms : next_ms;
	return acquirer_ms < next_ms ? acquirer_ms : next_ms;
}
