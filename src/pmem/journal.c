/*
 * Appending: where the next record goes, and what makes it one.
 *
 * Segments form a ring in order of their ids. Records go to the present one until one does not
 * fit; the next was made ready long before, so going on to it is a few assignments. The ring is
 * full when the next would be the oldest that is still needed.
 *
 * A record is built where it lies, in the mapped file: what is sent to the disk are the very pages
 * that the caller wrote to. Its header is stored last, but nothing depends on that: the checksums
 * tell whether all of it got there.
 */
#include <zerog/journal.h>

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <zerog/pmem.h>

#include "base/assert.h"
#include "base/counter.h"
#include "pmem/journal_inside.h"

static_assert(ZG_JOURNAL_SEGMENT_OVERHEAD % ZGI_JOURNAL_ALIGNMENT == 0, "records are aligned");
static_assert(ZG_JOURNAL_TYPE_MAX == (uint16_t)-1, "a type is stored in 16 bits");

#define JOURNAL_BUFFER_SIZE_MIN 4096

static size_t journal_round(size_t size)
{
	return (size + ZG_JOURNAL_MEMORY_ALIGNMENT - 1) &
	       ~(size_t)(ZG_JOURNAL_MEMORY_ALIGNMENT - 1);
}

static uint32_t journal_slice_size_max(const struct zg_journal_options *options)
{
	return options->slice_size_max != 0 ? options->slice_size_max
					    : ZG_JOURNAL_SLICE_SIZE_DEFAULT;
}

/* What a slice is put together in: no less than what else a snapshot's file has in one piece. */
static size_t journal_buffer_size(const struct zg_journal_options *options)
{
	size_t room = zgi_journal_room(journal_slice_size_max(options));

	return room > JOURNAL_BUFFER_SIZE_MIN ? room : JOURNAL_BUFFER_SIZE_MIN;
}

size_t zg_journal_memory_size(const struct zg_journal_options *options)
{
	size_t count = options->segment_count;

	if (count < ZG_JOURNAL_SEGMENTS_MIN || count > ZG_JOURNAL_SEGMENTS_MAX ||
	    options->slice_size_max > ZG_JOURNAL_SLICE_SIZE_MAX)
		return 0;
	return journal_round(count * sizeof(struct zgi_journal_segment)) +
	       journal_round(count * sizeof(void *)) +
	       journal_round(count * sizeof(struct zgi_journal_view)) +
	       journal_round(journal_buffer_size(options));
}

static bool journal_segment_size_is_valid(uint64_t size)
{
	return size >= ZG_JOURNAL_SEGMENT_SIZE_MIN && size <= ZG_JOURNAL_SEGMENT_SIZE_MAX &&
	       size % 4096 == 0;
}

int zg_journal_plan(struct zg_plan *plan, const struct zg_journal_options *options)
{
	size_t size = zg_journal_memory_size(options);
	struct zg_plan_line memory = {.name = "journal", .count = 1, .size_each = size};
	struct zg_plan_line segments = {
		.name = "journal segments",
		.count = options->segment_count,
		.size_each = options->segment_size + ZG_PMEM_HEADER_SIZE,
		.parts = {{"header", ZG_PMEM_HEADER_SIZE + ZG_JOURNAL_SEGMENT_OVERHEAD},
			  {"records", options->segment_size - ZG_JOURNAL_SEGMENT_OVERHEAD}},
		.exhausted = "records are refused until a snapshot is taken",
		.counter = "refused",
	};
	int result;

	if (size == 0 || !journal_segment_size_is_valid(options->segment_size))
		return -EINVAL;
	result = zg_plan_add(plan, &memory, "segments' maps, and a snapshot's slice of %u bytes",
			     journal_slice_size_max(options));
	if (result < 0)
		return result;
	return zg_plan_add(plan, &segments, "mapped files: records until the next snapshot");
}

static unsigned char *journal_carve(unsigned char **memory, size_t size)
{
	unsigned char *part = *memory;

	*memory += journal_round(size);
	return part;
}

