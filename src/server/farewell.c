/*
 * How connections end: refused, lingering, cut off, or closed to make room.
 */

#include "base/counter.h"
#include "server/steps.h"
#include "server/tell.h"

#define FAREWELL_DISCARD_KB_MAX 256 /* what a lingering peer may still send */

#define FAREWELL_REFUSAL_BODY "Too many requests in flight\n"

static const char farewell_refusal[] = "HTTP/1.1 503 Service Unavailable\r\n"
				       "Content-Type: text/plain; charset=utf-8\r\n"
				       "Content-Length: 28\r\n"
				       "Retry-After: 1\r\n"
				       "Connection: close\r\n"
				       "\r\n" FAREWELL_REFUSAL_BODY;

static_assert(sizeof(FAREWELL_REFUSAL_BODY) - 1 == 28, "as its Content-Length says");

void zgi_connection_refuse(struct zgi_shard *shard, uint32_t index)
{
	zgi_counter_add(&shard->counters.refused, 1);
	if (shard->web.hooks != NULL)
		zgi_tell_refused(shard);
	zgi_connection_enter(shard, index, ZGI_CONNECTION_REFUSING, shard->times.write);
	zgi_io_send(shard->io, index, farewell_refusal, sizeof(farewell_refusal) - 1, false,
		    zgi_connection_tag(shard, index));
}

/* Closing with unread bytes would reset the stream and take our last answer with it: end our side,
 * then read and throw away until the peer has ended its own (RFC 9112, section 9.6). */
void zgi_connection_linger(struct zgi_shard *shard, uint32_t index, enum zg_disconnect why)
{
	zgi_connection_enter(shard, index, ZGI_CONNECTION_SHUTTING, shard->times.linger);
	shard->connections[index].phase_timed = (uint8_t)why;
	shard->connections[index].discarded = 0;
	zgi_io_shutdown(shard->io, index, zgi_connection_tag(shard, index));
}

void zgi_connection_discard(struct zgi_shard *shard, uint32_t index)
{
	shard->connections[index].state = ZGI_CONNECTION_LINGERING;
	zgi_io_recv(shard->io, index, shard->discard, sizeof(shard->discard),
		    zgi_connection_tag(shard, index));
}

void zgi_connection_discarded(struct zgi_shard *shard, uint32_t index, int32_t result)
{
	struct zgi_connection *connection = &shard->connections[index];

	if (result > 0)
		connection->discarded = (uint16_t)(connection->discarded + result / 1024 + 1);
	if (result <= 0 || connection->discarded > FAREWELL_DISCARD_KB_MAX)
		zgi_connection_close(shard, index, (enum zg_disconnect)connection->phase_timed);
	else
		zgi_connection_discard(shard, index);
}

void zgi_connection_end(struct zgi_shard *shard, uint32_t index, enum zg_disconnect why)
{
	struct zgi_connection *connection = &shard->connections[index];

	connection->phase_timed = (uint8_t)why;
	if (connection->state == ZGI_CONNECTION_HOT)
		shard->hot_count--;
	zgi_connection_cancel(shard, index, ZGI_CONNECTION_CLOSING);
}

void zgi_connection_evict(struct zgi_shard *shard, uint32_t index)
{
	zgi_connection_end(shard, index, ZG_DISCONNECT_EVICTED);
	shard->leaving_count++;
	zgi_counter_add(&shard->counters.evicted, 1);
}
