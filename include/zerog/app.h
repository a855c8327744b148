/*
 * App: routes, and the life of the process that serves them.
 *
 *	struct zg_app app;
 *
 *	zg_app_init(&app, "hello");
 *	zg_get(&app, "/", hello);
 *	return zg_app_main(&app, argc, argv);
 *
 * A pattern is a path of segments. "{name}" stands for any segment that is not
 * empty, "{name:u64}", "{name:i64}", "{name:date}" and "{name:uuid}" for one of
 * that type (zerog/parameter.h), and "{name...}", at the end, for the rest of the
 * path. A static segment wins over a parameter, a narrow type over a wide one,
 * and all of them over the rest. Static segments are the same in every spelling
 * that RFC 3986 (section 6.2.2) calls equivalent: "%61" is "a".
 *
 * Ownership  The app is the caller's memory; patterns and names are borrowed for
 *            its life (use literals). Groups and endpoints are the app's.
 * Threads    Routes are registered before zg_app_main(), from one thread.
 * Limits     ZG_ROUTE_NODES_MAX path segments over all routes, ZG_ROUTES_MAX
 *            routes, ZG_GROUPS_MAX groups.
 */
#ifndef ZEROG_APP_H
#define ZEROG_APP_H

#include <zerog/async.h>
#include <zerog/attributes.h>
#include <zerog/exchange.h>
#include <zerog/hooks.h>
#include <zerog/http.h>
#include <zerog/middleware.h>
#include <zerog/options.h>

ZG_BEGIN_DECLS

#define ZG_ROUTE_NODES_MAX 1024
#define ZG_ADMIN_SUBSCRIBERS 16
#define ZG_ADMIN_EVENTS 4
#define ZG_ROUTES_MAX 1024 /* one less may be registered: the first is that of no route */
#define ZG_GROUPS_MAX 64 /* likewise: the first is the app's own */

struct zgi_router;

/* Routes with a common prefix, and middleware of their own. */
struct zg_group;

/* A route: what middleware of its own is given to. */
struct zg_endpoint;

struct zg_app {
	unsigned int magic;
	const char *name; /* borrowed */
	struct zgi_router *router; /* owned */
	int router_error; /* of its making */
	uint32_t value_count; /* of zg_app_value() */
	uint32_t hook_count; /* of zg_app_hook() */
	struct zg_hooks hooks[ZG_HOOKS_MAX];
	struct zg_options options; /* defaults, which flags then change */
	struct zg_shard_hooks shard_hooks; /* zg_app_on_shard_start() and its like */
};

/**
 * zg_app_init() - an app without routes, its options at their defaults
 * @app:   the caller's; overwritten
 * @name:  borrowed; stands in messages
 */
void zg_app_init(struct zg_app *app, const char *name);

/**
 * zg_route() - call a handler for a method and a path
 * @app:      initialised
 * @method:   below ZG_METHOD_COUNT; a GET route answers HEAD too
 * @pattern:  "/", "/users/{id:u64}", "/files/{path...}", as above; borrowed
 * @handler:  not NULL
 *
 * A pattern that is malformed or registered twice is remembered, and zg_app_main() refuses to
 * start with a sentence that names it.
 *
 * Return: the route, to give it middleware of its own; the app's, never NULL.
 */
struct zg_endpoint *zg_route(struct zg_app *app, enum zg_method method, const char *pattern,
			     zg_handler *handler);

/**
 * zg_route_any() - the same handler for every method but CONNECT and TRACE
 * @app:      initialised
 * @pattern:  as zg_route()'s
 * @handler:  not NULL
 *
 * Return: as zg_route(): one route, whatever the method.
 */
struct zg_endpoint *zg_route_any(struct zg_app *app, const char *pattern, zg_handler *handler);

/** zg_get() - zg_route() for GET */
static inline struct zg_endpoint *zg_get(struct zg_app *app, const char *pattern,
					 zg_handler *handler)
{
	return zg_route(app, ZG_METHOD_GET, pattern, handler);
}

/** zg_post() - zg_route() for POST */
static inline struct zg_endpoint *zg_post(struct zg_app *app, const char *pattern,
					  zg_handler *handler)
{
	return zg_route(app, ZG_METHOD_POST, pattern, handler);
}

/** zg_put() - zg_route() for PUT */
static inline struct zg_endpoint *zg_put(struct zg_app *app, const char *pattern,
					 zg_handler *handler)
{
	return zg_route(app, ZG_METHOD_PUT, pattern, handler);
}

/** zg_patch() - zg_route() for PATCH */
static inline struct zg_endpoint *zg_patch(struct zg_app *app, const char *pattern,
					   zg_handler *handler)
{
	return zg_route(app, ZG_METHOD_PATCH, pattern, handler);
}

/** zg_delete() - zg_route() for DELETE */
static inline struct zg_endpoint *zg_delete(struct zg_app *app, const char *pattern,
					    zg_handler *handler)
{
	return zg_route(app, ZG_METHOD_DELETE, pattern, handler);
}

