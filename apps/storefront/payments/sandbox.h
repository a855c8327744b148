/*
 * Sandbox: an acquirer that moves no money, and does what the card's number says.
 *
 *	4242 4242 4242 4242    approved, as is every other number that is well formed:
 *	                       4111 1111 1111 1111, 5555 5555 5555 4444, 3782 822463 10005,
 *	                       6011 1111 1111 1117, 3530 1113 3330 0000, 3056 9309 0259 04
 *	4000 0000 0000 0002    declined
 *	4000 0000 0000 9995    insufficient funds
 *	4000 0000 0000 0069    the issuer says: expired
 *	4000 0000 0000 0119    no word within the time; asked later: it was approved
 *	4000 0000 0000 3220    no word within the time; asked later: it never arrived
 *	4000 0000 0000 0259    taken for a duplicate
 *
 * It remembers the words of the latest operations, as many as its memory has room for, and gives
 * the same word for the same id again. Captures, voids and refunds are approved.
 *
 * Ownership  Memory is the caller's, from init on.
 */
#ifndef STOREFRONT_SANDBOX_H
#define STOREFRONT_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>

#include "payments/acquirer.h"

#define SHOP_SANDBOX_TIMEOUT_MS 2000 /* until an acquirer that does not answer has timed out */

struct shop_sandbox_entry {
	uint64_t operation_id; /* 0: free */
	int64_t due_ms; /* when its word is given */
	uint64_t reference;
	uint32_t verdict; /* the word there is */
	uint32_t earlier; /* entries that wait, in order of due_ms: index + 1; 0 at either end */
	uint32_t later;
	bool is_waiting; /* for its word to be given */
	bool is_silent; /* time out now; `verdict` is for who asks */
};

struct shop_sandbox {
	struct shop_acquirer acquirer;
	struct shop_sandbox_entry *entries; /* borrowed: a ring, the newest overwrites the oldest */
	uint32_t entry_count;
	uint32_t next; /* the entry that is written next */
	uint32_t earliest; /* that waits: index + 1; 0: none */
	uint32_t latest;
	uint64_t operation_last; /* the highest id that was heard of */
	int64_t now_ms; /* of the latest poll */
	int64_t delay_ms; /* between a request and its word */
};

struct shop_sandbox_options {
	shop_acquirer_done *done;
	void *user; /* borrowed */
	struct shop_sandbox_entry *entries; /* borrowed: zeroed or not */
	uint32_t entry_count; /* at least 1: operations in flight, and remembered */
	int64_t delay_ms; /* 0: at the next poll */
	int64_t now_ms; /* since the epoch */
};

/**
 * shop_sandbox_init() - a sandbox that has heard of nothing
 * @sandbox:  the caller's; overwritten. Its member `acquirer` is what others use
 * @options:  read during the call
 */
void shop_sandbox_init(struct shop_sandbox *sandbox, const struct shop_sandbox_options *options);

#endif
