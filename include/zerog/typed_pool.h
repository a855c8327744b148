/*
 * Typed pool: a pool of one type of object, with handles of its own type.
 *
 * ZG_TYPED_POOL(order, struct order) declares a pool of struct order, its handles and its
 * functions. A handle of another pool's type is refused by the compiler; what a compiler
 * cannot see (a stale handle, a double give, one pool of two of the same type) is refused
 * by the pool, every time, as pool.h says.
 *
 * The functions are inline: on a plain pool a take and a give are some twenty
 * instructions each, and no call. On a pool that is watched, because it is tracked, because
 * a fault is armed or because a tool looks on, they call those of pool.h, and the places
 * kept are those of your own code. Probes (see docs/guide/memory/tools.md) lie in those, too.
 *
 * Ownership, threads and limits are those of pool.h.
 */
#ifndef ZEROG_TYPED_POOL_H
#define ZEROG_TYPED_POOL_H

#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/pool.h>

ZG_BEGIN_DECLS

/* Where the compiler cannot see that a failed take ended the function, it holds the handle for
 * uninitialised in what is inlined from here. The pool would refuse such a handle. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

/**
 * zg_pool_take_sized_inline() - zg_pool_take_inline() where the compiler knows the size of a block
 * @pool:        as for zg_pool_take()
 * @block_size:  bytes: the pool's block_size, which is rounded up to the alignment
 * @ret_handle:  as for zg_pool_take()
 * @ret_block:   as for zg_pool_take(), but not NULL
 *
 * Return: as zg_pool_take().
 */
ZG_INLINE ZG_MUST_USE int zg_pool_take_sized_inline(struct zg_pool *pool, size_t block_size,
						    zg_handle *ret_handle, void **ret_block)
{
	uint32_t free_count = __atomic_load_n(&pool->free_count, __ATOMIC_RELAXED);
	uint32_t number;
	uint64_t bits;

	if (ZG_UNLIKELY(free_count <= __atomic_load_n(&pool->take_floor, __ATOMIC_RELAXED))) {
		/* Not the caller's own variables: an address that is passed on keeps them out of
		 * registers on the other way, too. */
		zg_handle handle;
		void *block;
		int result = zg_pool_take(pool, &handle, &block);

		if (result < 0)
			return result;
		*ret_handle = handle;
		*ret_block = block;
		return 0;
	}
	--free_count;
	number = pool->free_stack[free_count];
	bits = ~pool->slots[number];
	__atomic_store_n(&pool->slots[number], bits, __ATOMIC_RELAXED);
	__atomic_store_n(&pool->free_count, free_count, __ATOMIC_RELAXED);
	if (ZG_UNLIKELY(free_count < pool->free_count_low))
		__atomic_store_n(&pool->free_count_low, free_count, __ATOMIC_RELAXED);
	ret_handle->bits = bits;
	*ret_block = pool->blocks + number * block_size;
	return 0;
}

/**
 * zg_pool_take_inline() - zg_pool_take() without a call, where the pool is plain
 * @pool:        as for zg_pool_take()
 * @ret_handle:  as for zg_pool_take()
 * @ret_block:   as for zg_pool_take(), but not NULL
 *
 * Return: as zg_pool_take().
 */
ZG_INLINE ZG_MUST_USE int zg_pool_take_inline(struct zg_pool *pool, zg_handle *ret_handle,
					      void **ret_block)
{
	return zg_pool_take_sized_inline(pool, pool->block_size, ret_handle, ret_block);
}

/**
 * zg_pool_give_inline() - zg_pool_give() without a call, where the pool is plain
 * @pool:    as for zg_pool_give()
 * @handle:  as for zg_pool_give()
 *
 * Return: as zg_pool_give().
 */
ZG_INLINE ZG_MUST_USE int zg_pool_give_inline(struct zg_pool *pool, zg_handle handle)
{
	uint32_t number = (uint32_t)(handle.bits >> 36) - pool->handle_first;
	uint64_t bits_next = handle.bits + 1;
	uint32_t free_count;

	/* A generation that wraps to 0 was the last: the block is retired by the other. */
	if (ZG_UNLIKELY(number >= __atomic_load_n(&pool->give_limit, __ATOMIC_RELAXED) ||
			pool->slots[number] != handle.bits || bits_next << 28 == 0))
		return zg_pool_give(pool, handle);
	__atomic_store_n(&pool->slots[number], ~bits_next, __ATOMIC_RELAXED);
	free_count = __atomic_load_n(&pool->free_count, __ATOMIC_RELAXED);
	pool->free_stack[free_count] = number;
	__atomic_store_n(&pool->free_count, free_count + 1, __ATOMIC_RELAXED);
	return 0;
}

/**
 * zg_pool_get_inline() - zg_pool_get() without a call, where the handle is good
 * @pool:    as for zg_pool_get()
 * @handle:  as for zg_pool_get()
 *
 * Return: as zg_pool_get().
 */
