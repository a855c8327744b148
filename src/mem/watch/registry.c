/*
 * One list under one lock. It changes at boot and at the end only, so that nobody
 * who serves ever waits for it.
 */
#include "mem/watch/registry.h"

#include <errno.h>
#include <pthread.h>

#include "base/assert.h"
#include "mem/watch/fault.h"

#define REGISTRY_TAG_SHIFT 20 /* as in a handle, above the index */
#define REGISTRY_TAG_MAX 255

static pthread_mutex_t registry_mutex = PTHREAD_MUTEX_INITIALIZER;
/* The ends of the list: the first made, the last made. */
static struct zg_watched *registry_first;
static struct zg_watched *registry_last;

/* What has claimed its handles and is not ready to be looked at. */
static const struct zgi_watch_class registry_claimed = {.kind = ""};

static void registry_arm(struct zg_watched *watched, bool is_new)
{
	struct zg_usage usage = {.kind = watched->class_of->kind, .name = ""};
	bool is_armed;

	if (watched->class_of->arm == NULL)
		return;
	watched->class_of->measure(watched, &usage);
	is_armed = zgi_fault_is_armed(usage.name);
	/* What is new is not armed, and need not be told so. */
	if (is_armed || !is_new)
		watched->class_of->arm(watched, is_armed);
}

/* Under the lock. */
static bool registry_has(const struct zg_watched *watched)
{
	for (const struct zg_watched *at = registry_first; at != NULL; at = at->next)
		if (at == watched)
			return true;
	return false;
}

static void registry_append(struct zg_watched *watched)
{
	watched->previous = registry_last;
	if (registry_last != NULL)
		registry_last->next = watched;
	else
		registry_first = watched;
	registry_last = watched;
}

/* Are handles from `first` on nobody's? Tag and index together are one number, and no range
 * reaches from one tag into the next. */
static bool registry_is_free(uint32_t first, uint32_t count)
{
	for (const struct zg_watched *at = registry_first; at != NULL; at = at->next)
		if (first < at->handle_first + at->handle_count && at->handle_first < first + count)
			return false;
	return true;
}

/* Assigned in turn, so that what is made in the place of what has ended does not have its handles.
 */
static uint8_t registry_tag(const struct zgi_handle_range *range)
{
	static uint32_t latest = REGISTRY_TAG_MAX;

	for (uint32_t step = 1; step <= REGISTRY_TAG_MAX; ++step) {
		uint32_t tag = (latest + REGISTRY_TAG_MAX - step) % REGISTRY_TAG_MAX + 1;

		if (registry_is_free(tag << REGISTRY_TAG_SHIFT | range->index_first,
				     range->count)) {
			latest = tag;
			return (uint8_t)tag;
		}
	}
	return 0;
}

int zgi_watch_claim(struct zg_watched *watched, struct zgi_handle_range *range)
{
	uint32_t first = (uint32_t)range->tag << REGISTRY_TAG_SHIFT | range->index_first;
	int result = 0;

	pthread_mutex_lock(&registry_mutex);
	if (range->tag == 0) {
		uint8_t tag = registry_tag(range);

		first |= (uint32_t)tag << REGISTRY_TAG_SHIFT;
		result = tag == 0 ? -ENOSPC : 0;
	} else if (!registry_is_free(first, range->count)) {
		result = -EEXIST;
	}
	if (result == 0) {
		*watched = (struct zg_watched){.class_of = &registry_claimed,
					       .handle_first = first,
					       .handle_count = range->count};
		registry_append(watched);
		range->tag = (uint8_t)(first >> REGISTRY_TAG_SHIFT);
	}
	pthread_mutex_unlock(&registry_mutex);
	return result;
}

void zgi_watch_check_new(const struct zg_watched *watched)
{
	bool is_there;

	pthread_mutex_lock(&registry_mutex);
	is_there = registry_has(watched);
	pthread_mutex_unlock(&registry_mutex);
	zg_assert(!is_there);
}

void zgi_watch_add(struct zg_watched *watched, const struct zgi_watch_class *class_of)
{
	zg_assert(class_of != NULL && class_of->measure != NULL);
	pthread_mutex_lock(&registry_mutex);
	if (registry_has(watched)) {
		/* Only what claimed its handles is in the list before it is added. */
		zg_assert(watched->class_of == &registry_claimed);
		watched->class_of = class_of;
	} else {
		*watched = (struct zg_watched){.class_of = class_of};
		registry_append(watched);
	}
	registry_arm(watched, true);
	pthread_mutex_unlock(&registry_mutex);
}

void zgi_watch_arm(void)
{
	pthread_mutex_lock(&registry_mutex);
	for (struct zg_watched *at = registry_first; at != NULL; at = at->next)
		registry_arm(at, false);
	pthread_mutex_unlock(&registry_mutex);
}

void zgi_watch_remove(struct zg_watched *watched)
{
	if (watched->class_of == NULL)
		return;
	pthread_mutex_lock(&registry_mutex);
	if (watched->previous != NULL)
		watched->previous->next = watched->next;
	else
		registry_first = watched->next;
	if (watched->next != NULL)
		watched->next->previous = watched->previous;
	else
		registry_last = watched->previous;
	*watched = (struct zg_watched){0};
	pthread_mutex_unlock(&registry_mutex);
}

void zgi_watch_visit(void (*visit)(const struct zg_watched *watched, void *user), void *user)
{
	zg_assert(visit != NULL);
	pthread_mutex_lock(&registry_mutex);
	for (const struct zg_watched *at = registry_first; at != NULL; at = at->next)
		if (at->class_of != &registry_claimed)
			visit(at, user);
	pthread_mutex_unlock(&registry_mutex);
}

struct registry_usage_visit {
	void (*visit)(const struct zg_usage *usage, void *user);
	void *user;
};

static void registry_measure(const struct zg_watched *watched, void *user)
{
	const struct registry_usage_visit *call = user;
	struct zg_usage usage = {.kind = watched->class_of->kind, .name = ""};

	watched->class_of->measure(watched, &usage);
	call->visit(&usage, call->user);
}

void zg_watch_usage(void (*visit)(const struct zg_usage *usage, void *user), void *user)
{
	struct registry_usage_visit call = {visit, user};

	zgi_watch_visit(registry_measure, &call);
}
