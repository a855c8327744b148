/*
 * What happens to a connection, event by event. Everything here is a transition
 * from one state to another with at most one operation started on the way, so
 * that a completion always finds the slot in the state that started it.
 */

#include "server/connection.h"

#include <errno.h>

#include "base/counter.h"
#include "server/steps.h"
#include "server/subscriber.h"
#include "server/tell.h"

static void connection_run(struct zgi_shard *shard, uint32_t index);

/* A quiet connection keeps its exchange at the ready while exchanges are plenty, unless it was
 * quiet for so long before this request that it would lose it again: that costs a cancelled
 * receive. */
static bool connection_may_stay(struct zgi_shard *shard, uint32_t index)
{
	return shard->exchanges.free_count >= shard->hot_reserve && shard->waiting_count == 0 &&
	       !zgi_shard_exchange(shard, index)->is_rare && !shard->is_draining;
}

static void connection_heat(struct zgi_shard *shard, uint32_t index)
{
	shard->connections[index].phase_timed = 0;
	zgi_connection_enter(shard, index, ZGI_CONNECTION_HOT, shard->times.hot);
	shard->hot_count++;
}

/* Nothing of a request is there. Stay unparked if that is right, else park. */
static void connection_settle(struct zgi_shard *shard, uint32_t index)
{
	if (!connection_may_stay(shard, index)) {
		zgi_connection_give(shard, index);
		zgi_connection_park(shard, index, shard->tick);
		return;
	}
	connection_heat(shard, index);
	zgi_connection_recv(shard, index);
}

/* The next bytes are in a file: they are sent from there, or else read first. */
static void connection_send_file(struct zgi_shard *shard, uint32_t index)
{
	struct zg_exchange *x = zgi_shard_exchange(shard, index);
	struct zgi_io_file file;
	void *buffer;

	shard->connections[index].phase_timed = 0;
	if (zgi_io_can_send_file(shard->io)) {
		zgi_connection_enter(shard, index, ZGI_CONNECTION_SENDING, shard->times.write);
		zgi_io_send_file(shard->io, index, zgi_exchange_file_window(x),
				 zgi_connection_tag(shard, index));
		return;
	}
	zgi_exchange_load_window(x, &file, &buffer);
	zgi_connection_enter(shard, index, ZGI_CONNECTION_LOADING, shard->times.write);
	zgi_io_read_file(shard->io, index, &file, buffer, zgi_connection_tag(shard, index));
}

static void connection_send(struct zgi_shard *shard, uint32_t index)
{
	const void *data;
	size_t size;
	bool has_more;

	if (ZG_UNLIKELY(zgi_exchange_sends_file(zgi_shard_exchange(shard, index)))) {
		connection_send_file(shard, index);
		return;
	}
	zgi_exchange_send_window(zgi_shard_exchange(shard, index), &data, &size, &has_more);
	zg_assert(size > 0);
	zgi_connection_enter(shard, index, ZGI_CONNECTION_SENDING, shard->times.write);
	shard->connections[index].phase_timed = 0;
	zgi_io_send(shard->io, index, data, size, has_more, zgi_connection_tag(shard, index));
}

/* The last reply for now: send it and wait for the next request in one operation. */
static void connection_send_last(struct zgi_shard *shard, uint32_t index)
{
	struct zg_exchange *x = zgi_shard_exchange(shard, index);
	struct zgi_io_transfer transfer;
	bool has_more;

	zgi_exchange_send_window(x, &transfer.send_buffer, &transfer.send_size, &has_more);
	zgi_exchange_recv_window(x, &transfer.recv_buffer, &transfer.recv_size);
	zg_assert(!has_more);
	x->is_sent_silently = true;
	connection_heat(shard, index);
	zgi_io_send_recv(shard->io, index, &transfer, zgi_connection_tag(shard, index));
}

/* More of a request is wanted. Its time runs from its first byte, not from its latest. */
static void connection_receive_more(struct zgi_shard *shard, uint32_t index)
{
	struct zgi_connection *connection = &shard->connections[index];
	struct zg_exchange *x = zgi_shard_exchange(shard, index);
	uint8_t phase = (uint8_t)(x->phase + 1);

	/* A streamed body may be of any length, so that its time is one for each part of it. */
	if (connection->phase_timed != phase ||
	    (x->phase == ZGI_PHASE_READING && zgi_exchange_has_progressed(x))) {
		connection->phase_timed = phase;
		connection->deadline =
			shard->tick +
			(phase == ZGI_PHASE_HEAD + 1 ? shard->times.header : shard->times.body);
	}
	connection->state = ZGI_CONNECTION_RECEIVING;
	zgi_connection_recv(shard, index);
}

