/*
 * A quiet subscriber has a poll in flight, which tells when its client goes away. News
 * cancels the poll, because there is one operation a descriptor; what is published
 * until the cancellation has completed goes out in the same send.
 */

#include "server/subscriber.h"

#include <errno.h>
#include <inttypes.h>

#include "base/counter.h"
#include "server/resume.h"
#include "server/server.h"
#include "server/steps.h"
#include "web/topic.h"

#define SUBSCRIBER_COMMENT_SIZE 64 /* bytes: ": skipped N", or a heartbeat */

struct subscriber {
	zg_handle handle;
	struct zg_topic *topic; /* borrowed */
	uint64_t next; /* the number of the event that it is sent next */
	uint32_t connection;
	uint32_t size; /* bytes in the buffer */
	uint32_t sent; /* of those */
	bool is_heartbeat_due;
	char buffer[]; /* an event of the largest size, and a comment */
};

size_t zgi_subscriber_size(uint32_t event_size_max)
{
	return sizeof(struct subscriber) + event_size_max + SUBSCRIBER_COMMENT_SIZE;
}

static struct subscriber *subscriber_at(struct zgi_shard *shard, uint32_t number)
{
	zg_assert(number < shard->subscribers.block_count);
	return (struct subscriber *)(void *)(shard->subscribers.blocks +
					     (size_t)number * shard->subscribers.block_size);
}

/* The subscriber of a connection that is one. */
static struct subscriber *subscriber_of(struct zgi_shard *shard, uint32_t index)
{
	uint32_t link = shard->connections[index].link;

	zg_assert(link != ZGI_CONNECTION_NONE && (link & ZGI_CONNECTION_SUBSCRIBER));
	return subscriber_at(shard, link & ~ZGI_CONNECTION_SUBSCRIBER);
}

void zgi_subscriber_give(struct zgi_shard *shard, uint32_t number)
{
	struct subscriber *subscriber = subscriber_at(shard, number);
	int result;

	__atomic_fetch_sub(&subscriber->topic->subscriber_count, 1, __ATOMIC_RELAXED);
	result = zg_pool_give(&shard->subscribers, subscriber->handle);
	zg_assert(result == 0);
}

/* What is to be sent next, into the buffer; it stays empty when there is nothing. */
static void subscriber_fill(struct zgi_shard *shard, struct subscriber *subscriber)
{
	struct zgi_topic_read read = {.next = subscriber->next};
	char *events = subscriber->buffer + SUBSCRIBER_COMMENT_SIZE;
	struct zg_text comment;

	zg_text_init(&comment, subscriber->buffer, SUBSCRIBER_COMMENT_SIZE);
	zgi_topic_read(subscriber->topic, events, subscriber->topic->event_size_max, &read);
	subscriber->next = read.next;
	if (read.skipped > 0)
		zg_text_print(&comment, ": skipped %" PRIu64 "\n\n", read.skipped);
	else if (read.size == 0 && subscriber->is_heartbeat_due)
		zg_text_append(&comment, ZG_SLICE(":\n\n"));
	zgi_counter_add(&shard->counters.heartbeats,
			read.size == 0 && subscriber->is_heartbeat_due);
	zgi_counter_add(&shard->counters.events_sent, read.count);
	zgi_counter_add(&shard->counters.events_skipped, read.skipped);
	memmove(subscriber->buffer + comment.size, events, read.size);
	subscriber->size = (uint32_t)(comment.size + read.size);
	subscriber->sent = 0;
	subscriber->is_heartbeat_due = false;
}

static void subscriber_send(struct zgi_shard *shard, uint32_t index)
{
	struct subscriber *subscriber = subscriber_of(shard, index);

	zgi_io_send(shard->io, index, subscriber->buffer + subscriber->sent,
		    subscriber->size - subscriber->sent, false, zgi_connection_tag(shard, index));
}

