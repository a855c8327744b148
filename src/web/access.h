/*
 * Access ring: what a shard has answered, on its way to the log's one writer.
 *
 * One thread puts records in, one takes them out; neither ever waits for the other.
 * A record that finds no room is dropped and counted: a slow disk costs lines of the
 * log, never a request's time.
 */
#ifndef ZEROG_WEB_ACCESS_H
#define ZEROG_WEB_ACCESS_H

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/exchange.h>
#include <zerog/layout.h>

#define ZGI_ACCESS_PATH_SIZE 224
#define ZGI_ACCESS_SIZE_UNKNOWN UINT64_MAX /* a body that is made in pieces */

/* One request. Of what the client sent there is the path alone: no query, no field and no body, for
 * they hold what is nobody's business. */
struct zgi_access_record {
	uint64_t time_ns; /* CLOCK_REALTIME: when it was answered */
	uint64_t duration_ns; /* from its head's end to its reply; 0 when it was not understood */
	uint64_t size; /* bytes of the reply's body, or ZGI_ACCESS_SIZE_UNKNOWN */
	uint16_t status;
	uint8_t method; /* enum zg_method; ZG_METHOD_COUNT when it was not understood */
	uint8_t minor_version;
	uint8_t is_cut; /* the path was longer */
	uint8_t path_size;
	char path[ZGI_ACCESS_PATH_SIZE + 2];
};

static_assert(sizeof(struct zgi_access_record) == 256, "whole lines, and a power of two");

struct zgi_access_ring {
	struct zgi_access_record *records; /* borrowed */
	uint64_t mask;
	zg_hot(shard);
	alignas(ZG_LINE_SIZE) uint64_t put_position;
	uint64_t take_position_seen; /* the shard's last look at the other side */
	uint64_t dropped; /* records that found no room */
	zg_hot(writer);
	alignas(ZG_LINE_SIZE) uint64_t take_position;
};

ZG_LINES_APART(struct zgi_access_ring, mask, put_position);
ZG_LINES_APART(struct zgi_access_ring, dropped, take_position);

/* Records of a ring for at least so many: a power of two. */
uint64_t zgi_access_record_count(uint64_t count);

/* The records are the caller's memory; record_count as from zgi_access_record_count(). */
void zgi_access_ring_init(struct zgi_access_ring *ring, struct zgi_access_record *records,
			  uint64_t record_count);

/* A place for the next record, or NULL when there is no room, which is counted. The shard's thread;
 * zgi_access_ring_publish() follows. */
struct zgi_access_record *zgi_access_ring_reserve(struct zgi_access_ring *ring);
void zgi_access_ring_publish(struct zgi_access_ring *ring);

/* The oldest record, or NULL; it is the writer's until zgi_access_ring_taken(). */
const struct zgi_access_record *zgi_access_ring_oldest(struct zgi_access_ring *ring);
void zgi_access_ring_taken(struct zgi_access_ring *ring);

/**
 * zgi_access_note() - put a request that has been answered into its shard's ring
 * @x:            replied; its web has a ring
 * @size:         bytes of the reply's body, or ZGI_ACCESS_SIZE_UNKNOWN
 * @duration_ns:  0 when the request was not understood: then nothing is read from it
 *
 * The shard's thread.
 */
void zgi_access_note(struct zg_exchange *x, uint64_t size, uint64_t duration_ns);

#endif
