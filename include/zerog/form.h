/*
 * Form: the fields of a form that a browser posts, decoded where they lie.
 *
 *	struct zg_slice street;
 *
 *	if (zg_request_form_value(x, ZG_SLICE("street"), &street) < 0)
 *		return zg_reply_text(x, 400, "Which street?\n");
 *
 * A form is a body of type application/x-www-form-urlencoded. Decoding never makes it
 * longer, so it is done in the body itself, once, when the form is first asked for.
 *
 * Ownership  Names and values lie in the body, until the response has been sent.
 * Threads    As for the exchange.
 * Limits     --form-fields-max fields; the body's own, --body-size-max.
 */
#ifndef ZEROG_FORM_H
#define ZEROG_FORM_H

#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/exchange.h>
#include <zerog/slice.h>

ZG_BEGIN_DECLS

struct zg_form_field {
	struct zg_slice name; /* decoded: any bytes, NUL too; they may be no UTF-8 */
	struct zg_slice value; /* as the name; empty for one without "=" */
};

struct zg_form {
	const struct zg_form_field *fields; /* in the arena, in the order they were sent */
	uint32_t count;
};

/**
 * zg_request_form() - the fields of the request's form
 * @x:         the handler's; from then on zg_request_body() shows the body as decoding left it
 * @ret_form:  borrowed until the response has been sent; untouched on failure
 *
 * A request without a body has a form of no fields. A percent sign without its two digits stays
 * what it is, as browsers have it.
 *
 * Return: 0; -EBADMSG when the body is of another type; -E2BIG when there are more than
 * --form-fields-max fields; -ENOMEM. None of these has changed the body.
 * Source: WHATWG URL, application/x-www-form-urlencoded parsing.
 */
ZG_MUST_USE int zg_request_form(struct zg_exchange *x, const struct zg_form **ret_form);

/**
 * zg_request_form_value() - the first value of a name in the form
 * @x:          as for zg_request_form()
 * @name:       decoded, compared byte by byte
 * @ret_value:  untouched on failure
 *
 * Return: 0; -ENOENT when the form has no such field; errors as zg_request_form().
 */
ZG_MUST_USE int zg_request_form_value(struct zg_exchange *x, struct zg_slice name,
				      struct zg_slice *ret_value);

ZG_END_DECLS

#endif
