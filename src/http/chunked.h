/*
 * Chunked: takes a chunked body apart (RFC 9112, section 7.1).
 */
#ifndef ZEROG_HTTP_CHUNKED_H
#define ZEROG_HTTP_CHUNKED_H

#include <stddef.h>
#include <stdint.h>

#include "http/parser.h"

/* Chunk extensions and trailers are read and thrown away, up to this many bytes a body. */
#define ZGI_HTTP_CHUNK_OVERHEAD_MAX 16384

struct zgi_http_chunked {
	uint64_t chunk_left; /* bytes of the present chunk still to come */
	uint32_t overhead_size; /* bytes of extensions and trailers so far */
	uint16_t state; /* see chunked.c */
	uint16_t digit_count; /* digits of the present chunk's size */
	enum zgi_http_fault fault;
};

/* Where one call reads and writes; input and output may be the same memory (in place). */
struct zgi_http_chunked_step {
	const char *input;
	size_t input_size;
	size_t input_used; /* set: bytes consumed, never past the end of the body */
	char *output;
	size_t output_size; /* bytes of room */
	size_t output_used; /* set: bytes of body produced */
};

void zgi_http_chunked_init(struct zgi_http_chunked *chunked);

/**
 * zgi_http_chunked_decode() - go on with the body
 * @chunked:  initialised
 * @step:     input consumed and output produced are set, whatever is returned
 *
 * Return: DONE after the last byte of the body's end; MORE when the input is used up; FAULT for a
 * malformed chunk (BAD_CHUNK), or for a body larger than the output (BODY_TOO_LARGE).
 */
enum zgi_http_progress zgi_http_chunked_decode(struct zgi_http_chunked *chunked,
					       struct zgi_http_chunked_step *step);

#endif
