/*
 * The tree is an array of nodes linked by index: children of a node are a list
 * sorted by kind, so that one pass over it tries them in order of precedence.
 * Two parameters of different names at one place are two nodes; only then does
 * a match have to step back.
 */

#include "web/router.h"

#include <assert.h>
#include <errno.h>

#include <zerog/region.h>
#include <zerog/text.h>

#include "base/assert.h"

enum router_kind {
	ROUTER_STATIC,
	ROUTER_PARAMETER,
	ROUTER_REST,
};

#define ROUTER_NONE UINT16_MAX
#define ROUTER_PATTERN_SIZE 4096 /* of a pattern that is listed; a longer one is cut off */

static_assert(ZG_ROUTE_NODES_MAX < ROUTER_NONE, "node numbers are 16 bits");
static_assert(ZG_METHOD_COUNT <= 16, "one bit a method");
static_assert(ZGI_ROUTE_STREAMS_MAX <= UINT8_MAX, "a stream's number is 8 bits, from 1");

struct router_node {
	struct zg_slice segment; /* the static text, or the parameter's name */
	uint16_t child_first;
	uint16_t sibling_next;
	uint8_t kind; /* enum router_kind */
	uint16_t methods;
	uint16_t methods_streamed; /* those of them whose bodies are streamed */
	zg_handler *handlers[ZG_METHOD_COUNT];
};

/* A route whose body is streamed. */
struct router_stream {
	uint16_t node;
	uint8_t method;
	uint64_t size_max; /* bytes */
};

struct zgi_router {
	struct zg_region region; /* this struct lies in it */
	uint16_t node_count;
	uint8_t stream_count;
	struct router_stream streams[ZGI_ROUTE_STREAMS_MAX];
	struct router_node nodes[ZG_ROUTE_NODES_MAX]; /* the first is the root */
};

/* A match on its way down the tree. */
struct router_walk {
	const struct zgi_router *router;
	struct zg_slice path;
	enum zg_method method;
	struct zgi_route_match *match;
};

static uint16_t router_node_new(struct zgi_router *router, enum router_kind kind,
				struct zg_slice segment)
{
	uint16_t index = router->node_count++;
	struct router_node *node = &router->nodes[index];

	node->segment = segment;
	node->kind = (uint8_t)kind;
	node->child_first = ROUTER_NONE;
	node->sibling_next = ROUTER_NONE;
	return index;
}

int zgi_router_create(struct zgi_router **ret_router)
{
	struct zg_region region;
	void *memory;
	int result = zg_region_init(&region, &(struct zg_region_options){
						     .size = sizeof(struct zgi_router),
						     .name = "router",
					     });

	if (result < 0)
		return result;
	result = zg_region_carve(&region, sizeof(struct zgi_router), 64, &memory);
	zg_assert(result == 0);

	struct zgi_router *router = memory;

	zg_region_move(&router->region, &region);
	router_node_new(router, ROUTER_STATIC, ZG_SLICE(""));
	*ret_router = router;
	return 0;
}

void zgi_router_destroy(struct zgi_router *router)
{
	if (router == NULL)
		return;

	struct zg_region region;

	zg_region_move(&region, &router->region);
	zg_region_fini(&region);
}

/* What one segment of a pattern is; -EINVAL when it is none. */
static int router_segment_read(struct zg_slice text, enum router_kind *ret_kind,
			       struct zg_slice *ret_segment)
{
	if (text.size == 0 || text.data[0] != '{') {
		if (text.size > 0 && (memchr(text.data, '{', text.size) != NULL ||
				      memchr(text.data, '}', text.size) != NULL))
			return -EINVAL;
		*ret_kind = ROUTER_STATIC;
		*ret_segment = text;
		return 0;
	}
	if (text.data[text.size - 1] != '}')
		return -EINVAL;

	struct zg_slice name = {text.data + 1, text.size - 2};

	*ret_kind = ROUTER_PARAMETER;
	if (name.size >= 3 && memcmp(name.data + name.size - 3, "...", 3) == 0) {
		*ret_kind = ROUTER_REST;
		name.size -= 3;
	}
	if (name.size == 0 || memchr(name.data, '{', name.size) != NULL ||
	    memchr(name.data, '}', name.size) != NULL)
		return -EINVAL;
	*ret_segment = name;
	return 0;
}

static uint16_t router_child_find(const struct zgi_router *router, uint16_t parent,
				  enum router_kind kind, struct zg_slice segment)
{
	uint16_t index = router->nodes[parent].child_first;

	while (index != ROUTER_NONE) {
		const struct router_node *node = &router->nodes[index];

		if (node->kind == (uint8_t)kind && zg_slice_equals(node->segment, segment))
			return index;
		index = node->sibling_next;
	}
	return ROUTER_NONE;
}

