/*
 * What an application hangs onto a shard: its data, and the functions that are called
 * when the shard begins, at the end of each of its turns, and when it ends.
 */

#include <errno.h>

#include <zerog/app.h>

#include "base/assert.h"
#include "base/clock.h"
#include "server/server.h"

/* The whole shard, from what an application has of it. */
static struct zgi_shard *hooks_shard(const struct zg_shard *shard)
{
	zg_assert(shard->magic == ZGI_ASYNC_MAGIC);
	return zgi_shard_of(shard);
}

struct zg_shard *zg_exchange_shard(const struct zg_exchange *x)
{
	struct zgi_shard *shard = x->web->shard;

	zg_assert(shard->async.magic == ZGI_ASYNC_MAGIC);
	return &shard->async;
}

uint32_t zg_shard_index(const struct zg_shard *shard)
{
	return hooks_shard(shard)->index;
}

uint32_t zg_shard_count(const struct zg_shard *shard)
{
	return hooks_shard(shard)->server->config.shard_count;
}

void *zg_shard_data(const struct zg_shard *shard)
{
	zg_assert(shard->magic == ZGI_ASYNC_MAGIC);
	return shard->data;
}

void zg_shard_set_data(struct zg_shard *shard, void *data)
{
	zg_assert(shard->magic == ZGI_ASYNC_MAGIC);
	shard->data = data;
}

int zg_app_on_shard_start(struct zg_app *app, zg_shard_start_handler *handler, void *user)
{
	struct zg_shard_hooks *hooks = &app->shard_hooks;

	zg_assert(handler != NULL);
	if (hooks->start_count == ZG_SHARD_HOOKS_MAX)
		return -ENOSPC;
	hooks->start[hooks->start_count].handler = handler;
	hooks->start[hooks->start_count++].user = user;
	return 0;
}

int zg_app_on_shard_stop(struct zg_app *app, zg_shard_handler *handler, void *user)
{
	struct zg_shard_hooks *hooks = &app->shard_hooks;

	zg_assert(handler != NULL);
	if (hooks->stop_count == ZG_SHARD_HOOKS_MAX)
		return -ENOSPC;
	hooks->stop[hooks->stop_count].handler = handler;
	hooks->stop[hooks->stop_count++].user = user;
	return 0;
}

int zg_app_on_turn_end(struct zg_app *app, zg_shard_handler *handler, void *user)
{
	struct zg_shard_hooks *hooks = &app->shard_hooks;

	zg_assert(handler != NULL);
	if (hooks->turn_end_count == ZG_SHARD_HOOKS_MAX)
		return -ENOSPC;
	hooks->turn_end[hooks->turn_end_count].handler = handler;
	hooks->turn_end[hooks->turn_end_count++].user = user;
	return 0;
}

int zgi_async_start(struct zg_shard *shard)
{
	const struct zg_shard_hooks *hooks = shard->hooks;

	zg_assert(shard->magic == ZGI_ASYNC_MAGIC);
	/* Timers that they start count from here. */
	shard->now_ns = zgi_clock_ns();
	for (uint32_t index = 0; hooks != NULL && index < hooks->start_count; index++) {
		int result = hooks->start[index].handler(shard, hooks->start[index].user);

		if (result < 0)
			return result;
	}
	shard->has_started = true;
	return 0;
}

void zgi_async_stop(struct zg_shard *shard)
{
	const struct zg_shard_hooks *hooks = shard->hooks;

	zg_assert(shard->magic == ZGI_ASYNC_MAGIC);
	if (hooks == NULL || !shard->has_started)
		return;
	for (uint32_t index = hooks->stop_count; index > 0; index--)
		hooks->stop[index - 1].handler(shard, hooks->stop[index - 1].user);
	shard->has_started = false;
}

void zgi_async_turn_end(struct zg_shard *shard)
{
	const struct zg_shard_hooks *hooks = shard->hooks;

	for (uint32_t index = 0; index < hooks->turn_end_count; index++)
		hooks->turn_end[index].handler(shard, hooks->turn_end[index].user);
}
