/*
 * libnuma reads the machine's shape; what is asked of the kernel is asked by its thin
 * wrappers of mbind and move_pages, which keep nothing and allocate nothing.
 */
#include "mem/region/numa.h"

#include <errno.h>
#include <numa.h>
#include <numaif.h>
#include <stdbool.h>
#include <string.h>

#include <zerog/region.h>

#include "base/assert.h"

#define NUMA_WORD_BITS (8 * sizeof(unsigned long))
#define NUMA_PAGES_EACH_CALL 256

/* The place of a node, in order of numbers; NULL when there is room for no more. */
static struct zgi_numa_node *numa_place(struct zgi_numa *numa, uint32_t node)
{
	uint32_t index = 0;

	while (index < numa->node_count && numa->nodes[index].node < node)
		index++;
	if (index < numa->node_count && numa->nodes[index].node == node)
		return &numa->nodes[index];
	if (numa->node_count == ZGI_NUMA_NODES_MAX)
		return NULL;
	memmove(&numa->nodes[index + 1], &numa->nodes[index],
		(numa->node_count - index) * sizeof(numa->nodes[0]));
	numa->nodes[index] = (struct zgi_numa_node){.node = node};
	numa->node_count++;
	return &numa->nodes[index];
}

static bool numa_has_memory(int node)
{
	return node >= 0 && numa_bitmask_isbitset(numa_all_nodes_ptr, (unsigned int)node);
}

void zgi_numa_read(struct zgi_numa *ret_numa)
{
	cpu_set_t allowed;

	memset(ret_numa, 0, sizeof(*ret_numa));
	if (numa_available() < 0) {
		ret_numa->reason = "the kernel has no NUMA, or does not let us use it";
		return;
	}
	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0) {
		ret_numa->reason = "there are too many processors to know them all";
		return;
	}
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		struct zgi_numa_node *node;
		int number;

		if (!CPU_ISSET((size_t)cpu, &allowed))
			continue;
		number = numa_node_of_cpu(cpu);
		if (!numa_has_memory(number))
			continue;
		node = numa_place(ret_numa, (uint32_t)number);
		if (node == NULL) {
			ret_numa->node_count = 0;
			ret_numa->reason = "there are more nodes than can be dealt with";
			return;
		}
		CPU_SET((size_t)cpu, &node->cpus);
		node->cpu_count++;
	}
	if (ret_numa->node_count == 0)
		ret_numa->reason = "no node has both memory and processors for us";
}

int zgi_numa_bind(void *memory, size_t size, uint32_t node)
{
	unsigned long nodes[ZG_REGION_NODES_MAX / NUMA_WORD_BITS] = {0};

	if (node >= ZG_REGION_NODES_MAX)
		return -EINVAL;
	nodes[node / NUMA_WORD_BITS] = 1UL << node % NUMA_WORD_BITS;
	/* The kernel takes one bit less than it is told. */
	if (mbind(memory, size, MPOL_PREFERRED, nodes, ZG_REGION_NODES_MAX + 1, 0) < 0)
		return -errno;
	return 0;
}

void zgi_numa_keep(void *memory, size_t size)
{
	(void)mbind(memory, size, MPOL_LOCAL, NULL, 0, 0);
}

int zgi_numa_count(const struct zgi_numa_pages *pages, uint64_t *ret_count)
{
	void *addresses[NUMA_PAGES_EACH_CALL];
	int nodes[NUMA_PAGES_EACH_CALL];
	uint64_t found = 0;
	size_t offset = 0;

	zg_assert(pages->page_size > 0);
	while (offset < pages->size) {
		unsigned long count = 0;

		for (; count < NUMA_PAGES_EACH_CALL && offset < pages->size; count++) {
			addresses[count] = pages->memory + offset;
			offset += pages->page_size;
		}
		if (move_pages(0, count, addresses, NULL, nodes, 0) < 0)
			return -errno;
		for (unsigned long index = 0; index < count; index++)
			found += nodes[index] == (int)pages->node;
	}
	*ret_count = found;
	return 0;
}
