/*
 * File: a small file read whole, without stdio and so without its buffer on the heap, and the
 * numbers in it.
 */
#ifndef ZEROG_BASE_FILE_H
#define ZEROG_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>

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

/**
 * zgi_file_field() - a number behind a label that begins a line
 * @text:       NUL-terminated lines
 * @label:      with its separator: "MemAvailable:"
 * @ret_value:  the number, in the unit of the text; untouched on failure
 *
 * Return: 0; -ENOENT when there is no such line or no number in it. Any thread; makes no
 * allocation.
 */
ZG_MUST_USE int zgi_file_field(const char *text, const char *label, uint64_t *ret_value);

#endif
