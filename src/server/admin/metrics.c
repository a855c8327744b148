/*
 * /metrics: what the shards count, in Prometheus' text format.
 */

#include "server/admin/admin.h"

#include <inttypes.h>

#include <zerog/scratch.h>

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
	X("resumes_refused", counters.resumes_refused, "Resumes that found the inbox full.")       \
	X("requests", web.counters.requests, "Requests answered, by handlers or by us.")           \
	X("responses_2xx", web.counters.responses[2], "Responses of class 2.")                     \
	X("responses_3xx", web.counters.responses[3], "Responses of class 3.")                     \
	X("responses_4xx", web.counters.responses[4], "Responses of class 4.")                     \
	X("responses_5xx", web.counters.responses[5], "Responses of class 5.")                     \
	X("handler_errors", web.counters.handler_errors, "Handlers that failed or did not reply.") \
	X("bodies_refused", web.counters.body_refused, "Bodies no arena chunk was free for: 503.") \
	X("loop_turns", counters.turns, "Turns of the shards' loops.")                             \
	X("loop_events", counters.events, "Completions handled.")

static void metrics_pool(struct zg_text *text, const char *name, const struct zgi_admin_pool *pool)
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

void zgi_admin_metrics_print(struct zg_text *text, const struct zgi_server *server)
{
	struct zgi_admin_snapshot now;

	zgi_admin_snapshot_read(server, &now);
	metrics_number(text, "zerog_connections_open", "gauge", "Connections open now.", now.open);
	metrics_number(text, "zerog_connections_waiting", "gauge", "Waiting for an exchange now.",
		       now.waiting);
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
	metrics_number(text, "zerog_mallocs_since_seal_total", "counter",
		       "Calls to malloc and its relatives after boot.", now.seal.malloc_count);
	metrics_number(text, "zerog_memory_resident_bytes", "gauge", "Resident memory now.",
		       now.resident);
	metrics_number(text, "zerog_memory_plan_bytes", "gauge", "What the plan comes to.",
		       server->plan.size_total);
}
