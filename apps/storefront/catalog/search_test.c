/*
 * Search: every way of asking is held against a look at all products, while they come, change and
 * go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "ledger/shop_fixture.h"

#define PRODUCTS_MAX 2000

static struct fixture fixture;

static int start(void **state)
{
	struct shop_options options;

	(void)state;
	fixture_options(&options);
	options.products_max = PRODUCTS_MAX;
	fixture_start(&fixture, &options);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end(&fixture);
	return 0;
}

static struct zg_slice slice(const char *text)
{
	return (struct zg_slice){text, strlen(text)};
}

/* All ids that a search finds, page by page. */
static uint32_t search_all(const char *text, uint32_t category, uint32_t limit, uint32_t *ids)
{
	struct shop_search search = {slice(text), category, limit, 0};
	struct shop_search_page page;
	uint32_t count = 0;

	do {
		assert_int_equal(shop_catalog_search(&fixture.shop.catalog, &search, &page), 0);
		assert_true(page.count <= limit);
		memcpy(ids + count, page.ids, page.count * sizeof(*ids));
		count += page.count;
		search.cursor = page.cursor;
	} while (page.cursor != 0);
	return count;
}

static void found(const char *text, const char *expected)
{
	static uint32_t ids[PRODUCTS_MAX];
	uint32_t count = search_all(text, 0, 10, ids);
	char list[256] = "";
	struct zg_text printed;

	zg_text_init(&printed, list, sizeof(list));
	for (uint32_t index = 0; index < count; ++index)
		zg_text_print(&printed, "%s%u", index > 0 ? " " : "", ids[index]);
	assert_string_equal(list, expected);
}

static void each_word_of_the_text_begins_a_word_of_the_name(void **state)
{
	(void)state;
	fixture_named(&fixture, "1", "Blue mug, large", "Kitchen");
	fixture_named(&fixture, "2", "Red mug", "Kitchen");
	fixture_named(&fixture, "3", "Bluebell seeds", "Garden");
	fixture_named(&fixture, "4", "Café crème (beans)", "Kitchen");
	found("mug", "2 1");
	found("MUG", "2 1");
	found("blue", "1 3");
	found("blue m", "1");
	found("m blue", "1");
	found("mug, blue!", "1");
	found("lue", "");
	found("bean", "4");
	found("café cr", "4");
	found("mug pot", "");
	found("", "1 3 4 2");
	found("  ", "1 3 4 2");
}

static void a_name_that_matches_twice_is_found_once(void **state)
{
	(void)state;
	fixture_named(&fixture, "1", "Tea towel for tea", "Kitchen");
	fixture_named(&fixture, "2", "Teapot", "Kitchen");
	found("te", "1 2");
	found("t", "1 2");
}

static void what_is_unlisted_or_renamed_is_not_found_as_it_was(void **state)
{
	struct shop_product_put *put = &fixture.command.request.product_put;

	(void)state;
	fixture_named(&fixture, "1", "Blue mug", "Kitchen");
	fixture_named(&fixture, "1", "Green cup", "Office");
	found("blue", "");
	found("green", "1");
	put->is_listed = 0;
	assert_int_equal(fixture_apply(&fixture, SHOP_PRODUCT_PUT), SHOP_OK);
	found("green", "");
	found("", "");
	put->is_listed = 1;
	assert_int_equal(fixture_apply(&fixture, SHOP_PRODUCT_PUT), SHOP_OK);
	found("green", "1");
}

static void what_cannot_be_asked_is_refused(void **state)
{
	struct shop_search_page page = {.count = 42};
	const struct shop_search searches[] = {
		{.limit = 0},
		{.limit = SHOP_SEARCH_LIMIT_MAX + 1},
		{.limit = 1, .category = 2},
		{.limit = 1, .cursor = UINT32_MAX},
		{.limit = 1, .cursor = (1 << 8) + 1},
		{.limit = 1, .cursor = (63 << 2 | 2) + 1},
		{.limit = 1, .cursor = 3 + 1}, /* of other searches: one within a category */
		{.limit = 1, .cursor = 0 + 1}, /* one for a word */
		{.limit = 1, .cursor = 2 + 1, .text = ZG_SLICE("blue")}, /* one for none */
	};

	(void)state;
	fixture_named(&fixture, "1", "Blue mug", "Kitchen");
	for (size_t index = 0; index < sizeof(searches) / sizeof(searches[0]); ++index)
		assert_int_equal(
			shop_catalog_search(&fixture.shop.catalog, &searches[index], &page),
			-EINVAL);
	assert_int_equal(page.count, 42);
	/* Longer than any name: nothing is like it. */
	found("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	      "a",
	      "");
}

static void a_page_goes_on_where_the_last_one_ended_though_products_come(void **state)
{
	struct shop_search search = {slice("mug"), 0, 2, 0};
	struct shop_search_page page;

	(void)state;
	fixture_named(&fixture, "1", "Mug a", "Kitchen");
	fixture_named(&fixture, "2", "Mug c", "Kitchen");
	fixture_named(&fixture, "3", "Mug d", "Kitchen");
	assert_int_equal(shop_catalog_search(&fixture.shop.catalog, &search, &page), 0);
	assert_int_equal(page.count, 2);
	assert_int_equal(page.ids[1], 2);
	/* One that comes in front shifts nobody. */
	fixture_named(&fixture, "4", "Mug b", "Kitchen");
	search.cursor = page.cursor;
	assert_int_equal(shop_catalog_search(&fixture.shop.catalog, &search, &page), 0);
	assert_int_equal(page.count, 1);
	assert_int_equal(page.ids[0], 3);
	assert_int_equal(page.cursor, 0);
}

