/*
 * What happens to a connection, event by event. Everything here is a transition
 * from one state to another with at most one operation started on the way, so
 * that a completion always finds the slot in the state that started it.
 */

#include "server/connection.h"

#include <errno.h>

#include "base/assert.h"
#include "base/counter.h"
#include "server/shard.h"

#define CONNECTION_DISCARD_KB_MAX 256 /* what a lingering peer may still send */

#define CONNECTION_REFUSAL_BODY "Too many requests in flight\n"

static const char connection_refusal[] = "HTTP/1.1 503 Service Unavailable\r\n"
					 "Content-Type: text/plain; charset=utf-8\r\n"
					 "Content-Length: 28\r\n"
					 "Retry-After: 1\r\n"
					 "Connection: close\r\n"
					 "\r\n" CONNECTION_REFUSAL_BODY;

static_assert(sizeof(CONNECTION_REFUSAL_BODY) - 1 == 28, "as its Content-Length says");

static void connection_run(struct zgi_shard *shard, uint32_t index);

/* Generations are cut to 30 bits, so that a tag stays below 2^62 (see io/io.h). */
#define CONNECTION_GENERATION_MASK UINT32_C(0x3fffffff)

static uint64_t connection_tag(const struct zgi_shard *shard, uint32_t index)
{
	return (uint64_t)(shard->connections[index].generation & CONNECTION_GENERATION_MASK) << 32 |
	       index;
}

static void connection_enter(struct zgi_shard *shard, uint32_t index,
			     enum zgi_connection_state state, uint32_t ticks)
{
	struct zgi_connection *connection = &shard->connections[index];

	connection->state = (uint8_t)state;
	connection->deadline = ticks == UINT32_MAX ? UINT32_MAX : shard->tick + ticks;
}

static void connection_close(struct zgi_shard *shard, uint32_t index)
{
	struct zgi_connection *connection = &shard->connections[index];

	zg_assert(connection->state != ZGI_CONNECTION_FREE);
	zgi_io_close(shard->io, index);
	connection_enter(shard, index, ZGI_CONNECTION_FREE, UINT32_MAX);
	shard->live_count--;
	zgi_counter_add(&shard->counters.closed, 1);
}

static void connection_cancel(struct zgi_shard *shard, uint32_t index,
			      enum zgi_connection_state state)
{
	connection_enter(shard, index, state, UINT32_MAX);
	zgi_io_cancel(shard->io, index, connection_tag(shard, index));
}

static void connection_park(struct zgi_shard *shard, uint32_t index)
{
	if (shard->is_draining) {
		connection_close(shard, index);
		return;
	}
	connection_enter(shard, index, ZGI_CONNECTION_PARKED, shard->times.idle);
	zgi_counter_add(&shard->counters.parked, 1);
	zgi_io_poll(shard->io, index, connection_tag(shard, index));
}

/* Borrow an exchange; false when there is none. */
static bool connection_take(struct zgi_shard *shard, uint32_t index)
{
	zg_handle handle;
	void *block;

	if (zg_pool_take(&shard->exchanges, &handle, &block) < 0)
		return false;

	struct zg_exchange *x = block;

	zgi_exchange_init(x, &shard->web, &shard->chunks, handle);
	x->connection = index;
	shard->connections[index].link =
		zg_handle_index(handle) - shard->index * shard->exchanges.block_count;
	shard->connections[index].phase_timed = 0;
	return true;
}

static void connection_give(struct zgi_shard *shard, uint32_t index)
{
	struct zg_exchange *x = zgi_shard_exchange(shard, index);
	zg_handle handle = x->handle;

	zgi_exchange_fini(x);

	int result = zg_pool_give(&shard->exchanges, handle);

	zg_assert(result == 0);
	shard->connections[index].link = ZGI_CONNECTION_NONE;
}

static void connection_recv(struct zgi_shard *shard, uint32_t index)
{
	void *data;
	size_t size;

	zgi_exchange_recv_window(zgi_shard_exchange(shard, index), &data, &size);
	zg_assert(size > 0);
	zgi_io_recv(shard->io, index, data, size, connection_tag(shard, index));
}

/* A quiet connection keeps its exchange at the ready while exchanges are plenty. */
static bool connection_may_stay(const struct zgi_shard *shard)
{
	return shard->exchanges.free_count >= shard->hot_reserve && shard->waiting_count == 0 &&
	       !shard->is_draining;
}

