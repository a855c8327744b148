/*
 * Lines of the access log: the Common Log Format that most tools read, and JSON for
 * those that would rather have it. Times are UTC, so that no file of time zones is
 * ever needed.
 *
 * A client may put anything into a path, a card's number too. Thirteen digits or more
 * are masked, whether or not their check digit is right: one masked order number is
 * cheaper than one card in a log that is kept for years.
 */
#include "server/access_line.h"

#include <inttypes.h>
#include <string.h>

#include "http/writer.h"

#define ACCESS_CARD_DIGITS_MIN 13 /* ISO/IEC 7812: up to 19, but longer runs may hold one */

/* How many bytes a digit takes here: one, three when it is percent-encoded, 0 when it is none. */
static size_t access_digit_size(const char *text, size_t size)
{
	if (size > 0 && text[0] >= '0' && text[0] <= '9')
		return 1;
	if (size > 2 && text[0] == '%' && text[1] == '3' && text[2] >= '0' && text[2] <= '9')
		return 3;
	return 0;
}

/* What may stand between the digits of a card's number, as people write it. */
static size_t access_separator_size(const char *text, size_t size)
{
	if (size > 0 && (text[0] == '-' || text[0] == '+' || text[0] == '.' || text[0] == '_'))
		return 1;
	if (size > 2 && text[0] == '%' && text[1] == '2' &&
	    (text[2] == '0' || text[2] == 'D' || text[2] == 'd' || text[2] == 'B' ||
	     text[2] == 'b'))
		return 3;
	return 0;
}

/* A run of digits, single separators between them allowed. Return: its size in bytes. */
static size_t access_run(const char *text, size_t size, size_t *ret_digit_count)
{
	size_t end = access_digit_size(text, size);
	size_t count = 1;

	while (end < size) {
		size_t separator = access_separator_size(text + end, size - end);
		size_t digit = access_digit_size(text + end + separator, size - end - separator);

		if (digit == 0)
			break;
		end += separator + digit;
		count++;
	}
	*ret_digit_count = count;
	return end;
}

void zgi_access_mask(char *path, size_t size, bool is_cut)
{
	size_t index = 0;

	while (index < size) {
		size_t digit_count;
		size_t run_size;

		if (access_digit_size(path + index, size - index) == 0) {
			index++;
			continue;
		}
		run_size = access_run(path + index, size - index, &digit_count);
		/* Where the path was cut, nobody knows how many digits came behind: an escape may
		 * have been cut, too. */
		if (digit_count >= ACCESS_CARD_DIGITS_MIN ||
		    (is_cut && size - index - run_size < 3))
			memset(path + index, '*', run_size);
		index += run_size;
	}
}

static void access_path_escape(struct zg_text *text, const char *path, size_t size)
{
	for (size_t index = 0; index < size; index++) {
		unsigned char byte = (unsigned char)path[index];

		if (byte <= ' ' || byte > '~' || byte == '"' || byte == '\\')
			zg_text_print(text, "\\x%02x", byte);
		else
			zg_text_append(text, (struct zg_slice){path + index, 1});
	}
}

static struct zg_slice access_method(const struct zgi_access_record *record)
{
	return record->method < ZG_METHOD_COUNT ? zg_method_name((enum zg_method)record->method)
						: ZG_SLICE("-");
}

/* A moment as the Date field writes it: without gmtime_r(), which allocates. */
struct access_date {
	char text[ZGI_HTTP_DATE_SIZE];
	const char *day; /* two digits */
	const char *month; /* three letters */
	const char *year; /* four digits */
	const char *time; /* hh:mm:ss */
};

static void access_date_make(struct access_date *date, uint64_t time_ns)
{
	zgi_http_date_format((time_t)(time_ns / 1000000000), date->text);
	date->day = date->text + sizeof("Date: Sun, ") - 1;
	date->month = date->day + sizeof("06 ") - 1;
	date->year = date->month + sizeof("Nov ") - 1;
	date->time = date->year + sizeof("1994 ") - 1;
}

static int access_month_number(const char *month)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int number = 1; number < 12; number++)
		if (memcmp(months + (number - 1) * 3, month, 3) == 0)
			return number;
	return 12;
}

static void access_size(struct zg_text *text, const struct zgi_access_record *record,
			const char *unknown)
{
	if (record->size == ZGI_ACCESS_SIZE_UNKNOWN)
		zg_text_print(text, "%s", unknown);
	else
		zg_text_print(text, "%" PRIu64, record->size);
}

/* host ident user [date] "request" status bytes: what is not known is "-". */
static void access_print_common(struct zg_text *text, const struct zgi_access_record *record,
				const char *path)
{
	struct access_date date;
	struct zg_slice method = access_method(record);

	access_date_make(&date, record->time_ns);
	zg_text_print(text, "- - - [%.2s/%.3s/%.4s:%.8s +0000] \"", date.day, date.month, date.year,
		      date.time);
	if (record->path_size > 0) {
		zg_text_append(text, method);
		zg_text_append(text, ZG_SLICE(" "));
		access_path_escape(text, path, record->path_size);
		zg_text_print(text, "%s HTTP/1.%u", record->is_cut ? "..." : "",
			      record->minor_version);
	} else {
		zg_text_append(text, ZG_SLICE("-"));
	}
	zg_text_print(text, "\" %u ", record->status);
	access_size(text, record, "-");
	zg_text_append(text, ZG_SLICE("\n"));
}

static void access_print_json(struct zg_text *text, const struct zgi_access_record *record,
			      const char *path)
{
	struct access_date date;

	access_date_make(&date, record->time_ns);
	zg_text_print(text, "{\"time\":\"%.4s-%02d-%.2sT%.8s.%03uZ\",\"method\":", date.year,
		      access_month_number(date.month), date.day, date.time,
		      (unsigned int)(record->time_ns / 1000000 % 1000));
	zg_text_append_json(text, access_method(record));
	zg_text_append(text, ZG_SLICE(",\"path\":"));
	zg_text_append_json(text, (struct zg_slice){path, record->path_size});
	if (record->is_cut)
		zg_text_append(text, ZG_SLICE(",\"path_is_cut\":true"));
	zg_text_print(text, ",\"version\":\"1.%u\",\"status\":%u,\"bytes\":", record->minor_version,
		      record->status);
	access_size(text, record, "null");
	zg_text_print(text, ",\"duration_us\":%" PRIu64 "}\n", record->duration_ns / 1000);
}

void zgi_access_line_print(struct zg_text *text, const struct zgi_access_record *record,
			   enum zg_access_log_format format)
{
	char path[ZGI_ACCESS_PATH_SIZE];

	memcpy(path, record->path, record->path_size);
	zgi_access_mask(path, record->path_size, record->is_cut);
	if (format == ZG_ACCESS_LOG_JSON)
		access_print_json(text, record, path);
	else
		access_print_common(text, record, path);
}