static uint16_t router_child_insert(struct zgi_router *router, uint16_t parent,
				    enum router_kind kind, struct zg_slice segment)
{
	uint16_t *link = &router->nodes[parent].child_first;

	while (*link != ROUTER_NONE && router->nodes[*link].kind <= (uint8_t)kind)
		link = &router->nodes[*link].sibling_next;

	uint16_t index = router_node_new(router, kind, segment);

	router->nodes[index].sibling_next = *link;
	*link = index;
	return index;
}

/* The next segment of a path from an offset on; the offset moves behind its slash. */
static struct zg_slice router_segment_next(struct zg_slice path, size_t *offset, bool *ret_is_last)
{
	const char *start = path.data + *offset;
	size_t left = path.size - *offset;
	const char *slash = left > 0 ? memchr(start, '/', left) : NULL;

	*ret_is_last = slash == NULL;
	if (slash == NULL) {
		*offset = path.size;
		return (struct zg_slice){start, left};
	}
	*offset += (size_t)(slash - start) + 1;
	return (struct zg_slice){start, (size_t)(slash - start)};
}

/* A pattern is looked at as a whole before the tree is touched. */
static int router_pattern_check(struct zg_slice pattern)
{
	size_t offset = 1;
	uint32_t segment_count = 0;
	uint32_t parameter_count = 0;
	bool is_last = false;

	if (pattern.size == 0 || pattern.data[0] != '/')
		return -EINVAL;
	while (!is_last) {
		enum router_kind kind;
		struct zg_slice segment;
		int result = router_segment_read(router_segment_next(pattern, &offset, &is_last),
						 &kind, &segment);

		if (result < 0)
			return result;
		if (kind == ROUTER_REST && !is_last)
			return -EINVAL;
		parameter_count += kind != ROUTER_STATIC;
		segment_count++;
	}
	if (segment_count > ZGI_ROUTE_SEGMENTS_MAX || parameter_count > ZG_PARAMETERS_MAX)
		return -EINVAL;
	return (int)segment_count;
}

static int router_add(struct zgi_router *router, enum zg_method method, const char *pattern,
		      zg_handler *handler, uint16_t *ret_node)
{
	zg_assert(method < ZG_METHOD_COUNT);
	zg_assert(handler != NULL);

	struct zg_slice path = {pattern, strlen(pattern)};
	size_t offset = 1;
	uint16_t node = 0;
	bool is_last = false;
	int segment_count = router_pattern_check(path);

	if (segment_count < 0)
		return segment_count;
	if (router->node_count + segment_count > ZG_ROUTE_NODES_MAX)
		return -ENOSPC;

	while (!is_last) {
		enum router_kind kind;
		struct zg_slice segment;
		int result = router_segment_read(router_segment_next(path, &offset, &is_last),
						 &kind, &segment);

		zg_assert(result == 0);

		uint16_t child = router_child_find(router, node, kind, segment);

		if (child == ROUTER_NONE)
			child = router_child_insert(router, node, kind, segment);
		node = child;
	}
	if (router->nodes[node].handlers[method] != NULL)
		return -EEXIST;
	router->nodes[node].handlers[method] = handler;
	router->nodes[node].methods |= (uint16_t)(1U << method);
	*ret_node = node;
	return 0;
}

int zgi_router_add(struct zgi_router *router, enum zg_method method, const char *pattern,
		   zg_handler *handler)
{
	uint16_t node;

	return router_add(router, method, pattern, handler, &node);
}

int zgi_router_add_streamed(struct zgi_router *router, enum zg_method method, const char *pattern,
			    zg_handler *handler, uint64_t size_max)
{
	uint16_t node;
	int result;

	if (router->stream_count == ZGI_ROUTE_STREAMS_MAX)
		return -ENOSPC;
	result = router_add(router, method, pattern, handler, &node);
	if (result < 0)
		return result;
	router->nodes[node].methods_streamed |= (uint16_t)(1U << method);
	router->streams[router->stream_count++] = (struct router_stream){
		.node = node,
		.method = (uint8_t)method,
		.size_max = size_max,
	};
	return 0;
}

uint64_t zgi_router_stream_size(const struct zgi_router *router, uint8_t stream)
{
	zg_assert(stream > 0 && stream <= router->stream_count);
	return router->streams[stream - 1].size_max;
}

/* The number of a streamed route, from 1. There are few of them, and only they are looked for. */
static uint8_t router_stream_find(const struct zgi_router *router, uint16_t node,
				  enum zg_method method)
{
	uint8_t stream = 0;

	while (router->streams[stream].node != node ||
	       router->streams[stream].method != (uint8_t)method) {
		stream++;
		zg_assert(stream < router->stream_count);
	}
	return stream + 1;
}

