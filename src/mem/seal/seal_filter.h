/*
 * Filter: the rules as a program for the kernel.
 */
#ifndef ZEROG_MEM_SEAL_SEAL_FILTER_H
#define ZEROG_MEM_SEAL_SEAL_FILTER_H

#include <zerog/attributes.h>

/**
 * zgi_seal_filter_prepare() - make the filter, and see whether the kernel takes filters
 *
 * Allocates, so it is for boot; done again, it does nothing.
 *
 * Return: 0; -EOPNOTSUPP where the kernel or a container refuses seccomp; -errno when the
 * filter cannot be made.
 */
ZG_MUST_USE int zgi_seal_filter_prepare(void);

/**
 * zgi_seal_filter_install() - put every thread of the process under the filter, for good
 *
 * Needs no privilege: the process can gain none any more (no_new_privs). Prepared before; makes
 * no allocation.
 *
 * Return: 0; -EBUSY when a thread has a filter of its own, to which ours cannot be added;
 * -errno of seccomp(2).
 */
ZG_MUST_USE int zgi_seal_filter_install(void);

#endif
