/*
 * One list under one lock. It changes at boot and at the end only, so that nobody
 * who serves ever waits for it.
 */
#include "mem/watch/registry.h"

#include <pthread.h>

#include "base/assert.h"
#include "mem/watch/fault.h"

static pthread_mutex_t registry_mutex = PTHREAD_MUTEX_INITIALIZER;
/* The ends of the list: the first made, the last made. */
static struct zg_watched *registry_first;
static struct zg_watched *registry_last;

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

void zgi_watch_add(struct zg_watched *watched, const struct zgi_watch_class *class_of)
{
	zg_assert(class_of != NULL && class_of->measure != NULL);
	pthread_mutex_lock(&registry_mutex);
	/* Listed twice, the list would have no end. */
	for (const struct zg_watched *at = registry_first; at != NULL; at = at->next)
		zg_assert(at != watched);
	*watched = (struct zg_watched){.previous = registry_last, .class_of = class_of};
	if (registry_last != NULL)
		registry_last->next = watched;
	else
		registry_first = watched;
	registry_last = watched;
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
