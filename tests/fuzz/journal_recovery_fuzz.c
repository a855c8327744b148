/*
 * Fuzzes recovery: arbitrary bytes as the segments of a journal. What the right answer is nobody
 * can say, but some things are always so: a record that is read has passed its checksums, comes
 * after the one before it, and lies in its segment; what is cut off never comes back; and a record
 * that is appended at the end is read with those before it, next time.
 *
 * An input is a list of commands that fill the segments from their beginnings:
 *
 *	r S N P  a record of S bytes, whose number is N behind that of the one before (0: 1),
 *	         published when the one P + 1 before it was durable; its bytes follow
 *	t        as r, and then one bit of it is changed
 *	b N      N bytes as they follow
 *	z N      8 * N zeros
 *	v        the next segment
 *
 * The first byte says where a snapshot is, and whether corruption is accepted. Bytes that are no
 * command are left out.
 */
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "pmem/journal_recover.h"

#define FUZZ_VIEWS 3
#define FUZZ_VIEW_SIZE 2048
#define FUZZ_RECORDS_MAX (FUZZ_VIEWS * FUZZ_VIEW_SIZE / sizeof(struct zgi_journal_header))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_source {
	const uint8_t *data;
	size_t size;
};

/* What was read. */
struct fuzz_seen {
	uint64_t sequences[FUZZ_RECORDS_MAX];
	uint64_t count;
};

static alignas(8) unsigned char fuzz_bytes[FUZZ_VIEWS][FUZZ_VIEW_SIZE];
static struct zgi_journal_view fuzz_views[FUZZ_VIEWS];
static struct zgi_journal_recovery fuzz_recovery;
static struct fuzz_seen fuzz_first;
static struct fuzz_seen fuzz_second;

static uint8_t fuzz_next(struct fuzz_source *source)
{
	if (source->size == 0)
		return 0;
	source->size--;
	return *source->data++;
}

static size_t fuzz_take(struct fuzz_source *source, unsigned char *bytes, size_t size)
{
	size_t count = size < source->size ? size : source->size;

	if (count > 0)
		memcpy(bytes, source->data, count);
	source->data += count;
	source->size -= count;
	return count;
}

static size_t fuzz_put_record(struct fuzz_source *source, struct zgi_journal_view *view,
			      size_t offset, uint64_t *sequence)
{
	unsigned char *place = fuzz_bytes[view - fuzz_views] + offset;
	size_t size = fuzz_next(source);
	uint8_t step = fuzz_next(source);
	struct zgi_journal_header header = {.size = (uint32_t)size, .type = step};

	header.pending = (uint16_t)(fuzz_next(source) + 1);
	if (zgi_journal_room(size) > view->size - offset)
		return 0;
	*sequence += step == 0 ? 1 : step;
	header.sequence = *sequence;
	(void)fuzz_take(source, place + sizeof(header), size);
	zgi_journal_seal(view->seed, &header, place + sizeof(header));
	memcpy(place, &header, sizeof(header));
	return zgi_journal_room(size);
}

static void fuzz_tear(struct fuzz_source *source, unsigned char *place, size_t room)
{
	if (room > 0)
		place[fuzz_next(source) % room] ^= 1;
}

static size_t fuzz_pad(size_t size)
{
	return (size + ZGI_JOURNAL_ALIGNMENT - 1) & ~(size_t)(ZGI_JOURNAL_ALIGNMENT - 1);
}

static void fuzz_fill(struct fuzz_source *source)
{
	uint64_t sequence = 0;
	uint32_t number = 0;
	size_t offset = 0;

	while (source->size > 0) {
		struct zgi_journal_view *view = &fuzz_views[number];
		size_t left = view->size - offset;
		uint8_t command = fuzz_next(source);
		size_t room;

		if (command == 'r' || command == 't') {
			room = fuzz_put_record(source, view, offset, &sequence);
			if (command == 't')
				fuzz_tear(source, fuzz_bytes[number] + offset, room);
			offset += room;
		} else if (command == 'b') {
			room = fuzz_next(source);
			room = room < left ? room : left;
			offset += fuzz_pad(fuzz_take(source, fuzz_bytes[number] + offset, room));
		} else if (command == 'z') {
			room = (size_t)fuzz_next(source) * ZGI_JOURNAL_ALIGNMENT;
			offset += room < left ? room : left;
		} else if (command == 'v' && number + 1 < FUZZ_VIEWS) {
			number++;
			offset = 0;
		}
	}
}

static void fuzz_start(void)
{
	static const uint64_t uuid[2] = {1, 2};

	memset(fuzz_bytes, 0, sizeof(fuzz_bytes));
	for (uint32_t number = 0; number < FUZZ_VIEWS; number++)
		fuzz_views[number] = (struct zgi_journal_view){
			.bytes = fuzz_bytes[number],
			.size = FUZZ_VIEW_SIZE,
			.seed = zgi_journal_seed(uuid, number + 1),
		};
}