static void connection_heat(struct zgi_shard *shard, uint32_t index)
{
	shard->connections[index].phase_timed = 0;
	connection_enter(shard, index, ZGI_CONNECTION_HOT, shard->times.hot);
	shard->hot_count++;
}

/* Nothing of a request is there. Stay unparked if that is right, else park. */
static void connection_settle(struct zgi_shard *shard, uint32_t index)
{
	if (!connection_may_stay(shard)) {
		connection_give(shard, index);
		connection_park(shard, index);
		return;
	}
	connection_heat(shard, index);
	connection_recv(shard, index);
}

/* A hand goes round the exchanges to find one that is only kept at the ready: near enough to the
 * longest quiet one, and a hot connection's way in and out costs no more than a counter. */
static void connection_cool_any(struct zgi_shard *shard)
{
	uint32_t count = shard->exchanges.block_count;

	for (uint32_t step = 0; step < count && shard->hot_count > 0; step++) {
		uint32_t number = shard->hot_hand;
		const struct zg_exchange *x = zgi_shard_exchange_at(shard, number);

		shard->hot_hand = number + 1 == count ? 0 : number + 1;
		if (zg_pool_is_taken(&shard->exchanges, number) &&
		    shard->connections[x->connection].state == ZGI_CONNECTION_HOT) {
			zgi_connection_cool(shard, x->connection);
			return;
		}
	}
}

static void connection_wait(struct zgi_shard *shard, uint32_t index)
{
	connection_enter(shard, index, ZGI_CONNECTION_WAITING, shard->times.exchange_wait);
	shard->connections[index].link = ZGI_CONNECTION_NONE;
	if (shard->waiting_count == 0)
		shard->waiting_head = index;
	else
		shard->connections[shard->waiting_tail].link = index;
	shard->waiting_tail = index;
	shard->waiting_count++;
	zgi_counter_add(&shard->counters.waited, 1);

	/* A connection that only keeps an exchange at the ready makes room. */
	connection_cool_any(shard);
}

static uint32_t connection_wait_pop(struct zgi_shard *shard)
{
	uint32_t index = shard->waiting_head;

	zg_assert(shard->waiting_count > 0);
	shard->waiting_head = shard->connections[index].link;
	shard->connections[index].link = ZGI_CONNECTION_NONE;
	shard->waiting_count--;
	return index;
}

static void connection_unpark(struct zgi_shard *shard, uint32_t index)
{
	/* Those who wait are served first. */
	if (shard->waiting_count > 0 || !connection_take(shard, index)) {
		connection_wait(shard, index);
		return;
	}
	zgi_counter_add(&shard->counters.unparked, 1);
	connection_enter(shard, index, ZGI_CONNECTION_RECEIVING, shard->times.header);
	connection_recv(shard, index);
}

void zgi_connection_serve_waiting(struct zgi_shard *shard)
{
	while (shard->waiting_count > 0 && shard->exchanges.free_count > 0) {
		uint32_t index = connection_wait_pop(shard);
		bool is_taken = connection_take(shard, index);

		zg_assert(is_taken);
		zgi_counter_add(&shard->counters.unparked, 1);
		connection_enter(shard, index, ZGI_CONNECTION_RECEIVING, shard->times.header);
		connection_recv(shard, index);
	}
}

static void connection_refuse(struct zgi_shard *shard, uint32_t index)
{
	zgi_counter_add(&shard->counters.refused, 1);
	connection_enter(shard, index, ZGI_CONNECTION_REFUSING, shard->times.write);
	zgi_io_send(shard->io, index, connection_refusal, sizeof(connection_refusal) - 1, false,
		    connection_tag(shard, index));
}

void zgi_connection_refuse_waiting(struct zgi_shard *shard)
{
	connection_refuse(shard, connection_wait_pop(shard));
}

/* Closing with unread bytes would reset the stream and take our last answer with it: end our side,
 * then read and throw away until the peer has ended its own (RFC 9112, section 9.6). */
static void connection_linger(struct zgi_shard *shard, uint32_t index)
{
	connection_enter(shard, index, ZGI_CONNECTION_SHUTTING, shard->times.linger);
	shard->connections[index].discarded = 0;
	zgi_io_shutdown(shard->io, index, connection_tag(shard, index));
}

static void connection_discard(struct zgi_shard *shard, uint32_t index)
{
	shard->connections[index].state = ZGI_CONNECTION_LINGERING;
	zgi_io_recv(shard->io, index, shard->discard, sizeof(shard->discard),
		    connection_tag(shard, index));
}

