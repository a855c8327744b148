/*
 * Journal store: commands are applied, recorded in a journal, and done once their records are
 * durable.
 *
 * A command is applied in the order in which it came, at once; what waits is its answer. All
 * records of a turn are made durable by one flush, which the caller does (shop_store_turn_end()).
 * A command that changed nothing waits as well when the state that it saw is not durable yet: or
 * somebody would be told of a payment that a crash could still undo.
 *
 * The place of the record is reserved before the command is applied: when the journal is full,
 * nothing has been done. When few of its segments are free, a snapshot is taken, a slice at a time
 * (shop_store_idle()), and those that it makes superfluous are used again.
 *
 * Ownership  Memory is the caller's, from open to close.
 * Threads    The home shard's; shop_store_sync() on any other.
 */
#ifndef STOREFRONT_JOURNAL_STORE_H
#define STOREFRONT_JOURNAL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/journal.h>
#include <zerog/plan.h>
#include <zerog/text.h>

#include "ledger/snapshot.h"
#include "stores/store.h"

#define SHOP_JOURNAL_SLICE_SIZE_DEFAULT (UINT32_C(1) << 20)

struct shop_journal_store_options {
	const char *directory; /* read during open only */
	uint64_t segment_size; /* bytes, as in struct zg_journal_options */
	uint32_t segment_count;
	uint32_t slice_size; /* bytes of a snapshot's slice, at least SHOP_SNAPSHOT_ITEM_SIZE_MAX;
			      * what may change between two slices. 0: the default */
	bool create; /* make the directory and the journal where there is none */
	bool accept_corruption; /* go on past damage */
	struct shop *shop; /* borrowed until close: initialised, and empty */
	shop_store_done *done;
	void *user; /* borrowed */
	void *memory; /* borrowed until close; aligned to ZG_JOURNAL_MEMORY_ALIGNMENT */
	size_t memory_size; /* bytes, at least shop_journal_store_memory_size() */
};

enum shop_journal_phase {
	SHOP_JOURNAL_QUIET, /* no snapshot is under way */
	SHOP_JOURNAL_WRITING, /* slices are written */
	SHOP_JOURNAL_SYNCING, /* shop_store_sync() is due, or under way */
};

struct shop_journal_store {
	struct shop_store store;
	struct zg_journal journal;
	struct shop_snapshot snapshot;
	unsigned char *slice; /* borrowed */
	unsigned char *buffer; /* borrowed */
	uint32_t slice_size;
	enum shop_journal_phase phase;
	struct zg_journal_commit commit; /* the one under way */
	struct shop_command *first; /* borrowed: those that wait, in order */
	struct shop_command *last;
	uint64_t snapshot_failed_count;
};

/**
 * shop_journal_store_memory_size() - bytes that a store is to be lent
 * @options:  segment_count and slice_size are read
 *
 * Return: bytes; 0 when a value is out of range.
 */
size_t shop_journal_store_memory_size(const struct shop_journal_store_options *options);

/**
 * shop_journal_store_plan() - add the store's lines to a plan
 * @plan:     initialised
 * @options:  segment_size, segment_count and slice_size are read
 *
 * Return: 0; as zg_journal_plan().
 */
ZG_MUST_USE int shop_journal_store_plan(struct zg_plan *plan,
					const struct shop_journal_store_options *options);

/**
 * shop_journal_store_open() - open a directory, and let the shop be what it was
 * @journal:       the caller's; overwritten, and stays where it is. Its member `store` is what
 *                 others use
 * @options:       read during the call
 * @ret_recovery:  what was found; may be NULL
 * @ret_error:     on failure, appended to: one sentence
 *
 * Operations that were in flight are still: shop_transaction_next() lists them, for the acquirer
 * to be asked about each.
 *
 * Return: 0; as zg_journal_open() and zg_journal_replay(); -EBADMSG, -EPROTO, -ENOMEM or -ESTALE
 * when what was read is not this shop's, or does not fit it. Boot only.
 */
ZG_MUST_USE int shop_journal_store_open(struct shop_journal_store *journal,
					const struct shop_journal_store_options *options,
					struct zg_journal_recovery *ret_recovery,
					struct zg_text *ret_error);

#endif
