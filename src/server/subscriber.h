/*
 * Subscriber: a connection that events are sent to, without an exchange.
 *
 * It begins as a request like any other. When the head of its reply has been sent, the
 * exchange is given back, and this block is all there is of it besides its slot.
 */
#ifndef ZEROG_SERVER_SUBSCRIBER_H
#define ZEROG_SERVER_SUBSCRIBER_H

#include <stdint.h>

#include <zerog/pool.h>

struct zgi_shard;

/* Bytes of a subscriber's block. */
size_t zgi_subscriber_size(uint32_t event_size_max);

/* The connection's exchange has sent the head: go on without it. */
void zgi_subscriber_begin(struct zgi_shard *shard, uint32_t index);

/* The operation in flight of a SUBSCRIBED, ROUSING or TELLING connection has completed. */
void zgi_subscriber_done(struct zgi_shard *shard, uint32_t index, int32_t result);

/* It has heard nothing for so long, or has not taken what it was sent. */
void zgi_subscriber_timed_out(struct zgi_shard *shard, uint32_t index);

/* Something may have been published: rouse those who have not had it. */
void zgi_subscribers_tell(struct zgi_shard *shard);

/* Give its block back, by its number. */
void zgi_subscriber_give(struct zgi_shard *shard, uint32_t number);

#endif
