/*
 * Acquirer: whoever talks to the card networks, behind an interface.
 *
 * All of it is asynchronous: an operation is submitted, and its word comes later by a call. The
 * operation's id is ours, and it is the acquirer's idempotency key: submitted twice, it is carried
 * out once. So whoever has lost track (a time-out, a crash) asks what became of an id.
 *
 * The card is lent for the call of submit() alone. It is there for authorizations only, and not
 * after a crash: what is in flight then is asked about, never submitted again.
 *
 * Threads  The home shard's.
 */
#ifndef STOREFRONT_ACQUIRER_H
#define STOREFRONT_ACQUIRER_H

#include <stdint.h>

#include <zerog/attributes.h>

#include "money/money.h"
#include "payments/card.h"
#include "payments/payment.h"

struct shop_acquirer;

struct shop_acquirer_request {
	uint64_t operation_id;
	enum shop_operation operation;
	struct shop_money money;
	uint64_t reference; /* the acquirer's own, of the authorization; 0 for one */
	const struct shop_card *card; /* borrowed during the call; NULL but for authorizations */
};

/* The word, later, and never from within submit() or ask(). */
typedef void shop_acquirer_done(void *user, const struct shop_payment_outcome *word);

struct shop_acquirer_operations {
	const char *name; /* static: "sandbox" */
	/* Return: 0, and done() will be called; -EAGAIN when it cannot take more now. */
	int (*submit)(struct shop_acquirer *acquirer, const struct shop_acquirer_request *request);
	/* What became of an operation? The word is UNHEARD when it never arrived; from then on it
	 * must never be carried out. Return: as above. */
	int (*ask)(struct shop_acquirer *acquirer, uint64_t operation_id);
	/* Time has passed. Return: when to call again, milliseconds since the epoch; INT64_MAX when
	 * nothing is in flight. */
	int64_t (*poll)(struct shop_acquirer *acquirer, int64_t now_ms);
};

struct shop_acquirer {
	const struct shop_acquirer_operations *operations; /* static */
	shop_acquirer_done *done;
	void *user; /* borrowed: for done() */
};

ZG_MUST_USE static inline int shop_acquirer_submit(struct shop_acquirer *acquirer,
						   const struct shop_acquirer_request *request)
{
	return acquirer->operations->submit(acquirer, request);
}

ZG_MUST_USE static inline int shop_acquirer_ask(struct shop_acquirer *acquirer,
						uint64_t operation_id)
{
	return acquirer->operations->ask(acquirer, operation_id);
}

static inline int64_t shop_acquirer_poll(struct shop_acquirer *acquirer, int64_t now_ms)
{
	return acquirer->operations->poll(acquirer, now_ms);
}

#endif
