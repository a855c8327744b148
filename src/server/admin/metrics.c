/*
 * /metrics: what the shards count, in Prometheus' text format.
 */

#include "server/admin/admin.h"

#include <inttypes.h>

#include "base/counter.h"

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
	X("posts", async.counters.posts, "Posts that shards have run.")                            \
	X("posts_refused", async.counters.posts_refused, "Posts that found as many waiting.")      \
	X("flushes", async.counters.flushes, "Flushes of files begun.")                            \
	X("flushes_refused", async.counters.flushes_refused, "Flushes past --flushes.")            \
	X("flushes_failed", async.counters.flushes_failed, "Flushes that ended with an error.")    \
	X("offload_jobs", async.counters.jobs, "Jobs given to threads apart.")                     \
	X("offload_jobs_refused", async.counters.jobs_refused, "Jobs past --offload-jobs.")        \
	X("offload_jobs_cancelled", async.counters.jobs_cancelled, "Jobs nobody waited for.")      \
	X("watch_events", async.counters.watch_events, "Times a watched descriptor was ready.")    \
	X("watches_refused", async.counters.watches_refused, "Watches past --watches.")            \
	X("timers_run_out", async.counters.timers_run_out, "Timers that ran out.")                 \
	X("timers_refused", async.counters.timers_refused, "Timers past --timers.")                \
	X("requests", web.counters.requests, "Requests answered, by handlers or by us.")           \
	X("responses_2xx", web.counters.responses[2], "Responses of class 2.")                     \
	X("responses_3xx", web.counters.responses[3], "Responses of class 3.")                     \
	X("responses_4xx", web.counters.responses[4], "Responses of class 4.")                     \
	X("responses_5xx", web.counters.responses[5], "Responses of class 5.")                     \
	X("handler_errors", web.counters.handler_errors, "Handlers that failed or did not reply.") \
	X("bodies_refused", web.counters.body_refused, "Bodies no arena chunk was free for: 503.") \
	X("stream_bytes", web.counters.read_size, "Bytes of streamed request bodies.")             \
	X("files_from_memory", web.counters.files_from_memory, "Static files sent from memory.")   \
	X("files_from_descriptor", web.counters.files_from_descriptor, "Those read as they go.")   \
	X("streams_aborted", web.counters.streams_aborted, "Streamed replies that broke off.")     \
	X("subscribed", counters.subscribed, "Subscribers that have come.")                        \
	X("subscribers_refused", counters.subscribers_refused, "503 because all were taken.")      \
	X("subscribers_dropped", counters.subscribers_dropped, "Those too slow to be sent to.")    \
	X("events_sent", counters.events_sent, "Events sent, each to one subscriber.")             \
	X("events_skipped", counters.events_skipped, "Events that slow subscribers missed.")       \
	X("event_heartbeats", counters.heartbeats, "Comments sent to quiet subscribers.")          \
	X("api_keys_refused", web.counters.api_keys_refused, "Requests without a key: 401, 403.")  \
	X("csrf_refused", web.counters.csrf_refused, "Requests without their session's token.")    \
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

static void metrics_sessions(struct zg_text *text, const struct zgi_shared *shared)
{
	struct zgi_session_counters counters;
	uint64_t live_count;

	if (!shared->has_sessions)
		return;
	zgi_session_table_counts(&shared->sessions.table, &counters, &live_count);

	const struct {
		const char *name;
		const char *type;
		const char *help;
		uint64_t value;
	} rows[] = {
		{"capacity", "gauge", "Sessions in all.", shared->sessions.table.options.count},
		{"live", "gauge", "Sessions there are, those that ran out unseen included.",
		 live_count},
		{"started_total", "counter", "Sessions started.", counters.started},
		{"ended_total", "counter", "Sessions ended by the application.", counters.ended},
		{"expired_total", "counter", "Sessions idle for too long, or too old.",
		 counters.expired},
		{"evicted_total", "counter", "Sessions that made room.", counters.evicted},
		{"refused_total", "counter", "Sessions for which there was no room.",
		 counters.refused},
		{"rotated_total", "counter", "Sessions given another id.", counters.rotated},
		{"found_total", "counter", "Lookups that found one.", counters.found},
		{"missed_total", "counter", "Lookups that found none.", counters.missed},
	};
	char buffer[64];

	for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
		struct zg_text full;

		zg_text_init(&full, buffer, sizeof(buffer));
		zg_text_print(&full, "zerog_sessions_%s", rows[index].name);
		zgi_admin_metric(text, buffer, rows[index].type, rows[index].help,
				 rows[index].value);
	}
}

static void metrics_access_log(struct zg_text *text, const struct zgi_access_log *log)
{
	if (log->ring_count == 0)
		return;
	zgi_admin_metric(text, "zerog_access_log_written_total", "counter", "Lines written.",
			 zgi_counter_read(&log->counters.written));
	zgi_admin_metric(text, "zerog_access_log_dropped_total", "counter",
			 "Lines that found the ring full.", zgi_access_log_dropped(log));
	zgi_admin_metric(text, "zerog_access_log_failed_total", "counter",
			 "Lines that could not be written.",
			 zgi_counter_read(&log->counters.failed));
	zgi_admin_metric(text, "zerog_access_log_reopened_total", "counter",
			 "Times the file was opened anew.",
			 zgi_counter_read(&log->counters.reopened));
	zgi_admin_metric(text, "zerog_access_log_reopen_failed_total", "counter",
			 "Times that failed, and the old file went on.",
			 zgi_counter_read(&log->counters.reopen_failed));
}

/* X(name, member of struct zg_shard, help): what is under way now, as 32-bit gauges. */
#define METRICS_UNDER_WAY(X)                                                          \
	X("flushes_under_way", flushes.live_count, "Flushes of files under way now.") \
	X("offload_jobs_out", jobs.live_count, "Jobs that wait or run now.")          \
	X("watches", watches.live_count, "Descriptors watched now.")                  \
	X("timers", timers.live_count, "Timers that run now.")

static uint64_t metrics_gauge_sum(const struct zgi_server *server, size_t offset)
{
	uint64_t sum = 0;

	for (uint32_t index = 0; index < server->config.shard_count; index++) {
		const char *shard = (const char *)&server->shards[index]->async;

		sum += zgi_gauge_read((const uint32_t *)(const void *)(shard + offset));
	}
	return sum;
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
#define METRICS_GAUGE(name, member, help)                    \
	zgi_admin_metric(text, "zerog_" name, "gauge", help, \
			 metrics_gauge_sum(server, offsetof(struct zg_shard, member)));
	METRICS_UNDER_WAY(METRICS_GAUGE)
#undef METRICS_GAUGE
	metrics_faults(text, server);
	metrics_pool(text, "exchanges", &now.exchanges);
	metrics_pool(text, "arena_chunks", &now.chunks);
	metrics_sessions(text, &server->shared);
	metrics_access_log(text, &server->access_log);
	zgi_admin_metrics_memory(text, server, &now);
}
