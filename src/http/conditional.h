/*
 * Conditional: what a request says about the representation it wants: only if it is
 * another one, only a part of it, only in a coding that the client knows.
 *
 * Nothing here knows files: a representation is its entity tag, its date and its size.
 */
#ifndef ZEROG_HTTP_CONDITIONAL_H
#define ZEROG_HTTP_CONDITIONAL_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <zerog/attributes.h>
#include <zerog/slice.h>

/**
 * zgi_http_date_parse() - read a date in any of the three formats
 * @text:         without white space around it
 * @ret_seconds:  since 1970; untouched on failure
 *
 * Return: 0; -EINVAL. Source: RFC 9110, section 5.6.7.
 */
ZG_MUST_USE int zgi_http_date_parse(struct zg_slice text, time_t *ret_seconds);

/**
 * zgi_http_etag_is_listed() - is an entity tag in a list as of If-None-Match?
 * @list:       "*", or tags with commas between them
 * @tag:        with its quotes, without "W/"
 * @is_strong:  weak ones in the list do not count (RFC 9110, section 8.8.3.2)
 */
bool zgi_http_etag_is_listed(struct zg_slice list, struct zg_slice tag, bool is_strong);

/* The condition fields of a request; data is NULL where one is missing. */
struct zgi_http_conditions {
	struct zg_slice if_match;
	struct zg_slice if_none_match;
	struct zg_slice if_modified_since;
	struct zg_slice if_unmodified_since;
	struct zg_slice if_range;
	struct zg_slice range;
};

/* What there is. */
struct zgi_http_representation {
	struct zg_slice tag; /* a strong entity tag, with its quotes */
	time_t modified; /* seconds since 1970 */
	uint64_t size; /* bytes */
};

/* What is to be sent of it. */
struct zgi_http_selection {
	int status; /* 200, 206, 304, 412 or 416 */
	uint64_t offset; /* of the first byte; for 200 and 206 */
	uint64_t size; /* bytes */
};

/**
 * zgi_http_select() - weigh the conditions of a GET or HEAD in the order that the RFC gives them
 * @conditions:      of the request
 * @representation:  the chosen one
 * @ret_selection:   overwritten
 *
 * One range is served; of several, and of what is no range of bytes, the whole is (RFC 9110,
 * section 14.2 lets a server ignore them). Source: RFC 9110, sections 13.2.2 and 14.
 */
void zgi_http_select(const struct zgi_http_conditions *conditions,
		     const struct zgi_http_representation *representation,
		     struct zgi_http_selection *ret_selection);

/* Content codings, in the order we prefer them. */
enum zgi_http_coding {
	ZGI_HTTP_CODING_BR,
	ZGI_HTTP_CODING_ZSTD,
	ZGI_HTTP_CODING_GZIP,
	ZGI_HTTP_CODING_COUNT, /* as it is: identity */
};

/* A coding as it stands in a field: "gzip"; empty for identity. */
struct zg_slice zgi_http_coding_name(enum zgi_http_coding coding);

/**
 * zgi_http_coding_choose() - the coding that a client would rather have
 * @accept:     Accept-Encoding; data is NULL where it is missing
 * @available:  one bit a coding; identity always is
 *
 * The one with the highest weight; of equals the one we prefer. When nothing that there is was
 * accepted, identity (RFC 9110, section 12.5.3 lets a server disregard the field).
 */
enum zgi_http_coding zgi_http_coding_choose(struct zg_slice accept, uint32_t available);

#endif
