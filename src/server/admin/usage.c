/*
 * The fragmentation meter: what is live, held and reserved, by kind and name.
 */

#include "server/admin/admin.h"

#include <string.h>

#include "base/counter.h"

static bool usage_is_of(const struct zgi_admin_usage *row, const struct zg_usage *usage)
{
	return strcmp(row->sum.kind, usage->kind) == 0 && strcmp(row->sum.name, usage->name) == 0;
}

/* The row of a kind and name: an old one, a new one, or the last, which takes what is left. */
static struct zgi_admin_usage *usages_row(struct zgi_admin_usages *usages,
					  const struct zg_usage *usage)
{
	struct zgi_admin_usage *row;

	for (uint32_t index = 0; index < usages->count; index++)
		if (usage_is_of(&usages->rows[index], usage))
			return &usages->rows[index];
	if (usages->count == ZGI_ADMIN_USAGES_MAX) {
		row = &usages->rows[ZGI_ADMIN_USAGES_MAX - 1];
		row->sum.kind = "other";
		row->sum.name = "";
		return row;
	}
	row = &usages->rows[usages->count++];
	*row = (struct zgi_admin_usage){.sum = {.kind = usage->kind, .name = usage->name}};
	return row;
}

void zgi_admin_usages_add(const struct zg_usage *usage, void *user)
{
	struct zgi_admin_usage *row = usages_row(user, usage);

	row->holder_count++;
	row->sum.live_count += usage->live_count;
	row->sum.count_max += usage->count_max;
	row->sum.live_size += usage->live_size;
	row->sum.held_size += usage->held_size;
	row->sum.reserved_size += usage->reserved_size;
}

/* A shard looks at its arenas once a tick. While it has nothing to do it does not, so that what it
 * published last may be of requests that have ended since. */
static void usages_add_arenas(const struct zgi_shard *shard, struct zgi_admin_usages *usages)
{
	const struct zg_pool *exchanges = &shard->exchanges;
	const struct zgi_shard_arenas *arenas = &shard->arenas;
	struct zg_usage usage = {
		.kind = "arena",
		.name = "exchanges",
		.count_max = exchanges->block_count,
		.reserved_size = exchanges->block_count * (uint64_t)ZGI_EXCHANGE_ARENA_SIZE +
				 shard->chunks.block_count * (uint64_t)shard->chunks.block_size,
	};

	if (zgi_gauge_read(&exchanges->free_count) < exchanges->block_count) {
		usage.live_count = zgi_counter_read(&arenas->live_count);
		usage.live_size = zgi_counter_read(&arenas->live_size);
		usage.held_size = zgi_counter_read(&arenas->held_size);
	}
	zgi_admin_usages_add(&usage, usages);
}

void zgi_admin_usages_read(const struct zgi_server *server, struct zgi_admin_usages *ret_usages)
{
	ret_usages->count = 0;
	zg_watch_usage(zgi_admin_usages_add, ret_usages);
	for (uint32_t index = 0; index < server->config.shard_count; index++)
		usages_add_arenas(zgi_admin_shard(server, index), ret_usages);
}

uint64_t zgi_admin_usage_percent(const struct zg_usage *usage)
{
	return usage->live_size == 0 ? 0 : usage->held_size * 100 / usage->live_size;
}

void zgi_admin_spills_add(const struct zg_scratch_site *site, void *user)
{
	struct zgi_admin_spills *spills = user;

	if (spills->count == ZGI_ADMIN_SPILLS_MAX)
		spills->left_out++;
	else
		spills->sites[spills->count++] = *site;
}
