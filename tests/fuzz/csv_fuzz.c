/*
 * Fuzzes the import of CSV files. Whatever the bytes are, the same ones in pieces must come to the
 * same rows as in one, and what an import takes must be a product that the catalog takes.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/import.h"
#include "state/hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_sums {
	uint64_t rows;
	uint64_t products;
	uint64_t product_count;
};

static struct shop_csv csv;
static struct shop_import import;

static int fuzz_row(void *user, const struct shop_csv_row *row)
{
	struct fuzz_sums *sums = user;

	sums->rows = shop_hash_u64(sums->rows, row->number);
	sums->rows = shop_hash_u64(sums->rows, row->line);
	sums->rows = shop_hash_u64(sums->rows, row->fault);
	assert(row->field_count <= SHOP_CSV_FIELDS_MAX);
	assert((row->fault == SHOP_CSV_NONE) == (row->field_count > 0));
	for (uint32_t index = 0; index < row->field_count; ++index)
		sums->rows = shop_hash_bytes(sums->rows, row->fields[index].data,
					     row->fields[index].size);
	return 0;
}

static int fuzz_take(void *user, const struct shop_product_put *put, enum shop_reason *ret_reason)
{
	struct fuzz_sums *sums = user;

	*ret_reason = shop_catalog_check(put);
	assert(*ret_reason == SHOP_REASON_NONE);
	++sums->product_count;
	sums->products = shop_hash_bytes(sums->products, put->name, sizeof(put->name));
	sums->products = shop_hash_u64(sums->products, (uint64_t)put->price);
	return 0;
}

static void fuzz_read(const uint8_t *data, size_t size, size_t piece_size, struct fuzz_sums *sums)
{
	const struct shop_import_options options = {
		.policy = SHOP_IMPORT_EACH,
		.currency = shop_currency_find(ZG_SLICE("EUR")),
		.sink = fuzz_take,
		.user = sums,
	};
	int result;

	*sums = (struct fuzz_sums){.rows = 0};
	shop_csv_init(&csv, fuzz_row, sums);
	shop_import_init(&import, &options);
	for (size_t offset = 0; offset < size; offset += piece_size) {
		size_t left = size - offset;
		struct zg_slice piece = {NULL, left < piece_size ? left : piece_size};
		/* A block that ends where the bytes do, so that a read past them is seen. */
		char *block = malloc(piece.size);

		assert(block != NULL);
		memcpy(block, data + offset, piece.size);
		piece.data = block;
		result = shop_csv_feed(&csv, piece);
		assert(result == 0);
		result = shop_import_feed(&import, piece);
		assert(result == 0);
		free(block);
	}
	result = shop_csv_finish(&csv);
	assert(result == 0);
	result = shop_import_finish(&import);
	assert((result == 0) == (import.error_count == 0));
	assert(import.good_count == sums->product_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_sums whole;
	struct fuzz_sums pieces;

	if (size == 0)
		return 0;
	fuzz_read(data + 1, size - 1, size, &whole);
	fuzz_read(data + 1, size - 1, data[0] % 32 + 1U, &pieces);
	assert(memcmp(&whole, &pieces, sizeof(whole)) == 0);
	return 0;
}
