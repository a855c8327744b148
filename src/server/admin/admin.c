/*
 * The pages for who runs the service: /healthz, /metrics, /memory, /memory.json, /memory/events
 * and /leaks. They are handlers like any other: rendered into the exchange's arena, from counters
 * that the shards write without being stopped.
 */

#include <zerog/app.h>
#include <zerog/leaks.h>
#include <zerog/security.h>

#include <errno.h>

#include "mem/watch/leaks.h"
#include "server/admin/admin.h"
#include "server/admin/live.h"
#include "web/router.h"

/* A page is one allocation of the arena, so it lies in one chunk: in all of it, or in so much of a
 * large one. What a page lists a shard at a time ends where its room does. */
#define ADMIN_PAGE_SIZE_MAX (128 * 1024)

static const struct zgi_server *admin_server(const struct zg_exchange *x)
{
	const struct zgi_shard *shard = x->web->shard;

	return shard->server;
}

/* Where keys are configured, who does not sit at the machine needs one. */
static int admin_admit(struct zg_exchange *x)
{
	return x->web->api_keys != NULL ? zg_require_api_key_unless_local(x) : 0;
}

/* Render a page into the arena; a page that is too large is our defect, and said so. */
static int admin_reply(struct zg_exchange *x, struct zg_slice content_type,
		       void (*print)(struct zg_text *text, const struct zgi_server *server))
{
	struct zg_text text;
	void *memory;
	size_t size = zg_arena_chunk_payload(admin_server(x)->config.chunk_size);
	int result = admin_admit(x);

	if (result != 0)
		return result;
	if (size > ADMIN_PAGE_SIZE_MAX)
		size = ADMIN_PAGE_SIZE_MAX;
	result = zg_arena_alloc(zg_exchange_arena(x), size, &memory);

	if (result < 0)
		return -ENOMEM;
	zg_text_init(&text, memory, size);
	print(&text, admin_server(x));
	if (text.is_truncated)
		return -EMSGSIZE;
	return zg_reply(x, 200, content_type, (struct zg_slice){text.data, text.size});
}

static int admin_metrics(struct zg_exchange *x)
{
	return admin_reply(x, ZG_SLICE("text/plain; version=0.0.4; charset=utf-8"),
			   zgi_admin_metrics_print);
}

static int admin_memory_json(struct zg_exchange *x)
{
	return admin_reply(x, ZG_SLICE("application/json"), zgi_admin_memory_print_json);
}

static bool slice_contains(struct zg_slice text, struct zg_slice word)
{
	return text.size >= word.size && memmem(text.data, text.size, word.data, word.size) != NULL;
}

static int admin_memory(struct zg_exchange *x)
{
	struct zg_slice value;
	bool is_json = (zg_request_field(x, ZG_SLICE("accept"), &value) == 0 &&
			slice_contains(value, ZG_SLICE("application/json"))) ||
		       (zg_request_query_value(x, ZG_SLICE("format"), &value) == 0 &&
			zg_slice_equals(value, ZG_SLICE("json")));

	if (is_json)
		return admin_memory_json(x);
	return admin_reply(x, ZG_SLICE("text/plain; charset=utf-8"), zgi_admin_memory_print);
}

static void leaks_print(struct zg_text *text, const struct zgi_server *server)
{
	(void)server;
	/* What is in flight is no leak. This page's own exchange is among them: there is always
	 * one. */
	(void)zgi_leaks_print(text, "taken now");
}

static int admin_leaks(struct zg_exchange *x)
{
	return admin_reply(x, ZG_SLICE("text/plain; charset=utf-8"), leaks_print);
}

static int admin_health(struct zg_exchange *x)
{
	return zg_reply_text(x, x->web->is_draining ? 503 : 200,
			     x->web->is_draining ? "draining\n" : "ok\n");
}

static int admin_memory_events(struct zg_exchange *x)
{
	int result = admin_admit(x);

	return result != 0 ? result : zgi_live_subscribe(x);
}

void zg_group_admin_routes(struct zg_group *group)
{
	zg_group_get(group, "/healthz", admin_health);
	zg_group_get(group, "/metrics", admin_metrics);
	zg_group_get(group, "/memory", admin_memory);
	zg_group_get(group, "/memory.json", admin_memory_json);
	zg_group_get(group, "/leaks", admin_leaks);
}

void zg_admin_routes(struct zg_app *app)
{
	zgi_live_init(app);
	zg_group_admin_routes(zgi_router_root(app->router));
	zg_get(app, "/memory/events", admin_memory_events);
}
