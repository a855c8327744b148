/*
 * The seam of persistent memory.
 *
 * Nothing else in src/pmem stores to a mapping, or flushes or fences it; so a test that looks on
 * here has seen all that a crash can undo. Outside of tests the witness is NULL, and costs one
 * predicted branch.
 *
 * Of an ordinary file the flushed range is kept as one, from the lowest byte to the highest: what
 * lies between two flushed places and is not dirty costs the kernel a look at its page table, and
 * a list of ranges would need a limit of its own.
 */
#include "pmem/persist.h"

#include <libpmem.h>

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "base/counter.h"

static void persist_check(const struct zg_pmem *map)
{
	zg_assert(map->magic == ZGI_PMEM_MAGIC);
}

/* Also that the range is to be written. */
static void persist_check_range(const struct zg_pmem *map, uint64_t offset, size_t size)
{
	persist_check(map);
	zg_assert(!map->is_read_only);
	zg_assert(offset <= map->size && size <= map->size - offset);
}

void zgi_pmem_over(struct zg_pmem *map, void *bytes, uint64_t size)
{
	zg_assert(bytes != NULL && (uintptr_t)bytes % 64 == 0);
	*map = (struct zg_pmem){
		.magic = ZGI_PMEM_MAGIC,
		.bytes = bytes,
		.size = size,
		.fd = -1,
	};
}

void zg_pmem_store(struct zg_pmem *map, uint64_t offset, const void *bytes, size_t size)
{
	persist_check_range(map, offset, size);
	if (size == 0)
		return;
	memcpy(map->bytes + offset, bytes, size);
	if (ZG_UNLIKELY(map->witness != NULL))
		map->witness->store(map->witness, map, offset, size);
}

void zg_pmem_store64(struct zg_pmem *map, uint64_t offset, uint64_t word)
{
	persist_check_range(map, offset, sizeof(word));
	zg_assert(offset % sizeof(word) == 0);
	__atomic_store_n((uint64_t *)(void *)(map->bytes + offset), word, __ATOMIC_RELEASE);
	if (ZG_UNLIKELY(map->witness != NULL))
		map->witness->store(map->witness, map, offset, sizeof(word));
}

void zg_pmem_touched(struct zg_pmem *map, uint64_t offset, size_t size)
{
	persist_check_range(map, offset, size);
	if (ZG_UNLIKELY(map->witness != NULL && size > 0))
		map->witness->store(map->witness, map, offset, size);
}

static void persist_remember(struct zg_pmem *map, uint64_t offset, size_t size)
{
	if (map->flush_first == map->flush_end) {
		map->flush_first = offset;
		map->flush_end = offset + size;
		return;
	}
	if (offset < map->flush_first)
		map->flush_first = offset;
	if (offset + size > map->flush_end)
		map->flush_end = offset + size;
}

void zg_pmem_flush(struct zg_pmem *map, uint64_t offset, size_t size)
{
	persist_check_range(map, offset, size);
	if (size == 0)
		return;
	zgi_counter_add(&map->flush_count, 1);
	if (map->is_persistent_memory)
		pmem_flush(map->bytes + offset, size);
	else
		persist_remember(map, offset, size);
	if (ZG_UNLIKELY(map->witness != NULL))
		map->witness->flush(map->witness, map, offset, size);
}

void zg_pmem_fence_begin(struct zg_pmem *map, struct zg_pmem_pending *ret_pending)
{
	struct zg_pmem_pending pending = {
		.first = map->flush_first,
		.end = map->flush_end,
		.fd = -1,
	};

	persist_check(map);
	zg_assert(!map->is_read_only);
	zgi_counter_add(&map->fence_count, 1);
	if (map->is_persistent_memory)
		pmem_drain();
	else if (pending.first != pending.end)
		pending.fd = map->fd;
	map->flush_first = 0;
	map->flush_end = 0;
	if (ZG_UNLIKELY(map->witness != NULL))
		pending.mark = map->witness->fence_begin(map->witness, map);
	*ret_pending = pending;
}

int zg_pmem_fence_end(struct zg_pmem *map, const struct zg_pmem_pending *pending, int result)
{
	persist_check(map);
	zg_assert(pending->end <= map->size);
	if (ZG_UNLIKELY(map->witness != NULL))
		result = map->witness->fence_end(map->witness, map, pending->mark, result);
	/* The kernel calls pages clean that it failed to write, so the next fence would succeed. */
	if (result < 0 && map->error == 0)
		map->error = result;
	return map->error;
}

int zg_pmem_fence(struct zg_pmem *map)
{
	struct zg_pmem_pending pending;
	int result = 0;

	zg_pmem_fence_begin(map, &pending);
	if (pending.fd >= 0 &&
	    pmem_msync(map->bytes + pending.first, (size_t)(pending.end - pending.first)) < 0)
		result = -errno;
	return zg_pmem_fence_end(map, &pending, result);
}

bool zg_pmem_is_persistent_memory(const struct zg_pmem *map)
{
	persist_check(map);
	return map->is_persistent_memory;
}

int zg_pmem_fd(const struct zg_pmem *map)
{
	persist_check(map);
	return map->is_persistent_memory ? -1 : map->fd;
}
