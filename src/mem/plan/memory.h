/*
 * Memory: how much of it there is, as the files of the kernel tell.
 */
#ifndef ZEROG_MEM_PLAN_MEMORY_H
#define ZEROG_MEM_PLAN_MEMORY_H

#include <stdint.h>

#include <zerog/attributes.h>

/* Where the kernel's files are: a test brings files of its own. */
struct zgi_memory_roots {
	const char *proc; /* "/proc" */
	const char *cgroup; /* "/sys/fs/cgroup" */
};

/**
 * zgi_memory_available_in() - zg_memory_available() with other files
 * @roots:       borrowed during the call
 * @ret_size:    bytes
 * @ret_source:  static text; may be NULL
 *
 * Return: 0; -errno when meminfo cannot be read; -EPROTO when it lacks MemAvailable.
 */
ZG_MUST_USE int zgi_memory_available_in(const struct zgi_memory_roots *roots, uint64_t *ret_size,
					const char **ret_source);

/**
 * zgi_memory_cgroup_left() - what the control groups of this process leave it
 * @roots:  borrowed during the call
 *
 * Return: bytes, the least over this process's groups and all their parents, page cache that can
 * be reclaimed not counted as used; UINT64_MAX when none has a limit. Boot only.
 */
uint64_t zgi_memory_cgroup_left(const struct zgi_memory_roots *roots);

#endif
