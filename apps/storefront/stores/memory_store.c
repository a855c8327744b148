/*
 * Memory store: the shop, and nothing around it.
 */
#include "stores/memory_store.h"

#include <assert.h>
#include <stddef.h>

static int memory_submit(struct shop_store *store, struct shop_command *command)
{
	shop_apply(store->shop, command);
	store->done(store->user, command, 0);
	return 0;
}

static int memory_turn_end(struct shop_store *store, int *ret_fd)
{
	(void)store;
	(void)ret_fd;
	return 0;
}

static void memory_flushed(struct shop_store *store, int result)
{
	(void)store;
	(void)result;
	assert(!"a store in memory asks for no flush");
}

static int memory_idle(struct shop_store *store)
{
	(void)store;
	return SHOP_STORE_NOTHING;
}

static int memory_sync(struct shop_store *store)
{
	(void)store;
	return 0;
}

static void memory_synced(struct shop_store *store, int result)
{
	(void)store;
	(void)result;
}

static void memory_close(struct shop_store *store)
{
	store->shop = NULL;
}

static const struct shop_store_operations memory_operations = {
	.name = "memory",
	.submit = memory_submit,
	.turn_end = memory_turn_end,
	.flushed = memory_flushed,
	.idle = memory_idle,
	.sync = memory_sync,
	.synced = memory_synced,
	.close = memory_close,
};

void shop_memory_store_open(struct shop_memory_store *memory, struct shop *shop,
			    shop_store_done *done, void *user)
{
	assert(shop != NULL && done != NULL);
	memory->store = (struct shop_store){&memory_operations, shop, done, user};
}
