/*
 * Router: from a method and a path to a handler.
 *
 * Patterns are a tree of path segments, compared as bytes (nothing is decoded on
 * the way). Static segments are tried before parameters, parameters before the
 * rest of the path, with a step back where a promising branch ends nowhere.
 */
#ifndef ZEROG_WEB_ROUTER_H
#define ZEROG_WEB_ROUTER_H

#include <stdint.h>

#include <zerog/app.h>
#include <zerog/exchange.h>
#include <zerog/http.h>
#include <zerog/slice.h>

#define ZGI_ROUTE_SEGMENTS_MAX 32

struct zgi_router;

struct zgi_route_parameter {
	uint16_t node; /* whose name it carries */
	uint16_t offset; /* from the start of the path */
	uint16_t size;
};

struct zgi_route_match {
	zg_handler *handler; /* NULL when no route takes path and method */
	uint16_t methods_allowed; /* one bit a method that some route of this path takes */
	uint8_t parameter_count;
	uint8_t stream; /* 0; or which streamed route it is, from 1: see zgi_router_stream_size() */
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

/**
 * zgi_router_add() - register a handler
 * @router:   created
 * @method:   below ZG_METHOD_COUNT
 * @pattern:  borrowed for the router's life
 * @handler:  not NULL
 *
 * Return: 0; -EINVAL for a malformed pattern; -EEXIST when the method has a handler there;
 * -ENOSPC past ZG_ROUTE_NODES_MAX.
 */
ZG_MUST_USE int zgi_router_add(struct zgi_router *router, enum zg_method method,
			       const char *pattern, zg_handler *handler);

/* Routes whose bodies are streamed, at most. */
#define ZGI_ROUTE_STREAMS_MAX 64

/**
 * zgi_router_add_streamed() - register a handler that is called before its request's body is there
 * @router:    created
 * @method:    below ZG_METHOD_COUNT
 * @pattern:   borrowed for the router's life
 * @handler:   not NULL
 * @size_max:  bytes of the body, at most
 *
 * Return: as zgi_router_add(); -ENOSPC past ZGI_ROUTE_STREAMS_MAX too.
 */
ZG_MUST_USE int zgi_router_add_streamed(struct zgi_router *router, enum zg_method method,
					const char *pattern, zg_handler *handler,
					uint64_t size_max);

/* Bytes that the body of a streamed route may have; the stream is a match's, and not 0. */
uint64_t zgi_router_stream_size(const struct zgi_router *router, uint8_t stream);

/**
 * zgi_router_match() - find the handler
 * @router:     created
 * @method:     HEAD falls back to GET
 * @path:       begins with "/", or is "*"
 * @ret_match:  overwritten
 */
void zgi_router_match(const struct zgi_router *router, enum zg_method method, struct zg_slice path,
		      struct zgi_route_match *ret_match);

/* Told of one route. The pattern is NUL-terminated, and borrowed during the call. */
typedef void zgi_router_visitor(void *user, enum zg_method method, const char *pattern);

/**
 * zgi_router_list() - visit every route
 * @router:   created
 * @visitor:  called once a method and pattern, in the order in which the tree is searched
 * @user:     passed to it
 */
void zgi_router_list(const struct zgi_router *router, zgi_router_visitor *visitor, void *user);

/* The name of a parameter of a match. */
struct zg_slice zgi_router_parameter_name(const struct zgi_router *router, uint16_t node);

#endif
