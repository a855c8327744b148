/*
 * Field: what the header fields say that decide where a message ends and whether
 * the connection goes on.
 */
#ifndef ZEROG_HTTP_FIELD_H
#define ZEROG_HTTP_FIELD_H

#include <zerog/slice.h>

#include "http/parser.h"

/**
 * zgi_http_field_read() - note what one field says
 * @parser:  its `seen` is added to, and content_length of its request
 * @name:    a token
 * @value:   without the white space around it
 */
enum zgi_http_fault zgi_http_field_read(struct zgi_http_parser *parser, struct zg_slice name,
					struct zg_slice value);

/**
 * zgi_http_fields_finish() - draw the conclusions, after the last field
 * @parser:  the flags of its request are set
 */
enum zgi_http_fault zgi_http_fields_finish(struct zgi_http_parser *parser);

#endif
