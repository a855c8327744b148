/*
 * Parser: the head of an HTTP/1 request, in place, strict as RFC 9112.
 *
 * Bytes may arrive one at a time: the parser is called with all that there is so
 * far and goes on at the line where it stopped, so that no byte is scanned twice
 * by a slow sender's doing.
 */
#ifndef ZEROG_HTTP_PARSER_H
#define ZEROG_HTTP_PARSER_H

#include <stddef.h>
#include <stdint.h>

#include <zerog/arena.h>

#include "http/request.h"

struct zgi_http_limits {
	uint32_t head_size_max; /* bytes, at most ZGI_HTTP_BUFFER_SIZE_MAX */
	uint32_t fields_max; /* header fields */
};

enum zgi_http_progress {
	ZGI_HTTP_MORE, /* whole so far; call again with more bytes */
	ZGI_HTTP_DONE, /* the head is complete: head_size bytes of it */
	ZGI_HTTP_FAULT, /* fault says what; the connection cannot go on */
};

struct zgi_http_parser {
	struct zgi_http_request *request; /* borrowed; filled in */
	const struct zgi_http_limits *limits; /* borrowed */
	struct zg_arena *arena; /* borrowed: fields past the inline ones */
	uint32_t line_offset; /* where the line begins that is not whole yet */
	uint32_t scan_offset; /* bytes of it that have been looked at */
	uint32_t state; /* see parser.c */
	uint32_t fields_capacity; /* inline ones and those in the arena */
	uint32_t seen; /* fields seen so far that may come only once, see parser.c */
	enum zgi_http_fault fault;
};

/**
 * zgi_http_parser_init() - ready for the first byte of a request
 * @parser:   the caller's; overwritten
 * @request:  overwritten as the head is parsed
 * @limits:   borrowed for the parser's life
 * @arena:    borrowed for the parser's life
 */
void zgi_http_parser_init(struct zgi_http_parser *parser, struct zgi_http_request *request,
			  const struct zgi_http_limits *limits, struct zg_arena *arena);

/**
 * zgi_http_parse() - go on with the head
 * @parser:  initialised
 * @data:    from the first byte of the request: all of it that has arrived; may have moved
 * @size:    bytes, not fewer than last time; may go past the head (body, next request)
 *
 * Leading empty lines (CRLF) before a request line are skipped and belong to the head
 * (RFC 9112, section 2.2). On DONE everything in the request is set, and all that the RFC wants
 * rejected has been: see ZGI_HTTP_FAULTS.
 */
enum zgi_http_progress zgi_http_parse(struct zgi_http_parser *parser, const char *data,
				      size_t size);

#endif
