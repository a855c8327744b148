/*
 * The segments' files.
 *
 * Each has two copies of a header, in different sectors, which are written one after the other
 * with a fence between: whatever moment the machine stops at, one of them is whole. Where they
 * differ the segment was being given a new id and has no record under it yet.
 *
 * Ids are consecutive, so a segment that is missing, or was put back from elsewhere, is noticed
 * by the gap.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <zerog/pmem.h>

#include "base/assert.h"
#include "base/counter.h"
#include "base/crc32c.h"
#include "pmem/journal_inside.h"

/* Linux 5.14; older headers do not name it. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

#define SEGMENT_COPIES 2
#define SEGMENT_COPY_DISTANCE 2048
#define SEGMENT_PATH_SIZE (ZG_JOURNAL_DIRECTORY_SIZE_MAX + 1 + ZGI_JOURNAL_NAME_SIZE)

/* As it is stored. */
struct segment_header {
	uint64_t magic;
	uint64_t uuid[2];
	uint64_t id;
	uint32_t number;
	uint32_t checksum; /* over the rest */
};

static_assert(sizeof(struct segment_header) == 40, "the format of a segment");
static_assert(SEGMENT_COPIES * SEGMENT_COPY_DISTANCE <= ZG_JOURNAL_SEGMENT_OVERHEAD,
	      "records begin behind the copies");

void zgi_journal_segment_name(uint32_t number, char *name)
{
	snprintf(name, ZGI_JOURNAL_NAME_SIZE, "segment-%04u", number);
}

static uint32_t segment_checksum(const struct segment_header *header)
{
	return zgi_crc32c(0, header, offsetof(struct segment_header, checksum));
}

/* Who appends is not to wait for the disk to read what will be overwritten, and what a service
 * occupies is not to grow while it serves. A favour only: without it the same works slower. */
static void segment_populate(struct zgi_journal_segment *segment)
{
	(void)madvise(zg_pmem_bytes(&segment->map), segment->map.size, MADV_POPULATE_READ);
}

int zgi_journal_segment_format(const struct zg_journal *journal,
			       struct zgi_journal_segment *segment, uint64_t id)
{
	struct segment_header header = {
		.magic = ZGI_JOURNAL_FILE_MAGIC,
		.uuid = {journal->uuid[0], journal->uuid[1]},
		.id = id,
		.number = segment->number,
	};

	header.checksum = segment_checksum(&header);
	/* The last copy first: while both differ, the first one has the old id. */
	for (uint32_t copy = SEGMENT_COPIES; copy-- > 0;) {
		uint64_t offset = (uint64_t)copy * SEGMENT_COPY_DISTANCE;
		int result;

		zg_pmem_store(&segment->map, offset, &header, sizeof(header));
		zg_pmem_flush(&segment->map, offset, sizeof(header));
		result = zg_pmem_fence(&segment->map);
		if (result < 0)
			return result;
	}
	segment_populate(segment);
	return 0;
}

void zgi_journal_segment_adopt(const struct zg_journal *journal,
			       struct zgi_journal_segment *segment, uint64_t id)
{
	segment->id = id;
	segment->seed = zgi_journal_seed(journal->uuid, id);
	segment->sequence_first = 0;
	segment->end = 0;
}

static int segment_new(const struct zg_journal *journal, struct zgi_journal_segment *segment,
		       uint64_t id)
{
	int result = zgi_journal_segment_format(journal, segment, id);

	if (result == 0)
		zgi_journal_segment_adopt(journal, segment, id);
	return result;
}

static int segment_open(struct zgi_journal_segment *segment,
			const struct zg_journal_options *options, bool create,
			struct zg_text *ret_error)
{
	char path[SEGMENT_PATH_SIZE];
	char name[ZGI_JOURNAL_NAME_SIZE];
	struct zg_pmem_options map_options = {
		.path = path,
		.size = options->segment_size,
		.magic = ZGI_JOURNAL_FILE_MAGIC,
		.version = ZGI_JOURNAL_VERSION,
		.create = create,
		.write_through = create,
	};
	int result;

