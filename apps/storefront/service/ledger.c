/*
 * The ledger: commands go to the store, flushes are started once a turn, and whoever waits is told.
 *
 * All of it is on the one shard's thread, so the only order is that of the code.
 */
#include "service/service.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LEDGER_POLL_MS 5 /* how long the sandbox's word may lie about when nothing happens */
#define LEDGER_TICK_MS 1000
#define LEDGER_IDLE_MS 50
#define LEDGER_EXPIRE_MAX 64 /* carts, orders and keys a tick: a turn is to stay short */
#define LEDGER_RECLAIM_TURNS 4

int64_t service_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int service_slot_take(struct service_slot **ret_slot)
{
	struct service_slot *slot;
	zg_handle handle;
	void *block;
	int result = zg_pool_take(&service.slots, &handle, &block);

	if (result < 0)
		return result;
	slot = block;
	memset(slot, 0, sizeof(*slot));
	slot->own = handle;
	slot->handle = ZG_HANDLE_NONE;
	slot->command.now_ms = service_now_ms();
	*ret_slot = slot;
	return 0;
}

void service_slot_give(struct service_slot *slot)
{
	shop_card_wipe(&slot->command.card);
	(void)!zg_pool_give(&service.slots, slot->own);
}

static int ledger_submit(struct service_slot *slot)
{
	int result = service.failed;

	slot->state = SLOT_SUBMITTED;
	if (result == 0)
		result = shop_store_submit(service.store, &slot->command);
	return result;
}

int service_submit(struct zg_exchange *x, struct service_slot *slot, service_then *then)
{
	int result;

	slot->handle = zg_exchange_handle(x);
	slot->then = then;
	result = ledger_submit(slot);
	if (result == 0)
		return ZG_PENDING;
	service_slot_give(slot);
	if (result == -EAGAIN)
		return problem_busy(x);
	return problem_reply(x, 500, "store_failed",
			     "The shop cannot keep anything at the moment; nothing was done.");
}

int service_submit_apart(struct service_slot *slot)
{
	return ledger_submit(slot);
}

/* The slot's exchange goes on. */
static int ledger_then(struct zg_exchange *x, void *user)
{
	struct service_slot *slot = user;
	struct service_slot **link = &service.resumed;

	while (*link != slot)
		link = &(*link)->next;
	*link = slot->next;
	slot->state = SLOT_TAKEN;
	if (slot->error == 0)
		return slot->then(x, slot);
	service_slot_give(slot);
	return problem_reply(
		x, 500, "unknown_outcome",
		"The shop cannot tell whether this will last; ask again with the same key.");
}

static void ledger_tell(struct service_slot *slot)
{
	slot->state = SLOT_RESUMED;
	slot->resumed_turn = service.turn;
	slot->next = service.resumed;
	service.resumed = slot;
	if (zg_resume(slot->handle, ledger_then, slot) < 0)
		slot->resumed_turn = 0; /* gone already: reclaimed at the end of this turn */
}

/* A resumed exchange comes in the next turn at the latest. Whose client has gone never comes. */
static void ledger_reclaim(void)
{
	struct service_slot **link = &service.resumed;

	while (*link != NULL) {
		struct service_slot *slot = *link;

		if (slot->resumed_turn + LEDGER_RECLAIM_TURNS >= service.turn) {
			link = &slot->next;
			continue;
		}
		*link = slot->next;
		service.abandoned_count++;
		service_slot_give(slot);
	}
}

void ledger_done(void *user, struct shop_command *command, int error)
{
	struct service_slot *slot = (struct service_slot *)(void *)command;

	(void)user;
	if (error < 0)
		service.failed = error;
	if (shop_till_owns(&service.till, command)) {
		shop_till_stored(&service.till, command, error);
		return;
	}
	slot->error = error;
	/* The intent is durable: the till sees it through, and tells. */
	if (error == 0 && command->outcome.result == SHOP_PENDING && command->outcome.is_changed)
		shop_till_begin(&service.till, command, slot);
	else if (slot->done != NULL)
		slot->done(slot);
	else if (slot->then == NULL)
		service_slot_give(slot);
	else
		ledger_tell(slot);
}

