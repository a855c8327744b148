/*
 * Walks over the records of a journal, and judges what it finds where the next one should be.
 *
 * Where no record with the expected number begins, one of four things is so:
 *
 *  1. The next segment begins with it: the writer went on there, and so do we.
 *  2. No record is found further on: this is the end.
 *  3. Those further on were published when the expected one was not known to be durable. It was
 *     never committed, and so none of those was: the kernel writes pages in any order. They are cut
 *     off, and made unreadable, or one of them might one day follow a record that is written here.
 *  4. One of those was published after the expected one was durable: a committed record is damaged
 *     or missing.
 *
 * The last two are told apart by `pending`, which each record carries; see recover_goes_on(). What
 * cannot be told from the end of a journal is damage to its last commit, with no record after it:
 * it looks as if that commit had never been. It is counted as torn.
 *
 * Commits make segments durable one after the other. So a committed record further on lies in
 * this segment or in the next, or those that follow begin with one.
 */
#include "pmem/journal_recover.h"

#include <errno.h>

#include "base/assert.h"

/* What was found behind a place where a record should have been. */
struct recover_rest {
	struct zgi_journal_place place; /* of the first */
	uint64_t sequence; /* of the first; 0: none was found */
	uint64_t count;
	uint64_t size; /* bytes of all */
	bool was_durable; /* the needed record, when one of these was published */
};

/* The number of the first record from the expected one on that the reader has to be told of. */
static uint64_t recover_needed(const struct zgi_journal_recovery *recovery)
{
	uint64_t expected = recovery->found.sequence_last + 1;

	return expected > recovery->covered ? expected : recovery->covered + 1;
}

static void recover_note(struct zgi_journal_recovery *recovery, struct recover_rest *rest,
			 struct zgi_journal_place place, const struct zgi_journal_header *header)
{
	uint64_t needed = recover_needed(recovery);
	struct zgi_journal_view *view = &recovery->views[place.view];

	if (rest->sequence == 0) {
		rest->place = place;
		rest->sequence = header->sequence;
	}
	rest->count++;
	rest->size += zgi_journal_room(header->size);
	if (header->pending != ZGI_JOURNAL_PENDING_UNKNOWN && header->sequence > needed &&
	    header->sequence - needed >= header->pending)
		rest->was_durable = true;
	if (view->wipe_end == 0)
		view->wipe_begin = place.offset;
	view->wipe_end = place.offset + zgi_journal_room(header->size);
}

static void recover_look_on(struct zgi_journal_recovery *recovery,
			    const struct zgi_journal_place *from, struct recover_rest *rest)
{
	uint64_t expected = recovery->found.sequence_last + 1;
	struct zgi_journal_header header;

	*rest = (struct recover_rest){0};
	for (uint32_t number = from->view; number < recovery->view_count; number++) {
		struct zgi_journal_view *view = &recovery->views[number];
		struct zgi_journal_place place = {number, number == from->view ? from->offset : 0};

		if (number > from->view + 1 && view->sequence_first == 0)
			continue;
		while (zgi_journal_find(view, expected, &place.offset, &header)) {
			recover_note(recovery, rest, place, &header);
			place.offset += zgi_journal_room(header.size);
		}
	}
}

/* Nothing that was found is to be made unreadable after all. */
static void recover_keep(struct zgi_journal_recovery *recovery)
{
	for (uint32_t number = 0; number < recovery->view_count; number++)
		recovery->views[number].wipe_end = 0;
}

/* Bytes of the record that is not whole, as far as its header tells. */
static uint64_t recover_torn_size(const struct zgi_journal_recovery *recovery,
				  const struct zgi_journal_place *place)
{
	const struct zgi_journal_view *view = &recovery->views[place->view];
	size_t size_left = view->size - place->offset;
	struct zgi_journal_header header;

	if (size_left < sizeof(header))
		return 0;
	header = *(const struct zgi_journal_header *)(const void *)(view->bytes + place->offset);
	if (header.sequence != recovery->found.sequence_last + 1)
		return 0;
	if (!zgi_journal_header_is_whole(view->seed, &header))
		return sizeof(header);
	return zgi_journal_room(header.size) < size_left ? zgi_journal_room(header.size)
							 : size_left;
}

static void recover_end(struct zgi_journal_recovery *recovery,
			const struct zgi_journal_place *place, const struct recover_rest *rest)
{
	recovery->end = *place;
	recovery->found.torn_size = recover_torn_size(recovery, place) + rest->size;
	recovery->found.torn_count = rest->count;
	for (uint32_t number = place->view + 1; number < recovery->view_count; number++)
		recovery->views[number].sequence_first = 0;
	if (recovery->found.sequence_last >= recovery->covered)
		return;
	/* The records that the snapshot has are not all here. The next one's number does not follow
	 * from what stands before this place, so it goes to another segment. */
	recovery->end.offset = recovery->views[place->view].size;
	recovery->found.sequence_last = recovery->covered;
}

