/*
 * What a region has, held against what was asked: measured, and told in a line each.
 */
#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "mem/region/numa.h"
#include "mem/region/parts.h"
#include "mem/region/smaps.h"

#define REPORT_MIB 1048576.0

static size_t report_least(uint64_t measured, size_t size)
{
	return measured < size ? (size_t)measured : size;
}

static void report_bound(const struct zg_region *region, struct zg_region_report *report)
{
	struct zgi_numa_pages pages = {
		.memory = region->memory,
		.size = region->size,
		.page_size = region->page_size,
		.node = region->asked.node,
	};

	if (region->asked.bind == ZG_REGION_NO)
		return;
	report->page_count = region->size / region->page_size;
	/* What cannot be looked up is not claimed. */
	if (zgi_numa_count(&pages, &report->node_page_count) < 0)
		report->node_page_count = 0;
}

static void report_reasons(const struct zg_region *region, struct zg_region_report *report)
{
	const struct {
		void (*tell)(const struct zg_region *region, const struct zg_region_report *report,
			     struct zg_text *text);
		char *reason;
	} rows[] = {
		{zgi_region_pages_reason, report->pages_reason},
		{zgi_region_lock_reason, report->lock_reason},
		{zgi_region_bind_reason, report->bind_reason},
	};

	for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
		struct zg_text text;

		zg_text_init(&text, rows[index].reason, ZG_REGION_REASON_SIZE);
		rows[index].tell(region, report, &text);
	}
}

int zg_region_report(const struct zg_region *region, struct zg_region_report *ret_report)
{
	struct zg_region_report report = {.size = region->size};
	struct zgi_smaps smaps;
	int result;

	zg_assert(region->memory != NULL);
	result = zgi_smaps_read(region->memory, region->size, &smaps);
	if (result < 0)
		return result;
	report.resident_size = report_least(smaps.resident_size, region->size);
	report.huge_size = report_least(smaps.huge_size, region->size);
	report.locked_size = report_least(smaps.locked_size, region->size);
	/* smaps does not call locked what can never be paged out. */
	if (region->pages == ZG_REGION_PAGES_EXPLICIT && region->asked.lock != ZG_REGION_NO)
		report.locked_size = region->size;
	report_bound(region, &report);
	report_reasons(region, &report);
	*ret_report = report;
	return 0;
}

static const char *report_pages_word(enum zg_region_pages pages)
{
	switch (pages) {
	case ZG_REGION_PAGES_SMALL:
		return "small";
	case ZG_REGION_PAGES_TRANSPARENT:
		return "transparent huge";
	case ZG_REGION_PAGES_EXPLICIT:
	case ZG_REGION_PAGES_EXPLICIT_ONLY:
		return "explicit huge";
	case ZG_REGION_PAGES_DEFAULT:
	default:
		return "any";
	}
}

/* Who asked for small pages only and has them is not told how much of it is huge. */
static void report_pages(const struct zg_region *region, const struct zg_region_report *report,
			 struct zg_text *text)
{
	enum zg_region_pages asked = region->asked.pages;

	if (asked == ZG_REGION_PAGES_SMALL && report->huge_size == 0) {
		zg_text_print(text, "  pages: asked: small; obtained: small");
		return;
	}
	zg_text_print(text, "  pages: asked: %s; obtained: %s, %.1f of %.1f MiB huge",
		      report_pages_word(asked), report_pages_word(region->pages),
		      (double)report->huge_size / REPORT_MIB, (double)report->size / REPORT_MIB);
}

static void report_end(const char *reason, struct zg_text *text)
{
	if (reason[0] != '\0')
		zg_text_print(text, "; %s", reason);
	zg_text_append(text, ZG_SLICE("\n"));
}

void zg_region_report_print(const struct zg_region *region, const struct zg_region_report *report,
			    struct zg_text *text)
{
	const struct zg_region_options *asked = &region->asked;

	zg_assert(report->size == region->size);
	zg_text_print(text, "%s: %.1f MiB mapped, %.1f MiB resident\n", asked->name,
		      (double)report->size / REPORT_MIB,
		      (double)report->resident_size / REPORT_MIB);
	report_pages(region, report, text);
	report_end(report->pages_reason, text);
	if (asked->lock != ZG_REGION_NO) {
		zg_text_print(text, "  lock: asked: locked; obtained: %.1f of %.1f MiB",
			      (double)report->locked_size / REPORT_MIB,
			      (double)report->size / REPORT_MIB);
		report_end(report->lock_reason, text);
	}
	if (asked->bind != ZG_REGION_NO) {
		zg_text_print(text,
			      "  node: asked: %" PRIu32 "; obtained: %" PRIu64 " of %" PRIu64
			      " pages by move_pages",
			      asked->node, report->node_page_count, report->page_count);
		report_end(report->bind_reason, text);
	}
}
