/*
 * File: a small file read whole, without stdio and so without its buffer on the heap.
 */
#ifndef ZEROG_BASE_FILE_H
#define ZEROG_BASE_FILE_H

#include <stddef.h>

#include <zerog/attributes.h>

/**
 * zgi_file_read() - read the beginning of a file as text
 * @path:      NUL-terminated
 * @buffer:    the caller's
 * @capacity:  bytes of @buffer, at least 1; what does not fit is left out
 * @ret_size:  bytes read, without the NUL that is put behind them; may be NULL
 *
 * Return: 0; -errno of open(2) or read(2). Any thread; makes no allocation.
 */
ZG_MUST_USE int zgi_file_read(const char *path, char *buffer, size_t capacity, size_t *ret_size);

#endif
