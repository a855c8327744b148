/*
 * What a shard holds, line by line: who holds one, what one is made of, which line it
 * follows, and what happens when none is left.
 */
#include "server/plan_lines.h"

#include <inttypes.h>

#include <zerog/guest_heap.h>

#include "server/inbox.h"
#include "server/shard.h"
#include "web/exchange.h"

/* What the lines share: a number of shards, and what each of them has. */
static int lines_add_each(struct zg_plan *plan, const struct zgi_server_config *config,
			  struct zg_plan_line line, const char *what)
{
	uint64_t each = 0;

	line.times = config->shard_count;
	line.times_name = "shards";
	for (uint32_t index = 0; index < ZG_PLAN_TERMS_MAX; index++)
		each += line.holders[index].value;
	return zg_plan_add(plan, &line, "%" PRIu32 " shards x %" PRIu64 " %s", config->shard_count,
			   each, what);
}

int zgi_plan_add_connections(struct zg_plan *plan, const struct zgi_server_config *config)
{
	uint64_t share = zgi_config_share(config->options.connections, config->shard_count);
	uint64_t uneven = config->connections_each - share;
	const struct zg_plan_line line = {
		.name = "connection slots",
		.option = "--connections",
		.size_each = sizeof(struct zgi_connection),
		.times = config->shard_count,
		.times_name = "shards",
		.holders = {{"share of --connections", share},
			    {"for uneven arrival", uneven},
			    {"being accepted", ZGI_ACCEPT_HEADROOM}},
		.exhausted =
			"the longest idle connection is closed; when none is idle, the new one "
			"is answered with 503",
		.counter = "zerog_connections_evicted_total, zerog_connections_refused_total",
	};

	return zg_plan_add(plan, &line,
			   "%" PRIu32 " shards x (%" PRIu64 " share + %" PRIu64
			   " uneven arrival + %d being accepted)",
			   config->shard_count, share, uneven, ZGI_ACCEPT_HEADROOM);
}

static int lines_add_exchanges(struct zg_plan *plan, const struct zgi_server_config *config)
{
	const uint64_t buffers =
		config->options.read_buffer_size + config->options.write_buffer_size;
	const struct zg_plan_line line = {
		.name = "exchanges",
		.option = "--exchanges",
		.holders = {{"share of --exchanges", config->exchanges_each}},
		.parts = {{"request, fields and reply",
			   sizeof(struct zg_exchange) - ZGI_EXCHANGE_ARENA_SIZE},
			  {"first arena memory", ZGI_EXCHANGE_ARENA_SIZE},
			  {"read buffer", config->options.read_buffer_size},
			  {"write buffer", config->options.write_buffer_size},
			  {"rounding",
			   config->exchange_size - buffers - sizeof(struct zg_exchange)}},
		.exhausted =
			"a connection waits, unread; after --exchange-wait-ms-max it is answered "
			"with 503 and closed",
		.counter = "zerog_connections_waited_total, zerog_connections_refused_total",
	};

	return lines_add_each(plan, config, line, "requests in flight");
}

static int lines_add_chunks(struct zg_plan *plan, const struct zgi_server_config *config)
{
	const uint64_t payload = zg_arena_chunk_payload(config->chunk_size);
	const struct zg_plan_line line = {
		.name = "arena chunks",
		.option = "--arena-chunks",
		.holders = {{"share of --arena-chunks", config->chunks_each}},
		.parts = {{"payload", payload}, {"head", config->chunk_size - payload}},
		.exhausted = "the body is refused with 503 and the connection closed",
		.counter = "zerog_bodies_refused_total, zerog_arena_chunks_refused_total",
	};

	return lines_add_each(plan, config, line, "of --body-size-max or an admin page");
}

/* Bytes of a pool's memory besides its blocks. */
static uint64_t lines_pool_overhead(const struct zg_pool_options *pool)
{
	return zg_pool_memory_size(pool) -
	       zgi_config_round(pool->block_size, ZG_POOL_ALIGNMENT) * pool->block_count;
}

