/*
 * Catalog: products come in, and their pieces change places.
 */
#include "catalog/catalog.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "state/text.h"

#define QUEUE_ALL 0

static void product_wire(struct shop_wire *wire, struct shop_object *object)
{
	struct shop_product *product = (struct shop_product *)object;

	shop_wire_text(wire, product->sku, sizeof(product->sku));
	shop_wire_text(wire, product->name, sizeof(product->name));
	shop_wire_text(wire, product->emoji, sizeof(product->emoji));
	shop_wire_u32(wire, &product->colour);
	shop_wire_u16(wire, &product->category);
	shop_wire_u8(wire, &product->is_listed);
	shop_wire_i64(wire, &product->price);
	shop_wire_u64(wire, &product->supplied);
	shop_wire_u64(wire, &product->available);
	shop_wire_u64(wire, &product->reserved);
	shop_wire_u64(wire, &product->sold);
}

static struct shop_table_options catalog_table(struct shop_catalog *catalog, uint32_t products_max)
{
	return (struct shop_table_options){
		.name = "products",
		.pool = catalog == NULL ? NULL : &catalog->pool.untyped,
		.object_size = sizeof(struct shop_product),
		.object_count = products_max,
		.text_offset = offsetof(struct shop_product, sku),
		.wire = product_wire,
	};
}

static size_t catalog_handles_size(uint32_t products_max)
{
	return ZG_POOL_ROUND(products_max * sizeof(product_handle));
}

size_t shop_catalog_memory_size(uint32_t products_max)
{
	struct shop_table_options options = catalog_table(NULL, products_max);
	size_t table_size = shop_table_memory_size(&options);

	if (table_size == 0)
		return 0;
	return table_size + catalog_handles_size(products_max) +
	       shop_words_memory_size(products_max);
}

int shop_catalog_init(struct shop_catalog *catalog, struct shop_tables *tables,
		      uint32_t products_max, void *memory)
{
	struct shop_table_options options = catalog_table(catalog, products_max);
	unsigned char *bytes = memory;
	int result;

	*catalog = (struct shop_catalog){0};
	result = shop_table_init(&catalog->products, tables, &options, bytes);
	if (result < 0)
		return result;
	bytes += shop_table_memory_size(&options);
	catalog->handles = (void *)bytes;
	bytes += catalog_handles_size(products_max);
	shop_words_init(&catalog->words, products_max, bytes);
	return 0;
}

void shop_catalog_fini(struct shop_catalog *catalog)
{
	shop_table_fini(&catalog->products);
}

struct shop_product *shop_catalog_product(struct shop_catalog *catalog, uint64_t id)
{
	if (id == 0 || id > catalog->products.count)
		return NULL;
	return product_pool_get(&catalog->pool, catalog->handles[id - 1]);
}

struct shop_product *shop_catalog_product_by_sku(struct shop_catalog *catalog, const char *sku)
{
	return (struct shop_product *)shop_table_find_text(&catalog->products, sku);
}

uint32_t shop_catalog_category(const struct shop_catalog *catalog, struct zg_slice name)
{
	for (uint32_t index = 0; index < catalog->category_count; ++index)
		if (zg_slice_equals(name, shop_text_of(catalog->categories[index].name,
						       SHOP_CATEGORY_SIZE)))
			return index + 1;
	return 0;
}

enum shop_reason shop_catalog_check(const struct shop_product_put *put)
{
	struct zg_slice emoji = shop_text_of(put->emoji, sizeof(put->emoji));

	if (put->sku[SHOP_SKU_SIZE - 1] != '\0' ||
	    !shop_text_is_token(shop_text_of(put->sku, sizeof(put->sku))))
		return SHOP_REASON_SKU;
	if (put->name[SHOP_NAME_SIZE - 1] != '\0' ||
	    !shop_text_is_name(shop_text_of(put->name, sizeof(put->name))))
		return SHOP_REASON_NAME;
	if (put->category[SHOP_CATEGORY_SIZE - 1] != '\0' ||
	    !shop_text_is_name(shop_text_of(put->category, sizeof(put->category))))
		return SHOP_REASON_CATEGORY;
	if (put->emoji[SHOP_EMOJI_SIZE - 1] != '\0' ||
	    (emoji.size > 0 && !shop_text_is_name(emoji)))
		return SHOP_REASON_NAME;
	if (put->price < 0 || put->price > SHOP_PRICE_MAX)
		return SHOP_REASON_PRICE;
	if (put->stock > SHOP_STOCK_MAX)
		return SHOP_REASON_STOCK;
	return SHOP_REASON_NONE;
}

/* The category of that name, which is made when there is none; 0 when they are full. */
static uint32_t catalog_category_make(struct shop_catalog *catalog, const char *name)
{
	uint32_t category = shop_catalog_category(catalog, shop_text_of(name, SHOP_CATEGORY_SIZE));

	if (category > 0 || catalog->category_count == SHOP_CATEGORIES_MAX)
		return category;
	memcpy(catalog->categories[catalog->category_count].name, name, SHOP_CATEGORY_SIZE);
	return ++catalog->category_count;
}

static void catalog_index(struct shop_catalog *catalog, const struct shop_product *product)
{
	if (!product->is_listed)
		return;
	shop_words_add(catalog, product);
	++catalog->categories[product->category - 1].product_count;
}

static void catalog_unindex(struct shop_catalog *catalog, const struct shop_product *product)
{
	if (!product->is_listed)
		return;
	shop_words_remove(catalog, product);
	--catalog->categories[product->category - 1].product_count;
}