static void recover_note_damage(struct zgi_journal_recovery *recovery,
				struct zgi_journal_place place, const struct recover_rest *rest,
				uint64_t needed)
{
	recovery->found.lost_count += rest->sequence - needed;
	if (recovery->is_damaged)
		return;
	/* Where nothing looks like the record it may be the first of the next segment. */
	if (rest->place.view > place.view && recover_torn_size(recovery, &place) == 0)
		place = (struct zgi_journal_place){place.view + 1, 0};
	zg_assert(place.view < recovery->view_count);
	recovery->is_damaged = true;
	recovery->damage = place;
	recovery->damage_sequence = needed;
}

/*
 * Is what was found behind a hole to be read? Records that the snapshot has were durable before it
 * was, so the hole among them is damage that does not matter. Any other needs a proof. Once a hole
 * was passed by a proof nothing is cut off any more: it might be that proof, without which the next
 * recovery would judge otherwise.
 */
static bool recover_goes_on(const struct zgi_journal_recovery *recovery,
			    const struct recover_rest *rest)
{
	uint64_t expected = recovery->found.sequence_last + 1;

	if (rest->sequence == 0)
		return false;
	if (expected <= recovery->covered && rest->sequence <= recovery->covered + 1)
		return true;
	return rest->was_durable || recovery->has_hole;
}

/* No record with the expected number is here, nor in the next segment's first place. Return: 1 to
 * go on from the place; 0 at the end. */
static int recover_judge(struct zgi_journal_recovery *recovery, struct zgi_journal_place *place)
{
	uint64_t needed = recover_needed(recovery);
	struct recover_rest rest;

	recover_look_on(recovery, place, &rest);
	if (!recover_goes_on(recovery, &rest)) {
		recover_end(recovery, place, &rest);
		return 0;
	}
	recover_keep(recovery);
	recovery->has_hole |= rest.was_durable;
	if (rest.sequence > needed) {
		recover_note_damage(recovery, *place, &rest, needed);
		if (!recovery->accept_corruption)
			return -EBADMSG;
	}
	for (uint32_t number = place->view + 1; number <= rest.place.view; number++)
		recovery->views[number].sequence_first = rest.sequence;
	*place = rest.place;
	recovery->found.sequence_last = rest.sequence - 1;
	return 1;
}

static int recover_tell(struct zgi_journal_recovery *recovery, struct zgi_journal_place place,
			const struct zgi_journal_header *header)
{
	struct zg_journal_record record = {
		.sequence = header->sequence,
		.bytes = recovery->views[place.view].bytes + place.offset + sizeof(*header),
		.size = header->size,
		.type = header->type,
	};
	int result;

	if (header->sequence <= recovery->covered)
		return 0;
	recovery->found.record_count++;
	if (recovery->reader == NULL || recovery->reader->on_record == NULL)
		return 0;
	result = recovery->reader->on_record(recovery->reader->user, &record);
	return result < 0 ? result : 0;
}

/* To the last segment that begins with a record which is needed, or with one before it. */
static void recover_start(struct zgi_journal_recovery *recovery)
{
	uint64_t needed = recovery->covered + 1;
	struct zgi_journal_header header;

	recovery->start = (struct zgi_journal_place){0};
	recovery->found.sequence_last = recovery->covered;
	for (uint32_t number = 0; number < recovery->view_count; number++) {
		struct zgi_journal_view *view = &recovery->views[number];

		view->wipe_end = 0;
		view->sequence_first =
			zgi_journal_record_at(view, 0, &header) ? header.sequence : 0;
		if (view->sequence_first == 0 || view->sequence_first > needed)
			continue;
		recovery->start.view = number;
		recovery->found.sequence_last = view->sequence_first - 1;
	}
}

int zgi_journal_recover(struct zgi_journal_recovery *recovery)
{
	struct zgi_journal_place place;
	struct zgi_journal_header header;
	int result;

	zg_assert(recovery->view_count > 0);
	recover_start(recovery);
	place = recovery->start;
	for (;;) {
		struct zgi_journal_view *view = &recovery->views[place.view];
		uint64_t expected = recovery->found.sequence_last + 1;

		if (zgi_journal_record_at(view, place.offset, &header) &&
		    header.sequence == expected) {
			result = recover_tell(recovery, place, &header);
			if (result < 0)
				return result;
			if (place.offset == 0)
				view->sequence_first = expected;
			place.offset += zgi_journal_room(header.size);
			recovery->found.sequence_last = expected;
			continue;
		}
		if (place.view + 1 < recovery->view_count && view[1].sequence_first == expected) {
			place = (struct zgi_journal_place){place.view + 1, 0};
			continue;
		}
		result = recover_judge(recovery, &place);
		if (result <= 0)
			return result;
	}
}
