/*
 * Lock striping was chosen over one owner of all sessions: there a lookup would be a
 * message to another shard and one back (5 us of processor time), and every handler
 * would have to wait; here it is a lock that is nearly always free (0.03 to 0.4 us).
 *
 * Ids are random, so their own bits serve as the hash: nobody can choose ids that share
 * a bucket. How long a lookup takes may tell whether a bucket is empty, which is worth
 * the few bits that number the bucket; ids are compared in constant time.
 */
#include "web/session_table.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "base/constant_time.h"
#include "base/counter.h"
#include "base/random.h"

#define TABLE_STRIPE_SESSIONS_MIN 64 /* places, before a second stripe is worth its lock */
#define TABLE_REAP_COUNT 2 /* expired sessions that each start clears away */

uint32_t zgi_session_stripe_count(uint32_t count)
{
	uint32_t stripes = 1;

	while (stripes < ZG_SESSION_STRIPES_MAX &&
	       count / (stripes * 2) >= TABLE_STRIPE_SESSIONS_MIN)
		stripes *= 2;
	return stripes;
}

/* The most places that a stripe may have; the first ones have one more where it does not divide. */
static uint32_t table_stripe_sessions(uint32_t count)
{
	uint32_t stripes = zgi_session_stripe_count(count);

	return (count + stripes - 1) / stripes;
}

uint32_t zgi_session_bucket_count(uint32_t count)
{
	uint32_t buckets = 1;

	while (buckets < table_stripe_sessions(count))
		buckets *= 2;
	return buckets;
}

size_t zgi_session_size(uint32_t value_size)
{
	return sizeof(struct zgi_session) +
	       (((size_t)value_size + ZG_LINE_SIZE - 1) & ~(size_t)(ZG_LINE_SIZE - 1));
}

static size_t table_buckets_size(uint32_t count)
{
	size_t size = (size_t)zgi_session_stripe_count(count) * zgi_session_bucket_count(count) *
		      sizeof(uint32_t);

	return (size + ZG_LINE_SIZE - 1) & ~(size_t)(ZG_LINE_SIZE - 1);
}

size_t zgi_session_table_memory_size(const struct zgi_session_table_options *options)
{
	return zgi_session_stripe_count(options->count) * sizeof(struct zgi_session_stripe) +
	       table_buckets_size(options->count) +
	       options->count * zgi_session_size(options->value_size);
}

static struct zgi_session *table_session(const struct zgi_session_table *table, uint32_t index)
{
	zg_assert(index < table->options.count);
	return (struct zgi_session *)(void *)(table->sessions + index * table->session_size);
}

static void table_free_push(struct zgi_session_table *table, struct zgi_session_stripe *stripe,
			    uint32_t index)
{
	table_session(table, index)->bucket_next = stripe->free_first;
	stripe->free_first = index;
}

static void table_stripe_init(struct zgi_session_stripe *stripe, uint32_t *buckets,
			      uint32_t bucket_count)
{
	pthread_mutexattr_t attributes;

	/* A visitor that comes back into its own stripe would wait for ever: it is told at once. */
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&stripe->lock, &attributes);
	pthread_mutexattr_destroy(&attributes);
	stripe->buckets = buckets;
	stripe->bucket_mask = bucket_count - 1;
	stripe->free_first = ZGI_SESSION_NONE;
	stripe->newest = ZGI_SESSION_NONE;
	stripe->oldest = ZGI_SESSION_NONE;
	for (uint32_t bucket = 0; bucket < bucket_count; bucket++)
		buckets[bucket] = ZGI_SESSION_NONE;
}

void zgi_session_table_init(struct zgi_session_table *table,
			    const struct zgi_session_table_options *options, void *memory)
{
	uint32_t stripe_count = zgi_session_stripe_count(options->count);
	uint32_t bucket_count = zgi_session_bucket_count(options->count);
	unsigned char *bytes = memory;
	uint32_t *buckets;

	zg_assert(options->count > 0 && options->value_size > 0);
	*table = (struct zgi_session_table){
		.stripes = memory,
		.session_size = zgi_session_size(options->value_size),
		.stripe_mask = stripe_count - 1,
		.options = *options,
	};
	bytes += stripe_count * sizeof(struct zgi_session_stripe);
	buckets = (uint32_t *)(void *)bytes;
	table->sessions = bytes + table_buckets_size(options->count);
	for (uint32_t index = 0; index < stripe_count; index++)
		table_stripe_init(&table->stripes[index], buckets + (size_t)index * bucket_count,
				  bucket_count);
	/* From the last, so that the first is taken first. */
	for (uint32_t index = options->count; index-- > 0;)
		table_free_push(table, &table->stripes[index & table->stripe_mask], index);
}

