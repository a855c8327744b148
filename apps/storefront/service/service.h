/*
 * Service: the shop behind HTTP.
 *
 * The shop has one writer, and that is the one shard that serves. A handler reads it as it likes;
 * to change it, it takes a slot, fills in the slot's command, submits that to the store, and
 * returns ZG_PENDING. When the command is done (applied, and durable in a store that keeps it) the
 * exchange goes on in the function that was given with it. Whoever has gone meanwhile is no matter:
 * the slot comes back by itself.
 *
 * Limits  Slots are --slots; when all are out, 503 and Retry-After, and nothing was done.
 */
#ifndef STOREFRONT_SERVICE_H
#define STOREFRONT_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <zerog.h>

#include "ledger/shop.h"
#include "payments/sandbox.h"
#include "stores/journal_store.h"
#include "stores/memory_store.h"
#include "stores/store.h"
#include "stores/till.h"

#define SERVICE_SLOT_TAG 201
#define SERVICE_ORDERS_MAX 8 /* that a session may look at: the latest ones */
#define SERVICE_PAGE_SIZE 24 /* products */
#define SERVICE_PATH_SIZE 256

enum slot_state {
	SLOT_TAKEN, /* being filled in */
	SLOT_SUBMITTED, /* the store has its command */
	SLOT_RESUMED, /* its exchange is told, in this turn or the next */
};

struct service_slot;

/* Goes on when the slot's command is done; gives the slot back, or submits it again. */
typedef int service_then(struct zg_exchange *x, struct service_slot *slot);

/* One change that an exchange waits for. */
struct service_slot {
	struct shop_command command;
	zg_handle handle; /* of the exchange; ZG_HANDLE_NONE: nobody waits */
	zg_handle own; /* of this slot */
	service_then *then;
	int error; /* of the store: 0, or nobody knows whether it will last */
	uint32_t state; /* enum slot_state */
	uint64_t resumed_turn;
	struct service_slot *next; /* of those that are resumed */
	uint64_t product_id; /* what the request was about, when it takes several commands */
	uint32_t quantity;
	/* In the place of an exchange that waits: told when the command is done, and gives the slot
	 * back. NULL: the exchange is resumed. */
	void (*done)(struct service_slot *slot);
	void *user; /* borrowed; for `done` */
};

/* What a browser's session remembers. */
struct service_visit {
	uint64_t cart_id; /* 0: none */
	uint64_t token; /* of the cart */
	uint64_t orders[SERVICE_ORDERS_MAX]; /* the latest first; 0: none */
};

struct service {
	struct shop_options shop_options;
	char store_name[SERVICE_PATH_SIZE]; /* "memory", or "journal:DIR" */
	char pages[SERVICE_PATH_SIZE]; /* folder of the pages */
	char products[SERVICE_PATH_SIZE]; /* file that an empty shop is filled from */
	char openapi[SERVICE_PATH_SIZE]; /* file that describes the interface */
	uint32_t slot_count;

	struct zg_region region;
	struct shop shop;
	struct shop_journal_store journal;
	struct shop_memory_store memory;
	struct shop_store *store; /* one of the two */
	struct shop_sandbox sandbox;
	struct shop_till till;
	struct zg_pool slots;
	struct zg_shard *shard; /* borrowed: the one there is */
	struct service_slot *resumed; /* told, and not come yet */
	uint64_t turn;
	bool is_flushing;
	int failed; /* the store keeps nothing any more: a negative errno */
	uint64_t abandoned_count; /* slots whose client had gone */
	uint32_t acquirer_delay_ms; /* of the sandbox: how long it thinks */
	struct zg_journal_recovery recovery; /* what the journal found at boot */
};

extern struct service service;

/* service.c: the lines of the plan; and before the first request, on the shard's thread. Return: 0;
 * -errno, and a sentence. */
int service_plan(struct zg_plan *plan, void *user);
ZG_MUST_USE int service_open(struct zg_text *ret_error);
void service_close(void);

/* ledger.c */
int64_t service_now_ms(void);

/* Hooks of the shard. */
int ledger_start(struct zg_shard *shard, void *user);
void ledger_turn_end(struct zg_shard *shard, void *user);
void ledger_stop(struct zg_shard *shard, void *user);
/* The store's, and the till's. */
void ledger_done(void *user, struct shop_command *command, int error);
void ledger_paid(void *user, void *waiter, const struct shop_command *word, int error);

/**
 * service_slot_take() - a slot for one change
 * @ret_slot:  its command is zeroed but for the time; give it back, or submit it. Untouched on
 * failure
 *
 * Return: 0; -ENOMEM when all are out: return problem_busy().
 */
ZG_MUST_USE int service_slot_take(struct service_slot **ret_slot);
void service_slot_give(struct service_slot *slot);

/**
 * service_submit() - have the slot's command done, and go on then
 * @x:     the handler's
 * @slot:  taken; its request is filled in
 * @then:  called when it is done
 *
 * Return: for the handler to return.
 */
int service_submit(struct zg_exchange *x, struct service_slot *slot, service_then *then);

/**
 * service_submit_apart() - have the slot's command done, without an exchange that waits for it
 * @slot:  taken; its request, `done` and `user` are filled in
 *
 * Return: 0: `done` is called, now or later; -EAGAIN when there is no room for its record, other
 * errors of the store: the slot is still the caller's.
 */
ZG_MUST_USE int service_submit_apart(struct service_slot *slot);

/* problem.c: application/problem+json, RFC 9457. */
int problem_reply(struct zg_exchange *x, int status, const char *code, const char *detail);
int problem_outcome(struct zg_exchange *x, const struct shop_outcome *outcome);
int problem_busy(struct zg_exchange *x);
int problem_not_found(struct zg_exchange *x, const char *what);

/* The currency's letters. */
struct zg_slice service_currency(void);
/* A number in the path. Return: 0; -ENOENT when it is none. */
ZG_MUST_USE int service_path_number(struct zg_exchange *x, const char *name, uint64_t *ret_number);
/* Mutations come from our own pages or from programs. Return: 0 to go on; else what the handler
 * returns, with *ret_result. */
bool service_is_foreign(struct zg_exchange *x, int *ret_result);
/* The visitor's memory; zeroed when there is none. */
void service_visit_read(struct zg_exchange *x, struct service_visit *ret_visit);

/* May this visitor see the order (and so pay it)? Who has an API key may. */
bool service_may_see_order(struct zg_exchange *x, uint64_t id);
/* An order as JSON, the reply; a problem when there is none. */
int order_reply(struct zg_exchange *x, int status, uint64_t id);
/* A product as JSON, likewise. */
int product_reply(struct zg_exchange *x, int status, uint64_t id);
/* payments.c: a payment as JSON, a value. */
void payment_write(struct zg_json_writer *writer, const struct shop_payment *payment);

/* pages.c: read at boot into memory of so many bytes. Return: 0; -errno, and a sentence. */
size_t pages_memory_size(void);
ZG_MUST_USE int pages_read(const char *folder, unsigned char *memory, struct zg_text *ret_error);

/* api.c: the interface's description, likewise. */
size_t api_memory_size(void);
ZG_MUST_USE int api_read(const char *path, unsigned char *memory, struct zg_text *ret_error);

/* Their routes. */
void admin_routes(struct zg_app *app);
void api_routes(struct zg_app *app);
void imports_routes(struct zg_app *app);
void products_routes(struct zg_app *app);
void carts_routes(struct zg_app *app);
void orders_routes(struct zg_app *app);
void payments_routes(struct zg_app *app);
void pages_routes(struct zg_app *app);
void audit_routes(struct zg_app *app);

#endif
