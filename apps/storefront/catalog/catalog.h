/*
 * Catalog: what the shop sells, by SKU, by id, by category and by the words of its name.
 *
 * Products lie in a pool of their own type. Their ids are 1, 2, 3 in the order in which they came,
 * and none is ever removed: one that is no longer sold is unlisted, for orders still name it.
 *
 * Stock is counted in three places: available, reserved by orders that wait for their payment,
 * and sold. Pieces move between the three, and together they are what was supplied.
 *
 * Ownership  Memory is the caller's, from init to fini.
 * Threads    Not locked: the shop has one writer.
 * Limits     SHOP_CATEGORIES_MAX categories; SHOP_WORDS_MAX words of a name are searched.
 */
#ifndef STOREFRONT_CATALOG_H
#define STOREFRONT_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/slice.h>
#include <zerog/typed_pool.h>

#include "catalog/words.h"
#include "state/outcome.h"
#include "state/table.h"

#define SHOP_SKU_SIZE 24 /* bytes of fields, the NUL's included */
#define SHOP_NAME_SIZE 64
#define SHOP_CATEGORY_SIZE 32
#define SHOP_EMOJI_SIZE 16
#define SHOP_CATEGORIES_MAX 63
#define SHOP_PRICE_MAX INT64_C(1000000000000) /* minor units: sums over a cart stay in 63 bits */
#define SHOP_AMOUNT_MAX INT64_C(20000000000000000) /* of one payment: a cart full of those */
#define SHOP_STOCK_MAX 1000000000 /* pieces of one product that are available */

struct shop_product {
	struct shop_object object;
	char sku[SHOP_SKU_SIZE];
	char name[SHOP_NAME_SIZE];
	char folded[SHOP_NAME_SIZE]; /* the name in small letters: see words.h */
	char emoji[SHOP_EMOJI_SIZE]; /* its picture on the page */
	uint32_t colour; /* of the picture's ground: 0xRRGGBB */
	uint16_t category; /* 1 to category_count */
	uint8_t is_listed; /* 0: no longer sold, and not found by a search */
	int64_t price; /* minor units of the shop's currency */
	uint64_t supplied; /* pieces: available + reserved + sold, always */
	uint64_t available;
	uint64_t reserved;
	uint64_t sold;
};

ZG_TYPED_POOL(product, struct shop_product);

struct shop_category {
	char name[SHOP_CATEGORY_SIZE];
	uint32_t product_count; /* listed ones; derived, not part of the state */
};

struct shop_catalog {
	struct product_pool pool;
	struct shop_table products; /* found by SKU */
	product_handle *handles; /* borrowed: by id - 1 */
	struct shop_words words;
	uint32_t category_count;
	struct shop_category categories[SHOP_CATEGORIES_MAX]; /* by category - 1 */
};

/* Puts a product into the catalog, or in the place of the one with its SKU. */
struct shop_product_put {
	char sku[SHOP_SKU_SIZE];
	char name[SHOP_NAME_SIZE];
	char category[SHOP_CATEGORY_SIZE];
	char emoji[SHOP_EMOJI_SIZE];
	int64_t price; /* minor units of the shop's currency */
	uint32_t stock; /* pieces that are available from now on */
	uint32_t colour;
	uint8_t is_listed;
};

/* More or fewer pieces are available. */
struct shop_product_stock {
	uint64_t product_id;
	int64_t difference; /* pieces */
};

/**
 * shop_catalog_memory_size() - bytes that a catalog needs
 * @products_max:  1 to ZG_POOL_BLOCKS_MAX
 *
 * Return: bytes, a multiple of ZG_POOL_ALIGNMENT; 0 when it is out of range.
 */
size_t shop_catalog_memory_size(uint32_t products_max);

/**
 * shop_catalog_init() - an empty catalog
 * @catalog:       the caller's; overwritten, and stays where it is
 * @tables:        borrowed until fini
 * @products_max:  as above
 * @memory:        as many bytes as above, aligned to ZG_POOL_ALIGNMENT, zeroed; borrowed until fini
 *
 * Return: 0; as zg_pool_init().
 */
ZG_MUST_USE int shop_catalog_init(struct shop_catalog *catalog, struct shop_tables *tables,
				  uint32_t products_max, void *memory);

/**
 * shop_catalog_fini() - end the catalog
 * @catalog:  initialised, or zeroed
 */
void shop_catalog_fini(struct shop_catalog *catalog);

