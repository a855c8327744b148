/*
 * The cart with cJSON: a tree, its members looked up one by one, and a tree built and
 * printed into the buffer. cJSON keeps numbers as doubles, so that a whole number past
 * 2^53 is not what was sent; neither UTF-8 nor duplicate keys are checked.
 */
#include <cjson/cJSON.h>

#include <stdlib.h>
#include <string.h>

#include "cart.h"

static uint64_t allocation_count;

static void *counted_malloc(size_t size)
{
	allocation_count++;
	return malloc(size);
}

static bool bind_text(const cJSON *object, const char *name, char *place, size_t capacity)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	size_t size;

	if (!cJSON_IsString(item))
		return false;
	size = strlen(item->valuestring);
	if (size >= capacity)
		return false;
	memcpy(place, item->valuestring, size + 1);
	return true;
}

static bool bind_number(const cJSON *object, const char *name, double maximum, double *ret_number)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > maximum ||
	    item->valuedouble != (double)(int64_t)item->valuedouble)
		return false;
	*ret_number = item->valuedouble;
	return true;
}

static bool bind_line(const cJSON *object, struct cart_line *line)
{
	double product;
	double quantity;
	double price;

	if (!bind_number(object, "product", CART_PRODUCT_MAX, &product) ||
	    !bind_number(object, "quantity", CART_QUANTITY_MAX, &quantity) ||
	    !bind_number(object, "price", CART_PRICE_MAX, &price) || product < 1 || quantity < 1)
		return false;
	line->product = (uint64_t)product;
	line->quantity = (uint32_t)quantity;
	line->price = (int64_t)price;
	return bind_text(object, "name", line->name, sizeof(line->name));
}

static bool bind_tree(const cJSON *root, struct cart *cart)
{
	const cJSON *gift = cJSON_GetObjectItemCaseSensitive(root, "is_gift");
	const cJSON *lines = cJSON_GetObjectItemCaseSensitive(root, "lines");
	const cJSON *line;
	double id;
	double total;

	if (!cJSON_IsBool(gift) || !cJSON_IsArray(lines) || !bind_number(root, "id", 9e15, &id) ||
	    !bind_number(root, "total", 9e15, &total))
		return false;
	cart->line_count = 0;
	cJSON_ArrayForEach(line, lines)
	{
		if (cart->line_count == CART_LINES_MAX ||
		    !bind_line(line, &cart->lines[cart->line_count++]))
			return false;
	}
	cart->id = (uint64_t)id;
	cart->total = (int64_t)total;
	cart->is_gift = cJSON_IsTrue(gift);
	return cart->line_count >= 1 &&
	       bind_text(root, "currency", cart->currency, sizeof(cart->currency)) &&
	       bind_text(root, "note", cart->note, sizeof(cart->note));
}

static bool cjson_bind(char *json, size_t size, struct cart *cart)
{
	cJSON *root = cJSON_ParseWithLength(json, size);
	bool is_cart = root != NULL && bind_tree(root, cart);

	cJSON_Delete(root);
	return is_cart;
}

static size_t cjson_write(const struct cart *cart, char *buffer)
{
	cJSON *root = cJSON_CreateObject();
	cJSON *lines;
	bool did_fit;

	cJSON_AddNumberToObject(root, "id", (double)cart->id);
	cJSON_AddStringToObject(root, "currency", cart->currency);
	cJSON_AddBoolToObject(root, "is_gift", cart->is_gift);
	cJSON_AddStringToObject(root, "note", cart->note);
	lines = cJSON_AddArrayToObject(root, "lines");
	for (uint32_t index = 0; index < cart->line_count; index++) {
		const struct cart_line *line = &cart->lines[index];
		cJSON *object = cJSON_CreateObject();

		cJSON_AddNumberToObject(object, "product", (double)line->product);
		cJSON_AddNumberToObject(object, "quantity", line->quantity);
		cJSON_AddNumberToObject(object, "price", (double)line->price);
		cJSON_AddStringToObject(object, "name", line->name);
		cJSON_AddItemToArray(lines, object);
	}
	cJSON_AddNumberToObject(root, "total", (double)cart->total);
	did_fit = cJSON_PrintPreallocated(root, buffer, CART_DOCUMENT_SIZE_MAX, false);
	cJSON_Delete(root);
	return did_fit ? strlen(buffer) : 0;
}

static uint64_t cjson_allocations(void)
{
	return allocation_count;
}

static void __attribute__((constructor)) cjson_start(void)
{
	cJSON_Hooks hooks = {counted_malloc, free};

	cJSON_InitHooks(&hooks);
}

const struct cart_subject cart_subject = {
	.name = "cjson",
	.bind = cjson_bind,
	.write = cjson_write,
	.allocations = cjson_allocations,
};
