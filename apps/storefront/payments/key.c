/*
 * Idempotency keys: a table of answers.
 */
#include "payments/key.h"

#include <assert.h>
#include <string.h>

#include "ledger/shop.h"
#include "state/text.h"

void shop_key_wire(struct shop_wire *wire, struct shop_object *object)
{
	struct shop_key *key = (struct shop_key *)object;

	shop_wire_text(wire, key->key, sizeof(key->key));
	shop_wire_u64(wire, &key->digest[0]);
	shop_wire_u64(wire, &key->digest[1]);
	shop_wire_i64(wire, &key->expires_ms);
	shop_wire_u16(wire, &key->result);
	shop_wire_u16(wire, &key->reason);
	shop_wire_u32(wire, &key->state);
	shop_wire_u64(wire, &key->id);
	shop_wire_i64(wire, &key->amount);
}

bool shop_key_is_good(const char *key)
{
	return key[SHOP_KEY_SIZE - 1] == '\0' &&
	       shop_text_is_visible(shop_text_of(key, SHOP_KEY_SIZE));
}

bool shop_key_is_known(struct shop *shop, const struct shop_key_use *use,
		       struct shop_outcome *outcome)
{
	const struct shop_key *key;

	if (use->key[0] == '\0')
		return false;
	if (!shop_key_is_good(use->key)) {
		shop_outcome_set(outcome, SHOP_INVALID, SHOP_REASON_KEY);
		return true;
	}
	key = (struct shop_key *)shop_table_find_text(&shop->keys, use->key);
	if (key == NULL) {
		if (shop_has_room(&shop->keys, SHOP_KEYS_ANSWERED))
			return false;
		shop_outcome_full(outcome, SHOP_REASON_KEYS_FULL);
		return true;
	}
	if (key->digest[0] != use->digest[0] || key->digest[1] != use->digest[1]) {
		shop_outcome_set(outcome, SHOP_CONFLICT, SHOP_REASON_KEY_REUSED);
		return true;
	}
	outcome->result = key->result;
	outcome->reason = key->reason;
	outcome->state = key->state;
	outcome->id = key->id;
	outcome->amount = key->amount;
	outcome->is_repeated = true;
	return true;
}

static void key_fill(struct shop_key *key, const struct shop_outcome *outcome)
{
	key->result = outcome->result;
	key->reason = outcome->reason;
	key->state = outcome->state;
	key->id = outcome->id;
	key->amount = outcome->amount;
}

void shop_key_remember(struct shop *shop, const struct shop_key_use *use,
		       const struct shop_outcome *outcome)
{
	struct shop_object *object;
	struct shop_key *key;
	int result;

	if (use->key[0] == '\0')
		return;
	(void)shop_make_room(shop, &shop->keys, SHOP_KEYS_ANSWERED);
	result = shop_table_add_text(&shop->keys, SHOP_KEYS_PENDING, use->key, &object);
	assert(result == 0);
	key = (struct shop_key *)object;
	key->digest[0] = use->digest[0];
	key->digest[1] = use->digest[1];
	key_fill(key, outcome);
}

void shop_key_answer(struct shop *shop, const char *text, int64_t now_ms,
		     const struct shop_outcome *outcome)
{
	struct shop_key *key =
		text[0] == '\0' ? NULL : (struct shop_key *)shop_table_find_text(&shop->keys, text);

	if (key == NULL)
		return;
	shop_table_move(&shop->keys, &key->object, SHOP_KEYS_ANSWERED);
	key->expires_ms = now_ms + (int64_t)shop->options.key_ttl_s * 1000;
	key_fill(key, outcome);
}

uint32_t shop_keys_expire(struct shop *shop, int64_t now_ms, uint32_t limit)
{
	struct shop_queue *queue = &shop->keys.queues[SHOP_KEYS_ANSWERED];
	uint32_t count = 0;

	for (; count < limit && queue->first != NULL &&
	       now_ms >= ((struct shop_key *)queue->first)->expires_ms;
	     ++count)
		shop_table_remove(&shop->keys, queue->first);
	return count;
}