/* By the slow checksum, and by the bytes before the payload: nothing that the recovery did. */
static void fuzz_check_record(const struct zg_journal_record *record)
{
	struct zgi_journal_header header;
	const unsigned char *place = (const unsigned char *)record->bytes - sizeof(header);
	uint32_t number = 0;
	uint32_t seed;

	while (number < FUZZ_VIEWS &&
	       (place < fuzz_bytes[number] || place >= fuzz_bytes[number] + FUZZ_VIEW_SIZE))
		number++;
	zg_assert(number < FUZZ_VIEWS);
	zg_assert(record->size <=
		  (size_t)(fuzz_bytes[number] + FUZZ_VIEW_SIZE - place) - sizeof(header));
	memcpy(&header, place, sizeof(header));
	seed = fuzz_views[number].seed;
	zg_assert(header.sequence == record->sequence && header.size == record->size);
	zg_assert(header.payload_checksum ==
		  zgi_crc32c_portable(seed, record->bytes, record->size));
	zg_assert(header.header_checksum == zgi_crc32c_portable(seed, place + sizeof(uint32_t),
								sizeof(header) - sizeof(uint32_t)));
}

static int fuzz_on_record(void *user, const struct zg_journal_record *record)
{
	struct fuzz_seen *seen = user;
	uint64_t former =
		seen->count > 0 ? seen->sequences[seen->count - 1] : fuzz_recovery.covered;

	fuzz_check_record(record);
	zg_assert(record->sequence > former);
	if (!fuzz_recovery.accept_corruption)
		zg_assert(record->sequence == former + 1);
	zg_assert(seen->count < FUZZ_RECORDS_MAX);
	seen->sequences[seen->count++] = record->sequence;
	return 0;
}

static int fuzz_recover(struct fuzz_seen *seen, uint64_t covered, bool accept_corruption)
{
	struct zg_journal_reader reader = {NULL, fuzz_on_record, seen};

	seen->count = 0;
	fuzz_recovery = (struct zgi_journal_recovery){
		.views = fuzz_views,
		.view_count = FUZZ_VIEWS,
		.covered = covered,
		.accept_corruption = accept_corruption,
		.reader = &reader,
	};
	return zgi_journal_recover(&fuzz_recovery);
}

/* What a journal does with what was cut off. */
static void fuzz_wipe(void)
{
	for (uint32_t number = 0; number < FUZZ_VIEWS; number++) {
		const struct zgi_journal_view *view = &fuzz_views[number];

		if (view->wipe_end == 0)
			continue;
		zg_assert(view->wipe_begin < view->wipe_end && view->wipe_end <= view->size);
		zg_assert(number >= fuzz_recovery.end.view);
		memset(fuzz_bytes[number] + view->wipe_begin, 0, view->wipe_end - view->wipe_begin);
	}
}

/* A record at the end. Return: false when there is no room in that segment. */
static bool fuzz_append(void)
{
	struct zgi_journal_view *view = &fuzz_views[fuzz_recovery.end.view];
	struct zgi_journal_header header = {
		.sequence = fuzz_recovery.found.sequence_last + 1,
		.size = 0,
		.pending = 1,
	};

	zg_assert(fuzz_recovery.end.offset <= view->size);
	if (view->size - fuzz_recovery.end.offset < sizeof(header))
		return false;
	zgi_journal_seal(view->seed, &header, NULL);
	memcpy(fuzz_bytes[fuzz_recovery.end.view] + fuzz_recovery.end.offset, &header,
	       sizeof(header));
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_source source = {data, size};
	uint8_t choice = fuzz_next(&source);
	bool accept_corruption = (choice & 1) != 0;
	uint64_t covered = choice / 2 % 16;
	uint64_t count;

	fuzz_start();
	fuzz_fill(&source);
	if (fuzz_recover(&fuzz_first, covered, accept_corruption) < 0) {
		zg_assert(!accept_corruption && fuzz_recovery.is_damaged);
		return 0;
	}
	zg_assert(accept_corruption || fuzz_recovery.found.lost_count == 0);
	fuzz_wipe();
	count = fuzz_first.count;
	if (fuzz_append())
		count++;
	zg_assert(fuzz_recover(&fuzz_second, covered, accept_corruption) == 0);
	zg_assert(fuzz_second.count == count);
	zg_assert(memcmp(fuzz_first.sequences, fuzz_second.sequences,
			 fuzz_first.count * sizeof(uint64_t)) == 0);
	zg_assert(fuzz_recovery.found.torn_count == 0);
	return 0;
}
