/*
 * /memory: what was planned and what is in use, and what paused the loops; as tables.
 */

#include "server/admin/admin.h"

#include <inttypes.h>

#include <zerog/leaks.h>

#include "base/clock.h"

#define MEMORY_ROW_SIZE 160 /* bytes; more than a row of a table takes */
#define MEMORY_US 1000.0 /* nanoseconds */
#define MEMORY_NS_PER_S UINT64_C(1000000000)

static void memory_totals(struct zg_text *text, const struct zgi_server *server,
			  const struct zgi_admin_snapshot *now)
{
	zg_text_print(text,
		      "\nplanned            %12" PRIu64 " bytes\n"
		      "resident at seal   %12" PRIu64 " bytes\n"
		      "resident now       %12" PRIu64 " bytes\n"
		      "seal               %12s\n"
		      "mallocs since seal %12" PRIu64 "\n"
		      "frees since seal   %12" PRIu64 "\n"
		      "scratch spills     %12" PRIu64 "\n",
		      server->plan.size_total, server->resident_at_seal, now->resident,
		      zgi_server_seal_name(server->config.options.seal), now->seal.malloc_count,
		      now->seal.free_count, zg_scratch_spill_count());
	for (size_t index = 0; index < now->site_count; index++) {
		zg_text_append(text, ZG_SLICE("  malloc called from "));
		zg_site_print(text, now->sites[index].address);
		zg_text_print(text, ": %" PRIu64 " times\n", now->sites[index].count);
	}
}

/* What it holds is in the table of use; how libraries fare with it is here. */
static void memory_guest(struct zg_text *text, const struct zgi_admin_snapshot *now)
{
	if (now->guest.size == 0)
		return;
	zg_text_print(text,
		      "\nguest heap         %12" PRIu64 " bytes\n"
		      "libraries have     %12" PRIu64 " bytes\n"
		      "most ever          %12" PRIu64 " bytes\n"
		      "their mallocs      %12" PRIu64 " since the seal\n"
		      "refused            %12" PRIu64 "\n",
		      now->guest.size, now->guest.live_size, now->guest.live_size_peak,
		      now->seal.guest_malloc_count, now->guest.fail_count);
}

static void memory_spills(struct zg_text *text, const struct zgi_admin_spills *spills)
{
	if (spills->count == 0)
		return;
	zg_text_print(text, "\n%-40s %10s %10s %10s %10s\n", "scratch declared at", "stack",
		      "wanted", "spills", "refused");
	for (uint32_t index = 0; index < spills->count; index++) {
		const struct zg_scratch_site *site = &spills->sites[index];
		char buffer[256];
		struct zg_text place;

		zg_text_init(&place, buffer, sizeof(buffer));
		zg_text_print(&place, "%s:%" PRIu32, site->file, site->line);
		zg_text_print(text, "%-40s %10zu %10zu %10" PRIu64 " %10" PRIu64 "\n", buffer,
			      site->stack_size, site->wanted_size_max, site->spill_count,
			      site->refuse_count);
	}
	if (spills->left_out > 0)
		zg_text_print(text, "and %" PRIu32 " more\n", spills->left_out);
}

static void memory_pool(struct zg_text *text, const char *name, const struct zgi_admin_pool *pool)
{
	zg_text_print(text, "%-18s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n", name,
		      pool->total, pool->total - pool->free, pool->total - pool->free_low,
		      pool->refused);
}

static void memory_pools(struct zg_text *text, const struct zgi_server *server,
			 const struct zgi_admin_snapshot *now)
{
	zg_text_print(text, "\n%-18s %10s %10s %10s %10s\n", "pool", "objects", "in use",
		      "most ever", "refused");
	memory_pool(text, "exchanges", &now->exchanges);
	memory_pool(text, "arena chunks", &now->chunks);
	/* The plan's slots are more than the connections that are served. */
	zg_text_print(text,
		      "%-18s %10" PRIu64 " %10" PRIu64 "   and %" PRIu64
		      " slots for those being accepted\n",
		      "connections",
		      (uint64_t)server->config.connections_each * server->config.shard_count,
		      now->open, (uint64_t)ZGI_ACCEPT_HEADROOM * server->config.shard_count);
}

