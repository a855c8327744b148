/*
 * What the journal's own files share: its files, its segments, and who takes which step.
 *
 *	journal.c            reserve, publish, rotate; plan and counters
 *	journal_commit.c     what is to be flushed, and what is durable then
 *	journal_directory.c  the directory, its lock, its control file
 *	journal_segments.c   the segments' files: made, opened, put in order, used again
 *	journal_replay.c     from the files to the reader, and to a place to append at
 *	journal_recover.c    which records there are (it knows no file)
 *	journal_record.c     what a record is
 *	journal_snapshot.c   slices to a file; journal_snapshot_read.c: and back
 *
 * The directory holds:
 *
 *	lock           whoever has it locked has the journal
 *	control        how many segments there are, of what size, and whose they are
 *	segment-0000   ... and so on
 *	snapshot       the newest; snapshot.tmp while it is being written
 *
 * A segment begins with two copies of a header that gives it an id. The ids of all segments are
 * consecutive, and records go through them in that order; a segment that is used again gets the
 * next id. Its copies are written and fenced one after the other, so one of them is always whole,
 * and all of this happens before any record needs the segment.
 */
#ifndef ZEROG_PMEM_JOURNAL_INSIDE_H
#define ZEROG_PMEM_JOURNAL_INSIDE_H

#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/journal.h>
#include <zerog/pmem.h>
#include <zerog/text.h>

#include "pmem/journal_record.h"

#define ZGI_JOURNAL_MAGIC UINT32_C(0x6a726e6c)
#define ZGI_JOURNAL_FILE_MAGIC UINT64_C(0x6c6e726a2d67657a) /* "zeg-jrnl" */
#define ZGI_JOURNAL_VERSION 1
#define ZGI_JOURNAL_NAME_SIZE 24
#define ZGI_JOURNAL_SNAPSHOT "snapshot"
#define ZGI_JOURNAL_SNAPSHOT_UNFINISHED "snapshot.tmp"

struct zgi_journal_segment {
	struct zg_pmem map;
	uint64_t id;
	uint64_t sequence_first; /* of its first record, once there is one or it is the present */
	size_t end; /* bytes of records in it, once it has been left */
	uint32_t number; /* in its name */
	uint32_t seed;
};

enum zgi_snapshot_phase {
	ZGI_SNAPSHOT_NONE,
	ZGI_SNAPSHOT_WRITING,
	ZGI_SNAPSHOT_WRITTEN, /* all slices are, and it waits to be synced */
};

/* The control file. */
struct zgi_journal_control {
	uint64_t magic;
	uint32_t version;
	uint32_t segment_count; /* those that are prepared */
	uint64_t segment_size; /* bytes */
	uint64_t uuid[2];
	uint32_t reserved;
	uint32_t checksum; /* over the rest */
};

/* A snapshot's file begins with it. Records follow, as in a segment: one a slice, and one that
 * says how many there were. */
struct zgi_snapshot_header {
	uint64_t magic;
	uint32_t version;
	uint32_t checksum; /* over what follows */
	uint64_t uuid[2];
	uint64_t sequence;
};

struct zgi_snapshot_end {
	uint64_t slice_count;
	uint64_t slice_size; /* bytes of all */
};

#define ZGI_SNAPSHOT_PENDING_SLICE 1 /* what `pending` says in a snapshot */
#define ZGI_SNAPSHOT_PENDING_END 2

static inline uint32_t zgi_journal_next(const struct zg_journal *journal, uint32_t place)
{
	return place + 1 < journal->segment_count ? place + 1 : 0;
}

/* Where the present segment is another than that which is being made durable, and all of the latter
 * is, commits go on to the former. */
static inline void zgi_journal_flush_next(struct zg_journal *journal)
{
	if (journal->flushing != journal->current &&
	    journal->flushed_offset == journal->ring[journal->flushing]->end) {
		journal->flushing = zgi_journal_next(journal, journal->flushing);
		journal->flushed_offset = 0;
	}
}

/**
 * zgi_journal_directory_open() - the directory, its lock and what the control file says
 * @journal:      its descriptors, directory and uuid are set, those that were opened on failure too
 * @options:      as zg_journal_open()
 * @ret_control:  overwritten
 * @ret_error:    as zg_journal_open()
 *
 * Return: as zg_journal_open().
 */
ZG_MUST_USE int zgi_journal_directory_open(struct zg_journal *journal,
					   const struct zg_journal_options *options,
					   struct zgi_journal_control *ret_control,
					   struct zg_text *ret_error);

