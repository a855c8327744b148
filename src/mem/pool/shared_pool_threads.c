/*
 * Which thread has which cache of a shared pool.
 *
 * Each thread's caches, one of each pool, are a list, whose head is the value of one
 * thread key for all pools: the key's destructor gives them back when the thread ends.
 * A key for each pool would soon use up those that need no memory: glibc keeps the
 * first 32 in the thread itself and calls calloc for more.
 *
 * A cache stays as it is between its threads, hints and counters included. So giving
 * it back loses nothing, and takes no more than a store; filled magazines alone are
 * put into the depot, where others find them without stealing.
 */
#include <zerog/shared_pool.h>

#include <errno.h>
#include <pthread.h>

#include "base/assert.h"
#include "mem/pool/shared_pool_inside.h"

#define KEYS_WITHOUT_MEMORY 32

static pthread_once_t threads_once = PTHREAD_ONCE_INIT;
static pthread_key_t threads_key;
static int threads_result;

/* It fails for want of memory only, and this key needs none. */
static void threads_set(struct zg_shared_pool_cache *head)
{
	int result = pthread_setspecific(threads_key, head);

	zg_assert(result == 0);
}

/* Take the cache off the thread's list. */
static void threads_unlink(struct zg_shared_pool_cache *cache)
{
	struct zg_shared_pool_cache *head = pthread_getspecific(threads_key);
	struct zg_shared_pool_cache **link = &head;

	while (*link != cache) {
		zg_assert(*link != NULL);
		link = &(*link)->next_of_thread;
	}
	*link = cache->next_of_thread;
	threads_set(head);
}

static void threads_release(struct zg_shared_pool_cache *cache)
{
	struct zg_shared_pool *pool = cache->pool;

	if (cache->previous->count > 0) {
		struct zgi_magazine *empty = zgi_depot_pop(pool, &pool->empty);

		if (empty != NULL) {
			zgi_depot_push(pool, &pool->full, cache->previous);
			__atomic_store_n(&cache->previous, empty, __ATOMIC_RELAXED);
		}
	}
	cache->next_of_thread = NULL;
	ZGI_SHARED_POOL_STEP();
	/* Release: the next thread finds the cache as this one leaves it. */
	__atomic_store_n(&cache->thread, 0, __ATOMIC_RELEASE);
}

/* A thread ends; its list is its key's value no more. */
static void threads_end(void *head)
{
	struct zg_shared_pool_cache *cache = head;

	while (cache != NULL) {
		struct zg_shared_pool_cache *next = cache->next_of_thread;

		threads_release(cache);
		cache = next;
	}
}

static void threads_make_key(void)
{
	threads_result = -pthread_key_create(&threads_key, threads_end);
	if (threads_result == 0 && threads_key >= KEYS_WITHOUT_MEMORY) {
		pthread_key_delete(threads_key);
		threads_result = -EAGAIN;
	}
}

int zgi_shared_pool_key(void)
{
	pthread_once(&threads_once, threads_make_key);
	return threads_result;
}

int zg_shared_pool_attach(struct zg_shared_pool *pool, struct zg_shared_pool_cache **ret_cache)
{
	uintptr_t self = ZGI_SHARED_POOL_SELF();
	struct zg_shared_pool_cache *cache;

	zg_assert(pool->magic == ZGI_SHARED_POOL_MAGIC);
	cache = pthread_getspecific(threads_key);
	for (; cache != NULL; cache = cache->next_of_thread) {
		if (cache->pool == pool && zgi_shared_pool_is_own(cache)) {
			*ret_cache = cache;
			return 0;
		}
	}
	for (uint32_t i = 0; i < pool->threads_max; ++i) {
		uintptr_t nobody = 0;

		cache = &pool->caches[i];
		ZGI_SHARED_POOL_STEP();
		/* Acquire: the cache is as its last thread left it. */
		if (!__atomic_compare_exchange_n(&cache->thread, &nobody, self, false,
						 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		cache->next_of_thread = pthread_getspecific(threads_key);
		threads_set(cache);
		*ret_cache = cache;
		return 0;
	}
	return -EUSERS;
}

void zg_shared_pool_detach(struct zg_shared_pool_cache *cache)
{
	zg_assert(zgi_shared_pool_is_own(cache));
	threads_unlink(cache);
	threads_release(cache);
}
