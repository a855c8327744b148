/*
 * The catalog: pages of products, one product, categories.
 */
#include "service/service.h"

#include <errno.h>
#include <stdio.h>

static void product_write(struct zg_json_writer *writer, const struct shop_product *product)
{
	const struct shop_category *category =
		&service.shop.catalog.categories[product->category - 1];
	char colour[8];

	(void)snprintf(colour, sizeof(colour), "#%06x", product->colour & 0xffffffU);
	zg_json_object_begin(writer);
	zg_json_key(writer, ZG_SLICE("id"));
	zg_json_u64(writer, product->object.id);
	zg_json_key(writer, ZG_SLICE("sku"));
	zg_json_text(writer, product->sku);
	zg_json_key(writer, ZG_SLICE("name"));
	zg_json_text(writer, product->name);
	zg_json_key(writer, ZG_SLICE("category"));
	zg_json_text(writer, category->name);
	zg_json_key(writer, ZG_SLICE("price_minor"));
	zg_json_i64(writer, product->price);
	zg_json_key(writer, ZG_SLICE("currency"));
	zg_json_string(writer, service_currency());
	zg_json_key(writer, ZG_SLICE("stock"));
	zg_json_u64(writer, product->available);
	zg_json_key(writer, ZG_SLICE("picture"));
	zg_json_text(writer, product->emoji);
	zg_json_key(writer, ZG_SLICE("colour"));
	zg_json_text(writer, colour);
	zg_json_object_end(writer);
}

static bool query_number(struct zg_exchange *x, struct zg_slice name, uint32_t *number)
{
	struct zg_slice text;
	uint64_t value = 0;

	if (zg_request_query_value(x, name, &text) < 0 || text.size == 0)
		return true;
	for (size_t index = 0; index < text.size; index++) {
		if (text.data[index] < '0' || text.data[index] > '9' || value > UINT32_MAX / 10)
			return false;
		value = value * 10 + (uint64_t)(text.data[index] - '0');
	}
	*number = (uint32_t)value;
	return value <= UINT32_MAX;
}

/* Pages follow each other by a cursor: each says where the next one begins. */
static int products_search(struct zg_exchange *x, struct shop_search *search)
{
	struct zg_slice category;

	*search = (struct shop_search){.limit = SERVICE_PAGE_SIZE};
	if (!query_number(x, ZG_SLICE("cursor"), &search->cursor))
		return -EINVAL;
	if (zg_request_query_value(x, ZG_SLICE("q"), &search->text) < 0)
		search->text = ZG_SLICE("");
	if (zg_request_query_value(x, ZG_SLICE("category"), &category) < 0 || category.size == 0)
		return 0;
	search->category = shop_catalog_category(&service.shop.catalog, category);
	return search->category == 0 ? -ENOENT : 0;
}

static int products_get(struct zg_exchange *x)
{
	struct shop_catalog *catalog = &service.shop.catalog;
	struct shop_search search;
	struct shop_search_page page = {.count = 0};
	struct zg_json_writer writer;
	int result = products_search(x, &search);

	if (result == 0)
		result = shop_catalog_search(catalog, &search, &page);
	if (result == -ENOENT)
		return problem_not_found(x, "There is no such category.");
	if (result < 0)
		return problem_reply(x, 400, "cursor", "The cursor is none that a page has given.");
	zg_reply_json_open(x, &writer);
	zg_json_object_begin(&writer);
	zg_json_key(&writer, ZG_SLICE("products"));
	zg_json_array_begin(&writer);
	for (uint32_t index = 0; index < page.count; index++)
		product_write(&writer, shop_catalog_product(catalog, page.ids[index]));
	zg_json_array_end(&writer);
	zg_json_key(&writer, ZG_SLICE("next"));
	if (page.cursor == 0)
		zg_json_null(&writer);
	else
		zg_json_u64(&writer, page.cursor);
	zg_json_object_end(&writer);
	return zg_reply_json_close(x, 200, &writer);
}

int product_reply(struct zg_exchange *x, int status, uint64_t id)
{
	const struct shop_product *product = shop_catalog_product(&service.shop.catalog, id);
	struct zg_json_writer writer;

	if (product == NULL)
		return problem_not_found(x, "There is no such product.");
	zg_reply_json_open(x, &writer);
	product_write(&writer, product);
	return zg_reply_json_close(x, status, &writer);
}

static int product_get(struct zg_exchange *x)
{
	uint64_t id;

	if (service_path_number(x, "id", &id) < 0)
		return problem_not_found(x, "There is no such product.");
	return product_reply(x, 200, id);
}

static int categories_get(struct zg_exchange *x)
{
	const struct shop_catalog *catalog = &service.shop.catalog;
	struct zg_json_writer writer;

	zg_reply_json_open(x, &writer);
	zg_json_object_begin(&writer);
	zg_json_key(&writer, ZG_SLICE("categories"));
	zg_json_array_begin(&writer);
	for (uint32_t index = 0; index < catalog->category_count; index++) {
		zg_json_object_begin(&writer);
		zg_json_key(&writer, ZG_SLICE("name"));
		zg_json_text(&writer, catalog->categories[index].name);
		zg_json_key(&writer, ZG_SLICE("count"));
		zg_json_u64(&writer, catalog->categories[index].product_count);
		zg_json_object_end(&writer);
	}
	zg_json_array_end(&writer);
	zg_json_object_end(&writer);
	return zg_reply_json_close(x, 200, &writer);
}

void products_routes(struct zg_app *app)
{
	zg_get(app, "/api/products", products_get);
	zg_get(app, "/api/products/{id}", product_get);
	zg_get(app, "/api/categories", categories_get);
}
