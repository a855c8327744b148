/*
 * Poison: tells AddressSanitizer and Valgrind which bytes of our own allocators
 * nobody owns.
 *
 * Without it a pool hides its users' mistakes from the tools: to them all of its
 * memory is one live mapping. ASan is told in every build that has it, Valgrind in
 * builds made with -Dvalgrind=true; in all others these functions are empty.
 *
 * To Valgrind a pool is a memory pool, so that what it says of a block names the
 * take and the give. An arena is only ranges: its memory often lies in a pool's
 * block, and Valgrind's leak check ends the program where one block lies in another.
 */
#ifndef ZEROG_MEM_WATCH_POISON_H
#define ZEROG_MEM_WATCH_POISON_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define ZGI_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ZGI_HAS_ASAN 1
#endif
#endif

#ifdef ZGI_HAS_ASAN
#include <sanitizer/asan_interface.h>
#endif
#ifdef ZGI_HAS_VALGRIND /* from Meson's option */
#include <valgrind/memcheck.h>
#endif

#if defined(ZGI_HAS_ASAN) || defined(ZGI_HAS_VALGRIND)
#define ZGI_HAS_POISON 1 /* a tool watches: red zones are worth their bytes */
#endif

/**
 * zgi_poison() - bytes that nobody owns: every access is a mistake
 * @memory:  start; ASan looks at 8 bytes together, so it is best aligned to them
 * @size:    bytes
 */
static inline void zgi_poison(const void *memory, size_t size)
{
#ifdef ZGI_HAS_ASAN
	__asan_poison_memory_region(memory, size);
#endif
#ifdef ZGI_HAS_VALGRIND
	VALGRIND_MAKE_MEM_NOACCESS(memory, size);
#endif
	(void)memory;
	(void)size;
}

/**
 * zgi_unpoison() - bytes that have an owner again, contents undefined
 * @memory:  start, aligned to 8 bytes
 * @size:    bytes; what follows up to the next 8 stays poisoned
 */
static inline void zgi_unpoison(const void *memory, size_t size)
{
#ifdef ZGI_HAS_ASAN
	__asan_unpoison_memory_region(memory, size);
#endif
#ifdef ZGI_HAS_VALGRIND
	VALGRIND_MAKE_MEM_UNDEFINED(memory, size);
#endif
	(void)memory;
	(void)size;
}

/**
 * zgi_poison_pool_open() - memory from which blocks will be handed out; none is yet
 * @pool:    any address that is this pool's alone, while it is open
 * @memory:  where the blocks lie
 * @size:    bytes
 */
static inline void zgi_poison_pool_open(const void *pool, const void *memory, size_t size)
{
	zgi_poison(memory, size);
#ifdef ZGI_HAS_VALGRIND
	VALGRIND_CREATE_MEMPOOL(pool, 0, 0);
#endif
	(void)pool;
}

/**
 * zgi_poison_pool_close() - no blocks any more: the memory is its lender's
 * @pool:    open
 * @memory:  as at open
 * @size:    as at open
 */
static inline void zgi_poison_pool_close(const void *pool, const void *memory, size_t size)
{
#ifdef ZGI_HAS_VALGRIND
	VALGRIND_DESTROY_MEMPOOL(pool);
#endif
	zgi_unpoison(memory, size);
	(void)pool;
}

/**
 * zgi_poison_pool_take() - a block has an owner
 * @pool:   open
 * @block:  in its memory
 * @size:   bytes that its owner asked for; what is behind them stays poisoned
 */
static inline void zgi_poison_pool_take(const void *pool, const void *block, size_t size)
{
#ifdef ZGI_HAS_VALGRIND
	VALGRIND_MEMPOOL_ALLOC(pool, block, size);
	(void)pool;
#else
	(void)pool;
	zgi_unpoison(block, size);
#endif
}

/**
 * zgi_poison_pool_give() - a block has none any more
 * @pool:   open
 * @block:  taken
 * @size:   as at its take
 */
static inline void zgi_poison_pool_give(const void *pool, const void *block, size_t size)
{
#ifdef ZGI_HAS_VALGRIND
	VALGRIND_MEMPOOL_FREE(pool, block);
	(void)size;
#else
	(void)pool;
	zgi_poison(block, size);
#endif
}

#endif
