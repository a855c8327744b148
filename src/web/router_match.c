/*
 * What is found. A level of the tree has few static segments nearly always, and
 * then they are compared one by one; where it has many, one table of all static
 * nodes, by parent and text, answers at once. A path that is not written in its
 * normal form is brought into it only when it has not been found as it is.
 */

#include <errno.h>

#include "base/assert.h"
#include "web/router_tree.h"

/* Not inlined: what most paths do not need must not make the others' way longer. */
#define ROUTER_APART __attribute__((noinline))

/* A match on its way down the tree. */
struct router_walk {
	const struct zgi_router *router;
	struct zg_slice path;
	enum zg_method method;
	struct zgi_route_match *match;
};

/* FNV-1a, the parent first. */
static uint32_t router_hash(uint16_t parent, struct zg_slice text)
{
	uint32_t hash = (UINT32_C(2166136261) ^ parent) * UINT32_C(16777619);

	for (size_t index = 0; index < text.size; index++)
		hash = (hash ^ (uint8_t)text.data[index]) * UINT32_C(16777619);
	return hash ^ hash >> 15;
}

ROUTER_APART static uint16_t router_table_find(const struct zgi_router *router, uint16_t parent,
					       struct zg_slice text)
{
	uint32_t place;

	if (text.size > ZGI_SEGMENT_SIZE_MAX)
		return ZGI_ROUTER_NONE;
	place = router_hash(parent, text) % ZGI_ROUTER_TABLE_SIZE;
	for (; router->table[place] != 0; place = (place + 1) % ZGI_ROUTER_TABLE_SIZE) {
		uint16_t index = router->table[place];

		if (router->nodes[index].parent == parent &&
		    zg_slice_equals(router->nodes[index].text, text))
			return index;
	}
	return ZGI_ROUTER_NONE;
}

static inline uint16_t router_list_find(const struct zgi_router *router, uint16_t index,
					struct zg_slice text)
{
	while (index != ZGI_ROUTER_NONE && !zg_slice_equals(router->nodes[index].text, text))
		index = router->nodes[index].sibling_next;
	return index;
}

static inline uint16_t router_static_find(const struct zgi_router *router,
					  const struct zgi_router_node *parent,
					  struct zg_slice text)
{
	if (ZG_UNLIKELY(parent->static_count > ZGI_ROUTER_LIST_MAX))
		return router_table_find(router, (uint16_t)(parent - router->nodes), text);
	return router_list_find(router, parent->static_first, text);
}

uint16_t zgi_router_static_find(const struct zgi_router *router, uint16_t parent,
				struct zg_slice text)
{
	return router_static_find(router, &router->nodes[parent], text);
}

void zgi_router_static_insert(struct zgi_router *router, uint16_t index)
{
	const struct zgi_router_node *node = &router->nodes[index];
	uint32_t place = router_hash(node->parent, node->text) % ZGI_ROUTER_TABLE_SIZE;

	zg_assert(index > 0 && node->kind == ZGI_SEGMENT_STATIC);
	while (router->table[place] != 0)
		place = (place + 1) % ZGI_ROUTER_TABLE_SIZE;
	router->table[place] = index;
}

/* A static child that is written otherwise in the request. */
ROUTER_APART static uint16_t router_static_find_encoded(const struct zgi_router *router,
							uint16_t parent, struct zg_slice text)
{
	char buffer[ZGI_SEGMENT_SIZE_MAX];
	struct zg_slice normal;

	if (zgi_segment_is_normal(text) || zgi_segment_normalise(text, buffer, &normal) < 0)
		return ZGI_ROUTER_NONE;
	return zgi_router_static_find(router, parent, normal);
}

/* A node that the whole path has led to: does it take the method? */
static bool router_arrive(struct router_walk *walk, uint16_t index)
{
	const struct zgi_router_node *node = &walk->router->nodes[index];
	struct zgi_route_match *match = walk->match;
	uint16_t endpoint = node->endpoints[walk->method];

	match->methods_allowed |= node->methods;
	if (endpoint == 0 && walk->method == ZG_METHOD_HEAD)
		endpoint = node->endpoints[ZG_METHOD_GET];
	if (endpoint == 0)
		return false;
	match->endpoint = &walk->router->endpoints[endpoint];
	match->handler = match->endpoint->entry;
	match->is_streamed = match->endpoint->is_streamed;
	zg_assert(match->endpoint->name_count == match->parameter_count);
	return true;
}

