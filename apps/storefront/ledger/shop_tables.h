/*
 * The shop's tables besides the catalog: what each of them holds, for the plan and for the shop.
 */
#ifndef STOREFRONT_SHOP_TABLES_H
#define STOREFRONT_SHOP_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "ledger/shop.h"

#define SHOP_ROOM_COUNT 6

struct shop_room {
	const char *name; /* static, all of these */
	const char *option;
	const char *reason;
	const char *exhausted;
	const char *counter;
	size_t option_offset; /* of its limit in struct shop_options */
	size_t table_offset; /* of its table in struct shop */
	size_t object_size; /* bytes */
	size_t text_offset; /* as in struct shop_table_options */
	void (*wire)(struct shop_wire *wire, struct shop_object *object);
};

extern const struct shop_room shop_rooms[SHOP_ROOM_COUNT];

/**
 * shop_room_count() - objects of the n-th table
 * @options:  checked
 * @index:    below SHOP_ROOM_COUNT
 */
uint32_t shop_room_count(const struct shop_options *options, uint32_t index);

#endif
