/*
 * A shard's loop: wait, look at the clock once, handle what has completed, and
 * once a tick look after deadlines. One reading of the clock serves all events
 * of a turn.
 */

#include "server/shard.h"

#include <errno.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/counter.h"
#include "server/subscriber.h"
#include "server/tell.h"

#define SHARD_MAGIC 0x7a677368U
#define SHARD_WAIT_QUIET_NS UINT64_C(1000000000) /* with parked connections only */
#define SHARD_WAIT_EMPTY_NS UINT64_C(10000000000) /* with no connection at all */
#define SHARD_HOT_MS 200 /* how long a quiet connection keeps its exchange at the ready */
#define SHARD_LINGER_MS 2000 /* how long a peer may take to see that we have closed */
#define SHARD_PREFETCH_COUNT 8u /* events whose memory is fetched together */

/* A deadline is never early: a part of a tick counts as a whole one, and the present one has
 * begun already. */
static uint32_t shard_ticks(uint64_t ms)
{
	return (uint32_t)((ms * 1000000 + ZGI_TICK_NS - 1) / ZGI_TICK_NS) + 1;
}

static void shard_times_init(struct zgi_shard_times *times, const struct zg_options *options)
{
	times->header = shard_ticks(options->header_timeout_ms);
	times->body = shard_ticks(options->body_timeout_ms);
	times->idle = shard_ticks(options->idle_timeout_ms);
	times->write = shard_ticks(options->write_timeout_ms);
	times->handler = shard_ticks(options->handler_timeout_ms);
	times->exchange_wait = shard_ticks(options->exchange_wait_ms_max);
	times->hot = shard_ticks(SHARD_HOT_MS);
	times->linger = shard_ticks(SHARD_LINGER_MS);
	times->heartbeat = shard_ticks(options->event_heartbeat_ms);
}

static int shard_pool_init(struct zg_pool *pool, struct zg_region *region,
			   struct zg_pool_options options)
{
	int result;

	options.memory_size = zg_pool_memory_size(&options);
	result = zg_region_carve(region, options.memory_size, ZG_POOL_ALIGNMENT, &options.memory);
	if (result < 0)
		return result;
	return zg_pool_init(pool, &options);
}

static int shard_pools_init(struct zgi_shard *shard, const struct zgi_server_config *config,
			    struct zg_region *region)
{
	struct zg_pool_options exchanges = zgi_server_exchange_pool(config);
	struct zg_pool_options chunks = zgi_server_chunk_pool(config);
	int result;

	exchanges.index_first = shard->index * config->exchanges_each;
	/* Numbered on as far as a tag's indices go; tag 0 then finds the next. */
	if (chunks.block_count > 0 && chunks.block_count <= ZG_POOL_BLOCKS_MAX)
		chunks.index_first = shard->index % (ZG_POOL_BLOCKS_MAX / chunks.block_count) *
				     chunks.block_count;
	result = shard_pool_init(&shard->exchanges, region, exchanges);
	if (result == 0)
		result = shard_pool_init(&shard->chunks, region, chunks);
	if (result == 0 && config->subscribers_each > 0)
		result = shard_pool_init(&shard->subscribers, region,
					 zgi_server_subscriber_pool(config));
	return result;
}

static int shard_tables_init(struct zgi_shard *shard, const struct zgi_server_config *config,
			     struct zg_region *region)
{
	void *memory;
	int result = zg_region_carve(region, config->slots_each * sizeof(struct zgi_connection), 64,
				     &memory);

	if (result < 0)
		return result;
	shard->connections = memory;
	for (uint32_t index = 0; index < config->slots_each; index++)
		shard->connections[index] = (struct zgi_connection){
			.deadline = UINT32_MAX,
			.link = ZGI_CONNECTION_NONE,
		};

	result = zg_region_carve(region, config->inbox_cells_each * sizeof(struct zgi_inbox_cell),
				 64, &memory);
	if (result < 0)
		return result;
	zgi_inbox_init(&shard->inbox, &(struct zgi_inbox_options){
					      .cells = memory,
					      .cell_count = config->inbox_cells_each,
					      .post_count_max = config->options.posts,
				      });
	return 0;
}

