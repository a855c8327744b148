/*
 * The guest heap: mimalloc's functions with figures around them.
 *
 * Its mapping begins with the arenas that blocks come from, and ends with what
 * mimalloc would have asked of the operating system. Each arena is at most as large
 * as mimalloc's own bitmaps can tell of.
 *
 * In builds with ASan, mimalloc itself is not instrumented, so that it may keep its
 * lists in freed blocks while those are poisoned for everybody else.
 */
#include <zerog_mimalloc.h>

#include <zerog/guest_heap.h>

#include <errno.h>
#include <string.h>

#include <mimalloc.h>

#include "base/assert.h"
#include "mem/guest/guest_mimalloc.h"
#include "mem/guest/guest_range.h"
#include "mem/watch/fault.h"
#include "mem/watch/poison.h"
#include "mem/watch/probes.h"
#include "mem/watch/registry.h"

#define GUEST_NAME "guest heap"
#define GUEST_SLACK_SIZE ((uint64_t)256 << 10) /* the map's first part, and the ends of others */

_Static_assert(ZG_GUEST_HEAP_GRAIN == ZGI_MIMALLOC_GRAIN, "sizes are rounded as arenas are");

uintptr_t zgi_guest_start;
size_t zgi_guest_size;

static struct guest_heap {
	struct zg_watched watched;
	uint64_t live_size;
	uint64_t live_size_peak;
	uint64_t malloc_count;
	uint64_t free_count;
	uint64_t fail_count;
	bool is_armed; /* a take is to be made to fail: zg_fault_arm() */
} guest;

static uint64_t guest_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static uint64_t guest_round(uint64_t size)
{
	return (size + ZGI_MIMALLOC_GRAIN - 1) & ~(uint64_t)(ZGI_MIMALLOC_GRAIN - 1);
}

uint64_t zg_guest_heap_size_mapped(uint64_t size)
{
	uint64_t rounded;

	zg_assert(size <= ZG_GUEST_HEAP_SIZE_MAX);
	if (size == 0)
		return 0;
	rounded = guest_round(size);
	/* A part of the map for each of its spans, one more for where it begins within one. */
	return rounded + (rounded / ZGI_MIMALLOC_MAP_SPAN + 2) * ZGI_MIMALLOC_MAP_SIZE +
	       GUEST_SLACK_SIZE;
}

static void guest_measure(const struct zg_watched *watched, struct zg_usage *ret_usage)
{
	struct zg_guest_counts counts;

	(void)watched;
	zg_guest_heap_counts(&counts);
	ret_usage->name = GUEST_NAME;
	ret_usage->live_count = counts.live_count;
	ret_usage->live_size = counts.live_size;
	ret_usage->held_size = counts.held_size;
	ret_usage->reserved_size = counts.size;
}

static void guest_arm(struct zg_watched *watched, bool is_armed)
{
	(void)watched;
	__atomic_store_n(&guest.is_armed, is_armed, __ATOMIC_RELAXED);
}

static const struct zgi_watch_class guest_class = {
	.kind = "guest heap", .measure = guest_measure, .arm = guest_arm};

int zg_guest_heap_reserve(uint64_t size)
{
	uint64_t rounded = guest_round(size);
	unsigned char *memory;
	void *mapped;
	int result;

	if (size == 0 || size > ZG_GUEST_HEAP_SIZE_MAX)
		return -EINVAL;
	if (zgi_guest_is_reserved())
		return -EBUSY;
	result = zgi_guest_map(zg_guest_heap_size_mapped(size), &mapped);
	if (result < 0)
		return result;
	memory = mapped;
	zgi_guest_prim_lend(memory + rounded, zg_guest_heap_size_mapped(size) - rounded);
	zgi_mimalloc_start();
	for (uint64_t offset = 0; offset < rounded; offset += ZGI_MIMALLOC_ARENA_SIZE_MAX) {
		uint64_t left = rounded - offset;
		bool is_added = zgi_mimalloc_add(
			memory + offset,
			left < ZGI_MIMALLOC_ARENA_SIZE_MAX ? left : ZGI_MIMALLOC_ARENA_SIZE_MAX);

		/* It is as large and as aligned as arenas are. */
		zg_assert(is_added);
	}
	zgi_guest_start = (uintptr_t)memory;
	zgi_guest_size = rounded;
	zgi_watch_add(&guest.watched, &guest_class);
	return 0;
}

