/*
 * Words. A balanced tree would do as well; two levels of arrays take a fifth of its memory, and
 * bisecting them touches fewer lines. Every block but a lone one is at least half full, so that the
 * blocks that could be needed are known beforehand.
 */
#include "catalog/words.h"

#include <assert.h>
#include <string.h>

#include <zerog/pool.h>

#include "catalog/catalog.h"

#define BLOCK SHOP_WORDS_BLOCK_COUNT
#define HALF (BLOCK / 2)
#define ENTRIES_MAX ((SHOP_WORDS_MAX + 1) * 2) /* of a product */

static_assert(ZG_POOL_BLOCKS_MAX <= UINT32_C(1) << 24, "a number fits an entry");
static_assert(SHOP_CATEGORIES_MAX < SHOP_WORDS_FIRST, "groups are apart");
static_assert(SHOP_NAME_SIZE <= 64, "an offset fits an entry");
static_assert(BLOCK <= UINT8_MAX, "a count fits its byte");

static uint32_t words_block_count(uint32_t products_max)
{
	/* One more than half-full blocks would be: while a split is under way. */
	return products_max * ENTRIES_MAX / HALF + 2;
}

size_t shop_words_memory_size(uint32_t products_max)
{
	size_t count = words_block_count(products_max);

	return ZG_POOL_ROUND(count * (BLOCK * sizeof(uint32_t) + 2 * sizeof(uint32_t) + 1));
}

void shop_words_init(struct shop_words *words, uint32_t products_max, void *memory)
{
	uint32_t count = words_block_count(products_max);
	uint32_t *numbers = memory;

	*words = (struct shop_words){
		.entries = numbers,
		.order = numbers + (size_t)count * BLOCK,
		.free_blocks = numbers + (size_t)count * (BLOCK + 1),
		.counts = (void *)(numbers + (size_t)count * (BLOCK + 2)),
		.free_count = count,
		.block_count = count,
	};
	for (uint32_t number = 0; number < count; ++number)
		words->free_blocks[number] = count - 1 - number;
}

void shop_words_fold(const char *name, char *folded)
{
	for (; *name != '\0'; ++name, ++folded)
		*folded = (char)(*name >= 'A' && *name <= 'Z' ? *name + ('a' - 'A') : *name);
	*folded = '\0';
}

uint32_t shop_words_starts(const char *folded, uint32_t ret_starts[SHOP_WORDS_MAX])
{
	uint32_t count = 0;

	for (uint32_t offset = 0; folded[offset] != '\0' && count < SHOP_WORDS_MAX; ++offset)
		if (offset == 0 || (shop_words_is_letter(folded[offset]) &&
				    !shop_words_is_letter(folded[offset - 1])))
			ret_starts[count++] = offset;
	return count;
}

static uint32_t *words_block(const struct shop_words *words, uint32_t order_index)
{
	return words->entries + (size_t)words->order[order_index] * BLOCK;
}

static uint8_t *words_count(const struct shop_words *words, uint32_t order_index)
{
	return &words->counts[words->order[order_index]];
}

/* Is the entry before the key? */
static bool words_is_before(struct shop_catalog *catalog, uint32_t entry,
			    const struct shop_words_key *key)
{
	uint32_t number = shop_words_number(entry);
	const struct shop_product *product = shop_catalog_product(catalog, number + 1);
	uint32_t group;
	int order;

	assert(product != NULL);
	group = shop_words_group(entry, product->category);
	if (group != key->group)
		return group < key->group;
	order = strcmp(product->folded + shop_words_offset(entry), key->text);
	if (order != 0)
		return order < 0;
	return number < key->number;
}

struct shop_words_place shop_words_seek(struct shop_catalog *catalog,
					const struct shop_words_key *key)
{
	const struct shop_words *words = &catalog->words;
	struct shop_words_place place = {0, 0};
	uint32_t low = 0;
	uint32_t high = words->order_count;

	/* The last block whose first entry is before the key: the place is in it, or right behind.
	 */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (words_is_before(catalog, words_block(words, middle)[0], key))
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return place;
	place.block = low - 1;
	low = 1;
	high = *words_count(words, place.block);
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (words_is_before(catalog, words_block(words, place.block)[middle], key))
			low = middle + 1;
		else
			high = middle;
	}
	place.index = low;
	return place;
}

bool shop_words_next(const struct shop_words *words, struct shop_words_place *place,
		     uint32_t *ret_entry)
{
	if (place->block < words->order_count && place->index >= *words_count(words, place->block))
		*place = (struct shop_words_place){place->block + 1, 0};
	if (place->block >= words->order_count)
		return false;
	*ret_entry = words_block(words, place->block)[place->index++];
	return true;
}

/* A new block at a place in the order. */
static void words_open(struct shop_words *words, uint32_t order_index)
{
	uint32_t number;

	assert(words->free_count > 0);
	number = words->free_blocks[--words->free_count];
	memmove(words->order + order_index + 1, words->order + order_index,
		(words->order_count - order_index) * sizeof(*words->order));
	words->order[order_index] = number;
	words->counts[number] = 0;
	++words->order_count;
}

