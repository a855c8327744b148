/*
 * The mapping that a service lives in.
 *
 * Every page is written to by the kernel at boot, for two reasons: a page fault
 * while serving costs more than a request (2.8 us for 4 KB), and memory that
 * was promised but not there shows at boot rather than under load.
 */
#include <zerog/region.h>

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "mem/region/parts.h"
#include "mem/watch/registry.h"

#define REGION_MAGIC UINT32_C(0x6e676572)

static void region_measure(const struct zg_watched *watched, struct zg_usage *ret_usage)
{
	const struct zg_region *region = ZGI_WATCHED_OWNER(watched, struct zg_region, watched);
	size_t used = __atomic_load_n(&region->used, __ATOMIC_RELAXED);

	ret_usage->name = region->asked.name;
	ret_usage->live_size = used;
	ret_usage->held_size = used;
	ret_usage->reserved_size = region->size;
}

static const struct zgi_watch_class region_class = {.kind = "region", .measure = region_measure};

/* A region smaller than its own rounding to a huge page is not worth one of another size. */
static size_t region_page_size(const struct zg_region_options *options)
{
	if (options->pages == ZG_REGION_PAGES_EXPLICIT ||
	    options->pages == ZG_REGION_PAGES_EXPLICIT_ONLY)
		return zgi_region_huge_page_size(options);
	return zgi_region_base_page_size();
}

size_t zg_region_size(const struct zg_region_options *options)
{
	size_t page_size = region_page_size(options);
	size_t size;

	/* What is no size of a page is refused by init; here it must not be calculated with. */
	if ((page_size & (page_size - 1)) != 0)
		return 0;
	if (__builtin_add_overflow(options->size, page_size - 1, &size))
		return 0;
	return size & ~(page_size - 1);
}

/* Which option is none, and what it may be; false when all can be tried. */
static bool region_is_invalid(const struct zg_region_options *options, struct zg_text *error)
{
	const char *name = options->name != NULL ? options->name : "region";
	size_t page_size = options->huge_page_size;

	if (page_size > 0 &&
	    ((page_size & (page_size - 1)) != 0 || page_size < zgi_region_base_page_size())) {
		if (error != NULL)
			zg_text_print(error,
				      "%s: huge_page_size is %zu bytes, which no page has: "
				      "2 MiB, 1024 MiB, or 0 for the machine's default",
				      name, page_size);
		return true;
	}
	if (zg_region_size(options) > 0)
		return false;
	if (error != NULL)
		zg_text_print(error,
			      options->size == 0 ? "%s: size is %zu: a region has at least 1 byte"
						 : "%s: size is %zu bytes, too many to be rounded "
						   "up to whole pages",
			      name, options->size);
	return true;
}

/* What to change, from the step that failed. */
static void region_explain(const struct zg_region *region,
			   void (*reason)(const struct zg_region *region,
					  const struct zg_region_report *report,
					  struct zg_text *text),
			   struct zg_text *text)
{
	const struct zg_region_report nothing = {0};

	if (text == NULL)
		return;
	zg_text_print(text, "%s, %.1f MiB: ", region->asked.name, (double)region->size / 1048576);
	if (reason != NULL)
		reason(region, &nothing, text);
	else
		zg_text_print(text, "the machine has not enough memory");
}

static int region_fill(struct zg_region *region, struct zg_text *error)
{
	int result = zgi_region_bind(region);

	if (result < 0) {
		region_explain(region, zgi_region_bind_reason, error);
		return result;
	}
	result = region->asked.is_lazy ? 0 : zgi_region_populate(region);
	if (result < 0) {
		region_explain(region, NULL, error);
		return result;
	}
	result = zgi_region_lock(region);
	if (result < 0) {
		region_explain(region, zgi_region_lock_reason, error);
		return result;
	}
	result = zgi_region_bind_check(region);
	if (result < 0)
		region_explain(region, zgi_region_bind_reason, error);
	return result;
}

int zg_region_init(struct zg_region *region, const struct zg_region_options *options)
{
	struct zg_region made = {.magic = REGION_MAGIC, .asked = *options};
	int result;

	zg_assert(region != NULL);
	if (region_is_invalid(options, options->error))
		return -EINVAL;
	made.asked.error = NULL;
	if (made.asked.name == NULL)
		made.asked.name = "region";
	made.size = zg_region_size(options);
	result = zgi_region_map(&made);
	if (result < 0) {
		region_explain(&made,
			       options->pages == ZG_REGION_PAGES_EXPLICIT_ONLY
				       ? zgi_region_pages_reason
				       : NULL,
			       options->error);
		return result;
	}
	result = region_fill(&made, options->error);
	if (result < 0) {
		zgi_region_unmap(&made);
		return result;
	}
	*region = made;
	zgi_watch_add(&region->watched, &region_class);
	return 0;
}

int zg_region_carve(struct zg_region *region, size_t size, size_t alignment, void **ret_memory)
{
	size_t start;

	zg_assert(region->magic == REGION_MAGIC);
	zg_assert(alignment > 0 && (alignment & (alignment - 1)) == 0);
	zg_assert(alignment <= region->page_size);

	/* No wrap: used is at most size, and size is a multiple of the page size. */
	start = (region->used + alignment - 1) & ~(alignment - 1);
	if (size > region->size - start)
		return -ENOMEM;
	__atomic_store_n(&region->used, start + size, __ATOMIC_RELAXED);
	*ret_memory = region->memory + start;
	return 0;
}

void zg_region_move(struct zg_region *to, struct zg_region *from)
{
	zg_assert(from->magic == REGION_MAGIC);
	zg_assert(to != from);
	zgi_watch_remove(&from->watched);
	*to = *from;
	zgi_watch_add(&to->watched, &region_class);
	memset(from, 0, sizeof(*from));
}

void zg_region_fini(struct zg_region *region)
{
	if (region->magic == 0)
		return;
	zg_assert(region->magic == REGION_MAGIC);
	zgi_watch_remove(&region->watched);
	zgi_region_unmap(region);
	memset(region, 0, sizeof(*region));
}
