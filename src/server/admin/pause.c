/*
 * The pause meter of the whole server: its shards' turns together.
 */

#include "server/admin/admin.h"

#include <time.h>

#include "base/assert.h"
#include "base/clock.h"

#define PAUSE_MS UINT64_C(1000000)

const uint64_t zgi_admin_bounds_ns[ZGI_ADMIN_BOUNDS] = {
	10000,		20000,		50000,		100000,
	200000,		500000,		PAUSE_MS,	2 * PAUSE_MS,
	5 * PAUSE_MS,	10 * PAUSE_MS,	20 * PAUSE_MS,	50 * PAUSE_MS,
	100 * PAUSE_MS, 200 * PAUSE_MS, 500 * PAUSE_MS, 1000 * PAUSE_MS,
};

static void pause_add(struct zgi_admin_pause *pause, const struct zg_pause *meter, uint32_t shard)
{
	struct zg_pause_figures *sum = &pause->sum;
	struct zg_pause_figures figures;

	zg_pause_read(meter, &figures);
	zg_pause_distribution(meter, zgi_admin_bounds_ns, ZGI_ADMIN_BOUNDS, pause->counts);
	sum->turn_count += figures.turn_count;
	sum->turn_ns_sum += figures.turn_ns_sum;
	sum->fault_minor_count += figures.fault_minor_count;
	sum->fault_major_count += figures.fault_major_count;
	sum->switch_voluntary_count += figures.switch_voluntary_count;
	sum->switch_involuntary_count += figures.switch_involuntary_count;
	if (figures.longest_ns > sum->longest_ns) {
		sum->longest_ns = figures.longest_ns;
		sum->longest_begin_ns = figures.longest_begin_ns;
		pause->longest_shard = shard;
	}
}

void zgi_admin_pause_read(const struct zgi_server *server, struct zgi_admin_pause *ret_pause)
{
	*ret_pause = (struct zgi_admin_pause){0};
	for (uint32_t index = 0; index < server->config.shard_count; index++)
		pause_add(ret_pause, &zgi_admin_shard(server, index)->pause, index);
}

uint64_t zgi_admin_unix_ms(uint64_t monotonic_ns)
{
	struct timespec now;
	int result = clock_gettime(CLOCK_REALTIME, &now);
	uint64_t now_ms;

	zg_assert(result == 0);
	now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / PAUSE_MS;
	return monotonic_ns == 0 ? 0 : now_ms - (zgi_clock_ns() - monotonic_ns) / PAUSE_MS;
}
