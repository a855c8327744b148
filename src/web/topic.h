/*
 * Topic: a ring of rendered events, written by any thread and read by the shards.
 */
#ifndef ZEROG_WEB_TOPIC_H
#define ZEROG_WEB_TOPIC_H

#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/slice.h>
#include <zerog/sse.h>

/* Bytes of the rings of so many topics. */
uint64_t zgi_topics_size(uint32_t topic_count, uint32_t event_count, uint32_t event_size_max);

/* Where the rings lie. */
struct zgi_topics_room {
	unsigned char *memory; /* zgi_topics_size() bytes, aligned to 64 */
	uint32_t event_count; /* a topic */
	uint32_t event_size_max; /* bytes */
	uint32_t epoch;
};

/* Lend the topics that were initialised their rings; boot only. */
void zgi_topics_open(const struct zgi_topics_room *room);

/* Take the rings back: publishing fails from now on. */
void zgi_topics_close(void);

/* Render an event into the ring. Return: as zg_sse_publish(). Any thread. */
ZG_MUST_USE int zgi_topic_publish(struct zg_topic *topic, struct zg_slice event,
				  struct zg_slice data);

/* The latest event's number. */
uint64_t zgi_topic_published(struct zg_topic *topic);

/**
 * zgi_topic_first() - the number of the event that a new subscriber is sent first
 * @topic:    opened
 * @last_id:  Last-Event-ID; empty when there is none
 *
 * Return: what follows that event, when it is of this run; all that there is when it is of an
 * earlier one; else the replay_count latest. May be one that is not published yet.
 */
uint64_t zgi_topic_first(struct zg_topic *topic, struct zg_slice last_id);

/* What a subscriber reads. */
struct zgi_topic_read {
	uint64_t next; /* in and out: the number of the next event it wants */
	uint64_t skipped; /* out: events that have left the ring before they were read */
	uint64_t count; /* out: events read */
	size_t size; /* out: bytes of them */
};

/**
 * zgi_topic_read() - copy the next events, as many as there are and as fit, whole
 * @topic:   opened
 * @buffer:  of so many bytes, at least --event-size-max
 * @size:    its size
 * @read:    changed
 */
void zgi_topic_read(struct zg_topic *topic, char *buffer, size_t size, struct zgi_topic_read *read);

#endif