ZG_INLINE void *zg_pool_get_inline(struct zg_pool *pool, zg_handle handle)
{
	uint32_t number = (uint32_t)(handle.bits >> 36) - pool->handle_first;

	if (ZG_UNLIKELY(number >= __atomic_load_n(&pool->give_limit, __ATOMIC_RELAXED) ||
			pool->slots[number] != handle.bits))
		return zg_pool_get(pool, handle);
	return pool->blocks + number * pool->block_size;
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#ifdef __cplusplus
#define ZG_TYPED_POOL_STRICT
#else
/* To C before gcc 14, the wrong pool's address is only a warning. */
#define ZG_TYPED_POOL_STRICT _Pragma("GCC diagnostic error \"-Wincompatible-pointer-types\"")
#endif

/**
 * ZG_TYPED_POOL() - declare a pool of one type; at file scope, in a source file or a header
 * @name:  what the declared names begin with
 * @type:  of the objects; complete; aligned to ZG_POOL_ALIGNMENT at the most
 *
 * Declares, with every function static and inline:
 *
 *	name_handle               the handle of an object; zeroed, it names none
 *	struct name_pool          the pool; its member `untyped` is the zg_pool, for its counters
 *	name_pool_memory_size()   as zg_pool_memory_size(); the options' block_size is not read
 *	name_pool_init()          as zg_pool_init(); the same
 *	name_pool_fini()          as zg_pool_fini()
 *	name_pool_take()          as zg_pool_take()
 *	name_pool_give()          as zg_pool_give()
 *	name_pool_get()           as zg_pool_get()
 *	name_pool_renew()         as zg_pool_renew()
 *	name_pool_next()          as zg_pool_next()
 *
 * In C, an incompatible pointer is an error from here to the end of the file, as it always is in
 * C++.
 */
#define ZG_TYPED_POOL(name, type)                                                                  \
	ZG_TYPED_POOL_STRICT                                                                       \
	ZG_STATIC_ASSERT(__alignof__(type) <= ZG_POOL_ALIGNMENT,                                   \
			 "a block is aligned to ZG_POOL_ALIGNMENT");                               \
	typedef struct {                                                                           \
		zg_handle untyped;                                                                 \
	} name##_handle;                                                                           \
	struct name##_pool {                                                                       \
		struct zg_pool untyped;                                                            \
	};                                                                                         \
	ZG_INLINE size_t name##_pool_memory_size(const struct zg_pool_options *options)            \
	{                                                                                          \
		struct zg_pool_options sized = *options;                                           \
                                                                                                   \
		sized.block_size = sizeof(type);                                                   \
		return zg_pool_memory_size(&sized);                                                \
	}                                                                                          \
	ZG_INLINE ZG_MUST_USE int name##_pool_init(struct name##_pool *pool,                       \
						   const struct zg_pool_options *options)          \
	{                                                                                          \
		struct zg_pool_options sized = *options;                                           \
                                                                                                   \
		sized.block_size = sizeof(type);                                                   \
		return zg_pool_init(&pool->untyped, &sized);                                       \
	}                                                                                          \
	ZG_INLINE void name##_pool_fini(struct name##_pool *pool)                                  \
	{                                                                                          \
		zg_pool_fini(&pool->untyped);                                                      \
	}                                                                                          \
	ZG_INLINE ZG_MUST_USE int name##_pool_take(struct name##_pool *pool,                       \
						   name##_handle *ret_handle, type **ret_object)   \
	{                                                                                          \
		void *block = NULL;                                                                \
		int result =                                                                       \
			zg_pool_take_sized_inline(&pool->untyped, ZG_POOL_ROUND(sizeof(type)),     \
						  &ret_handle->untyped, &block);                   \
                                                                                                   \
		if (result >= 0 && ret_object != NULL)                                             \
			*ret_object = (type *)block;                                               \
		return result;                                                                     \
	}                                                                                          \
	ZG_INLINE ZG_MUST_USE int name##_pool_give(struct name##_pool *pool, name##_handle handle) \
	{                                                                                          \
		return zg_pool_give_inline(&pool->untyped, handle.untyped);                        \
	}                                                                                          \
	ZG_INLINE type *name##_pool_get(struct name##_pool *pool, name##_handle handle)            \
	{                                                                                          \
		return (type *)zg_pool_get_inline(&pool->untyped, handle.untyped);                 \
	}                                                                                          \
	ZG_INLINE ZG_MUST_USE int name##_pool_renew(                                               \
		struct name##_pool *pool, name##_handle handle, name##_handle *ret_handle)         \
	{                                                                                          \
		return zg_pool_renew(&pool->untyped, handle.untyped, &ret_handle->untyped);        \
	}                                                                                          \
	ZG_INLINE ZG_MUST_USE int name##_pool_next(struct name##_pool *pool, uint32_t *cursor,     \
						   name##_handle *ret_handle, type **ret_object)   \
	{                                                                                          \
		void *block = NULL;                                                                \
		int result = zg_pool_next(&pool->untyped, cursor, &ret_handle->untyped, &block);   \
                                                                                                   \
		if (result == 1 && ret_object != NULL)                                             \
			*ret_object = (type *)block;                                               \
		return result;                                                                     \
	}                                                                                          \
	/* So that the macro is used with a semicolon. */                                          \
	struct name##_pool

ZG_END_DECLS

#endif
