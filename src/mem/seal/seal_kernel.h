/*
 * The kernel seal: from its beginning on the process can gain no memory.
 */
#ifndef ZEROG_MEM_SEAL_SEAL_KERNEL_H
#define ZEROG_MEM_SEAL_SEAL_KERNEL_H

#include <stdbool.h>

#include <zerog/attributes.h>

/**
 * zgi_seal_kernel_prepare() - what allocates or occupies memory, done before a plan is made
 *
 * Return: 0; -EOPNOTSUPP where there can be no such seal: no seccomp, or a sanitizer's build;
 * -ENOMEM; -errno.
 */
ZG_MUST_USE int zgi_seal_kernel_prepare(void);

/**
 * zgi_seal_kernel_close() - fault everything in, set the limits, install the filter
 *
 * For good: nothing undoes it. Prepared before; done again, it does nothing.
 *
 * Return: 0; -errno, and then the process is as it was.
 */
ZG_MUST_USE int zgi_seal_kernel_close(void);

/**
 * zgi_seal_kernel_is_closed() - has it been done?
 *
 * Any thread.
 */
bool zgi_seal_kernel_is_closed(void);

#endif
