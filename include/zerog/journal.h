/*
 * Journal: records appended to a directory of prepared files, durable a group at a time.
 *
 * A service that must not forget applies a command, appends a record of it, and replies once
 * that record is durable. The journal keeps such records in *segments*: files of one size that
 * are all made, filled and named at open, so that a commit is one fdatasync(2) of bytes whose
 * blocks have been there for long, and no disk fills up while serving. Records are published to
 * memory one by one and made durable together: one flush for all that gathered.
 *
 *	open ─ replay ─┬─ reserve, publish ─ ... ─ commit_begin ─ (a flush) ─ commit_end ─┐
 *	               └──────────────────────────────────────────────────────────────────┘
 *
 * A *snapshot* is the application's state as of one record, written in slices while serving. The
 * segments whose records it makes superfluous are used again. At open the snapshot is read, and
 * then every record after it, in order.
 *
 * What a crash leaves behind: a record that was not wholly written is cut off, and so is what
 * came after it, none of which had been committed. A damaged record that had been committed is
 * told apart by those that follow it, and refused with its file and offset.
 *
 * Ownership  The caller lends the memory at open and has it back after close. The directory and
 *            the files in it are the journal's while it is open; one process at a time.
 * Threads    One thread owns a journal. A flush begun by zg_journal_commit_begin() and
 *            zg_journal_snapshot_sync() may run on any other meanwhile; the counters may be read
 *            by any.
 * Limits     ZG_JOURNAL_SEGMENTS_MAX segments of ZG_JOURNAL_SEGMENT_SIZE_MAX bytes; a record fits
 *            one segment, a slice the options' slice_size_max.
 */
#ifndef ZEROG_JOURNAL_H
#define ZEROG_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/plan.h>
#include <zerog/pmem.h>
#include <zerog/text.h>

ZG_BEGIN_DECLS

struct zgi_journal_segment;
struct zgi_journal_view;

#define ZG_JOURNAL_SEGMENTS_MIN 2
#define ZG_JOURNAL_SEGMENTS_MAX 1024
#define ZG_JOURNAL_SEGMENT_SIZE_MIN (UINT64_C(64) << 10)
#define ZG_JOURNAL_SEGMENT_SIZE_MAX (UINT64_C(1) << 30)
#define ZG_JOURNAL_SLICE_SIZE_MAX (UINT32_C(16) << 20)
#define ZG_JOURNAL_SLICE_SIZE_DEFAULT (UINT32_C(64) << 10)
#define ZG_JOURNAL_TYPE_MAX UINT16_MAX
#define ZG_JOURNAL_RECORD_OVERHEAD 24 /* bytes before each record, which is padded to 8 */
#define ZG_JOURNAL_SEGMENT_OVERHEAD 4096 /* bytes of a segment that hold no record */
#define ZG_JOURNAL_DIRECTORY_SIZE_MAX 4000 /* bytes of its path */
#define ZG_JOURNAL_COMMIT_BUCKETS 20
#define ZG_JOURNAL_MEMORY_ALIGNMENT 64

struct zg_journal_options {
	const char *directory; /* read during open only */
	uint64_t segment_size; /* bytes of one, a multiple of 4096, as the journal was made with; a
				* file is ZG_PMEM_HEADER_SIZE larger */
	uint32_t segment_count; /* ZG_JOURNAL_SEGMENTS_MIN to _MAX; may be more than before */
	uint32_t slice_size_max; /* bytes of a snapshot's slice; 0: ZG_JOURNAL_SLICE_SIZE_DEFAULT */
	bool create; /* make the directory and the journal where there is none */
	bool accept_corruption; /* go on past damage, and count the records that are lost by it */
	void *memory; /* borrowed until close; aligned to ZG_JOURNAL_MEMORY_ALIGNMENT */
	size_t memory_size; /* bytes, at least zg_journal_memory_size() */
};

