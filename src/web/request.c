/*
 * What a handler reads of a request: slices of the read buffer, decoded into the
 * arena only where there is something to decode.
 */

#include "web/exchange.h"

#include <errno.h>

#include "base/assert.h"
#include "web/segment.h"

static struct zg_slice request_slice(const struct zg_exchange *x, uint32_t offset, uint32_t size)
{
	return (struct zg_slice){(const char *)x->read_buffer + x->read_start + offset, size};
}

enum zg_method zg_request_method(const struct zg_exchange *x)
{
	return (enum zg_method)x->request.method;
}

int zg_request_peer(const struct zg_exchange *x, struct zg_peer *ret_peer)
{
	if (x->web->peers == NULL)
		return -EOPNOTSUPP;
	*ret_peer = x->web->peers[x->connection];
	return 0;
}

struct zg_slice zg_request_path(const struct zg_exchange *x)
{
	return request_slice(x, x->request.path_offset, x->request.path_size);
}

struct zg_slice zg_request_query(const struct zg_exchange *x)
{
	return request_slice(x, x->request.query_offset, x->request.query_size);
}

struct zg_slice zg_request_body(const struct zg_exchange *x)
{
	return (struct zg_slice){(const char *)x->body, x->body_size};
}

uint32_t zg_request_field_count(const struct zg_exchange *x)
{
	return x->request.field_count;
}

void zg_request_field_at(const struct zg_exchange *x, uint32_t index, struct zg_slice *ret_name,
			 struct zg_slice *ret_value)
{
	zg_assert(index < x->request.field_count);

	const struct zgi_http_field *field = zgi_http_request_field(&x->request, index);

	*ret_name = request_slice(x, field->name_offset, field->name_size);
	*ret_value = request_slice(x, field->value_offset, field->value_size);
}

int zg_request_field(const struct zg_exchange *x, struct zg_slice name, struct zg_slice *ret_value)
{
	for (uint32_t index = 0; index < x->request.field_count; index++) {
		struct zg_slice field_name;
		struct zg_slice field_value;

		zg_request_field_at(x, index, &field_name, &field_value);
		if (zg_slice_equals_nocase(field_name, name)) {
			*ret_value = field_value;
			return 0;
		}
	}
	return -ENOENT;
}

/* The parser has seen to it that every percent sign has its two digits. */
static size_t request_decode(struct zg_slice text, bool plus_is_space, char *output)
{
	size_t size = 0;

	for (size_t index = 0; index < text.size; index++) {
		char byte = text.data[index];

		if (byte == '%' && index + 2 < text.size) {
			byte = (char)(zgi_segment_hex(text.data[index + 1]) * 16 +
				      zgi_segment_hex(text.data[index + 2]));
			index += 2;
		} else if (byte == '+' && plus_is_space) {
			byte = ' ';
		}
		output[size++] = byte;
	}
	return size;
}

static int request_decoded(struct zg_exchange *x, struct zg_slice text, bool plus_is_space,
			   struct zg_slice *ret_text)
{
	void *memory;
	bool is_plain = text.size == 0 || memchr(text.data, '%', text.size) == NULL;

	if (is_plain && plus_is_space && text.size > 0)
		is_plain = memchr(text.data, '+', text.size) == NULL;
	if (is_plain) {
		*ret_text = text;
		return 0;
	}
	if (zg_arena_alloc(zg_exchange_arena(x), text.size, &memory) < 0)
		return -ENOMEM;
	ret_text->size = request_decode(text, plus_is_space, memory);
	ret_text->data = memory;
	return 0;
}

int zg_request_parameter(struct zg_exchange *x, struct zg_slice name, struct zg_slice *ret_value)
{
	struct zg_slice path = zg_request_path(x);
	int index = zgi_router_parameter(&x->match, name);

	if (index < 0)
		return index;

	const struct zgi_route_parameter *parameter = &x->match.parameters[index];
	struct zg_slice value = {path.data + parameter->offset, parameter->size};

	return request_decoded(x, value, false, ret_value);
}

/* The next "name=value" of a query; the query moves behind it. */
static struct zg_slice request_pair_next(struct zg_slice *query)
{
	const char *end = memchr(query->data, '&', query->size);
	struct zg_slice pair = {query->data,
				end != NULL ? (size_t)(end - query->data) : query->size};
	size_t used = end != NULL ? pair.size + 1 : pair.size;

	query->data += used;
	query->size -= used;
	return pair;
}

int zg_request_query_value(struct zg_exchange *x, struct zg_slice name, struct zg_slice *ret_value)
{
	struct zg_slice query = zg_request_query(x);

	while (query.size > 0) {
		struct zg_arena_savepoint savepoint = zg_arena_save(&x->arena);
		struct zg_slice pair = request_pair_next(&query);
		const char *equals = pair.size > 0 ? memchr(pair.data, '=', pair.size) : NULL;
		size_t name_size = equals != NULL ? (size_t)(equals - pair.data) : pair.size;
		struct zg_slice value = {pair.data + pair.size, 0};
		struct zg_slice decoded;

		if (equals != NULL)
			value = (struct zg_slice){equals + 1, pair.size - name_size - 1};

		int result =
			request_decoded(x, (struct zg_slice){pair.data, name_size}, true, &decoded);

		if (result < 0)
			return result;

		bool is_match = zg_slice_equals(decoded, name);

		zg_arena_restore(&x->arena, savepoint);
		if (is_match)
			return request_decoded(x, value, true, ret_value);
	}
	return -ENOENT;
}
