/*
 * Hash: numbers that spread, for tables and digests; and a checksum for records.
 *
 * The hash is keyed, so that nobody outside can choose names that all fall into one chain. It is
 * no secret and no signature: what must not be forged does not rest on it.
 */
#ifndef STOREFRONT_HASH_H
#define STOREFRONT_HASH_H

#include <stddef.h>
#include <stdint.h>

/**
 * shop_hash_u64() - fold a number into a hash
 * @hash:   so far, or a seed
 * @value:  any
 */
static inline uint64_t shop_hash_u64(uint64_t hash, uint64_t value)
{
	/* The finalizer of MurmurHash3, over what was and what comes. */
	hash ^= value + UINT64_C(0x9e3779b97f4a7c15) + (hash << 6) + (hash >> 2);
	hash ^= hash >> 33;
	hash *= UINT64_C(0xff51afd7ed558ccd);
	hash ^= hash >> 33;
	hash *= UINT64_C(0xc4ceb9fe1a85ec53);
	return hash ^ hash >> 33;
}

/**
 * shop_hash_bytes() - fold bytes and their number into a hash
 * @hash:   so far, or a seed
 * @bytes:  may be NULL when @size is 0
 * @size:   bytes
 */
uint64_t shop_hash_bytes(uint64_t hash, const void *bytes, size_t size);

/**
 * shop_crc32c() - the checksum of a record
 * @bytes:  may be NULL when @size is 0
 * @size:   bytes
 *
 * Return: CRC-32C (Castagnoli): initial value and final inversion as RFC 3720, appendix B.4.
 */
uint32_t shop_crc32c(const void *bytes, size_t size);

#endif
