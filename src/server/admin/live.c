/*
 * /memory/events. All that a second needs lies in one static struct that boot has touched: no
 * malloc, and no page that comes after the seal.
 */

#include "server/admin/live.h"

#include <inttypes.h>
#include <string.h>

#include <zerog/sse.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/counter.h"
#include "server/admin/admin.h"

#define LIVE_OCTAVE_FIRST 10 /* 1,024 ns */
#define LIVE_OCTAVES 21 /* up to 2 s */
#define LIVE_STEPS 8 /* bounds an octave */
#define LIVE_BOUNDS ((LIVE_OCTAVES) * (LIVE_STEPS))
#define LIVE_TEXT_SIZE 4096
#define LIVE_FRAME_SIZE 64 /* bytes of an event besides its data: id, "data: ", line ends */
#define LIVE_TAIL_SIZE 32 /* bytes kept for the end of the list of pools */
#define LIVE_POOL_SIZE 64 /* bytes of a pool's object besides its name */
#define LIVE_NS_PER_S UINT64_C(1000000000)
#define LIVE_RETRY_MS 2000

static struct zg_topic live_topic;

/* The main thread's alone. */
static struct {
	uint64_t bounds_ns[LIVE_BOUNDS];
	uint64_t counts[LIVE_BOUNDS + 1]; /* turns up to each bound, as of the last look */
	uint64_t grown[LIVE_BOUNDS + 1]; /* by so many since the one before */
	uint64_t requests;
	uint64_t at_ns; /* of the last look; 0: there was none */
	struct zgi_admin_snapshot now;
	char text[LIVE_TEXT_SIZE];
} live;

void zgi_live_init(struct zg_app *app)
{
	/* An event of minutes ago is no answer to "now": a new subscriber waits for the next. */
	zg_topic_init(&live_topic, app,
		      &(struct zg_topic_options){.name = "memory", .retry_ms = LIVE_RETRY_MS});
	app->options.admin_topics++;
}

int zgi_live_subscribe(struct zg_exchange *x)
{
	return zg_sse_start(x, &live_topic);
}

void zgi_live_open(void)
{
	memset(&live, 0, sizeof(live));
	for (uint32_t index = 0; index < LIVE_BOUNDS; index++) {
		uint64_t octave = UINT64_C(1) << (LIVE_OCTAVE_FIRST + index / LIVE_STEPS);

		live.bounds_ns[index] = octave + octave / LIVE_STEPS * (index % LIVE_STEPS);
	}
	/* The compiler may not leave out what nobody reads. */
	__asm__ volatile("" : : "r"(&live) : "memory");
}

void zgi_live_forget(void)
{
	live.at_ns = 0;
}

/* The time that a share of the turns of the last second did not exceed. */
static uint64_t live_quantile(uint64_t turn_count, uint64_t percent)
{
	uint64_t rank = (turn_count * percent + 99) / 100;
	uint64_t seen = 0;

	for (uint32_t index = 0; index < LIVE_BOUNDS; index++) {
		seen += live.grown[index];
		if (seen >= rank)
			return turn_count == 0 ? 0 : live.bounds_ns[index];
	}
	/* Past the last bound: it is at least this. */
	return live.bounds_ns[LIVE_BOUNDS - 1];
}

/* How the shards' distributions have grown. Return: turns in all. */
static uint64_t live_turns(const struct zgi_server *server)
{
	uint64_t turn_count = 0;

	memcpy(live.grown, live.counts, sizeof(live.grown));
	memset(live.counts, 0, sizeof(live.counts));
	for (uint32_t index = 0; index < server->config.shard_count; index++)
		zg_pause_distribution(&zgi_admin_shard(server, index)->pause, live.bounds_ns,
				      LIVE_BOUNDS, live.counts);
	for (uint32_t index = 0; index <= LIVE_BOUNDS; index++) {
		live.grown[index] = live.counts[index] - live.grown[index];
		turn_count += live.grown[index];
	}
	return turn_count;
}

bool zgi_live_measure(const struct zgi_server *server, uint64_t now_ns,
		      struct zgi_live_second *ret_second)
{
	uint64_t requests = ZGI_SERVER_SUM(server, web.counters.requests);
	uint64_t turn_count = live_turns(server);
	uint64_t passed_ns = now_ns - live.at_ns;
	uint64_t answered = requests - live.requests;
	bool is_first = live.at_ns == 0;

