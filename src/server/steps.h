/*
 * Steps: what every transition of a connection is made of: entering a state,
 * starting an operation, borrowing an exchange and giving it back.
 *
 * Private to the files that move connections: connection.c (requests), waiting.c
 * (the queue for exchanges) and farewell.c (endings).
 */
#ifndef ZEROG_SERVER_STEPS_H
#define ZEROG_SERVER_STEPS_H

#include "base/assert.h"
#include "server/shard.h"

/* Generations are cut to 30 bits, so that a tag stays below 2^62 (see io/io.h). */
#define ZGI_CONNECTION_GENERATION_MASK UINT32_C(0x3fffffff)

static inline uint64_t zgi_connection_tag(const struct zgi_shard *shard, uint32_t index)
{
	return (uint64_t)(shard->connections[index].generation & ZGI_CONNECTION_GENERATION_MASK)
		       << 32 |
	       index;
}

static inline void zgi_connection_enter(struct zgi_shard *shard, uint32_t index,
					enum zgi_connection_state state, uint32_t ticks)
{
	struct zgi_connection *connection = &shard->connections[index];

	connection->state = (uint8_t)state;
	connection->deadline = ticks == UINT32_MAX ? UINT32_MAX : shard->tick + ticks;
}

static inline void zgi_connection_cancel(struct zgi_shard *shard, uint32_t index,
					 enum zgi_connection_state state)
{
	zgi_connection_enter(shard, index, state, UINT32_MAX);
	zgi_io_cancel(shard->io, index, zgi_connection_tag(shard, index));
}

static inline void zgi_connection_recv(struct zgi_shard *shard, uint32_t index)
{
	void *data;
	size_t size;

	zgi_exchange_recv_window(zgi_shard_exchange(shard, index), &data, &size);
	zg_assert(size > 0);
	zgi_io_recv(shard->io, index, data, size, zgi_connection_tag(shard, index));
}

/* The number that the application knows a connection by: no other of the process has it, until the
 * slot's generations come round. */
static inline uint64_t zgi_connection_number(const struct zgi_shard *shard, uint32_t index)
{
	return (uint64_t)(shard->connections[index].generation & ZGI_CONNECTION_GENERATION_MASK)
		       << 34 |
	       (uint64_t)shard->index << 24 | index;
}

/* Why a connection that was only waited for is gone: an error says so itself. */
static inline enum zg_disconnect zgi_connection_poll_lost(int32_t result)
{
	return result < 0 || (result & ZGI_IO_POLL_ERROR) != 0 ? ZG_DISCONNECT_ERROR
							       : ZG_DISCONNECT_PEER;
}

/* Close at once: nothing is in flight, and it has no exchange. */
void zgi_connection_close(struct zgi_shard *shard, uint32_t index, enum zg_disconnect why);

/* Wait for the next request without an exchange, idle since a tick; a drain closes instead. */
void zgi_connection_park(struct zgi_shard *shard, uint32_t index, uint32_t idle_since);

/* Borrow an exchange; false when there is none. */
bool zgi_connection_take(struct zgi_shard *shard, uint32_t index);

/* Give the exchange back, or the subscriber. */
void zgi_connection_give(struct zgi_shard *shard, uint32_t index);

/* Give the exchange back and close. */
void zgi_connection_abandon(struct zgi_shard *shard, uint32_t index, enum zg_disconnect why);

/* waiting.c: a parked connection is readable: borrow an exchange, or queue for one. */
void zgi_connection_unpark(struct zgi_shard *shard, uint32_t index);

/* farewell.c: answer with the ready-made 503, without an exchange, and end it. */
void zgi_connection_refuse(struct zgi_shard *shard, uint32_t index);

/* farewell.c: end our side, then read and throw away until the peer has ended its own. */
void zgi_connection_linger(struct zgi_shard *shard, uint32_t index, enum zg_disconnect why);

/* farewell.c: our side has ended; start reading what nobody wants. */
void zgi_connection_discard(struct zgi_shard *shard, uint32_t index);

/* farewell.c: some of it has come, or the peer's end. */
void zgi_connection_discarded(struct zgi_shard *shard, uint32_t index, int32_t result);

#endif
