/*
 * The pages for who runs the service: /healthz, /metrics, /memory and /leaks. They are
 * handlers like any other: rendered into the exchange's arena, from counters that
 * the shards write without being stopped.
 */

#include <zerog/app.h>
#include <zerog/fault.h>
#include <zerog/leaks.h>
#include <zerog/scratch.h>

#include <errno.h>
#include <inttypes.h>

#include "base/counter.h"
#include "server/server.h"

#define ADMIN_PAGE_SIZE 16000 /* within the smallest arena chunk (see config.c) */

static const struct zgi_server *admin_server(const struct zg_exchange *x)
{
	const struct zgi_shard *shard = x->web->shard;

	return shard->server;
}

/* The use of one pool over all shards. */
struct admin_pool {
	uint64_t total;
	uint64_t free;
	uint64_t free_low;
	uint64_t refused;
	uint64_t misused;
	uint64_t retired;
};

static struct admin_pool admin_pool_read(const struct zgi_server *server, size_t offset)
{
	struct admin_pool sum = {0};

	for (uint32_t index = 0; index < server->config.shard_count; index++) {
		const char *shard = (const char *)server->shards[index];
		const struct zg_pool *pool = (const struct zg_pool *)(const void *)(shard + offset);

		sum.total += pool->block_count;
		sum.free += zgi_gauge_read(&pool->free_count);
		sum.free_low += zgi_gauge_read(&pool->free_count_low);
		sum.refused += zgi_counter_read(&pool->refuse_count);
		sum.misused += zgi_counter_read(&pool->misuse_count);
		sum.retired += zgi_gauge_read(&pool->retired_count);
	}
	return sum;
}

static uint64_t admin_waiting(const struct zgi_server *server)
{
	uint64_t sum = 0;

	for (uint32_t index = 0; index < server->config.shard_count; index++)
		sum += zgi_gauge_read(&server->shards[index]->waiting_count);
	return sum;
}

static uint64_t admin_open(const struct zgi_server *server)
{
	uint64_t sum = 0;

	for (uint32_t index = 0; index < server->config.shard_count; index++)
		sum += zgi_gauge_read(&server->shards[index]->live_count);
	return sum;
}

/* What all three pages look at, read once a page. */
struct admin_snapshot {
	struct admin_pool exchanges;
	struct admin_pool chunks;
	struct zg_seal_counts seal;
	struct zg_seal_site sites[ZG_SEAL_SITES_MAX];
	size_t site_count;
	uint64_t resident; /* bytes; 0 when it cannot be read */
	uint64_t open; /* connections */
};

static void admin_snapshot_read(const struct zgi_server *server,
				struct admin_snapshot *ret_snapshot)
{
	*ret_snapshot = (struct admin_snapshot){
		.exchanges = admin_pool_read(server, offsetof(struct zgi_shard, exchanges)),
		.chunks = admin_pool_read(server, offsetof(struct zgi_shard, chunks)),
		.open = admin_open(server),
	};
	zg_seal_counts(&ret_snapshot->seal);
	ret_snapshot->site_count = zg_seal_sites(ret_snapshot->sites, ZG_SEAL_SITES_MAX);
	(void)!zg_memory_resident(&ret_snapshot->resident);
}

static void metrics_number(struct zg_text *text, const char *name, const char *type,
			   const char *help, uint64_t value)
{
	zg_text_print(text, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n", name, help, name, type,
		      name, value);
}

/* X(name, member of struct zgi_shard, help): what the shards count. */
#define METRICS_COUNTERS(X)                                                                        \
	X("connections_accepted", counters.accepted, "Connections accepted.")                      \
	X("connections_closed", counters.closed, "Connections closed, by either side.")            \
	X("connections_parked", counters.parked, "Times a connection was parked.")                 \
	X("connections_unparked", counters.unparked, "Times a parked one borrowed an exchange.")   \
	X("connections_waited", counters.waited, "Times one had to wait for an exchange.")         \
	X("connections_refused", counters.refused, "503 for want of an exchange or a slot.")       \
	X("connections_evicted", counters.evicted, "Idle connections closed to make room.")        \
	X("accept_errors", counters.accept_errors, "Accepts that failed.")                         \
	X("timeouts_idle", counters.timeouts_idle, "Connections idle for too long.")               \
	X("timeouts_request", counters.timeouts_request, "Requests that came too slowly: 408.")    \
	X("timeouts_write", counters.timeouts_write, "Peers that took a response too slowly.")     \
	X("timeouts_handler", counters.timeouts_handler, "Handlers pending for too long: 503.")    \
	X("resumes", counters.resumed, "Pending exchanges resumed.")                               \
	X("resumes_stale", counters.resumed_stale, "Resumes whose client had gone.")               \
	X("requests", web.counters.requests, "Requests answered, by handlers or by us.")           \
	X("responses_2xx", web.counters.responses[2], "Responses of class 2.")                     \
	X("responses_3xx", web.counters.responses[3], "Responses of class 3.")                     \
	X("responses_4xx", web.counters.responses[4], "Responses of class 4.")                     \
	X("responses_5xx", web.counters.responses[5], "Responses of class 5.")                     \
	X("handler_errors", web.counters.handler_errors, "Handlers that failed or did not reply.") \
	X("bodies_refused", web.counters.body_refused, "Bodies no arena chunk was free for: 503.") \
	X("loop_turns", counters.turns, "Turns of the shards' loops.")                             \
	X("loop_events", counters.events, "Completions handled.")

