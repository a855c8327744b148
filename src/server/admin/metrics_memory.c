/*
 * /metrics, its second half: memory as planned and as measured, and what pauses a loop.
 */

#include "server/admin/admin.h"

#include <inttypes.h>

#include <zerog/fault.h>

#define METRICS_NS_PER_S UINT64_C(1000000000)

static void metrics_family(struct zg_text *text, const char *name, const char *type,
			   const char *help)
{
	zg_text_print(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* The value of a label, quotes included: backslash, quote and newline are escaped. */
static void metrics_label(struct zg_text *text, const char *value)
{
	zg_text_append(text, ZG_SLICE("\""));
	for (; *value != '\0'; value++) {
		if (*value == '\\' || *value == '"')
			zg_text_append(text, ZG_SLICE("\\"));
		if (*value == '\n')
			zg_text_append(text, ZG_SLICE("\\n"));
		else
			zg_text_append(text, (struct zg_slice){value, 1});
	}
	zg_text_append(text, ZG_SLICE("\""));
}

/* Seconds, from whole numbers: printf's %f has the point of whatever locale a program has set. */
static void metrics_seconds(struct zg_text *text, uint64_t ns)
{
	zg_text_print(text, "%" PRIu64 ".%09" PRIu64, ns / METRICS_NS_PER_S, ns % METRICS_NS_PER_S);
}

static void metrics_seconds_family(struct zg_text *text, const char *name, const char *help,
				   uint64_t ns)
{
	metrics_family(text, name, "gauge", help);
	zg_text_print(text, "%s ", name);
	metrics_seconds(text, ns);
	zg_text_append(text, ZG_SLICE("\n"));
}

static void metrics_plan(struct zg_text *text, const struct zgi_server *server)
{
	const struct zg_plan *plan = &server->plan;

	metrics_family(text, "zerog_plan_line_bytes", "gauge", "What a line of the plan comes to.");
	for (uint32_t index = 0; index < plan->line_count; index++) {
		zg_text_append(text, ZG_SLICE("zerog_plan_line_bytes{line="));
		metrics_label(text, plan->lines[index].name);
		zg_text_print(text, "} %" PRIu64 "\n", plan->lines[index].size_total);
	}
}

static void metrics_usage(struct zg_text *text, const struct zgi_admin_usages *usages)
{
	static const struct {
		const char *name;
		const char *help;
		size_t offset; /* in struct zg_usage */
	} families[] = {
		{"zerog_memory_objects", "Objects that users have.",
		 offsetof(struct zg_usage, live_count)},
		{"zerog_memory_live_bytes", "What users asked for and have.",
		 offsetof(struct zg_usage, live_size)},
		{"zerog_memory_held_bytes",
		 "What that occupies, rounding and bookkeeping included.",
		 offsetof(struct zg_usage, held_size)},
		{"zerog_memory_reserved_bytes", "All that was set aside.",
		 offsetof(struct zg_usage, reserved_size)},
	};

	for (size_t family = 0; family < sizeof(families) / sizeof(families[0]); family++) {
		metrics_family(text, families[family].name, "gauge", families[family].help);
		for (uint32_t index = 0; index < usages->count; index++) {
			const struct zg_usage *sum = &usages->rows[index].sum;
			const char *value = (const char *)sum + families[family].offset;

			zg_text_print(text, "%s{kind=", families[family].name);
			metrics_label(text, sum->kind);
			zg_text_append(text, ZG_SLICE(",name="));
			metrics_label(text, sum->name);
			zg_text_print(text, "} %" PRIu64 "\n",
				      *(const uint64_t *)(const void *)value);
		}
	}
}

/* The label is the place: "src/web/reply.c:42". */
static void metrics_spills(struct zg_text *text, const struct zgi_admin_spills *spills)
{
	/* A family without a sample would be none. */
	if (spills->count == 0)
		return;
	metrics_family(text, "zerog_scratch_site_spills_total", "counter",
		       "Scratches declared at a place that left the stack.");
	for (uint32_t index = 0; index < spills->count; index++) {
		const struct zg_scratch_site *site = &spills->sites[index];
		char buffer[256];
		struct zg_text place;

		zg_text_init(&place, buffer, sizeof(buffer));
		zg_text_print(&place, "%s:%" PRIu32, site->file, site->line);
		zg_text_append(text, ZG_SLICE("zerog_scratch_site_spills_total{site="));
		metrics_label(text, buffer);
		zg_text_print(text, "} %" PRIu64 "\n", site->spill_count);
	}
}

/* One family with two samples, told apart by a label. */
static void metrics_pair(struct zg_text *text, const char *name, const char *help,
			 const char *const labels[2], const uint64_t values[2])
{
	metrics_family(text, name, "counter", help);
	for (int index = 0; index < 2; index++)
		zg_text_print(text, "%s{kind=\"%s\"} %" PRIu64 "\n", name, labels[index],
			      values[index]);
}

/* A histogram's count is the sum of what was read of it: the shards go on meanwhile. */
static void metrics_turns(struct zg_text *text, const struct zgi_admin_pause *pause)
{
	uint64_t count = 0;

	metrics_family(text, "zerog_loop_turn_seconds", "histogram",
		       "How long the turns of the shards' loops took, waiting apart.");
	for (uint32_t index = 0; index < ZGI_ADMIN_BOUNDS; index++) {
		count += pause->counts[index];
		zg_text_append(text, ZG_SLICE("zerog_loop_turn_seconds_bucket{le=\""));
		metrics_seconds(text, zgi_admin_bounds_ns[index]);
		zg_text_print(text, "\"} %" PRIu64 "\n", count);
	}
	count += pause->counts[ZGI_ADMIN_BOUNDS];
	zg_text_print(text,
		      "zerog_loop_turn_seconds_bucket{le=\"+Inf\"} %" PRIu64
		      "\nzerog_loop_turn_seconds_sum ",
		      count);
	metrics_seconds(text, pause->sum.turn_ns_sum);
	zg_text_print(text, "\nzerog_loop_turn_seconds_count %" PRIu64 "\n", count);
	metrics_seconds_family(text, "zerog_loop_turn_longest_seconds", "The longest turn.",
			       pause->sum.longest_ns);
	metrics_seconds_family(text, "zerog_loop_turn_longest_timestamp_seconds",
			       "When the longest turn began, in seconds of the Unix epoch.",
			       zgi_admin_unix_ms(pause->sum.longest_begin_ns) * 1000000);
}

static void metrics_kernel(struct zg_text *text, const struct zgi_admin_snapshot *now)
{
	static const char *const faults[] = {"minor", "major"};
	static const char *const switches[] = {"voluntary", "involuntary"};
	const struct zg_pause_figures *sum = &now->pause.sum;

	metrics_pair(text, "zerog_page_faults_total",
		     "Page faults of the shards' threads since the seal.", faults,
		     (const uint64_t[]){sum->fault_minor_count, sum->fault_major_count});
	metrics_pair(text, "zerog_process_page_faults_total",
		     "Page faults of all threads since the seal.", faults,
		     (const uint64_t[]){now->faults.minor, now->faults.major});
	metrics_pair(
		text, "zerog_context_switches_total",
		"Context switches of the shards' threads since the seal.", switches,
		(const uint64_t[]){sum->switch_voluntary_count, sum->switch_involuntary_count});
}

void zgi_admin_metrics_memory(struct zg_text *text, const struct zgi_server *server,
			      const struct zgi_admin_snapshot *now)
{
	zgi_admin_metric(text, "zerog_memory_plan_bytes", "gauge", "What the plan comes to.",
			 server->plan.size_total);
	zgi_admin_metric(text, "zerog_memory_resident_bytes", "gauge", "Resident memory now.",
			 now->resident);
	zgi_admin_metric(text, "zerog_memory_resident_at_seal_bytes", "gauge",
			 "Resident memory when boot ended.", server->resident_at_seal);
	metrics_plan(text, server);
	metrics_usage(text, &now->usages);
	zgi_admin_metric(text, "zerog_mallocs_since_seal_total", "counter",
			 "Calls to malloc and its relatives after boot.", now->seal.malloc_count);
	zgi_admin_metric(text, "zerog_frees_since_seal_total", "counter",
			 "Calls to free after boot.", now->seal.free_count);
	zgi_admin_metric(text, "zerog_scratch_spills_total", "counter",
			 "Scratches that left the stack.", zg_scratch_spill_count());
	metrics_spills(text, &now->spills);
	zgi_admin_metric(text, "zerog_takes_made_to_fail_total", "counter",
			 "Takes that a fault made fail (see zerog/fault.h).", zg_fault_total());
	metrics_turns(text, &now->pause);
	metrics_kernel(text, now);
}
