/*
 * Regions of one node are made one after the other, and all of them before anything
 * is carved, so that a machine that is too small says so at once.
 */

#include "server/reserve.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "mem/region/parts.h"

static bool reserve_is_explicit(const struct zgi_server_config *config)
{
	return config->options.huge_pages == ZG_REGION_PAGES_EXPLICIT ||
	       config->options.huge_pages == ZG_REGION_PAGES_EXPLICIT_ONLY;
}

static struct zg_region_options reserve_shards(const struct zgi_server_config *config,
					       const struct zgi_placement_node *node)
{
	return (struct zg_region_options){
		.size = zgi_server_carved_size(config, node->shard_count),
		.name = "shards",
		.pages = config->options.huge_pages,
		.lock = config->options.lock_memory,
		.bind = config->placement.is_bound ? ZG_REGION_TRY : ZG_REGION_NO,
		.node = node->node,
	};
}

static struct zg_region_options reserve_stacks(const struct zgi_server_config *config,
					       const struct zgi_placement_node *node)
{
	struct zg_region_options options = reserve_shards(config, node);

	options.size = (uint64_t)node->shard_count * ZGI_SHARD_STACK_WHOLE_SIZE;
	/* Threads that are no shard's go wherever there is a processor. */
	if (node == &config->placement.nodes[0])
		options.size += zgi_server_worker_stacks_size(config);
	options.name = "stacks";
	options.pages = ZG_REGION_PAGES_SMALL;
	return options;
}

uint64_t zgi_reserve_padding(const struct zgi_server_config *config)
{
	uint64_t padding = 0;

	for (uint32_t index = 0; index < config->placement.node_count; index++) {
		const struct zg_region_options options =
			reserve_shards(config, &config->placement.nodes[index]);

		padding += zg_region_size(&options) - options.size;
	}
	return padding;
}

int zgi_reserve_available(const struct zgi_server_config *config, uint64_t *ret_size,
			  const char **ret_source)
{
	const struct zg_region_options options =
		reserve_shards(config, &config->placement.nodes[0]);
	size_t page_size = zgi_region_huge_page_size(&options);
	uint64_t size;
	int result = zg_memory_available(&size, ret_source);

	if (result < 0)
		return result;
	/* Pages that are set aside for huge ones are no longer among what is available. */
	if (reserve_is_explicit(config))
		size += zgi_region_huge_free(page_size) * page_size;
	*ret_size = size;
	return 0;
}

static int reserve_image(struct zgi_reserve *reserve, const struct zgi_server_config *config,
			 struct zg_text *ret_error)
{
	int result;

	if (config->options.lock_memory == ZG_REGION_NO)
		return 0;
	result = zg_memory_lock_image(&reserve->image_size, &reserve->image_locked_size);
	if (result < 0 || (config->options.lock_memory == ZG_REGION_MUST &&
			   reserve->image_locked_size < reserve->image_size)) {
		zg_text_print(ret_error,
			      "%.1f of the program's %.1f MiB can be locked: raise RLIMIT_MEMLOCK "
			      "(ulimit -l), give CAP_IPC_LOCK, or use --lock-memory try",
			      (double)reserve->image_locked_size / 1048576,
			      (double)reserve->image_size / 1048576);
		return result < 0 ? result : -ENOMEM;
	}
	return 0;
}

/* Which option makes do with less. */
static const char *reserve_remedy(const struct zg_region_options *options)
{
	if (options->pages == ZG_REGION_PAGES_EXPLICIT_ONLY)
		return ", or use --huge-pages explicit";
	return options->lock == ZG_REGION_MUST ? ", or use --lock-memory try" : "";
}

static int reserve_part(struct zgi_reserve_part *part, struct zg_region_options options,
			const struct zgi_placement *placement, struct zg_text *ret_error)
{
	struct zg_text name;
	int result;

	zg_text_init(&name, part->name, sizeof(part->name));
	zg_text_print(&name, "%s", options.name);
	if (placement->is_bound)
		zg_text_print(&name, " of node %" PRIu32, options.node);
	options.name = part->name;
	options.error = ret_error;
	result = zg_region_init(&part->region, &options);
	if (result < 0) {
		zg_text_print(ret_error, "%s", reserve_remedy(&options));
		return result;
	}
	result = zg_region_report(&part->region, &part->report);
	if (result < 0)
		zg_text_print(ret_error, "/proc/self/smaps cannot be read: %s",
			      strerrordesc_np(-result));
	return result;
}

int zgi_reserve_init(struct zgi_reserve *reserve, const struct zgi_server_config *config,
		     struct zg_text *ret_error)
{
	const struct zgi_placement *placement = &config->placement;
	int result;

	memset(reserve, 0, sizeof(*reserve));
	result = reserve_image(reserve, config, ret_error);
	for (uint32_t index = 0; index < placement->node_count && result == 0; index++) {
		const struct zgi_placement_node *node = &placement->nodes[index];

		reserve->node_count++;
		result = reserve_part(&reserve->nodes[index].shards, reserve_shards(config, node),
				      placement, ret_error);
		if (result == 0)
			result = reserve_part(&reserve->nodes[index].stacks,
					      reserve_stacks(config, node), placement, ret_error);
	}
	return result;
}

void zgi_reserve_fini(struct zgi_reserve *reserve)
{
	for (uint32_t index = 0; index < reserve->node_count; index++) {
		zg_region_fini(&reserve->nodes[index].shards.region);
		zg_region_fini(&reserve->nodes[index].stacks.region);
	}
	memset(reserve, 0, sizeof(*reserve));
}
