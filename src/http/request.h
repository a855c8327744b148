/*
 * Request: what the head of an HTTP/1 message says, as offsets into the buffer it
 * arrived in.
 *
 * Nothing is copied and nothing is decoded: a name or a value is where it lies.
 * Offsets are relative to the first byte of the head, so a buffer may be moved
 * as a whole.
 */
#ifndef ZEROG_HTTP_REQUEST_H
#define ZEROG_HTTP_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <zerog/arena.h>
#include <zerog/http.h>

#define ZGI_HTTP_FIELDS_INLINE 16
#define ZGI_HTTP_BUFFER_SIZE_MAX 65535 /* offsets are 16 bits */

struct zgi_http_field {
	uint16_t name_offset;
	uint16_t name_size;
	uint16_t value_offset; /* without the white space around it (RFC 9112, section 5.1) */
	uint16_t value_size;
};

/* What a peer did wrong. Each maps to one status, and to the end of the connection. */
#define ZGI_HTTP_FAULTS(X)                                                               \
	X(NONE, 200, "no fault")                                                         \
	X(BAD_REQUEST_LINE, 400, "the request line is malformed")                        \
	X(BAD_TARGET, 400, "the request target is malformed")                            \
	X(BAD_FIELD, 400, "a header field is malformed")                                 \
	X(BAD_LINE_END, 400, "a line ends in a bare CR or a bare LF")                    \
	X(OBSOLETE_FOLD, 400, "a header field is folded over lines")                     \
	X(BAD_HOST, 400, "Host is missing, doubled or malformed")                        \
	X(BAD_LENGTH, 400, "Content-Length is malformed or repeated")                    \
	X(AMBIGUOUS_LENGTH, 400, "both Content-Length and Transfer-Encoding")            \
	X(BAD_CHUNK, 400, "a chunk is malformed")                                        \
	X(BAD_TRANSFER_ENCODING, 400, "Transfer-Encoding does not end in chunked, once") \
	X(UNKNOWN_CODING, 501, "a transfer coding is not known")                         \
	X(UNKNOWN_METHOD, 501, "the method is not known")                                \
	X(UNKNOWN_EXPECTATION, 417, "the expectation is not known")                      \
	X(UNKNOWN_VERSION, 505, "the major version is not 1")                            \
	X(TARGET_TOO_LONG, 414, "the request target is too long")                        \
	X(FIELDS_TOO_LARGE, 431, "the header fields are too many or too large")          \
	X(BODY_TOO_LARGE, 413, "the body is too large")                                  \
	X(NO_MEMORY, 503, "no memory is free for the header fields")                     \
	X(TIMEOUT, 408, "the request took too long to arrive")

enum zgi_http_fault {
#define ZGI_HTTP_FAULT_NAME(name, status, sentence) ZGI_HTTP_FAULT_##name,
	ZGI_HTTP_FAULTS(ZGI_HTTP_FAULT_NAME)
#undef ZGI_HTTP_FAULT_NAME
		ZGI_HTTP_FAULT_COUNT,
};

struct zgi_http_request {
	uint8_t method; /* enum zg_method */
	uint8_t minor_version; /* 0 or 1; what is above 1 is served as 1 (RFC 9110, section 2.5) */
	bool is_keep_alive; /* the connection may serve another request after this one */
	bool is_chunked;
	bool has_content_length;
	bool expects_continue; /* only ever with a body to come (RFC 9110, section 10.1.1) */
	uint16_t field_count;
	uint16_t head_size; /* bytes, the empty line included */
	uint16_t target_offset;
	uint16_t target_size; /* origin-form, absolute-form, authority-form or "*", as sent */
	uint16_t path_offset; /* without scheme and authority; size 0 for authority-form */
	uint16_t path_size; /* without the query */
	uint16_t query_offset;
	uint16_t query_size; /* without the question mark */
	uint64_t content_length; /* bytes; 0 when there is none */
	struct zgi_http_field *fields_more; /* fields from the 17th on, in the arena; else NULL */
	struct zgi_http_field fields[ZGI_HTTP_FIELDS_INLINE];
};

/**
 * zgi_http_request_field() - the n-th header field
 * @request:  parsed
 * @index:    below field_count
 */
static inline const struct zgi_http_field *zgi_http_request_field(
	const struct zgi_http_request *request, uint32_t index)
{
	if (index < ZGI_HTTP_FIELDS_INLINE)
		return &request->fields[index];
	return &request->fields_more[index - ZGI_HTTP_FIELDS_INLINE];
}

/* The status that answers a fault, and a sentence for people. */
int zgi_http_fault_status(enum zgi_http_fault fault);
const char *zgi_http_fault_text(enum zgi_http_fault fault);

#endif
