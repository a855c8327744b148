/*
 * Router: from a method and a path to a route, and what runs around it.
 *
 * Patterns are a tree of path segments (see segment.h for when two are the same).
 * Static segments are tried before parameters, narrow types before wide ones, and
 * the rest of the path last, with a step back where a promising branch ends
 * nowhere. What parameters are called is the route's affair: it makes no branch.
 */
#ifndef ZEROG_WEB_ROUTER_H
#define ZEROG_WEB_ROUTER_H

#include <stdint.h>

#include <zerog/app.h>
#include <zerog/exchange.h>
#include <zerog/http.h>
#include <zerog/middleware.h>
#include <zerog/slice.h>
#include <zerog/text.h>

#define ZGI_ROUTE_SEGMENTS_MAX 32

struct zgi_router;

/* One step of a chain of middleware. */
struct zgi_step {
	union {
		zg_before_handler *before;
		zg_after_handler *after;
	};
	void *user; /* borrowed */
};

/* A handler, and the chains that run around it; one for all the methods it was registered with. */
struct zg_endpoint {
	zg_handler *entry; /* what a match calls: the handler, or who runs the chain before it */
	uint8_t before_count;
	uint8_t after_count;
	uint16_t group;
	uint8_t name_count;
	bool is_streamed; /* the handler is called before the body is there */
	zg_handler *handler; /* NULL for the endpoint of what no route takes */
	const struct zg_slice *names; /* of its parameters, in the order of the path */
	const struct zgi_step *before; /* in the order in which they run */
	const struct zgi_step *after; /* likewise */
	struct zgi_router *router; /* borrowed: the one it is in */
	uint64_t stream_size_max; /* bytes of the body, where it is streamed */
};

struct zgi_route_parameter {
	uint16_t offset; /* from the start of the path */
	uint16_t size;
};

struct zgi_route_match {
	zg_handler *handler; /* NULL when no route takes path and method */
	const struct zg_endpoint *endpoint; /* never NULL: without a route, the app's chains */
	uint16_t methods_allowed; /* one bit a method that some route of this path takes */
	uint8_t parameter_count;
	bool is_streamed; /* as its endpoint says */
	struct zgi_route_parameter parameters[ZG_PARAMETERS_MAX];
};

/**
 * zgi_router_create() - an empty router in pages of its own
 * @ret_router:  the caller's; zgi_router_destroy() unmaps it
 *
 * Return: 0; -ENOMEM.
 */
ZG_MUST_USE int zgi_router_create(struct zgi_router **ret_router);

/* Unmap a router; takes NULL. */
void zgi_router_destroy(struct zgi_router *router);

/* A route as it is registered. */
struct zgi_route_options {
	struct zg_group *group; /* of this router */
	const char *pattern; /* borrowed for the router's life */
	uint32_t methods; /* one bit each */
	zg_handler *handler; /* not NULL */
	bool is_streamed; /* call it before the body is there */
	uint64_t stream_size_max; /* bytes of the body, then */
};

/**
 * zgi_router_add_route() - register a handler in a group, for one method or more
 * @router:        created
 * @options:       read during the call
 * @ret_endpoint:  the router's
 *
 * Return: 0; -EINVAL for a malformed pattern; -ENOTSUP for a type that there is not; -ENOTUNIQ for
 * two parameters of one name; -EEXIST when a method has a handler there; -ENOSPC past
 * ZG_ROUTE_NODES_MAX; -E2BIG past ZG_ROUTES_MAX.
 */
ZG_MUST_USE int zgi_router_add_route(struct zgi_router *router,
				     const struct zgi_route_options *options,
				     struct zg_endpoint **ret_endpoint);

/**
 * zgi_router_add() - the same outside of any group, for one method, and without more to it
 * @router:   created
 * @method:   below ZG_METHOD_COUNT
 * @pattern:  borrowed for the router's life
 * @handler:  not NULL
 *
 * Return: as zgi_router_add_route().
 */
ZG_MUST_USE int zgi_router_add(struct zgi_router *router, enum zg_method method,
			       const char *pattern, zg_handler *handler);

/**
 * zgi_router_add_streamed() - the same for a handler that is called before its request's body is
 * there
 * @router:    created
 * @method:    below ZG_METHOD_COUNT
 * @pattern:   borrowed for the router's life
 * @handler:   not NULL
 * @size_max:  bytes of the body, at most
 *
 * Return: as zgi_router_add_route().
 */
ZG_MUST_USE int zgi_router_add_streamed(struct zgi_router *router, enum zg_method method,
					const char *pattern, zg_handler *handler,
					uint64_t size_max);

/**
 * zgi_router_refuse() - something that is registered beside the routes could not be
 * @router:  created, or NULL
 * @error:   -EMFILE: a folder of static files too many; -ENFILE: a topic too many
 * @name:    what zgi_router_finish() shall name; borrowed for the router's life
 *
 * Boot refuses to go on, as after a route that could not be registered.
 */
void zgi_router_refuse(struct zgi_router *router, int error, const char *name);

/* The group that all others are in: the app's own. */
struct zg_group *zgi_router_root(struct zgi_router *router);

/**
 * zgi_router_finish() - no route comes any more: work out what runs around each
 * @router:     created; everything is registered
 * @ret_error:  on failure, one sentence that names the route or the group, and what to change
 *
 * Return: 0; -errno of the first fault, be it of a registration before.
 */
ZG_MUST_USE int zgi_router_finish(struct zgi_router *router, struct zg_text *ret_error);

/**
 * zgi_router_match() - find the handler
 * @router:     created
 * @method:     HEAD falls back to GET
 * @path:       begins with "/", or is "*"; each percent sign has its two digits
 * @ret_match:  overwritten
 */
void zgi_router_match(const struct zgi_router *router, enum zg_method method, struct zg_slice path,
		      struct zgi_route_match *ret_match);

/* The match of what is no path, or cannot be read as one. */
void zgi_router_match_none(const struct zgi_router *router, struct zgi_route_match *ret_match);

/**
 * zgi_router_parameter() - which of a match's parameters has a name
 * @match:   of zgi_router_match()
 * @name:    as in the pattern
 *
 * Return: below parameter_count; -ENOENT.
 */
int zgi_router_parameter(const struct zgi_route_match *match, struct zg_slice name);

/* Told of one route. The pattern is NUL-terminated, and borrowed during the call. */
typedef void zgi_router_visitor(void *user, enum zg_method method, const char *pattern);

/**
 * zgi_router_list() - visit every route
 * @router:   created
 * @visitor:  called once a method and pattern: what is static before parameters, which are as they
 *            were registered, with their types
 * @user:     passed to it
 */
void zgi_router_list(const struct zgi_router *router, zgi_router_visitor *visitor, void *user);

#endif