static void journal_init(struct zg_journal *journal, const struct zg_journal_options *options)
{
	unsigned char *memory = options->memory;
	size_t count = options->segment_count;
	size_t buffer_size = journal_buffer_size(options);

	memset(journal, 0, sizeof(*journal));
	memset(memory, 0, zg_journal_memory_size(options) - journal_round(buffer_size));
	journal->directory_fd = -1;
	journal->lock_fd = -1;
	journal->snapshot.fd = -1;
	journal->segments = (void *)journal_carve(&memory, count * sizeof(*journal->segments));
	journal->ring = (void *)journal_carve(&memory, count * sizeof(void *));
	journal->views = (void *)journal_carve(&memory, count * sizeof(*journal->views));
	journal->snapshot.buffer = journal_carve(&memory, buffer_size);
	journal->snapshot.buffer_capacity = buffer_size;
	journal->snapshot.slice_size_max = journal_slice_size_max(options);
	journal->records_size = options->segment_size - ZG_JOURNAL_SEGMENT_OVERHEAD;
	journal->accept_corruption = options->accept_corruption;
}

static int journal_check(const struct zg_journal_options *options, struct zg_text *ret_error)
{
	size_t size = zg_journal_memory_size(options);

	if (options->directory == NULL || options->directory[0] == '\0' ||
	    strlen(options->directory) > ZG_JOURNAL_DIRECTORY_SIZE_MAX) {
		zg_text_print(ret_error, "journal: the directory's path has to have 1 to %u bytes",
			      (unsigned int)ZG_JOURNAL_DIRECTORY_SIZE_MAX);
		return -EINVAL;
	}
	if (!journal_segment_size_is_valid(options->segment_size)) {
		zg_text_print(ret_error,
			      "journal %s: segment_size is %llu; it has to be a multiple of 4096, "
			      "at least %llu and at most %llu",
			      options->directory, (unsigned long long)options->segment_size,
			      (unsigned long long)ZG_JOURNAL_SEGMENT_SIZE_MIN,
			      (unsigned long long)ZG_JOURNAL_SEGMENT_SIZE_MAX);
		return -EINVAL;
	}
	if (size == 0) {
		zg_text_print(ret_error,
			      "journal %s: segment_count is %u, and has to be %u to %u; "
			      "slice_size_max is %u, and has to be %u at the most",
			      options->directory, options->segment_count, ZG_JOURNAL_SEGMENTS_MIN,
			      ZG_JOURNAL_SEGMENTS_MAX, options->slice_size_max,
			      ZG_JOURNAL_SLICE_SIZE_MAX);
		return -EINVAL;
	}
	if (options->memory == NULL || options->memory_size < size ||
	    (uintptr_t)options->memory % ZG_JOURNAL_MEMORY_ALIGNMENT != 0) {
		zg_text_print(ret_error,
			      "journal %s: it has to be lent %zu bytes of memory, aligned to %u",
			      options->directory, size, ZG_JOURNAL_MEMORY_ALIGNMENT);
		return -EINVAL;
	}
	return 0;
}

int zg_journal_open(struct zg_journal *journal, const struct zg_journal_options *options,
		    struct zg_text *ret_error)
{
	struct zgi_journal_control control;
	int result;

	zg_assert(ret_error != NULL);
	result = journal_check(options, ret_error);
	if (result < 0)
		return result;
	journal_init(journal, options);
	result = zgi_journal_directory_open(journal, options, &control, ret_error);
	if (result == 0)
		result = zgi_journal_segments_open(journal, options, &control, ret_error);
	if (result < 0) {
		zgi_journal_segments_close(journal);
		zgi_journal_directory_close(journal);
		return result;
	}
	journal->magic = ZGI_JOURNAL_MAGIC;
	return 0;
}

void zg_journal_close(struct zg_journal *journal)
{
	if (journal->magic == 0)
		return;
	zg_assert(journal->magic == ZGI_JOURNAL_MAGIC);
	zg_assert(!journal->is_committing);
	zgi_snapshot_give_up(journal);
	zgi_journal_segments_close(journal);
	zgi_journal_directory_close(journal);
	journal->magic = 0;
}

size_t zg_journal_record_size_max(const struct zg_journal *journal)
{
	return journal->records_size - ZG_JOURNAL_RECORD_OVERHEAD;
}

