/*
 * SSE: server-sent events. What is published to a topic reaches every subscriber of
 * it, whichever shard that one is on.
 *
 *	static struct zg_topic prices;
 *
 *	static int watch(struct zg_exchange *x)
 *	{
 *		return zg_sse_start(x, &prices);
 *	}
 *
 *	zg_topic_init(&prices, &app, &(struct zg_topic_options){.name = "prices"});
 *	zg_get(&app, "/prices", watch);
 *
 *	(void)!zg_sse_publish(&prices, ZG_SLICE("price"), ZG_SLICE("{\"id\": 7, \"cents\": 499}"));
 *
 * A subscriber holds no exchange: once its reply's head is sent it is a connection and a
 * block of about --event-size-max bytes. Each topic keeps its last --topic-events events,
 * each with an id, so that a client that was cut off and says which it saw last
 * (Last-Event-ID) gets those that it missed. Whoever is too slow skips what has left the
 * ring, and is told so in a comment; whoever does not take a send within
 * --write-timeout-ms is dropped. In silence a comment is sent every --event-heartbeat-ms.
 *
 * Ownership  Topics are the caller's memory, for the app's life. What is published is copied.
 * Threads    zg_sse_publish() may be called by any; it takes the topic's lock for a copy.
 * Limits     ZG_TOPICS_MAX topics, --subscribers over all shards, --topic-events a topic,
 *            --event-size-max bytes an event.
 */
#ifndef ZEROG_SSE_H
#define ZEROG_SSE_H

#include <pthread.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/exchange.h>
#include <zerog/slice.h>

ZG_BEGIN_DECLS

struct zg_app;

#define ZG_TOPICS_MAX 16

struct zg_topic_options {
	const char *name; /* borrowed for the app's life; stands in messages */
	uint32_t retry_ms; /* how long a client shall wait before it connects again; 0: its own way
			    */
	uint32_t replay_count; /* a new subscriber gets so many of the latest events first */
};

struct zg_topic {
	unsigned int magic;
	struct zg_topic_options options;
	pthread_mutex_t mutex; /* of all that follows */
	uint64_t published; /* the latest event's number; the first is 1 */
	unsigned char *slots; /* lent by the server while it runs */
	uint32_t slot_count;
	uint32_t slot_size; /* bytes */
	uint32_t event_size_max; /* bytes */
	uint32_t subscriber_count; /* read by any thread */
	uint32_t epoch; /* part of each id: ids of an earlier run mean nothing */
};

/**
 * zg_topic_init() - a topic that has no events yet
 * @topic:    the caller's; overwritten
 * @app:      initialised; the topic's ring is planned and reserved with it
 * @options:  copied
 *
 * Before zg_app_main(), which refuses to start when there are more than ZG_TOPICS_MAX.
 */
void zg_topic_init(struct zg_topic *topic, struct zg_app *app,
		   const struct zg_topic_options *options);

/**
 * zg_sse_start() - make this exchange's connection a subscriber
 * @x:      the handler's, not yet replied
 * @topic:  initialised
 *
 * It replies: with 200, text/event-stream, and the end of the connection as the end of the stream;
 * or with 503 and Retry-After when all --subscribers are taken. zg_reply_field() may come before
 * it. What the client sends after its request ends the stream.
 *
 * Return: as zg_reply().
 */
ZG_MUST_USE int zg_sse_start(struct zg_exchange *x, struct zg_topic *topic);

/**
 * zg_sse_publish() - send an event to all subscribers of a topic
 * @topic:  initialised
 * @event:  its name, one line; empty for none, which browsers call "message"
 * @data:   UTF-8, any number of lines; copied
 *
 * Return: 0; -EINVAL for a name of several lines; -EMSGSIZE when the event, with its id and the
 * names of its lines, is larger than --event-size-max; -ESTALE when no server runs. Any thread.
 * Source: WHATWG HTML, section 9.2.
 */
ZG_MUST_USE int zg_sse_publish(struct zg_topic *topic, struct zg_slice event, struct zg_slice data);

ZG_END_DECLS

#endif