static void connection_abandon(struct zgi_shard *shard, uint32_t index)
{
	connection_give(shard, index);
	connection_close(shard, index);
}

static void connection_send(struct zgi_shard *shard, uint32_t index)
{
	const void *data;
	size_t size;
	bool has_more;

	zgi_exchange_send_window(zgi_shard_exchange(shard, index), &data, &size, &has_more);
	zg_assert(size > 0);
	connection_enter(shard, index, ZGI_CONNECTION_SENDING, shard->times.write);
	shard->connections[index].phase_timed = 0;
	zgi_io_send(shard->io, index, data, size, has_more, connection_tag(shard, index));
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
	zgi_io_send_recv(shard->io, index, &transfer, connection_tag(shard, index));
}

/* More of a request is wanted. Its time runs from its first byte, not from its latest. */
static void connection_receive_more(struct zgi_shard *shard, uint32_t index)
{
	struct zgi_connection *connection = &shard->connections[index];
	uint8_t phase = (uint8_t)(zgi_shard_exchange(shard, index)->phase + 1);

	if (connection->phase_timed != phase) {
		connection->phase_timed = phase;
		connection->deadline =
			shard->tick +
			(phase == ZGI_PHASE_HEAD + 1 ? shard->times.header : shard->times.body);
	}
	connection->state = ZGI_CONNECTION_RECEIVING;
	connection_recv(shard, index);
}

