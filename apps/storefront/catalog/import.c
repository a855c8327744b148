/*
 * Import: rows of text become products, or errors with the row's number.
 */
#include "catalog/import.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "state/text.h"

#define COLOUR_DEFAULT 0x9aa0a6 /* grey */

static const char *const column_names[SHOP_COLUMN_COUNT] = {
	"sku", "name", "category", "price", "currency", "stock", "colour", "emoji", "listed"};

static const bool column_is_needed[SHOP_COLUMN_COUNT] = {true, true, true, true};

static int import_row(void *user, const struct shop_csv_row *row);

void shop_import_init(struct shop_import *import, const struct shop_import_options *options)
{
	assert(options->currency != NULL);
	assert(options->policy == SHOP_IMPORT_EACH ? options->sink != NULL
						   : options->stage != NULL);
	*import = (struct shop_import){.options = *options};
	shop_csv_init(&import->csv, import_row, import);
}

static void import_keep(struct shop_import *import, const struct shop_import_error *error)
{
	if (import->error_count < SHOP_IMPORT_ERRORS_MAX)
		import->errors[import->error_count] = *error;
	++import->error_count;
}

static void import_fail(struct shop_import *import, const struct shop_csv_row *row,
			const char *column, const char *text)
{
	const struct shop_import_error error = {row->number, row->line, column, text};

	import_keep(import, &error);
}

void shop_import_refuse(struct shop_import *import, const struct shop_import_error *error)
{
	++import->refused_count;
	import_keep(import, error);
}

static void import_header(struct shop_import *import, const struct shop_csv_row *row)
{
	uint64_t errors_before = import->error_count;

	import->has_header = true;
	import->field_count = row->field_count;
	for (uint32_t index = 0; index < row->field_count; ++index) {
		uint32_t column = 0;

		while (column < SHOP_COLUMN_COUNT &&
		       !zg_slice_equals_nocase(row->fields[index],
					       (struct zg_slice){column_names[column],
								 strlen(column_names[column])}))
			++column;
		if (column == SHOP_COLUMN_COUNT)
			import_fail(import, row, NULL,
				    "a column that is none of sku, name, category, price, "
				    "currency, stock, colour, emoji and listed");
		else if (import->fields[column] != 0)
			import_fail(import, row, column_names[column], "the column is there twice");
		else
			import->fields[column] = (uint8_t)(index + 1);
	}
	for (uint32_t column = 0; column < SHOP_COLUMN_COUNT; ++column)
		if (column_is_needed[column] && import->fields[column] == 0)
			import_fail(import, row, column_names[column], "the column is missing");
	import->is_refused = import->error_count != errors_before;
}

static struct zg_slice import_field(const struct shop_import *import,
				    const struct shop_csv_row *row, enum shop_import_column column)
{
	if (import->fields[column] == 0)
		return (struct zg_slice){NULL, 0};
	return row->fields[import->fields[column] - 1];
}

/* Digits of a base, up to a maximum. */
static bool import_number(struct zg_slice text, uint32_t base, uint64_t max, uint32_t *ret_value)
{
	uint64_t value = 0;

	for (size_t index = 0; index < text.size; ++index) {
		char byte = text.data[index];
		uint32_t digit = base;

		if (byte >= '0' && byte <= '9')
			digit = (uint32_t)(byte - '0');
		else if (byte >= 'a' && byte <= 'f')
			digit = (uint32_t)(byte - 'a') + 10;
		else if (byte >= 'A' && byte <= 'F')
			digit = (uint32_t)(byte - 'A') + 10;
		if (digit >= base)
			return false;
		value = value * base + digit;
		if (value > max)
			return false;
	}
	*ret_value = (uint32_t)value;
	return text.size > 0;
}

static const char *import_price(const struct shop_import *import, const struct shop_csv_row *row,
				struct shop_product_put *put)
{
	struct zg_slice currency = import_field(import, row, SHOP_COLUMN_CURRENCY);
	struct shop_money money;

