/*
 * Writer: the head of a response.
 *
 * Status lines are rendered once; the Date is rendered once a second, by whoever
 * owns the clock, into a buffer of the shard's.
 */
#ifndef ZEROG_HTTP_WRITER_H
#define ZEROG_HTTP_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <zerog/attributes.h>
#include <zerog/slice.h>

/* "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", always this many bytes, no NUL. */
#define ZGI_HTTP_DATE_SIZE 37

struct zgi_http_response_head {
	int status; /* 200 to 599 */
	bool is_keep_alive; /* false: "Connection: close" */
	uint8_t minor_version; /* of the request: to 1.0, keep-alive is said aloud */
	bool has_content_length; /* false for 204 and 304 */
	uint64_t content_length; /* bytes */
	bool is_chunked; /* the body's length is told chunk by chunk */
	const char *date; /* borrowed: ZGI_HTTP_DATE_SIZE bytes */
	struct zg_slice content_type; /* empty: none */
	struct zg_slice fields; /* further whole lines, each ending in CRLF; may be empty */
};

/**
 * zgi_http_date_format() - render a Date line
 * @seconds:  since 1970 (CLOCK_REALTIME)
 * @ret_date: ZGI_HTTP_DATE_SIZE bytes are written
 */
void zgi_http_date_format(time_t seconds, char *ret_date);

/**
 * zgi_http_write_head() - render a response's head, the empty line included
 * @head:      read during the call
 * @buffer:    written to
 * @capacity:  bytes of @buffer
 * @ret_size:  bytes written; untouched on failure
 *
 * Return: 0; -ENOSPC when it does not fit, with nothing that counts written.
 */
ZG_MUST_USE int zgi_http_write_head(const struct zgi_http_response_head *head, char *buffer,
				    size_t capacity, size_t *ret_size);

/**
 * zgi_http_field_is_safe() - may this stand in a response as a field?
 * @name:   must be a token
 * @value:  must have no control byte but HTAB (no response splitting)
 */
bool zgi_http_field_is_safe(struct zg_slice name, struct zg_slice value);

#endif
