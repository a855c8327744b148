/*
 * Admin: what the pages for who runs the service share. A page is printed into one
 * text from a snapshot of the server, which is read once a page.
 */
#ifndef ZEROG_SERVER_ADMIN_ADMIN_H
#define ZEROG_SERVER_ADMIN_ADMIN_H

#include <stdint.h>

#include <zerog/seal.h>
#include <zerog/text.h>

#include "server/server.h"

/* The use of one pool over all shards. */
struct zgi_admin_pool {
	uint64_t total;
	uint64_t free;
	uint64_t free_low;
	uint64_t refused;
	uint64_t misused;
	uint64_t retired;
};

/* What all pages look at, read once a page. */
struct zgi_admin_snapshot {
	struct zgi_admin_pool exchanges;
	struct zgi_admin_pool chunks;
	struct zg_seal_counts seal;
	struct zg_seal_site sites[ZG_SEAL_SITES_MAX];
	size_t site_count;
	uint64_t resident; /* bytes; 0 when it cannot be read */
	uint64_t open; /* connections */
	uint64_t waiting; /* of them, for an exchange */
};

/* snapshot.c: read by any thread, while the shards go on. */
void zgi_admin_snapshot_read(const struct zgi_server *server,
			     struct zgi_admin_snapshot *ret_snapshot);

/* metrics.c: Prometheus text, version 0.0.4. */
void zgi_admin_metrics_print(struct zg_text *text, const struct zgi_server *server);

/* memory.c: plan and use, as tables for people. */
void zgi_admin_memory_print(struct zg_text *text, const struct zgi_server *server);

/* json.c: the same for programs. */
void zgi_admin_memory_print_json(struct zg_text *text, const struct zgi_server *server);

#endif
