/*
 * The inside of a router, shared by router.c (what is registered), router_match.c
 * (what is found) and router_finish.c (what runs around it).
 */
#ifndef ZEROG_WEB_ROUTER_TREE_H
#define ZEROG_WEB_ROUTER_TREE_H

#include <assert.h>

#include <zerog/region.h>

#include "web/router.h"
#include "web/segment.h"

#define ZGI_ROUTER_NONE UINT16_MAX
#define ZGI_ROUTER_LIST_MAX 8 /* static children that are looked through one by one */
#define ZGI_ROUTER_TABLE_SIZE 2048 /* a power of two, twice as many as there are nodes */
#define ZGI_ROUTER_TEXT_SIZE 8192 /* of segments that are not written in their normal form */
#define ZGI_ROUTER_STEPS_MAX 2048 /* of all chains together */
#define ZGI_ROUTER_NAMES_MAX 2048 /* of parameters, of all groups and routes together */

static_assert(ZG_ROUTE_NODES_MAX * 2 <= ZGI_ROUTER_TABLE_SIZE, "a search ends at an empty place");
static_assert(ZG_ROUTE_NODES_MAX < ZGI_ROUTER_NONE, "node numbers are 16 bits");
static_assert(ZG_ROUTES_MAX < ZGI_ROUTER_NONE, "endpoint numbers are 16 bits");
static_assert(ZG_METHOD_COUNT <= 16, "one bit a method");

struct zgi_router_node {
	struct zg_slice text; /* the static text in its normal form; a parameter's is empty */
	uint16_t parent;
	uint16_t static_first; /* children that are static, in a list */
	uint16_t static_count;
	uint16_t dynamic_first; /* children that are not, sorted by kind */
	uint16_t sibling_next;
	uint16_t methods; /* one bit each */
	uint8_t kind; /* enum zgi_segment_kind */
	uint8_t depth; /* segments from the root to here */
	uint16_t endpoints[ZG_METHOD_COUNT]; /* 0: the method is not taken */
};

struct zg_group {
	struct zgi_router *router; /* borrowed: the one it is in */
	const char *prefix; /* borrowed; as written, without its parent's */
	const struct zgi_step *before; /* the chains of its routes, once they are worked out */
	const struct zgi_step *after;
	const struct zg_slice *names; /* of its prefix's parameters, its parents' among them */
	uint16_t parent; /* the root is its own */
	uint16_t node; /* where its prefix leads to */
	uint8_t name_count;
	uint8_t before_count;
	uint8_t after_count;
};

/* Middleware as it was registered: of a group, or of an endpoint. */
struct zgi_router_entry {
	struct zgi_step step;
	const void *of; /* struct zg_group or struct zg_endpoint */
	bool is_after;
};

/* The first thing that could not be registered. */
struct zgi_router_fault {
	int error; /* negative errno; 0 for none */
	const char *pattern; /* borrowed: of a route or a group; NULL for middleware */
	const struct zg_group *group; /* it was to be in */
};

struct zgi_router {
	struct zg_region region; /* this struct lies in it */
	struct zgi_router_fault fault;
	uint16_t node_count;
	uint16_t endpoint_count;
	uint16_t group_count;
	uint16_t entry_count;
	uint16_t step_count;
	uint16_t name_count;
	uint16_t text_size;
	struct zg_endpoint unused; /* what a registration that failed is told */
	struct zg_group unused_group;
	uint16_t table[ZGI_ROUTER_TABLE_SIZE]; /* static nodes by parent and text; 0: empty */
	struct zgi_router_node nodes[ZG_ROUTE_NODES_MAX]; /* the first is the root */
	struct zg_endpoint endpoints[ZG_ROUTES_MAX]; /* the first is that of no route */
	struct zg_group groups[ZG_GROUPS_MAX]; /* the first is the root */
	struct zgi_router_entry entries[ZG_MIDDLEWARE_MAX];
	struct zgi_step steps[ZGI_ROUTER_STEPS_MAX];
	struct zg_slice names[ZGI_ROUTER_NAMES_MAX]; /* borrowed from patterns */
	char text[ZGI_ROUTER_TEXT_SIZE];
};

static inline uint16_t zgi_router_group_index(const struct zg_group *group)
{
	return (uint16_t)(group - group->router->groups);
}

/* Remember a fault, unless there was one. */
void zgi_router_fail(struct zgi_router *router, struct zgi_router_fault fault);

/* The next segment of a path from an offset on; the offset moves behind its slash. */
static inline struct zg_slice zgi_router_segment_next(struct zg_slice path, size_t *offset,
						      bool *ret_is_last)
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

/* router_match.c: the static child of a node with this text; ZGI_ROUTER_NONE. */
uint16_t zgi_router_static_find(const struct zgi_router *router, uint16_t parent,
				struct zg_slice text);

/* router_match.c: a new static node becomes one that can be found. */
void zgi_router_static_insert(struct zgi_router *router, uint16_t index);

#endif
