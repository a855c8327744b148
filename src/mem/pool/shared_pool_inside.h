/*
 * The inside of a shared pool: magazines, the depot's stacks, the threads' caches.
 *
 * Where a free block is known to be, a hint says so: the bits of the handle that it
 * will be taken by. Hints lie in magazines, a batch in each. A thread's cache has two
 * magazines and pushes and pops hints there; the depot has the others, on two stacks,
 * one of the filled and one of the empty.
 *
 * A hint is no right. Whoever takes the block must win its slot (see shared_pool.c),
 * so it does no harm when thieves read a hint, or it is out of date, or lost. But no
 * hint is ever in two magazines: that is what an owner's quick take rests on.
 */
#ifndef ZEROG_MEM_POOL_SHARED_POOL_INSIDE_H
#define ZEROG_MEM_POOL_SHARED_POOL_INSIDE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include <zerog/layout.h>
#include <zerog/shared_pool.h>

#include "mem/pool/pool_handle.h"
#include "mem/watch/registry.h"

/* Tests make it small, to see a block retire. */
#ifndef ZGI_SHARED_POOL_GENERATION_BITS
#define ZGI_SHARED_POOL_GENERATION_BITS 36
#endif

/* Called before each access to what threads share: tests let another thread go on here. */
#ifndef ZGI_SHARED_POOL_STEP
#define ZGI_SHARED_POOL_STEP() ((void)0)
#endif

#define ZGI_SHARED_POOL_MAGIC UINT32_C(0x64726873)
#define ZGI_SLOT_GENERATION_MAX ((UINT64_C(1) << ZGI_SHARED_POOL_GENERATION_BITS) - 1)
#define ZGI_SLOT_GIVING (UINT64_C(1) << ZGI_HANDLE_INDEX_SHIFT)
#define ZGI_SLOT_STEALING (UINT64_C(2) << ZGI_HANDLE_INDEX_SHIFT)
#define ZGI_SLOT_RETIRED UINT64_C(0)

/* The generation of a block's next handle; 0: it is retired, and had them all. */
static inline uint64_t zgi_slot_generation_next(uint64_t slot)
{
	return (slot & ZGI_HANDLE_GENERATION_MASK) + (slot >> ZGI_HANDLE_TAG_SHIFT != 0);
}

/* Shared words below are read and written through the __atomic builtins only; what a magazine
 * holds, relaxed, since thieves look at it at any time. */
struct zgi_magazine {
	uint32_t number; /* its own, from 1; constant */
	uint32_t below; /* the number of the next on the stack; 0: none */
	uint32_t depth; /* magazines from here to the bottom of the stack, itself included */
	uint32_t count; /* hints */
	uint64_t hints[];
};

struct zg_shared_pool_cache {
	alignas(ZG_LINE_SIZE) uintptr_t thread; /* whose it is; 0: nobody's */
	struct zg_shared_pool *pool; /* borrowed; constant */
	struct zgi_magazine *loaded; /* where hints are pushed and popped */
	struct zgi_magazine *previous; /* either empty or filled */
	uint64_t claiming; /* the hint that this thread is following, or was */
	uint64_t take_count;
	uint64_t give_count;
	zg_cold(seldom);
	struct zg_shared_pool_cache *next_of_thread; /* the thread's cache of another pool */
	uint32_t depot_low; /* the least magazines left in the depot by a take of this cache */
	uint32_t victim; /* the cache to be stolen from first */
	uint32_t cursor; /* the slot to be looked at first */
	uint64_t refuse_count;
	uint64_t misuse_count;
	uint64_t steal_count;
	uint64_t drop_count; /* hints for which there was no magazine */
};

ZG_ON_ONE_LINE(struct zg_shared_pool_cache, thread, give_count);
ZG_WHOLE_LINES(struct zg_shared_pool_cache);

/* The calling thread, as a number that no other living thread has. Its address is what counts: a
 * variable in static thread storage is found without a call and without an allocation. */
extern __thread char zgi_shared_pool_mark __attribute__((tls_model("initial-exec")));

#ifndef ZGI_SHARED_POOL_SELF
#define ZGI_SHARED_POOL_SELF() ((uintptr_t)&zgi_shared_pool_mark)
#endif

/* Is it the calling thread's? Others look at it, too, when they attach. */
static inline bool zgi_shared_pool_is_own(const struct zg_shared_pool_cache *cache)
{
	return __atomic_load_n(&cache->thread, __ATOMIC_RELAXED) == ZGI_SHARED_POOL_SELF();
}

static inline struct zgi_magazine *zgi_shared_pool_magazine(const struct zg_shared_pool *pool,
							    uint32_t number)
{
	return (struct zgi_magazine *)(void *)(pool->magazines +
					       (size_t)(number - 1) * pool->magazine_size);
}

/**
 * zgi_depot_push() - put a magazine on one of the depot's stacks
 * @pool:      initialised
 * @stack:     &pool->full or &pool->empty
 * @magazine:  the caller's; the depot's from now on
 */
void zgi_depot_push(struct zg_shared_pool *pool, uint64_t *stack, struct zgi_magazine *magazine);

/**
 * zgi_depot_pop() - take the topmost magazine off one of the depot's stacks
 * @pool:   initialised
 * @stack:  &pool->full or &pool->empty
 *
 * Return: the magazine, the caller's; NULL when there is none.
 */
struct zgi_magazine *zgi_depot_pop(struct zg_shared_pool *pool, uint64_t *stack);

/**
 * zgi_shared_pool_taken() - blocks that are surely taken
 * @pool:          initialised
 * @ret_retired:   blocks that are retired, read on the way
 *
 * Return: a number that is at most the number of blocks which were taken when some of the call
 * was over: see the proof in shared_pool_steal.c.
 */
uint64_t zgi_shared_pool_taken(const struct zg_shared_pool *pool, uint32_t *ret_retired);

/**
 * zgi_shared_pool_steal() - a free block from outside of cache and depot
 * @cache:       the calling thread's
 * @ret_handle:  its handle: the block is taken
 *
 * Return: true when there was one.
 */
bool zgi_shared_pool_steal(struct zg_shared_pool_cache *cache, zg_handle *ret_handle);

/* How shared pools are measured, looked through and made to fail. */
extern const struct zgi_watch_class zgi_shared_pool_watch_class;

/* Is there a thread key of ours? Return: 0; -EAGAIN as zg_shared_pool_init(). */
ZG_MUST_USE int zgi_shared_pool_key(void);

/* Does the kernel let a thread make all others pass a barrier? Asked once a pool. */
bool zgi_shared_pool_has_barrier(void);

#endif
