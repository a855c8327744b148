/*
 * Five header fields matter to the protocol itself: Host, Content-Length,
 * Transfer-Encoding, Connection and Expect. Requests are smuggled where two readers
 * disagree about the second and third, so these are read without mercy: whatever a
 * tolerant reader might take one way or another is refused.
 *
 * While fields come in, only bits are noted; what they mean together is decided
 * after the last one, so that the order of the fields never matters.
 */
#include "http/field.h"

#include <string.h>

#include "base/assert.h"
#include "http/authority.h"
#include "http/bytes.h"
#include "http/scan.h"

enum field_seen {
	FIELD_SEEN_HOST = 1,
	FIELD_SEEN_LENGTH = 2,
	FIELD_SEEN_CODING = 4, /* any Transfer-Encoding */
	FIELD_SEEN_CODING_CHUNKED = 8,
	FIELD_SEEN_CODING_OTHER = 16, /* a coding that we do not have, before chunked */
	FIELD_SEEN_CODING_BAD = 32, /* malformed, or something after chunked */
	FIELD_SEEN_CLOSE = 64,
	FIELD_SEEN_KEEP_ALIVE = 128,
	FIELD_SEEN_CONTINUE = 256,
	FIELD_SEEN_EXPECT_OTHER = 512,
};

/*
 * Moves the next element of a comma-separated list out of it, without the white space around.
 * After the last one, which is empty when the list ends in a comma, the list's data is NULL.
 */
static struct zg_slice field_list_next(struct zg_slice *list)
{
	const char *comma = memchr(list->data, ',', list->size);
	struct zg_slice element = {list->data, list->size};

	if (comma != NULL) {
		element.size = (size_t)(comma - list->data);
		list->data = comma + 1;
		list->size -= element.size + 1;
	} else {
		*list = (struct zg_slice){NULL, 0};
	}
	while (element.size > 0 && zgi_http_byte_is_space(element.data[0])) {
		element.data++;
		element.size--;
	}
	while (element.size > 0 && zgi_http_byte_is_space(element.data[element.size - 1]))
		element.size--;
	return element;
}

/* Host = uri-host [ ":" port ], and empty for a target without authority (RFC 9110, 7.2). */
static enum zgi_http_fault field_host(struct zgi_http_parser *parser, struct zg_slice value)
{
	struct zgi_http_authority authority;

	if ((parser->seen & FIELD_SEEN_HOST) != 0)
		return ZGI_HTTP_FAULT_BAD_HOST;
	parser->seen |= FIELD_SEEN_HOST;
	if (!zgi_http_authority_parse(value.data, value.size, &authority) ||
	    (authority.host_size == 0 && value.size > 0))
		return ZGI_HTTP_FAULT_BAD_HOST;
	return ZGI_HTTP_FAULT_NONE;
}

/* Content-Length = 1*DIGIT. A list of equal lengths may be refused, and is (RFC 9110, 8.6). */
static enum zgi_http_fault field_content_length(struct zgi_http_parser *parser,
						struct zg_slice value)
{
	uint64_t length = 0;

	if ((parser->seen & FIELD_SEEN_LENGTH) != 0 || value.size == 0)
		return ZGI_HTTP_FAULT_BAD_LENGTH;
	parser->seen |= FIELD_SEEN_LENGTH;
	for (size_t offset = 0; offset < value.size; offset++) {
		if (!zgi_http_byte_is_digit(value.data[offset]) ||
		    __builtin_mul_overflow(length, UINT64_C(10), &length) ||
		    __builtin_add_overflow(length, (uint64_t)(value.data[offset] - '0'), &length))
			return ZGI_HTTP_FAULT_BAD_LENGTH;
	}
	parser->request->content_length = length;
	return ZGI_HTTP_FAULT_NONE;
}

/* transfer-coding = token *( OWS ";" OWS parameter ); chunked has no parameters. */
static uint32_t field_coding(struct zg_slice element)
{
	struct zg_slice name = {element.data, 0};
	size_t offset;

	name.size = zgi_http_scan.token_end(element.data, element.size);
	offset = name.size;
	while (offset < element.size && zgi_http_byte_is_space(element.data[offset]))
		offset++;
	if (name.size == 0 || (offset < element.size && element.data[offset] != ';'))
		return FIELD_SEEN_CODING_BAD;
	if (!zg_slice_equals_nocase(name, ZG_SLICE("chunked")))
		return FIELD_SEEN_CODING_OTHER;
	return offset == element.size ? FIELD_SEEN_CODING_CHUNKED : FIELD_SEEN_CODING_BAD;
}

static enum zgi_http_fault field_transfer_encoding(struct zgi_http_parser *parser,
						   struct zg_slice value)
{
	/* Decided at the end: two fields are one list, and 400 goes before 501. */
	parser->seen |= FIELD_SEEN_CODING;
	do {
		if ((parser->seen & FIELD_SEEN_CODING_CHUNKED) != 0)
			parser->seen |= FIELD_SEEN_CODING_BAD;
		parser->seen |= field_coding(field_list_next(&value));
	} while (value.data != NULL);
	return ZGI_HTTP_FAULT_NONE;
}

