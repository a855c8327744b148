/*
 * Tell: what a shard tells the hooks of an application. Each is called only when
 * somebody has registered some.
 */
#ifndef ZEROG_SERVER_TELL_H
#define ZEROG_SERVER_TELL_H

#include "server/shard.h"

/* A connection has been accepted. */
void zgi_tell_connected(struct zgi_shard *shard, uint32_t index);

/* It is gone. */
void zgi_tell_disconnected(struct zgi_shard *shard, uint32_t index, enum zg_disconnect why);

/* A connection is answered with 503, without an exchange. */
void zgi_tell_refused(struct zgi_shard *shard);

/* A connection could not be accepted. */
void zgi_tell_accept_failed(struct zgi_shard *shard, int error);

/* The shard serves no more: its requests and its connections end here. */
void zgi_tell_stopped(struct zgi_shard *shard);

#endif