void ledger_paid(void *user, void *waiter, const struct shop_command *word, int error)
{
	struct service_slot *slot = waiter;

	(void)user;
	/* Nobody waits for what was in flight when the service began. */
	if (slot == NULL)
		return;
	slot->command.outcome = word->outcome;
	slot->error = error;
	ledger_tell(slot);
}

static void ledger_flushed(struct zg_shard *shard, int result, void *user)
{
	(void)shard;
	(void)user;
	service.is_flushing = false;
	shop_store_flushed(service.store, result);
}

void ledger_turn_end(struct zg_shard *shard, void *user)
{
	int fd;

	(void)user;
	service.turn++;
	ledger_reclaim();
	/* Words that are due go into this turn's flush. */
	(void)shop_till_poll(&service.till, service_now_ms());
	if (service.is_flushing || shop_store_turn_end(service.store, &fd) != 1)
		return;
	service.is_flushing = true;
	if (zg_flush(shard, fd, ledger_flushed, NULL) < 0)
		ledger_flushed(shard, -EIO, NULL);
}

static void ledger_again(struct zg_shard *shard, uint64_t after_ms, zg_timer_handler *handler)
{
	const struct zg_timer_options options = {.after_ms = after_ms, .handler = handler};

	(void)!zg_timer_start(shard, &options, NULL);
}

static void ledger_poll(struct zg_shard *shard, void *user)
{
	(void)user;
	(void)shop_till_poll(&service.till, service_now_ms());
	ledger_again(shard, LEDGER_POLL_MS, ledger_poll);
}

/* What is over by now ends. */
static void ledger_tick(struct zg_shard *shard, void *user)
{
	struct service_slot *slot;

	(void)user;
	if (shop_next_due_ms(&service.shop) <= service_now_ms() && service_slot_take(&slot) == 0) {
		slot->command.type = SHOP_TICK;
		slot->command.request.tick.limit = LEDGER_EXPIRE_MAX;
		if (ledger_submit(slot) < 0)
			service_slot_give(slot);
	}
	ledger_again(shard, LEDGER_TICK_MS, ledger_tick);
}

static int ledger_sync_result;

static void ledger_sync(const struct zg_job *job, void *user)
{
	(void)job;
	(void)user;
	ledger_sync_result = shop_store_sync(service.store);
}

static void ledger_idle(struct zg_shard *shard, void *user);

static void ledger_synced(struct zg_shard *shard, int status, void *user)
{
	(void)user;
	shop_store_synced(service.store, status < 0 ? status : ledger_sync_result);
	ledger_again(shard, LEDGER_IDLE_MS, ledger_idle);
}

static void ledger_idle(struct zg_shard *shard, void *user)
{
	int work = shop_store_idle(service.store);

	(void)user;
	if (work == SHOP_STORE_SYNC) {
		if (zg_offload(shard, ledger_sync, ledger_synced, NULL) == 0)
			return;
		shop_store_synced(service.store, -EAGAIN);
	}
	ledger_again(shard, work == SHOP_STORE_MORE ? 0 : LEDGER_IDLE_MS, ledger_idle);
}

int ledger_start(struct zg_shard *shard, void *user)
{
	static char buffer[2048];
	struct zg_text error;
	int result;

	(void)user;
	zg_text_init(&error, buffer, sizeof(buffer));
	service.shard = shard;
	if (zg_shard_count(shard) != 1) {
		fputs("storefront: --shards: the shop has one writer, so it is 1\n", stderr);
		return -EINVAL;
	}
	result = service_open(&error);
	if (result < 0) {
		fprintf(stderr, "storefront: %s\n", error.data);
		return result;
	}
	/* What was in flight when the service ended: the acquirer knows, or never heard of it. */
	(void)shop_till_recover(&service.till, service_now_ms());
	ledger_again(shard, LEDGER_POLL_MS, ledger_poll);
	ledger_again(shard, LEDGER_TICK_MS, ledger_tick);
	ledger_again(shard, LEDGER_IDLE_MS, ledger_idle);
	return 0;
}

void ledger_stop(struct zg_shard *shard, void *user)
{
	(void)shard;
	(void)user;
	service_close();
}
