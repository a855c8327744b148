/*
 * What is registered, for who asks: a pattern is put together again from the nodes on
 * its way and from the names that its route has for their parameters.
 */

#include <zerog/text.h>

#include "base/assert.h"
#include "web/router_tree.h"

#define LIST_PATTERN_SIZE 4096 /* a longer one is cut off */

struct router_listing {
	const struct zgi_router *router;
	zgi_router_visitor *visitor;
	void *user;
};

static void list_parameter(struct zg_text *pattern, uint8_t kind, struct zg_slice name)
{
	static const char *const behind[] = {
		[ZGI_SEGMENT_DATE] = ":date", [ZGI_SEGMENT_UUID] = ":uuid",
		[ZGI_SEGMENT_U64] = ":u64",   [ZGI_SEGMENT_I64] = ":i64",
		[ZGI_SEGMENT_TEXT] = "",      [ZGI_SEGMENT_REST] = "...",
	};

	zg_assert(kind != ZGI_SEGMENT_STATIC && kind <= ZGI_SEGMENT_REST);
	zg_text_print(pattern, "/{%.*s%s}", (int)name.size, name.data, behind[kind]);
}

static void list_pattern(const struct zgi_router *router, uint16_t index,
			 const struct zg_endpoint *endpoint, struct zg_text *pattern)
{
	uint16_t way[ZGI_ROUTE_SEGMENTS_MAX];
	uint32_t depth = router->nodes[index].depth;
	uint32_t name_count = 0;

	zg_assert(depth <= ZGI_ROUTE_SEGMENTS_MAX);
	for (uint32_t level = depth; level > 0; level--) {
		way[level - 1] = index;
		index = router->nodes[index].parent;
	}
	for (uint32_t level = 0; level < depth; level++) {
		const struct zgi_router_node *node = &router->nodes[way[level]];

		if (node->kind == ZGI_SEGMENT_STATIC) {
			zg_text_print(pattern, "/%.*s", (int)node->text.size, node->text.data);
			continue;
		}
		zg_assert(name_count < endpoint->name_count);
		list_parameter(pattern, node->kind, endpoint->names[name_count++]);
	}
}

static void list_node(const struct router_listing *listing, uint16_t index)
{
	const struct zgi_router_node *node = &listing->router->nodes[index];

	for (unsigned method = 0; method < ZG_METHOD_COUNT; method++) {
		char buffer[LIST_PATTERN_SIZE];
		struct zg_text pattern;

		if (node->endpoints[method] == 0)
			continue;
		zg_text_init(&pattern, buffer, sizeof(buffer));
		list_pattern(listing->router, index,
			     &listing->router->endpoints[node->endpoints[method]], &pattern);
		listing->visitor(listing->user, (enum zg_method)method, pattern.data);
	}
}

/* Recursion is bounded by the depth of the tree: ZGI_ROUTE_SEGMENTS_MAX. */
static void list_children(const struct router_listing *listing, uint16_t parent)
{
	const struct zgi_router_node *nodes = listing->router->nodes;
	const uint16_t lists[] = {nodes[parent].static_first, nodes[parent].dynamic_first};

	for (uint32_t list = 0; list < 2; list++) {
		for (uint16_t index = lists[list]; index != ZGI_ROUTER_NONE;
		     index = nodes[index].sibling_next) {
			list_node(listing, index);
			list_children(listing, index);
		}
	}
}

void zgi_router_list(const struct zgi_router *router, zgi_router_visitor *visitor, void *user)
{
	const struct router_listing listing = {router, visitor, user};

	list_children(&listing, 0);
}
