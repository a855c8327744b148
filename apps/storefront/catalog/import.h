/*
 * Import: a CSV file of products becomes commands.
 *
 * The first row names the columns, in any order: sku, name, category and price are needed;
 * currency, stock, colour (RRGGBB), emoji and listed (1 or 0) are not. What a row does not say is
 * the shop's currency, no stock, grey, no picture, listed. Unknown columns are refused: they are
 * misspelt.
 *
 * Two policies. SHOP_IMPORT_EACH hands every good row on as it comes, and tells of the bad ones.
 * SHOP_IMPORT_ALL holds rows back in memory that the caller lends, until the file has ended
 * without an error; then all are handed on, or none. Only the limits of the shop itself are met
 * after that: a catalog that has become full in between takes the first of them.
 *
 * Ownership  The struct and the stage are the caller's.
 * Threads    Not locked. Reading a file needs no shop: it may run beside it.
 * Limits     SHOP_IMPORT_ERRORS_MAX errors are kept; all are counted.
 */
#ifndef STOREFRONT_IMPORT_H
#define STOREFRONT_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/slice.h>
#include <zerog/text.h>

#include "catalog/catalog.h"
#include "catalog/csv.h"
#include "money/money.h"

#define SHOP_IMPORT_ERRORS_MAX 20

enum shop_import_policy {
	SHOP_IMPORT_EACH,
	SHOP_IMPORT_ALL,
};

enum shop_import_column {
	SHOP_COLUMN_SKU,
	SHOP_COLUMN_NAME,
	SHOP_COLUMN_CATEGORY,
	SHOP_COLUMN_PRICE,
	SHOP_COLUMN_CURRENCY,
	SHOP_COLUMN_STOCK,
	SHOP_COLUMN_COLOUR,
	SHOP_COLUMN_EMOJI,
	SHOP_COLUMN_LISTED,
	SHOP_COLUMN_COUNT,
};

/* Takes one product. Return: 0 to go on; a negative errno, which ends the import. What else is the
 * matter with it goes to ret_reason, and is told as the row's error. */
typedef int shop_import_sink(void *user, const struct shop_product_put *put,
			     enum shop_reason *ret_reason);

struct shop_import_error {
	uint64_t row; /* 1 is the one with the names of the columns */
	uint64_t line; /* of the file */
	const char *column; /* static; NULL: the row as a whole */
	const char *text; /* static: a sentence or half of one */
};

struct shop_import_options {
	enum shop_import_policy policy;
	const struct shop_currency *currency; /* the shop's */
	shop_import_sink *sink; /* NULL with SHOP_IMPORT_ALL: the first good_count rows of the stage
				 * are the caller's to hand on, at his own pace */
	void *user; /* borrowed */
	struct shop_product_put *stage; /* borrowed; for SHOP_IMPORT_ALL */
	uint32_t stage_count; /* rows that fit it */
	uint64_t rows_max; /* 0: no limit but the shop's */
};

struct shop_import {
	struct shop_import_options options;
	struct shop_csv csv;
	bool has_header;
	bool is_refused; /* the header is no good: rows are not even looked at */
	uint8_t fields[SHOP_COLUMN_COUNT]; /* index of the column's field, plus 1; 0: not there */
	uint32_t field_count; /* of the header */
	uint64_t row_count; /* rows of products that were seen */
	uint64_t good_count; /* rows that were handed on, or are held back */
	uint64_t refused_count; /* those of the good ones that shop_import_refuse() has told of */
	uint64_t sink_row; /* the number of the row that the sink has been given last */
	uint64_t sink_line; /* of the file: where that one begins */
	uint64_t error_count;
	struct shop_import_error errors[SHOP_IMPORT_ERRORS_MAX]; /* the first ones */
};

/**
 * shop_import_init() - begin an import
 * @import:   the caller's; overwritten
 * @options:  copied
 */
void shop_import_init(struct shop_import *import, const struct shop_import_options *options);

/**
 * shop_import_feed() - the next bytes of the file, cut anywhere
 * @import:  initialised, and not ended by an error
 * @bytes:   any
 *
 * Return: 0, though rows may be bad; what the sink returned.
 */
ZG_MUST_USE int shop_import_feed(struct shop_import *import, struct zg_slice bytes);

/**
 * shop_import_finish() - the file has ended
 * @import:  as above
 *
 * Return: 0 when no row was bad; -EBADMSG when some were: with SHOP_IMPORT_ALL nothing has been
 * handed on then; what the sink returned.
 */
ZG_MUST_USE int shop_import_finish(struct shop_import *import);

/**
 * shop_import_refuse() - a row that the sink has taken is refused after all
 * @import:  initialised; it may be finished
 * @error:   copied, if there is room for it; the row's number and line are those that the sink has
 *           seen in sink_row and sink_line
 *
 * For sinks that hand rows on to somebody who answers later, or within the call. Errors are kept in
 * the order in which they are told.
 */
void shop_import_refuse(struct shop_import *import, const struct shop_import_error *error);

/**
 * shop_import_print() - how many rows were good and bad, and the first errors, one a line
 * @import:  finished, or ended
 * @text:    appended to: "row 17 (line 19), price: not an amount"
 */
void shop_import_print(const struct shop_import *import, struct zg_text *text);

#endif
