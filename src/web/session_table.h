/*
 * Session table: the places of all sessions, shared by the shards.
 *
 * Places are dealt out to stripes: each has a lock, a hash table, and its sessions in
 * order of use. A request locks one stripe, the one that its token names. Only who
 * starts a session while stripes are full looks at others, and never holds two locks.
 */
#ifndef ZEROG_WEB_SESSION_TABLE_H
#define ZEROG_WEB_SESSION_TABLE_H

#include <assert.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/layout.h>
#include <zerog/session.h>

#define ZGI_SESSION_ID_SIZE 16
#define ZGI_SESSION_NONE UINT32_MAX

/* What names a session: its stripe, which is no secret, and its id, which is. */
struct zgi_session_token {
	uint8_t stripe;
	uint8_t id[ZGI_SESSION_ID_SIZE];
};

/* A place. What lies in a free one is zero but for the link. */
struct zgi_session {
	uint8_t id[ZGI_SESSION_ID_SIZE];
	uint8_t csrf[ZGI_SESSION_ID_SIZE];
	uint64_t used_ms; /* when it was looked up last */
	uint64_t begun_ms; /* when it was started or rotated */
	uint32_t bucket_next; /* the next of its bucket, or of the free ones */
	uint32_t newer; /* in order of use */
	uint32_t older;
	uint32_t is_taken;
	unsigned char value[]; /* value_size bytes */
};

static_assert(sizeof(struct zgi_session) == ZG_LINE_SIZE, "what a lookup touches is one line");

/* Written under the stripe's lock, read by any thread. */
struct zgi_session_counters {
	uint64_t started;
	uint64_t ended; /* by the application */
	uint64_t expired; /* idle for too long, or too old */
	uint64_t evicted; /* to make room */
	uint64_t refused; /* starts that found no place */
	uint64_t rotated;
	uint64_t found;
	uint64_t missed; /* tokens that name no session (any more) */
};

struct zgi_session_stripe {
	alignas(ZG_LINE_SIZE) pthread_mutex_t lock;
	uint32_t *buckets; /* borrowed: bucket_mask + 1 first places */
	uint32_t bucket_mask;
	uint32_t free_first;
	uint32_t newest;
	uint32_t oldest;
	uint32_t live_count;
	struct zgi_session_counters counters;
};

struct zgi_session_table_options {
	uint32_t count; /* places, at least 1 */
	uint32_t value_size; /* bytes, 1 to ZG_SESSION_VALUE_SIZE_MAX */
	uint64_t idle_ms;
	uint64_t life_ms;
	uint64_t keep_ms;
};

struct zgi_session_table {
	struct zgi_session_stripe *stripes; /* borrowed */
	unsigned char *sessions; /* borrowed */
	size_t session_size; /* bytes of a place */
	uint32_t stripe_mask;
	struct zgi_session_table_options options;
};

/* How many stripes so many places are dealt out to, and how many buckets each of those has. */
uint32_t zgi_session_stripe_count(uint32_t count);
uint32_t zgi_session_bucket_count(uint32_t count);

/* Bytes of a place with its value. */
size_t zgi_session_size(uint32_t value_size);

/* Bytes of a table's memory, aligned to ZG_LINE_SIZE. */
size_t zgi_session_table_memory_size(const struct zgi_session_table_options *options);

/**
 * zgi_session_table_init() - a table without sessions
 * @table:    overwritten
 * @options:  copied
 * @memory:   borrowed until fini: zgi_session_table_memory_size() bytes, zeroed, aligned to
 *            ZG_LINE_SIZE
 */
void zgi_session_table_init(struct zgi_session_table *table,
			    const struct zgi_session_table_options *options, void *memory);

/* End a table; no thread is in it. Takes a zeroed one. */
void zgi_session_table_fini(struct zgi_session_table *table);

/**
 * zgi_session_table_start() - a new session with a zeroed value
 * @table:      initialised
 * @now_ms:     of a clock that never goes back
 * @ret_token:  untouched on failure
 *
 * Return: 0; -ENOMEM when every place is taken by one that was used within keep_ms. Any thread.
 */
ZG_MUST_USE int zgi_session_table_start(struct zgi_session_table *table, uint64_t now_ms,
					struct zgi_session_token *ret_token);

/**
 * zgi_session_table_visit() - look a session up, and have it for oneself meanwhile
 * @table:   initialised
 * @token:   any bytes
 * @now_ms:  as above
 * @visit:   called with its place, the lock held; NULL: nothing is done with it
 * @user:    passed to it
 *
 * Return: what @visit returned, or 0; -ENOENT. Any thread.
 */
typedef int zgi_session_visitor(struct zgi_session *session, void *user);
ZG_MUST_USE int zgi_session_table_visit(struct zgi_session_table *table,
					const struct zgi_session_token *token, uint64_t now_ms,
					zgi_session_visitor *visit, void *user);

/**
 * zgi_session_table_rotate() - another id for a session
 * @table:   initialised
 * @token:   any bytes; on success the new token
 * @now_ms:  as above
 *
 * Return: 0; -ENOENT. Any thread.
 */
ZG_MUST_USE int zgi_session_table_rotate(struct zgi_session_table *table,
					 struct zgi_session_token *token, uint64_t now_ms);

/* End a session. Return: 0; -ENOENT. Any thread. */
ZG_MUST_USE int zgi_session_table_end(struct zgi_session_table *table,
				      const struct zgi_session_token *token);

/* What was counted over all stripes, and how many sessions there are, those that have expired and
 * were not looked at since included. Any thread. */
void zgi_session_table_counts(const struct zgi_session_table *table,
			      struct zgi_session_counters *ret_counters, uint64_t *ret_live_count);

#endif