	if (currency.size > 0 && shop_currency_find(currency) != import->options.currency)
		return "the currency is not the shop's";
	switch (shop_money_parse(import_field(import, row, SHOP_COLUMN_PRICE),
				 import->options.currency, &money)) {
	case 0:
		break;
	case -ERANGE:
		return "more digits behind the point than the currency has";
	case -EOVERFLOW:
		return "too large";
	default:
		return "not an amount: write 12.34";
	}
	if (money.minor < 0 || money.minor > SHOP_PRICE_MAX)
		return "a price is not below 0, and not past a trillion minor units";
	put->price = money.minor;
	return NULL;
}

static const char *import_numbers(const struct shop_import *import, const struct shop_csv_row *row,
				  struct shop_product_put *put, enum shop_import_column *ret_column)
{
	struct zg_slice stock = import_field(import, row, SHOP_COLUMN_STOCK);
	struct zg_slice colour = import_field(import, row, SHOP_COLUMN_COLOUR);
	struct zg_slice listed = import_field(import, row, SHOP_COLUMN_LISTED);

	*ret_column = SHOP_COLUMN_STOCK;
	if (stock.size > 0 && !import_number(stock, 10, SHOP_STOCK_MAX, &put->stock))
		return "not a number from 0 to 1000000000";
	*ret_column = SHOP_COLUMN_COLOUR;
	if (colour.size > 0 && colour.data[0] == '#')
		colour = (struct zg_slice){colour.data + 1, colour.size - 1};
	if (colour.size > 0 &&
	    (colour.size != 6 || !import_number(colour, 16, 0xffffff, &put->colour)))
		return "not a colour: write six digits, as in ff8800";
	*ret_column = SHOP_COLUMN_LISTED;
	if (listed.size > 0) {
		if (listed.size != 1 || (listed.data[0] != '0' && listed.data[0] != '1'))
			return "write 1 or 0";
		put->is_listed = (uint8_t)(listed.data[0] - '0');
	}
	return NULL;
}

static const char *import_texts(const struct shop_import *import, const struct shop_csv_row *row,
				struct shop_product_put *put, enum shop_import_column *ret_column)
{
	struct zg_slice emoji = import_field(import, row, SHOP_COLUMN_EMOJI);
	struct zg_slice text;

	*ret_column = SHOP_COLUMN_SKU;
	text = import_field(import, row, SHOP_COLUMN_SKU);
	if (!shop_text_put(put->sku, sizeof(put->sku), text) || !shop_text_is_token(text))
		return "write 1 to 23 letters, digits, dots, dashes or underscores";
	*ret_column = SHOP_COLUMN_NAME;
	text = import_field(import, row, SHOP_COLUMN_NAME);
	if (!shop_text_put(put->name, sizeof(put->name), text) || !shop_text_is_name(text))
		return "write 1 to 63 bytes of UTF-8 without control characters or spaces around";
	*ret_column = SHOP_COLUMN_CATEGORY;
	text = import_field(import, row, SHOP_COLUMN_CATEGORY);
	if (!shop_text_put(put->category, sizeof(put->category), text) || !shop_text_is_name(text))
		return "write 1 to 31 bytes of UTF-8 without control characters or spaces around";
	*ret_column = SHOP_COLUMN_EMOJI;
	if (!shop_text_put(put->emoji, sizeof(put->emoji), emoji) ||
	    (emoji.size > 0 && !shop_text_is_name(emoji)))
		return "write at most 15 bytes of UTF-8";
	return NULL;
}

/* What the matter is with a row, or NULL. */
static const char *import_parse(const struct shop_import *import, const struct shop_csv_row *row,
				struct shop_product_put *put, enum shop_import_column *ret_column)
{
	const char *problem;

	*put = (struct shop_product_put){.is_listed = 1, .colour = COLOUR_DEFAULT};
	problem = import_texts(import, row, put, ret_column);
	if (problem == NULL)
		problem = import_numbers(import, row, put, ret_column);
	if (problem == NULL) {
		*ret_column = SHOP_COLUMN_PRICE;
		problem = import_price(import, row, put);
	}
	return problem;
}

