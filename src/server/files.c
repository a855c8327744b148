/*
 * The table and the small files' contents lie in one region of their own, because
 * they belong to no shard.
 */

#include "server/files.h"

#include <inttypes.h>

#include "base/assert.h"
#include "server/plan_lines.h"
#include "web/static_table.h"

static uint64_t files_table_size(const struct zgi_server_config *config)
{
	return zgi_config_round(zgi_static_table_size((uint32_t)config->options.static_files), 64);
}

static struct zg_region_options files_region(const struct zgi_server_config *config)
{
	return (struct zg_region_options){
		.size = files_table_size(config) + config->options.static_memory_size,
		.name = "static files",
		.pages = ZG_REGION_PAGES_SMALL, /* so that the plan is exact */
		.lock = config->options.lock_memory,
	};
}

int zgi_plan_add_files(struct zg_plan *plan, const struct zgi_server_config *config)
{
	const struct zg_region_options region = files_region(config);
	const uint64_t size = zg_region_size(&region);
	const struct zg_plan_line line = {
		.name = "static files",
		.option = "--static-files",
		.count = 1,
		.size_each = size,
		.parts = {{"table of --static-files", files_table_size(config)},
			  {"--static-memory-size, for small ones",
			   config->options.static_memory_size},
			  {"rounding to a page", size - region.size}},
		.exhausted = "past --static-files the service does not start; past "
			     "--static-memory-size a file is sent by its descriptor",
		.counter = "zerog_files_from_memory_total, zerog_files_from_descriptor_total",
	};

	if (config->options.static_folders == 0)
		return 0;
	return zg_plan_add(
		plan, &line,
		"%" PRIu64 " files of %" PRIu32 " folder%s, and %" PRIu64 " bytes of small ones",
		config->options.static_files, config->options.static_folders,
		config->options.static_folders == 1 ? "" : "s", config->options.static_memory_size);
}

int zgi_files_open(const struct zgi_server_config *config, struct zg_region *ret_region,
		   struct zg_text *ret_error)
{
	struct zg_region_options options = files_region(config);
	struct zgi_static_room room = {
		.file_count_max = (uint32_t)config->options.static_files,
		.memory_size = config->options.static_memory_size,
	};
	void *memory;
	int result;

	if (config->options.static_folders == 0)
		return 0;
	options.error = ret_error;
	result = zg_region_init(ret_region, &options);
	if (result < 0)
		return result;
	result = zg_region_carve(ret_region, files_table_size(config), 64, &room.table);
	zg_assert(result == 0);
	result = zg_region_carve(ret_region, room.memory_size, 1, &memory);
	zg_assert(result == 0);
	room.memory = memory;
	return zgi_static_open(&zgi_static_table, &room, ret_error);
}

void zgi_files_close(struct zg_region *region)
{
	zgi_static_close(&zgi_static_table);
	zg_region_fini(region);
}
