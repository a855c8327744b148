/*
 * NUMA: which nodes there are, and which of them memory lies on.
 *
 * A kernel or a container without NUMA is no error: there are no nodes then.
 */
#ifndef ZEROG_MEM_REGION_NUMA_H
#define ZEROG_MEM_REGION_NUMA_H

#include <sched.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>

#define ZGI_NUMA_NODES_MAX 16 /* with processors: eight sockets, each in two halves */

struct zgi_numa_node {
	uint32_t node; /* the kernel's number of it */
	uint32_t cpu_count;
	cpu_set_t cpus; /* of the node, those that this thread may run on */
};

struct zgi_numa {
	uint32_t node_count; /* nodes with memory and processors that this thread may use */
	const char *reason; /* static text: why there are none; NULL when there are */
	struct zgi_numa_node nodes[ZGI_NUMA_NODES_MAX]; /* in order of their numbers */
};

/**
 * zgi_numa_read() - find the nodes out, through libnuma
 * @ret_numa:  overwritten
 *
 * Boot only: libnuma allocates.
 */
void zgi_numa_read(struct zgi_numa *ret_numa);

/**
 * zgi_numa_bind() - let pages that are faulted in from now on come from a node
 * @memory:  page-aligned
 * @size:    bytes
 * @node:    below ZG_REGION_NODES_MAX
 *
 * When the node has no more memory, pages come from another: a service whose memory is
 * slow is better than one that was killed for want of it.
 *
 * Return: 0; -EINVAL when there is no such node; -ENOSYS, -EPERM where NUMA is not to be had.
 * Source: mbind(2), MPOL_PREFERRED.
 */
ZG_MUST_USE int zgi_numa_bind(void *memory, size_t size, uint32_t node);

/**
 * zgi_numa_keep() - let the kernel leave pages where they are
 * @memory:  page-aligned
 * @size:    bytes
 *
 * On a machine of several nodes the kernel takes pages away from time to time, to see from the
 * faults who uses them and whether they should be moved. Memory with a policy of its own is
 * spared that; this one's is to take what is near when it is first touched, as without it.
 *
 * Where it cannot be had there is nothing to be spared. Source: mbind(2), MPOL_LOCAL.
 */
void zgi_numa_keep(void *memory, size_t size);

/* Pages to be looked at. */
struct zgi_numa_pages {
	unsigned char *memory; /* page-aligned */
	size_t size; /* bytes */
	size_t page_size; /* bytes from one to the next */
	uint32_t node; /* which is asked for */
};

/**
 * zgi_numa_count() - how many pages lie on a node
 * @pages:      read during the call
 * @ret_count:  pages on the node; untouched on failure
 *
 * Return: 0; -errno of move_pages(2), which moves nothing here. Any thread; no allocation.
 */
ZG_MUST_USE int zgi_numa_count(const struct zgi_numa_pages *pages, uint64_t *ret_count);

#endif
