/*
 * The order is the RFC's: a tag is asked for before a date, and a range only of what
 * is sent at all. Each field is read where it lies.
 */

#include "http/conditional.h"

#include <errno.h>

#include "base/assert.h"
#include "http/bytes.h"

/* The next element of a list with commas, without white space around it; the list moves behind it.
 * A comma in quotes separates nothing. */
static struct zg_slice conditional_element_next(struct zg_slice *list)
{
	size_t end = 0;
	bool is_quoted = false;
	struct zg_slice element;

	while (end < list->size && (is_quoted || list->data[end] != ',')) {
		is_quoted ^= list->data[end] == '"';
		end++;
	}
	element = (struct zg_slice){list->data, end};
	end += end < list->size;
	list->data += end;
	list->size -= end;
	while (element.size > 0 && zgi_http_byte_is_space(element.data[0])) {
		element.data++;
		element.size--;
	}
	while (element.size > 0 && zgi_http_byte_is_space(element.data[element.size - 1]))
		element.size--;
	return element;
}

bool zgi_http_etag_is_listed(struct zg_slice list, struct zg_slice tag, bool is_strong)
{
	if (zg_slice_equals(list, ZG_SLICE("*")))
		return true;
	while (list.size > 0) {
		struct zg_slice element = conditional_element_next(&list);
		bool is_weak = element.size >= 2 && memcmp(element.data, "W/", 2) == 0;

		if (is_weak) {
			element.data += 2;
			element.size -= 2;
		}
		if (zg_slice_equals(element, tag) && !(is_weak && is_strong))
			return true;
	}
	return false;
}

/* A number in decimal that ends at a byte or at the slice's end; the slice moves behind it. */
static bool conditional_number_read(struct zg_slice *text, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t size = 0;

	for (; size < text->size && zgi_http_byte_is_digit(text->data[size]); size++)
		/* What is too large to be a place in a file stays so. */
		if (__builtin_mul_overflow(number, UINT64_C(10), &number) ||
		    __builtin_add_overflow(number, (uint64_t)(text->data[size] - '0'), &number))
			number = UINT64_MAX / 16;
	text->data += size;
	text->size -= size;
	*ret_number = number;
	return size > 0;
}

/* "bytes=0-499", "bytes=500-", "bytes=-500". Return: false when the field is to be ignored; else
 * the status is 206 or 416. */
static bool conditional_range_read(struct zg_slice range, uint64_t size,
				   struct zgi_http_selection *selection)
{
	static const struct zg_slice unit = {"bytes=", 6};
	uint64_t first = 0;
	uint64_t last = UINT64_MAX;

	if (range.size <= unit.size ||
	    !zg_slice_equals_nocase((struct zg_slice){range.data, unit.size}, unit))
		return false;
	range.data += unit.size;
	range.size -= unit.size;

	bool has_first = conditional_number_read(&range, &first);

	if (range.size == 0 || range.data[0] != '-')
		return false;
	range.data++;
	range.size--;

	bool has_last = conditional_number_read(&range, &last);

	if (range.size > 0 || (!has_first && !has_last) || (has_first && has_last && last < first))
		return false;
	selection->status = 416;
	if (!has_first) {
		/* The last so many bytes, or all when there are not so many. */
		if (last == 0 || size == 0)
			return true;
		first = last < size ? size - last : 0;
		last = size - 1;
	}
	if (first >= size)
		return true;
	if (!has_last || last >= size)
		last = size - 1;
	*selection = (struct zgi_http_selection){206, first, last - first + 1};
	return true;
}

/* Is a date field's date the representation's, or a later one? An unreadable one says nothing. */
static bool conditional_date_covers(struct zg_slice field, time_t modified, bool *ret_is_date)
{
	time_t date = 0;

	*ret_is_date = zgi_http_date_parse(field, &date) == 0;
	return *ret_is_date && modified <= date;
}

/* If-Range: does the client hold a part of this very representation? */
static bool conditional_range_applies(const struct zgi_http_conditions *conditions,
				      const struct zgi_http_representation *representation)
{
	time_t date = 0;

	if (conditions->if_range.data == NULL)
		return true;
	if (conditions->if_range.size > 0 && conditions->if_range.data[0] == '"')
		return zg_slice_equals(conditions->if_range, representation->tag);
	return zgi_http_date_parse(conditions->if_range, &date) == 0 &&
	       date == representation->modified;
}

void zgi_http_select(const struct zgi_http_conditions *conditions,
		     const struct zgi_http_representation *representation,
		     struct zgi_http_selection *ret_selection)
{
	const struct zg_slice tag = representation->tag;
	const time_t modified = representation->modified;
	bool is_date;

