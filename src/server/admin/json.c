/*
 * /memory.json: what /memory says, for programs.
 */

#include "server/admin/admin.h"

#include <inttypes.h>
#include <string.h>

#include <zerog/leaks.h>

#define JSON_SHARD_SIZE 512 /* bytes; more than a shard's object takes */

static void json_string(struct zg_text *text, const char *name, const char *value)
{
	zg_text_print(text, "\"%s\": ", name);
	zg_text_append_json(text, (struct zg_slice){value, strlen(value)});
}

static void json_pool(struct zg_text *text, const char *name, const struct zgi_admin_pool *pool)
{
	zg_text_print(text,
		      "\"%s\": {\"total\": %" PRIu64 ", \"free\": %" PRIu64
		      ", \"free_low\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"misused\": %" PRIu64
		      ", \"retired\": %" PRIu64 "}",
		      name, pool->total, pool->free, pool->free_low, pool->refused, pool->misused,
		      pool->retired);
}

static void json_totals(struct zg_text *text, const struct zgi_server *server,
			const struct zgi_admin_snapshot *now)
{
	zg_text_print(text,
		      ", \"resident\": %" PRIu64 ", \"resident_at_seal\": %" PRIu64
		      ", \"seal\": \"%s\", \"mallocs_since_seal\": %" PRIu64
		      ", \"frees_since_seal\": %" PRIu64 ", \"malloc_sites\": [",
		      now->resident, server->resident_at_seal,
		      zgi_server_seal_name(server->config.options.seal), now->seal.malloc_count,
		      now->seal.free_count);
	for (size_t index = 0; index < now->site_count; index++) {
		char buffer[256];
		struct zg_text site;

		zg_text_init(&site, buffer, sizeof(buffer));
		zg_site_print(&site, now->sites[index].address);
		zg_text_append(text, index > 0 ? ZG_SLICE(", {") : ZG_SLICE("{"));
		json_string(text, "site", buffer);
		zg_text_print(text, ", \"address\": \"%p\", \"count\": %" PRIu64 "}",
			      now->sites[index].address, now->sites[index].count);
	}
	zg_text_append(text, ZG_SLICE("]"));
}

static void json_guest(struct zg_text *text, const struct zgi_admin_snapshot *now)
{
	zg_text_print(text,
		      ", \"guest_heap\": {\"size\": %" PRIu64 ", \"live\": %" PRIu64
		      ", \"live_peak\": %" PRIu64 ", \"held\": %" PRIu64 ", \"blocks\": %" PRIu64
		      ", \"mallocs_since_seal\": %" PRIu64 ", \"failed\": %" PRIu64
		      "}, \"mallocs_failed_since_seal\": %" PRIu64,
		      now->guest.size, now->guest.live_size, now->guest.live_size_peak,
		      now->guest.held_size, now->guest.live_count, now->seal.guest_malloc_count,
		      now->guest.fail_count, now->seal.malloc_fail_count);
}

static void json_spills(struct zg_text *text, const struct zgi_admin_spills *spills)
{
	zg_text_print(text, ", \"scratch\": {\"spills\": %" PRIu64 ", \"sites\": [",
		      zg_scratch_spill_count());
	for (uint32_t index = 0; index < spills->count; index++) {
		const struct zg_scratch_site *site = &spills->sites[index];

		zg_text_append(text, index > 0 ? ZG_SLICE(", {") : ZG_SLICE("{"));
		json_string(text, "file", site->file);
		zg_text_print(text,
			      ", \"line\": %" PRIu32
			      ", \"stack_size\": %zu, \"wanted_size_max\": %zu"
			      ", \"spills\": %" PRIu64 ", \"refused\": %" PRIu64 "}",
			      site->line, site->stack_size, site->wanted_size_max,
			      site->spill_count, site->refuse_count);
	}
	zg_text_print(text, "], \"sites_left_out\": %" PRIu32 "}", spills->left_out);
}

static void json_usages(struct zg_text *text, const struct zgi_admin_usages *usages)
{
	zg_text_append(text, ZG_SLICE(", \"usage\": ["));
	for (uint32_t index = 0; index < usages->count; index++) {
		const struct zg_usage *sum = &usages->rows[index].sum;

		zg_text_append(text, index > 0 ? ZG_SLICE(", {") : ZG_SLICE("{"));
		json_string(text, "kind", sum->kind);
		zg_text_append(text, ZG_SLICE(", "));
		json_string(text, "name", sum->name);
		zg_text_print(text,
			      ", \"holders\": %" PRIu32 ", \"live_count\": %" PRIu64
			      ", \"count_max\": %" PRIu64 ", \"live_size\": %" PRIu64
			      ", \"held_size\": %" PRIu64 ", \"reserved_size\": %" PRIu64 "}",
			      usages->rows[index].holder_count, sum->live_count, sum->count_max,
			      sum->live_size, sum->held_size, sum->reserved_size);
	}
	zg_text_append(text, ZG_SLICE("]"));
}

