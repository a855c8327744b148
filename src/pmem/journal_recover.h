/*
 * Recovery: which records there are in a row of segments, in order, and where they end.
 *
 * It reads views and calls back; what it finds wrong it notes, and changes nothing. So the same
 * code runs over mapped files, over the images that a test makes of crashes, and over the
 * arbitrary bytes of a fuzzer.
 */
#ifndef ZEROG_PMEM_JOURNAL_RECOVER_H
#define ZEROG_PMEM_JOURNAL_RECOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/journal.h>

#include "pmem/journal_record.h"

/* A place that records begin or stop at. */
struct zgi_journal_place {
	uint32_t view;
	size_t offset; /* bytes */
};

struct zgi_journal_recovery {
	/* Set by the caller. */
	struct zgi_journal_view *views; /* borrowed: in order of the segments' ids; sequence_first
					 * and wipe_end are written */
	uint32_t view_count; /* at least 1 */
	uint64_t covered; /* the last record that a snapshot has; 0: none */
	bool accept_corruption;
	const struct zg_journal_reader *reader; /* borrowed */

	/* What is found. */
	struct zgi_journal_place start; /* the first record that is walked over */
	struct zgi_journal_place end; /* where the next record goes; the view's size when that one
				       * is not to be written to any more */
	struct zgi_journal_place damage; /* the first, when is_damaged */
	uint64_t damage_sequence; /* of the record that should be there */
	bool is_damaged;
	bool has_hole; /* something was read behind a hole because of a later record */
	struct zg_journal_recovery found; /* but the snapshot's part and the time */
};

/**
 * zgi_journal_recover() - walk over the records
 * @recovery:  see there; zeroed but for what the caller sets
 *
 * Return: 0; -EBADMSG at damage that accept_corruption does not allow for; the reader's own error.
 */
ZG_MUST_USE int zgi_journal_recover(struct zgi_journal_recovery *recovery);

#endif