void zgi_session_table_fini(struct zgi_session_table *table)
{
	if (table->stripes == NULL)
		return;
	for (uint32_t index = 0; index <= table->stripe_mask; index++)
		pthread_mutex_destroy(&table->stripes[index].lock);
	*table = (struct zgi_session_table){0};
}

static void table_lock(struct zgi_session_stripe *stripe)
{
	int result = pthread_mutex_lock(&stripe->lock);

	zg_assert(result == 0);
}

static void table_unlock(struct zgi_session_stripe *stripe)
{
	int result = pthread_mutex_unlock(&stripe->lock);

	zg_assert(result == 0);
}

static uint32_t *table_bucket(struct zgi_session_stripe *stripe,
			      const uint8_t id[ZGI_SESSION_ID_SIZE])
{
	uint32_t hash;

	memcpy(&hash, id, sizeof(hash));
	return &stripe->buckets[hash & stripe->bucket_mask];
}

/* The link that leads to a session; to NONE when there is none. */
static uint32_t *table_find(struct zgi_session_table *table, struct zgi_session_stripe *stripe,
			    const uint8_t id[ZGI_SESSION_ID_SIZE])
{
	uint32_t *link = table_bucket(stripe, id);

	while (*link != ZGI_SESSION_NONE) {
		struct zgi_session *session = table_session(table, *link);

		if (zgi_equal_constant_time(session->id, id, ZGI_SESSION_ID_SIZE))
			break;
		link = &session->bucket_next;
	}
	return link;
}

static void table_order_remove(struct zgi_session_table *table, struct zgi_session_stripe *stripe,
			       const struct zgi_session *session)
{
	if (session->newer != ZGI_SESSION_NONE)
		table_session(table, session->newer)->older = session->older;
	else
		stripe->newest = session->older;
	if (session->older != ZGI_SESSION_NONE)
		table_session(table, session->older)->newer = session->newer;
	else
		stripe->oldest = session->newer;
}

static void table_order_add(struct zgi_session_table *table, struct zgi_session_stripe *stripe,
			    uint32_t index)
{
	struct zgi_session *session = table_session(table, index);

	session->newer = ZGI_SESSION_NONE;
	session->older = stripe->newest;
	if (stripe->newest != ZGI_SESSION_NONE)
		table_session(table, stripe->newest)->newer = index;
	else
		stripe->oldest = index;
	stripe->newest = index;
}

/* The session that a link leads to is no more, and nothing of it is left to be read. */
static void table_remove(struct zgi_session_table *table, struct zgi_session_stripe *stripe,
			 uint32_t *link)
{
	uint32_t index = *link;
	struct zgi_session *session = table_session(table, index);

	zg_assert(session->is_taken == 1);
	*link = session->bucket_next;
	table_order_remove(table, stripe, session);
	explicit_bzero(session, table->session_size);
	table_free_push(table, stripe, index);
	zgi_gauge_set(&stripe->live_count, stripe->live_count - 1);
}

/* Time runs on while a lock is waited for: another thread may have used a session "later". */
static uint64_t table_age_ms(uint64_t now_ms, uint64_t then_ms)
{
	return now_ms > then_ms ? now_ms - then_ms : 0;
}

static bool table_has_expired(const struct zgi_session_table *table,
			      const struct zgi_session *session, uint64_t now_ms)
{
	return table_age_ms(now_ms, session->used_ms) > table->options.idle_ms ||
	       table_age_ms(now_ms, session->begun_ms) > table->options.life_ms;
}

static void table_remove_oldest(struct zgi_session_table *table, struct zgi_session_stripe *stripe)
{
	struct zgi_session *oldest = table_session(table, stripe->oldest);
	uint32_t *link = table_find(table, stripe, oldest->id);

	zg_assert(*link == stripe->oldest);
	table_remove(table, stripe, link);
}

static void table_reap(struct zgi_session_table *table, struct zgi_session_stripe *stripe,
		       uint64_t now_ms)
{
	for (uint32_t count = 0; count < TABLE_REAP_COUNT; count++) {
		if (stripe->oldest == ZGI_SESSION_NONE ||
		    !table_has_expired(table, table_session(table, stripe->oldest), now_ms))
			return;
		table_remove_oldest(table, stripe);
		zgi_counter_add(&stripe->counters.expired, 1);
	}
}

