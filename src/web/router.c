/*
 * What is registered. The tree is an array of nodes linked by number: a node's
 * static children in one list, its parameters in another, one of each kind, sorted
 * so that one pass tries them in order of precedence. What they are called is kept
 * with each route, so that a name never decides which route it is.
 *
 * A group is a place in the tree where its prefix leads to; a route of it goes on
 * from there, and so nothing is ever put together from two texts.
 */

#include "web/router.h"

#include <errno.h>

#include <zerog/stream.h>

#include "base/assert.h"
#include "web/router_tree.h"

/* What a pattern comes to, beyond what is in the tree where it begins. */
struct router_pattern {
	struct zg_slice path; /* from its slash on; empty: no segment more */
	uint32_t segment_count;
	uint32_t name_count; /* of the group's parameters and its own */
	bool has_own_names;
	bool has_rest;
	struct zg_slice names[ZG_PARAMETERS_MAX];
};

static uint16_t router_node_new(struct zgi_router *router, uint16_t parent,
				const struct zgi_segment *segment)
{
	uint16_t index = router->node_count++;
	struct zgi_router_node *node = &router->nodes[index];
	const struct zgi_router_node *above = &router->nodes[parent];

	node->text = segment->kind == ZGI_SEGMENT_STATIC ? segment->text : ZG_SLICE("");
	node->kind = (uint8_t)segment->kind;
	node->parent = parent;
	node->depth = (uint8_t)(above->depth + (index > 0));
	node->static_first = ZGI_ROUTER_NONE;
	node->dynamic_first = ZGI_ROUTER_NONE;
	node->sibling_next = ZGI_ROUTER_NONE;
	return index;
}

