/*
 * Store: where commands are applied, and made to last.
 *
 * A command is submitted and comes back done: applied, its outcome set, and, when it changed
 * something, kept so that no crash can lose it. What keeps it is the store's matter: nothing (the
 * store in memory), a journal in a directory, a database. Commands of one submitter are applied in
 * the order in which they were submitted.
 *
 * The store has the one shop that is written to. Whoever only looks reads `shop`, and changes
 * nothing.
 *
 * Ownership  A command is lent to the store from submit() to done().
 * Threads    The home shard's.
 */
#ifndef STOREFRONT_STORE_H
#define STOREFRONT_STORE_H

#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/text.h>

#include "ledger/shop.h"

struct shop_store;

/* The command is done. `error` is 0, or a negative errno when nobody can tell whether it will have
 * happened after a crash: the answer is 500, and whoever asks again with the same key is told. May
 * be called from within submit(). */
typedef void shop_store_done(void *user, struct shop_command *command, int error);

/* What is left to do when nobody waits. */
enum shop_store_work {
	SHOP_STORE_NOTHING = 0,
	SHOP_STORE_MORE = 1, /* call shop_store_idle() again, soon */
	SHOP_STORE_SYNC =
		2, /* call shop_store_sync() on another thread, then shop_store_synced() */
};

struct shop_store_operations {
	const char *name; /* static: "memory", "journal" */
	int (*submit)(struct shop_store *store, struct shop_command *command);
	/* The turn's commands have been submitted: begin what makes them last. Return: 0; or a
	 * positive number when a flush is to be waited for, whose end is told by flushed(). */
	int (*turn_end)(struct shop_store *store, int *ret_fd);
	void (*flushed)(struct shop_store *store, int result);
	int (*idle)(struct shop_store *store); /* Return: enum shop_store_work */
	int (*sync)(struct shop_store *store);
	void (*synced)(struct shop_store *store, int result);
	void (*close)(struct shop_store *store);
};

struct shop_store {
	const struct shop_store_operations *operations; /* static */
	struct shop *shop; /* borrowed */
	shop_store_done *done;
	void *user; /* borrowed: for done() */
};

/**
 * shop_store_submit() - apply a command and make it last
 * @store:    open
 * @command:  its type, request and now_ms filled in; lent until done() is called with it
 *
 * Return: 0, and done() has been called, or will be; -EAGAIN when the store cannot take more at the
 * moment, nothing done: answer 503 and Retry-After; another negative errno when it cannot keep
 * anything any more.
 */
ZG_MUST_USE static inline int shop_store_submit(struct shop_store *store,
						struct shop_command *command)
{
	return store->operations->submit(store, command);
}

/**
 * shop_store_turn_end() - begin to make the turn's commands last
 * @store:   open
 * @ret_fd:  borrowed: what to fdatasync(2), on any thread or ring; untouched otherwise
 *
 * Return: 1 when a flush is to be done, and then shop_store_flushed() to be called with its result;
 * 0 when there is nothing to do, or one is under way already.
 */
ZG_MUST_USE static inline int shop_store_turn_end(struct shop_store *store, int *ret_fd)
{
	return store->operations->turn_end(store, ret_fd);
}

/**
 * shop_store_flushed() - the flush is over: the commands that it covers are done
 * @store:   open, with a flush under way
 * @result:  0, or a negative errno
 *
 * Another turn may have to end now: call shop_store_turn_end() again.
 */
static inline void shop_store_flushed(struct shop_store *store, int result)
{
	store->operations->flushed(store, result);
}

/**
 * shop_store_idle() - do some of the work that nobody waits for: a slice of a snapshot
 * @store:  open
 *
 * Return: what is left, enum shop_store_work. Call it once in a while, a few times a second.
 */
static inline int shop_store_idle(struct shop_store *store)
{
	return store->operations->idle(store);
}

/**
 * shop_store_sync() - the part of that work that waits for the disk
 * @store:  whose shop_store_idle() has returned SHOP_STORE_SYNC
 *
 * On any one thread, while the home shard's goes on submitting.
 *
 * Return: for shop_store_synced().
 */
static inline int shop_store_sync(struct shop_store *store)
{
	return store->operations->sync(store);
}

/**
 * shop_store_synced() - it has been done
 * @store:   whose shop_store_sync() has returned
 * @result:  what it returned
 */
static inline void shop_store_synced(struct shop_store *store, int result)
{
	store->operations->synced(store, result);
}

/**
 * shop_store_close() - end the store; what was submitted and is not done is not told any more
 * @store:  open
 */
static inline void shop_store_close(struct shop_store *store)
{
	store->operations->close(store);
}

#endif
