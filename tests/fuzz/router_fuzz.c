/*
 * Patterns and paths, a line each: a line that begins with "+" is registered, all
 * others are looked for. What the tree finds must be what a search through all
 * patterns finds, and must be the same in another spelling of the path.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "web/router.h"
#include "web/segment.h"

#define FUZZ_PATTERNS_MAX 24
#define FUZZ_LINE_MAX 512
#define FUZZ_SEGMENTS_MAX (FUZZ_LINE_MAX + 1)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_pattern {
	char text[FUZZ_LINE_MAX + 1];
	struct zg_endpoint *endpoint;
};

static struct fuzz_pattern patterns[FUZZ_PATTERNS_MAX];
static uint32_t pattern_count;
static struct zgi_router *router;

static int fuzz_handler(struct zg_exchange *x)
{
	(void)x;
	return 0;
}

/* The next segment of a path; what is left begins behind its slash. */
static struct zg_slice fuzz_segment(struct zg_slice *path, bool *ret_is_last)
{
	struct zg_slice segment = {path->data, 0};

	while (segment.size < path->size && segment.data[segment.size] != '/')
		segment.size++;
	*ret_is_last = segment.size == path->size;
	path->data += segment.size + !*ret_is_last;
	path->size -= segment.size + !*ret_is_last;
	return segment;
}

static bool fuzz_segment_fits(const struct zgi_segment *pattern, struct zg_slice segment)
{
	char pattern_buffer[ZGI_SEGMENT_SIZE_MAX];
	char buffer[ZGI_SEGMENT_SIZE_MAX];
	struct zg_slice wanted;
	struct zg_slice got;

	if (pattern->kind != ZGI_SEGMENT_STATIC)
		return zgi_segment_takes(pattern->kind, segment);
	return zgi_segment_normalise(pattern->text, pattern_buffer, &wanted) == 0 &&
	       zgi_segment_normalise(segment, buffer, &got) == 0 && zg_slice_equals(wanted, got);
}

/* Does a pattern take a path, and by which kinds of segments? The kinds, one byte each and one more
 * than zero, compare as the patterns' precedence does. */
static bool fuzz_fits(const char *text, struct zg_slice path, char *ret_kinds)
{
	struct zg_slice pattern = {text + 1, strlen(text) - 1};
	bool pattern_is_last = false;
	bool path_is_last = path.size == 0 || path.data[0] != '/';

	if (path_is_last)
		return false;
	path = (struct zg_slice){path.data + 1, path.size - 1};
	while (!pattern_is_last && !path_is_last) {
		struct zgi_segment segment;
		int result = zgi_segment_read(fuzz_segment(&pattern, &pattern_is_last), &segment);

		zg_assert(result == 0);
		*ret_kinds++ = (char)(segment.kind + 1);
		*ret_kinds = '\0';
		if (segment.kind == ZGI_SEGMENT_REST)
			return true;
		if (!fuzz_segment_fits(&segment, fuzz_segment(&path, &path_is_last)))
			return false;
	}
	return pattern_is_last && path_is_last;
}

/* Is it the endpoint of the pattern that a search through all of them finds? */
static bool fuzz_is_best(const struct zg_endpoint *found, struct zg_slice path)
{
	char best[FUZZ_SEGMENTS_MAX] = "";
	char kinds_found[FUZZ_SEGMENTS_MAX] = "";

	for (uint32_t index = 0; index < pattern_count; index++) {
		char kinds[FUZZ_SEGMENTS_MAX] = "";

		if (!fuzz_fits(patterns[index].text, path, kinds))
			continue;
		if (best[0] == '\0' || strcmp(kinds, best) < 0)
			memcpy(best, kinds, sizeof(best));
		if (patterns[index].endpoint == found)
			memcpy(kinds_found, kinds, sizeof(kinds_found));
	}
	return strcmp(best, kinds_found) == 0;
}

/* As the parser lets it through: visible bytes, each percent sign with its two digits. */
static bool fuzz_is_path(struct zg_slice path)
{
	for (size_t index = 0; index < path.size; index++) {
		if (path.data[index] <= ' ' || path.data[index] > '~')
			return false;
		if (path.data[index] == '%' &&
		    (path.size - index < 3 || zgi_segment_hex(path.data[index + 1]) < 0 ||
		     zgi_segment_hex(path.data[index + 2]) < 0))
			return false;
	}
	return true;
}

/* Every letter that is not part of an encoding is encoded. */
static struct zg_slice fuzz_respell(struct zg_slice path, char *buffer)
{
	static const char digits[] = "0123456789abcdef";
	size_t size = 0;

	for (size_t index = 0; index < path.size; index++) {
		char byte = path.data[index];

		if (byte == '%') {
			memcpy(buffer + size, path.data + index, 3);
			size += 3;
			index += 2;
		} else if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9')) {
			buffer[size++] = '%';
			buffer[size++] = digits[(uint8_t)byte >> 4];
			buffer[size++] = digits[(uint8_t)byte & 15];
		} else {
			buffer[size++] = byte;
		}
	}
	return (struct zg_slice){buffer, size};
}

static void fuzz_look(struct zg_slice path)
{
	char buffer[3 * FUZZ_LINE_MAX];
	struct zgi_route_match match;
	struct zgi_route_match again;

	if (!fuzz_is_path(path))
		return;
	zgi_router_match(router, ZG_METHOD_GET, path, &match);
	zg_assert((match.handler != NULL) == (match.endpoint->handler != NULL));
	zg_assert(fuzz_is_best(match.handler != NULL ? match.endpoint : NULL, path));
	for (uint32_t index = 0; index < match.parameter_count; index++)
		zg_assert(match.parameters[index].offset + match.parameters[index].size <=
			  path.size);
	zgi_router_match(router, ZG_METHOD_GET, fuzz_respell(path, buffer), &again);
	zg_assert(again.endpoint == match.endpoint);
	zg_assert(again.parameter_count == match.parameter_count);
	zgi_router_match(router, ZG_METHOD_DELETE, path, &again);
	zg_assert(again.handler == NULL);
	zg_assert(((again.methods_allowed & 1U << ZG_METHOD_GET) != 0) == (match.handler != NULL));
}

static void fuzz_register(struct zg_slice line)
{
	struct fuzz_pattern *pattern = &patterns[pattern_count];
	struct zgi_route_options options = {
		.group = zgi_router_root(router),
		.pattern = pattern->text,
		.methods = 1U << ZG_METHOD_GET,
		.handler = fuzz_handler,
	};

	if (pattern_count == FUZZ_PATTERNS_MAX || memchr(line.data, '\0', line.size) != NULL)
		return;
	memcpy(pattern->text, line.data, line.size);
	pattern->text[line.size] = '\0';
	if (zgi_router_add_route(router, &options, &pattern->endpoint) == 0)
		pattern_count++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zg_slice text = {(const char *)data, size};
	int result = zgi_router_create(&router);

	zg_assert(result == 0);
	pattern_count = 0;
	while (text.size > 0) {
		const char *end = memchr(text.data, '\n', text.size);
		struct zg_slice line = {text.data,
					end != NULL ? (size_t)(end - text.data) : text.size};

		text.data += line.size + (end != NULL);
		text.size -= line.size + (end != NULL);
		if (line.size == 0 || line.size > FUZZ_LINE_MAX)
			continue;
		if (line.data[0] == '+')
			fuzz_register((struct zg_slice){line.data + 1, line.size - 1});
		else
			fuzz_look(line);
	}
	zgi_router_destroy(router);
	return 0;
}
