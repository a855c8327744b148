/*
 * Access log: one thread that writes what all shards have answered to a file.
 */
#ifndef ZEROG_SERVER_ACCESS_LOG_H
#define ZEROG_SERVER_ACCESS_LOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <zerog/plan.h>
#include <zerog/region.h>

#include "server/config.h"
#include "web/access.h"

/* Written by the writer, read by any thread. */
struct zgi_access_counters {
	uint64_t written; /* lines that are in the file */
	uint64_t failed; /* lines that could not be written: the disk is full, the pipe is gone */
	uint64_t reopened;
	uint64_t reopen_failed; /* the old file goes on */
};

struct zgi_access_log {
	struct zg_region region;
	struct zgi_access_ring *rings; /* in the region: one a shard */
	uint32_t ring_count; /* 0: there is no log */
	enum zg_access_log_format format;
	const char *path; /* borrowed from the config; "-" is standard output */
	int fd; /* owned, unless the path is "-" */
	bool is_line_open; /* a write fell short within a line */
	char *buffer; /* in the region */
	unsigned char *stack; /* in the region */
	pthread_t thread;
	bool is_running; /* the thread was started and not joined */
	uint32_t has_started; /* set by the thread */
	uint32_t stop; /* set by others */
	uint32_t reopen; /* set by others */
	struct zgi_access_counters counters;
};

/* Add the log's lines to a plan; none without --access-log. Return: 0; -errno of zg_plan_add(). */
ZG_MUST_USE int zgi_access_log_plan(const struct zgi_server_config *config, struct zg_plan *plan);

/**
 * zgi_access_log_init() - reserve the rings, and open the file
 * @log:        zeroed; zgi_access_log_fini() also after a failure
 * @config:     configured; borrowed until fini
 * @ret_error:  on failure, one sentence that names the option to change
 *
 * Return: 0, also without --access-log; -errno. Boot only.
 */
ZG_MUST_USE int zgi_access_log_init(struct zgi_access_log *log,
				    const struct zgi_server_config *config,
				    struct zg_text *ret_error);

/* Start the writer, before the seal; when this returns it has taken its first steps. Return: 0;
 * -errno of pthread_create(3). */
ZG_MUST_USE int zgi_access_log_start(struct zgi_access_log *log);

/* The ring of a shard; NULL when there is no log. */
struct zgi_access_ring *zgi_access_log_ring(struct zgi_access_log *log, uint32_t shard);

/* Have the file opened anew, once what was answered so far is in the old one. Any thread. */
void zgi_access_log_reopen(struct zgi_access_log *log);

/* Records that were dropped, over all rings; any thread. */
uint64_t zgi_access_log_dropped(const struct zgi_access_log *log);

/* Have all that is in the rings written, and end the writer; no shard serves any more. */
void zgi_access_log_stop(struct zgi_access_log *log);

/* Stop it, close the file and give the memory back. Takes a zeroed one. */
void zgi_access_log_fini(struct zgi_access_log *log);

#endif