int zgi_router_create(struct zgi_router **ret_router)
{
	const struct zgi_segment root = {ZGI_SEGMENT_STATIC, ZG_SLICE("")};
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
	router_node_new(router, 0, &root);
	router->endpoint_count = 1;
	router->endpoints[0].router = router;
	router->unused.router = router;
	router->group_count = 1;
	router->groups[0] = (struct zg_group){.router = router, .prefix = ""};
	router->unused_group = (struct zg_group){.router = router, .prefix = ""};
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

/* Where there is no router for want of memory, which boot will tell: it takes no route. */
static struct zg_group router_nowhere;
static struct zg_endpoint router_no_endpoint;

struct zg_group *zgi_router_root(struct zgi_router *router)
{
	return router != NULL ? &router->groups[0] : &router_nowhere;
}

void zgi_router_fail(struct zgi_router *router, struct zgi_router_fault fault)
{
	zg_assert(fault.error < 0);
	if (router->fault.error == 0)
		router->fault = fault;
}

void zgi_router_refuse(struct zgi_router *router, int error, const char *name)
{
	/* Where there is none, that is what boot tells. */
	if (router != NULL)
		zgi_router_fail(router, (struct zgi_router_fault){error, name, &router->groups[0]});
}

static int router_name_add(struct router_pattern *pattern, struct zg_slice name)
{
	for (uint32_t index = 0; index < pattern->name_count; index++)
		if (zg_slice_equals(pattern->names[index], name))
			return -ENOTUNIQ;
	if (pattern->name_count == ZG_PARAMETERS_MAX)
		return -EINVAL;
	pattern->names[pattern->name_count++] = name;
	pattern->has_own_names = true;
	return 0;
}

static int router_segments_read(struct router_pattern *pattern)
{
	size_t offset = 1;
	bool is_last = pattern->path.size == 0;
	int result = 0;

	if (pattern->path.size > 0 && pattern->path.data[0] != '/')
		return -EINVAL;
	while (!is_last && result == 0) {
		struct zgi_segment segment;

		result = zgi_segment_read(zgi_router_segment_next(pattern->path, &offset, &is_last),
					  &segment);
		if (result < 0)
			return result;
		pattern->has_rest = segment.kind == ZGI_SEGMENT_REST;
		if (pattern->has_rest && !is_last)
			return -EINVAL;
		if (segment.kind != ZGI_SEGMENT_STATIC)
			result = router_name_add(pattern, segment.text);
		pattern->segment_count++;
	}
	return result;
}

/* A pattern is looked at as a whole before the tree is touched. */
static int router_pattern_read(const struct zg_group *group, const char *text,
			       struct router_pattern *ret_pattern)
{
	const struct zgi_router *router = group->router;
	int result;

	*ret_pattern = (struct router_pattern){
		.path = {text, strlen(text)},
		.name_count = group->name_count,
	};
	if (group->name_count > 0)
		memcpy(ret_pattern->names, group->names,
		       group->name_count * sizeof(group->names[0]));
	result = router_segments_read(ret_pattern);
	if (result < 0)
		return result;
	if (router->nodes[group->node].depth + ret_pattern->segment_count > ZGI_ROUTE_SEGMENTS_MAX)
		return -EINVAL;
	if (router->node_count + ret_pattern->segment_count > ZG_ROUTE_NODES_MAX)
		return -ENOSPC;
	return 0;
}

/* The names of a pattern's parameters: the group's where there are no more. */
static int router_names_keep(const struct zg_group *group, const struct router_pattern *pattern,
			     const struct zg_slice **ret_names)
{
	struct zgi_router *router = group->router;
	struct zg_slice *names = &router->names[router->name_count];

	if (!pattern->has_own_names) {
		*ret_names = group->names;
		return 0;
	}
	if (router->name_count + pattern->name_count > ZGI_ROUTER_NAMES_MAX)
		return -ENOBUFS;
	memcpy(names, pattern->names, pattern->name_count * sizeof(names[0]));
	router->name_count = (uint16_t)(router->name_count + pattern->name_count);
	*ret_names = names;
	return 0;
}

/* The normal form of a segment: as written if possible, else in the router's memory. */
static int router_text_keep(struct zgi_router *router, struct zg_slice *text)
{
	char buffer[ZGI_SEGMENT_SIZE_MAX];
	struct zg_slice normal;
	int result = zgi_segment_normalise(*text, buffer, &normal);

	zg_assert(result == 0);
	if (zg_slice_equals(normal, *text))
		return 0;
	if (router->text_size + normal.size > ZGI_ROUTER_TEXT_SIZE)
		return -ENOBUFS;
	memcpy(router->text + router->text_size, normal.data, normal.size);
	*text = (struct zg_slice){router->text + router->text_size, normal.size};
	router->text_size = (uint16_t)(router->text_size + normal.size);
	return 0;
}

static int router_static_child(struct zgi_router *router, uint16_t parent,
			       struct zgi_segment *segment, uint16_t *ret_child)
{
	char buffer[ZGI_SEGMENT_SIZE_MAX];
	struct zg_slice normal;
	int result = zgi_segment_normalise(segment->text, buffer, &normal);
	struct zgi_router_node *above = &router->nodes[parent];

	zg_assert(result == 0);
	*ret_child = zgi_router_static_find(router, parent, normal);
	if (*ret_child != ZGI_ROUTER_NONE)
		return 0;
	result = router_text_keep(router, &segment->text);
	if (result < 0)
		return result;

	uint16_t *link = &above->static_first;

	while (*link != ZGI_ROUTER_NONE)
		link = &router->nodes[*link].sibling_next;
	*ret_child = router_node_new(router, parent, segment);
	*link = *ret_child;
	above->static_count++;
	zgi_router_static_insert(router, *ret_child);
	return 0;
}

static uint16_t router_dynamic_child(struct zgi_router *router, uint16_t parent,
				     const struct zgi_segment *segment)
{
	uint16_t *link = &router->nodes[parent].dynamic_first;

	while (*link != ZGI_ROUTER_NONE && router->nodes[*link].kind < (uint8_t)segment->kind)
		link = &router->nodes[*link].sibling_next;
	if (*link != ZGI_ROUTER_NONE && router->nodes[*link].kind == (uint8_t)segment->kind)
		return *link;

	uint16_t index = router_node_new(router, parent, segment);

	router->nodes[index].sibling_next = *link;
	*link = index;
	return index;
}

/* The node that a pattern leads to from another one, made where it is not there yet. */
static int router_path_make(struct zgi_router *router, uint16_t node,
			    const struct router_pattern *pattern, uint16_t *ret_node)
{
	size_t offset = 1;
	bool is_last = pattern->path.size == 0;

	while (!is_last) {
		struct zgi_segment segment;
		int result = zgi_segment_read(
			zgi_router_segment_next(pattern->path, &offset, &is_last), &segment);

		zg_assert(result == 0);
		if (segment.kind != ZGI_SEGMENT_STATIC)
			node = router_dynamic_child(router, node, &segment);
		else
			result = router_static_child(router, node, &segment, &node);
		if (result < 0)
			return result;
	}
	*ret_node = node;
	return 0;
}

/* The whole path of a route is at least "/". */
static bool router_is_path(const struct zg_group *group, const struct router_pattern *pattern)
{
	return group->router->nodes[group->node].depth + pattern->segment_count > 0;
}

int zgi_router_add_route(struct zgi_router *router, const struct zgi_route_options *options,
			 struct zg_endpoint **ret_endpoint)
{
	const struct zg_group *group = options->group;
	struct router_pattern pattern;
	const struct zg_slice *names = NULL;
	uint16_t index;
	int result = router_pattern_read(group, options->pattern, &pattern);

	zg_assert(options->handler != NULL);
	if (result < 0)
		return result;
	if (!router_is_path(group, &pattern))
		return -EINVAL;
	if (router->endpoint_count == ZG_ROUTES_MAX)
		return -E2BIG;
	result = router_path_make(router, group->node, &pattern, &index);
	if (result == 0)
		result = router_names_keep(group, &pattern, &names);
	if (result < 0)
		return result;

	struct zgi_router_node *node = &router->nodes[index];

	if ((node->methods & options->methods) != 0)
		return -EEXIST;
	node->methods |= (uint16_t)options->methods;
	for (uint32_t method = 0; method < ZG_METHOD_COUNT; method++)
		if ((options->methods & (1U << method)) != 0)
			node->endpoints[method] = router->endpoint_count;
	*ret_endpoint = &router->endpoints[router->endpoint_count++];
	**ret_endpoint = (struct zg_endpoint){
		.router = router,
		.entry = options->handler,
		.handler = options->handler,
		.is_streamed = options->is_streamed,
		.stream_size_max = options->stream_size_max,
		.names = names,
		.name_count = (uint8_t)pattern.name_count,
		.group = zgi_router_group_index(group),
	};
	return 0;
}

int zgi_router_add(struct zgi_router *router, enum zg_method method, const char *pattern,
		   zg_handler *handler)
{
	struct zg_endpoint *endpoint;
	const struct zgi_route_options options = {
		.group = zgi_router_root(router),
		.pattern = pattern,
		.methods = 1U << method,
		.handler = handler,
	};

	zg_assert(method < ZG_METHOD_COUNT);
	return zgi_router_add_route(router, &options, &endpoint);
}

int zgi_router_add_streamed(struct zgi_router *router, enum zg_method method, const char *pattern,
			    zg_handler *handler, uint64_t size_max)
{
	struct zg_endpoint *endpoint;
	const struct zgi_route_options options = {
		.group = zgi_router_root(router),
		.pattern = pattern,
		.methods = 1U << method,
		.handler = handler,
		.is_streamed = true,
		.stream_size_max = size_max,
	};

	zg_assert(method < ZG_METHOD_COUNT);
	return zgi_router_add_route(router, &options, &endpoint);
}

/* A prefix is a path without its last slash, because a route's own pattern begins with one. */
static int router_add_group(struct zgi_router *router, const struct zg_group *parent,
			    const char *prefix, struct zg_group **ret_group)
{
	struct router_pattern pattern;
	const struct zg_slice *names = NULL;
	uint16_t node;
	int result = router_pattern_read(parent, prefix, &pattern);

	if (result < 0)
		return result;
	if (pattern.has_rest || (pattern.path.size > 0 && prefix[pattern.path.size - 1] == '/'))
		return -EDOM;
	if (router->group_count == ZG_GROUPS_MAX)
		return -EMLINK;
	result = router_path_make(router, parent->node, &pattern, &node);
	if (result == 0)
		result = router_names_keep(parent, &pattern, &names);
	if (result < 0)
		return result;
	*ret_group = &router->groups[router->group_count++];
	**ret_group = (struct zg_group){
		.router = router,
		.prefix = prefix,
		.names = names,
		.name_count = (uint8_t)pattern.name_count,
		.parent = zgi_router_group_index(parent),
		.node = node,
	};
	return 0;
}

struct zg_group *zg_group_within(struct zg_group *group, const char *prefix)
{
	struct zgi_router *router = group->router;
	struct zg_group *inner;
	int result;

	if (router == NULL || group == &router->unused_group)
		return group;
	inner = &router->unused_group;
	result = router_add_group(router, group, prefix, &inner);
	if (result < 0)
		zgi_router_fail(router, (struct zgi_router_fault){result, prefix, group});
	return inner;
}

/* What could not be registered is remembered, and boot refuses to go on. */
static struct zg_endpoint *router_group_route(const struct zgi_route_options *options)
{
	const struct zg_group *group = options->group;
	struct zgi_router *router = group->router;
	struct zg_endpoint *endpoint;
	int result;

	if (router == NULL)
		return &router_no_endpoint;
	endpoint = &router->unused;
	if (group == &router->unused_group)
		return endpoint;
	result = zgi_router_add_route(router, options, &endpoint);
	if (result < 0)
		zgi_router_fail(router, (struct zgi_router_fault){result, options->pattern, group});
	return endpoint;
}

struct zg_endpoint *zg_group_route(struct zg_group *group, enum zg_method method,
				   const char *pattern, zg_handler *handler)
{
	zg_assert(method < ZG_METHOD_COUNT);
	return router_group_route(&(struct zgi_route_options){
		.group = group,
		.pattern = pattern,
		.methods = 1U << method,
		.handler = handler,
	});
}

struct zg_endpoint *zg_group_route_streamed(struct zg_group *group, enum zg_method method,
					    const char *pattern, zg_handler *handler,
					    uint64_t body_size_max)
{
	zg_assert(method < ZG_METHOD_COUNT);
	return router_group_route(&(struct zgi_route_options){
		.group = group,
		.pattern = pattern,
		.methods = 1U << method,
		.handler = handler,
		.is_streamed = true,
		.stream_size_max = body_size_max,
	});
}

struct zg_endpoint *zg_group_any(struct zg_group *group, const char *pattern, zg_handler *handler)
{
	uint32_t methods = (1U << ZG_METHOD_COUNT) - 1;

	methods &= ~(1U << ZG_METHOD_CONNECT | 1U << ZG_METHOD_TRACE);
	return router_group_route(&(struct zgi_route_options){
		.group = group,
		.pattern = pattern,
		.methods = methods,
		.handler = handler,
	});
}
