/*
 * The calling of hooks. Each call is behind a branch of its caller's that is not
 * taken while nobody has registered for it.
 */
#ifndef ZEROG_WEB_HOOKS_H
#define ZEROG_WEB_HOOKS_H

#include <zerog/attributes.h>
#include <zerog/hooks.h>

/* All that is registered, and whether anybody asks for the kinds that come often. */
struct zgi_hooks {
	struct zg_hooks list[ZG_HOOKS_MAX];
	uint32_t count;
	bool has_connection; /* connected or disconnected */
	bool has_request; /* request_started or request_ended */
};

/* What is known of a request for its hooks, while it lasts. */
struct zgi_request_record {
	uint64_t started_ns;
	uint64_t whole_ns; /* when the body was whole; 0 before */
	uint64_t replied_ns; /* when the reply was made; 0 before */
	uint64_t bytes_out;
	bool is_broken_off; /* the reply is streamed, and ended before its end */
};

/* One more; there is room. */
void zgi_hooks_add(struct zgi_hooks *hooks, const struct zg_hooks *one);

/* A request's head is known, or that it cannot be understood: its match is made. */
void zgi_hooks_request_started(struct zg_exchange *x);

/* Its body is whole. */
void zgi_hooks_request_received(struct zg_exchange *x);

/* Its reply is final, but for what a streamed one's handler will add to bytes_out. */
void zgi_hooks_request_replied(struct zg_exchange *x);

/* Its reply is final; is_sent: and is handed over, as far as the next request need know. */
void zgi_hooks_request_on_its_way(struct zg_exchange *x, bool is_sent);

/* It is over. */
void zgi_hooks_request_ended(struct zg_exchange *x, bool is_aborted);

/* Something has failed; only to be called when hooks are not NULL. */
void zgi_hooks_failed(const struct zgi_hooks *hooks, const struct zg_failed *event);

/* A failure of an exchange. */
void zgi_hooks_exchange_failed(struct zg_exchange *x, enum zg_failure kind, int error,
			       const char *text);

void zgi_hooks_connected(const struct zgi_hooks *hooks, const struct zg_connected *event);
void zgi_hooks_disconnected(const struct zgi_hooks *hooks, const struct zg_disconnected *event);

#endif
