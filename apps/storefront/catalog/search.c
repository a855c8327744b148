/*
 * Search: the longest word of the text picks a range of the words, the others are looked for in it.
 */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "catalog/catalog.h"

#define TEXT_WORDS_MAX 8

/* A text, taken apart. A word is a prefix, so "blue m" finds mugs that are blue. */
struct search_words {
	char text[SHOP_NAME_SIZE]; /* folded, with NULs where words end */
	const char *words[TEXT_WORDS_MAX];
	uint32_t count;
	const char *longest; /* "" when there is no word */
};

/* A text longer than any name can be matches nothing. */
static bool search_split(struct zg_slice text, struct search_words *words)
{
	char raw[SHOP_NAME_SIZE];
	uint32_t starts[SHOP_WORDS_MAX];
	size_t longest_size = 0;
	uint32_t count;

	*words = (struct search_words){.longest = ""};
	if (text.size >= sizeof(raw) ||
	    (text.size > 0 && memchr(text.data, '\0', text.size) != NULL))
		return false;
	if (text.size > 0)
		memcpy(raw, text.data, text.size);
	raw[text.size] = '\0';
	shop_words_fold(raw, words->text);
	count = shop_words_starts(words->text, starts);
	for (uint32_t index = 0; index < count; ++index) {
		char *word = words->text + starts[index];
		size_t size = 0;

		/* Cut where the next one begins, and then what separates the two. */
		if (index + 1 < count)
			words->text[starts[index + 1] - 1] = '\0';
		while (word[size] != '\0' && shop_words_is_letter(word[size]))
			++size;
		word[size] = '\0';
		if (size == 0)
			continue; /* The text begins with a mark. */
		words->words[words->count++] = word;
		if (size > longest_size) {
			longest_size = size;
			words->longest = word;
		}
	}
	return true;
}

/* Without a word to look for, each product is to be listed once: by its first word. */
static uint32_t search_group(const struct shop_search *search, const struct search_words *words)
{
	return search->category + (words->count == 0 ? SHOP_WORDS_FIRST : 0);
}

static bool search_begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Is this the entry of the product to find it by, and are all the other words in its name? A name
 * in which several words match has several entries in the range: the first word's counts. */
static bool search_matches(const struct shop_product *product, uint32_t offset,
			   const struct search_words *words)
{
	uint32_t starts[SHOP_WORDS_MAX];
	uint32_t count = shop_words_starts(product->folded, starts);

	for (uint32_t index = 0; index < count && starts[index] < offset; ++index)
		if (search_begins(product->folded + starts[index], words->longest))
			return false;
	for (uint32_t word = 0; word < words->count; ++word) {
		bool is_found = false;

		for (uint32_t index = 0; index < count && !is_found; ++index)
			is_found =
				search_begins(product->folded + starts[index], words->words[word]);
		if (!is_found)
			return false;
	}
	return true;
}

/* Where the page begins: at the range's first entry, or behind the one that the cursor names. */
static int search_begin(struct shop_catalog *catalog, const struct shop_search *search,
			const struct search_words *words, struct shop_words_place *ret_place)
{
	struct shop_words_key key = {.group = search_group(search, words), .text = words->longest};

	if (search->cursor > 0) {
		uint32_t entry = search->cursor - 1;
		uint32_t number = shop_words_number(entry);
		const struct shop_product *product =
			shop_catalog_product(catalog, (uint64_t)number + 1);

		if (product == NULL || shop_words_offset(entry) >= strlen(product->folded) ||
		    shop_words_is_in_category(entry) != (search->category > 0) ||
		    shop_words_is_first(entry) != (words->count == 0))
			return -EINVAL;
		key.text = product->folded + shop_words_offset(entry);
		key.number = number + 1;
	}
	*ret_place = shop_words_seek(catalog, &key);
	return 0;
}

static bool search_is_in_range(const struct shop_product *product, uint32_t entry,
			       const struct shop_search *search, const struct search_words *words)
{
	return shop_words_group(entry, product->category) == search_group(search, words) &&
	       search_begins(product->folded + shop_words_offset(entry), words->longest);
}

int shop_catalog_search(struct shop_catalog *catalog, const struct shop_search *search,
			struct shop_search_page *ret_page)
{
	struct shop_search_page page = {.count = 0};
	struct shop_words_place place;
	struct search_words words;
	uint32_t entry_last = 0;
	uint32_t entry;
	int result;

	if (search->category > catalog->category_count || search->limit == 0 ||
	    search->limit > SHOP_SEARCH_LIMIT_MAX)
		return -EINVAL;
	if (!search_split(search->text, &words)) {
		*ret_page = page;
		return 0;
	}
	result = search_begin(catalog, search, &words, &place);
	if (result < 0)
		return result;
	for (uint32_t seen = 0; shop_words_next(&catalog->words, &place, &entry); ++seen) {
		const struct shop_product *product =
			shop_catalog_product(catalog, shop_words_number(entry) + 1);
		bool is_match;

		assert(product != NULL);
		if (!search_is_in_range(product, entry, search, &words))
			break;
		is_match = search_matches(product, shop_words_offset(entry), &words);
		/* There is a next page when it has something, or might have. */
		if ((is_match && page.count == search->limit) || seen == SHOP_SEARCH_SCAN_MAX) {
			page.cursor = entry_last + 1;
			break;
		}
		if (is_match)
			page.ids[page.count++] = shop_words_number(entry) + 1;
		entry_last = entry;
	}
	*ret_page = page;
	return 0;
}
