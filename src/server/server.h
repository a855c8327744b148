/*
 * Server: boot, seal, serve, drain.
 *
 * Boot works the options out, makes the plan, reserves it as regions, starts
 * the shards, and seals. Then the thread that booted waits for signals.
 */
#ifndef ZEROG_SERVER_SERVER_H
#define ZEROG_SERVER_SERVER_H

#include <pthread.h>
#include <stdint.h>

#include <zerog/plan.h>

#include "server/access_log.h"
#include "server/config.h"
#include "server/events.h"
#include "server/files.h"
#include "server/reserve.h"
#include "server/shard.h"
#include "server/shared.h"

#define ZGI_SHARDS_MAX 1024 /* as the option's maximum */

/* Where the threads wait for the seal, and boot for the threads. */
struct zgi_gate {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	uint32_t started_count; /* shards that have started, or failed to */
	bool is_open;
};

/* Page faults of all threads of the process. */
struct zgi_server_faults {
	uint64_t minor;
	uint64_t major;
};

struct zgi_server {
	const char *name; /* borrowed: the app's */
	struct zgi_server_config config;
	struct zg_plan plan;
	struct zgi_reserve reserve;
	struct zg_region events; /* of the topics' rings; mapped when there are any */
	struct zg_region files; /* of the static files' table; mapped when there are any */
	struct zgi_shared shared;
	struct zgi_access_log access_log;
	struct zgi_shard *shards[ZGI_SHARDS_MAX]; /* in the regions: config.shard_count of them */
	uint32_t thread_count; /* shards whose thread was started */
	uint64_t started_ns;
	uint64_t resident_at_seal; /* bytes */
	struct zgi_server_faults faults_at_seal;
	bool was_drained; /* SIGTERM has come */
	struct zgi_gate gate;
	struct zgi_workers offload; /* for jobs; zeroed when there are none */
	struct zgi_workers flushers; /* for epoll's flushes; zeroed when there are none */
	bool has_stuck_worker; /* one of them did not end: what it may touch has to stay */
	int listen_fds[ZGI_SHARDS_MAX]; /* owned */
};

/**
 * zgi_server_run() - serve until a signal ends it
 * @server:    the caller's, static for its size; overwritten
 * @name:      borrowed
 * @options:   read during the call
 * @router:    borrowed until the return
 * @hooks:     likewise
 * @shard_hooks:  likewise
 * @ret_error: on failure, one sentence that says what to change
 *
 * SIGTERM drains, SIGINT and a second SIGTERM stop, SIGUSR1 has the access log opened anew. Return:
 * 0; -errno.
 */
struct zgi_server_run_options {
	const char *name;
	const struct zg_options *options;
	const struct zgi_router *router;
	const struct zgi_hooks *hooks; /* NULL for none */
	const struct zg_shard_hooks *shard_hooks;
};
ZG_MUST_USE int zgi_server_run(struct zgi_server *server,
			       const struct zgi_server_run_options *options,
			       struct zg_text *ret_error);

/* The sum of one counter of struct zgi_shard_counters over all shards; any thread. */
#define ZGI_SERVER_SUM(server, member) zgi_server_sum((server), offsetof(struct zgi_shard, member))
uint64_t zgi_server_sum(const struct zgi_server *server, size_t offset);

/* Page faults of the process since the seal; any thread. */
void zgi_server_faults(const struct zgi_server *server, struct zgi_server_faults *ret_faults);

#endif
