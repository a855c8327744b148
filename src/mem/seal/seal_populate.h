/*
 * Populate: every page that the process may write is there before the seal.
 */
#ifndef ZEROG_MEM_SEAL_SEAL_POPULATE_H
#define ZEROG_MEM_SEAL_SEAL_POPULATE_H

#include <zerog/attributes.h>

/**
 * zgi_seal_populate() - fault in all private writable memory, and shared memory without a file
 *
 * The heap's unused end, stacks, data of libraries. What a file stands behind and is shared is
 * left alone: its pages are the file's. Contents stay. Makes no allocation.
 *
 * Return: 0; -ENOMEM when there is not enough memory; -errno when the mappings cannot be read.
 */
ZG_MUST_USE int zgi_seal_populate(void);

/**
 * zgi_seal_stack_reserve() - let the first thread's stack reach as deep as it may have to
 *
 * It is the only one that grows. On another thread this does nothing.
 */
void zgi_seal_stack_reserve(void);

#endif