static void guest_peak(uint64_t live_size)
{
	uint64_t peak = guest_read(&guest.live_size_peak);

	while (live_size > peak &&
	       !__atomic_compare_exchange_n(&guest.live_size_peak, &peak, live_size, true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		continue;
}

/* Is there a heap to ask, and is it not to fail on purpose? */
static bool guest_may_take(void)
{
	if (!zgi_guest_is_reserved())
		return false;
	return !__atomic_load_n(&guest.is_armed, __ATOMIC_RELAXED) || !zgi_fault_is_due(GUEST_NAME);
}

/* A block that mimalloc gave, or did not. */
static void *guest_taken(void *memory, size_t size)
{
	size_t usable;

	if (memory == NULL) {
		__atomic_fetch_add(&guest.fail_count, 1, __ATOMIC_RELAXED);
		ZGI_PROBE2(guest_exhaust, size, zgi_guest_size);
		errno = ENOMEM;
		return NULL;
	}
	usable = mi_usable_size(memory);
	__atomic_fetch_add(&guest.malloc_count, 1, __ATOMIC_RELAXED);
	guest_peak(__atomic_add_fetch(&guest.live_size, usable, __ATOMIC_RELAXED));
	zgi_unpoison(memory, size);
	return memory;
}

static void guest_given(void *memory)
{
	size_t usable = mi_usable_size(memory);

	__atomic_fetch_add(&guest.free_count, 1, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&guest.live_size, usable, __ATOMIC_RELAXED);
	zgi_poison(memory, usable);
}

void *zg_guest_malloc(size_t size)
{
	return guest_taken(guest_may_take() ? mi_malloc(size) : NULL, size);
}

void *zg_guest_calloc(size_t count, size_t size)
{
	size_t size_total;
	void *memory;

	if (__builtin_mul_overflow(count, size, &size_total))
		return guest_taken(NULL, 0);
#ifdef ZGI_HAS_ASAN
	/* mimalloc's own zeroing would be seen as a write to a poisoned block. */
	memory = zg_guest_malloc(size_total);
	if (memory != NULL)
		memset(memory, 0, size_total);
	return memory;
#else
	memory = guest_may_take() ? mi_zalloc(size_total) : NULL;
	return guest_taken(memory, size_total);
#endif
}

void *zg_guest_realloc(void *memory, size_t size)
{
	void *moved;
	size_t usable;

	if (memory == NULL)
		return zg_guest_malloc(size);
	zg_assert(zgi_guest_owns(memory));
	usable = mi_usable_size(memory);
	/* As mimalloc has it: a block that would be half empty moves. */
	if (size <= usable && size >= usable / 2) {
		zgi_poison(memory, usable);
		zgi_unpoison(memory, size);
		return memory;
	}
	moved = zg_guest_malloc(size);
	if (moved == NULL)
		return NULL;
	zgi_unpoison(memory, usable);
	memcpy(moved, memory, size < usable ? size : usable);
	zg_guest_free(memory);
	return moved;
}

void *zg_guest_memalign(size_t alignment, size_t size)
{
	if (alignment == 0 || (alignment & (alignment - 1)) != 0 ||
	    alignment > ZG_GUEST_ALIGNMENT_MAX) {
		errno = EINVAL;
		return NULL;
	}
	return guest_taken(guest_may_take() ? mi_malloc_aligned(size, alignment) : NULL, size);
}

void zg_guest_free(void *memory)
{
	if (memory == NULL)
		return;
	zg_assert(zgi_guest_owns(memory));
	guest_given(memory);
	mi_free(memory);
}

size_t zg_guest_usable_size(const void *memory)
{
	if (memory == NULL)
		return 0;
	zg_assert(zgi_guest_owns(memory));
	return mi_usable_size(memory);
}

bool zg_guest_owns(const void *memory)
{
	return zgi_guest_owns(memory);
}

void zg_guest_heap_counts(struct zg_guest_counts *ret_counts)
{
	/* Freed first: a block that comes and goes in between must not make live less than 0. */
	uint64_t free_count = guest_read(&guest.free_count);
	uint64_t malloc_count = guest_read(&guest.malloc_count);

	*ret_counts = (struct zg_guest_counts){
		.size = zgi_guest_size,
		.live_count = malloc_count - free_count,
		.live_size = guest_read(&guest.live_size),
		.live_size_peak = guest_read(&guest.live_size_peak),
		.held_size = zgi_guest_is_reserved() ? zgi_mimalloc_held() : 0,
		.malloc_count = malloc_count,
		.fail_count = guest_read(&guest.fail_count),
	};
}
