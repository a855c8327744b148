/*
 * Snapshots: the application's state in a file of its own, and old segments used again.
 *
 * Three parts, as with a commit. The journal's own thread has slices written, as many at a time as
 * it likes; they go to a buffer and from there to the page cache. Then some thread waits for the
 * disk: it flushes the file, gives it its name, and formats the segments that it makes
 * superfluous. Then the journal's own thread takes note. In between it appends and commits as
 * ever; what the waiting thread touches is in `snapshot`, and in segments that nobody else looks
 * at until then.
 *
 * The records that a snapshot stands for are durable before it has its name. Otherwise a machine
 * might stop with the snapshot there and those not, and what is appended next would have a number
 * that does not follow from what lies before it.
 */
#include <zerog/journal.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <zerog/pmem.h>

#include "base/assert.h"
#include "base/counter.h"
#include "base/crc32c.h"
#include "pmem/journal_inside.h"

#define SNAPSHOT_MODE 0600

static_assert(sizeof(struct zgi_snapshot_header) == 40, "the format of a snapshot");

uint32_t zgi_snapshot_seed(const uint64_t *uuid, uint64_t sequence, uint64_t number)
{
	return zgi_crc32c(zgi_journal_seed(uuid, sequence), &number, sizeof(number));
}

static void snapshot_close(struct zg_journal *journal)
{
	struct zg_journal_snapshot *snapshot = &journal->snapshot;

	if (snapshot->fd >= 0)
		close(snapshot->fd);
	snapshot->fd = -1;
	snapshot->phase = ZGI_SNAPSHOT_NONE;
}

void zgi_snapshot_give_up(struct zg_journal *journal)
{
	if (journal->snapshot.phase == ZGI_SNAPSHOT_NONE)
		return;
	snapshot_close(journal);
	/* If it cannot be removed, the next one is written over it. */
	(void)unlinkat(journal->directory_fd, ZGI_JOURNAL_SNAPSHOT_UNFINISHED, 0);
	zgi_counter_add(&journal->stats.snapshots_failed, 1);
}

static int snapshot_write_out(struct zg_journal_snapshot *snapshot)
{
	size_t done = 0;

	while (done < snapshot->buffer_size) {
		ssize_t size = pwrite(snapshot->fd, snapshot->buffer + done,
				      snapshot->buffer_size - done, (off_t)snapshot->offset);

		if (size < 0 && errno == EINTR)
			continue;
		if (size <= 0)
			return size < 0 ? -errno : -ENOSPC;
		done += (size_t)size;
		snapshot->offset += (uint64_t)size;
	}
	snapshot->buffer_size = 0;
	return 0;
}

/* A record of the snapshot's, into the buffer, which is written out as it fills. */
static int snapshot_put(struct zg_journal *journal, struct zgi_journal_header *header,
			const void *payload)
{
	struct zg_journal_snapshot *snapshot = &journal->snapshot;
	size_t room = zgi_journal_room(header->size);
	unsigned char *place;
	int result;

	if (room > snapshot->buffer_capacity - snapshot->buffer_size) {
		result = snapshot_write_out(snapshot);
		if (result < 0)
			return result;
	}
	zg_assert(room <= snapshot->buffer_capacity - snapshot->buffer_size);
	place = snapshot->buffer + snapshot->buffer_size;
	zgi_journal_seal(
		zgi_snapshot_seed(journal->uuid, snapshot->sequence, snapshot->slice_count), header,
		payload);
	memset(place + room - ZGI_JOURNAL_ALIGNMENT, 0, ZGI_JOURNAL_ALIGNMENT);
	memcpy(place, header, sizeof(*header));
	if (header->size > 0)
		memcpy(place + sizeof(*header), payload, header->size);
	snapshot->buffer_size += room;
	return 0;
}