static int journal_rotate(struct zg_journal *journal)
{
	uint32_t next = zgi_journal_next(journal, journal->current);
	struct zgi_journal_segment *segment = journal->ring[next];

	if (next == journal->oldest) {
		zgi_counter_add(&journal->stats.refused, 1);
		return -ENOSPC;
	}
	/* Recovery looks for what was not committed in two segments, no further. */
	if (journal->flushing != journal->current) {
		zgi_counter_add(&journal->stats.congested, 1);
		return -EAGAIN;
	}
	journal->ring[journal->current]->end = journal->offset;
	segment->sequence_first = journal->sequence + 1;
	journal->current = next;
	journal->bytes = zg_pmem_bytes(&segment->map) + ZG_JOURNAL_SEGMENT_OVERHEAD;
	journal->seed = segment->seed;
	journal->offset = 0;
	zgi_journal_flush_next(journal);
	zgi_counter_add(&journal->stats.rotations, 1);
	zgi_gauge_set(&journal->stats.segments_free, journal->stats.segments_free - 1);
	return 0;
}

int zg_journal_reserve(struct zg_journal *journal, uint32_t type, size_t size, void **ret_place)
{
	int result;

	zg_assert(journal->magic == ZGI_JOURNAL_MAGIC);
	zg_assert(journal->is_replayed);
	zg_assert(type <= ZG_JOURNAL_TYPE_MAX);
	journal->is_reserved = false;
	if (ZG_UNLIKELY(journal->error != 0))
		return journal->error;
	if (ZG_UNLIKELY(size > zg_journal_record_size_max(journal)))
		return -EMSGSIZE;
	if (ZG_UNLIKELY(zgi_journal_room(size) > journal->records_size - journal->offset)) {
		result = journal_rotate(journal);
		if (result < 0)
			return result;
	}
	journal->is_reserved = true;
	journal->reserved_size = size;
	journal->reserved_type = type;
	*ret_place = journal->bytes + journal->offset + sizeof(struct zgi_journal_header);
	return 0;
}

static uint16_t journal_pending(const struct zg_journal *journal)
{
	uint64_t pending = journal->sequence + 1 - journal->sequence_durable;

	return pending < ZGI_JOURNAL_PENDING_UNKNOWN ? (uint16_t)pending
						     : ZGI_JOURNAL_PENDING_UNKNOWN;
}

void zg_journal_publish(struct zg_journal *journal, uint64_t *ret_sequence)
{
	struct zg_pmem *map = &journal->ring[journal->current]->map;
	uint64_t place = ZG_JOURNAL_SEGMENT_OVERHEAD + journal->offset;
	unsigned char *payload =
		journal->bytes + journal->offset + sizeof(struct zgi_journal_header);
	size_t size = journal->reserved_size;
	size_t room = zgi_journal_room(size);
	struct zgi_journal_header header = {
		.sequence = journal->sequence + 1,
		.size = (uint32_t)size,
		.type = (uint16_t)journal->reserved_type,
		.pending = journal_pending(journal),
	};

	zg_assert(journal->magic == ZGI_JOURNAL_MAGIC);
	zg_assert(journal->is_reserved);
	memset(payload + size, 0, room - sizeof(header) - size);
	zgi_journal_seal(journal->seed, &header, payload);
	if (size > 0)
		zg_pmem_touched(map, place + sizeof(header), room - sizeof(header));
	zg_pmem_store(map, place, &header, sizeof(header));
	journal->offset += room;
	journal->sequence++;
	journal->is_reserved = false;
	zgi_counter_add(&journal->stats.records, 1);
	zgi_counter_add(&journal->stats.bytes, size);
	__atomic_store_n(&journal->stats.sequence_last, journal->sequence, __ATOMIC_RELAXED);
	if (ret_sequence != NULL)
		*ret_sequence = journal->sequence;
}

int zg_journal_append(struct zg_journal *journal, const struct zg_journal_record *record,
		      uint64_t *ret_sequence)
{
	void *place;
	int result = zg_journal_reserve(journal, record->type, record->size, &place);

	if (result != 0)
		return result;
	if (record->size > 0)
		memcpy(place, record->bytes, record->size);
	zg_journal_publish(journal, ret_sequence);
	return 0;
}

void zg_journal_read_stats(const struct zg_journal *journal, struct zg_journal_stats *ret_stats)
{
	const uint64_t *from = &journal->stats.records;
	uint64_t *to = &ret_stats->records;
	size_t count = offsetof(struct zg_journal_stats, segments) / sizeof(*from);

	for (size_t index = 0; index < count; index++)
		to[index] = zgi_counter_read(&from[index]);
	ret_stats->segments = zgi_gauge_read(&journal->stats.segments);
	ret_stats->segments_free = zgi_gauge_read(&journal->stats.segments_free);
}
