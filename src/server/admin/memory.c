/*
 * /memory: what was planned, and what is in use.
 */

#include "server/admin/admin.h"

#include <inttypes.h>

static void memory_pool_print(struct zg_text *text, const char *name,
			      const struct zgi_admin_pool *pool)
{
	zg_text_print(text, "%-18s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n", name,
		      pool->total, pool->total - pool->free, pool->total - pool->free_low,
		      pool->refused);
}

void zgi_admin_memory_print(struct zg_text *text, const struct zgi_server *server)
{
	struct zgi_admin_snapshot now;

	zgi_admin_snapshot_read(server, &now);
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
	zg_text_print(text, "%-18s %10s %10s %10s %10s\n", "pool", "objects", "in use", "most ever",
		      "refused");
	memory_pool_print(text, "exchanges", &now.exchanges);
	memory_pool_print(text, "arena chunks", &now.chunks);
	zg_text_print(text, "%-18s %10" PRIu64 " %10" PRIu64 "\n", "connections",
		      (uint64_t)server->config.connections_each * server->config.shard_count,
		      now.open);
}