static uint64_t random_state = 88172645463325252;

static uint32_t random_below(uint32_t count)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state % count);
}

static const char *const words[] = {"red",   "reed",   "blue",	"bluebell", "mug", "muggy",
				    "tea",   "teapot", "a",	"ab",	    "abc", "b",
				    "large", "larger", "small", "one"};
#define WORD_COUNT (sizeof(words) / sizeof(words[0]))

static const char *const categories[] = {"Kitchen", "Garden", "Office"};

/* Does a name have a word that begins so? Names are words with a space between. */
static bool name_has(const char *name, const char *prefix)
{
	size_t size = strlen(prefix);

	for (const char *word = name; word != NULL; word = strchr(word, ' ')) {
		word += *word == ' ';
		if (strncmp(word, prefix, size) == 0)
			return true;
	}
	return false;
}

static uint32_t count_by_hand(const char *first, const char *second, uint32_t category)
{
	uint32_t count = 0;

	for (uint32_t id = 1; id <= fixture.shop.catalog.products.count; ++id) {
		const struct shop_product *product =
			shop_catalog_product(&fixture.shop.catalog, id);

		count += product->is_listed && (category == 0 || product->category == category) &&
			 name_has(product->folded, first) && name_has(product->folded, second);
	}
	return count;
}

static void compare(void)
{
	static uint32_t ids[PRODUCTS_MAX * 2];
	static uint8_t seen[PRODUCTS_MAX + 1];

	for (uint32_t round = 0; round < 40; ++round) {
		const char *first = words[random_below(WORD_COUNT)];
		const char *second = random_below(2) == 0 ? "" : words[random_below(WORD_COUNT)];
		uint32_t category = random_below(fixture.shop.catalog.category_count + 1);
		char text[64];
		uint32_t count;

		(void)snprintf(text, sizeof(text), "%s %s", first, second);
		count = search_all(text, category, 1 + random_below(SHOP_SEARCH_LIMIT_MAX), ids);
		assert_int_equal(count, count_by_hand(first, second, category));
		memset(seen, 0, sizeof(seen));
		for (uint32_t index = 0; index < count; ++index)
			assert_int_equal(seen[ids[index]]++, 0);
	}
}

/* That no block but a lone one is less than half full is why the blocks always suffice. */
static void look_at_blocks(void)
{
	const struct shop_words *index = &fixture.shop.catalog.words;

	assert_int_equal(index->order_count + index->free_count, index->block_count);
	for (uint32_t number = 0; number < index->order_count; ++number) {
		uint8_t count = index->counts[index->order[number]];

		assert_true(count <= SHOP_WORDS_BLOCK_COUNT && count > 0);
		assert_true(count >= SHOP_WORDS_BLOCK_COUNT / 2 || index->order_count == 1);
	}
}

static void what_is_found_is_what_a_look_at_all_products_finds(void **state)
{
	(void)state;
	for (uint32_t step = 0; step < 12000; ++step) {
		char sku[SHOP_SKU_SIZE];
		char name[SHOP_NAME_SIZE] = "";
		struct zg_text text;

		(void)snprintf(sku, sizeof(sku), "S%u", random_below(PRODUCTS_MAX));
		zg_text_init(&text, name, sizeof(name));
		for (uint32_t word = 0, count = 1 + random_below(6); word < count; ++word)
			zg_text_print(&text, "%s%s", word > 0 ? " " : "",
				      words[random_below(WORD_COUNT)]);
		fixture_named(&fixture, sku, name, categories[random_below(3)]);
		/* In the second half most are taken out again, so that blocks become one. */
		if (random_below(10) < (step < 6000 ? 1 : 8)) {
			fixture.command.request.product_put.is_listed = 0;
			(void)fixture_apply(&fixture, SHOP_PRODUCT_PUT);
		}
		look_at_blocks();
		if (step % 2000 == 1999)
			compare();
	}
}

static void an_index_that_has_become_empty_has_no_block(void **state)
{
	struct shop_product_put *put = &fixture.command.request.product_put;

	(void)state;
	fixture_named(&fixture, "1", "Blue mug", "Kitchen");
	put->is_listed = 0;
	assert_int_equal(fixture_apply(&fixture, SHOP_PRODUCT_PUT), SHOP_OK);
	look_at_blocks();
	assert_int_equal(fixture.shop.catalog.words.order_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_word_of_the_text_begins_a_word_of_the_name,
						start, end),
		cmocka_unit_test_setup_teardown(a_name_that_matches_twice_is_found_once, start,
						end),
		cmocka_unit_test_setup_teardown(what_is_unlisted_or_renamed_is_not_found_as_it_was,
						start, end),
		cmocka_unit_test_setup_teardown(what_cannot_be_asked_is_refused, start, end),
		cmocka_unit_test_setup_teardown(
			a_page_goes_on_where_the_last_one_ended_though_products_come, start, end),
		cmocka_unit_test_setup_teardown(an_index_that_has_become_empty_has_no_block, start,
						end),
		cmocka_unit_test_setup_teardown(what_is_found_is_what_a_look_at_all_products_finds,
						start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
