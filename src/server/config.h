/*
 * Config: what the options come to on this machine: how many shards, and how much
 * of everything each of them has. Every capacity is a sum of those who hold one.
 */
#ifndef ZEROG_SERVER_CONFIG_H
#define ZEROG_SERVER_CONFIG_H

#include <stdint.h>

#include <zerog/options.h>
#include <zerog/plan.h>
#include <zerog/pool.h>

#include "io/io.h"
#include "io/listen.h"
#include "server/placement.h"

/* ThreadSanitizer keeps its own state on a thread's stack, and will not start on less. */
#if defined(__SANITIZE_THREAD__)
#define ZGI_SHARD_STACK_SIZE (1024 * 1024)
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ZGI_SHARD_STACK_SIZE (1024 * 1024)
#endif
#endif
#ifndef ZGI_SHARD_STACK_SIZE
#define ZGI_SHARD_STACK_SIZE (64 * 1024)
#endif
#define ZGI_SHARD_STACK_WHOLE_SIZE (ZGI_SHARD_STACK_SIZE + 4096) /* with its guard page */
#define ZGI_ACCEPT_HEADROOM 256 /* accepts that one turn may bring before the oldest are closed */

struct zgi_server_config {
	struct zg_options options; /* a copy */
	struct zgi_address address;
	enum zg_io_kind io_kind;
	uint32_t shard_count;
	uint32_t connections_each; /* open at once, a shard: the limit */
	uint32_t slots_each; /* connections_each and the headroom */
	uint32_t exchanges_each;
	uint32_t chunks_each;
	uint32_t inbox_cells_each;
	uint32_t subscribers_each; /* 0 when there is no topic */
	uint32_t ring_entries;
	uint32_t jobs_each; /* 0 when there are no threads for them */
	uint32_t flush_threads; /* 1 where files are flushed and the kernel does not do it for us */
	struct zgi_placement placement; /* which node each shard is on */
	uint64_t exchange_size; /* bytes of a block */
	uint64_t chunk_size; /* bytes of a block */
	uint64_t shard_size; /* bytes of a shard's own struct and buffers */
	uint64_t offload_stack_size; /* bytes, the guard page included */
	uint64_t guest_heap_size; /* bytes; 0 when there is none */
	char io_reason[256]; /* why this backend */
	char guest_finding[512]; /* what the check of the guest heap found; or empty */
};

/**
 * zgi_server_configure() - work the options out
 * @options:     validated one by one by zg_options_parse()
 * @ret_config:  overwritten
 * @ret_error:   on failure, one sentence that names the option to change
 *
 * Raises RLIMIT_NOFILE to its hard limit. Return: 0; -errno.
 */
ZG_MUST_USE int zgi_server_configure(const struct zg_options *options,
				     struct zgi_server_config *ret_config,
				     struct zg_text *ret_error);

/**
 * zgi_server_seal_refused() - one sentence for a seal that is not to be had
 * @error:      of zg_seal_prepare() or zg_seal()
 * @ret_error:  names the option to change
 */
void zgi_server_seal_refused(int error, struct zg_text *ret_error);

/**
 * zgi_server_seal_name() - a mode as --seal takes it
 * @mode:  any of them
 *
 * Return: static text.
 */
const char *zgi_server_seal_name(enum zg_seal_mode mode);

/**
 * zgi_server_plan_lines() - all of the plan but the program as loaded: what is computed
 * @config:  configured
 * @plan:    initialised; lines are added
 *
 * Return: 0; -errno.
 */
ZG_MUST_USE int zgi_server_plan_lines(const struct zgi_server_config *config, struct zg_plan *plan);

/**
 * zgi_server_plan() - the plan of a server with this configuration
 * @config:  configured
 * @plan:    initialised; lines are added. The first is this process as it stands
 *
 * Return: 0; -errno.
 */
ZG_MUST_USE int zgi_server_plan(const struct zgi_server_config *config, struct zg_plan *plan);

/**
 * zgi_server_carved_size() - bytes that so many shards carve: their structs and all they hold
 * @config:       configured
 * @shard_count:  at least 1
 */
uint64_t zgi_server_carved_size(const struct zgi_server_config *config, uint32_t shard_count);

/* Bytes of the stacks of all threads that are no shard's; whole pages. */
uint64_t zgi_server_worker_stacks_size(const struct zgi_server_config *config);

/* A shard's pools, as they are planned and made: all but memory, first index and tag. */
struct zg_pool_options zgi_server_exchange_pool(const struct zgi_server_config *config);
struct zg_pool_options zgi_server_chunk_pool(const struct zgi_server_config *config);
struct zg_pool_options zgi_server_subscriber_pool(const struct zgi_server_config *config);

/* Bytes of the subscribers' pool, a shard's; 0 when there is no topic. */
uint64_t zgi_server_subscribers_size(const struct zgi_server_config *config);

#endif
