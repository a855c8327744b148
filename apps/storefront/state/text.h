/*
 * Text: what a name, a code or an address may consist of.
 *
 * Threads  Any.
 */
#ifndef STOREFRONT_TEXT_H
#define STOREFRONT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <zerog/slice.h>

/**
 * shop_text_is_name() - can people read it?
 * @text:  any bytes
 *
 * Return: true for well-formed UTF-8 without control characters, that neither is empty nor begins
 * or ends with a space. Source: RFC 3629, section 4.
 */
bool shop_text_is_name(struct zg_slice text);

/**
 * shop_text_is_token() - can programs read it?
 * @text:  any bytes
 *
 * Return: true for letters, digits, dots, dashes and underscores (ASCII), at least one.
 */
bool shop_text_is_token(struct zg_slice text);

/**
 * shop_text_is_visible() - is it visible ASCII, without spaces, at least one byte?
 * @text:  any bytes
 */
bool shop_text_is_visible(struct zg_slice text);

/**
 * shop_text_is_email() - does it look like an address?
 * @text:  any bytes
 *
 * Return: true for visible ASCII with one @, a dot somewhere behind it, and something around both.
 * Whether mail arrives is another matter.
 */
bool shop_text_is_email(struct zg_slice text);

/**
 * shop_text_of() - the text in a field of fixed size
 * @field:  NUL-terminated, or full to the end
 * @size:   bytes of the field
 */
struct zg_slice shop_text_of(const char *field, size_t size);

/**
 * shop_text_put() - a text into a field of fixed size, padded with NULs
 * @field:  the caller's
 * @size:   bytes of the field, the NUL's included
 * @text:   any bytes
 *
 * Return: false when it does not fit or has a NUL in it: the field is empty then.
 */
bool shop_text_put(char *field, size_t size, struct zg_slice text);

#endif