static void router_parameter_push(struct router_walk *walk, struct zg_slice value)
{
	struct zgi_route_match *match = walk->match;

	zg_assert(match->parameter_count < ZG_PARAMETERS_MAX);
	match->parameters[match->parameter_count++] = (struct zgi_route_parameter){
		.offset = (uint16_t)(value.data - walk->path.data),
		.size = (uint16_t)value.size,
	};
}

/* Recursion is bounded by the depth of the tree: ZGI_ROUTE_SEGMENTS_MAX. */
static bool router_descend(struct router_walk *walk, uint16_t index, size_t offset);

/* A child that takes its segment: go on with the next one, or arrive. */
static inline bool router_go_on(struct router_walk *walk, uint16_t child, size_t offset,
				bool is_last)
{
	return is_last ? router_arrive(walk, child) : router_descend(walk, child, offset);
}

/* The children that are no static segment, in order of precedence. */
ROUTER_APART static bool router_descend_dynamic(struct router_walk *walk, uint16_t child,
						size_t offset)
{
	const struct zgi_router_node *nodes = walk->router->nodes;
	struct zg_slice rest = {walk->path.data + offset, walk->path.size - offset};
	bool is_last;
	struct zg_slice segment = zgi_router_segment_next(walk->path, &offset, &is_last);
	uint8_t parameter_count = walk->match->parameter_count;

	for (; child != ZGI_ROUTER_NONE; child = nodes[child].sibling_next) {
		enum zgi_segment_kind kind = (enum zgi_segment_kind)nodes[child].kind;
		bool is_rest = kind == ZGI_SEGMENT_REST;

		if (!is_rest && !zgi_segment_takes(kind, segment))
			continue;
		router_parameter_push(walk, is_rest ? rest : segment);
		if (router_go_on(walk, child, offset, is_last || is_rest))
			return true;
		walk->match->parameter_count = parameter_count;
	}
	return false;
}

static bool router_descend(struct router_walk *walk, uint16_t index, size_t offset)
{
	const struct zgi_router_node *node = &walk->router->nodes[index];
	size_t start = offset;
	bool is_last;
	struct zg_slice segment = zgi_router_segment_next(walk->path, &offset, &is_last);
	uint16_t child = router_static_find(walk->router, node, segment);

	if (ZG_UNLIKELY(child == ZGI_ROUTER_NONE && node->static_first != ZGI_ROUTER_NONE))
		child = router_static_find_encoded(walk->router, index, segment);
	if (node->dynamic_first == ZGI_ROUTER_NONE)
		return child != ZGI_ROUTER_NONE && router_go_on(walk, child, offset, is_last);
	if (child != ZGI_ROUTER_NONE && router_go_on(walk, child, offset, is_last))
		return true;
	return router_descend_dynamic(walk, node->dynamic_first, start);
}

void zgi_router_match_none(const struct zgi_router *router, struct zgi_route_match *ret_match)
{
	ret_match->handler = NULL;
	ret_match->endpoint = &router->endpoints[0];
	ret_match->methods_allowed = 0;
	ret_match->is_streamed = false;
	ret_match->parameter_count = 0;
}

void zgi_router_match(const struct zgi_router *router, enum zg_method method, struct zg_slice path,
		      struct zgi_route_match *ret_match)
{
	struct router_walk walk = {router, path, method, ret_match};

	ret_match->methods_allowed = 0;
	ret_match->parameter_count = 0;
	if (ZG_LIKELY(path.size > 0 && path.data[0] == '/') && router_descend(&walk, 0, 1))
		return;

	uint16_t methods_allowed = ret_match->methods_allowed;

	zgi_router_match_none(router, ret_match);
	ret_match->methods_allowed = methods_allowed;
}

int zgi_router_parameter(const struct zgi_route_match *match, struct zg_slice name)
{
	for (uint32_t index = 0; index < match->endpoint->name_count; index++)
		if (zg_slice_equals(match->endpoint->names[index], name))
			return (int)index;
	return -ENOENT;
}
