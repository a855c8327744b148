/*
 * The request line is judged in the order in which a client can be told something
 * useful: bytes out of place (400), another major version (505), a method that we
 * do not have (501), and only then the target, whose form depends on the method.
 *
 * Targets are read as browsers send them: the visible bytes that RFC 3986 wants
 * encoded but the WHATWG URL standard does not (brackets, braces, "|", "^", …) are
 * let through, since no reader takes them for a boundary. A fragment, a malformed
 * percent-encoding, and any byte that is not visible ASCII are refused.
 */
#include "http/request_line.h"

#include <string.h>

#include "base/assert.h"
#include "http/authority.h"
#include "http/bytes.h"
#include "http/scan.h"

/* A line that ends too early, or with half of a CRLF, deserves to hear so. */
static enum zgi_http_fault request_line_fault_at(const char *data, uint32_t size, uint32_t offset,
						 enum zgi_http_fault otherwise)
{
	if (zgi_http_is_half_line_end(data, size, offset))
		return ZGI_HTTP_FAULT_BAD_LINE_END;
	return otherwise;
}

static enum zg_method request_line_method(const char *name, uint32_t size)
{
	if (size == 3 && memcmp(name, "GET", 3) == 0)
		return ZG_METHOD_GET;
	for (unsigned int method = 0; method < ZG_METHOD_COUNT; method++) {
		struct zg_slice known = zg_method_name((enum zg_method)method);

		if (known.size == size && memcmp(known.data, name, size) == 0)
			return (enum zg_method)method;
	}
	return ZG_METHOD_COUNT;
}

/*
 * HTTP-version = "HTTP/" DIGIT "." DIGIT. People also write "HTTP/2", and mean the same; every
 * version but 1 is answered alike, so this costs nothing.
 */
static enum zgi_http_fault request_line_version(struct zgi_http_request *request,
						const char *version, uint32_t size)
{
	bool is_long = size == 8 && version[6] == '.' && zgi_http_byte_is_digit(version[7]);

	if ((!is_long && size != 6) || memcmp(version, "HTTP/", 5) != 0 ||
	    !zgi_http_byte_is_digit(version[5]))
		return ZGI_HTTP_FAULT_BAD_REQUEST_LINE;
	if (version[5] != '1')
		return ZGI_HTTP_FAULT_UNKNOWN_VERSION;
	if (is_long) {
		request->minor_version = version[7] != '0';
		return ZGI_HTTP_FAULT_NONE;
	}
	return ZGI_HTTP_FAULT_BAD_REQUEST_LINE;
}

/* Path and query, from an offset that begins with "/" or "?": splits and checks them. */
static enum zgi_http_fault request_line_path(struct zgi_http_request *request, const char *data,
					     uint32_t offset, uint32_t end)
{
	uint32_t question = end;

	for (uint32_t index = offset; index < end; index++) {
		if (!zgi_http_byte_is(data[index], ZGI_HTTP_BYTE_SPECIAL))
			continue;
		if (data[index] == '?') {
			if (question == end)
				question = index;
			continue;
		}
		if (data[index] == '#' || end - index < 3 ||
		    !zgi_http_byte_is(data[index + 1], ZGI_HTTP_BYTE_HEX) ||
		    !zgi_http_byte_is(data[index + 2], ZGI_HTTP_BYTE_HEX))
			return ZGI_HTTP_FAULT_BAD_TARGET;
		index += 2;
	}
	zg_assert(offset <= question && question <= end);
	request->path_offset = (uint16_t)offset;
	request->path_size = (uint16_t)(question - offset);
	if (question < end) {
		request->query_offset = (uint16_t)(question + 1);
		request->query_size = (uint16_t)(end - question - 1);
	} else {
		request->query_offset = (uint16_t)end;
		request->query_size = 0;
	}
	return ZGI_HTTP_FAULT_NONE;
}