int zg_journal_snapshot_begin(struct zg_journal *journal, zg_journal_slice_writer *writer,
			      void *user)
{
	struct zg_journal_snapshot *snapshot = &journal->snapshot;
	struct zgi_snapshot_header header = {
		.magic = ZGI_JOURNAL_FILE_MAGIC,
		.version = ZGI_JOURNAL_VERSION,
		.uuid = {journal->uuid[0], journal->uuid[1]},
		.sequence = journal->sequence,
	};

	zg_assert(journal->magic == ZGI_JOURNAL_MAGIC);
	zg_assert(journal->is_replayed && writer != NULL);
	if (snapshot->phase != ZGI_SNAPSHOT_NONE)
		return -EBUSY;
	snapshot->fd = openat(journal->directory_fd, ZGI_JOURNAL_SNAPSHOT_UNFINISHED,
			      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, SNAPSHOT_MODE);
	if (snapshot->fd < 0) {
		zgi_counter_add(&journal->stats.snapshots_failed, 1);
		return -errno;
	}
	header.checksum = zgi_crc32c(0, header.uuid, sizeof(header) - 16);
	snapshot->writer = writer;
	snapshot->user = user;
	snapshot->sequence = journal->sequence;
	snapshot->offset = 0;
	snapshot->slice_count = 0;
	snapshot->slice_size = 0;
	snapshot->flush_error = 0;
	memcpy(snapshot->buffer, &header, sizeof(header));
	snapshot->buffer_size = sizeof(header);
	snapshot->phase = ZGI_SNAPSHOT_WRITING;
	return 0;
}

int zg_journal_snapshot_write(struct zg_journal *journal, uint32_t type, const void *bytes,
			      size_t size)
{
	struct zg_journal_snapshot *snapshot = &journal->snapshot;
	struct zgi_journal_header header = {
		.sequence = journal->sequence + 1, /* never 0 */
		.size = (uint32_t)size,
		.type = (uint16_t)type,
		.pending = ZGI_SNAPSHOT_PENDING_SLICE,
	};
	int result;

	zg_assert(snapshot->phase == ZGI_SNAPSHOT_WRITING);
	zg_assert(type <= ZG_JOURNAL_TYPE_MAX);
	if (size > snapshot->slice_size_max)
		return -EMSGSIZE;
	result = snapshot_put(journal, &header, bytes);
	if (result < 0)
		return result;
	snapshot->slice_count++;
	snapshot->slice_size += size;
	return 0;
}

/* The segments with no record after the snapshot's, and before any that a commit looks at. */
static void snapshot_choose_recycled(struct zg_journal *journal)
{
	struct zg_journal_snapshot *snapshot = &journal->snapshot;
	uint32_t place = journal->oldest;

	snapshot->recycled_count = 0;
	snapshot->recycle_count = 0;
	while (place != journal->current && place != journal->flushing) {
		uint32_t next = zgi_journal_next(journal, place);

		if (journal->ring[next]->sequence_first > snapshot->sequence + 1)
			break;
		snapshot->recycle_count++;
		place = next;
	}
}

static int snapshot_complete(struct zg_journal *journal)
{
	struct zg_journal_snapshot *snapshot = &journal->snapshot;
	struct zgi_snapshot_end end = {snapshot->slice_count, snapshot->slice_size};
	struct zgi_journal_header header = {
		.sequence = journal->sequence + 1,
		.size = sizeof(end),
		.pending = ZGI_SNAPSHOT_PENDING_END,
	};
	int result = snapshot_put(journal, &header, &end);

	/* Where a commit does not wait, there is nothing that another thread could wait for. */
	if (result == 0 && zg_pmem_is_persistent_memory(&journal->ring[journal->flushing]->map))
		result = zg_journal_commit(journal);
	if (result < 0)
		return result;
	snapshot->flush_count = 0;
	snapshot->flush_first = journal->flushing;
	if (journal->sequence_durable < snapshot->sequence)
		snapshot->flush_count =
			(journal->current + journal->segment_count - journal->flushing) %
				journal->segment_count +
			1;
	snapshot_choose_recycled(journal);
	snapshot->phase = ZGI_SNAPSHOT_WRITTEN;
	return 0;
}

