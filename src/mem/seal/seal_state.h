/*
 * What the hooks in front of malloc share with the seal.
 */
#ifndef ZEROG_MEM_SEAL_SEAL_STATE_H
#define ZEROG_MEM_SEAL_SEAL_STATE_H

#include <stdbool.h>

#include <zerog/attributes.h>

enum zgi_seal_state {
	ZGI_SEAL_OPEN, /* before the seal, and after zg_unseal() */
	ZGI_SEAL_COUNTING,
	ZGI_SEAL_TRAPPING,
};

/* An enum zgi_seal_state; read with relaxed loads by every malloc. */
extern int zgi_seal_state;

/* True while calls pass through: the whole price of the hooks before the seal. */
static inline bool zgi_seal_is_open(void)
{
	return ZG_LIKELY(__atomic_load_n(&zgi_seal_state, __ATOMIC_RELAXED) == ZGI_SEAL_OPEN);
}

/**
 * zgi_seal_on_malloc() - an allocation was asked for after the seal
 * @site:  the return address of the call
 *
 * Counts it, or ends the process. Any thread; makes no allocation; keeps errno.
 */
void zgi_seal_on_malloc(const void *site);

/**
 * zgi_seal_on_free() - memory was freed after the seal
 */
void zgi_seal_on_free(void);

/**
 * zgi_seal_exempt() - let what this thread allocates through, uncounted
 * @is_exempt:  until it is called with false; the calls do not nest
 *
 * For builds whose own mallocs are expected: see arena_malloc.c.
 */
void zgi_seal_exempt(bool is_exempt);

/**
 * zgi_seal_hooks_install() - make sure that the hooks are linked in and at work
 *
 * Calling it is what pulls their object out of a static library.
 */
void zgi_seal_hooks_install(void);

#endif