/* One record as it is read back, or one slice of a snapshot. */
struct zg_journal_record {
	uint64_t sequence; /* of a slice: the last record there was when it was written */
	const void *bytes; /* borrowed during the call; aligned to 8 */
	size_t size; /* bytes */
	uint32_t type;
};

/* Whom the journal is read to. What is returned and negative ends the replay, and is its result. */
struct zg_journal_reader {
	int (*on_slice)(void *user, const struct zg_journal_record *slice);
	int (*on_record)(void *user, const struct zg_journal_record *record);
	void *user;
};

/* What a replay found. */
struct zg_journal_recovery {
	uint64_t snapshot_sequence; /* the record that the snapshot was begun after; 0: none */
	uint64_t slice_count;
	uint64_t record_count; /* records read to the reader */
	uint64_t sequence_last; /* of the last record, or the snapshot's when none follow it */
	uint64_t torn_size; /* bytes cut off that were part of a record, or of records behind one */
	uint64_t torn_count; /* whole records among them, none of which was known to be durable */
	uint64_t lost_count; /* records that accept_corruption went on without */
	uint64_t duration_ns;
};

/* What is to be flushed; see zg_journal_commit_begin(). */
struct zg_journal_commit {
	uint64_t sequence; /* the last record that is durable once this is */
	int fd; /* borrowed: what fdatasync(2) is given; -1 when nothing is left to do */
};

/* Counters since open, and what is so now. */
struct zg_journal_stats {
	uint64_t records; /* published */
	uint64_t bytes; /* of their payloads */
	uint64_t commits; /* flushes that ended well */
	uint64_t commits_failed;
	/* Commits by the records in each: the n-th counts those of 2^n to 2^(n+1) - 1. */
	uint64_t commit_records[ZG_JOURNAL_COMMIT_BUCKETS];
	uint64_t rotations; /* segments that were filled */
	uint64_t refused; /* records refused because every segment was full */
	uint64_t congested; /* records refused because two segments waited to be durable */
	uint64_t unprepared; /* segments that open could not make for want of space */
	uint64_t snapshots;
	uint64_t snapshots_failed;
	uint64_t sequence_last;
	uint64_t sequence_durable;
	uint32_t segments; /* prepared */
	uint32_t segments_free; /* of those, behind the one that is written to */
};

/* Writes one slice, or a few, by zg_journal_snapshot_write(). Return: 1 when there is more to
 * write, 0 when that was all, or a negative errno, which gives the snapshot up. */
typedef int zg_journal_slice_writer(void *user);

/* The fields are the journal's. */
struct zg_journal_snapshot {
	zg_journal_slice_writer *writer;
	void *user; /* borrowed */
	unsigned char *buffer; /* borrowed */
	uint64_t sequence; /* of the last record before it was begun */
	uint64_t offset; /* bytes written to the file */
	uint64_t slice_count;
	uint64_t slice_size; /* bytes of all slices */
	size_t buffer_capacity; /* bytes */
	size_t buffer_size; /* bytes that are not in the file yet */
	uint32_t slice_size_max; /* bytes */
	uint32_t seed;
	uint32_t flush_first; /* the first segment to flush before the snapshot may count */
	uint32_t flush_count; /* segments that are */
	uint32_t recycle_count; /* segments that are to be used again */
	uint32_t recycled_count; /* segments that are */
	int flush_error; /* of a segment's flush */
	int fd;
	int phase;
};

struct zg_journal {
	uint32_t magic;
	int error; /* 0, or why nothing can be made durable any more */

	/* What an append touches. The ring's numbers count its places, from 0. */
	unsigned char *bytes; /* of the present segment, where its records are */
	size_t offset; /* of the next record in it */
	size_t records_size; /* bytes of it that hold records */
	uint64_t sequence; /* of the last record */
	uint64_t sequence_durable;
	size_t reserved_size; /* bytes of the record that is being built */
	uint32_t reserved_type;
	uint32_t seed; /* of the present segment */
	bool is_reserved;
	bool is_replayed;
	bool is_committing;