/* Why the exchange wants its connection to end. */
static enum zg_disconnect connection_why(struct zgi_shard *shard, uint32_t index)
{
	return (enum zg_disconnect)zgi_shard_exchange(shard, index)->why_closing;
}

static void connection_run(struct zgi_shard *shard, uint32_t index)
{
	switch (zgi_exchange_run(zgi_shard_exchange(shard, index))) {
	case ZGI_WANT_RECV:
		connection_receive_more(shard, index);
		break;
	case ZGI_WANT_SEND:
		if (zgi_exchange_is_last(zgi_shard_exchange(shard, index)) &&
		    connection_may_stay(shard, index))
			connection_send_last(shard, index);
		else
			connection_send(shard, index);
		break;
	case ZGI_WANT_PENDING:
		zgi_connection_enter(shard, index, ZGI_CONNECTION_PENDING, shard->times.handler);
		break;
	case ZGI_WANT_IDLE:
		connection_settle(shard, index);
		break;
	case ZGI_WANT_CLOSE:
		zgi_connection_abandon(shard, index, connection_why(shard, index));
		break;
	case ZGI_WANT_HAND_OVER:
		zgi_subscriber_begin(shard, index);
		break;
	case ZGI_WANT_LINGER: {
		enum zg_disconnect why = connection_why(shard, index);

		zgi_connection_give(shard, index);
		zgi_connection_linger(shard, index, why);
		break;
	}
	}
}

/* Something has come of a send_recv's receive, and no complaint about its send: all was sent. */
static void connection_sent_silently(struct zgi_shard *shard, uint32_t index)
{
	struct zg_exchange *x = zgi_shard_exchange(shard, index);
	const void *data;
	size_t size;
	bool has_more;

	if (!x->is_sent_silently)
		return;
	x->is_sent_silently = false;
	zgi_exchange_send_window(x, &data, &size, &has_more);
	zgi_exchange_sent(x, size);
}

/* Why nothing can be received any more. */
static enum zg_disconnect connection_lost(int32_t result)
{
	return result < 0 ? ZG_DISCONNECT_ERROR : ZG_DISCONNECT_PEER;
}

static void connection_received(struct zgi_shard *shard, uint32_t index, int32_t result)
{
	if (result <= 0) {
		/* The peer has gone, or has ended its side; what was whole has been answered. */
		zgi_connection_abandon(shard, index, connection_lost(result));
		return;
	}
	zgi_exchange_received(zgi_shard_exchange(shard, index), (size_t)result);
	connection_run(shard, index);
}

static void connection_sent(struct zgi_shard *shard, uint32_t index, int32_t result)
{
	if (result <= 0) {
		zgi_connection_abandon(shard, index, ZG_DISCONNECT_ERROR);
		return;
	}
	zgi_exchange_sent(zgi_shard_exchange(shard, index), (size_t)result);
	connection_run(shard, index);
}

/* A part of the file has been read; nothing means that the file has become shorter. */
static void connection_loaded(struct zgi_shard *shard, uint32_t index, int32_t result)
{
	if (result <= 0) {
		zgi_connection_abandon(shard, index, ZG_DISCONNECT_ERROR);
		return;
	}
	zgi_exchange_loaded(zgi_shard_exchange(shard, index), (size_t)result);
	connection_run(shard, index);
}

/* A receive was cancelled because the connection is quiet; data may have come first. */
static void connection_cooled(struct zgi_shard *shard, uint32_t index, int32_t result)
{
	if (result != -ECANCELED) {
		connection_received(shard, index, result);
		return;
	}

	uint32_t idle_since = zgi_shard_exchange(shard, index)->idle_since;

	zgi_connection_give(shard, index);
	zgi_connection_park(shard, index, idle_since);
}

