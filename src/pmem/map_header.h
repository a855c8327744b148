/*
 * Map header: the first page of a map's file, which says whose the bytes behind it are.
 */
#ifndef ZEROG_PMEM_MAP_HEADER_H
#define ZEROG_PMEM_MAP_HEADER_H

#include <stdint.h>

#include <zerog/pmem.h>

/* As it lies in the file, little-endian; the rest of its page is zero. */
struct zgi_map_header {
	unsigned char signature[8];
	uint32_t format; /* of this header */
	uint32_t version; /* of the payload */
	uint64_t magic; /* of the payload */
	uint64_t size; /* bytes of the payload */
	uint32_t reserved; /* 0 */
	uint32_t checksum; /* CRC32C of what is before */
};

/**
 * zgi_map_header_fill() - the header of a new file
 * @options:     its path is not read
 * @ret_header:  overwritten
 */
void zgi_map_header_fill(const struct zg_pmem_options *options, struct zgi_map_header *ret_header);

/**
 * zgi_map_header_check() - may a file be opened with these options?
 * @header:     as it was read
 * @file_size:  bytes of the whole file
 * @options:    what is wanted
 * @ret_error:  told what is wrong; may be NULL
 *
 * Return: 0; -EMEDIUMTYPE, -EPROTONOSUPPORT, -EBADMSG or -ERANGE, as zg_pmem_open().
 */
ZG_MUST_USE int zgi_map_header_check(const struct zgi_map_header *header, uint64_t file_size,
				     const struct zg_pmem_options *options,
				     struct zg_text *ret_error);

/**
 * zgi_map_file_size() - bytes of a file, header and all
 * @size:  bytes of its payload, at most ZG_PMEM_SIZE_MAX
 *
 * Return: bytes, a multiple of the header's.
 */
static inline uint64_t zgi_map_file_size(uint64_t size)
{
	return ZG_PMEM_HEADER_SIZE +
	       (size + ZG_PMEM_HEADER_SIZE - 1) / ZG_PMEM_HEADER_SIZE * ZG_PMEM_HEADER_SIZE;
}

#endif
