/*
 * The cart with jansson: a tree, unpacked by a format string, and a tree packed and
 * dumped into the buffer.
 */
#include <jansson.h>

#include <stdlib.h>
#include <string.h>

#include "cart.h"

static uint64_t allocation_count;

static void *counted_malloc(size_t size)
{
	allocation_count++;
	return malloc(size);
}

static bool copy_text(char *place, size_t capacity, const char *text, size_t size)
{
	if (size >= capacity || memchr(text, '\0', size) != NULL)
		return false;
	memcpy(place, text, size);
	place[size] = '\0';
	return true;
}

static bool bind_line(json_t *object, struct cart_line *line)
{
	json_int_t product;
	json_int_t quantity;
	json_int_t price;
	const char *name;
	size_t name_size;

	if (json_unpack(object, "{s:I,s:I,s:I,s:s%!}", "product", &product, "quantity", &quantity,
			"price", &price, "name", &name, &name_size) < 0)
		return false;
	line->product = (uint64_t)product;
	line->quantity = (uint32_t)quantity;
	line->price = price;
	return product >= 1 && product <= CART_PRODUCT_MAX && quantity >= 1 &&
	       quantity <= CART_QUANTITY_MAX && price >= 0 && price <= CART_PRICE_MAX &&
	       name_size >= 1 && copy_text(line->name, sizeof(line->name), name, name_size);
}

static bool bind_tree(json_t *root, struct cart *cart)
{
	json_int_t id;
	json_int_t total;
	const char *currency;
	const char *note;
	size_t currency_size;
	size_t note_size;
	json_t *lines;
	int is_gift;

	if (json_unpack(root, "{s:I,s:s%,s:b,s:s%,s:o,s:I!}", "id", &id, "currency", &currency,
			&currency_size, "is_gift", &is_gift, "note", &note, &note_size, "lines",
			&lines, "total", &total) < 0)
		return false;
	if (!json_is_array(lines) || json_array_size(lines) < 1 ||
	    json_array_size(lines) > CART_LINES_MAX)
		return false;
	for (size_t index = 0; index < json_array_size(lines); index++) {
		if (!bind_line(json_array_get(lines, index), &cart->lines[index]))
			return false;
	}
	cart->id = (uint64_t)id;
	cart->is_gift = is_gift != 0;
	cart->total = total;
	cart->line_count = (uint32_t)json_array_size(lines);
	return id >= 1 && total >= 0 && currency_size == 3 &&
	       copy_text(cart->currency, sizeof(cart->currency), currency, currency_size) &&
	       copy_text(cart->note, sizeof(cart->note), note, note_size);
}

static bool jansson_bind(char *json, size_t size, struct cart *cart)
{
	json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	bool is_cart = root != NULL && bind_tree(root, cart);

	json_decref(root);
	return is_cart;
}

static size_t jansson_write(const struct cart *cart, char *buffer)
{
	json_t *lines = json_array();
	json_t *root;
	size_t size;

	for (uint32_t index = 0; index < cart->line_count; index++) {
		const struct cart_line *line = &cart->lines[index];

		if (json_array_append_new(lines, json_pack("{s:I,s:I,s:I,s:s}", "product",
							   (json_int_t)line->product, "quantity",
							   (json_int_t)line->quantity, "price",
							   (json_int_t)line->price, "name",
							   line->name)) < 0)
			return 0;
	}
	root = json_pack("{s:I,s:s,s:b,s:s,s:o,s:I}", "id", (json_int_t)cart->id, "currency",
			 cart->currency, "is_gift", cart->is_gift, "note", cart->note, "lines",
			 lines, "total", (json_int_t)cart->total);
	size = json_dumpb(root, buffer, CART_DOCUMENT_SIZE_MAX, JSON_COMPACT);
	json_decref(root);
	return size <= CART_DOCUMENT_SIZE_MAX ? size : 0;
}

static uint64_t jansson_allocations(void)
{
	return allocation_count;
}

static void __attribute__((constructor)) jansson_start(void)
{
	json_set_alloc_funcs(counted_malloc, free);
}

const struct cart_subject cart_subject = {
	.name = "jansson",
	.bind = jansson_bind,
	.write = jansson_write,
	.allocations = jansson_allocations,
};
