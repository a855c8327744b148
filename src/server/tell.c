/*
 * What happens to connections, told to the hooks of the application.
 */

#include "server/tell.h"

#include "server/steps.h"
#include "web/hooks.h"

void zgi_tell_connected(struct zgi_shard *shard, uint32_t index)
{
	zgi_hooks_connected(
		shard->web.hooks,
		&(struct zg_connected){
			.connection = zgi_connection_number(shard, index),
			.shard = shard->index,
			.peer = shard->web.peers != NULL ? &shard->web.peers[index] : NULL,
		});
}

void zgi_tell_disconnected(struct zgi_shard *shard, uint32_t index, enum zg_disconnect why)
{
	zgi_hooks_disconnected(shard->web.hooks,
			       &(struct zg_disconnected){
				       .connection = zgi_connection_number(shard, index),
				       .shard = shard->index,
				       .why = why,
			       });
}

void zgi_tell_refused(struct zgi_shard *shard)
{
	zgi_hooks_failed(shard->web.hooks, &(struct zg_failed){
						   .kind = ZG_FAILURE_REFUSED,
						   .status = 503,
						   .text = "no exchange, or no connection, is free",
						   .shard = shard->index,
					   });
}

void zgi_tell_accept_failed(struct zgi_shard *shard, int error)
{
	zgi_hooks_failed(shard->web.hooks, &(struct zg_failed){
						   .kind = ZG_FAILURE_ACCEPT,
						   .error = error,
						   .text = "a connection could not be accepted",
						   .shard = shard->index,
					   });
}

/* The exchange stays where it is: the kernel may still write to it. */
static void tell_request_stopped(struct zgi_shard *shard, uint32_t index)
{
	const struct zgi_connection *connection = &shard->connections[index];
	struct zg_exchange *x;

	if (connection->state == ZGI_CONNECTION_WAITING ||
	    (connection->link & ZGI_CONNECTION_SUBSCRIBER) != 0)
		return; /* the next in the queue, a subscriber, or none */
	x = zgi_shard_exchange(shard, index);
	if (x->is_recorded)
		zgi_hooks_request_ended(x, true);
}

void zgi_tell_stopped(struct zgi_shard *shard)
{
	for (uint32_t index = 0; index < shard->slot_count; index++) {
		if (shard->connections[index].state == ZGI_CONNECTION_FREE)
			continue;
		tell_request_stopped(shard, index);
		if (shard->has_connection_hooks)
			zgi_tell_disconnected(shard, index, ZG_DISCONNECT_STOPPED);
	}
}
