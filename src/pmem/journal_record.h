/*
 * One record as it lies in a segment or in a snapshot: a header and its payload, each under a
 * checksum. Bytes in, an answer out; it knows no file.
 *
 * Both checksums begin with the seed of the segment, which is made of the journal's own random
 * number and of the segment's id. A segment that is used again has another id: so what is left in
 * it of its former life is never taken for a record, and nor is a payload that somebody made to
 * look like one, who cannot know the number.
 *
 * The header has a checksum of its own, so that looking for records among arbitrary bytes takes
 * time in proportion to those, however large the sizes are that they pretend to.
 */
#ifndef ZEROG_PMEM_JOURNAL_RECORD_H
#define ZEROG_PMEM_JOURNAL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZGI_JOURNAL_ALIGNMENT 8
#define ZGI_JOURNAL_PENDING_UNKNOWN UINT16_MAX

/* As it is stored, in the byte order of x86-64 and aarch64. */
struct zgi_journal_header {
	uint32_t header_checksum; /* over the rest of the header */
	uint32_t payload_checksum;
	uint64_t sequence; /* never 0 */
	uint32_t size; /* bytes of payload */
	uint16_t type;
	uint16_t pending; /* how far back the last record was that was known to be durable when
			   * this one was published; ZGI_JOURNAL_PENDING_UNKNOWN when too far */
};

/* The bytes that records are looked for in. */
struct zgi_journal_view {
	const unsigned char *bytes; /* borrowed; aligned to ZGI_JOURNAL_ALIGNMENT */
	size_t size; /* bytes, a multiple of ZGI_JOURNAL_ALIGNMENT */
	uint32_t seed;

	/* What a recovery notes; see journal_recover.h. */
	uint64_t sequence_first; /* of the first record; 0: none */
	size_t wipe_begin; /* bytes from which records are to be made unreadable */
	size_t wipe_end; /* bytes up to which; 0: none are */
};

/**
 * zgi_journal_seed() - what the checksums of one segment begin with
 * @uuid:  two words, the journal's
 * @id:    the segment's
 */
uint32_t zgi_journal_seed(const uint64_t *uuid, uint64_t id);

/**
 * zgi_journal_room() - bytes that a record takes, its header and padding included
 * @size:  bytes of payload
 */
static inline size_t zgi_journal_room(size_t size)
{
	return sizeof(struct zgi_journal_header) +
	       ((size + ZGI_JOURNAL_ALIGNMENT - 1) & ~(size_t)(ZGI_JOURNAL_ALIGNMENT - 1));
}

/**
 * zgi_journal_seal() - complete a header by its checksums
 * @seed:     the segment's
 * @header:   all else is set; the checksums are written
 * @payload:  header->size bytes
 */
void zgi_journal_seal(uint32_t seed, struct zgi_journal_header *header, const void *payload);

/**
 * zgi_journal_header_is_whole() - does a header pass its own checksum?
 * @seed:    the segment's
 * @header:  any bytes
 */
bool zgi_journal_header_is_whole(uint32_t seed, const struct zgi_journal_header *header);

/**
 * zgi_journal_record_at() - the record at an offset, when it is whole
 * @view:        any bytes
 * @offset:      bytes, any multiple of ZGI_JOURNAL_ALIGNMENT
 * @ret_header:  its header; the payload follows it in the view; untouched on failure
 *
 * Return: true when both checksums are right and all of it lies within the view.
 */
bool zgi_journal_record_at(const struct zgi_journal_view *view, size_t offset,
			   struct zgi_journal_header *ret_header);

/**
 * zgi_journal_find() - the next whole record, wherever it begins
 * @view:          any bytes
 * @sequence_min:  of a record that counts
 * @offset:        bytes; where to begin, and where it was found; untouched on failure
 * @ret_header:    its header; untouched on failure
 *
 * Return: true when there is one.
 */
bool zgi_journal_find(const struct zgi_journal_view *view, uint64_t sequence_min, size_t *offset,
		      struct zgi_journal_header *ret_header);

#endif
