/*
 * What runs around each route, worked out once at boot: of all that was registered
 * for the app, for groups and for routes, a flat list a route. Routes of a group
 * that have nothing of their own share the lists of their group.
 */

#include <errno.h>
#include <inttypes.h>

#include "base/assert.h"
#include "web/middleware.h"
#include "web/router_tree.h"

#define ROUTER_SCOPES_MAX (ZG_GROUPS_MAX + 1)

/* Whose middleware runs, the outermost first. */
struct router_scopes {
	const void *of[ROUTER_SCOPES_MAX];
	uint32_t count;
};

/* A chain while it is made. */
struct router_chain {
	const struct zgi_step *steps;
	uint8_t count;
};

static void router_entry_add(struct zgi_router *router, const struct zgi_router_entry *entry)
{
	if (router == NULL)
		return;
	if (router->entry_count == ZG_MIDDLEWARE_MAX) {
		zgi_router_fail(router, (struct zgi_router_fault){.error = -EUSERS});
		return;
	}
	router->entries[router->entry_count++] = *entry;
}

void zg_group_before(struct zg_group *group, zg_before_handler *before, void *user)
{
	zg_assert(before != NULL);
	router_entry_add(group->router,
			 &(struct zgi_router_entry){{{.before = before}, user}, group, false});
}

void zg_group_after(struct zg_group *group, zg_after_handler *after, void *user)
{
	zg_assert(after != NULL);
	router_entry_add(group->router,
			 &(struct zgi_router_entry){{{.after = after}, user}, group, true});
}

void zg_endpoint_before(struct zg_endpoint *endpoint, zg_before_handler *before, void *user)
{
	zg_assert(before != NULL);
	router_entry_add(endpoint->router,
			 &(struct zgi_router_entry){{{.before = before}, user}, endpoint, false});
}

void zg_endpoint_after(struct zg_endpoint *endpoint, zg_after_handler *after, void *user)
{
	zg_assert(after != NULL);
	router_entry_add(endpoint->router,
			 &(struct zgi_router_entry){{{.after = after}, user}, endpoint, true});
}

static void router_scopes_of_group(const struct zg_group *group, struct router_scopes *ret_scopes)
{
	const struct zg_group *groups = group->router->groups;
	uint32_t index = zgi_router_group_index(group);
	uint32_t depth = 1;

	for (uint32_t above = index; above != 0; above = groups[above].parent)
		depth++;
	ret_scopes->count = depth;
	for (; depth > 0; depth--) {
		ret_scopes->of[depth - 1] = &groups[index];
		index = groups[index].parent;
	}
}

static int router_chain_append(struct zgi_router *router, const struct zgi_step *step,
			       struct router_chain *chain)
{
	if (chain->count == ZG_CHAIN_MAX)
		return -EMLINK;
	if (router->step_count == ZGI_ROUTER_STEPS_MAX)
		return -ENOBUFS;
	router->steps[router->step_count++] = *step;
	chain->count++;
	return 0;
}

/* Before: the outermost first, in the order of registration. */
static int router_chain_before(struct zgi_router *router, const struct router_scopes *scopes,
			       struct router_chain *ret_chain)
{
	struct router_chain chain = {&router->steps[router->step_count], 0};
	int result = 0;

	for (uint32_t scope = 0; scope < scopes->count; scope++)
		for (uint32_t index = 0; index < router->entry_count && result == 0; index++) {
			const struct zgi_router_entry *entry = &router->entries[index];

			if (!entry->is_after && entry->of == scopes->of[scope])
				result = router_chain_append(router, &entry->step, &chain);
		}
	if (result == 0)
		*ret_chain = chain;
	return result;
}

/* After: all of it the other way round. */
static int router_chain_after(struct zgi_router *router, const struct router_scopes *scopes,
			      struct router_chain *ret_chain)
{
	struct router_chain chain = {&router->steps[router->step_count], 0};
	int result = 0;

	for (uint32_t scope = scopes->count; scope > 0; scope--)
		for (uint32_t index = router->entry_count; index > 0 && result == 0; index--) {
			const struct zgi_router_entry *entry = &router->entries[index - 1];

			if (entry->is_after && entry->of == scopes->of[scope - 1])
				result = router_chain_append(router, &entry->step, &chain);
		}
	if (result == 0)
		*ret_chain = chain;
	return result;
}

static int router_finish_group(struct zgi_router *router, struct zg_group *group)
{
	struct router_scopes scopes;
	struct router_chain before;
	struct router_chain after;
	int result;

	router_scopes_of_group(group, &scopes);
	result = router_chain_before(router, &scopes, &before);
	if (result == 0)
		result = router_chain_after(router, &scopes, &after);
	if (result < 0) {
		zgi_router_fail(router, (struct zgi_router_fault){result, NULL, group});
		return result;
	}
	group->before = before.steps;
	group->before_count = before.count;
	group->after = after.steps;
	group->after_count = after.count;
	return 0;
}