/* A node that the whole path has led to: does it take the method? */
static bool router_arrive(struct router_walk *walk, const struct router_node *node)
{
	walk->match->methods_allowed |= node->methods;
	walk->match->handler = node->handlers[walk->method];
	if (walk->match->handler == NULL && walk->method == ZG_METHOD_HEAD)
		walk->match->handler = node->handlers[ZG_METHOD_GET];
	if (ZG_UNLIKELY(node->methods_streamed & (1U << walk->method)))
		walk->match->stream = router_stream_find(
			walk->router, (uint16_t)(node - walk->router->nodes), walk->method);
	return walk->match->handler != NULL;
}

static void router_parameter_push(struct router_walk *walk, uint16_t index, struct zg_slice value)
{
	struct zgi_route_match *match = walk->match;

	zg_assert(match->parameter_count < ZG_PARAMETERS_MAX);
	match->parameters[match->parameter_count++] = (struct zgi_route_parameter){
		.node = index,
		.offset = (uint16_t)(value.data - walk->path.data),
		.size = (uint16_t)value.size,
	};
}

/* Recursion is bounded by the depth of the tree: ZGI_ROUTE_SEGMENTS_MAX. */
static bool router_descend(struct router_walk *walk, uint16_t parent, size_t offset)
{
	struct zg_slice rest = {walk->path.data + offset, walk->path.size - offset};
	bool is_last;
	struct zg_slice segment = router_segment_next(walk->path, &offset, &is_last);
	uint8_t parameter_count = walk->match->parameter_count;

	for (uint16_t index = walk->router->nodes[parent].child_first; index != ROUTER_NONE;
	     index = walk->router->nodes[index].sibling_next) {
		const struct router_node *node = &walk->router->nodes[index];

		walk->match->parameter_count = parameter_count;
		if (node->kind == ROUTER_STATIC && !zg_slice_equals(node->segment, segment))
			continue;
		if (node->kind != ROUTER_STATIC && segment.size == 0 && node->kind != ROUTER_REST)
			continue;
		if (node->kind != ROUTER_STATIC)
			router_parameter_push(walk, index,
					      node->kind == ROUTER_REST ? rest : segment);
		if (is_last || node->kind == ROUTER_REST) {
			if (router_arrive(walk, node))
				return true;
		} else if (router_descend(walk, index, offset)) {
			return true;
		}
	}
	walk->match->parameter_count = parameter_count;
	return false;
}

void zgi_router_match(const struct zgi_router *router, enum zg_method method, struct zg_slice path,
		      struct zgi_route_match *ret_match)
{
	struct router_walk walk = {router, path, method, ret_match};

	ret_match->handler = NULL;
	ret_match->methods_allowed = 0;
	ret_match->parameter_count = 0;
	ret_match->stream = 0;
	if (path.size > 0 && path.data[0] == '/')
		router_descend(&walk, 0, 1);
}

struct zg_slice zgi_router_parameter_name(const struct zgi_router *router, uint16_t node)
{
	zg_assert(node < router->node_count);
	return router->nodes[node].segment;
}

/* A visit of all routes on its way through the tree; the pattern is that of the node it is at. */
struct router_listing {
	const struct zgi_router *router;
	zgi_router_visitor *visitor;
	void *user;
	struct zg_text *pattern;
};

static void router_list_node(const struct router_listing *listing, const struct router_node *node)
{
	static const char *const before[] = {"/", "/{", "/{"};
	static const char *const behind[] = {"", "}", "...}"};

	zg_text_print(listing->pattern, "%s%.*s%s", before[node->kind], (int)node->segment.size,
		      node->segment.data, behind[node->kind]);
	for (unsigned method = 0; method < ZG_METHOD_COUNT; method++)
		if (node->handlers[method] != NULL)
			listing->visitor(listing->user, (enum zg_method)method,
					 listing->pattern->data);
}

/* Recursion is bounded by the depth of the tree, as in router_descend(). */
static void router_list_children(const struct router_listing *listing, uint16_t parent)
{
	const struct zgi_router *router = listing->router;
	size_t size = listing->pattern->size;

	for (uint16_t index = router->nodes[parent].child_first; index != ROUTER_NONE;
	     index = router->nodes[index].sibling_next) {
		router_list_node(listing, &router->nodes[index]);
		router_list_children(listing, index);
		listing->pattern->size = size;
		listing->pattern->data[size] = '\0';
	}
}

void zgi_router_list(const struct zgi_router *router, zgi_router_visitor *visitor, void *user)
{
	char buffer[ROUTER_PATTERN_SIZE];
	struct zg_text pattern;
	const struct router_listing listing = {router, visitor, user, &pattern};

	zg_text_init(&pattern, buffer, sizeof(buffer));
	router_list_children(&listing, 0);
}