/**
 * zgi_journal_directory_close() - close what was opened
 * @journal:  its descriptors are -1 or open
 */
void zgi_journal_directory_close(struct zg_journal *journal);

/**
 * zgi_journal_control_write() - put a new control file in place of the old one
 * @journal:    directory_fd is used
 * @control:    its checksum is computed
 * @ret_error:  as zg_journal_open()
 *
 * Return: 0; -errno.
 */
ZG_MUST_USE int zgi_journal_control_write(struct zg_journal *journal,
					  struct zgi_journal_control *control,
					  struct zg_text *ret_error);

/**
 * zgi_journal_segments_open() - open all segments, make those that are missing, put them in order
 * @journal:    with its directory open
 * @options:    as zg_journal_open()
 * @control:    as it was read; its count is what is there now
 * @ret_error:  as zg_journal_open()
 *
 * Return: as zg_journal_open().
 */
ZG_MUST_USE int zgi_journal_segments_open(struct zg_journal *journal,
					  const struct zg_journal_options *options,
					  struct zgi_journal_control *control,
					  struct zg_text *ret_error);

/**
 * zgi_journal_segments_close() - unmap them
 * @journal:  segment_count of them are open
 */
void zgi_journal_segments_close(struct zg_journal *journal);

/**
 * zgi_journal_segment_name() - the name of a segment's file, in the directory
 * @number:  the segment's
 * @name:    ZGI_JOURNAL_NAME_SIZE bytes; overwritten
 */
void zgi_journal_segment_name(uint32_t number, char *name);

/**
 * zgi_journal_segment_format() - give a segment an id, durably
 * @journal:  its uuid is read
 * @segment:  none of its records is needed; its id and seed are left as they are, since the
 *            journal's own thread may look at those
 * @id:       the next one
 *
 * Waits for the disk twice. Return: 0; as zg_pmem_fence().
 */
ZG_MUST_USE int zgi_journal_segment_format(const struct zg_journal *journal,
					   struct zgi_journal_segment *segment, uint64_t id);

enum zgi_segment_state {
	ZGI_SEGMENT_WHOLE,
	ZGI_SEGMENT_UNEVEN, /* its copies differ, or one is damaged: to be written again */
	ZGI_SEGMENT_DAMAGED, /* both copies are */
	ZGI_SEGMENT_FOREIGN, /* of another journal, or another segment under this one's name */
};

/**
 * zgi_journal_segment_identify() - the id that a segment has by its header
 * @bytes:   of its payload, ZG_JOURNAL_SEGMENT_OVERHEAD at least
 * @uuid:    two words, the journal's
 * @number:  the segment's
 * @ret_id:  untouched but when it is whole or uneven
 */
enum zgi_segment_state zgi_journal_segment_identify(const unsigned char *bytes,
						    const uint64_t *uuid, uint32_t number,
						    uint64_t *ret_id);

/**
 * zgi_journal_segment_adopt() - use the id that a segment was formatted with
 * @journal:  its uuid is read
 * @segment:  its id and seed are set
 * @id:       the same
 */
void zgi_journal_segment_adopt(const struct zg_journal *journal,
			       struct zgi_journal_segment *segment, uint64_t id);

/**
 * zgi_snapshot_seed() - what the checksums of one slice begin with
 * @uuid:      two words, the journal's
 * @sequence:  the snapshot's
 * @number:    the slice's, from 0: so none can be missing or be taken for another
 */
uint32_t zgi_snapshot_seed(const uint64_t *uuid, uint64_t sequence, uint64_t number);

/**
 * zgi_snapshot_read() - read the snapshot's slices to a reader
 * @journal:       open; the snapshot's buffer is used
 * @reader:        as zg_journal_replay()
 * @ret_recovery:  snapshot_sequence and slice_count are set; 0 when there is none
 * @ret_error:     as zg_journal_replay()
 *
 * Return: as zg_journal_replay().
 */
ZG_MUST_USE int zgi_snapshot_read(struct zg_journal *journal,
				  const struct zg_journal_reader *reader,
				  struct zg_journal_recovery *ret_recovery,
				  struct zg_text *ret_error);

/**
 * zgi_snapshot_give_up() - drop the snapshot that is being written
 * @journal:  with or without one
 */
void zgi_snapshot_give_up(struct zg_journal *journal);

#endif
