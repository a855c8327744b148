/*
 * Hooks: be told what connections and requests do.
 *
 *	static void log_request(struct zg_exchange *x, const struct zg_request_ended *event,
 *				void *user) { ... }
 *
 *	zg_app_hook(&app, &(struct zg_hooks){.request_ended = log_request, .user = log});
 *
 * A hook looks on: it answers nothing and changes nothing. It must be quick, for
 * all connections of its shard wait for it. While nobody asks, a request pays for
 * one branch.
 *
 * Ownership  What a hook is given is borrowed until it returns; `user` is borrowed
 *            for the app's life.
 * Threads    Registered before zg_app_main(), from one thread. Called on the thread
 *            of the connection's shard, many shards at once.
 * Limits     ZG_HOOKS_MAX registrations; one more is told at boot.
 */
#ifndef ZEROG_HOOKS_H
#define ZEROG_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/exchange.h>
#include <zerog/peer.h>

ZG_BEGIN_DECLS

#define ZG_HOOKS_MAX 8

struct zg_app;

/* Why a connection has ended. */
#define ZG_DISCONNECTS(X)                                                           \
	X(PEER, "the peer has ended it")                                            \
	X(ERROR, "the network has lost it")                                         \
	X(REPLIED, "the reply was the last: the client or the server wanted it so") \
	X(FAULTY, "the request could not be understood, or was too large")          \
	X(IDLE, "no request came for --idle-timeout-ms")                            \
	X(LATE, "the request took too long to arrive, or its handler to answer")    \
	X(UNREAD, "the peer took too long to accept a reply")                       \
	X(EVICTED, "it was idle the longest, and another needed its place")         \
	X(REFUSED, "no exchange became free, or all connections are taken")         \
	X(DRAINED, "it was idle when the service was told to end")                  \
	X(STOPPED, "the service has stopped")

enum zg_disconnect {
#define ZG_DISCONNECT_NAME(name, sentence) ZG_DISCONNECT_##name,
	ZG_DISCONNECTS(ZG_DISCONNECT_NAME)
#undef ZG_DISCONNECT_NAME
		ZG_DISCONNECT_COUNT,
};

/* A connection has been accepted. */
struct zg_connected {
	uint64_t connection; /* its number: as zg_exchange_connection() says */
	uint32_t shard; /* below --shards */
	const struct zg_peer *peer; /* NULL with --peer-addresses off */
};

/* A connection is gone; each one that was told as connected is told here once. */
struct zg_disconnected {
	uint64_t connection;
	uint32_t shard;
	enum zg_disconnect why;
};

/* A request is over: its reply has been handed to the kernel, or waits behind earlier ones for it,
 * or the connection has gone. */
struct zg_request_ended {
	int status; /* of the reply; 0 when the connection ended before there was one */
	bool is_aborted; /* the connection ended before the reply was handed over whole */
	uint64_t bytes_in; /* of head and body, without what chunks are wrapped in */
	uint64_t bytes_out; /* of head and body; an aborted reply's without what was still to go */
	uint64_t started_ns; /* CLOCK_MONOTONIC: when the head had been understood */
	uint64_t received_ns; /* from then until the body was whole */
	uint64_t handled_ns; /* from then until the reply was made: middleware, handler, waiting */
	uint64_t sent_ns; /* from then until it was handed over */
};

/* What has gone wrong. */
enum zg_failure {
	ZG_FAILURE_REQUEST, /* a request that could not be understood, or is too large */
	ZG_FAILURE_HANDLER, /* a handler or middleware failed, or did not reply */
	ZG_FAILURE_TIMEOUT, /* a request took too long to arrive, or its handler to answer */
	ZG_FAILURE_REFUSED, /* a connection was refused with 503, without an exchange */
	ZG_FAILURE_ACCEPT, /* a connection could not be accepted */
};

struct zg_failed {
	enum zg_failure kind;
	int status; /* what is answered; 0 when there is no answer */
	int error; /* negative errno, 0 when there is none: of the handler, or of the accept */
	const char *text; /* a sentence; static */
	struct zg_exchange *x; /* NULL when there is none */
	uint32_t shard;
};

/* Any may be NULL. */
struct zg_hooks {
	void (*connected)(const struct zg_connected *event, void *user);
	/* The head has been understood; the body may still be on its way. Also for a request that
	 * cannot be understood: its path is empty then, and it has no fields. */
	void (*request_started)(struct zg_exchange *x, void *user);
	/* Once for each that has started. The request can still be read, and its values. */
	void (*request_ended)(struct zg_exchange *x, const struct zg_request_ended *event,
			      void *user);
	void (*disconnected)(const struct zg_disconnected *event, void *user);
	void (*failed)(const struct zg_failed *event, void *user);
	void *user; /* passed to each; borrowed; may be NULL */
};

/**
 * zg_app_hook() - be told what happens
 * @app:    initialised
 * @hooks:  copied; those that are NULL are not called
 *
 * Hooks that are registered first are called first.
 */
void zg_app_hook(struct zg_app *app, const struct zg_hooks *hooks);

/**
 * zg_exchange_connection() - the number of the connection that a request came on
 * @x:  the handler's, middleware's or a hook's
 *
 * Return: a number that no other connection of the process has, until a billion have come to its
 * slot. Requests of one connection have the same.
 */
uint64_t zg_exchange_connection(const struct zg_exchange *x);

/**
 * zg_disconnect_text() - why a connection has ended, as a sentence
 * @why:  below ZG_DISCONNECT_COUNT
 *
 * Return: static text. Any thread.
 */
const char *zg_disconnect_text(enum zg_disconnect why);

ZG_END_DECLS

#endif
