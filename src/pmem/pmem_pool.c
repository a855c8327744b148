/*
 * Pools whose objects outlive the process.
 *
 * In the map there is one word an object, apart from the objects: the bits of its handle while it
 * is published, and 0 while it is not. A word is stored whole or not at all, so it is what makes
 * an object be there; and it is stored only after a fence has made the object itself persistent.
 * To end an object its word is zeroed, and only after the fence behind that may its bytes be
 * written over by who reserves it next.
 *
 * In memory there is a slot an object, as in a volatile pool: the bits of the handle while it is
 * reserved or published, the complement of the next handle while it is free, and the complement of
 * a handle with generation 0 when it is retired.
 *
 * Which generations were handed out is not kept for each object: a reservation would need a store
 * and a fence of its own. Instead the map has one limit that no generation that was ever handed
 * out has reached. An opening raises it by ZG_PMEM_POOL_GENERATIONS, and every object that is
 * reserved from then on begins at the old one. So a handle that a crash took is never given
 * again, to this object or any other.
 *
 * Free objects are a queue: generations are used up evenly, and so is the medium.
 */
#include "pmem/pmem_pool.h"

#include <errno.h>

#include "base/assert.h"
#include "base/counter.h"
#include "mem/pool/track.h"

static void pool_check(const struct zg_pmem_pool *pool)
{
	zg_assert(pool->magic == ZGI_PMEM_POOL_MAGIC);
}

static uint32_t pool_number(const struct zg_pmem_pool *pool, zg_handle handle)
{
	return zgi_handle_number(handle, pool->handle_first);
}

/* Is it reserved or published? */
static bool pool_names_an_object(const struct zg_pmem_pool *pool, zg_handle handle)
{
	uint32_t number = pool_number(pool, handle);

	return number < pool->object_count && pool->slots[number] == handle.bits;
}

static bool pool_is_published(const struct zg_pmem_pool *pool, uint32_t number)
{
	uint64_t word = zgi_pmem_pool_word(pool, number);

	return word != 0 && word == pool->slots[number];
}

static uint64_t pool_object_offset(const struct zg_pmem_pool *pool, uint32_t number)
{
	return pool->objects_offset + (uint64_t)number * pool->object_size;
}

static int pool_refuse(struct zg_pmem_pool *pool, zg_handle handle, enum zg_pool_act act,
		       const void *site)
{
	uint32_t number = pool_number(pool, handle);
	struct zg_pool_misuse misuse = {
		.pool_name = pool->name,
		.handle = handle,
		.act = act,
		.error = -EINVAL,
		.site = site,
		.is_tracked = true, /* there is no other way for it to be */
	};

	if (number < pool->object_count) {
		uint64_t slot = pool->slots[number];
		bool is_taken = slot >> ZGI_HANDLE_INDEX_SHIFT == pool->handle_first + number;
		uint64_t next = is_taken ? slot + 1 : ~slot;

		misuse.error = zgi_handle_error(handle, next & ZGI_HANDLE_GENERATION_MASK,
						ZGI_PMEM_POOL_GENERATION_MAX);
	}
	zgi_counter_add(&pool->misuse_count, 1);
	zgi_track_tell_misuse(&misuse, NULL);
	return misuse.error;
}

int zgi_pmem_pool_raise_limit(struct zg_pmem_pool *pool, uint64_t generation)
{
	uint64_t limit = generation + ZG_PMEM_POOL_GENERATIONS;
	int result;

	if (limit > ZGI_PMEM_POOL_GENERATION_MAX + 1)
		limit = ZGI_PMEM_POOL_GENERATION_MAX + 1;
	zg_assert(limit >= pool->generation_limit);
	zg_pmem_store64(pool->map, pool->limit_offset, limit);
	zg_pmem_flush(pool->map, pool->limit_offset, sizeof(limit));
	result = zg_pmem_fence(pool->map);
	if (result == 0)
		pool->generation_limit = limit;
	return result;
}

int zg_pmem_pool_reserve(struct zg_pmem_pool *pool, zg_handle *ret_handle, void **ret_object)
{
	uint32_t number;
	zg_handle handle;

	pool_check(pool);
	if (pool->map->is_read_only)
		return -EROFS;
	/* What is free may be published on the medium still, where a give could not be fenced. */
	if (pool->map->error < 0)
		return pool->map->error;
	if (pool->free_count == 0) {
		zgi_counter_add(&pool->refuse_count, 1);
		return -ENOMEM;
	}
	number = pool->free_ring[pool->free_first];
	handle.bits = ~pool->slots[number];
	if ((handle.bits & ZGI_HANDLE_GENERATION_MASK) >= pool->generation_limit) {
		int result = zgi_pmem_pool_raise_limit(pool, pool->generation_limit);

		if (result < 0)
			return result;
	}
	pool->free_first = (pool->free_first + 1) % pool->object_count;
	zgi_gauge_set(&pool->free_count, pool->free_count - 1);
	if (pool->free_count < pool->free_count_low)
		zgi_gauge_set(&pool->free_count_low, pool->free_count);
	pool->slots[number] = handle.bits;
	*ret_handle = handle;
	*ret_object = pool->map->bytes + pool_object_offset(pool, number);
	return 0;
}

/* That each may be published. */
static int pool_check_handles(struct zg_pmem_pool *pool, const zg_handle *handles, size_t count,
			      const void *site)
{
	for (size_t index = 0; index < count; index++) {
		if (!pool_names_an_object(pool, handles[index]))
			return pool_refuse(pool, handles[index], ZG_POOL_PUBLISH, site);
		if (pool_is_published(pool, pool_number(pool, handles[index]))) {
			zgi_counter_add(&pool->misuse_count, 1);
			return -EALREADY;
		}
	}
	return 0;
}

