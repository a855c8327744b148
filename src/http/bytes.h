/*
 * Bytes: which bytes may stand where in an HTTP message.
 */
#ifndef ZEROG_HTTP_BYTES_H
#define ZEROG_HTTP_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum zgi_http_byte {
	ZGI_HTTP_BYTE_TOKEN = 1, /* tchar (RFC 9110, section 5.6.2) */
	ZGI_HTTP_BYTE_VALUE = 2, /* field-vchar, SP or HTAB (RFC 9110, section 5.5) */
	ZGI_HTTP_BYTE_TARGET = 4, /* VCHAR, of which a request target is made */
	ZGI_HTTP_BYTE_HOST = 8, /* unreserved or sub-delims (RFC 3986, section 2) */
	ZGI_HTTP_BYTE_HEX = 16, /* HEXDIG of either case */
	ZGI_HTTP_BYTE_SPECIAL = 32, /* "?", "%" or "#": means something inside a target */
};

/* For each byte, the kinds it is of. */
extern const uint8_t zgi_http_bytes[256];

static inline bool zgi_http_byte_is(char byte, enum zgi_http_byte kind)
{
	return (zgi_http_bytes[(uint8_t)byte] & (uint8_t)kind) != 0;
}

static inline bool zgi_http_byte_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* SP or HTAB: the white space of HTTP (RFC 9110, section 5.6.3). */
static inline bool zgi_http_byte_is_space(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* Is this a bare LF, or a CR that no LF follows (RFC 9112, section 2.2)? */
static inline bool zgi_http_is_half_line_end(const char *data, size_t size, size_t offset)
{
	if (offset < size && data[offset] == '\n')
		return true;
	return offset + 1 < size && data[offset] == '\r' && data[offset + 1] != '\n';
}

#endif
