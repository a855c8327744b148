/*
 * Thread: one that runs on memory of ours.
 */
#ifndef ZEROG_BASE_THREAD_H
#define ZEROG_BASE_THREAD_H

#include <pthread.h>
#include <stddef.h>

#include <zerog/attributes.h>

#define ZGI_THREAD_GUARD_SIZE 4096

struct zgi_thread_options {
	void *stack; /* borrowed until the thread has been joined; on a page's boundary */
	size_t stack_size; /* bytes, the guard page included; whole pages */
	void *(*run)(void *user);
	void *user; /* borrowed */
};

/**
 * zgi_thread_start() - start a thread on a stack of the caller's
 * @options:     read during the call. The lowest page of the stack is made the guard: it faults
 * @ret_thread:  to be joined
 *
 * It inherits the signals that are blocked. The C library allocates for it: boot only.
 *
 * Return: 0; -errno.
 */
ZG_MUST_USE int zgi_thread_start(const struct zgi_thread_options *options, pthread_t *ret_thread);

#endif
