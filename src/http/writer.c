/*
 * A head is a status line, a handful of lines and an empty one. Its size is known
 * before its first byte is written, so the room is checked once and everything else
 * is copying. There is no Server field: it would tell an attacker more than a user.
 */
#include "http/writer.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "http/scan.h"
#include "http/status.h"

#define WRITER_STATUS_LINE_UNKNOWN_SIZE 22 /* "HTTP/1.1 299 Unknown\r\n" */
#define WRITER_DIGITS_MAX 20 /* of a 64-bit number */

static struct zg_slice writer_status_line(int status)
{
	switch (status) {
#define WRITER_STATUS(code, phrase) \
	case code:                  \
		return ZG_SLICE("HTTP/1.1 " #code " " phrase "\r\n");
		ZGI_HTTP_STATUSES(WRITER_STATUS)
#undef WRITER_STATUS
	default:
		return ZG_SLICE("");
	}
}

static char *writer_put(char *cursor, struct zg_slice bytes)
{
	if (bytes.size > 0)
		memcpy(cursor, bytes.data, bytes.size);
	return cursor + bytes.size;
}

/* Returns how many digits, which stand at the end of the array. */
static size_t writer_digits(uint64_t number, char digits[WRITER_DIGITS_MAX])
{
	size_t index = WRITER_DIGITS_MAX;

	do {
		digits[--index] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return WRITER_DIGITS_MAX - index;
}

static struct zg_slice writer_connection(const struct zgi_http_response_head *head)
{
	if (!head->is_keep_alive)
		return ZG_SLICE("Connection: close\r\n");
	if (head->minor_version == 0)
		return ZG_SLICE("Connection: keep-alive\r\n");
	return ZG_SLICE("");
}

int zgi_http_write_head(const struct zgi_http_response_head *head, char *buffer, size_t capacity,
			size_t *ret_size)
{
	static const struct zg_slice type_name = {"Content-Type: ", 14};
	static const struct zg_slice length_name = {"Content-Length: ", 16};
	static const struct zg_slice chunked = {"Transfer-Encoding: chunked\r\n", 28};
	static const struct zg_slice line_end = {"\r\n", 2};
	struct zg_slice connection = writer_connection(head);
	char unknown[WRITER_STATUS_LINE_UNKNOWN_SIZE + 1] = "HTTP/1.1 000 Unknown\r\n";
	char digits[WRITER_DIGITS_MAX];
	struct zg_slice status_line;
	struct zg_slice length = {digits, 0};
	size_t size;
	char *cursor = buffer;

	zg_assert(head->status >= 200 && head->status <= 599);
	zg_assert(head->date != NULL);
	status_line = writer_status_line(head->status);
	if (status_line.size == 0) {
		unknown[9] = (char)('0' + head->status / 100);
		unknown[10] = (char)('0' + head->status / 10 % 10);
		unknown[11] = (char)('0' + head->status % 10);
		status_line = (struct zg_slice){unknown, WRITER_STATUS_LINE_UNKNOWN_SIZE};
	}
	size = status_line.size + ZGI_HTTP_DATE_SIZE + connection.size + head->fields.size +
	       line_end.size;
	if (head->content_type.size > 0)
		size += type_name.size + head->content_type.size + line_end.size;
	if (head->has_content_length) {
		length.size = writer_digits(head->content_length, digits);
		length.data = digits + WRITER_DIGITS_MAX - length.size;
		size += length_name.size + length.size + line_end.size;
	}
	if (head->is_chunked)
		size += chunked.size;
	if (size > capacity)
		return -ENOSPC;

	cursor = writer_put(cursor, status_line);
	cursor = writer_put(cursor, (struct zg_slice){head->date, ZGI_HTTP_DATE_SIZE});
	if (head->content_type.size > 0) {
		cursor = writer_put(cursor, type_name);
		cursor = writer_put(cursor, head->content_type);
		cursor = writer_put(cursor, line_end);
	}
	if (head->has_content_length) {
		cursor = writer_put(cursor, length_name);
		cursor = writer_put(cursor, length);
		cursor = writer_put(cursor, line_end);
	}
	if (head->is_chunked)
		cursor = writer_put(cursor, chunked);
	cursor = writer_put(cursor, connection);
	cursor = writer_put(cursor, head->fields);
	cursor = writer_put(cursor, line_end);
	zg_assert((size_t)(cursor - buffer) == size);
	*ret_size = size;
	return 0;
}

bool zgi_http_field_is_safe(struct zg_slice name, struct zg_slice value)
{
	return name.size > 0 && zgi_http_scan.token_end(name.data, name.size) == name.size &&
	       zgi_http_scan.value_end(value.data, value.size) == value.size;
}