	uint32_t current; /* the segment that is written to */
	uint32_t oldest; /* the first that is still needed */
	uint32_t flushing; /* the first with bytes that are not durable */
	size_t flushed_offset; /* bytes of that one which are */
	size_t commit_offset; /* ... once the present commit is done */
	struct zg_pmem_pending pending; /* the present commit's */
	struct zg_journal_commit commit; /* the present one */

	struct zgi_journal_segment **ring; /* borrowed: in order of their ids */
	struct zgi_journal_segment *segments; /* borrowed: in order of their names */
	struct zgi_journal_view *views; /* borrowed: for the replay */
	uint32_t segment_count;
	uint32_t segment_count_max;
	uint64_t uuid[2];
	uint64_t id_next; /* of a segment that is used again */
	int directory_fd;
	int lock_fd;
	bool accept_corruption;
	char directory[256]; /* for messages: its path, or the end of it */
	struct zg_journal_snapshot snapshot;
	struct zg_journal_stats stats;
};

/**
 * zg_journal_memory_size() - bytes that a journal is to be lent
 * @options:  segment_count and slice_size_max are read
 *
 * The segments themselves are mapped files, and not part of it.
 *
 * Return: bytes, a multiple of ZG_JOURNAL_MEMORY_ALIGNMENT; 0 when a value is out of range.
 */
size_t zg_journal_memory_size(const struct zg_journal_options *options);

/**
 * zg_journal_plan() - the lines of a plan that a journal asks for
 * @plan:     initialised; appended to: "journal", the memory that is lent, and "journal segments",
 *            the files, which are mapped and stay in memory as long as there is room
 * @options:  segment_size, segment_count and slice_size_max are read
 *
 * Return: 0; -EINVAL when a value is out of range; or as zg_plan_add().
 */
ZG_MUST_USE int zg_journal_plan(struct zg_plan *plan, const struct zg_journal_options *options);

/**
 * zg_journal_open() - open a directory's journal, or make one
 * @journal:    the caller's; overwritten; it stays where it is until it is closed
 * @options:    read during the call
 * @ret_error:  on failure, appended to: one sentence that names the file, and what to change
 *
 * Makes each segment that is missing up to segment_count: allocated, filled with zeros and flushed,
 * which takes as long as the disk needs to write that much. What was being made when a former
 * process ended is made anew. Nothing is appended to, and nothing overwritten, before the replay.
 *
 * With too little space for all segments it goes on with those it has, at least
 * ZG_JOURNAL_SEGMENTS_MIN, and counts the others in `unprepared`.
 *
 * Return: 0; -EINVAL for options out of range, or that differ from what the journal was made with;
 * -ENOENT when there is none and @options says not to create it, or when a file is missing;
 * -EBUSY when another process has it open; -ENOSPC when there is no space for two segments;
 * -EBADMSG when a file is damaged; -EROFS or -EACCES for a directory that cannot be written; or
 * what zg_pmem_open() says of a segment: another program's file (-EMEDIUMTYPE), or a newer version
 * (-EPROTONOSUPPORT). On failure nothing is left open. Boot only: it maps memory.
 */
ZG_MUST_USE int zg_journal_open(struct zg_journal *journal,
				const struct zg_journal_options *options,
				struct zg_text *ret_error);

/**
 * zg_journal_close() - end it; the memory is the caller's again
 * @journal:  open, with no commit begun and not ended; or zeroed
 *
 * Records that were published and not committed are left to the kernel: they survive the end of
 * the process, and may not survive that of the machine. A snapshot that was begun is given up.
 */
void zg_journal_close(struct zg_journal *journal);

/**
 * zg_journal_replay() - read the snapshot and the records after it, and be ready to append
 * @journal:       open, not replayed yet
 * @reader:        on_slice may be NULL where no snapshot was ever taken, on_record where nobody
 *                 wants to know
 * @ret_recovery:  what was found; written on failure too, as far as it got; may be NULL
 * @ret_error:     on failure, appended to: one sentence with file and offset
 *
 * Once, before the first append. When it returns, all it has read is durable. What is read comes
 * in order, each record once, and has passed its checksum. On failure the journal can only be
 * closed, its files as they were.
 *
 * Return: 0; -EBADMSG when a committed record is damaged or missing, or the snapshot is; -EINVAL
 * when there is a snapshot and nobody to read it; -EIO as a file's flush says; or the reader's
 * own.
 */
