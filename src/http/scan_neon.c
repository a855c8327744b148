/*
 * The scans with NEON, which every aarch64 has. The bytes past the last whole block
 * of 16 are looked at one by one.
 */
#if defined(__aarch64__)

#include <arm_neon.h>
#include <stdint.h>

#include "http/scan_variants.h"

#define SCAN_INLINE static inline __attribute__((always_inline))

/* 0xFF where a byte ends the run. */
typedef uint8x16_t scan_stop16(uint8x16_t bytes);

SCAN_INLINE size_t scan_blocks16(const char *data, size_t size, scan_stop16 *stop16,
				 size_t (*tail)(const char *data, size_t size))
{
	size_t offset = 0;

	for (; size - offset >= 16; offset += 16) {
		uint8x16_t bytes = vld1q_u8((const uint8_t *)data + offset);
		/* NEON has no movemask: narrowing leaves four bits a byte. */
		uint8x8_t narrow = vshrn_n_u16(vreinterpretq_u16_u8(stop16(bytes)), 4);
		uint64_t mask = vget_lane_u64(vreinterpret_u64_u8(narrow), 0);

		if (mask != 0)
			return offset + (size_t)__builtin_ctzll(mask) / 4;
	}
	return offset + tail(data + offset, size - offset);
}

SCAN_INLINE uint8x16_t scan_value_stop16(uint8x16_t bytes)
{
	uint8x16_t control = vcltq_u8(bytes, vdupq_n_u8(0x20));
	uint8x16_t stop = vbicq_u8(control, vceqq_u8(bytes, vdupq_n_u8('\t')));

	return vorrq_u8(stop, vceqq_u8(bytes, vdupq_n_u8(0x7F)));
}

SCAN_INLINE uint8x16_t scan_target_stop16(uint8x16_t bytes)
{
	return vorrq_u8(vcltq_u8(bytes, vdupq_n_u8(0x21)), vcgtq_u8(bytes, vdupq_n_u8(0x7E)));
}

/* Bit h of entry l says whether the byte 0xhl is a token's. */
SCAN_INLINE uint8x16_t scan_token_stop16(uint8x16_t bytes)
{
	static const uint8_t by_low[16] = {0xE8, 0xFC, 0xF8, 0xFC, 0xFC, 0xFC, 0xFC, 0xFC,
					   0xF8, 0xF8, 0xF4, 0x54, 0xD0, 0x54, 0xF4, 0x70};
	static const uint8_t by_high[16] = {1, 2, 4, 8, 16, 32, 64, 128};
	uint8x16_t low = vqtbl1q_u8(vld1q_u8(by_low), vandq_u8(bytes, vdupq_n_u8(0x0F)));
	uint8x16_t high = vqtbl1q_u8(vld1q_u8(by_high), vshrq_n_u8(bytes, 4));

	return vceqq_u8(vandq_u8(low, high), vdupq_n_u8(0));
}

static size_t scan_neon_value_end(const char *data, size_t size)
{
	return scan_blocks16(data, size, scan_value_stop16, zgi_http_scan_scalar.value_end);
}

static size_t scan_neon_target_end(const char *data, size_t size)
{
	return scan_blocks16(data, size, scan_target_stop16, zgi_http_scan_scalar.target_end);
}

static size_t scan_neon_token_end(const char *data, size_t size)
{
	return scan_blocks16(data, size, scan_token_stop16, zgi_http_scan_scalar.token_end);
}

const struct zgi_http_scan zgi_http_scan_neon = {
	.name = "neon",
	.value_end = scan_neon_value_end,
	.target_end = scan_neon_target_end,
	.token_end = scan_neon_token_end,
};

#else

/* A translation unit must not be empty. */
typedef int scan_neon_is_not_built;

#endif