/* absolute-form = ( "http" / "https" ) "://" authority path-abempty [ "?" query ] */
static enum zgi_http_fault request_line_absolute(struct zgi_http_request *request, const char *data,
						 uint32_t offset, uint32_t end)
{
	struct zgi_http_authority authority;
	enum zgi_http_fault fault;
	struct zg_slice scheme = {data + offset, 0};
	uint32_t authority_end;
	uint32_t slash;

	while (offset + scheme.size < end && data[offset + scheme.size] != ':')
		scheme.size++;
	if (!zg_slice_equals_nocase(scheme, ZG_SLICE("http")) &&
	    !zg_slice_equals_nocase(scheme, ZG_SLICE("https")))
		return ZGI_HTTP_FAULT_BAD_TARGET;
	offset += (uint32_t)scheme.size;
	if (end - offset < 3 || memcmp(data + offset, "://", 3) != 0)
		return ZGI_HTTP_FAULT_BAD_TARGET;
	slash = offset + 2;
	offset += 3;
	authority_end = offset;
	while (authority_end < end && data[authority_end] != '/' && data[authority_end] != '?')
		authority_end++;
	if (!zgi_http_authority_parse(data + offset, authority_end - offset, &authority) ||
	    authority.host_size == 0)
		return ZGI_HTTP_FAULT_BAD_TARGET;
	fault = request_line_path(request, data, authority_end, end);
	if (fault == ZGI_HTTP_FAULT_NONE && request->path_size == 0) {
		/* An empty path means "/" (RFC 9110, section 4.2.3); the scheme's has one to show.
		 */
		request->path_offset = (uint16_t)slash;
		request->path_size = 1;
	}
	return fault;
}

static enum zgi_http_fault request_line_target(struct zgi_http_request *request, const char *data)
{
	uint32_t offset = request->target_offset;
	uint32_t end = offset + request->target_size;
	struct zgi_http_authority authority;

	zg_assert(end > offset);
	if (request->method == ZG_METHOD_CONNECT) {
		/* authority-form; the port has no default (RFC 9110, section 9.3.6). */
		if (!zgi_http_authority_parse(data + offset, end - offset, &authority) ||
		    authority.host_size == 0 || authority.port_size == 0)
			return ZGI_HTTP_FAULT_BAD_TARGET;
		request->path_offset = (uint16_t)end;
		request->path_size = 0;
		request->query_offset = (uint16_t)end;
		request->query_size = 0;
		return ZGI_HTTP_FAULT_NONE;
	}
	if (data[offset] == '/')
		return request_line_path(request, data, offset, end);
	if (data[offset] == '*') {
		if (request->method != ZG_METHOD_OPTIONS || request->target_size != 1)
			return ZGI_HTTP_FAULT_BAD_TARGET;
		return request_line_path(request, data, offset, end);
	}
	return request_line_absolute(request, data, offset, end);
}

enum zgi_http_fault zgi_http_request_line_parse(struct zgi_http_request *request, const char *data,
						uint32_t size, uint32_t *ret_offset)
{
	uint32_t offset = *ret_offset;
	uint32_t method_size;
	uint32_t line_end;
	enum zgi_http_fault fault;

	zg_assert(offset < size);
	zg_assert(size <= ZGI_HTTP_BUFFER_SIZE_MAX);
	method_size = (uint32_t)zgi_http_scan.token_end(data + offset, size - offset);
	if (method_size == 0 || offset + method_size == size || data[offset + method_size] != ' ')
		return request_line_fault_at(data, size, offset + method_size,
					     ZGI_HTTP_FAULT_BAD_REQUEST_LINE);
	request->method = (uint8_t)request_line_method(data + offset, method_size);
	offset += method_size + 1;

	request->target_offset = (uint16_t)offset;
	request->target_size = (uint16_t)zgi_http_scan.target_end(data + offset, size - offset);
	offset += request->target_size;
	if (offset == size || request->target_size == 0 || data[offset] != ' ')
		return request_line_fault_at(data, size, offset,
					     offset < size && data[offset] == '\r'
						     ? ZGI_HTTP_FAULT_BAD_REQUEST_LINE
						     : ZGI_HTTP_FAULT_BAD_TARGET);
	offset++;

	line_end = offset + (uint32_t)zgi_http_scan.target_end(data + offset, size - offset);
	if (size - line_end < 2 || data[line_end] != '\r' || data[line_end + 1] != '\n')
		return request_line_fault_at(data, size, line_end, ZGI_HTTP_FAULT_BAD_REQUEST_LINE);
	fault = request_line_version(request, data + offset, line_end - offset);
	if (fault != ZGI_HTTP_FAULT_NONE)
		return fault;
	if (request->method == ZG_METHOD_COUNT)
		return ZGI_HTTP_FAULT_UNKNOWN_METHOD;
	fault = request_line_target(request, data);
	if (fault != ZGI_HTTP_FAULT_NONE)
		return fault;
	*ret_offset = line_end + 2;
	return ZGI_HTTP_FAULT_NONE;
}
