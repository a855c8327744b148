/*
 * Control groups: the memory that a container or a service manager allows.
 *
 * A process has one group in the unified hierarchy (v2) and, on older systems,
 * one in the memory controller's own (v1). The limit that binds may stand on any
 * parent, so all are asked. Inside a container the path that the kernel names
 * may be the host's and not exist here; its parents then lead to the mount's
 * root, which is the container's own group.
 */
#include "mem/plan/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/file.h"

#define CGROUP_FILE_SIZE_MAX 4096
/* A group with a longer path is one whose limit we do not learn. */
#define CGROUP_PATH_SIZE_MAX 1024

/* v1 writes "no limit" as a number: LONG_MAX rounded down to a page. */
#define CGROUP_NO_LIMIT (UINT64_C(1) << 62)

struct cgroup_hierarchy {
	const char *mount; /* below the root of all: "" or "/memory" */
	const char *limit; /* file names */
	const char *current; /* … */
	const char *cache; /* the field of memory.stat that can be reclaimed */
};

static const struct cgroup_hierarchy cgroup_v2 = {"", "memory.max", "memory.current",
						  "inactive_file "};
static const struct cgroup_hierarchy cgroup_v2_hybrid = {"/unified", "memory.max", "memory.current",
							 "inactive_file "};
static const struct cgroup_hierarchy cgroup_v1 = {"/memory", "memory.limit_in_bytes",
						  "memory.usage_in_bytes", "total_inactive_file "};

/* Not inlined: several of its paths in one caller's frame would be too much for a frame. */
static int __attribute__((noinline))
cgroup_read(const char *folder, const char *name, char *text, size_t capacity)
{
	char path[CGROUP_PATH_SIZE_MAX];
	int size = snprintf(path, sizeof(path), "%s/%s", folder, name);

	if (size < 0 || (size_t)size >= sizeof(path))
		return -1;
	return zgi_file_read(path, text, capacity, NULL);
}

/* A file that holds one number; UINT64_MAX for "max", for none, and for none that can be read. */
static uint64_t cgroup_number(const char *folder, const char *name)
{
	char text[64];
	char *end;
	unsigned long long value;

	if (cgroup_read(folder, name, text, sizeof(text)) < 0)
		return UINT64_MAX;
	value = strtoull(text, &end, 10);
	return end == text ? UINT64_MAX : value;
}

static uint64_t cgroup_left_in(const struct cgroup_hierarchy *hierarchy, const char *folder)
{
	char text[CGROUP_FILE_SIZE_MAX];
	uint64_t limit = cgroup_number(folder, hierarchy->limit);
	uint64_t current = cgroup_number(folder, hierarchy->current);
	uint64_t cache = 0;

	if (limit >= CGROUP_NO_LIMIT || current == UINT64_MAX)
		return UINT64_MAX;
	if (cgroup_read(folder, "memory.stat", text, sizeof(text)) == 0 &&
	    zgi_file_field(text, hierarchy->cache, &cache) < 0)
		cache = 0;

	current -= cache < current ? cache : current;
	return current < limit ? limit - current : 0;
}

/* The least that a group and its parents leave. */
static uint64_t cgroup_left(const struct zgi_memory_roots *roots,
			    const struct cgroup_hierarchy *hierarchy, const char *group)
{
	char folder[CGROUP_PATH_SIZE_MAX];
	uint64_t least = UINT64_MAX;
	size_t root_size;
	int size;

	zg_assert(group[0] == '/');
	size = snprintf(folder, sizeof(folder), "%s%s%s", roots->cgroup, hierarchy->mount, group);
	if (size < 0 || (size_t)size >= sizeof(folder))
		return UINT64_MAX;

	root_size = strlen(roots->cgroup) + strlen(hierarchy->mount);
	for (;;) {
		uint64_t left = cgroup_left_in(hierarchy, folder);
		char *slash = strrchr(folder + root_size, '/');

		if (left < least)
			least = left;
		if (slash == NULL)
			return least;
		*slash = '\0';
	}
}

static bool cgroup_list_has(const char *list, const char *name)
{
	size_t name_size = strlen(name);

	while (strncmp(list, name, name_size) != 0 ||
	       (list[name_size] != ',' && list[name_size] != '\0')) {
		list = strchr(list, ',');
		if (list == NULL)
			return false;
		++list;
	}
	return true;
}

/* One line of /proc/self/cgroup: "number:controllers:/group"; no controllers is v2. */
static uint64_t cgroup_left_of_line(const struct zgi_memory_roots *roots, char *line)
{
	char *controllers = strchr(line, ':');
	char *group;
	uint64_t left;
	uint64_t left_hybrid;

	if (controllers == NULL)
		return UINT64_MAX;
	group = strchr(++controllers, ':');
	if (group == NULL || group[1] != '/')
		return UINT64_MAX;
	*group++ = '\0';

	if (controllers[0] != '\0')
		return cgroup_list_has(controllers, "memory")
			       ? cgroup_left(roots, &cgroup_v1, group)
			       : UINT64_MAX;
	left = cgroup_left(roots, &cgroup_v2, group);
	left_hybrid = cgroup_left(roots, &cgroup_v2_hybrid, group);
	return left < left_hybrid ? left : left_hybrid;
}

uint64_t zgi_memory_cgroup_left(const struct zgi_memory_roots *roots)
{
	char path[CGROUP_PATH_SIZE_MAX];
	char text[CGROUP_FILE_SIZE_MAX];
	uint64_t least = UINT64_MAX;
	char *line = text;

	(void)snprintf(path, sizeof(path), "%s/self/cgroup", roots->proc);
	if (zgi_file_read(path, text, sizeof(text), NULL) < 0)
		return UINT64_MAX;

	while (line != NULL && line[0] != '\0') {
		char *end = strchr(line, '\n');
		uint64_t left;

		if (end != NULL)
			*end++ = '\0';
		left = cgroup_left_of_line(roots, line);
		if (left < least)
			least = left;
		line = end;
	}
	return least;
}
