/*
 * A host is looked at twice in the life of a request, by us and by whoever routes on
 * it. Where two readers disagree about a malformed one there is an attack, so what
 * is not in the grammar of RFC 3986 is refused. User information ("user@host") is
 * refused too: RFC 9110, section 4.2.4, knows no use for it but deception.
 */
#include "http/authority.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "http/bytes.h"

#define AUTHORITY_PORT_MAX 65535

/* reg-name, of which an IPv4 address is a special case: the bytes that belong to it. */
static size_t authority_name_size(const char *data, size_t size)
{
	size_t offset = 0;

	while (offset < size) {
		if (zgi_http_byte_is(data[offset], ZGI_HTTP_BYTE_HOST)) {
			offset++;
			continue;
		}
		if (data[offset] != '%' || size - offset < 3 ||
		    !zgi_http_byte_is(data[offset + 1], ZGI_HTTP_BYTE_HEX) ||
		    !zgi_http_byte_is(data[offset + 2], ZGI_HTTP_BYTE_HEX))
			break;
		offset += 3;
	}
	return offset;
}

/* IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ) */
static bool authority_future_is_valid(const char *data, size_t size)
{
	size_t offset = 1;

	while (offset < size && zgi_http_byte_is(data[offset], ZGI_HTTP_BYTE_HEX))
		offset++;
	if (offset == 1 || offset + 1 >= size || data[offset] != '.')
		return false;
	for (offset++; offset < size; offset++) {
		if (!zgi_http_byte_is(data[offset], ZGI_HTTP_BYTE_HOST) && data[offset] != ':')
			return false;
	}
	return true;
}

/* What stands between the brackets of an IP literal. */
static bool authority_literal_is_valid(const char *data, size_t size)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (size == 0)
		return false;
	if (data[0] == 'v' || data[0] == 'V')
		return authority_future_is_valid(data, size);
	if (size >= sizeof(text) || memchr(data, '\0', size) != NULL)
		return false;
	memcpy(text, data, size);
	text[size] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1;
}

static bool authority_port_is_valid(const char *data, size_t size)
{
	uint32_t port = 0;

	for (size_t offset = 0; offset < size; offset++) {
		if (!zgi_http_byte_is_digit(data[offset]))
			return false;
		port = port * 10 + (uint32_t)(data[offset] - '0');
		if (port > AUTHORITY_PORT_MAX)
			return false;
	}
	return true;
}

bool zgi_http_authority_parse(const char *data, size_t size,
			      struct zgi_http_authority *ret_authority)
{
	size_t host_size;

	zg_assert(data != NULL || size == 0);
	if (size > 0 && data[0] == '[') {
		const char *bracket = memchr(data, ']', size);

		if (bracket == NULL)
			return false;
		host_size = (size_t)(bracket - data) + 1;
		if (!authority_literal_is_valid(data + 1, host_size - 2))
			return false;
	} else {
		host_size = authority_name_size(data, size);
	}
	zg_assert(host_size <= size);
	if (host_size == size) {
		*ret_authority = (struct zgi_http_authority){.host_size = host_size};
		return true;
	}
	if (data[host_size] != ':' ||
	    !authority_port_is_valid(data + host_size + 1, size - host_size - 1))
		return false;
	*ret_authority = (struct zgi_http_authority){
		.host_size = host_size,
		.port_size = size - host_size - 1,
	};
	return true;
}