static int import_hand_on(struct shop_import *import, const struct shop_csv_row *row,
			  const struct shop_product_put *put)
{
	enum shop_reason reason = SHOP_REASON_NONE;
	int result;

	import->sink_row = row->number;
	import->sink_line = row->line;
	result = import->options.sink(import->options.user, put, &reason);
	if (result < 0)
		return result;
	if (reason != SHOP_REASON_NONE)
		import_fail(import, row, NULL, shop_reason_text((uint16_t)reason));
	else
		++import->good_count;
	return 0;
}

static int import_take(struct shop_import *import, const struct shop_csv_row *row,
		       const struct shop_product_put *put)
{
	if (import->options.policy == SHOP_IMPORT_EACH)
		return import_hand_on(import, row, put);
	if (import->good_count == import->options.stage_count) {
		import_fail(import, row, NULL, "more rows than can be taken all at once");
		return 0;
	}
	import->options.stage[import->good_count++] = *put;
	return 0;
}

static int import_row(void *user, const struct shop_csv_row *row)
{
	struct shop_import *import = user;
	enum shop_import_column column = SHOP_COLUMN_SKU;
	struct shop_product_put put;
	const char *problem;

	if (row->fault != SHOP_CSV_NONE) {
		import_fail(import, row, NULL, shop_csv_fault_text(row->fault));
		import->is_refused |= !import->has_header;
		import->has_header = true;
		return 0;
	}
	if (!import->has_header) {
		import_header(import, row);
		return 0;
	}
	if (import->is_refused)
		return 0;
	++import->row_count;
	if (import->options.rows_max > 0 && import->row_count > import->options.rows_max) {
		import_fail(import, row, NULL, "the file has too many rows");
		import->is_refused = true;
		return 0;
	}
	if (row->field_count != import->field_count) {
		import_fail(import, row, NULL, "not as many fields as there are columns");
		return 0;
	}
	problem = import_parse(import, row, &put, &column);
	if (problem != NULL) {
		import_fail(import, row, column_names[column], problem);
		return 0;
	}
	return import_take(import, row, &put);
}

int shop_import_feed(struct shop_import *import, struct zg_slice bytes)
{
	return shop_csv_feed(&import->csv, bytes);
}

int shop_import_finish(struct shop_import *import)
{
	const struct shop_csv_row end = {.number = import->csv.row_number + 1,
					 .line = import->csv.line};
	uint64_t held;
	int result = shop_csv_finish(&import->csv);

	if (result < 0)
		return result;
	held = import->good_count;
	if (!import->has_header)
		import_fail(import, &end, NULL,
			    "the file is empty: the first row names the columns");
	if (import->options.policy == SHOP_IMPORT_ALL && import->options.sink == NULL) {
		if (import->error_count > 0)
			import->good_count = 0;
	} else if (import->options.policy == SHOP_IMPORT_ALL) {
		import->good_count = 0;
		for (uint64_t index = 0; index < held && import->error_count == 0; ++index) {
			/* Only the shop's own limits are left to be met here. */
			const struct shop_csv_row row = {.number = index + 2};

			result = import_hand_on(import, &row, &import->options.stage[index]);
			if (result < 0)
				return result;
		}
	}
	return import->error_count > 0 ? -EBADMSG : 0;
}

void shop_import_print(const struct shop_import *import, struct zg_text *text)
{
	zg_text_print(text, "%" PRIu64 " products taken, %" PRIu64 " errors\n", import->good_count,
		      import->error_count);
	for (uint64_t index = 0; index < import->error_count && index < SHOP_IMPORT_ERRORS_MAX;
	     ++index) {
		const struct shop_import_error *error = &import->errors[index];

		zg_text_print(text, "row %" PRIu64, error->row);
		if (error->line > 0)
			zg_text_print(text, " (line %" PRIu64 ")", error->line);
		zg_text_print(text, "%s%s: %s\n", error->column == NULL ? "" : ", ",
			      error->column == NULL ? "" : error->column, error->text);
	}
	if (import->error_count > SHOP_IMPORT_ERRORS_MAX)
		zg_text_print(text, "and %" PRIu64 " more\n",
			      import->error_count - SHOP_IMPORT_ERRORS_MAX);
}
