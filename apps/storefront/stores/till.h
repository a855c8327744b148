/*
 * Till: sees every payment's operation through, between the store and the acquirer.
 *
 *	intent durable ─► submit ─► the acquirer's word ─► recorded, durable ─► done
 *	                               │ none within the time
 *	                               └─► recorded ─► ask, later and later ─► the word
 *
 * Nobody hears of a word before it is durable. What is in flight after a crash is asked about, and
 * never submitted again. A word that the store cannot take at the moment is kept and offered again.
 *
 * Ownership  Memory is the caller's, from init on.
 * Threads    The home shard's.
 * Limits     As many operations as the shop has transactions. There is always room: commands are
 *done in order, so that a word is done before the intent that took its transaction's place.
 */
#ifndef STOREFRONT_TILL_H
#define STOREFRONT_TILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/plan.h>
#include <zerog/typed_pool.h>

#include "ledger/command.h"
#include "payments/acquirer.h"
#include "stores/store.h"

#define SHOP_TILL_ASK_MS 1000 /* before the first question; each one after waits twice as long */
#define SHOP_TILL_ASK_MS_MAX 60000
#define SHOP_TILL_RETRY_MS 100 /* until a store or an acquirer that was full is tried again */

/* What an operation waits for. */
enum shop_till_step {
	SHOP_TILL_WORD, /* the acquirer's word */
	SHOP_TILL_STORE, /* the word is being recorded */
	SHOP_TILL_OFFER, /* the store was full: the word is offered again at due_ms */
	SHOP_TILL_ASK, /* the acquirer is asked at due_ms */
};

struct shop_till_entry {
	struct shop_command command; /* SHOP_PAYMENT_OUTCOME */
	uint64_t operation_id;
	int64_t due_ms; /* since the epoch */
	enum shop_till_step step;
	uint32_t asked_count;
	void *waiter; /* the caller's; NULL: nobody waits */
	struct shop_till_entry *chain; /* borrowed: the next of its bucket */
	struct shop_till_entry *earlier; /* borrowed: of those with a due_ms */
	struct shop_till_entry *later;
	zg_handle handle;
};

ZG_TYPED_POOL(till, struct shop_till_entry);

/* An operation is over, and durable. `waiter` is what it was begun with, NULL after a crash; `word`
 * is the SHOP_PAYMENT_OUTCOME command with its outcome, borrowed during the call. `error` is not 0
 * when the store has failed: nobody knows then, and the next start will ask. */
typedef void shop_till_done(void *user, void *waiter, const struct shop_command *word, int error);

struct shop_till {
	struct shop_store *store; /* borrowed */
	struct shop_acquirer *acquirer; /* borrowed */
	shop_till_done *done;
	void *user; /* borrowed */
	int64_t now_ms; /* of the latest call */
	struct till_pool pool;
	struct shop_till_entry **buckets; /* borrowed */
	uint32_t bucket_mask;
	struct shop_till_entry *first; /* borrowed: those that wait for a time */
	uint64_t timeout_count;
	uint64_t ask_count;
};

struct shop_till_options {
	struct shop_store *store;
	struct shop_acquirer *acquirer; /* its done is set to the till's */
	shop_till_done *done;
	void *user;
	uint32_t transactions_max; /* the shop's */
	void *memory; /* zeroed, aligned to ZG_POOL_ALIGNMENT */
};

/**
 * shop_till_memory_size() - bytes that a till is to be lent
 * @transactions_max:  the shop's
 */
size_t shop_till_memory_size(uint32_t transactions_max);

/**
 * shop_till_plan() - add the till's line to a plan
 * @plan:              initialised, the shop's lines added
 * @transactions_max:  the shop's
 *
 * Return: 0; as zg_plan_add().
 */
ZG_MUST_USE int shop_till_plan(struct zg_plan *plan, uint32_t transactions_max);

/**
 * shop_till_init() - a till with nothing in flight
 * @till:     the caller's; overwritten, and stays where it is
 * @options:  read during the call
 *
 * Return: 0; as zg_pool_init().
 */
ZG_MUST_USE int shop_till_init(struct shop_till *till, const struct shop_till_options *options);

/**
 * shop_till_fini() - end the till
 * @till:  initialised
 */
void shop_till_fini(struct shop_till *till);

/**
 * shop_till_begin() - an operation's intent is durable: ask the acquirer for it
 * @till:     initialised
 * @command:  done by the store, its outcome PENDING with an operation_id, which is asserted. Its
 *            card is wiped
 * @waiter:   for done(); may be NULL
 */
void shop_till_begin(struct shop_till *till, struct shop_command *command, void *waiter);

/**
 * shop_till_recover() - ask about everything that is in flight, once, after the store was opened
 * @till:    initialised
 * @now_ms:  since the epoch
 *
 * Return: operations that there are.
 */
uint32_t shop_till_recover(struct shop_till *till, int64_t now_ms);

/**
 * shop_till_owns() - is it one of the till's commands that the store has done?
 * @till:     initialised
 * @command:  any
 */
bool shop_till_owns(const struct shop_till *till, const struct shop_command *command);

/**
 * shop_till_stored() - the store has done one of the till's commands
 * @till:     initialised
 * @command:  for which shop_till_owns() says true
 * @error:    as the store said
 */
void shop_till_stored(struct shop_till *till, struct shop_command *command, int error);

/**
 * shop_till_poll() - time has passed
 * @till:    initialised
 * @now_ms:  since the epoch
 *
 * Return: when to call again at the latest, milliseconds since the epoch; INT64_MAX when nothing
 * is in flight.
 */
int64_t shop_till_poll(struct shop_till *till, int64_t now_ms);

#endif