/* A receive was cancelled because the request takes too long. */
static void connection_late(struct zgi_shard *shard, uint32_t index, int32_t result)
{
	if (result <= 0 && result != -ECANCELED) {
		zgi_connection_abandon(shard, index, connection_lost(result));
		return;
	}
	zgi_exchange_fail(zgi_shard_exchange(shard, index), 408,
			  "The request took too long to arrive\n");
	connection_run(shard, index);
}

/* The rest of a reply that fell short is sent by itself; what was received waits in its buffer. */
static void connection_unstalled(struct zgi_shard *shard, uint32_t index, int32_t result)
{
	if (result < 0 && result != -ECANCELED) {
		zgi_connection_abandon(shard, index, ZG_DISCONNECT_ERROR);
		return;
	}
	if (result > 0)
		zgi_exchange_received(zgi_shard_exchange(shard, index), (size_t)result);
	connection_send(shard, index);
}

void zgi_connection_accepted(struct zgi_shard *shard, uint32_t index)
{
	struct zgi_connection *connection = &shard->connections[index];

	zg_assert(index < shard->slot_count);
	zg_assert(connection->state == ZGI_CONNECTION_FREE);
	connection->generation++;
	connection->link = ZGI_CONNECTION_NONE;
	connection->phase_timed = 0;
	zgi_connection_enter(shard, index, ZGI_CONNECTION_PARKED, UINT32_MAX);
	zgi_gauge_set(&shard->live_count, shard->live_count + 1);
	zgi_counter_add(&shard->counters.accepted, 1);
	if (ZG_UNLIKELY(shard->has_connection_hooks))
		zgi_tell_connected(shard, index);

	if (shard->live_count - shard->leaving_count > shard->connection_limit &&
	    !zgi_shard_evict(shard)) {
		zgi_connection_refuse(shard, index);
		return;
	}
	if (shard->exchanges.free_count > shard->hot_reserve && zgi_connection_take(shard, index))
		connection_settle(shard, index);
	else
		zgi_connection_park(shard, index, shard->tick);
}

void zgi_connection_done(struct zgi_shard *shard, uint64_t tag, int32_t result)
{
	uint32_t index = (uint32_t)tag;
	struct zgi_connection *connection = &shard->connections[index];

	zg_assert(index < shard->slot_count);
	zg_assert((connection->generation & ZGI_CONNECTION_GENERATION_MASK) == tag >> 32);
	switch ((enum zgi_connection_state)connection->state) {
	case ZGI_CONNECTION_PARKED:
		if (result < 0 || (result & ZGI_IO_POLL_GONE) != 0)
			zgi_connection_close(shard, index, zgi_connection_poll_lost(result));
		else
			zgi_connection_unpark(shard, index);
		return;
	case ZGI_CONNECTION_HOT:
		shard->hot_count--;
		connection_sent_silently(shard, index);
		connection_received(shard, index, result);
		return;
	case ZGI_CONNECTION_PARKING:
		connection_sent_silently(shard, index);
		connection_cooled(shard, index, result);
		return;
	case ZGI_CONNECTION_RECEIVING:
		connection_received(shard, index, result);
		return;
	case ZGI_CONNECTION_LATE:
		connection_late(shard, index, result);
		return;
	case ZGI_CONNECTION_SENDING:
		connection_sent(shard, index, result);
		return;
	case ZGI_CONNECTION_LOADING:
		connection_loaded(shard, index, result);
		return;
	case ZGI_CONNECTION_STALLED:
		connection_unstalled(shard, index, result);
		return;
	case ZGI_CONNECTION_REFUSING:
		if (result < 0)
			zgi_connection_close(shard, index, ZG_DISCONNECT_REFUSED);
		else
			zgi_connection_linger(shard, index, ZG_DISCONNECT_REFUSED);
		return;
	case ZGI_CONNECTION_SUBSCRIBED:
	case ZGI_CONNECTION_ROUSING:
	case ZGI_CONNECTION_TELLING:
		zgi_subscriber_done(shard, index, result);
		return;
	case ZGI_CONNECTION_SHUTTING:
		zgi_connection_discard(shard, index);
		return;
	case ZGI_CONNECTION_LINGERING:
		zgi_connection_discarded(shard, index, result);
		return;
	case ZGI_CONNECTION_CLOSING:
		if (connection->phase_timed == ZG_DISCONNECT_EVICTED)
			shard->leaving_count--;
		if (connection->link != ZGI_CONNECTION_NONE)
			zgi_connection_give(shard, index);
		zgi_connection_close(shard, index, (enum zg_disconnect)connection->phase_timed);
		return;
	case ZGI_CONNECTION_FREE:
	case ZGI_CONNECTION_WAITING:
	case ZGI_CONNECTION_PENDING:
		break;
	}
	zg_assert(!"a completion comes to a state that has something in flight");
}