static int pool_publish(struct zg_pmem_pool *pool, const zg_handle *handles, size_t count,
			const void *site)
{
	int result;

	pool_check(pool);
	result = pool_check_handles(pool, handles, count, site);
	if (result < 0 || count == 0)
		return result;
	for (size_t index = 0; index < count; index++) {
		uint64_t offset = pool_object_offset(pool, pool_number(pool, handles[index]));

		zg_pmem_touched(pool->map, offset, pool->object_size_asked);
		zg_pmem_flush(pool->map, offset, pool->object_size_asked);
	}
	result = zg_pmem_fence(pool->map);
	if (result < 0)
		return result;
	for (size_t index = 0; index < count; index++) {
		uint32_t number = pool_number(pool, handles[index]);
		uint64_t offset = pool->words_offset + number * sizeof(uint64_t);

		/* It may be there twice. */
		if (!pool_is_published(pool, number))
			zgi_gauge_set(&pool->published_count, pool->published_count + 1);
		zg_pmem_store64(pool->map, offset, handles[index].bits);
		zg_pmem_flush(pool->map, offset, sizeof(uint64_t));
	}
	return zg_pmem_fence(pool->map);
}

int zg_pmem_pool_publish(struct zg_pmem_pool *pool, zg_handle handle)
{
	return pool_publish(pool, &handle, 1, __builtin_return_address(0));
}

int zg_pmem_pool_publish_many(struct zg_pmem_pool *pool, const zg_handle *handles, size_t count)
{
	return pool_publish(pool, handles, count, __builtin_return_address(0));
}

/* The object's bytes may be written over from now on, unless it had its last generation. */
static void pool_free(struct zg_pmem_pool *pool, uint32_t number)
{
	uint64_t generation = (pool->slots[number] & ZGI_HANDLE_GENERATION_MASK) + 1;

	if (generation > ZGI_PMEM_POOL_GENERATION_MAX) {
		pool->slots[number] = ~zgi_pmem_pool_handle(pool, number, 0).bits;
		zgi_gauge_set(&pool->retired_count, pool->retired_count + 1);
		return;
	}
	pool->slots[number] = ~zgi_pmem_pool_handle(pool, number, generation).bits;
	pool->free_ring[(pool->free_first + pool->free_count) % pool->object_count] = number;
	zgi_gauge_set(&pool->free_count, pool->free_count + 1);
}

int zg_pmem_pool_give(struct zg_pmem_pool *pool, zg_handle handle)
{
	uint32_t number = pool_number(pool, handle);

	pool_check(pool);
	if (!pool_names_an_object(pool, handle))
		return pool_refuse(pool, handle, ZG_POOL_GIVE, __builtin_return_address(0));
	if (pool->map->is_read_only)
		return -EROFS;
	if (pool_is_published(pool, number)) {
		uint64_t offset = pool->words_offset + number * sizeof(uint64_t);
		int result;

		zg_pmem_store64(pool->map, offset, 0);
		zg_pmem_flush(pool->map, offset, sizeof(uint64_t));
		zgi_gauge_set(&pool->published_count, pool->published_count - 1);
		result = zg_pmem_fence(pool->map);
		if (result < 0)
			return result;
	}
	pool_free(pool, number);
	return 0;
}

const void *zg_pmem_pool_get(struct zg_pmem_pool *pool, zg_handle handle)
{
	pool_check(pool);
	if (!pool_names_an_object(pool, handle)) {
		(void)pool_refuse(pool, handle, ZG_POOL_GET, __builtin_return_address(0));
		return NULL;
	}
	return pool->map->bytes + pool_object_offset(pool, pool_number(pool, handle));
}

bool zg_pmem_pool_is_published(const struct zg_pmem_pool *pool, zg_handle handle)
{
	pool_check(pool);
	return pool_names_an_object(pool, handle) &&
	       pool_is_published(pool, pool_number(pool, handle));
}

uint64_t zg_pmem_pool_offset(const struct zg_pmem_pool *pool, zg_handle handle)
{
	pool_check(pool);
	zg_assert(pool_names_an_object(pool, handle));
	return pool_object_offset(pool, pool_number(pool, handle));
}

int zg_pmem_pool_next(struct zg_pmem_pool *pool, uint32_t *cursor, zg_handle *ret_handle,
		      const void **ret_object)
{
	pool_check(pool);
	for (uint32_t number = *cursor; number < pool->object_count; number++) {
		if (!pool_is_published(pool, number))
			continue;
		*cursor = number + 1;
		*ret_handle = (zg_handle){pool->slots[number]};
		if (ret_object != NULL)
			*ret_object = pool->map->bytes + pool_object_offset(pool, number);
		return 1;
	}
	*cursor = pool->object_count;
	return 0;
}

static void pool_measure(const struct zg_watched *watched, struct zg_usage *ret_usage)
{
	const struct zg_pmem_pool *pool = ZGI_WATCHED_OWNER(watched, struct zg_pmem_pool, watched);
	uint64_t idle_count =
		zgi_gauge_read(&pool->retired_count) + zgi_gauge_read(&pool->free_count);
	uint64_t live_count = idle_count < pool->object_count ? pool->object_count - idle_count : 0;
	uint64_t each = pool->memory_size / pool->object_count;

	/* Of memory: the objects lie in a file. */
	ret_usage->name = pool->name;
	ret_usage->live_count = live_count;
	ret_usage->count_max = pool->object_count;
	ret_usage->live_size = live_count * each;
	ret_usage->held_size = live_count * each;
	ret_usage->reserved_size = pool->memory_size;
}

const struct zgi_watch_class zgi_pmem_pool_watch_class = {.kind = "persistent pool",
							  .measure = pool_measure};
