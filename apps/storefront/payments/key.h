/*
 * Idempotency keys: asked twice, done once.
 *
 * Whoever asks for a payment sends a key of his own making with it. The first request with a key
 * is carried out and its answer remembered; the same request with the same key is answered so
 * again, and another request with that key is a conflict. A request that was refused (a wrong
 * field, a full pool) has done nothing, and its key is free to be used again.
 *
 * What makes a request the same is a digest of its fields. A card's number is not among them, only
 * its last four digits and its expiry: a digest over the number would let whoever reads the journal
 * try numbers until one fits.
 *
 * Keys are remembered for --key-ttl-s. When --keys-max are in use, the oldest one that has been
 * answered for good makes room.
 */
#ifndef STOREFRONT_KEY_H
#define STOREFRONT_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "state/outcome.h"
#include "state/table.h"

#define SHOP_KEY_SIZE 48 /* bytes of the field, the NUL's included */

struct shop;

enum shop_key_queue {
	SHOP_KEYS_PENDING, /* the acquirer has not answered yet */
	SHOP_KEYS_ANSWERED, /* in the order in which they were; the first makes room */
};

struct shop_key {
	struct shop_object object;
	char key[SHOP_KEY_SIZE];
	uint64_t digest[2]; /* of the request */
	int64_t expires_ms; /* since the epoch; counts once it is answered */
	/* The answer. */
	uint16_t result; /* enum shop_result */
	uint16_t reason; /* enum shop_reason */
	uint32_t state;
	uint64_t id;
	int64_t amount; /* minor units */
};

/* What a request is recognised by. */
struct shop_key_use {
	const char *key; /* borrowed; "": none was sent */
	uint64_t digest[2];
};

/* For shop_table_init(). */
void shop_key_wire(struct shop_wire *wire, struct shop_object *object);

/**
 * shop_key_is_good() - may it be a key?
 * @key:  a field of SHOP_KEY_SIZE bytes
 */
bool shop_key_is_good(const char *key);

/**
 * shop_key_is_known() - has the request been answered, or can it not be?
 * @shop:     initialised
 * @use:      any
 * @outcome:  when it has: the answer again, is_repeated set; CONFLICT when the key was used with
 *            another request; INVALID; FULL when no key is free
 *
 * Return: true when there is nothing left to do.
 */
bool shop_key_is_known(struct shop *shop, const struct shop_key_use *use,
		       struct shop_outcome *outcome);

/**
 * shop_key_remember() - a request is being carried out
 * @shop:     initialised; shop_key_is_known() has just said false
 * @use:      the same
 * @outcome:  its answer so far
 */
void shop_key_remember(struct shop *shop, const struct shop_key_use *use,
		       const struct shop_outcome *outcome);

/**
 * shop_key_answer() - the request has its final answer
 * @shop:     initialised
 * @key:      NUL-terminated; "" and keys that are gone are no matter
 * @now_ms:   since the epoch
 * @outcome:  the answer
 */
void shop_key_answer(struct shop *shop, const char *key, int64_t now_ms,
		     const struct shop_outcome *outcome);

/**
 * shop_keys_expire() - forget keys whose time is over
 * @shop:    initialised
 * @now_ms:  since the epoch
 * @limit:   keys, at the most
 *
 * Return: how many.
 */
uint32_t shop_keys_expire(struct shop *shop, int64_t now_ms, uint32_t limit);

#endif
