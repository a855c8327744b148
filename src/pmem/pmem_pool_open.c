/*
 * Opening of persistent pools: what lies in the map is checked, and made into what lies in memory.
 *
 *	header   64 bytes: what the pool is, and the limit of generations
 *	words    8 bytes an object
 *	objects  each rounded up to ZG_POOL_ALIGNMENT
 *
 * The header's magic is stored last, behind a fence, so that a pool whose making was cut short is
 * none yet. All else in a new pool is zero, as the file was made.
 */
#include "pmem/pmem_pool.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "pmem/persist.h"

#define POOL_FILE_MAGIC UINT64_C(0x31306c6f6f70677a) /* "zgpool01" */
#define POOL_FILE_VERSION 1

/* As it lies in the map, little-endian. */
struct pool_header {
	uint64_t magic;
	uint64_t generation_limit; /* changes: not under the checksum */
	uint32_t version;
	uint32_t object_count;
	uint64_t object_size; /* bytes, as asked */
	uint32_t index_first;
	uint32_t tag;
	uint32_t reserved[5]; /* 0 */
	uint32_t checksum; /* CRC32C from the version to here */
};

_Static_assert(sizeof(struct pool_header) == ZG_POOL_ALIGNMENT, "words begin on a line");
_Static_assert(offsetof(struct pool_header, checksum) == 60, "nothing is between");

static uint64_t pool_words_size(uint32_t count)
{
	return ZG_POOL_ROUND((uint64_t)count * sizeof(uint64_t));
}

uint64_t zg_pmem_pool_size(const struct zg_pmem_pool_options *options)
{
	if (options->object_size == 0 || options->object_size > ZG_PMEM_POOL_OBJECT_SIZE_MAX)
		return 0;
	if (options->object_count == 0 || options->object_count > ZG_POOL_BLOCKS_MAX)
		return 0;
	return sizeof(struct pool_header) + pool_words_size(options->object_count) +
	       (uint64_t)options->object_count * ZG_POOL_ROUND(options->object_size);
}

size_t zg_pmem_pool_memory_size(const struct zg_pmem_pool_options *options)
{
	if (options->object_count == 0 || options->object_count > ZG_POOL_BLOCKS_MAX)
		return 0;
	return ZG_POOL_ROUND(options->object_count * (sizeof(uint64_t) + sizeof(uint32_t)));
}

static uint32_t pool_header_checksum(const struct pool_header *header)
{
	size_t first = offsetof(struct pool_header, version);

	return zgi_crc32c(0, (const unsigned char *)header + first,
			  offsetof(struct pool_header, checksum) - first);
}

static struct pool_header pool_header_wanted(const struct zg_pmem_pool_options *options)
{
	struct pool_header header = {
		.magic = POOL_FILE_MAGIC,
		.generation_limit = 1,
		.version = POOL_FILE_VERSION,
		.object_count = options->object_count,
		.object_size = options->object_size,
		.index_first = options->index_first,
		.tag = options->tag,
	};

	header.checksum = pool_header_checksum(&header);
	return header;
}

static int pool_check_options(const struct zg_pmem_pool_options *options, struct zg_text *error)
{
	const char *name = options->name != NULL ? options->name : "unnamed";
	uint64_t size = zg_pmem_pool_size(options);

	zg_assert(options->map != NULL);
	if (size == 0 || options->tag == 0 ||
	    options->index_first > ZG_POOL_BLOCKS_MAX - options->object_count) {
		ZGI_PMEM_TELL(error,
			      "persistent pool %s: a size, a count, an index or the tag is out of "
			      "range",
			      name);
		return -EINVAL;
	}
	if (options->memory == NULL || (uintptr_t)options->memory % ZG_POOL_ALIGNMENT != 0 ||
	    options->memory_size < zg_pmem_pool_memory_size(options)) {
		ZGI_PMEM_TELL(error, "persistent pool %s: needs %zu bytes of memory, aligned to %d",
			      name, zg_pmem_pool_memory_size(options), ZG_POOL_ALIGNMENT);
		return -EINVAL;
	}
	if (options->offset % ZG_POOL_ALIGNMENT != 0 || options->offset > options->map->size ||
	    size > options->map->size - options->offset) {
		ZGI_PMEM_TELL(error,
			      "persistent pool %s: needs %" PRIu64 " bytes at offset %" PRIu64
			      ", a multiple of %d; the map has %" PRIu64,
			      name, size, options->offset, ZG_POOL_ALIGNMENT, options->map->size);
		return -EINVAL;
	}
	return 0;
}

