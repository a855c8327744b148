/*
 * The shop's limits: defaults, ranges, and what they come to in bytes.
 */
#include <errno.h>
#include <inttypes.h>

#include "ledger/shop.h"
#include "ledger/shop_tables.h"
#include "money/money.h"

#define CURRENCY_DEFAULT 978 /* EUR */

void shop_options_init(struct shop_options *options)
{
	*options = (struct shop_options){
#define X(name, option, unit, minimum, preset, maximum, help) .name = (preset),
		SHOP_LIMITS(X)
#undef X
			.currency = CURRENCY_DEFAULT,
		.seed = 1,
	};
}

int shop_options_check(const struct shop_options *options, struct zg_text *ret_error)
{
#define X(name, option, unit, minimum, preset, maximum, help)                                   \
	if (options->name < (minimum) || options->name > (maximum)) {                           \
		zg_text_print(ret_error,                                                        \
			      option " is %" PRIu32 ": it may be %d to %d " unit " (" help ")", \
			      options->name, (minimum), (maximum));                             \
		return -EINVAL;                                                                 \
	}
	SHOP_LIMITS(X)
#undef X
	if (shop_currency_of(options->currency) == NULL) {
		zg_text_print(ret_error,
			      "currency %u is no number of ISO 4217: it may be 978 (EUR), 840 "
			      "(USD), ...",
			      options->currency);
		return -EINVAL;
	}
	return 0;
}

/* Bytes of one object, rounded up, so that the line is no less than what is taken. */
static uint64_t plan_size_each(size_t size, uint32_t count)
{
	return (size + count - 1) / count;
}

static int plan_catalog(struct zg_plan *plan, const struct shop_options *options)
{
	const struct zg_plan_line line = {
		.name = "products",
		.option = "--products-max",
		.count = options->products_max,
		.size_each = plan_size_each(shop_catalog_memory_size(options->products_max),
					    options->products_max),
		.exhausted = "products_full: an import's row is refused",
		.counter = "storefront_products_refused_total",
	};

	return zg_plan_add(plan, &line,
			   "--products-max, with %d words of each name in the search index twice",
			   SHOP_WORDS_MAX);
}

int shop_plan(struct zg_plan *plan, const struct shop_options *options)
{
	int result = plan_catalog(plan, options);

	for (uint32_t index = 0; index < SHOP_ROOM_COUNT && result == 0; ++index) {
		const struct shop_room *room = &shop_rooms[index];
		const struct shop_table_options table = {
			.object_size = room->object_size,
			.object_count = shop_room_count(options, index),
		};
		const struct zg_plan_line line = {
			.name = room->name,
			.option = room->option,
			.count = table.object_count,
			.size_each =
				plan_size_each(shop_table_memory_size(&table), table.object_count),
			.exhausted = room->exhausted,
			.counter = room->counter,
		};

		result = zg_plan_add(plan, &line, "%s", room->reason);
	}
	return result;
}