static void connection_run(struct zgi_shard *shard, uint32_t index)
{
	switch (zgi_exchange_run(zgi_shard_exchange(shard, index))) {
	case ZGI_WANT_RECV:
		connection_receive_more(shard, index);
		break;
	case ZGI_WANT_SEND:
		if (zgi_exchange_is_last(zgi_shard_exchange(shard, index)) &&
		    connection_may_stay(shard))
			connection_send_last(shard, index);
		else
			connection_send(shard, index);
		break;
	case ZGI_WANT_PENDING:
		connection_enter(shard, index, ZGI_CONNECTION_PENDING, shard->times.handler);
		break;
	case ZGI_WANT_IDLE:
		connection_settle(shard, index);
		break;
	case ZGI_WANT_CLOSE:
		connection_abandon(shard, index);
		break;
	case ZGI_WANT_LINGER:
		connection_give(shard, index);
		connection_linger(shard, index);
		break;
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

static void connection_received(struct zgi_shard *shard, uint32_t index, int32_t result)
{
	if (result <= 0) {
		/* The peer has gone, or has ended its side; what was whole has been answered. */
		connection_abandon(shard, index);
		return;
	}
	zgi_exchange_received(zgi_shard_exchange(shard, index), (size_t)result);
	connection_run(shard, index);
}

static void connection_sent(struct zgi_shard *shard, uint32_t index, int32_t result)
{
	if (result <= 0) {
		connection_abandon(shard, index);
		return;
	}
	zgi_exchange_sent(zgi_shard_exchange(shard, index), (size_t)result);
	connection_run(shard, index);
}

/* A receive was cancelled because the connection is quiet; data may have come first. */
static void connection_cooled(struct zgi_shard *shard, uint32_t index, int32_t result)
{
	if (result != -ECANCELED) {
		connection_received(shard, index, result);
		return;
	}
	connection_give(shard, index);
	connection_park(shard, index);
}

/* A receive was cancelled because the request takes too long. */
static void connection_late(struct zgi_shard *shard, uint32_t index, int32_t result)
{
	if (result <= 0 && result != -ECANCELED) {
		connection_abandon(shard, index);
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
		connection_abandon(shard, index);
		return;
	}
	if (result > 0)
		zgi_exchange_received(zgi_shard_exchange(shard, index), (size_t)result);
	connection_send(shard, index);
}

static void connection_discarded(struct zgi_shard *shard, uint32_t index, int32_t result)
{
	struct zgi_connection *connection = &shard->connections[index];

	if (result > 0)
		connection->discarded = (uint16_t)(connection->discarded + result / 1024 + 1);
	if (result <= 0 || connection->discarded > CONNECTION_DISCARD_KB_MAX)
		connection_close(shard, index);
	else
		connection_discard(shard, index);
}

void zgi_connection_accepted(struct zgi_shard *shard, uint32_t index)
{
	struct zgi_connection *connection = &shard->connections[index];

	zg_assert(index < shard->slot_count);
	zg_assert(connection->state == ZGI_CONNECTION_FREE);
	connection->generation++;
	connection->link = ZGI_CONNECTION_NONE;
	connection->phase_timed = 0;
	connection_enter(shard, index, ZGI_CONNECTION_PARKED, UINT32_MAX);
	shard->live_count++;
	zgi_counter_add(&shard->counters.accepted, 1);

	if (shard->live_count - shard->leaving_count > shard->connection_limit &&
	    !zgi_shard_evict(shard)) {
		connection_refuse(shard, index);
		return;
	}
	if (shard->exchanges.free_count > shard->hot_reserve && connection_take(shard, index))
		connection_settle(shard, index);
	else
		connection_park(shard, index);
}

void zgi_connection_done(struct zgi_shard *shard, uint64_t tag, int32_t result)
{
	uint32_t index = (uint32_t)tag;
	struct zgi_connection *connection = &shard->connections[index];

	zg_assert(index < shard->slot_count);
	zg_assert((connection->generation & CONNECTION_GENERATION_MASK) == tag >> 32);
	switch ((enum zgi_connection_state)connection->state) {
	case ZGI_CONNECTION_PARKED:
		if (result < 0 || (result & ZGI_IO_POLL_GONE) != 0)
			connection_close(shard, index);
		else
			connection_unpark(shard, index);
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
	case ZGI_CONNECTION_STALLED:
		connection_unstalled(shard, index, result);
		return;
	case ZGI_CONNECTION_REFUSING:
		if (result < 0)
			connection_close(shard, index);
		else
			connection_linger(shard, index);
		return;
	case ZGI_CONNECTION_SHUTTING:
		connection_discard(shard, index);
		return;
	case ZGI_CONNECTION_LINGERING:
		connection_discarded(shard, index, result);
		return;
	case ZGI_CONNECTION_CLOSING:
		if (connection->phase_timed == ZGI_CONNECTION_EVICTED)
			shard->leaving_count--;
		if (connection->link != ZGI_CONNECTION_NONE)
			connection_give(shard, index);
		connection_close(shard, index);
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

	zg_assert((connection->generation & CONNECTION_GENERATION_MASK) == tag >> 32);
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
	connection_enter(shard, index, ZGI_CONNECTION_STALLED, UINT32_MAX);
}

void zgi_connection_end(struct zgi_shard *shard, uint32_t index)
{
	struct zgi_connection *connection = &shard->connections[index];

	connection->phase_timed = 0;
	if (connection->state == ZGI_CONNECTION_HOT)
		shard->hot_count--;
	connection_cancel(shard, index, ZGI_CONNECTION_CLOSING);
}

void zgi_connection_evict(struct zgi_shard *shard, uint32_t index)
{
	zgi_connection_end(shard, index);
	shard->connections[index].phase_timed = ZGI_CONNECTION_EVICTED;
	shard->leaving_count++;
	zgi_counter_add(&shard->counters.evicted, 1);
}

void zgi_connection_cool(struct zgi_shard *shard, uint32_t index)
{
	zg_assert(shard->connections[index].state == ZGI_CONNECTION_HOT);
	shard->hot_count--;
	connection_cancel(shard, index, ZGI_CONNECTION_PARKING);
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
		zgi_connection_end(shard, index);
		return;
	case ZGI_CONNECTION_RECEIVING:
		zgi_counter_add(&shard->counters.timeouts_request, 1);
		connection_cancel(shard, index, ZGI_CONNECTION_LATE);
		return;
	case ZGI_CONNECTION_PENDING:
		zgi_counter_add(&shard->counters.timeouts_handler, 1);
		zgi_exchange_fail(zgi_shard_exchange(shard, index), 503,
				  "The service took too long to answer\n");
		connection_run(shard, index);
		return;
	case ZGI_CONNECTION_SENDING:
	case ZGI_CONNECTION_REFUSING:
		zgi_counter_add(&shard->counters.timeouts_write, 1);
		zgi_connection_end(shard, index);
		return;
	case ZGI_CONNECTION_SHUTTING:
	case ZGI_CONNECTION_LINGERING:
		zgi_connection_end(shard, index);
		return;
	case ZGI_CONNECTION_FREE:
	case ZGI_CONNECTION_WAITING: /* its queue is looked at by itself */
	case ZGI_CONNECTION_PARKING:
	case ZGI_CONNECTION_LATE:
	case ZGI_CONNECTION_STALLED:
	case ZGI_CONNECTION_CLOSING:
		return;
	}
}
