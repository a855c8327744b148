/*
 * What the kernel says of memory: what there still is, what this process holds,
 * and the program's own pages.
 */
#include "mem/plan/memory.h"

#include <errno.h>
#include <stdio.h>

#include <zerog/plan.h>

#include "base/assert.h"
#include "base/file.h"

#define MEMORY_FILE_SIZE_MAX 4096
#define MEMORY_PATH_SIZE_MAX 256
#define MEMORY_KIB 1024

int zgi_memory_available_in(const struct zgi_memory_roots *roots, uint64_t *ret_size,
			    const char **ret_source)
{
	char path[MEMORY_PATH_SIZE_MAX];
	char text[MEMORY_FILE_SIZE_MAX];
	const char *source = "MemAvailable";
	uint64_t available;
	uint64_t left;
	int result;

	zg_assert(ret_size != NULL);
	(void)snprintf(path, sizeof(path), "%s/meminfo", roots->proc);
	result = zgi_file_read(path, text, sizeof(text), NULL);
	if (result < 0)
		return result;
	if (zgi_file_field(text, "MemAvailable:", &available) < 0)
		return -EPROTO;
	available *= MEMORY_KIB;

	left = zgi_memory_cgroup_left(roots);
	if (left < available) {
		available = left;
		source = "the control group's limit";
	}
	*ret_size = available;
	if (ret_source != NULL)
		*ret_source = source;
	return 0;
}

int zg_memory_available(uint64_t *ret_size, const char **ret_source)
{
	static const struct zgi_memory_roots roots = {"/proc", "/sys/fs/cgroup"};

	return zgi_memory_available_in(&roots, ret_size, ret_source);
}

int zg_memory_resident(uint64_t *ret_size)
{
	char text[MEMORY_FILE_SIZE_MAX];
	uint64_t size;
	uint64_t explicit_size = 0;
	int result;

	zg_assert(ret_size != NULL);
	result = zgi_file_read("/proc/self/smaps_rollup", text, sizeof(text), NULL);
	if (result < 0)
		return result;
	if (zgi_file_field(text, "Rss:", &size) < 0)
		return -EPROTO;
	/* Rss leaves explicit huge pages out. */
	(void)!zgi_file_field(text, "Private_Hugetlb:", &explicit_size);
	*ret_size = (size + explicit_size) * MEMORY_KIB;
	return 0;
}