static enum zgi_http_fault field_connection(struct zgi_http_parser *parser, struct zg_slice value)
{
	while (value.data != NULL) {
		struct zg_slice option = field_list_next(&value);

		if (zg_slice_equals_nocase(option, ZG_SLICE("close")))
			parser->seen |= FIELD_SEEN_CLOSE;
		else if (zg_slice_equals_nocase(option, ZG_SLICE("keep-alive")))
			parser->seen |= FIELD_SEEN_KEEP_ALIVE;
	}
	return ZGI_HTTP_FAULT_NONE;
}

static enum zgi_http_fault field_expect(struct zgi_http_parser *parser, struct zg_slice value)
{
	while (value.data != NULL) {
		struct zg_slice expectation = field_list_next(&value);

		if (zg_slice_equals_nocase(expectation, ZG_SLICE("100-continue")))
			parser->seen |= FIELD_SEEN_CONTINUE;
		else if (expectation.size > 0)
			parser->seen |= FIELD_SEEN_EXPECT_OTHER;
	}
	return ZGI_HTTP_FAULT_NONE;
}

/*
 * Is a token of this size the lower-case name? Without a branch a byte, as the sizes are constants.
 * Setting the bit makes letters small; the only other byte it could make into one of a name's is
 * a control byte, CR into "-", and no token has those.
 */
static inline bool field_name_is(const char *token, const char *name, size_t size)
{
	unsigned int difference = 0;

	for (size_t index = 0; index < size; index++)
		difference |= ((unsigned int)(uint8_t)token[index] | 0x20) ^ (uint8_t)name[index];
	return difference == 0;
}

enum zgi_http_fault zgi_http_field_read(struct zgi_http_parser *parser, struct zg_slice name,
					struct zg_slice value)
{
	zg_assert(name.size > 0);
	/* The length alone tells most fields from these five. */
	switch (name.size) {
	case sizeof("host") - 1:
		if (field_name_is(name.data, "host", sizeof("host") - 1))
			return field_host(parser, value);
		break;
	case sizeof("expect") - 1:
		if (field_name_is(name.data, "expect", sizeof("expect") - 1))
			return field_expect(parser, value);
		break;
	case sizeof("connection") - 1:
		if (field_name_is(name.data, "connection", sizeof("connection") - 1))
			return field_connection(parser, value);
		break;
	case sizeof("content-length") - 1:
		if (field_name_is(name.data, "content-length", sizeof("content-length") - 1))
			return field_content_length(parser, value);
		break;
	case sizeof("transfer-encoding") - 1:
		if (field_name_is(name.data, "transfer-encoding", sizeof("transfer-encoding") - 1))
			return field_transfer_encoding(parser, value);
		break;
	default:
		break;
	}
	return ZGI_HTTP_FAULT_NONE;
}

/* RFC 9112, sections 6.1 and 6.3. */
static enum zgi_http_fault field_framing(const struct zgi_http_request *request, uint32_t seen)
{
	if ((seen & FIELD_SEEN_CODING) == 0)
		return ZGI_HTTP_FAULT_NONE;
	if ((seen & FIELD_SEEN_LENGTH) != 0)
		return ZGI_HTTP_FAULT_AMBIGUOUS_LENGTH;
	if (request->minor_version == 0 || (seen & FIELD_SEEN_CODING_BAD) != 0 ||
	    (seen & FIELD_SEEN_CODING_CHUNKED) == 0)
		return ZGI_HTTP_FAULT_BAD_TRANSFER_ENCODING;
	if ((seen & FIELD_SEEN_CODING_OTHER) != 0)
		return ZGI_HTTP_FAULT_UNKNOWN_CODING;
	return ZGI_HTTP_FAULT_NONE;
}

enum zgi_http_fault zgi_http_fields_finish(struct zgi_http_parser *parser)
{
	struct zgi_http_request *request = parser->request;
	uint32_t seen = parser->seen;
	bool has_body;
	enum zgi_http_fault fault;

	if (request->minor_version != 0 && (seen & FIELD_SEEN_HOST) == 0)
		return ZGI_HTTP_FAULT_BAD_HOST;
	fault = field_framing(request, seen);
	if (fault != ZGI_HTTP_FAULT_NONE)
		return fault;
	if (request->minor_version != 0 && (seen & FIELD_SEEN_EXPECT_OTHER) != 0)
		return ZGI_HTTP_FAULT_UNKNOWN_EXPECTATION;
	request->is_chunked = (seen & FIELD_SEEN_CODING_CHUNKED) != 0;
	request->has_content_length = (seen & FIELD_SEEN_LENGTH) != 0;
	has_body = request->is_chunked || request->content_length > 0;
	request->expects_continue =
		has_body && request->minor_version != 0 && (seen & FIELD_SEEN_CONTINUE) != 0;
	request->is_keep_alive =
		(seen & FIELD_SEEN_CLOSE) == 0 &&
		(request->minor_version != 0 || (seen & FIELD_SEEN_KEEP_ALIVE) != 0);
	return ZGI_HTTP_FAULT_NONE;
}
