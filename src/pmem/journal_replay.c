/*
 * Replay: from the files to the reader, and then to a place to append at.
 *
 * The files are changed only once all of it has been read and nothing is wrong. What is read may
 * have been published by a process that ended before it committed: it is in the page cache, and
 * perhaps not on the disk. So all segments that records were read from are flushed before the
 * journal calls them durable.
 */
#include <zerog/journal.h>

#include <errno.h>
#include <string.h>

#include <zerog/pmem.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/counter.h"
#include "pmem/journal_inside.h"
#include "pmem/journal_recover.h"

static const unsigned char replay_zeros[4096];

static void replay_views(struct zg_journal *journal, struct zgi_journal_recovery *recovery)
{
	for (uint32_t place = 0; place < journal->segment_count; place++) {
		struct zgi_journal_segment *segment = journal->ring[place];

		journal->views[place] = (struct zgi_journal_view){
			.bytes = zg_pmem_bytes(&segment->map) + ZG_JOURNAL_SEGMENT_OVERHEAD,
			.size = journal->records_size,
			.seed = segment->seed,
		};
	}
	recovery->views = journal->views;
	recovery->view_count = journal->segment_count;
}

static void replay_say_damage(const struct zg_journal *journal,
			      const struct zgi_journal_recovery *recovery,
			      struct zg_text *ret_error)
{
	const struct zgi_journal_place *place = &recovery->damage;
	char name[ZGI_JOURNAL_NAME_SIZE];

	zgi_journal_segment_name(journal->ring[place->view]->number, name);
	zg_text_print(
		ret_error,
		"journal %s: %s is damaged at offset %llu: record %llu, which was committed, "
		"is not there or not whole, and %llu in all: restore the directory, or accept "
		"the corruption to go on without them",
		journal->directory, name,
		(unsigned long long)(ZG_PMEM_HEADER_SIZE + ZG_JOURNAL_SEGMENT_OVERHEAD +
				     place->offset),
		(unsigned long long)recovery->damage_sequence,
		(unsigned long long)recovery->found.lost_count);
	if (recovery->damage_sequence == 1)
		zg_text_print(ret_error,
			      " (the file " ZGI_JOURNAL_SNAPSHOT " may be what is missing)");
}

/* Records that were cut off must never be read. */
static void replay_wipe(struct zgi_journal_segment *segment, const struct zgi_journal_view *view)
{
	size_t size;

	for (size_t offset = view->wipe_begin; offset < view->wipe_end; offset += size) {
		size = view->wipe_end - offset;
		if (size > sizeof(replay_zeros))
			size = sizeof(replay_zeros);
		zg_pmem_store(&segment->map, ZG_JOURNAL_SEGMENT_OVERHEAD + offset, replay_zeros,
			      size);
	}
}

static int replay_make_durable(struct zg_journal *journal,
			       const struct zgi_journal_recovery *recovery)
{
	for (uint32_t place = recovery->start.view; place < journal->segment_count; place++) {
		struct zgi_journal_segment *segment = journal->ring[place];
		const struct zgi_journal_view *view = &recovery->views[place];
		int result;

		if (place > recovery->end.view && view->wipe_end == 0)
			continue;
		replay_wipe(segment, view);
		zg_pmem_flush(&segment->map, ZG_JOURNAL_SEGMENT_OVERHEAD, journal->records_size);
		result = zg_pmem_fence(&segment->map);
		if (result < 0)
			return result;
	}
	return 0;
}

/* The segments before the first that is needed: an earlier process did not get so far. */
static int replay_recycle(struct zg_journal *journal, uint32_t count)
{
	for (uint32_t place = 0; place < count; place++) {
		struct zgi_journal_segment *segment = journal->ring[place];
		int result = zgi_journal_segment_format(journal, segment, journal->id_next);

		if (result < 0)
			return result;
		zgi_journal_segment_adopt(journal, segment, journal->id_next++);
	}
	journal->oldest = count;
	return 0;
}

static void replay_stand(struct zg_journal *journal, const struct zgi_journal_recovery *recovery)
{
	struct zgi_journal_segment *present = journal->ring[recovery->end.view];
	uint32_t count = journal->segment_count;

	for (uint32_t place = recovery->start.view; place <= recovery->end.view; place++)
		journal->ring[place]->sequence_first = recovery->views[place].sequence_first;
	journal->sequence = recovery->found.sequence_last;
	journal->sequence_durable = journal->sequence;
	if (present->sequence_first == 0)
		present->sequence_first = journal->sequence + 1;
	journal->current = recovery->end.view;
	journal->flushing = journal->current;
	journal->offset = recovery->end.offset;
	journal->flushed_offset = journal->offset;
	journal->bytes = zg_pmem_bytes(&present->map) + ZG_JOURNAL_SEGMENT_OVERHEAD;
	journal->seed = present->seed;
	zgi_gauge_set(&journal->stats.segments_free,
		      (journal->oldest + count - journal->current - 1) % count);
	__atomic_store_n(&journal->stats.sequence_last, journal->sequence, __ATOMIC_RELAXED);
	__atomic_store_n(&journal->stats.sequence_durable, journal->sequence, __ATOMIC_RELAXED);
	journal->is_replayed = true;
}

static int replay_settle(struct zg_journal *journal, const struct zgi_journal_recovery *recovery,
			 struct zg_text *ret_error)
{
	int result = replay_make_durable(journal, recovery);

	if (result == 0)
		result = replay_recycle(journal, recovery->start.view);
	if (result < 0) {
		zg_text_print(ret_error, "journal %s: a segment cannot be written to: %s",
			      journal->directory, strerrordesc_np(-result));
		return result;
	}
	replay_stand(journal, recovery);
	return 0;
}

static int replay_run(struct zg_journal *journal, struct zgi_journal_recovery *recovery,
		      struct zg_text *ret_error)
{
	int result = zgi_snapshot_read(journal, recovery->reader, &recovery->found, ret_error);

	if (result < 0)
		return result;
	recovery->covered = recovery->found.snapshot_sequence;
	replay_views(journal, recovery);
	result = zgi_journal_recover(recovery);
	if (result == -EBADMSG && recovery->is_damaged && !recovery->accept_corruption)
		replay_say_damage(journal, recovery, ret_error);
	else if (result < 0)
		zg_text_print(ret_error, "journal %s: record %llu was refused by its reader: %s",
			      journal->directory,
			      (unsigned long long)recovery->found.sequence_last + 1,
			      strerrordesc_np(-result));
	if (result < 0)
		return result;
	return replay_settle(journal, recovery, ret_error);
}

int zg_journal_replay(struct zg_journal *journal, const struct zg_journal_reader *reader,
		      struct zg_journal_recovery *ret_recovery, struct zg_text *ret_error)
{
	uint64_t begin_ns = zgi_clock_ns();
	struct zgi_journal_recovery recovery = {
		.accept_corruption = journal->accept_corruption,
		.reader = reader,
	};
	int result;

	zg_assert(journal->magic == ZGI_JOURNAL_MAGIC);
	zg_assert(!journal->is_replayed);
	zg_assert(reader != NULL && ret_error != NULL);
	result = replay_run(journal, &recovery, ret_error);
	recovery.found.duration_ns = zgi_clock_ns() - begin_ns;
	if (ret_recovery != NULL)
		*ret_recovery = recovery.found;
	return result;
}