/* The offset of the first byte that is not 0, or `end`. */
static uint64_t pool_find_used(const struct zg_pmem *map, uint64_t offset, uint64_t end)
{
	while (offset < end && map->bytes[offset] == 0)
		offset++;
	return offset;
}

/* Makes a pool where nothing is. */
static int pool_make(const struct zg_pmem_pool *pool, const struct zg_pmem_pool_options *options,
		     struct zg_text *error)
{
	struct pool_header header = pool_header_wanted(options);
	uint64_t magic = header.magic;
	int result;

	if (!options->create || pool->map->is_read_only) {
		ZGI_PMEM_TELL(error,
			      "persistent pool %s: there is none at offset %" PRIu64 ": create it",
			      pool->name, options->offset);
		return -ENOENT;
	}
	/* A header without its magic is of a making that was cut short; all else is somebody's. */
	if (pool_find_used(pool->map, pool->words_offset, pool->objects_offset) !=
	    pool->objects_offset) {
		ZGI_PMEM_TELL(error,
			      "persistent pool %s: there is something else at offset %" PRIu64
			      ": give it a place that is zeroed",
			      pool->name, options->offset);
		return -EMEDIUMTYPE;
	}
	header.magic = 0;
	zg_pmem_store(pool->map, options->offset, &header, sizeof(header));
	zg_pmem_flush(pool->map, options->offset, sizeof(header));
	result = zg_pmem_fence(pool->map);
	if (result < 0)
		return result;
	zg_pmem_store64(pool->map, options->offset, magic);
	zg_pmem_flush(pool->map, options->offset, sizeof(magic));
	return zg_pmem_fence(pool->map);
}

static int pool_check_header(const struct zg_pmem_pool *pool, const struct pool_header *header,
			     const struct zg_pmem_pool_options *options, struct zg_text *error)
{
	if (header->magic != POOL_FILE_MAGIC) {
		ZGI_PMEM_TELL(error,
			      "persistent pool %s: there is something else at offset %" PRIu64,
			      pool->name, options->offset);
		return -EMEDIUMTYPE;
	}
	if (header->version > POOL_FILE_VERSION) {
		ZGI_PMEM_TELL(error,
			      "persistent pool %s: was made by a newer zerog: update this program",
			      pool->name);
		return -EPROTONOSUPPORT;
	}
	if (header->checksum != pool_header_checksum(header) || header->generation_limit == 0 ||
	    header->generation_limit > ZGI_PMEM_POOL_GENERATION_MAX + 1) {
		ZGI_PMEM_TELL(error,
			      "persistent pool %s: its header at offset %" PRIu64
			      " is damaged: restore the file from a copy",
			      pool->name, options->offset);
		return -EBADMSG;
	}
	if (header->object_count != options->object_count ||
	    header->object_size != options->object_size ||
	    header->index_first != options->index_first || header->tag != options->tag) {
		ZGI_PMEM_TELL(error,
			      "persistent pool %s: has %" PRIu32 " objects of %" PRIu64
			      " bytes, tag %" PRIu32 ", first index %" PRIu32
			      ": open it as what it is",
			      pool->name, header->object_count, header->object_size, header->tag,
			      header->index_first);
		return -ERANGE;
	}
	return 0;
}

/* Finds what is published; all else is free, with handles from `generation` on. */
static int pool_recover(struct zg_pmem_pool *pool, uint64_t generation, struct zg_text *error)
{
	bool is_worn = generation > ZGI_PMEM_POOL_GENERATION_MAX;

	for (uint32_t number = 0; number < pool->object_count; number++) {
		uint64_t word = zgi_pmem_pool_word(pool, number);
		uint64_t word_generation = word & ZGI_HANDLE_GENERATION_MASK;

		if (word == 0) {
			uint64_t next = is_worn ? 0 : generation;

			pool->slots[number] = ~zgi_pmem_pool_handle(pool, number, next).bits;
			if (is_worn)
				pool->retired_count++;
			else
				pool->free_ring[pool->free_count++] = number;
			continue;
		}
		if (word >> ZGI_HANDLE_INDEX_SHIFT != pool->handle_first + number ||
		    word_generation == 0 || word_generation >= pool->generation_limit) {
			ZGI_PMEM_TELL(
				error,
				"persistent pool %s: the word %016" PRIx64 " at offset %" PRIu64
				" is no handle of it: restore the file from a copy",
				pool->name, word, pool->words_offset + number * sizeof(uint64_t));
			return -EBADMSG;
		}
		pool->slots[number] = word;
		pool->published_count++;
	}
	pool->free_count_low = pool->free_count;
	return 0;
}