static void metrics_pool(struct zg_text *text, const char *name, const struct admin_pool *pool)
{
	zg_text_print(text,
		      "# HELP zerog_%s_free Objects free now.\n# TYPE zerog_%s_free gauge\n"
		      "zerog_%s_free %" PRIu64 "\n"
		      "# HELP zerog_%s_free_low The least ever free.\n"
		      "# TYPE zerog_%s_free_low gauge\nzerog_%s_free_low %" PRIu64 "\n"
		      "# HELP zerog_%s_total Objects in all.\n# TYPE zerog_%s_total gauge\n"
		      "zerog_%s_total %" PRIu64 "\n"
		      "# HELP zerog_%s_refused_total Takes that found none free.\n"
		      "# TYPE zerog_%s_refused_total counter\nzerog_%s_refused_total %" PRIu64 "\n",
		      name, name, name, pool->free, name, name, name, pool->free_low, name, name,
		      name, pool->total, name, name, name, pool->refused);
}

static void metrics_faults(struct zg_text *text, const struct zgi_server *server)
{
	static const char *const names[] = {
#define METRICS_FAULT_NAME(name, status, sentence) #name,
		ZGI_HTTP_FAULTS(METRICS_FAULT_NAME)
#undef METRICS_FAULT_NAME
	};

	zg_text_print(text, "# HELP zerog_faults_total Requests refused, by what was wrong.\n"
			    "# TYPE zerog_faults_total counter\n");
	for (uint32_t fault = 1; fault < ZGI_HTTP_FAULT_COUNT; fault++)
		zg_text_print(text, "zerog_faults_total{fault=\"%s\"} %" PRIu64 "\n", names[fault],
			      ZGI_SERVER_SUM(server, web.counters.faults[fault]));
}

static void metrics_print(struct zg_text *text, const struct zgi_server *server)
{
	struct admin_snapshot now;

	admin_snapshot_read(server, &now);
	metrics_number(text, "zerog_connections_open", "gauge", "Connections open now.", now.open);
	metrics_number(text, "zerog_connections_waiting", "gauge", "Waiting for an exchange now.",
		       admin_waiting(server));
#define METRICS_COUNTER(name, member, help)                           \
	metrics_number(text, "zerog_" name "_total", "counter", help, \
		       ZGI_SERVER_SUM(server, member));
	METRICS_COUNTERS(METRICS_COUNTER)
#undef METRICS_COUNTER
	metrics_faults(text, server);
	metrics_pool(text, "exchanges", &now.exchanges);
	metrics_pool(text, "arena_chunks", &now.chunks);
	metrics_number(text, "zerog_scratch_spills_total", "counter",
		       "Scratches that left the stack.", zg_scratch_spill_count());
	metrics_number(text, "zerog_takes_made_to_fail_total", "counter",
		       "Takes that a fault made fail (see zerog/fault.h).", zg_fault_total());
	metrics_number(text, "zerog_mallocs_since_seal_total", "counter",
		       "Calls to malloc and its relatives after boot.", now.seal.malloc_count);
	metrics_number(text, "zerog_memory_resident_bytes", "gauge", "Resident memory now.",
		       now.resident);
	metrics_number(text, "zerog_memory_plan_bytes", "gauge", "What the plan comes to.",
		       server->plan.size_total);
}

/* Render a page into the arena; a page that is too large is our defect, and said so. */
static int admin_reply(struct zg_exchange *x, struct zg_slice content_type,
		       void (*print)(struct zg_text *text, const struct zgi_server *server))
{
	struct zg_text text;
	void *memory;
	int result = zg_arena_alloc(zg_exchange_arena(x), ADMIN_PAGE_SIZE, &memory);

	if (result < 0)
		return -ENOMEM;
	zg_text_init(&text, memory, ADMIN_PAGE_SIZE);
	print(&text, admin_server(x));
	if (text.is_truncated)
		return -EMSGSIZE;
	return zg_reply(x, 200, content_type, (struct zg_slice){text.data, text.size});
}

