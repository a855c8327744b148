/*
 * From options to capacities. A capacity is written as the sum of those who hold
 * one, and the same sum stands in the plan as its reason.
 */

#include "server/config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <zerog/app.h>
#include <zerog/guest_heap.h>

#include "base/assert.h"
#include "base/thread.h"
#include "server/access_log.h"
#include "server/async.h"
#include "server/guest_check.h"
#include "server/inbox.h"
#include "server/plan_lines.h"
#include "server/reserve.h"
#include "server/shard.h"
#include "server/shared.h"
#include "server/subscriber.h"
#include "web/exchange.h"

#define CONFIG_CHUNK_PAYLOAD_MIN 32768 /* the admin pages are rendered into one chunk */
#define CONFIG_CHUNK_OVERHEAD 256 /* an arena's own, at the head of a chunk */
#define CONFIG_RING_ENTRIES 256
#define CONFIG_RING_ENTRIES_SMALL 64 /* where many shards share few cores */
#define CONFIG_SHARDS_MANY 16
#define CONFIG_PADDING_SMALL 65536 /* bytes: pages larger than this are huge ones */
#define CONFIG_DESCRIPTORS_OWN_EACH 4 /* listener, epoll, wake-up, a file that a page reads */

static uint64_t config_square_root(uint64_t number)
{
	uint64_t root = 0;

	while ((root + 1) * (root + 1) <= number)
		root++;
	return root;
}

/* The kernel deals connections to shards by a hash of their addresses, so a shard's number varies
 * about its share by the share's square root: with six of those to spare none is turned away. */
static uint64_t config_connections_each(uint64_t connections, uint64_t shard_count)
{
	uint64_t share = zgi_config_share(connections, shard_count);

	return shard_count == 1 ? share : share + 6 * (config_square_root(share) + 1);
}

static void config_descriptors_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int config_refuse_descriptors(const struct zgi_server_config *config, uint64_t allowed,
				     struct zg_text *ret_error)
{
	const char *remedy = config->io_kind == ZG_IO_EPOLL
				     ? ", raise RLIMIT_NOFILE (ulimit -n), or use --io uring, "
				       "which needs no descriptor a connection"
				     : ", raise RLIMIT_NOFILE (ulimit -n), or give more --shards";

	zg_text_print(ret_error,
		      "--connections %" PRIu64 " with --shards %" PRIu32
		      " is more than RLIMIT_NOFILE allows: lower --connections to at most %" PRIu64
		      "%s",
		      config->options.connections, config->shard_count, allowed, remedy);
	return -EMFILE;
}

