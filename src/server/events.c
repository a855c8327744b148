/*
 * The rings lie in one region of their own, because they belong to no shard; the
 * subscribers are pools of the shards.
 */

#include "server/events.h"

#include <inttypes.h>
#include <time.h>

#include "base/assert.h"
#include "server/plan_lines.h"
#include "server/subscriber.h"
#include "web/topic.h"

static struct zg_region_options events_region(const struct zgi_server_config *config)
{
	const struct zg_options *options = &config->options;

	return (struct zg_region_options){
		.size = zgi_topics_size(options->topics, (uint32_t)options->topic_events,
					(uint32_t)options->event_size_max),
		.name = "events",
		.pages = ZG_REGION_PAGES_SMALL, /* so that the plan is exact */
		.lock = options->lock_memory,
	};
}

static int events_add_rings(struct zg_plan *plan, const struct zgi_server_config *config)
{
	const struct zg_region_options region = events_region(config);
	const uint64_t size = zg_region_size(&region);
	const struct zg_plan_line line = {
		.name = "events kept",
		.option = "--topic-events",
		.count = 1,
		.size_each = size,
		.parts = {{"rings of all topics", region.size},
			  {"rounding to a page", size - region.size}},
		.exhausted = "the oldest is overwritten; a subscriber that has not had it skips it",
		.counter = "zerog_events_skipped_total",
	};

	return zg_plan_add(plan, &line,
			   "%" PRIu32 " topics x (%" PRIu64 " events + 1 being written)",
			   config->options.topics, config->options.topic_events);
}

int zgi_plan_add_events(struct zg_plan *plan, const struct zgi_server_config *config)
{
	const uint64_t blocks = config->subscribers_each *
				zgi_subscriber_size((uint32_t)config->options.event_size_max);
	const uint64_t size = zgi_server_subscribers_size(config);
	const struct zg_plan_line line = {
		.name = "subscribers",
		.option = "--subscribers",
		.count = config->shard_count,
		.size_each = size,
		.parts = {{"share of --subscribers, an event each", blocks},
			  {"slots, tracks and rounding", size - blocks}},
		.exhausted = "503 with Retry-After",
		.counter = "zerog_subscribers_refused_total",
	};
	int result;

	if (config->subscribers_each == 0)
		return 0;
	result = zg_plan_add(plan, &line, "one pool a shard, of %" PRIu32 " subscribers",
			     config->subscribers_each);
	return result == 0 ? events_add_rings(plan, config) : result;
}

int zgi_events_open(const struct zgi_server_config *config, struct zg_region *ret_region,
		    struct zg_text *ret_error)
{
	struct zg_region_options options = events_region(config);
	struct zgi_topics_room room = {
		.event_count = (uint32_t)config->options.topic_events,
		.event_size_max = (uint32_t)config->options.event_size_max,
		.epoch = (uint32_t)time(NULL),
	};
	void *memory;
	int result;

	if (config->options.topics == 0)
		return 0;
	options.error = ret_error;
	result = zg_region_init(ret_region, &options);
	if (result < 0)
		return result;
	result = zg_region_carve(ret_region, options.size, 64, &memory);
	zg_assert(result == 0);
	room.memory = memory;
	zgi_topics_open(&room);
	return 0;
}

void zgi_events_close(struct zg_region *region)
{
	zgi_topics_close();
	zg_region_fini(region);
}
