/*
 * Live: what /memory/events sends once a second, while somebody is subscribed.
 *
 * The thread that has booted the server makes it, between looking for signals, so no shard is
 * stopped or kept: their counters are read as they go on.
 */
#ifndef ZEROG_SERVER_ADMIN_LIVE_H
#define ZEROG_SERVER_ADMIN_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/text.h>

struct zg_app;
struct zg_exchange;
struct zgi_server;

/* A second of it, in which so many requests were answered and turns of the loops ended. Times are
 * at most 1/8 above and 1/32 below the truth, and 0 when no turn has ended. */
struct zgi_live_second {
	uint64_t requests_per_s;
	uint64_t p50_ns; /* of the turns */
	uint64_t p99_ns;
	uint64_t max_ns;
};

/* Have a topic for it; before zg_app_main(). */
void zgi_live_init(struct zg_app *app);

/* GET /memory/events; the request is admitted. Return: as zg_sse_start(). */
int zgi_live_subscribe(struct zg_exchange *x);

/* Touch what will be used, so that nothing is mapped after the seal; boot only. */
void zgi_live_open(void);

/* Publish, when somebody is subscribed and has been since the last call; about once a second. */
void zgi_live_tick(const struct zgi_server *server);

/**
 * zgi_live_measure() - what has happened since this was called last
 * @server:      its shards go on
 * @now_ns:      of zgi_clock_ns()
 * @ret_second:  overwritten when there was a call before
 *
 * Return: false when this is the first call since zgi_live_open() or zgi_live_forget().
 */
ZG_MUST_USE bool zgi_live_measure(const struct zgi_server *server, uint64_t now_ns,
				  struct zgi_live_second *ret_second);

/* Nobody watches: the next zgi_live_measure() begins anew. */
void zgi_live_forget(void);

/* One JSON object, on one line. Pools for which there is no room are counted and left out. */
void zgi_live_print(struct zg_text *text, const struct zgi_server *server,
		    const struct zgi_live_second *second);

#endif
