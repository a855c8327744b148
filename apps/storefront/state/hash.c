/*
 * Hash and checksum. Where the processor has no instruction for the checksum, it goes by half
 * bytes: records are small, and a table of 64 bytes stays in the cache, where one of 8 KB would
 * push other things out.
 */
#include "state/hash.h"

#include <string.h>

uint64_t shop_hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *from = bytes;
	size_t left = size;

	for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t), from += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, from, sizeof(word));
		hash = shop_hash_u64(hash, word);
	}
	if (left > 0) {
		uint64_t word = 0;

		memcpy(&word, from, left);
		hash = shop_hash_u64(hash, word);
	}
	return shop_hash_u64(hash, size);
}

static uint32_t crc32c_by_half_bytes(uint32_t crc, const unsigned char *from, size_t size)
{
	static const uint32_t by_half_byte[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};

	for (size_t index = 0; index < size; ++index) {
		crc ^= from[index];
		crc = crc >> 4 ^ by_half_byte[crc & 15];
		crc = crc >> 4 ^ by_half_byte[crc & 15];
	}
	return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc32c_by_words(uint32_t crc,
								  const unsigned char *from,
								  size_t size)
{
	uint64_t wide = crc;

	for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), from += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, from, sizeof(word));
		wide = __builtin_ia32_crc32di(wide, word);
	}
	return crc32c_by_half_bytes((uint32_t)wide, from, size);
}
#endif

uint32_t shop_crc32c(const void *bytes, size_t size)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc32c_by_words(UINT32_MAX, bytes, size);
#endif
	return ~crc32c_by_half_bytes(UINT32_MAX, bytes, size);
}
