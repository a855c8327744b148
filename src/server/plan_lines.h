/*
 * The lines of a server's plan: who holds what, and the small sums that boot carves by.
 */
#ifndef ZEROG_SERVER_PLAN_LINES_H
#define ZEROG_SERVER_PLAN_LINES_H

#include <stdint.h>

#include <zerog/plan.h>

#include "server/config.h"

#define ZGI_CONFIG_ALIGNMENT 64
#define ZGI_PAGE_SIZE 4096

static inline uint64_t zgi_config_round(uint64_t size, uint64_t alignment)
{
	return (size + alignment - 1) / alignment * alignment;
}

/* One shard's share, rounded up. */
static inline uint64_t zgi_config_share(uint64_t count, uint64_t shard_count)
{
	return (count + shard_count - 1) / shard_count;
}

/* Rounding of what is carved one after the other: slots, inbox, and the I/O object. */
static inline uint64_t zgi_config_padding_each(void)
{
	return 4 * ZGI_CONFIG_ALIGNMENT;
}

/* Add the connections' line, then a shard's other parts. Return: 0; -errno of zg_plan_add(). */
ZG_MUST_USE int zgi_plan_add_connections(struct zg_plan *plan,
					 const struct zgi_server_config *config);
ZG_MUST_USE int zgi_plan_add_shards(struct zg_plan *plan, const struct zgi_server_config *config);

/* plan_async.c: add the lines of what an application may start. Return: as above. */
ZG_MUST_USE int zgi_plan_add_async(struct zg_plan *plan, const struct zgi_server_config *config);

/* Add the guest heap's line, where there is one. Return: as above. */
ZG_MUST_USE int zgi_plan_add_guest_heap(struct zg_plan *plan,
					const struct zgi_server_config *config);

/* files.c: the table of static files, where the app has any. Return: as above. */
ZG_MUST_USE int zgi_plan_add_files(struct zg_plan *plan, const struct zgi_server_config *config);

/* events.c: subscribers and the rings of topics, where the app has any. Return: as above. */
ZG_MUST_USE int zgi_plan_add_events(struct zg_plan *plan, const struct zgi_server_config *config);

#endif
