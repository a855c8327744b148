/*
 * What stands between two slashes: the reading of patterns, the normal form of
 * what is sent, and the types that a parameter may ask for.
 */

#include "web/segment.h"

#include <errno.h>

#include "base/assert.h"
#include "http/bytes.h"
#include "web/value.h"

/* The longest decoded text that any type but text takes: a UUID. */
#define SEGMENT_TYPED_SIZE_MAX 36

static const struct {
	struct zg_slice name;
	enum zgi_segment_kind kind;
} segment_types[] = {
	{{"date", 4}, ZGI_SEGMENT_DATE}, {{"uuid", 4}, ZGI_SEGMENT_UUID},
	{{"u64", 3}, ZGI_SEGMENT_U64},	 {{"i64", 3}, ZGI_SEGMENT_I64},
	{{"text", 4}, ZGI_SEGMENT_TEXT},
};

/* What may stand in a segment as it is, but for the percent sign: pchar (RFC 3986, section 3.3). */
static bool segment_byte_is_plain(char byte)
{
	return zgi_http_byte_is(byte, ZGI_HTTP_BYTE_HOST) || byte == ':' || byte == '@';
}

/* RFC 3986, section 2.3: the bytes that mean the same whether they are encoded or not. */
static bool segment_byte_is_unreserved(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' ||
	       byte == '~';
}

static bool segment_is_encoded_at(struct zg_slice text, size_t index)
{
	return text.data[index] == '%' && text.size - index > 2 &&
	       zgi_segment_hex(text.data[index + 1]) >= 0 &&
	       zgi_segment_hex(text.data[index + 2]) >= 0;
}

static char segment_decoded_at(struct zg_slice text, size_t index)
{
	return (char)(zgi_segment_hex(text.data[index + 1]) * 16 +
		      zgi_segment_hex(text.data[index + 2]));
}

static int segment_read_static(struct zg_slice text, struct zgi_segment *ret_segment)
{
	char buffer[ZGI_SEGMENT_SIZE_MAX];
	struct zg_slice normal;

	for (size_t index = 0; index < text.size; index++) {
		char byte = text.data[index];

		if (byte == '{' || byte == '}')
			return -EINVAL;
		if (byte == '%' && !segment_is_encoded_at(text, index))
			return -EINVAL;
	}
	if (zgi_segment_normalise(text, buffer, &normal) < 0)
		return -EINVAL;
	*ret_segment = (struct zgi_segment){ZGI_SEGMENT_STATIC, text};
	return 0;
}

static int segment_read_type(struct zg_slice name, enum zgi_segment_kind *ret_kind)
{
	for (size_t index = 0; index < sizeof(segment_types) / sizeof(segment_types[0]); index++)
		if (zg_slice_equals(name, segment_types[index].name)) {
			*ret_kind = segment_types[index].kind;
			return 0;
		}
	return -ENOTSUP;
}

/* The inside of a pair of braces: a name, a name and its type, or the rest. */
static int segment_read_parameter(struct zg_slice name, struct zgi_segment *ret_segment)
{
	enum zgi_segment_kind kind = ZGI_SEGMENT_TEXT;
	const char *colon = name.size > 0 ? memchr(name.data, ':', name.size) : NULL;
	int result = 0;

	if (colon != NULL) {
		size_t size = (size_t)(colon - name.data);

		result = segment_read_type((struct zg_slice){colon + 1, name.size - size - 1},
					   &kind);
		name.size = size;
	} else if (name.size >= 3 && memcmp(name.data + name.size - 3, "...", 3) == 0) {
		kind = ZGI_SEGMENT_REST;
		name.size -= 3;
	}
	if (name.size == 0 || memchr(name.data, '{', name.size) != NULL ||
	    memchr(name.data, '}', name.size) != NULL)
		return -EINVAL;
	if (result == 0)
		*ret_segment = (struct zgi_segment){kind, name};
	return result;
}

int zgi_segment_read(struct zg_slice text, struct zgi_segment *ret_segment)
{
	if (text.size == 0 || text.data[0] != '{')
		return segment_read_static(text, ret_segment);
	if (text.size < 2 || text.data[text.size - 1] != '}')
		return -EINVAL;
	return segment_read_parameter((struct zg_slice){text.data + 1, text.size - 2}, ret_segment);
}

bool zgi_segment_is_normal(struct zg_slice text)
{
	for (size_t index = 0; index < text.size; index++)
		if (!segment_byte_is_plain(text.data[index]))
			return false;
	return true;
}

int zgi_segment_normalise(struct zg_slice text, char *buffer, struct zg_slice *ret_text)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t size = 0;

	for (size_t index = 0; index < text.size; index++) {
		char byte = text.data[index];
		bool is_encoded = segment_is_encoded_at(text, index);

		if (is_encoded) {
			byte = segment_decoded_at(text, index);
			index += 2;
		}
		if (is_encoded ? segment_byte_is_unreserved(byte) : segment_byte_is_plain(byte)) {
			if (size == ZGI_SEGMENT_SIZE_MAX)
				return -ENAMETOOLONG;
			buffer[size++] = byte;
			continue;
		}
		if (size + 3 > ZGI_SEGMENT_SIZE_MAX)
			return -ENAMETOOLONG;
		buffer[size++] = '%';
		buffer[size++] = digits[(uint8_t)byte >> 4];
		buffer[size++] = digits[(uint8_t)byte & 15];
	}
	*ret_text = (struct zg_slice){buffer, size};
	return 0;
}

static bool segment_value_is(enum zgi_segment_kind kind, struct zg_slice value)
{
	struct zg_uuid uuid;
	struct zg_date date;
	uint64_t number;
	int64_t signed_number;

	switch (kind) {
	case ZGI_SEGMENT_DATE:
		return zgi_value_date(value, &date) == 0;
	case ZGI_SEGMENT_UUID:
		return zgi_value_uuid(value, &uuid) == 0;
	case ZGI_SEGMENT_U64:
		return zgi_value_u64(value, &number) == 0;
	case ZGI_SEGMENT_I64:
		return zgi_value_i64(value, &signed_number) == 0;
	case ZGI_SEGMENT_TEXT:
	case ZGI_SEGMENT_STATIC:
	case ZGI_SEGMENT_REST:
		break;
	}
	zg_assert(!"a type that is checked");
	return false;
}

bool zgi_segment_takes(enum zgi_segment_kind kind, struct zg_slice text)
{
	char decoded[SEGMENT_TYPED_SIZE_MAX];
	size_t size = 0;

	if (kind == ZGI_SEGMENT_TEXT)
		return text.size > 0;
	if (text.size == 0 || memchr(text.data, '%', text.size) == NULL)
		return segment_value_is(kind, text);
	for (size_t index = 0; index < text.size; index++) {
		if (size == sizeof(decoded))
			return false;
		decoded[size] = text.data[index];
		if (segment_is_encoded_at(text, index)) {
			decoded[size] = segment_decoded_at(text, index);
			index += 2;
		}
		size++;
	}
	return segment_value_is(kind, (struct zg_slice){decoded, size});
}