/* Nothing is in flight: send what there is, else wait for news or the client's end. */
static void subscriber_go_on(struct zgi_shard *shard, uint32_t index)
{
	struct subscriber *subscriber = subscriber_of(shard, index);

	subscriber_fill(shard, subscriber);
	if (subscriber->size > 0) {
		zgi_connection_enter(shard, index, ZGI_CONNECTION_TELLING, shard->times.write);
		subscriber_send(shard, index);
		return;
	}
	if (shard->is_draining) {
		zgi_connection_abandon(shard, index, ZG_DISCONNECT_DRAINED);
		return;
	}
	zgi_connection_enter(shard, index, ZGI_CONNECTION_SUBSCRIBED, shard->times.heartbeat);
	zgi_io_poll(shard->io, index, zgi_connection_tag(shard, index));
}

void zgi_subscriber_begin(struct zgi_shard *shard, uint32_t index)
{
	struct zg_exchange *x = zgi_shard_exchange(shard, index);
	uint32_t number = x->hand_over - 1;

	zg_assert(x->hand_over != 0);
	x->hand_over = 0;
	zgi_connection_give(shard, index);
	shard->connections[index].link = number | ZGI_CONNECTION_SUBSCRIBER;
	shard->connections[index].phase_timed = 0;
	subscriber_of(shard, index)->connection = index;
	zgi_counter_add(&shard->counters.subscribed, 1);
	subscriber_go_on(shard, index);
}

static void subscriber_told(struct zgi_shard *shard, uint32_t index, int32_t result)
{
	struct subscriber *subscriber = subscriber_of(shard, index);

	if (result <= 0) {
		zgi_connection_abandon(shard, index, ZG_DISCONNECT_ERROR);
		return;
	}
	subscriber->sent += (uint32_t)result;
	zg_assert(subscriber->sent <= subscriber->size);
	if (subscriber->sent < subscriber->size)
		subscriber_send(shard, index);
	else
		subscriber_go_on(shard, index);
}

void zgi_subscriber_done(struct zgi_shard *shard, uint32_t index, int32_t result)
{
	switch (shard->connections[index].state) {
	case ZGI_CONNECTION_TELLING:
		subscriber_told(shard, index, result);
		return;
	case ZGI_CONNECTION_ROUSING:
		if (result == -ECANCELED) {
			subscriber_go_on(shard, index);
			return;
		}
		break;
	default:
		break;
	}
	/* Readable: its client has gone, or says what nobody will read. */
	zgi_connection_abandon(shard, index, zgi_connection_poll_lost(result));
}

void zgi_subscriber_timed_out(struct zgi_shard *shard, uint32_t index)
{
	if (shard->connections[index].state == ZGI_CONNECTION_TELLING) {
		zgi_counter_add(&shard->counters.timeouts_write, 1);
		zgi_counter_add(&shard->counters.subscribers_dropped, 1);
		zgi_connection_end(shard, index, ZG_DISCONNECT_UNREAD);
		return;
	}
	subscriber_of(shard, index)->is_heartbeat_due = true;
	zgi_connection_cancel(shard, index, ZGI_CONNECTION_ROUSING);
}

void zgi_subscribers_tell(struct zgi_shard *shard)
{
	struct zg_topic *topic = NULL;
	uint64_t published = 0;

	if (__atomic_load_n(&shard->has_news, __ATOMIC_RELAXED) == 0 ||
	    __atomic_exchange_n(&shard->has_news, 0, __ATOMIC_ACQ_REL) == 0)
		return;
	for (uint32_t number = 0; number < shard->subscribers.block_count; number++) {
		struct subscriber *subscriber = subscriber_at(shard, number);

		if (!zg_pool_is_taken(&shard->subscribers, number) ||
		    subscriber->connection == ZGI_CONNECTION_NONE ||
		    shard->connections[subscriber->connection].state != ZGI_CONNECTION_SUBSCRIBED)
			continue;
		if (subscriber->topic != topic) {
			topic = subscriber->topic;
			published = zgi_topic_published(topic);
		}
		if (subscriber->next <= published)
			zgi_connection_cancel(shard, subscriber->connection,
					      ZGI_CONNECTION_ROUSING);
	}
}