ZG_MUST_USE int zg_journal_replay(struct zg_journal *journal,
				  const struct zg_journal_reader *reader,
				  struct zg_journal_recovery *ret_recovery,
				  struct zg_text *ret_error);

/**
 * zg_journal_record_size_max() - the largest record that fits
 * @journal:  open
 *
 * Return: bytes of payload.
 */
size_t zg_journal_record_size_max(const struct zg_journal *journal);

/**
 * zg_journal_reserve() - a place in the journal to build a record in
 * @journal:    replayed
 * @type:       the caller's own, up to ZG_JOURNAL_TYPE_MAX
 * @size:       bytes of payload, 0 allowed
 * @ret_place:  @size bytes, aligned to 8, contents undefined, until zg_journal_publish(); untouched
 *              on failure
 *
 * A record that was reserved and not published is dropped: reserving again is how to give it up.
 * May go on to the next segment, which is ready.
 *
 * Return: 0; -EMSGSIZE past zg_journal_record_size_max(); -ENOSPC when all segments are full, which
 * a snapshot puts right; -EAGAIN when the segment is full and the one before it is not durable yet,
 * which a commit puts right; -EIO or another errno when a commit has failed: the journal is of no
 * use any more, since nobody can tell what the disk has.
 */
ZG_MUST_USE int zg_journal_reserve(struct zg_journal *journal, uint32_t type, size_t size,
				   void **ret_place);

/**
 * zg_journal_publish() - the reserved record is whole: the next commit takes it along
 * @journal:       with a record reserved
 * @ret_sequence:  its number, from 1 on without a gap; may be NULL
 *
 * Computes the checksum. The record is not durable yet.
 */
void zg_journal_publish(struct zg_journal *journal, uint64_t *ret_sequence);

/**
 * zg_journal_append() - reserve, copy and publish in one
 * @journal:       replayed
 * @record:        type, bytes and size are read, and copied
 * @ret_sequence:  as zg_journal_publish(); untouched on failure
 *
 * Return: as zg_journal_reserve().
 */
ZG_MUST_USE int zg_journal_append(struct zg_journal *journal,
				  const struct zg_journal_record *record, uint64_t *ret_sequence);

/**
 * zg_journal_commit_begin() - what has to be flushed for the published records to be durable
 * @journal:     replayed
 * @ret_commit:  what to flush, and up to which record that counts; untouched on failure
 *
 * One commit is under way at a time; records are published meanwhile, and the next one takes them
 * along. A commit covers one segment: after records went on to the next, it ends with the last one
 * of the former, and a further commit is due at once. So reply up to the commit's sequence, not up
 * to the last record published, and begin again while zg_journal_is_dirty().
 *
 * In true persistent memory all is done before it returns.
 *
 * Return: 1 when the caller is to flush ret_commit->fd by fdatasync(2), on any thread or ring, and
 * then to call zg_journal_commit_end() with its result; 0 when all that is published is durable,
 * and there is nothing to end; -EBUSY while a commit is under way; the errno of an earlier failure.
 */
ZG_MUST_USE int zg_journal_commit_begin(struct zg_journal *journal,
					struct zg_journal_commit *ret_commit);

/**
 * zg_journal_commit_end() - the flush is over
 * @journal:  with a commit under way
 * @commit:   as zg_journal_commit_begin() gave it
 * @result:   of the flush: 0, or a negative errno
 *
 * After a flush that failed nothing is appended or committed any more: what the kernel could not
 * write it may drop, and the next flush may say that all is well (fsync(2), "EIO").
 */
void zg_journal_commit_end(struct zg_journal *journal, const struct zg_journal_commit *commit,
			   int result);