int zg_journal_snapshot_step(struct zg_journal *journal, uint64_t size_max)
{
	struct zg_journal_snapshot *snapshot = &journal->snapshot;
	uint64_t begin = snapshot->slice_size;
	int result;

	zg_assert(journal->magic == ZGI_JOURNAL_MAGIC);
	zg_assert(snapshot->phase == ZGI_SNAPSHOT_WRITING);
	do {
		uint64_t before = snapshot->slice_count;

		result = snapshot->writer(snapshot->user);
		if (result > 0 && snapshot->slice_count == before)
			return 1;
	} while (result > 0 && snapshot->slice_size - begin < size_max);
	if (result > 0)
		return 1;
	if (result == 0)
		result = snapshot_complete(journal);
	if (result < 0)
		zgi_snapshot_give_up(journal);
	return result;
}

static int snapshot_publish(struct zg_journal *journal)
{
	struct zg_journal_snapshot *snapshot = &journal->snapshot;
	uint32_t place = snapshot->flush_first;
	int result = snapshot_write_out(snapshot);

	if (result < 0)
		return result;
	for (uint32_t count = 0; count < snapshot->flush_count; count++) {
		if (fdatasync(zg_pmem_fd(&journal->ring[place]->map)) < 0) {
			snapshot->flush_error = -errno;
			return snapshot->flush_error;
		}
		place = zgi_journal_next(journal, place);
	}
	if (fsync(snapshot->fd) < 0 ||
	    renameat(journal->directory_fd, ZGI_JOURNAL_SNAPSHOT_UNFINISHED, journal->directory_fd,
		     ZGI_JOURNAL_SNAPSHOT) < 0 ||
	    fsync(journal->directory_fd) < 0)
		return -errno;
	return 0;
}

int zg_journal_snapshot_sync(struct zg_journal *journal)
{
	struct zg_journal_snapshot *snapshot = &journal->snapshot;
	uint32_t place = journal->oldest;
	int result;

	zg_assert(journal->magic == ZGI_JOURNAL_MAGIC);
	zg_assert(snapshot->phase == ZGI_SNAPSHOT_WRITTEN);
	result = snapshot_publish(journal);
	while (result == 0 && snapshot->recycled_count < snapshot->recycle_count) {
		uint64_t id = journal->id_next + snapshot->recycled_count;

		result = zgi_journal_segment_format(journal, journal->ring[place], id);
		if (result == 0)
			snapshot->recycled_count++;
		place = zgi_journal_next(journal, place);
	}
	return result;
}

void zg_journal_snapshot_end(struct zg_journal *journal, int result)
{
	struct zg_journal_snapshot *snapshot = &journal->snapshot;

	zg_assert(journal->magic == ZGI_JOURNAL_MAGIC);
	zg_assert(snapshot->phase == ZGI_SNAPSHOT_WRITTEN);
	for (uint32_t count = 0; count < snapshot->recycled_count; count++) {
		struct zgi_journal_segment *segment = journal->ring[journal->oldest];

		zgi_journal_segment_adopt(journal, segment, journal->id_next++);
		journal->oldest = zgi_journal_next(journal, journal->oldest);
	}
	zgi_gauge_set(&journal->stats.segments_free,
		      journal->stats.segments_free + snapshot->recycled_count);
	/* The kernel tells of a lost write once: the journal's next commit would not hear of it. */
	if (snapshot->flush_error != 0)
		journal->error = snapshot->flush_error;
	if (result < 0) {
		zgi_snapshot_give_up(journal);
		return;
	}
	snapshot_close(journal);
	zgi_counter_add(&journal->stats.snapshots, 1);
}

int zg_journal_snapshot(struct zg_journal *journal, zg_journal_slice_writer *writer, void *user)
{
	int result = zg_journal_commit(journal);

	/* A commit that is under way makes nothing wrong: what it covers is flushed here as well.
	 */
	if (result < 0 && result != -EBUSY)
		return result;
	result = zg_journal_snapshot_begin(journal, writer, user);
	if (result < 0)
		return result;
	do
		result = zg_journal_snapshot_step(journal, UINT64_MAX);
	while (result > 0);
	if (result < 0)
		return result;
	result = zg_journal_snapshot_sync(journal);
	zg_journal_snapshot_end(journal, result);
	return result;
}
