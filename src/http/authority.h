/*
 * Authority: the host and port of a request (RFC 3986, section 3.2).
 */
#ifndef ZEROG_HTTP_AUTHORITY_H
#define ZEROG_HTTP_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>

struct zgi_http_authority {
	size_t host_size; /* bytes, brackets of an IP literal included; may be 0 */
	size_t port_size; /* digits; 0 also when there is a colon and nothing after it */
};

/**
 * zgi_http_authority_parse() - uri-host [ ":" port ], without user information
 * @data:           any bytes
 * @size:           all of which must belong to the authority
 * @ret_authority:  untouched on failure
 *
 * Return: whether it is well-formed, and the port at most 65535.
 */
bool zgi_http_authority_parse(const char *data, size_t size,
			      struct zgi_http_authority *ret_authority);

#endif