static int lines_add_bookkeeping(struct zg_plan *plan, const struct zgi_server_config *config)
{
	const struct zg_pool_options exchanges = zgi_server_exchange_pool(config);
	const struct zg_pool_options chunks = zgi_server_chunk_pool(config);
	const struct zg_plan_line line = {
		.name = "pool bookkeeping",
		.option = "--exchanges",
		.holders = {{"for a shard's pools", 1}},
		.parts = {{"the exchanges' slots and tracks", lines_pool_overhead(&exchanges)},
			  {"the chunks' slots and tracks", lines_pool_overhead(&chunks)},
			  {"rounding of what is carved", zgi_config_padding_each()}},
	};

	return lines_add_each(plan, config, line,
			      config->options.track
				      ? "set of slots and tracks for two pools, with padding"
				      : "set of slots for two pools, with padding");
}

static int lines_add_inbox(struct zg_plan *plan, const struct zgi_server_config *config)
{
	const uint64_t posts = config->options.posts;
	const uint64_t asked = 2 * (uint64_t)config->exchanges_each + posts;
	const struct zg_plan_line line = {
		.name = "inbox cells",
		.option = posts > 2 * (uint64_t)config->exchanges_each ? "--posts" : "--exchanges",
		.holders = {{"resumed once", config->exchanges_each},
			    {"resumed in vain once more", config->exchanges_each},
			    {"--posts", posts},
			    {"up to a power of two", config->inbox_cells_each - asked}},
		.parts = {{"sequence", sizeof(uint64_t)},
			  {"message", sizeof(struct zgi_inbox_cell) - sizeof(uint64_t)}},
		.depends_on = {{"exchanges", 2}},
		.exhausted = "zg_resume() or zg_shard_post() returns -EAGAIN",
		.counter = "zerog_resumes_refused_total, zerog_posts_refused_total",
	};

	return lines_add_each(plan, config, line,
			      posts == 0 ? "cells: two an exchange, up to a power of two"
					 : "cells: two an exchange, --posts, up to a power of two");
}

static int lines_add_shard(struct zg_plan *plan, const struct zgi_server_config *config)
{
	const uint64_t own = sizeof(struct zgi_shard) - sizeof(struct zg_pause) -
			     sizeof(((struct zgi_shard *)0)->events) - ZGI_DISCARD_SIZE;
	const struct zg_plan_line line = {
		.name = "shards",
		.option = "--shards",
		.holders = {{"thread", 1}},
		.parts = {{"state and counters", own},
			  {"pause meter", sizeof(struct zg_pause)},
			  {"events of a turn", sizeof(((struct zgi_shard *)0)->events)},
			  {"what nobody will read", ZGI_DISCARD_SIZE},
			  {"rounding", config->shard_size - sizeof(struct zgi_shard)}},
	};

	return lines_add_each(plan, config, line, "struct, events, counters, pause meter");
}

static int lines_add_stacks(struct zg_plan *plan, const struct zgi_server_config *config)
{
	const struct zg_plan_line line = {
		.name = "stacks",
		.option = "--shards",
		.holders = {{"of a shard's thread", 1}},
		.parts = {{"stack", ZGI_SHARD_STACK_SIZE}, {"guard page", ZGI_PAGE_SIZE}},
		.depends_on = {{"shards", 1}},
		.exhausted = "the guard page faults, and the process ends",
	};

	return lines_add_each(plan, config, line, "stack and its guard page");
}

int zgi_plan_add_guest_heap(struct zg_plan *plan, const struct zgi_server_config *config)
{
	const uint64_t size = config->guest_heap_size;
	const uint64_t mapped = zg_guest_heap_size_mapped(size);
	const struct zg_plan_line line = {
		.name = "guest heap",
		.option = "--guest-heap-size",
		.count = 1,
		.size_each = mapped,
		.parts = {{"--guest-heap-size, in steps of 4 MiB", size},
			  {"its map of addresses", mapped - size}},
		.exhausted = "malloc returns NULL to the library that called it",
		.counter = "zerog_guest_heap_failed_total",
	};

	if (size == 0)
		return 0;
	return zg_plan_add(plan, &line,
			   "what libraries may allocate, and the map of its addresses");
}

int zgi_plan_add_shards(struct zg_plan *plan, const struct zgi_server_config *config)
{
	int result = lines_add_exchanges(plan, config);

	if (result == 0)
		result = lines_add_chunks(plan, config);
	if (result == 0)
		result = lines_add_bookkeeping(plan, config);
	if (result == 0)
		result = lines_add_inbox(plan, config);
	if (result == 0)
		result = lines_add_shard(plan, config);
	if (result == 0)
		result = lines_add_stacks(plan, config);
	return result;
}