/* From the map to memory, and the generations of this opening. */
static int pool_load(struct zg_pmem_pool *pool, const struct zg_pmem_pool_options *options,
		     uint64_t generation, struct zg_text *error)
{
	struct pool_header header;
	int result = 0;

	memcpy(&header, pool->map->bytes + options->offset, sizeof(header));
	if (header.magic == 0) {
		result = pool_make(pool, options, error);
		memcpy(&header, pool->map->bytes + options->offset, sizeof(header));
	}
	if (result == 0)
		result = pool_check_header(pool, &header, options, error);
	if (result < 0)
		return result;
	pool->generation_limit = header.generation_limit;
	/* What volatile pools of the same tag have had in this process is stale as well. */
	if (generation < pool->generation_limit)
		generation = pool->generation_limit;
	result = pool_recover(pool, generation, error);
	if (result < 0 || pool->map->is_read_only)
		return result;
	return zgi_pmem_pool_raise_limit(pool, generation);
}

int zg_pmem_pool_open(struct zg_pmem_pool *pool, const struct zg_pmem_pool_options *options,
		      struct zg_text *ret_error)
{
	const struct zgi_handle_wish wish = {
		.index_first = options->index_first,
		.block_count = options->object_count,
		.generation_max = ZGI_PMEM_POOL_GENERATION_MAX,
		.tag = options->tag,
	};
	uint64_t generation;
	int result;

	*pool = (struct zg_pmem_pool){0};
	result = pool_check_options(options, ret_error);
	if (result < 0)
		return result;
	*pool = (struct zg_pmem_pool){
		.name = options->name != NULL ? options->name : "unnamed",
		.map = options->map,
		.object_count = options->object_count,
		.object_size = ZG_POOL_ROUND(options->object_size),
		.object_size_asked = options->object_size,
		.memory_size = zg_pmem_pool_memory_size(options),
		.slots = options->memory,
		.handle_first = (uint32_t)options->tag << 20 | options->index_first,
		.limit_offset = options->offset + offsetof(struct pool_header, generation_limit),
		.words_offset = options->offset + sizeof(struct pool_header),
	};
	pool->free_ring = (uint32_t *)(void *)(pool->slots + pool->object_count);
	pool->objects_offset = pool->words_offset + pool_words_size(pool->object_count);
	result = zgi_handles_claim(&pool->handles, &wish, &generation);
	if (result < 0)
		ZGI_PMEM_TELL(ret_error, "persistent pool %s: tag %d %s: choose another",
			      pool->name, options->tag,
			      result == -EEXIST ? "is another pool's" : "is worn out");
	if (result == 0) {
		result = pool_load(pool, options, generation, ret_error);
		if (result < 0)
			zgi_handles_release(&pool->handles, generation);
	}
	if (result < 0) {
		*pool = (struct zg_pmem_pool){0};
		return result;
	}
	pool->magic = ZGI_PMEM_POOL_MAGIC;
	zgi_watch_add(&pool->watched, &zgi_pmem_pool_watch_class);
	return 0;
}

/* The least generation that no object has had. */
static uint64_t pool_generation_unused(const struct zg_pmem_pool *pool)
{
	uint64_t unused = 1;

	for (uint32_t number = 0; number < pool->object_count; number++) {
		uint64_t slot = pool->slots[number];
		bool is_taken = slot >> ZGI_HANDLE_INDEX_SHIFT == pool->handle_first + number;
		uint64_t next = (is_taken ? slot + 1 : ~slot) & ZGI_HANDLE_GENERATION_MASK;

		if (next == 0)
			return ZGI_PMEM_POOL_GENERATION_MAX + 1;
		if (next > unused)
			unused = next;
	}
	return unused;
}

void zg_pmem_pool_close(struct zg_pmem_pool *pool)
{
	if (pool->magic == 0)
		return;
	zg_assert(pool->magic == ZGI_PMEM_POOL_MAGIC);
	zgi_watch_remove(&pool->watched);
	zgi_handles_release(&pool->handles, pool_generation_unused(pool));
	*pool = (struct zg_pmem_pool){0};
}
