/*
 * Segment: one part of a path between two slashes, as a pattern has it and as a
 * request sends it.
 *
 * Two spellings of a segment are the same when their normal forms are (RFC 3986,
 * section 6.2.2): "%61" is "a", "%c3" is "%C3", and "%2F" stays what it is, for a
 * decoded slash would be data and no separator.
 */
#ifndef ZEROG_WEB_SEGMENT_H
#define ZEROG_WEB_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/slice.h>

/* In the order in which they are tried: the narrower first. */
enum zgi_segment_kind {
	ZGI_SEGMENT_STATIC,
	ZGI_SEGMENT_DATE,
	ZGI_SEGMENT_UUID,
	ZGI_SEGMENT_U64,
	ZGI_SEGMENT_I64,
	ZGI_SEGMENT_TEXT,
	ZGI_SEGMENT_REST,
};

/* Bytes of the longest static segment, in its normal form. */
#define ZGI_SEGMENT_SIZE_MAX 255

/* A segment of a pattern. */
struct zgi_segment {
	enum zgi_segment_kind kind;
	struct zg_slice text; /* borrowed: the static text as written, or the parameter's name */
};

/**
 * zgi_segment_read() - what one segment of a pattern is
 * @text:         between two slashes of the pattern
 * @ret_segment:  borrows from it
 *
 * Return: 0; -EINVAL when it is malformed; -ENOTSUP when it names a type that there is not.
 */
ZG_MUST_USE int zgi_segment_read(struct zg_slice text, struct zgi_segment *ret_segment);

/**
 * zgi_segment_is_normal() - is this its own normal form, as nearly always?
 * @text:  a segment as sent
 */
bool zgi_segment_is_normal(struct zg_slice text);

/**
 * zgi_segment_normalise() - the normal form
 * @text:      a segment whose percent signs have their two digits
 * @buffer:    ZGI_SEGMENT_SIZE_MAX bytes
 * @ret_text:  in the buffer
 *
 * Return: 0; -ENAMETOOLONG.
 */
ZG_MUST_USE int zgi_segment_normalise(struct zg_slice text, char *buffer,
				      struct zg_slice *ret_text);

/**
 * zgi_segment_takes() - may a parameter of this kind have this value?
 * @kind:  a parameter, of one segment
 * @text:  a segment as sent
 */
bool zgi_segment_takes(enum zgi_segment_kind kind, struct zg_slice text);

/* The value of a hexadecimal digit of either case; -1 for any other byte. */
static inline int zgi_segment_hex(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

#endif