/* What the kernel is asked for once for each session, outside of every lock. */
struct table_fresh {
	uint8_t id[ZGI_SESSION_ID_SIZE];
	uint8_t csrf[ZGI_SESSION_ID_SIZE];
	uint32_t stripe; /* where to begin to look for a place */
};

/* Give a free place to a session with this id. */
static void table_place(struct zgi_session_table *table, struct zgi_session_stripe *stripe,
			const struct table_fresh *fresh, uint64_t now_ms)
{
	uint32_t index = stripe->free_first;
	struct zgi_session *session = table_session(table, index);
	uint32_t *bucket = table_bucket(stripe, fresh->id);

	zg_assert(session->is_taken == 0);
	stripe->free_first = session->bucket_next;
	memcpy(session->id, fresh->id, sizeof(session->id));
	memcpy(session->csrf, fresh->csrf, sizeof(session->csrf));
	session->used_ms = now_ms;
	session->begun_ms = now_ms;
	session->is_taken = 1;
	session->bucket_next = *bucket;
	*bucket = index;
	table_order_add(table, stripe, index);
	zgi_gauge_set(&stripe->live_count, stripe->live_count + 1);
	zgi_counter_add(&stripe->counters.started, 1);
}

/* The stripe whose oldest session was idle for longer than that of any other, so far. */
struct table_victim {
	uint32_t stripe;
	uint64_t used_ms;
};

/* Look for a free place in a stripe. Return: true when the new session has it. */
static bool table_try(struct zgi_session_table *table, uint32_t index,
		      const struct table_fresh *fresh, uint64_t now_ms, struct table_victim *victim)
{
	struct zgi_session_stripe *stripe = &table->stripes[index];
	bool is_free;

	table_lock(stripe);
	table_reap(table, stripe, now_ms);
	is_free = stripe->free_first != ZGI_SESSION_NONE;
	if (is_free) {
		table_place(table, stripe, fresh, now_ms);
	} else if (table_session(table, stripe->oldest)->used_ms < victim->used_ms) {
		victim->used_ms = table_session(table, stripe->oldest)->used_ms;
		victim->stripe = index;
	}
	table_unlock(stripe);
	return is_free;
}

/* All places are taken: the oldest of this stripe makes room, if it has been idle for long enough.
 */
static int table_evict(struct zgi_session_table *table, uint32_t index,
		       const struct table_fresh *fresh, uint64_t now_ms)
{
	struct zgi_session_stripe *stripe = &table->stripes[index];
	int result = 0;

	table_lock(stripe);
	/* Somebody may have ended one since we looked. */
	if (stripe->free_first == ZGI_SESSION_NONE) {
		uint64_t used_ms = table_session(table, stripe->oldest)->used_ms;

		if (table_age_ms(now_ms, used_ms) >= table->options.keep_ms) {
			table_remove_oldest(table, stripe);
			zgi_counter_add(&stripe->counters.evicted, 1);
		} else {
			zgi_counter_add(&stripe->counters.refused, 1);
			result = -ENOMEM;
		}
	}
	if (result == 0)
		table_place(table, stripe, fresh, now_ms);
	table_unlock(stripe);
	return result;
}

int zgi_session_table_start(struct zgi_session_table *table, uint64_t now_ms,
			    struct zgi_session_token *ret_token)
{
	struct table_victim victim = {.used_ms = UINT64_MAX};
	struct table_fresh fresh;
	bool is_placed = false;
	uint32_t stripe = 0;
	int result = 0;

	zgi_random_fill(&fresh, sizeof(fresh));
	for (uint32_t index = 0; index <= table->stripe_mask && !is_placed; index++) {
		stripe = (fresh.stripe + index) & table->stripe_mask;
		is_placed = table_try(table, stripe, &fresh, now_ms, &victim);
	}
	if (!is_placed) {
		stripe = victim.stripe;
		result = table_evict(table, stripe, &fresh, now_ms);
	}
	if (result < 0)
		return result;
	ret_token->stripe = (uint8_t)stripe;
	memcpy(ret_token->id, fresh.id, sizeof(fresh.id));
	return 0;
}