void zgi_connection_stalled(struct zgi_shard *shard, uint64_t tag, int32_t result)
{
	uint32_t index = (uint32_t)tag;
	struct zgi_connection *connection = &shard->connections[index];
	struct zg_exchange *x;

	zg_assert((connection->generation & ZGI_CONNECTION_GENERATION_MASK) == tag >> 32);
	if (connection->state == ZGI_CONNECTION_CLOSING)
		return;
	x = zgi_shard_exchange(shard, index);
	zg_assert(x->is_sent_silently);
	if (connection->state == ZGI_CONNECTION_HOT)
		shard->hot_count--;
	else
		zg_assert(connection->state == ZGI_CONNECTION_PARKING);
	x->is_sent_silently = false;
	if (result > 0)
		zgi_exchange_sent(x, (size_t)result);
	zgi_connection_enter(shard, index, ZGI_CONNECTION_STALLED, UINT32_MAX);
}

void zgi_connection_cool(struct zgi_shard *shard, uint32_t index)
{
	struct zgi_connection *connection = &shard->connections[index];

	zg_assert(connection->state == ZGI_CONNECTION_HOT);
	zgi_shard_exchange(shard, index)->idle_since = connection->deadline - shard->times.hot;
	shard->hot_count--;
	zgi_connection_cancel(shard, index, ZGI_CONNECTION_PARKING);
}

void zgi_connection_resumed(struct zgi_shard *shard, uint32_t index)
{
	/* While earlier replies are still being sent, the send's completion goes on from here. */
	if (shard->connections[index].state == ZGI_CONNECTION_PENDING)
		connection_run(shard, index);
}

void zgi_connection_timed_out(struct zgi_shard *shard, uint32_t index)
{
	switch ((enum zgi_connection_state)shard->connections[index].state) {
	case ZGI_CONNECTION_HOT:
		zgi_connection_cool(shard, index);
		return;
	case ZGI_CONNECTION_PARKED:
		zgi_counter_add(&shard->counters.timeouts_idle, 1);
		zgi_connection_end(shard, index, ZG_DISCONNECT_IDLE);
		return;
	case ZGI_CONNECTION_RECEIVING:
		zgi_counter_add(&shard->counters.timeouts_request, 1);
		zgi_connection_cancel(shard, index, ZGI_CONNECTION_LATE);
		return;
	case ZGI_CONNECTION_PENDING:
		zgi_counter_add(&shard->counters.timeouts_handler, 1);
		zgi_exchange_fail(zgi_shard_exchange(shard, index), 503,
				  "The service took too long to answer\n");
		connection_run(shard, index);
		return;
	case ZGI_CONNECTION_SENDING:
	case ZGI_CONNECTION_LOADING:
	case ZGI_CONNECTION_REFUSING:
		zgi_counter_add(&shard->counters.timeouts_write, 1);
		zgi_connection_end(shard, index, ZG_DISCONNECT_UNREAD);
		return;
	case ZGI_CONNECTION_SUBSCRIBED:
	case ZGI_CONNECTION_TELLING:
		zgi_subscriber_timed_out(shard, index);
		return;
	case ZGI_CONNECTION_SHUTTING:
	case ZGI_CONNECTION_LINGERING:
		zgi_connection_end(shard, index,
				   (enum zg_disconnect)shard->connections[index].phase_timed);
		return;
	case ZGI_CONNECTION_FREE:
	case ZGI_CONNECTION_WAITING: /* its queue is looked at by itself */
	case ZGI_CONNECTION_PARKING:
	case ZGI_CONNECTION_LATE:
	case ZGI_CONNECTION_STALLED:
	case ZGI_CONNECTION_ROUSING:
	case ZGI_CONNECTION_CLOSING:
		return;
	}
}