/**
 * zg_journal_commit() - make all that is published durable, waiting for it
 * @journal:  replayed, with no commit under way
 *
 * Return: 0; -EBUSY; or as the flush says.
 */
ZG_MUST_USE int zg_journal_commit(struct zg_journal *journal);

/**
 * zg_journal_is_dirty() - is there a record that is published and not durable?
 * @journal:  open
 */
static inline bool zg_journal_is_dirty(const struct zg_journal *journal)
{
	return journal->sequence != journal->sequence_durable;
}

/**
 * zg_journal_snapshot_begin() - begin a snapshot as of the last record published
 * @journal:  replayed, with no snapshot begun
 * @writer:   called by zg_journal_snapshot_step() to write slices
 * @user:     its argument
 *
 * Records go on being appended while the slices are written. The snapshot stands for the state as
 * of now: records after it will be replayed upon it. So either the writer writes from a copy made
 * now; or a slice's own sequence number, which it is read back with, tells which records it has in
 * it already.
 *
 * Return: 0; -EBUSY when one is begun already; -errno of creating the file.
 */
ZG_MUST_USE int zg_journal_snapshot_begin(struct zg_journal *journal,
					  zg_journal_slice_writer *writer, void *user);

/**
 * zg_journal_snapshot_write() - one slice of the snapshot
 * @journal:  whose snapshot's writer is calling
 * @type:     the caller's own, up to ZG_JOURNAL_TYPE_MAX
 * @bytes:    copied
 * @size:     bytes, up to the options' slice_size_max
 *
 * Return: 0; -EMSGSIZE; -ENOSPC and others of write(2).
 */
ZG_MUST_USE int zg_journal_snapshot_write(struct zg_journal *journal, uint32_t type,
					  const void *bytes, size_t size);

/**
 * zg_journal_snapshot_step() - let the writer write some slices
 * @journal:   with a snapshot begun
 * @size_max:  bytes after which it is enough for now; at least one slice is written
 *
 * What is written goes to the page cache, with no flush.
 *
 * Return: 1 when there is more to write; 0 when all is written, and zg_journal_snapshot_sync() is
 * next; a negative errno, of the writer or of write(2): the snapshot is given up, the journal goes
 * on.
 */
ZG_MUST_USE int zg_journal_snapshot_step(struct zg_journal *journal, uint64_t size_max);

/**
 * zg_journal_snapshot_sync() - make the snapshot durable, and old segments ready to be used again
 * @journal:  whose zg_journal_snapshot_step() has returned 0
 *
 * The long part: it waits for the disk. On any one thread, for example of the offload pool, while
 * the journal's own goes on appending and committing; it touches nothing that those do. The
 * snapshot takes its name by rename(2) once it is durable, so that at any moment either the old
 * one or the new one is there, whole.
 *
 * Return: 0; a negative errno: the old snapshot stands.
 */
ZG_MUST_USE int zg_journal_snapshot_sync(struct zg_journal *journal);

/**
 * zg_journal_snapshot_end() - the snapshot is over; its segments are free
 * @journal:  whose zg_journal_snapshot_sync() has returned
 * @result:   what it returned
 */
void zg_journal_snapshot_end(struct zg_journal *journal, int result);

/**
 * zg_journal_snapshot() - begin, write, sync and end in one, waiting
 * @journal:  replayed, with no snapshot begun
 * @writer:   called until it returns 0
 * @user:     its argument
 *
 * Return: 0; or a negative errno of any of them.
 */
ZG_MUST_USE int zg_journal_snapshot(struct zg_journal *journal, zg_journal_slice_writer *writer,
				    void *user);

/**
 * zg_journal_read_stats() - the counters, and what is so now
 * @journal:    open
 * @ret_stats:  overwritten
 *
 * Any thread; each figure is that of some recent moment.
 */
void zg_journal_read_stats(const struct zg_journal *journal, struct zg_journal_stats *ret_stats);

ZG_END_DECLS

#endif