	zg_assert(now_ns > live.at_ns);
	live.requests = requests;
	live.at_ns = now_ns;
	if (is_first)
		return false;
	*ret_second = (struct zgi_live_second){
		.requests_per_s =
			(uint64_t)((double)answered * (double)LIVE_NS_PER_S / (double)passed_ns +
				   0.5),
		.p50_ns = live_quantile(turn_count, 50),
		.p99_ns = live_quantile(turn_count, 99),
		.max_ns = live_quantile(turn_count, 100),
	};
	return true;
}

/* Of all that is registered, the bytes held for each byte in use. */
static uint64_t live_fragmentation(const struct zgi_admin_usages *usages)
{
	struct zg_usage sum = {.live_size = 0};

	for (uint32_t index = 0; index < usages->count; index++) {
		sum.live_size += usages->rows[index].sum.live_size;
		sum.held_size += usages->rows[index].sum.held_size;
	}
	return zgi_admin_usage_percent(&sum);
}

static bool live_is_pool(const struct zg_usage *usage)
{
	return strcmp(usage->kind, "pool") == 0 || strcmp(usage->kind, "shared pool") == 0;
}

static void live_pools(struct zg_text *text, const struct zgi_admin_usages *usages)
{
	uint32_t shown = 0;
	uint32_t left_out = 0;

	zg_text_append(text, ZG_SLICE(",\"pools\":["));
	for (uint32_t index = 0; index < usages->count; index++) {
		const struct zg_usage *sum = &usages->rows[index].sum;
		/* A byte of a name is six where it has to be escaped. */
		size_t size = LIVE_POOL_SIZE + 6 * strlen(sum->name) + LIVE_TAIL_SIZE;

		if (!live_is_pool(sum))
			continue;
		if (text->size + size > text->capacity) {
			left_out++;
			continue;
		}
		zg_text_append(text,
			       shown++ > 0 ? ZG_SLICE(",{\"name\":") : ZG_SLICE("{\"name\":"));
		zg_text_append_json(text, (struct zg_slice){sum->name, strlen(sum->name)});
		zg_text_print(text, ",\"taken\":%" PRIu64 ",\"count\":%" PRIu64 "}",
			      sum->live_count, sum->count_max);
	}
	zg_text_print(text, "],\"pools_left_out\":%" PRIu32, left_out);
}

/* Microseconds, from whole numbers: a locale may have a point of its own. */
static void live_us(struct zg_text *text, const char *name, uint64_t ns)
{
	zg_text_print(text, ",\"%s\":%" PRIu64 ".%" PRIu64, name, ns / 1000, ns % 1000 / 100);
}

void zgi_live_print(struct zg_text *text, const struct zgi_server *server,
		    const struct zgi_live_second *second)
{
	struct zgi_admin_snapshot *now = &live.now;
	uint64_t percent;

	zgi_admin_snapshot_read(server, now);
	percent = live_fragmentation(&now->usages);
	zg_text_print(text,
		      "{\"resident_bytes\":%" PRIu64 ",\"mallocs\":%" PRIu64
		      ",\"exchanges_taken\":%" PRIu64 ",\"exchanges\":%" PRIu64
		      ",\"requests_per_s\":%" PRIu64,
		      now->resident, now->seal.malloc_count,
		      now->exchanges.total - now->exchanges.free, now->exchanges.total,
		      second->requests_per_s);
	live_us(text, "p50_us", second->p50_ns);
	live_us(text, "p99_us", second->p99_ns);
	live_us(text, "max_us", second->max_ns);
	live_us(text, "pause_max_us", now->pause.sum.longest_ns);
	zg_text_print(text,
		      ",\"page_faults\":%" PRIu64 ",\"fragmentation\":%" PRIu64 ".%02" PRIu64
		      ",\"connections\":%" PRIu64,
		      now->faults.minor + now->faults.major, percent / 100, percent % 100,
		      now->open);
	live_pools(text, &now->usages);
	zg_text_append(text, ZG_SLICE("}"));
}

void zgi_live_tick(const struct zgi_server *server)
{
	struct zgi_live_second second;
	struct zg_text text;
	size_t size = live_topic.event_size_max;

	if (zgi_gauge_read(&live_topic.subscriber_count) == 0) {
		zgi_live_forget();
		return;
	}
	if (!zgi_live_measure(server, zgi_clock_ns(), &second))
		return;
	size = size < sizeof(live.text) ? size - LIVE_FRAME_SIZE : sizeof(live.text);
	zg_text_init(&text, live.text, size);
	zgi_live_print(&text, server, &second);
	if (text.is_truncated) {
		zg_text_init(&text, live.text, size);
		zg_text_append(&text, ZG_SLICE("{\"error\":\"raise --event-size-max\"}"));
	}
	(void)!zg_sse_publish(&live_topic, ZG_SLICE(""), (struct zg_slice){text.data, text.size});
}
