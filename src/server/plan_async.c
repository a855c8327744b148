/*
 * The lines of what an application may have started: flushes, jobs, watched descriptors,
 * timers. What it has given no number is no line.
 */
#include "server/plan_lines.h"

#include <inttypes.h>

#include "server/async.h"

/* One table a shard: so many entries, and what fills the last line of it. */
struct async_table {
	struct zg_plan_line line; /* all but count, size and parts */
	uint64_t count; /* entries */
	uint64_t size_each; /* bytes of one */
	uint64_t size; /* bytes, as carved */
};

static int async_add_table(struct zg_plan *plan, const struct zgi_server_config *config,
			   struct async_table table, const char *what)
{
	const uint64_t used = table.count * table.size_each;

	if (table.count == 0)
		return 0;
	table.line.count = config->shard_count;
	table.line.parts[0] = (struct zg_plan_term){what, used};
	table.line.parts[1] = (struct zg_plan_term){"up to whole 64 bytes", table.size - used};
	table.line.depends_on[0] = (struct zg_plan_dependency){"shards", 1};
	return zg_plan_add(plan, &table.line, "one table a shard, of %" PRIu64 " x %" PRIu64 " B",
			   table.count, table.size_each);
}

static int async_add_flushes(struct zg_plan *plan, const struct zgi_server_config *config,
			     const struct zgi_async_sizes *sizes)
{
	const struct async_table table = {
		.line = {.name = "flushes",
			 .option = "--flushes",
			 .exhausted = "zg_flush() returns -EAGAIN",
			 .counter = "zerog_flushes_refused_total"},
		.count = config->options.flushes,
		.size_each = sizeof(struct zgi_flush),
		.size = sizes->flushes,
	};

	return async_add_table(plan, config, table, "flushes under way");
}

static int async_add_jobs(struct zg_plan *plan, const struct zgi_server_config *config,
			  const struct zgi_async_sizes *sizes)
{
	const struct async_table table = {
		.line = {.name = "offload jobs",
			 .option = "--offload-jobs",
			 .exhausted = "zg_offload() returns -EAGAIN",
			 .counter = "zerog_offload_jobs_refused_total"},
		.count = config->jobs_each,
		.size_each = sizeof(struct zg_job),
		.size = sizes->jobs,
	};

	return async_add_table(plan, config, table, "share of --offload-jobs");
}

static int async_add_watches(struct zg_plan *plan, const struct zgi_server_config *config,
			     const struct zgi_async_sizes *sizes)
{
	const struct async_table table = {
		.line = {.name = "watches",
			 .option = "--watches",
			 .exhausted = "zg_watch_start() returns -EAGAIN",
			 .counter = "zerog_watches_refused_total"},
		.count = config->options.watches,
		.size_each = sizeof(struct zgi_watch),
		.size = sizes->watches,
	};

	return async_add_table(plan, config, table, "watched descriptors");
}

static int async_add_timers(struct zg_plan *plan, const struct zgi_server_config *config,
			    const struct zgi_async_sizes *sizes)
{
	const struct async_table table = {
		.line = {.name = "timers",
			 .option = "--timers",
			 .exhausted = "zg_timer_start() returns -EAGAIN",
			 .counter = "zerog_timers_refused_total"},
		.count = config->options.timers,
		.size_each = sizeof(struct zgi_timer) + sizeof(uint32_t),
		.size = sizes->timers + sizes->timer_heap,
	};

	return async_add_table(plan, config, table, "timers and their places in the heap");
}

/* The stacks of threads apart: of jobs, and of the one that flushes where the kernel does not. */
static int async_add_stacks(struct zg_plan *plan, const struct zgi_server_config *config)
{
	const struct zg_plan_line jobs = {
		.name = "offload stacks",
		.option = "--offload-threads",
		.count = config->options.offload_threads,
		.parts = {{"stack", config->offload_stack_size - ZGI_PAGE_SIZE},
			  {"guard page", ZGI_PAGE_SIZE}},
		.exhausted = "the guard page faults, and the process ends",
	};
	const struct zg_plan_line flushes = {
		.name = "flush stack",
		.option = "--flushes",
		.count = config->flush_threads,
		.parts = {{"stack", ZGI_SHARD_STACK_SIZE}, {"guard page", ZGI_PAGE_SIZE}},
		.exhausted = "the guard page faults, and the process ends",
	};
	int result = 0;

	if (config->options.offload_threads > 0)
		result = zg_plan_add(plan, &jobs, "one a thread, with its guard page");
	if (result == 0 && config->flush_threads > 0)
		result = zg_plan_add(plan, &flushes, "one thread flushes where epoll cannot");
	return result;
}

int zgi_plan_add_async(struct zg_plan *plan, const struct zgi_server_config *config)
{
	struct zgi_async_sizes sizes;
	int result;

	zgi_async_sizes(config, &sizes);
	result = async_add_flushes(plan, config, &sizes);
	if (result == 0)
		result = async_add_jobs(plan, config, &sizes);
	if (result == 0)
		result = async_add_watches(plan, config, &sizes);
	if (result == 0)
		result = async_add_timers(plan, config, &sizes);
	if (result == 0)
		result = async_add_stacks(plan, config);
	return result;
}
