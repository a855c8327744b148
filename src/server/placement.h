/*
 * Placement: which shard works on which NUMA node.
 */
#ifndef ZEROG_SERVER_PLACEMENT_H
#define ZEROG_SERVER_PLACEMENT_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "mem/region/numa.h"

/* The shards of one node are numbered one after the other. */
struct zgi_placement_node {
	uint32_t node; /* the kernel's number of it */
	uint32_t shard_first;
	uint32_t shard_count; /* at least 1 */
	cpu_set_t cpus;
};

struct zgi_placement {
	bool is_bound; /* memory and threads keep to their nodes */
	const char *reason; /* static text: why they do not; NULL when they do */
	uint32_t node_count; /* at least 1: all shards are of the first when they are not bound */
	struct zgi_placement_node nodes[ZGI_NUMA_NODES_MAX];
};

/**
 * zgi_placement_make() - deal shards out to nodes, in proportion to their processors
 * @numa:           what there is; NULL when nodes are not to be looked at
 * @shard_count:    at least 1
 * @ret_placement:  overwritten
 *
 * With less than two nodes nothing is bound: there would be nothing to choose.
 */
void zgi_placement_make(const struct zgi_numa *numa, uint32_t shard_count,
			struct zgi_placement *ret_placement);

/* The place of a shard's node among the placement's nodes. */
uint32_t zgi_placement_node_index(const struct zgi_placement *placement, uint32_t shard_index);

/**
 * zgi_placement_pin() - keep the calling thread to its shard's node
 * @placement:    made
 * @shard_index:  of the calling thread
 *
 * Return: 0, also when nothing is bound; -errno of sched_setaffinity(2).
 */
ZG_MUST_USE int zgi_placement_pin(const struct zgi_placement *placement, uint32_t shard_index);

#endif
