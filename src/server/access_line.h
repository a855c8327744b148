/*
 * Access line: one record of the access log, as a line of text.
 */
#ifndef ZEROG_SERVER_ACCESS_LINE_H
#define ZEROG_SERVER_ACCESS_LINE_H

#include <zerog/options.h>
#include <zerog/text.h>

#include "web/access.h"

/* Bytes that no line is longer than: a path that is all escapes, and the rest. */
#define ZGI_ACCESS_LINE_SIZE_MAX 2048

/**
 * zgi_access_line_print() - append a line, its end included
 * @text:    appended to
 * @record:  taken from a ring
 * @format:  ZG_ACCESS_LOG_COMMON or ZG_ACCESS_LOG_JSON
 *
 * Runs of digits that could be a card's number are masked.
 */
void zgi_access_line_print(struct zg_text *text, const struct zgi_access_record *record,
			   enum zg_access_log_format format);

/* Mask what could be a card's number in a path; the path may have been cut at its end. */
void zgi_access_mask(char *path, size_t size, bool is_cut);

#endif
