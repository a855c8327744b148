/*
 * App: routes, and the life of the process that serves them.
 *
 *	struct zg_app app;
 *
 *	zg_app_init(&app, "hello");
 *	zg_get(&app, "/", hello);
 *	return zg_app_main(&app, argc, argv);
 *
 * Ownership  The app is the caller's memory; patterns and names are borrowed for
 *            its life (use literals).
 * Threads    Routes are registered before zg_app_main(), from one thread.
 * Limits     ZG_ROUTE_NODES_MAX path segments over all routes.
 */
#ifndef ZEROG_APP_H
#define ZEROG_APP_H

#include <zerog/async.h>
#include <zerog/attributes.h>
#include <zerog/exchange.h>
#include <zerog/http.h>
#include <zerog/options.h>

ZG_BEGIN_DECLS

#define ZG_ROUTE_NODES_MAX 1024

struct zgi_router;

struct zg_app {
	unsigned int magic;
	const char *name; /* borrowed */
	struct zgi_router *router; /* owned */
	int route_error; /* the first route that could not be registered */
	const char *route_error_pattern; /* borrowed: which one */
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
 * @pattern:  "/", "/users/{id}", "/files/{path...}"; borrowed. A static segment wins over a
 *            parameter, a parameter over the rest of the path
 * @handler:  not NULL
 *
 * A pattern that is malformed or registered twice is remembered, and zg_app_main() refuses to
 * start with a sentence that names it.
 */
void zg_route(struct zg_app *app, enum zg_method method, const char *pattern, zg_handler *handler);

/** zg_route_any() - the same handler for every method but CONNECT and TRACE */
void zg_route_any(struct zg_app *app, const char *pattern, zg_handler *handler);

/** zg_get() - zg_route() for GET */
static inline void zg_get(struct zg_app *app, const char *pattern, zg_handler *handler)
{
	zg_route(app, ZG_METHOD_GET, pattern, handler);
}

/** zg_post() - zg_route() for POST */
static inline void zg_post(struct zg_app *app, const char *pattern, zg_handler *handler)
{
	zg_route(app, ZG_METHOD_POST, pattern, handler);
}

/** zg_put() - zg_route() for PUT */
static inline void zg_put(struct zg_app *app, const char *pattern, zg_handler *handler)
{
	zg_route(app, ZG_METHOD_PUT, pattern, handler);
}

/** zg_delete() - zg_route() for DELETE */
static inline void zg_delete(struct zg_app *app, const char *pattern, zg_handler *handler)
{
	zg_route(app, ZG_METHOD_DELETE, pattern, handler);
}

/**
 * zg_admin_routes() - register /healthz, /metrics (Prometheus text), /memory and /memory.json
 * (plan, use and pauses), and /leaks (what every pool has out, requests in flight included;
 * zg_leak_report())
 * @app:  initialised
 *
 * With --api-keys-file all but /healthz need a key, unless the request is local (security.h).
 */
void zg_admin_routes(struct zg_app *app);

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