	zgi_journal_segment_name(segment->number, name);
	snprintf(path, sizeof(path), "%s/%s", options->directory, name);
	result = zg_pmem_open(&segment->map, &map_options, ret_error);
	if (result == 0)
		segment_populate(segment);
	return result;
}

static int segment_say(const struct zg_journal *journal, uint32_t number, const char *what,
		       int error, struct zg_text *ret_error)
{
	char name[ZGI_JOURNAL_NAME_SIZE];

	zgi_journal_segment_name(number, name);
	zg_text_print(ret_error, "journal %s: %s %s", journal->directory, name, what);
	return error;
}

enum zgi_segment_state zgi_journal_segment_identify(const unsigned char *bytes,
						    const uint64_t *uuid, uint32_t number,
						    uint64_t *ret_id)
{
	struct segment_header header;
	uint32_t whole_count = 0;
	bool is_even = true;
	uint64_t id = 0;

	for (uint32_t copy = 0; copy < SEGMENT_COPIES; copy++) {
		memcpy(&header, bytes + (size_t)copy * SEGMENT_COPY_DISTANCE, sizeof(header));
		if (header.magic != ZGI_JOURNAL_FILE_MAGIC ||
		    header.checksum != segment_checksum(&header))
			continue;
		if (header.uuid[0] != uuid[0] || header.uuid[1] != uuid[1] ||
		    header.number != number)
			return ZGI_SEGMENT_FOREIGN;
		is_even = whole_count == 0 || header.id == id;
		id = header.id > id ? header.id : id;
		whole_count++;
	}
	if (whole_count == 0)
		return ZGI_SEGMENT_DAMAGED;
	*ret_id = id;
	return is_even && whole_count == SEGMENT_COPIES ? ZGI_SEGMENT_WHOLE : ZGI_SEGMENT_UNEVEN;
}

/* What its header says. One whose header is lost has an id of 0, where that is accepted. */
static int segment_identify(const struct zg_journal *journal, struct zgi_journal_segment *segment,
			    struct zg_text *ret_error)
{
	uint64_t id = 0;
	enum zgi_segment_state state = zgi_journal_segment_identify(
		zg_pmem_bytes(&segment->map), journal->uuid, segment->number, &id);

	if (state == ZGI_SEGMENT_FOREIGN)
		return segment_say(journal, segment->number,
				   "belongs to another journal, or under another name",
				   -EMEDIUMTYPE, ret_error);
	if (state == ZGI_SEGMENT_DAMAGED && !journal->accept_corruption)
		return segment_say(journal, segment->number,
				   "is damaged: both copies of its header, at offsets 4096 and "
				   "6144",
				   -EBADMSG, ret_error);
	if (state == ZGI_SEGMENT_UNEVEN && zgi_journal_segment_format(journal, segment, id) < 0)
		return segment_say(journal, segment->number, "cannot be written to", -EIO,
				   ret_error);
	zgi_journal_segment_adopt(journal, segment, id);
	return 0;
}

/* A place in the ring for an opened segment, by its id. */
static void segments_insert(struct zg_journal *journal, uint32_t count,
			    struct zgi_journal_segment *segment)
{
	uint32_t place = count;

	for (; place > 0 && journal->ring[place - 1]->id > segment->id; place--)
		journal->ring[place] = journal->ring[place - 1];
	journal->ring[place] = segment;
}

/* Those that the control file counts. */
static int segments_open_known(struct zg_journal *journal, const struct zg_journal_options *options,
			       uint32_t count, struct zg_text *ret_error)
{
	for (uint32_t number = 0; number < count; number++) {
		struct zgi_journal_segment *segment = &journal->segments[number];
		int result;

		segment->number = number;
		result = segment_open(segment, options, false, ret_error);
		if (result == -ENOENT)
			zg_text_print(ret_error,
				      " (a segment of journal %s is missing: restore it)",
				      journal->directory);
		if (result < 0)
			return result;
		journal->segment_count++;
		result = segment_identify(journal, segment, ret_error);
		if (result < 0)
			return result;
		/* An id of 0, for now: it comes first, and gets the next one. */
		segments_insert(journal, number, segment);
	}
	return 0;
}