static void shard_web_init(struct zgi_shard *shard, const struct zg_options *options,
			   const struct zgi_router *router)
{
	shard->web.router = router;
	shard->web.http_limits.head_size_max =
		(uint32_t)options->read_buffer_size - ZGI_EXCHANGE_STAGING_SIZE;
	shard->web.http_limits.fields_max = (uint32_t)options->fields_max;
	shard->web.read_buffer_size = (uint32_t)options->read_buffer_size;
	shard->web.write_buffer_size = (uint32_t)options->write_buffer_size;
	shard->web.body_size_max = options->body_size_max;
	shard->web.stream_size_max = options->stream_size_max;
	shard->web.form_fields_max = (uint32_t)options->form_fields_max;
	shard->web.exchanges = &shard->exchanges;
	shard->web.shard = shard;
	shard->web.shard_index = shard->index;
}

static void shard_hooks_init(struct zgi_shard *shard, const struct zgi_hooks *hooks)
{
	shard->web.hooks = hooks;
	shard->web.has_request_hooks = hooks != NULL && hooks->has_request;
	shard->has_connection_hooks = hooks != NULL && hooks->has_connection;
}

int zgi_shard_init(struct zgi_shard *shard, const struct zgi_shard_options *options,
		   struct zg_region *region)
{
	const struct zgi_server_config *config = options->config;
	struct zgi_io_options io_options = {
		.kind = config->io_kind,
		.descriptor_count = config->slots_each,
		.ring_entries = config->ring_entries,
		.listen_fd = options->listen_fd,
		.has_peers = config->options.peer_addresses,
		.flush_count = (uint32_t)config->options.flushes,
		.workers = options->flushers,
	};
	const struct zgi_async_options async_options = {
		.config = config,
		.hooks = options->shard_hooks,
		.offload = options->offload,
	};
	int result;

	shard->magic = SHARD_MAGIC;
	shard->index = options->index;
	shard->server = options->server;
	shard->slot_count = config->slots_each;
	shard->connection_limit = config->connections_each;
	shard->hot_reserve = config->exchanges_each / 4 > 0 ? config->exchanges_each / 4 : 1;
	shard->started_ns = zgi_clock_ns();
	zg_pause_init(&shard->pause, "shard");
	shard_times_init(&shard->times, &config->options);
	shard_web_init(shard, &config->options, options->router);
	shard_hooks_init(shard, options->hooks);
	result = shard_tables_init(shard, config, region);
	if (result == 0)
		result = shard_pools_init(shard, config, region);
	if (result == 0)
		result = zgi_async_init(&shard->async, &async_options, region);
	if (result == 0)
		result = zgi_io_create(&io_options, region, &shard->io);
	if (result == 0)
		shard->web.peers = zgi_io_peers(shard->io);
	return result;
}

void zgi_shard_fini(struct zgi_shard *shard)
{
	if (shard->magic == 0)
		return;
	zg_assert(shard->magic == SHARD_MAGIC);
	zgi_io_destroy(shard->io);
	zg_pool_fini(&shard->exchanges);
	zg_pool_fini(&shard->chunks);
	if (shard->subscribers.block_count > 0)
		zg_pool_fini(&shard->subscribers);
	shard->magic = 0;
}

int zgi_shard_start(struct zgi_shard *shard)
{
	zg_assert(shard->magic == SHARD_MAGIC);
	return zgi_io_start(shard->io);
}

void zgi_shard_command(struct zgi_shard *shard, enum zgi_shard_command command)
{
	__atomic_store_n(&shard->command, (uint32_t)command, __ATOMIC_RELEASE);
	zgi_io_wake(shard->io);
}

static void shard_resume(struct zgi_shard *shard, const struct zgi_message *message)
{
	struct zg_exchange *x = zg_pool_get(&shard->exchanges, message->handle);

	if (x == NULL || zgi_exchange_resume(x, message->then, message->user) < 0) {
		zgi_counter_add(&shard->counters.resumed_stale, 1);
		return;
	}
	zgi_counter_add(&shard->counters.resumed, 1);
	zgi_connection_resumed(shard, x->connection);
}

/* One round of the inbox at the most: posts may post, and connections wait meanwhile. */
static void shard_messages(struct zgi_shard *shard)
{
	uint64_t left = shard->inbox.mask + 1;
	struct zgi_message message;

	zgi_inbox_look(&shard->inbox);
	for (; left > 0 && zgi_inbox_receive(&shard->inbox, &message); left--) {
		if (zgi_message_is_post(&message)) {
			message.post(&shard->async, message.user);
			zgi_counter_add(&shard->async.counters.posts, 1);
		} else {
			shard_resume(shard, &message);
		}
	}
	if (left == 0 && zgi_inbox_must_wake(&shard->inbox))
		zgi_io_wake(shard->io);
}