static void catalog_fill(struct shop_product *product, const struct shop_product_put *put)
{
	memcpy(product->name, put->name, sizeof(product->name));
	memcpy(product->emoji, put->emoji, sizeof(product->emoji));
	shop_words_fold(product->name, product->folded);
	product->colour = put->colour & 0xffffff;
	product->is_listed = put->is_listed != 0;
	product->price = put->price;
	product->supplied = product->supplied - product->available + put->stock;
	product->available = put->stock;
}

void shop_catalog_put(struct shop_catalog *catalog, const struct shop_product_put *put,
		      struct shop_outcome *outcome)
{
	enum shop_reason reason = shop_catalog_check(put);
	struct shop_product *product;
	struct shop_object *object;
	uint32_t category;

	if (reason != SHOP_REASON_NONE) {
		shop_outcome_set(outcome, SHOP_INVALID, reason);
		return;
	}
	product = shop_catalog_product_by_sku(catalog, put->sku);
	if (product == NULL && shop_table_is_full(&catalog->products)) {
		shop_outcome_limit(outcome, SHOP_REASON_PRODUCTS_FULL,
				   catalog->products.options.object_count);
		++catalog->products.refuse_count;
		return;
	}
	category = catalog_category_make(catalog, put->category);
	if (category == 0) {
		shop_outcome_limit(outcome, SHOP_REASON_CATEGORIES_FULL, SHOP_CATEGORIES_MAX);
		return;
	}
	if (product == NULL) {
		int result = shop_table_add_text(&catalog->products, QUEUE_ALL, put->sku, &object);

		assert(result == 0);
		product = (struct shop_product *)object;
		catalog->handles[object->id - 1].untyped = object->handle;
	} else {
		shop_table_touch(&catalog->products, &product->object);
		catalog_unindex(catalog, product);
	}
	product->category = (uint16_t)category;
	catalog_fill(product, put);
	catalog_index(catalog, product);
	outcome->id = product->object.id;
	outcome->is_changed = true;
}

void shop_catalog_stock(struct shop_catalog *catalog, const struct shop_product_stock *stock,
			struct shop_outcome *outcome)
{
	struct shop_product *product = shop_catalog_product(catalog, stock->product_id);
	int64_t available;

	if (product == NULL) {
		shop_outcome_set(outcome, SHOP_NOT_FOUND, SHOP_REASON_PRODUCT);
		return;
	}
	outcome->id = stock->product_id;
	if (__builtin_add_overflow((int64_t)product->available, stock->difference, &available) ||
	    available < 0 || available > SHOP_STOCK_MAX) {
		shop_outcome_set(outcome, SHOP_INVALID, SHOP_REASON_STOCK);
		outcome->limit = (uint32_t)product->available;
		return;
	}
	shop_table_touch(&catalog->products, &product->object);
	product->supplied = product->supplied - product->available + (uint64_t)available;
	product->available = (uint64_t)available;
	outcome->is_changed = true;
}

/* Stock leaves one place and arrives in another: the only way in which it moves. */
static void catalog_move(struct shop_catalog *catalog, struct shop_product *product, uint64_t *from,
			 uint64_t *to, uint32_t quantity)
{
	shop_table_touch(&catalog->products, &product->object);
	assert(*from >= quantity);
	*from -= quantity;
	*to += quantity;
	assert(product->available + product->reserved + product->sold == product->supplied);
}

void shop_catalog_reserve(struct shop_catalog *catalog, struct shop_product *product,
			  uint32_t quantity)
{
	catalog_move(catalog, product, &product->available, &product->reserved, quantity);
}

void shop_catalog_release(struct shop_catalog *catalog, struct shop_product *product,
			  uint32_t quantity)
{
	catalog_move(catalog, product, &product->reserved, &product->available, quantity);
}

void shop_catalog_sell(struct shop_catalog *catalog, struct shop_product *product,
		       uint32_t quantity)
{
	catalog_move(catalog, product, &product->reserved, &product->sold, quantity);
}

void shop_catalog_return(struct shop_catalog *catalog, struct shop_product *product,
			 uint32_t quantity)
{
	catalog_move(catalog, product, &product->sold, &product->available, quantity);
}

void shop_catalog_wire(struct shop_catalog *catalog, struct shop_wire *wire)
{
	shop_wire_u32(wire, &catalog->category_count);
	if (catalog->category_count > SHOP_CATEGORIES_MAX) {
		catalog->category_count = 0;
		wire->is_failed = true;
	}
	for (uint32_t index = 0; index < catalog->category_count; ++index)
		shop_wire_text(wire, catalog->categories[index].name, SHOP_CATEGORY_SIZE);
}

int shop_catalog_loaded(struct shop_catalog *catalog, struct shop_product *product)
{
	uint64_t id = product->object.id;

	if (id == 0 || id > catalog->products.options.object_count || product->category == 0 ||
	    product->category > catalog->category_count ||
	    catalog->handles[id - 1].untyped.bits != 0 || product->name[0] == '\0')
		return -EINVAL;
	if (product->available + product->reserved + product->sold != product->supplied)
		return -EINVAL;
	catalog->handles[id - 1].untyped = product->object.handle;
	shop_words_fold(product->name, product->folded);
	return 0;
}

int shop_catalog_load_end(struct shop_catalog *catalog)
{
	for (uint64_t id = 1; id <= catalog->products.count; ++id)
		if (catalog->handles[id - 1].untyped.bits == 0)
			return -EINVAL;
	for (uint64_t id = 1; id <= catalog->products.count; ++id)
		catalog_index(catalog, shop_catalog_product(catalog, id));
	return 0;
}