static bool router_has_own(const struct zgi_router *router, const struct zg_endpoint *endpoint)
{
	for (uint32_t index = 0; index < router->entry_count; index++)
		if (router->entries[index].of == endpoint)
			return true;
	return false;
}

static int router_finish_endpoint(struct zgi_router *router, struct zg_endpoint *endpoint)
{
	const struct zg_group *group = &router->groups[endpoint->group];
	struct router_chain before = {group->before, group->before_count};
	struct router_chain after = {group->after, group->after_count};
	int result = 0;

	if (router_has_own(router, endpoint)) {
		struct router_scopes scopes;

		router_scopes_of_group(group, &scopes);
		scopes.of[scopes.count++] = endpoint;
		result = router_chain_before(router, &scopes, &before);
		if (result == 0)
			result = router_chain_after(router, &scopes, &after);
	}
	if (result < 0) {
		zgi_router_fail(router, (struct zgi_router_fault){result, NULL, group});
		return result;
	}
	endpoint->before = before.steps;
	endpoint->before_count = before.count;
	endpoint->after = after.steps;
	endpoint->after_count = after.count;
	if (endpoint->before_count > 0 && endpoint->handler != NULL)
		endpoint->entry = zgi_middleware_enter;
	return 0;
}

static const char *router_fault_text(int error)
{
	switch (error) {
	case -EEXIST:
		return "is registered twice for one method";
	case -ENOSPC:
		return "is one too many: raise ZG_ROUTE_NODES_MAX";
	case -E2BIG:
		return "is one too many: raise ZG_ROUTES_MAX";
	case -ENOTSUP:
		return "has a parameter of a type that there is not: text, u64, i64, date and uuid "
		       "are";
	case -ENOTUNIQ:
		return "has two parameters of one name";
	case -EDOM:
		return "has no prefix for a group: it must not end in a slash, nor have {rest...}";
	case -EMLINK:
		return "is one too many: raise ZG_GROUPS_MAX";
	case -ENFILE:
		return "is one too many: raise ZG_TOPICS_MAX";
	case -EMFILE:
		return "is one too many: raise ZG_STATIC_FOLDERS_MAX";
	case -EINVAL:
		return "is malformed: write \"/a/{name}/b\", \"/a/{name:u64}\" or "
		       "\"/a/{rest...}\"";
	default:
		return "is one too many: the names of parameters, or segments that are not "
		       "written as they are sent, outgrow the router";
	}
}

/* What it is that could not be registered. */
static const char *router_fault_noun(int error)
{
	switch (error) {
	case -EDOM:
	case -EMLINK:
		return "group";
	case -ENFILE:
		return "topic";
	case -EMFILE:
		return "folder of static files";
	default:
		return "route";
	}
}

/* The path of a group, its parents' first. */
static void router_print_prefix(const struct zg_group *group, struct zg_text *text)
{
	struct router_scopes scopes;

	router_scopes_of_group(group, &scopes);
	for (uint32_t scope = 0; scope < scopes.count; scope++) {
		const struct zg_group *part = scopes.of[scope];

		zg_text_print(text, "%s", part->prefix);
	}
}

static void router_fault_print(const struct zgi_router_fault *fault, struct zg_text *ret_error)
{
	if (fault->group == NULL) {
		zg_text_print(ret_error,
			      "more than %d middleware are registered: raise "
			      "ZG_MIDDLEWARE_MAX",
			      ZG_MIDDLEWARE_MAX);
		return;
	}
	if (fault->pattern == NULL) {
		zg_text_print(ret_error, "a route in the group \"");
		router_print_prefix(fault->group, ret_error);
		zg_text_print(ret_error,
			      fault->error == -EMLINK
				      ? "\" has more than %d middleware on one side: register "
					"fewer, or raise ZG_CHAIN_MAX"
				      : "\" has middleware of its own, and the chains of all "
					"routes outgrow %d steps: give it to a group",
			      fault->error == -EMLINK ? ZG_CHAIN_MAX : ZGI_ROUTER_STEPS_MAX);
		return;
	}
	zg_text_print(ret_error, "the %s \"", router_fault_noun(fault->error));
	router_print_prefix(fault->group, ret_error);
	zg_text_print(ret_error, "%s\" %s", fault->pattern, router_fault_text(fault->error));
}

int zgi_router_finish(struct zgi_router *router, struct zg_text *ret_error)
{
	int result = router->fault.error;

	/* An inner group is always behind its parent, but each chain is made from its scopes. */
	router->step_count = 0;
	for (uint32_t index = 0; index < router->group_count && result == 0; index++)
		result = router_finish_group(router, &router->groups[index]);
	for (uint32_t index = 0; index < router->endpoint_count && result == 0; index++)
		result = router_finish_endpoint(router, &router->endpoints[index]);
	if (result < 0)
		router_fault_print(&router->fault, ret_error);
	return result;
}
