/*
 * Ways: every way to more memory that the test of the rules tries, by system call.
 */
#ifndef ZEROG_MEM_SEAL_SEAL_WAYS_H
#define ZEROG_MEM_SEAL_SEAL_WAYS_H

#include <stdbool.h>
#include <stddef.h>

struct zgi_seal_way {
	const char *call; /* the rule's name */
	const char *what; /* which way this is */
	long (*take)(void); /* Return: above 0 when memory was gained; 0 or -errno */
	bool is_certain; /* without the seal it succeeds on every kernel, for everybody */
};

/* What the ways need from before the seal: mappings, a ring, a segment. */
void zgi_seal_ways_prepare(void);

const struct zgi_seal_way *zgi_seal_ways(size_t *ret_count);

#endif
