/*
 * /memory for programs: what the page says, as one JSON object.
 */

#include "server/admin/admin.h"

#include <inttypes.h>

static void json_pool(struct zg_text *text, const char *name, const struct zgi_admin_pool *pool)
{
	zg_text_print(text,
		      "\"%s\": {\"total\": %" PRIu64 ", \"free\": %" PRIu64
		      ", \"free_low\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"misused\": %" PRIu64
		      ", \"retired\": %" PRIu64 "}",
		      name, pool->total, pool->free, pool->free_low, pool->refused, pool->misused,
		      pool->retired);
}

void zgi_admin_memory_print_json(struct zg_text *text, const struct zgi_server *server)
{
	struct zgi_admin_snapshot now;

	zgi_admin_snapshot_read(server, &now);
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
	zg_text_print(text, "], \"pools\": {");
	json_pool(text, "exchanges", &now.exchanges);
	zg_text_print(text, ", ");
	json_pool(text, "arena_chunks", &now.chunks);
	zg_text_print(text,
		      "}, \"connections\": {\"limit\": %" PRIu64 ", \"open\": %" PRIu64
		      ", \"waiting\": %" PRIu64 "}, \"shards\": %" PRIu32 ", \"io\": \"%s\"}\n",
		      (uint64_t)server->config.connections_each * server->config.shard_count,
		      now.open, now.waiting, server->config.shard_count,
		      server->config.io_kind == ZG_IO_URING ? "uring" : "epoll");
}