/* held over live is the fragmentation inside; reserved over held the room there still is. */
static void memory_usages(struct zg_text *text, const struct zgi_admin_usages *usages)
{
	zg_text_print(text, "\n%-12s %-18s %8s %10s %12s %12s %12s %9s\n", "kind", "name",
		      "holders", "objects", "live", "held", "reserved", "held/live");
	for (uint32_t index = 0; index < usages->count; index++) {
		const struct zg_usage *sum = &usages->rows[index].sum;
		uint64_t percent = zgi_admin_usage_percent(sum);

		zg_text_print(text,
			      "%-12s %-18s %8" PRIu32 " %10" PRIu64 " %12" PRIu64 " %12" PRIu64
			      " %12" PRIu64 " %6" PRIu64 ".%02" PRIu64 "\n",
			      sum->kind, sum->name, usages->rows[index].holder_count,
			      sum->live_count, sum->live_size, sum->held_size, sum->reserved_size,
			      percent / 100, percent % 100);
	}
}

static void memory_shard(struct zg_text *text, const struct zg_pause *meter, uint32_t number)
{
	struct zg_pause_figures figures;

	zg_pause_read(meter, &figures);
	zg_text_print(text,
		      "%-5" PRIu32 " %10" PRIu64 " %9.1f %9.1f %9.1f %11.1f %8" PRIu64 " %7" PRIu64
		      " %7" PRIu64 " %9" PRIu64 " %9" PRIu64 "\n",
		      number, figures.turn_count, (double)zg_pause_quantile(meter, 0.5) / MEMORY_US,
		      (double)zg_pause_quantile(meter, 0.99) / MEMORY_US,
		      (double)zg_pause_quantile(meter, 0.999) / MEMORY_US,
		      (double)figures.longest_ns / MEMORY_US,
		      figures.longest_begin_ns == 0
			      ? 0
			      : (zgi_clock_ns() - figures.longest_begin_ns) / MEMORY_NS_PER_S,
		      figures.fault_minor_count, figures.fault_major_count,
		      figures.switch_voluntary_count, figures.switch_involuntary_count);
}

/* A row a shard, as many as the page has room for: there may be a thousand. */
static void memory_pauses(struct zg_text *text, const struct zgi_server *server,
			  const struct zgi_admin_snapshot *now)
{
	uint32_t index = 0;

	zg_text_print(text,
		      "\npage faults since the seal: %" PRIu64 " minor, %" PRIu64 " major\n\n"
		      "%-5s %10s %9s %9s %9s %11s %8s %7s %7s %9s %9s\n",
		      now->faults.minor, now->faults.major, "shard", "turns", "p50 us", "p99 us",
		      "p99.9 us", "longest us", "ago s", "minor", "major", "waited", "preempted");
	for (; index < server->config.shard_count; index++) {
		if (text->size + 2 * MEMORY_ROW_SIZE > text->capacity)
			break;
		memory_shard(text, &zgi_admin_shard(server, index)->pause, index);
	}
	if (index < server->config.shard_count)
		zg_text_print(text, "and %" PRIu32 " shards for which this page has no room\n",
			      server->config.shard_count - index);
}

void zgi_admin_memory_print(struct zg_text *text, const struct zgi_server *server)
{
	struct zgi_admin_snapshot now;

	zgi_admin_snapshot_read(server, &now);
	zg_plan_print(&server->plan, text);
	if (server->config.guest_finding[0] != '\0')
		zg_text_print(text, "%s\n", server->config.guest_finding);
	memory_totals(text, server, &now);
	memory_guest(text, &now);
	zgi_reserve_print(&server->reserve, text);
	memory_pools(text, server, &now);
	memory_spills(text, &now.spills);
	memory_usages(text, &now.usages);
	memory_pauses(text, server, &now);
}