/* The most connections a number of shards can hold with so many descriptors each. */
static uint64_t config_connections_max(uint64_t shard_count, uint64_t descriptors_each)
{
	uint64_t low = 0;
	uint64_t high = shard_count * descriptors_each;

	while (low < high) {
		uint64_t middle = (low + high + 1) / 2;

		if (config_connections_each(middle, shard_count) + ZGI_ACCEPT_HEADROOM <=
		    descriptors_each)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* One shard a core, or as many as asked for; more where a ring's table would be too small. */
static int config_shards(struct zgi_server_config *config, struct zg_text *ret_error)
{
	const struct zg_options *options = &config->options;
	uint64_t descriptors_each;
	uint64_t descriptors_together;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t shard_count = options->shards > 0 ? options->shards
			       : cores > 0	   ? (uint64_t)cores
						   : 1;
	uint64_t shard_count_max = 1024;

	zgi_io_descriptor_limit(config->io_kind, &descriptors_each, &descriptors_together);
	if (config->io_kind == ZG_IO_EPOLL || options->shards > 0)
		shard_count_max = shard_count;
	while (shard_count < shard_count_max &&
	       config_connections_max(shard_count, descriptors_each) < options->connections)
		shard_count++;
	config->shard_count = (uint32_t)shard_count;

	uint64_t connections_max = config_connections_max(shard_count, descriptors_each);
	uint64_t own = shard_count * CONFIG_DESCRIPTORS_OWN_EACH +
		       (options->static_folders > 0 ? options->static_files : 0);
	uint64_t left = descriptors_together > own ? descriptors_together - own : 0;

	if (connections_max > left)
		connections_max = left;
	if (options->connections > connections_max)
		return config_refuse_descriptors(config, connections_max, ret_error);

	uint64_t connections_each = config_connections_each(options->connections, shard_count);

	config->connections_each = (uint32_t)connections_each;
	config->slots_each = (uint32_t)connections_each + ZGI_ACCEPT_HEADROOM;
	return 0;
}

static void config_sizes(struct zgi_server_config *config)
{
	const struct zg_options *options = &config->options;
	uint64_t payload = options->body_size_max > CONFIG_CHUNK_PAYLOAD_MIN
				   ? options->body_size_max
				   : CONFIG_CHUNK_PAYLOAD_MIN;
	uint64_t exchanges_each = zgi_config_share(options->exchanges, config->shard_count);

	config->exchanges_each = (uint32_t)exchanges_each;
	config->chunks_each =
		(uint32_t)zgi_config_share(options->arena_chunks, config->shard_count);
	/* Who runs the service is few. */
	if (options->admin_topics > 0 && options->topics == options->admin_topics) {
		config->options.subscribers = options->subscribers < ZG_ADMIN_SUBSCRIBERS
						      ? options->subscribers
						      : ZG_ADMIN_SUBSCRIBERS;
		config->options.topic_events = options->topic_events < ZG_ADMIN_EVENTS
						       ? options->topic_events
						       : ZG_ADMIN_EVENTS;
	}
	config->subscribers_each =
		options->topics > 0
			? (uint32_t)zgi_config_share(options->subscribers, config->shard_count)
			: 0;
	/* Every exchange may be resumed once, and may be resumed in vain once more. */
	config->inbox_cells_each =
		(uint32_t)zgi_inbox_cell_count(2 * exchanges_each + options->posts);
	if (options->offload_threads > 0)
		config->jobs_each =
			(uint32_t)zgi_config_share(options->offload_jobs, config->shard_count);
	config->offload_stack_size = zgi_config_round(options->offload_stack_size, ZGI_PAGE_SIZE);
	if (config->offload_stack_size < ZGI_SHARD_STACK_SIZE)
		config->offload_stack_size = ZGI_SHARD_STACK_SIZE;
	config->offload_stack_size += ZGI_THREAD_GUARD_SIZE;
	config->flush_threads = options->flushes > 0 && config->io_kind == ZG_IO_EPOLL;
	config->ring_entries = config->shard_count > CONFIG_SHARDS_MANY ? CONFIG_RING_ENTRIES_SMALL
									: CONFIG_RING_ENTRIES;
	config->exchange_size = zgi_exchange_block_size((uint32_t)options->read_buffer_size,
							(uint32_t)options->write_buffer_size);
	config->chunk_size =
		zgi_config_round(payload + CONFIG_CHUNK_OVERHEAD, ZGI_CONFIG_ALIGNMENT);
	config->shard_size = zgi_config_round(sizeof(struct zgi_shard), ZGI_CONFIG_ALIGNMENT);
	zg_assert(zg_arena_chunk_payload(config->chunk_size) >= payload);
}

/* Here rather than when all is ready, because the plan would be about another process. */
static int config_seal(const struct zg_options *options, struct zg_text *ret_error)
{
	int result = zg_seal_prepare(options->seal);

	if (result < 0)
		zgi_server_seal_refused(result, ret_error);
	return result;
}

const char *zgi_server_seal_name(enum zg_seal_mode mode)
{
	static const char *const names[] = {
		[ZG_SEAL_COUNT] = "count",
		[ZG_SEAL_TRAP] = "trap",
		[ZG_SEAL_KERNEL] = "kernel",
	};

	return names[mode];
}

void zgi_server_seal_refused(int error, struct zg_text *ret_error)
{
	zg_text_print(ret_error, "--seal kernel is not to be had here: %s; use --seal count%s",
		      error == -EOPNOTSUPP ? "no system call filter can be set (seccomp)"
					   : strerrordesc_np(-error),
		      error == -EOPNOTSUPP ? ", or let the container have seccomp" : "");
}

/* libnuma allocates: here, before the plan is measured, and nowhere else. */
static void config_placement(struct zgi_server_config *config)
{
	struct zgi_numa numa;

	if (config->options.numa)
		zgi_numa_read(&numa);
	zgi_placement_make(config->options.numa ? &numa : NULL, config->shard_count,
			   &config->placement);
}

static int config_guests(struct zgi_server_config *config, struct zg_text *ret_error)
{
	struct zg_text finding;
	int result;

	config->guest_heap_size =
		zgi_config_round(config->options.guest_heap_size, ZG_GUEST_HEAP_GRAIN);
	zg_text_init(&finding, config->guest_finding, sizeof(config->guest_finding));
	result = zgi_guest_check(&config->options, config->guest_heap_size, &finding);
	if (result < 0)
		zg_text_append(ret_error, (struct zg_slice){finding.data, finding.size});
	return result;
}

int zgi_server_configure(const struct zg_options *options, struct zgi_server_config *ret_config,
			 struct zg_text *ret_error)
{
	struct zg_text reason;
	int result;

	*ret_config = (struct zgi_server_config){.options = *options};
	zg_text_init(&reason, ret_config->io_reason, sizeof(ret_config->io_reason));
	config_descriptors_raise();
	result = config_seal(options, ret_error);
	if (result < 0)
		return result;
	result = zgi_address_parse(options->listen, &ret_config->address, ret_error);
	if (result < 0)
		return result;
	result = zgi_io_probe(options->io, &ret_config->io_kind, &reason);
	if (result < 0) {
		zg_text_print(ret_error, "--io uring is not to be had here: %s; use --io epoll",
			      ret_config->io_reason);
		return result;
	}
	result = config_shards(ret_config, ret_error);
	if (result < 0)
		return result;
	config_placement(ret_config);
	config_sizes(ret_config);
	return config_guests(ret_config, ret_error);
}

struct zg_pool_options zgi_server_exchange_pool(const struct zgi_server_config *config)
{
	return (struct zg_pool_options){
		.name = "exchanges",
		.block_size = config->exchange_size,
		.block_count = config->exchanges_each,
		.is_tracked = config->options.track,
	};
}

struct zg_pool_options zgi_server_chunk_pool(const struct zgi_server_config *config)
{
	return (struct zg_pool_options){
		.name = "arena chunks",
		.block_size = config->chunk_size,
		.block_count = config->chunks_each,
		.is_tracked = config->options.track,
	};
}

struct zg_pool_options zgi_server_subscriber_pool(const struct zgi_server_config *config)
{
	return (struct zg_pool_options){
		.name = "subscribers",
		.block_size = zgi_subscriber_size((uint32_t)config->options.event_size_max),
		.block_count = config->subscribers_each,
		.is_tracked = config->options.track,
	};
}

uint64_t zgi_server_subscribers_size(const struct zgi_server_config *config)
{
	struct zg_pool_options subscribers = zgi_server_subscriber_pool(config);

	return config->subscribers_each > 0
		       ? zgi_config_round(zg_pool_memory_size(&subscribers), ZGI_CONFIG_ALIGNMENT)
		       : 0;
}

static struct zgi_io_options config_io_options(const struct zgi_server_config *config)
{
	return (struct zgi_io_options){
		.kind = config->io_kind,
		.descriptor_count = config->slots_each,
		.ring_entries = config->ring_entries,
		.flush_count = (uint32_t)config->options.flushes,
		.listen_fd = -1,
		.has_peers = config->options.peer_addresses,
	};
}

int zgi_server_plan_lines(const struct zgi_server_config *config, struct zg_plan *plan)
{
	struct zgi_io_options io_options = config_io_options(config);
	const struct zg_plan_line padding = {
		.name = "page padding",
		/* A part of an ordinary page is nothing that one would want to save. */
		.option =
			zgi_reserve_padding(config) > CONFIG_PADDING_SMALL ? "--huge-pages" : NULL,
		.count = 1,
		.size_each = zgi_reserve_padding(config),
	};
	char buffer[256];
	struct zg_text error;
	int result = zgi_plan_add_connections(plan, config);

	if (result == 0)
		result = zgi_plan_add_shards(plan, config);
	if (result == 0)
		result = zgi_plan_add_async(plan, config);
	if (result == 0)
		result = zgi_plan_add_guest_heap(plan, config);
	if (result == 0)
		result = zgi_plan_add_files(plan, config);
	if (result == 0)
		result = zgi_plan_add_events(plan, config);
	if (result == 0)
		result = zgi_shared_plan(config, plan);
	if (result == 0)
		result = zgi_access_log_plan(config, plan);
	if (result == 0 && config->options.plan != NULL)
		result = config->options.plan(plan, config->options.plan_user);
	if (result == 0)
		result = zg_plan_add(
			plan, &padding, "what is left of the last page of %" PRIu32 " region%s",
			config->placement.node_count, config->placement.node_count == 1 ? "" : "s");
	if (result == 0)
		result = zgi_io_plan(&io_options, config->shard_count, plan);
	if (result < 0)
		return result;
	/* The capacities are sums of our own making: a line that falls short is our defect. */
	zg_text_init(&error, buffer, sizeof(buffer));
	result = zg_plan_verify(plan, &error);
	zg_assert(result == 0);
	return 0;
}

int zgi_server_plan(const struct zgi_server_config *config, struct zg_plan *plan)
{
	struct zg_plan_line image = {.name = "program as loaded", .count = 1};
	int result;

	/* What is loaded later than this would not be in the plan. */
	result = zg_seal_prepare(config->options.seal);
	if (result == 0)
		result = zg_memory_populate_image();
	if (result == 0)
		result = zg_memory_resident(&image.size_each);
	if (result == 0)
		result = zg_plan_add(plan, &image,
				     "measured: code, libraries, heap and stack of boot");
	if (result == 0)
		result = zgi_server_plan_lines(config, plan);
	return result;
}

uint64_t zgi_server_worker_stacks_size(const struct zgi_server_config *config)
{
	return config->options.offload_threads * config->offload_stack_size +
	       config->flush_threads * (uint64_t)ZGI_SHARD_STACK_WHOLE_SIZE;
}

uint64_t zgi_server_carved_size(const struct zgi_server_config *config, uint32_t shard_count)
{
	struct zgi_io_options io_options = config_io_options(config);
	struct zg_pool_options exchanges = zgi_server_exchange_pool(config);
	struct zg_pool_options chunks = zgi_server_chunk_pool(config);
	uint64_t each = 0;

	each += config->shard_size;
	each += config->slots_each * sizeof(struct zgi_connection);
	each += config->inbox_cells_each * sizeof(struct zgi_inbox_cell);
	each += zg_pool_memory_size(&exchanges);
	each += zg_pool_memory_size(&chunks);
	each += zgi_server_subscribers_size(config);
	each += zgi_io_carve_size(&io_options);
	each += zgi_async_carved_size(config);
	each += zgi_config_padding_each();
	return each * shard_count;
}
