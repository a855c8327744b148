/*
 * The app: what a program made of zerog is between its flags and its exit status.
 */

#include <zerog/app.h>
#include <zerog/fault.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "http/scan.h"
#include "server/explain.h"
#include "server/server.h"
#include "web/hooks.h"
#include "web/router.h"

#define APP_MAGIC 0x7a676170U
#define APP_TEXT_SIZE 16384

/* A process serves one app at a time; the server is too large for a stack. */
static struct zgi_server app_server;
static char app_text[APP_TEXT_SIZE];
static struct zgi_hooks app_hooks;

void zg_app_init(struct zg_app *app, const char *name)
{
	*app = (struct zg_app){.magic = APP_MAGIC, .name = name};
	zg_options_init(&app->options);
	app->router_error = zgi_router_create(&app->router);
}

struct zg_endpoint *zg_route(struct zg_app *app, enum zg_method method, const char *pattern,
			     zg_handler *handler)
{
	zg_assert(app->magic == APP_MAGIC);
	return zg_group_route(zgi_router_root(app->router), method, pattern, handler);
}

struct zg_endpoint *zg_route_any(struct zg_app *app, const char *pattern, zg_handler *handler)
{
	zg_assert(app->magic == APP_MAGIC);
	return zg_group_any(zgi_router_root(app->router), pattern, handler);
}

struct zg_endpoint *zg_route_streamed(struct zg_app *app, enum zg_method method,
				      const char *pattern, zg_handler *handler,
				      uint64_t body_size_max)
{
	zg_assert(app->magic == APP_MAGIC);
	return zg_group_route_streamed(zgi_router_root(app->router), method, pattern, handler,
				       body_size_max);
}

struct zg_group *zg_group(struct zg_app *app, const char *prefix)
{
	zg_assert(app->magic == APP_MAGIC);
	return zg_group_within(zgi_router_root(app->router), prefix);
}

void zg_app_before(struct zg_app *app, zg_before_handler *before, void *user)
{
	zg_assert(app->magic == APP_MAGIC);
	zg_group_before(zgi_router_root(app->router), before, user);
}

void zg_app_after(struct zg_app *app, zg_after_handler *after, void *user)
{
	zg_assert(app->magic == APP_MAGIC);
	zg_group_after(zgi_router_root(app->router), after, user);
}

uint32_t zg_app_value(struct zg_app *app)
{
	zg_assert(app->magic == APP_MAGIC);
	return app->value_count++;
}

void zg_app_hook(struct zg_app *app, const struct zg_hooks *hooks)
{
	zg_assert(app->magic == APP_MAGIC);
	if (app->hook_count < ZG_HOOKS_MAX)
		app->hooks[app->hook_count] = *hooks;
	app->hook_count++;
}

static void app_write(int fd, const struct zg_text *text)
{
	(void)!write(fd, text->data, text->size);
}

static int app_fail(const struct zg_app *app, const char *error, int status)
{
	struct zg_text text;

	zg_text_init(&text, app_text, sizeof(app_text));
	zg_text_print(&text, "%s: %s\n", app->name, error);
	app_write(STDERR_FILENO, &text);
	return status;
}

/* Nothing is registered any more: is all of it right? */
static int app_finish(struct zg_app *app, struct zg_text *ret_error)
{
	if (app->router_error < 0) {
		zg_text_print(ret_error, "the memory for routes cannot be had: %s",
			      strerrordesc_np(-app->router_error));
		return app->router_error;
	}
	if (app->value_count > ZG_VALUES_MAX) {
		zg_text_print(ret_error, "%" PRIu32 " values are registered: raise ZG_VALUES_MAX",
			      app->value_count);
		return -ENOSPC;
	}
	if (app->hook_count > ZG_HOOKS_MAX) {
		zg_text_print(ret_error, "%" PRIu32 " hooks are registered: raise ZG_HOOKS_MAX",
			      app->hook_count);
		return -ENOSPC;
	}
	return zgi_router_finish(app->router, ret_error);
}

