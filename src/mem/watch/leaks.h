/*
 * The gathering of leaks: each class of the registry tells of its objects, and they are
 * put together by pool and place.
 */
#ifndef ZEROG_MEM_WATCH_LEAKS_H
#define ZEROG_MEM_WATCH_LEAKS_H

#include <stdint.h>

#include <zerog/leaks.h>

/* Objects that are out. */
struct zgi_leak {
	const char *name; /* static text: the pool's */
	const void *site; /* the return address of the take; NULL when it is not known */
	uint64_t taken_ns; /* zgi_clock_coarse_ns() of the take; only with a site */
	uint64_t count; /* of objects */
};

struct zgi_leaks;

/**
 * zgi_leaks_add() - tell of objects that are out; called by a class's tell_leaks()
 * @leaks:  as it was passed
 * @leak:   read during the call
 */
void zgi_leaks_add(struct zgi_leaks *leaks, const struct zgi_leak *leak);

/**
 * zgi_leaks_print() - zg_leak_report() under a heading of one's own
 * @text:  appended to
 * @what:  what the heading says the objects are
 *
 * Return: as zg_leak_report().
 */
uint64_t zgi_leaks_print(struct zg_text *text, const char *what);

#endif
