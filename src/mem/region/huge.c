/*
 * The pool of explicit huge pages, which the machine's owner sets aside (vm.nr_hugepages).
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "mem/region/parts.h"

#define HUGE_FILE_SIZE_MAX 4096
#define HUGE_PATH_SIZE_MAX 128

size_t zgi_region_huge_page_size(const struct zg_region_options *options)
{
	char text[HUGE_FILE_SIZE_MAX];
	uint64_t size_kib;

	if (options->huge_page_size > 0)
		return options->huge_page_size;
	if (zgi_file_read("/proc/meminfo", text, sizeof(text), NULL) == 0 &&
	    zgi_file_field(text, "Hugepagesize:", &size_kib) == 0 && size_kib > 0)
		return (size_t)size_kib * 1024;
	return ZGI_REGION_HUGE_PAGE_SIZE;
}

/* The number that is all there is in a file of the pool; 0 when there is no such file. */
static uint64_t huge_count(size_t page_size, const char *name)
{
	char path[HUGE_PATH_SIZE_MAX];
	char text[HUGE_FILE_SIZE_MAX];

	(void)snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%zukB/%s",
		       page_size / 1024, name);
	if (zgi_file_read(path, text, sizeof(text), NULL) < 0)
		return 0;
	return strtoull(text, NULL, 10);
}

uint64_t zgi_region_huge_free(size_t page_size)
{
	uint64_t free_count = huge_count(page_size, "free_hugepages");
	uint64_t promised_count = huge_count(page_size, "resv_hugepages");

	return free_count > promised_count ? free_count - promised_count : 0;
}