static void json_figures(struct zg_text *text, const struct zg_pause_figures *figures)
{
	zg_text_print(text,
		      "\"turns\": %" PRIu64 ", \"turns_ns\": %" PRIu64 ", \"longest_ns\": %" PRIu64
		      ", \"longest_unix_ms\": %" PRIu64 ", \"faults_minor\": %" PRIu64
		      ", \"faults_major\": %" PRIu64 ", \"switches_voluntary\": %" PRIu64
		      ", \"switches_involuntary\": %" PRIu64,
		      figures->turn_count, figures->turn_ns_sum, figures->longest_ns,
		      zgi_admin_unix_ms(figures->longest_begin_ns), figures->fault_minor_count,
		      figures->fault_major_count, figures->switch_voluntary_count,
		      figures->switch_involuntary_count);
}

static void json_shard(struct zg_text *text, const struct zg_pause *meter)
{
	struct zg_pause_figures figures;

	zg_pause_read(meter, &figures);
	zg_text_append(text, ZG_SLICE("{"));
	json_figures(text, &figures);
	zg_text_print(text,
		      ", \"p50_ns\": %" PRIu64 ", \"p99_ns\": %" PRIu64 ", \"p999_ns\": %" PRIu64
		      "}",
		      zg_pause_quantile(meter, 0.5), zg_pause_quantile(meter, 0.99),
		      zg_pause_quantile(meter, 0.999));
}

/* The shards come last, in order, as many as the page has room for. */
static void json_pause(struct zg_text *text, const struct zgi_server *server,
		       const struct zgi_admin_snapshot *now)
{
	zg_text_append(text, ZG_SLICE(", \"pause\": {"));
	json_figures(text, &now->pause.sum);
	zg_text_print(text,
		      ", \"longest_shard\": %" PRIu32 ", \"process_faults_minor\": %" PRIu64
		      ", \"process_faults_major\": %" PRIu64 ", \"distribution\": [",
		      now->pause.longest_shard, now->faults.minor, now->faults.major);
	for (uint32_t index = 0; index <= ZGI_ADMIN_BOUNDS; index++) {
		zg_text_print(text, "%s{\"up_to_ns\": ", index > 0 ? ", " : "");
		if (index < ZGI_ADMIN_BOUNDS)
			zg_text_print(text, "%" PRIu64, zgi_admin_bounds_ns[index]);
		else
			zg_text_append(text, ZG_SLICE("null"));
		zg_text_print(text, ", \"turns\": %" PRIu64 "}", now->pause.counts[index]);
	}
	zg_text_append(text, ZG_SLICE("], \"shards\": ["));
	for (uint32_t index = 0; index < server->config.shard_count; index++) {
		if (text->size + 2 * JSON_SHARD_SIZE > text->capacity)
			break;
		zg_text_append(text, index > 0 ? ZG_SLICE(", ") : ZG_SLICE(""));
		json_shard(text, &zgi_admin_shard(server, index)->pause);
	}
	zg_text_append(text, ZG_SLICE("]}"));
}

void zgi_admin_memory_print_json(struct zg_text *text, const struct zgi_server *server)
{
	struct zgi_admin_snapshot now;

	zgi_admin_snapshot_read(server, &now);
	zg_text_print(text, "{\"plan\": ");
	zg_plan_print_json(&server->plan, text);
	json_totals(text, server, &now);
	json_guest(text, &now);
	json_spills(text, &now.spills);
	zg_text_print(text, ", \"regions\": ");
	zgi_reserve_print_json(&server->reserve, text);
	zg_text_print(text, ", \"pools\": {");
	json_pool(text, "exchanges", &now.exchanges);
	zg_text_print(text, ", ");
	json_pool(text, "arena_chunks", &now.chunks);
	zg_text_print(text,
		      "}, \"connections\": {\"limit\": %" PRIu64 ", \"open\": %" PRIu64
		      ", \"waiting\": %" PRIu64 "}, \"shards\": %" PRIu32 ", \"io\": \"%s\"",
		      (uint64_t)server->config.connections_each * server->config.shard_count,
		      now.open, now.waiting, server->config.shard_count,
		      server->config.io_kind == ZG_IO_URING ? "uring" : "epoll");
	zg_text_append(text, ZG_SLICE(", "));
	json_string(text, "guest_finding", server->config.guest_finding);
	json_usages(text, &now.usages);
	json_pause(text, server, &now);
	zg_text_append(text, ZG_SLICE("}\n"));
}
