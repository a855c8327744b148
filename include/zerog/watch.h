/*
 * Watch: what memory is held, by every part of the toolkit that is alive.
 *
 * Each region, pool (of whichever kind: plain, typed, tracked, persistent), shared pool, guest heap
 * and account of it registers itself when it is made and leaves when it ends. An arena does
 * when it is asked to, with zg_arena_watch_init(). The fragmentation meter and
 * the leak report walk over those that are there.
 *
 * Three sizes tell how well memory is used. `live` is what users asked for and
 * have; `held` is what those objects occupy, rounding and bookkeeping included;
 * `reserved` is all that was set aside. held over live is the fragmentation inside,
 * reserved over held is the room there still is.
 *
 * Threads    Any thread may look; the figures are each of some recent moment.
 */
#ifndef ZEROG_WATCH_H
#define ZEROG_WATCH_H

#include <stdint.h>

#include <zerog/attributes.h>

ZG_BEGIN_DECLS

struct zgi_watch_class;

/* The part of an object by which it is registered; its fields are the registry's. */
struct zg_watched {
	struct zg_watched *next;
	struct zg_watched *previous;
	const struct zgi_watch_class *class_of; /* static; NULL while it is not registered */
};

struct zg_usage {
	const char *kind; /* static text: "region", "pool", "shared pool", "arena", "guest heap",
			     "guest account", "persistent pool" */
	const char *name; /* static text, as its owner named it; never NULL */
	uint64_t live_count; /* objects that users have */
	uint64_t count_max; /* objects there can be; 0 where only bytes are counted */
	uint64_t live_size; /* bytes */
	uint64_t held_size; /* bytes */
	uint64_t reserved_size; /* bytes */
};

/**
 * zg_watch_usage() - visit the usage of everything that is registered, in order of its making
 * @visit:  called once an object; must not make or end one
 * @user:   passed to it; borrowed
 *
 * Any thread; makes no allocation.
 */
void zg_watch_usage(void (*visit)(const struct zg_usage *usage, void *user), void *user);

ZG_END_DECLS

#endif
