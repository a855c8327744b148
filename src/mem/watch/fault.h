/*
 * Fault, from the side of what is taken from.
 *
 * An object that can be made to fail gives its class (see registry.h) a function
 * `arm`, which sets a mark that its take looks at where it looks whether anything is
 * free; while the mark is set, each take asks zgi_fault_is_due(), and when that says
 * yes behaves exactly as if nothing were free.
 */
#ifndef ZEROG_MEM_WATCH_FAULT_H
#define ZEROG_MEM_WATCH_FAULT_H

#include <stdbool.h>

#include <zerog/fault.h>

/**
 * zgi_fault_is_due() - count a take, and say whether it must fail
 * @name:  of what is taken from; NULL is never armed
 *
 * Any thread; makes no allocation. Takes a lock, so it is asked only while the name is armed.
 */
bool zgi_fault_is_due(const char *name);

/**
 * zgi_fault_is_armed() - for the registry: is this name armed? Who asks is known to exist from then
 * on
 * @name:  of what is taken from; NULL is never armed
 */
bool zgi_fault_is_armed(const char *name);

#endif