static void shard_accept_stop(struct zgi_shard *shard)
{
	if (!shard->is_accepting)
		return;
	shard->is_accepting = false;
	shard->is_accept_ending = true;
	zgi_io_accept_stop(shard->io);
}

static void shard_drain(struct zgi_shard *shard)
{
	if (shard->is_draining)
		return;
	shard->is_draining = true;
	shard->web.is_draining = true;
	shard_accept_stop(shard);
	zgi_shard_end_idle(shard);
}

/* While the table has no room to spare, those who come wait in the kernel's queue. */
static void shard_accepting_adjust(struct zgi_shard *shard)
{
	uint32_t spare = shard->slot_count - shard->live_count;

	if (spare < ZGI_ACCEPT_HEADROOM / 4) {
		shard_accept_stop(shard);
	} else if (spare >= ZGI_ACCEPT_HEADROOM / 2 && !shard->is_accepting &&
		   !shard->is_accept_ending && !shard->is_draining) {
		shard->is_accepting = true;
		zgi_io_accept_start(shard->io);
	}
}

static void shard_accept_failed(struct zgi_shard *shard, int32_t result)
{
	zgi_counter_add(&shard->counters.accept_errors, 1);
	if (shard->web.hooks != NULL)
		zgi_tell_accept_failed(shard, result);
}

static void shard_event(struct zgi_shard *shard, const struct zgi_io_event *event)
{
	switch ((enum zgi_io_event_kind)event->kind) {
	case ZGI_IO_DONE:
		zgi_connection_done(shard, event->tag, event->result);
		return;
	case ZGI_IO_STALLED:
		zgi_connection_stalled(shard, event->tag, event->result);
		return;
	case ZGI_IO_ACCEPTED:
		if (event->result >= 0)
			zgi_connection_accepted(shard, (uint32_t)event->result);
		else
			shard_accept_failed(shard, event->result);
		/* No descriptor is left in the process: the oldest idle one makes room. */
		if (event->result == -EMFILE || event->result == -ENFILE)
			(void)zgi_shard_evict(shard);
		return;
	case ZGI_IO_WOKEN:
		shard_messages(shard);
		zgi_jobs_finish(&shard->async);
		zgi_subscribers_tell(shard);
		return;
	case ZGI_IO_FLUSHED:
		zgi_flush_done(&shard->async, event->tag, event->result);
		return;
	case ZGI_IO_WATCHED:
		zgi_watch_told(&shard->async, event->tag, event->result);
		return;
	case ZGI_IO_ACCEPT_ENDED:
		shard->is_accept_ending = false;
		return;
	}
}

static uint64_t shard_tick_age_ns(const struct zgi_shard *shard, uint64_t now_ns)
{
	return (now_ns - shard->started_ns) % ZGI_TICK_NS;
}

/* The date changes once a second; the clock is read for it once a tick. */
static void shard_clock(struct zgi_shard *shard, uint64_t now_ns)
{
	uint32_t tick = (uint32_t)((now_ns - shard->started_ns) / ZGI_TICK_NS);
	time_t seconds;

	shard->async.now_ns = now_ns;
	shard->tick_age_ns = shard_tick_age_ns(shard, now_ns);
	if (tick == shard->tick && shard->date_seconds != 0)
		return;
	shard->tick = tick;
	seconds = time(NULL);
	if (seconds != shard->date_seconds) {
		shard->date_seconds = seconds;
		zgi_http_date_format(seconds, shard->web.date);
	}
}

/* Until the next tick while something has a short deadline, or sooner when this one's are not
 * dealt with, or a timer is over; else longer. */
static uint64_t shard_wait_ns(const struct zgi_shard *shard, uint64_t now_ns)
{
	uint64_t sweep_ns = zgi_shard_sweep_wait_ns(shard);
	uint64_t timers_ns = zgi_timers_wait_ns(&shard->async, now_ns);
	uint64_t wait_ns = ZGI_TICK_NS - shard_tick_age_ns(shard, now_ns);

	if (shard->live_count == 0)
		wait_ns = SHARD_WAIT_EMPTY_NS;
	else if (shard->exchanges.free_count == shard->exchanges.block_count &&
		 shard->waiting_count == 0)
		wait_ns = SHARD_WAIT_QUIET_NS;
	if (wait_ns > timers_ns)
		wait_ns = timers_ns;
	return wait_ns < sweep_ns ? wait_ns : sweep_ns;
}

static bool shard_is_done(const struct zgi_shard *shard)
{
	return __atomic_load_n(&shard->command, __ATOMIC_ACQUIRE) == ZGI_SHARD_STOP;
}

