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

/**
 * zgi_watch_add() - register an object
 * @watched:   embedded in it, not registered, which is asserted; overwritten
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
