/*
 * Group commit: one flush for all records that were published since the last one.
 *
 * Segments become durable one after the other, each from its beginning on: so the records that
 * are durable are always all those up to some number. Recovery depends on it.
 *
 * A flush that failed is the end. The kernel may have dropped what it could not write, and the
 * next flush would succeed without it; so nothing is acknowledged any more, and the next start
 * finds out what the disk has.
 */
#include <zerog/journal.h>

#include <errno.h>

#include <zerog/pmem.h>

#include "base/assert.h"
#include "base/counter.h"
#include "pmem/journal_inside.h"

static uint32_t commit_bucket(uint64_t records)
{
	uint32_t bucket = 63 - (uint32_t)__builtin_clzll(records);

	return bucket < ZG_JOURNAL_COMMIT_BUCKETS ? bucket : ZG_JOURNAL_COMMIT_BUCKETS - 1;
}

static void commit_start(struct zg_journal *journal)
{
	struct zgi_journal_segment *segment = journal->ring[journal->flushing];
	bool is_present = journal->flushing == journal->current;
	uint32_t next = zgi_journal_next(journal, journal->flushing);

	journal->commit_offset = is_present ? journal->offset : segment->end;
	journal->commit.sequence =
		is_present ? journal->sequence : journal->ring[next]->sequence_first - 1;
	zg_assert(journal->commit.sequence > journal->sequence_durable);
	zg_assert(journal->commit_offset > journal->flushed_offset);
	zg_pmem_flush(&segment->map, ZG_JOURNAL_SEGMENT_OVERHEAD + journal->flushed_offset,
		      journal->commit_offset - journal->flushed_offset);
}

static int commit_finish(struct zg_journal *journal, int result)
{
	uint64_t records = journal->commit.sequence - journal->sequence_durable;

	if (result < 0) {
		journal->error = result;
		zgi_counter_add(&journal->stats.commits_failed, 1);
		return result;
	}
	journal->sequence_durable = journal->commit.sequence;
	journal->flushed_offset = journal->commit_offset;
	zgi_counter_add(&journal->stats.commits, 1);
	zgi_counter_add(&journal->stats.commit_records[commit_bucket(records)], 1);
	__atomic_store_n(&journal->stats.sequence_durable, journal->sequence_durable,
			 __ATOMIC_RELAXED);
	zgi_journal_flush_next(journal);
	return 0;
}

int zg_journal_commit_begin(struct zg_journal *journal, struct zg_journal_commit *ret_commit)
{
	zg_assert(journal->magic == ZGI_JOURNAL_MAGIC);
	zg_assert(journal->is_replayed);
	if (journal->error != 0)
		return journal->error;
	if (journal->is_committing)
		return -EBUSY;
	while (zg_journal_is_dirty(journal)) {
		struct zg_pmem *map;
		int result;

		commit_start(journal);
		map = &journal->ring[journal->flushing]->map;
		zg_pmem_fence_begin(map, &journal->pending);
		journal->commit.fd = journal->pending.fd;
		if (journal->pending.fd >= 0) {
			journal->is_committing = true;
			*ret_commit = journal->commit;
			return 1;
		}
		result = commit_finish(journal, zg_pmem_fence_end(map, &journal->pending, 0));
		if (result < 0)
			return result;
	}
	*ret_commit = (struct zg_journal_commit){journal->sequence_durable, -1};
	return 0;
}

void zg_journal_commit_end(struct zg_journal *journal, const struct zg_journal_commit *commit,
			   int result)
{
	struct zg_pmem *map = &journal->ring[journal->flushing]->map;

	zg_assert(journal->magic == ZGI_JOURNAL_MAGIC);
	zg_assert(journal->is_committing);
	zg_assert(commit->sequence == journal->commit.sequence);
	zg_assert(result <= 0);
	journal->is_committing = false;
	(void)commit_finish(journal, zg_pmem_fence_end(map, &journal->pending, result));
}

int zg_journal_commit(struct zg_journal *journal)
{
	zg_assert(journal->magic == ZGI_JOURNAL_MAGIC);
	zg_assert(journal->is_replayed);
	if (journal->is_committing)
		return -EBUSY;
	while (journal->error == 0 && zg_journal_is_dirty(journal)) {
		commit_start(journal);
		(void)commit_finish(journal, zg_pmem_fence(&journal->ring[journal->flushing]->map));
	}
	return journal->error;
}
