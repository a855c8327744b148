/*
 * Request line: method, target and version (RFC 9112, section 3).
 */
#ifndef ZEROG_HTTP_REQUEST_LINE_H
#define ZEROG_HTTP_REQUEST_LINE_H

#include <stdint.h>

#include "http/request.h"

/**
 * zgi_http_request_line_parse() - take a request line apart
 * @request:     method, version, target, path and query are set
 * @data:        from the first byte of the head
 * @size:        bytes there are, at most ZGI_HTTP_BUFFER_SIZE_MAX
 * @ret_offset:  in: where the line begins; out: where the next one does, untouched on failure
 *
 * Return: NONE; or a fault, which means nothing yet while the line's LF has not arrived.
 */
enum zgi_http_fault zgi_http_request_line_parse(struct zgi_http_request *request, const char *data,
						uint32_t size, uint32_t *ret_offset);

#endif
