/*
 * Shared: what all shards of a server share, made at boot: its sessions and the API
 * keys of its admin routes.
 */
#ifndef ZEROG_SERVER_SHARED_H
#define ZEROG_SERVER_SHARED_H

#include <stdbool.h>

#include <zerog/plan.h>
#include <zerog/region.h>

#include "server/config.h"
#include "web/api_keys.h"
#include "web/exchange.h"

struct zgi_shared {
	struct zg_region region; /* of the sessions */
	struct zgi_sessions sessions;
	struct zgi_api_keys api_keys;
	bool has_sessions;
	bool has_api_keys;
	enum zgi_reach reach;
};

/* Add the lines of what is shared to a plan. Return: 0; -errno of zg_plan_add(). */
ZG_MUST_USE int zgi_shared_plan(const struct zgi_server_config *config, struct zg_plan *plan);

/**
 * zgi_shared_init() - make what all shards share
 * @shared:     zeroed; zgi_shared_fini() also after a failure
 * @config:     configured
 * @ret_error:  on failure, one sentence that names the option to change
 *
 * Return: 0; -errno. Boot only.
 */
ZG_MUST_USE int zgi_shared_init(struct zgi_shared *shared, const struct zgi_server_config *config,
				struct zg_text *ret_error);

/* Let the exchanges of a shard use it. */
void zgi_shared_lend(struct zgi_shared *shared, struct zgi_web *web);

/* No shard serves any more. Takes a zeroed one. */
void zgi_shared_fini(struct zgi_shared *shared);

#endif
