/*
 * What a server's memory turned out to be: in a line for the log, and in full for the
 * pages. All of it was measured at boot; nothing is asked of the kernel again.
 */

#include "server/reserve.h"

#include <inttypes.h>

#define REPORT_MIB 1048576.0

/* The sums over all regions. */
struct reserve_sums {
	uint64_t size;
	uint64_t huge_size;
	uint64_t huge_asked_size; /* of the regions that are to lie on huge pages */
	uint64_t locked_size;
	uint64_t page_count;
	uint64_t node_page_count;
	const char *reason_pages; /* the first there is; "" when none */
	const char *reason_lock;
	const char *reason_bind;
};

static const char *report_first(const char *reason, const char *next)
{
	return reason[0] != '\0' ? reason : next;
}

static void report_add(struct reserve_sums *sums, const struct zgi_reserve_part *part)
{
	const struct zg_region_report *report = &part->report;

	sums->size += report->size;
	if (part->region.asked.pages != ZG_REGION_PAGES_SMALL) {
		sums->huge_size += report->huge_size;
		sums->huge_asked_size += report->size;
	}
	sums->locked_size += report->locked_size;
	sums->page_count += report->page_count;
	sums->node_page_count += report->node_page_count;
	sums->reason_pages = report_first(sums->reason_pages, report->pages_reason);
	sums->reason_lock = report_first(sums->reason_lock, report->lock_reason);
	sums->reason_bind = report_first(sums->reason_bind, report->bind_reason);
}

static struct reserve_sums report_sum(const struct zgi_reserve *reserve)
{
	struct reserve_sums sums = {.reason_pages = "", .reason_lock = "", .reason_bind = ""};

	for (uint32_t index = 0; index < reserve->node_count; index++) {
		report_add(&sums, &reserve->nodes[index].shards);
		report_add(&sums, &reserve->nodes[index].stacks);
	}
	return sums;
}

static void report_reason(const char *reason, struct zg_text *text)
{
	if (reason[0] != '\0')
		zg_text_print(text, " (%s)", reason);
}

void zgi_reserve_summarise(const struct zgi_reserve *reserve,
			   const struct zgi_server_config *config, struct zg_text *text)
{
	const struct zgi_placement *placement = &config->placement;
	struct reserve_sums sums = report_sum(reserve);

	if (config->options.huge_pages == ZG_REGION_PAGES_SMALL) {
		zg_text_print(text, "no huge pages");
	} else {
		zg_text_print(text, "%.1f of %.1f MiB on huge pages",
			      (double)sums.huge_size / REPORT_MIB,
			      (double)sums.huge_asked_size / REPORT_MIB);
		report_reason(sums.reason_pages, text);
	}
	if (config->options.lock_memory != ZG_REGION_NO) {
		zg_text_print(text, "; %.1f of %.1f MiB locked",
			      (double)(sums.locked_size + reserve->image_locked_size) / REPORT_MIB,
			      (double)(sums.size + reserve->image_size) / REPORT_MIB);
		report_reason(sums.reason_lock, text);
	}
	if (!placement->is_bound) {
		zg_text_print(text, "; not bound to NUMA nodes: %s", placement->reason);
		return;
	}
	zg_text_print(text,
		      "; %" PRIu32 " NUMA nodes, %" PRIu64 " of %" PRIu64 " pages on their own",
		      placement->node_count, sums.node_page_count, sums.page_count);
	report_reason(sums.reason_bind, text);
}

void zgi_reserve_print(const struct zgi_reserve *reserve, struct zg_text *text)
{
	if (reserve->image_size > 0)
		zg_text_print(text, "program: asked: locked; obtained: %.1f of %.1f MiB\n",
			      (double)reserve->image_locked_size / REPORT_MIB,
			      (double)reserve->image_size / REPORT_MIB);
	for (uint32_t index = 0; index < reserve->node_count; index++) {
		const struct zgi_reserve_part *shards = &reserve->nodes[index].shards;
		const struct zgi_reserve_part *stacks = &reserve->nodes[index].stacks;

		zg_region_report_print(&shards->region, &shards->report, text);
		zg_region_report_print(&stacks->region, &stacks->report, text);
	}
}

static void report_json(const struct zgi_reserve_part *part, struct zg_text *text)
{
	const struct zg_region_report *report = &part->report;

	zg_text_print(text,
		      "{\"name\": \"%s\", \"size\": %zu, \"resident\": %zu, \"huge\": %zu, "
		      "\"locked\": %zu, \"pages\": %" PRIu64 ", \"pages_on_node\": %" PRIu64
		      ", \"node\": ",
		      part->name, report->size, report->resident_size, report->huge_size,
		      report->locked_size, report->page_count, report->node_page_count);
	if (part->region.asked.bind == ZG_REGION_NO)
		zg_text_append(text, ZG_SLICE("null}"));
	else
		zg_text_print(text, "%" PRIu32 "}", part->region.asked.node);
}

void zgi_reserve_print_json(const struct zgi_reserve *reserve, struct zg_text *text)
{
	zg_text_append(text, ZG_SLICE("["));
	for (uint32_t index = 0; index < reserve->node_count; index++) {
		if (index > 0)
			zg_text_append(text, ZG_SLICE(", "));
		report_json(&reserve->nodes[index].shards, text);
		zg_text_append(text, ZG_SLICE(", "));
		report_json(&reserve->nodes[index].stacks, text);
	}
	zg_text_append(text, ZG_SLICE("]"));
}
