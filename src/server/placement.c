/*
 * Memory of another node is half again as slow, and every byte of it goes over one
 * link. So a shard's memory lies where its thread runs: the thread may go from one
 * processor of its node to another, and to no other node.
 */

#include "server/placement.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"

static void placement_unbound(struct zgi_placement *placement, uint32_t shard_count,
			      const char *reason)
{
	placement->reason = reason;
	placement->node_count = 1;
	placement->nodes[0].shard_count = shard_count;
}

/* Each shard goes to the node that is then the least crowded; of equal ones, to the first. */
static void placement_deal(const struct zgi_numa *numa, uint32_t shard_count, uint32_t *ret_counts)
{
	memset(ret_counts, 0, numa->node_count * sizeof(*ret_counts));
	for (; shard_count > 0; shard_count--) {
		uint32_t best = 0;

		for (uint32_t index = 1; index < numa->node_count; index++)
			if ((uint64_t)(ret_counts[index] + 1) * numa->nodes[best].cpu_count <
			    (uint64_t)(ret_counts[best] + 1) * numa->nodes[index].cpu_count)
				best = index;
		ret_counts[best]++;
	}
}

void zgi_placement_make(const struct zgi_numa *numa, uint32_t shard_count,
			struct zgi_placement *ret_placement)
{
	uint32_t counts[ZGI_NUMA_NODES_MAX];
	uint32_t shard_first = 0;

	zg_assert(shard_count > 0);
	memset(ret_placement, 0, sizeof(*ret_placement));
	if (numa == NULL || numa->node_count < 2) {
		placement_unbound(ret_placement, shard_count,
				  numa == NULL		  ? "not asked for"
				  : numa->node_count == 0 ? numa->reason
							  : "there is one node");
		return;
	}
	placement_deal(numa, shard_count, counts);
	for (uint32_t index = 0; index < numa->node_count; index++) {
		if (counts[index] == 0)
			continue;
		ret_placement->nodes[ret_placement->node_count++] = (struct zgi_placement_node){
			.node = numa->nodes[index].node,
			.shard_first = shard_first,
			.shard_count = counts[index],
			.cpus = numa->nodes[index].cpus,
		};
		shard_first += counts[index];
	}
	ret_placement->is_bound = true;
	zg_assert(ret_placement->node_count > 0);
}

uint32_t zgi_placement_node_index(const struct zgi_placement *placement, uint32_t shard_index)
{
	uint32_t index = 0;

	while (shard_index - placement->nodes[index].shard_first >=
	       placement->nodes[index].shard_count) {
		index++;
		zg_assert(index < placement->node_count);
	}
	return index;
}

int zgi_placement_pin(const struct zgi_placement *placement, uint32_t shard_index)
{
	const struct zgi_placement_node *node;

	if (!placement->is_bound)
		return 0;
	node = &placement->nodes[zgi_placement_node_index(placement, shard_index)];
	return sched_setaffinity(0, sizeof(node->cpus), &node->cpus) == 0 ? 0 : -errno;
}
