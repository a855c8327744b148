/*
 * The leak report. It is made on the stack in one walk over the registry, so that it can
 * be had from a service that is sealed.
 */
#include "mem/watch/leaks.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "mem/watch/registry.h"

/* Objects of one pool from one place. */
struct leaks_group {
	const char *name; /* static */
	const void *site;
	uint64_t count;
	uint64_t oldest_ns; /* the first moment of a take */
	uint64_t youngest_ns; /* the last */
};

struct zgi_leaks {
	struct leaks_group groups[ZG_LEAK_GROUPS_MAX];
	uint32_t group_count;
	uint64_t count; /* of objects */
	uint64_t count_ungrouped; /* of those, the ones no group was left for */
};

_Static_assert(sizeof(struct zgi_leaks) <= 4096, "it lies on the stack of a shard");

/* Pools of one name are one to the reader: each shard has its own. */
static bool leaks_belong(const struct leaks_group *group, const struct zgi_leak *leak)
{
	return group->site == leak->site &&
	       (group->name == leak->name || strcmp(group->name, leak->name) == 0);
}

void zgi_leaks_add(struct zgi_leaks *leaks, const struct zgi_leak *leak)
{
	uint32_t at = 0;
	struct leaks_group *group;

	zg_assert(leak->name != NULL);
	leaks->count += leak->count;
	while (at < leaks->group_count && !leaks_belong(&leaks->groups[at], leak))
		++at;
	if (at == ZG_LEAK_GROUPS_MAX) {
		leaks->count_ungrouped += leak->count;
		return;
	}

	group = &leaks->groups[at];
	if (at == leaks->group_count) {
		++leaks->group_count;
		*group = (struct leaks_group){
			.name = leak->name,
			.site = leak->site,
			.oldest_ns = leak->taken_ns,
			.youngest_ns = leak->taken_ns,
		};
	}
	group->count += leak->count;
	if (leak->taken_ns < group->oldest_ns)
		group->oldest_ns = leak->taken_ns;
	if (leak->taken_ns > group->youngest_ns)
		group->youngest_ns = leak->taken_ns;
}

static void leaks_visit(const struct zg_watched *watched, void *user)
{
	if (watched->class_of->tell_leaks != NULL)
		watched->class_of->tell_leaks(watched, user);
}

/* Seconds from a moment to now, which another thread may have passed already. */
static double leaks_age(uint64_t now_ns, uint64_t taken_ns)
{
	return taken_ns < now_ns ? (double)(now_ns - taken_ns) / 1e9 : 0;
}

static void leaks_print_group(struct zg_text *text, const struct leaks_group *group,
			      uint64_t now_ns)
{
	zg_text_print(text, "  %s: %" PRIu64 " from ", group->name, group->count);
	if (group->site == NULL) {
		zg_text_append(text, ZG_SLICE("unknown site: set is_tracked in a pool of your own, "
					      "start a service with --track on for its own\n"));
		return;
	}
	zg_site_print(text, group->site);
	if (group->count > 1)
		zg_text_print(text, ", %.1f s to %.1f s old\n",
			      leaks_age(now_ns, group->youngest_ns),
			      leaks_age(now_ns, group->oldest_ns));
	else
		zg_text_print(text, ", %.1f s old\n", leaks_age(now_ns, group->oldest_ns));
}

uint64_t zgi_leaks_print(struct zg_text *text, const char *what)
{
	struct zgi_leaks leaks;
	uint64_t now_ns;

	leaks.group_count = 0;
	leaks.count = 0;
	leaks.count_ungrouped = 0;
	zgi_watch_visit(leaks_visit, &leaks);
	now_ns = zgi_clock_coarse_ns();
	if (leaks.count == 0)
		return 0;

	zg_text_print(text, "%" PRIu64 " %s %s:\n", leaks.count,
		      leaks.count == 1 ? "object is" : "objects are", what);
	for (uint32_t at = 0; at < leaks.group_count; ++at)
		leaks_print_group(text, &leaks.groups[at], now_ns);
	if (leaks.count_ungrouped > 0)
		zg_text_print(text, "  and %" PRIu64 " more from other places\n",
			      leaks.count_ungrouped);
	return leaks.count;
}

uint64_t zg_leak_report(struct zg_text *text)
{
	return zgi_leaks_print(text, "not given back");
}
