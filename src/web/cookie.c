/*
 * Cookies, in both directions. Reading is a walk over the field's own bytes; writing
 * renders one field line on the stack, from where zg_reply_field() takes it.
 */
#include <zerog/cookie.h>

#include <errno.h>
#include <inttypes.h>
#include <stdalign.h>
#include <string.h>

#include <zerog/scratch.h>
#include <zerog/text.h>

#include "base/assert.h"
#include "http/bytes.h"
#include "http/scan.h"
#include "web/cookie.h"

/* What a usual cookie takes; a longer one is rendered in the arena. */
#define COOKIE_STACK_SIZE 512

/* Name, value and two attributes at their longest, and the words between them. */
#define COOKIE_WORDS_SIZE_MAX 128
#define COOKIE_TEXT_SIZE_MAX \
	(ZG_COOKIE_SIZE_MAX + 2 * ZG_COOKIE_ATTRIBUTE_SIZE_MAX + COOKIE_WORDS_SIZE_MAX)

static struct zg_slice cookie_trim(struct zg_slice text)
{
	while (text.size > 0 && zgi_http_byte_is_space(text.data[0])) {
		text.data++;
		text.size--;
	}
	while (text.size > 0 && zgi_http_byte_is_space(text.data[text.size - 1]))
		text.size--;
	return text;
}

static bool cookie_is_token(struct zg_slice text)
{
	return text.size > 0 && zgi_http_scan.token_end(text.data, text.size) == text.size;
}

/* Fields have no control byte but HTAB, yet a slice of another origin may. */
static bool cookie_is_visible(struct zg_slice text)
{
	return text.size == 0 || (zgi_http_scan.value_end(text.data, text.size) == text.size &&
				  memchr(text.data, '\t', text.size) == NULL);
}

/* What stands before the next semicolon, which is passed. */
static struct zg_slice cookie_pair_next(struct zg_slice *field)
{
	const char *end = memchr(field->data, ';', field->size);
	size_t size = end != NULL ? (size_t)(end - field->data) : field->size;
	struct zg_slice pair = {field->data, size};

	if (end != NULL)
		size++;
	field->data += size;
	field->size -= size;
	return pair;
}

int zg_cookie_next(struct zg_slice *field, struct zg_slice *ret_name, struct zg_slice *ret_value)
{
	zg_assert(field->data != NULL || field->size == 0);
	while (field->size > 0) {
		struct zg_slice pair = cookie_pair_next(field);
		const char *equals = pair.size > 0 ? memchr(pair.data, '=', pair.size) : NULL;
		struct zg_slice name;
		struct zg_slice value;

		if (equals == NULL)
			continue;
		name = (struct zg_slice){pair.data, (size_t)(equals - pair.data)};
		value = (struct zg_slice){equals + 1, pair.size - name.size - 1};
		name = cookie_trim(name);
		value = cookie_trim(value);
		if (!cookie_is_token(name) || !cookie_is_visible(value))
			continue;
		*ret_name = name;
		*ret_value = value;
		return 1;
	}
	return 0;
}

int zgi_request_cookie_next(const struct zg_exchange *x, struct zgi_cookie_walk *walk,
			    struct zg_slice *ret_value)
{
	while (true) {
		struct zg_slice name;
		struct zg_slice value;

		while (zg_cookie_next(&walk->rest, &name, &value) > 0) {
			if (zg_slice_equals(name, walk->name)) {
				*ret_value = value;
				return 1;
			}
		}
		do {
			if (walk->field_next == zg_request_field_count(x))
				return 0;
			zg_request_field_at(x, walk->field_next++, &name, &value);
		} while (!zg_slice_equals_nocase(name, ZG_SLICE("cookie")));
		walk->rest = value;
	}
}

int zg_request_cookie(const struct zg_exchange *x, struct zg_slice name, struct zg_slice *ret_value)
{
	struct zgi_cookie_walk walk = {.name = name};

	return zgi_request_cookie_next(x, &walk, ret_value) > 0 ? 0 : -ENOENT;
}

/* cookie-octet: US-ASCII but for control bytes, white space, DQUOTE, comma, semicolon, backslash.
 */
static bool cookie_value_is_safe(struct zg_slice value)
{
	for (size_t index = 0; index < value.size; index++) {
		char byte = value.data[index];

		if (byte <= ' ' || byte > '~' || byte == '"' || byte == ',' || byte == ';' ||
		    byte == '\\')
			return false;
	}
	return true;
}

