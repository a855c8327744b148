/*
 * Why a region has less than was asked, in words that say what to change. The same
 * words end a failed init, where all of it had to be, and stand in the report elsewhere.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "base/file.h"
#include "mem/region/parts.h"

#define REASON_MIB 1048576.0
#define REASON_FILE_SIZE_MAX 256

static void reason_explicit(const struct zg_region *region, struct zg_text *text)
{
	size_t page_size = zgi_region_huge_page_size(&region->asked);

	if (region->pages_error == -EINVAL) {
		zg_text_print(text, "the machine has no explicit pages of %.0f MiB",
			      (double)page_size / REASON_MIB);
		return;
	}
	zg_text_print(text,
		      "%zu explicit pages of %.0f MiB are needed, %" PRIu64
		      " are free: raise vm.nr_hugepages",
		      region->size / page_size, (double)page_size / REASON_MIB,
		      zgi_region_huge_free(page_size));
}

static void reason_transparent(const struct zg_region *region,
			       const struct zg_region_report *report, struct zg_text *text)
{
	static const char path[] = "/sys/kernel/mm/transparent_hugepage/enabled";
	char state[REASON_FILE_SIZE_MAX];
	size_t whole_size = region->size / ZGI_REGION_HUGE_PAGE_SIZE * ZGI_REGION_HUGE_PAGE_SIZE;

	if (zgi_file_read(path, state, sizeof(state), NULL) < 0)
		zg_text_print(text, "the kernel has no transparent huge pages");
	else if (strstr(state, "[never]") != NULL)
		zg_text_print(text, "they are off: write madvise to %s", path);
	else if (report->huge_size >= whole_size)
		zg_text_print(text, "the rest is less than a huge page");
	else if (report->resident_size < region->size)
		zg_text_print(text, "not all of it has been touched");
	else
		zg_text_print(text, "the kernel had no more memory in one piece");
}

void zgi_region_pages_reason(const struct zg_region *region, const struct zg_region_report *report,
			     struct zg_text *text)
{
	enum zg_region_pages asked = region->asked.pages;
	bool is_explicit =
		asked == ZG_REGION_PAGES_EXPLICIT || asked == ZG_REGION_PAGES_EXPLICIT_ONLY;

	if (is_explicit && region->pages != ZG_REGION_PAGES_EXPLICIT)
		reason_explicit(region, text);
	else if (asked == ZG_REGION_PAGES_TRANSPARENT && report->huge_size < region->size)
		reason_transparent(region, report, text);
}

void zgi_region_lock_reason(const struct zg_region *region, const struct zg_region_report *report,
			    struct zg_text *text)
{
	struct rlimit limit;

	if (region->asked.lock == ZG_REGION_NO || report->locked_size >= region->size)
		return;
	if (region->lock_error == 0)
		zg_text_print(text, "the rest is locked when it is touched");
	else if (region->lock_error == -EAGAIN)
		zg_text_print(text, "the machine has not enough memory");
	else if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0)
		zg_text_print(text,
			      "RLIMIT_MEMLOCK is %.1f MiB: raise it (ulimit -l) or give "
			      "CAP_IPC_LOCK",
			      (double)limit.rlim_cur / REASON_MIB);
}

void zgi_region_bind_reason(const struct zg_region *region, const struct zg_region_report *report,
			    struct zg_text *text)
{
	if (region->asked.bind == ZG_REGION_NO ||
	    (report->page_count > 0 && report->node_page_count == report->page_count))
		return;
	switch (-region->bind_error) {
	case 0:
	case ENOMEM:
		if (region->asked.is_lazy)
			zg_text_print(text, "the rest is not there yet");
		else
			zg_text_print(text, "node %" PRIu32 " has too little free memory",
				      region->asked.node);
		break;
	case EINVAL:
		zg_text_print(text, "there is no node %" PRIu32 " that we may use",
			      region->asked.node);
		break;
	case EPERM:
		zg_text_print(text, "binding memory is forbidden here: give CAP_SYS_NICE");
		break;
	default:
		zg_text_print(text, "the kernel has no NUMA");
		break;
	}
}
