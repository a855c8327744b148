/*
 * The format of a record, and how to know one.
 *
 * Nothing that is read here is trusted: sizes are held against the bytes there are before
 * anything is summed up, and offsets are compared by subtraction, which cannot wrap.
 */
#include "pmem/journal_record.h"

#include <assert.h>
#include <string.h>

#include <zerog/journal.h>

#include "base/assert.h"
#include "base/crc32c.h"

static_assert(sizeof(struct zgi_journal_header) == ZG_JOURNAL_RECORD_OVERHEAD,
	      "the format of a record");
static_assert(sizeof(struct zgi_journal_header) % ZGI_JOURNAL_ALIGNMENT == 0,
	      "a payload is aligned as its header is");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format of a record");

uint32_t zgi_journal_seed(const uint64_t *uuid, uint64_t id)
{
	uint64_t words[3] = {uuid[0], uuid[1], id};

	return zgi_crc32c(0, words, sizeof(words));
}

static uint32_t record_header_checksum(uint32_t seed, const struct zgi_journal_header *header)
{
	return zgi_crc32c(seed, &header->payload_checksum,
			  sizeof(*header) - offsetof(struct zgi_journal_header, payload_checksum));
}

void zgi_journal_seal(uint32_t seed, struct zgi_journal_header *header, const void *payload)
{
	zg_assert(header->sequence != 0);
	zg_assert(header->pending != 0);
	header->payload_checksum = zgi_crc32c(seed, payload, header->size);
	header->header_checksum = record_header_checksum(seed, header);
}

bool zgi_journal_header_is_whole(uint32_t seed, const struct zgi_journal_header *header)
{
	return header->sequence != 0 && header->pending != 0 &&
	       header->header_checksum == record_header_checksum(seed, header);
}

bool zgi_journal_record_at(const struct zgi_journal_view *view, size_t offset,
			   struct zgi_journal_header *ret_header)
{
	struct zgi_journal_header header;
	const unsigned char *payload;

	zg_assert(offset % ZGI_JOURNAL_ALIGNMENT == 0);
	zg_assert(view->size % ZGI_JOURNAL_ALIGNMENT == 0);
	if (offset > view->size || view->size - offset < sizeof(header))
		return false;
	memcpy(&header, view->bytes + offset, sizeof(header));
	if (header.size > view->size - offset - sizeof(header) ||
	    !zgi_journal_header_is_whole(view->seed, &header))
		return false;
	payload = view->bytes + offset + sizeof(header);
	if (header.payload_checksum != zgi_crc32c(view->seed, payload, header.size))
		return false;
	*ret_header = header;
	return true;
}

bool zgi_journal_find(const struct zgi_journal_view *view, uint64_t sequence_min, size_t *offset,
		      struct zgi_journal_header *ret_header)
{
	size_t place = *offset;

	zg_assert(sequence_min > 0);
	for (; place <= view->size && view->size - place >= sizeof(struct zgi_journal_header);
	     place += ZGI_JOURNAL_ALIGNMENT) {
		uint64_t sequence;

		/* Most of what is looked at is zeros, or records of a former life. */
		memcpy(&sequence,
		       view->bytes + place + offsetof(struct zgi_journal_header, sequence),
		       sizeof(sequence));
		if (ZG_LIKELY(sequence < sequence_min) ||
		    !zgi_journal_record_at(view, place, ret_header))
			continue;
		*offset = place;
		return true;
	}
	return false;
}