/**
 * zg_group() - a group of routes whose paths begin alike
 * @app:     initialised
 * @prefix:  "/api", "/users/{user:u64}", or "" for a group that only has middleware; borrowed. It
 *           does not end in a slash, and has no "{rest...}"
 *
 * A route's pattern goes on from the prefix: "/orders" in the group "/api" is "/api/orders", and ""
 * is "/api" itself. A prefix that is malformed is remembered as a route's pattern is.
 *
 * Return: the group; the app's, never NULL.
 */
struct zg_group *zg_group(struct zg_app *app, const char *prefix);

/**
 * zg_group_within() - a group in a group
 * @group:   of zg_group(), or of this
 * @prefix:  goes on from that group's; as zg_group()'s
 *
 * The middleware of the outer group is around that of the inner one.
 *
 * Return: as zg_group().
 */
struct zg_group *zg_group_within(struct zg_group *group, const char *prefix);

/**
 * zg_group_route() - zg_route() in a group
 * @group:    of zg_group() or zg_group_within()
 * @method:   below ZG_METHOD_COUNT; a GET route answers HEAD too
 * @pattern:  goes on from the group's prefix; "" for the prefix itself; borrowed
 * @handler:  not NULL
 *
 * Return: as zg_route().
 */
struct zg_endpoint *zg_group_route(struct zg_group *group, enum zg_method method,
				   const char *pattern, zg_handler *handler);

/**
 * zg_group_any() - zg_route_any() in a group
 * @group:    of zg_group() or zg_group_within()
 * @pattern:  as zg_group_route()'s
 * @handler:  not NULL
 *
 * Return: as zg_route_any().
 */
struct zg_endpoint *zg_group_any(struct zg_group *group, const char *pattern, zg_handler *handler);

/** zg_group_get() - zg_group_route() for GET */
static inline struct zg_endpoint *zg_group_get(struct zg_group *group, const char *pattern,
					       zg_handler *handler)
{
	return zg_group_route(group, ZG_METHOD_GET, pattern, handler);
}

/** zg_group_post() - zg_group_route() for POST */
static inline struct zg_endpoint *zg_group_post(struct zg_group *group, const char *pattern,
						zg_handler *handler)
{
	return zg_group_route(group, ZG_METHOD_POST, pattern, handler);
}

/** zg_group_put() - zg_group_route() for PUT */
static inline struct zg_endpoint *zg_group_put(struct zg_group *group, const char *pattern,
					       zg_handler *handler)
{
	return zg_group_route(group, ZG_METHOD_PUT, pattern, handler);
}

/** zg_group_patch() - zg_group_route() for PATCH */
static inline struct zg_endpoint *zg_group_patch(struct zg_group *group, const char *pattern,
						 zg_handler *handler)
{
	return zg_group_route(group, ZG_METHOD_PATCH, pattern, handler);
}

/** zg_group_delete() - zg_group_route() for DELETE */
static inline struct zg_endpoint *zg_group_delete(struct zg_group *group, const char *pattern,
						  zg_handler *handler)
{
	return zg_group_route(group, ZG_METHOD_DELETE, pattern, handler);
}

/**
 * zg_admin_routes() - register /healthz, /metrics (Prometheus text), /memory and /memory.json
 * (plan, use and pauses), /memory/events (what is in use now, as one JSON object a second to each
 * subscriber; sse.h), and /leaks (what every pool has out, requests in flight included;
 * zg_leak_report())
 * @app:  initialised
 *
 * It has a topic of its own. Where that is the app's only one, few will subscribe: no more than
 * ZG_ADMIN_SUBSCRIBERS of --subscribers and ZG_ADMIN_EVENTS of --topic-events are planned.
 *
 * With --api-keys-file all but /healthz need a key, unless the request is local (security.h).
 */
void zg_admin_routes(struct zg_app *app);

/**
 * zg_group_admin_routes() - the same below a group's prefix, and behind its middleware, all but
 * /memory/events
 * @group:  of zg_group() or zg_group_within()
 */
void zg_group_admin_routes(struct zg_group *group);

/**
 * zg_app_plan() - have what the application reserves by itself in the plan
 * @app:   initialised
 * @plan:  adds lines with zg_plan_add(), from options that are set by then; called for each plan
 * that is made, before the application has reserved anything. Return: 0; a negative errno
 * @user:  passed to it, borrowed for the life of the app; may be NULL
 *
 * Whether all fits is looked at with these lines. The memory is reserved by the application, in a
 * function of zg_app_on_shard_start(): the program as loaded has been measured by then.
 */
static inline void zg_app_plan(struct zg_app *app, int (*plan)(struct zg_plan *plan, void *user),
			       void *user)
{
	app->options.plan = plan;
	app->options.plan_user = user;
}

/**
 * zg_app_main() - parse flags, plan, reserve, seal, serve, drain
 * @app:   initialised, with its routes
 * @argc:  as main's
 * @argv:  as main's
 *
 * SIGTERM lets requests in flight end, SIGINT stops at once, SIGUSR1 opens the access log anew. A
 * thread that the application starts by itself must block them, or it may be the one the kernel
 * gives them to. Messages go to standard
 * error.
 *
 * Return: what main returns: 0 after an orderly end, 1 when it could not serve, 2 for bad flags.
 */
ZG_MUST_USE int zg_app_main(struct zg_app *app, int argc, char **argv);

ZG_END_DECLS

#endif
