/*
 * Admin: what the pages for who runs the service share. A page is printed into one
 * text from a snapshot of the server, which is read once a page.
 */
#ifndef ZEROG_SERVER_ADMIN_ADMIN_H
#define ZEROG_SERVER_ADMIN_ADMIN_H

#include <stdint.h>

#include <zerog/pause.h>
#include <zerog/scratch.h>
#include <zerog/seal.h>
#include <zerog/text.h>
#include <zerog/watch.h>

#include "server/server.h"

#define ZGI_ADMIN_USAGES_MAX 32
#define ZGI_ADMIN_BOUNDS 16
#define ZGI_ADMIN_SPILLS_MAX 16

/* The use of one pool over all shards. */
struct zgi_admin_pool {
	uint64_t total;
	uint64_t free;
	uint64_t free_low;
	uint64_t refused;
	uint64_t misused;
	uint64_t retired;
};

/* Holders of one kind and name, together: every shard has a pool "exchanges". */
struct zgi_admin_usage {
	struct zg_usage sum;
	uint32_t holder_count;
};

/* Once there are more kinds and names than rows, the last row is what all others come to. */
struct zgi_admin_usages {
	struct zgi_admin_usage rows[ZGI_ADMIN_USAGES_MAX];
	uint32_t count;
};

/* Places in the source whose scratches left the stack: the latest that began to. */
struct zgi_admin_spills {
	struct zg_scratch_site sites[ZGI_ADMIN_SPILLS_MAX];
	uint32_t count;
	uint32_t left_out; /* places that found no row */
};

/* The turns of all shards. */
struct zgi_admin_pause {
	struct zg_pause_figures sum; /* but for the longest, which is the longest of all */
	uint32_t longest_shard;
	uint64_t counts[ZGI_ADMIN_BOUNDS + 1]; /* turns up to each of zgi_admin_bounds_ns, rest */
};

extern const uint64_t zgi_admin_bounds_ns[ZGI_ADMIN_BOUNDS];

/* What all pages look at, read once a page. */
struct zgi_admin_snapshot {
	struct zgi_admin_pool exchanges;
	struct zgi_admin_pool chunks;
	struct zgi_admin_usages usages;
	struct zgi_admin_spills spills;
	struct zgi_admin_pause pause;
	struct zgi_server_faults faults; /* of the whole process, since the seal */
	struct zg_seal_counts seal;
	struct zg_seal_site sites[ZG_SEAL_SITES_MAX];
	size_t site_count;
	uint64_t resident; /* bytes; 0 when it cannot be read */
	uint64_t open; /* connections */
	uint64_t waiting; /* of them, for an exchange */
};

/* A shard by its number. */
static inline const struct zgi_shard *zgi_admin_shard(const struct zgi_server *server,
						      uint32_t index)
{
	return server->shards[index];
}

/* snapshot.c: read by any thread, while the shards go on. */
void zgi_admin_snapshot_read(const struct zgi_server *server,
			     struct zgi_admin_snapshot *ret_snapshot);

/* usage.c: all that is registered, then the exchanges' arenas. */
void zgi_admin_usages_read(const struct zgi_server *server, struct zgi_admin_usages *ret_usages);

/* usage.c: add one holder to the row of its kind and name; a visitor of zg_watch_usage(). */
void zgi_admin_usages_add(const struct zg_usage *usage, void *user);

/* usage.c: the bytes held for each byte that users have, times 100; 0 when they have none. */
uint64_t zgi_admin_usage_percent(const struct zg_usage *usage);

/* usage.c: add a place; a visitor of zg_scratch_sites(). */
void zgi_admin_spills_add(const struct zg_scratch_site *site, void *user);

/* pause.c: the turns of all shards. */
void zgi_admin_pause_read(const struct zgi_server *server, struct zgi_admin_pause *ret_pause);

/* pause.c: a moment of CLOCK_MONOTONIC as milliseconds of the Unix epoch; 0 for 0. */
uint64_t zgi_admin_unix_ms(uint64_t monotonic_ns);

/* metrics.c: Prometheus text, version 0.0.4. */
void zgi_admin_metrics_print(struct zg_text *text, const struct zgi_server *server);

/* metrics_memory.c: the families of pages, faults, turns and use. */
void zgi_admin_metrics_memory(struct zg_text *text, const struct zgi_server *server,
			      const struct zgi_admin_snapshot *now);

/* metrics.c: one family with one sample. */
void zgi_admin_metric(struct zg_text *text, const char *name, const char *type, const char *help,
		      uint64_t value);

/* memory.c: plan and use, as tables for people. */
void zgi_admin_memory_print(struct zg_text *text, const struct zgi_server *server);

/* json.c: the same for programs. */
void zgi_admin_memory_print_json(struct zg_text *text, const struct zgi_server *server);

#endif
