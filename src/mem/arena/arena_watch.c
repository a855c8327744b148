/*
 * An arena that is seen by the fragmentation meter. Apart from the arena itself, because
 * each exchange has one of those, and a service with a million would pay for a list that
 * nobody walks over.
 */
#include <zerog/arena.h>

#include <errno.h>

#include "base/assert.h"
#include "mem/watch/registry.h"

static void arena_watch_measure(const struct zg_watched *watched, struct zg_usage *ret_usage)
{
	const struct zg_arena_watch *watch =
		ZGI_WATCHED_OWNER(watched, struct zg_arena_watch, watched);
	struct zg_arena_usage usage;

	zg_arena_usage(watch->arena, &usage);
	ret_usage->name = watch->name;
	ret_usage->live_size = usage.live_size;
	ret_usage->held_size = usage.held_size;
	ret_usage->reserved_size = watch->reserved_size;
}

static const struct zgi_watch_class arena_watch_class = {.kind = "arena",
							 .measure = arena_watch_measure};

int zg_arena_watch_init(struct zg_arena_watch *watch, const struct zg_arena *arena,
			const char *name)
{
	zg_assert(watch != NULL);
	if (arena == NULL || arena->magic == 0 || name == NULL)
		return -EINVAL;
	*watch = (struct zg_arena_watch){
		.arena = arena,
		.name = name,
		.reserved_size = arena->memory_size,
	};
	if (arena->chunks != NULL)
		watch->reserved_size +=
			(uint64_t)arena->chunk_count_max * arena->chunks->block_size;
	zgi_watch_add(&watch->watched, &arena_watch_class);
	return 0;
}

void zg_arena_watch_fini(struct zg_arena_watch *watch)
{
	zgi_watch_remove(&watch->watched);
	*watch = (struct zg_arena_watch){0};
}
