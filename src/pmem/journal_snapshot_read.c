/*
 * Reads a snapshot back, a slice at a time.
 *
 * There is one snapshot, which took its name when it was whole. Where it is not whole now it was
 * damaged since; the segments that it replaced are gone, so there is nothing to fall back upon,
 * and no option to go on without it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "pmem/journal_inside.h"

struct snapshot_source {
	struct zg_journal *journal; /* borrowed: its snapshot's buffer is used */
	uint64_t offset; /* bytes of the file before the buffer */
	size_t begin; /* bytes of the buffer that have been used */
	size_t end; /* bytes in the buffer */
	int fd;
};

/* Have so many bytes in the buffer. Return: 1; 0 when the file ends before; -errno. */
static int source_need(struct snapshot_source *source, size_t size)
{
	struct zg_journal_snapshot *snapshot = &source->journal->snapshot;

	if (source->end - source->begin >= size)
		return 1;
	memmove(snapshot->buffer, snapshot->buffer + source->begin, source->end - source->begin);
	source->offset += source->begin;
	source->end -= source->begin;
	source->begin = 0;
	if (size > snapshot->buffer_capacity)
		return 0;
	while (source->end < size) {
		ssize_t count = pread(source->fd, snapshot->buffer + source->end,
				      snapshot->buffer_capacity - source->end,
				      (off_t)(source->offset + source->end));

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return count < 0 ? -errno : 0;
		source->end += (size_t)count;
	}
	return 1;
}

static int snapshot_damaged(const struct snapshot_source *source, struct zg_text *ret_error)
{
	unsigned long long offset = source->offset + source->begin;

	zg_text_print(ret_error,
		      "journal %s: " ZGI_JOURNAL_SNAPSHOT
		      " is damaged at offset %llu: restore the directory",
		      source->journal->directory, offset);
	return -EBADMSG;
}

static int snapshot_read_failed(const struct snapshot_source *source, int error,
				struct zg_text *ret_error)
{
	zg_text_print(ret_error, "journal %s: " ZGI_JOURNAL_SNAPSHOT " cannot be read: %s",
		      source->journal->directory, strerrordesc_np(-error));
	return error;
}

static int snapshot_read_header(struct snapshot_source *source, uint64_t *ret_sequence,
				struct zg_text *ret_error)
{
	const struct zg_journal *journal = source->journal;
	struct zgi_snapshot_header header;
	int result = source_need(source, sizeof(header));

	if (result < 0)
		return snapshot_read_failed(source, result, ret_error);
	if (result == 0)
		return snapshot_damaged(source, ret_error);
	memcpy(&header, journal->snapshot.buffer, sizeof(header));
	if (header.magic == ZGI_JOURNAL_FILE_MAGIC && header.version > ZGI_JOURNAL_VERSION) {
		zg_text_print(ret_error,
			      "journal %s: " ZGI_JOURNAL_SNAPSHOT
			      " is of version %u, and this program knows versions up to %u: use a "
			      "newer program",
			      journal->directory, header.version, ZGI_JOURNAL_VERSION);
		return -EPROTONOSUPPORT;
	}
	if (header.magic != ZGI_JOURNAL_FILE_MAGIC ||
	    header.checksum != zgi_crc32c(0, header.uuid, sizeof(header) - 16))
		return snapshot_damaged(source, ret_error);
	if (memcmp(header.uuid, journal->uuid, sizeof(header.uuid)) != 0) {
		zg_text_print(ret_error,
			      "journal %s: " ZGI_JOURNAL_SNAPSHOT
			      " belongs to another journal: restore the directory as a whole",
			      journal->directory);
		return -EMEDIUMTYPE;
	}
	source->begin += sizeof(header);
	*ret_sequence = header.sequence;
	return 0;
}

/* The next record of the file, in the buffer. Return: 0; negative when it is not whole. */
static int snapshot_next(struct snapshot_source *source, uint32_t seed,
			 struct zgi_journal_header *ret_header, struct zg_text *ret_error)
{
	struct zg_journal_snapshot *snapshot = &source->journal->snapshot;
	struct zgi_journal_view view = {.seed = seed};
	struct zgi_journal_header header;
	int result = source_need(source, sizeof(header));