	*ret_selection = (struct zgi_http_selection){200, 0, representation->size};
	if (conditions->if_match.data != NULL) {
		if (!zgi_http_etag_is_listed(conditions->if_match, tag, true))
			ret_selection->status = 412;
	} else if (conditions->if_unmodified_since.data != NULL) {
		if (!conditional_date_covers(conditions->if_unmodified_since, modified, &is_date) &&
		    is_date)
			ret_selection->status = 412;
	}
	if (ret_selection->status != 200)
		return;
	if (conditions->if_none_match.data != NULL) {
		if (zgi_http_etag_is_listed(conditions->if_none_match, tag, false))
			ret_selection->status = 304;
	} else if (conditions->if_modified_since.data != NULL) {
		if (conditional_date_covers(conditions->if_modified_since, modified, &is_date))
			ret_selection->status = 304;
	}
	if (ret_selection->status == 200 && conditions->range.data != NULL &&
	    conditional_range_applies(conditions, representation))
		(void)conditional_range_read(conditions->range, representation->size,
					     ret_selection);
}

struct zg_slice zgi_http_coding_name(enum zgi_http_coding coding)
{
	switch (coding) {
	case ZGI_HTTP_CODING_BR:
		return ZG_SLICE("br");
	case ZGI_HTTP_CODING_ZSTD:
		return ZG_SLICE("zstd");
	case ZGI_HTTP_CODING_GZIP:
		return ZG_SLICE("gzip");
	case ZGI_HTTP_CODING_COUNT:
		break;
	}
	return ZG_SLICE("");
}

/* A weight in thousandths: "q=0.5", after the semicolon (RFC 9110, section 12.4.2). What is none is
 * as good as one that is missing. */
static uint32_t coding_weight_read(struct zg_slice text)
{
	uint32_t weight = 0;
	uint32_t place = 1000;

	while (text.size > 0 && zgi_http_byte_is_space(text.data[0])) {
		text.data++;
		text.size--;
	}
	if (text.size < 3 || (text.data[0] | 0x20) != 'q' || text.data[1] != '=' ||
	    (text.data[2] != '0' && text.data[2] != '1'))
		return 1000;
	for (size_t index = 2; index < text.size && place > 0; index++) {
		if (text.data[index] == '.' && index == 3)
			continue;
		if (!zgi_http_byte_is_digit(text.data[index]))
			break;
		weight += (uint32_t)(text.data[index] - '0') * place;
		place /= 10;
	}
	return weight < 1000 ? weight : 1000;
}

/* Which coding a name is; -1 for "*", -2 for one that we do not know. */
static int coding_find(struct zg_slice name)
{
	if (zg_slice_equals(name, ZG_SLICE("*")))
		return -1;
	if (zg_slice_equals_nocase(name, ZG_SLICE("identity")))
		return ZGI_HTTP_CODING_COUNT;
	if (zg_slice_equals_nocase(name, ZG_SLICE("x-gzip")))
		return ZGI_HTTP_CODING_GZIP;
	for (int coding = 0; coding < ZGI_HTTP_CODING_COUNT; coding++)
		if (zg_slice_equals_nocase(name,
					   zgi_http_coding_name((enum zgi_http_coding)coding)))
			return coding;
	return -2;
}

/* The weight of each coding, identity last; UINT32_MAX where the field says nothing of it. */
static void coding_weights_read(struct zg_slice accept, uint32_t *weights, uint32_t *ret_others)
{
	while (accept.size > 0) {
		struct zg_slice element = conditional_element_next(&accept);
		const char *semicolon =
			element.size > 0 ? memchr(element.data, ';', element.size) : NULL;
		struct zg_slice name = element;
		uint32_t weight = 1000;
		int coding;

		if (semicolon != NULL) {
			name.size = (size_t)(semicolon - element.data);
			weight = coding_weight_read(
				(struct zg_slice){semicolon + 1, element.size - name.size - 1});
		}
		while (name.size > 0 && zgi_http_byte_is_space(name.data[name.size - 1]))
			name.size--;
		coding = coding_find(name);
		if (coding == -1)
			*ret_others = weight;
		else if (coding >= 0)
			weights[coding] = weight;
	}
}

enum zgi_http_coding zgi_http_coding_choose(struct zg_slice accept, uint32_t available)
{
	uint32_t weights[ZGI_HTTP_CODING_COUNT + 1];
	uint32_t others = UINT32_MAX;
	enum zgi_http_coding best = ZGI_HTTP_CODING_COUNT;
	uint32_t best_weight;

	if (accept.data == NULL || available == 0)
		return ZGI_HTTP_CODING_COUNT;
	for (uint32_t index = 0; index <= ZGI_HTTP_CODING_COUNT; index++)
		weights[index] = UINT32_MAX;
	coding_weights_read(accept, weights, &others);
	for (uint32_t index = 0; index < ZGI_HTTP_CODING_COUNT; index++)
		if (weights[index] == UINT32_MAX)
			weights[index] = others != UINT32_MAX ? others : 0;
	/* As it is, it is acceptable unless that is said not to be, but no better than any coding.
	 */
	best_weight = weights[ZGI_HTTP_CODING_COUNT];
	if (best_weight == UINT32_MAX)
		best_weight = others != UINT32_MAX ? others : 1;
	for (uint32_t index = ZGI_HTTP_CODING_COUNT; index-- > 0;)
		if ((available & (1U << index)) && weights[index] > 0 &&
		    weights[index] >= best_weight) {
			best = (enum zgi_http_coding)index;
			best_weight = weights[index];
		}
	return best;
}
