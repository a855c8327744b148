/*
 * Region: one range of memory, mapped and touched at boot, carved and never given back.
 *
 * A service reserves its plan as regions. Every page is faulted in at init, so that
 * no request ever waits for the kernel to find a page. A region can be on huge pages,
 * locked against being paged out, and on one NUMA node, each where it can be had:
 * the options say what is asked, the report what was obtained, and why when it is less.
 *
 * A page that faults lies before each region and one behind it, so that an overrun ends
 * at once and not in a neighbour.
 *
 * Ownership  The region owns the mapping; what is carved lives until fini. The struct
 *            is registered (see watch.h) and stays where it is: zg_region_move() moves it.
 * Threads    Not locked: carve at boot, from one thread. Any thread may read a report.
 */
#ifndef ZEROG_REGION_H
#define ZEROG_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/text.h>
#include <zerog/watch.h>

ZG_BEGIN_DECLS

#define ZG_REGION_REASON_SIZE 128
#define ZG_REGION_NODES_MAX 1024 /* numbers of nodes are below this, as the kernel's are */

/* Which pages the memory lies on. */
enum zg_region_pages {
	ZG_REGION_PAGES_DEFAULT, /* as the machine is set: nothing is asked of the kernel */
	ZG_REGION_PAGES_SMALL, /* no huge page, whatever the machine is set to */
	ZG_REGION_PAGES_TRANSPARENT, /* huge ones where the kernel has them at hand */
	ZG_REGION_PAGES_EXPLICIT, /* from the pool set aside in vm.nr_hugepages, else transparent */
	ZG_REGION_PAGES_EXPLICIT_ONLY, /* from that pool, or init fails */
};

/* How much a property is wanted. */
enum zg_region_want {
	ZG_REGION_NO,
	ZG_REGION_TRY, /* as far as it can be had; the report says how far */
	ZG_REGION_MUST, /* all of it, or init fails */
};

/* Zeroed, all but the size: pages of the machine's choice, faulted in, on any node. */
struct zg_region_options {
	size_t size; /* bytes wanted, at least 1; rounded up to whole pages */
	const char *name; /* static text; NULL is "region" */
	enum zg_region_pages pages;
	size_t huge_page_size; /* bytes, of explicit pages: 2 or 1024 MiB; 0 is the machine's
				  default */
	bool is_lazy; /* leave pages to be faulted in when they are first touched */
	enum zg_region_want lock; /* keep the pages in memory, as mlock(2) does */
	enum zg_region_want bind; /* to the memory of one NUMA node */
	uint32_t node; /* which one, below ZG_REGION_NODES_MAX; read when `bind` asks */
	struct zg_text *error; /* borrowed, may be NULL: a failed init says here what to change */
};

struct zg_region {
	uint32_t magic;
	unsigned char *memory; /* owned mapping */
	size_t size; /* bytes mapped: a multiple of the page size */
	size_t used; /* bytes carved, padding included; the thread that carves writes it */
	struct zg_region_options asked; /* its error text is not kept */
	enum zg_region_pages pages; /* obtained: never EXPLICIT_ONLY */
	size_t page_size; /* bytes of a page of the mapping, and what it is aligned to */
	size_t locked_size; /* bytes, from the start, that were locked at init */
	int pages_error; /* why the pages are not those asked for: a negative errno, or 0 */
	int lock_error;
	int bind_error;
	struct zg_watched watched;
};

/* What a region has, as measured. A reason is empty where all that was asked was obtained. */
struct zg_region_report {
	size_t size; /* bytes mapped */
	size_t resident_size; /* bytes faulted in */
	size_t huge_size; /* bytes on huge pages, of either kind */
	size_t locked_size; /* bytes that cannot be paged out */
	uint64_t page_count; /* pages that were looked up: 0 when no node was asked for */
	uint64_t node_page_count; /* of those, the ones on the node asked for */
	char pages_reason[ZG_REGION_REASON_SIZE];
	char lock_reason[ZG_REGION_REASON_SIZE];
	char bind_reason[ZG_REGION_REASON_SIZE];
};

/**
 * zg_region_size() - bytes that a region with these options maps
 * @options:  as for zg_region_init()
 *
 * The same whether explicit huge pages are obtained or others take their place, so
 * that a plan made from it holds either way.
 *
 * Return: bytes, a multiple of the page size; 0 when the size is 0 or cannot be rounded up, or the
 * size of huge pages is no power of two: zg_region_init() refuses those.
 */
size_t zg_region_size(const struct zg_region_options *options);

/**
 * zg_region_init() - map memory and touch every page of it
 * @region:   the caller's; overwritten
 * @options:  read during the call
 *
 * Pages are populated with MADV_POPULATE_WRITE, or touched one by one where the
 * kernel is older than 5.14.
 *
 * Return: 0; -ENOMEM when the kernel has no such range, no such pages, or not all of what MUST be;
 * -EPERM when locking or binding MUST be and is forbidden; -EINVAL when the size is 0 or cannot be
 * rounded up, when the size of huge pages is no power of two or less than an ordinary page, and
 * when there is no such node or no such size of huge page and it MUST be. The options' error text
 * says what to change.
 * Boot only. Source: mmap(2), madvise(2), mlock(2), mbind(2).
 */
ZG_MUST_USE int zg_region_init(struct zg_region *region, const struct zg_region_options *options);

/**
 * zg_region_carve() - hand out the next bytes of the region, zeroed
 * @region:      initialised
 * @size:        bytes, may be 0
 * @alignment:   a power of two, at most the page size
 * @ret_memory:  the bytes, borrowed from the region; untouched on failure
 *
 * Return: 0; -ENOMEM when the region is used up: the plan forgot a line.
 */
ZG_MUST_USE int zg_region_carve(struct zg_region *region, size_t size, size_t alignment,
				void **ret_memory);

/**
 * zg_region_report() - measure what a region has
 * @region:      initialised
 * @ret_report:  untouched on failure
 *
 * Bytes are summed up from /proc/self/smaps; on which node a page is, move_pages(2) says.
 * That walks over every page of the process: for boot and for looking into something,
 * not for every request.
 *
 * Return: 0; -errno when smaps cannot be read. Any thread; makes no allocation.
 */
ZG_MUST_USE int zg_region_report(const struct zg_region *region,
				 struct zg_region_report *ret_report);

/**
 * zg_region_report_print() - a line for each property that was asked for: asked and obtained
 * @region:  initialised
 * @report:  of that region
 * @text:    appended to
 */
void zg_region_report_print(const struct zg_region *region, const struct zg_region_report *report,
			    struct zg_text *text);

/**
 * zg_region_move() - let another struct stand for the region
 * @to:    the caller's; overwritten. May lie in the region itself
 * @from:  initialised; zeroed
 *
 * What was carved stays where it is. Boot only.
 */
void zg_region_move(struct zg_region *to, struct zg_region *from);

/**
 * zg_region_fini() - unmap the region and all that was carved from it
 * @region:  initialised, or zeroed; must not lie in the region itself (see zg_region_move())
 */
void zg_region_fini(struct zg_region *region);

ZG_END_DECLS

#endif