static void words_close(struct shop_words *words, uint32_t order_index)
{
	words->free_blocks[words->free_count++] = words->order[order_index];
	--words->order_count;
	memmove(words->order + order_index, words->order + order_index + 1,
		(words->order_count - order_index) * sizeof(*words->order));
}

static void words_insert(struct shop_words *words, struct shop_words_place place, uint32_t entry)
{
	uint32_t *block;
	uint8_t *count;

	if (words->order_count == 0)
		words_open(words, 0);
	if (*words_count(words, place.block) == BLOCK) {
		words_open(words, place.block + 1);
		memcpy(words_block(words, place.block + 1), words_block(words, place.block) + HALF,
		       HALF * sizeof(entry));
		*words_count(words, place.block) = HALF;
		*words_count(words, place.block + 1) = HALF;
		if (place.index > HALF)
			place = (struct shop_words_place){place.block + 1, place.index - HALF};
	}
	block = words_block(words, place.block);
	count = words_count(words, place.block);
	memmove(block + place.index + 1, block + place.index,
		(*count - place.index) * sizeof(entry));
	block[place.index] = entry;
	++*count;
}

/* A block that has become less than half full takes its neighbour's, all of them or some. */
static void words_refill(struct shop_words *words, uint32_t left_index)
{
	uint32_t *left = words_block(words, left_index);
	uint32_t *right = words_block(words, left_index + 1);
	uint8_t *left_count = words_count(words, left_index);
	uint8_t *right_count = words_count(words, left_index + 1);
	uint32_t sum = (uint32_t)*left_count + *right_count;
	uint32_t left_wanted = sum <= BLOCK ? sum : sum / 2;

	if (left_wanted >= *left_count) {
		uint32_t moved = left_wanted - *left_count;

		memcpy(left + *left_count, right, moved * sizeof(*left));
		memmove(right, right + moved, (*right_count - moved) * sizeof(*left));
	} else {
		uint32_t moved = *left_count - left_wanted;

		memmove(right + moved, right, *right_count * sizeof(*left));
		memcpy(right, left + left_wanted, moved * sizeof(*left));
	}
	*left_count = (uint8_t)left_wanted;
	*right_count = (uint8_t)(sum - left_wanted);
	if (*right_count == 0)
		words_close(words, left_index + 1);
}

static void words_erase(struct shop_words *words, struct shop_words_place place)
{
	uint32_t *block = words_block(words, place.block);
	uint8_t *count = words_count(words, place.block);

	--*count;
	memmove(block + place.index, block + place.index + 1,
		(*count - place.index) * sizeof(*block));
	if (*count >= HALF)
		return;
	if (place.block + 1 < words->order_count)
		words_refill(words, place.block);
	else if (place.block > 0)
		words_refill(words, place.block - 1);
	else if (*count == 0)
		words_close(words, place.block);
}

/* Entries of a product: two a word, and two for the first one. */
static uint32_t words_entries(const struct shop_product *product, uint32_t entries[ENTRIES_MAX])
{
	uint32_t number = (uint32_t)product->object.id - 1;
	uint32_t starts[SHOP_WORDS_MAX];
	uint32_t count = shop_words_starts(product->folded, starts);

	for (uint32_t index = 0; index < count; ++index) {
		entries[2 * index] = number << 8 | starts[index] << 2;
		entries[2 * index + 1] = entries[2 * index] | 1;
	}
	entries[2 * count] = number << 8 | 2;
	entries[2 * count + 1] = number << 8 | 3;
	return 2 * count + 2;
}

static struct shop_words_key words_key(const struct shop_product *product, uint32_t entry)
{
	return (struct shop_words_key){
		.group = shop_words_group(entry, product->category),
		.text = product->folded + shop_words_offset(entry),
		.number = shop_words_number(entry),
	};
}

void shop_words_add(struct shop_catalog *catalog, const struct shop_product *product)
{
	uint32_t entries[ENTRIES_MAX];
	uint32_t count = words_entries(product, entries);

	for (uint32_t index = 0; index < count; ++index) {
		struct shop_words_key key = words_key(product, entries[index]);

		words_insert(&catalog->words, shop_words_seek(catalog, &key), entries[index]);
	}
}

void shop_words_remove(struct shop_catalog *catalog, const struct shop_product *product)
{
	uint32_t entries[ENTRIES_MAX];
	uint32_t count = words_entries(product, entries);

	for (uint32_t index = 0; index < count; ++index) {
		struct shop_words_key key = words_key(product, entries[index]);
		struct shop_words_place place = shop_words_seek(catalog, &key);
		struct shop_words_place behind = place;
		uint32_t entry = UINT32_MAX;
		bool is_there = shop_words_next(&catalog->words, &behind, &entry);

		assert(is_there && entry == entries[index]);
		behind.index -= 1;
		words_erase(&catalog->words, behind);
	}
}
