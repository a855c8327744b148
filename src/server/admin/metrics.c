/*
 * /metrics: what the shards count, in Prometheus' text format.
 */

#include "server/admin/admin.h"

#include <inttypes.h>

void zgi_admin_metric(struct zg_text *text, const char *name, const char *type, const char *help,
		      uint64_t value)
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
	X("resumes_refused", counters.resumes_refused, "Resumes that found the inbox full.")       \
	X("requests", web.counters.requests, "Requests answered, by handlers or by us.")           \
	X("responses_2xx", web.counters.responses[2], "Responses of class 2.")                     \
	X("responses_3xx", web.counters.responses[3], "Responses of class 3.")                     \
	X("responses_4xx", web.counters.responses[4], "Responses of class 4.")                     \
	X("responses_5xx", web.counters.responses[5], "Responses of class 5.")                     \
	X("handler_errors", web.counters.handler_errors, "Handlers that failed or did not reply.") \
	X("bodies_refused", web.counters.body_refused, "Bodies no arena chunk was free for: 503.") \
	X("access_log_dropped", web.access.dropped_count,                                          \
	  "Replies the access log had no room for.")                                               \
	X("loop_turns", counters.turns, "Turns of the shards' loops.")                             \
	X("loop_events", counters.events, "Completions handled.")

static void metrics_pool(struct zg_text *text, const char *name, const struct zgi_admin_pool *pool)
{
	const struct {
		const char *suffix;
		const char *type;
		const char *help;
		uint64_t value;
	} rows[] = {
		{"capacity", "gauge", "Objects in all.", pool->total},
		{"free", "gauge", "Objects free now.", pool->free},
		{"free_low", "gauge", "The least ever free.", pool->free_low},
		{"refused_total", "counter", "Takes that found none free.", pool->refused},
		{"misused_total", "counter", "Stale, double and foreign handles.", pool->misused},
		{"retired_total", "counter", "Objects never taken again: their handles ran out.",
		 pool->retired},
	};
	char buffer[64];

	for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
		struct zg_text full;

		zg_text_init(&full, buffer, sizeof(buffer));
		zg_text_print(&full, "zerog_%s_%s", name, rows[index].suffix);
		zgi_admin_metric(text, buffer, rows[index].type, rows[index].help,
				 rows[index].value);
	}
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

void zgi_admin_metrics_print(struct zg_text *text, const struct zgi_server *server)
{
	struct zgi_admin_snapshot now;

	zgi_admin_snapshot_read(server, &now);
	zgi_admin_metric(text, "zerog_connections_open", "gauge", "Connections open now.",
			 now.open);
	zgi_admin_metric(text, "zerog_connections_waiting", "gauge", "Waiting for an exchange now.",
			 now.waiting);
#define METRICS_COUNTER(name, member, help)                             \
	zgi_admin_metric(text, "zerog_" name "_total", "counter", help, \
			 ZGI_SERVER_SUM(server, member));
	METRICS_COUNTERS(METRICS_COUNTER)
#undef METRICS_COUNTER
	metrics_faults(text, server);
	metrics_pool(text, "exchanges", &now.exchanges);
	metrics_pool(text, "arena_chunks", &now.chunks);
	zgi_admin_metrics_memory(text, server, &now);
}