static int admin_metrics(struct zg_exchange *x)
{
	return admin_reply(x, ZG_SLICE("text/plain; version=0.0.4; charset=utf-8"), metrics_print);
}

static void memory_pool_print(struct zg_text *text, const char *name, const struct admin_pool *pool)
{
	zg_text_print(text, "%-18s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n", name,
		      pool->total, pool->total - pool->free, pool->total - pool->free_low,
		      pool->refused);
}

static void memory_print(struct zg_text *text, const struct zgi_server *server)
{
	struct admin_snapshot now;

	admin_snapshot_read(server, &now);
	zg_plan_print(&server->plan, text);
	zg_text_print(text,
		      "\nplanned            %12" PRIu64 " bytes\n"
		      "resident at seal   %12" PRIu64 " bytes\n"
		      "resident now       %12" PRIu64 " bytes\n"
		      "mallocs since seal %12" PRIu64 "\n"
		      "frees since seal   %12" PRIu64 "\n\n",
		      server->plan.size_total, server->resident_at_seal, now.resident,
		      now.seal.malloc_count, now.seal.free_count);
	for (size_t index = 0; index < now.site_count; index++)
		zg_text_print(text, "  malloc called from %p: %" PRIu64 " times\n",
			      now.sites[index].address, now.sites[index].count);
	zgi_reserve_print(&server->reserve, text);
	zg_text_print(text, "\n%-18s %10s %10s %10s %10s\n", "pool", "objects", "in use",
		      "most ever", "refused");
	memory_pool_print(text, "exchanges", &now.exchanges);
	memory_pool_print(text, "arena chunks", &now.chunks);
	zg_text_print(text, "%-18s %10" PRIu64 " %10" PRIu64 "\n", "connections",
		      (uint64_t)server->config.connections_each * server->config.shard_count,
		      now.open);
}

static void memory_pool_json(struct zg_text *text, const char *name, const struct admin_pool *pool)
{
	zg_text_print(text,
		      "\"%s\": {\"total\": %" PRIu64 ", \"free\": %" PRIu64
		      ", \"free_low\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"misused\": %" PRIu64
		      ", \"retired\": %" PRIu64 "}",
		      name, pool->total, pool->free, pool->free_low, pool->refused, pool->misused,
		      pool->retired);
}

static void memory_print_json(struct zg_text *text, const struct zgi_server *server)
{
	struct admin_snapshot now;

	admin_snapshot_read(server, &now);
	zg_text_print(text, "{\"plan\": ");
	zg_plan_print_json(&server->plan, text);
	zg_text_print(text,
		      ", \"resident\": %" PRIu64 ", \"resident_at_seal\": %" PRIu64
		      ", \"mallocs_since_seal\": %" PRIu64 ", \"frees_since_seal\": %" PRIu64
		      ", \"malloc_sites\": [",
		      now.resident, server->resident_at_seal, now.seal.malloc_count,
		      now.seal.free_count);
	for (size_t index = 0; index < now.site_count; index++)
		zg_text_print(text, "%s{\"address\": \"%p\", \"count\": %" PRIu64 "}",
			      index > 0 ? ", " : "", now.sites[index].address,
			      now.sites[index].count);
	zg_text_print(text, "], \"regions\": ");
	zgi_reserve_print_json(&server->reserve, text);
	zg_text_print(text, ", \"pools\": {");
	memory_pool_json(text, "exchanges", &now.exchanges);
	zg_text_print(text, ", ");
	memory_pool_json(text, "arena_chunks", &now.chunks);
	zg_text_print(text,
		      "}, \"connections\": {\"limit\": %" PRIu64 ", \"open\": %" PRIu64
		      ", \"waiting\": %" PRIu64 "}, \"shards\": %" PRIu32 ", \"io\": \"%s\"}\n",
		      (uint64_t)server->config.connections_each * server->config.shard_count,
		      now.open, admin_waiting(server), server->config.shard_count,
		      server->config.io_kind == ZG_IO_URING ? "uring" : "epoll");
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
		return admin_reply(x, ZG_SLICE("application/json"), memory_print_json);
	return admin_reply(x, ZG_SLICE("text/plain; charset=utf-8"), memory_print);
}

static void leaks_print(struct zg_text *text, const struct zgi_server *server)
{
	(void)server;
	/* This page's own exchange is among them: there is always one. */
	(void)zg_leak_report(text);
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

void zg_admin_routes(struct zg_app *app)
{
	zg_get(app, "/healthz", admin_health);
	zg_get(app, "/metrics", admin_metrics);
	zg_get(app, "/memory", admin_memory);
	zg_get(app, "/leaks", admin_leaks);
}