static int app_print_help(const struct zg_app *app)
{
	struct zg_text text;

	zg_text_init(&text, app_text, sizeof(app_text));
	zg_text_print(&text, "%s: a service built on zerog\n\n", app->name);
	zg_options_help(&app->options, &text);
	app_write(STDOUT_FILENO, &text);
	return 0;
}

static int app_print_line(const struct zg_app *app, struct zg_text *text)
{
	const char *name = app->options.explain;
	bool is_known = zg_plan_find(&app_server.plan, name) != NULL;

	if (!is_known)
		zg_text_print(text, "%s: --explain: ", app->name);
	(void)!zgi_server_explain(&app_server.config, &app_server.plan, name, text);
	zg_text_append(text, is_known ? ZG_SLICE("") : ZG_SLICE("\n"));
	app_write(is_known ? STDOUT_FILENO : STDERR_FILENO, text);
	return is_known ? 0 : 2;
}

static int app_print_plan(const struct zg_app *app, struct zg_text *error)
{
	struct zg_text text;
	int result = zgi_server_configure(&app->options, &app_server.config, error);

	if (result < 0)
		return app_fail(app, error->data, 1);
	zg_plan_init(&app_server.plan);
	result = zgi_server_plan(&app_server.config, &app_server.plan);
	if (result < 0)
		return app_fail(app, "the plan cannot be made", 1);
	zg_text_init(&text, app_text, sizeof(app_text));
	if (app->options.explain[0] != '\0')
		return app_print_line(app, &text);
	zg_plan_print(&app_server.plan, &text);
	if (app_server.config.guest_finding[0] != '\0')
		zg_text_print(&text, "%s\n", app_server.config.guest_finding);
	app_write(STDOUT_FILENO, &text);
	return 0;
}

static void app_print_route(void *user, enum zg_method method, const char *pattern)
{
	struct zg_slice name = zg_method_name(method);
	struct zg_text text;

	(void)user;
	zg_text_init(&text, app_text, sizeof(app_text));
	zg_text_print(&text, "%.*s %s\n", (int)name.size, name.data, pattern);
	app_write(STDOUT_FILENO, &text);
}

static const struct zgi_hooks *app_hooks_collect(const struct zg_app *app)
{
	memset(&app_hooks, 0, sizeof(app_hooks));
	for (uint32_t index = 0; index < app->hook_count; index++)
		zgi_hooks_add(&app_hooks, &app->hooks[index]);
	return app->hook_count > 0 ? &app_hooks : NULL;
}

static int app_serve(const struct zg_app *app, struct zg_text *error)
{
	struct zgi_server_run_options run = {
		.name = app->name,
		.options = &app->options,
		.router = app->router,
		.hooks = app_hooks_collect(app),
		.shard_hooks = &app->shard_hooks,
	};
	int result = zg_fault_environment(error);

	if (result < 0)
		return app_fail(app, error->data, 2);
	/* Whoever left the variable set by mistake must see it. */
	if (result > 0)
		app_fail(app, "takes will fail, as " ZG_FAULT_ENVIRONMENT " asks for", 0);
	zgi_http_scan_init();
	return zgi_server_run(&app_server, &run, error) < 0 ? app_fail(app, error->data, 1) : 0;
}

int zg_app_main(struct zg_app *app, int argc, char **argv)
{
	char buffer[512];
	struct zg_text error;
	int status;

	zg_assert(app->magic == APP_MAGIC);
	zg_text_init(&error, buffer, sizeof(buffer));
	if (app_finish(app, &error) < 0)
		return app_fail(app, buffer, 1);
	if (zg_options_read(&app->options, argc, argv, &error) < 0) {
		status = app_fail(app, buffer, 2);
	} else if (app->options.print_help) {
		status = app_print_help(app);
	} else if (app->options.print_routes) {
		zgi_router_list(app->router, app_print_route, NULL);
		status = 0;
	} else if (app->options.print_plan) {
		status = app_print_plan(app, &error);
	} else {
		status = app_serve(app, &error);
	}
	zgi_router_destroy(app->router);
	app->router = NULL;
	return status;
}
