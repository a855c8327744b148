/*
 * The routes of a router as they were written, for people and for tests that hold a
 * description against them.
 */

#include <zerog/text.h>

#include "base/assert.h"
#include "web/router_tree.h"

#define ROUTER_PATTERN_SIZE 4096 /* of a pattern that is listed; a longer one is cut off */

/* What stands behind a parameter's name. */
static const char *const router_types[] = {
	[ZGI_SEGMENT_DATE] = ":date", [ZGI_SEGMENT_UUID] = ":uuid", [ZGI_SEGMENT_U64] = ":u64",
	[ZGI_SEGMENT_I64] = ":i64",   [ZGI_SEGMENT_TEXT] = "",	    [ZGI_SEGMENT_REST] = "...",
};

/* From the root down to a node; parameters have the endpoint's names, in their order. */
static void router_pattern_print(const struct zgi_router *router, uint16_t index,
				 const struct zg_endpoint *endpoint, struct zg_text *text)
{
	uint16_t path[ZGI_ROUTE_SEGMENTS_MAX];
	uint32_t depth = router->nodes[index].depth;
	uint32_t name = 0;

	zg_assert(depth <= ZGI_ROUTE_SEGMENTS_MAX);
	for (uint32_t level = depth; level > 0; index = router->nodes[index].parent)
		path[--level] = index;
	for (uint32_t level = 0; level < depth; level++) {
		const struct zgi_router_node *node = &router->nodes[path[level]];

		if (node->kind == ZGI_SEGMENT_STATIC) {
			zg_text_print(text, "/%.*s", (int)node->text.size, node->text.data);
			continue;
		}
		zg_assert(name < endpoint->name_count);
		zg_text_print(text, "/{%.*s%s}", (int)endpoint->names[name].size,
			      endpoint->names[name].data, router_types[node->kind]);
		name++;
	}
}

void zgi_router_list(const struct zgi_router *router, zgi_router_visitor *visitor, void *user)
{
	char buffer[ROUTER_PATTERN_SIZE];

	for (uint16_t index = 0; index < router->node_count; index++) {
		const struct zgi_router_node *node = &router->nodes[index];

		for (unsigned method = 0; method < ZG_METHOD_COUNT; method++) {
			struct zg_text text;

			if (node->endpoints[method] == 0)
				continue;
			zg_text_init(&text, buffer, sizeof(buffer));
			router_pattern_print(router, index,
					     &router->endpoints[node->endpoints[method]], &text);
			visitor(user, (enum zg_method)method, text.data);
		}
	}
}
