/*
 * The scans with SSE2, which every x86-64 has, and with AVX2.
 *
 * A block of 16 or 32 bytes is classified at once into a mask of the bytes that
 * end the run. The bytes past the last whole block are gathered into one more
 * block with loads that overlap each other but never leave the caller's bytes, so
 * that the short names and values of a real head need no loop either.
 */
#if defined(__x86_64__)

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "http/scan_variants.h"

#define SCAN_INLINE static inline __attribute__((always_inline))
#define SCAN_AVX2 __attribute__((target("avx2,bmi")))

typedef uint32_t scan_mask16(__m128i bytes);

SCAN_INLINE uint64_t scan_load64(const char *data)
{
	uint64_t value;

	memcpy(&value, data, sizeof(value));
	return value;
}

SCAN_INLINE uint64_t scan_load32(const char *data)
{
	uint32_t value;

	memcpy(&value, data, sizeof(value));
	return value;
}

SCAN_INLINE uint64_t scan_load8(const char *data)
{
	return (uint8_t)*data;
}

/* The 1 to 15 bytes at data, and zeros after them. */
SCAN_INLINE __m128i scan_load_partial(const char *data, size_t size)
{
	uint64_t low;
	uint64_t high = 0;

	if (size >= 8) {
		/* Two shifts of half the distance: for 8 bytes it is 64 in all, which a single
		 * shift must not be. */
		unsigned int half = 4 * (16 - (unsigned int)size);

		low = scan_load64(data);
		high = (scan_load64(data + size - 8) >> half) >> half;
	} else if (size >= 4) {
		low = scan_load32(data);
		low |= (scan_load32(data + size - 4) >> (8 * (8 - size))) << 32;
	} else {
		low = scan_load8(data);
		low |= scan_load8(data + size / 2) << (8 * (size / 2));
		low |= scan_load8(data + size - 1) << (8 * (size - 1));
	}
	return _mm_set_epi64x((long long)high, (long long)low);
}

SCAN_INLINE __m128i scan_load16(const char *data)
{
	__m128i bytes;

	memcpy(&bytes, data, sizeof(bytes));
	return bytes;
}

/* From offset on, 16 bytes at a time. */
SCAN_INLINE size_t scan_blocks16(const char *data, size_t size, size_t offset, scan_mask16 *mask16)
{
	uint32_t mask;

	for (; size - offset >= 16; offset += 16) {
		mask = mask16(scan_load16(data + offset));
		if (mask != 0)
			return offset + (size_t)__builtin_ctz(mask);
	}
	if (offset == size)
		return size;
	/* A NUL ends every run, so the first zero after the last byte does if no byte does. */
	mask = mask16(scan_load_partial(data + offset, size - offset));
	return offset + (size_t)__builtin_ctz(mask);
}

SCAN_INLINE uint32_t scan_value_mask16(__m128i bytes)
{
	__m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
	__m128i stop = _mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')), control);

	stop = _mm_or_si128(stop, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)));
	return (uint32_t)_mm_movemask_epi8(stop);
}

/* Signed: bytes of 0x80 and more are negative, so one comparison finds them and controls. */
SCAN_INLINE __m128i scan_not_visible16(__m128i bytes)
{
	return _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x21)),
			    _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)));
}

SCAN_INLINE uint32_t scan_target_mask16(__m128i bytes)
{
	return (uint32_t)_mm_movemask_epi8(scan_not_visible16(bytes));
}

SCAN_INLINE __m128i scan_range16(__m128i bytes, char first, char last)
{
	return _mm_and_si128(_mm_cmpgt_epi8(bytes, _mm_set1_epi8((char)(first - 1))),
			     _mm_cmplt_epi8(bytes, _mm_set1_epi8((char)(last + 1))));
}