/* Those whose headers are lost, with accept_corruption, hold no record that can be told. */
static int segments_renew(struct zg_journal *journal, struct zg_text *ret_error)
{
	uint32_t count = journal->segment_count;

	while (count > 0 && journal->ring[0]->id == 0) {
		struct zgi_journal_segment *segment = journal->ring[0];
		int result = segment_new(journal, segment, journal->id_next);

		if (result < 0)
			return segment_say(journal, segment->number, "cannot be written to", result,
					   ret_error);
		journal->id_next++;
		for (uint32_t place = 1; place < count; place++)
			journal->ring[place - 1] = journal->ring[place];
		journal->ring[count - 1] = segment;
	}
	return 0;
}

static int segments_check_order(const struct zg_journal *journal, struct zg_text *ret_error)
{
	for (uint32_t place = 1; place < journal->segment_count; place++) {
		uint64_t expected = journal->ring[place - 1]->id + 1;

		if (journal->ring[place]->id == expected || journal->accept_corruption)
			continue;
		zg_text_print(ret_error,
			      "journal %s: the segment with id %llu is missing, or another file is "
			      "in its place: restore the directory as a whole",
			      journal->directory, (unsigned long long)expected);
		return -EBADMSG;
	}
	return 0;
}

/* Those that are not there yet. Too little space for all of them is no failure. */
static int segments_prepare(struct zg_journal *journal, const struct zg_journal_options *options,
			    struct zg_text *ret_error)
{
	while (journal->segment_count < options->segment_count) {
		uint32_t number = journal->segment_count;
		struct zgi_journal_segment *segment = &journal->segments[number];
		char buffer[512];
		struct zg_text error;
		int result;

		zg_text_init(&error, buffer, sizeof(buffer));
		segment->number = number;
		result = segment_open(segment, options, true, &error);
		if ((result == -ENOSPC || result == -EDQUOT) && number >= ZG_JOURNAL_SEGMENTS_MIN) {
			zgi_counter_add(&journal->stats.unprepared,
					options->segment_count - number);
			return 0;
		}
		if (result < 0) {
			zg_text_append(ret_error, (struct zg_slice){error.data, error.size});
			return result;
		}
		journal->segment_count++;
		result = segment_new(journal, segment, journal->id_next);
		if (result < 0)
			return segment_say(journal, number, "cannot be written to", result,
					   ret_error);
		journal->id_next++;
		journal->ring[number] = segment;
	}
	return 0;
}

int zgi_journal_segments_open(struct zg_journal *journal, const struct zg_journal_options *options,
			      struct zgi_journal_control *control, struct zg_text *ret_error)
{
	int result = segments_open_known(journal, options, control->segment_count, ret_error);

	if (result < 0)
		return result;
	journal->id_next = 1;
	if (journal->segment_count > 0)
		journal->id_next = journal->ring[journal->segment_count - 1]->id + 1;
	result = segments_renew(journal, ret_error);
	if (result == 0)
		result = segments_check_order(journal, ret_error);
	if (result == 0)
		result = segments_prepare(journal, options, ret_error);
	if (result < 0)
		return result;
	zg_assert(journal->segment_count >= ZG_JOURNAL_SEGMENTS_MIN);
	zgi_gauge_set(&journal->stats.segments, journal->segment_count);
	if (journal->segment_count == control->segment_count)
		return 0;
	control->segment_count = journal->segment_count;
	return zgi_journal_control_write(journal, control, ret_error);
}

void zgi_journal_segments_close(struct zg_journal *journal)
{
	for (uint32_t number = 0; number < journal->segment_count; number++)
		zg_pmem_close(&journal->segments[number].map);
	journal->segment_count = 0;
}
