/*
 * The parts of making a region, in the order in which init calls them: mapped, bound to
 * a node, faulted in, locked. Each leaves in the region what it obtained, and why less.
 */
#ifndef ZEROG_MEM_REGION_PARTS_H
#define ZEROG_MEM_REGION_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include <zerog/region.h>

#define ZGI_REGION_HUGE_PAGE_SIZE ((size_t)2 << 20) /* of a transparent one */

/* Bytes of the machine's ordinary page. */
size_t zgi_region_base_page_size(void);

/* Bytes of the explicit huge pages that the options ask for: a power of two. */
size_t zgi_region_huge_page_size(const struct zg_region_options *options);

/* Pages of that size that are in the machine's pool and promised to nobody. */
uint64_t zgi_region_huge_free(size_t page_size);

/**
 * zgi_region_map() - a mapping of the size and the pages asked for, its pages not there yet
 * @region:  `asked` and `size` are set; memory, pages, page_size and pages_error are written
 *
 * Return: 0; -ENOMEM; -EINVAL when explicit pages only are asked for in a size there is not.
 */
ZG_MUST_USE int zgi_region_map(struct zg_region *region);

/* Take the mapping back. */
void zgi_region_unmap(struct zg_region *region);

/* Fault every page in. Return: 0; -ENOMEM. */
ZG_MUST_USE int zgi_region_populate(struct zg_region *region);

/**
 * zgi_region_lock() - lock the region, or as much of its beginning as may be
 * @region:  populated; locked_size and lock_error are written
 *
 * Return: 0; -ENOMEM, -EPERM when not all of it is locked and it MUST be.
 */
ZG_MUST_USE int zgi_region_lock(struct zg_region *region);

/* Ask for the node's memory, if for any, before any page is there. Return: 0; -errno when it MUST
 * be. */
ZG_MUST_USE int zgi_region_bind(struct zg_region *region);

/* Look whether the pages came from the node. Return: 0; -errno when not all did and they MUST. */
ZG_MUST_USE int zgi_region_bind_check(struct zg_region *region);

/* Why a region has less than was asked: a phrase each, appended; nothing when it has all. */
void zgi_region_pages_reason(const struct zg_region *region, const struct zg_region_report *report,
			     struct zg_text *text);
void zgi_region_lock_reason(const struct zg_region *region, const struct zg_region_report *report,
			    struct zg_text *text);
void zgi_region_bind_reason(const struct zg_region *region, const struct zg_region_report *report,
			    struct zg_text *text);

#endif
