/*
 * Registry: the list of what holds memory in this process.
 *
 * An object embeds a struct zg_watched and tells in its class how it is read.
 */
#ifndef ZEROG_MEM_WATCH_REGISTRY_H
#define ZEROG_MEM_WATCH_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include <zerog/watch.h>

struct zgi_leaks;

struct zgi_watch_class {
	const char *kind; /* static text */
	/* Fill in all but the kind. Called while the owner goes on: read with relaxed loads. */
	void (*measure)(const struct zg_watched *watched, struct zg_usage *ret_usage);
	/* Faults of this name are armed, or are not any more: while they are, each take asks
	 * zgi_fault_is_due(). Called by any thread, while the owner goes on; NULL where no take can
	 * be made to fail. */
	void (*arm)(struct zg_watched *watched, bool is_armed);
	/* Tell of each object that users have, with zgi_leaks_add(). As above; NULL: there is
	 * nothing to be given back. */
	void (*tell_leaks)(const struct zg_watched *watched, struct zgi_leaks *leaks);
};

/* The object that embeds a zg_watched. */
#define ZGI_WATCHED_OWNER(watched, type, member) \
	((const type *)(const void *)((const char *)(watched)-offsetof(type, member)))
#define ZGI_WATCHED_OWNER_MUTABLE(watched, type, member) \
	((type *)(void *)((char *)(watched)-offsetof(type, member)))

/* The handles of an object: those of its tag, from an index on. */
struct zgi_handle_range {
	uint32_t index_first;
	uint32_t count; /* at least 1 */
	uint8_t tag; /* 0: one is assigned */
};

/**
 * zgi_watch_claim() - make sure that nobody else's handles are those of an object
 * @watched:  embedded in it; overwritten. Not to be seen by others before zgi_watch_add()
 * @range:    in: the handles it is to have; out: with its tag. Untouched on failure
 *
 * Any thread. Return: 0; -EEXIST when another object that is alive has some of these handles;
 * -ENOSPC when no tag is left to be assigned.
 */
ZG_MUST_USE int zgi_watch_claim(struct zg_watched *watched, struct zgi_handle_range *range);

/**
 * zgi_watch_check_new() - fail an assertion when an object is registered already
 * @watched:  embedded in it; any contents
 *
 * What is alive must not be made again: the list would lead through what was overwritten.
 */
void zgi_watch_check_new(const struct zg_watched *watched);

/**
 * zgi_watch_add() - register an object
 * @watched:   embedded in it; claimed, or overwritten
 * @class_of:  static
 *
 * Any thread.
 */
void zgi_watch_add(struct zg_watched *watched, const struct zgi_watch_class *class_of);

/**
 * zgi_watch_remove() - forget an object, before its memory goes
 * @watched:  registered, or zeroed
 *
 * Any thread.
 */
void zgi_watch_remove(struct zg_watched *watched);

/**
 * zgi_watch_visit() - walk over everything that is registered, in order of its making
 * @visit:  called with the registry locked: must not make or end an object
 * @user:   passed to it
 *
 * Any thread.
 */
void zgi_watch_visit(void (*visit)(const struct zg_watched *watched, void *user), void *user);

/**
 * zgi_watch_arm() - tell everything that is registered whether faults of its name are armed
 *
 * Any thread. What is made later is told when it is made.
 */
void zgi_watch_arm(void);

#endif
