/*
 * CSV: one byte at a time through seven states. A file of 10,000 rows is a megabyte, read once;
 * what counts here is that no cut between two bytes makes a difference.
 */
#include "catalog/csv.h"

#include <assert.h>

static const unsigned char byte_order_mark[3] = {0xef, 0xbb, 0xbf};

void shop_csv_init(struct shop_csv *csv, shop_csv_handler *handler, void *user)
{
	csv->handler = handler;
	csv->user = user;
	csv->state = SHOP_CSV_START;
	csv->mark_size = 0;
	csv->line = 1;
	csv->row_line = 1;
	csv->row_number = 0;
	csv->fault = SHOP_CSV_NONE;
	csv->is_begun = false;
	csv->field_count = 0;
	csv->size = 0;
}

/* The first fault of a row is the one to tell; what follows is skipped. */
static void csv_fail(struct shop_csv *csv, enum shop_csv_fault fault, enum shop_csv_state state)
{
	assert(fault != SHOP_CSV_NONE);
	if (csv->fault == SHOP_CSV_NONE)
		csv->fault = fault;
	csv->is_begun = true;
	csv->state = state;
}

static void csv_push(struct shop_csv *csv, char byte, enum shop_csv_state state)
{
	csv->is_begun = true;
	csv->state = state;
	if (byte == '\0')
		csv_fail(csv, SHOP_CSV_NUL,
			 state == SHOP_CSV_QUOTED ? SHOP_CSV_SKIP_QUOTED : SHOP_CSV_SKIP);
	else if (csv->size == SHOP_CSV_ROW_SIZE_MAX)
		csv_fail(csv, SHOP_CSV_ROW_TOO_LONG,
			 state == SHOP_CSV_QUOTED ? SHOP_CSV_SKIP_QUOTED : SHOP_CSV_SKIP);
	else
		csv->bytes[csv->size++] = byte;
}

static void csv_end_field(struct shop_csv *csv)
{
	csv->is_begun = true;
	csv->state = SHOP_CSV_START;
	if (csv->field_count == SHOP_CSV_FIELDS_MAX) {
		csv_fail(csv, SHOP_CSV_TOO_MANY_FIELDS, SHOP_CSV_SKIP);
		return;
	}
	csv->ends[csv->field_count++] = csv->size;
}

static int csv_end_row(struct shop_csv *csv)
{
	struct shop_csv_row row = {
		.number = csv->row_number + 1, .line = csv->row_line, .fault = csv->fault};
	uint32_t begin = 0;
	int result = 0;

	for (uint32_t index = 0; row.fault == SHOP_CSV_NONE && index < csv->field_count; ++index) {
		row.fields[index] = (struct zg_slice){csv->bytes + begin, csv->ends[index] - begin};
		begin = csv->ends[index];
		row.field_count = index + 1;
	}
	if (csv->is_begun) {
		++csv->row_number;
		result = csv->handler(csv->user, &row);
	}
	csv->state = SHOP_CSV_START;
	csv->fault = SHOP_CSV_NONE;
	csv->is_begun = false;
	csv->field_count = 0;
	csv->size = 0;
	return result;
}

/* A line feed outside of quotes. An empty line is no row; one field that is empty would be. */
static int csv_end_line(struct shop_csv *csv)
{
	int result;

	if (csv->is_begun && csv->fault == SHOP_CSV_NONE)
		csv_end_field(csv);
	result = csv_end_row(csv);
	csv->row_line = csv->line + 1;
	return result;
}

static void csv_start(struct shop_csv *csv, char byte)
{
	if (byte == '"') {
		csv->is_begun = true;
		csv->state = SHOP_CSV_QUOTED;
	} else if (byte == ',') {
		csv_end_field(csv);
	} else if (byte == '\r') {
		csv->state = SHOP_CSV_CR;
	} else {
		csv_push(csv, byte, SHOP_CSV_PLAIN);
	}
}

static void csv_plain(struct shop_csv *csv, char byte)
{
	if (byte == ',')
		csv_end_field(csv);
	else if (byte == '\r')
		csv->state = SHOP_CSV_CR;
	else if (byte == '"')
		csv_fail(csv, SHOP_CSV_QUOTE_INSIDE, SHOP_CSV_SKIP);
	else
		csv_push(csv, byte, SHOP_CSV_PLAIN);
}

static void csv_quote(struct shop_csv *csv, char byte)
{
	if (byte == '"')
		csv_push(csv, byte, SHOP_CSV_QUOTED);
	else if (byte == ',')
		csv_end_field(csv);
	else if (byte == '\r')
		csv->state = SHOP_CSV_CR;
	else
		csv_fail(csv, SHOP_CSV_BEHIND_QUOTE, SHOP_CSV_SKIP);
}