	if (result > 0) {
		memcpy(&header, snapshot->buffer + source->begin, sizeof(header));
		if (!zgi_journal_header_is_whole(seed, &header))
			return snapshot_damaged(source, ret_error);
		if (zgi_journal_room(header.size) > snapshot->buffer_capacity) {
			zg_text_print(ret_error,
				      "journal %s: " ZGI_JOURNAL_SNAPSHOT
				      " has a slice of %u bytes: raise slice_size_max",
				      source->journal->directory, header.size);
			return -EINVAL;
		}
		result = source_need(source, zgi_journal_room(header.size));
	}
	if (result < 0)
		return snapshot_read_failed(source, result, ret_error);
	view.bytes = snapshot->buffer + source->begin;
	view.size = (source->end - source->begin) & ~(size_t)(ZGI_JOURNAL_ALIGNMENT - 1);
	if (result == 0 || !zgi_journal_record_at(&view, 0, ret_header))
		return snapshot_damaged(source, ret_error);
	return 0;
}

static int snapshot_read_end(const struct snapshot_source *source,
			     const struct zgi_journal_header *header, uint64_t slice_count,
			     struct zg_text *ret_error)
{
	struct zgi_snapshot_end end;

	if (header->size != sizeof(end))
		return snapshot_damaged(source, ret_error);
	memcpy(&end, source->journal->snapshot.buffer + source->begin + sizeof(*header),
	       sizeof(end));
	return end.slice_count == slice_count ? 0 : snapshot_damaged(source, ret_error);
}

static int snapshot_read_slices(struct snapshot_source *source,
				const struct zg_journal_reader *reader,
				struct zg_journal_recovery *recovery, struct zg_text *ret_error)
{
	struct zg_journal *journal = source->journal;

	for (;;) {
		uint32_t seed = zgi_snapshot_seed(journal->uuid, recovery->snapshot_sequence,
						  recovery->slice_count);
		struct zgi_journal_header header;
		struct zg_journal_record slice;
		int result = snapshot_next(source, seed, &header, ret_error);

		if (result < 0)
			return result;
		if (header.pending == ZGI_SNAPSHOT_PENDING_END)
			return snapshot_read_end(source, &header, recovery->slice_count, ret_error);
		slice = (struct zg_journal_record){
			.sequence = header.sequence - 1,
			.bytes = journal->snapshot.buffer + source->begin + sizeof(header),
			.size = header.size,
			.type = header.type,
		};
		result = reader->on_slice(reader->user, &slice);
		if (result < 0) {
			zg_text_print(ret_error,
				      "journal %s: slice %llu was refused by its reader: %s",
				      journal->directory, (unsigned long long)recovery->slice_count,
				      strerrordesc_np(-result));
			return result;
		}
		recovery->slice_count++;
		source->begin += zgi_journal_room(header.size);
	}
}

int zgi_snapshot_read(struct zg_journal *journal, const struct zg_journal_reader *reader,
		      struct zg_journal_recovery *ret_recovery, struct zg_text *ret_error)
{
	struct snapshot_source source = {.journal = journal};
	int result;

	source.fd = openat(journal->directory_fd, ZGI_JOURNAL_SNAPSHOT,
			   O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (source.fd < 0 && errno == ENOENT)
		return 0;
	if (source.fd < 0)
		return snapshot_read_failed(&source, -errno, ret_error);
	if (reader->on_slice == NULL) {
		zg_text_print(ret_error,
			      "journal %s: there is a snapshot, and this program does not read any",
			      journal->directory);
		close(source.fd);
		return -EINVAL;
	}
	result = snapshot_read_header(&source, &ret_recovery->snapshot_sequence, ret_error);
	if (result == 0)
		result = snapshot_read_slices(&source, reader, ret_recovery, ret_error);
	close(source.fd);
	return result;
}
