/*
 * The tables of what a shard may start for an application: how large they are, and
 * how they are made.
 */
#include "server/async.h"

#include "base/assert.h"
#include "server/plan_lines.h"

void zgi_async_sizes(const struct zgi_server_config *config, struct zgi_async_sizes *ret_sizes)
{
	const struct zg_options *options = &config->options;

	*ret_sizes = (struct zgi_async_sizes){
		.flushes = zgi_config_round(options->flushes * sizeof(struct zgi_flush),
					    ZGI_CONFIG_ALIGNMENT),
		.jobs = zgi_config_round(config->jobs_each * sizeof(struct zg_job),
					 ZGI_CONFIG_ALIGNMENT),
		.watches = zgi_config_round(options->watches * sizeof(struct zgi_watch),
					    ZGI_CONFIG_ALIGNMENT),
		.timers = zgi_config_round(options->timers * sizeof(struct zgi_timer),
					   ZGI_CONFIG_ALIGNMENT),
		.timer_heap =
			zgi_config_round(options->timers * sizeof(uint32_t), ZGI_CONFIG_ALIGNMENT),
	};
}

uint64_t zgi_async_carved_size(const struct zgi_server_config *config)
{
	struct zgi_async_sizes sizes;

	zgi_async_sizes(config, &sizes);
	return sizes.flushes + sizes.jobs + sizes.watches + sizes.timers + sizes.timer_heap;
}

/* One carve for all: each of them is whole lines. */
static int async_carve(struct zg_shard *shard, const struct zgi_server_config *config,
		       struct zg_region *region)
{
	struct zgi_async_sizes sizes;
	unsigned char *place;
	void *memory;
	int result = zg_region_carve(region, zgi_async_carved_size(config), ZGI_CONFIG_ALIGNMENT,
				     &memory);

	if (result < 0)
		return result;
	zgi_async_sizes(config, &sizes);
	place = memory;
	shard->flushes.table = (struct zgi_flush *)(void *)place;
	place += sizes.flushes;
	shard->jobs.table = (struct zg_job *)(void *)place;
	place += sizes.jobs;
	shard->watches.table = (struct zgi_watch *)(void *)place;
	place += sizes.watches;
	shard->timers.table = (struct zgi_timer *)(void *)place;
	place += sizes.timers;
	shard->timers.heap = (uint32_t *)(void *)place;
	return 0;
}

int zgi_async_init(struct zg_shard *shard, const struct zgi_async_options *options,
		   struct zg_region *region)
{
	const struct zgi_server_config *config = options->config;

	*shard = (struct zg_shard){
		.magic = ZGI_ASYNC_MAGIC,
		.hooks = options->hooks,
		.flushes.count = (uint32_t)config->options.flushes,
		.jobs.count = config->jobs_each,
		.jobs.workers = options->offload,
		.watches.count = (uint32_t)config->options.watches,
		.timers.count = (uint32_t)config->options.timers,
	};

	int result = async_carve(shard, config, region);

	if (result < 0)
		return result;
	for (uint32_t index = 0; index < shard->flushes.count; index++)
		shard->flushes.table[index] = (struct zgi_flush){0};
	/* The first is taken first. */
	for (uint32_t index = shard->jobs.count; index > 0; index--) {
		shard->jobs.table[index - 1] = (struct zg_job){.work.next = shard->jobs.free_first};
		shard->jobs.free_first = &shard->jobs.table[index - 1].work;
	}
	for (uint32_t index = 0; index < shard->watches.count; index++)
		shard->watches.table[index] = (struct zgi_watch){.fd = -1, .generation = 1};
	for (uint32_t index = 0; index < shard->timers.count; index++)
		shard->timers.table[index] = (struct zgi_timer){
			.generation = 1, .heap_place = index + 1, /* the next free */
		};
	return 0;
}
