/*
 * Words: the places where words of names begin, in order of what follows.
 *
 * Each word of a listed product's name has two entries: one among all, one in its category; and the
 * first word has two more, among first words, for lists in which each product stands once. Entries
 * are sorted by these groups, then by the name from that word on, then by id; so what begins with a
 * prefix is one range. They lie in blocks of 64 to 128, and the blocks in order in a list: a place
 * is found by bisection, and an entry that comes moves no more than a block's. It is grown product
 * by product; there is no rebuilding.
 *
 * Ownership  Memory is the catalog's.
 * Threads    Not locked.
 */
#ifndef STOREFRONT_WORDS_H
#define STOREFRONT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHOP_WORDS_MAX 8 /* of one name: those behind are not searched */
#define SHOP_WORDS_FIRST 64 /* added to a category: the group of first words */
#define SHOP_WORDS_BLOCK_COUNT 128 /* entries of a block */
#define SHOP_SEARCH_SCAN_MAX 8192 /* entries that one search looks at */

struct shop_catalog;
struct shop_product;

struct shop_words {
	uint32_t *entries; /* borrowed: SHOP_WORDS_BLOCK_COUNT a block; see words.c */
	uint32_t *order; /* borrowed: the numbers of the blocks in use, in order of their entries */
	uint32_t *free_blocks; /* borrowed: a stack of the others */
	uint8_t *counts; /* borrowed: entries of each block */
	uint32_t order_count;
	uint32_t free_count;
	uint32_t block_count;
};

/* What to look for: the place of an entry, or of the first that may follow. */
struct shop_words_key {
	uint32_t group; /* see shop_words_group() */
	const char *text; /* folded, NUL-terminated */
	uint32_t number; /* of the product: its id - 1 */
};

struct shop_words_place {
	uint32_t block; /* index into `order` */
	uint32_t index; /* in the block */
};

/**
 * shop_words_memory_size() - bytes for the words of so many products
 * @products_max:  1 to ZG_POOL_BLOCKS_MAX
 */
size_t shop_words_memory_size(uint32_t products_max);

/**
 * shop_words_init() - no words
 * @words:         the caller's; overwritten
 * @products_max:  as above
 * @memory:        as many bytes as above, aligned to 8
 */
void shop_words_init(struct shop_words *words, uint32_t products_max, void *memory);

/**
 * shop_words_fold() - a name as it is compared
 * @name:    NUL-terminated
 * @folded:  of the same size: ASCII letters are small in it
 */
void shop_words_fold(const char *name, char *folded);

/**
 * shop_words_is_letter() - is a byte part of a word?
 * @byte:  folded
 */
static inline bool shop_words_is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
	       (unsigned char)byte >= 0x80;
}

/**
 * shop_words_starts() - where words begin
 * @folded:   NUL-terminated
 * @ret_starts:  offsets, rising; the first is 0
 *
 * A word is a run of letters and digits; what is not ASCII counts as a letter.
 *
 * Return: their count, at most SHOP_WORDS_MAX; 0 when the name is empty.
 */
uint32_t shop_words_starts(const char *folded, uint32_t ret_starts[SHOP_WORDS_MAX]);

/* The entries of a product come and go; its name and category must not change between. */
void shop_words_add(struct shop_catalog *catalog, const struct shop_product *product);
void shop_words_remove(struct shop_catalog *catalog, const struct shop_product *product);

/**
 * shop_words_seek() - the first entry that is not before a key
 * @catalog:  initialised
 * @key:      any
 */
struct shop_words_place shop_words_seek(struct shop_catalog *catalog,
					const struct shop_words_key *key);

/**
 * shop_words_next() - the entry at a place, and the place behind it
 * @words:      initialised
 * @place:      from shop_words_seek(); moved on
 * @ret_entry:  see below; untouched at the end
 *
 * Return: true when there is one.
 */
bool shop_words_next(const struct shop_words *words, struct shop_words_place *place,
		     uint32_t *ret_entry);

/* An entry: number (20 bits) | offset of the word (6 bits) | the first word alone (1 bit) | in its
 * category (1 bit). */
static inline uint32_t shop_words_number(uint32_t entry)
{
	return entry >> 8;
}

static inline uint32_t shop_words_offset(uint32_t entry)
{
	return entry >> 2 & 63;
}

static inline bool shop_words_is_first(uint32_t entry)
{
	return (entry & 2) != 0;
}

static inline bool shop_words_is_in_category(uint32_t entry)
{
	return (entry & 1) != 0;
}

/**
 * shop_words_group() - where an entry belongs: what is sorted by before all else
 * @entry:     any
 * @category:  of its product
 */
static inline uint32_t shop_words_group(uint32_t entry, uint32_t category)
{
	return (shop_words_is_in_category(entry) ? category : 0) +
	       (shop_words_is_first(entry) ? SHOP_WORDS_FIRST : 0);
}

#endif
