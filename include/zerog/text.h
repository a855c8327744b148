/*
 * Text: formatted text appended to a buffer of fixed size.
 *
 * What does not fit is cut and remembered, so that a page can be rendered with
 * one check at its end instead of one a line.
 *
 * Ownership  The buffer is the caller's; it is always NUL-terminated.
 * Threads    Not locked.
 */
#ifndef ZEROG_TEXT_H
#define ZEROG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <zerog/attributes.h>
#include <zerog/slice.h>

ZG_BEGIN_DECLS

struct zg_text {
	char *data; /* borrowed */
	size_t size; /* bytes written, without the NUL */
	size_t capacity; /* bytes of the buffer, the NUL's included */
	bool is_truncated; /* something did not fit */
};

/**
 * zg_text_init() - start an empty text
 * @text:      the caller's; overwritten
 * @buffer:    borrowed until the text is done with; not NULL
 * @capacity:  bytes of @buffer, at least 1
 */
void zg_text_init(struct zg_text *text, char *buffer, size_t capacity);

/**
 * zg_text_print() - append as printf would
 * @text:    initialised
 * @format:  printf-style; no allocation as long as no %ls, %a or huge precision is used
 */
void zg_text_print(struct zg_text *text, const char *format, ...) ZG_PRINTF(2, 3);

/**
 * zg_text_append() - append bytes as they are
 * @text:   initialised
 * @bytes:  any slice
 */
void zg_text_append(struct zg_text *text, struct zg_slice bytes);

/**
 * zg_text_append_json() - append a slice as a JSON string, quotes included
 * @text:   initialised
 * @bytes:  UTF-8; control bytes, quotes and backslashes are escaped (RFC 8259, section 7)
 */
void zg_text_append_json(struct zg_text *text, struct zg_slice bytes);

ZG_END_DECLS

#endif