/* A drain also waits until the accept has let go of the listener: then whoever comes next can have
 * its address. */
static bool shard_is_drained(const struct zgi_shard *shard)
{
	return shard->is_draining && shard->live_count == 0 && !shard->is_accept_ending &&
	       zgi_inbox_is_empty(&shard->inbox) && !zgi_async_is_busy(&shard->async);
}

/*
 * The events of a turn are known before any is handled, so what they need is fetched beforehand, a
 * few at a time and all at once: first their slots, then, with what the slots say, their exchanges.
 * One after the other, each of these would be a wait for memory.
 */
static void shard_prefetch(struct zgi_shard *shard, const struct zgi_io_event *events,
			   uint32_t event_count)
{
	for (uint32_t index = 0; index < event_count; index++)
		if (events[index].kind == ZGI_IO_DONE)
			__builtin_prefetch(&shard->connections[(uint32_t)events[index].tag], 1);
	for (uint32_t index = 0; index < event_count; index++) {
		uint32_t slot = (uint32_t)events[index].tag;

		if (events[index].kind == ZGI_IO_DONE &&
		    shard->connections[slot].link < shard->exchanges.block_count)
			zgi_exchange_prefetch(zgi_shard_exchange(shard, slot));
	}
}

void zgi_shard_turn(struct zgi_shard *shard, uint32_t event_count, uint64_t now_ns)
{
	shard_clock(shard, now_ns);
	for (uint32_t index = 0; index < event_count; index++) {
		if (index % SHARD_PREFETCH_COUNT == 0)
			shard_prefetch(shard, &shard->events[index],
				       event_count - index < SHARD_PREFETCH_COUNT
					       ? event_count - index
					       : SHARD_PREFETCH_COUNT);
		shard_event(shard, &shard->events[index]);
	}
	zgi_timers_run(&shard->async);
	zgi_connection_serve_waiting(shard);
	zgi_shard_sweep(shard);
	zgi_jobs_sweep(&shard->async, shard->tick);
	if (__atomic_load_n(&shard->command, __ATOMIC_ACQUIRE) == ZGI_SHARD_DRAIN)
		shard_drain(shard);
	shard_accepting_adjust(shard);
	if (zgi_async_has_turn_end(&shard->async))
		zgi_async_turn_end(&shard->async);
	if (ZG_UNLIKELY(shard->is_draining))
		zgi_gauge_set(&shard->is_drained, shard_is_drained(shard));
	zgi_counter_add(&shard->counters.turns, 1);
	zgi_counter_add(&shard->counters.events, event_count);
}

/* Once a tick, for it is a system call. */
static void shard_pause_sample(struct zgi_shard *shard)
{
	if (shard->pause_tick == shard->tick)
		return;
	shard->pause_tick = shard->tick;
	zg_pause_sample(&shard->pause);
}

int zgi_shard_run(struct zgi_shard *shard)
{
	uint64_t now_ns = zgi_clock_ns();

	shard_clock(shard, now_ns);
	shard_accepting_adjust(shard);
	while (!shard_is_done(shard)) {
		int count = zgi_io_wait(shard->io, shard_wait_ns(shard, now_ns), shard->events);

		if (count < 0)
			return count;
		now_ns = zgi_clock_ns();
		zgi_shard_turn(shard, (uint32_t)count, now_ns);

		uint64_t end_ns = zgi_clock_ns();

		zg_pause_turn(&shard->pause, now_ns, end_ns);
		shard_pause_sample(shard);
		now_ns = end_ns;
	}
	if (shard->web.hooks != NULL)
		zgi_tell_stopped(shard);
	return 0;
}

/* What still comes for connections is passed over: they end with the I/O object. */
static void shard_flushes_end(struct zgi_shard *shard)
{
	struct zgi_flushes *flushes = &shard->async.flushes;

	flushes->is_ending = true;
	while (flushes->live_count > 0) {
		int count = zgi_io_wait(shard->io, SHARD_WAIT_QUIET_NS, shard->events);

		if (count < 0)
			return;
		for (int index = 0; index < count; index++)
			if (shard->events[index].kind == ZGI_IO_FLUSHED)
				zgi_flush_done(&shard->async, shard->events[index].tag,
					       shard->events[index].result);
	}
}

void zgi_shard_end(struct zgi_shard *shard)
{
	shard_flushes_end(shard);
	zgi_jobs_abandon(&shard->async);
	zgi_async_stop(&shard->async);
}