/* The link to a live session, whose use is noted; or NULL. The stripe is locked. */
static uint32_t *table_use(struct zgi_session_table *table, struct zgi_session_stripe *stripe,
			   const struct zgi_session_token *token, uint64_t now_ms)
{
	uint32_t *link = table_find(table, stripe, token->id);
	struct zgi_session *session;

	if (*link != ZGI_SESSION_NONE &&
	    table_has_expired(table, table_session(table, *link), now_ms)) {
		table_remove(table, stripe, link);
		zgi_counter_add(&stripe->counters.expired, 1);
		link = NULL;
	}
	if (link == NULL || *link == ZGI_SESSION_NONE) {
		zgi_counter_add(&stripe->counters.missed, 1);
		return NULL;
	}
	zgi_counter_add(&stripe->counters.found, 1);
	session = table_session(table, *link);
	if (now_ms > session->used_ms)
		session->used_ms = now_ms;
	if (stripe->newest != *link) {
		table_order_remove(table, stripe, session);
		table_order_add(table, stripe, *link);
	}
	return link;
}

int zgi_session_table_visit(struct zgi_session_table *table, const struct zgi_session_token *token,
			    uint64_t now_ms, zgi_session_visitor *visit, void *user)
{
	struct zgi_session_stripe *stripe;
	const uint32_t *link;
	int result = -ENOENT;

	if (token->stripe > table->stripe_mask)
		return -ENOENT;
	stripe = &table->stripes[token->stripe];
	table_lock(stripe);
	link = table_use(table, stripe, token, now_ms);
	if (link != NULL)
		result = visit != NULL ? visit(table_session(table, *link), user) : 0;
	table_unlock(stripe);
	return result;
}

/* Give the session that a link leads to another id and another token. */
static void table_rename(struct zgi_session_table *table, struct zgi_session_stripe *stripe,
			 uint32_t *link, const struct table_fresh *fresh)
{
	uint32_t index = *link;
	struct zgi_session *session = table_session(table, index);
	uint32_t *bucket;

	*link = session->bucket_next;
	bucket = table_bucket(stripe, fresh->id);
	memcpy(session->id, fresh->id, sizeof(session->id));
	memcpy(session->csrf, fresh->csrf, sizeof(session->csrf));
	session->bucket_next = *bucket;
	*bucket = index;
}

int zgi_session_table_rotate(struct zgi_session_table *table, struct zgi_session_token *token,
			     uint64_t now_ms)
{
	struct zgi_session_stripe *stripe;
	struct table_fresh fresh;
	uint32_t *link;

	if (token->stripe > table->stripe_mask)
		return -ENOENT;
	stripe = &table->stripes[token->stripe];
	zgi_random_fill(&fresh, sizeof(fresh));
	table_lock(stripe);
	link = table_use(table, stripe, token, now_ms);
	if (link != NULL) {
		table_session(table, *link)->begun_ms = now_ms;
		table_rename(table, stripe, link, &fresh);
		zgi_counter_add(&stripe->counters.rotated, 1);
	}
	table_unlock(stripe);
	if (link == NULL)
		return -ENOENT;
	memcpy(token->id, fresh.id, sizeof(fresh.id));
	return 0;
}

int zgi_session_table_end(struct zgi_session_table *table, const struct zgi_session_token *token)
{
	struct zgi_session_stripe *stripe;
	uint32_t *link;
	bool is_found;

	if (token->stripe > table->stripe_mask)
		return -ENOENT;
	stripe = &table->stripes[token->stripe];
	table_lock(stripe);
	link = table_find(table, stripe, token->id);
	is_found = *link != ZGI_SESSION_NONE;
	if (is_found) {
		table_remove(table, stripe, link);
		zgi_counter_add(&stripe->counters.ended, 1);
	}
	table_unlock(stripe);
	return is_found ? 0 : -ENOENT;
}

void zgi_session_table_counts(const struct zgi_session_table *table,
			      struct zgi_session_counters *ret_counters, uint64_t *ret_live_count)
{
	*ret_counters = (struct zgi_session_counters){0};
	*ret_live_count = 0;
	if (table->stripes == NULL)
		return;
	for (uint32_t index = 0; index <= table->stripe_mask; index++) {
		const struct zgi_session_stripe *stripe = &table->stripes[index];

		*ret_live_count += zgi_gauge_read(&stripe->live_count);
		ret_counters->started += zgi_counter_read(&stripe->counters.started);
		ret_counters->ended += zgi_counter_read(&stripe->counters.ended);
		ret_counters->expired += zgi_counter_read(&stripe->counters.expired);
		ret_counters->evicted += zgi_counter_read(&stripe->counters.evicted);
		ret_counters->refused += zgi_counter_read(&stripe->counters.refused);
		ret_counters->rotated += zgi_counter_read(&stripe->counters.rotated);
		ret_counters->found += zgi_counter_read(&stripe->counters.found);
		ret_counters->missed += zgi_counter_read(&stripe->counters.missed);
	}
}
