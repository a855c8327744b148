/*
 * CSV: rows of fields, as bytes come in.
 *
 * Bytes may be cut anywhere. A row is handed over when it has ended; a row that is malformed is
 * told of with its number, and reading goes on behind its end. Nothing is allocated: one row at a
 * time lies in the struct.
 *
 * What is read is RFC 4180: fields separated by commas; in quotes a field may have commas, line
 * ends and doubled quotes; lines end with CRLF, or LF alone as most programs write them. A byte
 * order mark at the start is skipped, and so are empty lines.
 *
 * Ownership  The struct is the caller's; fields are borrowed from it during the call.
 * Threads    Not locked.
 * Limits     SHOP_CSV_ROW_SIZE_MAX bytes a row, SHOP_CSV_FIELDS_MAX fields.
 */
#ifndef STOREFRONT_CSV_H
#define STOREFRONT_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/slice.h>

#define SHOP_CSV_ROW_SIZE_MAX 1024 /* bytes of all its fields, unquoted */
#define SHOP_CSV_FIELDS_MAX 16

enum shop_csv_fault {
	SHOP_CSV_NONE,
	SHOP_CSV_QUOTE_INSIDE, /* a quote in a field that does not begin with one */
	SHOP_CSV_BEHIND_QUOTE, /* something between a closing quote and the comma */
	SHOP_CSV_LONE_CR, /* a carriage return that no line feed follows */
	SHOP_CSV_NUL, /* a zero byte */
	SHOP_CSV_ROW_TOO_LONG,
	SHOP_CSV_TOO_MANY_FIELDS,
	SHOP_CSV_UNTERMINATED, /* the end came inside of quotes */
};

struct shop_csv_row {
	uint64_t number; /* 1 for the first; empty lines do not count */
	uint64_t line; /* where it begins, 1 for the first: what an editor shows */
	enum shop_csv_fault fault; /* when it is not NONE, there are no fields */
	uint32_t field_count;
	struct zg_slice fields[SHOP_CSV_FIELDS_MAX]; /* borrowed */
};

/* Called a row. Return: 0 to go on; a negative errno, which ends the reading and is forwarded. */
typedef int shop_csv_handler(void *user, const struct shop_csv_row *row);

enum shop_csv_state {
	SHOP_CSV_START, /* of a field */
	SHOP_CSV_PLAIN, /* in a field without quotes */
	SHOP_CSV_QUOTED, /* between quotes */
	SHOP_CSV_QUOTE, /* behind a quote that may end the field, or be doubled */
	SHOP_CSV_CR, /* behind a carriage return */
	SHOP_CSV_SKIP, /* to the end of the line: the row has a fault */
	SHOP_CSV_SKIP_QUOTED, /* the same between quotes, where a line end is none */
};

struct shop_csv {
	shop_csv_handler *handler;
	void *user; /* borrowed */
	enum shop_csv_state state;
	uint32_t mark_size; /* bytes of a byte order mark seen so far; past it, 3 or more */
	uint64_t line; /* where we are */
	uint64_t row_line; /* where the row began */
	uint64_t row_number; /* rows that have ended */
	enum shop_csv_fault fault; /* of the row */
	bool is_begun; /* the row has something */
	uint32_t field_count; /* fields that have ended */
	uint32_t size; /* bytes of `bytes` in use */
	uint32_t ends[SHOP_CSV_FIELDS_MAX]; /* offsets where fields end */
	char bytes[SHOP_CSV_ROW_SIZE_MAX];
};

/**
 * shop_csv_init() - begin a file
 * @csv:      the caller's; overwritten
 * @handler:  called a row
 * @user:     for it
 */
void shop_csv_init(struct shop_csv *csv, shop_csv_handler *handler, void *user);

/**
 * shop_csv_feed() - the next bytes of the file
 * @csv:    initialised, and not ended by its handler
 * @bytes:  of the file, cut anywhere
 *
 * Return: 0; what the handler returned.
 */
ZG_MUST_USE int shop_csv_feed(struct shop_csv *csv, struct zg_slice bytes);

/**
 * shop_csv_finish() - the file is at its end: a last row need not have a line end
 * @csv:  as above
 *
 * Return: as above.
 */
ZG_MUST_USE int shop_csv_finish(struct shop_csv *csv);

/**
 * shop_csv_fault_text() - a fault as people read it
 * @fault:  any
 *
 * Return: static; a sentence that says what to change.
 */
const char *shop_csv_fault_text(enum shop_csv_fault fault);

#endif
