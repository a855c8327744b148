/*
 * Fixture of the exchange's tests: one exchange with small buffers, a router, and
 * what the exchange has sent, gathered in a text. No I/O.
 *
 * It is no part of the library.
 */
#ifndef ZEROG_WEB_EXCHANGE_FIXTURE_H
#define ZEROG_WEB_EXCHANGE_FIXTURE_H

#include <zerog/region.h>

#include "web/exchange.h"

#define EXCHANGE_FIXTURE_READ_SIZE 1024
#define EXCHANGE_FIXTURE_WRITE_SIZE 1024
#define EXCHANGE_FIXTURE_BODY_MAX 4000
#define EXCHANGE_FIXTURE_FORM_FIELDS_MAX 8
#define EXCHANGE_FIXTURE_OUTPUT_SIZE 32768
#define EXCHANGE_FIXTURE_DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

struct exchange_fixture {
	struct zg_region region;
	struct zg_pool exchanges;
	struct zg_pool chunks;
	struct zgi_router *router;
	struct zgi_web web;
	struct zg_exchange *x;
	char output[EXCHANGE_FIXTURE_OUTPUT_SIZE]; /* what was sent since it was forgotten */
	size_t output_size;
	uint32_t window_count; /* sends since then */
};

struct exchange_fixture_route {
	enum zg_method method;
	const char *pattern; /* NULL ends the table */
	zg_handler *handler;
};

void exchange_fixture_open(struct exchange_fixture *fixture,
			   const struct exchange_fixture_route *routes);

/* Middleware has been registered with the router after the fixture was opened. */
void exchange_fixture_finish(struct exchange_fixture *fixture);
void exchange_fixture_close(struct exchange_fixture *fixture);

/* Another connection's exchange takes the place of this one. */
void exchange_fixture_renew(struct exchange_fixture *fixture);

/* Put bytes into the receive window, which must hold them all. */
void exchange_fixture_put(struct exchange_fixture *fixture, const char *bytes, size_t size);

/* Run, and take what is to be sent, until the exchange wants something else. */
enum zgi_exchange_want exchange_fixture_run(struct exchange_fixture *fixture);

/* Receive bytes, at most so many at a time, running after each; until they are used up or not
 * wanted any more. Return: what is wanted at last. */
enum zgi_exchange_want exchange_fixture_feed(struct exchange_fixture *fixture, const char *bytes,
					     size_t size, size_t piece_size);

/* So many bytes of the send window went out. */
void exchange_fixture_sent(struct exchange_fixture *fixture, const void *bytes, size_t size);

/* What has been sent since it was forgotten, NUL-terminated. */
const char *exchange_fixture_output(struct exchange_fixture *fixture);

/* Forget what has been sent so far. */
void exchange_fixture_forget(struct exchange_fixture *fixture);

#endif