static bool csv_is_inside_quotes(const struct shop_csv *csv)
{
	return csv->state == SHOP_CSV_QUOTED || csv->state == SHOP_CSV_SKIP_QUOTED;
}

/* Where a quote itself was the fault, the next one may stand for anything: the row ends with its
 * line. */
static bool csv_has_quotes_in_pairs(const struct shop_csv *csv)
{
	return csv->fault == SHOP_CSV_ROW_TOO_LONG || csv->fault == SHOP_CSV_TOO_MANY_FIELDS ||
	       csv->fault == SHOP_CSV_NUL;
}

static int csv_byte(struct shop_csv *csv, char byte)
{
	int result = 0;

	if (byte == '\n' && !csv_is_inside_quotes(csv)) {
		result = csv_end_line(csv);
		++csv->line;
		return result;
	}
	switch (csv->state) {
	case SHOP_CSV_START:
		csv_start(csv, byte);
		break;
	case SHOP_CSV_PLAIN:
		csv_plain(csv, byte);
		break;
	case SHOP_CSV_QUOTED:
		if (byte == '"')
			csv->state = SHOP_CSV_QUOTE;
		else
			csv_push(csv, byte, SHOP_CSV_QUOTED);
		break;
	case SHOP_CSV_QUOTE:
		csv_quote(csv, byte);
		break;
	case SHOP_CSV_CR:
		csv_fail(csv, SHOP_CSV_LONE_CR, SHOP_CSV_SKIP);
		break;
	case SHOP_CSV_SKIP:
		if (byte == '"' && csv_has_quotes_in_pairs(csv))
			csv->state = SHOP_CSV_SKIP_QUOTED;
		break;
	case SHOP_CSV_SKIP_QUOTED:
		/* A doubled quote leaves and enters again, which comes to the same. */
		if (byte == '"')
			csv->state = SHOP_CSV_SKIP;
		break;
	}
	if (byte == '\n')
		++csv->line;
	return result;
}

/* The bytes of a mark at the very start are held back until it is one, or is not. */
static int csv_mark(struct shop_csv *csv, char byte)
{
	uint32_t held = csv->mark_size;
	int result = 0;

	assert(held < sizeof(byte_order_mark));
	if ((unsigned char)byte == byte_order_mark[held]) {
		++csv->mark_size;
		return 0;
	}
	csv->mark_size = sizeof(byte_order_mark);
	for (uint32_t index = 0; index < held && result == 0; ++index)
		result = csv_byte(csv, (char)byte_order_mark[index]);
	return result < 0 ? result : csv_byte(csv, byte);
}

int shop_csv_feed(struct shop_csv *csv, struct zg_slice bytes)
{
	int result = 0;

	for (size_t index = 0; index < bytes.size && result == 0; ++index)
		result = csv->mark_size < sizeof(byte_order_mark)
				 ? csv_mark(csv, bytes.data[index])
				 : csv_byte(csv, bytes.data[index]);
	return result;
}

int shop_csv_finish(struct shop_csv *csv)
{
	int result = 0;

	/* A file that is the start of a mark and nothing else. */
	if (csv->mark_size < sizeof(byte_order_mark)) {
		uint32_t size = csv->mark_size;

		csv->mark_size = sizeof(byte_order_mark);
		for (uint32_t index = 0; index < size && result == 0; ++index)
			result = csv_byte(csv, (char)byte_order_mark[index]);
	}
	if (result < 0)
		return result;
	if (csv_is_inside_quotes(csv))
		csv_fail(csv, SHOP_CSV_UNTERMINATED, SHOP_CSV_SKIP);
	else if (csv->state == SHOP_CSV_CR)
		csv_fail(csv, SHOP_CSV_LONE_CR, SHOP_CSV_SKIP);
	return csv_end_line(csv);
}

const char *shop_csv_fault_text(enum shop_csv_fault fault)
{
	switch (fault) {
	case SHOP_CSV_NONE:
		return "nothing is the matter";
	case SHOP_CSV_QUOTE_INSIDE:
		return "a quote stands inside a field: put the whole field in quotes, and double "
		       "it";
	case SHOP_CSV_BEHIND_QUOTE:
		return "something follows a closing quote: a comma or the line's end belongs there";
	case SHOP_CSV_LONE_CR:
		return "a carriage return without a line feed: end lines with CRLF or LF";
	case SHOP_CSV_NUL:
		return "a zero byte: write the file as UTF-8";
	case SHOP_CSV_ROW_TOO_LONG:
		return "the row is longer than 1024 bytes";
	case SHOP_CSV_TOO_MANY_FIELDS:
		return "the row has more than 16 fields";
	case SHOP_CSV_UNTERMINATED:
		return "the file ends inside of quotes";
	}
	return "unknown";
}
