/*
 * What a file has to say of itself before a byte of it is believed.
 *
 * The signature begins with a byte that no text has and ends with line ends of both kinds, so
 * that a file that went through something that "corrects" text is told from one of ours, as PNG
 * does it.
 */
#include "pmem/map_header.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "pmem/persist.h"

#define HEADER_FORMAT 1

static const unsigned char header_signature[8] = {0x8a, 'z', 'g', 'p', 'm', '\r', '\n', 0x1a};

_Static_assert(sizeof(struct zgi_map_header) == 40, "as it lies in files: nothing is between");
_Static_assert(offsetof(struct zgi_map_header, checksum) == 36, "it is the last");
_Static_assert(sizeof(struct zgi_map_header) <= ZG_PMEM_HEADER_SIZE, "it fits its page");

static uint32_t header_checksum(const struct zgi_map_header *header)
{
	return zgi_crc32c(0, header, offsetof(struct zgi_map_header, checksum));
}

void zgi_map_header_fill(const struct zg_pmem_options *options, struct zgi_map_header *ret_header)
{
	zg_assert(options->size > 0);
	*ret_header = (struct zgi_map_header){
		.format = HEADER_FORMAT,
		.version = options->version,
		.magic = options->magic,
		.size = options->size,
	};
	memcpy(ret_header->signature, header_signature, sizeof(header_signature));
	ret_header->checksum = header_checksum(ret_header);
}

/* Is it a header of ours, and whole? */
static int header_check_itself(const struct zgi_map_header *header, uint64_t file_size,
			       const char *path, struct zg_text *error)
{
	if (file_size < ZG_PMEM_HEADER_SIZE ||
	    memcmp(header->signature, header_signature, sizeof(header_signature)) != 0) {
		ZGI_PMEM_TELL(error,
			      "%s: is no zerog persistent-memory file; it was left as it is: name "
			      "another",
			      path);
		return -EMEDIUMTYPE;
	}
	if (header->format > HEADER_FORMAT) {
		ZGI_PMEM_TELL(error,
			      "%s: was made by a newer zerog (format %" PRIu32
			      ", this one knows %d): update this program",
			      path, header->format, HEADER_FORMAT);
		return -EPROTONOSUPPORT;
	}
	if (header->checksum != header_checksum(header)) {
		ZGI_PMEM_TELL(error,
			      "%s: its header is damaged (checksum %08" PRIx32 ", stored %08" PRIx32
			      "): restore it from a copy",
			      path, header_checksum(header), header->checksum);
		return -EBADMSG;
	}
	return 0;
}

int zgi_map_header_check(const struct zgi_map_header *header, uint64_t file_size,
			 const struct zg_pmem_options *options, struct zg_text *ret_error)
{
	int result = header_check_itself(header, file_size, options->path, ret_error);

	if (result < 0)
		return result;
	if (header->magic != options->magic) {
		ZGI_PMEM_TELL(ret_error,
			      "%s: holds something else (magic %016" PRIx64 ", wanted %016" PRIx64
			      "); it was left as it is: name another",
			      options->path, header->magic, options->magic);
		return -EMEDIUMTYPE;
	}
	if (header->version > options->version) {
		ZGI_PMEM_TELL(ret_error,
			      "%s: was written by a newer version (%" PRIu32
			      ", this program knows %" PRIu32 "): update this program",
			      options->path, header->version, options->version);
		return -EPROTONOSUPPORT;
	}
	if (header->size == 0 || header->size > ZG_PMEM_SIZE_MAX ||
	    file_size != zgi_map_file_size(header->size)) {
		ZGI_PMEM_TELL(ret_error,
			      "%s: has %" PRIu64 " bytes where its header tells of %" PRIu64
			      " of payload: it was cut or added to, restore it from a copy",
			      options->path, file_size, header->size);
		return -EBADMSG;
	}
	if (options->size != 0 && header->size != options->size) {
		ZGI_PMEM_TELL(ret_error,
			      "%s: has room for %" PRIu64 " bytes, %" PRIu64
			      " are wanted: open it with the size it has, or make another",
			      options->path, header->size, options->size);
		return -ERANGE;
	}
	return 0;
}