/**
 * shop_catalog_put() - apply a struct shop_product_put
 * @catalog:  initialised
 * @put:      any
 * @outcome:  OK with the product's id; INVALID; FULL
 */
void shop_catalog_put(struct shop_catalog *catalog, const struct shop_product_put *put,
		      struct shop_outcome *outcome);

/**
 * shop_catalog_check() - would a product be taken?
 * @put:  any
 *
 * Return: SHOP_REASON_NONE, or what is the matter with it.
 */
enum shop_reason shop_catalog_check(const struct shop_product_put *put);

/**
 * shop_catalog_stock() - apply a struct shop_product_stock
 * @catalog:  initialised
 * @stock:    any
 * @outcome:  OK with the product's id; NOT_FOUND; INVALID when stock would leave its range
 */
void shop_catalog_stock(struct shop_catalog *catalog, const struct shop_product_stock *stock,
			struct shop_outcome *outcome);

/**
 * shop_catalog_product() - a product by its id
 * @catalog:  initialised
 * @id:       any
 *
 * Return: borrowed; NULL when there is none.
 */
struct shop_product *shop_catalog_product(struct shop_catalog *catalog, uint64_t id);

/**
 * shop_catalog_product_by_sku() - a product by its SKU
 * @catalog:  initialised
 * @sku:      NUL-terminated
 *
 * Return: borrowed; NULL when there is none.
 */
struct shop_product *shop_catalog_product_by_sku(struct shop_catalog *catalog, const char *sku);

/**
 * shop_catalog_category() - a category by its name
 * @catalog:  initialised
 * @name:     any
 *
 * Return: 1 to category_count; 0 when there is none.
 */
uint32_t shop_catalog_category(const struct shop_catalog *catalog, struct zg_slice name);

/* Pieces of a product change their place. Each is asserted to be there: the caller has looked. */
void shop_catalog_reserve(struct shop_catalog *catalog, struct shop_product *product,
			  uint32_t quantity); /* available to reserved */
void shop_catalog_release(struct shop_catalog *catalog, struct shop_product *product,
			  uint32_t quantity); /* reserved to available */
void shop_catalog_sell(struct shop_catalog *catalog, struct shop_product *product,
		       uint32_t quantity); /* reserved to sold */
void shop_catalog_return(struct shop_catalog *catalog, struct shop_product *product,
			 uint32_t quantity); /* sold to available */

/**
 * shop_catalog_wire() - write, read or hash the categories
 * @catalog:  initialised
 * @wire:     any way
 */
void shop_catalog_wire(struct shop_catalog *catalog, struct shop_wire *wire);

/**
 * shop_catalog_loaded() - take a product of a snapshot into the indexes
 * @catalog:  initialised, its categories read
 * @product:  of the table
 *
 * Return: 0; -EINVAL when it cannot be one.
 */
ZG_MUST_USE int shop_catalog_loaded(struct shop_catalog *catalog, struct shop_product *product);

/**
 * shop_catalog_load_end() - all products of a snapshot are there: index their words
 * @catalog:  initialised
 *
 * Return: 0; -EINVAL when an id is missing.
 */
ZG_MUST_USE int shop_catalog_load_end(struct shop_catalog *catalog);

/* How a search is asked for, and what it finds. */
#define SHOP_SEARCH_LIMIT_MAX 100

struct shop_search {
	struct zg_slice text; /* each word of it begins a word of the name; empty: all */
	uint32_t category; /* 0: all */
	uint32_t limit; /* products, 1 to SHOP_SEARCH_LIMIT_MAX */
	uint32_t cursor; /* 0 at first, then as the page before said */
};

struct shop_search_page {
	uint32_t ids[SHOP_SEARCH_LIMIT_MAX];
	uint32_t count;
	uint32_t cursor; /* of the next page; 0: there is none */
};

/**
 * shop_catalog_search() - the next page of what matches
 * @catalog:   initialised
 * @search:    any text; ASCII letters match in either case
 * @ret_page:  in order of the matching words, then of ids; untouched on failure
 *
 * Where to begin is found in O(log n). The longest word picks the range, the others are looked for
 * in it: no more than SHOP_SEARCH_SCAN_MAX places a call, so that a page may be short, and even
 * empty, though there is a next one. The order is stable: products that come or go meanwhile shift
 * nobody else to another page.
 *
 * Return: 0; -EINVAL when the category, the limit or the cursor is none.
 */
ZG_MUST_USE int shop_catalog_search(struct shop_catalog *catalog, const struct shop_search *search,
				    struct shop_search_page *ret_page);

#endif
