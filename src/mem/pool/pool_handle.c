/*
 * One list under one lock, as in registry.c: it changes when a pool is made or ends.
 *
 * For each tag there is the generation that its next pool begins with. It is above all that were
 * ever handed out under the tag, whichever block had them: so a handle that is kept beyond the end
 * of its pool is stale in every later one. A tag wears out as one block does that is taken and
 * given as often as the busiest block of each of its pools, in all their lives together.
 */
#include "mem/pool/pool_handle.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/assert.h"

#define HANDLE_TAG_COUNT 256

static pthread_mutex_t handle_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct zg_pool_handles *handle_pools; /* of those that live, the latest first */
static uint64_t handle_generations[HANDLE_TAG_COUNT]; /* 0 stands for 1: none was used yet */

static uint64_t handle_generation(uint32_t tag)
{
	return handle_generations[tag] == 0 ? 1 : handle_generations[tag];
}

static bool handles_are_free(uint32_t first, uint32_t count)
{
	for (const struct zg_pool_handles *at = handle_pools; at != NULL; at = at->next)
		if (first < at->first + at->count && at->first < first + count)
			return false;
	return true;
}

static int handle_try(uint32_t tag, const struct zgi_handle_wish *wish)
{
	if (!handles_are_free(tag << 20 | wish->index_first, wish->block_count))
		return -EEXIST;
	return handle_generation(tag) > wish->generation_max ? -ENOSPC : 0;
}

/* Return: 0, the tag in `ret_tag`; or as zgi_handles_claim(). */
static int handle_choose(const struct zgi_handle_wish *wish, uint32_t *ret_tag)
{
	*ret_tag = wish->tag;
	if (wish->tag != 0)
		return handle_try(wish->tag, wish);
	/* From above: people count from below. */
	for (uint32_t tag = HANDLE_TAG_COUNT - 1; tag > 0; --tag) {
		*ret_tag = tag;
		if (handle_try(tag, wish) == 0)
			return 0;
	}
	return -ENOSPC;
}

int zgi_handles_claim(struct zg_pool_handles *handles, const struct zgi_handle_wish *wish,
		      uint64_t *ret_generation)
{
	uint32_t tag;
	int result;

	pthread_mutex_lock(&handle_mutex);
	/* Made twice, it would be listed twice, and the list would have no end. */
	for (const struct zg_pool_handles *at = handle_pools; at != NULL; at = at->next)
		zg_assert(at != handles);
	result = handle_choose(wish, &tag);
	if (result == 0) {
		*handles = (struct zg_pool_handles){
			.next = handle_pools,
			.first = tag << 20 | wish->index_first,
			.count = wish->block_count,
		};
		handle_pools = handles;
		*ret_generation = handle_generation(tag);
	}
	pthread_mutex_unlock(&handle_mutex);
	return result;
}

void zgi_handles_release(struct zg_pool_handles *handles, uint64_t generation_next)
{
	struct zg_pool_handles **at = &handle_pools;
	uint32_t tag = handles->first >> 20;

	pthread_mutex_lock(&handle_mutex);
	while (*at != NULL && *at != handles)
		at = &(*at)->next;
	zg_assert(*at == handles);
	*at = handles->next;
	if (generation_next > handle_generation(tag))
		handle_generations[tag] = generation_next;
	*handles = (struct zg_pool_handles){0};
	pthread_mutex_unlock(&handle_mutex);
}

void zgi_handles_forget(void)
{
	pthread_mutex_lock(&handle_mutex);
	memset(handle_generations, 0, sizeof(handle_generations));
	pthread_mutex_unlock(&handle_mutex);
}