/* A token is what is visible, without the delimiters (RFC 9110, section 5.6.2). */
SCAN_INLINE uint32_t scan_token_mask16(__m128i bytes)
{
	__m128i stop = scan_not_visible16(bytes);

	stop = _mm_or_si128(stop, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
	stop = _mm_or_si128(stop, scan_range16(bytes, '(', ')'));
	stop = _mm_or_si128(stop, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(',')));
	stop = _mm_or_si128(stop, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('/')));
	stop = _mm_or_si128(stop, scan_range16(bytes, ':', '@'));
	stop = _mm_or_si128(stop, scan_range16(bytes, '[', ']'));
	stop = _mm_or_si128(stop, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('{')));
	stop = _mm_or_si128(stop, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('}')));
	return (uint32_t)_mm_movemask_epi8(stop);
}

static size_t scan_sse2_value_end(const char *data, size_t size)
{
	return scan_blocks16(data, size, 0, scan_value_mask16);
}

static size_t scan_sse2_target_end(const char *data, size_t size)
{
	return scan_blocks16(data, size, 0, scan_target_mask16);
}

static size_t scan_sse2_token_end(const char *data, size_t size)
{
	return scan_blocks16(data, size, 0, scan_token_mask16);
}

const struct zgi_http_scan zgi_http_scan_sse2 = {
	.name = "sse2",
	.value_end = scan_sse2_value_end,
	.target_end = scan_sse2_target_end,
	.token_end = scan_sse2_token_end,
};

SCAN_AVX2 static size_t scan_avx2_value_end(const char *data, size_t size)
{
	size_t offset = 0;

	for (; size - offset >= 32; offset += 32) {
		__m256i bytes = _mm256_loadu_si256((const __m256i_u *)(data + offset));
		__m256i control =
			_mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1F)), bytes);
		__m256i tab = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\t'));
		__m256i stop = _mm256_or_si256(_mm256_andnot_si256(tab, control),
					       _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7F)));
		uint32_t mask = (uint32_t)_mm256_movemask_epi8(stop);

		if (mask != 0)
			return offset + (size_t)__builtin_ctz(mask);
	}
	return scan_blocks16(data, size, offset, scan_value_mask16);
}

SCAN_AVX2 static size_t scan_avx2_target_end(const char *data, size_t size)
{
	size_t offset = 0;

	for (; size - offset >= 32; offset += 32) {
		__m256i bytes = _mm256_loadu_si256((const __m256i_u *)(data + offset));
		__m256i stop = _mm256_or_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(0x21), bytes),
					       _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7F)));
		uint32_t mask = (uint32_t)_mm256_movemask_epi8(stop);

		if (mask != 0)
			return offset + (size_t)__builtin_ctz(mask);
	}
	return scan_blocks16(data, size, offset, scan_target_mask16);
}

/* Bit h of entry l says whether the byte 0xhl is a token's. A byte of 0x80 and more selects 0. */
SCAN_AVX2 SCAN_INLINE uint32_t scan_token_shuffle16(__m128i bytes)
{
	const __m128i by_low =
		_mm_setr_epi8((char)0xE8, (char)0xFC, (char)0xF8, (char)0xFC, (char)0xFC,
			      (char)0xFC, (char)0xFC, (char)0xFC, (char)0xF8, (char)0xF8,
			      (char)0xF4, 0x54, (char)0xD0, 0x54, (char)0xF4, 0x70);
	const __m128i by_high =
		_mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, (char)128, 0, 0, 0, 0, 0, 0, 0, 0);
	__m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(0x0F));
	__m128i both =
		_mm_and_si128(_mm_shuffle_epi8(by_low, bytes), _mm_shuffle_epi8(by_high, high));

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(both, _mm_setzero_si128()));
}

/* Blocks of 16: names and methods are shorter than that. */
SCAN_AVX2 static size_t scan_avx2_token_end(const char *data, size_t size)
{
	return scan_blocks16(data, size, 0, scan_token_shuffle16);
}

const struct zgi_http_scan zgi_http_scan_avx2 = {
	.name = "avx2",
	.value_end = scan_avx2_value_end,
	.target_end = scan_avx2_target_end,
	.token_end = scan_avx2_token_end,
};

#else

/* A translation unit must not be empty. */
typedef int scan_x86_is_not_built;

#endif
