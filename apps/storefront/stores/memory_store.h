/*
 * Memory store: applies commands at once, and keeps nothing.
 */
#ifndef STOREFRONT_MEMORY_STORE_H
#define STOREFRONT_MEMORY_STORE_H

#include "stores/store.h"

struct shop_memory_store {
	struct shop_store store;
};

/**
 * shop_memory_store_open() - a store over a shop
 * @memory:  the caller's; overwritten. Its member `store` is what others use
 * @shop:    initialised; borrowed until the store is closed
 * @done:    called from within shop_store_submit()
 * @user:    for it
 */
void shop_memory_store_open(struct shop_memory_store *memory, struct shop *shop,
			    shop_store_done *done, void *user);

#endif
