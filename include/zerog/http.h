/*
 * HTTP: the names that requests and responses share.
 */
#ifndef ZEROG_HTTP_H
#define ZEROG_HTTP_H

#include <zerog/attributes.h>
#include <zerog/slice.h>

ZG_BEGIN_DECLS

/* X(NAME): methods a route may be registered for (RFC 9110, section 9; RFC 5789). */
#define ZG_METHODS(X) \
	X(GET) X(HEAD) X(POST) X(PUT) X(DELETE) X(CONNECT) X(OPTIONS) X(TRACE) X(PATCH)

enum zg_method {
#define ZG_METHOD_NAME(name) ZG_METHOD_##name,
	ZG_METHODS(ZG_METHOD_NAME)
#undef ZG_METHOD_NAME
		ZG_METHOD_COUNT,
};

/**
 * zg_method_name() - a method as it stands on the wire
 * @method:  below ZG_METHOD_COUNT
 *
 * Return: static text.
 */
struct zg_slice zg_method_name(enum zg_method method);

/**
 * zg_status_reason() - the reason phrase of a status
 * @status:  100 to 599
 *
 * Return: static text; "Unknown" for a status that IANA's registry does not name.
 */
struct zg_slice zg_status_reason(int status);

ZG_END_DECLS

#endif
