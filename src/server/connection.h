/*
 * Connection: a slot in a flat table, and what may happen to it.
 *
 * An idle connection is parked: this slot is all there is of it. The slot's
 * number is the connection's descriptor, so the slot does not hold it.
 *
 *	accept ─→ PARKED ⇄ HOT            idle: without an exchange, or with one at the ready
 *	            │       │
 *	            ▼       ▼
 *	WAITING → RECEIVING ⇄ SENDING ⇄ PENDING
 *	   │           │          │
 *	   ▼           ▼          ▼
 *	REFUSING → SHUTTING → LINGERING → CLOSING → free
 *
 *	SENDING → TELLING ⇄ SUBSCRIBED → ROUSING → TELLING    after the head of an event stream
 *
 * One operation is in flight at the most (see io/io.h). A state that ends an
 * operation early (PARKING, LATE, CLOSING) waits for that operation to complete.
 */
#ifndef ZEROG_SERVER_CONNECTION_H
#define ZEROG_SERVER_CONNECTION_H

#include <assert.h>
#include <stdint.h>

#include <zerog/hooks.h>
#include <zerog/layout.h>

struct zgi_shard;

enum zgi_connection_state {
	ZGI_CONNECTION_FREE,
	ZGI_CONNECTION_PARKED, /* a poll in flight; no exchange */
	ZGI_CONNECTION_WAITING, /* readable, in the queue for an exchange; nothing in flight */
	ZGI_CONNECTION_HOT, /* an exchange and its receive in flight, nothing has come yet */
	ZGI_CONNECTION_PARKING, /* as HOT, being cancelled to be parked */
	ZGI_CONNECTION_RECEIVING, /* a request has begun, a receive in flight */
	ZGI_CONNECTION_LATE, /* as RECEIVING, being cancelled because its time is over */
	ZGI_CONNECTION_SENDING, /* a send in flight */
	ZGI_CONNECTION_LOADING, /* a part of the file that is sent next is being read */
	ZGI_CONNECTION_STALLED, /* as HOT, but its reply fell short: the receive is being cancelled
				 */
	ZGI_CONNECTION_PENDING, /* its handler will be resumed; nothing in flight */
	ZGI_CONNECTION_REFUSING, /* a 503 is being sent, without an exchange */
	ZGI_CONNECTION_SHUTTING, /* our end of the stream is being closed; no exchange */
	ZGI_CONNECTION_LINGERING, /* reading and throwing away until the peer closes */
	ZGI_CONNECTION_SUBSCRIBED, /* a poll in flight; no exchange, but a subscriber */
	ZGI_CONNECTION_ROUSING, /* as SUBSCRIBED, being cancelled because there is news */
	ZGI_CONNECTION_TELLING, /* events are being sent */
	ZGI_CONNECTION_CLOSING, /* its operation is being cancelled, then it is closed */
};

#define ZGI_CONNECTION_NONE UINT32_MAX
#define ZGI_CONNECTION_SUBSCRIBER (UINT32_C(1) << 31)

struct zgi_connection {
	uint32_t generation; /* counts the connections of this slot; part of every tag */
	uint32_t deadline; /* tick at which the state has lasted too long; UINT32_MAX: never */
	uint32_t link; /* its exchange's number, the next in the queue, or its subscriber's number
			* with ZGI_CONNECTION_SUBSCRIBER */
	uint8_t state; /* enum zgi_connection_state */
	uint8_t phase_timed; /* which phase of a request the deadline belongs to, plus one; or 0.
			      * From REFUSING on: why it ends, enum zg_disconnect */
	zg_cold(farewell);
	uint16_t discarded; /* while lingering: kilobytes thrown away */
};

static_assert(sizeof(struct zgi_connection) == 16, "a parked connection is 16 bytes");
ZG_DIVIDES_LINE(struct zgi_connection);

/* A new connection in this slot. */
void zgi_connection_accepted(struct zgi_shard *shard, uint32_t index);

/* The operation in flight has completed. */
void zgi_connection_done(struct zgi_shard *shard, uint64_t tag, int32_t result);

/* The reply that a HOT connection sent along with its receive fell short by this result. */
void zgi_connection_stalled(struct zgi_shard *shard, uint64_t tag, int32_t result);

/* Its deadline has passed. */
void zgi_connection_timed_out(struct zgi_shard *shard, uint32_t index);

/* End it: at once when nothing is in flight, else when that has completed. */
void zgi_connection_end(struct zgi_shard *shard, uint32_t index, enum zg_disconnect why);

/* End an idle one to make room for another. */
void zgi_connection_evict(struct zgi_shard *shard, uint32_t index);

/* Give an idle connection's exchange back as soon as its receive is cancelled. */
void zgi_connection_cool(struct zgi_shard *shard, uint32_t index);

/* A pending exchange's handler has gone on: so does its connection. */
void zgi_connection_resumed(struct zgi_shard *shard, uint32_t index);

/* Hand free exchanges to those who wait, the longest waiting first. */
void zgi_connection_serve_waiting(struct zgi_shard *shard);

/* Refuse the head of the queue with a 503. */
void zgi_connection_refuse_waiting(struct zgi_shard *shard);

#endif
