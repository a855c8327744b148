/*
 * The app: what a program made of zerog is between its flags and its exit status.
 */

#include <zerog/app.h>
#include <zerog/fault.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/assert.h"
#include "http/scan.h"
#include "server/explain.h"
#include "server/server.h"
#include "web/router.h"

#define APP_MAGIC 0x7a676170U
#define APP_TEXT_SIZE 16384

/* A process serves one app at a time; the server is too large for a stack. */
static struct zgi_server app_server;
static char app_text[APP_TEXT_SIZE];

void zg_app_init(struct zg_app *app, const char *name)
{
	*app = (struct zg_app){.magic = APP_MAGIC, .name = name};
	zg_options_init(&app->options);
	app->route_error = zgi_router_create(&app->router);
	app->route_error_pattern = "the router's memory";
}

void zg_route(struct zg_app *app, enum zg_method method, const char *pattern, zg_handler *handler)
{
	zg_assert(app->magic == APP_MAGIC);
	if (app->route_error < 0)
		return;

	int result = zgi_router_add(app->router, method, pattern, handler);

	if (result < 0) {
		app->route_error = result;
		app->route_error_pattern = pattern;
	}
}

void zg_route_streamed(struct zg_app *app, enum zg_method method, const char *pattern,
		       zg_handler *handler, uint64_t body_size_max)
{
	zg_assert(app->magic == APP_MAGIC);
	if (app->route_error < 0)
		return;

	int result = zgi_router_add_streamed(app->router, method, pattern, handler, body_size_max);

	if (result < 0) {
		app->route_error = result;
		app->route_error_pattern = pattern;
	}
}

void zg_route_any(struct zg_app *app, const char *pattern, zg_handler *handler)
{
	for (unsigned method = 0; method < ZG_METHOD_COUNT; method++)
		if (method != ZG_METHOD_CONNECT && method != ZG_METHOD_TRACE)
			zg_route(app, (enum zg_method)method, pattern, handler);
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

static const char *app_route_error_text(int error)
{
	switch (error) {
	case -EEXIST:
		return "is registered twice for one method";
	case -ENOSPC:
		return "is one too many: raise ZG_ROUTE_NODES_MAX";
	case -ENFILE:
		return "is a topic too many: raise ZG_TOPICS_MAX";
	case -EMFILE:
		return "is a folder too many: raise ZG_STATIC_FOLDERS_MAX";
	case -EINVAL:
		return "is malformed: write \"/a/{name}/b\" or \"/a/{rest...}\"";
	default:
		return "cannot be had";
	}
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

static int app_serve(const struct zg_app *app, struct zg_text *error)
{
	struct zgi_server_run_options run = {app->name, &app->options, app->router,
					     &app->shard_hooks};
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
	if (app->route_error < 0) {
		zg_text_print(&error, "the route \"%s\" %s", app->route_error_pattern,
			      app_route_error_text(app->route_error));
		return app_fail(app, buffer, 1);
	}
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