/* path-value and domain-value: any but control bytes and the semicolon. */
static bool cookie_attribute_is_safe(struct zg_slice value)
{
	for (size_t index = 0; index < value.size; index++)
		if (value.data[index] < ' ' || value.data[index] > '~' || value.data[index] == ';')
			return false;
	return true;
}

static bool cookie_name_begins(struct zg_slice name, struct zg_slice prefix)
{
	return name.size >= prefix.size &&
	       zg_slice_equals_nocase((struct zg_slice){name.data, prefix.size}, prefix);
}

/* What browsers would drop without a word is refused here, where somebody hears of it. */
static int cookie_check(const struct zg_cookie *cookie)
{
	bool is_root = cookie->path.size == 0 || zg_slice_equals(cookie->path, ZG_SLICE("/"));

	if (!cookie_is_token(cookie->name) || !cookie_value_is_safe(cookie->value) ||
	    !cookie_attribute_is_safe(cookie->path) || !cookie_attribute_is_safe(cookie->domain))
		return -EINVAL;
	if (cookie->path.size > 0 && cookie->path.data[0] != '/')
		return -EINVAL;
	if (cookie->same_site > ZG_SAME_SITE_NONE ||
	    (cookie->same_site == ZG_SAME_SITE_NONE && !cookie->is_secure))
		return -EINVAL;
	if (cookie_name_begins(cookie->name, ZG_SLICE("__Secure-")) && !cookie->is_secure)
		return -EINVAL;
	if (cookie_name_begins(cookie->name, ZG_SLICE("__Host-")) &&
	    (!cookie->is_secure || !is_root || cookie->domain.size > 0))
		return -EINVAL;
	if (cookie->name.size > ZG_COOKIE_SIZE_MAX ||
	    cookie->value.size > ZG_COOKIE_SIZE_MAX - cookie->name.size ||
	    cookie->path.size > ZG_COOKIE_ATTRIBUTE_SIZE_MAX ||
	    cookie->domain.size > ZG_COOKIE_ATTRIBUTE_SIZE_MAX)
		return -EMSGSIZE;
	return 0;
}

static void cookie_print(struct zg_text *text, const struct zg_cookie *cookie)
{
	static const struct zg_slice same_site[] = {
		[ZG_SAME_SITE_LAX] = {"Lax", 3},
		[ZG_SAME_SITE_STRICT] = {"Strict", 6},
		[ZG_SAME_SITE_NONE] = {"None", 4},
	};

	zg_text_append(text, cookie->name);
	zg_text_append(text, ZG_SLICE("="));
	zg_text_append(text, cookie->value);
	zg_text_append(text, ZG_SLICE("; Path="));
	zg_text_append(text, cookie->path.size > 0 ? cookie->path : ZG_SLICE("/"));
	if (cookie->domain.size > 0) {
		zg_text_append(text, ZG_SLICE("; Domain="));
		zg_text_append(text, cookie->domain);
	}
	if (cookie->max_age_s != 0)
		zg_text_print(text, "; Max-Age=%" PRId64,
			      cookie->max_age_s > 0 ? cookie->max_age_s : 0);
	if (cookie->is_secure)
		zg_text_append(text, ZG_SLICE("; Secure"));
	if (!cookie->is_script_visible)
		zg_text_append(text, ZG_SLICE("; HttpOnly"));
	zg_text_append(text, ZG_SLICE("; SameSite="));
	zg_text_append(text, same_site[cookie->same_site]);
}

int zg_reply_cookie(struct zg_exchange *x, const struct zg_cookie *cookie)
{
	ZG_SCRATCH_LIMITED(room, COOKIE_STACK_SIZE, zg_exchange_arena(x), COOKIE_TEXT_SIZE_MAX);
	struct zg_text text;
	int result = cookie_check(cookie);

	if (result < 0)
		return result;
	result = zg_scratch_reserve(&room, cookie->name.size + cookie->value.size +
						   cookie->path.size + cookie->domain.size +
						   COOKIE_WORDS_SIZE_MAX);
	if (result < 0)
		return -ENOMEM;
	zg_text_init(&text, (char *)room.data, room.capacity);
	cookie_print(&text, cookie);
	zg_assert(!text.is_truncated);
	return zg_reply_field(x, ZG_SLICE("Set-Cookie"), (struct zg_slice){text.data, text.size});
}

int zg_reply_cookie_drop(struct zg_exchange *x, const struct zg_cookie *cookie)
{
	struct zg_cookie dropped = *cookie;

	dropped.value = ZG_SLICE("");
	dropped.max_age_s = -1;
	return zg_reply_cookie(x, &dropped);
}