static int subscriber_refuse(struct zgi_shard *shard, struct zg_exchange *x)
{
	int result = zg_reply_field(x, ZG_SLICE("Retry-After"), ZG_SLICE("1"));

	zgi_counter_add(&shard->counters.subscribers_refused, 1);
	return result < 0 ? result : zg_reply_text(x, 503, "Too many subscribers\n");
}

/* The head, and behind it how soon the client shall come again. */
static int subscriber_reply(struct zg_exchange *x, const struct zg_topic *topic)
{
	char buffer[32];
	struct zg_text text;
	int result = zg_reply_field(x, ZG_SLICE("Cache-Control"), ZG_SLICE("no-cache"));

	if (result == 0)
		result = zgi_exchange_reply_head(x, 200, ZG_SLICE("text/event-stream"),
						 ZGI_EXCHANGE_SIZE_TO_THE_END);
	if (result < 0 || x->request.method == ZG_METHOD_HEAD || topic->options.retry_ms == 0)
		return result;
	zg_text_init(&text, buffer, sizeof(buffer));
	zg_text_print(&text, "retry: %" PRIu32 "\n\n", topic->options.retry_ms);
	if (text.size <= x->web->write_buffer_size - x->write_size) {
		memcpy(x->write_buffer + x->write_size, text.data, text.size);
		x->write_size += (uint32_t)text.size;
	}
	return 0;
}

int zg_sse_start(struct zg_exchange *x, struct zg_topic *topic)
{
	struct zgi_shard *shard = x->web->shard;
	struct zg_slice last_id = {NULL, 0};
	struct subscriber *subscriber;
	zg_handle handle;
	void *block;
	int result;

	if (x->has_replied)
		return -EALREADY;
	if (x->request.method == ZG_METHOD_HEAD)
		return subscriber_reply(x, topic);
	zg_assert(x->hand_over == 0);
	if (zg_pool_take(&shard->subscribers, &handle, &block) < 0)
		return subscriber_refuse(shard, x);
	(void)!zg_request_field(x, ZG_SLICE("Last-Event-ID"), &last_id);
	subscriber = block;
	*subscriber = (struct subscriber){
		.handle = handle,
		.topic = topic,
		.next = zgi_topic_first(topic, last_id),
		.connection = ZGI_CONNECTION_NONE,
	};
	result = subscriber_reply(x, topic);
	if (result < 0) {
		(void)!zg_pool_give(&shard->subscribers, handle);
		return result;
	}
	__atomic_fetch_add(&topic->subscriber_count, 1, __ATOMIC_RELAXED);
	x->hand_over = (uint32_t)(((unsigned char *)block - shard->subscribers.blocks) /
				  (ptrdiff_t)shard->subscribers.block_size) +
		       1;
	x->is_handed_over = true;
	return 0;
}

int zg_sse_publish(struct zg_topic *topic, struct zg_slice event, struct zg_slice data)
{
	struct zgi_server *server = zgi_resume_enter();
	int result = server != NULL ? zgi_topic_publish(topic, event, data) : -ESTALE;

	for (uint32_t index = 0; result == 0 && index < server->config.shard_count; index++) {
		struct zgi_shard *shard = server->shards[index];

		/* Who subscribes after this look finds the event in the ring. */
		if (zgi_gauge_read(&shard->subscribers.free_count) ==
		    shard->subscribers.block_count)
			continue;
		if (__atomic_exchange_n(&shard->has_news, 1, __ATOMIC_ACQ_REL) == 0)
			zgi_io_wake(shard->io);
	}
	zgi_resume_leave();
	return result;
}
